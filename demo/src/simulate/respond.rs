//! From the answers of callees to the answer of a caller.

use crate::lognormal::{LogNormal, Moments};

/// Seconds on the wire for each call.
const NETWORK: f64 = 0.0008;
/// Seconds until a connection is refused.
const REFUSED: f64 = 0.003;
/// Seconds until a certificate is refused.
pub(crate) const HANDSHAKE: f64 = 0.006;

/// How an operation answers.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Response {
    /// Seconds that successful requests take.
    pub(super) took: Moments,
    /// Share of requests that fail.
    pub(super) failed: f64,
    /// Seconds until they have failed.
    pub(super) failing: f64,
    /// Share of requests turned away before any work.
    pub(super) rejected: f64,
}

/// How a call ends for its caller.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CallOutcome {
    /// Seconds of calls that succeed.
    pub(super) took: Moments,
    /// Share that fails or is given up.
    pub(super) failed: f64,
    /// Seconds until they are.
    pub(super) failing_seconds: f64,
    pub(super) latency: LogNormal,
    pub(super) failing: LogNormal,
}

impl CallOutcome {
    /// Seconds of any call.
    pub(super) fn took_anyway(&self) -> Moments {
        let mean = (1.0 - self.failed) * self.took.mean + self.failed * self.failing_seconds;
        Moments { mean, variance: self.took.variance }
    }

    /// The same when a share of the calls ends with the handshake.
    pub(super) fn refused(self, share: f64) -> CallOutcome {
        let failed = share + (1.0 - share) * self.failed;
        if failed <= 0.0 {
            return self;
        }
        let later = (1.0 - share) * self.failed * self.failing_seconds;
        let failing_seconds = (share * HANDSHAKE + later) / failed;
        let failing = LogNormal::with_median(failing_seconds.max(REFUSED), 0.15);
        CallOutcome { failed, failing_seconds, failing, ..self }
    }
}

/// A call to who answers so, given up after `timeout` seconds.
pub(super) fn outcome(response: Response, timeout: f64) -> CallOutcome {
    if response.took.mean <= 0.0 {
        let failing = LogNormal::with_median(response.failing.max(REFUSED), 0.15);
        let (failed, failing_seconds) = (response.failed, response.failing);
        return CallOutcome { failed, failing_seconds, failing, ..CallOutcome::default() };
    }
    let took = response.took.and(Moments { mean: NETWORK, variance: 0.0 });
    let (in_time, late) = LogNormal::with_moments(took).below(timeout);
    let failed = response.failed + (1.0 - response.failed) * late;
    let given_up = (1.0 - response.failed) * late * timeout;
    let failing_seconds = match failed {
        0.0 => timeout,
        _ => (response.failed * response.failing.min(timeout) + given_up) / failed,
    };
    CallOutcome {
        took: in_time,
        failed,
        failing_seconds,
        latency: LogNormal::with_moments(in_time),
        failing: LogNormal::with_median(failing_seconds.max(REFUSED), 0.15),
    }
}

/// The answers of several replicas, each with its number of requests, as one. Without any the last one stands,
/// unless nobody is there to answer.
pub(super) fn together(last: Response, answers: impl Iterator<Item = (u32, Answer)>) -> Response {
    let (mut weight, mut live) = (0.0, false);
    let (mut mean, mut square, mut succeeded) = (0.0, 0.0, 0.0);
    let (mut failed, mut failing, mut rejected) = (0.0, 0.0, 0.0);
    for (requests, answer) in answers {
        live |= answer.live;
        let requests = f64::from(requests);
        let good = requests * (1.0 - answer.response.failed);
        let took = answer.response.took;
        weight += requests;
        succeeded += good;
        mean += good * took.mean;
        square += good * (took.variance + took.mean * took.mean);
        failed += requests * answer.response.failed;
        failing += requests * answer.response.failed * answer.response.failing;
        rejected += requests * answer.response.rejected;
    }
    if !live {
        return Response { failed: 1.0, failing: REFUSED, rejected: 0.0, took: last.took };
    }
    if weight == 0.0 {
        return last;
    }
    let took = if succeeded > 0.0 {
        let mean = mean / succeeded;
        Moments { mean, variance: (square / succeeded - mean * mean).max(0.0) }
    } else {
        last.took
    };
    let failing = if failed > 0.0 { failing / failed } else { last.failing };
    Response { took, failed: failed / weight, failing, rejected: rejected / weight }
}

/// What one replica answered.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Answer {
    pub(super) live: bool,
    pub(super) response: Response,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slow(mean: f64) -> Response {
        Response { took: Moments { mean, variance: 0.01 }, failed: 0.1, failing: 0.5, rejected: 0.0 }
    }

    #[test]
    fn a_call_fails_when_its_callee_fails_or_is_late() {
        let in_time = outcome(slow(0.2), 10.0);
        assert!((in_time.failed - 0.1).abs() < 1e-6 && (in_time.failing_seconds - 0.5).abs() < 1e-6);
        assert!((in_time.took.mean - 0.2008).abs() < 1e-6);

        let late = outcome(slow(5.0), 1.0);
        assert!(late.failed > 0.999);
        // A tenth fails after half a second, nine tenths after one: 0.95 s on average.
        assert!((late.failing_seconds - 0.95).abs() < 1e-3, "{late:?}");

        // Half are refused after 6 ms; of the other half a tenth fails after half a second.
        let refused = in_time.refused(0.5);
        assert!((refused.failed - 0.55).abs() < 1e-6);
        assert!((refused.failing_seconds - (0.5 * 0.006 + 0.05 * 0.5) / 0.55).abs() < 1e-6);
    }

    #[test]
    fn replicas_count_as_much_as_they_answer() {
        let answer = |mean, failed| Answer { live: true, response: Response { failed, ..slow(mean) } };
        // 100 requests at 0.1 s and 100 at 0.4 s of which half fail: 100 good and 50 good.
        let both = [(100, answer(0.1, 0.0)), (100, answer(0.4, 0.5))];
        let one = together(Response::default(), both.into_iter());
        assert!((one.took.mean - (100.0 * 0.1 + 50.0 * 0.4) / 150.0).abs() < 1e-12);
        assert!((one.failed - 0.25).abs() < 1e-12 && (one.failing - 0.5).abs() < 1e-12);

        let nobody = together(slow(0.1), [(0, Answer::default())].into_iter());
        assert_eq!(nobody.failed, 1.0);
    }
}
