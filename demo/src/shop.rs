//! What there is when nothing happens: services, what they offer, whom they call, what they are given.

mod services;

/// How a service names its metrics; varied on purpose, as in any grown system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Convention {
    /// OpenTelemetry, stable HTTP names, seconds.
    OtelHttp,
    /// OpenTelemetry before HTTP names were stable: milliseconds.
    OtelHttpMillis,
    /// OpenTelemetry RPC, milliseconds.
    OtelRpcMillis,
    /// `http_requests_total` and `http_request_duration_seconds`; the label that holds the code.
    Plain { code: &'static str },
    /// Micrometer with quantiles instead of buckets.
    Micrometer,
    /// gRPC middleware.
    Grpc,
    /// Takes jobs from a queue.
    Worker,
    /// Seen through an exporter.
    Postgres,
    /// Seen through an exporter.
    Redis,
}

/// What a program runs on, which has metrics of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runtime {
    Go,
    Jvm,
    Node,
    Python,
    /// A database.
    Native,
}

/// How the pool's metrics are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PoolNames {
    /// Home-made: `db_pool_size`, `db_pool_in_use` …
    HomeMade,
    /// `hikaricp_connections_*`.
    Hikari,
    /// `go_sql_*` of the Go collector.
    GoSql,
    /// OpenTelemetry: `db_client_connections_usage{state=…}`.
    Otel,
}

/// A pool of database connections, one in each replica.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pool {
    pub(crate) names: PoolNames,
    pub(crate) size: u32,
    /// Seconds after which a request that waits for a connection fails.
    pub(crate) patience: f64,
}

/// Cores.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cpu {
    pub(crate) request: f64,
    /// `None`: no limit set; the node's cores are the bound.
    pub(crate) limit: Option<f64>,
}

/// MiB.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) usual: f64,
    pub(crate) request: f64,
    pub(crate) limit: f64,
}

/// A call to another service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    pub(crate) to: &'static str,
    /// Which of the callee's operations, by its route.
    pub(crate) route: &'static str,
    /// How many for each request.
    pub(crate) per_request: f64,
    /// Seconds after which the caller gives up.
    pub(crate) timeout: f64,
    pub(crate) kind: CallKind,
}

/// What a call means for the request that makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallKind {
    /// Without an answer the request fails.
    Required,
    /// Without an answer the page lacks something.
    Optional,
    /// Required, and made while holding a connection of the pool.
    Query,
    /// Nobody waits for it; made after success only.
    Message,
}

/// One thing a service does for its callers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation {
    /// HTTP method; the gRPC service.
    pub(crate) method: &'static str,
    /// HTTP route; the gRPC method.
    pub(crate) route: &'static str,
    /// Requests per second from outside the shop at an ordinary peak.
    pub(crate) from_outside: f64,
    /// Median seconds of its own work (waiting for cores, connections and callees comes on top).
    pub(crate) own: f64,
    /// Deviation of the logarithm of its own work.
    pub(crate) sigma: f64,
    /// Core seconds a request costs.
    pub(crate) cpu: f64,
    /// Median seconds it holds a connection beside its queries; 0 without a pool.
    pub(crate) held: f64,
    /// Share that fails by its own fault on an ordinary day.
    pub(crate) failing: f64,
    pub(crate) calls: &'static [Call],
}

/// A service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Service {
    pub(crate) name: &'static str,
    pub(crate) replicas: usize,
    pub(crate) speaks: Convention,
    pub(crate) runtime: Runtime,
    pub(crate) version: &'static str,
    pub(crate) port: u16,
    pub(crate) cpu: Cpu,
    pub(crate) memory: Memory,
    pub(crate) pool: Option<Pool>,
    pub(crate) operations: &'static [Operation],
}

impl Service {
    /// The cores it may use.
    pub(crate) fn cores(&self) -> f64 {
        self.cpu.limit.unwrap_or(NODE_CORES)
    }

    /// The image of a version.
    pub(crate) fn image(&self, version: &str) -> String {
        match self.runtime {
            Runtime::Native => format!("docker.io/library/{}:{version}", self.name),
            _ => format!("registry.example.com/shop/{}:{version}", self.name),
        }
    }
}

/// Cores that a container without a limit finds free.
pub(crate) const NODE_CORES: f64 = 4.0;
/// Cores of a node.
pub(crate) const MACHINE_CORES: f64 = 16.0;
/// The namespace of everything.
pub(crate) const NAMESPACE: &str = "shop";

/// One operation with its calls resolved.
#[derive(Debug)]
pub(crate) struct Node {
    /// Index of the service.
    pub(crate) service: usize,
    pub(crate) operation: &'static Operation,
    pub(crate) edges: Vec<Edge>,
}

/// One call with its callee resolved.
#[derive(Debug)]
pub(crate) struct Edge {
    /// Index of the node.
    pub(crate) to: usize,
    pub(crate) call: &'static Call,
}

