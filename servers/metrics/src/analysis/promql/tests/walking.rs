use super::{
    super::walk::{Around, Yields},
    *,
};

#[test]
fn what_stands_in_an_aggregations_parameter_is_found() {
    // The parser's own walker skips it, and so lets this through as a query of `up`.
    assert_eq!(names("topk(scalar(sum(rate(huge[30d]))), up)"), ["huge", "up"]);
    assert_eq!(
        names("quantile by (job) (scalar(a), b) unless on (x) count_values(\"v\", c)"),
        ["a", "b", "c"]
    );
}

#[test]
fn what_surrounds_a_selector_is_known() {
    let tree = tree("max_over_time(sum(rate(a[5m]))[1h:30s]) + min_over_time(max_over_time(b[1d:])[2d:1h])");
    let found = selectors(&tree);
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    assert_eq!(found[0].range, Some(minutes(5)));
    assert_eq!(found[0].function, Some("rate"));
    let around = |range, resolution, yields| Around { range, resolution, yields };
    let half_a_minute = Some(Duration::from_secs(30));
    assert_eq!(found[0].subqueries, [around(minutes(60), half_a_minute, Yields::One)]);
    assert_eq!(found[0].reach(), minutes(65));
    assert_eq!(found[1].range, None);
    let outer = around(minutes(2_880), Some(minutes(60)), Yields::Each);
    assert_eq!(found[1].subqueries, [outer, around(minutes(1_440), None, Yields::Each)]);
}

#[test]
fn a_selector_is_looked_at_when_its_query_looks_at_it() {
    let cases = [
        ("a", "a"),
        ("rate(a[5m] offset 1h)", "a offset 1h"),
        ("a @ 100 offset -30s", "a @ 100.000 offset -30s"),
        ("max_over_time(rate(a[5m])[1d:1m] offset 20d)", "a offset 20d"),
        ("max_over_time(rate(a[5m] offset 1h)[1d:1m] offset 1d)", "a offset 25h"),
        ("max_over_time(max_over_time(a[1h:] offset -2h)[1d:1h] offset 2h)", "a"),
        ("max_over_time(rate(a[5m] offset 1h)[1d:1m] @ 100)", "a @ 100.000 offset 1h"),
        // Its own `@` counts instead of everything around it.
        ("max_over_time(rate(a[5m] @ 5)[1d:1m] offset 1d)", "a @ 5.000"),
        ("max_over_time(rate(a[5m])[1d:1m] @ end() offset 1m) + b", "a @ end() offset 1m"),
    ];
    for (query, expected) in cases {
        let tree = tree(query);
        let found = selectors(&tree);
        assert_eq!(at_its_time(&found[0], None).as_deref(), Some(expected), "{query}");
        let dense = at_its_time(&found[0], Some("10m")).unwrap();
        assert_eq!(dense, expected.replacen('a', "a[10m]", 1), "{query}");
    }
    let dialect = tree("{a=\"b\" or c=\"d\"}");
    assert_eq!(at_its_time(&selectors(&dialect)[0], None), None);
}

#[test]
fn a_selector_is_written_so_that_it_can_be_sent() {
    let cases = [
        ("up", "up"),
        ("up{job=\"a\", code!~\"5..\"} offset 5m @ 0", "up{job=\"a\", code!~\"5..\"}"),
        ("rate({__name__=\"x\", y=\"\\\"\"}[5m])", "x{y=\"\\\"\"}"),
        ("{\"http.server.duration\", \"k8s.pod\"=\"p\"}", "{\"http.server.duration\", \"k8s.pod\"=\"p\"}"),
        ("{__name__=~\"a|b\"}", "{__name__=~\"a|b\"}"),
        ("{job='a' or pod='b'}", "{job=\"a\" or pod=\"b\"}"),
    ];
    for (query, expected) in cases {
        let tree = tree(query);
        let found = selectors(&tree);
        assert_eq!(selector_text(found[0].selector), expected, "{query}");
        assert_eq!(names(expected), names(query), "{query}");
    }
}

#[test]
fn an_expression_orders_itself_by_topk_and_sort_at_the_top() {
    for (query, expected) in [
        ("topk(5, up)", true),
        ("(bottomk by (job) (1, up))", true),
        ("sort_desc(up)", true),
        ("sum(topk(5, up))", false),
        ("limitk(5, up)", false),
        ("up", false),
    ] {
        assert_eq!(orders_itself(&tree(query)), expected, "{query}");
    }
}

#[test]
fn moments_are_recognised_by_their_names() {
    for (query, expected) in [
        ("process_start_time_seconds", true),
        ("max(probe_ssl_earliest_cert_expiry) - 5", true),
        ("timestamp(up)", true),
        ("up", false),
        ("queue_depth", false),
    ] {
        assert_eq!(is_moment(&tree(query)), expected, "{query}");
    }
}

/// An expression that yields an instant vector, and the metrics in it in the order written.
fn vectors() -> impl Strategy<Value = (String, Vec<String>)> {
    let leaf = prop_oneof![
        "m[a-z]{1,3}".prop_map(|name| (name.clone(), vec![name])),
        "m[a-z]{1,3}".prop_map(|name| (format!("{name}{{a=\"x)(\", b!~'[y]'}} offset 5m"), vec![name])),
        "m[a-z]{1,3}".prop_map(|name| (format!("rate({name}[5m] @ 100)"), vec![name])),
        "m[a-z]{1,3}".prop_map(|name| (format!("{{__name__=\"{name}\"}}"), vec![name])),
    ];
    leaf.prop_recursive(5, 24, 3, |inner| {
        let two = || (inner.clone(), inner.clone());
        let join = |(left, right): ((String, Vec<String>), (String, Vec<String>)),
                    between: &str,
                    after: &str,
                    before: &str| {
            (format!("{before}{}{between}{}{after}", left.0, right.0), [left.1, right.1].concat())
        };
        prop_oneof![
            inner.clone().prop_map(|(text, names)| (format!("sum by (a) ({text})"), names)),
            inner.clone().prop_map(|(text, names)| (format!("(-{text})"), names)),
            inner.clone().prop_map(|(text, names)| (format!("abs({text}) > bool 5"), names)),
            inner
                .clone()
                .prop_map(|(text, names)| (format!("max_over_time(({text})[1h:5m] offset 1h)"), names)),
            inner.clone().prop_map(|(text, names)| (
                format!("label_replace({text}, \"a\", \"$1\", \"b\", \"(.*)\")"),
                names
            )),
            two().prop_map(move |both| join(both, "), ", ")", "topk(scalar(")),
            two().prop_map(move |both| join(both, ") and on (a) (", ")", "(")),
            two().prop_map(move |both| join(both, ") / ignoring (b) group_left () (", ")", "(")),
            two().prop_map(move |both| join(both, "), ", ")", "histogram_quantile(scalar(")),
            two().prop_map(move |both| join(both, ", scalar(", "))", "clamp_max(")),
        ]
    })
}

proptest! {
    #[test]
    fn every_selector_of_any_expression_is_found_in_its_order((query, expected) in vectors()) {
        let reading = read(&query).unwrap();
        let tree = reading.tree.as_ref();
        prop_assert!(tree.is_some(), "not read: {query}");
        let found: Vec<&str> = selectors(tree.unwrap()).iter().filter_map(|one| metric_of(one.selector)).collect();
        prop_assert_eq!(found, expected, "{}", query);
    }
}
