//! Stores with more than fits.

use serde_json::{Value, json};
use testkit::recorded::Reply;

use crate::world::{Store, ask, rows, success, vector};

const BY_ALL: &str = r#"count by (__name__, code, pod) ({__name__=~"r_total"})"#;
const BY_NAME: &str = r#"count by (__name__) ({__name__=~"r_total"})"#;
const BY_CODE: &str = r#"count by (__name__, code) ({__name__=~"r_total"})"#;

fn pods(count: usize) -> Vec<(Value, u64)> {
    let code = |pod: usize| if pod.is_multiple_of(2) { "200" } else { "500" };
    (0..count)
        .map(|pod| (json!({"__name__": "r_total", "pod": format!("pod-{pod:05}"), "code": code(pod)}), 1))
        .collect()
}

fn query(text: &str) -> Reply {
    Reply::to("POST", "/api/v1/query").form("query", text)
}

#[tokio::test]
async fn ten_thousand_series_are_counted_exactly_and_their_labels_read_without_machines() {
    let store = Store {
        labels: vec!["__name__", "code", "pod"],
        values: vec![("pod", vec![])],
        ..Store::of(&["r_total"])
    };
    let backend = store.serve().await;
    backend.reply(query(BY_ALL).text(&success(&vector(&pods(5_001))))).await;
    let both = |code: &str| (json!({"__name__": "r_total", "code": code}), 5_000);
    backend.reply(query(BY_NAME).text(&success(&vector(&[(json!({"__name__": "r_total"}), 10_000)])))).await;
    backend.reply(query(BY_CODE).text(&success(&vector(&[both("200"), both("500")])))).await;
    let reply = ask(&backend, json!({"text": "r_total"})).await;
    assert_eq!(
        rows(&reply),
        [json!([
            "r_total",
            "counter, inferred",
            null,
            10_000,
            "code: 200, 500; pod (values not read)",
            null,
            "sum by (code) (rate(r_total[5m]))"
        ])]
    );
    assert!(
        reply.text.contains(BY_NAME) && reply.text.contains(BY_CODE) && !reply.text.contains(BY_ALL),
        "{}",
        reply.text
    );
    assert!(!reply.text.contains("sample"), "{}", reply.text);
}

#[tokio::test]
async fn label_sets_beyond_the_bound_are_said_to_be_a_sample() {
    let store = Store {
        labels: vec!["__name__", "code", "pod"],
        values: vec![("pod", vec![])],
        ..Store::of(&["r_total"])
    };
    let backend = store.serve().await;
    backend.reply(query(BY_ALL).text(&success(&vector(&pods(5_001))))).await;
    backend.reply(query(BY_NAME).text(&success(&vector(&[(json!({"__name__": "r_total"}), 10_000)])))).await;
    let codes: Vec<(Value, u64)> =
        (0..5_001).map(|code| (json!({"__name__": "r_total", "code": format!("{code:05}")}), 1)).collect();
    backend.reply(query(BY_CODE).text(&success(&vector(&codes)))).await;
    let reply = ask(&backend, json!({"text": "r_total"})).await;
    assert_eq!(rows(&reply)[0][3], 10_000);
    assert_eq!(rows(&reply)[0][4], "code (5001+): 00000, 00001, 00002, 00003, …; pod (values not read)");
    assert!(reply.text.contains("labels are from a sample"), "{}", reply.text);
    assert_eq!(rows(&reply)[0][6], "sum(rate(r_total[5m]))");
}

#[tokio::test]
async fn a_server_that_ignores_the_limit_is_believed() {
    let store = Store {
        labels: vec!["__name__", "code", "pod"],
        values: vec![("pod", vec![])],
        ..Store::of(&["r_total"])
    };
    let backend = store.serve().await;
    backend.reply(query(BY_ALL).text(&success(&vector(&pods(10_000))))).await;
    let reply = ask(&backend, json!({"text": "r_total"})).await;
    assert_eq!(rows(&reply)[0][3], 10_000);
    assert_eq!(
        rows(&reply)[0][4],
        "code: 200, 500; pod (10000): pod-00000, pod-00001, pod-00002, pod-00003, …"
    );
}

#[tokio::test]
async fn more_names_than_fit_are_narrowed_by_the_server_and_that_is_said() {
    let names: Vec<String> = (0..10_001).map(|number| format!("a_{number:05}_depth")).collect();
    let backend = Store { names, ..Store::default() }.serve().await;
    let narrowed = |pattern: &str| format!("{{__name__=~\"{pattern}\"}}");
    let reply = Reply::to("GET", "/api/v1/label/__name__/values")
        .query("match[]", &narrowed("(?i).*(?:zebra).*"))
        .query("match[]", &narrowed("(?i).*(?:crossing).*"));
    backend.reply(reply.text(&success(&json!(["zebra_crossing_total"])))).await;
    let reply = ask(&backend, json!({"text": "zebra crossings"})).await;
    assert!(backend.unmatched().is_empty(), "{:?}", backend.unmatched());
    assert_eq!(rows(&reply)[0][0], "zebra_crossing_total");
    let said = "there are more than 10000 names of series: searched the first 10000 in their order, and all whose \
                name holds a word of the search (10001 names in all)";
    assert!(reply.text.contains(said), "{}", reply.text);
    assert!(
        reply.text.contains("1 of 10001 metrics (10001 names of series searched, of more)"),
        "{}",
        reply.text
    );
}

#[tokio::test]
async fn metadata_that_was_cut_is_asked_for_where_it_is_shown() {
    let metadata =
        (0..10_001).map(|number| (format!("a_{number:05}"), "gauge", "Filler.".to_owned())).collect();
    let backend = Store { metadata, ..Store::of(&["zebras"]) }.serve().await;
    let one = json!({"zebras": [{"type": "counter", "unit": "animals", "help": "Zebras seen."}]});
    backend.reply(Reply::to("GET", "/api/v1/metadata").query("metric", "zebras").text(&success(&one))).await;
    let reply = ask(&backend, json!({"text": "zebra"})).await;
    let row = rows(&reply)[0].clone();
    assert_eq!((&row[1], &row[2], &row[5]), (&json!("counter"), &json!("animals"), &json!("«Zebras seen.»")));
    assert!(reply.text.contains("metadata of only 10000 metrics was read"), "{}", reply.text);
}

#[tokio::test]
async fn fifty_wordy_metrics_stay_within_the_budget() {
    let names: Vec<String> =
        (0..50).map(|number| format!("a_metric_with_a_rather_long_name_{number:02}_seconds")).collect();
    let metadata =
        names.iter().map(|name| (name.clone(), "gauge", "What it means, at length. ".repeat(40))).collect();
    let one = |name: &String| {
        let values =
            (0..20).map(move |value| (json!({"__name__": name, "zone": format!("zone-number-{value}")}), 1));
        values.collect::<Vec<_>>()
    };
    let rows_now = names.iter().flat_map(one).collect();
    let store =
        Store { names, metadata, labels: vec!["__name__", "zone"], rows: rows_now, ..Store::default() };
    let backend = store.serve().await;
    for (detail, limit) in [("concise", 8_000), ("full", 24_000)] {
        let reply = ask(&backend, json!({"text": "long", "limit": 50, "detail": detail})).await;
        let structured = reply.structured.clone().unwrap();
        assert!(reply.text.len() <= limit && structured.to_string().len() <= limit);
        let counts = &structured["coverage"]["metrics"];
        assert_eq!(counts["seen"], 50);
        assert_eq!(counts["shown"], rows(&reply).len());
        assert!(rows(&reply).len() >= 10, "{}", reply.text);
    }
}
