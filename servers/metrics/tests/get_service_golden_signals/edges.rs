//! What goes wrong with a service, and with what is known of it.

use serde_json::json;

use crate::world::{Book, row, signal, verdict};

const SHOP: &str = "service=\"shop\",job=\"shop\",instance=\"a:1\"";

/// 20 requests a second, 1 % failing, 50 ms, also on the days before; from 14:12 on (20 min before the end) as given.
fn since_then(failing: f64, seconds: f64) -> Book {
    let mut book = Book::week();
    let is_now = |ago: i64| ago <= 20 * 60;
    book.http(
        SHOP,
        |_| Some(20.0),
        move |ago| if is_now(ago) { failing } else { 0.01 },
        move |ago| if is_now(ago) { seconds } else { 0.05 },
    );
    book
}

#[tokio::test]
async fn errors_and_latency_are_told_beside_their_baseline_with_the_onset() {
    let reply = since_then(0.2, 0.3).ask(json!({"service": "shop"})).await;
    // The rate over two minutes reaches 20 % two minutes after the change and leaves its usual 1 % at once.
    let (now, was) = signal(&reply, "errors").unwrap();
    assert!(now.unwrap() > 19.0 && (was.unwrap() - 1.0).abs() < 1e-6, "{}", reply.text);
    let (now, was) = signal(&reply, "latency p95").unwrap();
    // All within (0.1, 0.5]: 0.1 + 0.4 × 0.95 = 0.48; before, within 0.1: 0.1 × 0.95.
    assert!((now.unwrap() - 0.48).abs() < 1e-3 && (was.unwrap() - 0.095).abs() < 1e-6, "{}", reply.text);
    let verdict = verdict(&reply);
    for said in [
        "shop is failing 20 % of requests (1 % usually)",
        "its p95 is 480 ms (95 ms usually)",
        "since 2026-01-14T14:12:",
        "traffic as usual",
    ] {
        assert!(verdict.contains(said), "{said}: {verdict}");
    }
    assert!(
        reply.text.contains("baseline: the same window 1d and 7d earlier (median at each position)"),
        "{}",
        reply.text
    );
    assert!(
        reply.text.contains("by route (1, the only one): /orders 20 % errors (1 % before)"),
        "{}",
        reply.text
    );
}

#[tokio::test]
async fn a_service_as_usual_is_said_to_be_so() {
    let reply = since_then(0.01, 0.05).ask(json!({"service": "shop"})).await;
    assert_eq!(verdict(&reply), "shop fails 1 % of requests, as usual: p95 95 ms, p50 50 ms, 20 requests/s.");
    let reply = since_then(0.005, 0.05).ask(json!({"service": "shop"})).await;
    assert_eq!(verdict(&reply), "shop is as usual: 0.5 % errors, p95 95 ms, p50 50 ms, 20 requests/s.");
}

#[tokio::test]
async fn an_outage_that_the_window_before_shares_is_not_called_usual_and_a_longer_window_is_offered() {
    let mut book = Book::today();
    book.http(SHOP, |_| Some(20.0), |ago| if ago <= 30 * 60 { 0.1 } else { 0.0 }, |_| 0.05);
    let reply = book.ask(json!({"service": "shop", "time_range": "10m"})).await;
    assert_eq!(
        verdict(&reply),
        "shop fails 10 % of requests, as in the 10m just before (no baseline of earlier days): p95 95 ms, p50 50 ms, 20 \
         requests/s; that is high in itself: look at a longer window."
    );
    let longer = "get_service_golden_signals(time_range=\"1h\", service=\"shop\")";
    assert!(reply.text.contains(longer), "{}", reply.text);
    // The same of all services.
    let reply = book.ask(json!({"time_range": "10m"})).await;
    assert_eq!(
        verdict(&reply),
        "None of 1 services is worse than in the 10m just before (no baseline of earlier days). Failing 1 % of requests or \
         more all the same: shop 10 %."
    );
    assert!(reply.text.contains("get_service_golden_signals(time_range=\"1h\")"), "{}", reply.text);
}

