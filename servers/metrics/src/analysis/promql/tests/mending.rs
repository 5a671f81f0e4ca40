use super::*;

#[test]
fn a_metric_is_renamed_where_it_is_one() {
    let cases = [
        (
            "sum(rate(http_request_total{a=\"http_request_total\"}[5m]))",
            "sum(rate(requests{a=\"http_request_total\"}[5m]))",
        ),
        ("http_request_total / on (http_request_total) b", "requests / on (http_request_total) b"),
        ("b{http_request_total=\"x\"} + http_request_total", "b{http_request_total=\"x\"} + requests"),
    ];
    for (query, expected) in cases {
        assert_eq!(rename_metric(query, "http_request_total", "requests").as_deref(), Some(expected));
    }
    assert_eq!(rename_metric("{__name__=\"a\"}", "a", "b"), None);
    assert_eq!(rename_metric("sum(a)", "sum", "b"), None);
    assert_eq!(rename_metric("a", "a", "with.dots").as_deref(), Some("{\"with.dots\"}"));
}

#[test]
fn a_label_value_is_replaced_where_it_is_compared() {
    let query = "a{s = \"chekout\", t='chekout'} / b{s!=\"chekout\"}";
    assert_eq!(
        replace_value(query, "s", "chekout", "che\"ck").as_deref(),
        Some("a{s = \"che\\\"ck\", t='chekout'} / b{s!=\"chekout\"}")
    );
    assert_eq!(replace_value(query, "u", "chekout", "checkout"), None);
    assert_eq!(as_regex("a{code=\"5..\"}", "code", "5..").as_deref(), Some("a{code=~\"5..\"}"));
    assert_eq!(as_regex("a{code=~\"5..\"}", "code", "5.."), None);
}

#[test]
fn one_matcher_is_added_to_the_only_selector() {
    let narrowed = |query: &str| narrow(&read(query).unwrap(), "a", "s", "x");
    assert_eq!(narrowed("sum by (a) (rate(a[5m]))").as_deref(), Some("sum by (a) (rate(a{s=\"x\"}[5m]))"));
    assert_eq!(narrowed("a{}").as_deref(), Some("a{s=\"x\"}"));
    assert_eq!(narrowed("a{b=\"a\"} > 5").as_deref(), Some("a{s=\"x\", b=\"a\"} > 5"));
    assert_eq!(narrowed("a / a"), None);
    assert_eq!(narrowed("label_replace(a, \"s\", \"$1\", \"b\", \"(.*)\")"), None);
}

#[test]
fn a_missing_range_is_put_in() {
    let added = |query: &str| add_range(&read(query).unwrap(), "rate", query.len());
    assert_eq!(added("sum(rate(a{b=\")\"})) by (c)").as_deref(), Some("sum(rate(a{b=\")\"}[5m])) by (c)"));
    assert_eq!(added("rate(a)").as_deref(), Some("rate(a[5m])"));
    assert_eq!(added("rate(sum(a))"), None);
    assert_eq!(added("rate(a[5m])"), None);
}

#[test]
fn long_ranges_are_cut() {
    let cut = |query: &str| shorten(&read(query).unwrap(), 3_600.0);
    assert_eq!(cut("rate(a[30d]) / rate(b[5m])").as_deref(), Some("rate(a[1h]) / rate(b[5m])"));
    assert_eq!(cut("max_over_time(a[2h:1m])").as_deref(), Some("max_over_time(a[1h:1m])"));
    assert_eq!(cut("rate(b[5m])"), None);
}

#[test]
fn variables_of_dashboards_are_found_and_filled_in() {
    let query = "rate(a{s=\"$service\", r=~\"x$\", e=\"${env}\"}[$__rate_interval]) + sum_over_time(b[${__range}:$__interval]) # $no";
    let reading = read(query).unwrap();
    assert_eq!(variables(&reading), ["${env}", "$__rate_interval", "${__range}", "$__interval"]);
    // Step 5 m: the rate's range is a step and a scrape of 15 s.
    let (filled, unknown) = substitute(&reading, 300.0, 21_600.0);
    assert!(filled.contains("[5m15s]) + sum_over_time(b[6h:5m])"), "{filled}");
    assert_eq!(unknown, ["${env}"]);
    // Step 15 s: at least four scrapes.
    let reading = read("rate(a[$__rate_interval]) * $__range_s").unwrap();
    assert_eq!(substitute(&reading, 15.0, 3_600.0).0, "rate(a[1m]) * 3600");
    assert!(variables(&read("a{b=~\"x$|^$\"}").unwrap()).is_empty());
    assert_eq!(variables(&read("$metric").unwrap()), ["$metric"]);
}
