//! Large metrics.

use serde_json::json;

use crate::world::{HOUR, MINUTE, Metric, World, last_hour, noise};

/// 10,000 gauges of 100 pods with 100 routes each, every 5 minutes; those of pod-037 are three times as large from 20
/// minutes before now.
fn large() -> Metric {
    let mut metric = Metric::of("gauge", "connections");
    let stretch = [(-2 * HOUR - 10 * MINUTE, 0)];
    for pod in 0..100 {
        for route in 0..100 {
            let value = move |at: i64| {
                let usual = 10.0 + 0.5 * noise(at * 20, pod * 100 + route);
                Some(if pod == 37 && at > -20 * MINUTE { usual * 3.0 } else { usual })
            };
            let name = format!(
                "connections{{pod=\"pod-{pod:03}\",route=\"/{route}\",zone=\"z{}\",id=\"{}\",job=\"shop\"}}",
                pod % 2,
                pod * 100 + route
            );
            metric = metric.series(&name, &stretch, 60, value);
        }
    }
    metric
}

/// By hand: 100 routes of pod-037 go from 10 to 30: from 1,000 to 3,000, and the total from 100,000 to 102,000.
#[tokio::test]
async fn among_10_000_series_the_culprit_is_found_by_grouping_at_the_source() {
    let world = World::of(&[large()]).await;
    let answer = world.compare(last_hour("connections")).await;
    assert_eq!(answer.rows("label values")[0]["labels"], "{pod=pod-037}", "{}", answer.text);
    let first = &answer.rows("label values")[0];
    assert!((first["since onset"].as_f64().unwrap() - 3_000.0).abs() < 60.0, "{first}");
    assert!(answer.verdict().contains("pod=pod-037"), "{}", answer.text);
    assert!(answer.caveats().contains("about 10,000 series are too many to pull"), "{}", answer.text);
    // `id` has 10,000 values and `job` one: no divisions.
    answer.says("by zone, pod, route");
    assert!(answer.next().contains(r#"connections{pod=\"pod-037\"}"#), "{}", answer.next());

    // The suggested call goes to the series themselves.
    let answer = world.compare(json!({"metric": "connections{pod=\"pod-037\"}", "window1": "1h"})).await;
    assert_eq!(answer.rows("label sets").len(), 12, "{}", answer.text);
    assert!(answer.text.contains("12 of 100 label sets shown"), "{}", answer.text);
    assert!(answer.verdict().contains("connections{pod=\"pod-037\"} rose"), "{}", answer.text);
}

/// 400 series whose labels are some 200 characters long: the one that moved is in the answer, within its size.
#[tokio::test]
async fn among_long_labels_the_culprit_is_the_first_row_and_the_answer_keeps_its_size() {
    let mut metric = Metric::of("gauge", "queue_length");
    for place in 0..400 {
        let value = move |at: i64| {
            let usual = 100.0 + noise(at * 20, place);
            Some(if place == 271 && at > -20 * MINUTE { usual * 1.5 } else { usual })
        };
        let (path, owner) = ("segment/".repeat(12), "someone.".repeat(10));
        let name = format!("queue_length{{path=\"/{path}{place:03}\",owner=\"{owner}{place:03}\"}}");
        metric = metric.series(&name, &[(-2 * HOUR - 10 * MINUTE, 0)], 60, value);
    }
    let world = World::of(&[metric]).await;
    for detail in ["concise", "full"] {
        let arguments = json!({"metric": "queue_length", "window1": "1h", "limit": 100, "detail": detail});
        let reply = world.call(arguments).await;
        let most = if detail == "full" { 24_000 } else { 8_000 };
        let structured = reply.structured.clone().unwrap().to_string();
        assert!(reply.text.chars().count() <= most && structured.chars().count() <= most, "{detail}");
        let rows = structured.split("\"rows\":").nth(2).unwrap();
        let first = rows.split(']').next().unwrap();
        assert!(first.contains("/271,") || first.contains("/271}"), "{first}");
        assert!(reply.text.contains("of 400 label sets shown"), "{}", reply.text);
    }
}
