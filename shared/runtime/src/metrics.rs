//! What `/metrics` tells: calls by tool and outcome, durations, sizes, what runs now.

use std::{sync::Arc, sync::atomic::AtomicI64, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByOutcome {
    tool: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByTool {
    tool: &'static str,
}

/// The metrics of this process, in Prometheus' names and units.
pub(crate) struct Metrics {
    registry: Registry,
    calls: Family<ByOutcome, Counter>,
    seconds: Family<ByTool, Histogram, fn() -> Histogram>,
    bytes: Family<ByTool, Counter>,
    in_flight: Gauge<i64, AtomicI64>,
    idle: Arc<tokio::sync::Notify>,
}

/// Counts a call as in flight until dropped.
pub(crate) struct InFlight(Gauge<i64, AtomicI64>, Arc<tokio::sync::Notify>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
        self.1.notify_waiters();
    }
}

impl Metrics {
    pub(crate) fn new(server: &'static str, version: &'static str) -> Metrics {
        let mut registry = Registry::default();
        let calls = Family::<ByOutcome, Counter>::default();
        let seconds = Family::<ByTool, Histogram, fn() -> Histogram>::new_with_constructor(buckets);
        let bytes = Family::<ByTool, Counter>::default();
        let in_flight = Gauge::<i64, AtomicI64>::default();
        registry.register("mcp_tool_calls", "Tool calls by outcome", calls.clone());
        registry.register("mcp_tool_call_duration_seconds", "Duration of tool calls", seconds.clone());
        registry.register("mcp_tool_answer_bytes", "Bytes of answers, both renderings", bytes.clone());
        registry.register("mcp_tool_calls_in_flight", "Tool calls running now", in_flight.clone());
        let info = prometheus_client::metrics::info::Info::new([("server", server), ("version", version)]);
        registry.register("mcp_server", "Name and version of this server", info);
        Metrics { registry, calls, seconds, bytes, in_flight, idle: Arc::default() }
    }

    pub(crate) fn begin(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone(), Arc::clone(&self.idle))
    }

    pub(crate) fn end(&self, tool: &'static str, outcome: &'static str, took: Duration, bytes: u64) {
        self.calls.get_or_create(&ByOutcome { tool, outcome }).inc();
        self.seconds.get_or_create(&ByTool { tool }).observe(took.as_secs_f64());
        self.bytes.get_or_create(&ByTool { tool }).inc_by(bytes);
    }

    pub(crate) fn running(&self) -> i64 {
        self.in_flight.get()
    }

    /// Waits until no call runs.
    pub(crate) async fn idle(&self) {
        loop {
            let ended = self.idle.notified();
            if self.running() <= 0 {
                return;
            }
            ended.await;
        }
    }

    /// OpenMetrics text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a String does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

fn buckets() -> Histogram {
    Histogram::new([0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0])
}
