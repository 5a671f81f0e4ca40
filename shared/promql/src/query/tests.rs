use super::*;
use crate::plan::{Aggregation, Scalar};

fn refused(query: &str) -> ParseError {
    Query::parse(query).unwrap_err()
}

fn unsupported(query: &str) -> String {
    Query::parse(query).unwrap().unsupported().unwrap_or_else(|| panic!("{query} is supported")).to_owned()
}

#[test]
fn what_is_outside_the_subset_is_named() {
    for (query, what) in [
        ("info(up)", "the function info()"),
        ("sum(mad_over_time(up[5m]))", "the function mad_over_time()"),
        ("double_exponential_smoothing(up[5m], 0.5, 0.5)", "the function double_exponential_smoothing()"),
        ("sort_by_label(up, \"job\")", "the function sort_by_label()"),
        ("histogram_count(up)", "the function histogram_count()"),
        ("up + start()", "the function start()"),
        ("limitk(3, up)", "the aggregation limitk()"),
        ("limit_ratio(0.5, up)", "the aggregation limit_ratio()"),
        ("up + fill(0) up", "the modifier `fill`"),
        ("rate(up[5m] smoothed)", "the modifier `smoothed`"),
        ("up anchored", "the modifier `anchored`"),
        ("rate(up[5m * 2])", "arithmetic with durations"),
        ("rate(up[step()])", "arithmetic with durations"),
        ("up offset (1h - 5m)", "arithmetic with durations"),
        ("up offset -(1h)", "arithmetic with durations"),
    ] {
        assert_eq!(unsupported(query), what, "{query}");
    }
    assert!(Query::parse("rate(up[5m] offset -1m)").unwrap().unsupported().is_none());
}

#[test]
fn messages_name_what_was_written_not_what_stood_for_it() {
    assert_eq!(
        refused("up{job=\"a\", __name__=\"b\"}").message,
        "the metric name must not be set twice: \"up\" and within the braces"
    );
    assert_eq!(refused("up{\"x\"}").message, "metric name must not be set twice: 'up' or 'x'");
    assert_eq!(
        refused("up + on(\"a.b\") group_left(\"a.b\") up").message,
        "the label \"a.b\" must not be in on() and in the group modifier"
    );
}

#[test]
fn too_many_patterns_or_levels_are_refused() {
    let patterns = vec!["a=~\"b\""; 65].join(",");
    assert_eq!(
        refused(&format!("up{{{patterns}}}")).message,
        "the query has more than 64 regular expressions"
    );
    assert_eq!(
        refused(&format!("{}up", "-".repeat(300))).message,
        "the query is nested deeper than 100 levels"
    );
}

/// The one case where the parameter of an aggregation is taken at the first step, as in Prometheus.
#[test]
fn what_does_not_change_from_step_to_step_is_evaluated_once() {
    let once = |query: &str| match Query::parse(query).unwrap().plan {
        Plan::Evaluable(Node::Vector(Vector::Invariant(_)) | Node::Scalar(Scalar::Invariant(_))) => true,
        Plan::Evaluable(_) => false,
        Plan::Unsupported(what) => panic!("{what}"),
    };
    for query in [
        "up @ 5",
        "rate(up[5m] @ end())",
        "topk(scalar(up), up @ 5)",
        "vector(1)",
        "timestamp(up @ 5)",
        "-up @ 5",
    ] {
        assert!(once(query), "{query}");
    }
    for query in [
        "up",
        "time()",
        "up @ 5 + up",
        "timestamp(abs(up @ 5))",
        "minute(up @ 5)",
        "predict_linear(up[5m] @ 5, 1)",
        "1",
    ] {
        assert!(!once(query), "{query}");
    }
    let Plan::Evaluable(Node::Vector(Vector::Aggregated(aggregated))) =
        Query::parse("topk(2, up)").unwrap().plan
    else {
        panic!("an aggregation")
    };
    assert!(matches!(aggregated.aggregation, Aggregation::Top(Scalar::Number(2.0))));
}

#[test]
fn only_plain_selectors_are_selectors() {
    assert!(Selector::parse("up{job=~\"a|b\"}").is_ok());
    for other in ["up offset 5m", "up @ 5", "sum(up)", "up[5m]", "1", "{}", "info(up)"] {
        assert!(Selector::parse(other).is_err(), "{other}");
    }
}
