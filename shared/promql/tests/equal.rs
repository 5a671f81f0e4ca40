//! The same samples in this crate and in the real Prometheus, the same queries to both, the same answers.
//!
//! Needs the program of Prometheus 3, with promtool beside it, in the environment variable `PROMETHEUS_PROGRAM`
//! (`cargo xtask testbed up prometheus` builds both and names the program in its `endpoints.json`):
//! `PROMETHEUS_PROGRAM=… cargo test -p promql --test equal -- --ignored --nocapture`

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests fail loudly and report what they compared"
)]

#[path = "equal/compare.rs"]
mod compare;
#[path = "equal/data.rs"]
mod data;
#[path = "equal/generated.rs"]
mod generated;
#[path = "equal/handwritten.rs"]
mod handwritten;
#[path = "equal/oracle.rs"]
mod oracle;

use std::collections::BTreeMap;

use compare::Answer;
use data::START;
use oracle::Oracle;

/// When a query is evaluated, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum When {
    At(i64),
    Over { start: i64, end: i64, step: i64 },
}

const MINUTE: i64 = 60_000;

/// Moments with different neighbours: before there is enough, between samples, on a sample, where series appear and
/// vanish, at the end, and where only the lookback still reaches samples.
const MOMENTS: [When; 7] = [
    When::At(START + 2 * MINUTE + 7_000),
    When::At(START + 31 * MINUTE),
    When::At(START + 43 * MINUTE + 15_001),
    When::At(START + 72 * MINUTE + 500),
    When::At(START + 95 * MINUTE),
    When::At(START + 119 * MINUTE + 59_999),
    When::At(START + 123 * MINUTE),
];

/// Ranges whose steps are shorter than, about and longer than the samples' distance and the lookback.
const RANGES: [When; 5] = [
    When::Over { start: START + 10 * MINUTE, end: START + 40 * MINUTE, step: MINUTE },
    When::Over { start: START + 36 * MINUTE + 3_000, end: START + 48 * MINUTE, step: 17_000 },
    When::Over { start: START, end: START + 130 * MINUTE, step: 5 * MINUTE },
    When::Over { start: START + 60 * MINUTE, end: START + 125 * MINUTE, step: 7 * MINUTE + 1 },
    When::Over { start: START + 80 * MINUTE, end: START + 82 * MINUTE, step: 4_000 },
];

/// Each query at two moments and over one range, in turn.
fn schedule(queries: Vec<(&'static str, String)>) -> Vec<(&'static str, String, When)> {
    let mut scheduled = Vec::new();
    for (number, (class, query)) in queries.into_iter().enumerate() {
        scheduled.push((class, query.clone(), MOMENTS[number % MOMENTS.len()]));
        scheduled.push((class, query.clone(), MOMENTS[(number * 3 + 4) % MOMENTS.len()]));
        scheduled.push((class, query, RANGES[number % RANGES.len()]));
    }
    scheduled
}

#[test]
#[ignore = "needs the testbed"]
fn every_query_of_the_subset_has_the_answer_of_the_real_prometheus() {
    let all = data::series();
    let store = data::store(&all);
    let oracle = Oracle::with(&data::open_metrics(&all));
    println!("{} series, {} samples", store.series_count(), store.sample_count());

    let mut queries = handwritten::queries();
    queries.extend(generated::queries(0x5eed, 700));
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let mut failures = Vec::new();
    for (class, query, when) in schedule(queries) {
        let theirs = oracle.answer(&query, when);
        let ours = compare::answer(&store, &query, when);
        let count = counts.entry(class).or_default();
        match compare::difference(&ours, &theirs, &query) {
            None if matches!(theirs, Answer::Failed(_)) => { count[1] += 1; println!("REFUSED {class} {query}\n   {when:?}\n  {ours:?}\n   {theirs:?}"); }
            None => count[0] += 1,
            Some(difference) => {
                count[2] += 1;
                println!("DIFFERENT {class}: {query}\n    {when:?}\n    {difference}");
                failures.push(query);
            }
        }
    }
    println!("{:<24}{:>8}{:>14}{:>11}", "class", "equal", "both refuse", "different");
    for (class, [equal, refused, different]) in &counts {
        println!("{class:<24}{equal:>8}{refused:>14}{different:>11}");
    }
    let total = |which: usize| counts.values().map(|count| count[which]).sum::<usize>();
    println!("{:<24}{:>8}{:>14}{:>11}", "all", total(0), total(1), total(2));
    assert!(total(0) >= 600, "too few answers were compared");
    assert!(failures.is_empty(), "{} of the answers differ", failures.len());
}

#[test]
#[ignore = "needs the testbed"]
fn listings_are_those_of_the_real_prometheus() {
    let all = data::series();
    let store = data::store(&all);
    let oracle = Oracle::with(&data::open_metrics(&all));
    let window = START..=START + 120 * MINUTE;
    assert_eq!(store.metric_names(&[], &window), oracle.list("label/__name__/values", &[], &window));
    assert_eq!(store.label_names(&[], &window), oracle.list("labels", &[], &window));
    let selectors = ["http_requests_total{code=~\"5..|200\"}", "{__name__=~\"memory.*\", instance!=\"a:1\"}"];
    let parsed: Vec<promql::Selector> =
        selectors.iter().map(|selector| promql::Selector::parse(selector).unwrap()).collect();
    assert_eq!(store.label_names(&parsed, &window), oracle.list("labels", &selectors, &window));
    assert_eq!(
        store.label_values("instance", &parsed, &window),
        oracle.list("label/instance/values", &selectors, &window)
    );
    let mut theirs = oracle.series(&selectors, &window);
    theirs.sort();
    let mut ours: Vec<BTreeMap<String, String>> = store
        .series(&parsed, &window)
        .into_iter()
        .map(|labels| labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
        .collect();
    ours.sort();
    assert_eq!(ours, theirs);
}
