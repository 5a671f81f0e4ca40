//! The few expressions that the rules are made of: as PromQL text, and evaluated as Prometheus does it.

use std::collections::BTreeMap;

use crate::signals::metrics::sheet::{Clock, Sheet, is_absent};

/// How far back an instant query looks, in milliseconds.
const LOOKBACK: i64 = 300_000;

/// Series of one name whose labels match.
#[derive(Debug, Clone)]
pub(crate) struct Select {
    pub(crate) metric: &'static str,
    pub(crate) matchers: Vec<Matcher>,
}

/// A condition on a label.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Matcher {
    /// `label="value"`.
    Is(&'static str, &'static str),
    /// `label!="value"`.
    IsNot(&'static str, &'static str),
    /// `label=~"pattern"`: alternatives by `|`, any letter by `.`.
    Like(&'static str, &'static str),
}

/// An expression over instant vectors.
#[derive(Debug, Clone)]
pub(crate) enum Expression {
    /// The latest samples.
    Latest(Select),
    /// `sum by (…) (rate(…[…]))` of each, joined by `or`; seconds.
    SumRate { by: &'static [&'static str], of: Vec<Select>, seconds: i64 },
    /// `sum by (…) (…)`.
    Sum { by: &'static [&'static str], of: Select },
    /// `max by (…) (…)`.
    Max { by: &'static [&'static str], of: Select },
    /// One divided by the other, label by label.
    Over(Box<Expression>, Box<Expression>),
    /// One less the other, label by label.
    Less(Box<Expression>, Box<Expression>),
    /// The latest samples so many minutes ago.
    Ago(Select, i64),
    /// Seconds until the latest values, as moments.
    Until(Select),
    /// `vector(1)`.
    One,
}

/// A vector: labels without the name, and values.
pub(crate) type Vector = BTreeMap<Vec<(String, String)>, f64>;

impl Select {
    pub(crate) fn all(metric: &'static str) -> Select {
        Select { metric, matchers: Vec::new() }
    }

    pub(crate) fn with(metric: &'static str, matcher: Matcher) -> Select {
        Select { metric, matchers: vec![matcher] }
    }

    fn text(&self) -> String {
        if self.matchers.is_empty() {
            return self.metric.to_owned();
        }
        let matchers = self.matchers.iter().map(|matcher| match matcher {
            Matcher::Is(label, value) => format!("{label}=\"{value}\""),
            Matcher::IsNot(label, value) => format!("{label}!=\"{value}\""),
            Matcher::Like(label, pattern) => format!("{label}=~\"{pattern}\""),
        });
        format!("{}{{{}}}", self.metric, matchers.collect::<Vec<_>>().join(","))
    }

    fn matches(&self, labels: &[(String, String)]) -> bool {
        let value = |name: &str| {
            labels.iter().find(|(label, _)| label == name).map_or("", |(_, value)| value.as_str())
        };
        self.matchers.iter().all(|matcher| match matcher {
            Matcher::Is(label, expected) => value(label) == *expected,
            Matcher::IsNot(label, expected) => value(label) != *expected,
            Matcher::Like(label, pattern) => {
                pattern.split('|').any(|alternative| is_like(value(label), alternative))
            }
        })
    }
}

fn is_like(text: &str, pattern: &str) -> bool {
    text.len() == pattern.len() && text.bytes().zip(pattern.bytes()).all(|(a, b)| b == b'.' || a == b)
}

impl Expression {
    /// PromQL, as Prometheus itself writes it.
    pub(crate) fn text(&self) -> String {
        match self {
            Expression::Latest(select) => select.text(),
            Expression::SumRate { by, of, seconds } => {
                let sum = |select: &Select| {
                    format!("sum by ({}) (rate({}[{}m]))", by.join(", "), select.text(), seconds / 60)
                };
                of.iter().map(sum).collect::<Vec<_>>().join(" or ")
            }
            Expression::Sum { by, of } => format!("sum by ({}) ({})", by.join(", "), of.text()),
            Expression::Max { by, of } => format!("max by ({}) ({})", by.join(", "), of.text()),
            Expression::Over(one, other) => format!("{} / {}", one.operand(), other.operand()),
            Expression::Less(one, other) => format!("{} - {}", one.operand(), other.operand()),
            Expression::Ago(select, minutes) if minutes % 60 == 0 => {
                format!("{} offset {}h", select.text(), minutes / 60)
            }
            Expression::Ago(select, minutes) => format!("{} offset {minutes}m", select.text()),
            Expression::Until(select) => format!("{} - time()", select.text()),
            Expression::One => "vector(1)".to_owned(),
        }
    }

