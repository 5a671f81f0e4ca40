//! One configured backend, and the only way to it.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use contract::{Context, UpstreamCall};
use moka::future::Cache;
use reqwest::{Client, Response, Url, header::CONTENT_TYPE};
use secrecy::ExposeSecret;
use tokio::{sync::Semaphore, time::Instant};
use tower::retry::budget::{Budget as _, TpsBudget};

use crate::{
    Ask, ConfigError, Endpoint, Limits, Method, Reply, SourceConfig, UpstreamError, attempt,
    breaker::Breaker, client, credentials::Credentials, places::Places,
};

/// What is known about a backend from the calls made so far; nobody is asked to find out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Not asked yet.
    Unknown,
    /// The last exchange worked.
    Up,
    /// The last exchange failed.
    Down(String),
}

/// How long a request waits for a place.
const WAIT: Duration = Duration::from_secs(2);
/// How long a failure speaks against a backend.
const DOWN_FOR: Duration = Duration::from_secs(30);

/// One configured backend.
pub struct Upstream {
    pub(crate) system: String,
    config: SourceConfig,
    base: Url,
    pub(crate) limits: Limits,
    client: Mutex<Option<(Client, Credentials)>>,
    places: Places,
    large: Semaphore,
    breaker: Breaker,
    retries: TpsBudget,
    pub(crate) cache: Cache<String, Reply>,
    health: Mutex<(Health, Instant)>,
    recorded: Option<BTreeMap<&'static str, Bytes>>,
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream").field("system", &self.system).finish_non_exhaustive()
    }
}

impl Upstream {
    /// A backend of `kind` (such as `prometheus`). Opens nothing and reads no file.
    ///
    /// # Errors
    /// When the URL can't be used.
    pub fn new(kind: &str, mut config: SourceConfig, limits: Limits) -> Result<Upstream, ConfigError> {
        if config.name.is_empty() {
            config.name = "main".to_owned();
        }
        Ok(Upstream {
            system: format!("{kind} \"{}\"", config.name),
            base: client::base_url(&config)?,
            client: Mutex::new(None),
            large: Semaphore::new(attempt::LARGE_AT_ONCE),
            places: Places::shared(limits.max_concurrent_requests),
            breaker: Breaker::default(),
            // At most one retry for five requests over the last ten seconds, and never fewer than one a second.
            retries: TpsBudget::new(Duration::from_secs(10), 1, 0.2),
            // Metadata lives a minute: long enough for one investigation, short enough to see a new metric.
            cache: Cache::builder()
                .weigher(|key: &String, reply: &Reply| {
                    u32::try_from(key.len() + reply.body.len()).unwrap_or(u32::MAX)
                })
                .max_capacity(8 * 1024 * 1024)
                .time_to_live(Duration::from_secs(60))
                .build(),
            health: Mutex::new((Health::Unknown, Instant::now())),
            recorded: None,
            config,
            limits,
        })
    }

    /// A backend whose replies were recorded, by path: nothing is ever sent. A path that was not recorded answers
    /// 404, as a backend without that endpoint does. `name` is shown as the source's name.
    ///
    /// # Errors
    /// Never in practice; the type is that of [`Upstream::new`].
    pub fn recorded(
        kind: &str,
        name: &str,
        replies: BTreeMap<&'static str, Bytes>,
    ) -> Result<Upstream, ConfigError> {
        let config = SourceConfig {
            name: name.to_owned(),
            url: "http://recorded.invalid".to_owned(),
            ..SourceConfig::default()
        };
        let mut upstream = Upstream::new(kind, config, Limits::default())?;
        upstream.recorded = Some(replies);
        Ok(upstream)
    }

    /// How answers and errors call it: `prometheus "main"`.
    #[must_use]
    pub fn system(&self) -> &str {
        &self.system
    }