/// The services and the graph of their operations; callers come before their callees.
#[derive(Debug)]
pub(crate) struct Shop {
    pub(crate) services: &'static [Service],
    pub(crate) nodes: Vec<Node>,
}

impl Shop {
    pub(crate) fn open() -> Shop {
        let services = services::SERVICES;
        let owned = services.iter().enumerate();
        let mut nodes: Vec<Node> = owned
            .flat_map(|(service, spec)| spec.operations.iter().map(move |operation| (service, operation)))
            .map(|(service, operation)| Node { service, operation, edges: Vec::new() })
            .collect();
        let places: Vec<(usize, &'static str)> =
            nodes.iter().map(|node| (node.service, node.operation.route)).collect();
        let place_of = |call: &Call| {
            places.iter().position(|(service, route)| {
                *route == call.route && services.get(*service).is_some_and(|callee| callee.name == call.to)
            })
        };
        for node in &mut nodes {
            let edges = node.operation.calls.iter();
            node.edges = edges.filter_map(|call| Some(Edge { to: place_of(call)?, call })).collect();
        }
        Shop { services, nodes }
    }

    /// Index of a service.
    pub(crate) fn index(&self, name: &str) -> Option<usize> {
        self.services.iter().position(|service| service.name == name)
    }

    /// A service by its index.
    pub(crate) fn service(&self, index: usize) -> Option<&'static Service> {
        self.services.get(index)
    }

    /// Whether the first service calls the second, directly or through others, or is the same.
    pub(crate) fn reaches(&self, from: usize, to: usize) -> bool {
        from == to || self.callees(from).into_iter().any(|callee| self.reaches(callee, to))
    }

    /// Services called directly.
    pub(crate) fn callees(&self, service: usize) -> Vec<usize> {
        let edges = self.nodes.iter().filter(|node| node.service == service).flat_map(|node| &node.edges);
        let mut callees: Vec<usize> =
            edges.filter_map(|edge| self.nodes.get(edge.to)).map(|node| node.service).collect();
        callees.sort_unstable();
        callees.dedup();
        callees
    }

    /// Requests per second at each node when each entry gets `outside(service, from_outside)`.
    pub(crate) fn expected(&self, outside: impl Fn(usize, f64) -> f64) -> Vec<f64> {
        let mut rates = vec![0.0; self.nodes.len()];
        for (place, node) in self.nodes.iter().enumerate() {
            let rate =
                rates.get(place).copied().unwrap_or(0.0) + outside(node.service, node.operation.from_outside);
            if let Some(own) = rates.get_mut(place) {
                *own = rate;
            }
            for edge in &node.edges {
                if let Some(callee) = rates.get_mut(edge.to) {
                    *callee += rate * edge.call.per_request;
                }
            }
        }
        rates
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_goes_to_an_operation_of_a_later_service() {
        let shop = Shop::open();
        for node in &shop.nodes {
            assert_eq!(node.edges.len(), node.operation.calls.len(), "{}", node.operation.route);
            for edge in &node.edges {
                assert!(shop.nodes[edge.to].service > node.service, "{}", node.operation.route);
            }
        }
    }

    #[test]
    fn nobody_is_short_of_cores_memory_or_connections_at_an_ordinary_peak() {
        let shop = Shop::open();
        let rates = shop.expected(|_, from_outside| from_outside);
        for (index, service) in shop.services.iter().enumerate() {
            let of_service = || shop.nodes.iter().zip(&rates).filter(|(node, _)| node.service == index);
            let cores: f64 = of_service().map(|(node, rate)| rate * node.operation.cpu).sum();
            let share = cores / service.replicas as f64 / service.cores();
            assert!((0.04..0.55).contains(&share), "{} uses {share} of its cores", service.name);
            assert!(service.memory.usual < 0.75 * service.memory.limit, "{}", service.name);
            if let Some(pool) = service.pool {
                let held: f64 = of_service().map(|(node, rate)| rate * node.operation.held).sum();
                let share = held / service.replicas as f64 / f64::from(pool.size);
                assert!((0.1..0.5).contains(&share), "{} uses {share} of its pool", service.name);
            }
        }
    }

    #[test]
    fn what_is_expected_of_a_callee_is_what_its_callers_send() {
        let shop = Shop::open();
        let rates = shop.expected(|_, from_outside| from_outside);
        let rate = |name: &str, route: &str| {
            let found =
                shop.nodes.iter().zip(&rates).find(|(node, _)| {
                    shop.services[node.service].name == name && node.operation.route == route
                });
            *found.unwrap().1
        };

        // By hand: 60 orders a second through the web and 75 from elsewhere, each charged once.
        assert_eq!(rate("checkout", "/orders"), 135.0);
        assert_eq!(rate("payment", "Charge"), 135.0);
        assert!(shop.reaches(0, shop.index("postgres").unwrap()));
        assert!(!shop.reaches(shop.index("ads").unwrap(), 0));
    }
}
