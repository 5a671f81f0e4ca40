use std::time::Duration;

use proptest::prelude::*;
use redact::{Redactor, RedactorConfig};

use super::*;
use crate::{Cell, Draft, ErrorKind, Evidence, Finding, Intake, Next, Table, TimeRange};

fn intake() -> Intake {
    Intake::new(Redactor::new(RedactorConfig { key: [7; 32], enabled: true }))
}

fn call() -> CallId {
    CallId("7f3a91c2".to_owned())
}

fn window() -> TimeRange {
    TimeRange::new("2026-01-14T14:02:00Z".parse().unwrap(), "2026-01-14T14:32:00Z".parse().unwrap()).unwrap()
}

fn example() -> Answer {
    let mut draft = Draft::new();
    let e1 = draft.cite(
        Evidence::new("prometheus \"main\"", "rate(errors[2m])")
            .over(window())
            .every(Duration::from_secs(15)),
    );
    let e2 = draft.cite(
        Evidence::new("prometheus \"main\"", "up")
            .over(window())
            .every(Duration::from_secs(15))
            .link(Some("https://prometheus.example/graph?g0.expr=up".to_owned())),
    );
    draft.finding(Finding::new("errors began with version 2.3.1", e1).and(e2));
    let mut table = Table::new("series", &["labels", "median", "onset", "samples"], e1);
    let onset = "2026-01-14T14:03:15Z".parse().unwrap();
    let intake = intake();
    table.row(vec![
        Cell::Quoted(intake.text("checkout"), 80),
        Cell::Number(1.914_9),
        Cell::Time(onset),
        Cell::Count(120),
    ]);
    table.row(vec![Cell::Quoted(intake.text("two words"), 80), Cell::Number(f64::NAN)]);
    table.seen(84);
    table.see_more("raise limit");
    draft.table(table);
    draft.caveat("1 warning from prometheus");
    draft.next(
        Next::call("find_slow_traces", "which span takes the time").on("traces").with("service", "checkout"),
    );
    draft.conclude("checkout fails 5.2 % of requests since 14:03:15")
}

