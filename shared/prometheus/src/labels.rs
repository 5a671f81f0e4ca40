//! The labels of a series.

use contract::Untrusted;

/// The label that holds the metric's name.
const NAME: &str = "__name__";

/// The longest a label's name or value is shown; Kubernetes allows 63 characters, URLs and routes need more.
const SHOWN: usize = 200;

/// The labels of a series, sorted by name, each name once. Equal sets are equal whatever order they came in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Labels(Vec<(Untrusted, Untrusted)>);

impl Labels {
    /// Labels from pairs of name and value in any order; of a name that comes twice the first counts.
    #[must_use]
    pub fn new(pairs: impl IntoIterator<Item = (Untrusted, Untrusted)>) -> Labels {
        let mut pairs: Vec<(Untrusted, Untrusted)> = pairs.into_iter().collect();
        pairs.sort_by(|(one, _), (other, _)| one.inside().cmp(other.inside()));
        pairs.dedup_by(|(later, _), (first, _)| later.inside() == first.inside());
        Labels(pairs)
    }

    /// The metric's name (`__name__`); functions and aggregations drop it.
    #[must_use]
    pub fn name(&self) -> Option<&Untrusted> {
        self.get(NAME)
    }

    /// The value of a label.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Untrusted> {
        let place = self.0.binary_search_by(|(known, _)| known.inside().cmp(name)).ok()?;
        self.0.get(place).map(|(_, value)| value)
    }

    /// Name and value of each label, `__name__` among them, in the order of their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Untrusted, &Untrusted)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// How many labels there are, `__name__` among them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no label at all: what `sum(…)` returns.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The labels as an answer may show them: `http_requests_total{code=500, service=checkout}`, `{code=500}`
    /// without a metric's name, `{}` without any label. For people; queries are built by [`crate::selector`].
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = self.name().map(|name| name.shown(SHOWN)).unwrap_or_default();
        let others: Vec<String> = self
            .iter()
            .filter(|(name, _)| name.inside() != NAME)
            .map(|(name, value)| format!("{}={}", name.shown(SHOWN), value.shown(SHOWN)))
            .collect();
        if !others.is_empty() || text.is_empty() {
            text.push_str(&format!("{{{}}}", others.join(", ")));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use contract::Context;
    use jiff::Timestamp;

    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        let cx = Context::for_test(Timestamp::UNIX_EPOCH);
        Labels::new(pairs.iter().map(|(name, value)| (cx.intake.text(name), cx.intake.text(value))))
    }

    #[test]
    fn labels_read_as_people_write_them() {
        let cases: [(&[(&str, &str)], &str); 6] = [
            (&[], "{}"),
            (&[("__name__", "up")], "up"),
            (&[("code", "500")], "{code=500}"),
            (
                &[("service", "checkout"), ("__name__", "http_requests_total"), ("code", "500")],
                "http_requests_total{code=500, service=checkout}",
            ),
            (&[("route", "/cart, then pay")], "{route=«/cart, then pay»}"),
            (&[("__name__", "queue.age"), ("queue.name", "")], "queue.age{queue.name=«»}"),
        ];
        for (pairs, text) in cases {
            assert_eq!(labels(pairs).text(), text);
        }
    }

    #[test]
    fn the_order_in_which_labels_come_does_not_matter() {
        let one = labels(&[("b", "2"), ("a", "1"), ("__name__", "m")]);
        let other = labels(&[("__name__", "m"), ("a", "1"), ("b", "2")]);
        assert_eq!(one, other);
        assert_eq!(one.iter().map(|(name, _)| name.inside()).collect::<Vec<_>>(), ["__name__", "a", "b"]);
        assert_eq!(one.get("b").map(|value| value.inside()), Some("2"));
        assert_eq!(one.name().map(|value| value.inside()), Some("m"));
        assert_eq!(one.get("c"), None);
    }

    #[test]
    fn of_a_label_that_comes_twice_the_first_counts() {
        let twice = labels(&[("a", "first"), ("a", "second")]);
        assert_eq!((twice.len(), twice.get("a").map(|value| value.inside())), (1, Some("first")));
    }
}
