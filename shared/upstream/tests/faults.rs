//! The way out under a misbehaving backend.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use contract::{Context, ErrorKind, ToolError};
use testkit::{
    proxy::{Fault, Misbehaving},
    recorded::{Recorded, Reply},
};
use upstream::{Ask, BasicAuth, Endpoint, Health, Limits, Method, SourceConfig, Upstream};

const GET: Endpoint = Endpoint { method: Method::Get, path: "/api/v1/labels" };
const POST: Endpoint = Endpoint { method: Method::Post, path: "/api/v1/query" };
const VALUES: Endpoint = Endpoint { method: Method::Get, path: "/api/v1/label/{}/values" };

fn cx() -> Context {
    Context::for_test("2026-01-14T14:32:00Z".parse().unwrap())
}

fn limits() -> Limits {
    Limits { upstream_timeout_seconds: 1, max_reply_bytes: 1 << 20, ..Limits::default() }
}

fn at(url: &str) -> SourceConfig {
    SourceConfig { url: url.to_owned(), ..SourceConfig::default() }
}

fn upstream(url: &str) -> Upstream {
    Upstream::new("prometheus", at(url), limits()).unwrap()
}

/// The outcome of one request in a word: the kind of error, or the status.
async fn outcome(fault: Fault) -> String {
    let backend = Misbehaving::start(fault);
    let result = upstream(&backend.url()).fetch(&cx(), &Ask::of(GET)).await;
    assert_eq!(backend.redirect_hits(), 0);
    match result {
        Ok(reply) => reply.status.to_string(),
        Err(error) => error.kind().to_owned(),
    }
}

#[tokio::test]
async fn every_fault_of_the_transport_is_told_apart() {
    let expected = [
        (Fault::RefuseConnection, "unreachable"),
        (Fault::AcceptAndHang, "timeout"),
        (Fault::HangAfterHeaders, "timeout"),
        (Fault::Trickle, "timeout"),
        (Fault::SlowHeaders, "timeout"),
        (Fault::ResetMidBody, "unreachable"),
        (Fault::CloseMidBody, "unreachable"),
        (Fault::NotHttp, "unreachable"),
        (Fault::EndlessHeaders, "unreachable"),
        (Fault::Redirect, "redirect"),
        (Fault::HugeBody, "too_large"),
        (Fault::GzipBomb, "too_large"),
        (Fault::Status500Html, "500"),
        (Fault::Status502Plain, "502"),
        (Fault::Status503, "503"),
        (Fault::Status429RetryAfter, "429"),
        (Fault::Status401, "401"),
        (Fault::Status403, "403"),
        (Fault::EmptyBody, "200"),
        (Fault::BinaryJunk, "200"),
    ];
    for (fault, expected) in expected {
        // A body that breaks off may be told as a broken connection or as an unreadable body.
        let seen = outcome(fault).await;
        let breaks_off = matches!(fault, Fault::ResetMidBody | Fault::CloseMidBody) && seen == "protocol";
        assert!(seen == expected || breaks_off, "{fault:?}: {seen}, expected {expected}");
    }
}

#[tokio::test]
async fn the_deadline_covers_the_whole_exchange_and_what_was_sent_is_noted() {
    let backend = Misbehaving::start(Fault::Trickle);
    let (upstream, cx, began) = (upstream(&backend.url()), cx(), Instant::now());
    let error = upstream.fetch(&cx, &Ask::of(GET)).await.unwrap_err();
    assert_eq!(error.to_string(), "prometheus \"main\" did not answer within 1s");
    assert!(began.elapsed() < Duration::from_millis(1_500), "{:?}", began.elapsed());
    let calls = cx.trail.calls();
    assert_eq!(
        (calls.len(), calls[0].outcome, calls[0].endpoint.as_str()),
        (1, "timeout", "GET /api/v1/labels")
    );
    assert_eq!(calls[0].status, Some(200));
    assert_eq!(upstream.health(), Health::Down("timeout".to_owned()));
}

#[tokio::test]
async fn a_dropped_request_closes_its_connection_within_200_ms_and_is_noted_as_cancelled() {
    let backend = Misbehaving::start(Fault::AcceptAndHang);
    let (upstream, cx) = (upstream(&backend.url()), cx());
    let ask = Ask::of(GET);
    let waiting = tokio::time::timeout(Duration::from_millis(300), upstream.fetch(&cx, &ask)).await;
    assert!(waiting.is_err());
    assert!(backend.closed_within(Duration::from_millis(200)).await.is_some());
    assert_eq!(cx.trail.calls()[0].outcome, "cancelled");
}

