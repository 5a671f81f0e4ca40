//! Metadata, series, labels, rules and status: what is sent, and what is understood of real replies.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

mod common;

use common::{at, client, cx, fake, replay};
use contract::{TimeRange, Untrusted};
use prometheus::{AlertState, Error, Flavour, MetricKind, RuleHealth, RuleKind};
use testkit::recorded::{Recorded, Reply};

fn texts(texts: &[Untrusted]) -> Vec<&str> {
    texts.iter().map(Untrusted::inside).collect()
}

#[tokio::test]
async fn metadata_is_sorted_typed_and_counted() {
    let (backend, client) = replay("GET", "/api/v1/metadata", "prometheus-3/metadata.json").await;
    let listing = client.metadata(&cx(), None, 4).await.unwrap();
    assert!(listing.more, "five came where four were asked for");
    assert_eq!(listing.items.len(), 4);
    let first = &listing.items[0];
    assert_eq!(
        (first.metric.inside(), first.kind),
        ("go_sched_pauses_stopping_gc_seconds", MetricKind::Histogram)
    );
    assert_eq!(first.unit.inside(), "seconds");
    assert!(first.help.inside().starts_with("Distribution of individual GC-related"));
    assert_eq!(listing.items[1].kind, MetricKind::Counter);
    assert_eq!(
        (backend.requests()[0].query("limit"), backend.requests()[0].query("metric")),
        (Some("5"), None)
    );
}

#[tokio::test]
async fn targets_may_disagree_on_a_metric_and_types_may_be_new() {
    let body = br#"{"status":"success","data":{"m":[{"type":"gauge","help":"a","unit":""},{"type":"counter"}],
        "n":[{"type":"gaugehistogram"},{"type":"stateset"},{"type":"info"},{"type":"summary"},{"type":"new"}]}}"#;
    let (backend, client) = fake("GET", "/api/v1/metadata", 200, "application/json", body).await;
    let listing = client.metadata(&cx(), Some("m"), 10).await.unwrap();
    let kinds: Vec<MetricKind> = listing.items.iter().map(|item| item.kind).collect();
    use MetricKind::{Counter, Gauge, GaugeHistogram, Info, StateSet, Summary, Unknown};
    assert_eq!(kinds, [Gauge, Counter, GaugeHistogram, StateSet, Info, Summary, Unknown]);
    assert!(!listing.more);
    assert_eq!(backend.requests()[0].query("metric"), Some("m"));
}

#[tokio::test]
async fn series_are_cut_at_the_limit_also_where_the_server_ignores_it() {
    for (file, limit) in [("prometheus-3/series_limited.json", 2), ("prometheus-2/series_limited.json", 3)] {
        let (backend, client) = replay("GET", "/api/v1/series", file).await;
        let window = TimeRange::new(at(1_795_220_730), at(1_795_220_860)).unwrap();
        let matchers = ["worker_latency_seconds", "up"];
        let listing = client.series(&cx(), &matchers, Some(window), limit).await.unwrap();
        assert_eq!((listing.items.len(), listing.more), (limit, true), "{file}");
        let first = "worker_latency_seconds{instance=127.0.0.1:8080, job=load, worker=w00, zone=north}";
        assert_eq!(listing.items[0].text(), first);
        let sent = &backend.requests()[0];
        let sent_matchers: Vec<&str> = sent
            .query
            .iter()
            .filter(|(name, _)| name == "match[]")
            .map(|(_, value)| value.as_str())
            .collect();
        assert_eq!(sent_matchers, matchers);
        // Whole minutes: 1795220700 is 00:25:00, 1795220880 is 00:28:00.
        assert_eq!((sent.query("start"), sent.query("end")), (Some("1795220700"), Some("1795220880")));
    }
    let (_backend, client) = replay("GET", "/api/v1/series", "prometheus-3/series_limited.json").await;
    let listing = client.series(&cx(), &["x"], None, 3).await.unwrap();
    assert_eq!((listing.items.len(), listing.more), (3, false));
    assert_eq!(texts(&listing.warnings), ["results truncated due to limit"]);
}

