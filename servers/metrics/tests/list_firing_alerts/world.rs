//! Backends with recorded and generated replies, and the server before them.

use metrics_mcp::Config;
use runtime::Loaded;
use serde_json::{Value, json};
use testkit::{
    mcp::ToolReply,
    recorded::{Recorded, Reply},
};

use crate::common;

/// When the replies were recorded.
const NOW: &str = "2026-11-21T00:45:34Z";
const FILES: &str = "tests/recorded/alerts";

/// Backends that were started, and the server's settings for them. Replicas are called `a`, `b` …
pub(crate) struct World {
    pub(crate) prometheus: Recorded,
    pub(crate) replicas: Vec<Recorded>,
}

impl World {
    /// A Prometheus with these rules and so many Alertmanagers, all without replies yet.
    pub(crate) async fn new(replicas: usize) -> World {
        let mut all = Vec::new();
        for _ in 0..replicas {
            all.push(Recorded::start().await);
        }
        World { prometheus: Recorded::start().await, replicas: all }
    }

    /// Everything as recorded.
    pub(crate) async fn recorded() -> World {
        let world = World::new(2).await;
        let file = |name: &str| format!("{FILES}/{name}.json");
        world.prometheus.reply(Reply::to("GET", "/api/v1/rules").file(file("rules"))).await;
        world.prometheus.reply(Reply::to("POST", "/api/v1/query_range").file(file("alerts_range"))).await;
        for (replica, groups) in world.replicas.iter().zip(["groups", "groups_2"]) {
            replica.reply(Reply::to("GET", "/api/v2/alerts/groups").file(file(groups))).await;
            replica.reply(Reply::to("GET", "/api/v2/silences").file(file("silences"))).await;
        }
        world
    }

    pub(crate) async fn rules(&self, reply: Value) {
        self.prometheus.reply(Reply::to("GET", "/api/v1/rules").text(&reply.to_string())).await;
    }

    pub(crate) async fn range(&self, reply: Value) {
        self.prometheus.reply(Reply::to("POST", "/api/v1/query_range").text(&reply.to_string())).await;
    }

    pub(crate) async fn delivered(&self, replica: usize, alerts: Value) {
        let groups = json!([{"labels": {}, "receiver": {"name": "on-call"}, "alerts": alerts}]);
        self.replicas[replica]
            .reply(Reply::to("GET", "/api/v2/alerts/groups").text(&groups.to_string()))
            .await;
    }

    pub(crate) fn loaded(&self) -> Loaded<Config> {
        let mut loaded = common::prometheus_at(&self.prometheus.url());
        let names = ["a", "b", "c"];
        let replicas = self.replicas.iter().zip(names);
        loaded.config.alertmanager = replicas.map(|(one, name)| common::source(name, &one.url())).collect();
        loaded
    }

    pub(crate) async fn ask(&self, arguments: Value) -> ToolReply {
        ask(&self.loaded(), arguments).await
    }
}

pub(crate) async fn ask(loaded: &Loaded<Config>, arguments: Value) -> ToolReply {
    let (client, _) = common::connect(loaded, NOW).await;
    let reply = client.call("list_firing_alerts", arguments).await;
    let limit = if reply.text.contains("annotations") { 24_000 } else { 8_000 };
    assert!(reply.text.len() <= limit, "{} bytes", reply.text.len());
    let structured = reply.structured.as_ref().unwrap().to_string();
    assert!(structured.len() <= limit, "{} bytes", structured.len());
    reply
}

pub(crate) fn pretty(reply: &ToolReply) -> String {
    serde_json::to_string_pretty(reply.structured.as_ref().unwrap()).unwrap()
}

/// A reply of `/api/v1/rules` with one group of these rules.
pub(crate) fn rules(all: Value) -> Value {
    rules_with(all, json!([]))
}

pub(crate) fn rules_with(all: Value, warnings: Value) -> Value {
    let group = json!({"name": "g", "file": "rules.yml", "interval": 15, "rules": all,
        "lastEvaluation": "2026-11-21T00:45:30Z", "evaluationTime": 0.001});
    json!({"status": "success", "warnings": warnings, "data": {"groups": [group]}})
}

/// An alerting rule with these alerts.
pub(crate) fn rule(name: &str, query: &str, alerts: Value) -> Value {
    json!({"type": "alerting", "name": name, "query": query, "duration": 60, "health": "ok", "state": "firing",
        "labels": {}, "annotations": {}, "lastEvaluation": "2026-11-21T00:45:30Z", "alerts": alerts})
}

/// A firing alert as the rules tell it, since 00:40:00.
pub(crate) fn fires(labels: Value, value: &str) -> Value {
    json!({"labels": labels, "annotations": {}, "state": "firing", "activeAt": "2026-11-21T00:40:00Z", "value": value})
}

/// An alert as Alertmanager tells it, since 00:41:00, with this status.
pub(crate) fn arrived(fingerprint: &str, labels: Value, status: Value) -> Value {
    json!({"fingerprint": fingerprint, "labels": labels, "annotations": {}, "status": status,
        "startsAt": "2026-11-21T00:41:00Z", "updatedAt": "2026-11-21T00:45:00Z", "endsAt": "2026-11-21T00:49:00Z",
        "receivers": [{"name": "on-call"}], "generatorURL": ""})
}

pub(crate) fn active() -> Value {
    json!({"state": "active", "silencedBy": [], "inhibitedBy": [], "mutedBy": []})
}
