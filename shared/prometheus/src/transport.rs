//! Queries through the crate `prometheus-http-query`. It writes the requests; the rules of the way out, the
//! reading of the reply and the errors are ours.

use prometheus_http_query::{Client, Error as ClientError};
use reqwest::Response;
use upstream::Method;

use crate::series::QueryOptions;

/// A query as sent. The crate knows whole seconds only.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) promql: &'a str,
    pub(crate) when: When,
    pub(crate) options: QueryOptions,
}

/// The moments a query is evaluated at, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    At(i64),
    /// From the start on, every step, up to and including the end.
    Over {
        start: i64,
        end: i64,
        step: u32,
    },
}

/// Sends the question. `timeout` in milliseconds is what the server may spend on it.
pub(crate) async fn send(
    http: reqwest::Client,
    base: &str,
    method: Method,
    question: Question<'_>,
    timeout: i64,
) -> Result<Response, ClientError> {
    let client = Client::from(http, base)?;
    let QueryOptions { limit, stats } = question.options;
    match question.when {
        When::At(at) => {
            let mut request = client.query(question.promql).at(at).timeout(timeout);
            if let Some(limit) = limit {
                request = request.query("limit", limit);
            }
            if stats {
                request = request.query("stats", TOTALS);
            }
            match method {
                Method::Get => request.get_raw().await,
                Method::Post => request.post_raw().await,
            }
        }
        When::Over { start, end, step } => {
            let mut request =
                client.query_range(question.promql, start, end, f64::from(step)).timeout(timeout);
            if let Some(limit) = limit {
                request = request.query("limit", limit);
            }
            if stats {
                request = request.query("stats", TOTALS);
            }
            match method {
                Method::Get => request.get_raw().await,
                Method::Post => request.post_raw().await,
            }
        }
    }
}

/// The totals of `stats`; `all` would add one pair of numbers for every step.
const TOTALS: &str = "true";
