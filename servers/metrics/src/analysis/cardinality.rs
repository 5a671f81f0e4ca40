//! What multiplies the series of a metric, and what to do about it.

use super::search::labels::is_machine;

/// A label with so many values names things, not kinds of things.
const MANY_VALUES: u64 = 100;
/// Words of labels that name one thing of an open set.
const IDENTITIES: [&str; 20] = [
    "id", "uid", "uuid", "guid", "user", "username", "email", "session", "token", "trace", "span", "request",
    "url", "uri", "path", "query", "address", "ip", "hash", "key",
];
/// Words of labels that change with every deployment.
const VERSIONS: [&str; 5] = ["version", "revision", "commit", "build", "template"];

/// What one label does to a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LabelCost<'l> {
    pub(crate) label: &'l str,
    /// How many values it has.
    pub(crate) values: u64,
    /// How many series would be left without it.
    pub(crate) left: u64,
}

/// The label without which fewest series would be left; the first by name of equals. `None` where no label takes any
/// away.
pub(crate) fn multiplier<'l>(series: u64, labels: &[LabelCost<'l>]) -> Option<LabelCost<'l>> {
    let saving = labels.iter().filter(|cost| cost.left < series);
    saving.copied().min_by_key(|cost| (cost.left, std::cmp::Reverse(cost.values), cost.label))
}

/// The share of the series seen in a window that are gone at its end, 0 to 1; `None` when none was seen.
pub(crate) fn churn(now: u64, seen: u64) -> Option<f64> {
    (seen > 0).then(|| 1.0 - (now.min(seen) as f64 / seen as f64))
}

/// What to do about a metric that a label multiplies. `metric` and `label` are names as an answer may show them.
pub(crate) fn remedy(metric: &str, label: &str, cost: LabelCost<'_>, series: u64) -> String {
    let left = cost.left;
    if cost.label == "le" {
        return format!("fewer buckets, or a native histogram: {series} → {left} series");
    }
    if is_machine(cost.label) {
        return format!(
            "replicas: expected; if nobody looks at one of them, a recording rule `sum without ({label}) (…)` leaves \
             {left} series"
        );
    }
    let words: Vec<String> = cost.label.split(['_', '.', '-']).map(str::to_lowercase).collect();
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    if has(&VERSIONS) {
        return format!("changes with each deployment: move {label} to an info metric; {left} series stay");
    }
    if has(&IDENTITIES) || cost.values >= MANY_VALUES {
        return format!(
            "{label} is an open set: drop it where the metric is made ({left} series stay), or drop the metric: \
             metric_relabel_configs: [{{source_labels: [__name__], regex: {metric}, action: drop}}]"
        );
    }
    format!("aggregate: a recording rule `sum without ({label}) (…)` leaves {left} series")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(label: &str, values: u64, left: u64) -> LabelCost<'_> {
        LabelCost { label, values, left }
    }

    #[test]
    fn the_label_without_which_fewest_series_are_left_multiplies_them() {
        // 200 users × 3 codes; the code says nothing that the user does not.
        let labels = [cost("code", 3, 200), cost("user_id", 200, 3), cost("region", 1, 600)];
        assert_eq!(multiplier(600, &labels), Some(cost("user_id", 200, 3)));
        assert_eq!(multiplier(600, &[cost("region", 1, 600)]), None);
        assert_eq!(multiplier(0, &[]), None);
    }

    #[test]
    fn churn_is_what_went_away() {
        assert_eq!(churn(75, 100), Some(0.25));
        assert_eq!(churn(120, 100), Some(0.0), "a count a moment later may be larger");
        assert_eq!(churn(0, 0), None);
    }

    #[test]
    fn the_remedy_fits_the_label() {
        let of = |label, values, left| remedy("m_total", label, cost(label, values, left), 600);
        for (label, values, part) in [
            ("le", 12, "native histogram"),
            ("pod", 40, "sum without (pod)"),
            ("service_version", 4, "info metric"),
            ("user_id", 20, "action: drop"),
            ("topic", 300, "open set"),
            ("code", 5, "sum without (code)"),
        ] {
            let text = of(label, values, 50);
            assert!(text.contains(part) && text.contains("50"), "{label}: {text}");
        }
    }
}
