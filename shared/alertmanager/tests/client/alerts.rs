use alertmanager::{ENDPOINTS, State, View};
use serde_json::Value;
use testkit::recorded::Reply;
use upstream::Limits;

use super::*;

/// The fingerprint of `{alertname="DiskFull", severity="critical"}`, as all versions agree.
const DISK_FULL: &str = "7235c181ae0a2582";
/// The fingerprint of `{alertname="QueueLong", queue="exports", severity="warning"}`.
const QUEUE_EXPORTS: &str = "a500a9508ee06e52";

fn recorded(path: &str) -> Value {
    let file = format!("{}/tests/recorded/{path}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn strings(list: &Value, key: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| item[key].as_str().unwrap().to_owned()).collect()
}

/// `/api/v2/alerts` of the same Alertmanager lists each alert once: its own word on which there are.
#[tokio::test]
async fn an_alert_in_several_groups_counts_once_and_has_the_receivers_of_all() {
    for version in VERSIONS {
        let listed = recorded(&format!("{version}/a-alerts.json"));
        let in_groups: usize = recorded(&format!("{version}/a-alerts-groups.json"))
            .as_array()
            .unwrap()
            .iter()
            .map(|group| group["alerts"].as_array().unwrap().len())
            .sum();
        assert_eq!(
            (in_groups, listed.as_array().unwrap().len()),
            (8, 6),
            "{version}: the recording shows nothing"
        );

        let answer = alerts_of(file(GROUPS, &format!("{version}/a-alerts-groups.json"))).await;
        let mut expected = strings(&listed, "fingerprint");
        expected.sort();
        let found: Vec<&str> = answer.alerts.iter().map(|alert| alert.fingerprint.as_str()).collect();
        assert_eq!(found, expected, "{version}");
        for alert in &answer.alerts {
            let says = listed
                .as_array()
                .unwrap()
                .iter()
                .find(|one| one["fingerprint"] == alert.fingerprint.as_str());
            let mut receivers = strings(&says.unwrap()["receivers"], "name");
            receivers.sort();
            assert_eq!(texts(&alert.receivers), receivers, "{version}");
        }
    }
}

#[tokio::test]
async fn silences_and_inhibition_are_what_the_plain_list_of_the_same_server_says() {
    for version in VERSIONS {
        let listed = recorded(&format!("{version}/a-alerts.json"));
        let answer = alerts_of(file(GROUPS, &format!("{version}/a-alerts-groups.json"))).await;
        for says in listed.as_array().unwrap() {
            let alert =
                answer.alerts.iter().find(|alert| says["fingerprint"] == alert.fingerprint.as_str()).unwrap();
            assert_eq!(
                Value::from(alert.status.silenced_by.clone()),
                says["status"]["silencedBy"],
                "{version}"
            );
            assert_eq!(
                Value::from(alert.status.inhibited_by.clone()),
                says["status"]["inhibitedBy"],
                "{version}"
            );
        }
        let inhibited = named(&answer, "HighErrorRate");
        assert_eq!(
            inhibited.status.inhibited_by,
            [named(&answer, "InstanceDown").fingerprint.clone()],
            "{version}"
        );
        assert_eq!(inhibited.status.state, State::Suppressed, "{version}");
    }
}

/// `alertmanager.yml` routes critical alerts to `on-call` and, always muted, to `chat`; the team `batch` only to a
/// muted route.
#[tokio::test]
async fn an_alert_muted_for_some_receivers_is_active_and_one_muted_for_all_is_suppressed() {
    for version in ["alertmanager-0.28.1", "alertmanager-0.34.0"] {
        let answer = alerts_of(file(GROUPS, &format!("{version}/a-alerts-groups.json"))).await;
        assert_eq!(answer.mutes_unknown_on, Vec::<String>::new(), "{version}");
        for (name, state) in [("DiskFull", State::Active), ("NightlyReportLate", State::Suppressed)] {
            let status = &named(&answer, name).status;
            assert_eq!((status.state, texts(&status.muted_by)), (state, vec!["always"]), "{version} {name}");
        }
    }
}

/// Time intervals muted alerts there too, but only since 0.28 does the API tell.
#[tokio::test]
async fn a_version_that_does_not_tell_mutes_is_named() {
    let answer = alerts_of(file(GROUPS, "alertmanager-0.25.0/a-alerts-groups.json")).await;
    assert_eq!(answer.mutes_unknown_on, ["a"]);
    assert_eq!(named(&answer, "NightlyReportLate").status.state, State::Active, "as it says itself");
}

/// Replica `a` alone was told of `DiskFull` and of the silence of `queue="exports"` (`record.sh`).
#[tokio::test]
async fn replicas_that_disagree_are_united_and_the_disagreement_is_listed() {
    for version in VERSIONS {
        let a = replica([file(GROUPS, &format!("{version}/a-alerts-groups.json"))]).await;
        let b = replica([file(GROUPS, &format!("{version}/b-alerts-groups.json"))]).await;
        let answer = alertmanager(&[&a.url(), &b.url()]).alerts(&context()).await.unwrap();

        assert_eq!(answer.alerts.len(), 6, "{version}");
        assert_eq!((answer.coverage.asked(), answer.coverage.failed.len()), (2, 0), "{version}");
        let about: Vec<&str> = answer.disagreements.iter().map(|found| found.fingerprint.as_str()).collect();
        assert_eq!(about, [DISK_FULL, QUEUE_EXPORTS], "{version}");

        let state = |view: &View| (view.replica.clone(), view.status.as_ref().map(|status| status.state));
        let missing: Vec<_> = answer.disagreements[0].views.iter().map(state).collect();
        assert_eq!(missing, [("a".to_owned(), Some(State::Active)), ("b".to_owned(), None)], "{version}");
        let judged: Vec<_> = answer.disagreements[1].views.iter().map(state).collect();
        let expected = [("a".to_owned(), Some(State::Suppressed)), ("b".to_owned(), Some(State::Active))];
        assert_eq!(judged, expected, "{version}");

        // Replica b notifies, whatever a says.
        let silenced = answer.alerts.iter().find(|alert| alert.fingerprint == QUEUE_EXPORTS).unwrap();
        assert_eq!(
            (silenced.status.state, silenced.status.silenced_by.len()),
            (State::Active, 1),
            "{version}"
        );
    }
}

#[tokio::test]
async fn replicas_of_a_cluster_agree_although_they_heard_of_each_alert_at_another_moment() {
    let a = replica([file(GROUPS, "cluster-0.28.1/a-alerts-groups.json")]).await;
    let b = replica([file(GROUPS, "cluster-0.28.1/b-alerts-groups.json")]).await;
    let answer = alertmanager(&[&a.url(), &b.url()]).alerts(&context()).await.unwrap();
    assert_eq!(answer.disagreements, []);
    assert_eq!(answer.alerts.len(), 10);
    // .488 on a, .482 on b.
    let updated = named(&answer, "NightlyReportLate").updated_at.unwrap();
    assert_eq!(updated, "2026-11-21T00:27:24.488Z".parse().unwrap());
}

#[tokio::test]
async fn a_replica_that_is_down_makes_the_answer_partial_and_is_named_with_the_reason() {
    let a = replica([file(GROUPS, "alertmanager-0.28.1/a-alerts-groups.json")]).await;
    let answer = alertmanager(&[&a.url(), &nobody()]).alerts(&context()).await.unwrap();
    assert_eq!(answer.alerts.len(), 6);
    assert_eq!(answer.disagreements, [], "who is down has no opinion");
    assert_eq!(answer.coverage.asked(), 2);
    let answered = &answer.coverage.answered[0];
    assert_eq!((answered.replica.as_str(), answered.system.as_str()), ("a", "alertmanager \"a\""));
    assert_eq!(answered.endpoint.to_string(), "GET /api/v2/alerts/groups");
    let failed = &answer.coverage.failed[0];
    assert_eq!((failed.replica.as_str(), failed.error.kind()), ("b", "unreachable"));
    assert!(failed.error.to_string().to_lowercase().contains("connection refused"), "{}", failed.error);
}

#[tokio::test]
async fn an_alert_has_its_labels_annotations_times_and_origin() {
    let answer = alerts_of(file(GROUPS, "alertmanager-0.34.0/a-alerts-groups.json")).await;
    let alert = named(&answer, "InstanceDown");
    let labels: Vec<_> = alert.labels.iter().map(|(name, value)| (name.inside(), value.inside())).collect();
    assert_eq!(labels, [("alertname", "InstanceDown"), ("service", "payment"), ("severity", "critical")]);
    assert_eq!(alert.annotation("runbook_url").unwrap().inside(), "https://runbooks.example/InstanceDown");
    assert_eq!(alert.annotation("description"), None);
    assert_eq!(alert.starts_at, Some("2026-11-21T00:00:00Z".parse().unwrap()));
    assert_eq!(alert.ends_at, Some("2099-01-01T00:00:00Z".parse().unwrap()));
    let origin = alert.generator_url.as_ref().unwrap().inside();
    assert_eq!(origin, "http://prometheus.example/graph?g0.expr=up");
}

#[tokio::test]
async fn secrets_are_masked_before_anyone_reads_them() {
    let replica = replica([file(GROUPS, "alertmanager-0.28.1/a-alerts-groups.json")]).await;
    let cx = context();
    let answer = alertmanager(&[&replica.url()]).alerts(&cx).await.unwrap();
    let description = named(&answer, "HighErrorRate").annotation("description").unwrap().inside();
    assert!(description.starts_with("login with password="), "{description}");
    assert!(!description.contains("hunter2"), "{description}");
    assert!(cx.intake.masked() > 0);
}

/// A fingerprint of sixteen digits that would pass for a card number (it fulfils Luhn's formula) stays what it is.
#[tokio::test]
async fn a_fingerprint_is_never_masked() {
    let body = r#"[{"alerts":[{"fingerprint":"4111111111111111","labels":{"alertname":"X"}}]}]"#;
    let answer = alerts_of(Reply::to("GET", GROUPS).text(body)).await;
    assert_eq!(answer.alerts[0].fingerprint, "4111111111111111");
}

#[tokio::test]
async fn missing_fields_and_nulls_are_no_error() {
    let bare = r#"[null_group, {"labels":null,"receiver":null,"alerts":[{"fingerprint":"0f",
        "labels":null,"annotations":{"summary":null},"startsAt":null,"endsAt":"0001-01-01T00:00:00.000Z",
        "updatedAt":"yesterday","receivers":null,"generatorURL":"","unheardOf":{"a":[1]},
        "status":{"state":"pondering","silencedBy":null,"inhibitedBy":null,"mutedBy":null}}]}]"#;
    let answer =
        alerts_of(Reply::to("GET", GROUPS).text(&bare.replace("null_group", r#"{"alerts":null}"#))).await;
    let alert = &answer.alerts[0];
    assert_eq!(alert.status.state, State::Unprocessed);
    assert_eq!((alert.starts_at, alert.ends_at, alert.updated_at), (None, None, None));
    assert_eq!((alert.labels.len(), alert.receivers.len(), alert.generator_url.clone()), (0, 0, None));
    assert_eq!(alert.annotation("summary").unwrap().inside(), "");
    assert_eq!(answer.mutes_unknown_on, ["a"]);

    for empty in ["[]", "null"] {
        let answer = alerts_of(Reply::to("GET", GROUPS).text(empty)).await;
        assert_eq!((answer.alerts.len(), answer.mutes_unknown_on.len()), (0, 0), "{empty}");
    }
}

#[tokio::test]
async fn where_there_are_no_groups_the_plain_list_is_read_and_said_so() {
    let replica = replica([
        Reply::to("GET", GROUPS)
            .status(404)
            .text(r#"{"code":404,"message":"path /api/v2/alerts/groups was not found"}"#),
        file(ALERTS, "alertmanager-0.28.1/a-alerts.json"),
    ])
    .await;
    let answer = alertmanager(&[&replica.url()]).alerts(&context()).await.unwrap();
    assert_eq!(answer.alerts.len(), 6);
    assert_eq!(answer.coverage.answered[0].endpoint.to_string(), "GET /api/v2/alerts");
    assert_eq!(answer.mutes_unknown_on, ["a"], "the plain list never tells, although it has the field");
}

/// Mimir: "Alertmanager … GET <alertmanager-http-prefix>/api/v2/alerts", prefix `/alertmanager`, tenant in
/// `X-Scope-OrgID` (Mimir's HTTP API reference).
#[tokio::test]
async fn mimir_is_asked_below_its_prefix_for_the_configured_tenant() {
    let replica =
        replica([file("/alertmanager/api/v2/alerts/groups", "alertmanager-0.28.1/a-alerts-groups.json")])
            .await;
    let mut mimir = source("mimir", &format!("{}/alertmanager/", replica.url()));
    mimir.tenant = Some("team-shop".to_owned());
    let mimir = Alertmanager::new(vec![mimir], &Limits::default()).unwrap();
    assert_eq!(mimir.alerts(&context()).await.unwrap().alerts.len(), 6);
    assert_eq!(replica.requests()[0].header("x-scope-orgid"), Some("team-shop"));
}

#[tokio::test]
async fn only_what_is_on_the_list_is_ever_asked_and_nothing_is_sent_along() {
    let replica = replica([
        Reply::to("GET", GROUPS).status(404),
        file(ALERTS, "alertmanager-0.28.1/a-alerts.json"),
        file(SILENCES, "alertmanager-0.28.1/a-silences.json"),
        file(STATUS, "alertmanager-0.28.1/a-status.json"),
        file(RECEIVERS, "alertmanager-0.28.1/a-receivers.json"),
    ])
    .await;
    let cx = context();
    let client = alertmanager(&[&replica.url()]);
    assert_eq!(replica.requests().len(), 0, "nothing is opened before the first question");
    client.alerts(&cx).await.unwrap();
    client.silences(&cx).await.unwrap();
    client.status(&cx).await.unwrap();
    client.receivers(&cx).await.unwrap();

    let mut asked: Vec<String> = Vec::new();
    for seen in replica.requests() {
        assert_eq!((seen.query.len(), seen.body.len()), (0, 0), "{seen:?}");
        asked.push(format!("{} {}", seen.method, seen.path));
    }
    asked.sort();
    let mut allowed: Vec<String> = ENDPOINTS.iter().map(ToString::to_string).collect();
    allowed.sort();
    assert_eq!(asked, allowed);
    assert!(allowed.iter().all(|endpoint| endpoint.starts_with("GET /api/v2/")), "{allowed:?}");
    assert_eq!(cx.trail.calls().len(), 5, "each request is in the trail of the call");
}