#[tokio::test]
async fn what_began_before_the_window_is_told_since_then_and_not_since_the_window_began() {
    // The window begins 30 minutes ago; the pool is full since 35 minutes ago, 13:57.
    let mut book = Book::today();
    book.http(SHOP, |_| Some(20.0), |_| 0.0, |_| 0.05);
    book.gauge(&format!("db_pool_size{{{SHOP}}}"), |_| Some(10.0));
    book.gauge(&format!("db_pool_in_use{{{SHOP}}}"), |ago| Some(if ago <= 35 * 60 { 10.0 } else { 3.0 }));
    let reply = book.ask(json!({"service": "shop"})).await;
    assert!(
        verdict(&reply).ends_with("pool (db_pool) 100 % (30 % before) since 2026-01-14T13:57:00Z."),
        "{}",
        reply.text
    );
}

#[tokio::test]
async fn what_stays_below_what_it_was_is_not_called_back() {
    // From 100 requests a second to 75 (news), then 83 (no news, but not what it was).
    let level = |ago: i64| match ago / 60 {
        20.. => 100.0,
        10.. => 75.0,
        _ => 83.0,
    };
    let mut book = Book::today();
    book.http(SHOP, move |ago| Some(level(ago)), |_| 0.0, |_| 0.05);
    let reply = book.ask(json!({"service": "shop"})).await;
    assert!(
        verdict(&reply).starts_with("shop is nearer to what it was, but not back, since 2026-01-14T14:2"),
        "{}",
        reply.text
    );
}

#[tokio::test]
async fn what_is_over_is_told_as_over() {
    let mut book = Book::week();
    let during = |ago: i64| (10 * 60..25 * 60).contains(&ago) && ago < 86_400;
    book.http(SHOP, |_| Some(20.0), move |ago| if during(ago) { 0.5 } else { 0.0 }, |_| 0.05);
    let reply = book.ask(json!({"service": "shop"})).await;
    let verdict = verdict(&reply);
    assert!(
        verdict.starts_with("shop is back to usual since 2026-01-14T14:2")
            && verdict.contains("errors was 50 % from 2026-01-14T14:07:"),
        "{verdict}"
    );
}

#[tokio::test]
async fn no_traffic_is_no_traffic_and_never_no_errors() {
    let mut book = Book::week();
    book.http(SHOP, |ago| Some(if ago <= 40 * 60 { 0.0 } else { 20.0 }), |_| 0.01, |_| 0.05);
    let reply = book.ask(json!({"service": "shop"})).await;
    assert_eq!(
        verdict(&reply),
        "shop has no traffic: 0 requests/s in the window (20 requests/s usually); errors and latency are undefined."
    );
    // 0 ÷ 0 is not 0 %.
    assert_eq!(signal(&reply, "errors").unwrap().0, None);
    assert_eq!(signal(&reply, "latency p95").unwrap().0, None);
}

#[tokio::test]
async fn stale_series_are_missed_and_not_zero() {
    let mut book = Book::week();
    book.gauge(&format!("up{{{SHOP}}}"), |_| Some(1.0));
    book.http(SHOP, |ago| (ago > 15 * 60).then_some(20.0), |_| 0.01, |_| 0.05);
    let reply = book.ask(json!({"service": "shop"})).await;
    // The last rate over two minutes that has two samples is at 14:18:30: one sample at 14:16:45 and one before.
    let verdict = verdict(&reply);
    assert!(verdict.starts_with("shop has no samples of requests since 2026-01-14T14:18:"), "{verdict}");
    assert!(verdict.contains("(20 requests/s usually): it vanished, or is not scraped"), "{verdict}");
}

#[tokio::test]
async fn series_that_ended_before_the_window_are_known_from_the_day_before() {
    let mut book = Book::every(15, 3 * 3_600);
    book.gauge(&format!("up{{{SHOP}}}"), |_| Some(1.0));
    book.http(SHOP, |ago| (ago > 2 * 3_600).then_some(20.0), |_| 0.01, |_| 0.05);
    let reply = book.ask(json!({"service": "shop"})).await;
    assert!(verdict(&reply).starts_with("shop has no samples of requests in the window"), "{}", reply.text);
    assert!(
        reply.text.contains("its request metrics have no samples in 1h30m, but had some in the 24 h before"),
        "{}",
        reply.text
    );
}

