//! Searches as KQL: whatever a caller gives, one query comes out, and no value stands in its text.

use proptest::prelude::*;

use super::*;
use crate::analysis::kql::hostile;
use crate::backend::adx::{frames, kql::Kql, schema::Schema, search::Compiler};
use crate::backend::given::Given;
use crate::model::{Level, Like, Role};

fn schema() -> Schema {
    let columns = COLUMNS.iter().map(|(name, of)| ((*name).to_owned(), (*of).to_owned())).collect();
    let (schema, _) = Schema::new(vec![("OTelLogs".to_owned(), columns)]);
    let reply = super::frames(COLUMNS, json!([record("2026-01-14T14:59:59Z", "pool exhausted")]));
    let records = frames::of_query(reply.as_bytes()).unwrap().primary.remove(0);
    schema.with_records(&context(), &records, &std::collections::BTreeMap::new())
}

fn compile(search: &Search, restricted: bool, mandatory: &[Condition]) -> Result<Kql, contract::ToolError> {
    let (schema, allowed) = (schema(), Allowed::default());
    let compiler =
        Compiler { schema: &schema, allowed: &allowed, restricted, mandatory, given: Given::Shown };
    compiler.rows(search, search.window)
}

fn text(query: &str) -> String {
    let kql =
        compile(&search(Some(query), vec![]), false, &[]).unwrap_or_else(|error| panic!("{query}: {error}"));
    assert_is_one_query(&kql.sent(), &kql.values());
    kql.sent().split_once(");\n").unwrap().1.to_owned()
}

const WINDOW: &str = "| where [\"Timestamp\"] >= p0 and [\"Timestamp\"] < p1";

#[test]
fn what_a_caller_writes_stands_beside_our_window() {
    let table = "[\"OTelLogs\"]";
    for (query, expected) in [
        ("Body has 'x' // why", format!("{table}\n{WINDOW}\n| where (Body has 'x'\n)")),
        (
            "Body has 'x' or true == true",
            format!("{table}\n{WINDOW}\n| where (Body has 'x' or true == true\n)"),
        ),
        ("OTelLogs | where Body has 'x' // why", format!("(OTelLogs | where Body has 'x'\n)\n{WINDOW}")),
        ("OTelLogs", format!("(OTelLogs\n)\n{WINDOW}")),
        (
            "let l = 17; SeverityNumber >= l",
            format!("let l = 17;\n{table}\n{WINDOW}\n| where (SeverityNumber >= l\n)"),
        ),
        ("*", format!("{table}\n{WINDOW}")),
    ] {
        assert_eq!(text(query), expected);
    }
    // Words are looked for in the message; their parameters come before those of the window.
    let window = "| where [\"Timestamp\"] >= p2 and [\"Timestamp\"] < p3";
    for (query, first, second) in [
        ("timeout refused", "\"timeout\"", "\"refused\""),
        ("\"pool exhausted\" and size:10", "\"pool exhausted\"", "\"size:10\""),
        ("user-agent it's", "\"user-agent\"", "\"it\\'s\""),
    ] {
        let kql = compile(&search(Some(query), vec![]), false, &[]).unwrap();
        let expected =
            format!("{table}\n{window}\n| where [\"Body\"] contains p0 and [\"Body\"] contains p1");
        assert_eq!(kql.sent().split_once(");\n").unwrap().1, expected, "{query}");
        assert_eq!((kql.values()["p0"].as_str(), kql.values()["p1"].as_str()), (Some(first), Some(second)));
    }
}

#[test]
fn what_is_refused_is_told_with_its_place() {
    for (query, told) in [
        (".drop table OTelLogs", "a management command (line 1, column 1)"),
        ("OTelLogs; .show tables", "a management command (line 1, column 11)"),
        ("timeout or refused", "`or` and `not` are none of them"),
        ("OTelLogs | evaluate http_request('x')", "evaluate http_request (line 1, column 21)"),
        ("Body = 'x'", "line 1"),
    ] {
        let error = compile(&search(Some(query), vec![]), false, &[]).unwrap_err();
        assert!(error.to_string().contains(told), "{query}: {error}");
    }
}

#[test]
fn a_part_of_the_tables_or_records_stays_a_part() {
    let kql = compile(&search(Some("Other | where Body has 'x'"), vec![]), true, &[]).unwrap();
    assert!(kql.sent().contains(");\nrestrict access to ([\"OTelLogs\"]);\n(Other"), "{}", kql.sent());
    let mandatory = [Condition::Field("ResourceAttributes.team".to_owned(), "a".to_owned())];
    for query in ["OTelLogs | take 1", "Body has 'x'", "let x = 1; Body has 'x'"] {
        let error = compile(&search(Some(query), vec![]), false, &mandatory).unwrap_err();
        assert!(error.to_string().contains("KQL is not accepted by this source"), "{error}");
    }
    let kql = compile(&search(Some("timeout"), vec![]), false, &mandatory).unwrap();
    assert!(kql.sent().contains("tostring([\"ResourceAttributes\"][\"team\"]) == p"), "{}", kql.sent());
}

