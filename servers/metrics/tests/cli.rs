//! The command line of the shipped binary, as a person or a script uses it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

#[path = "common/binary.rs"]
mod binary;
#[path = "common/calls.rs"]
mod calls;
mod common;

use serde_json::Value;
use testkit::recorded::{Recorded, Reply};

use binary::PROGRAM;
use common::incident;

fn run(environment: &[(&str, &str)], arguments: &[&str]) -> (bool, String, String, tempfile::TempDir) {
    let state = tempfile::tempdir().unwrap();
    let output = PROGRAM.command(&state, environment).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr), state)
}

#[test]
fn help_shows_examples_and_version_is_ours() {
    let (ok, said, _, _) = run(&[], &["--help"]);
    assert!(ok && said.contains("Examples:") && said.contains("metrics-mcp call query_metrics"), "{said}");
    let (ok, said, _, _) = run(&[], &["--version"]);
    assert!(ok && said.trim() == format!("metrics-mcp {}", env!("CARGO_PKG_VERSION")), "{said}");
    let (ok, _, said, _) = run(&[], &["serv"]);
    assert!(!ok && said.contains("'serve'"), "{said}");
}

#[test]
fn tools_are_listed_for_people_and_as_clients_get_them() {
    let (ok, said, _, _) = run(&[], &["tools"]);
    assert!(ok && said.contains("query_metrics (read, range)") && said.contains("promql:"), "{said}");
    let (ok, said, _, _) = run(&[], &["tools", "--json"]);
    let listed: Value = serde_json::from_str(&said).unwrap();
    assert!(ok);
    let names: Vec<&str> =
        listed["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, calls::TOOLS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_call_passes_the_whole_guard_and_its_failure_is_the_exit_code() {
    let (ok, said, _, state) = run(&[], &["call", "query_metrics", "promql=up"]);
    assert!(!ok && said.starts_with("not_configured: no Prometheus is configured"), "{said}");
    let record = PROGRAM.audited(&state).pop().unwrap();
    assert_eq!((record["transport"].as_str(), record["principal"].as_str()), (Some("cli"), Some("tester")));

    let backend = Recorded::start().await;
    let body = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"a"},"value":[1768401120,"1"]}]}}"#;
    backend.reply(Reply::to("POST", "/api/v1/query").text(body)).await;
    let url = backend.url();
    let call = ["call", "query_metrics", "promql=up", "limit=5", "--json"];
    let (ok, said, stderr, _) =
        tokio::task::spawn_blocking(move || run(&[("PROMETHEUS_URL", &url)], &call)).await.unwrap();
    let answer: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}{stderr}"));
    assert!(ok && answer["verdict"].is_string() && answer["call_id"].is_string(), "{said}");

    let (ok, said, _, _) = run(&[], &["call", "query_metrics", "promql"]);
    assert!(!ok && said.is_empty());
    let (ok, said, _, _) = run(&[], &["call", "query_metric", "promql=up"]);
    assert!(
        !ok && said.contains("no tool `query_metric`") && said.contains("nearest: query_metrics"),
        "{said}"
    );
}

#[test]
fn check_says_what_is_missing_and_what_fails() {
    let (ok, said, _, _) = run(&[], &["check"]);
    assert!(!ok && said.contains("MISSING no source is configured"), "{said}");
    let (ok, said, _, _) = run(&[("PROMETHEUS_URL", "http://127.0.0.1:1")], &["check"]);
    assert!(
        !ok && said.contains("FAILED  prometheus \"main\": query") && said.contains("-> check its URL"),
        "{said}"
    );
}

#[test]
fn a_rule_that_is_no_promql_fails_the_check_of_a_recording() {
    let checked = |expr: &str| {
        let rules = format!("groups:\n- name: shop\n  rules:\n  - alert: Slow\n    expr: '{expr}'\n");
        let directory = incident("2026-01-14T14:32:00Z", &[("metrics/rules.yml", &rules)]);
        let path = directory.path().display().to_string();
        let (ok, said, stderr, _) = run(&[], &["--snapshot", &path, "check"]);
        (ok, said + &stderr)
    };
    let (ok, said) = checked("up > 0");
    assert!(ok && said.contains("expressions of rules: 1 parsed"), "{said}");
    let (ok, said) = checked("rate(up[");
    let broken = "rule \"Slow\" of group \"shop\": its expression can't be parsed: ";
    assert!(!ok && said.contains(broken) && said.contains("-> mend its expr in metrics/rules.yml"), "{said}");
}

#[test]
fn a_log_is_verified_with_the_key_it_has_and_none_is_made() {
    let (_, _, _, state) = run(&[], &["call", "query_metrics", "promql=up"]);
    let key = state.path().join("audit.key");
    let log = std::fs::read_dir(state.path().join("audit")).unwrap().next().unwrap().unwrap().path();
    let verify = || {
        let output = PROGRAM.command(&state, &[]).args(["audit", "verify"]).arg(&log).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    };
    let (ok, said) = verify();
    assert!(ok && said.contains("valid: 1 calls"), "{said}");
    std::fs::remove_file(&key).unwrap();
    let (ok, said) = verify();
    let missing = format!("no key at {}; give --key-file", key.display());
    assert!(!ok && said.contains(&missing) && !said.contains("NOT VALID"), "{said}");
    assert!(!key.exists());
}

#[test]
fn completions_are_written_for_a_shell() {
    let (ok, said, _, _) = run(&[], &["completions", "bash"]);
    assert!(ok && said.contains("metrics-mcp"), "{said}");
}

#[test]
fn a_server_that_changes_nothing_has_nothing_to_approve() {
    let (_, help, _, _) = run(&[], &["--help"]);
    assert!(!help.contains("approve"), "{help}");
    let (ok, _, said, _) = run(&[], &["approve", "2222-3333"]);
    assert!(!ok && said.contains("there is nothing to approve"), "{said}");
}

#[test]
fn without_a_place_for_the_audit_log_nothing_starts_unless_the_operator_says_so() {
    let state = tempfile::tempdir().unwrap();
    let mut nowhere = PROGRAM.command(&state, &[]);
    nowhere.env_remove("OBSERVABILITY_MCP_STATE").arg("tools");
    let output = nowhere.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("set OBSERVABILITY_MCP_STATE"), "{said}");

    let file = state.path().join("a-file");
    std::fs::write(&file, "").unwrap();
    let below_a_file = file.join("audit").display().to_string();
    let environment = [("METRICS_MCP__AUDIT__DIRECTORY", below_a_file.as_str())];
    let (ok, _, said, _) = run(&environment, &["tools"]);
    assert!(!ok && said.contains("the audit log can't be opened"), "{said}");
    let environment = [environment[0], ("METRICS_MCP__AUDIT__ON_FAILURE", "warn")];
    let (ok, _, said, _) = run(&environment, &["tools"]);
    assert!(ok && said.contains("calls go on unrecorded"), "{said}");
}

#[test]
fn a_report_says_who_called_what_and_which_tools_nobody_used() {
    let (_, _, _, state) = run(&[], &["call", "query_metrics", "promql=up"]);
    let audit = state.path().join("audit");
    let report = |more: &[&str]| {
        let output =
            PROGRAM.command(&state, &[]).args(["audit", "report"]).arg(&audit).args(more).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let said = report(&[]);
    for part in [
        "1 calls from",
        "query_metrics",
        "tester",
        "upstream_error 1",
        "never called: ",
        "list_firing_alerts",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    let json: Value = serde_json::from_str(&report(&["--json"])).unwrap();
    assert_eq!(json["principals"]["tester"]["calls"], 1);
}
