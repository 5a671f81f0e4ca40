use super::*;

const TEXT: Dialect = Dialect { open_metrics: false, utf8_names: false };

fn page_of(traffic: &Traffic, dialect: Dialect) -> String {
    let mut page = Exposition::new(dialect);
    traffic.write_to(&mut page, dialect);
    page.finish()
}

fn page_at(seconds: u64) -> String {
    let mut traffic = Traffic::new();
    traffic.advance_to(seconds);
    page_of(&traffic, TEXT)
}

/// The value of the one line that starts so.
fn value(page: &str, start: &str) -> f64 {
    let lines: Vec<&str> = page.lines().filter(|line| line.starts_with(start)).collect();
    assert_eq!(lines.len(), 1, "{start}");
    lines[0].rsplit_once(' ').unwrap().1.parse().unwrap()
}

fn sum(page: &str, family: &str, part: &str) -> f64 {
    let lines = page.lines().filter(|line| line.starts_with(family) && line.contains(part));
    lines.map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap()).sum()
}

#[test]
fn the_generator_is_splitmix64() {
    // The first outputs for the seed 1234567, as published with the reference implementation.
    let mut dice = Dice { state: 1_234_567 };

    assert_eq!(dice.next(), 6_457_827_717_110_365_317);
    assert_eq!(dice.next(), 3_203_168_211_198_807_973);
}

#[test]
fn how_often_it_is_scraped_changes_nothing() {
    let mut watched = Traffic::new();
    for second in 0..=130 {
        watched.advance_to(second);
        page_of(&watched, TEXT);
    }

    assert_eq!(page_of(&watched, TEXT), page_at(130));
}

#[test]
fn every_series_exists_before_the_first_request() {
    let series = |page: &str| -> Vec<String> {
        page.lines().map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
    };

    assert_eq!(series(&page_at(0)), series(&page_at(50)));
    assert_eq!(sum(&page_at(0), "http_requests_total{", ""), 0.0);
}

#[test]
fn requests_come_at_the_stated_rates_and_fail_at_about_the_stated_shares() {
    let page = page_at(600);
    let share = |service: &str| {
        let of = |part: &str| {
            let lines = page.lines().filter(|line| {
                line.starts_with("http_requests_total{") && line.contains(service) && line.contains(part)
            });
            lines.map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap()).sum::<f64>()
        };
        of("code=\"5") / of("")
    };

    // 25 + 20 + 12 + 60 requests a second.
    assert_eq!(sum(&page, "http_requests_total{", ""), 600.0 * 117.0);
    // Three standard errors of a proportion: 3 √(p (1 − p) ÷ n), n being 12,000 and 7,200.
    assert!((share("checkout") - 0.15).abs() < 0.0098, "{}", share("checkout"));
    assert!((share("payment") - 0.25).abs() < 0.0154, "{}", share("payment"));
    assert_eq!(share("cart"), 0.0);
}

#[test]
fn buckets_are_cumulative_and_end_at_the_count_of_requests() {
    let page = page_at(100);
    let labels = "{service=\"web\",route=\"/search\"";
    let start = format!("http_request_duration_seconds_bucket{labels}");
    let buckets: Vec<f64> = page
        .lines()
        .filter(|line| line.starts_with(&start))
        .map(|line| line.rsplit_once(' ').unwrap().1.parse().unwrap())
        .collect();

    assert_eq!(buckets.len(), 12);
    assert!(buckets.is_sorted());
    let count = value(&page, &format!("http_request_duration_seconds_count{labels}}}"));
    assert_eq!(buckets.last(), Some(&count));
    assert_eq!(count, sum(&page, "http_requests_total{service=\"web\"", "route=\"/search\""));
}

#[test]
fn one_small_worker_of_84_slows_down_and_stays_below_the_others() {
    let worker = "worker_latency_seconds{worker=\"w07\"";
    let workers =
        |page: &str| page.lines().filter(|line| line.starts_with("worker_latency_seconds{")).count();
    let (before, after) = (page_at(20), page_at(21));

    assert_eq!(workers(&before), 84);
    // Six times as slow, within 3 % noise on either side.
    let ratio = value(&after, worker) / value(&before, worker);
    assert!((5.6..6.4).contains(&ratio), "{ratio}");
    assert!(value(&after, worker) < value(&after, "worker_latency_seconds{worker=\"w83\"") / 10.0);
}

#[test]
fn a_counter_restarts_a_version_changes_and_a_queue_grows() {
    assert!(value(&page_at(89), "cache_misses_total") > 200.0);
    assert_eq!(value(&page_at(90), "cache_misses_total"), 0.0);

    assert!(page_at(59).contains("version=\"1.4.0\"") && !page_at(59).contains("version=\"1.5.0\""));
    assert!(page_at(60).contains("version=\"1.5.0\"") && !page_at(60).contains("version=\"1.4.0\""));

    // 0.05 a second for 1,000 seconds is 50, within the noise of 4.
    let emails = |page: String| value(&page, "queue_depth{queue=\"emails\"}");
    let growth = emails(page_at(1_001)) - emails(page_at(1));
    assert!((45.0..=55.0).contains(&growth), "{growth}");
}

#[test]
fn what_is_not_finite_is_written_and_names_with_dots_only_on_request() {
    let page = page_at(1);
    assert!(page.contains("cache_hit_ratio{shard=\"idle\"} NaN\n"));
    assert!(page.contains("request_budget_seconds{service=\"web\"} +Inf\n"));
    assert!(!page.contains("queue.oldest"));

    let utf8 = Dialect { open_metrics: true, utf8_names: true };
    let page = page_of(&Traffic::new(), utf8);
    assert!(page.contains("{\"queue.oldest.message.age\",\"queue.name\"=\"emails\"} 1.5\n"));
}
