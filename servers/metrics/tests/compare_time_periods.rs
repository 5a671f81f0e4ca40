//! `compare_time_periods` through the whole server, over recorded incidents that the tests write and over replies.
//!
//! What is expected follows from how a series was made: `value + noise` with noise between −1 and 1 has the median
//! `value` within the noise, a fault its height and its first step after it began (a rate over 60 s sees it at once).
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

mod common;
#[path = "compare_time_periods/large.rs"]
mod large;
#[path = "compare_time_periods/odd.rs"]
mod odd;
#[path = "compare_time_periods/replies.rs"]
mod replies;
#[path = "compare_time_periods/types.rs"]
mod types;
#[path = "compare_time_periods/within.rs"]
mod within;
#[path = "compare_time_periods/world.rs"]
mod world;

use serde_json::json;
use world::{MINUTE, Metric, World, counted, last_hour, noise, seasonal};

/// Requests of two codes and two routes: 20/s and 5/s of code 200; from 20 minutes before now on /orders also has 8/s
/// of code 500.
pub(crate) fn requests() -> Metric {
    let mut metric = Metric::of("counter", "http_requests");
    for (route, rate, seed) in [("/orders", 20.0, 1), ("/cart", 5.0, 2)] {
        let name = format!("http_requests_total{{route=\"{route}\",code=\"200\",service=\"shop\"}}");
        metric = metric.series(&name, &seasonal(), 15, counted(move |at| rate + noise(at, seed)));
        let errors = move |at: i64| {
            let usual = 0.1 + 0.02 * noise(at, seed + 10);
            if route == "/orders" && at > -20 * MINUTE { usual + 8.0 } else { usual }
        };
        let name = format!("http_requests_total{{route=\"{route}\",code=\"500\",service=\"shop\"}}");
        metric = metric.series(&name, &seasonal(), 15, counted(errors));
    }
    metric
}

/// By hand: before 20 + 5 + 2 × 0.1 = 25.2 requests a second, since 14:10 8 more. A rate over 60 s that holds one
/// sample of the fault is 2 higher, which is beyond three spreads of the sum of the noises. Code 500 went from 0.2 to
/// 8.2, which is all of the change.
#[tokio::test]
async fn golden_a_counter_is_compared_with_the_same_hour_of_other_days() {
    let world = World::of(&[requests()]).await;
    let answer = world.compare(last_hour("http_requests_total")).await;
    insta::assert_snapshot!(answer.text);
    let total = &answer.rows("totals")[0];
    let near = |name: &str, expected: f64, off: f64| {
        let got = total[name].as_f64().unwrap();
        assert!((got - expected).abs() <= off, "{name}: {got}, not {expected}");
    };
    near("median before", 25.2, 0.3);
    near("since onset", 33.2, 0.5);
    assert!(total["onset"].as_str().unwrap().starts_with("2026-01-14T14:10:"), "{total}");
    assert_eq!(answer.rows("label sets")[0]["labels"], "{code=500, route=/orders}");
    answer.says("code=500");
}

#[tokio::test]
async fn the_window_just_before_serves_where_no_other_day_is_recorded_and_the_answer_says_so() {
    let two_hours = [(-130 * MINUTE, 0)];
    let slow = |at: i64| if at > -20 * MINUTE { 12.0 } else { 3.0 };
    let queue =
        Metric::of("gauge", "queue_length")
            .series("queue_length{queue=\"mail\"}", &two_hours, 15, |at| Some(slow(at) + 0.2 * noise(at, 3)));
    let world = World::of(&[queue]).await;
    let answer = world.compare(last_hour("queue_length")).await;
    // The window ends two steps of 15 s before the hour begins.
    answer.says("the window just before, 2026-01-14T12:29:30Z/2026-01-14T13:29:30Z");
    assert!(
        answer.caveats().contains("the same window 1d earlier has 0 % of its samples"),
        "{}",
        answer.text
    );
    let total = &answer.rows("totals")[0];
    assert!((total["median before"].as_f64().unwrap() - 3.0).abs() < 0.1, "{total}");
    assert_eq!(total["onset"], "2026-01-14T14:10:15Z");
}

#[tokio::test]
async fn the_earlier_of_two_named_windows_is_the_baseline_whichever_comes_first() {
    let world = World::of(&[requests()]).await;
    let (early, late) = ("now-60m/now-30m", "now-15m/now");
    let one =
        world.compare(json!({"metric": "http_requests_total", "window1": late, "window2": early})).await;
    let other =
        world.compare(json!({"metric": "http_requests_total", "window1": early, "window2": late})).await;
    for answer in [&one, &other] {
        let total = &answer.rows("totals")[0];
        let (before, now) = (total["median before"].as_f64().unwrap(), total["median now"].as_f64().unwrap());
        assert!((before - 25.2).abs() < 0.4 && (now - 33.2).abs() < 0.4, "{}", answer.text);
        answer.says("2026-01-14T13:30:00Z/2026-01-14T14:00:00Z");
    }
    assert!(other.caveats().contains("window1 is the earlier one"), "{}", other.text);
    assert!(!one.caveats().contains("window1 is the earlier one"), "{}", one.text);
}

#[tokio::test]
async fn what_did_not_change_is_said_to_have_not() {
    let steady = Metric::of("gauge", "queue_length")
        .series("queue_length", &seasonal(), 15, |at| Some(50.0 + noise(at, 5)));
    let world = World::of(&[steady]).await;
    let answer = world.compare(last_hour("queue_length")).await;
    assert!(answer.verdict().contains("did not move beyond its usual spread"), "{}", answer.text);
    assert!(answer.rows("totals")[0].get("onset").is_none(), "{}", answer.text);
}
