//! Instant and range queries: what is sent, and what is understood of real replies.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

mod common;

use std::time::{Duration, Instant};

use common::{at, client, client_with, cx, fake, recorded, replay};
use contract::TimeRange;
use prometheus::{Data, ENDPOINTS, Error, QueryOptions, QueryReply, Series};
use testkit::recorded::{Recorded, Reply};
use upstream::{Limits, SourceConfig, UpstreamError};

const QUERY: &str = "/api/v1/query";
const RANGE: &str = "/api/v1/query_range";

async fn instant(file: &str) -> QueryReply {
    let (_backend, client) = replay("POST", QUERY, file).await;
    client.instant(&cx(), "up", at(1_795_220_770), QueryOptions::default()).await.unwrap()
}

fn points(series: &Series) -> Vec<(i64, f64)> {
    series.points.iter().map(|point| (point.at, point.value)).collect()
}

#[tokio::test]
async fn a_vector_is_its_series_in_the_order_of_the_server() {
    let Data::Vector(series) = instant("prometheus-3/query_vector.json").await.data else { panic!() };
    let values: Vec<f64> = series.iter().map(|series| series.points[0].value).collect();
    assert_eq!(values, [2556.0, 2599.0, 28.0, 27.0, 336.0, 331.0, 129.0, 114.0]);
    assert_eq!(
        series[0].labels.text(),
        "http_requests_total{code=200, instance=127.0.0.1:8080, job=load, method=POST, route=/checkout, \
         service=checkout}"
    );
    assert_eq!(series[0].points[0].at, 1_795_220_770_310);
}

#[tokio::test]
async fn values_that_are_not_finite_stay_what_they_are() {
    let Data::Vector(series) = instant("prometheus-3/query_vector_not_finite.json").await.data else {
        panic!()
    };
    let text: Vec<String> = series.iter().map(|series| series.points[0].value.to_string()).collect();
    assert_eq!(text, ["0.93", "NaN", "5", "inf"]);
}

#[tokio::test]
async fn a_matrix_keeps_its_moments_and_its_gaps() {
    let Data::Matrix(series) = instant("prometheus-3/query_matrix.json").await.data else { panic!() };
    let expected = [
        (1_795_220_774_444, 31.0),
        (1_795_220_775_447, 30.0),
        (1_795_220_776_444, 30.0),
        (1_795_220_777_444, 33.0),
        (1_795_220_778_444, 31.0),
    ];
    assert_eq!(points(&series[0]), expected);

    let (_backend, client) = replay("POST", RANGE, "prometheus-3/range_matrix_gaps.json").await;
    let window = TimeRange::new(at(1_795_220_708), at(1_795_220_768)).unwrap();
    let reply =
        client.range(&cx(), "x", window, Duration::from_secs(1), QueryOptions::default()).await.unwrap();
    // 29 of 60 moments: counted in the file with `grep -o`.
    assert_eq!(reply.data.series()[0].points.len(), 29);
}

#[tokio::test]
async fn scalars_texts_and_empty_results_are_told_apart() {
    let Data::Scalar(scalar) = instant("prometheus-3/query_scalar.json").await.data else { panic!() };
    assert_eq!((scalar.at, scalar.value), (1_795_220_780_248, 1.5));
    let Data::Text(text) = instant("prometheus-3/query_string.json").await.data else { panic!() };
    assert_eq!(text.inside(), "a string");
    assert_eq!(instant("prometheus-3/query_vector_empty.json").await.data, Data::Vector(Vec::new()));
}

#[tokio::test]
async fn names_may_hold_any_character() {
    let reply = instant("prometheus-3/query_vector_utf8.json").await;
    let labels = &reply.data.series()[0].labels;
    assert_eq!(labels.name().unwrap().inside(), "queue.oldest.message.age");
    assert_eq!(labels.get("queue.name").unwrap().inside(), "emails");
}

