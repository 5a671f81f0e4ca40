//! Files of a recorded incident with anything in them. `cargo xtask fuzz` runs these for longer.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail loudly")]

use std::{fs, path::Path};

use snapshot::{Recorded, Snapshot, SnapshotError};
use testkit::fuzz::fuzz;

const MANIFEST: &[u8] = b"id = \"a\"\ntitle = \"A\"\nnow = \"2026-01-14T14:32:00Z\"\n\
                          window = { start = \"2026-01-14T12:00:00Z\", end = \"2026-01-14T14:32:00Z\" }\n";
const METRICS: &[u8] = b"# HELP up Whether it is up.\n# TYPE up gauge\n# UNIT x seconds\nup{job=\"a\\\"\\n\"} 1 1768401120.5\n\
                         up{job=\"b\"} NaN 1768401120 # {trace_id=\"x\"} 0.5 1\n{\"weird name\",a=\"b\"} +Inf 1768401121\n\
                         h_bucket{le=\"+Inf\"} 3 1768401121\n# EOF\n";
const RULES: &[u8] =
    b"groups:\n- name: g\n  interval: 15s\n  rules:\n  - alert: A\n    expr: up == 0\n    for: 1m30s\n    \
                       labels: {severity: page}\n  - record: a:b\n    expr: 1\n";

const GROUPS: &[u8] =
    b"[{\"alerts\":[{\"labels\":{\"a\":\"b\"},\"startsAt\":\"2026-01-14T14:00:00Z\"}],\"labels\":{}}]\n";
const DOCUMENTS: &[u8] =
    b"{\"@timestamp\":\"2026-01-14T14:02:03Z\",\"message\":\"x\"}\n{\"ts\":1768399323.5,\"log\":\"{}\"}\n";
const LINES: &[u8] = b"2026-01-14 14:02:03,123 ERROR boom\n\tat a.b(C.java:1)\nCaused by: x\n\
                       2026-01-14T14:02:03.123456789Z stdout F time=2026-01-14T14:02:03Z msg=x\n";
const STATUS: &[u8] = b"{\"cluster\":{\"status\":\"ready\"},\"versionInfo\":{\"version\":\"0.28.0\"}}\n";
const ALIASES: &[u8] = b"[web]\nprometheus = ['service=\"web\"']\nkubernetes = \"shop/deployment/web\"\n";

/// A directory in which one file has the input.
fn check(directory: &Path, name: &str, input: &[u8]) {
    fs::create_dir_all(directory.join("metrics")).unwrap();
    fs::create_dir_all(directory.join("alertmanager")).unwrap();
    fs::create_dir_all(directory.join("logs")).unwrap();
    fs::write(directory.join("snapshot.toml"), MANIFEST).unwrap();
    fs::write(directory.join(name), input).unwrap();
    match Snapshot::open(directory) {
        Ok(snapshot) => {
            let recorded = snapshot.metrics();
            if let Ok(recorded) = &recorded {
                assert_ordered(recorded);
            }
            let errors = [
                recorded.err(),
                snapshot.rules().err(),
                snapshot.logs(&mut |_| Ok(())).err(),
                snapshot.aliases().err(),
                snapshot.alertmanager("groups").err(),
                snapshot.alertmanager("status").err(),
            ];
            for error in errors.into_iter().flatten() {
                assert_clear(&error, name);
            }
            assert!(!snapshot.check(&[]).is_empty());
        }
        Err(error) => assert_clear(&error, name),
    }
}

/// One line that names the file, however much of it a parser quotes.
fn assert_clear(error: &SnapshotError, name: &str) {
    let text = error.to_string();
    assert!(!error.problem.is_empty() && error.file == name, "{text}");
    assert!(text.len() < 1_300 && !text.contains(char::is_control), "{text:?}");
}

/// What is read keeps what the types promise.
fn assert_ordered(recorded: &Recorded) {
    let mut samples = 0;
    for series in &recorded.series {
        assert!(series.timestamps.is_sorted_by(|one, next| one < next), "{:?}", series.labels);
        assert!(series.labels.is_sorted_by(|one, next| one.0 < next.0), "{:?}", series.labels);
        assert!(series.labels.iter().all(|(_, value)| !value.is_empty()), "{:?}", series.labels);
        assert_eq!(series.timestamps.len(), series.values.len());
        samples += series.values.len();
    }
    assert_eq!(samples, recorded.samples());
}

fn target(name: &str, seeds: &[&[u8]], words: &[&str]) {
    let directory = tempfile::tempdir().unwrap();
    fuzz(name, seeds, words, |input| check(directory.path(), name, input));
}

#[test]
fn fuzz_manifest() {
    target(
        "snapshot.toml",
        &[MANIFEST],
        &["window = ", "now = ", "start", "{", "}", "\"\"\"", "2026-01-14", "[a]"],
    );
}

#[test]
fn fuzz_openmetrics() {
    let words = [
        "# TYPE ",
        "# HELP ",
        "# EOF\n",
        "# {",
        "counter",
        "histogram",
        "{",
        "}",
        "=\"",
        " 1e400",
        "-0",
        "NaN",
        "{\"a b\"",
    ];
    target("metrics/a.om", &[METRICS, b"# EOF\n"], &words);
}

#[test]
fn fuzz_compressed() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut packed, METRICS).unwrap();
    target("metrics/a.om.gz", &[&packed.finish().unwrap()], &[]);
    // The four bytes every zstd frame begins with, then a raw block; and a frame with all kinds of blocks.
    let squeezed = ruzstd::encoding::compress_to_vec(METRICS, ruzstd::encoding::CompressionLevel::Fastest);
    let raw: &[u8] = b"\x28\xb5\x2f\xfd\x20\x05\x29\x00\x00# EOF";
    target("metrics/a.om.zst", &[&squeezed, raw, b"\x28\xb5\x2f\xfd"], &[]);
}

#[test]
fn fuzz_rules() {
    let words = [
        "groups:",
        "rules:",
        "- alert: ",
        "expr: ",
        "for: ",
        "labels:",
        "&a",
        "*a",
        "{",
        "[",
        "!!",
        "|\n",
        "<<: ",
    ];
    target("metrics/rules.yml", &[RULES], &words);
}

#[test]
fn fuzz_alertmanager() {
    let words = ["[", "]", "{", "}", "null", "\"labels\":", "1e999", "\\ud800"];
    target("alertmanager/groups.json", &[GROUPS], &words);
    target("alertmanager/status.json", &[STATUS], &words);
}

#[test]
fn fuzz_logs() {
    let words = [
        "{",
        "}",
        "\n\tat a",
        "\n",
        "Traceback (most recent call last):",
        "stdout P ",
        "[pod/a/b] ",
        "Jan 14 14:02:03",
        "E0114 ",
    ];
    target("logs/a.ndjson", &[DOCUMENTS], &words);
    target("logs/a.log", &[LINES, DOCUMENTS], &words);
}

#[test]
fn fuzz_aliases() {
    target(
        "aliases.toml",
        &[ALIASES],
        &["[web]", "[[", "]]", "'''", "\"\"\"", " = ", "{", "1979-05-27T07:32:00Z"],
    );
}