#[tokio::test]
async fn label_names_and_values_are_listed_and_any_label_may_be_asked_for() {
    let (_backend, client) = replay("GET", "/api/v1/labels", "prometheus-3/labels.json").await;
    let names = client.label_names(&cx(), &[], None, 100).await.unwrap();
    assert_eq!(texts(&names.items), ["__name__", "code", "instance", "job", "method", "route", "service"]);

    let (_backend, client) =
        replay("GET", "/api/v1/label/service/values", "prometheus-3/label_values.json").await;
    let values = client.label_values(&cx(), "service", &["up"], None, 100).await.unwrap();
    assert_eq!(texts(&values.items), ["cart", "checkout", "payment", "web"]);

    let path = "/api/v1/label/U__queue_2e_name/values";
    let (_backend, client) = replay("GET", path, "prometheus-3/label_values_utf8.json").await;
    let values = client.label_values(&cx(), "queue.name", &[], None, 2).await.unwrap();
    assert_eq!((texts(&values.items), values.more), (vec!["emails", "exports"], true));
}

#[tokio::test]
async fn a_label_name_can_not_leave_its_place_in_the_path() {
    let backend = Recorded::start().await;
    let client = client(&backend.url());
    for name in ["../../status/config", "..", "a/b", "a?b#c", "%2e%2e", "a\nb", ""] {
        let _refused = client.label_values(&cx(), name, &[], None, 1).await;
    }
    for seen in backend.requests() {
        let segments: Vec<&str> = seen.path.split('/').collect();
        assert_eq!(segments.len(), 6, "{}", seen.path);
        assert_eq!((segments[3], segments[5]), ("label", "values"), "{}", seen.path);
    }
    assert_eq!(backend.requests().len(), 7);
}

