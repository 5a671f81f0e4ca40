//! A backend that gives recorded replies and remembers every request.
//!
//! ```no_run
//! use testkit::recorded::{Recorded, Reply};
//! # async fn example() {
//! let backend = Recorded::start().await;
//! backend.reply(Reply::to("GET", "/api/v1/labels").file("tests/replies/labels.json")).await;
//! backend.reply(Reply::to("POST", "/api/v1/query").form("query", "up").text(r#"{"status":"success"}"#)).await;
//! // … let the code under test speak to backend.url() …
//! assert!(backend.unmatched().is_empty(), "{:?}", backend.unmatched());
//! # }
//! ```

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use wiremock::matchers::{any, method, path};
use wiremock::{Match, Mock, MockServer, Request, Respond, ResponseTemplate};

/// The status of the answer to a request that no reply was recorded for. No backend uses it.
pub const UNMATCHED: u16 = 599;

/// A recorded reply and the requests it is for. Without more it is `200`, `application/json`, no body.
#[derive(Debug, Clone)]
pub struct Reply {
    method: String,
    path: String,
    query: Vec<(String, String)>,
    form: Vec<(String, String)>,
    body_has: Vec<String>,
    status: u16,
    content_type: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    at_most: Option<u64>,
}

impl Reply {
    /// A reply to every request of this method (`GET`) and path (`/api/v1/query`, percent-encoded as sent).
    pub fn to(method: &str, path: &str) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: Vec::new(),
            form: Vec::new(),
            body_has: Vec::new(),
            status: 200,
            content_type: "application/json".to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            at_most: None,
        }
    }

    /// Only for requests with this query parameter (decoded), among others.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Only for requests with this parameter (decoded) in a form body, among others.
    pub fn form(mut self, name: &str, value: &str) -> Self {
        self.form.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Only for requests in whose body, as sent, this text stands.
    pub fn body_has(mut self, text: &str) -> Self {
        self.body_has.push(text.to_owned());
        self
    }

    /// Only for the first `times` such requests; after them the next reply that fits has its turn.
    pub fn at_most(mut self, times: u64) -> Self {
        self.at_most = Some(times);
        self
    }

    /// With the bytes of this file as the body; a relative path starts at the tested crate's root.
    pub fn file(mut self, file: impl AsRef<Path>) -> Self {
        let file: PathBuf = file.as_ref().to_owned();
        let read = std::fs::read(&file);
        self.body = read.unwrap_or_else(|error| panic!("failed to read {}: {error}", file.display()));
        self
    }

    /// With this body.
    pub fn text(self, body: &str) -> Self {
        self.bytes(body.as_bytes())
    }

    /// With this body, which need not be text.
    pub fn bytes(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    /// With this status.
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// With this content type.
    pub fn content_type(mut self, content_type: &str) -> Self {
        self.content_type = content_type.to_owned();
        self
    }

    /// With one more header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn template(&self) -> ResponseTemplate {
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        ResponseTemplate::new(self.status)
            .set_body_raw(self.body.clone(), &self.content_type)
            .append_headers(headers)
    }

    /// The more a reply asks of a request, the earlier it is tried; wiremock tries small numbers first.
    fn priority(&self) -> u8 {
        let asked = self.query.len() + self.form.len() + self.body_has.len();
        u8::try_from(100_usize.saturating_sub(asked).max(1)).unwrap()
    }
}

/// One request as it reached the backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// `GET`, `POST` …
    pub method: String,
    /// The path, percent-encoded as sent, with `..` resolved.
    pub path: String,
    /// The query parameters, decoded, in the order sent.
    pub query: Vec<(String, String)>,
    /// The parameters of a form body, decoded, in the order sent; empty for any other content type.
    pub form: Vec<(String, String)>,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as sent.
    pub body: Vec<u8>,
    /// The status it was answered with; [`UNMATCHED`] when no reply was recorded for it.
    pub status: u16,
}

