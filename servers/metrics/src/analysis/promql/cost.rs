//! How many samples an expression makes the server read.
//!
//! Counted as Prometheus counts them in `stats` (`totalQueryableSamples`), so that an estimate can be held against
//! what was read; and the inside of subqueries besides, which Prometheus evaluates and does not count.

use std::time::Duration;

use promql_parser::parser::Expr;

use super::{
    Reading,
    lex::{Kind, Token},
    walk::{Found, Yields, selector_text, selectors},
};

/// The distance of two samples in seconds, unless it is known better: Prometheus' usual scrape interval is one
/// minute by default and 15 s in most installations; the smaller one overestimates.
pub(crate) const SCRAPE: f64 = 15.0;
/// How far back a server looks for the latest sample of a series, in seconds; the default everywhere.
pub(crate) const LOOKBACK: f64 = 300.0;
/// The resolution of a subquery that names none, in seconds: Prometheus' default evaluation interval.
pub(crate) const RESOLUTION: f64 = 60.0;

/// At how many moments an expression is evaluated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Course {
    /// How many moments.
    pub(crate) moments: f64,
    /// From the first to the last, in seconds.
    pub(crate) span: f64,
}

impl Course {
    /// One moment.
    pub(crate) fn instant() -> Course {
        Course { moments: 1.0, span: 0.0 }
    }

    /// `points` moments, `step` seconds apart.
    pub(crate) fn range(points: usize, step: f64) -> Course {
        Course { moments: points as f64, span: points.saturating_sub(1) as f64 * step }
    }

    /// The moments a subquery adds: servers evaluate it once over all that is needed of it.
    fn inside(self, range: f64, resolution: f64) -> Course {
        let span = self.span + range;
        Course { moments: (span / resolution).max(1.0), span }
    }
}

/// What is known about the series of a selector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Supply {
    /// How many there are, on average over the time that is read; when unknown, `is_known` says so.
    pub(crate) series: f64,
    pub(crate) is_known: bool,
    /// Distance of their samples in seconds.
    pub(crate) scrape: f64,
    /// What one sample counts as: a native histogram is counted by its size.
    pub(crate) weight: f64,
}

impl Supply {
    pub(crate) fn known(series: f64, scrape: f64) -> Supply {
        Supply { series, is_known: true, scrape, weight: 1.0 }
    }

    pub(crate) fn unknown(series: f64) -> Supply {
        Supply { series, is_known: false, scrape: SCRAPE, weight: 1.0 }
    }
}

/// What one selector costs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Part {
    /// The selector, as a query.
    pub(crate) selector: String,
    pub(crate) supply: Supply,
    /// Samples read of all its series.
    pub(crate) samples: f64,
}

impl Part {
    /// Samples read of each series, on average.
    pub(crate) fn per_series(&self) -> f64 {
        if self.supply.series > 0.0 { self.samples / self.supply.series } else { 0.0 }
    }
}

/// What an expression costs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Estimate {
    /// Samples in all.
    pub(crate) samples: f64,
    /// The selectors, the dearest first.
    pub(crate) parts: Vec<Part>,
}

