//! The guard beside Microsoft's own parser, on texts made by a grammar and on hostile ones. `cargo xtask test-live` installs
//! the parser and runs this; `cargo xtask kql-oracle` does only that.

mod generator;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;

use super::{Allowed, check};
use generator::Generator;

/// Texts of each class.
const EACH: usize = 6_000;
const SEED: u64 = 0x6b71_6c31;

/// What may be called nowhere in an accepted text, whatever the guard thinks: from Microsoft's documentation of callouts,
/// external data and other clusters.
const NEVER_CALLED: &[&str] = &["cluster", "database", "external_table", "externaldata", "entity_group"];
const PLUGINS_THAT_CALL_OUT: &[&str] = &[
    "http_request",
    "http_request_post",
    "python",
    "r",
    "csharp",
    "sql_request",
    "mysql_request",
    "postgresql_request",
    "cosmosdb_sql_request",
    "azure_digital_twins_query_request",
    "dax_request",
    "external_datatable",
    "execute_show_command",
    "execute_query",
    "infer_storage_schema",
    "infer_storage_schema_with_suggestions",
    "ai_embed_text",
    "ai_chat_completion",
    "ai_chat_completion_prompt",
    "ai_embeddings",
];
const NEVER_WRITTEN: &[&str] = &[
    "SetOptionStatement",
    "AliasStatement",
    "QueryParametersStatement",
    "PatternStatement",
    "RestrictStatement",
    "ExternalDataExpression",
    "InlineExternalTableExpression",
    "MacroExpandOperator",
    "Directive",
    "ExecuteAndCacheOperator",
    "CommandBlock",
    "EntityGroup",
];

#[derive(Default)]
struct Counts {
    texts: usize,
    commands: usize,
    clean: usize,
    accepted: usize,
}

#[test]
#[ignore = "needs Node and Microsoft's parser: cargo xtask test-live"]
fn the_guard_agrees_with_microsofts_parser() {
    let mut generator = Generator::new(SEED);
    let mut texts: Vec<(&str, String)> = Vec::new();
    texts.extend((0..EACH).map(|_| ("queries of what is let through", generator.plain_query())));
    texts.extend((0..EACH).map(|_| ("queries of the whole language", generator.any_query())));
    texts.extend((0..EACH).map(|_| ("queries with something changed", generator.changed_query())));
    texts.extend((0..EACH).map(|_| ("hostile texts", generator.hostile())));
    let answers = ask(&texts);
    assert_eq!(answers.len(), texts.len());

    let allowed = Allowed::default();
    let mut counts: BTreeMap<&str, Counts> = BTreeMap::new();
    let mut refused_clean: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for ((class, text), answer) in texts.iter().zip(&answers) {
        let verdict = check(text, &allowed);
        let count = counts.entry(class).or_default();
        let clean = answer["errors"].as_array().is_some_and(Vec::is_empty);
        count.texts += 1;
        count.commands += usize::from(answer["kind"] == "Command");
        count.clean += usize::from(clean && answer["kind"] == "Query");
        count.accepted += usize::from(verdict.is_ok());
        match verdict {
            Ok(_) => {
                assert_eq!(answer["kind"], "Query", "accepted: {text}");
                assert!(clean, "accepted: {text}\n{}", answer["errors"]);
                assert_harmless(text, answer);
            }
            Err(refusal) if clean && *class == "queries of what is let through" => {
                refused_clean.entry(refusal.what).or_insert((0, text.clone())).0 += 1;
            }
            Err(_) => {}
        }
    }
    for (class, count) in &counts {
        eprintln!(
            "{class}: {} texts, {} commands (all refused), {} error-free queries, {} accepted (all error-free queries)",
            count.texts, count.commands, count.clean, count.accepted
        );
    }
    for (what, (times, example)) in &refused_clean {
        eprintln!("refused although error-free, {times} times: {what}: {example}");
    }
    let plain = &counts["queries of what is let through"];
    assert!(plain.accepted * 100 >= plain.clean * 99, "too many good queries are refused");
    assert!(plain.accepted * 2 >= plain.texts, "the generator makes too few good queries");
    assert!(counts["hostile texts"].commands > EACH / 20, "too few commands among the hostile texts");
    assert!(
        counts["queries with something changed"].accepted > EACH / 20,
        "nothing of what was changed is accepted"
    );
}

fn assert_harmless(text: &str, answer: &Value) {
    let names = |list: &str| -> BTreeSet<String> {
        let names = answer[list].as_array().into_iter().flatten();
        names.filter_map(|name| Some(name.as_str()?.to_owned())).collect()
    };
    for (list, never) in
        [("calls", NEVER_CALLED), ("plugins", PLUGINS_THAT_CALL_OUT), ("nodes", NEVER_WRITTEN)]
    {
        let found: Vec<String> =
            names(list).into_iter().filter(|name| never.contains(&name.as_str())).collect();
        assert!(found.is_empty(), "accepted with {found:?}: {text}");
    }
}

/// What the parser says of each text.
fn ask(texts: &[(&str, String)]) -> Vec<Value> {
    let node = std::env::var("KQL_ORACLE_NODE").expect("KQL_ORACLE_NODE names the Node to run");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testbed/kql/oracle.js");
    let script = std::env::var("KQL_ORACLE_SCRIPT").unwrap_or_else(|_| script.to_owned());
    let mut child = Command::new(node)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Node starts");
    let mut input = child.stdin.take().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let answers = thread::scope(|scope| {
        scope.spawn(move || {
            for (_, text) in texts {
                writeln!(input, "{}", serde_json::to_string(text).unwrap()).unwrap();
            }
        });
        output.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
    });
    assert!(child.wait().unwrap().success());
    answers
}
