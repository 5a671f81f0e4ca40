//! Which value of which label moved the total.

use std::collections::{BTreeMap, BTreeSet};

use contract::Untrusted;
use signal::{Explanation, Part, RatioPart};

use super::{Pair, Values};
use crate::{analysis::baseline::per_position, model::Labels};

/// Labels that divide a metric into its parts, not into those who are to blame.
const NOT_DIVIDING: [&str; 3] = ["le", "quantile", "__name__"];

/// More than twice the change is explained only where others undo it: then nothing is.
const MOST_EXPLAINED: f64 = 2.0;

/// Below this surprise (bits) the shares did not change enough to name anyone: all moved alike. A share that goes from
/// 50 % to 60 % is worth 0.003: ½·(0.5·log₂(1 ÷ 1.1) + 0.6·log₂(1.2 ÷ 1.1)).
const UNSURPRISING: f64 = 0.004;

/// Values of one label that together account for most of a change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Blame {
    pub(crate) label: Untrusted,
    /// The values, the most surprising first.
    pub(crate) values: Vec<Culprit>,
    /// Share of the change that they account for together.
    pub(crate) explains: f64,
    /// In bits.
    pub(crate) surprise: f64,
}

/// One label value that is to blame.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Culprit {
    /// `None` for series without the label.
    pub(crate) value: Option<Untrusted>,
    /// Its mean before and now; `None` where it was not there, which is no zero.
    pub(crate) before: Option<f64>,
    pub(crate) now: Option<f64>,
}

/// What moved a total that is the sum of these series, from the place `from` of the window on. The most surprising
/// label first; empty when no few values explain it, or all moved alike.
pub(crate) fn blame(pairs: &[&Pair], from: usize) -> Vec<Blame> {
    let dimensions = dimensions(&parts(pairs, from));
    let split: Vec<Vec<Part>> = dimensions.iter().map(|(_, elements)| added(elements)).collect();
    told(&dimensions, &split, |place| signal::attribution(split.get(place..=place).unwrap_or_default()))
}

/// What moved a total that is the quotient of two sums: amounts over counts. Both must have the same labels.
pub(crate) fn blame_mean(sums: &[&Pair], counts: &[&Pair], from: usize) -> Vec<Blame> {
    let (above, below) = (dimensions_of(&parts(sums, from)), dimensions_of(&parts(counts, from)));
    let mut kept: Vec<(Untrusted, Elements)> = Vec::new();
    let mut split: Vec<Vec<RatioPart>> = Vec::new();
    for (label, counted) in below {
        let Some(amounts) = above.get(&label) else { continue };
        let part = |value: &Option<Untrusted>| {
            let of = |all: &Elements| all.get(value).map_or(NOTHING.part, |element| element.part);
            RatioPart { numerator: of(amounts), denominator: of(&counted) }
        };
        split.push(counted.keys().map(part).collect());
        kept.push((label, counted));
    }
    let means: Vec<Vec<Part>> = split
        .iter()
        .map(|parts| {
            let mean = |sum: f64, count: f64| if count > 0.0 { sum / count } else { f64::NAN };
            let part = |part: &RatioPart| Part {
                expected: mean(part.numerator.expected, part.denominator.expected),
                actual: mean(part.numerator.actual, part.denominator.actual),
            };
            parts.iter().map(part).collect()
        })
        .collect();
    told(&kept, &means, |place| signal::ratio_attribution(split.get(place..=place).unwrap_or_default()))
}

/// What one label value, or one series, is of the total.
#[derive(Debug, Clone, Copy)]
struct Element {
    part: Part,
    /// Whether it has samples before, and now.
    is_there: (bool, bool),
}

const NOTHING: Element = Element { part: Part { expected: 0.0, actual: 0.0 }, is_there: (false, false) };

/// The values of one label, each with its part of the total.
type Elements = BTreeMap<Option<Untrusted>, Element>;

fn added(elements: &Elements) -> Vec<Part> {
    elements.values().map(|element| element.part).collect()
}

