//! `get_error_patterns` and `correlate_logs_with_time` over small incidents whose records are counted by hand.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

mod common;

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};

use common::{
    connect, incident,
    small::{ask, at, every, line, next_call, patterns},
};

#[tokio::test]
async fn of_text_the_message_is_the_pattern_and_its_prefix_says_who_wrote_it() {
    // Per minute from 14:40 to 14:59: two refusals on pod-1, one on pod-2, and a line of checkout.
    let mut text = String::new();
    for minute in 40..60 {
        for (second, rest) in [
            (1, "ERROR payment pod-1 connection refused"),
            (2, "INFO checkout pod-7 order placed"),
            (3, "ERROR payment pod-1 connection refused"),
            (4, "ERROR payment pod-2 connection refused"),
        ] {
            writeln!(text, "2026-01-14T14:{minute}:0{second}Z {rest}").unwrap();
        }
    }
    let directory = incident(&[("logs/all.log", &text)]);
    let client = connect(directory.path()).await;
    let reply = ask(&client, "get_error_patterns", json!({"time_range": "10m"})).await;
    let rows = patterns(&reply);
    assert_eq!(rows.len(), 1, "{}", reply.text);
    assert_eq!(rows[0]["pattern"], "«connection refused»", "{}", reply.text);
    assert_eq!((&rows[0]["count"], &rows[0]["service"]), (&json!(30), &json!("payment")), "{}", reply.text);
    assert_eq!(rows[0]["where"], "2 places, 67 % pod-1", "{}", reply.text);
    // Its service is one that a caller can name.
    let arguments = json!({"time_range": "10m", "service": "payment"});
    assert_eq!(patterns(&ask(&client, "get_error_patterns", arguments).await)[0]["count"], 30);
}

#[tokio::test]
async fn of_a_merged_pattern_the_row_tells_what_varies_and_an_identity_that_stays() {
    let mut text = String::new();
    for (minute, pool) in [(50, "orders"), (51, "carts"), (52, "orders"), (53, "users")] {
        line(&mut text, at(&format!("14:{minute}:00")), "error", &format!("pool {pool} is exhausted"));
    }
    let directory = incident(&[("logs/all.ndjson", &text)]);
    let client = connect(directory.path()).await;
    let all = patterns(&ask(&client, "get_error_patterns", json!({"time_range": "15m"})).await);
    assert_eq!((all.len(), &all[0]["count"]), (1, &json!(4)));
    assert_eq!(all[0]["<word>"], "orders 50 %, carts 25 %, users 25 %");
    // With the last line alone, or the first three, nothing is merged, and the template of `orders` is what it was.
    let some = json!({"time_range": "2026-01-14T14:49:00Z/2026-01-14T14:53:00Z"});
    let some = patterns(&ask(&client, "get_error_patterns", some).await);
    assert_eq!(some.len(), 2);
    let id =
        some.iter().find(|row| row["pattern"].as_str().unwrap().contains("orders")).unwrap()["id"].clone();
    assert_eq!(all[0]["id"], format!("{} +2", id.as_str().unwrap()));
}

#[tokio::test]
async fn an_incident_that_runs_for_longer_than_the_window_is_new_and_its_onset_is_found() {
    let mut text = String::new();
    every(&mut text, ("13:00:00", "15:00:00"), 10, "info", "charge done");
    every(&mut text, ("14:30:00", "15:00:00"), 1, "error", "pool is exhausted");
    let directory = incident(&[("logs/all.ndjson", &text)]);
    let client = connect(directory.path()).await;
    // The ten minutes before are in the incident too. The day before is not recorded; 13:40 to 13:50 is.
    let reply = ask(&client, "get_error_patterns", json!({"time_range": "10m"})).await;
    let row = &patterns(&reply)[0];
    assert_eq!((&row["class"], &row["count"]), (&json!("new"), &json!(600)), "{}", reply.text);
    assert_eq!(row["since"], "2026-01-14T14:30:00Z", "{}", reply.text);
    assert_eq!(row["was per min"], 0, "{}", reply.text);
    for part in [
        "a window that ended 1h before, 2026-01-14T13:40:00Z/2026-01-14T13:50:00Z: 0 records",
        "class and `was` are by a window that ended 1h before alone",
    ] {
        assert!(reply.text.contains(part), "{part}: {}", reply.text);
    }
}

