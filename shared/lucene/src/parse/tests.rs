use proptest::prelude::*;

use super::*;

fn word(text: &str) -> Query {
    Query::Term(None, Value::Words(text.to_owned()))
}

fn of(field: &str, value: Value) -> Query {
    Query::Term(Some(field.to_owned()), value)
}

fn not(query: Query) -> Query {
    Query::Not(Box::new(query))
}

#[test]
fn the_subset_is_read() {
    let words = |text: &str| Value::Words(text.to_owned());
    let range = |from: Option<(&str, bool)>, to: Option<(&str, bool)>| Value::Range {
        from: from.map(|(text, counts)| (text.to_owned(), counts)),
        to: to.map(|(text, counts)| (text.to_owned(), counts)),
    };
    for (text, query) in [
        ("", Query::All(vec![])),
        ("*", Query::All(vec![])),
        ("*:*", Query::All(vec![])),
        ("timeout", word("timeout")),
        ("pool timeout", Query::All(vec![word("pool"), word("timeout")])),
        ("pool AND timeout", Query::All(vec![word("pool"), word("timeout")])),
        ("pool && +timeout", Query::All(vec![word("pool"), word("timeout")])),
        ("a OR b || c", Query::Any(vec![word("a"), word("b"), word("c")])),
        ("a AND (b OR c)", Query::All(vec![word("a"), Query::Any(vec![word("b"), word("c")])])),
        ("a -b NOT c !d", Query::All(vec![word("a"), not(word("b")), not(word("c")), not(word("d"))])),
        ("NOT a", not(word("a"))),
        ("NOT (a OR b)", not(Query::Any(vec![word("a"), word("b")]))),
        ("\"pool \\\"x\\\" full\"", Query::Term(None, Value::Phrase("pool \"x\" full".to_owned()))),
        ("service.name:payment", of("service.name", words("payment"))),
        ("level:(error OR warn)", Query::Any(vec![of("level", words("error")), of("level", words("warn"))])),
        ("a.b:\"x y\"", of("a.b", Value::Phrase("x y".to_owned()))),
        ("status:[500 TO 599]", of("status", range(Some(("500", true)), Some(("599", true))))),
        ("status:{500 TO *}", of("status", range(Some(("500", false)), None))),
        ("at:[\"2026-01-14T14:00:00Z\" TO *]", of("at", range(Some(("2026-01-14T14:00:00Z", true)), None))),
        ("ms:>=100", of("ms", range(Some(("100", true)), None))),
        ("ms:<100", of("ms", range(None, Some(("100", false))))),
        ("pay*", Query::Term(None, Value::Wildcard("pay*".to_owned()))),
        ("a\\*b?c", Query::Term(None, Value::Wildcard("a\\*b?c".to_owned()))),
        ("_exists_:trace.id", of("trace.id", Value::Exists)),
        ("trace.id:*", of("trace.id", Value::Exists)),
        ("a\\:b \\AND \\(x", Query::All(vec![word("a:b"), word("AND"), word("(x")])),
        ("order-7 a+b", Query::All(vec![word("order-7"), word("a+b")])),
        ("and or not", Query::All(vec![word("and"), word("or"), word("not")])),
    ] {
        assert_eq!(parse(text), Ok(query), "{text}");
    }
}

