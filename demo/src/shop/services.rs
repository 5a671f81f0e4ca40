//! The shop as a table. Callers stand before their callees. Rates and times are invented but of the usual size.

use super::{Call, CallKind, Convention, Cpu, Memory, Operation, Pool, PoolNames, Runtime, Service};

const fn call(to: &'static str, route: &'static str, per_request: f64, timeout: f64, kind: CallKind) -> Call {
    Call { to, route, per_request, timeout, kind }
}

const fn query(times: f64) -> Call {
    call("postgres", "query", times, 1.0, CallKind::Query)
}

const fn command(times: f64) -> Call {
    call("redis", "command", times, 0.25, CallKind::Required)
}

/// Most operations; the others are written with `..`.
const ORDINARY: Operation = Operation {
    method: "GET",
    route: "/",
    from_outside: 0.0,
    own: 0.005,
    sigma: 0.5,
    cpu: 0.002,
    held: 0.0,
    failing: 0.0005,
    calls: &[],
};

const WEB: Service = Service {
    name: "web",
    replicas: 2,
    speaks: Convention::OtelHttp,
    runtime: Runtime::Node,
    version: "5.12.1",
    port: 8080,
    cpu: Cpu { request: 0.6, limit: None },
    memory: Memory { usual: 310.0, request: 384.0, limit: 768.0 },
    pool: None,
    operations: &[
        Operation {
            route: "/products/{id}",
            from_outside: 150.0,
            own: 0.006,
            cpu: 0.0045,
            calls: &[
                call("catalog", "/catalog/{id}", 1.0, 1.0, CallKind::Required),
                call("recommendation", "ListRecommendations", 0.6, 0.5, CallKind::Optional),
                call("ads", "GetAds", 0.8, 0.3, CallKind::Optional),
                call("cart", "/cart", 0.3, 0.5, CallKind::Optional),
            ],
            ..ORDINARY
        },
        Operation {
            route: "/search",
            from_outside: 70.0,
            own: 0.006,
            cpu: 0.0045,
            calls: &[
                call("search", "/v1/search", 1.0, 1.5, CallKind::Required),
                call("ads", "GetAds", 1.0, 0.3, CallKind::Optional),
            ],
            ..ORDINARY
        },
        Operation {
            method: "POST",
            route: "/checkout",
            from_outside: 60.0,
            own: 0.008,
            cpu: 0.006,
            calls: &[call("checkout", "/orders", 1.0, 4.0, CallKind::Required)],
            ..ORDINARY
        },
    ],
};

const CHECKOUT: Service = Service {
    name: "checkout",
    replicas: 3,
    speaks: Convention::OtelHttp,
    runtime: Runtime::Go,
    version: "3.4.0",
    port: 8080,
    cpu: Cpu { request: 0.5, limit: Some(1.0) },
    memory: Memory { usual: 120.0, request: 192.0, limit: 384.0 },
    pool: None,
    operations: &[
        Operation {
            method: "POST",
            route: "/orders",
            from_outside: 75.0,
            own: 0.012,
            cpu: 0.007,
            failing: 0.001,
            calls: &[
                call("user", "/users/{id}", 1.0, 1.0, CallKind::Required),
                call("cart", "/cart", 1.0, 1.0, CallKind::Required),
                call("inventory", "/stock/{sku}", 1.0, 1.0, CallKind::Required),
                call("shipping", "Quote", 1.0, 1.0, CallKind::Required),
                call("payment", "Charge", 1.0, 2.5, CallKind::Required),
                call("email", "/send", 1.0, 5.0, CallKind::Message),
            ],
            ..ORDINARY
        },
        Operation {
            route: "/orders/{id}",
            from_outside: 85.0,
            own: 0.008,
            cpu: 0.004,
            calls: &[call("user", "/users/{id}", 1.0, 1.0, CallKind::Required)],
            ..ORDINARY
        },
    ],
};

