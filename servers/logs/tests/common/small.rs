//! Small incidents of one service, written by hand, and questions about them.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::Value;
use testkit::answer::named_rows;
use testkit::mcp::{Client, ToolReply};

/// An answer, which must not be an error.
pub async fn ask(client: &Client, tool: &str, arguments: Value) -> ToolReply {
    let reply = client.call(tool, arguments).await;
    assert!(!reply.is_error, "{}", reply.text);
    reply
}

/// Rows of the patterns by their columns' names.
pub fn patterns(reply: &ToolReply) -> Vec<Value> {
    named_rows(reply.structured.as_ref().unwrap(), "patterns")
}

/// `14:30:00` of the incident's day.
pub fn at(clock: &str) -> Timestamp {
    format!("2026-01-14T{clock}Z").parse().unwrap()
}

/// One ECS document of payment.
pub fn line(text: &mut String, at: Timestamp, level: &str, message: &str) {
    writeln!(
        text,
        "{{\"@timestamp\":\"{at}\",\"log.level\":\"{level}\",\"message\":\"{message}\",\"service\":{{\"name\":\"payment\"}}}}"
    )
    .unwrap();
}

/// A record every `step` seconds from `from` up to `to`.
pub fn every(text: &mut String, (from, to): (&str, &str), step: i64, level: &str, message: &str) {
    let (from, to) = (at(from).as_second(), at(to).as_second());
    for second in (from..to).step_by(usize::try_from(step).unwrap()) {
        line(text, Timestamp::from_second(second).unwrap(), level, message);
    }
}

/// The suggested call of this tool, if there is one.
pub fn next_call(reply: &ToolReply, tool: &str) -> Option<Value> {
    let next = reply.structured.as_ref().unwrap()["next"].as_array().unwrap();
    next.iter().find(|next| next["tool"] == tool).map(|next| next["arguments"].clone())
}
