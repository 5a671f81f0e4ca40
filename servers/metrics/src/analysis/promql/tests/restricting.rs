use super::*;
use queries::anything;

#[path = "../../../../tests/common/queries.rs"]
mod queries;

fn team_a() -> Restriction {
    Restriction::parse(&["namespace=\"team-a\"".to_owned()]).unwrap()
}

fn restricted(query: &str) -> Result<String, &'static str> {
    team_a().apply(query).map_err(|Unrestricted(why)| why)
}

#[test]
fn every_selector_gets_the_matcher_wherever_it_stands() {
    let cases = [
        ("up", "up{namespace=\"team-a\"}"),
        ("{job=\"x\"}", "{job=\"x\", namespace=\"team-a\"}"),
        ("{__name__=~\".+\"}", "{__name__=~\".+\", namespace=\"team-a\"}"),
        (
            "{\"http.requests\", \"k8s.pod\"='p'}",
            "{\"http.requests\", \"k8s.pod\"=\"p\", namespace=\"team-a\"}",
        ),
        ("rate(a[5m] offset 1h)", "rate(a{namespace=\"team-a\"}[5m] offset 1h)"),
        ("a @ 100 offset -5m", "a{namespace=\"team-a\"} @ 100.000 offset -5m"),
        ("a @ end()", "a{namespace=\"team-a\"} @ end()"),
        (
            "topk(scalar(sum(rate(huge[30d]))), up)",
            "topk(scalar(sum(rate(huge{namespace=\"team-a\"}[30d]))), up{namespace=\"team-a\"})",
        ),
        (
            "max_over_time(sum by (x) (rate(a[1m]))[1h:90s] offset 1d)",
            "max_over_time(sum by (x) (rate(a{namespace=\"team-a\"}[1m]))[1h:90s] offset 1d)",
        ),
        (
            "a / on (x) group_left (y) b > bool 5",
            "a{namespace=\"team-a\"} / on (x) group_left (y) b{namespace=\"team-a\"} > bool 5",
        ),
        ("sum(a) by ()", "sum by () (a{namespace=\"team-a\"})"),
        ("a and ignoring () b", "a{namespace=\"team-a\"} and ignoring () b{namespace=\"team-a\"}"),
        (
            "label_replace(a, \"namespace\", \"team-b\", \"\", \"\")",
            "label_replace(a{namespace=\"team-a\"}, \"namespace\", \"team-b\", \"\", \"\")",
        ),
        ("info(a, {k=~\".+\"})", "info(a{namespace=\"team-a\"}, {k=~\".+\", namespace=\"team-a\"})"),
        ("time() - 5 * -vector(1)", "time() - 5 * -vector(1)"),
        ("absent(a{namespace=\"team-b\"})", "absent(a{namespace=\"team-b\", namespace=\"team-a\"})"),
        // What is there already is not repeated.
        ("a{namespace=\"team-a\"}", "a{namespace=\"team-a\"}"),
    ];
    for (query, expected) in cases {
        assert_eq!(restricted(query).as_deref(), Ok(expected), "{query}");
    }
}

#[test]
fn a_querys_own_matchers_cannot_widen() {
    for own in
        ["namespace=\"team-b\"", "namespace=~\".*\"", "namespace!=\"team-a\"", "namespace=~\"team-a|team-b\""]
    {
        let text = restricted(&format!("a{{{own}}}")).unwrap();
        assert_eq!(text, format!("a{{{own}, namespace=\"team-a\"}}"));
    }
}

#[test]
fn what_only_looks_like_the_matcher_is_none() {
    let cases = [
        ("a # {namespace=\"team-a\"}", "a{namespace=\"team-a\"}"),
        ("a{b=\"}\"} # \n or # \"\n c", "a{b=\"}\", namespace=\"team-a\"} or c{namespace=\"team-a\"}"),
        ("a{b=\",namespace=\\\"team-a\\\"}\"}", "a{b=\",namespace=\\\"team-a\\\"}\", namespace=\"team-a\"}"),
        (
            "a{b='\",namespace=\"team-b\"} or x{c=\"'}",
            "a{b=\"\\\",namespace=\\\"team-b\\\"} or x{c=\\\"\", namespace=\"team-a\"}",
        ),
        ("a{b=\"\\\\\"}", "a{b=\"\\\\\", namespace=\"team-a\"}"),
        ("a{b=\"\\x41\\u00e9\\n\"}", "a{b=\"Aé\\n\", namespace=\"team-a\"}"),
        ("a{\"namespace\"=\"team-a\"}", "a{namespace=\"team-a\"}"),
        ("a{\"name\\\"space\"=\"team-a\"}", "a{\"name\\\"space\"=\"team-a\", namespace=\"team-a\"}"),
    ];
    for (query, expected) in cases {
        assert_eq!(restricted(query).as_deref(), Ok(expected), "{query}");
    }
}