#[tokio::test]
async fn a_service_that_is_new_has_no_baseline_and_is_not_called_usual() {
    let mut book = Book::week();
    book.http(SHOP, |ago| (ago <= 25 * 60).then_some(20.0), |_| 0.3, |_| 0.05);
    let reply = book.ask(json!({"service": "shop"})).await;
    let verdict = verdict(&reply);
    assert!(
        verdict.starts_with("shop has 30 % errors")
            && verdict.ends_with("there is no baseline, so whether that is usual is unknown."),
        "{verdict}"
    );
}

#[tokio::test]
async fn the_window_before_serves_where_the_days_before_have_no_data() {
    let mut book = Book::today();
    let is_now = |ago: i64| ago <= 20 * 60;
    book.http(SHOP, |_| Some(20.0), move |ago| if is_now(ago) { 0.2 } else { 0.01 }, |_| 0.05);
    let reply = book.ask(json!({"service": "shop"})).await;
    assert!(
        reply.text.contains("baseline: the window just before, 2026-01-14T13:32:00Z/2026-01-14T14:02:00Z"),
        "{}",
        reply.text
    );
    assert!(verdict(&reply).contains("failing 20 % of requests (1 % before)"), "{}", reply.text);
}

#[tokio::test]
async fn counters_that_start_anew_are_no_traffic_of_their_own() {
    let mut book = Book::week();
    // Not answering for one scrape, then from 0 on.
    book.http(SHOP, |ago| (ago != 10 * 60).then_some(20.0), |_| 0.01, |_| 0.05);
    let reply = book.ask(json!({"service": "shop"})).await;
    let (now, was) = signal(&reply, "traffic").unwrap();
    assert!((now.unwrap() - 20.0).abs() < 0.1 && (was.unwrap() - 20.0).abs() < 0.1, "{}", reply.text);
    assert!(verdict(&reply).starts_with("shop fails 1 % of requests, as usual"), "{}", reply.text);
}

#[tokio::test]
async fn nan_is_no_value() {
    let mut book = Book::today();
    let series = "http_server_requests_seconds";
    let labels = format!("{SHOP},method=\"GET\",uri=\"/\",outcome=\"SUCCESS\",status=\"200\"");
    book.counter(&format!("{series}_count{{{labels}}}"), |_| Some(0.0));
    book.counter(&format!("{series}_sum{{{labels}}}"), |_| Some(0.0));
    // A summary without observations has NaN quantiles.
    book.gauge(&format!("{series}{{{labels},quantile=\"0.95\"}}"), |_| Some(f64::NAN));
    let reply = book.ask(json!({"service": "shop"})).await;
    assert!(verdict(&reply).starts_with("shop has no traffic: 0 requests/s"), "{}", reply.text);
    assert!(!reply.text.contains("NaN"), "{}", reply.text);
    assert_eq!(signal(&reply, "latency p95").unwrap().0, None);
}

#[tokio::test]
async fn a_service_without_request_metrics_is_unknown_and_not_healthy() {
    let mut book = Book::today();
    book.gauge(&format!("shop_temperature{{{SHOP}}}"), |_| Some(21.0));
    let reply = book.ask(json!({"service": "shop"})).await;
    assert!(
        verdict(&reply).starts_with(
            "No metrics of requests to shop were found, so its traffic, errors and latency are unknown"
        ),
        "{}",
        reply.text
    );
    assert!(reply.text.contains("search_metrics("), "{}", reply.text);
    let reply = book.ask(json!({})).await;
    assert!(verdict(&reply).contains("nothing is known about any service"), "{}", reply.text);
    let reply = book.ask(json!({"service": "shpo"})).await;
    assert!(
        verdict(&reply).contains("nothing was measured") && reply.text.contains("nearest: shop (service)"),
        "{}",
        reply.text
    );
}

#[tokio::test]
async fn nothing_recorded_is_nothing_known() {
    let book = Book::today();
    let reply = book.ask(json!({})).await;
    assert!(
        !reply.is_error && verdict(&reply).contains("nothing is known about any service"),
        "{}",
        reply.text
    );
    let reply = book.ask(json!({"service": "shop"})).await;
    assert!(verdict(&reply).starts_with("Nothing was measured: none of the 0 labels here"), "{}", reply.text);
}

