//! What can be asked of a backend, and what comes back.

use std::{fmt, time::Duration};

use bytes::Bytes;
use secrecy::SecretString;

/// How a request is sent. Both only read; POST carries long queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// GET with a query string.
    Get,
    /// POST with a form, or with a body of its own.
    Post,
}

/// One row of a backend's allow-list. `{}` in the path stands for one percent-encoded segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// GET or POST.
    pub method: Method,
    /// Path below the base URL, such as `/api/v1/query`.
    pub path: &'static str,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = match self.method {
            Method::Get => "GET",
            Method::Post => "POST",
        };
        write!(f, "{method} {}", self.path)
    }
}

/// One request to an endpoint of the allow-list.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    pub(crate) endpoint: Endpoint,
    pub(crate) segment: Option<&'a str>,
    pub(crate) parameters: Vec<(&'static str, String)>,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<(&'static str, Bytes)>,
    pub(crate) bearer: Option<SecretString>,
}

impl<'a> Ask<'a> {
    /// A request without parameters.
    #[must_use]
    pub fn of(endpoint: Endpoint) -> Ask<'a> {
        Ask { endpoint, segment: None, parameters: Vec::new(), headers: Vec::new(), body: None, bearer: None }
    }

    /// Adds a parameter: of the query string for GET and beside a body, else of the form. Encoded by construction.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Ask<'a> {
        self.parameters.push((name, value.into()));
        self
    }

    /// Sends this JSON as the body of a POST; parameters go into the query string then.
    #[must_use]
    pub fn json(self, body: impl Into<Bytes>) -> Ask<'a> {
        Ask { body: Some(("application/json", body.into())), ..self }
    }

    /// Sends these lines of JSON as the body of a POST; parameters go into the query string then.
    #[must_use]
    pub fn json_lines(self, body: impl Into<Bytes>) -> Ask<'a> {
        Ask { body: Some(("application/x-ndjson", body.into())), ..self }
    }

    /// Adds a header that ties the backend's own log to this call. It makes no difference between two requests.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Ask<'a> {
        self.headers.push((name, value.into()));
        self
    }

    /// Signs in with this token instead of what is configured, and takes it out of the reply should it come back. For
    /// tokens that end; it makes no difference between two requests.
    #[must_use]
    pub fn bearer(self, token: SecretString) -> Ask<'a> {
        Ask { bearer: Some(token), ..self }
    }

    /// Fills the `{}` of the path; encoded as one segment, whatever is in it.
    #[must_use]
    pub fn segment(mut self, segment: &'a str) -> Ask<'a> {
        self.segment = Some(segment);
        self
    }

    /// Everything that makes two requests the same.
    pub(crate) fn key(&self, tenant: Option<&str>) -> String {
        let mut key = format!("{tenant:?} {} {:?}", self.endpoint, self.segment);
        for (name, value) in &self.parameters {
            key.push_str(&format!(" {name}={value:?}"));
        }
        if let Some((_, body)) = &self.body {
            key.push_str(&format!(" {body:?}"));
        }
        key
    }
}

/// A whole reply, at most the configured number of bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// HTTP status; never a redirect.
    pub status: u16,
    /// `Content-Type`, or empty.
    pub content_type: String,
    /// `Retry-After` in seconds, where the backend sent one.
    pub retry_after: Option<Duration>,
    /// The decompressed body.
    pub body: Bytes,
}

impl Reply {
    /// Whether a proxy says that the backend is away or overloaded. When the backend itself speaks (Prometheus
    /// answers 503 in JSON when a query took too long), asking again would only add to its load.
    pub(crate) fn is_from_a_gateway(&self) -> bool {
        matches!(self.status, 502..=504) && !self.content_type.contains("json")
    }
}