#[tokio::test]
async fn what_was_there_when_the_window_began_has_no_onset_in_it() {
    let mut text = String::new();
    every(&mut text, ("13:00:00", "15:00:00"), 10, "info", "charge done");
    every(&mut text, ("13:35:00", "15:00:00"), 5, "error", "pool is exhausted");
    every(&mut text, ("14:56:00", "15:00:00"), 1, "error", "bank is down");
    let directory = incident(&[("logs/all.ndjson", &text)]);
    let client = connect(directory.path()).await;
    let baseline = "2026-01-14T13:00:00Z/2026-01-14T13:30:00Z";
    let reply = ask(&client, "get_error_patterns", json!({"time_range": "10m", "baseline": baseline})).await;
    let rows = patterns(&reply);
    let since = |part: &str| {
        let row = rows.iter().find(|row| row["pattern"].as_str().unwrap().contains(part)).unwrap();
        (row["class"].clone(), row["since"].clone())
    };
    assert_eq!(since("pool"), (json!("new"), json!("already when the window began")), "{}", reply.text);
    assert_eq!(since("bank"), (json!("new"), json!("2026-01-14T14:56:00Z")), "{}", reply.text);
}

#[tokio::test]
async fn what_is_estimated_from_a_sample_is_marked() {
    // Every other record of 12,000 in ten minutes, and in the ten before. The words of one pattern are in the other too, so
    // that no filter counts it.
    let mut text = String::new();
    let begin = at("14:40:00");
    for number in 0..24_000_i64 {
        let message = if number % 2 == 0 { "cache miss" } else { "cache miss in shard" };
        line(&mut text, begin + jiff::SignedDuration::from_millis(number * 50), "info", message);
    }
    let directory = incident(&[("logs/all.ndjson", &text)]);
    let client = connect(directory.path()).await;
    let reply = ask(&client, "get_error_patterns", json!({"time_range": "10m", "level": "all"})).await;
    let rows = patterns(&reply);
    let of = |text: &str| rows.iter().find(|row| row["pattern"] == text).unwrap();
    let counted = of("«cache miss in shard»");
    assert_eq!(
        (&counted["count"], &counted["per min"], &counted["was per min"]),
        (&json!(6_000), &json!(600), &json!(600)),
        "{}",
        reply.text
    );
    for column in ["count", "per min", "was per min"] {
        let cell = of("«cache miss»")[column].as_str().unwrap_or_else(|| panic!("{column}: {}", reply.text));
        assert!(cell.starts_with('≈'), "{column}: {}", reply.text);
    }
}

#[tokio::test]
async fn a_few_records_of_a_sample_are_no_surge() {
    // 20,000 records around the moment and in the hour before, of which every fifth is read. `cache miss` is there 12 times in
    // ten minutes and 60 times in the hour before: 1.2 and 1 a minute. By chance half of the 12 are read, but a fifth of
    // the 60. Estimated that would be 30 and 60: three times as often. The words of the frequent pattern are in another too,
    // so that the rest is not read apart.
    let mut text = String::new();
    let mut fill = |from: Timestamp, milliseconds: i64, odd: &dyn Fn(i64) -> bool| {
        for number in 0..20_000_i64 {
            let message = match number % 1_000 {
                _ if odd(number) => "cache miss",
                5 => "order kept, no cache miss in it at all",
                _ => "order kept, no cache miss in it",
            };
            line(&mut text, from + jiff::SignedDuration::from_millis(number * milliseconds), "info", message);
        }
    };
    fill(at("13:45:00"), 180, &|number| number % 334 == 1);
    fill(at("14:45:00"), 30, &|number| number % 3_500 == 0 || number % 3_400 == 1);
    let directory = incident(&[("logs/all.ndjson", &text)]);
    let client = connect(directory.path()).await;
    let arguments = json!({"timestamp": "2026-01-14T14:50:00Z", "delta_minutes": 5});
    let reply = ask(&client, "correlate_logs_with_time", arguments).await;
    assert!(reply.text.contains("4000 of 20000 around the moment"), "{}", reply.text);
    assert!(patterns(&reply).iter().all(|row| row["pattern"] != "«cache miss»"), "{}", reply.text);
}