#[tokio::test]
async fn warnings_and_infos_reach_the_caller() {
    let warned = instant("prometheus-3/query_warnings.json").await;
    let warning = "PromQL warning: quantile value should be between 0 and 1, got 2 (1:20)";
    assert_eq!(warned.warnings.iter().map(|text| text.inside()).collect::<Vec<_>>(), [warning]);
    assert!(warned.infos.is_empty());

    let informed = instant("prometheus-3/query_infos.json").await;
    assert!(informed.warnings.is_empty());
    assert_eq!(informed.infos.len(), 1);
    assert!(informed.infos[0].inside().ends_with("\"queue_depth\" (1:6)"), "{:?}", informed.infos);
}

#[tokio::test]
async fn the_samples_read_are_told_by_old_and_new_servers() {
    for file in ["prometheus-3/query_vector_stats.json", "prometheus-2/query_vector_stats.json"] {
        assert_eq!(instant(file).await.samples_read, Some(1080), "{file}");
    }
    assert_eq!(instant("prometheus-3/query_vector.json").await.samples_read, None);
}

/// Forms of the source of VictoriaMetrics 1.1xx (`app/vmselect/prometheus/query_response.qtpl`), whose cluster
/// version adds `isPartial`.
#[tokio::test]
async fn a_partial_reply_of_victoriametrics_carries_a_warning() {
    let body = br#"{"status":"success","isPartial":true,"data":{"resultType":"vector","result":[
        {"metric":{"__name__":"up"},"value":[1700000000,"1"]}]},
        "stats":{"seriesFetched":"1","executionTimeMsec":2}}"#;
    let (_backend, client) = fake("POST", QUERY, 200, "application/json", body).await;
    let reply = client.instant(&cx(), "up", at(1_700_000_000), QueryOptions::default()).await.unwrap();
    assert_eq!(points(&reply.data.series()[0]), [(1_700_000_000_000, 1.0)]);
    assert!(reply.warnings[0].inside().contains("partial"), "{:?}", reply.warnings);
    assert_eq!(reply.samples_read, None);

    let whole = body.strip_prefix(br#"{"status":"success","isPartial":true,"#).unwrap();
    let whole = [br#"{"status":"success","isPartial":false,"#.as_slice(), whole].concat();
    let (_backend, client) = fake("POST", QUERY, 200, "application/json", &whole).await;
    let reply = client.instant(&cx(), "up", at(1_700_000_000), QueryOptions::default()).await.unwrap();
    assert!(reply.warnings.is_empty());
}

#[tokio::test]
async fn an_instant_query_is_a_form_with_whole_seconds_and_a_timeout() {
    let (backend, client) = replay("POST", QUERY, "prometheus-3/query_vector.json").await;
    let moment = "2026-11-21T00:27:00.5Z".parse().unwrap();
    client.instant(&cx(), "up{a=\"ü&=+\"}", moment, QueryOptions::default()).await.unwrap();
    let sent = &backend.requests()[0];
    assert_eq!(sent.form("query"), Some("up{a=\"ü&=+\"}"));
    // 2026-11-21T00:27:01Z by `date -u -d … +%s`.
    assert_eq!(sent.form("time"), Some("1795220821"));
    assert_eq!((sent.form("limit"), sent.form("stats")), (None, None));
    assert!(sent.query.is_empty());
    // 15 s is the default of the limits, and less than the 20 s of the call.
    assert_eq!(sent.form("timeout"), Some("13500ms"));
}

#[tokio::test]
async fn a_range_query_sends_a_half_open_window_and_what_else_was_asked_for() {
    let (backend, client) = replay("POST", RANGE, "prometheus-3/range_matrix_gaps.json").await;
    let window = TimeRange::new(at(1_795_220_700), at(1_795_221_000)).unwrap();
    let options = QueryOptions { limit: Some(50), stats: true };
    client.range(&cx(), "up", window, Duration::from_secs(15), options).await.unwrap();
    let sent = &backend.requests()[0];
    let form = |name| sent.form(name);
    assert_eq!(
        (form("start"), form("end"), form("step")),
        (Some("1795220700"), Some("1795220999"), Some("15"))
    );
    assert_eq!((form("limit"), form("stats"), form("query")), (Some("50"), Some("true"), Some("up")));
}

#[tokio::test]
async fn the_server_may_take_no_longer_than_the_call() {
    let (backend, client) = replay("POST", QUERY, "prometheus-3/query_vector.json").await;
    let mut cx = cx();
    cx.deadline = Instant::now() + Duration::from_millis(1_500);
    client.instant(&cx, "up", at(1_795_220_770), QueryOptions::default()).await.unwrap();
    let sent = backend.requests()[0].form("timeout").unwrap().to_owned();
    let milliseconds: u64 = sent.strip_suffix("ms").unwrap().parse().unwrap();
    assert!((1..=1_500).contains(&milliseconds), "{sent}");
}

#[tokio::test]
async fn a_base_url_may_have_a_prefix_and_a_trailing_slash() {
    let backend = Recorded::start().await;
    let body = recorded("prometheus-3/query_vector.json");
    backend.reply(Reply::to("POST", "/prefix/api/v1/query").bytes(&body)).await;
    let client = client(&format!("{}/prefix/", backend.url()));
    client.instant(&cx(), "up", at(1_795_220_770), QueryOptions::default()).await.unwrap();
    assert!(backend.unmatched().is_empty(), "{:?}", backend.unmatched());
}

#[tokio::test]
async fn where_a_proxy_lets_only_get_through_queries_are_asked_by_get() {
    let backend = Recorded::start().await;
    let body = recorded("prometheus-3/query_vector.json");
    for path in [QUERY, RANGE] {
        backend.reply(Reply::to("POST", path).status(405).content_type("text/plain").text("no")).await;
        backend.reply(Reply::to("GET", path).bytes(&body)).await;
    }
    let client = client(&backend.url());
    client.instant(&cx(), "up", at(1_795_220_770), QueryOptions::default()).await.unwrap();
    client.instant(&cx(), "up", at(1_795_220_770), QueryOptions::default()).await.unwrap();
    let window = TimeRange::new(at(1_795_220_700), at(1_795_221_000)).unwrap();
    client.range(&cx(), "up", window, Duration::from_secs(15), QueryOptions::default()).await.unwrap();
    let seen: Vec<(String, String)> =
        backend.requests().into_iter().map(|seen| (seen.method.clone(), seen.path)).collect();
    let expected = [("POST", QUERY), ("GET", QUERY), ("GET", QUERY), ("GET", RANGE)];
    assert_eq!(seen, expected.map(|(method, path)| (method.to_owned(), path.to_owned())));
    assert_eq!(backend.requests()[1].query("query"), Some("up"));
    assert_eq!(backend.requests()[1].query("timeout"), Some("13500ms"));
}

#[tokio::test]
async fn every_request_is_noted_by_its_row_of_the_allow_list() {
    let (_backend, client) = replay("POST", QUERY, "prometheus-3/query_vector.json").await;
    let cx = cx();
    client.instant(&cx, "up", at(1_795_220_770), QueryOptions::default()).await.unwrap();
    let call = &cx.trail.calls()[0];
    assert_eq!(call.endpoint, "POST /api/v1/query");
    assert!(ENDPOINTS.iter().any(|endpoint| endpoint.to_string() == call.endpoint));
    assert_eq!((call.status, call.outcome), (Some(200), "ok"));
}

#[tokio::test]
async fn a_reply_that_is_too_large_is_an_error_not_a_part_of_it() {
    let backend = Recorded::start().await;
    let body = recorded("prometheus-3/query_vector.json");
    backend.reply(Reply::to("POST", QUERY).bytes(&body)).await;
    let limits = Limits { max_reply_bytes: body.len() - 1, max_retries: 0, ..Limits::default() };
    let client = client_with(&backend.url(), limits);
    let error = client.instant(&cx(), "up", at(1_795_220_770), QueryOptions::default()).await.unwrap_err();
    assert!(matches!(error, Error::Upstream(UpstreamError::TooLarge { .. })), "{error}");
}

#[test]
fn a_url_that_cannot_be_used_is_refused_at_once() {
    let config = SourceConfig { url: "prometheus:9090".to_owned(), ..SourceConfig::default() };
    assert!(prometheus::Prometheus::new(config, Limits::default()).is_err());
}
