use super::*;

fn samples(query: &str, course: Course, scrape: f64, series: &[(&str, u64)]) -> f64 {
    let supply = |found: &Found<'_>| {
        let selector = selector_text(found.selector);
        let known = series.iter().find(|(name, _)| *name == selector);
        known.map_or(Supply::unknown(1_000.0), |(_, count)| Supply::known(*count as f64, scrape))
    };
    estimate(&tree(query), course, &supply).samples
}

/// 61 points, 10 s apart.
fn ten_minutes() -> Course {
    Course::range(61, 10.0)
}

#[test]
fn rate_and_instant_selectors_cost_what_prometheus_counts() {
    // `totalQueryableSamples` of Prometheus 3.15 for the same queries at the testbed, where samples are 1 s apart.
    let series = [("http_requests_total", 36), ("worker_latency_seconds", 84), ("up", 5)];
    let at = |query, course| samples(query, course, 1.0, &series);
    assert_eq!(at("rate(http_requests_total[1m])", ten_minutes()), 131_760.0);
    assert_eq!(at("rate(http_requests_total[1m])", Course::instant()), 2_160.0);
    assert_eq!(at("worker_latency_seconds", ten_minutes()), 5_124.0);
    let nested = at("topk(scalar(sum(rate(http_requests_total[1m]))), up)", ten_minutes());
    assert_eq!(nested, 131_760.0 + 305.0);
}

#[test]
fn a_subquery_costs_its_windows_and_its_own_moments() {
    let at = |query, course| samples(query, course, 1.0, &[("a", 16), ("b", 1)]);
    // At one moment: 120 s ÷ 10 s = 12 windowed samples (what Prometheus counts), and 12 moments of 60 samples.
    assert_eq!(at("max_over_time(rate(a[1m])[2m:10s])", Course::instant()), 16.0 * (12.0 + 12.0 * 60.0));
    // Over ten minutes: 61 × 12 in windows, and (600 + 120) ÷ 10 = 72 moments of 60 samples.
    assert_eq!(at("max_over_time(rate(a[1m])[2m:10s])", ten_minutes()), 16.0 * (732.0 + 72.0 * 60.0));
    // What an aggregation leaves is read in the windows: one series, or an unknown number of groups, here 4 of 16.
    let inside = 16.0 * 72.0 * 60.0;
    assert_eq!(at("max_over_time(sum(rate(a[1m]))[2m:10s])", ten_minutes()), inside + 732.0);
    assert_eq!(at("max_over_time(sum by (x) (rate(a[1m]))[2m:10s])", ten_minutes()), inside + 4.0 * 732.0);
    // Without a resolution: one a minute.
    assert_eq!(at("max_over_time(a[1h:])", Course::instant()), 16.0 * (60.0 + 60.0));
    // Two levels: 24 outer windows; 24 moments 1 h apart, each with 60 windows; (24 h + 1 h) ÷ 60 s moments.
    let two = at("max_over_time(max_over_time(b[1h:1m])[1d:1h])", Course::instant());
    assert_eq!(two, 24.0 + 24.0 * 60.0 + 25.0 * 60.0);
}

#[test]
fn offset_and_at_only_shift() {
    let cost = |query| samples(query, ten_minutes(), 15.0, &[("a", 7)]);
    assert_eq!(cost("rate(a[5m] offset 7d)"), cost("rate(a[5m])"));
    assert_eq!(cost("rate(a[5m] @ 100)"), cost("rate(a[5m])"));
    assert_eq!(cost("rate(a[5m])"), 7.0 * 61.0 * 20.0);
}

#[test]
fn the_example_of_the_design_is_about_four_billion() {
    // 95,000 series × 30 d ÷ 60 s, one sample at each of 43,200 moments: 95,000 × 43,200 = 4,104,000,000.
    let month = Course::range(43_200, 60.0);
    let cost = samples("http_requests_total", month, 60.0, &[("http_requests_total", 95_000)]);
    assert_eq!(cost, 4_104_000_000.0);
    assert_eq!(about(cost), "4.1 billion");
}

#[test]
fn unknown_series_count_as_told_and_are_marked() {
    let supply = |found: &Found<'_>| match metric_of(found.selector) {
        Some("a") => Supply::known(5.0, 15.0),
        _ => Supply::unknown(1_000.0),
    };
    let unknown = estimate(&tree("a + b"), Course::instant(), &supply);
    assert_eq!(unknown.samples, 5.0 + 1_000.0);
    assert_eq!(unknown.parts.iter().map(|part| part.selector.as_str()).collect::<Vec<_>>(), ["b", "a"]);
    assert_eq!(unknown.parts.iter().map(|part| part.supply.is_known).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn a_query_without_a_tree_is_bounded_by_its_ranges() {
    let blind = |query| blind_cost(&read(query).unwrap(), ten_minutes(), 15.0);
    // 61 moments × (1 d + 5 min) ÷ 15 s.
    assert_eq!(blind("rate(a[1d] anchored) default b[5m]"), 61.0 * (5_760.0 + 20.0));
    assert_eq!(blind("a default 0"), 61.0);
    // Every subquery may be around every range: 61 × (1 h ÷ 1 s) × (1 h ÷ 60 s) × (1 h ÷ 15 s).
    let nested = "max_over_time(max_over_time(rate(x[1h] anchored)[1h:1s])[1h:])";
    assert_eq!(blind(nested), 61.0 * 3_600.0 * 60.0 * 240.0);
    // What a range may be that is no duration, nobody knows.
    for query in ["rate(x[5m * 100000])", "rate(x[5i])", "x default rate(x[", "max_over_time(x[1h:1s*1])"] {
        assert_eq!(blind(query), f64::INFINITY, "{query}");
    }
}

#[test]
fn the_selectors_of_a_query_without_a_tree_are_counted_by_its_text() {
    for (query, expected) in [
        ("rate(a[5m] anchored) default b", (2, 0)),
        ("sum by (x, y) (a{z=\"w\"}) / on (v) group_left (u) {t=\"s\"}", (1, 1)),
        ("{\"a.b\"} + {c=\"d\"} offset 5m", (0, 2)),
        ("count_values(\"v\", a[1h:5m]) limit 5", (1, 0)),
        ("1 default time()", (0, 0)),
    ] {
        assert_eq!(blind_selectors(&read(query).unwrap()), expected, "{query}");
    }
}

#[test]
fn numbers_are_said_as_people_say_them() {
    for (number, text) in [
        (950.0, "950"),
        (12_000.0, "12,000"),
        (950_000.0, "950,000"),
        (50e6, "50 million"),
        (31.4e6, "31.4 million"),
        (4.104e9, "4.1 billion"),
        (2e13, "20 trillion"),
    ] {
        assert_eq!(about(number), text);
    }
}
