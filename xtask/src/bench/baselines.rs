//! The two servers beside which ours is measured, each a process of its own: axum alone, and rmcp alone.
//!
//! Both give back what they were told to, of the same length as our answer; neither looks at the arguments.

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::serve::ListenerExt;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, Implementation, JsonObject, ListToolsResult,
    PaginatedRequestParams, ProtocolVersion, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::Value;
use tokio::net::TcpListener;

use super::fake;
use super::http1::Connection;

/// What a baseline is told.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The loopback address to listen on.
    #[arg(long)]
    listen: SocketAddr,
    /// File with the JSON-RPC reply to give to every call.
    #[arg(long)]
    reply: PathBuf,
    /// Ask this fake Prometheus first, as a tool would.
    #[arg(long)]
    upstream: Option<SocketAddr>,
    /// How many requests that takes, one after the other.
    #[arg(long, default_value_t = 1)]
    trips: usize,
}

/// A handler of axum that reads the request and gives the reply's bytes back.
pub(crate) fn axum(args: &Args) -> Result<(), Box<dyn Error>> {
    let state = Arc::new(Plain {
        reply: Bytes::from(std::fs::read(&args.reply)?),
        upstream: args.upstream.map(|address| (address, fake::request(address))),
        trips: args.trips,
        idle: Mutex::new(Vec::new()),
    });
    serve(Router::new().route("/mcp", post(answer)).with_state(state), args.listen)
}

struct Plain {
    reply: Bytes,
    upstream: Option<(SocketAddr, Vec<u8>)>,
    trips: usize,
    /// Connections to the fake Prometheus that nobody uses at the moment.
    idle: Mutex<Vec<Connection>>,
}

async fn answer(State(plain): State<Arc<Plain>>, _request: Bytes) -> Response {
    match plain.ask().await {
        Ok(()) => ([(header::CONTENT_TYPE, "application/json")], plain.reply.clone()).into_response(),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

impl Plain {
    async fn ask(&self) -> Result<(), std::io::Error> {
        let Some((address, request)) = &self.upstream else { return Ok(()) };
        let pooled = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = match pooled {
            Some(connection) => connection,
            None => Connection::open(*address).await?,
        };
        for _ in 0..self.trips {
            connection.exchange(request).await?;
        }
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        Ok(())
    }
}

/// A handler of rmcp with one tool that always gives the same result.
pub(crate) fn rmcp(args: &Args) -> Result<(), Box<dyn Error>> {
    let reply: Value = serde_json::from_slice(&std::fs::read(&args.reply)?)?;
    let result = serde_json::from_value(reply.get("result").cloned().unwrap_or_default())?;
    let canned = Canned {
        result: Arc::new(result),
        tool: Tool::new("query_metrics", "", Arc::new(JsonObject::new())),
    };
    let config = StreamableHttpServerConfig::default()
        .with_json_response(true)
        .with_legacy_session_mode(false)
        .enforce_origin_validation();
    let service = StreamableHttpService::new(
        move || Ok::<_, std::io::Error>(canned.clone()),
        Arc::new(NeverSessionManager::default()),
        config,
    );
    serve(Router::new().route_service("/mcp", service), args.listen)
}

#[derive(Clone)]
struct Canned {
    result: Arc<CallToolResult>,
    tool: Tool,
}

impl ServerHandler for Canned {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("bench-rmcp", env!("CARGO_PKG_VERSION")))
    }

    fn supported_protocol_versions(&self) -> std::borrow::Cow<'static, [ProtocolVersion]> {
        std::borrow::Cow::Borrowed(&[ProtocolVersion::V_2025_11_25, ProtocolVersion::V_2026_07_28])
    }

    fn get_tool(&self, _: &str) -> Option<Tool> {
        Some(self.tool.clone())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(vec![self.tool.clone()]))
    }

    async fn call_tool(
        &self,
        _: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        Ok(self.result.as_ref().clone().into())
    }
}

/// Serves until the process is ended, as `metrics-mcp` does: the same runtime and TCP_NODELAY.
fn serve(app: Router, address: SocketAddr) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await?.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        Ok(axum::serve(listener, app).await?)
    })
}