#[tokio::test]
async fn the_first_thing_to_be_full_is_in_the_verdict() {
    let mut book = since_then(0.2, 0.3);
    // The pool fills up a minute before.
    book.gauge(&format!("db_pool_size{{{SHOP}}}"), |_| Some(10.0));
    book.gauge(&format!("db_pool_in_use{{{SHOP}}}"), |ago| Some(if ago <= 21 * 60 { 10.0 } else { 3.0 }));
    book.gauge(&format!("process_open_fds{{{SHOP}}}"), |_| Some(120.0));
    book.gauge(&format!("process_max_fds{{{SHOP}}}"), |_| Some(1024.0));
    let reply = book.ask(json!({"service": "shop"})).await;
    assert!(
        verdict(&reply).contains("pool (db_pool) 100 % (30 % before) since 2026-01-14T14:11:"),
        "{}",
        reply.text
    );
    // 120 ÷ 1024.
    assert!(reply.text.contains("unremarkable: file descriptors 11.7 %"), "{}", reply.text);
    assert!(reply.text.contains("pool (db_pool), the first to be unusual"), "{}", reply.text);
}

#[tokio::test]
async fn containers_are_found_by_the_pods_that_the_service_names() {
    let mut book = Book::today();
    let own = "service=\"shop\",namespace=\"demo\",pod=\"shop-6d9f8b7c5d-x2x4p\",instance=\"a:1\"";
    book.http(own, |_| Some(20.0), |_| 0.0, |_| 0.05);
    for (pod, used) in [("shop-6d9f8b7c5d-x2x4p", 0.9), ("shop-worker-6d9f8b7c5d-bbbbb", 0.1)] {
        let labels = format!("namespace=\"demo\",pod=\"{pod}\",container=\"app\"");
        book.counter(&format!("container_cpu_usage_seconds_total{{{labels}}}"), |_| Some(used));
        book.gauge(
            &format!("kube_pod_container_resource_limits{{{labels},resource=\"cpu\",unit=\"core\"}}"),
            |_| Some(1.0),
        );
        book.gauge(&format!("container_memory_working_set_bytes{{{labels}}}"), |_| Some(5e8));
        book.gauge(
            &format!("kube_pod_container_resource_limits{{{labels},resource=\"memory\",unit=\"byte\"}}"),
            |_| Some(1e9),
        );
    }
    let restarted = "namespace=\"demo\",pod=\"shop-6d9f8b7c5d-x2x4p\",container=\"app\"";
    book.gauge(&format!("kube_pod_container_status_restarts_total{{{restarted}}}"), |ago| {
        Some(if ago < 600 { 3.0 } else { 1.0 })
    });
    book.gauge(
        &format!("kube_pod_container_status_last_terminated_reason{{{restarted},reason=\"OOMKilled\"}}"),
        |_| Some(1.0),
    );
    let reply = book.ask(json!({"service": "shop"})).await;
    // 0.9 of 1 core; 5e8 of 1e9 bytes; the worker's pods are another service's.
    assert_eq!(row(&reply, "signals", "cpu").unwrap()[1], 90.0, "{}", reply.text);
    assert!(reply.text.contains("memory 50 % of limit"), "{}", reply.text);
    assert!(verdict(&reply).contains("cpu 90 % of limit, as before"), "{}", reply.text);
    assert!(
        reply.text.contains("2 container restarts in the window; 1 last ended by OOMKilled"),
        "{}",
        reply.text
    );
}

