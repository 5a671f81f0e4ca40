use super::*;
use crate::analysis::record::tests::{context, document};

fn field(name: &str, kind: FieldKind) -> FieldInfo {
    let countable = !matches!(kind, FieldKind::Text | FieldKind::Other);
    FieldInfo { name: name.to_owned(), kind, countable, conflict: false }
}

fn layout(fields: &[FieldInfo], recent: &[&str]) -> Layout {
    let cx = context();
    let recent: Vec<Document> = recent.iter().map(|json| document(&cx, json)).collect();
    detect(fields, &recent, &BTreeMap::new())
}

fn names(layout: &Layout, role: Role) -> Vec<&str> {
    layout.of(role).iter().map(|chosen| chosen.name.as_str()).collect()
}

#[test]
fn the_table_of_the_specification_is_known() {
    // Rows of the specification's table, written down again: role, then one name a convention.
    let table: [(Role, &[&str]); 7] = [
        (Role::Time, &["@timestamp", "observed_timestamp", "Timestamp", "time", "TimeGenerated"]),
        (
            Role::Message,
            &["message", "body.text", "body.structured", "Body", "log", "messageTemplate", "LogMessage"],
        ),
        (
            Role::Level,
            &[
                "log.level",
                "severity_text",
                "severity_number",
                "SeverityText",
                "SeverityNumber",
                "level",
                "severity",
                "LogLevel",
            ],
        ),
        (
            Role::Service,
            &[
                "service.name",
                "resource.attributes.service.name",
                "ResourceAttributes.service.name",
                "kubernetes.labels.app",
                "kubernetes.labels.app_kubernetes_io/name",
                "kubernetes.container_name",
                "labels.Application",
                "fields.Application",
                "ContainerName",
                "PodName",
            ],
        ),
        (Role::Trace, &["trace.id", "trace_id", "TraceID", "fields.TraceId", "OperationId"]),
        (
            Role::ErrorStack,
            &["error.stack_trace", "attributes.exception.stacktrace", "LogsAttributes.exception.stacktrace"],
        ),
        (
            Role::Host,
            &[
                "host.name",
                "resource.attributes.host.name",
                "kubernetes.host",
                "fields.MachineName",
                "Computer",
            ],
        ),
    ];
    for (role, known) in table {
        for name in known {
            assert!(rank(role, name).is_some(), "{} {name}", role.name());
        }
    }
}

#[test]
fn a_mapping_alone_is_enough() {
    let fields = [
        field("@timestamp", FieldKind::Date),
        field("message", FieldKind::Text),
        field("message.keyword", FieldKind::Keyword),
        field("log.level", FieldKind::Keyword),
        field("service.name", FieldKind::Keyword),
        field("service.version", FieldKind::Keyword),
        field("service", FieldKind::Other),
    ];
    let layout = layout(&fields, &[]);
    assert_eq!(names(&layout, Role::Service), ["service.name"]);
    let message = &layout.of(Role::Message)[0];
    assert_eq!((message.name.as_str(), message.exact.as_deref()), ("message", Some("message.keyword")));
    assert_eq!(message.why, "known name; no recent record was read");
    assert_eq!(layout.of(Role::Level)[0].why, "ECS; no recent record was read");
    assert_eq!(layout.conventions, ["ECS"]);
    assert!(layout.nested.is_empty());
}

