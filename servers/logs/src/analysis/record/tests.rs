//! Documents as the documentation of each convention shows them, shortened.

use std::collections::BTreeMap;

use contract::Context;
use proptest::prelude::*;

use super::*;
use crate::analysis::fields::detect;
use crate::model::{Level, Role};

pub(in crate::analysis) fn context() -> Context {
    Context::for_test("2026-01-14T15:00:00Z".parse().unwrap())
}

pub(in crate::analysis) fn document(cx: &Context, json: &str) -> Document {
    let fields = flattened(json).unwrap();
    let taken =
        |(name, value): &(String, String)| (cx.intake.field("name", name), cx.intake.field(name, value));
    Document { index: "logs".to_owned(), id: "1".to_owned(), fields: fields.iter().map(taken).collect() }
}

fn read_alone(json: &str) -> Record {
    let cx = context();
    let document = document(&cx, json);
    let layout = detect(&[], std::slice::from_ref(&document), &BTreeMap::new());
    read(document, &layout, &cx.intake)
}

/// Name of the convention, document, and what it says: time, level, service, place, trace, message.
type Case = (&'static str, &'static str, &'static str, Option<Level>, [&'static str; 4]);

const CASES: &[Case] = &[
    (
        "ECS, dotted (ecs-logging-java)",
        r#"{"@timestamp":"2019-08-06T12:09:12.375Z","log.level":"INFO","message":"Tomcat started on port(s): 8080 (http)","ecs.version":"1.2.0","service.name":"spring-petclinic","process.thread.name":"restartedMain","log.logger":"org.springframework.boot.web.embedded.tomcat.TomcatWebServer"}"#,
        "2019-08-06T12:09:12.375Z",
        Some(Level::Info),
        ["spring-petclinic", "", "", "Tomcat started on port(s): 8080 (http)"],
    ),
    (
        "ECS, objects (Elastic Agent)",
        r#"{"@timestamp":"2026-01-14T14:02:03.123Z","log":{"level":"error","logger":"pay"},"message":"boom","service":{"name":"payment","version":"2.3.1"},"host":{"name":"worker-3"},"kubernetes":{"pod":{"name":"payment-6d9f-x2x4p"},"container":{"name":"app"}},"trace":{"id":"4bf92f3577b34da6a3ce929d0e0e4736"}}"#,
        "2026-01-14T14:02:03.123Z",
        Some(Level::Error),
        ["payment", "payment-6d9f-x2x4p", "4bf92f3577b34da6a3ce929d0e0e4736", "boom"],
    ),
    (
        "OpenTelemetry in Elasticsearch",
        r#"{"@timestamp":"1768399323123.5","observed_timestamp":"2026-01-14T14:02:04Z","severity_text":"Unspecified","severity_number":18,"body":{"text":"place order failed"},"resource":{"attributes":{"service.name":"checkout","host.name":"worker-1"}},"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","attributes":{"exception.type":"E"}}"#,
        "2026-01-14T14:02:03.1235Z",
        Some(Level::Error),
        ["checkout", "worker-1", "4bf92f3577b34da6a3ce929d0e0e4736", "place order failed"],
    ),
    (
        "OpenTelemetry in Azure Data Explorer",
        r#"{"Timestamp":"2022-07-25T19:28:08.8600435Z","ObservedTimestamp":"2022-07-25T19:28:09Z","TraceID":"4bf92f3577b34da6a3ce929d0e0e4736","SpanID":"00f067aa0ba902b7","SeverityText":"WARN","SeverityNumber":13,"Body":"retrying","ResourceAttributes":{"service.name":"cart","host.name":"vm1"},"LogsAttributes":{"exception.type":"x"}}"#,
        "2022-07-25T19:28:08.8600435Z",
        Some(Level::Warn),
        ["cart", "vm1", "4bf92f3577b34da6a3ce929d0e0e4736", "retrying"],
    ),
    (
        "Fluent Bit, log is text",
        r#"{"@timestamp":"2026-01-14T14:02:03.000Z","log":"2026/01/14 14:02:03 [error] 31#31: *1 connect() failed\n","stream":"stderr","kubernetes":{"pod_name":"web-7b5-abc","namespace_name":"default","labels":{"app":"web","pod-template-hash":"7b5"},"host":"minikube","container_name":"nginx"}}"#,
        "2026-01-14T14:02:03Z",
        Some(Level::Error),
        ["web", "web-7b5-abc", "", "2026/01/14 14:02:03 [error] 31#31: *1 connect() failed\n"],
    ),
    (
        "Fluent Bit, log is a JSON document",
        r#"{"time":"2026-01-14T14:02:03.9Z","log":"{\"level\":\"error\",\"ts\":1768399323.5,\"msg\":\"could not acquire\",\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\"}\n","stream":"stdout","kubernetes":{"pod_name":"pay-1","labels":{"app_kubernetes_io/name":"payment"},"container_name":"app"}}"#,
        "2026-01-14T14:02:03.9Z",
        Some(Level::Error),
        ["payment", "pay-1", "4bf92f3577b34da6a3ce929d0e0e4736", "could not acquire"],
    ),
    (
        "Serilog, Elasticsearch sink",
        r#"{"@timestamp":"2016-11-03T02:18:59.7839Z","level":"Fatal","messageTemplate":"Hello, {Name}","message":"Hello, \"nblumhardt\"","exceptions":[{"Depth":0,"ClassName":"System.Exception","Message":"Exploded!"}],"fields":{"Name":"nblumhardt","MachineName":"PC1","Application":"shop-api"}}"#,
        "2016-11-03T02:18:59.7839Z",
        Some(Level::Fatal),
        ["shop-api", "PC1", "", "Hello, \"nblumhardt\""],
    ),
    (
        "Serilog, compact",
        r#"{"@t":"2016-06-07T03:44:57.8532799Z","@m":"Hello, \"nblumhardt\"","@i":"7a8b9c0d","@l":"Warning","@tr":"4bf92f3577b34da6a3ce929d0e0e4736"}"#,
        "2016-06-07T03:44:57.8532799Z",
        Some(Level::Warn),
        ["", "", "4bf92f3577b34da6a3ce929d0e0e4736", "Hello, \"nblumhardt\""],
    ),
    (
        "Azure Monitor, ContainerLogV2",
        r#"{"TimeGenerated":"2026-01-14T14:02:03.1Z","Computer":"aks-1","ContainerName":"payment","PodName":"payment-6d9f-x2x4p","PodNamespace":"shop","LogMessage":"boom","LogSource":"stdout","LogLevel":"CRITICAL"}"#,
        "2026-01-14T14:02:03.1Z",
        Some(Level::Fatal),
        ["payment", "payment-6d9f-x2x4p", "", "boom"],
    ),
    (
        "pino",
        r#"{"level":50,"time":1768399323123,"msg":"hello world","pid":657,"hostname":"mbp"}"#,
        "2026-01-14T14:02:03.123Z",
        Some(Level::Error),
        ["", "mbp", "", "hello world"],
    ),
    (
        "zap",
        r#"{"level":"info","ts":1768399323.5,"caller":"main.go:7","msg":"started"}"#,
        "2026-01-14T14:02:03.5Z",
        Some(Level::Info),
        ["", "", "", "started"],
    ),
    (
        "journald",
        r#"{"__REALTIME_TIMESTAMP":"1768399323123456","MESSAGE":"Started Session 1","PRIORITY":"6","_HOSTNAME":"node-1","SYSLOG_IDENTIFIER":"systemd"}"#,
        "2026-01-14T14:02:03.123456Z",
        Some(Level::Info),
        ["systemd", "node-1", "", "Started Session 1"],
    ),
    (
        "log4j2 JsonTemplateLayout beside an own name of a field",
        r#"{"@timestamp":"2026-01-14T14:02:03.123Z","json":{"level":"WARN","msg":"low disk"},"app":"search"}"#,
        "2026-01-14T14:02:03.123Z",
        Some(Level::Warn),
        ["search", "", "", "low disk"],
    ),
];

