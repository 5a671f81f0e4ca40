use super::*;

#[test]
fn an_excerpt_points_at_the_place() {
    assert_eq!(excerpt("sum(rate(x[1m])", 1, 16).as_deref(), Some("sum(rate(x[1m])\n               ^"));
    assert_eq!(excerpt("up{a=\"x\",\n foo=}", 2, 6).as_deref(), Some(" foo=}\n     ^"));
    // Columns count bytes: é has two, so byte 6 is the fifth character.
    assert_eq!(excerpt("a{é=1}", 1, 6).as_deref(), Some("a{é=1}\n    ^"));
    let long = format!("{}!{}", "a".repeat(100), "b".repeat(100));
    let shown = excerpt(&long, 1, 101).unwrap();
    assert_eq!(shown, format!("…{}!{}…\n{}^", "a".repeat(60), "b".repeat(29), " ".repeat(61)));
    for (line, column) in [(0, 1), (1, 0), (3, 1)] {
        assert_eq!(excerpt("up", line, column), None);
    }
    assert_eq!(excerpt("up", 1, 99).as_deref(), Some("up\n  ^"));
}

/// Messages as Prometheus 3.15 and 2.42 write them (asked at the testbed).
#[test]
fn usual_mistakes_have_a_hint() {
    let cases = [
        (
            "rate(up)",
            "expected type range vector in call to function \"rate\", got instant vector",
            "add a range",
        ),
        (
            "abs(up[5m])",
            "expected type instant vector in call to function \"abs\", got range vector",
            "reduce the range first",
        ),
        (
            "up[5m]",
            "invalid expression type \"range vector\" for range query, must be Scalar or instant Vector",
            "over a time_range each step",
        ),
        ("sum(rate(up[1m])", "unclosed left parenthesis", "the ( at character 4 is not closed"),
        ("sum(up))", "unexpected right parenthesis ')'", "there is one ) too many"),
        (
            "up{job=load}",
            "unexpected identifier \"load\" in label matching, expected string",
            "put the label's value in double quotes",
        ),
        ("up = 1", "unexpected \"=\"", "compare values with =="),
        ("rate(up[1min])", "bad number or duration syntax: \"1mi\"", "durations are whole numbers"),
        (
            "median_over_time(up[5m])",
            "unknown function with name \"median_over_time\"",
            "`median_over_time` is MetricsQL",
        ),
        ("up default 0", "unexpected identifier \"default\"", "`default` is MetricsQL"),
        ("rat(up[5m])", "unknown function with name \"rat\"", "PromQL has no such function; nearest: rate"),
        ("up{“job”=\"x\"}", "unexpected character inside braces: '“'", "use plain quotes"),
        (
            "sum by job (up)",
            "unexpected identifier \"job\" in grouping opts, expected \"(\"",
            "labels to group by stand in parentheses",
        ),
        ("rate(sum(up)[5m])", "ranges only allowed for vector selectors", "rate comes before sum"),
        ("{}", "vector selector must contain at least one non-empty matcher", "name a metric"),
        (
            "up{a=~\"*x\"}",
            "error parsing regexp: missing argument to repetition operator: `*`",
            "=~ takes an RE2 expression",
        ),
        (
            "a * on() a",
            "found duplicate series for the match group {} on the right hand-side of the operation",
            "one side has several",
        ),
        (
            "{\"a.b\"}",
            "unexpected string \"\\\"a.b\\\"\" in label matching, expected identifier or \"}\"",
            "names in quotes need Prometheus 3",
        ),
        ("up foo", "unexpected identifier \"foo\"", ""),
    ];
    for (query, message, expected) in cases {
        let hint = hint(message, &read(query).unwrap());
        assert!(hint.starts_with(expected) && hint.is_empty() == expected.is_empty(), "{query}: {hint}");
    }
}
