//! The requests of one operation at one replica, and how they are answered.

use libm::pow;

use crate::lognormal::{LogNormal, Moments};
use crate::shop::{CallKind, Node, Service};
use crate::station::Queue;

use super::respond::{CallOutcome, Response};

/// Requests of one operation during one step.
pub(super) struct Work<'a> {
    /// Index of the node.
    pub(super) place: usize,
    pub(super) node: &'a Node,
    /// How its calls end, by edge.
    pub(super) outcomes: &'a [CallOutcome],
    pub(super) requests: u32,
}

/// What requests have to wait for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Queues {
    pub(super) cores: Queue,
    /// Seconds that work takes longer because there is less than one core.
    pub(super) slow_cores: f64,
    pub(super) connections: Queue,
    /// Seconds of own work that the incident adds.
    pub(super) slower: f64,
    /// Share of requests that fail by what the incident does.
    pub(super) failing: f64,
    /// Seconds until who waits for a core or a connection gives up.
    pub(super) patience: f64,
}

/// How requests are answered, and why some fail.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shares {
    pub(super) response: Response,
    /// Share of those not turned away that fails because of a callee.
    pub(super) by_callee: f64,
    /// Share of the rest that fails by itself.
    pub(super) by_own: f64,
}

impl Work<'_> {
    /// Core seconds.
    pub(super) fn cpu(&self) -> f64 {
        f64::from(self.requests) * self.node.operation.cpu
    }

    /// Seconds that a request keeps its connection.
    pub(super) fn held(&self) -> Moments {
        let operation = self.node.operation;
        let own = LogNormal::with_median(operation.held, operation.sigma).moments();
        self.calls(CallKind::Query).fold(own, |sum, (times, call)| sum.and(call.took_anyway().times(times)))
    }

    fn calls(&self, kind: CallKind) -> impl Iterator<Item = (f64, &CallOutcome)> {
        let edges = self.node.edges.iter().zip(self.outcomes);
        edges
            .filter(move |(edge, _)| edge.call.kind == kind)
            .map(|(edge, outcome)| (edge.call.per_request, outcome))
    }

    /// One stage after the other; `restless` scales the own work.
    pub(super) fn answered(&self, service: &Service, queues: &Queues, restless: f64) -> Shares {
        let operation = self.node.operation;
        let own = LogNormal::with_median(operation.own * restless, operation.sigma).moments();
        let mut took = own
            .and(spread(queues.slower, 0.4 * queues.slower))
            .and(spread(queues.slow_cores, 0.5 * queues.slow_cores))
            .and(spread(queues.cores.wait, queues.cores.wait_deviation));
        if service.pool.is_some() {
            took =
                took.and(spread(queues.connections.wait, queues.connections.wait_deviation)).and(self.held());
        }
        for (times, call) in self.calls(CallKind::Optional) {
            took = took.and(call.took_anyway().times(times));
        }
        let before_calls = took.mean;
        for (times, call) in self.calls(CallKind::Required) {
            took = took.and(call.took.times(times));
        }
        self.failures(took, before_calls, queues)
    }

    fn failures(&self, took: Moments, before_calls: f64, queues: &Queues) -> Shares {
        let required = || self.calls(CallKind::Required).chain(self.calls(CallKind::Query));
        let all_succeed: f64 = required().map(|(times, call)| pow(1.0 - call.failed, times)).product();
        let by_callee = 1.0 - all_succeed;
        let by_own = self.node.operation.failing + queues.failing;
        let rejected = 1.0 - (1.0 - queues.cores.rejected) * (1.0 - queues.connections.rejected);
        let failed = 1.0 - (1.0 - rejected) * all_succeed * (1.0 - by_own);

        // Until which moment a failing call was waited for, on average over the calls that fail.
        let weights: f64 = required().map(|(_, call)| call.failed).sum();
        let waited: f64 = required().map(|(_, call)| call.failed * call.failing_seconds).sum();
        let until_call_failed = before_calls + if weights > 0.0 { waited / weights } else { 0.0 };
        let causes = [(rejected, queues.patience), (by_callee, until_call_failed), (by_own, took.mean)];
        let weights: f64 = causes.iter().map(|(share, _)| share).sum();
        let seconds: f64 = causes.iter().map(|(share, seconds)| share * seconds).sum();
        let failing = if weights > 0.0 { seconds / weights } else { took.mean };
        Shares { response: Response { took, failed, failing, rejected }, by_callee, by_own }
    }
}

fn spread(mean: f64, deviation: f64) -> Moments {
    Moments { mean, variance: deviation * deviation }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shop::Shop;

    #[test]
    fn a_request_takes_the_sum_of_its_stages_and_fails_when_a_required_call_does() {
        let shop = Shop::open();
        let place = shop.nodes.iter().position(|node| node.operation.route == "/orders").unwrap();
        let node = &shop.nodes[place];
        let call = |mean, failed| CallOutcome {
            took: Moments { mean, variance: 0.0 },
            failed,
            failing_seconds: 2.0,
            ..CallOutcome::default()
        };
        // Five required calls of 0.1 s, of which one fails for every fifth; the message costs nothing.
        let outcomes =
            [call(0.1, 0.0), call(0.1, 0.0), call(0.1, 0.2), call(0.1, 0.0), call(0.1, 0.0), call(9.0, 0.5)];
        let work = Work { place, node, outcomes: &outcomes, requests: 100 };
        let service = &shop.services[node.service];

        let queues = Queues { cores: Queue { wait: 0.05, ..Queue::default() }, ..Queues::default() };
        let shares = work.answered(service, &queues, 1.0);
        let own = 0.012 * (0.5_f64 * 0.5 / 2.0).exp();
        assert!((shares.response.took.mean - (own + 0.05 + 0.5)).abs() < 1e-9, "{shares:?}");
        assert!((shares.by_callee - 0.2).abs() < 1e-12);
        assert!((shares.response.failed - (1.0 - 0.8 * 0.999)).abs() < 1e-12);
        assert!(shares.response.failing > 2.0, "it fails when the call has failed");
    }
}
