/* One argument says which failure. */
#include <execinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cart { int total; };

static int __attribute__((noinline)) charge(struct cart *cart) {
    return cart->total;
}

static void __attribute__((noinline)) show(void) {
    void *frames[16];
    backtrace_symbols_fd(frames, backtrace(frames, 16), 2);
}

int __attribute__((noinline)) place(const char *kind) {
    struct cart *cart = malloc(sizeof *cart);
    cart->total = (int) strlen(kind);
    if (strcmp(kind, "use-after-free") == 0) {
        free(cart);
        return charge(cart);
    }
    if (strcmp(kind, "overflow") == 0) {
        memset(cart, 0, 8);
        return charge(cart);
    }
    if (strcmp(kind, "leak") == 0) {
        cart = NULL;
        return 1;
    }
    if (strcmp(kind, "backtrace") == 0) {
        show();
        return 0;
    }
    if (strcmp(kind, "divide") == 0) {
        return 2147483647 + (int) strlen(kind);
    }
    return charge(NULL);
}

int main(int argc, char **argv) {
    (void) argc;
    return place(argv[1]);
}
