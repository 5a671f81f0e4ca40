//! Logs tell what happened, with nothing invented beside it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;
use world::{Fault, Options, World};

use crate::reading::{generate, milliseconds, samples};

fn with_logs(world: &World) -> TempDir {
    generate(world, &Options { logs: true, ..Options::default() })
}

fn demo() -> &'static Path {
    static DEMO: OnceLock<TempDir> = OnceLock::new();
    DEMO.get_or_init(|| with_logs(&World::demo())).path()
}

fn text(root: &Path, name: &str) -> String {
    std::fs::read_to_string(root.join(name)).unwrap()
}

fn truth(root: &Path) -> Value {
    serde_json::from_str(&text(root, "truth.json")).unwrap()
}

fn documents(root: &Path, service: &str) -> Vec<Value> {
    let text = text(root, &format!("logs/{service}.ndjson"));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Message, level and trace id in either form.
fn told(document: &Value) -> (&str, String, &str) {
    let message = document["message"].as_str().or(document["body"]["text"].as_str()).unwrap();
    let level = document["log.level"].as_str().or(document["severity_text"].as_str()).unwrap();
    let trace = document["trace"]["id"].as_str().or(document["trace_id"].as_str()).unwrap_or("");
    (message, level.to_lowercase(), trace)
}

#[test]
fn there_are_two_hundred_thousand_lines_in_order_of_time_inside_the_window() {
    let truth = truth(demo());
    let files = truth["logs"]["files"].as_object().unwrap();
    let lines: u64 = files.values().map(|file| file["lines"].as_u64().unwrap()).sum();
    assert!(lines >= 200_000, "{lines}");
    assert_eq!(files.len(), 14);
    for (name, told) in files {
        let text = text(demo(), name);
        assert_eq!(text.lines().count() as u64, told["lines"].as_u64().unwrap(), "{name}");
    }
    let (start, end) = (milliseconds("2026-01-14T12:02:00Z"), milliseconds("2026-01-14T14:32:00Z"));
    for service in ["web", "checkout", "payment", "catalog", "inventory", "user", "ads"] {
        let moments: Vec<i64> = documents(demo(), service)
            .iter()
            .map(|document| milliseconds(document["@timestamp"].as_str().unwrap()))
            .collect();
        assert!(moments.is_sorted(), "{service}");
        assert!(moments.iter().all(|at| (start..end + 1_000).contains(at)), "{service}");
    }
}

#[test]
fn two_runs_say_the_same() {
    let again = with_logs(&World::demo());
    for entry in std::fs::read_dir(demo().join("logs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let name = format!("logs/{name}");
        assert!(text(demo(), &name) == text(again.path(), &name), "{name}");
    }
}

#[test]
fn payment_says_that_its_pool_is_exhausted_when_and_as_often_as_its_counter_does() {
    let onset = milliseconds("2026-01-14T14:02:00Z");
    let exhausted: Vec<i64> = documents(demo(), "payment")
        .iter()
        .filter(|document| told(document).0.contains("pool exhausted (size=10, waiting="))
        .map(|document| milliseconds(document["@timestamp"].as_str().unwrap()))
        .collect();
    let counted: f64 = samples(&text(demo(), "metrics/shop.om"))
        .iter()
        .filter(|series| {
            series.label("service") == "payment" && series.label("grpc_code") == "ResourceExhausted"
        })
        .filter(|series| series.name == "grpc_server_handled_total")
        .map(|series| series.samples.last().unwrap().1)
        .sum();
    assert!(exhausted.len() > 5_000 && (exhausted.len() as f64) <= counted, "{} {counted}", exhausted.len());
    assert!(exhausted[0] > onset && exhausted[0] < onset + 60_000, "{}", exhausted[0] - onset);
}

#[test]
fn a_failure_has_the_same_trace_in_payment_checkout_and_web() {
    // From a minute after the onset on: what failed before failed for other reasons.
    let developed = milliseconds("2026-01-14T14:03:00Z");
    let errors = |service: &str, part: &str| -> BTreeSet<String> {
        let all = documents(demo(), service);
        let late = all.iter().filter(|one| milliseconds(one["@timestamp"].as_str().unwrap()) >= developed);
        let errors = late.map(told).filter(|(message, level, _)| level == "error" && message.contains(part));
        errors.map(|(_, _, trace)| trace.to_owned()).collect()
    };
    let payment = errors("payment", "pool exhausted");
    let checkout = errors("checkout", "failed: payment: ");
    let web = errors("web", "upstream checkout failed");
    let shared = |some: &BTreeSet<String>, others: &BTreeSet<String>| {
        some.intersection(others).count() as f64 / some.len() as f64
    };
    assert!(checkout.len() > 2_000 && web.len() > 1_000, "{} {}", checkout.len(), web.len());
    assert!(shared(&checkout, &payment) > 0.95, "{}", shared(&checkout, &payment));
    assert!(shared(&web, &checkout) > 0.95, "{}", shared(&web, &checkout));
}

#[test]
fn a_deployment_is_told_by_the_pods_that_end_and_those_that_start() {
    let truth = truth(demo());
    let patterns = truth["logs"]["patterns"].as_array().unwrap();
    let of_payment = |pattern: &str| {
        let found = patterns.iter().find(|one| one["service"] == "payment" && one["pattern"] == pattern);
        let count = |key: &str| found.unwrap()[key].as_u64().unwrap();
        count("before_onset") + count("after_onset")
    };
    assert_eq!(of_payment("starting version <version>"), 5);
    assert_eq!(of_payment("received SIGTERM, finishing requests in flight"), 5);
    let settings: BTreeSet<String> = documents(demo(), "payment")
        .iter()
        .map(|document| told(document).0.to_owned())
        .filter(|message| message.starts_with("configuration"))
        .collect();
    assert_eq!(settings, BTreeSet::from(["configuration: DB_POOL_SIZE=10".to_owned()]));
}

#[test]
fn stack_traces_are_in_four_languages_and_over_several_lines() {
    let traces = |service: &str, field: [&str; 2]| {
        let all = documents(demo(), service);
        all.iter().filter_map(|one| one[field[0]][field[1]].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let node = traces("web", ["error", "stack_trace"]);
    assert!(
        node.iter().any(|trace| trace.contains("\n    at renderProduct (/app/dist/views/product.js:88:31)"))
    );
    let go = traces("checkout", ["attributes", "exception.stacktrace"]);
    assert!(go.iter().any(|trace| trace.contains("\n\ngoroutine 4711 [running]:\n")));
    let java = traces("inventory", ["error", "stack_trace"]);
    assert!(java.iter().any(|trace| trace.contains("\nCaused by: org.postgresql.util.PSQLException: ")));
    assert!(
        text(demo(), "logs/search.log")
            .contains("\n\tat com.example.search.Scatter.gather(Scatter.java:133)\n")
    );
    assert!(text(demo(), "logs/recommendation.log").contains("\nTraceback (most recent call last):\n"));
}

#[test]
fn what_is_planted_is_where_the_truth_says_and_is_masked_by_its_class() {
    let redactor = redact::Redactor::new(redact::RedactorConfig { key: [7; 32], enabled: true });
    let truth = truth(demo());
    let planted = truth["logs"]["planted"].as_array().unwrap();
    let files = truth["logs"]["files"].as_object().unwrap();
    let mut classes = BTreeSet::new();
    for one in planted {
        let part = |key: &str| one[key].as_str().unwrap();
        let prefix = format!("logs/{}.", part("service"));
        let name = files.keys().find(|name| name.starts_with(&prefix)).unwrap();
        let escaped = part("value").replace('\n', "\\n");
        let text = text(demo(), name);
        // An address can begin like another one.
        let goes_on = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit()) && part("class") == "ip";
        let holds = |line: &&str| line.split_once(&escaped).is_some_and(|(_, rest)| !goes_on(rest));
        let lines: Vec<&str> = text.lines().filter(holds).collect();
        assert_eq!(lines.len() as u64, one["records"].as_u64().unwrap(), "{one}");
        if one["masked_by_default"] == true {
            let masked = redactor.mask(lines[0]);
            assert!(!masked.text.contains(&escaped), "{one}\n{}", masked.text);
            assert!(masked.counts.of(part("class")) > 0, "{one}\n{}", masked.text);
        }
        classes.insert(part("class"));
    }
    assert!(classes.len() >= 16, "{classes:?}");
}

#[test]
fn callers_say_why_a_callee_failed() {
    for (fault, seed, reason) in [
        (Fault::DeadDependency, 5, "connect: connection refused"),
        (Fault::CertificateExpiry, 5, "x509: certificate has expired"),
    ] {
        let world = World::incident(fault, seed);
        let (root, victim) = (with_logs(&world), world.truth().victim);
        let onset = world.truth().onset;
        let mut found = 0;
        for service in ["web", "checkout"] {
            for document in documents(root.path(), service) {
                if told(&document).0.contains(reason) {
                    assert!(told(&document).0.contains(victim), "{fault}: {document}");
                    let at = milliseconds(document["@timestamp"].as_str().unwrap());
                    assert!(at >= onset, "{fault}: {document}");
                    found += 1;
                }
            }
        }
        assert!(found > 300, "{fault} of {victim}: {found}");
    }
}
