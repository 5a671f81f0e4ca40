//! Records of one line each, put together.

mod common;

use common::recorded;
use stacktrace::{Joined, Record, rejoin};

fn stream<'a>(name: &'a str, lines: &[&'a str]) -> Vec<Record<'a>> {
    let record = |(order, text): (usize, &&'a str)| Record { stream: name, order: order as i64, text };
    lines.iter().enumerate().map(record).collect()
}

fn groups(records: &[Record<'_>]) -> Vec<Vec<usize>> {
    rejoin(records).into_iter().map(|joined| joined.records).collect()
}

const JAVA: [&str; 4] = [
    "java.lang.IllegalStateException: pool exhausted",
    "\tat com.acme.Pool.acquire(Pool.java:15)",
    "Caused by: java.io.IOException: closed",
    "\t... 1 more",
];

#[test]
fn a_trace_is_one_and_its_neighbours_stay_alone() {
    let mut lines = vec!["serving order A-17"];
    lines.extend(JAVA);
    lines.extend(["order A-18 placed", "\tindented, but no frame"]);
    assert_eq!(groups(&stream("a", &lines)), [vec![0], vec![1, 2, 3, 4], vec![5], vec![6]]);
}

#[test]
fn streams_do_not_mix_and_order_decides() {
    let (one, two) = (stream("a", &JAVA), stream("b", &JAVA));
    let mut mixed: Vec<Record<'_>> = one.iter().zip(&two).flat_map(|(one, two)| [*one, *two]).collect();
    assert_eq!(groups(&mixed), [[0, 2, 4, 6], [1, 3, 5, 7]]);
    mixed.reverse();
    let again = rejoin(&mixed);
    assert_eq!(again.len(), 2);
    assert!(again.iter().all(|joined| joined.text == JAVA.join("\n")));
}

#[test]
fn the_line_after_a_trace_is_its_own_in_every_language() {
    let after = ["order A-18 placed", "served in 12 ms", "INFO x", "{\"level\":\"info\"}", "order: A-18"];
    for name in [
        "java-chain",
        "java-logback",
        "python-cause",
        "python-group",
        "python-recursion",
        "go-nil",
        "go-http",
        "go-rethrow",
        "node-express",
        "node-logged",
        "node-nested",
        "dotnet-inner",
        "dotnet-lambda",
        "rust-index",
        "rust-two",
        "rust-thread",
        "ruby-cause",
        "ruby-typo",
        "php-cause",
        "php-multiline",
        "c-gdb",
        "c-asan-leak",
        "c-asan-use-after-free",
        "cc-gdb",
    ] {
        let text = recorded(name);
        for line in after {
            let mut lines: Vec<&str> = text.lines().collect();
            lines.push(line);
            let joined = rejoin(&stream("a", &lines));
            let last = joined.last().map(|joined| joined.text.as_str());
            assert_eq!(last, Some(line), "{name}");
        }
    }
}

/// How the records of a recorded trace are put together, without what the program wrote around it.
fn traces(joined: &[Joined]) -> Vec<&str> {
    joined.iter().filter(|joined| joined.records.len() > 1).map(|joined| joined.text.as_str()).collect()
}

#[test]
fn splitting_and_mixing_two_recorded_streams_is_undone() {
    let names = [
        "java-chain",
        "java-proxy",
        "java-root-first",
        "python-cause",
        "python-group",
        "python-context",
        "go-nil",
        "go-overflow",
        "node-cause",
        "node-aggregate",
        "dotnet-aggregate",
        "mono-inner",
        "rust-unwrap",
        "rust-two",
        "ruby-cause",
        "php-cause",
        "c-gdb",
        "c-asan-overflow",
        "cc-gdb",
    ];
    for (at, name) in names.iter().enumerate() {
        let other = names[(at + 1) % names.len()];
        let (one, two) = (recorded(name), recorded(other));
        let (one, two): (Vec<&str>, Vec<&str>) = (one.lines().collect(), two.lines().collect());
        let alone = [rejoin(&stream("a", &one)), rejoin(&stream("b", &two))];
        let mut mixed = Vec::new();
        for at in 0..one.len().max(two.len()) {
            mixed.extend(stream("a", &one).get(at));
            mixed.extend(stream("b", &two).get(at));
        }
        let together = rejoin(&mixed);
        let mut expected: Vec<&str> = alone.iter().flat_map(|joined| traces(joined)).collect();
        let mut found = traces(&together);
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected, "{name} and {other}");
        assert!(expected.len() >= 2, "{name}");
    }
}

#[test]
fn a_trace_that_is_a_whole_text_comes_back_whole() {
    for name in [
        "java-circular",
        "java-overflow",
        "python-cause",
        "python-context",
        "python-group",
        "python-json",
        "python-syntax",
        "go-nil",
        "go-index",
        "go-rethrow",
        "go-goroutine",
        "go-deadlock",
        "go-overflow",
        "node-express",
        "node-logged",
        "rust-two",
        "rust-one",
        "ruby-cause",
        "ruby-typo",
        "ruby-deep",
        "php-cause",
        "c-backtrace",
    ] {
        let text = recorded(name);
        let mut lines: Vec<&str> = text.lines().collect();
        // What Go says before a fatal error is not yet the trace.
        lines.retain(|line| !line.starts_with("runtime: "));
        let joined = rejoin(&stream("a", &lines));
        assert_eq!(joined.len(), 1, "{name}: {:?}", joined.get(1));
        assert_eq!(joined[0].text, lines.join("\n"), "{name}");
    }
}

#[test]
fn nothing_is_lost_where_there_is_no_trace() {
    let lines = ["", "at noon", "Error: x", "Caused by: y", "panic: z", ""];
    assert_eq!(groups(&stream("a", &lines)), [[0], [1], [2], [3], [4], [5]]);
    assert!(rejoin(&[]).is_empty());
}
