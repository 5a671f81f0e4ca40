//! Every way in which a system, or something before it, says no.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

mod common;

use std::time::Duration;

use common::{at, client, client_with, cx, fake, recorded};
use contract::{CallId, Context, ErrorKind, Intake, ToolError, render};
use prometheus::{Error, QueryOptions, RejectionKind};
use redact::{Redactor, RedactorConfig, Vault};
use testkit::{
    proxy::{Fault, Misbehaving},
    recorded::{Recorded, Reply},
};
use upstream::{Limits, UpstreamError};

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html";

async fn refused(status: u16, content_type: &str, body: &[u8]) -> Error {
    let (_backend, client) = fake("POST", "/api/v1/query", status, content_type, body).await;
    client.instant(&cx(), "up", at(1_795_220_770), QueryOptions::default()).await.unwrap_err()
}

/// What the caller is told: the kind, and the text.
fn told(error: Error) -> (ErrorKind, String) {
    let error = ToolError::from(error);
    (error.kind(), render::error(&error, &CallId("00000000".to_owned())).text)
}

/// A status, a content type and a body; what the error says; its kind for the guard; what the remedy says.
type Case<'a> = (u16, &'a str, &'a [u8], &'a str, ErrorKind, &'a str);

async fn check(cases: &[Case<'_>]) {
    for (status, content_type, body, says, kind, remedy) in cases {
        let error = refused(*status, content_type, body).await;
        let said = error.to_string();
        assert!(said.contains(says), "{said}\nshould say {says}");
        let (told_kind, text) = told(error);
        assert_eq!(told_kind, *kind, "{said}");
        assert!(text.contains(remedy), "{text}\nshould say {remedy}");
    }
}

/// The recorded place is that in a query of plain text, column 34; within one that holds a token it would be another's.
#[tokio::test]
async fn a_place_in_a_query_that_was_sent_with_the_value_of_a_token_is_not_told() {
    let parse = recorded("prometheus-3/query_error_parse.json");
    let (_backend, client) = fake("POST", "/api/v1/query", 400, JSON, &parse).await;
    let redactor = Redactor::new(RedactorConfig { key: [7; 32], enabled: true });
    let intake = Intake::new(redactor).remembering(Vault::new(), "anna".to_owned());
    let cx = Context { intake, ..cx() };
    let token = cx.intake.text("ada.l@example.com").inside().to_owned();
    for (query, is_told) in [("sum(up".to_owned(), true), (format!("sum(up{{user=\"{token}\"}}"), false)] {
        let asked = client.instant(&cx, &query, at(1_795_220_770), QueryOptions::default()).await;
        let said = asked.unwrap_err().to_string();
        assert!(said.contains("unclosed left parenthesis"), "{said}");
        assert_eq!((said.contains("column 34"), said.contains("1:34")), (is_told, is_told), "{said}");
    }
}

#[tokio::test]
async fn prometheus_says_what_is_wrong_and_where() {
    let file = |name: &str| recorded(&format!("prometheus-3/{name}.json"));
    let (parse, execution) = (file("query_error_parse"), file("query_error_execution"));
    let (timeout, deadline) = (file("query_error_timeout"), file("query_error_deadline"));
    let (samples, points) = (file("query_error_samples"), file("range_error_points"));
    let missing = file("query_error_missing");
    check(&[
        (
            400,
            JSON,
            &parse,
            "prometheus \"main\" refused it at line 1, column 34 (bad_data, HTTP 400): «invalid parameter \"query\": \
             1:34: parse error: unclosed left parenthesis»",
            ErrorKind::InvalidArgument,
            "mend the expression",
        ),
        (
            400,
            JSON,
            &missing,
            "refused it (bad_data, HTTP 400): «invalid parameter \"query\": unknown position",
            ErrorKind::InvalidArgument,
            "mend the expression",
        ),
        (
            422,
            JSON,
            &execution,
            "refused it (execution, HTTP 422): «found duplicate series for the match group",
            ErrorKind::InvalidArgument,
            "label matching",
        ),
        (503, JSON, &timeout, "refused it (timeout, HTTP 503)", ErrorKind::Timeout, "ask for less"),
        (422, JSON, &deadline, "refused it (timeout, HTTP 422)", ErrorKind::Timeout, "ask for less"),
        (422, JSON, &samples, "(execution, HTTP 422)", ErrorKind::TooExpensive, "limit of samples in memory"),
        (400, JSON, &points, "(bad_data, HTTP 400)", ErrorKind::TooExpensive, "limit of points for one series"),
    ])
    .await;
}

/// Bodies: an end-to-end test of Thanos (thanos-io/thanos#6325) and an issue of Cortex (cortexproject/cortex#5285).
#[tokio::test]
async fn thanos_and_cortex_name_the_limits_of_their_stores() {
    let thanos = br#"{"status":"error","errorType":"execution","error":"expanding series: proxy Series(): rpc error: code = Aborted desc = receive series from Addr: store-gw-1:9091: rpc error: code = ResourceExhausted desc = exceeded bytes limit while fetching postings: limit 1 violated (got 8)"}"#;
    let cortex = br#"{"status":"error","errorType":"internal","error":"failed to receive series from 10.0.35.137:9095: rpc error: code = ResourceExhausted desc = exceeded series limit: rpc error: code = Code(422) desc = limit 12000 violated (got 12704)"}"#;
    check(&[
        (
            422,
            JSON,
            thanos,
            "(execution, HTTP 422)",
            ErrorKind::TooExpensive,
            "store's limit of bytes for one query",
        ),
        (
            500,
            JSON,
            cortex,
            "(internal, HTTP 500)",
            ErrorKind::TooExpensive,
            "store's limit of series for one query",
        ),
    ])
    .await;
}

/// Bodies: Mimir's integration tests (`integration/querier_test.go`), its list of error ids
/// (`pkg/util/globalerror/user.go`), its error types (`pkg/api/error/error.go`), and its runbooks.
#[tokio::test]
async fn mimir_names_the_limit_by_its_id_in_json_and_in_plain_text() {
    let series = br#"{"status":"error","errorType":"execution","error":"expanding series: the query exceeded the maximum number of series (limit: 3 series) (err-mimir-max-series-per-query). To adjust the related per-tenant limit, configure -querier.max-fetched-series-per-query, or contact your service administrator."}"#;
    let length = b"the total query time range exceeds the limit (query length: 744h0m0s, limit: 720h0m0s) (err-mimir-max-total-query-length). To adjust the related per-tenant limit, configure -query-frontend.max-total-query-length, or contact your service administrator.";
    let blocked = br#"{"status":"error","errorType":"bad_data","error":"the request has been blocked by the cluster administrator (err-mimir-query-blocked)"}"#;
    let unknown =
        br#"{"status":"error","errorType":"execution","error":"too much (err-mimir-max-something-new)"}"#;
    let rate =
        br#"{"status":"error","errorType":"too_many_requests","error":"too many outstanding requests"}"#;
    let large = br#"{"status":"error","errorType":"too_large_entry","error":"grpc: received message larger than max"}"#;
    check(&[
        (
            422,
            JSON,
            series,
            "(execution, HTTP 422)",
            ErrorKind::TooExpensive,
            "Mimir's limit of series for one query",
        ),
        (
            422,
            TEXT,
            length,
            "(execution, HTTP 422)",
            ErrorKind::TooExpensive,
            "Mimir's limit of a query's whole time",
        ),
        (
            400,
            JSON,
            blocked,
            "(bad_data, HTTP 400)",
            ErrorKind::Denied,
            "an operator of Mimir blocked this query",
        ),
        (
            422,
            JSON,
            unknown,
            "(execution, HTTP 422)",
            ErrorKind::TooExpensive,
            "a limit of Mimir that the message",
        ),
        (429, JSON, rate, "(too_many_requests, HTTP 429)", ErrorKind::Upstream, "wait"),
        (413, JSON, large, "(too_large, HTTP 413)", ErrorKind::TooExpensive, "ask for less"),
        (
            401,
            TEXT,
            b"no org id\n",
            "\"main\" answered HTTP 401: «no org id»",
            ErrorKind::Upstream,
            "credentials",
        ),
    ])
    .await;
}

/// Bodies: VictoriaMetrics' source (`app/vmselect/prometheus/error_response.qtpl`, `lib/storage/index_db.go`).
#[tokio::test]
async fn victoriametrics_writes_the_status_where_others_write_the_kind() {
    let parse = br#"{"status":"error","errorType":"422","error":"error when executing query=\"sum(111g11\" for (time=1669600800000, step=60000): argList: unexpected token \"g11\""}"#;
    let series = br#"{"status":"error","errorType":"422","error":"the number of matching timeseries exceeds 300000; either narrow down the search or increase -search.max* command-line flag values (the most likely limit is -search.maxUniqueTimeseries)"}"#;
    let slow = br#"{"status":"error","errorType":"503","error":"cannot execute query in 5s: deadline exceeded; increase -search.maxQueryDuration"}"#;
    let busy = br#"{"status":"error","errorType":"503","error":"cannot handle more concurrent requests; increase -search.maxConcurrentRequests"}"#;
    check(&[
        (422, JSON, parse, "(execution, HTTP 422)", ErrorKind::InvalidArgument, "unexpected token"),
        (422, JSON, series, "(execution, HTTP 422)", ErrorKind::TooExpensive, "a limit of VictoriaMetrics"),
        (503, JSON, slow, "(timeout, HTTP 503)", ErrorKind::TooExpensive, "limit of a query's duration"),
        (503, JSON, busy, "(unavailable, HTTP 503)", ErrorKind::Upstream, "wait"),
    ])
    .await;
}

#[tokio::test]
async fn a_kind_we_do_not_know_keeps_its_name() {
    let body = br#"{"status":"error","errorType":"out_of_coffee","error":"brewing"}"#;
    let error = refused(418, JSON, body).await;
    let Error::Rejected { kind: RejectionKind::Other(name), status: 418, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(name.inside(), "out_of_coffee");
    assert_eq!(error.to_string(), "prometheus \"main\" refused it (out_of_coffee, HTTP 418): brewing");
}

#[tokio::test]
async fn an_error_without_a_kind_or_with_status_200_is_an_error() {
    let error = refused(400, JSON, br#"{"status":"error","error":"bad"}"#).await;
    assert!(matches!(&error, Error::Rejected { kind: RejectionKind::BadData, .. }), "{error}");
    let error = refused(200, JSON, br#"{"status":"error","errorType":"execution","error":"late"}"#).await;
    assert!(matches!(&error, Error::Rejected { kind: RejectionKind::Execution, status: 200, .. }), "{error}");
    let error =
        refused(422, JSON, br#"{"status":"error","errorType":"422","error":"bad query","data":null}"#).await;
    assert!(matches!(&error, Error::Rejected { kind: RejectionKind::Execution, .. }), "{error}");
}

#[tokio::test]
async fn what_stands_before_a_system_is_quoted_briefly() {
    let page = b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center>nginx</center></body></html>";
    let login = b"<!DOCTYPE html><html><head><title>Sign in to Example</title></head></html>";
    let not_found = recorded("prometheus-3/unknown_path.txt");
    let long = vec![b'x'; 100_000];
    check(&[
        (502, HTML, page, "answered HTTP 502: «502 Bad Gateway»", ErrorKind::Upstream, "unwell"),
        (
            403,
            HTML,
            login,
            "answered HTTP 403: «Sign in to Example»",
            ErrorKind::Upstream,
            "operator must grant",
        ),
        (404, TEXT, &not_found, "answered HTTP 404: «404 page not found»", ErrorKind::Upstream, "URL"),
        (
            403,
            JSON,
            br#"{"message":"Forbidden"}"#,
            "answered HTTP 403: Forbidden",
            ErrorKind::Upstream,
            "operator",
        ),
        (500, TEXT, b"", "answered HTTP 500", ErrorKind::Upstream, "unwell"),
        (400, TEXT, &long, "…(+3800 characters)»", ErrorKind::Upstream, "refused the request"),
        (
            200,
            HTML,
            login,
            "a web page titled «Sign in to Example» came instead of JSON",
            ErrorKind::Upstream,
            "login",
        ),
        (
            200,
            TEXT,
            login,
            "a web page titled «Sign in to Example» came instead of JSON",
            ErrorKind::Upstream,
            "login",
        ),
        (
            200,
            "application/xml",
            b"<a/>",
            "the reply is application/xml, not a JSON",
            ErrorKind::Upstream,
            "proxy",
        ),
    ])
    .await;
}

#[tokio::test]
async fn json_is_json_whatever_its_content_type_says() {
    let body = recorded("prometheus-3/query_scalar.json");
    for content_type in [TEXT, HTML, "", "application/octet-stream"] {
        let (_backend, client) = fake("POST", "/api/v1/query", 200, content_type, &body).await;
        let reply = client.instant(&cx(), "up", at(1_795_220_770), QueryOptions::default()).await;
        assert!(reply.is_ok(), "{content_type}: {reply:?}");
    }
}

#[tokio::test]
async fn the_wait_a_system_asks_for_reaches_the_caller() {
    let body = br#"{"status":"error","errorType":"too_many_requests","error":"slow down"}"#;
    let backend = Recorded::start().await;
    backend
        .reply(Reply::to("POST", "/api/v1/query").status(429).header("Retry-After", "7").bytes(body))
        .await;
    let client = client(&backend.url());
    let error = client.instant(&cx(), "up", at(1_795_220_770), QueryOptions::default()).await.unwrap_err();
    assert_eq!(ToolError::from(error).wait(), Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn what_a_system_says_is_masked() {
    let error = refused(500, TEXT, b"connect failed: password=hunter2hunter2").await;
    assert!(!error.to_string().contains("hunter2"), "{error}");
    let body = br#"{"status":"error","errorType":"internal","error":"password=hunter2hunter2"}"#;
    let error = refused(500, JSON, body).await;
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
}

/// Everything that can go wrong on the wire ends in an error that says so, soon.
#[tokio::test]
async fn a_misbehaving_backend_is_an_error_in_its_own_words() {
    let cases = [
        (Fault::RefuseConnection, "can't connect (Connection refused"),
        (Fault::ResetMidBody, "Connection reset by peer"),
        (Fault::Redirect, "redirect"),
        (Fault::Status500Html, "HTTP 500: 500"),
        (Fault::Status502Plain, "HTTP 502: «upstream went away»"),
        (Fault::Status503, "HTTP 503: overloaded"),
        (Fault::WrongContentType, "a web page titled «Sign in» came instead of JSON"),
        (Fault::InvalidJson, "JSON of another form than the API promises"),
        (Fault::EmptyBody, "the reply is empty"),
        (Fault::TruncatedJson, "the reply ends in the middle, after 59 bytes"),
        (Fault::HugeBody, "larger than 100000 bytes"),
        (Fault::GzipBomb, "larger than 100000 bytes"),
        (Fault::BinaryJunk, "not a JSON object"),
        (Fault::AcceptAndHang, "did not answer within"),
        (Fault::Trickle, "did not answer within"),
    ];
    for (fault, says) in cases {
        let backend = Misbehaving::start(fault);
        let limits = Limits { max_retries: 0, max_reply_bytes: 100_000, ..Limits::default() };
        let client = client_with(&backend.url(), limits);
        let mut cx = cx();
        cx.deadline = std::time::Instant::now() + Duration::from_millis(700);
        let error = client.instant(&cx, "up", at(1_795_220_770), QueryOptions::default()).await.unwrap_err();
        assert!(matches!(error, Error::Upstream(_)), "{fault:?}: {error}");
        assert!(error.to_string().contains(says), "{fault:?}: {error}\nshould say {says}");
        assert!(
            !error.to_string().contains(backend.url().trim_start_matches("http://")),
            "{fault:?}: {error}"
        );
    }
}

#[tokio::test]
async fn json_that_is_too_deep_is_an_error_not_a_crash() {
    let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
    for around in
        [r#"{"status":"success","data":"#, r#"{"status":"error","errorType":"x","error":"y","data":"#]
    {
        let body = [around.as_bytes(), &deep, b"}"].concat();
        for status in [200, 400] {
            let error = refused(status, JSON, &body).await;
            assert!(
                matches!(
                    error,
                    Error::Upstream(UpstreamError::Protocol { .. } | UpstreamError::Status { .. })
                ) || matches!(error, Error::Rejected { .. }),
                "{error}"
            );
        }
    }
}
