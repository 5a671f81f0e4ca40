//! Files of a recorded incident with anything in them. `cargo xtask fuzz` runs these for longer.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail loudly")]

use std::{fs, path::Path};

use snapshot::Snapshot;
use testkit::fuzz::fuzz;

const MANIFEST: &[u8] = b"id = \"a\"\ntitle = \"A\"\nnow = \"2026-01-14T14:32:00Z\"\n\
                          window = { start = \"2026-01-14T12:00:00Z\", end = \"2026-01-14T14:32:00Z\" }\n";
const METRICS: &[u8] = b"# HELP up Whether it is up.\n# TYPE up gauge\n# UNIT x seconds\nup{job=\"a\\\"\\n\"} 1 1768401120.5\n\
                         up{job=\"b\"} NaN 1768401120 # {trace_id=\"x\"} 0.5 1\n{\"weird name\",a=\"b\"} +Inf 1768401121\n\
                         h_bucket{le=\"+Inf\"} 3 1768401121\n# EOF\n";
const RULES: &[u8] =
    b"groups:\n- name: g\n  interval: 15s\n  rules:\n  - alert: A\n    expr: up == 0\n    for: 1m30s\n    \
                       labels: {severity: page}\n  - record: a:b\n    expr: 1\n";

/// A directory in which one file has the input.
fn check(directory: &Path, name: &str, input: &[u8]) {
    fs::create_dir_all(directory.join("metrics")).unwrap();
    fs::write(directory.join("snapshot.toml"), MANIFEST).unwrap();
    fs::write(directory.join(name), input).unwrap();
    match Snapshot::open(directory) {
        Ok(snapshot) => {
            for error in [snapshot.metrics().err(), snapshot.rules().err(), snapshot.aliases().err()]
                .into_iter()
                .flatten()
            {
                assert!(!error.problem.is_empty() && error.file == name, "{error}");
            }
            assert!(!snapshot.check().is_empty());
        }
        Err(error) => assert!(!error.problem.is_empty(), "{error}"),
    }
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
    // The four bytes every zstd frame begins with, then a raw block.
    target("metrics/a.om.zst", &[b"\x28\xb5\x2f\xfd\x20\x05\x29\x00\x00# EOF", b"\x28\xb5\x2f\xfd"], &[]);
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
