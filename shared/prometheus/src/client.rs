//! The client, and queries. The other endpoints are in `catalog`, `rules` and `status`.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use contract::{Context, TimeRange};
use jiff::Timestamp;
use upstream::{Ask, ConfigError, Endpoint, Limits, Method, Reply, SourceConfig, Upstream};

use crate::{
    decode,
    error::Error,
    given_back::given_back,
    series::{QueryOptions, QueryReply},
    transport::{self, Question, When},
};

const QUERY: &str = "/api/v1/query";
const QUERY_RANGE: &str = "/api/v1/query_range";
pub(crate) const QUERY_EXEMPLARS: Endpoint = get("/api/v1/query_exemplars");
pub(crate) const METADATA: Endpoint = get("/api/v1/metadata");
pub(crate) const SERIES: Endpoint = get("/api/v1/series");
pub(crate) const LABELS: Endpoint = get("/api/v1/labels");
pub(crate) const LABEL_VALUES: Endpoint = get("/api/v1/label/{}/values");
pub(crate) const RULES: Endpoint = get("/api/v1/rules");
pub(crate) const STATUS_TSDB: Endpoint = get("/api/v1/status/tsdb");
pub(crate) const STATUS_BUILDINFO: Endpoint = get("/api/v1/status/buildinfo");

const fn get(path: &'static str) -> Endpoint {
    Endpoint { method: Method::Get, path }
}

/// Everything this client can send: nothing here changes anything.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint { method: Method::Post, path: QUERY },
    get(QUERY),
    Endpoint { method: Method::Post, path: QUERY_RANGE },
    get(QUERY_RANGE),
    QUERY_EXEMPLARS,
    METADATA,
    SERIES,
    LABELS,
    LABEL_VALUES,
    RULES,
    STATUS_TSDB,
    STATUS_BUILDINFO,
];

/// A Prometheus-like system.
#[derive(Debug)]
pub struct Prometheus {
    upstream: Upstream,
    exchange: Duration,
    /// A proxy before it lets only GET through.
    only_get: AtomicBool,
}

impl Prometheus {
    /// A client of the system at `config.url`. Opens nothing and reads no file.
    ///
    /// # Errors
    /// When the URL can't be used.
    pub fn new(config: SourceConfig, limits: Limits) -> Result<Prometheus, ConfigError> {
        let exchange = Duration::from_secs(limits.upstream_timeout_seconds);
        let upstream = Upstream::new("prometheus", config, limits)?;
        Ok(Prometheus { upstream, exchange, only_get: AtomicBool::new(false) })
    }

    /// How answers and errors call it: `prometheus "main"`.
    #[must_use]
    pub fn system(&self) -> &str {
        self.upstream.system()
    }

    /// Its way out: name, health, URL of the pages a person opens.
    #[must_use]
    pub fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// Evaluates an expression at one moment, rounded to the second.
    ///
    /// # Errors
    /// Everything of [`Error`].
    pub async fn instant(
        &self,
        cx: &Context,
        promql: &str,
        at: Timestamp,
        options: QueryOptions,
    ) -> Result<QueryReply, Error> {
        let at = (at.as_millisecond() + 500).div_euclid(1000);
        self.ask(cx, QUERY, Question { promql, when: When::At(at), options }).await
    }

    /// Evaluates an expression at `window.start()` and every `step` after it, but not at `window.end()`: windows
    /// are half-open, so one hour at one minute is 60 moments. Whole seconds: the window is widened to them, and
    /// a step is rounded up to at least one.
    ///
    /// # Errors
    /// Everything of [`Error`].
    pub async fn range(
        &self,
        cx: &Context,
        promql: &str,
        window: TimeRange,
        step: Duration,
        options: QueryOptions,
    ) -> Result<QueryReply, Error> {
        self.ask(cx, QUERY_RANGE, Question { promql, when: moments(window, step), options }).await
    }

    async fn ask(
        &self,
        cx: &Context,
        path: &'static str,
        question: Question<'_>,
    ) -> Result<QueryReply, Error> {
        let promql = given_back(cx, self.system(), question.promql)?;
        let asked = self.asked(cx, path, Question { promql: &promql, ..question }).await;
        // Tokens are not as long as what they stand for.
        asked.map_err(|error| if promql == question.promql { error } else { error.without_place(cx) })
    }

