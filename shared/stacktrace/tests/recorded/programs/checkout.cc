// A template, a lambda, a namespace and an exception that nobody catches.
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace shop {
template <typename T> class Pool {
  public:
    T acquire(const std::string &order) { throw std::runtime_error("pool exhausted for " + order); }
};

int charge(const std::string &order) { return Pool<int>().acquire(order); }
}  // namespace shop

int main() {
    std::vector<std::function<int()>> tasks{[] { return shop::charge("A-17"); }};
    return tasks[0]();
}
