//! Mandatory matchers: whatever is asked of a restricted source carries them, and what it can't limit itself is left
//! out of answers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

#[path = "common/calls.rs"]
mod calls;
mod common;

use metrics_mcp::Config;
use promql_parser::{label::MatchOp, parser::Expr};
use runtime::Loaded;
use serde_json::{Value, json};
use testkit::recorded::{Recorded, Reply, Seen};

const NOW: &str = "2026-11-21T01:20:00Z";
const ONLY: &str = "namespace=\"team-a\"";

fn restricted(url: &str) -> Loaded<Config> {
    let mut loaded = common::prometheus_at(url);
    loaded.config.prometheus[0].required_matchers = vec![ONLY.to_owned()];
    loaded
}

async fn call(loaded: &Loaded<Config>, tool: &str, arguments: Value) -> testkit::mcp::ToolReply {
    let (client, _) = common::connect(loaded, NOW).await;
    client.call(tool, arguments).await
}

/// Every query and selector that a request carries.
fn carried(seen: &Seen) -> Vec<&str> {
    let all = seen.query.iter().chain(&seen.form);
    all.filter(|(name, _)| matches!(name.as_str(), "query" | "match[]"))
        .map(|(_, value)| value.as_str())
        .collect()
}

/// Whether each selector of a query has the matcher. The tree is walked anew here.
fn is_restricted(query: &str) -> bool {
    let tree = promql_parser::parser::parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
    let mut waiting = vec![&tree];
    while let Some(expression) = waiting.pop() {
        let selector = match expression {
            Expr::VectorSelector(selector) => selector,
            Expr::MatrixSelector(matrix) => &matrix.vs,
            Expr::Aggregate(one) => {
                waiting.extend(one.param.iter().chain([&one.expr]).map(AsRef::as_ref));
                continue;
            }
            Expr::Unary(one) => {
                waiting.push(&one.expr);
                continue;
            }
            Expr::Binary(one) => {
                waiting.extend([one.lhs.as_ref(), one.rhs.as_ref()]);
                continue;
            }
            Expr::Paren(one) => {
                waiting.push(&one.expr);
                continue;
            }
            Expr::Subquery(one) => {
                waiting.push(&one.expr);
                continue;
            }
            Expr::Call(one) => {
                waiting.extend(one.args.args.iter().map(AsRef::as_ref));
                continue;
            }
            _ => continue,
        };
        let own = &selector.matchers.matchers;
        if !own.iter().any(|one| one.name == "namespace" && one.op == MatchOp::Equal && one.value == "team-a")
        {
            return false;
        }
    }
    true
}