#[tokio::test]
async fn an_alias_says_whose_containers_and_series_they_are() {
    let mut book = Book::today();
    book.http("job=\"legacy-7\",instance=\"a:1\"", |_| Some(20.0), |_| 0.0, |_| 0.05);
    let labels = "namespace=\"demo\",pod=\"x-0\",container=\"main\"";
    book.counter(&format!("container_cpu_usage_seconds_total{{{labels}}}"), |_| Some(0.5));
    book.gauge(&format!("kube_pod_container_resource_limits{{{labels},resource=\"cpu\"}}"), |_| Some(2.0));
    let aliases = "[shop]\nprometheus = ['job=\"legacy-7\"', 'namespace=\"demo\",container=\"main\"']\n";
    let reply = book.ask_with(json!({"service": "shop"}), &[("aliases.toml", aliases)]).await;
    assert!(verdict(&reply).contains("20 requests/s"), "{}", reply.text);
    assert!(reply.text.contains("cpu 25 % of limit"), "{}", reply.text);
}

#[tokio::test]
async fn parts_are_told_by_label_and_an_unknown_label_names_those_there_are() {
    let mut book = Book::today();
    for (version, failing) in [("1", 0.0), ("2", 0.4)] {
        let labels = format!("{SHOP},version=\"{version}\",http_request_method=\"GET\"");
        book.http(&labels, |_| Some(10.0), move |_| failing, |_| 0.05);
    }
    let reply = book.ask(json!({"service": "shop", "by": "version"})).await;
    let bad = row(&reply, "parts by version", "2").unwrap();
    // requests/s, was, errors %, was, of all failures %.
    assert!(
        (bad[1].as_f64().unwrap() - 10.0).abs() < 0.01 && (bad[3].as_f64().unwrap() - 40.0).abs() < 0.01,
        "{}",
        reply.text
    );
    assert_eq!(bad[5], 100.0, "{}", reply.text);
    for by in ["route", "method", "instance", "http_route"] {
        let reply = book.ask(json!({"service": "shop", "by": by})).await;
        assert!(!reply.is_error && reply.text.contains(&format!("parts by {by}")), "{}", reply.text);
    }
    let reply = book.ask(json!({"service": "shop", "by": "versoin"})).await;
    assert!(
        reply.is_error && reply.text.contains("`by`: is no label") && reply.text.contains("version"),
        "{}",
        reply.text
    );
    let reply = book.ask(json!({"by": "route"})).await;
    assert!(reply.is_error && reply.text.contains("name the service"), "{}", reply.text);
}

#[tokio::test]
async fn of_many_services_the_worst_is_first_however_many_there_are() {
    let mut book = Book::every(60, 45 * 60);
    for number in 0..1_000 {
        let failing = if number == 637 { 0.3 } else { 0.01 };
        for (code, share) in [("200", 1.0 - failing), ("500", failing)] {
            let series = format!("http_requests_total{{service=\"s{number}\",code=\"{code}\"}}");
            let is_bad = |ago: i64| ago <= 10 * 60 && number == 637;
            book.counter(&series, move |ago| {
                Some(if is_bad(ago) || code == "200" { 10.0 * share } else { 0.1 })
            });
        }
    }
    let reply = book.ask(json!({"time_range": "10m"})).await;
    assert!(
        verdict(&reply).starts_with(
            "1 of 1000 services is worse than just before (no baseline of earlier days); worst: s637 with "
        ),
        "{}",
        reply.text
    );
    let first = reply.structured.as_ref().unwrap()["tables"][0]["rows"][0][0].clone();
    assert_eq!(first, "s637", "{}", reply.text);
    // Counts are exact: what is not shown is omitted.
    assert!(reply.text.contains("1000") && reply.text.contains("omitted"), "{}", reply.text);
}

#[tokio::test]
async fn ten_thousand_series_of_one_service_are_one_answer_with_the_failing_route_in_it() {
    let mut book = Book::every(60, 25 * 60);
    for pod in 0..50 {
        for route in 0..100 {
            for code in ["200", "500"] {
                let series = format!(
                    "http_requests_total{{service=\"shop\",pod=\"shop-{pod}\",handler=\"/r{route}\",code=\"{code}\"}}"
                );
                let fails = route == 77;
                book.counter(&series, move |ago| {
                    let is_bad = fails && ago <= 8 * 60;
                    Some(match (code, is_bad) {
                        ("200", false) => 1.0,
                        ("200", true) => 0.0,
                        (_, true) => 1.0,
                        _ => 0.0,
                    })
                });
            }
        }
    }
    let reply = book.ask(json!({"service": "shop", "time_range": "10m"})).await;
    // 50 of 5,000 requests a second.
    assert!(verdict(&reply).contains("failing 1 % of requests (0 % before)"), "{}", reply.text);
    assert!(reply.text.contains("/r77 100 % errors (0 % before), 100 % of all failures"), "{}", reply.text);
    let reply = book.ask(json!({"service": "shop", "time_range": "10m", "by": "instance"})).await;
    assert!(reply.text.contains("parts by instance") && reply.text.contains("omitted"), "{}", reply.text);
}