#[tokio::test]
async fn a_pattern_of_two_services_is_counted_in_each() {
    // The same words in two services, and too many records to read them all. In payment they are new, in cart they are not.
    let mut text = String::new();
    for number in 0..10_000_i64 {
        let when = at("13:45:00") + jiff::SignedDuration::from_millis(number * 360);
        line(&mut text, when, "info", "order kept");
        if number % 100 == 0 {
            let cart = "{\"@timestamp\":\"AT\",\"log.level\":\"error\",\"message\":\"bank is down\",\"service\":{\"name\":\"cart\"}}\n";
            text.push_str(&cart.replace("AT", &when.to_string()));
        }
    }
    every(&mut text, ("14:49:00", "14:52:00"), 2, "error", "bank is down");
    let directory = incident(&[("logs/all.ndjson", &text)]);
    let client = connect(directory.path()).await;
    let arguments = json!({"timestamp": "2026-01-14T14:50:00Z", "delta_minutes": 5});
    let reply = ask(&client, "correlate_logs_with_time", arguments).await;
    let rows = patterns(&reply);
    assert_eq!(rows.len(), 1, "{}", reply.text);
    assert_eq!(
        (&rows[0]["class"], &rows[0]["service"]),
        (&json!("new"), &json!("payment")),
        "{}",
        reply.text
    );
    assert_eq!((&rows[0]["records"], &rows[0]["first"]), (&json!(90), &json!("2026-01-14T14:49:00Z")));
}

#[tokio::test]
async fn pairs_of_logfmt_say_who_wrote_them_and_the_message_is_the_pattern() {
    let mut text = String::new();
    for (minute, pod) in [(50, "cart-7b-x1"), (51, "cart-7b-x2"), (52, "cart-7b-x1"), (53, "cart-7b-x1")] {
        writeln!(
            text,
            "time=2026-01-14T14:{minute}:00Z level=ERROR msg=\"cart {minute} is gone\" service=cart version=1.2.0 pod={pod}"
        )
        .unwrap();
    }
    let directory = incident(&[("logs/all.log", &text)]);
    let client = connect(directory.path()).await;
    let reply = ask(&client, "get_error_patterns", json!({"time_range": "15m"})).await;
    let row = &patterns(&reply)[0];
    assert_eq!(row["pattern"], "«cart <num> is gone»", "{}", reply.text);
    assert_eq!((&row["count"], &row["service"]), (&json!(4), &json!("cart")));
    assert_eq!((&row["where"], &row["version"]), (&json!("2 places, 75 % cart-7b-x1"), &json!("1.2.0")));
}

#[tokio::test]
async fn a_single_new_error_is_told_first_where_nothing_else_moves() {
    let mut text = String::new();
    every(&mut text, ("13:50:00", "15:00:00"), 20, "error", "bank is slow");
    line(&mut text, at("14:55:00"), "warn", "cache is cold");
    line(&mut text, at("14:58:00"), "fatal", "disk is full");
    let directory = incident(&[("logs/all.ndjson", &text)]);
    let client = connect(directory.path()).await;
    let reply = ask(&client, "get_error_patterns", json!({"time_range": "30m"})).await;
    // 90 of the bank, and one each of the other two: new, the warning too, as 1 of 92 is more than 1 %.
    assert!(
        reply.text.starts_with(
            "92 records at warn or worse in 30m: 2 new and 0 surging of 3 patterns, none by more than a handful of records; \
             first a new one in payment since 2026-01-14T14:58:00Z, 1 time (1 %): «disk is full»."
        ),
        "{}",
        reply.text
    );
    assert_eq!(patterns(&reply)[0]["pattern"], "«disk is full»", "{}", reply.text);
}

#[tokio::test]
async fn a_single_new_fatal_one_is_not_hidden_by_a_surge_of_warnings() {
    let mut text = String::new();
    every(&mut text, ("13:50:00", "15:00:00"), 20, "warn", "bank is slow");
    every(&mut text, ("14:40:00", "15:00:00"), 2, "warn", "bank is slow");
    line(&mut text, at("14:58:00"), "fatal", "disk is full");
    let directory = incident(&[("logs/all.ndjson", &text)]);
    let client = connect(directory.path()).await;
    let reply = ask(&client, "get_error_patterns", json!({"time_range": "20m"})).await;
    let verdict = reply.text.lines().next().unwrap();
    for part in [
        "1 new and 1 surging of 2 patterns; most of all a surging one",
        "; also new, at fatal: one in payment since 2026-01-14T14:58:00Z, 1 time",
        "«disk is full»",
    ] {
        assert!(verdict.contains(part), "{part}: {verdict}");
    }
}

