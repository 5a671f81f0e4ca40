//! What this server takes from the alias file: by which labels the series of a service are found.

use std::collections::BTreeMap;

use promql_parser::{label::MatchOp as Parsed, parser::Expr};

use crate::model::MatchOp;

/// One condition on a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Matcher {
    /// The label's name.
    pub(crate) label: String,
    /// How it compares.
    pub(crate) op: MatchOp,
    /// The value, or the regular expression that the whole value matches.
    pub(crate) value: String,
}

impl Matcher {
    /// This label has exactly this value.
    pub(crate) fn equal(label: &str, value: &str) -> Matcher {
        Matcher { label: label.to_owned(), op: MatchOp::Equal, value: value.to_owned() }
    }

    /// The whole value of this label matches this regular expression.
    pub(crate) fn regex(label: &str, pattern: &str) -> Matcher {
        Matcher { label: label.to_owned(), op: MatchOp::Regex, value: pattern.to_owned() }
    }

    /// As selectors are written from.
    pub(crate) fn parts(&self) -> (&str, MatchOp, &str) {
        (&self.label, self.op, &self.value)
    }
}

/// Matchers that hold together: one way to find series of a service.
pub(crate) type Matchers = Vec<Matcher>;

/// Canonical names of services, each with the ways to find its series.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Aliases {
    services: BTreeMap<String, Vec<Matchers>>,
}

impl Aliases {
    /// The matchers of the file: `prometheus = ['service="checkout"', 'namespace="shop",container="checkout"']`.
    ///
    /// # Errors
    /// Which entry is none; never a value that could be a secret.
    pub(crate) fn of_file(file: &runtime::Aliases) -> Result<Aliases, String> {
        let ways = |(service, texts): (&str, &[String])| {
            let ways: Option<Vec<Matchers>> = texts.iter().map(|text| matchers(text)).collect();
            let wrong = || {
                format!("`{service}.prometheus` is not a list of matchers such as 'service=\"{service}\"'")
            };
            Ok((service.to_owned(), ways.ok_or_else(wrong)?))
        };
        let services: Result<_, String> = file.all("prometheus").map(ways).collect();
        Ok(Aliases { services: services? })
    }

    /// The ways to find the series of this service; empty without an alias.
    pub(crate) fn of(&self, service: &str) -> &[Matchers] {
        self.services.get(service).map_or(&[], Vec::as_slice)
    }
}

/// The conditions in `namespace="shop",container="checkout"`, with or without braces; `None` when it is anything else.
fn matchers(text: &str) -> Option<Matchers> {
    const LONGEST: usize = 1_000;
    let text = text.trim();
    if text.len() > LONGEST {
        return None;
    }
    let inner = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(text);
    let Ok(Expr::VectorSelector(parsed)) = promql_parser::parser::parse(&format!("{{{inner}}}")) else {
        return None;
    };
    if parsed.name.is_some() || !parsed.matchers.or_matchers.is_empty() || parsed.offset.is_some() {
        return None;
    }
    let one = |matcher: &promql_parser::label::Matcher| {
        let op = match &matcher.op {
            Parsed::Equal => MatchOp::Equal,
            Parsed::NotEqual => MatchOp::NotEqual,
            Parsed::Re(_) => MatchOp::Regex,
            Parsed::NotRe(_) => MatchOp::NotRegex,
        };
        Matcher { label: matcher.name.clone(), op, value: matcher.value.clone() }
    };
    let all: Matchers = parsed.matchers.matchers.iter().map(one).collect();
    (!all.is_empty()).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Aliases, String> {
        Aliases::of_file(&runtime::Aliases::parse(text).unwrap())
    }

    #[test]
    fn each_text_is_one_way_to_find_the_series() {
        let text = r#"
            [checkout]
            prometheus = ['service="checkout"', '{namespace="shop", pod=~"checkout-.*"}']
            kubernetes = "shop/deployment/checkout"
            [mail]
            logs = "mailer"
        "#;
        let aliases = parsed(text).unwrap();
        let pods = vec![Matcher::equal("namespace", "shop"), Matcher::regex("pod", "checkout-.*")];
        assert_eq!(aliases.of("checkout"), [vec![Matcher::equal("service", "checkout")], pods]);
        assert!(aliases.of("mail").is_empty() && aliases.of("cart").is_empty());
    }

    #[test]
    fn what_is_no_list_of_matchers_is_refused_by_name() {
        for text in [
            "[checkout]\nprometheus = ['checkout']",
            "[checkout]\nprometheus = ['service=\"checkout\"} or {job=\"x\"']",
            "[checkout]\nprometheus = ['service=\"a\" or job=\"b\"']",
            "[checkout]\nprometheus = ['']",
        ] {
            let error = parsed(text).unwrap_err();
            assert!(error.starts_with("`checkout.prometheus` is not a list of matchers"), "{text}: {error}");
        }
    }
}
