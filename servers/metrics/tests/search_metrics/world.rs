//! Backends for the search: one that replays what was recorded, one whose catalogue a test writes down.

use serde_json::{Value, json};
use testkit::{
    mcp::ToolReply,
    recorded::{Recorded, Reply},
};

use crate::common;

/// The moment of the recorded replies.
pub(crate) const NOW: &str = "2026-11-21T01:41:50Z";

const RECORDED: &str = "tests/recorded/search";

/// What was recorded.
pub(crate) async fn recorded() -> Recorded {
    let backend = Recorded::start().await;
    let list = std::fs::read_to_string(format!("{RECORDED}/replies.json")).unwrap();
    let list: Vec<Value> = serde_json::from_str(&list).unwrap();
    for entry in &list {
        let text = |key: &str| entry[key].as_str().unwrap().to_owned();
        let mut reply =
            Reply::to(&text("method"), &text("path")).file(format!("{RECORDED}/{}", text("file")));
        for pair in entry["query"].as_array().unwrap() {
            reply = reply.query(pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
        }
        for pair in entry["form"].as_array().unwrap() {
            reply = reply.form(pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
        }
        backend.reply(reply).await;
    }
    backend
}

/// A catalogue and the rows that every count returns.
#[derive(Default)]
pub(crate) struct Store {
    pub(crate) names: Vec<String>,
    /// Metric, type, help.
    pub(crate) metadata: Vec<(String, &'static str, String)>,
    pub(crate) labels: Vec<&'static str>,
    /// Values of labels that name services.
    pub(crate) values: Vec<(&'static str, Vec<&'static str>)>,
    /// Labels of each row, and its count.
    pub(crate) rows: Vec<(Value, u64)>,
    pub(crate) warnings: Vec<&'static str>,
}

impl Store {
    /// A store with these names and nothing else.
    pub(crate) fn of(names: &[&str]) -> Store {
        Store { names: names.iter().map(|name| (*name).to_owned()).collect(), ..Store::default() }
    }

    pub(crate) async fn serve(&self) -> Recorded {
        let backend = Recorded::start().await;
        let metadata: serde_json::Map<String, Value> = self
            .metadata
            .iter()
            .map(|(metric, kind, help)| (metric.clone(), json!([{"type": kind, "unit": "", "help": help}])))
            .collect();
        for (path, data) in [
            ("metadata", Value::Object(metadata)),
            ("labels", json!(self.labels)),
            ("label/__name__/values", json!(self.names)),
        ] {
            backend.reply(Reply::to("GET", &format!("/api/v1/{path}")).text(&self.success(&data))).await;
        }
        for (label, values) in &self.values {
            let path = format!("/api/v1/label/{label}/values");
            backend.reply(Reply::to("GET", &path).text(&self.success(&json!(values)))).await;
        }
        backend.reply(Reply::to("POST", "/api/v1/query").text(&self.success(&vector(&self.rows)))).await;
        backend
    }

    fn success(&self, data: &Value) -> String {
        json!({"status": "success", "data": data, "warnings": self.warnings}).to_string()
    }
}

/// An instant vector.
pub(crate) fn vector(rows: &[(Value, u64)]) -> Value {
    let one = |(labels, count): &(Value, u64)| json!({"metric": labels, "value": [1_795_224_550, count.to_string()]});
    json!({"resultType": "vector", "result": rows.iter().map(one).collect::<Vec<_>>()})
}

/// A reply with this data, as text.
pub(crate) fn success(data: &Value) -> String {
    json!({"status": "success", "data": data}).to_string()
}

pub(crate) async fn ask(backend: &Recorded, arguments: Value) -> ToolReply {
    let (client, _audit) = common::connect(&common::prometheus_at(&backend.url()), NOW).await;
    client.call("search_metrics", arguments).await
}

pub(crate) fn pretty(reply: &ToolReply) -> String {
    serde_json::to_string_pretty(reply.structured.as_ref().unwrap()).unwrap()
}

/// The rows of the one table.
pub(crate) fn rows(reply: &ToolReply) -> Vec<Value> {
    let structured = reply.structured.as_ref().unwrap();
    structured["tables"][0]["rows"].as_array().cloned().unwrap_or_default()
}