/// Asks the bank while it holds a connection: its pool is the one that a smaller size hurts first.
const PAYMENT: Service = Service {
    name: "payment",
    replicas: 5,
    speaks: Convention::Grpc,
    runtime: Runtime::Go,
    version: "2.3.0",
    port: 9090,
    cpu: Cpu { request: 0.25, limit: None },
    memory: Memory { usual: 95.0, request: 128.0, limit: 256.0 },
    pool: Some(Pool { names: PoolNames::HomeMade, size: 50, patience: 1.5 }),
    operations: &[Operation {
        method: "payment.v1.Payment",
        route: "Charge",
        own: 0.008,
        cpu: 0.012,
        held: 0.385,
        sigma: 0.35,
        failing: 0.001,
        calls: &[query(3.0)],
        ..ORDINARY
    }],
};

const CATALOG: Service = Service {
    name: "catalog",
    replicas: 2,
    speaks: Convention::Plain { code: "status" },
    runtime: Runtime::Go,
    version: "4.0.7",
    port: 8080,
    cpu: Cpu { request: 0.6, limit: Some(1.2) },
    memory: Memory { usual: 140.0, request: 192.0, limit: 320.0 },
    pool: Some(Pool { names: PoolNames::Otel, size: 30, patience: 0.5 }),
    operations: &[Operation {
        route: "/catalog/{id}",
        from_outside: 40.0,
        own: 0.009,
        cpu: 0.0045,
        held: 0.08,
        calls: &[query(0.5), call("inventory", "/stock/{sku}", 0.3, 0.3, CallKind::Optional)],
        ..ORDINARY
    }],
};

const CART: Service = Service {
    name: "cart",
    replicas: 2,
    speaks: Convention::Plain { code: "code" },
    runtime: Runtime::Go,
    version: "1.19.2",
    port: 8080,
    cpu: Cpu { request: 0.25, limit: Some(0.5) },
    memory: Memory { usual: 80.0, request: 128.0, limit: 224.0 },
    pool: None,
    operations: &[
        Operation { route: "/cart", own: 0.003, cpu: 0.0018, calls: &[command(2.0)], ..ORDINARY },
        Operation {
            method: "PUT",
            route: "/cart/items",
            from_outside: 30.0,
            own: 0.004,
            cpu: 0.0022,
            calls: &[command(2.0)],
            ..ORDINARY
        },
    ],
};

const INVENTORY: Service = Service {
    name: "inventory",
    replicas: 2,
    speaks: Convention::Micrometer,
    runtime: Runtime::Jvm,
    version: "7.2.0",
    port: 8081,
    cpu: Cpu { request: 0.5, limit: Some(1.0) },
    memory: Memory { usual: 620.0, request: 768.0, limit: 1024.0 },
    pool: Some(Pool { names: PoolNames::Hikari, size: 30, patience: 0.5 }),
    operations: &[Operation {
        route: "/stock/{sku}",
        own: 0.004,
        cpu: 0.0042,
        held: 0.055,
        calls: &[query(2.0)],
        ..ORDINARY
    }],
};

const SHIPPING: Service = Service {
    name: "shipping",
    replicas: 2,
    speaks: Convention::Grpc,
    runtime: Runtime::Go,
    version: "1.8.3",
    port: 9090,
    cpu: Cpu { request: 0.2, limit: Some(0.5) },
    memory: Memory { usual: 70.0, request: 96.0, limit: 192.0 },
    pool: Some(Pool { names: PoolNames::GoSql, size: 20, patience: 0.5 }),
    operations: &[Operation {
        method: "shipping.v1.Shipping",
        route: "Quote",
        from_outside: 5.0,
        own: 0.012,
        cpu: 0.003,
        held: 0.07,
        calls: &[query(1.0)],
        ..ORDINARY
    }],
};

const EMAIL: Service = Service {
    name: "email",
    replicas: 2,
    speaks: Convention::Worker,
    runtime: Runtime::Python,
    version: "0.31.0",
    port: 9100,
    cpu: Cpu { request: 0.2, limit: Some(0.5) },
    memory: Memory { usual: 110.0, request: 128.0, limit: 256.0 },
    pool: None,
    operations: &[Operation {
        method: "emails",
        route: "/send",
        own: 0.018,
        cpu: 0.0026,
        failing: 0.002,
        ..ORDINARY
    }],
};