#[test]
fn whatever_is_outside_of_the_subset_is_named_with_its_position() {
    for (text, position, problem) in [
        ("a OR b c", 8, "AND and OR stand side by side"),
        ("a AND b OR c", 7, "AND and OR stand side by side"),
        ("a OR -b", 6, "a sign or NOT stands beside OR"),
        ("a AND (NOT b)", 8, "a parenthesis holds only negations"),
        ("*pool", 1, "a wildcard leads the word"),
        ("x m:?ool", 5, "a wildcard leads the word"),
        ("tiemout~", 8, "`~` asks for what is similar"),
        ("\"a b\"~3", 6, "`~` asks for what is similar"),
        ("a^2", 2, "`^` boosts"),
        ("m:/a.*/", 3, "`/` begins a regular expression"),
        ("é /a", 3, "`/` begins a regular expression"),
        ("a/b", 2, "`/` begins a regular expression"),
        ("fie*:x", 1, "a wildcard stands in the name of a field"),
        ("(a", 1, "`(` is not closed"),
        ("a)", 2, "`)` closes nothing"),
        ("()", 1, "the parentheses are empty"),
        ("\"a", 1, "`\"` is not closed"),
        ("m:[1 TO", 8, "a bound of the range is missing"),
        ("m:[1 2]", 3, "the range has no TO"),
        ("[1 TO 2]", 1, "a range has no field"),
        ("AND a", 1, "nothing stands before AND"),
        ("a AND", 6, "nothing follows the operator"),
        ("a AND OR b", 7, "OR stands where a word is expected"),
        ("m:", 1, "the field m has no value"),
        ("--- ", 1, "nothing follows the operator"),
        ("=", 1, "there is no word to look for"),
        ("\"--\"", 1, "there is no word to look for"),
        ("a : b", 3, "`:` stands alone"),
    ] {
        let error = parse(text).expect_err(text);
        assert!(error.problem.starts_with(problem) && error.position == position, "{text}: {error}");
        assert!(!error.remedy.is_empty(), "{text}");
    }
    assert!(parse(&"(".repeat(100)).unwrap_err().problem.starts_with("more than 20"));
    assert!(parse(&"a ".repeat(5_000)).unwrap_err().problem.starts_with("the query is longer"));
}

fn value() -> impl Strategy<Value = Value> {
    let text = "[a-z]{1,3}[ -~é]{0,6}";
    let bound = proptest::option::of((
        "[0-9a-zT:. \"\\\\-]{1,8}".prop_filter("`*` is none", |text| text != "*"),
        any::<bool>(),
    ));
    prop_oneof![
        text.prop_map(Value::Words),
        text.prop_map(Value::Phrase),
        "[a-z]{1,3}(\\*|\\?)[a-z.:-]{0,3}".prop_map(Value::Wildcard),
        (bound.clone(), bound).prop_map(|(from, to)| Value::Range { from, to }),
        Just(Value::Exists),
    ]
}

fn term() -> impl Strategy<Value = Query> {
    (proptest::option::of("[a-z@_][a-z.:_ -]{0,6}"), value()).prop_map(|(name, value)| {
        let needs_name = matches!(value, Value::Range { .. } | Value::Exists);
        let name = name.or_else(|| needs_name.then(|| "f".to_owned())).filter(|name| name != "_exists_");
        Query::Term(name, value)
    })
}

/// Queries that can be written: no negation beside OR, no group of negations only.
fn query() -> impl Strategy<Value = Query> {
    term().prop_recursive(3, 20, 4, |inner| {
        let positive = inner.prop_filter("no negation", |query| !matches!(query, Query::Not(_)));
        let all = (
            proptest::collection::vec(positive.clone(), 1..3),
            proptest::collection::vec(positive.clone(), 0..3),
        )
            .prop_filter_map("at least two", |(yes, no)| {
                let parts: Vec<Query> = yes.into_iter().chain(no.into_iter().map(not)).collect();
                (parts.len() > 1).then_some(Query::All(parts))
            });
        prop_oneof![
            all,
            proptest::collection::vec(positive.clone(), 2..4).prop_map(Query::Any),
            positive.prop_map(not)
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(query in query()) {
        let text = query.to_string();
        prop_assert_eq!(parse(&text), Ok(query), "{}", text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "([a-z():\"*?\\\\ +!~^/\\[\\]{}<>=&|-]|AND|OR|NOT|TO|\\PC){0,40}") {
        match parse(&text) {
            Ok(query) => prop_assert_eq!(parse(&query.to_string()), Ok(query)),
            Err(error) => prop_assert!(error.position <= text.chars().count() + 1 && !error.remedy.is_empty()),
        }
    }
}
