use promql_parser::{label, parser};
use proptest::prelude::*;

use super::*;

/// What PromQL understands: the metric, and each matcher as name, operator and value.
#[derive(Debug, PartialEq)]
struct Understood {
    metric: Option<String>,
    matchers: Vec<(String, String, String)>,
}

fn understand(text: &str) -> Understood {
    let parsed = parser::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let parser::Expr::VectorSelector(selector) = parsed else { panic!("{text} is no selector") };
    assert!(selector.matchers.or_matchers.is_empty() && selector.at.is_none() && selector.offset.is_none());
    let mut metric = selector.name;
    let mut matchers = Vec::new();
    for matcher in selector.matchers.matchers {
        let op = match matcher.op {
            label::MatchOp::Equal => "=",
            label::MatchOp::NotEqual => "!=",
            label::MatchOp::Re(_) => "=~",
            label::MatchOp::NotRe(_) => "!~",
        };
        if matcher.name == "__name__" && op == "=" {
            assert_eq!(metric.replace(matcher.value), None, "{text}: two names");
        } else {
            matchers.push((matcher.name, op.to_owned(), matcher.value));
        }
    }
    Understood { metric, matchers }
}

#[test]
fn names_of_labels_are_quoted_where_they_need_it() {
    for (name, written) in
        [("code", "code"), ("by", "by"), ("queue.name", "\"queue.name\""), ("a\"b", r#""a\"b""#)]
    {
        assert_eq!(label_name(name), written);
        let query = format!("sum by ({written}) (up)");
        assert!(parser::parse(&query).is_ok(), "{query}");
    }
}

#[test]
fn selectors_read_as_people_write_them() {
    use MatchOp::{Equal, NotEqual, NotRegex, Regex};
    type Case = (Option<&'static str>, &'static [(&'static str, MatchOp, &'static str)], &'static str);
    let cases: [Case; 10] = [
        (Some("up"), &[], "up"),
        (
            Some("http_requests_total"),
            &[("service", Equal, "checkout"), ("code", Regex, "5..")],
            r#"http_requests_total{service="checkout", code=~"5.."}"#,
        ),
        (None, &[("job", NotEqual, "a"), ("pod", NotRegex, "b|c")], r#"{job!="a", pod!~"b|c"}"#),
        (
            Some("http.server.request.duration"),
            &[("k8s.pod", Equal, "x")],
            r#"{"http.server.request.duration", "k8s.pod"="x"}"#,
        ),
        (Some("job:rate5m"), &[], "job:rate5m"),
        (Some("Sum"), &[], r#"{__name__="Sum"}"#),
        (Some("up"), &[("a", Equal, "say \"hi\"\\\n")], r#"up{a="say \"hi\"\\\n"}"#),
        (Some("up"), &[("a", Equal, "\u{0}\u{7f}\u{85}")], r#"up{a="\u0000\u007f\u0085"}"#),
        (None, &[], r#"{__name__!=""}"#),
        (Some(""), &[], r#"{__name__!=""}"#),
    ];
    for (metric, matchers, expected) in cases {
        assert_eq!(selector(metric, matchers), expected);
    }
}

#[test]
fn a_metric_may_be_called_like_a_word_of_the_language() {
    for name in
        ["nan", "Inf", "sum", "by", "offset", "bool", "quantile", "start", "end", "atan2", "fill", "max_of"]
    {
        let expected = Understood { metric: Some(name.to_owned()), matchers: Vec::new() };
        assert_eq!(understand(&selector(Some(name), &[])), expected);
    }
}

fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-zA-Z_:][a-zA-Z0-9_:]{0,12}",
        1 => prop::sample::select(vec!["by", "sum", "nan", "le", "k8s.pod", "a b", "\"", "\\", "1x", "\n"])
            .prop_map(str::to_owned),
        2 => "\\PC{1,10}",
        1 => any::<String>().prop_filter("a name is not empty", |name| !name.is_empty()),
    ]
}

fn any_matcher() -> impl Strategy<Value = (String, MatchOp, String)> {
    let value = prop_oneof!["\\PC{0,12}", any::<String>(), r#"[\\"'`{}=~,\n\t\r]{0,8}"#];
    let op = prop::sample::select(vec![MatchOp::Equal, MatchOp::NotEqual, MatchOp::Regex, MatchOp::NotRegex]);
    (any_name(), op, value).prop_map(|(name, op, value)| {
        let regex = matches!(op, MatchOp::Regex | MatchOp::NotRegex);
        // Only a valid expression parses: one that matches exactly the value.
        let value = if regex { value.chars().map(as_expression).collect() } else { value };
        (name, op, value)
    })
}

fn as_expression(character: char) -> String {
    if character.is_ascii_punctuation() { format!("\\{character}") } else { character.to_string() }
}

proptest! {
    #[test]
    fn whatever_is_in_names_and_values_promql_understands_the_same(
        metric in any_name(),
        matchers in prop::collection::vec(any_matcher(), 0..4),
    ) {
        // `__name__` as a label would be a second metric name.
        prop_assume!(matchers.iter().all(|(name, _, _)| name != "__name__"));
        let given: Vec<(&str, MatchOp, &str)> =
            matchers.iter().map(|(name, op, value)| (name.as_str(), *op, value.as_str())).collect();
        let expected = Understood {
            metric: Some(metric.clone()),
            matchers: matchers
                .iter()
                .map(|(name, op, value)| (name.clone(), op.to_string(), value.clone()))
                .collect(),
        };
        prop_assert_eq!(understand(&selector(Some(&metric), &given)), expected);
    }
}

/// The first six are what `EscapeName` of `prometheus/common` v0.71.0 (`model/metric_test.go`) gives. The rest a
/// Prometheus 3.15 with labels of these names answered with the right values.
#[test]
fn label_names_are_escaped_as_prometheus_3_decodes_them() {
    let cases = [
        ("mysystem.prod.west.cpu.load", "U__mysystem_2e_prod_2e_west_2e_cpu_2e_load"),
        ("mysystem.prod.west.cpu.load_total", "U__mysystem_2e_prod_2e_west_2e_cpu_2e_load__total"),
        ("http.status:sum", "U__http_2e_status:sum"),
        ("label with 😱", "U__label_20_with_20__1f631_"),
        ("花火", "U___82b1__706b_"),
        ("label with \u{100}", "U__label_20_with_20__100_"),
        ("service", "service"),
        ("_y", "_y"),
        ("__name__", "__name__"),
        ("U__x", "U__U____x"),
        ("1x", "U___31_x"),
        ("é_x", "U___e9___x"),
        ("slash/x", "U__slash_2f_x"),
        ("..", "U___2e__2e_"),
        ("quo\"te", "U__quo_22_te"),
    ];
    for (name, escaped) in cases {
        assert_eq!(escape_label_name(name), escaped);
    }
}
