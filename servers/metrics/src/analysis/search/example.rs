//! A query to begin with, for each type of metric.

use super::{
    families::{Family, Shape},
    labels::{LabelUse, is_machine, telling},
};
use crate::model::{MatchOp, label_name, selector};

/// Labels of an info metric that an example shows.
const MOST_INFO_LABELS: usize = 3;

/// Parts of names of labels that say what runs.
const VERSIONS: &[&str] = &["version", "revision", "release", "image", "tag"];

/// What an example is written for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) family: &'a Family,
    /// The labels of its series, the most telling first; empty where they are not known.
    pub(crate) labels: &'a [LabelUse],
    /// Narrow it to these series.
    pub(crate) matchers: &'a [(&'a str, MatchOp, &'a str)],
    /// Names of its series that have none at the moment.
    pub(crate) gone: &'a [&'a str],
}

impl Subject<'_> {
    fn select(&self, name: &str) -> String {
        selector(Some(name), self.matchers)
    }

    /// The selector of its series whose name has this ending.
    fn part(&self, ending: &str) -> String {
        let stored = self.family.part(ending).map(|name| name.inside().to_owned());
        self.select(&stored.unwrap_or_else(|| format!("{}{ending}", self.family.key)))
    }

    fn stored(&self, ending: &str) -> bool {
        self.family.part(ending).is_some_and(|name| !self.gone.contains(&name.inside()))
    }

    /// `sum by (code) ` with the label that tells most, `sum` where there is none.
    fn split(&self, how: &str) -> String {
        let label = self.telling().first().map(|label| label_name(label.name.inside()));
        label.map_or_else(|| how.to_owned(), |label| format!("{how} by ({label}) "))
    }

    fn telling(&self) -> Vec<&LabelUse> {
        let fixed: Vec<&str> = self
            .matchers
            .iter()
            .filter(|(_, op, _)| *op == MatchOp::Equal)
            .map(|(name, _, _)| *name)
            .collect();
        telling(self.labels, &fixed)
    }

    fn unit(&self) -> &str {
        self.family
            .unit
            .as_ref()
            .map_or_else(|| self.family.unit_in_name().unwrap_or_default(), |unit| unit.inside())
    }
}

/// A query to begin with: the rate of a counter, the 95th percentile of a histogram, the worst of a gauge.
pub(crate) fn example(subject: &Subject<'_>) -> String {
    let name = subject.family.name.inside();
    match subject.family.shape {
        Shape::Counter => format!("{}(rate({}[5m]))", subject.split("sum"), subject.select(name)),
        Shape::NativeHistogram => native_quantile(subject),
        Shape::BothHistograms if subject.stored("") => native_quantile(subject),
        Shape::BothHistograms | Shape::ClassicHistogram => {
            format!("histogram_quantile(0.95, sum by (le) (rate({}[5m])))", subject.part("_bucket"))
        }
        Shape::GaugeHistogram => {
            format!("histogram_quantile(0.95, sum by (le) ({}))", subject.part("_bucket"))
        }
        Shape::Summary => quantile(subject),
        Shape::Totals => mean(subject),
        Shape::Info => group_by(subject),
        Shape::Gauge | Shape::StateSet | Shape::Recorded => {
            // The mean of a share says something; of levels, the highest is what hurts.
            let how =
                if ["ratio", "percent", "percentage"].contains(&subject.unit()) { "avg" } else { "max" };
            format!("{}({})", subject.split(how), subject.select(name))
        }
    }
}

fn native_quantile(subject: &Subject<'_>) -> String {
    format!("histogram_quantile(0.95, sum(rate({}[5m])))", subject.part(""))
}

fn mean(subject: &Subject<'_>) -> String {
    format!("sum(rate({}[5m])) / sum(rate({}[5m]))", subject.part("_sum"), subject.part("_count"))
}

/// The quantile nearest below the worst that the targets compute; the mean where they compute none.
fn quantile(subject: &Subject<'_>) -> String {
    let values = subject.labels.iter().find(|label| label.name.inside() == "quantile");
    let values = values.and_then(|label| label.values.as_deref()).unwrap_or_default();
    let number = |text: &str| text.parse::<f64>().unwrap_or(f64::NAN);
    let mut best: Option<&str> = None;
    for value in values.iter().map(|value| value.inside()) {
        // 0.99 if there, else the highest below 1: the largest of a few observations says little.
        let fits = |value: &str| {
            (number(value) <= 0.99, if number(value) <= 0.99 { number(value) } else { -number(value) })
        };
        if number(value).is_finite() && best.is_none_or(|best| fits(value) > fits(best)) {
            best = Some(value);
        }
    }
    let value = match best {
        Some(value) => value,
        // Their labels are not known.
        None if subject.labels.is_empty() => "0.99",
        None => return mean(subject),
    };
    let mut matchers = subject.matchers.to_vec();
    matchers.push(("quantile", MatchOp::Equal, value));
    selector(Some(subject.family.name.inside()), &matchers)
}

/// The labels that are the information: versions first, then those that differ, then the others.
fn group_by(subject: &Subject<'_>) -> String {
    let version = |label: &&LabelUse| VERSIONS.iter().any(|word| label.name.inside().contains(word));
    let plain = |label: &&LabelUse| {
        let name = label.name.inside();
        let fixed = subject.matchers.iter().any(|(known, op, _)| *known == name && *op == MatchOp::Equal);
        label.values.is_some() && !is_machine(name) && !fixed && !["job", "le", "quantile"].contains(&name)
    };
    let mut labels: Vec<&LabelUse> = subject.labels.iter().filter(plain).collect();
    if labels.is_empty() {
        labels = subject.telling();
    }
    labels.sort_by_key(|label| !version(label));
    let names: Vec<String> =
        labels.iter().take(MOST_INFO_LABELS).map(|label| label_name(label.name.inside())).collect();
    let select = subject.select(subject.family.name.inside());
    if names.is_empty() {
        format!("group({select})")
    } else {
        format!("group by ({}) ({select})", names.join(", "))
    }
}

#[cfg(test)]
mod tests;
