//! Requests: the body, with the options that each of them has.

use std::time::Duration;

use contract::{Context, ToolError, time_text};
use serde_json::{Map, Value, json};
use upstream::{Ask, Endpoint, Reply, UpstreamError};

use super::{Adx, Answered, MANAGEMENT, QUERY, error, frames, frames::Table, kql::Kql};

/// The most rows of one result.
pub(super) const MOST_ROWS: u64 = 20_000;
/// The most bytes of one result, in the cluster's own count; below what we read of a reply.
const MOST_BYTES: u64 = 6 * 1024 * 1024;
/// The most memory a query may take on one node, in bytes.
const MOST_MEMORY: u64 = 2 * 1024 * 1024 * 1024;
/// How old a result may be that the cluster has in its cache.
const CACHED: &str = "00:00:30";

/// The options of every request: it only reads, calls nobody, reads nothing from elsewhere, and ends before we stop
/// listening.
pub(super) fn options(timeout: Duration) -> Map<String, Value> {
    let seconds = timeout.as_secs().max(1);
    let options = json!({
        "request_readonly": true,
        "request_readonly_hardline": true,
        "request_callout_disabled": true,
        "request_external_data_disabled": true,
        "request_external_table_disabled": true,
        "request_remote_entities_disabled": true,
        "request_sandboxed_execution_disabled": true,
        "request_app_name": "logs-mcp",
        "servertimeout": format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60),
        "query_take_max_records": MOST_ROWS,
        "truncationmaxrecords": MOST_ROWS,
        "truncationmaxsize": MOST_BYTES,
        "max_memory_consumption_per_query_per_node": MOST_MEMORY,
        "query_results_cache_max_age": CACHED,
        "results_progressive_enabled": false,
    });
    options.as_object().cloned().unwrap_or_default()
}

impl Adx {
    /// Sends a query and reads its result.
    pub(super) async fn ask(&self, cx: &Context, kql: &Kql, shown: String) -> Result<Answered, ToolError> {
        let mut options = options(self.time(cx));
        options.insert("query_now".to_owned(), json!(time_text(cx.now)));
        if let Some((column, window)) = &kql.scope {
            options.insert("query_datetimescope_column".to_owned(), json!(column));
            options.insert("query_datetimescope_from".to_owned(), json!(format!("{:.7}", window.start())));
            // The end of the scope belongs to it; the query itself leaves it out.
            options.insert("query_datetimescope_to".to_owned(), json!(format!("{:.7}", window.end())));
        }
        let body = json!({
            "db": self.database,
            "csl": kql.sent(),
            "properties": { "Options": options, "Parameters": kql.values() },
        });
        let reply = self.send(cx, QUERY, &body).await?;
        let frames = frames::of_query(&reply.body).map_err(|problem| self.protocol(QUERY, &problem))?;
        self.answered(cx, frames, shown)
    }

    /// Sends one of the two commands.
    pub(super) async fn command(&self, cx: &Context, command: &str) -> Result<Table, ToolError> {
        let body = json!({
            "db": self.database,
            "csl": command,
            "properties": { "Options": options(self.time(cx)), "Parameters": {} },
        });
        let reply = self.send(cx, MANAGEMENT, &body).await?;
        frames::of_management(&reply.body).map_err(|problem| self.protocol(MANAGEMENT, &problem))
    }

    async fn send(&self, cx: &Context, endpoint: Endpoint, body: &Value) -> Result<Reply, ToolError> {
        let body = body.to_string();
        let mut renewed = false;
        loop {
            let mut ask = Ask::of(endpoint).json(body.clone());
            // Ties the cluster's own record of queries to our audit record, and is what it could be cancelled by.
            ask = ask.header("x-ms-client-request-id", format!("logs-mcp;{}", cx.call_id.0));
            ask = ask.header("x-ms-app", "logs-mcp").header("accept", "application/json");
            if let Some(sign_in) = &self.sign_in {
                ask = ask.bearer(sign_in.token(cx).await?);
            }
            let reply = self.upstream.fetch(cx, &ask).await?;
            if let (401, false, Some(sign_in)) = (reply.status, renewed, &self.sign_in) {
                renewed = true;
                sign_in.forget();
                continue;
            }
            if reply.status != 200 {
                return Err(error::of_reply(cx, self.upstream.system(), &reply));
            }
            return Ok(reply);
        }
    }

    /// What the cluster may spend: it gives up before we do, so that its own words arrive.
    fn time(&self, cx: &Context) -> Duration {
        self.patience.min(cx.remaining()).mul_f64(0.9)
    }

    pub(super) fn protocol(&self, endpoint: Endpoint, what: &str) -> ToolError {
        let system = self.upstream.system().to_owned();
        UpstreamError::Protocol { system, problem: format!("{endpoint} answered with {what}") }.into()
    }
}