#[tokio::test]
async fn a_failing_read_is_tried_at_most_three_times_within_the_retry_budget() {
    let backend = Recorded::start().await;
    backend
        .reply(
            Reply::to("GET", "/api/v1/labels").status(503).content_type("text/plain").text("busy").at_most(2),
        )
        .await;
    backend.reply(Reply::to("GET", "/api/v1/labels").text("{}")).await;
    let (upstream, cx) = (upstream(&backend.url()), cx());
    assert_eq!(upstream.fetch(&cx, &Ask::of(GET)).await.unwrap().status, 200);
    let outcomes: Vec<_> = cx.trail.calls().iter().map(|call| (call.status.unwrap(), call.outcome)).collect();
    assert_eq!(outcomes, [(503, "status"), (503, "status"), (200, "ok")]);

    let down = Recorded::start().await;
    down.reply(Reply::to("GET", "/api/v1/labels").status(503).content_type("text/plain").text("busy")).await;
    let upstream = Upstream::new("prometheus", at(&down.url()), limits()).unwrap();
    for _ in 0..40 {
        let _ = upstream.fetch(&self::cx(), &Ask::of(GET)).await;
    }
    // The breaker opens after five failures; until then the budget allows one retry a second for ten seconds at
    // the most, and one for five requests.
    assert!(down.requests().len() <= 16, "{} requests for 40 questions", down.requests().len());
}

#[tokio::test]
async fn the_breaker_opens_after_five_failures_and_says_when_it_closes() {
    let backend = Misbehaving::start(Fault::RefuseConnection);
    let upstream =
        Upstream::new("prometheus", at(&backend.url()), Limits { max_retries: 0, ..limits() }).unwrap();
    for _ in 0..5 {
        assert_eq!(upstream.fetch(&cx(), &Ask::of(GET)).await.unwrap_err().kind(), "unreachable");
    }
    let error: ToolError = upstream.fetch(&cx(), &Ask::of(GET)).await.unwrap_err().into();
    assert_eq!(error.to_string(), "prometheus \"main\" failed 5 times in a row and is left alone for now");
    assert!(error.wait().unwrap() <= Duration::from_secs(10));
    assert_eq!(error.kind(), ErrorKind::Upstream);
}

#[tokio::test]
async fn too_many_requests_at_once_are_told_that_the_backend_is_busy() {
    let backend = Misbehaving::start(Fault::AcceptAndHang);
    let limits = Limits { max_concurrent_requests: 2, upstream_timeout_seconds: 4, ..limits() };
    let upstream = Arc::new(Upstream::new("prometheus", at(&backend.url()), limits).unwrap());
    let (first, second, third) = (cx(), cx(), cx());
    let ask = Ask::of(GET);
    let (_, _, busy) = tokio::join!(
        tokio::time::timeout(Duration::from_secs(3), upstream.fetch(&first, &ask)),
        tokio::time::timeout(Duration::from_secs(3), upstream.fetch(&second, &ask)),
        upstream.fetch(&third, &ask),
    );
    let error: ToolError = busy.unwrap_err().into();
    assert_eq!(error.kind(), ErrorKind::Busy);
}

#[tokio::test]
async fn equal_questions_at_the_same_time_are_one_and_a_minute_later_still_known() {
    let backend = Recorded::start().await;
    backend.reply(Reply::to("GET", "/api/v1/labels").query("match[]", "a").text("A")).await;
    backend.reply(Reply::to("GET", "/api/v1/labels").query("match[]", "b").text("B")).await;
    let (upstream, first, second, third) = (upstream(&backend.url()), cx(), cx(), cx());
    let (a, b) = (Ask::of(GET).with("match[]", "a"), Ask::of(GET).with("match[]", "b"));
    let (one, two, other) = tokio::join!(
        upstream.fetch_cached(&first, &a),
        upstream.fetch_cached(&second, &a),
        upstream.fetch_cached(&third, &b)
    );
    assert_eq!(
        (one.unwrap().body.as_ref(), two.unwrap().body.as_ref(), other.unwrap().body.as_ref()),
        (&b"A"[..], &b"A"[..], &b"B"[..])
    );
    assert_eq!(backend.requests().len(), 2);
    let outcomes = [first.trail.calls()[0].outcome, second.trail.calls()[0].outcome];
    assert!(outcomes.contains(&"ok") && outcomes.contains(&"cached"), "{outcomes:?}");

    let mut tenant = cx();
    tenant.tenant = Some("b".to_owned());
    upstream.fetch_cached(&tenant, &a).await.unwrap();
    assert_eq!(backend.requests().len(), 3, "another tenant asks for itself");
}

