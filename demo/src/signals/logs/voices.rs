//! How each service logs.

/// How a record is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// JSON with the fields of the Elastic Common Schema.
    Ecs,
    /// JSON with those of OpenTelemetry, as Elasticsearch stores them.
    Otel,
    /// `time=… level=… msg="…"`.
    Logfmt,
    /// Logback's usual pattern.
    Java,
    /// Python's usual pattern.
    Python,
    Postgres,
    Redis,
}

impl Form {
    pub(super) fn ending(self) -> &'static str {
        if matches!(self, Form::Ecs | Form::Otel) { "ndjson" } else { "log" }
    }
}

/// What a service says. `<names>` stand for what differs from record to record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Voice {
    pub(super) form: Form,
    pub(super) logger: &'static str,
    /// When a request succeeded, by operation.
    pub(super) served: &'static [&'static str],
    /// When one failed by itself.
    pub(super) own: &'static str,
    /// When it was turned away.
    pub(super) rejected: &'static str,
    /// When a callee failed.
    pub(super) callee: &'static str,
}

const WEB: Voice = Voice {
    form: Form::Ecs,
    logger: "web.router",
    served: &["GET /products/<id> 200 <ms> ms", "GET /search 200 <ms> ms", "POST /checkout 201 <ms> ms"],
    own: "cannot render page for session <session>",
    rejected: "request queue is full, shedding load (queued=<count>)",
    callee: "upstream <callee> failed after <ms> ms: <reason>",
};
const CHECKOUT: Voice = Voice {
    form: Form::Otel,
    logger: "checkout/orders",
    served: &[
        "order <order> placed for user <user>, total <amount> EUR",
        "order <order> read by user <user>",
    ],
    own: "recovered from panic while placing order <order>",
    rejected: "too many orders in flight (<count>), refusing",
    callee: "place order <order> failed: <callee>: <reason>",
};
const PAYMENT: Voice = Voice {
    form: Form::Ecs,
    logger: "payment/charge",
    served: &["charge <charge> authorized: <amount> EUR in <ms> ms"],
    own: "charge <charge> failed: bank answered <status>",
    rejected: "could not acquire connection from pool \"orders\" after <patience>: pool exhausted (size=<size>, waiting=<waiting>)",
    callee: "charge <charge> failed: <callee>: <reason>",
};
const CATALOG: Voice = Voice {
    form: Form::Otel,
    logger: "catalog",
    served: &["product <id> served from <source> in <ms> ms"],
    own: "product <id>: unknown currency in price list",
    rejected: "no database connection within <patience> (size=<size>, waiting=<waiting>)",
    callee: "product <id>: <callee>: <reason>",
};
const CART: Voice = Voice {
    form: Form::Logfmt,
    logger: "cart",
    served: &["cart <session> loaded with <count> items", "item <sku> put into cart <session>"],
    own: "cart <session> has an unknown version",
    rejected: "worker queue is full (<count> waiting)",
    callee: "cart <session>: <callee>: <reason>",
};
const INVENTORY: Voice = Voice {
    form: Form::Ecs,
    logger: "com.example.inventory.StockController",
    served: &["stock of <sku> is <count>"],
    own: "could not read stock of <sku>",
    rejected: "could not get JDBC connection for stock of <sku>",
    callee: "stock of <sku>: <callee>: <reason>",
};
const SHIPPING: Voice = Voice {
    form: Form::Logfmt,
    logger: "shipping",
    served: &["quote for <count> parcels to zone <zone>: <amount> EUR"],
    own: "no tariff for zone <zone>",
    rejected: "sql: no connection within <patience> (open=<size>)",
    callee: "quote failed: <callee>: <reason>",
};
const EMAIL: Voice = Voice {
    form: Form::Python,
    logger: "email.worker",
    served: &["sent template <template> for order <order> in <ms> ms"],
    own: "could not send template <template> for order <order>",
    rejected: "worker is behind by <count> jobs",
    callee: "order <order>: <callee>: <reason>",
};
const RECOMMENDATION: Voice = Voice {
    form: Form::Python,
    logger: "recommendation.service",
    served: &["ranked <count> products for user <user> in <ms> ms"],
    own: "ranking failed for user <user>",
    rejected: "queue of the model is full (<count>)",
    callee: "features of user <user>: <callee>: <reason>",
};
const SEARCH: Voice = Voice {
    form: Form::Java,
    logger: "c.e.search.QueryController",
    served: &["query matched <count> documents in <ms> ms"],
    own: "query failed on shard <shard>",
    rejected: "search thread pool is full (queue=<count>), rejecting",
    callee: "query: <callee>: <reason>",
};
const USER: Voice = Voice {
    form: Form::Otel,
    logger: "user",
    served: &["user <user> loaded in <ms> ms"],
    own: "user <user>: profile can't be decoded",
    rejected: "no database connection within <patience> (size=<size>, waiting=<waiting>)",
    callee: "user <user>: <callee>: <reason>",
};
const ADS: Voice = Voice {
    form: Form::Ecs,
    logger: "com.example.ads.AdServer",
    served: &["served <count> ads for context <word>"],
    own: "campaign <id> has no creative",
    rejected: "ad queue is full (<count>)",
    callee: "campaigns: <callee>: <reason>",
};
const POSTGRES: Voice = Voice {
    form: Form::Postgres,
    logger: "",
    served: &["duration: <ms> ms  execute <unnamed>: SELECT quantity FROM stock WHERE sku = $1"],
    own: "deadlock detected",
    rejected: "sorry, too many clients already",
    callee: "could not receive data from client: <reason>",
};
const REDIS: Voice = Voice {
    form: Form::Redis,
    logger: "",
    served: &["<count> changes in 60 seconds. Saving..."],
    own: "Error accepting a client connection: <reason>",
    rejected: "Client closed for overcoming of output buffer limits",
    callee: "Connection lost: <reason>",
};

pub(super) fn of(service: &str) -> Voice {
    match service {
        "web" => WEB,
        "checkout" => CHECKOUT,
        "payment" => PAYMENT,
        "catalog" => CATALOG,
        "cart" => CART,
        "inventory" => INVENTORY,
        "shipping" => SHIPPING,
        "email" => EMAIL,
        "recommendation" => RECOMMENDATION,
        "search" => SEARCH,
        "user" => USER,
        "ads" => ADS,
        "postgres" => POSTGRES,
        _ => REDIS,
    }
}