#[test]
fn documents_of_each_convention_are_read() {
    for (name, json, at, level, [service, place, trace, message]) in CASES {
        let record = read_alone(json);
        let text =
            |text: &Option<Untrusted>| text.as_ref().map_or(String::new(), |text| text.inside().to_owned());
        assert_eq!(record.at, at.parse().ok(), "{name}");
        assert_eq!(record.level, *level, "{name}");
        assert_eq!(text(&record.service), *service, "{name}: service");
        assert_eq!(text(&record.place), *place, "{name}: place");
        assert_eq!(text(&record.trace), *trace, "{name}: trace");
        assert_eq!(record.message.inside(), *message, "{name}");
    }
}

#[test]
fn a_record_without_a_message_shows_its_other_fields() {
    let record = read_alone(
        r#"{"@timestamp":"2026-01-14T14:02:03Z","severity_text":"INFO","body":{"structured":{"a":1,"b":{"c":"x"}}}}"#,
    );
    assert_eq!(record.message.inside(), "body.structured.a=1 body.structured.b.c=x");
}

#[test]
fn a_secret_inside_a_document_inside_a_field_is_masked_by_its_own_name() {
    let record = read_alone(
        r#"{"log":"{\"msg\":\"login\",\"password\":\"correct horse\",\"note\":\"\\u0070assword=hunter2hunter2\"}"}"#,
    );
    let all: Vec<&str> = record.document.fields.iter().map(|(_, value)| value.inside()).collect();
    let inner = &all[1..];
    assert!(!inner.iter().any(|value| value.contains("horse") || value.contains("hunter2")), "{inner:?}");
    assert_eq!(record.message.inside(), "login");
}

#[test]
fn what_is_absent_is_none() {
    let record = read_alone(r#"{"a":"b"}"#);
    assert_eq!((record.at, record.level, &record.service, &record.trace), (None, None, &None, &None));
    assert_eq!(record.message.inside(), "a=b");
}

proptest! {
    #[test]
    fn any_document_is_read_without_a_panic(
        names in proptest::collection::vec("[a-z@.]{0,12}|message|level|log|@timestamp|service.name", 0..8),
        values in proptest::collection::vec("\\PC{0,20}|\\{\"level\":\"error\"\\}|\\{\\{|error|2026-01-14", 8),
    ) {
        let cx = context();
        let pairs = names.iter().zip(&values);
        let fields = pairs.map(|(name, value)| (cx.intake.text(name), cx.intake.text(value))).collect();
        let document = Document { index: String::new(), id: String::new(), fields };
        let layout = detect(&[], std::slice::from_ref(&document), &BTreeMap::new());
        let record = read(document.clone(), &layout, &cx.intake);
        prop_assert_eq!(&record.document.fields[..document.fields.len()], &document.fields[..]);
        for chosen in layout.of(Role::Service) {
            prop_assert!(names.contains(&chosen.name) );
        }
    }
}
