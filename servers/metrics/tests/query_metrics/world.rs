//! A Prometheus with replies, the server in front of it, and what is expected of an answer.

use metrics_mcp::Config;
use runtime::Loaded;
use serde_json::{Value, json};
use testkit::{
    mcp::ToolReply,
    recorded::{Recorded, Reply, Seen},
};

use crate::common;

pub(crate) const NOW: &str = "2026-11-21T01:20:00Z";
pub(crate) const INSTANT: &str = "/api/v1/query";
pub(crate) const RANGE: &str = "/api/v1/query_range";
pub(crate) const NAMES: &str = "/api/v1/label/__name__/values";

/// A Prometheus with replies, and what is asked of the server in front of it.
pub(crate) struct World(pub(crate) Recorded);

impl World {
    pub(crate) async fn new() -> World {
        World(Recorded::start().await)
    }

    /// Answers a path with a recorded file.
    pub(crate) async fn file(self, method: &str, path: &str, file: &str) -> World {
        self.0.reply(Reply::to(method, path).file(format!("tests/recorded/query/{file}.json"))).await;
        self
    }

    /// Answers an instant query with a recorded file.
    pub(crate) async fn query_file(self, promql: &str, file: &str) -> World {
        let reply = Reply::to("POST", INSTANT).form("query", promql);
        self.0.reply(reply.file(format!("tests/recorded/query/{file}.json"))).await;
        self
    }

    /// Answers an instant query with these rows.
    pub(crate) async fn rows(self, promql: &str, rows: &[(Value, &str)]) -> World {
        let rows: Vec<Value> = rows
            .iter()
            .map(|(metric, value)| json!({"metric": metric, "value": [1_795_224_000, value]}))
            .collect();
        self.0.reply(Reply::to("POST", INSTANT).form("query", promql).text(&vector(rows).to_string())).await;
        self
    }

    /// Answers the counting of series over the time that is read, `span` seconds up to `last`: the same numbers at each
    /// of its thirteen moments.
    pub(crate) async fn counts(self, promql: &str, last: &str, span: i64, rows: &[(Value, u64)]) -> World {
        let last = last.parse::<jiff::Timestamp>().unwrap().as_second();
        let moments: Vec<i64> = (0..=12).rev().map(|back| last - back * ((span + 11) / 12)).collect();
        let values = |count: u64| moments.iter().map(|at| json!([at, count.to_string()])).collect::<Vec<_>>();
        let rows: Vec<Value> =
            rows.iter().map(|(metric, count)| json!({"metric": metric, "values": values(*count)})).collect();
        self.0.reply(Reply::to("POST", RANGE).form("query", promql).text(&matrix(rows).to_string())).await;
        self
    }

    /// How often this very query was asked.
    pub(crate) fn times_asked(&self, promql: &str) -> usize {
        self.0.requests().iter().filter(|seen| seen.form("query") == Some(promql)).count()
    }

    pub(crate) async fn reply(self, reply: Reply) -> World {
        self.0.reply(reply).await;
        self
    }

    pub(crate) async fn call(&self, now: &str, arguments: Value) -> ToolReply {
        self.call_with(common::prometheus_at(&self.0.url()), now, arguments).await
    }

    pub(crate) async fn call_with(&self, loaded: Loaded<Config>, now: &str, arguments: Value) -> ToolReply {
        let (client, _) = common::connect(&loaded, now).await;
        client.call("query_metrics", arguments).await
    }

    pub(crate) fn asked(&self, path: &str) -> Vec<Seen> {
        self.0.requests().into_iter().filter(|seen| seen.path == path).collect()
    }
}

pub(crate) fn vector(rows: Vec<Value>) -> Value {
    json!({"status": "success", "data": {"resultType": "vector", "result": rows}})
}

pub(crate) fn matrix(rows: Vec<Value>) -> Value {
    json!({"status": "success", "data": {"resultType": "matrix", "result": rows}})
}

pub(crate) fn first_line(reply: &ToolReply) -> &str {
    reply.text.lines().next().unwrap()
}

#[track_caller]
pub(crate) fn has(reply: &ToolReply, part: &str) {
    assert!(reply.text.contains(part), "{part:?} is not in\n{}", reply.text);
    let structured = reply.structured.as_ref().unwrap().to_string();
    let quoted = serde_json::to_string(part).unwrap();
    let inside = quoted.trim_matches('"');
    // Cells and names of arguments are apart in the structured form.
    let apart =
        part.contains(" | ") || part.contains("=\"") || part.ends_with(" omitted") || part.contains("try: ");
    assert!(apart || structured.contains(inside), "{part:?} is only in the text, not in\n{structured}");
}
