//! Queries through the crate `prometheus-http-query`. It writes the requests; the rules of the way out, the
//! reading of the reply and the errors are ours.

use std::{
    error::Error as _,
    sync::{Mutex, PoisonError},
};

use prometheus_http_query::{Client, Error as ClientError};
use reqwest::Response;
use upstream::{Method, UpstreamError};

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
            let mut request = client.query_range(question.promql, start, end, f64::from(step)).timeout(timeout);
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

/// Why the last attempt failed. `upstream` wants an error of `reqwest`, and this crate's error owns the one it
/// got and gives only a reference to it: so the words are kept here and put into the result at the end.
#[derive(Debug, Default)]
pub(crate) struct LastFailure(Mutex<Option<String>>);

impl LastFailure {
    pub(crate) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Keeps the words of an error and gives a `reqwest` error in its place. The empty URL is never sent.
    pub(crate) async fn keep(&self, error: &ClientError, http: &reqwest::Client) -> Result<Response, reqwest::Error> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(words(error));
        http.get("").send().await
    }

    /// The error with the words that were kept for it.
    pub(crate) fn explain(&self, error: UpstreamError) -> UpstreamError {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (error, kept) {
            (UpstreamError::Unreachable { system, .. }, Some(problem)) => {
                UpstreamError::Unreachable { system, problem }
            }
            (other, _) => other,
        }
    }
}

/// What happened, in the words of `upstream`, without the URL.
fn words(error: &ClientError) -> String {
    let ClientError::Client(inner) = error else { return "the request could not be written".to_owned() };
    let Some(cause) = inner.inner() else { return "the request could not be sent".to_owned() };
    if cause.is_timeout() {
        let what = if cause.is_connect() { "no connection within the connect timeout" } else { "stopped answering" };
        return what.to_owned();
    }
    let mut deepest: Option<&dyn std::error::Error> = cause.source();
    while let Some(next) = deepest.and_then(std::error::Error::source) {
        deepest = Some(next);
    }
    let what = if cause.is_connect() { "can't connect" } else { "the connection broke" };
    deepest.map_or_else(|| what.to_owned(), |deepest| format!("{what} ({deepest})"))
}