    /// The name it was configured with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// Base URL without a trailing slash, for libraries that build their own requests.
    #[must_use]
    pub fn base(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// Base URL of the pages a person opens, when configured.
    #[must_use]
    pub fn ui_url(&self) -> Option<&str> {
        self.config.ui_url.as_deref().map(|url| url.trim_end_matches('/'))
    }

    /// What is known about it from the calls of the last half minute. A failure is forgotten after that: a server
    /// that gets no calls because it is not ready would never find out otherwise.
    #[must_use]
    pub fn health(&self) -> Health {
        let (health, learned) = self.health.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let stale = learned.elapsed() > DOWN_FOR && matches!(health, Health::Down(_));
        if stale { Health::Unknown } else { health }
    }

    /// Sends a request to an endpoint of the allow-list.
    ///
    /// # Errors
    /// Everything of [`UpstreamError`] but `Status`: a reply with an error status is a reply, because only the
    /// system's own client can read its error body.
    pub async fn fetch(&self, cx: &Context, ask: &Ask<'_>) -> Result<Reply, UpstreamError> {
        if matches!(ask.segment, Some("" | "." | "..")) {
            // URLs have no way to write these as a segment of their own.
            let problem = "a name that is empty, `.` or `..` can't be asked for".to_owned();
            return Err(UpstreamError::Protocol { system: self.system.clone(), problem });
        }
        if let Some(replies) = &self.recorded {
            return Ok(self.replay(cx, ask.endpoint, replies));
        }
        let url = self.url(ask);
        let reply = self.send(cx, ask.endpoint, |client| {
            let request = match (ask.endpoint.method, &ask.body) {
                (Method::Get, _) => client.get(url.clone()).query(&ask.parameters),
                (Method::Post, None) => client.post(url.clone()).form(&ask.parameters),
                (Method::Post, Some((kind, body))) => {
                    let request = client.post(url.clone()).query(&ask.parameters);
                    request.header(CONTENT_TYPE, *kind).body(body.clone())
                }
            };
            let request = match &ask.bearer {
                Some(token) => request.bearer_auth(token.expose_secret()),
                None => request,
            };
            ask.headers.iter().fold(request, |request, (name, value)| request.header(*name, value)).send()
        });
        let reply = reply.await?;
        let mut own = Credentials::default();
        if let Some(token) = &ask.bearer {
            own.add(token.expose_secret());
        }
        Ok(Reply { body: own.hidden(reply.body), ..reply })
    }

    fn replay(&self, cx: &Context, endpoint: Endpoint, replies: &BTreeMap<&'static str, Bytes>) -> Reply {
        let found = replies.get(endpoint.path).cloned();
        let status = if found.is_some() { 200 } else { 404 };
        let body = found.unwrap_or_default();
        cx.trail.note(UpstreamCall {
            system: self.system.clone(),
            endpoint: endpoint.to_string(),
            status: Some(status),
            bytes: body.len() as u64,
            ms: 0.0,
            outcome: "recorded",
        });
        Reply { status, content_type: "application/json".to_owned(), retry_after: None, body }
    }

    /// Sends what `make` builds, under the same rules. For libraries that write their own requests: `endpoint`
    /// is what they are about to call, and `Failure` their error, in whose chain of causes the transport's is.
    ///
    /// # Errors
    /// As [`Upstream::fetch`].
    pub async fn send<Sent, Failure>(
        &self,
        cx: &Context,
        endpoint: Endpoint,
        make: impl Fn(Client) -> Sent + Send + Sync,
    ) -> Result<Reply, UpstreamError>
    where
        Sent: Future<Output = Result<Response, Failure>> + Send,
        Failure: std::error::Error + 'static,
    {
        let who = (cx.tenant.clone(), cx.principal.clone());
        let Some(_place) = self.places.take(who, WAIT.min(cx.remaining())).await else {
            return Err(UpstreamError::Busy { system: self.system.clone() });
        };
        self.retries.deposit();
        let mut renewed = false;
        let mut retry = 0;
        loop {
            let result = self.once(cx, endpoint, &make).await;
            if let Ok(reply) = &result
                && reply.status == 401
                && !renewed
                && self.has_secret_files()
            {
                // A rotated token: read the files again, once.
                renewed = true;
                self.client.lock().unwrap_or_else(PoisonError::into_inner).take();
                continue;
            }
            let Some(pause) = self.pause(cx, &result, retry) else { return result };
            tokio::time::sleep(pause).await;
            retry += 1;
        }
    }

    /// How long to wait before a retry that is worth it; `None` when there should be none.
    fn pause(&self, cx: &Context, result: &Result<Reply, UpstreamError>, retry: u32) -> Option<Duration> {
        if !is_worth_a_retry(result) || retry >= self.limits.max_retries {
            return None;
        }
        let asked_for = result.as_ref().ok().and_then(|reply| reply.retry_after);
        // Full jitter: anything up to 100 ms, then up to 200 ms.
        let pause =
            asked_for.unwrap_or_else(|| Duration::from_millis(fastrand::u64(0..=100 << retry.min(4))));
        let in_time = pause < cx.remaining() / 2;
        (in_time && self.retries.withdraw()).then_some(pause)
    }

    async fn once<Sent, Failure>(
        &self,
        cx: &Context,
        endpoint: Endpoint,
        make: &(impl Fn(Client) -> Sent + Send + Sync),
    ) -> Result<Reply, UpstreamError>
    where
        Sent: Future<Output = Result<Response, Failure>> + Send,
        Failure: std::error::Error + 'static,
    {
        let (client, credentials) = self.client()?;
        self.breaker.admit(Instant::now()).map_err(|(failures, retry_after)| UpstreamError::Open {
            system: self.system.clone(),
            failures,
            retry_after,
        })?;
        let trial = Trial { breaker: &self.breaker, patience: self.limits.exchange(), ended: false };
        let result =
            attempt::run(cx, &self.system, &endpoint.to_string(), &self.limits, &self.large, make(client))
                .await;
        let result = result.map(|reply| Reply { body: credentials.hidden(reply.body), ..reply });
        trial.end(&result);
        self.learn(&result);
        result
    }

    fn client(&self) -> Result<(Client, Credentials), UpstreamError> {
        let mut built = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = built.as_ref() {
            return Ok(client.clone());
        }
        let made = client::build(&self.config, &self.base, &self.limits).map_err(|error| {
            UpstreamError::Setup { system: self.system.clone(), problem: error.to_string() }
        })?;
        *built = Some(made.clone());
        Ok(made)
    }

    fn has_secret_files(&self) -> bool {
        let basic = self.config.basic.as_ref().is_some_and(|basic| basic.password_file.is_some());
        basic || self.config.bearer_token_file.is_some()
    }

    /// Only what says that the backend is away, or refuses us altogether, counts against it: a reply that is too
    /// large or a query that is refused comes from a backend that works.
    fn learn(&self, result: &Result<Reply, UpstreamError>) {
        let health = match result {
            Ok(reply) if reply.status == 401 || reply.is_from_a_gateway() => {
                Health::Down(format!("HTTP {}", reply.status))
            }
            Ok(_) => Health::Up,
            Err(error @ (UpstreamError::Unreachable { .. } | UpstreamError::Timeout { .. })) => {
                Health::Down(error.kind().to_owned())
            }
            Err(_) => return,
        };
        *self.health.lock().unwrap_or_else(PoisonError::into_inner) = (health, Instant::now());
    }

    fn url(&self, ask: &Ask<'_>) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty();
            for segment in ask.endpoint.path.split('/').filter(|segment| !segment.is_empty()) {
                segments.push(if segment == "{}" { ask.segment.unwrap_or_default() } else { segment });
            }
        }
        url
    }
}