#[test]
fn what_cannot_be_restricted_is_refused() {
    for query in [
        "a{job=\"x\" or job=\"y\"}",
        "{job=\"x\" or namespace=\"team-a\"}",
        "info(a)",
        "rate(a[5m] anchored)",
        "a default 0",
        "WITH (x = a) x",
        "a[5m + 1m]",
        "sum(a",
        "a}",
        "",
        "a{b=\"x\"}{c=\"y\"}",
        "{}",
        "{job=~\".*\"}",
        "a + fill(0) b",
        // This parser takes a backslash within backticks for an escape.
        "a{b=`\\`}",
    ] {
        assert!(restricted(query).is_err(), "{query}: {:?}", restricted(query));
    }
    assert!(restricted(&format!("{}a{}", "(".repeat(70), ")".repeat(70))).is_err());
}

#[test]
fn matchers_of_the_configuration_are_single_and_exclude_series_without_the_label() {
    let parse = |text: &str| Restriction::parse(&[text.to_owned()]);
    for text in ["namespace=\"team-a\"", "cluster=~\"eu-.+\"", "\"k8s.namespace\"='a'", " a = \"b\" "] {
        assert!(parse(text).is_ok(), "{text}");
    }
    for text in [
        "",
        "namespace",
        "namespace=team-a",
        "namespace=\"\"",
        "namespace=~\".*\"",
        "namespace!=\"team-b\"",
        "a=\"b\",c=\"d\"",
        "a=\"b\"} or up{c=\"d\"",
        "a=\"b\" or c=\"d\"",
        "a=\"b\"}[5m] # ",
        "up{a=\"b\"}",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
    let two = Restriction::parse(&["a=\"1\"".to_owned(), "b=~\"2|3\"".to_owned()]).unwrap();
    assert_eq!(two.selector(), "{a=\"1\", b=~\"2|3\"}");
    assert_eq!(two.apply("x{b=\"2\"}").unwrap(), "x{b=\"2\", a=\"1\", b=~\"2|3\"}");
}

#[test]
fn a_silence_of_another_tenant_is_not_shown() {
    let cases = [
        ("namespace", "=", "team-a", true),
        ("namespace", "=", "team-b", false),
        ("namespace", "=~", "team-(a|b)", true),
        ("namespace", "=~", "team-[bc]", false),
        ("namespace", "!=", "team-b", true),
        ("namespace", "!~", "team-a", false),
        ("namespace", "=~", "(", false),
        ("alertname", "=", "x", true),
    ];
    for (label, operator, value, expected) in cases {
        assert_eq!(team_a().may_concern(label, operator, value), expected, "{label}{operator}{value}");
    }
}

/// Every selector of a text that is read anew, as the parser's own walker and its own `Debug` see them: neither is
/// what put the matcher in.
fn escapes(text: &str) -> Option<String> {
    let tree = promql_parser::parser::parse(text).ok()?;
    let wanted =
        promql_parser::label::Matcher::new(promql_parser::label::MatchOp::Equal, "namespace", "team-a");
    selectors(&tree)
        .iter()
        .find(|one| {
            let has_it = one.selector.matchers.matchers.contains(&wanted);
            !has_it || !one.selector.matchers.or_matchers.is_empty()
        })
        .map(|one| one.selector.to_string())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn no_query_escapes_its_restriction(query in anything()) {
        if let Ok(text) = restricted(&query) {
            prop_assert_eq!(escapes(&text), None, "{} became {}", query, text);
            // As many selectors as were written, no more and no fewer.
            prop_assert_eq!(selectors(&tree(&query)).len(), selectors(&tree(&text)).len());
            // Again changes nothing.
            prop_assert_eq!(restricted(&text), Ok(text.clone()));
        }
    }

    #[test]
    fn no_text_whatever_escapes_its_restriction(query in "\\PC{0,60}|[a-z(\\[{}\\])\"'`\\\\ \n#=~!:0-9@$+-,]{0,80}") {
        if let Ok(text) = restricted(&query) {
            prop_assert_eq!(escapes(&text), None, "{} became {}", query, text);
        }
    }
}

#[test]
fn most_generated_queries_can_be_restricted() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let all: Vec<String> = (0..500).map(|_| anything().new_tree(&mut runner).unwrap().current()).collect();
    let kept = all.iter().filter(|query| restricted(query).is_ok()).count();
    // Otherwise the properties above would hold of nothing.
    assert!(kept > 150, "{kept} of 500");
}

#[test]
fn an_expression_that_asks_for_others_is_not_silent_about_them() {
    let only = Restriction::parse(&["namespace=\"a\"".to_owned()]).unwrap();
    for query in ["up", "rate(x{namespace=\"a\"}[5m]) > 1", "sum by (namespace) (x{job=\"b\"})"] {
        assert!(only.is_silent(query), "{query}");
    }
    for query in [
        "x{namespace=\"b\"}",
        "up and rate(x{namespace=~\"a|b\"}[5m])",
        "x{namespace!=\"b\"}",
        "topk(scalar(x{namespace=\"b\"}), up)",
        "{namespace=\"a\" or namespace=\"b\"}",
        "not PromQL",
    ] {
        assert!(!only.is_silent(query), "{query}");
    }
}
