use super::{Accepted, Allowed, Form, MAX_BYTES, MAX_NESTING, check, hostile};

fn refused(text: &str) -> String {
    match check(text, &Allowed::default()) {
        Ok(_) => panic!("accepted: {text}"),
        Err(refusal) => refusal.to_string(),
    }
}

fn accepted(text: &str) -> Accepted<'_> {
    static NOTHING: Allowed = Allowed { databases: Vec::new(), functions: Vec::new() };
    check(text, &NOTHING).unwrap_or_else(|refusal| panic!("{text}\n{refusal}"))
}

#[test]
fn no_hostile_text_is_accepted() {
    for text in hostile::TEXTS {
        refused(text);
    }
}

/// Queries as people write them, most from the documentation of the language.
#[test]
fn what_people_write_is_accepted() {
    for text in [
        "Logs",
        "Logs | take 10",
        "OTelLogs\n| where Timestamp > ago(1h) and SeverityText in (\"ERROR\", \"FATAL\")\n| where Body has \"timeout\"",
        "OTelLogs | where ResourceAttributes[\"service.name\"] == 'checkout' | project Timestamp, Body",
        "OTelLogs | extend Service = tostring(ResourceAttributes.service.name) | summarize Errors = count() by Service, bin(Timestamp, 5m)",
        "OTelLogs | where SeverityNumber >= 17 | summarize dcount(TraceID), arg_max(Timestamp, *) by SpanID",
        "StormEvents | where State == \"FLORIDA\" | top 5 by DamageProperty desc nulls last",
        "let from = ago(1d); let errors = Logs | where Level == 'Error'; errors | where Timestamp > from | count",
        "let f = (a: string, b: long = 5) { strcat(a, tostring(b)) }; Logs | extend y = f(x)",
        "let view1 = view () { Logs | take 1 }; union view1, Other*",
        "let m = materialize(Logs | summarize count() by x); m | join kind=leftouter (m) on $left.x == $right.x",
        "Logs | parse Body with * \"user=\" User:string \" took \" Ms:long \"ms\" *",
        "Logs | parse-where kind=regex flags=i Body with @'^\\d+ ' Rest",
        "Logs | mv-expand tag = parse_json(tags) to typeof(string) limit 100",
        "Logs | mv-apply e = Events to typeof(dynamic) on (where e.Name == 'exception' | take 1)",
        "Logs | make-series n = count() default = 0 on Timestamp from ago(1h) to now() step 1m by Level",
        "Logs | evaluate bag_unpack(Properties) : (a: string, b: long)",
        "Logs | evaluate autocluster(0.2, '~', 'Level')",
        "Logs | reduce by Body with threshold=0.35",
        "Logs | where x between (1 .. 5) and y !between (ago(2h) .. now())",
        "Logs | where x in ((Other | project x)) or x has_any ('a', 'b')",
        "Logs | where Body matches regex @\"timeout after \\d+ ms\"",
        "Logs | where * has 'timeout' and not(Level =~ 'debug')",
        "union withsource=Table isfuzzy=true Logs*, (Other | where x == 1) | count",
        "search in (Logs, OTel*) \"timeout\" and Level == 'Error'",
        "find in (Logs) where Body has 'x' project Timestamp, Body",
        "datatable(a: string, b: long)['x', 1, 'y', -2]",
        "range x from 1 to 10 step 1 | extend y = x * 2",
        "print now(), datetime(2026-01-14 14:00), dynamic({\"a\": [1, 2.5, null]})",
        "['my table'] | where ['a column'] == 1",
        "Logs | where x == 1 // and y == 2\n",
        "Logs | where x == 'one' \"string\"",
        "// what failed\nLogs | where Level == 'Error';\n// done",
        "Logs | where Body == ```several\nlines``` or Body == h'hidden' or Body == 'é'",
        "Logs | render timechart with (title='Errors')",
        "Logs | order by Timestamp asc, Level | serialize n = row_number() | project-away n, tmp_*",
    ] {
        accepted(text);
    }
}

#[test]
fn a_condition_is_told_from_a_query() {
    for (text, form) in [
        ("Level == 'Error'", Form::Condition),
        ("Body has 'timeout' and Level != 'Debug'", Form::Condition),
        ("isnotempty(TraceID)", Form::Condition),
        ("* has 'x'", Form::Condition),
        ("(a == 1) and (b == 2)", Form::Condition),
        ("x in ((Other | project x))", Form::Condition),
        ("Logs", Form::Words),
        ("\"pool exhausted\" and timeout", Form::Words),
        ("user: anna", Form::Words),
        ("read-only", Form::Words),
        ("['my table']", Form::Query),
        ("table('Logs')", Form::Query),
        ("Logs | where x == 1", Form::Query),
        ("union Logs, Other", Form::Query),
        ("search 'x'", Form::Query),
        ("let x = 1; Logs | where y == x", Form::Query),
        ("let x = 1; y == x", Form::Condition),
        ("(Logs | take 1)", Form::Query),
    ] {
        assert_eq!(accepted(text).form, form, "{text}");
    }
}

