//! What goes wrong: within a success, as an error status, as something that is no reply.

use contract::ErrorKind;

use super::*;
use crate::backend::Logs;
use crate::model::{Like, Page, Total};

const LIMIT: &str = r#"{"error":{"code":"LimitsExceeded","message":"Request is invalid and cannot be executed.",
    "@type":"Kusto.Data.Exceptions.KustoServicePartialQueryFailureLimitsExceededException",
    "@message":"Query execution has exceeded the allowed limits (80DA0003): .","@permanent":false}}"#;

#[tokio::test]
async fn a_partial_failure_with_rows_is_a_caveat_and_without_rows_an_error() {
    let fake = Fake::start().await;
    let error: Value = serde_json::from_str(LIMIT).unwrap();
    let columns = [COLUMNS, &[("mcp_at", "datetime"), ("mcp_hash", "long")]].concat();
    let mut row = record("2026-01-14T14:30:00Z", "one");
    row.as_array_mut().unwrap().extend([json!("2026-01-14T14:30:00Z"), json!(5)]);
    fake.answers("summarize n = count()", &frames(&[("n", "long")], json!([[9]]))).await;
    fake.answers("take p2", &frames(&columns, json!([row, { "OneApiErrors": [error] }]))).await;
    let page = Page { limit: 5, ..Page::default() };
    let reply = fake.adx.page(&context(), &search(None, vec![]), &page).await.unwrap();
    assert_eq!(reply.value.records.len(), 1);
    assert!(
        reply.partial[0].contains("could not give all of the result (LimitsExceeded)"),
        "{:?}",
        reply.partial
    );

    let fake = Fake::start().await;
    let body = json!([{ "FrameType": "DataSetCompletion", "HasErrors": true, "OneApiErrors": [error] }]);
    fake.answers("summarize n = count()", &body.to_string()).await;
    let error = fake.adx.total(&context(), &search(None, vec![])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooExpensive);
    assert!(
        error.to_string().contains("80DA0003") && error.advice().contains("shorter time_range"),
        "{error}"
    );
}

#[tokio::test]
async fn each_status_is_told_with_a_remedy() {
    let error = |code: &str, message: &str| {
        json!({ "error": { "code": code, "message": "Request is invalid.", "@message": message } })
            .to_string()
    };
    let semantic = error(
        "BadRequest_EntityNotFound",
        "Semantic error: SEM0100: 'where' operator: Failed to resolve column named 'Levl'",
    );
    let syntax = error(
        "General_BadRequest",
        "Syntax error: SYN0002: A recognition error occurred. [line:position=1:9]",
    );
    let denied = error("Forbidden", "Caller is not authorized to perform this action");
    for (status, kind, body, expected, said, remedy) in [
        (
            400,
            "application/json",
            semantic.as_str(),
            ErrorKind::InvalidArgument,
            "'Levl'",
            "keep the columns",
        ),
        (400, "application/json", syntax.as_str(), ErrorKind::InvalidArgument, "1:9", "mend the KQL"),
        (401, "text/plain", "", ErrorKind::Upstream, "401", "sign_in"),
        (403, "application/json", denied.as_str(), ErrorKind::Denied, "not authorized", "viewer"),
        (
            429,
            "application/json",
            error("TooManyRequests", "throttled").as_str(),
            ErrorKind::Upstream,
            "throttled",
            "wait",
        ),
        (
            502,
            "text/html",
            "<html><body>Bad Gateway</body></html>",
            ErrorKind::Upstream,
            "HTML page",
            "proxy",
        ),
        (
            200,
            "text/html",
            "<html>Sign in</html>",
            ErrorKind::Upstream,
            "something else than frames",
            "proxy",
        ),
        (
            200,
            "application/json",
            "{\"Tables\":[]}",
            ErrorKind::Upstream,
            "something else than frames",
            "proxy",
        ),
        (200, "application/json", "[]", ErrorKind::Upstream, "ends before its last frame", "operator"),
    ] {
        let fake = Fake::start().await;
        let reply =
            Reply::to("POST", QUERY.path).body_has("summarize n = count()").status(status).content_type(kind);
        fake.backend.reply(reply.header("retry-after", "7").text(body)).await;
        let error = fake.adx.total(&context(), &search(None, vec![])).await.unwrap_err();
        assert_eq!(error.kind(), expected, "{status} {error}");
        assert!(
            error.to_string().contains("adx \"main\"") && error.to_string().contains(said),
            "{status} {error}"
        );
        assert!(error.advice().contains(remedy), "{status} {}", error.advice());
        if status == 429 {
            assert_eq!(error.wait().map(|wait| wait.as_secs()), Some(7));
        }
    }
}

#[tokio::test]
async fn a_reply_that_is_too_large_makes_the_page_smaller() {
    let fake = Fake::start().await;
    let error: Value = serde_json::from_str(LIMIT).unwrap();
    let body =
        json!([{ "FrameType": "DataSetCompletion", "HasErrors": true, "OneApiErrors": [error] }]).to_string();
    let columns = [COLUMNS, &[("mcp_at", "datetime"), ("mcp_hash", "long")]].concat();
    fake.answers("summarize n = count()", &frames(&[("n", "long")], json!([[0]]))).await;
    fake.answers("long(101)", &body).await;
    fake.answers("long(26)", &frames(&columns, json!([]))).await;
    let page = Page { limit: 100, ..Page::default() };
    let reply = fake.adx.page(&context(), &search(None, vec![]), &page).await.unwrap();
    assert!(
        reply.partial.iter().any(|told| told.contains("a page holds 25 of the 100 asked for")),
        "{:?}",
        reply.partial
    );
}

#[tokio::test]
async fn a_count_of_which_a_part_failed_is_the_least_there_are_and_of_a_pattern_none() {
    let fake = Fake::start().await;
    let error: Value = serde_json::from_str(LIMIT).unwrap();
    let part = frames(&[("n", "long")], json!([[41], { "OneApiErrors": [error] }]));
    fake.answers("| summarize n = count()\"", &part).await;
    let reply = fake.adx.total(&context(), &search(None, vec![])).await.unwrap();
    assert_eq!((reply.value, reply.partial.len()), (Total::AtLeast(41), 1));

    let columns = [("mcp_like", "long"), ("n", "long")];
    let part = frames(&columns, json!([[0, 41], { "OneApiErrors": [error] }]));
    fake.answers("contains_cs", &part).await;
    let likes = [Like { fragments: vec!["pool".to_owned()] }];
    let reply = fake.adx.tallies(&context(), &search(None, vec![]), &likes).await.unwrap();
    assert_eq!((reply.value[0].count, reply.value[0].whole), (41, false));
}

#[tokio::test]
async fn a_database_must_be_named() {
    let source = SourceConfig { url: "http://127.0.0.1:1".to_owned(), ..SourceConfig::default() };
    let error = Adx::new(source, &LogsConfig::default(), Limits::default()).err().unwrap();
    assert!(error.to_string().contains("logs.database"), "{error}");
}