#[test]
fn the_text_form_is_exactly_this() {
    let rendered = answer(&example(), &call(), Budget::for_detail(Detail::Concise));
    let expected = "\
checkout fails 5.2 % of requests since 14:03:15
- errors began with version 2.3.1 (e1, e2)

series (e1)
labels | median | onset | samples
checkout | 1.915 | 2026-01-14T14:03:15Z | 120
«two words» | NaN | - | -

evidence [prometheus \"main\", 2026-01-14T14:02:00Z/2026-01-14T14:32:00Z, step 15s]
 e1 rate(errors[2m])
 e2 up
    https://prometheus.example/graph?g0.expr=up
coverage: 2 of 84 series shown, 82 omitted (raise limit); 1 warning from prometheus
next: find_slow_traces(service=\"checkout\") on traces: which span takes the time
call 7f3a91c2";
    assert_eq!(rendered.text, expected);
    assert_eq!((rendered.rows_seen, rendered.rows_shown), (85, 3));
}

#[test]
fn the_structured_form_is_exactly_this() {
    let rendered = answer(&example(), &call(), Budget::for_detail(Detail::Concise));
    let expected = r#"{"verdict":"checkout fails 5.2 % of requests since 14:03:15","findings":[{"statement":"errors began with version 2.3.1","evidence":["e1","e2"]}],"tables":[{"title":"series","evidence":"e1","columns":["labels","median","onset","samples"],"rows":[["checkout",1.915,"2026-01-14T14:03:15Z",120],["«two words»","NaN",null,null]]}],"evidence":[{"id":"e1","source":"prometheus \"main\"","query":"rate(errors[2m])","window":"2026-01-14T14:02:00Z/2026-01-14T14:32:00Z","step":"15s"},{"id":"e2","source":"prometheus \"main\"","query":"up","window":"2026-01-14T14:02:00Z/2026-01-14T14:32:00Z","step":"15s","link":"https://prometheus.example/graph?g0.expr=up"}],"coverage":{"series":{"seen":84,"shown":2,"omitted":82,"to_see_omitted":"raise limit"},"caveats":["1 warning from prometheus"]},"next":[{"server":"traces","tool":"find_slow_traces","arguments":{"service":"checkout"},"why":"which span takes the time"}],"call_id":"7f3a91c2"}"#;
    assert_eq!(rendered.structured.to_string(), expected);
}

#[test]
fn an_error_says_what_to_change_in_both_forms() {
    let failure =
        ToolError::new(ErrorKind::RateLimited, "too many range calls", "wait, or ask one broader question")
            .retry_after(Duration::from_millis(1_200))
            .nearest(["query_metrics"])
            .try_next(Next::call("query_metrics", "").with("promql", "up"));
    let rendered = error(&failure, &call());
    assert_eq!(
        rendered.text,
        "rate_limited: too many range calls\nwait, or ask one broader question\nnearest: query_metrics\n\
         retry after 2 s\ntry: query_metrics(promql=\"up\")\ncall 7f3a91c2"
    );
    assert_eq!(
        rendered.structured.to_string(),
        r#"{"verdict":"too many range calls","error":{"kind":"rate_limited","remedy":"wait, or ask one broader question","nearest":["query_metrics"],"retry_after_seconds":2,"try":[{"tool":"query_metrics","arguments":{"promql":"up"}}]},"call_id":"7f3a91c2"}"#
    );
}

/// An answer with parts of any size, as generous as a careless tool could make it.
fn sprawling(rows: usize, width: usize, text: &str, parts: usize) -> Answer {
    let intake = intake();
    let mut draft = Draft::new();
    let mut cite = draft.cite(Evidence::new("prometheus \"main\"", text));
    for part in 0..parts {
        cite = draft.cite(Evidence::new("prometheus \"main\"", format!("{text}{part}")).over(window()));
        draft.finding(Finding::new(text, cite));
        draft.caveat(format!("{part}{text}"));
        draft.next(Next::call("query_metrics", text).with("promql", text));
    }
    for _ in 0..2 {
        let mut table = Table::new("series", &["a", "b", "c", "d"], cite);
        table.see_more("raise limit");
        for row in 0..rows {
            let quoted = Cell::Quoted(intake.text(&text.repeat(width)), 160);
            table.row(vec![quoted, Cell::Count(row as u64), Cell::Number(1.0 / 3.0)]);
        }
        draft.table(table);
    }
    draft.conclude(text.repeat(width))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn neither_form_exceeds_the_budget_and_counts_are_exact(
        rows in 0usize..400, width in 1usize..40, text in "[ -~é\"«]{1,80}", parts in 0usize..30, full: bool,
    ) {
        let budget = Budget::for_detail(if full { Detail::Full } else { Detail::Concise });
        let sprawling = sprawling(rows, width, &text, parts);
        let rendered = answer(&sprawling, &call(), budget);
        prop_assert!(rendered.text.len() <= budget.limit(), "text {}", rendered.text.len());
        let json = rendered.structured.to_string();
        prop_assert!(json.len() <= budget.limit(), "json {}", json.len());
        let tables = rendered.structured["tables"].as_array().map_or(0, |tables| {
            tables.iter().map(|table| table["rows"].as_array().unwrap().len()).sum::<usize>()
        });
        let findings = rendered.structured["findings"].as_array().map_or(0, Vec::len);
        prop_assert_eq!(rendered.rows_shown, (tables + findings) as u64);
        prop_assert_eq!(rendered.rows_seen, (2 * rows + parts) as u64);
    }
}

/// An answer with queries as long as those of generated dashboards, and statements that rest on several of them.
fn resting_on_much(queries: &[usize], cites: &[Vec<usize>], tables: &[usize]) -> Answer {
    let mut draft = Draft::new();
    let window = window();
    let cited: Vec<_> = queries
        .iter()
        .enumerate()
        .map(|(place, length)| {
            let query = format!("q{place}{}", "x".repeat(*length));
            draft.cite(Evidence::new("prometheus \"main\"", query).over(window))
        })
        .collect();
    for of_one in cites {
        let mut of_one = of_one.iter().map(|place| cited[place % cited.len()]);
        let first = Finding::new("it rests on this", of_one.next().unwrap());
        draft.finding(of_one.fold(first, Finding::and));
    }
    for place in tables {
        let mut table = Table::new("rows", &["a"], cited[place % cited.len()]);
        table.row(vec![Cell::Count(1)]);
        draft.table(table);
    }
    draft.conclude("much")
}

/// The ids in the last brackets of a line.
fn ids_at_end(line: &str) -> Vec<String> {
    let (_, ids) = line.strip_suffix(')').unwrap().rsplit_once('(').unwrap();
    ids.split(", ").filter(|id| !id.ends_with("more omitted")).map(str::to_owned).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn whatever_is_cited_is_listed_in_both_forms(
        queries in proptest::collection::vec(0usize..3_000, 1..30),
        cites in proptest::collection::vec(proptest::collection::vec(0usize..30, 1..12), 0..20),
        tables in proptest::collection::vec(0usize..30, 0..4),
        full: bool,
    ) {
        let budget = Budget::for_detail(if full { Detail::Full } else { Detail::Concise });
        let rendered = answer(&resting_on_much(&queries, &cites, &tables), &call(), budget);
        prop_assert!(rendered.text.len() <= budget.limit(), "text {}", rendered.text.len());
        prop_assert!(rendered.structured.to_string().len() <= budget.limit());

        let lines = || rendered.text.lines();
        let listed: Vec<&str> = lines()
            .filter_map(|line| line.strip_prefix(" e"))
            .map(|line| line.split(' ').next().unwrap())
            .collect();
        let says = |line: &&str| line.starts_with("- ") || line.starts_with("rows (");
        let cited: Vec<Vec<String>> = lines().filter(says).map(ids_at_end).collect();
        let all = &rendered.structured;
        let ids = |of: &Value| -> Vec<String> {
            let of = of.as_array().cloned().unwrap_or_else(|| vec![of.clone()]);
            of.iter().map(|id| id.as_str().unwrap().to_owned()).collect()
        };
        let parts = ["findings", "tables"].into_iter().filter_map(|part| all[part].as_array()).flatten();
        let structured: Vec<Vec<String>> = parts.map(|part| ids(&part["evidence"])).collect();
        let evidence = all["evidence"].as_array().cloned().unwrap_or_default();
        let listed_too: Vec<String> = evidence.iter().map(|one| ids(&one["id"]).remove(0)).collect();

        prop_assert_eq!(&cited, &structured);
        prop_assert_eq!(listed.iter().map(|id| format!("e{id}")).collect::<Vec<_>>(), listed_too.clone());
        for ids in cited {
            prop_assert!(!ids.is_empty());
            prop_assert!(ids.iter().all(|id| listed_too.contains(id)), "{:?} of {:?}", ids, listed_too);
        }
    }
}

#[test]
fn citations_that_find_no_room_are_counted_and_a_finding_keeps_at_least_one() {
    // By hand: 40 % of 8,000 bytes are two queries of 1,400 and their frames, so the third is listed by its beginning,
    // because the second finding rests on nothing else.
    let all = resting_on_much(&[1_400, 1_400, 1_400], &[vec![0, 1, 2], vec![2]], &[0]);
    let rendered = answer(&all, &call(), Budget::for_detail(Detail::Concise));
    let has = |part: &str| assert!(rendered.text.contains(part), "{part:?} is not in\n{}", rendered.text);
    has("- it rests on this (e1, e2, 1 more omitted)\n- it rests on this (e3)");
    has(" e3 q2xxx");
    has("…(+1242 characters)\n");
    assert_eq!(rendered.structured["findings"][0]["evidence_omitted"], 1);
}

#[test]
fn an_error_stays_within_the_budget_whatever_it_suggests() {
    let long = "é\"".repeat(2_700);
    let mut failure =
        ToolError::new(ErrorKind::TooExpensive, long.clone(), long.clone()).nearest(vec![long.clone(); 9]);
    for _ in 0..4 {
        failure = failure.try_next(Next::call("query_metrics", long.clone()).with("promql", long.clone()));
    }
    let rendered = error(&failure, &call());
    assert!(rendered.text.len() <= 8_000, "text {}", rendered.text.len());
    assert!(rendered.structured.to_string().len() <= 8_000, "json {}", rendered.structured.to_string().len());
}

#[test]
fn a_statement_that_is_too_long_is_cut_not_dropped() {
    let mut draft = Draft::new();
    let cite = draft.cite(Evidence::new("prometheus \"main\"", "up"));
    draft.finding(Finding::new("x".repeat(9_000), cite));
    let rendered = answer(&draft.conclude("nothing"), &call(), Budget::for_detail(Detail::Concise));
    assert!(rendered.text.contains("xxx…(+8000 characters) (e1)"), "{}", rendered.text);
}