    async fn asked(
        &self,
        cx: &Context,
        path: &'static str,
        question: Question<'_>,
    ) -> Result<QueryReply, Error> {
        let mut reply = None;
        if !self.only_get.load(Ordering::Relaxed) {
            let first = self.send(cx, Endpoint { method: Method::Post, path }, question).await?;
            if first.status == 405 {
                self.only_get.store(true, Ordering::Relaxed);
            } else {
                reply = Some(first);
            }
        }
        let reply = match reply {
            Some(reply) => reply,
            None => self.send(cx, get(path), question).await?,
        };
        decode::query_reply(cx, self.system(), &reply)
    }

    async fn send(&self, cx: &Context, endpoint: Endpoint, question: Question<'_>) -> Result<Reply, Error> {
        let base = self.upstream.base();
        let sent = |http| transport::send(http, base, endpoint.method, question, self.timeout(cx));
        Ok(self.upstream.send(cx, endpoint, sent).await?)
    }

    /// What the server may spend on a query, in milliseconds: when we no longer listen, it need not go on.
    fn timeout(&self, cx: &Context) -> i64 {
        // A little less than we wait, so that its own words arrive.
        let allowed = self.exchange.min(cx.remaining()).mul_f64(0.9);
        i64::try_from(allowed.as_millis()).unwrap_or(i64::MAX).max(1)
    }

    /// A reply of one of the other endpoints, asked for once a minute.
    pub(crate) async fn look_up(&self, cx: &Context, ask: &Ask<'_>) -> Result<Reply, Error> {
        Ok(self.upstream.fetch_cached(cx, ask).await?)
    }

    /// A reply of one of the other endpoints, asked for now.
    pub(crate) async fn fetch(&self, cx: &Context, ask: &Ask<'_>) -> Result<Reply, Error> {
        Ok(self.upstream.fetch(cx, ask).await?)
    }
}

/// The moments of a range, in whole seconds.
fn moments(window: TimeRange, step: Duration) -> When {
    let start = window.start().as_millisecond().div_euclid(1000);
    let after = (window.end().as_millisecond() + 999).div_euclid(1000);
    let whole = step.as_secs() + u64::from(step.subsec_nanos() > 0);
    let step = u32::try_from(whole).unwrap_or(u32::MAX).max(1);
    // The server includes the end. With whole seconds, the second before it includes all moments but the end.
    When::Over { start, end: (after - 1).max(start), step }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(start: &str, end: &str) -> TimeRange {
        TimeRange::new(start.parse().unwrap(), end.parse().unwrap()).unwrap()
    }

    /// The moments a server evaluates: from start to end, both included.
    fn evaluated(when: When) -> Vec<i64> {
        let When::Over { start, end, step } = when else { panic!("not a range") };
        (start..=end).step_by(step as usize).collect()
    }

    #[test]
    fn a_range_is_half_open() {
        let hour = window("2026-01-14T14:00:00Z", "2026-01-14T15:00:00Z");
        let moments = evaluated(super::moments(hour, Duration::from_secs(60)));
        // 2026-01-14T14:00:00Z by `date -u -d … +%s`.
        assert_eq!((moments.len(), moments[0], moments[59]), (60, 1_768_399_200, 1_768_402_740));
        let uneven = evaluated(super::moments(hour, Duration::from_secs(2_400)));
        assert_eq!(uneven, [1_768_399_200, 1_768_401_600]);
    }

    #[test]
    fn seconds_are_whole_and_steps_at_least_one() {
        let short = window("2026-01-14T14:00:00.400Z", "2026-01-14T14:00:02.100Z");
        let expected = When::Over { start: 1_768_399_200, end: 1_768_399_202, step: 1 };
        assert_eq!(super::moments(short, Duration::from_millis(10)), expected);
        let When::Over { step, .. } = super::moments(short, Duration::from_millis(1_500)) else { panic!() };
        assert_eq!(step, 2);
    }

    #[test]
    fn nothing_on_the_allow_list_changes_anything() {
        for endpoint in ENDPOINTS {
            let writes = ["admin", "reload", "quit", "write", "delete", "snapshot", "config"];
            assert!(endpoint.path.starts_with("/api/v1/"), "{endpoint}");
            assert!(!writes.iter().any(|word| endpoint.path.contains(word)), "{endpoint}");
        }
    }
}
