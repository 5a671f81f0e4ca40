use alertmanager::ClusterState;
use testkit::recorded::Reply;

use super::*;

#[tokio::test]
async fn a_member_of_a_cluster_tells_version_state_and_peers() {
    let replica = replica([file(STATUS, "cluster-0.28.1/status.json")]).await;
    let answer = alertmanager(&[&replica.url()]).status(&context()).await.unwrap();
    let status = &answer.replicas[0];
    assert_eq!(status.replica, "a");
    assert_eq!(status.version.as_ref().unwrap().inside(), "0.28.1");
    assert_eq!(status.started_at, Some("2026-11-21T00:21:05.411Z".parse().unwrap()));
    assert_eq!(status.cluster, ClusterState::Ready);
    assert_eq!(status.cluster_name.as_ref().unwrap().inside(), "01M7XQMSR1S4ZXDM0CGE96XQZ0");
    let peers: Vec<_> = status.peers.iter().map(|peer| (peer.name.inside(), peer.address.inside())).collect();
    let expected =
        [("01M7XQMSR1S4ZXDM0CGE96XQZ0", "127.0.0.1:9193"), ("01M7XQMSV8CCNNX984ZGC6FWAT", "127.0.0.1:9194")];
    assert_eq!(peers, expected);
}

#[tokio::test]
async fn each_version_is_understood() {
    for version in VERSIONS {
        let replica = replica([file(STATUS, &format!("{version}/a-status.json"))]).await;
        let answer = alertmanager(&[&replica.url()]).status(&context()).await.unwrap();
        let status = &answer.replicas[0];
        assert_eq!(status.version.as_ref().unwrap().inside(), version.trim_start_matches("alertmanager-"));
        assert_eq!((status.cluster, status.peers.len()), (ClusterState::Disabled, 0), "{version}");
    }
}

#[tokio::test]
async fn the_configuration_in_the_reply_is_not_kept() {
    let replica = replica([file(STATUS, "cluster-0.28.1/status.json")]).await;
    let client = alertmanager(&[&replica.url()]);
    let answer = client.status(&context()).await.unwrap();
    client.status(&context()).await.unwrap();
    assert_eq!(replica.requests().len(), 2, "the reply must not lie in a cache either");
    let everything = format!("{answer:?} {client:?}");
    for part in ["resolve_timeout", "webhook", "events.pagerduty.com"] {
        assert!(!everything.contains(part), "{part}");
    }
}

/// Grafana's own Alertmanager fills in nothing but the configuration, which is an object (`NewGettableStatus` in
/// grafana/grafana, pkg/services/ngalert/api/tooling/definitions/alertmanager.go).
#[tokio::test]
async fn grafana_tells_neither_version_nor_start() {
    let body = r#"{"cluster":{"peers":[],"status":"disabled"},
        "config":{"route":{"receiver":"grafana-default-email"},"receivers":[]},"uptime":null,
        "versionInfo":{"branch":"N/A","buildDate":"N/A","buildUser":"N/A","goVersion":"N/A","revision":"N/A","version":"N/A"}}"#;
    let below = "/api/alertmanager/grafana";
    let replica = replica([Reply::to("GET", &format!("{below}{STATUS}")).text(body)]).await;
    let answer = alertmanager(&[&format!("{}{below}", replica.url())]).status(&context()).await.unwrap();
    let status = &answer.replicas[0];
    assert_eq!((status.version.clone(), status.started_at, status.cluster_name.clone()), (None, None, None));
    assert_eq!(status.cluster, ClusterState::Disabled);
}

#[tokio::test]
async fn an_object_of_something_else_is_no_status() {
    let replica = replica([Reply::to("GET", STATUS).text(r#"{"status":"success","data":{}}"#)]).await;
    let error = alertmanager(&[&replica.url()]).status(&context()).await.unwrap_err();
    assert_eq!(error.failed()[0].error.kind(), "protocol");
}

/// Since 0.33 receivers have labels; 0.34 sends them.
#[tokio::test]
async fn receivers_are_the_names_of_the_configuration() {
    for version in VERSIONS {
        let replica = replica([file(RECEIVERS, &format!("{version}/a-receivers.json"))]).await;
        let answer = alertmanager(&[&replica.url()]).receivers(&context()).await.unwrap();
        assert_eq!(texts(&answer.names), ["chat", "on-call", "team"], "{version}");
    }
}
