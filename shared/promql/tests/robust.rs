//! No query, however strange, panics, overflows a stack or takes long.

#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use std::time::{Duration, Instant};

use promql::{Options, Query, Store, evaluate_at, evaluate_over};
use proptest::prelude::*;

const WORDS: &[&str] = &[
    "up",
    "load",
    "sum",
    "topk",
    "quantile",
    "count_values",
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "offset",
    "@",
    "start",
    "end",
    "bool",
    "and",
    "or",
    "unless",
    "rate",
    "predict_linear",
    "quantile_over_time",
    "abs",
    "clamp",
    "round",
    "label_replace",
    "label_join",
    "absent",
    "absent_over_time",
    "histogram_quantile",
    "time",
    "vector",
    "scalar",
    "timestamp",
    "hour",
    "(",
    ")",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    ",",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "atan2",
    "==",
    "!=",
    ">",
    "<",
    "=",
    "=~",
    "!~",
    ":",
    "5m",
    "1ms",
    "1y",
    "0",
    "1e300",
    "Inf",
    "NaN",
    "0x7fffffffffffffff",
    "\"job\"",
    "\".*\"",
    "\"(\"",
    "`\\d`",
    "'\\xff'",
    "job",
    "#",
    "\n",
    "é",
    "\u{F0000}",
    "292277026596y",
    "[5m]",
    "[5m:1m]",
    "{job=\"a\"}",
];

fn store() -> Store {
    let series = [("up", "a"), ("up", "b"), ("load", "a")].map(|(name, job)| {
        let labels = vec![("__name__".to_owned(), name.to_owned()), ("job".to_owned(), job.to_owned())];
        let times: Vec<i64> = (0..200).map(|number| number * 15_000).collect();
        let values = times.iter().map(|time| (*time % 7_000) as f64).collect();
        (labels, times, values)
    });
    Store::new(series).unwrap()
}

fn options() -> Options {
    Options { max_samples: 100_000, max_reads: 1_000_000, ..Options::default() }
}

fn try_everywhere(query: &str) {
    let Ok(query) = Query::parse(query) else { return };
    for at in [0, 1_000_000, -1_000_000, i64::MAX, i64::MIN] {
        let _ = evaluate_at(&store(), &query, at, &options());
    }
    let _ = evaluate_over(&store(), &query, 0, 3_000_000, 60_000, &options());
    let _ = evaluate_over(&store(), &query, i64::MIN, i64::MAX, i64::MAX, &options());
}

/// A query of the grammar, unlike most random words.
fn grammatical() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "up",
        "load{job=\"a\"}",
        "1",
        "-Inf",
        "NaN",
        "time()",
        "up[5m]",
        "up[1ms] offset -1y",
        "up @ 9e15",
        "up @ -9e15",
        "rate(up[5m:1ms])",
        "load[1y:1y] @ end()",
        "\"a\"",
        "up offset 9e9",
        "vector(1)[5m:1ms]",
        "{job=~\"a|b\"}",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(6, 40, 3, |inner| {
        let call = prop::sample::select(vec![
            "rate",
            "sum",
            "abs",
            "absent",
            "absent_over_time",
            "scalar",
            "vector",
            "sort",
            "timestamp",
            "year",
            "-",
            "avg by (job) ",
            "count_over_time",
            "stddev_over_time",
            "max without (job) ",
        ]);
        let operator = prop::sample::select(vec![
            "+",
            "^",
            "%",
            "> bool",
            "==",
            "and",
            "or",
            "unless",
            "/ on(job)",
            "* on() group_left",
            "- ignoring(job) group_right",
        ]);
        let two = prop::sample::select(vec![
            "topk",
            "quantile",
            "clamp_min",
            "round",
            "histogram_quantile",
            "predict_linear",
        ]);
        prop_oneof![
            (call, inner.clone()).prop_map(|(call, of)| format!("{call}({of})")),
            (inner.clone(), operator, inner.clone())
                .prop_map(|(left, operator, right)| format!("({left}) {operator} ({right})")),
            (two, inner.clone(), inner.clone())
                .prop_map(|(function, one, other)| format!("{function}({one}, {other})")),
            inner.prop_map(|of| format!("({of})[10m:7s] offset 3m")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn random_words_never_panic(words in prop::collection::vec(prop::sample::select(WORDS), 0..14), glue in "| ") {
        try_everywhere(&words.join(&glue));
    }

    #[test]
    fn random_text_never_panics(text in "\\PC{0,30}") {
        try_everywhere(&text);
    }

    #[test]
    fn random_expressions_never_panic(query in grammatical()) {
        try_everywhere(&query);
    }
}

/// The deepest queries that are not refused, and some that are: threads have 2 MiB, and callers need some of it.
#[test]
fn no_query_overflows_the_stack_of_a_thread() {
    let chain = |word: &str, operator: &str, length: usize| vec![word; length].join(operator);
    let nested =
        |open: &str, close: &str, depth: usize| format!("{}up{}", open.repeat(depth), close.repeat(depth));
    let accepted = [
        chain("up", "+", 99),
        chain("up", "^", 99),
        chain("up", " or ", 99),
        nested("-", "", 98),
        nested("2 ^ -", "", 49),
        nested("(", ")", 64),
        nested("sum(", ")", 64),
        nested("abs(2 * ", ")", 49),
        nested("rate(", "[5m:1m])", 49),
    ];
    let refused =
        [chain("up", "+", 1_000), chain("up", "^", 1_000), nested("-", "", 1_999), nested("2 ^ -", "", 600)];
    let work = move || {
        let (store, options) = (store(), options());
        for query in accepted {
            let query = Query::parse(&query).unwrap();
            let _ = evaluate_at(&store, &query, 1_000_000, &options);
        }
        refused.iter().filter(|query| Query::parse(query).is_err()).count()
    };
    let thread = std::thread::Builder::new().stack_size(3 << 19).spawn(work).unwrap();
    assert_eq!(thread.join().unwrap(), 4);
}

/// Not a measure of speed: without the limits each of these would take minutes or the whole memory.
#[test]
fn expensive_queries_end_soon() {
    let store = store();
    let started = Instant::now();
    for query in [
        "sum_over_time(sum_over_time(sum_over_time(up[1h:1s])[1d:1s])[1d:1s])",
        "max_over_time(up[1y])[1y:1ms]",
        "count_over_time(vector(1)[100y:1ms])",
        "quantile_over_time(0.5, (up or load or vector(1))[1d:10ms])",
    ] {
        let query = Query::parse(query).unwrap();
        assert!(evaluate_at(&store, &query, 3_000_000, &options()).is_err());
    }
    assert!(started.elapsed() < Duration::from_secs(60));
}
