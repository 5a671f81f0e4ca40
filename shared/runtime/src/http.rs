//! The streamable HTTP transport: one endpoint `/mcp` for both eras, health, metrics, and an orderly end.

mod connections;
mod door;
mod write_timeout;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use audit::Transport;
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use identity::Tokens;
use rmcp::{
    model::CacheScope,
    transport::streamable_http_server::{
        SessionManager, StreamableHttpServerConfig, StreamableHttpService,
        session::{local::LocalSessionManager, never::NeverSessionManager},
    },
};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use upstream::Health;

use crate::{engine::Engine, handler::Handler, settings::Settings};
use door::Door;

const MAX_REQUEST_BYTES: usize = 256 * 1024;
const GRACE: Duration = Duration::from_secs(10);
/// Longer than clients keep connections for later, so that they close them and not we.
const SILENCE: Duration = Duration::from_secs(60);

/// Why HTTP can't be served.
#[derive(Debug, Error)]
pub(crate) enum HttpError {
    #[error(
        "{0} is not a loopback address: without auth.tokens anyone who reaches it could call; configure tokens or use 127.0.0.1"
    )]
    Open(SocketAddr),
    #[error("auth.tokens: {0}: {1}")]
    Tokens(identity::IdentityError, String),
    #[error("can't listen on {0}: {1}")]
    Listen(SocketAddr, io::Error),
}

/// Listens and serves until `stop` is cancelled; then finishes what runs, at most for the grace time.
pub(crate) async fn serve(
    engine: Engine,
    settings: &Settings,
    address: SocketAddr,
    user: &str,
    stop: CancellationToken,
) -> Result<(), HttpError> {
    let tokens = tokens(settings)?;
    if tokens.is_none() && !address.ip().is_loopback() {
        return Err(HttpError::Open(address));
    }
    let listener = TcpListener::bind(address).await.map_err(|error| HttpError::Listen(address, error))?;
    let bound = listener.local_addr().map_err(|error| HttpError::Listen(address, error))?;
    tracing::info!(address = %bound, server = engine.about.name, "listening on /mcp");
    let kill = CancellationToken::new();
    let app = router(&engine, settings, bound, tokens, user, &kill);
    let grace = settings.http.shutdown_grace_seconds.map_or(GRACE, Duration::from_secs);
    let silence = settings
        .http
        .header_timeout_seconds
        .map_or(SILENCE, |seconds| Duration::from_secs(seconds.get().into()));
    let serving = connections::serve(listener, app, silence, stop.clone());
    let last_call = async {
        stop.cancelled().await;
        tracing::info!(
            running = engine.guard.metrics.running(),
            "stopping: no new calls, finishing what runs"
        );
        tokio::time::sleep(grace).await;
        kill.cancel();
        // Cancelled calls answer at once; a client that does not read its answer is not waited for.
        tokio::time::sleep(Duration::from_secs(1)).await;
    };
    tokio::select! {
        () = serving => {}
        () = last_call => {}
    }
    Ok(())
}

fn tokens(settings: &Settings) -> Result<Option<Tokens>, HttpError> {
    if settings.auth.tokens.is_empty() {
        return Ok(None);
    }
    Tokens::new(settings.auth.tokens.clone()).map(Some).map_err(|error| {
        let cause = std::error::Error::source(&error).map_or_else(String::new, ToString::to_string);
        HttpError::Tokens(error, cause)
    })
}

fn router(
    engine: &Engine,
    settings: &Settings,
    bound: SocketAddr,
    tokens: Option<Tokens>,
    user: &str,
    kill: &CancellationToken,
) -> Router {
    let own = |scheme: &str| {
        ["127.0.0.1", "localhost", "[::1]"].map(|host| format!("{scheme}://{host}:{}", bound.port()))
    };
    let origins = own("http").into_iter().chain(settings.http.allowed_origins.iter().cloned());
    let loopback = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let hosts = loopback.into_iter().chain(settings.http.allowed_hosts.iter().cloned());
    let config = StreamableHttpServerConfig::default()
        .with_json_response(true)
        .with_legacy_session_mode(false)
        .with_allowed_hosts(hosts)
        .with_allowed_origins(origins)
        .enforce_origin_validation()
        .with_max_request_body_bytes(settings.http.max_request_bytes.unwrap_or(MAX_REQUEST_BYTES))
        .with_cancellation_token(kill.child_token());
    // What is listed depends on the caller's scopes once there are tokens; the local user always sees the same.
    let handler = engine.handler(Transport::Http, None, CacheScope::Private);
    let names = settings.auth.tokens.iter().map(|token| token.name.clone());
    let door = Arc::new(Door::new(tokens, names, engine.local(user)));
    let mcp = if engine.staged.is_some() {
        // The suite demands of the old era what only a session can do: the server asks the client. Sessions leak
        // memory in rmcp, which a test-only binary may.
        endpoint(handler, LocalSessionManager::default(), config.with_legacy_session_mode(true))
    } else {
        endpoint(handler, NeverSessionManager::default(), config)
    };
    mcp.route_layer(middleware::from_fn_with_state(door, door::enter))
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(ready).with_state(engine.clone()))
        .route("/metrics", get(metrics).with_state(engine.clone()))
}

fn endpoint(handler: Handler, sessions: impl SessionManager, config: StreamableHttpServerConfig) -> Router {
    let make = move || Ok::<_, io::Error>(handler.clone());
    Router::new().route_service("/mcp", StreamableHttpService::new(make, Arc::new(sessions), config))
}

/// Ready unless every source's last exchange failed. From what calls have shown; a probe asks no backend.
async fn ready(State(engine): State<Engine>) -> Response {
    let sources: Vec<(String, Health)> =
        engine.probes.iter().map(|probe| (probe.name(), probe.health())).collect();
    let down = sources.iter().filter(|(_, health)| matches!(health, Health::Down(_))).count();
    let status =
        if down > 0 && down == sources.len() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let lines: String = sources
        .into_iter()
        .map(|(name, health)| match health {
            Health::Unknown => format!("{name}: not asked yet\n"),
            Health::Up => format!("{name}: up\n"),
            Health::Down(why) => format!("{name}: down ({why})\n"),
        })
        .collect();
    (status, if lines.is_empty() { "no sources configured\n".to_owned() } else { lines }).into_response()
}

async fn metrics(State(engine): State<Engine>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], engine.guard.metrics.text()).into_response()
}
