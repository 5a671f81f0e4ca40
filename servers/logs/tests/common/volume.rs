//! Small incidents of several services, and questions about how much they log.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use testkit::{
    answer::named_rows,
    mcp::{Client, ToolReply},
};

/// An answer, which must not be an error.
pub async fn ask(client: &Client, arguments: Value) -> ToolReply {
    let reply = client.call("get_log_volume_anomalies", arguments).await;
    assert!(!reply.is_error, "{}", reply.text);
    reply
}

/// Rows of the anomalies by their columns' names.
pub fn anomalies(reply: &ToolReply) -> Vec<Value> {
    named_rows(reply.structured.as_ref().unwrap(), "anomalies")
}

/// A record of a service every `step` seconds from `from` up to `to`.
pub fn every(text: &mut String, service: &str, (from, to): (&str, &str), step: i64) {
    let (mut at, to): (Timestamp, Timestamp) = (from.parse().unwrap(), to.parse().unwrap());
    while at < to {
        writeln!(
            text,
            "{{\"@timestamp\":\"{at}\",\"log.level\":\"info\",\"message\":\"served\",\"service\":{{\"name\":\"{service}\"}}}}"
        )
        .unwrap();
        at += SignedDuration::from_secs(step);
    }
}
