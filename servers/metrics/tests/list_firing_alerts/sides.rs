//! When Prometheus and Alertmanager, or its replicas, don't say the same, or one of them says nothing.

use runtime::Loaded;
use serde_json::json;
use testkit::recorded::Reply;

use crate::world::{World, active, arrived, ask, fires, rule, rules, rules_with};

#[tokio::test]
async fn an_error_names_both_sides_when_neither_answers() {
    let unwell = World::new(1).await;
    unwell
        .prometheus
        .reply(Reply::to("GET", "/api/v1/rules").status(503).content_type("text/plain").text("no"))
        .await;
    let down = Reply::to("GET", "/api/v2/alerts/groups").status(502).content_type("text/html").text("<html>");
    unwell.replicas[0].reply(down).await;
    let reply = unwell.ask(json!({})).await;
    assert!(reply.is_error);
    assert!(
        reply.text.contains("prometheus \"main\"") && reply.text.contains("alertmanager \"a\""),
        "{}",
        reply.text
    );

    let reply = ask(&Loaded::default(), json!({})).await;
    assert!(reply.is_error && reply.text.starts_with("not_configured: "), "{}", reply.text);
    assert!(
        reply.text.contains("PROMETHEUS_URL") && reply.text.contains("ALERTMANAGER_URL"),
        "{}",
        reply.text
    );
}

#[tokio::test]
async fn alerts_of_one_side_only_are_shown_as_such() {
    let world = World::new(1).await;
    let alerts = json!([
        fires(json!({"alertname": "Down", "severity": "page", "job": "db"}), "0"),
        fires(json!({"alertname": "Down", "severity": "page", "job": "web"}), "0"),
    ]);
    world.rules(rules(json!([rule("Down", "up == 0", alerts)]))).await;
    let delivered = json!([
        arrived(
            "a1",
            json!({"alertname": "Down", "severity": "page", "job": "db", "cluster": "x"}),
            active()
        ),
        arrived("a2", json!({"alertname": "Backup", "severity": "warning", "cluster": "y"}), active()),
    ]);
    world.delivered(0, delivered).await;
    let reply = world.ask(json!({})).await;
    let verdict = "3 alerts firing in 3 families, worst page: Down (1) since 2026-11-21T00:40:00Z; 1 not in Alertmanager.";
    assert!(reply.text.starts_with(verdict), "{}", reply.text);
    for row in [
        "page | Down | 1 | 2026-11-21T00:40:00Z | 1m | 0 | firing | job=db | - | on-call",
        "page | Down | 1 | 2026-11-21T00:40:00Z | 1m | 0 | firing, only in Prometheus | job=web | - | -",
        "warning | Backup | 1 | 2026-11-21T00:41:00Z | - | - | firing, only in Alertmanager | cluster=y | - | on-call",
    ] {
        assert!(reply.text.lines().any(|line| line == row), "{row}\n{}", reply.text);
    }
    assert!(reply.text.contains("1 firing alert is not in Alertmanager (Down)"), "{}", reply.text);
    assert!(reply.text.contains("Alertmanager's alerts also have cluster=x"), "{}", reply.text);
}

#[tokio::test]
async fn a_prometheus_that_sends_elsewhere_is_noticed() {
    let world = World::new(1).await;
    let alerts = json!([fires(json!({"alertname": "Down", "job": "db"}), "0")]);
    world.rules(rules(json!([rule("Down", "up == 0", alerts)]))).await;
    world.delivered(0, json!([])).await;
    let reply = world.ask(json!({})).await;
    assert!(reply.text.contains("no alert of this Prometheus is there: it may send to another Alertmanager"));
}

