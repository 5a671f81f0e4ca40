//! What is missing, stale, restarted or no number.

use serde_json::{Value, json};

use crate::world::{DAY, HOUR, MINUTE, Metric, World, counted, last_hour, noise, seasonal};

/// The source's own targets, so that it is known to have been running.
fn up(stretches: &[(i64, i64)]) -> Metric {
    Metric::of("gauge", "up").series("up{job=\"shop\"}", stretches, 15, |_| Some(1.0))
}

#[tokio::test]
async fn nothing_at_all_is_not_a_zero_and_says_where_to_look() {
    let world = World::of(&[crate::requests()]).await;
    let answer = world.compare(last_hour("http_request_total{service=\"shop\"}")).await;
    assert!(answer.verdict().starts_with("No series matched http_request_total"), "{}", answer.text);
    answer.says("This is not a zero.");
    assert!(
        answer.next().contains("query_metrics") && answer.next().contains("search_metrics"),
        "{}",
        answer.text
    );
    assert!(answer.rows("totals").is_empty());
}

#[tokio::test]
async fn a_label_set_that_appeared_and_one_that_vanished_are_rows_of_their_own() {
    let mut metric = Metric::of("gauge", "queue_length");
    let all = |level: f64, seed: i64| move |at: i64| Some(level + noise(at, seed));
    metric = metric.series("queue_length{queue=\"mail\"}", &seasonal(), 15, all(40.0, 1));
    metric = metric.series("queue_length{queue=\"new\"}", &[(-30 * MINUTE, 0)], 15, all(7.0, 2));
    let old = [(-HOUR - 7 * DAY, -7 * DAY), (-HOUR - DAY, -DAY)];
    metric = metric.series("queue_length{queue=\"gone\"}", &old, 15, all(9.0, 3));
    let ended = [(-HOUR - 7 * DAY, -7 * DAY), (-HOUR - DAY, -DAY), (-HOUR, -25 * MINUTE)];
    metric = metric.series("queue_length{queue=\"stale\"}", &ended, 15, all(9.0, 4));
    let world = World::of(&[metric]).await;

    let answer = world.compare(last_hour("queue_length")).await;

    let new = answer.row("label sets", "queue=new");
    assert_eq!(new["note"], "appeared");
    assert_eq!(
        (&new["median before"], &new["relative"], &new["effect"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(new["onset"], "2026-01-14T14:00:00Z");
    let gone = answer.row("label sets", "queue=gone");
    assert_eq!(
        (&gone["note"], &gone["median now"], &gone["onset"]),
        (&json!("vanished"), &Value::Null, &Value::Null)
    );
    // A server shows the latest sample, of 14:05, for five minutes.
    let stale = answer.row("label sets", "queue=stale");
    assert_eq!(stale["note"], "vanished");
    assert!(
        ["2026-01-14T14:09:45Z", "2026-01-14T14:10:00Z"].contains(&stale["onset"].as_str().unwrap()),
        "{stale}"
    );
    assert!(answer.findings().contains("2 vanished") && !answer.text.contains("Inf"), "{}", answer.text);
    answer.says("queue=gone (value 8.9");
    answer.says(" → none) accounts for");
    // They come before what did not move.
    assert!(answer.rows("label sets")[3]["labels"].as_str().unwrap().contains("mail"), "{}", answer.text);
}

#[tokio::test]
async fn what_vanished_is_looked_at_in_the_baseline() {
    let gone = [(-HOUR - 7 * DAY, -7 * DAY), (-HOUR - DAY, -DAY)];
    let metric = Metric::of("gauge", "queue_length")
        .series("queue_length{queue=\"mail\"}", &seasonal(), 15, |at| Some(40.0 + noise(at, 1)))
        .series("queue_length{queue=\"gone\"}", &gone, 15, |at| Some(9.0 + noise(at, 3)));
    let world = World::of(&[metric]).await;
    let answer = world.compare(last_hour("queue_length")).await;
    let call = "query_metrics(promql=\"sum(queue_length{queue=\\\"gone\\\"})\", \
                time_range=\"2026-01-13T13:30:00Z/2026-01-13T14:30:00Z\"";
    assert!(answer.text.contains(call), "{}", answer.text);
    answer.says("the series that vanished");
}

#[tokio::test]
async fn a_metric_that_only_the_window_in_question_has_appeared() {
    let recent = Metric::of("gauge", "queue_length")
        .series("queue_length", &[(-HOUR, 0)], 15, |at| Some(5.0 + noise(at, 1)));
    let world = World::of(&[up(&[(-8 * DAY, 0)]), recent]).await;
    let answer = world.compare(last_hour("queue_length")).await;
    assert!(answer.verdict().contains("has nothing to be compared with"), "{}", answer.text);
    assert!(
        answer.verdict().contains("there are no samples of it in any baseline window"),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn a_source_that_was_not_there_before_makes_nothing_appear() {
    let recent = Metric::of("gauge", "queue_length")
        .series("queue_length", &[(-HOUR, 0)], 15, |at| Some(5.0 + noise(at, 1)));
    let world = World::of(&[up(&[(-HOUR, 0)]), recent]).await;
    let answer = world.compare(last_hour("queue_length")).await;
    answer.says("the source has no samples of any target then");
    assert!(!answer.verdict().contains("appeared"), "{}", answer.text);
}

#[tokio::test]
async fn a_metric_that_only_the_baseline_has_vanished_unless_the_whole_source_is_silent() {
    let before = [(-HOUR - 7 * DAY, -7 * DAY), (-HOUR - DAY, -DAY)];
    let old = || {
        Metric::of("gauge", "queue_length").series("queue_length", &before, 15, |at| Some(5.0 + noise(at, 1)))
    };
    let world = World::of(&[up(&[(-8 * DAY, 0)]), old()]).await;
    let answer = world.compare(last_hour("queue_length")).await;
    assert!(answer.verdict().contains("vanished: no samples in the whole window"), "{}", answer.text);

    let world = World::of(&[up(&before), old()]).await;
    let answer = world.compare(last_hour("queue_length")).await;
    answer.says("neither has any target of the source: this is no movement of the metric");
}

/// By hand: of 240 moments the series has samples for the last 40 % of the baseline.
#[tokio::test]
async fn with_less_than_half_of_the_samples_nothing_is_claimed() {
    let mut metric = Metric::of("gauge", "queue_length");
    let half = [(-24 * MINUTE - 7 * DAY, -7 * DAY), (-24 * MINUTE - DAY, -DAY), (-HOUR, 0)];
    metric = metric
        .series("queue_length{queue=\"sparse\"}", &half, 15, |at| Some(if at > -HOUR { 90.0 } else { 1.0 }));
    metric = metric.series("queue_length{queue=\"mail\"}", &seasonal(), 15, |at| Some(40.0 + noise(at, 1)));
    let world = World::of(&[metric]).await;
    let answer = world.compare(last_hour("queue_length")).await;
    let sparse = answer.row("label sets", "queue=sparse");
    assert_eq!(
        (&sparse["note"], &sparse["change"], &sparse["effect"]),
        (&json!("not enough data"), &Value::Null, &Value::Null)
    );
    assert_eq!(sparse["coverage"], "40 % → 100 %");
    assert!(answer.caveats().contains("1 of 2 rows have less than 50 % of their samples"), "{}", answer.text);
}

#[tokio::test]
async fn a_counter_that_starts_anew_is_no_movement() {
    let grown = counted(|at| 20.0 + noise(at, 1));
    let restarted = move |at: i64| {
        let base = if at > -30 * MINUTE { grown(-30 * MINUTE).unwrap() } else { 0.0 };
        grown(at).map(|value| value - base)
    };
    let metric = Metric::of("counter", "jobs").series("jobs_total{pod=\"a\"}", &seasonal(), 15, restarted);
    let world = World::of(&[metric]).await;
    let answer = world.compare(last_hour("jobs_total")).await;
    assert!(answer.verdict().contains("did not move beyond its usual spread"), "{}", answer.text);
    let total = &answer.rows("totals")[0];
    assert!((total["median now"].as_f64().unwrap() - 20.0).abs() < 0.3, "{total}");
}

#[tokio::test]
async fn what_is_no_number_is_left_out_and_said() {
    let value = |at: i64| Some(if at.rem_euclid(MINUTE) == 0 { f64::NAN } else { 5.0 + noise(at, 1) });
    let metric =
        Metric::of("gauge", "queue_length").series("queue_length{queue=\"mail\"}", &seasonal(), 15, value);
    let world = World::of(&[metric]).await;
    let answer = world.compare(last_hour("queue_length")).await;
    let total = &answer.rows("totals")[0];
    assert!(
        (total["mean"].as_str().unwrap().split(" → ").last().unwrap().parse::<f64>().unwrap() - 5.0).abs()
            < 0.2
    );
    // One of four moments is NaN.
    assert_eq!(total["coverage"], "75 % → 75 %");
    assert!(answer.caveats().contains("NaN or infinite values in 1 of 1 rows"), "{}", answer.text);

    let ratio = world.compare(last_hour("queue_length * NaN")).await;
    assert!(ratio.verdict().contains("not enough data"), "{}", ratio.text);
}

/// 0 before, then 5: there is no spread to measure by, and no growth rate from zero.
#[tokio::test]
async fn out_of_a_steady_zero_there_is_a_change_but_no_effect_size_and_no_percentage() {
    let value = |at: i64| Some(if at > -20 * MINUTE { 5.0 } else { 0.0 });
    let metric = Metric::of("gauge", "queue_length").series("queue_length", &seasonal(), 15, value);
    let world = World::of(&[metric]).await;
    let answer = world.compare(json!({"metric": "queue_length", "window1": "15m"})).await;
    let total = &answer.rows("totals")[0];
    assert_eq!((total["median before"].as_f64(), total["change"].as_f64()), (Some(0.0), Some(5.0)));
    assert_eq!(total["relative"], "from 0");
    assert!(total.get("effect").is_none_or(Value::is_null), "{total}");
    assert!(answer.caveats().contains("did not vary before, so they have no effect size"), "{}", answer.text);
}

/// One event in an hour is a rate of 1 ÷ 60 s for a minute: not a movement.
#[tokio::test]
async fn a_single_event_of_a_rare_counter_is_no_movement() {
    let value = |at: i64| Some(if at > -20 * MINUTE { 1.0 } else { 0.0 });
    let metric = Metric::of("counter", "crashes").series("crashes_total{pod=\"a\"}", &seasonal(), 15, value);
    let world = World::of(&[metric]).await;
    let answer = world.compare(last_hour("crashes_total")).await;
    assert!(answer.verdict().contains("did not move"), "{}", answer.text);
}