#[tokio::test]
async fn an_empty_list_is_empty() {
    for data in ["[]", "null"] {
        let body = format!(r#"{{"status":"success","data":{data}}}"#);
        let (_backend, client) =
            fake("GET", "/api/v1/labels", 200, "application/json", body.as_bytes()).await;
        let listing = client.label_names(&cx(), &[], None, 5).await.unwrap();
        assert!(listing.items.is_empty() && !listing.more);
    }
}

#[tokio::test]
async fn look_ups_are_asked_once_a_minute_and_rules_every_time() {
    let backend = Recorded::start().await;
    let body = common::recorded("prometheus-3/labels.json");
    backend.reply(Reply::to("GET", "/api/v1/labels").bytes(&body)).await;
    backend
        .reply(Reply::to("GET", "/api/v1/rules").bytes(&common::recorded("prometheus-3/rules.json")))
        .await;
    let client = client(&backend.url());
    let cx = cx();
    for start in [1_795_220_701, 1_795_220_715] {
        let window = TimeRange::new(at(start), at(start + 3_600)).unwrap();
        client.label_names(&cx, &[], Some(window), 5).await.unwrap();
        client.rules(&cx).await.unwrap();
    }
    let outcomes: Vec<(String, &str)> =
        cx.trail.calls().into_iter().map(|call| (call.endpoint, call.outcome)).collect();
    let (labels, rules) = ("GET /api/v1/labels".to_owned(), "GET /api/v1/rules".to_owned());
    let expected = [(labels.clone(), "ok"), (rules.clone(), "ok"), (labels, "cached"), (rules, "ok")];
    assert_eq!(outcomes, expected);
}

/// Expected values read from the files with `jq`; both files are of the same rules.
#[tokio::test]
async fn rules_are_read_with_their_state_and_alerts() {
    for file in ["prometheus-3/rules.json", "prometheus-2/rules.json"] {
        let (_backend, client) = replay("GET", "/api/v1/rules", file).await;
        let rules = client.rules(&cx()).await.unwrap();
        let names: Vec<&str> = rules.groups.iter().map(|group| group.name.inside()).collect();
        assert_eq!(names, ["availability", "broken", "queues", "service-rates"]);
        let group = &rules.groups[0];
        assert_eq!((group.file.inside(), group.interval_seconds, group.rules.len()), ("rules.yml", 1.0, 4));
        assert!(group.last_evaluation.is_some());

        let failing = &group.rules[2];
        assert_eq!(failing.name.inside(), "HighErrorRate");
        assert_eq!(failing.query.inside(), "service:http_error_ratio:rate15s > 0.05");
        assert_eq!((failing.health, &failing.last_error), (RuleHealth::Ok, &None));
        let RuleKind::Alerting(alerting) = &failing.kind else { panic!("{failing:?}") };
        assert_eq!((alerting.state, alerting.for_seconds), (AlertState::Firing, 5.0));
        let services: Vec<&str> =
            alerting.alerts.iter().map(|alert| alert.labels.get("service").unwrap().inside()).collect();
        assert_eq!(
            {
                let mut sorted = services;
                sorted.sort_unstable();
                sorted
            },
            ["checkout", "payment"]
        );
        let alert = &alerting.alerts[0];
        assert!(alert.value > 0.05 && alert.active_at.is_some() && alert.keep_firing_since.is_none());
        assert!(alert.annotations.get("summary").unwrap().inside().ends_with(" fails too often"));
        assert!(alerting.annotations.get("summary").unwrap().inside().contains("{{ $labels.service }}"));

        let RuleKind::Alerting(pending) = &group.rules[3].kind else { panic!() };
        assert_eq!((pending.state, pending.for_seconds), (AlertState::Pending, 86_400.0));
        let RuleKind::Alerting(inactive) = &rules.groups[2].rules[1].kind else { panic!() };
        assert_eq!((inactive.state, inactive.alerts.len()), (AlertState::Inactive, 0));

        let broken = &rules.groups[1].rules[0];
        assert_eq!((broken.health, &broken.kind), (RuleHealth::Failing, &RuleKind::Recording));
        assert!(broken.last_error.as_ref().unwrap().inside().contains("found duplicate series"));
    }
}

#[tokio::test]
async fn an_alert_that_is_kept_firing_says_since_when() {
    let (_backend, client) = replay("GET", "/api/v1/rules", "prometheus-3/rules_keep_firing.json").await;
    let rules = client.rules(&cx()).await.unwrap();
    let RuleKind::Alerting(alerting) = &rules.groups[0].rules[0].kind else { panic!() };
    assert_eq!((alerting.for_seconds, alerting.keep_firing_seconds), (1.0, 600.0));
    let alert = &alerting.alerts[0];
    assert_eq!(alert.active_at, Some("2026-11-21T00:34:00.40172841Z".parse().unwrap()));
    assert_eq!(alert.keep_firing_since, Some("2026-11-21T00:34:05.40172841Z".parse().unwrap()));
    assert_eq!(alert.value, 4.401_000_022_888_184);
}

/// Forms of other rulers: Mimir's never-evaluated rules (`lastEvaluation` of Go's zero time, health `unknown`),
/// vmalert's numbers as text, fields left out.
#[tokio::test]
async fn rules_of_other_rulers_are_read_too() {
    let body = br#"{"status":"success","data":{"groups":[{"name":"g","interval":"30","rules":[
        {"name":"A","query":"up == 0","state":"inactive","health":"unknown","lastEvaluation":"0001-01-01T00:00:00Z",
         "duration":"300","alerts":null,"labels":null,"type":"alerting","sourceTenants":["t"]},
        {"name":"r","query":"1","type":"recording","lastError":""},
        {"name":"B","state":"firing","alerts":[{"state":"firing","value":"NaN","activeAt":"2026-01-14T15:02:00+01:00"},{}]}
        ]}]},"warnings":["one ruler did not answer"]}"#;
    let (_backend, client) = fake("GET", "/api/v1/rules", 200, "application/json", body).await;
    let rules = client.rules(&cx()).await.unwrap();
    assert_eq!(texts(&rules.warnings), ["one ruler did not answer"]);
    assert_eq!(rules.groups[0].interval_seconds, 30.0);
    let [never, recording, untyped] = &rules.groups[0].rules[..] else { panic!() };
    assert_eq!((never.health, never.last_evaluation), (RuleHealth::Unknown, None));
    assert!(matches!(&never.kind, RuleKind::Alerting(alerting) if alerting.for_seconds == 300.0));
    assert_eq!((&recording.kind, &recording.last_error), (&RuleKind::Recording, &None));
    let RuleKind::Alerting(alerting) = &untyped.kind else { panic!() };
    assert_eq!(alerting.alerts[0].active_at, Some("2026-01-14T14:02:00Z".parse().unwrap()));
    assert!(alerting.alerts[0].value.is_nan() && alerting.alerts[1].value.is_nan());
    assert_eq!(alerting.alerts[1].state, AlertState::Unknown);
}