/// What each series contributed: its mean over the moments at which any series has a value, nothing where it is not
/// there. The baseline at the same positions, where it has as many.
fn parts<'p>(pairs: &[&'p Pair], from: usize) -> Vec<(&'p Labels, Element)> {
    let middles: Vec<Values> = pairs.iter().map(|pair| per_position(&pair.before)).collect();
    let length = pairs.iter().map(|pair| pair.now.len()).max().unwrap_or(0);
    let is_aligned = middles.iter().all(|middle| middle.is_empty() || middle.len() == length);
    let since = if is_aligned { from } else { 0 };
    let before = moments(middles.iter(), since);
    let now = moments(pairs.iter().map(|pair| &pair.now), from);
    let part = |(pair, middle): (&&'p Pair, &Values)| {
        let part = Part { expected: mean(middle, since, before), actual: mean(&pair.now, from, now) };
        let is_there =
            |values: &Values, from| (from..values.len()).any(|place| finite(values, place).is_some());
        (&pair.labels, Element { part, is_there: (is_there(middle, since), is_there(&pair.now, from)) })
    };
    pairs.iter().zip(&middles).map(part).collect()
}

fn finite(values: &Values, place: usize) -> Option<f64> {
    values.get(place).copied().flatten().filter(|value| value.is_finite())
}

/// At how many places from `from` on any of these has a number.
fn moments<'v>(all: impl Iterator<Item = &'v Values> + Clone, from: usize) -> usize {
    let length = all.clone().map(Vec::len).max().unwrap_or(0);
    (from..length).filter(|place| all.clone().any(|values| finite(values, *place).is_some())).count()
}

fn mean(values: &Values, from: usize, moments: usize) -> f64 {
    let sum: f64 = (from..values.len()).filter_map(|place| finite(values, place)).sum();
    if moments == 0 { 0.0 } else { sum / moments as f64 }
}

fn dimensions_of(parts: &[(&Labels, Element)]) -> BTreeMap<Untrusted, Elements> {
    dimensions(parts).into_iter().collect()
}

/// The labels with at least two values, each with the parts of its values.
fn dimensions(parts: &[(&Labels, Element)]) -> Vec<(Untrusted, Elements)> {
    let names: BTreeSet<&Untrusted> =
        parts.iter().flat_map(|(labels, _)| labels.iter()).map(|(name, _)| name).collect();
    let mut all = Vec::new();
    for name in names.into_iter().filter(|name| !NOT_DIVIDING.contains(&name.inside())) {
        let mut elements: Elements = BTreeMap::new();
        // Where series are divided by one label each, those divided by another are not a part of this.
        let has_it = |labels: &Labels| labels.get(name.inside()).is_some() || labels.len() != 1;
        for (labels, part) in parts.iter().filter(|(labels, _)| has_it(labels)) {
            let value = labels.get(name.inside()).cloned();
            let element = elements.entry(value).or_insert(NOTHING);
            element.part.expected += part.part.expected;
            element.part.actual += part.part.actual;
            element.is_there.0 |= part.is_there.0;
            element.is_there.1 |= part.is_there.1;
        }
        if elements.len() >= 2 {
            all.push((name.clone(), elements));
        }
    }
    all
}

/// The explanations that blame someone, the most surprising first, of equals the one with fewer values. Each label is
/// explained on its own, so that one that names nobody takes no other's place.
fn told(
    dimensions: &[(Untrusted, Elements)],
    levels: &[Vec<Part>],
    explain: impl Fn(usize) -> Vec<Explanation>,
) -> Vec<Blame> {
    let mut all: Vec<Blame> = Vec::new();
    for (place, ((label, elements), levels)) in dimensions.iter().zip(levels).enumerate() {
        all.extend(explain(place).first().and_then(|one| tell(one, label, elements, levels)));
    }
    all.sort_by(|one, other| {
        other.surprise.total_cmp(&one.surprise).then_with(|| one.values.len().cmp(&other.values.len()))
    });
    all.truncate(signal::MOST_EXPLANATIONS);
    all
}

fn tell(one: &Explanation, label: &Untrusted, elements: &Elements, levels: &[Part]) -> Option<Blame> {
    let names_all = one.culprits.len() == elements.len();
    if one.surprise < UNSURPRISING || one.explains > MOST_EXPLAINED || names_all {
        return None;
    }
    let values = one.culprits.iter().filter_map(|culprit| {
        let (value, element) = elements.iter().nth(culprit.element)?;
        let level = levels.get(culprit.element)?;
        Some(Culprit {
            value: value.clone(),
            before: Some(level.expected).filter(|_| element.is_there.0),
            now: Some(level.actual).filter(|_| element.is_there.1),
        })
    });
    Some(Blame {
        label: label.clone(),
        values: values.collect(),
        explains: one.explains,
        surprise: one.surprise,
    })
}
