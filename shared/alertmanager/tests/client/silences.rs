use alertmanager::SilenceState;
use testkit::recorded::Reply;

use super::*;

/// What `record.sh` made: an active one on `a` only, and on each replica a pending and an ended one.
#[tokio::test]
async fn silences_of_all_replicas_come_active_first_and_expired_last() {
    for version in VERSIONS {
        let a = replica([file(SILENCES, &format!("{version}/a-silences.json"))]).await;
        let b = replica([file(SILENCES, &format!("{version}/b-silences.json"))]).await;
        let answer = alertmanager(&[&a.url(), &b.url()]).silences(&context()).await.unwrap();
        use SilenceState::{Active, Expired, Pending};
        let states: Vec<_> = answer.silences.iter().map(|silence| silence.state).collect();
        assert_eq!(states, [Active, Pending, Pending, Expired, Expired], "{version}");
        let [active, .., ended_last, ended_first] = answer.silences.as_slice() else { panic!("too few") };
        assert!(ended_last.ends_at > ended_first.ends_at, "{version}");
        assert_eq!(active.comment.inside(), "exports are migrated", "{version}");
        assert_eq!(active.known_to, ["a"], "{version}");
        assert_eq!(active.ends_at, Some("2099-01-01T00:00:00Z".parse().unwrap()), "{version}");
        assert!(!active.created_by.inside().contains("ada@"), "an e-mail address is masked");
    }
}

#[tokio::test]
async fn a_silence_known_to_both_replicas_is_one() {
    let a = replica([file(SILENCES, "cluster-0.28.1/silences.json")]).await;
    let b = replica([file(SILENCES, "cluster-0.28.1/silences.json")]).await;
    let answer = alertmanager(&[&a.url(), &b.url()]).silences(&context()).await.unwrap();
    assert_eq!(answer.silences.len(), 1);
    assert_eq!(answer.silences[0].id, "f794a99b-126f-4eca-b74a-a2582e0c0723");
    assert_eq!(answer.silences[0].known_to, ["a", "b"]);
}

#[tokio::test]
async fn of_two_versions_of_a_silence_the_latest_update_is_right_whoever_is_asked_first() {
    let silence = |state: &str, updated: &str| {
        Reply::to("GET", SILENCES).text(&format!(
            r#"[{{"id":"f794a99b-126f-4eca-b74a-a2582e0c0723","status":{{"state":"{state}"}},"updatedAt":"{updated}"}}]"#
        ))
    };
    let before = replica([silence("active", "2026-11-21T00:00:00.000Z")]).await;
    let ended = replica([silence("expired", "2026-11-21T00:30:00.000Z")]).await;
    for urls in [[before.url(), ended.url()], [ended.url(), before.url()]] {
        let answer = alertmanager(&[&urls[0], &urls[1]]).silences(&context()).await.unwrap();
        assert_eq!((answer.silences.len(), answer.silences[0].state), (1, SilenceState::Expired));
        assert_eq!(answer.silences[0].known_to, ["a", "b"]);
    }
}

#[tokio::test]
async fn matchers_keep_their_kind() {
    let replica = replica([file(SILENCES, "alertmanager-0.28.1/a-silences.json")]).await;
    let answer = alertmanager(&[&replica.url()]).silences(&context()).await.unwrap();
    let written = |index: usize| {
        let matchers = answer.silences[index].matchers.iter();
        matchers
            .map(|m| format!("{}{}{}", m.name.inside(), m.operator(), m.value.inside()))
            .collect::<Vec<_>>()
    };
    assert_eq!(written(0), ["alertname=QueueLong", "queue=exports"]);
    assert_eq!(written(1), ["queue!~e.+"]);
}

/// Without `isEqual`, as before 0.22, a matcher is positive; without a state and matchers nothing is made up.
#[tokio::test]
async fn what_a_silence_does_not_say_stays_unknown() {
    let body = r#"[{"id":"0a","matchers":[{"name":"job","value":"a|b","isRegex":true}],"comment":null},
                   {"id":"0b","status":null,"matchers":null,"annotations":{"ticket":"1"}}]"#;
    let replica = replica([Reply::to("GET", SILENCES).text(body)]).await;
    let answer = alertmanager(&[&replica.url()]).silences(&context()).await.unwrap();
    assert_eq!(answer.silences[0].matchers[0].operator(), "=~");
    assert_eq!(answer.silences[0].comment.inside(), "");
    assert_eq!(answer.silences[1].state, SilenceState::Unknown);
    assert_eq!(answer.silences[1].matchers, []);
}

/// The body is what 0.32 and later make of it (`GettableSilenceFromProto` in api/v2/compat.go): one silence with
/// several sets of matchers, and the whole list fails.
#[tokio::test]
async fn a_silence_that_v2_can_not_express_is_explained() {
    let body = r#""silence 'f794a99b-126f-4eca-b74a-a2582e0c0723' has multiple matcher sets which is not supported by this API version""#;
    let replica = replica([Reply::to("GET", SILENCES).status(500).text(body)]).await;
    let error = alertmanager(&[&replica.url()]).silences(&context()).await.unwrap_err();
    let error = contract::ToolError::from(error);
    assert!(error.to_string().contains("has multiple matcher sets"), "{error}");
    assert!(error.advice().contains("the alerts still tell which silences"), "{}", error.advice());
}
