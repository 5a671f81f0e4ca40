//! A user who may read some indices and nothing else, on a cluster that asks who is there.

use logs_mcp::Config;
use runtime::Loaded;
use serde_json::json;
use upstream::BasicAuth;

use crate::{
    answer::{Case, WINDOW, ecs_fields, expect, failure, index, mappings, others_say, with},
    cluster::Cluster,
    common,
};

const SYSTEM: &str = "elasticsearch-secured";
/// Of the users that the testbed makes.
const PASSWORD: &str = "reader-of-logs";
/// `admin` and the password.
const ADMIN: &str = "Basic YWRtaW46cmVhZGVyLW9mLWxvZ3M=";

#[tokio::test]
#[ignore = "needs the testbed"]
async fn a_user_who_may_only_read_gets_every_answer_but_sizes() {
    let cluster = Cluster::of(SYSTEM).asked_as(ADMIN);
    for name in ["logs-of-shop", "secrets"] {
        cluster.fresh_index(name, index(mappings())).await;
        cluster.store(name, (0..5).map(|second| failure(second, "pay"))).await;
    }
    let reader = with(&with_user(&cluster, PASSWORD, None)).await;
    expect(&reader, SYSTEM, of_reader()).await;
    others_say(&reader, SYSTEM, false, "5 records").await;
    let elsewhere = with(&with_user(&cluster, PASSWORD, Some("secrets"))).await;
    expect(&elsewhere, SYSTEM, of_elsewhere()).await;
    let stranger = with(&with_user(&cluster, "wrong", None)).await;
    others_say(&stranger, SYSTEM, true, "answered HTTP 401: «unable to authenticate user [reader]").await;
}

fn with_user(cluster: &Cluster, password: &str, indices: Option<&str>) -> Loaded<Config> {
    let mut loaded = common::elasticsearch_at(&cluster.url, indices.unwrap_or_default());
    if indices.is_none() {
        loaded.config.logs.clear();
    }
    let (username, password) = ("reader".to_owned(), Some(password.to_owned().into()));
    loaded.config.elasticsearch[0].basic = Some(BasicAuth { username, password, password_file: None });
    loaded
}

fn of_reader() -> Vec<Case> {
    vec![
        (
            "list_log_sources",
            json!({}),
            json!({
                "verdict": "1 index with 5 records; 1 service logged in the last 24 h; fields of ECS; the newest record is of 2026-01-14T14:00:04Z.",
                "tables": {
                    "sources": [["logs-of-shop", "index", 5, false, "2026-01-14T14:00:00Z", "2026-01-14T14:00:04Z", null]],
                    "fields by role": ecs_fields(5),
                    "services": [["pay", 5]],
                    "levels": [["error", 5]],
                },
                "caveats": [
                    "sizes and health are not told: elasticsearch \"main\" answered HTTP 403: «action [cluster:monitor/state] is unauthorized for user [reader] with effective roles [logs_reader,nobody], this action is granted by the cluster privileges [cross_cluster_replication,read_ccr,transport_client,manage_ccr,monitor,manage,all]»",
                ],
            }),
        ),
        (
            "search_logs",
            json!({"query": "*", "time_range": WINDOW, "limit": 1}),
            json!({
                "verdict": "5 records between 2026-01-14T14:00:00Z and 2026-01-14T14:10:00Z.",
                "tables": { "lines": [["2026-01-14T14:00:04Z", "error", "pay", null, null, "«call 4 failed»", null]] },
                "caveats": ["lines: the newest 1 of 5 records"],
            }),
        ),
    ]
}

fn of_elsewhere() -> Vec<Case> {
    let error = json!({
        "error": [
            "not_configured: elasticsearch \"main\": no open index matches secrets, or the configured user may see none",
            "an operator mends [[logs]] indices, or grants the configured user `read` and `view_index_metadata` on them",
        ],
    });
    vec![("search_logs", json!({"query": "*", "time_range": WINDOW}), error)]
}
