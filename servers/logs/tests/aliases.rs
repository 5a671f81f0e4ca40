//! Names of services from the alias file, in every tool that takes a `service`. Figures are counted by hand.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

mod common;

use serde_json::json;
use testkit::{answer::rows, mcp::ToolReply};

use common::{connect, incident};

const ALIASES: &str =
    "[checkout]\nlogs = [\"checkout-svc\", \"checkout-worker\"]\n[mail]\nlogs = \"mailer\"\n";

/// Two records of the service, one of its worker, one of another service, one of a service whose own name is an alias.
fn records() -> String {
    let record = |time: &str, service: &str, message: &str| {
        format!(
            "{{\"@timestamp\":\"2026-01-14T14:{time}Z\",\"log.level\":\"error\",\"service\":{{\"name\":\"{service}\"}},\
             \"message\":\"{message}\"}}\n"
        )
    };
    [
        record("50:01", "checkout-svc", "pool exhausted"),
        record("50:02", "checkout-svc", "pool exhausted"),
        record(
            "51:00",
            "checkout-worker",
            "java.lang.IllegalStateException: no\\n\\tat shop.Cart.pay(Cart.java:7)",
        ),
        record("52:00", "mailer", "smtp refused"),
        record("53:00", "checkout", "not meant"),
    ]
    .concat()
}

async fn ask(tool: &str, arguments: serde_json::Value) -> ToolReply {
    let directory = incident(&[("logs/all.ndjson", &records()), ("aliases.toml", ALIASES)]);
    connect(directory.path()).await.call(tool, arguments).await
}

#[tokio::test]
async fn a_service_is_found_by_the_names_of_the_alias_file_and_the_answer_says_them() {
    let said = "records of checkout are those of checkout-svc, checkout-worker, by the alias file";
    for (tool, arguments) in [
        ("search_logs", json!({"query": "*", "service": "checkout"})),
        ("search_logs", json!({"query": "no-such-word", "service": "checkout"})),
        ("get_error_patterns", json!({"service": "checkout"})),
        ("correlate_logs_with_time", json!({"timestamp": "2026-01-14T14:50:00Z", "service": "checkout"})),
        ("get_log_volume_anomalies", json!({"service": "checkout"})),
        ("extract_stack_traces", json!({"error_query": "*", "service": "checkout"})),
    ] {
        let reply = ask(tool, arguments).await;
        assert!(reply.text.contains(said), "{tool}\n{}", reply.text);
        assert!(
            reply.text.contains("(service:\"checkout-svc\" OR service:\"checkout-worker\")"),
            "{tool}\n{}",
            reply.text
        );
        assert!(!reply.text.contains("not meant"), "{tool}\n{}", reply.text);
    }
    let all = ask("search_logs", json!({"query": "*", "service": "checkout"})).await;
    assert_eq!(rows(&all, "lines").len(), 2, "three records, two of them alike\n{}", all.text);
    assert!(all.text.starts_with("3 records of checkout"), "{}", all.text);
}

#[tokio::test]
async fn one_other_name_and_none() {
    let mail = ask("search_logs", json!({"query": "*", "service": "mail"})).await;
    assert!(mail.text.starts_with("1 record of mail"), "{}", mail.text);
    assert!(mail.text.contains("records of mail are those of mailer, by the alias file"), "{}", mail.text);
    let own = ask("search_logs", json!({"query": "*", "service": "mailer"})).await;
    assert!(own.text.starts_with("1 record of mailer"), "{}", own.text);
    assert!(!own.text.contains("alias file"), "{}", own.text);
}

#[test]
fn the_file_of_the_command_line_serves_where_the_incident_has_none() {
    let directory = incident(&[("logs/all.ndjson", &records())]);
    let file = directory.path().join("names.toml");
    for (names, succeeds, said) in [
        (ALIASES, true, "records of mail are those of mailer, by the alias file"),
        ("[mail]\nlog = \"mailer\"\n", false, "`mail.log` is unknown; did you mean `logs`?"),
    ] {
        std::fs::write(&file, names).unwrap();
        let out = std::process::Command::new(env!("CARGO_BIN_EXE_logs-mcp"))
            .env("OBSERVABILITY_MCP_STATE", directory.path().join("state"))
            .env("RUST_LOG", "off")
            .args(["--snapshot".as_ref(), directory.path(), "--aliases".as_ref(), file.as_path()])
            .args(["call", "search_logs", "query=*", "service=mail"])
            .output()
            .unwrap();
        let told = [out.stdout, out.stderr].concat();
        let told = String::from_utf8_lossy(&told);
        assert_eq!(out.status.success(), succeeds, "{told}");
        assert!(told.contains(said), "{told}");
    }
}
