<?php
// One argument says which failure.
namespace Shop;

class PaymentException extends \RuntimeException {}

class Pool {
    public function acquire(string $order): array {
        return json_decode('{' . $order, true, 512, JSON_THROW_ON_ERROR);
    }
}

class Checkout {
    public function charge(string $order): array {
        try {
            return (new Pool())->acquire($order);
        } catch (\JsonException $e) {
            throw new PaymentException("order $order failed", 0, $e);
        }
    }

    public function place(array $orders): array {
        return array_map(fn ($order) => $this->charge($order), $orders);
    }
}

function kinds(string $kind) {
    match ($kind) {
        'cause' => (new Checkout())->place(['A-17']),
        'type' => (new Checkout())->charge(),
        'multiline' => throw new \LogicException("first line\nsecond line"),
    };
}

kinds($argv[1]);