    /// The text as part of another one.
    fn operand(&self) -> String {
        match self {
            Expression::SumRate { of, .. } if of.len() > 1 => format!("({})", self.text()),
            Expression::Over(..) | Expression::Less(..) | Expression::Until(..) => {
                format!("({})", self.text())
            }
            _ => self.text(),
        }
    }
}

/// All series, to be asked for by name.
#[derive(Debug, Default)]
pub(crate) struct Store {
    series: BTreeMap<String, Vec<Stored>>,
}

#[derive(Debug)]
struct Stored {
    labels: Vec<(String, String)>,
    clock: Clock,
    values: Vec<f64>,
}

impl Store {
    /// The series of a sheet whose names are among those asked for.
    pub(crate) fn of(sheet: &Sheet, is_wanted: impl Fn(&str) -> bool) -> Store {
        let mut store = Store::default();
        store.extend(sheet, is_wanted);
        store
    }

    /// Adds them.
    pub(crate) fn extend(&mut self, sheet: &Sheet, is_wanted: impl Fn(&str) -> bool) {
        for (name, family) in &sheet.families {
            for metric in &family.metrics {
                for line in &metric.lines {
                    let name = format!("{name}{}", line.suffix);
                    if is_wanted(&name) {
                        let labels = metric.labels.iter().chain(&line.extra);
                        let labels =
                            labels.map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
                        self.add(&name, labels, metric.clock, line.values.clone());
                    }
                }
            }
        }
    }

    /// Adds a series.
    pub(crate) fn add(
        &mut self,
        name: &str,
        mut labels: Vec<(String, String)>,
        clock: Clock,
        values: Vec<f64>,
    ) {
        labels.sort();
        self.series.entry(name.to_owned()).or_default().push(Stored { labels, clock, values });
    }

    /// Evaluates an expression at a moment, in milliseconds since 1970.
    pub(crate) fn evaluate(&self, expression: &Expression, at: i64) -> Vector {
        match expression {
            Expression::Latest(select) => self.latest(select, at),
            Expression::Ago(select, minutes) => self.latest(select, at - minutes * 60_000),
            Expression::SumRate { by, of, seconds } => {
                let mut all = Vector::new();
                for select in of {
                    let mut summed = Vector::new();
                    for series in self.matching(select) {
                        if let Some(rate) = rate(&series.window(at, seconds * 1000), at, *seconds) {
                            *summed.entry(only(&series.labels, by)).or_insert(0.0) += rate;
                        }
                    }
                    for (labels, value) in summed {
                        all.entry(labels).or_insert(value);
                    }
                }
                all
            }
            Expression::Sum { by, of } => self.aggregated(by, of, at, |sum, value| sum + value),
            Expression::Max { by, of } => self.aggregated(by, of, at, f64::max),
            Expression::Over(one, other) => self.both(one, other, at, |a, b| a / b),
            Expression::Less(one, other) => self.both(one, other, at, |a, b| a - b),
            Expression::Until(select) => {
                let moments = self.latest(select, at).into_iter();
                moments.map(|(labels, moment)| (labels, moment - at as f64 / 1000.0)).collect()
            }
            Expression::One => Vector::from([(Vec::new(), 1.0)]),
        }
    }

    fn matching<'a>(&'a self, select: &'a Select) -> impl Iterator<Item = &'a Stored> {
        let named = self.series.get(select.metric).map(Vec::as_slice).unwrap_or_default();
        named.iter().filter(|series| select.matches(&series.labels))
    }

    fn latest(&self, select: &Select, at: i64) -> Vector {
        let found = self.matching(select);
        found.filter_map(|series| Some((series.labels.clone(), series.latest(at)?))).collect()
    }

    fn aggregated(&self, by: &[&str], of: &Select, at: i64, fold: impl Fn(f64, f64) -> f64) -> Vector {
        let mut all = Vector::new();
        for series in self.matching(of) {
            if let Some(value) = series.latest(at) {
                all.entry(only(&series.labels, by))
                    .and_modify(|sum| *sum = fold(*sum, value))
                    .or_insert(value);
            }
        }
        all
    }

    fn both(&self, one: &Expression, other: &Expression, at: i64, apply: impl Fn(f64, f64) -> f64) -> Vector {
        let other = self.evaluate(other, at);
        let pairs = self.evaluate(one, at).into_iter();
        pairs
            .filter_map(|(labels, value)| {
                let result = apply(value, *other.get(&labels)?);
                Some((labels, result))
            })
            .collect()
    }
}

fn only(labels: &[(String, String)], by: &[&str]) -> Vec<(String, String)> {
    labels.iter().filter(|(name, _)| by.contains(&name.as_str())).cloned().collect()
}