impl Seen {
    /// The first value of a query parameter.
    pub fn query(&self, name: &str) -> Option<&str> {
        first(&self.query, name)
    }

    /// The first value of a form parameter.
    pub fn form(&self, name: &str) -> Option<&str> {
        first(&self.form, name)
    }

    /// The first value of a header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }

    fn of(request: &Request, status: u16) -> Self {
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let headers = request.headers.iter();
        Self {
            method: request.method.to_string(),
            path: request.url.path().to_owned(),
            query: query_parameters(request),
            form: form_parameters(request),
            headers: headers.map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect(),
            body: request.body.clone(),
            status,
        }
    }
}

/// The backend: an HTTP server on a loopback port of its own until it is dropped.
pub struct Recorded {
    server: MockServer,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Recorded {
    /// A backend without any reply yet: everything is answered with [`UNMATCHED`].
    pub async fn start() -> Self {
        // Not from wiremock's pool, whose servers live on after the test: this one refuses connections then.
        let server = MockServer::builder().disable_request_recording().start().await;
        let seen = Arc::new(Mutex::new(Vec::new()));

        let template =
            ResponseTemplate::new(UNMATCHED).set_body_string("no reply was recorded for this request");
        let last_resort = Noting { seen: Arc::clone(&seen), status: UNMATCHED, template };
        Mock::given(any()).respond_with(last_resort).with_priority(u8::MAX).mount(&server).await;
        Self { server, seen }
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn url(&self) -> String {
        self.server.uri()
    }

    /// Add a reply. Of several that fit a request, the one that names the most parameters is given, and among
    /// equals the one that was added first.
    pub async fn reply(&self, reply: Reply) {
        let asked =
            Parameters { query: reply.query.clone(), form: reply.form.clone(), body: reply.body_has.clone() };
        let noting =
            Noting { seen: Arc::clone(&self.seen), status: reply.status, template: reply.template() };
        let mut mock = Mock::given(method(reply.method.as_str()))
            .and(path(reply.path.as_str()))
            .and(asked)
            .respond_with(noting)
            .with_priority(reply.priority());
        if let Some(times) = reply.at_most {
            mock = mock.up_to_n_times(times);
        }
        mock.mount(&self.server).await;
    }

    /// Every request so far, in the order of arrival, answered or not.
    pub fn requests(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The requests that no reply was recorded for.
    pub fn unmatched(&self) -> Vec<Seen> {
        self.requests().into_iter().filter(|seen| seen.status == UNMATCHED).collect()
    }
}

/// Gives a reply and writes down what it was given for.
struct Noting {
    seen: Arc<Mutex<Vec<Seen>>>,
    status: u16,
    template: ResponseTemplate,
}

impl Respond for Noting {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        self.seen.lock().unwrap().push(Seen::of(request, self.status));
        self.template.clone()
    }
}

/// The parameters a request must have.
struct Parameters {
    query: Vec<(String, String)>,
    form: Vec<(String, String)>,
    /// What must stand in its body.
    body: Vec<String>,
}

impl Match for Parameters {
    fn matches(&self, request: &Request) -> bool {
        let (query, form) = (query_parameters(request), form_parameters(request));
        self.query.iter().all(|asked| query.contains(asked))
            && self.form.iter().all(|asked| form.contains(asked))
            && self.body.iter().all(|text| String::from_utf8_lossy(&request.body).contains(text.as_str()))
    }
}

fn query_parameters(request: &Request) -> Vec<(String, String)> {
    decoded(request.url.query().unwrap_or_default().as_bytes())
}

fn form_parameters(request: &Request) -> Vec<(String, String)> {
    let content_type =
        request.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_form = content_type.starts_with("application/x-www-form-urlencoded");
    if is_form { decoded(&request.body) } else { Vec::new() }
}

fn decoded(parameters: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(parameters).into_owned().collect()
}

fn first<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
}
