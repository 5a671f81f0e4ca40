//! A Prometheus and an Alertmanager that say one text wherever a text can stand.

use serde_json::{Value, json};
use testkit::recorded::{Recorded, Reply};

pub(crate) const NOW: &str = "2026-11-21T01:20:00Z";
/// The same moment in seconds.
const NOW_SECONDS: u64 = 1_795_224_000;

/// How the backends behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Well-formed replies, with warnings.
    Good,
    /// Errors in the form of the API: 400 of Prometheus, 400 of Alertmanager.
    Rejecting,
    /// The text where a number, a moment or a state should be, and as the body of a 503.
    Odd,
}

pub(crate) struct Hostile {
    pub(crate) prometheus: Recorded,
    pub(crate) alertmanager: Recorded,
}

impl Hostile {
    pub(crate) async fn start(text: &str, mood: Mood) -> Hostile {
        let backend = Hostile { prometheus: Recorded::start().await, alertmanager: Recorded::start().await };
        for path in PROMETHEUS {
            for method in ["GET", "POST"] {
                let reply = Reply::to(method, path);
                let reply = match mood {
                    Mood::Good => reply.text(&good(path, text)),
                    Mood::Rejecting => reply.status(400).text(&rejection(text)),
                    Mood::Odd if *path == "/api/v1/query" || *path == "/api/v1/rules" => {
                        reply.text(&odd(path, text))
                    }
                    Mood::Odd => reply.status(503).content_type("text/plain").text(text),
                };
                backend.prometheus.reply(reply).await;
            }
        }
        for path in ALERTMANAGER {
            let reply = Reply::to("GET", path);
            let reply = match mood {
                Mood::Good => reply.text(&of_alertmanager(path, text, NOW, "active").to_string()),
                Mood::Rejecting => reply.status(400).text(&json!(text).to_string()),
                Mood::Odd => reply.text(&of_alertmanager(path, text, text, text).to_string()),
            };
            backend.alertmanager.reply(reply).await;
        }
        backend
    }

    pub(crate) fn was_asked(&self) -> bool {
        !self.prometheus.requests().is_empty() && !self.alertmanager.requests().is_empty()
    }
}

const PROMETHEUS: &[&str] = &[
    "/api/v1/query",
    "/api/v1/query_range",
    "/api/v1/metadata",
    "/api/v1/series",
    "/api/v1/labels",
    "/api/v1/label/__name__/values",
    "/api/v1/label/job/values",
    "/api/v1/label/service/values",
    "/api/v1/label/service_name/values",
    "/api/v1/label/app/values",
    "/api/v1/label/app_kubernetes_io_name/values",
    "/api/v1/label/namespace/values",
    "/api/v1/label/instance/values",
    "/api/v1/rules",
    "/api/v1/query_exemplars",
    "/api/v1/status/tsdb",
    "/api/v1/status/buildinfo",
];
const ALERTMANAGER: &[&str] =
    &["/api/v2/alerts/groups", "/api/v2/alerts", "/api/v2/silences", "/api/v2/status", "/api/v2/receivers"];

/// A good reply with the text in the place of every name, value, help, unit, annotation, warning.
fn good(path: &str, text: &str) -> String {
    let data = match path.rsplit('/').next().unwrap() {
        "query" => json!({"resultType": "vector", "result": series(text, "value")}),
        "query_range" => json!({"resultType": "matrix", "result": series(text, "values")}),
        "metadata" => json!({
            text: [{"type": "counter", "help": text, "unit": text}],
            "http_requests_total": [{"type": "counter", "help": text, "unit": text}],
        }),
        "series" => json!([labels(text, 0), labels(text, 1)]),
        "labels" => json!(["__name__", "job", "instance", "service", text]),
        "values" if path.contains("__name__") => {
            json!(["http_requests_total", "up", text, format!("requests: {text}")])
        }
        "values" => json!([text, "checkout"]),
        "rules" => rules(text, NOW, "firing", "1e+00"),
        "query_exemplars" => exemplars(text),
        "tsdb" => statistics(text),
        _ => json!({"version": text, "revision": text, "branch": text, "goVersion": text}),
    };
    json!({"status": "success", "data": data, "warnings": [text], "infos": [format!("PromQL info: {text}")]})
        .to_string()
}

fn rejection(text: &str) -> String {
    json!({"status": "error", "errorType": "bad_data", "error": text, "warnings": [text], "infos": [text]})
        .to_string()
}

/// The text where it has no place.
fn odd(path: &str, text: &str) -> String {
    let data = match path {
        "/api/v1/query" => {
            json!({"resultType": "vector", "result": [{"metric": {"job": text}, "value": [NOW_SECONDS, text]}]})
        }
        _ => rules(text, text, text, text),
    };
    json!({"status": "success", "data": data}).to_string()
}