#[test]
fn levels_are_looked_for_in_each_spelling() {
    let kql = compile(&search(None, vec![Condition::AtLeast(Level::Error)]), false, &[]).unwrap();
    let text = kql.sent();
    for part in [
        "[\"SeverityText\"] in~ (",
        "\"error\"",
        "\"fatal\"",
        "tostring([\"SeverityNumber\"]) in~ (",
        "\"17\"",
        "isempty(",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("\"warn\"") && !text.contains("\"16\""), "{text}");
}

#[test]
fn a_trace_id_stands_in_its_field_else_in_the_message() {
    let id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let kql = compile(&search(None, vec![Condition::Is(Role::Trace, id.to_owned())]), false, &[]).unwrap();
    let expected = "where ([\"TraceID\"] =~ p2 or (isempty([\"TraceID\"]) and [\"Body\"] has p2))";
    assert!(kql.sent().contains(expected), "{}", kql.sent());
}

#[test]
fn what_no_pattern_finds_is_asked_for_with_parameters() {
    let like = |text: &str| Condition::Like(Like { fragments: vec![text.to_owned(), "ms".to_owned()] });
    let of_web = Condition::Is(Role::Service, "web".to_owned());
    let any = Condition::Any(vec![Condition::All(vec![of_web, like("took")]), like("it's")]);
    let kql = compile(&search(None, vec![Condition::Not(Box::new(any))]), false, &[]).unwrap();
    assert_is_one_query(&kql.sent(), &kql.values());
    let body = "[\"Body\"] contains_cs";
    let service = "tostring([\"ResourceAttributes\"][\"service.name\"]) =~ p2";
    let expected =
        format!("\n| where not((({service}) and ({body} p3 and {body} p4) or {body} p5 and {body} p4))");
    assert!(kql.sent().ends_with(&expected), "{}", kql.sent());
    let values = ["p2", "p3", "p4", "p5"].map(|name| kql.values()[name].as_str().unwrap().to_owned());
    assert_eq!(values, ["\"web\"", "\"took\"", "\"ms\"", "\"it\\'s\""]);
}

#[test]
fn records_without_a_level_are_those_whose_fields_are_all_empty() {
    let kql = compile(&search(None, vec![Condition::Untold]), false, &[]).unwrap();
    let none = "isempty([\"SeverityText\"]) and isempty(tostring([\"SeverityNumber\"]))";
    assert!(kql.sent().contains(none), "{}", kql.sent());
}

#[test]
fn no_hostile_text_leaves_its_place() {
    for hostile in hostile::TEXTS {
        let conditions = vec![
            Condition::Is(Role::Service, (*hostile).to_owned()),
            Condition::Field("Body".to_owned(), (*hostile).to_owned()),
            Condition::Like(Like { fragments: vec![(*hostile).to_owned()] }),
            Condition::Field(format!("LogsAttributes.{hostile}"), "x".to_owned()),
        ];
        let kql = compile(&search(None, conditions), false, &[]).unwrap();
        assert_is_one_query(&kql.sent(), &kql.values());
        // As a caller's text: refused, or words.
        if let Ok(kql) = compile(&search(Some(hostile), vec![]), false, &[]) {
            assert_is_one_query(&kql.sent(), &kql.values());
        }
    }
}

proptest! {
    #[test]
    fn any_values_give_one_query_without_them(value in any::<String>(), key in any::<String>()) {
        let conditions = vec![
            Condition::Any(vec![
                Condition::Is(Role::Trace, value.clone()),
                Condition::Like(Like { fragments: vec![value.clone(), key.clone()] }),
            ]),
            Condition::Not(Box::new(Condition::All(vec![
                Condition::Is(Role::Service, value.clone()),
                Condition::Like(Like { fragments: vec![key.clone()] }),
            ]))),
            Condition::Field(format!("ResourceAttributes.{key}"), value.clone()),
        ];
        let kql = compile(&search(None, conditions), false, &[]).unwrap();
        assert_is_one_query(&kql.sent(), &kql.values());
    }

    #[test]
    fn any_text_is_refused_or_stays_in_one_query(text in "[a-z |;.()'\"=]{0,40}") {
        if let Ok(kql) = compile(&search(Some(&text), vec![]), false, &[]) {
            assert_is_one_query(&kql.sent(), &kql.values());
        }
    }
}
