//! Every hostile text in every field that a store of logs can return, for every tool: the fence is intact, nothing
//! invisible or acting gets out, what addresses an assistant is marked, and the budget holds. In both renderings, in
//! success and in failure.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail loudly")]

#[path = "common/calls.rs"]
mod calls;
#[path = "common/cluster.rs"]
mod cluster;
mod common;
#[path = "injection/explorer.rs"]
mod explorer;

use std::{collections::BTreeSet, path::Path, sync::Arc};

use logs_mcp::{Config, LogsConfig};
use runtime::Loaded;
use testkit::{
    injection::{Answered, PHRASES, Sweep, ask_every_tool, sweep},
    recorded::Recorded,
};

use calls::good_calls;

/// Forms in which a query of ours holds a value: in Lucene syntax and in JSON, there also as a text within a text, and the
/// phrases of a pattern in a query that finds its records.
const QUOTES: &[&str] = &[":\"{}\"", "\":\"{}\"", "\\\"{}\\\"", "\"{}\"", PHRASES];

async fn ask(loaded: Loaded<Config>) -> Vec<Answered> {
    let client = common::connect_to(&loaded, common::NOW).await;
    ask_every_tool(&client, &good_calls()).await
}

async fn ask_of(backend: Recorded) -> Vec<Answered> {
    let answers = ask(common::elasticsearch_at(&backend.url(), "logs-*")).await;
    is_asked(&backend);
    answers
}

async fn ask_explorer(backend: Recorded) -> Vec<Answered> {
    let logs = LogsConfig { database: "observability".to_owned(), ..LogsConfig::default() };
    let adx = vec![common::source("main", &backend.url())];
    let config = Config { adx, logs: vec![logs], ..Config::default() };
    let answers = ask(Loaded { config, ..Loaded::default() }).await;
    is_asked(&backend);
    answers
}

fn is_asked(backend: &Recorded) {
    assert!(!backend.requests().is_empty(), "nothing reached the backend");
    let unmatched = backend.unmatched();
    assert!(unmatched.is_empty(), "{:?}", unmatched.first());
}

async fn ask_recorded(directory: &Path) -> Vec<Answered> {
    let snapshot = snapshot::Snapshot::open(directory).unwrap();
    ask(Loaded { snapshot: Some(Arc::new(snapshot)), ..Loaded::default() }).await
}

/// Each tool showed, and marked, some text; each text was marked that must be, and quoted that can be recognised.
fn is_complete(found: &Sweep, what: &str) {
    holds_and_marks(found, what, &[]);
    assert!(found.unmarked().is_empty(), "{what}: no answer marked {:?}", found.unmarked());
    assert!(found.unseen().is_empty(), "{what}: in no answer: {:?}", found.unseen());
}

/// Nothing came out, and each tool but `silent` showed, and marked, some text.
fn holds_and_marks(found: &Sweep, what: &str, silent: &[&str]) {
    found.holds(what);
    let tools = good_calls().into_iter().map(|(tool, _)| tool).filter(|tool| !silent.contains(tool));
    let tools: BTreeSet<String> = tools.map(str::to_owned).collect();
    let marking = found.marking_tools();
    assert!(tools.is_subset(&marking), "{what}: {marking:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_text_in_every_field_of_a_good_reply_stays_quoted_marked_and_within_the_budget() {
    let found = sweep(QUOTES, |text| async move { ask_of(cluster::saying(&text).await).await }).await;
    is_complete(&found, "elasticsearch");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_text_in_every_field_of_a_recorded_incident_stays_quoted_marked_and_within_the_budget() {
    let found = sweep(QUOTES, |text| async move {
        let directory = cluster::recorded(&text);
        ask_recorded(directory.path()).await
    });
    is_complete(&found.await, "recorded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_text_in_every_field_of_azure_data_explorer_stays_quoted_marked_and_within_the_budget() {
    let found =
        sweep(QUOTES, |text| async move { ask_explorer(explorer::explorer(&text).await).await }).await;
    // What this cluster counts holds no anomaly.
    holds_and_marks(&found, "adx", &["get_log_volume_anomalies"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_text_in_an_error_of_azure_data_explorer_stays_quoted_and_within_the_budget() {
    let found =
        sweep(QUOTES, |text| async move { ask_explorer(explorer::refusing(&text).await).await }).await;
    found.holds("adx refusing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_text_in_an_error_of_the_cluster_stays_quoted_marked_and_within_the_budget() {
    let found = sweep(QUOTES, |text| async move { ask_of(cluster::refusing(&text, 400).await).await }).await;
    found.holds("refusing");
    // of an error at most so much is shown that nobody sees an order behind that
    let unmarked: Vec<_> = found.unmarked().into_iter().filter(|name| *name != "huge-then-order").collect();
    assert!(unmarked.is_empty(), "no answer marked {unmarked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_text_as_the_body_of_a_failure_never_breaks_out() {
    let ask = |text: String| async move { ask_of(cluster::failing(503, "text/plain", &text).await).await };
    sweep(QUOTES, ask).await.holds("failing");
}
