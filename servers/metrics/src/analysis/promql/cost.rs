//! How many samples an expression makes the server read.

use std::time::Duration;

use promql_parser::parser::Expr;

use super::{
    Reading,
    lex::Kind,
    walk::{Found, selector_text, selectors},
};

/// The distance of two samples in seconds, unless it is known better: Prometheus' usual scrape interval is one
/// minute by default and 15 s in most installations; the smaller one overestimates.
pub(crate) const SCRAPE: f64 = 15.0;
/// How far back a server looks for the latest sample of a series, in seconds; the default everywhere.
const LOOKBACK: f64 = 300.0;
/// The resolution of a subquery that names none, in seconds: Prometheus' default evaluation interval.
pub(crate) const RESOLUTION: f64 = 60.0;

/// At how many moments an expression is evaluated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Course {
    /// How many moments.
    pub(crate) moments: f64,
    /// From the first to the last, in seconds.
    pub(crate) span: f64,
    /// From one to the next, in seconds.
    pub(crate) step: f64,
}

impl Course {
    /// One moment.
    pub(crate) fn instant() -> Course {
        Course { moments: 1.0, span: 0.0, step: LOOKBACK }
    }

    /// `points` moments, `step` seconds apart.
    pub(crate) fn range(points: usize, step: f64) -> Course {
        Course { moments: points as f64, span: points.saturating_sub(1) as f64 * step, step }
    }

    /// The moments a subquery adds: servers evaluate it once over all that is needed of it.
    fn inside(self, range: f64, resolution: f64) -> Course {
        let span = self.span + range;
        Course { moments: (span / resolution).max(1.0), span, step: resolution }
    }
}

/// What one selector costs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Part {
    /// The selector, as a query.
    pub(crate) selector: String,
    /// Its number of series, when known.
    pub(crate) series: Option<u64>,
    /// Samples read for each of them.
    pub(crate) per_series: f64,
}

/// What an expression costs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Estimate {
    /// Samples in all.
    pub(crate) samples: f64,
    /// The selectors, the dearest first.
    pub(crate) parts: Vec<Part>,
    /// Whether the series of every selector are known.
    pub(crate) is_known: bool,
}

/// Estimates what an expression reads over `course`, when samples are `scrape` seconds apart.
///
/// For each selector: series × moments × samples at each moment. A range vector reads its whole range at each
/// moment (which is what Prometheus counts, too); an instant vector reads what lies between two moments, at most the
/// look-back, because compressed samples are read in their order. A subquery adds its own moments and is itself read
/// at each outer one. `offset` and `@` only shift. `series_of` gives the series of a selector; one it does not know
/// counts as `unknown` series.
pub(crate) fn estimate(
    expression: &Expr,
    course: Course,
    scrape: f64,
    unknown: u64,
    series_of: &dyn Fn(&str) -> Option<u64>,
) -> Estimate {
    let mut parts: Vec<Part> = selectors(expression)
        .iter()
        .map(|found| {
            let selector = selector_text(found.selector);
            Part { series: series_of(&selector), per_series: per_series(found, course, scrape), selector }
        })
        .collect();
    let cost = |part: &Part| part.series.unwrap_or(unknown) as f64 * part.per_series;
    parts.sort_by(|one, other| {
        cost(other).total_cmp(&cost(one)).then_with(|| one.selector.cmp(&other.selector))
    });
    Estimate {
        samples: parts.iter().map(cost).sum(),
        is_known: parts.iter().all(|part| part.series.is_some()),
        parts,
    }
}

fn per_series(found: &Found<'_>, course: Course, scrape: f64) -> f64 {
    let mut course = course;
    let mut outer = 0.0;
    for (range, resolution) in &found.subqueries {
        let (range, resolution) = (seconds(*range), resolution.map_or(RESOLUTION, seconds).max(0.001));
        outer += course.moments * (range / resolution).max(1.0);
        course = course.inside(range, resolution);
    }
    let window = found.range.map_or(course.step.min(LOOKBACK), seconds);
    outer + course.moments * (window / scrape).max(1.0)
}

/// What a query without a tree costs for each series, from its text alone: the product of all its moments and the
/// longest range in it, as if one were within the other.
pub(crate) fn blind_cost(reading: &Reading<'_>, course: Course, scrape: f64) -> f64 {
    let after_open = reading.tokens.windows(2).filter_map(|pair| match pair {
        [open, number] if open.text == "[" && number.kind == Kind::Number => Some(number.text),
        _ => None,
    });
    let ranges = after_open.filter_map(|text| promql_parser::util::parse_duration(text).ok());
    let longest = ranges.map(seconds).fold(course.step.min(LOOKBACK), f64::max);
    course.moments * (longest / scrape).max(1.0)
}

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}

/// A large number as people say it: `950`, `12,000`, `4.1 billion`.
pub(crate) fn about(number: f64) -> String {
    for (size, word) in [(1e12, "trillion"), (1e9, "billion"), (1e6, "million")] {
        if number >= size {
            let two_digits = format!("{:.1}", number / size);
            return format!("{} {word}", two_digits.trim_end_matches(".0"));
        }
    }
    let whole = format!("{number:.0}");
    match whole.split_at_checked(whole.len().saturating_sub(3)) {
        Some((thousands, rest)) if !thousands.is_empty() => format!("{thousands},{rest}"),
        _ => whole,
    }
}
