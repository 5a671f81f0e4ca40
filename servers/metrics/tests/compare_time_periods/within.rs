//! `by`: divided by labels, and values of a label against each other within one window.

use serde_json::json;

use crate::world::{Metric, World, counted, noise, seasonal};

/// Two versions in four pods: the newer one has three times the errors of the older.
fn errors() -> Metric {
    let mut metric = Metric::of("counter", "errors");
    for (version, pod, rate, seed) in
        [("1.4.0", "a", 1.0, 1), ("1.4.0", "b", 1.0, 2), ("1.5.0", "c", 3.0, 3), ("1.5.0", "d", 3.0, 4)]
    {
        let name = format!("errors_total{{service_version=\"{version}\",pod=\"{pod}\"}}");
        metric = metric.series(&name, &seasonal(), 15, counted(move |at| rate + 0.2 * noise(at, seed)));
    }
    metric
}

#[tokio::test]
async fn versions_are_compared_with_each_other_within_one_window() {
    let world = World::of(&[errors()]).await;
    let arguments = json!({"metric": "errors_total", "window1": "1h", "window2": "1h", "by": "version"});
    let answer = world.compare(arguments).await;
    let new = answer.row("label values", "1.5.0");
    assert!((new["median"].as_f64().unwrap() - 6.0).abs() < 0.2, "{new}");
    assert!((new["median of the others"].as_f64().unwrap() - 2.0).abs() < 0.2, "{new}");
    let old = answer.row("label values", "1.4.0");
    assert!((old["median"].as_f64().unwrap() - 2.0).abs() < 0.2, "{old}");
    assert!(answer.verdict().contains("by service_version:"), "{}", answer.text);
    assert!(
        answer.caveats().contains("by version: the label is called service_version here"),
        "{}",
        answer.text
    );
    answer.says("sum by (service_version) (rate(errors_total[60s]))");
}

#[tokio::test]
async fn the_same_window_twice_needs_a_label() {
    let world = World::of(&[errors()]).await;
    let reply = world.call(json!({"metric": "errors_total", "window1": "1h", "window2": "1h"})).await;
    assert!(reply.is_error && reply.text.contains("is the same as window1"), "{}", reply.text);
}

#[tokio::test]
async fn a_metric_is_divided_by_the_labels_that_were_asked_for() {
    let world = World::of(&[crate::requests()]).await;
    let by_route =
        world.compare(json!({"metric": "http_requests_total", "window1": "1h", "by": "route"})).await;
    let rows = by_route.rows("label values");
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["labels"], "{route=/orders}");
    let both =
        world.compare(json!({"metric": "http_requests_total", "window1": "1h", "by": "code, route"})).await;
    assert_eq!(both.rows("label values").len(), 4);
    // An expression is divided in the same way.
    let metric = "rate(http_requests_total[1m]) * 60";
    let answer = world.compare(json!({"metric": metric, "window1": "1h", "by": "code"})).await;
    answer.says("sum by (code) (rate(http_requests_total[1m]) * 60)");
    let errors = answer.row("label values", "code=500");
    assert!((errors["since onset"].as_f64().unwrap() - 60.0 * 8.2).abs() < 10.0, "{errors}");
}

#[tokio::test]
async fn a_label_that_does_not_exist_is_named_with_those_that_do() {
    let world = World::of(&[crate::requests()]).await;
    let reply = world.call(json!({"metric": "http_requests_total", "window1": "1h", "by": "rout"})).await;
    assert!(reply.is_error && reply.text.contains("no series of it has a label `rout`"), "{}", reply.text);
    assert!(
        reply.text.contains("code, route, service") && reply.text.contains("nearest: route"),
        "{}",
        reply.text
    );
}
