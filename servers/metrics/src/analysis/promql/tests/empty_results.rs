use super::*;

#[test]
fn what_may_filter_everything_is_named_outermost_first() {
    let kinds = |query: &str| -> Vec<String> {
        let name = |filter: &Filter| match filter {
            Filter::Comparison { series, operator, number, number_first } => {
                format!("{series} {operator} {number} {number_first}")
            }
            Filter::Set(operator) | Filter::Matching(operator) => operator.clone(),
            Filter::Absent => "absent".to_owned(),
        };
        filters(&tree(query)).iter().map(name).collect()
    };
    assert_eq!(kinds("sum(rate(a[5m])) > 5"), ["sum(rate(a[5m])) > 5 false"]);
    assert_eq!(kinds("(-3) <= a"), ["a <= -3 true"]);
    assert_eq!(kinds("a > bool 5"), [""; 0]);
    assert_eq!(kinds("absent(a)"), ["absent"]);
    assert_eq!(kinds("a and b / c"), ["and", "/"]);
    assert_eq!(kinds("a or b"), [""; 0]);
    assert_eq!(kinds("a > b"), [">"]);
}

#[test]
fn ranges_too_short_for_their_function_are_found() {
    let short = |query: &str| short_windows(&tree(query), 60.0);
    let found = short("rate(a{b=\"c\"}[15s]) + increase(d[1m]) + max_over_time(e[1s])");
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].function.as_str(), found[0].selector.as_str(), found[0].range),
        ("rate", "a{b=\"c\"}", 15.0)
    );
}