const RECOMMENDATION: Service = Service {
    name: "recommendation",
    replicas: 2,
    speaks: Convention::OtelRpcMillis,
    runtime: Runtime::Python,
    version: "2.0.4",
    port: 8080,
    cpu: Cpu { request: 0.8, limit: Some(1.5) },
    memory: Memory { usual: 420.0, request: 512.0, limit: 768.0 },
    pool: None,
    operations: &[Operation {
        method: "recommendation.v2.Recommendation",
        route: "ListRecommendations",
        from_outside: 5.0,
        own: 0.045,
        cpu: 0.014,
        calls: &[command(1.0)],
        ..ORDINARY
    }],
};

const SEARCH: Service = Service {
    name: "search",
    replicas: 2,
    speaks: Convention::OtelHttpMillis,
    runtime: Runtime::Jvm,
    version: "9.1.5",
    port: 8080,
    cpu: Cpu { request: 1.0, limit: Some(2.0) },
    memory: Memory { usual: 1150.0, request: 1536.0, limit: 2048.0 },
    pool: None,
    operations: &[Operation {
        route: "/v1/search",
        from_outside: 15.0,
        own: 0.060,
        sigma: 0.6,
        cpu: 0.020,
        ..ORDINARY
    }],
};

const USER: Service = Service {
    name: "user",
    replicas: 2,
    speaks: Convention::OtelHttp,
    runtime: Runtime::Go,
    version: "6.5.0",
    port: 8080,
    cpu: Cpu { request: 0.3, limit: Some(0.6) },
    memory: Memory { usual: 90.0, request: 128.0, limit: 256.0 },
    pool: Some(Pool { names: PoolNames::Otel, size: 20, patience: 0.4 }),
    operations: &[Operation {
        route: "/users/{id}",
        from_outside: 12.0,
        own: 0.004,
        cpu: 0.002,
        held: 0.045,
        calls: &[query(1.0)],
        ..ORDINARY
    }],
};

const ADS: Service = Service {
    name: "ads",
    replicas: 2,
    speaks: Convention::Grpc,
    runtime: Runtime::Jvm,
    version: "3.0.9",
    port: 9090,
    cpu: Cpu { request: 0.3, limit: Some(0.6) },
    memory: Memory { usual: 330.0, request: 384.0, limit: 512.0 },
    pool: None,
    operations: &[Operation {
        method: "ads.v1.Ads",
        route: "GetAds",
        from_outside: 20.0,
        own: 0.008,
        cpu: 0.0022,
        calls: &[command(1.0)],
        ..ORDINARY
    }],
};

const POSTGRES: Service = Service {
    name: "postgres",
    replicas: 1,
    speaks: Convention::Postgres,
    runtime: Runtime::Native,
    version: "16.4",
    port: 9187,
    cpu: Cpu { request: 2.0, limit: Some(4.0) },
    memory: Memory { usual: 2900.0, request: 3072.0, limit: 4096.0 },
    pool: None,
    operations: &[Operation { route: "query", own: 0.002, cpu: 0.0009, failing: 0.00005, ..ORDINARY }],
};

const REDIS: Service = Service {
    name: "redis",
    replicas: 1,
    speaks: Convention::Redis,
    runtime: Runtime::Native,
    version: "7.2.5",
    port: 9121,
    cpu: Cpu { request: 0.5, limit: Some(1.0) },
    memory: Memory { usual: 700.0, request: 1024.0, limit: 1536.0 },
    pool: None,
    operations: &[Operation { route: "command", own: 0.0004, cpu: 0.0002, failing: 0.00002, ..ORDINARY }],
};

pub(super) const SERVICES: &[Service] = &[
    WEB,
    CHECKOUT,
    PAYMENT,
    CATALOG,
    CART,
    INVENTORY,
    SHIPPING,
    EMAIL,
    RECOMMENDATION,
    SEARCH,
    USER,
    ADS,
    POSTGRES,
    REDIS,
];
