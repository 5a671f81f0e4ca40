//! What a cluster's refusal means, and what helps.

use contract::{ErrorKind, Intake, ToolError};
use serde_json::Value;
use upstream::{Reply, UpstreamError};

use super::wire::reason;

/// Characters of a cluster's own words that are shown.
const SHOWN: usize = 400;

/// A reply with an error status as an error. It names the system, the status, what the cluster said and what to change.
pub(super) fn of_reply(intake: &Intake, system: &str, reply: &Reply) -> ToolError {
    let body: Option<Value> = serde_json::from_slice(&reply.body).ok();
    match body.as_ref().and_then(|body| body.get("error")) {
        Some(error) => of_error(intake, system, reply.status, error, reply),
        None => of_status(system, reply, detail(intake, &plain(reply))),
    }
}

/// The same of one of several searches, whose errors stand within a success.
pub(super) fn of_search(intake: &Intake, system: &str, status: u16, error: &Value) -> ToolError {
    let reply =
        Reply { status, content_type: String::new(), retry_after: None, body: upstream::Bytes::new() };
    of_error(intake, system, status, error, &reply)
}

/// A reply that is not what this endpoint answers. Where, not what: the reader's own message would repeat the text.
pub(super) fn unreadable(system: &str, endpoint: &str, error: &serde_json::Error) -> UpstreamError {
    let (what, line, column) = (error.classify(), error.line(), error.column());
    UpstreamError::Protocol {
        system: system.to_owned(),
        problem: format!(
            "the reply is not what {endpoint} answers ({what:?} error at line {line}, column {column})"
        ),
    }
}

fn of_error(intake: &Intake, system: &str, status: u16, error: &Value, reply: &Reply) -> ToolError {
    let said = reason(&first_failure(error)).or_else(|| reason(error)).unwrap_or_default();
    // Of a syntax error only the first line: the rest lists what could have stood there.
    let said = said.split("\nWas expecting").next().unwrap_or_default();
    let problem = format!("{system} refused it (HTTP {status}){}", detail(intake, said));
    let types = types(error);
    let is = |name: &str| types.contains(&name);
    if is("parse_exception")
        || is("parsing_exception")
        || is("query_shard_exception")
        || is("token_mgr_error")
    {
        return ToolError::new(
            ErrorKind::InvalidArgument,
            problem,
            "mend the query: Lucene syntax, words joined by AND, `field:value`, \"a phrase\"; put a phrase in quotes when it \
             holds any of : / ( ) [ ] { } ; no word may begin with * or ?",
        );
    }
    if is("too_many_buckets_exception") || is("too_many_clauses") || is("too_many_nested_clauses") {
        let remedy = "ask for less: a shorter time_range, a larger step, fewer values";
        return ToolError::new(ErrorKind::TooExpensive, problem, remedy);
    }
    if status == 429
        || is("circuit_breaking_exception")
        || is("es_rejected_execution_exception")
        || is("rejected_execution_exception")
    {
        let remedy =
            "the cluster is short of memory or threads: wait, then ask for a narrower time_range or service";
        let error = ToolError::new(ErrorKind::Upstream, problem, remedy);
        return match reply.retry_after {
            Some(wait) => error.retry_after(wait),
            None => error,
        };
    }
    if is("index_not_found_exception") {
        return no_index(problem);
    }
    if is("no_shard_available_action_exception") || (status == 503 && is("search_phase_execution_exception"))
    {
        return unassigned(problem);
    }
    of_status(system, reply, detail(intake, said))
}

/// No copy of a shard can be asked.
pub(super) fn unassigned(problem: String) -> ToolError {
    let remedy = "no copy of these shards is available (the index is red): tell the cluster's operator; other indices may answer";
    ToolError::new(ErrorKind::Upstream, problem, remedy)
}

/// No index of the configured names.
pub(super) fn no_index(problem: impl Into<String>) -> ToolError {
    ToolError::new(
        ErrorKind::NotConfigured,
        problem,
        "an operator mends [[logs]] indices, or grants the configured user `read` and `view_index_metadata` on them",
    )
}

fn of_status(system: &str, reply: &Reply, detail: String) -> ToolError {
    let status = reply.status;
    let error: ToolError =
        UpstreamError::Status { system: system.to_owned(), status, detail, retry_after: reply.retry_after }
            .into();
    match status {
        401 | 403 => error.remedy(
            "the configured user may not do this: an operator grants the privileges `read` and `view_index_metadata` on the \
             indices of logs; `check` shows which requests are refused",
        ),
        _ => error,
    }
}

