package com.acme.shop;

import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.Callable;

/** One argument says which failure. */
public class Checkout {
    static class PaymentException extends RuntimeException {
        PaymentException(String message, Throwable cause) { super(message, cause); }
    }

    static class Pool implements AutoCloseable {
        int acquire(String order) {
            throw new IllegalStateException("pool exhausted (size=10):\n  waiting=211");
        }
        @Override public void close() { throw new java.io.UncheckedIOException(new java.io.IOException("socket closed")); }
    }

    int charge(String order) {
        try (Pool pool = new Pool()) {
            return pool.acquire(order);
        }
    }

    int place(String order) {
        try {
            return charge(order);
        } catch (IllegalStateException e) {
            throw new PaymentException("order " + order + " failed", e);
        }
    }

    static void circular() {
        Exception a = new Exception("a");
        Exception b = new Exception("b", a);
        a.initCause(b);
        a.printStackTrace();
    }

    public static void main(String[] args) throws Exception {
        Checkout checkout = new Checkout();
        switch (args[0]) {
            case "chain" -> List.of("A-17").forEach(order -> checkout.place(order));
            case "proxy" -> {
                Callable<?> proxy = (Callable<?>) Proxy.newProxyInstance(
                        Checkout.class.getClassLoader(), new Class<?>[] {Callable.class},
                        (self, method, arguments) -> checkout.place("A-18"));
                try { proxy.call(); } catch (Exception e) { throw new RuntimeException(e); }
            }
            case "circular" -> circular();
            case "overflow" -> overflow(0);
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    static int overflow(int depth) { return overflow(depth + 1) + 1; }
}
