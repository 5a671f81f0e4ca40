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