#[tokio::test]
async fn a_cancelled_leader_does_not_fail_those_who_wait_for_its_answer() {
    let slow = Misbehaving::start(Fault::AcceptAndHang);
    let upstream = Arc::new(upstream(&slow.url()));
    let (leader, follower, ask) = (cx(), cx(), Ask::of(GET));
    let leading = tokio::time::timeout(Duration::from_millis(200), upstream.fetch_cached(&leader, &ask));
    let following = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        upstream.fetch_cached(&follower, &ask).await
    };
    let (cancelled, asked_itself) = tokio::join!(leading, following);
    assert!(cancelled.is_err());
    assert_eq!(
        asked_itself.unwrap_err().kind(),
        "timeout",
        "it asked for itself, with a deadline of its own"
    );
    assert_eq!(follower.trail.calls().last().unwrap().outcome, "timeout");
}

#[tokio::test]
async fn errors_are_not_kept() {
    let backend = Recorded::start().await;
    backend.reply(Reply::to("GET", "/api/v1/labels").status(404).text("no").at_most(1)).await;
    backend.reply(Reply::to("GET", "/api/v1/labels").text("yes")).await;
    let upstream = upstream(&backend.url());
    assert_eq!(upstream.fetch_cached(&cx(), &Ask::of(GET)).await.unwrap().status, 404);
    assert_eq!(upstream.fetch_cached(&cx(), &Ask::of(GET)).await.unwrap().status, 200);
}

#[tokio::test]
async fn whatever_is_in_a_segment_or_parameter_stays_there() {
    let backend = Recorded::start().await;
    let upstream = upstream(&format!("{}/prefix/", backend.url()));
    let hostile =
        ["../../-/reload", "..", "a/b", "?x=y", "#f", "%2e%2e", "http://evil.example/", "\u{0}\n", "é"];
    for text in hostile {
        let _ = upstream.fetch(&cx(), &Ask::of(VALUES).segment(text).with("match[]", text)).await;
        let _ = upstream.fetch(&cx(), &Ask::of(POST).with("query", text)).await;
    }
    for seen in backend.requests() {
        let segments: Vec<&str> = seen.path.split('/').collect();
        let known = seen.path == "/prefix/api/v1/query"
            || (segments.len() == 7
                && seen.path.starts_with("/prefix/api/v1/label/")
                && seen.path.ends_with("/values"));
        assert!(known, "{} {}", seen.method, seen.path);
    }
}

#[tokio::test]
async fn credentials_come_from_the_configuration_and_a_rotated_token_is_read_again() {
    let backend = Recorded::start().await;
    backend.reply(Reply::to("GET", "/api/v1/labels").status(401).text("expired").at_most(1)).await;
    backend.reply(Reply::to("GET", "/api/v1/labels").text("{}")).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, "first\n").unwrap();
    let mut config = at(&backend.url());
    config.bearer_token_file = Some(file.clone());
    config.tenant = Some("shop".to_owned());
    config.headers.insert("X-Proxy-Key".to_owned(), "opensesame".to_owned().into());
    let upstream = Upstream::new("prometheus", config, limits()).unwrap();
    assert!(!format!("{upstream:?}").contains("opensesame"));
    let cx = cx();
    upstream.fetch(&cx, &Ask::of(GET)).await.unwrap();
    std::fs::write(&file, "second\n").unwrap();
    let seen = backend.requests();
    assert_eq!(seen.len(), 2, "401, then once more");
    assert_eq!(seen[0].header("authorization"), Some("Bearer first"));
    assert_eq!(
        (seen[0].header("x-scope-orgid"), seen[0].header("x-proxy-key")),
        (Some("shop"), Some("opensesame"))
    );

    let mut config = at(&backend.url());
    config.basic = Some(BasicAuth {
        username: "Aladdin".to_owned(),
        password: Some("open sesame".to_owned().into()),
        password_file: None,
    });
    Upstream::new("prometheus", config, limits()).unwrap().fetch(&self::cx(), &Ask::of(GET)).await.unwrap();
    // The example of RFC 7617.
    assert_eq!(backend.requests()[2].header("authorization"), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
}