/// Whether a second try of a read may fare better.
pub(crate) fn is_worth_a_retry(result: &Result<Reply, UpstreamError>) -> bool {
    match result {
        Ok(reply) => reply.status == 429 || reply.is_from_a_gateway(),
        Err(error) => matches!(error, UpstreamError::Unreachable { .. }),
    }
}

/// Tells the breaker how an attempt ended, also when it was dropped.
struct Trial<'a> {
    breaker: &'a Breaker,
    /// What a backend is given when the call has time enough.
    patience: Duration,
    ended: bool,
}

impl Trial<'_> {
    fn end(mut self, result: &Result<Reply, UpstreamError>) {
        self.ended = true;
        match result {
            Ok(reply) if reply.is_from_a_gateway() => self.breaker.failed(Instant::now()),
            // It had less time than it may take: that is the call's fault.
            Err(UpstreamError::Timeout { waited, .. }) if *waited < self.patience => {
                self.breaker.abandoned(Instant::now());
            }
            Err(UpstreamError::Unreachable { .. } | UpstreamError::Timeout { .. }) => {
                self.breaker.failed(Instant::now());
            }
            // Whatever else came back, somebody is there and answers.
            _ => self.breaker.succeeded(),
        }
    }
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.breaker.abandoned(Instant::now());
        }
    }
}