#[tokio::test]
async fn a_window_that_can_not_be_judged_is_refused() {
    let book = Book::today();
    for (arguments, said) in [
        (json!({"time_range": "1m"}), "`time_range`: is shorter than 5m"),
        (json!({"time_range": "30d"}), "`time_range`"),
        (
            json!({"time_range": "2026-01-15T00:00:00Z/2026-01-16T00:00:00Z"}),
            "`time_range`: begins after now",
        ),
        (json!({"time_range": "12h"}), "`time_range`: is longer than 6h"),
        (json!({"service": "x".repeat(201)}), "`service`: is 201 characters long"),
    ] {
        let reply = book.ask(arguments).await;
        assert!(reply.is_error && reply.text.contains(said), "{}", reply.text);
    }
}

#[tokio::test]
async fn the_same_question_has_the_same_answer_byte_for_byte() {
    let book = since_then(0.2, 0.3);
    for arguments in [json!({"service": "shop"}), json!({})] {
        let (one, other) = (book.ask(arguments.clone()).await, book.ask(arguments).await);
        assert_eq!((one.text, one.structured), (other.text, other.structured));
    }
}

#[tokio::test]
async fn a_service_that_ended_days_ago_is_left_out_and_one_that_ended_today_is_the_worst() {
    let mut book = Book::week();
    book.http(SHOP, |_| Some(20.0), |_| 0.01, |_| 0.05);
    let labels = |name: &str| format!("service=\"{name}\",job=\"{name}\",instance=\"{name}:1\"");
    // Only seven days ago; until an hour ago.
    book.http(&labels("legacy"), |ago| (ago > 2 * 86_400).then_some(20.0), |_| 0.01, |_| 0.05);
    book.http(&labels("cart"), |ago| (ago > 3_600).then_some(20.0), |_| 0.01, |_| 0.05);
    let reply = book.ask(json!({})).await;
    assert!(
        verdict(&reply).starts_with("1 of 2 services is worse than usual; worst: cart with no requests now"),
        "{}",
        reply.text
    );
    assert!(
        reply.text.contains(
            "1 services had requests 7d earlier, but no samples 1d earlier and none now; gone since, they are left out: legacy"
        ),
        "{}",
        reply.text
    );
    let rows = reply.structured.unwrap()["tables"][0]["rows"].clone();
    let names: Vec<&str> = rows.as_array().unwrap().iter().map(|row| row[0].as_str().unwrap()).collect();
    assert_eq!(names, ["cart", "shop"]);
}

#[tokio::test]
async fn the_autoscaler_is_the_one_that_scales_the_service_and_not_one_of_its_name() {
    let mut book = Book::today();
    book.http(SHOP, |_| Some(20.0), |_| 0.01, |_| 0.05);
    for (namespace, name, target, now) in
        [("shop", "scale-it", "shop", 4.0), ("other", "shop", "other", 10.0)]
    {
        let labels = format!("namespace=\"{namespace}\",horizontalpodautoscaler=\"{name}\"");
        let metric = |end: &str, more: &str| format!("kube_horizontalpodautoscaler_{end}{{{labels}{more}}}");
        book.gauge(&metric("info", &format!(",scaletargetref_name=\"{target}\"")), |_| Some(1.0));
        book.gauge(&metric("status_current_replicas", ""), |_| Some(now));
        book.gauge(&metric("spec_max_replicas", ""), |_| Some(10.0));
    }
    let reply = book.ask(json!({"service": "shop"})).await;
    // 4 of 10; the other is at its maximum.
    assert!(reply.text.contains("replicas 40 % of the autoscaler's maximum"), "{}", reply.text);
}