impl Stored {
    /// Samples after `at - range` and up to `at`.
    fn window(&self, at: i64, range: i64) -> Vec<(i64, f64)> {
        let Clock { first, every } = self.clock;
        // The place of the first sample that is later than the window's beginning, and of the last one in it.
        let from = ((at - range - first).div_euclid(every) + 1).max(0);
        let until = (at - first).div_euclid(every);
        let places = from..(until + 1).max(from);
        places
            .filter_map(|place| {
                let place = usize::try_from(place).ok()?;
                Some((self.clock.at(place), *self.values.get(place)?))
            })
            .filter(|(_, value)| !is_absent(*value))
            .collect()
    }

    fn latest(&self, at: i64) -> Option<f64> {
        self.window(at, LOOKBACK).last().map(|(_, value)| *value)
    }
}

/// Prometheus' `rate`: the increase between first and last sample, resets added, extrapolated to the window's
/// edges unless they are far (more than 1.1 intervals) or the counter would have been below zero.
fn rate(samples: &[(i64, f64)], at: i64, seconds: i64) -> Option<f64> {
    let (&(first_at, first), &(last_at, last)) = (samples.first()?, samples.last()?);
    if samples.len() < 2 {
        return None;
    }
    let resets = samples.iter().zip(samples.iter().skip(1));
    let lost: f64 = resets.filter(|((_, a), (_, b))| b < a).map(|((_, a), _)| *a).sum();
    let increase = last - first + lost;

    let between = (last_at - first_at) as f64 / 1000.0;
    let interval = between / (samples.len() - 1) as f64;
    let mut to_start = (first_at - (at - seconds * 1000)) as f64 / 1000.0;
    let mut to_end = (at - last_at) as f64 / 1000.0;
    let threshold = interval * 1.1;
    if to_start >= threshold {
        to_start = interval / 2.0;
    }
    if increase > 0.0 && first >= 0.0 {
        to_start = to_start.min(between * (first / increase));
    }
    if to_end >= threshold {
        to_end = interval / 2.0;
    }
    Some(increase * ((between + to_start + to_end) / between) / seconds as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK: Clock = Clock { first: 0, every: 60_000 };

    fn counter(values: &[f64]) -> Store {
        let mut store = Store::default();
        store.add("c_total", vec![("a".to_owned(), "b".to_owned())], CLOCK, values.to_vec());
        store
    }

    fn rate_over(values: &[f64], minutes: i64) -> Option<f64> {
        let expression =
            Expression::SumRate { by: &[], of: vec![Select::all("c_total")], seconds: 60 * minutes };
        let at = 60_000 * (values.len() as i64 - 1);
        counter(values).evaluate(&expression, at).into_values().next()
    }

    #[test]
    fn rates_are_those_of_prometheus() {
        // By hand: 5 samples a minute apart fill the left-open window of 5 min; +10 a minute. The distance from
        // the window's start to the first sample is one interval, less than 1.1 of it, so all 5 min count.
        assert_eq!(rate_over(&[1000.0, 1010.0, 1020.0, 1030.0, 1040.0, 1050.0], 5), Some(50.0 / 300.0));
        // A reset: 10 + (0 → 4) + 6 = 20 in 4 min, extrapolated over a fifth to 25.
        assert_eq!(rate_over(&[0.0, 1000.0, 1010.0, 4.0, 10.0, 10.0], 5), Some(20.0 * 1.25 / 300.0));
        // A counter that began at 5 a minute ago can't have been below zero: it is 5 s older at most.
        let expected = 60.0 * ((60.0 + 5.0) / 60.0) / 300.0;
        assert_eq!(rate_over(&[5.0, 65.0], 5), Some(expected));
        assert_eq!(rate_over(&[5.0], 5), None);
    }

    #[test]
    fn text_and_value_of_an_expression_belong_together() {
        let mut store = counter(&[1.0]);
        store.add("c_total", vec![("a".to_owned(), "other".to_owned())], CLOCK, vec![7.0]);
        let like = Select::with("c_total", Matcher::Like("a", "x|.ther"));
        let sum = Expression::Sum { by: &["a"], of: like };

        assert_eq!(sum.text(), r#"sum by (a) (c_total{a=~"x|.ther"})"#);
        assert_eq!(
            store.evaluate(&sum, 0),
            Vector::from([(vec![("a".to_owned(), "other".to_owned())], 7.0)])
        );
        // The lookback of five minutes is open to the left.
        assert_eq!(store.evaluate(&sum, 299_999).len(), 1);
        assert_eq!(store.evaluate(&sum, 300_000).len(), 0);
    }
}
