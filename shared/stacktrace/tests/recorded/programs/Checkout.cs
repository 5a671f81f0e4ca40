// One argument says which failure.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading.Tasks;

namespace Acme.Shop {
    public class PaymentException : Exception {
        public PaymentException(string message, Exception inner) : base(message, inner) {}
    }

    public class Pool<T> {
        public T Acquire(string order) { throw new InvalidOperationException("pool exhausted\nwaiting=211"); }
    }

    public class Checkout {
        public int Charge(string order) {
            try {
                return new Pool<int>().Acquire(order);
            } catch (InvalidOperationException e) {
                throw new PaymentException("order " + order + " failed", e);
            }
        }

        public async Task<int> Place(string order) {
            await Task.Yield();
            return Charge(order);
        }

        public static void Main(string[] args) {
            var checkout = new Checkout();
            switch (args[0]) {
                case "inner":
                    try { checkout.Charge("A-17"); } catch (Exception e) { throw new ApplicationException("checkout failed", e); }
                    break;
                case "async":
                    checkout.Place("A-18").GetAwaiter().GetResult();
                    break;
                case "aggregate":
                    Task.WhenAll(checkout.Place("A-1"), checkout.Place("A-2")).Wait();
                    break;
                case "lambda":
                    new List<string> { "A-19" }.Select(order => checkout.Charge(order)).ToList();
                    break;
            }
        }
    }
}
