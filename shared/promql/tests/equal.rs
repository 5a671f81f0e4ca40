//! The same samples in this crate and in the real Prometheus, the same queries to both, the same answers.
//!
//! Needs the running testbed (`cargo xtask testbed up`), whose programs of Prometheus 3 it uses; part of
//! `cargo xtask test-live`. Alone: `cargo test -p promql --test equal -- --ignored --nocapture`

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
#[path = "equal/operations.rs"]
mod operations;
#[path = "equal/operators.rs"]
mod operators;
#[path = "equal/oracle.rs"]
mod oracle;
#[path = "equal/remote_write.rs"]
mod remote_write;
#[path = "equal/situations.rs"]
mod situations;

use std::collections::BTreeMap;

use compare::Answer;
use data::START;
use oracle::Oracle;
use promql::Store;

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

/// A recorded incident that both read: this crate through `snapshot`, Prometheus through promtool.
struct Files(tempfile::TempDir);

impl Files {
    fn of(open_metrics: &str) -> Files {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("metrics")).unwrap();
        // The data begins at START, in 2026, and ends two hours later.
        let manifest = "id = \"equal\"\ntitle = \"\"\nnow = \"2030-01-01T00:00:00Z\"\n\
                        window = { start = \"2020-01-01T00:00:00Z\", end = \"2030-01-01T00:00:00Z\" }\n";
        std::fs::write(directory.path().join("snapshot.toml"), manifest).unwrap();
        let files = Files(directory);
        std::fs::write(files.open_metrics(), open_metrics).unwrap();
        files
    }

    fn open_metrics(&self) -> std::path::PathBuf {
        self.0.path().join("metrics/samples.om")
    }

    fn store(&self) -> Store {
        let recorded = snapshot::Snapshot::open(self.0.path()).unwrap().metrics().unwrap();
        let series = recorded.series.into_iter();
        Store::new(series.map(|one| (one.labels.into_vec(), one.timestamps, one.values))).unwrap()
    }
}

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
    let files = Files::of(&data::open_metrics(&data::series()));
    let (store, oracle) = (files.store(), Oracle::with(&files.open_metrics()));
    println!("{} series, {} samples", store.series_count(), store.sample_count());

    let mut queries = handwritten::queries();
    queries.extend(generated::queries(0x5eed, 700));
    let counts = compare_all(&store, &oracle, schedule(queries));
    assert!(counts.equal >= 600, "too few answers were compared");
    assert_eq!(counts.different, 0, "answers differ");
}

/// Series that end, which no text format can say: they are written to Prometheus as an agent would.
#[test]
#[ignore = "needs the testbed"]
fn series_that_end_are_gone_when_they_are_in_the_real_prometheus() {
    let all = data::ending();
    let store = data::store(&all);
    let oracle = Oracle::with(&Files::of("# EOF\n").open_metrics());
    oracle.write(&all);
    let mut scheduled = Vec::new();
    for query in situations::ENDING {
        let over = |start, step| When::Over { start: START + start, end: START + 20 * MINUTE, step };
        scheduled
            .extend([over(0, 5_000), over(61_001, 37_000)].map(|when| ("ending", (*query).to_owned(), when)));
        for at in (0..20 * MINUTE).step_by(13_000) {
            scheduled.push(("ending", (*query).to_owned(), When::At(START + at)));
        }
    }
    let counts = compare_all(&store, &oracle, scheduled);
    assert!(counts.equal >= 600, "too few answers were compared");
    assert_eq!(counts.different, 0, "answers differ");
}

#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    equal: usize,
    /// Equal, but without a single value.
    both_empty: usize,
    both_refuse: usize,
    /// Prometheus gives now this answer, now another: topk of equal values in its random order, for example.
    undecided: usize,
    different: usize,
}

fn compare_all(store: &Store, oracle: &Oracle, scheduled: Vec<(&'static str, String, When)>) -> Counts {
    let mut classes: BTreeMap<&str, Counts> = BTreeMap::new();
    for (class, query, when) in scheduled {
        let theirs = oracle.answer(&query, when);
        let ours = compare::answer(store, &query, when);
        let counts = classes.entry(class).or_default();
        match compare::difference(&ours, &theirs, &query) {
            None if matches!(theirs, Answer::Failed(_)) => counts.both_refuse += 1,
            None if matches!(&theirs, Answer::Rows(rows) if rows.is_empty()) => counts.both_empty += 1,
            None => counts.equal += 1,
            Some(_) if (0..200).any(|_| agrees(&ours, &oracle.answer(&query, when), &query)) => {
                counts.undecided += 1;
                println!("UNDECIDED {class}: {query}\n    {when:?}");
            }
            Some(difference) => {
                counts.different += 1;
                println!("DIFFERENT {class}: {query}\n    {when:?}\n    {difference}");
            }
        }
    }
    println!(
        "class{:>27}{:>12}{:>13}{:>11}{:>11}",
        "equal", "both empty", "both refuse", "undecided", "different"
    );
    let mut all = Counts::default();
    for (class, counts) in &classes {
        print_counts(class, *counts);
        all.equal += counts.equal;
        all.both_empty += counts.both_empty;
        all.both_refuse += counts.both_refuse;
        all.undecided += counts.undecided;
        all.different += counts.different;
    }
    print_counts("all", all);
    all
}

fn print_counts(class: &str, counts: Counts) {
    let Counts { equal, both_empty, both_refuse, undecided, different } = counts;
    println!("{class:<24}{equal:>8}{both_empty:>12}{both_refuse:>13}{undecided:>11}{different:>11}");
}

/// Whether the answer is one that Prometheus gives when it is asked again.
fn agrees(ours: &Answer, again: &Answer, query: &str) -> bool {
    compare::difference(ours, again, query).is_none()
}

#[test]
#[ignore = "needs the testbed"]
fn listings_are_those_of_the_real_prometheus() {
    let files = Files::of(&data::open_metrics(&data::series()));
    let (store, oracle) = (files.store(), Oracle::with(&files.open_metrics()));
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