#[test]
fn what_was_accepted_can_be_continued() {
    for (text, kept) in [
        ("Logs | take 1", "Logs | take 1"),
        ("Logs | take 1 ;  ", "Logs | take 1"),
        ("Logs // a\n| take 1 // b", "Logs // a\n| take 1"),
        ("Logs\n;// c\n", "Logs"),
    ] {
        assert_eq!(accepted(text).text, kept);
    }
    let lets = accepted("let x = 1;\n Logs | take x");
    assert_eq!(lets.text.split_at(lets.query_at), ("let x = 1;\n ", "Logs | take x"));
}

#[test]
fn a_refusal_says_what_where_and_what_instead() {
    for (text, told) in [
        (
            "Logs\n| take 1;\n  .drop table Logs",
            "line 3, column 3: a management command; send one query, and nothing behind it",
        ),
        (".show tables", "line 1, column 1: a management command; only queries are sent: begin with a table"),
        (
            "set notruncation; Logs",
            "line 1, column 1: a set statement; leave it out: options are set by this server",
        ),
        (
            "Logs | extend é = 1",
            "line 1, column 15: the character \\u{e9} outside a string; write a name that has it as ['name']",
        ),
        (
            "Logs | join (cluster('a').database('b').T) on x",
            "line 1, column 14: cluster() reaches another cluster; name tables of the configured database; another cluster \
             is a source of its own",
        ),
        (
            "union database('b').T",
            "line 1, column 16: another database; name tables of the configured database; an operator can allow others",
        ),
        (
            "Logs | extend y = StrLen(x)",
            "line 1, column 19: the function StrLen() is not known to be harmless; it is written strlen()",
        ),
        (
            "Logs | where",
            "line 1, column 13: the end of the text where a value, a column or a function belongs; mend the syntax",
        ),
        (
            "Logs | wher x",
            "line 1, column 8: `wher` where an operator of KQL that this guard knows (where, project, \
          summarize, take …) belongs; mend the syntax",
        ),
        (
            "Logs | take 1; Logs",
            "line 1, column 16: a second query; send one query in a call; only let statements may be \
          before it",
        ),
        ("", "line 1, column 1: no query; begin with a table, such as Logs | take 10"),
        (
            "Logs | where x == 'a",
            "line 1, column 19: a string without its closing '; close it on the same line; escape \
          with \\",
        ),
        (
            "Logs | where time == 1",
            "line 1, column 14: the keyword `time` where a value, a column or a function belongs; \
          mend the syntax; a column with such a name is written as ['name']",
        ),
    ] {
        assert_eq!(refused(text), told, "{text}");
    }
    assert!(
        refused("Logs | evaluate http_request('x')")
            .starts_with("line 1, column 17: evaluate http_request; plugins")
    );
}

#[test]
fn an_operator_can_allow_databases_and_functions() {
    let allowed = Allowed { databases: vec!["shared".to_owned()], functions: vec!["Parsed".to_owned()] };
    for text in [
        "database('shared').T | take 1",
        "union database(\"shared\").T*, T",
        "Parsed('x') | take 1",
        "T | invoke Parsed()",
    ] {
        assert!(check(text, &allowed).is_ok(), "{text}");
    }
    for text in [
        "database('secret').T",
        "database('shared', 'x').T",
        "database(h'shared').T",
        "database('sha' 'red').T",
        "database('\\x73hared').T",
        "cluster('a').database('shared').T",
        "parsed('x')",
    ] {
        assert!(check(text, &allowed).is_err(), "{text}");
    }
}

#[test]
fn length_and_nesting_are_bounded_before_anything_is_parsed() {
    let long = format!("T | where x == '{}'", "a".repeat(MAX_BYTES));
    assert!(refused(&long).contains("bytes of KQL; at most 16384 are accepted"));
    for (open, close) in [("(", ")"), ("[", "]"), ("{", "}")] {
        let deep = |depth: usize| format!("print dynamic({}1{})", open.repeat(depth), close.repeat(depth));
        assert!(refused(&deep(MAX_NESTING)).contains("nested more than 32 deep"));
        refused(&deep(8_000));
    }
    let deep = |depth: usize| format!("print {}1{}", "(".repeat(depth), ")".repeat(depth));
    accepted(&deep(MAX_NESTING));
    assert!(refused(&deep(MAX_NESTING + 1)).contains("nested more than 32 deep"));
    // Without brackets nothing recurses.
    for unit in ["-", "+", "not ", "a.", "a and ", "| take 1 ", "let a=1;", "x == "] {
        let _ = check(&unit.repeat(16_000 / unit.len()), &Allowed::default());
    }
}

#[test]
fn fuzz_kql() {
    let seeds: Vec<&[u8]> = hostile::TEXTS.iter().map(|text| text.as_bytes()).collect();
    testkit::fuzz::fuzz("kql", &seeds, hostile::PIECES, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(found) = check(&text, &Allowed::default()) {
            assert!(text.starts_with(found.text) && found.query_at <= found.text.len());
            // What was accepted is accepted again, and means the same.
            assert_eq!(check(found.text, &Allowed::default()), Ok(found));
        }
    });
}