#[tokio::test]
async fn the_cardinality_is_read_from_old_and_new_servers() {
    let cases = [
        ("prometheus-3/status_tsdb.json", 2631, 887, "alertmanager_notification_latency_seconds_bucket", 192),
        ("prometheus-2/status_tsdb.json", 1984, 724, "prometheus_http_response_size_bytes_bucket", 270),
    ];
    for (file, series, pairs, metric, count) in cases {
        let (backend, client) = replay("GET", "/api/v1/status/tsdb", file).await;
        let status = client.tsdb_status(&cx(), 50_000).await.unwrap();
        assert_eq!((status.series, status.label_pairs), (Some(series), Some(pairs)));
        assert_eq!(
            (status.series_by_metric[0].name.inside(), status.series_by_metric[0].count),
            (metric, count)
        );
        assert_eq!(status.values_by_label[0].name.inside(), "__name__");
        assert_eq!(status.series_by_pair.len(), 10);
        // Prometheus 3.9 and later refuse more than 10,000.
        assert_eq!(backend.requests()[0].query("limit"), Some("10000"));
    }
}

/// Form of VictoriaMetrics' source (`app/vmselect/prometheus/tsdb_status_response.qtpl`).
#[tokio::test]
async fn the_cardinality_is_read_from_victoriametrics() {
    let body = br#"{"status":"success","data":{"totalSeries":1200,"totalLabelValuePairs":5600,
        "seriesCountByMetricName":[{"name":"b","value":7},{"name":"a","value":9,"requestsCount":1}],
        "seriesCountByLabelName":[{"name":"job","value":1200}],"seriesCountByFocusLabelValue":[],
        "seriesCountByLabelValuePair":[{"name":"job=x","value":600}],"labelValueCountByLabelName":[]}}"#;
    let (backend, client) = fake("GET", "/api/v1/status/tsdb", 200, "application/json", body).await;
    let status = client.tsdb_status(&cx(), 20).await.unwrap();
    assert_eq!((status.series, status.label_pairs), (Some(1200), Some(5600)));
    let metrics: Vec<(&str, u64)> =
        status.series_by_metric.iter().map(|counted| (counted.name.inside(), counted.count)).collect();
    assert_eq!(metrics, [("a", 9), ("b", 7)]);
    assert!(status.values_by_label.is_empty());
    assert_eq!(backend.requests()[0].query("topN"), Some("20"));
}