#[test]
fn what_recent_records_have_comes_before_what_only_the_mapping_has() {
    let fields =
        [field("service.name", FieldKind::Keyword), field("kubernetes.labels.app", FieldKind::Keyword)];
    let found =
        layout(&fields, &[r#"{"kubernetes.labels.app":"web"}"#, r#"{"kubernetes.labels.app":"cart"}"#]);
    assert_eq!(names(&found, Role::Service), ["kubernetes.labels.app", "service.name"]);
    assert_eq!(found.of(Role::Service)[0].why, "Kubernetes; in 2 of 2 recent records");
    assert_eq!(found.of(Role::Service)[1].why, "ECS; in 0 of 2 recent records");
    assert_eq!(found.conventions, ["Kubernetes"]);
}

#[test]
fn who_collects_is_not_who_said_it() {
    let records = [
        r#"{"service.name":"fluent-bit","kubernetes.container_name":"web"}"#,
        r#"{"service.name":"fluent-bit","kubernetes.container_name":"cart"}"#,
    ];
    assert_eq!(names(&layout(&[], &records), Role::Service), ["kubernetes.container_name", "service.name"]);
}

#[test]
fn a_field_whose_values_all_differ_is_no_service() {
    let records: Vec<String> = (0..30)
        .map(|index| {
            format!(r#"{{"service":"request-{index}","container_name":"{}"}}"#, ["a", "b"][index % 2])
        })
        .collect();
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    assert_eq!(names(&layout(&[], &records), Role::Service), ["container_name", "service"]);
}

#[test]
fn values_that_cannot_be_the_roles_rule_a_field_out() {
    let found = layout(&[], &[r#"{"level":"3.7 m","time":"soon","ts":1768399323,"severity":"WARN"}"#]);
    assert_eq!(names(&found, Role::Level), ["severity"]);
    assert_eq!(names(&found, Role::Time), ["ts"]);
}

#[test]
fn documents_inside_of_messages_are_noticed() {
    let found = layout(&[], &[r#"{"log":"plain"}"#, r#"{"log":"{\"level\":\"info\",\"msg\":\"x\"}\n"}"#]);
    assert_eq!(found.nested, ["log"]);
}

#[test]
fn without_known_names_the_end_of_a_name_or_the_values_tell() {
    let record = r#"{"when":"2026-01-14T14:02:03Z","grade":"ERROR","what":"a long text that somebody wrote","app.meta.service":"x","correlation":"4bf92f3577b34da6a3ce929d0e0e4736"}"#;
    let found = layout(&[field("when", FieldKind::Date)], &[record; 5]);
    assert_eq!(names(&found, Role::Time), ["when"]);
    assert_eq!(names(&found, Role::Level), ["grade"]);
    assert_eq!(names(&found, Role::Message), ["what"]);
    assert_eq!(names(&found, Role::Trace), ["correlation"]);
    assert_eq!(names(&found, Role::Service), ["app.meta.service"]);
    assert_eq!(found.of(Role::Level)[0].why, "by its values; in 5 of 5 recent records");
    assert_eq!(found.of(Role::Service)[0].why, "by the end of its name; in 5 of 5 recent records");
}

#[test]
fn an_operator_has_the_last_word() {
    let overrides = BTreeMap::from([
        ("service".to_owned(), vec!["team".to_owned(), "gone".to_owned()]),
        ("nonsense".to_owned(), vec!["x".to_owned()]),
    ]);
    let fields = [field("service.name", FieldKind::Keyword), field("team", FieldKind::Text)];
    let found = detect(&fields, &[], &overrides);
    assert_eq!(names(&found, Role::Service), ["team", "gone"]);
    assert_eq!(found.of(Role::Service)[0].exact, None);
    assert_eq!(found.of(Role::Service)[1].why, "configured; not in the mapping");
}

#[test]
fn a_conflict_of_types_is_told() {
    let conflict = FieldInfo { conflict: true, ..field("log.level", FieldKind::Keyword) };
    assert!(layout(&[conflict], &[]).of(Role::Level)[0].conflict);
}

#[test]
fn an_empty_mapping_is_an_empty_layout() {
    assert_eq!(layout(&[], &[]), Layout::default());
}

#[test]
fn the_order_of_fields_and_records_changes_nothing() {
    let fields = [
        field("kubernetes.host", FieldKind::Keyword),
        field("host.name", FieldKind::Keyword),
        field("log", FieldKind::Text),
        field("message", FieldKind::Text),
    ];
    let records = [r#"{"message":"a"}"#, r#"{"log":"b","host.name":"x"}"#];
    let mut turned = fields.clone();
    turned.reverse();
    assert_eq!(layout(&fields, &records), layout(&turned, &[records[1], records[0]]));
}
