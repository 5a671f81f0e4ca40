//! What to ask of a metric so that its values can be compared: the rate of a counter, the value of a gauge, quantiles
//! and rate of a histogram. A metric's type decides, not its name; an expression is left as it is.

mod form;

pub(crate) use form::{Form, adds_up, bare, form_of};

use crate::model::{MatchOp, label_name, selector};

/// The quantiles of a histogram that are asked for.
const QUANTILES: [(&str, f64); 3] = [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)];

/// Whose series are meant.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Subject {
    /// The name of the series; of a histogram or summary without `_bucket`, `_count`, `_sum`.
    pub(crate) metric: String,
    /// What narrows them, the name aside.
    pub(crate) matchers: Vec<(String, MatchOp, String)>,
    /// How they are asked for.
    pub(crate) form: Form,
    /// Its type in words, with `inferred` where no target told it: `counter`, `gauge, inferred`.
    pub(crate) kind: String,
}

/// How finely the answer is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grouping<'a> {
    /// One result a series (of a histogram: a set of buckets).
    Each,
    /// One result for each combination of values of these labels.
    By(&'a [String]),
    /// One result.
    Total,
}

/// One question about a subject.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measure {
    /// What it measures: `rate`, `value`, `p95`, `quantiles`, `mean`.
    pub(crate) name: &'static str,
    /// The expression.
    pub(crate) promql: String,
    /// Whether the values of a division add up to the total.
    pub(crate) adds_up: bool,
}

/// The two sums whose quotient is the mean observation of a histogram or summary.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sums {
    /// Observed amounts per second, in the metric's unit.
    pub(crate) sum: String,
    /// Observations per second.
    pub(crate) count: String,
}

impl Subject {
    /// The questions, the most telling first. `range` is the window of rates, in seconds.
    pub(crate) fn measures(&self, grouping: Grouping<'_>, range: u64) -> Vec<Measure> {
        let measure = |name, promql, adds_up| Measure { name, promql, adds_up };
        let rate = |ending: &str| grouped("sum", grouping, &[], &self.rate(ending, range));
        match self.form {
            Form::Counter => vec![measure("rate", rate(""), true)],
            Form::Gauge => {
                let adds_up = form::levels_add_up(&self.metric);
                let how = if adds_up { "sum" } else { "avg" };
                vec![measure("value", grouped(how, grouping, &[], &self.select("")), adds_up)]
            }
            Form::Classic | Form::Native | Form::GaugeHistogram => self.of_histogram(grouping, range),
            Form::Summary => {
                // Quantiles of several targets have no sum and no mean; the worst target's is a fact.
                let quantiles = grouped("max", grouping, &["quantile"], &self.select(""));
                vec![measure("quantiles", quantiles, false), measure("rate", rate("_count"), true)]
            }
            Form::Totals => {
                let mean = self.sums(grouping, range).map(|sums| format!("{} / {}", sums.sum, sums.count));
                let mean = mean.map(|promql| measure("mean", promql, false));
                mean.into_iter().chain([measure("rate", rate("_count"), true)]).collect()
            }
        }
    }

    /// What the mean is made of, of histograms and summaries.
    pub(crate) fn sums(&self, grouping: Grouping<'_>, range: u64) -> Option<Sums> {
        let rate = |ending: &str| grouped("sum", grouping, &[], &self.rate(ending, range));
        match self.form {
            Form::Classic | Form::Summary | Form::Totals => {
                Some(Sums { sum: rate("_sum"), count: rate("_count") })
            }
            Form::Native => {
                let all = rate("");
                Some(Sums { sum: format!("histogram_sum({all})"), count: format!("histogram_count({all})") })
            }
            Form::Counter | Form::Gauge | Form::GaugeHistogram => None,
        }
    }

    /// The selector of the series that are counted to say how many there are: of a classic histogram or a summary one
    /// for each set of buckets or quantiles.
    pub(crate) fn counted_selector(&self) -> String {
        self.select(match self.form {
            Form::Classic | Form::Totals | Form::Summary => "_count",
            Form::Counter | Form::Gauge | Form::Native => "",
            Form::GaugeHistogram => "_bucket",
        })
    }

    fn of_histogram(&self, grouping: Grouping<'_>, range: u64) -> Vec<Measure> {
        let (buckets, keep): (String, &[&str]) = match self.form {
            Form::Native => (self.rate("", range), &[]),
            Form::GaugeHistogram => (self.select("_bucket"), &["le"]),
            _ => (self.rate("_bucket", range), &["le"]),
        };
        let buckets = grouped("sum", grouping, keep, &buckets);
        let mut all: Vec<Measure> = (QUANTILES.iter())
            .map(|(name, q)| Measure {
                name,
                promql: format!("histogram_quantile({q}, {buckets})"),
                adds_up: false,
            })
            .collect();
        if let Some(sums) = self.sums(grouping, range) {
            all.push(Measure { name: "rate", promql: sums.count, adds_up: true });
        }
        all
    }

    /// The metric as an argument of a call.
    pub(crate) fn selector(&self) -> String {
        self.select(if self.form == Form::GaugeHistogram { "_bucket" } else { "" })
    }

    fn select(&self, ending: &str) -> String {
        let matchers: Vec<(&str, MatchOp, &str)> =
            self.matchers.iter().map(|(name, op, value)| (name.as_str(), *op, value.as_str())).collect();
        selector(Some(&format!("{}{ending}", self.metric)), &matchers)
    }

    fn rate(&self, ending: &str, range: u64) -> String {
        format!("rate({}[{range}s])", self.select(ending))
    }
}

/// An expression divided as wanted, its parts put together by `how`; `keep` are labels that every division keeps.
pub(crate) fn grouped(how: &str, grouping: Grouping<'_>, keep: &[&str], inner: &str) -> String {
    let labels: &[String] = match grouping {
        Grouping::Each => return inner.to_owned(),
        Grouping::By(labels) => labels,
        Grouping::Total => &[],
    };
    let mut names: Vec<String> = keep.iter().map(|name| label_name(name)).collect();
    names.extend(labels.iter().map(|name| label_name(name)).filter(|name| !keep.contains(&name.as_str())));
    if names.is_empty() {
        format!("{how}({inner})")
    } else {
        format!("{how} by ({}) ({inner})", names.join(", "))
    }
}

#[cfg(test)]
mod tests;