/// Replies that lead tools through all their look-ups: something is there, and nothing matches.
async fn backend() -> Recorded {
    let backend = Recorded::start().await;
    let nothing = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
    for path in ["/api/v1/query", "/api/v1/query_range"] {
        backend.reply(Reply::to("POST", path).text(nothing)).await;
    }
    let names = r#"{"status":"success","data":["http_requests_total","queue_depth","up"]}"#;
    for path in [
        "/api/v1/labels",
        "/api/v1/label/__name__/values",
        "/api/v1/label/service/values",
        "/api/v1/label/job/values",
    ] {
        backend.reply(Reply::to("GET", path).text(names)).await;
    }
    let metadata = r#"{"status":"success","data":{
        "http_requests":[{"type":"counter","help":"Requests of us","unit":""}],
        "secret_of_team_b":[{"type":"gauge","help":"Requests of them","unit":""}]}}"#;
    backend.reply(Reply::to("GET", "/api/v1/metadata").text(metadata)).await;
    backend
        .reply(Reply::to("GET", "/api/v1/query_exemplars").text(r#"{"status":"success","data":[]}"#))
        .await;
    backend.reply(Reply::to("GET", "/api/v1/rules").text(&rules().to_string())).await;
    backend
}

fn rules() -> Value {
    let alert = |namespace: &str| {
        json!({"labels": {"alertname": "Slow", "namespace": namespace}, "annotations": {},
        "state": "firing", "activeAt": "2026-11-21T01:00:00Z", "value": "1e+00"})
    };
    let rule = |name: &str, labels: Value, alerts: Value| {
        let also = if name == "Slow" { " or slow{namespace=~\"team-a|team-b\"} > 2" } else { "" };
        json!({"name": name, "query": format!("{name} > 1{also}"),
        "lastError": if name == "Slow" { "found duplicate series for {namespace=\"team-b\"}" } else { "" },
        "duration": 0, "labels": labels, "annotations": {}, "alerts": alerts, "health": if name == "Slow" { "err" } else { "ok" }, "type": "alerting",
        "state": "firing", "evaluationTime": 0.001, "lastEvaluation": "2026-11-21T01:19:50Z"})
    };
    json!({"status": "success", "data": {"groups": [{"name": "g", "file": "f", "interval": 30, "rules": [
        rule("Slow", json!({}), json!([alert("team-a"), alert("team-b")])),
        rule("TheirsAlone", json!({}), json!([alert("team-b")])),
        rule("OursIdle", json!({"namespace": "team-a"}), json!([])),
    ]}]}})
}

#[tokio::test]
async fn no_tool_asks_without_the_mandatory_matchers() {
    let mut more = calls::good_calls();
    more.extend([
        (
            "query_metrics",
            json!({"promql": "rate(nothing_of_this_name{service=\"x\"}[5m])", "time_range": "30d"}),
        ),
        ("query_metrics", json!({"promql": "queue_depth{service=\"up\"} > 5", "time_range": "1h"})),
        ("query_metrics", json!({"promql": "sum(queue_depth) / on (x) sum(up)"})),
        ("query_metrics", json!({"promql": "rate({__name__=~\".+\"}[30d])"})),
        ("search_metrics", json!({"text": "requests", "service": "up"})),
        ("search_metrics", json!({"text": "zzz"})),
    ]);
    let mut all = 0;
    for (tool, arguments) in more {
        let backend = backend().await;
        call(&restricted(&backend.url()), tool, arguments.clone()).await;
        for seen in backend.requests() {
            let carried = carried(&seen);
            let cannot = ["/api/v1/rules", "/api/v1/metadata", "/api/v1/status/buildinfo"];
            assert!(
                !carried.is_empty() || cannot.contains(&seen.path.as_str()),
                "{tool} {arguments}: {seen:?}"
            );
            for query in carried {
                assert!(is_restricted(query), "{tool} {arguments}: {query}");
                all += 1;
            }
        }
    }
    assert!(all > 20, "{all} queries seen");
}

#[tokio::test]
async fn what_cannot_be_restricted_is_not_sent() {
    for promql in ["rate(x[5m] anchored)", "{job=\"a\" or job=\"b\"}", "x default 0", "info(up)"] {
        let backend = backend().await;
        let reply = call(&restricted(&backend.url()), "query_metrics", json!({ "promql": promql })).await;
        assert!(reply.is_error, "{promql}");
        assert!(
            reply.text.contains("every query to this source is restricted to {namespace=\"team-a\"}"),
            "{}",
            reply.text
        );
        let sent: Vec<Seen> = backend.requests();
        assert!(sent.iter().flat_map(carried).all(is_restricted), "{sent:?}");
    }
}

#[tokio::test]
async fn the_evidence_says_what_was_seen_only() {
    let backend = backend().await;
    let reply = call(&restricted(&backend.url()), "query_metrics", json!({"promql": "up"})).await;
    assert!(
        reply.text.contains("evidence [prometheus \"main\", only {namespace=\"team-a\"}, at"),
        "{}",
        reply.text
    );
}

#[tokio::test]
async fn alerts_and_rules_of_others_are_left_out_and_it_is_said() {
    let backend = backend().await;
    let reply = call(&restricted(&backend.url()), "list_firing_alerts", json!({"detail": "full"})).await;
    assert!(!reply.is_error, "{}", reply.text);
    for hidden in ["team-b", "TheirsAlone"] {
        assert!(!reply.text.contains(hidden), "{}", reply.text);
    }
    assert!(reply.text.contains("Slow"), "{}", reply.text);
    let covered = ["it may name series outside of {namespace=", "it names series outside of {namespace="];
    assert!(covered.iter().all(|part| reply.text.contains(part)), "{}", reply.text);
    assert!(
        reply.text.contains("only alerts with the labels {namespace=\"team-a\"}, and rules that have such an alert or label: 1 other"),
        "{}",
        reply.text
    );
}

#[tokio::test]
async fn names_and_help_texts_of_others_are_not_shown() {
    let backend = backend().await;
    let reply = call(&restricted(&backend.url()), "search_metrics", json!({"text": "requests"})).await;
    assert!(!reply.text.contains("secret") && !reply.text.contains("of them"), "{}", reply.text);
    assert!(reply.text.contains("Requests of us"), "{}", reply.text);
}

#[tokio::test]
async fn of_alertmanager_only_alerts_and_silences_within_are_shown() {
    let backend = Recorded::start().await;
    let alert = |namespace: &str, fingerprint: &str| {
        json!({"labels": {"alertname": "Down", "namespace": namespace},
        "annotations": {}, "startsAt": "2026-11-21T01:00:00Z", "endsAt": "2026-11-21T02:00:00Z",
        "updatedAt": "2026-11-21T01:19:00Z", "fingerprint": fingerprint, "generatorURL": "",
        "receivers": [{"name": "r"}],
        "status": {"state": "suppressed", "silencedBy": ["s1", "s2"], "inhibitedBy": [], "mutedBy": []}})
    };
    let groups = json!([{"labels": {}, "receiver": {"name": "r"}, "alerts": [alert("team-a", "1"), alert("team-b", "2")]}]);
    backend.reply(Reply::to("GET", "/api/v2/alerts/groups").text(&groups.to_string())).await;
    let silence = |id: &str, namespace: &str, comment: &str| {
        json!({"id": id, "comment": comment, "createdBy": "x",
        "startsAt": "2026-11-21T00:00:00Z", "endsAt": "2026-11-21T03:00:00Z", "updatedAt": "2026-11-21T00:00:00Z",
        "status": {"state": "active"},
        "matchers": [{"name": "namespace", "value": namespace, "isRegex": false, "isEqual": true}]})
    };
    let silences = json!([silence("s1", "team-a", "ours"), silence("s2", "team-b", "theirs and secret")]);
    backend.reply(Reply::to("GET", "/api/v2/silences").text(&silences.to_string())).await;
    let mut loaded: Loaded<Config> = Loaded::default();
    let mut source = common::source("main", &backend.url());
    source.required_matchers = vec![ONLY.to_owned()];
    loaded.config.alertmanager = vec![source];
    let reply = call(&loaded, "list_firing_alerts", json!({"detail": "full"})).await;
    assert!(!reply.is_error && reply.text.contains("Down"), "{}", reply.text);
    assert!(!reply.text.contains("team-b") && !reply.text.contains("theirs"), "{}", reply.text);
    assert!(
        reply.text.contains("of Alertmanager only alerts with the labels {namespace=\"team-a\"} are shown"),
        "{}",
        reply.text
    );
}

#[test]
fn a_configuration_that_would_leave_a_gap_does_not_start() {
    let mistake = |change: &dyn Fn(&mut Config)| {
        let mut loaded = restricted("http://127.0.0.1:1");
        loaded.config.alertmanager = vec![common::source("am", "http://127.0.0.1:1")];
        loaded.config.alertmanager[0].required_matchers = vec![ONLY.to_owned()];
        change(&mut loaded.config);
        metrics_mcp::server(&loaded).err().map(|error| error.to_string())
    };
    assert_eq!(mistake(&|_| {}), None);
    let missing = mistake(&|config| config.alertmanager[0].required_matchers.clear()).unwrap();
    assert!(
        missing
            .contains("`required_matchers` of source \"am\": is missing, while Prometheus \"main\" has it"),
        "{missing}"
    );
    for wrong in ["namespace", "namespace=~\".*\"", "a=\"b\" or c=\"d\"", "a=\"b\",c=\"d\"", ""] {
        let said =
            mistake(&|config| config.prometheus[0].required_matchers = vec![wrong.to_owned()]).unwrap();
        assert!(said.contains("`required_matchers` of source \"main\""), "{wrong}: {said}");
    }
    let differs = mistake(&|config| {
        let mut second = common::source("am2", "http://127.0.0.1:1");
        second.required_matchers = vec!["namespace=\"team-b\"".to_owned()];
        config.alertmanager.push(second);
    });
    assert!(differs.unwrap().contains("differs between replicas"));
}
