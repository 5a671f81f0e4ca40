use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

fn tree(query: &str) -> Expr {
    let reading = read(query).unwrap_or_else(|depth| panic!("{depth} deep: {query}"));
    reading.tree.unwrap_or_else(|| panic!("not read: {query}"))
}

fn names(query: &str) -> Vec<String> {
    selectors(&tree(query)).iter().map(|found| metric_of(found.selector).unwrap_or("").to_owned()).collect()
}

mod walking {
    use super::*;

    #[test]
    fn what_stands_in_an_aggregations_parameter_is_found() {
        // The parser's own walker skips it, and so lets this through as a query of `up`.
        assert_eq!(names("topk(scalar(sum(rate(huge[30d]))), up)"), ["huge", "up"]);
        assert_eq!(names("quantile by (job) (scalar(a), b) unless on (x) count_values(\"v\", c)"), ["a", "b", "c"]);
    }

    #[test]
    fn what_surrounds_a_selector_is_known() {
        let tree = tree("max_over_time(sum(rate(a[5m]))[1h:30s]) + min_over_time(max_over_time(b[1d:])[2d:1h])");
        let found = selectors(&tree);
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        assert_eq!(found[0].range, Some(minutes(5)));
        assert_eq!(found[0].function, Some("rate"));
        assert_eq!(found[0].subqueries, [(minutes(60), Some(Duration::from_secs(30)))]);
        assert_eq!(found[1].range, None);
        assert_eq!(found[1].subqueries, [(minutes(2_880), Some(minutes(60))), (minutes(1_440), None)]);
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
            let join = |(left, right): ((String, Vec<String>), (String, Vec<String>)), between: &str, after: &str, before: &str| {
                (format!("{before}{}{between}{}{after}", left.0, right.0), [left.1, right.1].concat())
            };
            prop_oneof![
                inner.clone().prop_map(|(text, names)| (format!("sum by (a) ({text})"), names)),
                inner.clone().prop_map(|(text, names)| (format!("(-{text})"), names)),
                inner.clone().prop_map(|(text, names)| (format!("abs({text}) > bool 5"), names)),
                inner.clone().prop_map(|(text, names)| (format!("max_over_time(({text})[1h:5m] offset 1h)"), names)),
                inner.clone().prop_map(|(text, names)| (format!("label_replace({text}, \"a\", \"$1\", \"b\", \"(.*)\")"), names)),
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
}

mod limits {
    use super::*;

    #[test]
    fn deep_nesting_is_refused_before_it_is_parsed() {
        let nested = |depth: usize| format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
        assert!(read(&nested(64)).is_ok_and(|reading| reading.tree.is_some()));
        assert_eq!(read(&nested(65)).err(), Some(65));
        assert_eq!(read(&"(".repeat(8_192)).err(), Some(8_192));
        assert_eq!(read("a{b=\"((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((\"}").err(), None);
    }

    #[test]
    fn what_is_too_long_or_unknown_is_not_analysed_and_not_refused() {
        let sum = vec!["1"; 4_000].join("+");
        assert!(read(&sum).is_ok_and(|reading| reading.tree.is_none()));
        let regexes = format!("{{{}}}", vec!["a=~\"x\""; 40].join(","));
        assert!(read(&regexes).is_ok_and(|reading| reading.tree.is_none()));
        for dialect in ["rate(x[5m] anchored)", "x default 0", "x[5m + 1m]", "😀", "\"", ""] {
            assert!(read(dialect).is_ok_and(|reading| reading.tree.is_none()), "{dialect}");
        }
    }

    /// A worker's stack is 2 MiB; a debug build needs several times what a release build does.
    #[test]
    fn the_longest_and_deepest_that_is_analysed_is_quick_and_fits_a_small_stack() {
        let worst = [
            vec!["a"; 500].join("+"),
            vec!["a"; 500].join("^"),
            format!("{}a", "-".repeat(999)),
            format!("{{{}}}", vec!["a=~\"(x{100}){90}\""; 16].join(",")),
            format!("{}1{}", "abs(".repeat(64), ")".repeat(64)),
        ];
        for query in worst {
            let thread = std::thread::Builder::new().stack_size(1 << 20);
            let run = move || {
                let began = Instant::now();
                let found = read(&query).unwrap().tree.map_or(0, |tree| selectors(&tree).len());
                (found, began.elapsed())
            };
            let (_, took) = thread.spawn(run).unwrap().join().unwrap();
            assert!(took < Duration::from_secs(5), "{took:?}");
        }
    }

    proptest! {
        #[test]
        fn reading_survives_any_text(query in "\\PC{0,60}|[a-z(\\[{}\\])\"'`\\\\ \n#=~!:0-9@$+-]{0,80}") {
            if let Ok(reading) = read(&query) {
                let _ = variables(&reading);
                let _ = substitute(&reading, 15.0, 3_600.0);
                let _ = blind_cost(&reading, Course::instant(), SCRAPE);
                let _ = narrow(&reading, "a", "b", "c");
                let _ = add_range(&reading, "a", 3);
                let _ = shorten(&reading, 60.0);
                let _ = hint("unclosed left parenthesis", &reading);
            }
            let _ = excerpt(&query, 1, 7);
        }
    }
}

mod costs {
    use super::*;

    fn samples(query: &str, course: Course, scrape: f64, series: &[(&str, u64)]) -> f64 {
        let of = |selector: &str| series.iter().find(|(name, _)| *name == selector).map(|(_, count)| *count);
        estimate(&tree(query), course, scrape, 1_000, &of).samples
    }

    /// 61 points, 10 s apart.
    fn ten_minutes() -> Course {
        Course::range(61, 10.0)
    }

    #[test]
    fn rate_and_instant_selectors_cost_what_prometheus_counts() {
        // `totalQueryableSamples` of Prometheus 3.15 for the same queries at the testbed, where samples are 1 s apart.
        // An instant selector reads up to the step: 10 samples where Prometheus counts the one it uses.
        let series = [("http_requests_total", 36), ("worker_latency_seconds", 84), ("up", 5)];
        let at = |query, course| samples(query, course, 1.0, &series);
        assert_eq!(at("rate(http_requests_total[1m])", ten_minutes()), 131_760.0);
        assert_eq!(at("rate(http_requests_total[1m])", Course::instant()), 2_160.0);
        assert_eq!(at("worker_latency_seconds", ten_minutes()), 10.0 * 5_124.0);
        let nested = at("topk(scalar(sum(rate(http_requests_total[1m]))), up)", ten_minutes());
        assert_eq!(nested, 131_760.0 + 10.0 * 305.0);
    }

    #[test]
    fn a_subquery_costs_its_windows_and_its_own_moments() {
        let at = |query, course| samples(query, course, 1.0, &[("a", 10), ("b", 1)]);
        // At one moment: 120 s ÷ 10 s = 12 windowed samples (what Prometheus counts), and 12 moments of 60 samples.
        assert_eq!(at("max_over_time(rate(a[1m])[2m:10s])", Course::instant()), 10.0 * (12.0 + 12.0 * 60.0));
        // Over ten minutes: 61 × 12 in windows, and (600 + 120) ÷ 10 = 72 moments of 60 samples.
        assert_eq!(at("max_over_time(rate(a[1m])[2m:10s])", ten_minutes()), 10.0 * (732.0 + 72.0 * 60.0));
        // Without a resolution: one a minute; an instant selector then reads the minute between two moments.
        assert_eq!(at("max_over_time(a[1h:])", Course::instant()), 10.0 * (60.0 + 60.0 * 60.0));
        // Two levels: 24 outer windows; 24 moments 1 h apart, each with 60 windows; (24 h + 1 h) ÷ 60 s of 60 s.
        let two = at("max_over_time(max_over_time(b[1h:1m])[1d:1h])", Course::instant());
        assert_eq!(two, 24.0 + 24.0 * 60.0 + 25.0 * 60.0 * 60.0);
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
        let unknown = estimate(&tree("a + b"), Course::instant(), 15.0, 1_000, &|name| (name == "a").then_some(5));
        assert_eq!(unknown.samples, 20.0 * (5.0 + 1_000.0));
        assert_eq!(unknown.parts.iter().map(|part| part.selector.as_str()).collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(unknown.parts.iter().map(|part| part.series).collect::<Vec<_>>(), [None, Some(5)]);
    }

    #[test]
    fn a_query_without_a_tree_is_bounded_by_its_longest_range() {
        let blind = |query| blind_cost(&read(query).unwrap(), ten_minutes(), 15.0);
        assert_eq!(blind("rate(a[1d] anchored) default b[5m]"), 61.0 * 5_760.0);
        assert_eq!(blind("a default 0"), 61.0);
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
}

mod mending {
    use super::*;

    #[test]
    fn a_metric_is_renamed_where_it_is_one() {
        let cases = [
            ("sum(rate(http_request_total{a=\"http_request_total\"}[5m]))", "sum(rate(requests{a=\"http_request_total\"}[5m]))"),
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
}

mod faults {
    use super::*;

    #[test]
    fn an_excerpt_points_at_the_place() {
        assert_eq!(excerpt("sum(rate(x[1m])", 1, 16).as_deref(), Some("sum(rate(x[1m])\n               ^"));
        assert_eq!(excerpt("up{a=\"x\",\n foo=}", 2, 6).as_deref(), Some(" foo=}\n     ^"));
        // Columns count bytes: é has two, so byte 6 is the fifth character.
        assert_eq!(excerpt("a{é=1}", 1, 6).as_deref(), Some("a{é=1}\n    ^"));
        let long = format!("{}!{}", "a".repeat(100), "b".repeat(100));
        let shown = excerpt(&long, 1, 101).unwrap();
        assert_eq!(shown, format!("…{}!{}…\n{}^", "a".repeat(60), "b".repeat(29), " ".repeat(61)));
        for (line, column) in [(0, 1), (1, 0), (3, 1)] {
            assert_eq!(excerpt("up", line, column), None);
        }
        assert_eq!(excerpt("up", 1, 99).as_deref(), Some("up\n  ^"));
    }

    /// Messages as Prometheus 3.15 and 2.42 write them (asked at the testbed).
    #[test]
    fn usual_mistakes_have_a_hint() {
        let cases = [
            ("rate(up)", "expected type range vector in call to function \"rate\", got instant vector", "add a range"),
            ("abs(up[5m])", "expected type instant vector in call to function \"abs\", got range vector", "reduce the range first"),
            ("up[5m]", "invalid expression type \"range vector\" for range query, must be Scalar or instant Vector", "over a time_range each step"),
            ("sum(rate(up[1m])", "unclosed left parenthesis", "the ( at character 4 is not closed"),
            ("sum(up))", "unexpected right parenthesis ')'", "there is one ) too many"),
            ("up{job=load}", "unexpected identifier \"load\" in label matching, expected string", "put the label's value in double quotes"),
            ("up = 1", "unexpected \"=\"", "compare values with =="),
            ("rate(up[1min])", "bad number or duration syntax: \"1mi\"", "durations are whole numbers"),
            ("median_over_time(up[5m])", "unknown function with name \"median_over_time\"", "`median_over_time` is MetricsQL"),
            ("up default 0", "unexpected identifier \"default\"", "`default` is MetricsQL"),
            ("rat(up[5m])", "unknown function with name \"rat\"", "PromQL has no such function; nearest: rate"),
            ("up{“job”=\"x\"}", "unexpected character inside braces: '“'", "use plain quotes"),
            ("sum by job (up)", "unexpected identifier \"job\" in grouping opts, expected \"(\"", "labels to group by stand in parentheses"),
            ("rate(sum(up)[5m])", "ranges only allowed for vector selectors", "rate comes before sum"),
            ("{}", "vector selector must contain at least one non-empty matcher", "name a metric"),
            ("up{a=~\"*x\"}", "error parsing regexp: missing argument to repetition operator: `*`", "=~ takes an RE2 expression"),
            ("a * on() a", "found duplicate series for the match group {} on the right hand-side of the operation", "one side has several"),
            ("up foo", "unexpected identifier \"foo\"", ""),
        ];
        for (query, message, expected) in cases {
            let hint = hint(message, &read(query).unwrap());
            assert!(hint.starts_with(expected) && hint.is_empty() == expected.is_empty(), "{query}: {hint}");
        }
    }
}

mod empty_results {
    use super::*;

    #[test]
    fn what_may_filter_everything_is_named_outermost_first() {
        let kinds = |query: &str| -> Vec<String> {
            let name = |filter: &Filter| match filter {
                Filter::Comparison { series, operator, number, number_first } => {
                    format!("{series} {operator} {number} {number_first}")
                }
                Filter::Set(operator) | Filter::Matching(operator) => operator.clone(),
                Filter::Absent => "absent".to_owned(),
            };
            filters(&tree(query)).iter().map(name).collect()
        };
        assert_eq!(kinds("sum(rate(a[5m])) > 5"), ["sum(rate(a[5m])) > 5 false"]);
        assert_eq!(kinds("(-3) <= a"), ["a <= -3 true"]);
        assert_eq!(kinds("a > bool 5"), [""; 0]);
        assert_eq!(kinds("absent(a)"), ["absent"]);
        assert_eq!(kinds("a and b / c"), ["and", "/"]);
        assert_eq!(kinds("a or b"), [""; 0]);
        assert_eq!(kinds("a > b"), [">"]);
    }

    #[test]
    fn ranges_too_short_for_their_function_are_found() {
        let short = |query: &str| short_windows(&tree(query), 60.0);
        let found = short("rate(a{b=\"c\"}[15s]) + increase(d[1m]) + max_over_time(e[1s])");
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].function.as_str(), found[0].selector.as_str(), found[0].range), ("rate", "a{b=\"c\"}", 15.0));
    }
}