#[tokio::test]
async fn a_replica_that_fails_or_disagrees_is_a_caveat() {
    let world = World::new(3).await;
    let labels = json!({"alertname": "Down", "job": "db"});
    world.rules(rules(json!([rule("Down", "up == 0", json!([fires(labels.clone(), "0")]))]))).await;
    world.delivered(0, json!([arrived("a1", labels, active())])).await;
    world.delivered(1, json!([])).await;
    world.replicas[2].reply(Reply::to("GET", "/api/v2/alerts/groups").status(500).text("\"unwell\"")).await;
    let reply = world.ask(json!({})).await;
    assert!(
        reply.text.contains("a replica did not answer: alertmanager \"c\" answered HTTP 500"),
        "{}",
        reply.text
    );
    let said =
        "Alertmanager's replicas disagree on 1 alert, such as Down{job=db} (a: active, b: does not have it)";
    assert!(reply.text.contains(said), "{}", reply.text);
}

#[tokio::test]
async fn an_old_alertmanager_that_does_not_tell_mutes_is_a_caveat() {
    let world = World::new(1).await;
    let labels = json!({"alertname": "Down", "job": "db"});
    world.rules(rules(json!([rule("Down", "up == 0", json!([fires(labels.clone(), "0")]))]))).await;
    let old = json!({"state": "active", "silencedBy": [], "inhibitedBy": []});
    world.delivered(0, json!([arrived("a1", labels, old)])).await;
    let reply = world.ask(json!({})).await;
    assert!(reply.text.contains("alertmanager a does not tell what time intervals mute"), "{}", reply.text);
}

#[tokio::test]
async fn silences_that_cannot_be_read_leave_their_ids() {
    let world = World::new(1).await;
    let labels = json!({"alertname": "Down", "job": "db"});
    world.rules(rules(json!([rule("Down", "up == 0", json!([fires(labels.clone(), "0")]))]))).await;
    let status = json!({"state": "suppressed", "silencedBy": ["f794a99b-126f-4eca-b74a-a2582e0c0723"],
        "inhibitedBy": ["00aa"], "mutedBy": []});
    world.delivered(0, json!([arrived("a1", labels, status)])).await;
    world.replicas[0].reply(Reply::to("GET", "/api/v2/silences").status(503).text("\"busy\"")).await;
    let reply = world.ask(json!({})).await;
    let verdict = "No alert reaches anybody now; 1 suppressed (1 silenced and inhibited).";
    assert!(reply.text.starts_with(verdict), "{}", reply.text);
    assert!(
        reply.text.contains(
            "silence f794a99b-126f-4eca-b74a-a2582e0c0723 holds back 1 alert; nothing else is known"
        )
    );
    assert!(
        reply.text.contains("alert 00aa, which is not among the alerts, silence f794a99b"),
        "{}",
        reply.text
    );
    assert!(reply.text.contains("the silences could not be read"), "{}", reply.text);
}

#[tokio::test]
async fn warnings_reach_the_reader_and_a_refused_query_costs_only_the_history() {
    let world = World::new(0).await;
    let alerts = json!([fires(json!({"alertname": "Down", "job": "db"}), "0")]);
    world
        .rules(rules_with(json!([rule("Down", "up == 0", alerts)]), json!(["ruler-2 did not answer"])))
        .await;
    let refusal = json!({"status": "error", "errorType": "execution", "error": "query processing would load too many samples into memory in query execution"});
    world
        .prometheus
        .reply(Reply::to("POST", "/api/v1/query_range").status(422).text(&refusal.to_string()))
        .await;
    let reply = world.ask(json!({"time_range": "2h"})).await;
    assert!(!reply.is_error && reply.text.starts_with("1 alert firing in 1 family"), "{}", reply.text);
    assert!(
        reply.text.contains("warning from prometheus \"main\": «ruler-2 did not answer»"),
        "{}",
        reply.text
    );
    assert!(
        reply.text.contains("what fired and ended in time_range is unknown: prometheus \"main\" refused it")
    );
    assert!(reply.text.contains("count by (alertname, severity) (ALERTS"), "{}", reply.text);
}