fn detail(intake: &Intake, said: &str) -> String {
    match said.trim() {
        "" => String::new(),
        said => format!(": {}", intake.text(said).shown(SHOWN)),
    }
}

/// The text of a reply that is no JSON, without the tags of a page.
fn plain(reply: &Reply) -> String {
    let text = String::from_utf8_lossy(reply.body.get(..2_000).unwrap_or(&reply.body)).into_owned();
    let mut inside = false;
    let mut shown = String::new();
    for character in text.chars() {
        match character {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                shown.push(' ');
            }
            other if !inside => shown.push(other),
            _ => {}
        }
    }
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the first shard that failed says: more than the whole does.
fn first_failure(error: &Value) -> Value {
    error
        .get("failed_shards")
        .and_then(|shards| shards.get(0))
        .and_then(|shard| shard.get("reason"))
        .cloned()
        .unwrap_or_default()
}

/// The types named anywhere in an error.
fn types(error: &Value) -> Vec<&str> {
    match error {
        Value::Object(object) => {
            let own = object.get("type").and_then(Value::as_str);
            own.into_iter().chain(object.values().flat_map(types)).collect()
        }
        Value::Array(values) => values.iter().flat_map(types).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use contract::Context;
    use jiff::Timestamp;

    use super::*;

    fn error(status: u16, body: &str) -> (ErrorKind, String, String) {
        let reply = Reply {
            status,
            content_type: String::new(),
            retry_after: None,
            body: upstream::Bytes::from(body.to_owned()),
        };
        let error =
            of_reply(&Context::for_test(Timestamp::UNIX_EPOCH).intake, "elasticsearch \"main\"", &reply);
        (error.kind(), error.to_string(), error.advice().to_owned())
    }

    #[test]
    fn each_refusal_names_system_status_and_remedy() {
        // Bodies as Elasticsearch 8.19 wrote them, shortened; the plain text is OpenSearch security's.
        let syntax = r#"{"error":{"root_cause":[{"type":"query_shard_exception","reason":"Failed to parse query [a AND (]"}],
            "type":"search_phase_execution_exception","reason":"all shards failed","failed_shards":[{"shard":0,"reason":
            {"type":"query_shard_exception","reason":"Failed to parse query [a AND (]","caused_by":{"type":"parse_exception",
            "reason":"Cannot parse 'a AND (': Encountered \"<EOF>\" at line 1, column 7.\nWas expecting one of:\n <NOT> ..."}}}]},"status":400}"#;
        let buckets = r#"{"error":{"root_cause":[],"type":"search_phase_execution_exception","reason":"","caused_by":
            {"type":"too_many_buckets_exception","reason":"Trying to create too many buckets."}},"status":503}"#;
        let missing =
            r#"{"error":{"type":"index_not_found_exception","reason":"no such index [x]"},"status":404}"#;
        let breaker = r#"{"error":{"type":"circuit_breaking_exception","reason":"[parent] Data too large"},"status":429}"#;
        let red = r#"{"error":{"root_cause":[],"type":"search_phase_execution_exception","reason":"all shards failed","failed_shards":[]},"status":503}"#;
        let denied =
            r#"{"error":{"type":"security_exception","reason":"action [x] is unauthorized"},"status":403}"#;
        for (status, body, kind, said, remedy) in [
            (400, syntax, ErrorKind::InvalidArgument, "line 1, column 7", "Lucene"),
            (503, buckets, ErrorKind::TooExpensive, "too many buckets", "larger step"),
            (404, missing, ErrorKind::NotConfigured, "no such index", "[[logs]] indices"),
            (429, breaker, ErrorKind::Upstream, "Data too large", "narrower time_range"),
            (503, red, ErrorKind::Upstream, "all shards failed", "red"),
            (403, denied, ErrorKind::Upstream, "is unauthorized", "view_index_metadata"),
            (401, "Unauthorized", ErrorKind::Upstream, "Unauthorized", "read"),
            (
                502,
                "<html><head><title>502</title></head><body>Bad <b>Gateway</b></body></html>",
                ErrorKind::Upstream,
                "Bad Gateway",
                "proxy",
            ),
            (
                405,
                r#"{"error":"Incorrect HTTP method","status":405}"#,
                ErrorKind::Upstream,
                "Incorrect HTTP method",
                "",
            ),
        ] {
            let (found, text, advice) = error(status, body);
            assert_eq!(found, kind, "{text}");
            assert!(text.contains("elasticsearch \"main\"") && text.contains(&status.to_string()), "{text}");
            assert!(text.contains(said) && !text.contains("Was expecting"), "{text}");
            assert!(advice.contains(remedy), "{advice}");
        }
    }
}
