//! The limits that Prometheus-like systems set, by the words in which their errors name them.

/// What helps against a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Advice {
    /// Read less.
    AskForLess,
    /// Write a shorter expression.
    Shorter,
    /// Ask later.
    Wait,
    /// Nothing a caller can do.
    Operator,
}

/// A limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit {
    /// What an error says when it is exceeded.
    mark: &'static str,
    /// What it limits.
    pub(crate) what: &'static str,
    /// What helps.
    pub(crate) advice: Advice,
}

const fn limit(mark: &'static str, what: &'static str, advice: Advice) -> Limit {
    Limit { mark, what, advice }
}

/// Sources: Mimir's runbooks name its ids (<https://grafana.com/docs/mimir/latest/manage/mimir-runbooks/>), the
/// others are the words of the systems' own errors. A mark that is part of another comes after it.
const LIMITS: &[Limit] = &[
    limit("err-mimir-max-chunks-per-query", "Mimir's limit of chunks for one query", Advice::AskForLess),
    limit("err-mimir-max-series-per-query", "Mimir's limit of series for one query", Advice::AskForLess),
    limit("err-mimir-max-chunks-bytes-per-query", "Mimir's limit of bytes for one query", Advice::AskForLess),
    limit(
        "err-mimir-max-estimated-chunks-per-query",
        "Mimir's limit of estimated chunks",
        Advice::AskForLess,
    ),
    limit(
        "err-mimir-max-estimated-memory-consumption-per-query",
        "Mimir's limit of memory for one query",
        Advice::AskForLess,
    ),
    limit("err-mimir-max-query-length", "Mimir's limit of a query's time range", Advice::AskForLess),
    limit(
        "err-mimir-max-total-query-length",
        "Mimir's limit of a query's whole time range",
        Advice::AskForLess,
    ),
    limit(
        "err-mimir-max-query-expression-size-bytes",
        "Mimir's limit of an expression's length",
        Advice::Shorter,
    ),
    limit("err-mimir-tenant-max-request-rate", "Mimir's rate of requests by this tenant", Advice::Wait),
    limit("err-mimir-query-blocked", "an operator of Mimir blocked this query", Advice::Operator),
    limit("err-mimir-request-blocked", "an operator of Mimir blocked this request", Advice::Operator),
    limit("err-mimir-query-limited", "Mimir's rate of this query", Advice::Wait),
    limit("err-mimir-max-", "a limit of Mimir that the message names", Advice::AskForLess),
    limit(
        "too many samples into memory",
        "Prometheus' limit of samples in memory for one query",
        Advice::AskForLess,
    ),
    limit("exceeded maximum resolution of", "the limit of points for one series", Advice::AskForLess),
    limit("-search.maxQueryLen", "VictoriaMetrics' limit of an expression's length", Advice::Shorter),
    limit("-search.maxQueryDuration", "VictoriaMetrics' limit of a query's duration", Advice::AskForLess),
    limit("-search.maxConcurrentRequests", "VictoriaMetrics' limit of simultaneous requests", Advice::Wait),
    limit("-search.max", "a limit of VictoriaMetrics that the message names", Advice::AskForLess),
    limit("exceeded series limit", "the store's limit of series for one query", Advice::AskForLess),
    limit("exceeded samples limit", "the store's limit of samples for one query", Advice::AskForLess),
    limit("exceeded chunks limit", "the store's limit of chunks for one query", Advice::AskForLess),
    limit("exceeded bytes limit", "the store's limit of bytes for one query", Advice::AskForLess),
];

/// The limit that an error's message names.
pub(crate) fn limit_in(message: &str) -> Option<Limit> {
    LIMITS.iter().copied().find(|limit| message.contains(limit.mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_limit_hides_a_later_one() {
        for (place, limit) in LIMITS.iter().enumerate() {
            assert_eq!(limit_in(limit.mark), Some(LIMITS[place]), "{}", limit.mark);
        }
        assert_eq!(limit_in("found duplicate series"), None);
    }
}