#[tokio::test]
async fn without_a_baseline_nobody_says_that_nothing_is_new() {
    let mut text = String::new();
    every(&mut text, ("14:30:00", "15:00:00"), 10, "error", "bank is slow");
    let directory = incident(&[("logs/all.ndjson", &text)]);
    let client = connect(directory.path()).await;
    let reply = ask(&client, "get_error_patterns", json!({"time_range": "30m"})).await;
    let verdict = reply.text.lines().next().unwrap();
    assert_eq!(
        verdict,
        "180 records at warn or worse in 30m, 1 pattern: what is new or surging can't be told, as there is no baseline; \
         most frequent: one in payment, 180 times (100 %): «bank is slow»."
    );
    // What can be told: the second half against the first.
    let half = "get_error_patterns(time_range=\"2026-01-14T14:45:00Z/2026-01-14T15:00:00Z\")";
    assert!(reply.text.contains(half), "{}", reply.text);
}

#[tokio::test]
async fn estimates_do_not_displace_what_was_counted() {
    // 6,000 services with one error each, of which 4,000 are read: one that was read looks like 1.5.
    let mut text = String::new();
    for number in 0..6_000 {
        let at = at("14:00:00") + jiff::SignedDuration::from_millis(number * 600);
        writeln!(
            text,
            "{{\"@timestamp\":\"{at}\",\"log.level\":\"error\",\"message\":\"disk is full\",\"service\":{{\"name\":\"svc-{number:04}\"}}}}"
        )
        .unwrap();
    }
    let directory = incident(&[("logs/all.ndjson", &text)]);
    let client = connect(directory.path()).await;
    let reply = ask(&client, "get_error_patterns", json!({})).await;
    let counts: Vec<Value> = patterns(&reply).iter().map(|row| row["count"].clone()).collect();
    assert_eq!(counts, vec![json!(1); 12], "{}", reply.text);
}

#[tokio::test]
async fn lines_are_offered_only_where_the_filter_finds_no_others_and_at_the_level_that_was_asked_for() {
    let offered = |other: &'static str| async move {
        let mut text = String::new();
        every(&mut text, ("14:50:00", "15:00:00"), 5, "error", "pool exhausted");
        every(&mut text, ("14:50:00", "15:00:00"), 60, "error", other);
        let directory = incident(&[("logs/all.ndjson", &text)]);
        let client = connect(directory.path()).await;
        let arguments = json!({"time_range": "10m", "level": "error"});
        let reply = ask(&client, "get_error_patterns", arguments).await;
        assert_eq!(patterns(&reply)[0]["pattern"], "«pool exhausted»", "{}", reply.text);
        next_call(&reply, "search_logs")
    };
    let call = offered("disk is full").await.unwrap();
    assert_eq!((&call["query"], &call["level"]), (&json!("\"pool exhausted\""), &json!("error")));
    // The phrase stands in the other lines too.
    assert_eq!(offered("the pool exhausted its quota").await, None);
}

#[tokio::test]
async fn places_are_told_of_all_records_and_not_of_the_first_few() {
    // 8,000 records of ten pods, 800 each: more than are read. One of them is of another version.
    let mut text = String::new();
    for number in 0..8_000_i64 {
        let when = at("14:50:00") + jiff::SignedDuration::from_millis(number * 70);
        let (pod, version) = (number % 10, if number == 4_000 { "2" } else { "1" });
        writeln!(
            text,
            "{{\"@timestamp\":\"{when}\",\"log.level\":\"error\",\"message\":\"bank is down\",\"service\":{{\"name\":\"pay\",\"version\":\"{version}\"}},\"kubernetes\":{{\"pod\":{{\"name\":\"pay-{pod}\"}}}}}}"
        )
        .unwrap();
    }
    let directory = incident(&[("logs/all.ndjson", &text)]);
    let client = connect(directory.path()).await;
    let reply = ask(&client, "get_error_patterns", json!({"time_range": "10m"})).await;
    let row = &patterns(&reply)[0];
    assert_eq!(
        (&row["count"], &row["where"], &row["version"]),
        (&json!(8_000), &json!("10 places, 10 % pay-0"), &json!("2 versions, > 99 % 1")),
        "{}",
        reply.text
    );
}