/// Recorded: both Prometheus. Hand-made: Mimir as in Grafana's fixtures (`buildInfoResponse`), VictoriaMetrics as
/// in its source (`app/vmselect/main.go`), Thanos as its handler writes Prometheus' structure with its own version.
#[tokio::test]
async fn the_system_is_recognised_by_its_build_info() {
    let new = common::recorded("prometheus-3/status_buildinfo.json");
    let old = common::recorded("prometheus-2/status_buildinfo.json");
    let mimir = br#"{"status":"success","data":{"application":"Grafana Mimir","version":"r249-5bedc7a1-WIP","revision":"5bedc7a1","branch":"weekly-r249","goVersion":"go1.20.5","features":{"ruler_config_api":"true"}}}"#;
    let victoria = br#"{"status":"success","data":{"version":"2.24.0"}}"#;
    let thanos = br#"{"status":"success","data":{"version":"0.35.1","revision":"x","branch":"HEAD","buildUser":"","buildDate":"","goVersion":"go1.21.10"}}"#;
    let stranger =
        br#"{"status":"success","data":{"application":"Something","version":"1","goVersion":"go1"}}"#;
    let not_found = (404, b"404 page not found\n".as_slice());
    let cases: [(u16, &[u8], Flavour, Option<&str>); 8] = [
        (200, &new, Flavour::Prometheus, Some("3.15.0")),
        (200, &old, Flavour::Prometheus, Some("2.42.0+ds")),
        (200, mimir, Flavour::Mimir, Some("r249-5bedc7a1-WIP")),
        (200, victoria, Flavour::VictoriaMetrics, Some("2.24.0")),
        (200, thanos, Flavour::Thanos, Some("0.35.1")),
        (200, stranger, Flavour::Unknown, Some("1")),
        (not_found.0, not_found.1, Flavour::Unknown, None),
        (404, br#"{"status":"error","errorType":"not_found","error":"no"}"#, Flavour::Unknown, None),
    ];
    for (status, body, flavour, version) in cases {
        let (_backend, client) =
            fake("GET", "/api/v1/status/buildinfo", status, "application/json", body).await;
        let info = client.build_info(&cx()).await.unwrap();
        assert_eq!((info.flavour, info.version.as_ref().map(Untrusted::inside)), (flavour, version));
    }
    let (_backend, client) = fake("GET", "/api/v1/status/buildinfo", 401, "text/plain", b"no").await;
    assert!(matches!(client.build_info(&cx()).await, Err(Error::Upstream(_))));
}

#[tokio::test]
async fn exemplars_come_with_their_series_and_traces() {
    let (backend, client) = replay("GET", "/api/v1/query_exemplars", "prometheus-3/exemplars.json").await;
    let window = TimeRange::new(at(1_795_220_765), at(1_795_220_825)).unwrap();
    let promql = "http_request_duration_seconds_bucket{service=\"payment\",le=\"0.1\"}";
    let found = client.exemplars(&cx(), promql, window).await.unwrap();
    // Counted with `jq` on the file: two series with 2 and 4 exemplars.
    let counts: Vec<usize> = found.series.iter().map(|series| series.exemplars.len()).collect();
    assert_eq!(counts, [2, 4]);
    let first = &found.series[0];
    assert_eq!(first.labels.get("route").unwrap().inside(), "/charge");
    let exemplar = &first.exemplars[0];
    assert_eq!(exemplar.labels.get("trace_id").unwrap().inside(), "0d09dd521e710a93a674a2560999ff2b");
    assert_eq!((exemplar.at, exemplar.value), (1_795_220_765_444, 0.052_594_781_056_742_9));
    let asked = &backend.requests()[0];
    let sent = ["query", "start", "end"].map(|name| asked.query(name).unwrap());
    assert_eq!(sent, [promql, "1795220765", "1795220825"]);
}

#[tokio::test]
async fn a_system_without_exemplars_has_none() {
    for (status, body) in
        [(200, r#"{"status":"success","data":[]}"#), (200, r#"{"status":"success","data":null}"#)]
    {
        let (_backend, client) =
            fake("GET", "/api/v1/query_exemplars", status, "application/json", body.as_bytes()).await;
        let window = TimeRange::new(at(0), at(60)).unwrap();
        assert!(client.exemplars(&cx(), "x", window).await.unwrap().series.is_empty());
    }
}