/// Estimates what an expression reads over `course`.
///
/// For each selector: series × moments × samples at each moment. A range vector reads its whole range at each moment,
/// an instant vector one sample. A subquery is evaluated at moments of its own, as many as its range and the outer
/// moments need together, and what it yields is read at each outer one. `offset` and `@` only shift: an expression
/// that `@` fixes is evaluated once, but counted at every moment. `supply` tells what is known of a selector's series.
pub(crate) fn estimate(expression: &Expr, course: Course, supply: &dyn Fn(&Found<'_>) -> Supply) -> Estimate {
    let mut parts: Vec<Part> = selectors(expression)
        .iter()
        .map(|found| {
            let supply = supply(found);
            Part { selector: selector_text(found.selector), supply, samples: samples(found, course, supply) }
        })
        .collect();
    parts.sort_by(|one, other| {
        other.samples.total_cmp(&one.samples).then_with(|| one.selector.cmp(&other.selector))
    });
    Estimate { samples: parts.iter().map(|part| part.samples).sum(), parts }
}

fn samples(found: &Found<'_>, course: Course, supply: Supply) -> f64 {
    let mut course = course;
    let mut windows = 0.0;
    for around in &found.subqueries {
        let range = seconds(around.range);
        let resolution = around.resolution.map_or(RESOLUTION, seconds).max(0.001);
        let series = match around.yields {
            Yields::Each => supply.series,
            // Nobody knows how many groups there are without asking; between one and all of them.
            Yields::Groups => supply.series.sqrt(),
            Yields::One => supply.series.min(1.0),
        };
        windows += series * course.moments * (range / resolution).max(1.0);
        course = course.inside(range, resolution);
    }
    let each = found.range.map_or(1.0, |range| seconds(range) / supply.scrape);
    // A range shorter than the distance of samples holds one only now and then: counted as what it holds on average,
    // but at least as a tenth, because a look at the index is not free.
    supply.weight * (windows + supply.series * course.moments * each.max(0.1))
}

/// What a query without a tree costs for each series, from its text alone: all its ranges together, at every moment
/// of all its subqueries, as if each were within the others. Infinite when a range is no plain duration.
pub(crate) fn blind_cost(reading: &Reading<'_>, course: Course, scrape: f64) -> f64 {
    let usual = (course.span / course.moments).min(LOOKBACK);
    let (mut moments, mut windows) = (course.moments, 0.0);
    for (place, _) in reading.tokens.iter().enumerate().filter(|(_, token)| token.text == "[") {
        let inside = reading.tokens.get(place + 1..).unwrap_or_default();
        let inside = inside.split(|token| token.text == "]").next().unwrap_or_default();
        match inside {
            [range] => windows += length(range),
            [range, colon] if colon.text == ":" => moments *= (length(range) / RESOLUTION).max(1.0),
            [range, colon, step] if colon.text == ":" => {
                // A step that is no duration divides by nothing: infinite, too.
                let step = length(step);
                moments *= if step.is_finite() { (length(range) / step.max(0.001)).max(1.0) } else { step };
            }
            _ => return f64::INFINITY,
        }
    }
    moments * (windows.max(usual) / scrape).max(1.0)
}

/// Words that stand where a metric's name may stand and are none, in PromQL and its dialects.
const WORDS: [&str; 28] = [
    "and",
    "or",
    "unless",
    "atan2",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "by",
    "without",
    "bool",
    "offset",
    "start",
    "end",
    "anchored",
    "smoothed",
    "fill",
    "fill_left",
    "fill_right",
    "inf",
    "nan",
    "default",
    "if",
    "ifnot",
    "with",
    "limit",
    "keep_metric_names",
    "as",
];

/// How many selectors a query without a tree seems to have, by its text: with a metric's name, and without.
pub(crate) fn blind_selectors(reading: &Reading<'_>) -> (usize, usize) {
    let (mut named, mut nameless) = (0, 0);
    // For each open bracket whether labels or a range stand in it.
    let mut open: Vec<bool> = Vec::new();
    let mut is_name = false;
    let mut is_grouping = false;
    for (place, token) in reading.tokens.iter().enumerate() {
        let was_name = std::mem::take(&mut is_name);
        let was_grouping = std::mem::take(&mut is_grouping);
        let is_inside = open.last().copied().unwrap_or(false);
        match token.kind {
            Kind::Open => {
                nameless += usize::from(token.text == "{" && !was_name && !is_inside);
                open.push(token.text != "(" || was_grouping);
            }
            Kind::Close => drop(open.pop()),
            Kind::Name if !is_inside => {
                let word = token.text.to_ascii_lowercase();
                let next = reading.tokens.get(place + 1).map(|next| next.text);
                let is_call = matches!(next, Some("(" | "by" | "without"));
                is_grouping =
                    ["by", "without", "on", "ignoring", "group_left", "group_right"].contains(&word.as_str());
                is_name = !is_call && !WORDS.contains(&word.as_str());
                named += usize::from(is_name);
            }
            _ => {}
        }
    }
    (named, nameless)
}

/// The seconds a token says; infinite when it says none.
fn length(token: &Token<'_>) -> f64 {
    if token.kind != Kind::Number {
        return f64::INFINITY;
    }
    super::lex::duration(token.text).map_or(f64::INFINITY, seconds)
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