#[tokio::test]
async fn a_setting_that_cannot_be_used_is_named_on_the_first_call_not_at_the_start() {
    let mut config = at("https://127.0.0.1:1");
    config.ca_file = Some("no/such/ca.pem".into());
    let upstream = Upstream::new("prometheus", config, limits()).unwrap();
    let error = upstream.fetch(&cx(), &Ask::of(GET)).await.unwrap_err();
    assert_eq!(error.kind(), "setup");
    assert!(error.to_string().contains("`ca_file` of source \"main\": can't read no/such/ca.pem"), "{error}");
    for (url, problem) in [
        ("", "is not a URL"),
        ("localhost:9090", "the scheme must be http or https"),
        ("http://u:p@host", "holds credentials"),
        ("http://u:p@host:99999", "is not a URL"),
        ("http://host/?a=b", "holds a query or fragment"),
    ] {
        let error = Upstream::new("prometheus", at(url), limits()).unwrap_err();
        assert!(error.to_string().contains(problem), "{url}: {error}");
        assert!(!error.to_string().contains("u:p") && !error.to_string().contains("99999"), "{error}");
    }
}

#[tokio::test]
async fn a_recorded_backend_answers_from_its_recording_and_sends_nothing() {
    let replies = std::collections::BTreeMap::from([(GET.path, upstream::Bytes::from_static(b"[]"))]);
    let recorded = Upstream::recorded("alertmanager", "checkout-incident", replies).unwrap();
    let cx = cx();
    assert_eq!(recorded.fetch(&cx, &Ask::of(GET)).await.unwrap().body.as_ref(), b"[]");
    assert_eq!(recorded.fetch(&cx, &Ask::of(VALUES).segment("x")).await.unwrap().status, 404);
    assert_eq!(cx.trail.calls()[0].outcome, "recorded");
    assert_eq!(recorded.system(), "alertmanager \"checkout-incident\"");
}

#[tokio::test]
async fn only_what_says_that_a_backend_is_away_counts_against_it_and_only_for_a_while() {
    let large = Misbehaving::start(Fault::HugeBody);
    let upstream = upstream(&large.url());
    assert_eq!(upstream.fetch(&cx(), &Ask::of(GET)).await.unwrap_err().kind(), "too_large");
    assert_eq!(
        upstream.health(),
        Health::Unknown,
        "a reply that is too large comes from a backend that works"
    );
    for (fault, health) in [
        (Fault::Status403, Health::Up),
        (Fault::Status401, Health::Down("HTTP 401".to_owned())),
        (Fault::Status502Plain, Health::Down("HTTP 502".to_owned())),
        (Fault::RefuseConnection, Health::Down("unreachable".to_owned())),
    ] {
        let backend = Misbehaving::start(fault);
        let upstream = self::upstream(&backend.url());
        let _ = upstream.fetch(&cx(), &Ask::of(GET)).await;
        assert_eq!(upstream.health(), health, "{fault:?}");
    }
}

#[tokio::test]
async fn a_body_of_json_goes_beside_the_query_string_and_headers_tie_logs_together() {
    let backend = Recorded::start().await;
    backend.reply(Reply::to("POST", "/api/v1/query").query("timeout", "10s").text("{}")).await;
    let body = r#"{"query":{"match_all":{}}}"#;
    let ask = Ask::of(POST).with("timeout", "10s").header("X-Opaque-Id", "7f3a91c2").json(body);
    assert_eq!(upstream(&backend.url()).fetch(&cx(), &ask).await.unwrap().status, 200);
    let seen = &backend.requests()[0];
    assert_eq!(seen.body, body.as_bytes());
    for (name, value) in [("content-type", "application/json"), ("x-opaque-id", "7f3a91c2")] {
        assert!(seen.headers.contains(&(name.to_owned(), value.to_owned())), "{:?}", seen.headers);
    }
}

#[tokio::test]
async fn an_api_key_signs_in() {
    let backend = Recorded::start().await;
    backend.reply(Reply::to("GET", "/api/v1/labels").text("{}")).await;
    let config = SourceConfig { api_key: Some("aWQ6a2V5a2V5".into()), ..at(&backend.url()) };
    let upstream = Upstream::new("elasticsearch", config, limits()).unwrap();
    upstream.fetch(&cx(), &Ask::of(GET)).await.unwrap();
    let expected = ("authorization".to_owned(), "ApiKey aWQ6a2V5a2V5".to_owned());
    assert!(backend.requests()[0].headers.contains(&expected));
}