/// Labels of one series: the text as names and values, and once within something longer.
fn labels(text: &str, number: usize) -> Value {
    json!({
        "__name__": if number == 0 { text } else { "http_requests_total" },
        "job": text,
        "service": text,
        "instance": format!("{number}: {text}"),
        "alertname": text,
        "alertstate": "firing",
        "severity": text,
        text: text,
    })
}

/// A few series, with points up to now.
fn series(text: &str, key: &str) -> Vec<Value> {
    let all = (0..3_usize).map(|number| {
        let points: Vec<Value> = (0..240_u64)
            .map(|index| {
                let moved = if index > 200 { 40 * (number as u64 + 1) } else { 0 };
                json!([NOW_SECONDS - (239 - index) * 15, (100 + index % 7 + moved).to_string()])
            })
            .collect();
        let points = if key == "value" { points.last().unwrap().clone() } else { json!(points) };
        json!({"metric": labels(text, number), key: points})
    });
    all.collect()
}

fn rules(text: &str, moment: &str, state: &str, value: &str) -> Value {
    let alert = json!({
        "labels": labels(text, 1), "annotations": {"summary": text, "description": text, text: text, "runbook_url": text},
        "state": state, "activeAt": moment, "value": value,
    });
    json!({"groups": [{"name": text, "file": text, "interval": 60, "lastEvaluation": moment, "rules": [
        {"type": "alerting", "name": text, "query": text, "duration": 60, "state": state, "health": "err", "lastError": text,
         "labels": {"severity": text, text: text}, "annotations": {"summary": text, text: text}, "alerts": [alert],
         "lastEvaluation": moment},
        {"type": "recording", "name": text, "query": text, "health": "ok", "lastError": text, "labels": {text: text},
         "lastEvaluation": moment},
    ]}], "groupNextToken": text})
}

/// Exemplars of a series without the labels that tell it from others, so that it is one of any; one with a good trace
/// id, so that something of the reply is shown.
fn exemplars(text: &str) -> Value {
    let one = |labels: Value| json!({"labels": labels, "value": "1.2", "timestamp": NOW_SECONDS - 600});
    json!([
        {"seriesLabels": {"__name__": text, "le": text}, "exemplars": [
            one(json!({"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", text: text})),
            one(json!({"trace_id": text})),
        ]},
        {"seriesLabels": labels(text, 1), "exemplars": [one(json!({"traceID": text, "span_id": text}))]},
    ])
}

fn statistics(text: &str) -> Value {
    let top = json!([{"name": text, "value": 4711}, {"name": "http_requests_total", "value": 12}]);
    json!({
        "headStats": {"numSeries": 5000, "numLabelPairs": 700, "chunkCount": 9000, "minTime": 1, "maxTime": 2},
        "seriesCountByMetricName": top, "labelValueCountByLabelName": top,
        "memoryInBytesByLabelName": top, "seriesCountByLabelValuePair": top,
    })
}

fn of_alertmanager(path: &str, text: &str, moment: &str, state: &str) -> Value {
    // what is no fingerprint or id makes the whole reply unusable, which is the other mood
    let (fingerprint, id) = match moment == NOW {
        true => ("dc56e2ed006592bc", "e2136385-9efc-42bb-a450-e2d2442805c8"),
        false => (text, text),
    };
    let alert = json!({
        "labels": labels(text, 1), "annotations": {"summary": text, text: text, "runbook_url": text},
        "startsAt": moment, "endsAt": "2026-11-21T02:20:00Z", "updatedAt": moment, "fingerprint": fingerprint,
        "generatorURL": text, "receivers": [{"name": text}],
        "status": {"state": state, "silencedBy": [id], "inhibitedBy": [fingerprint], "mutedBy": [text]},
    });
    match path {
        "/api/v2/alerts/groups" => {
            json!([{"labels": {text: text}, "receiver": {"name": text}, "alerts": [alert]}])
        }
        "/api/v2/alerts" => json!([alert]),
        "/api/v2/silences" => json!([{
            "id": id, "status": {"state": state}, "comment": text, "createdBy": text, "updatedAt": moment,
            "startsAt": moment, "endsAt": "2026-11-22T01:20:00Z",
            "matchers": [{"name": text, "value": text, "isRegex": false, "isEqual": true},
                         {"name": "job", "value": text, "isRegex": true, "isEqual": true}],
        }]),
        "/api/v2/receivers" => json!([{"name": text}]),
        _ => json!({"cluster": {"name": text, "status": text, "peers": [{"name": text, "address": text}]},
                    "versionInfo": {"version": text, "revision": text}, "config": {"original": text}, "uptime": moment}),
    }
}
