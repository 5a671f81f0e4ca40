//! Operators between two vectors: which of their series belong together, and what becomes of them.

use std::collections::{HashMap, HashSet};

use crate::binary;
use crate::eval::{Evaluation, Grid};
use crate::labels::{Labels, NAME};
use crate::plan::{Cardinality, Matching, Operator};
use crate::track::{Reader, Track, Writer};
use crate::value::EvalError;

/// Arithmetic or a comparison between the series of two sides that match.
pub(crate) fn matched(
    evaluation: &Evaluation<'_>,
    left: Vec<Track>,
    right: Vec<Track>,
    operator: Operator,
    bool: bool,
    matching: &Matching,
    grid: Grid,
) -> Result<Vec<Track>, EvalError> {
    let swapped = matching.cardinality == Cardinality::OneToMany;
    let (many, one) = if swapped { (right, left) } else { (left, right) };
    let groups = Groups::of(&many, &one, matching);
    let mut pairing =
        Pairing { operator, bool, matching, swapped, writer: Writer::default(), places: HashMap::new() };
    let (mut many_reader, mut one_reader) = (Reader::of(&many), Reader::of(&one));
    let mut ones = Ones { of_groups: vec![None; groups.count] };
    let mut results = Results::default();
    for step in grid.steps() {
        evaluation.read(many.len() + one.len())?;
        let many_now: Vec<(usize, f64)> = many_reader.at(step).collect();
        let one_now: Vec<(usize, f64)> = one_reader.at(step).collect();
        if many_now.is_empty() || one_now.is_empty() {
            continue;
        }
        let filled = ones.fill(&one_now, &groups.right);
        filled.map_err(|(number, other)| many_to_many(&one, number, other, matching, swapped))?;
        results.clear();
        for (number, value) in many_now {
            let Some((group, (other, other_value))) = ones.matching(number, &groups.left) else { continue };
            let place = pairing.place((number, &many), (other, &one));
            results.admit(group, place, &pairing, many.get(number))?;
            if let Some(result) = pairing.result(value, other_value) {
                pairing.writer.write(place, step, result)?;
            }
        }
    }
    Ok(pairing.writer.tracks())
}

/// The one series of each group at one step, with its value.
struct Ones {
    of_groups: Vec<Option<(usize, f64)>>,
}

impl Ones {
    /// Puts series into their groups. Fails with two series of the same group.
    fn fill(&mut self, series: &[(usize, f64)], groups: &[usize]) -> Result<(), (usize, usize)> {
        self.of_groups.fill(None);
        for (number, value) in series {
            let Some(slot) = groups.get(*number).and_then(|group| self.of_groups.get_mut(*group)) else {
                continue;
            };
            if let Some((other, _)) = slot {
                return Err((*number, *other));
            }
            *slot = Some((*number, *value));
        }
        Ok(())
    }

    /// The group of a series of the other side, and the one series that it matches.
    fn matching(&self, number: usize, groups: &[usize]) -> Option<(usize, (usize, f64))> {
        let group = *groups.get(number)?;
        Some((group, self.of_groups.get(group).copied().flatten()?))
    }
}

/// Which series match: those of the same group.
pub(crate) struct Groups {
    /// The group of each series of the left side.
    pub(crate) left: Vec<usize>,
    pub(crate) right: Vec<usize>,
    pub(crate) count: usize,
}

impl Groups {
    pub(crate) fn of(left: &[Track], right: &[Track], matching: &Matching) -> Groups {
        let mut numbers: HashMap<Labels, usize> = HashMap::new();
        let mut group = |track: &Track| {
            let next = numbers.len();
            *numbers.entry(group_labels(&track.labels, matching)).or_insert(next)
        };
        let left = left.iter().map(&mut group).collect();
        let right = right.iter().map(&mut group).collect();
        Groups { left, right, count: numbers.len() }
    }
}

/// The labels that series must have in common to match.
fn group_labels(labels: &Labels, matching: &Matching) -> Labels {
    let listed = |name: &str| matching.labels.iter().any(|label| label == name);
    if matching.on { labels.retain(listed) } else { labels.retain(|name| name != NAME && !listed(name)) }
}

/// What becomes of two series that match.
struct Pairing<'m> {
    operator: Operator,
    bool: bool,
    matching: &'m Matching,
    /// The side with one series a match is the left one.
    swapped: bool,
    writer: Writer,
    places: HashMap<(usize, usize), usize>,
}

impl Pairing<'_> {
    /// Where the result of two series is written.
    fn place(&mut self, many: (usize, &[Track]), one: (usize, &[Track])) -> usize {
        if let Some(place) = self.places.get(&(many.0, one.0)) {
            return *place;
        }
        let labels = |(number, tracks): (usize, &[Track])| {
            tracks.get(number).map(|track| track.labels.clone()).unwrap_or_default()
        };
        let place = self.writer.place(&self.labels(&labels(many), &labels(one)));
        self.places.insert((many.0, one.0), place);
        place
    }

    fn labels(&self, many: &Labels, one: &Labels) -> Labels {
        let drops_name = self.bool || !self.operator.compares();
        let mut labels = if drops_name { many.without_metadata() } else { many.clone() };
        if self.matching.cardinality == Cardinality::OneToOne {
            let listed = |name: &str| self.matching.labels.iter().any(|label| label == name);
            labels = labels.retain(|name| listed(name) == self.matching.on);
        }
        for name in &self.matching.include {
            labels = labels.with(name, one.get(name));
        }
        labels
    }

    fn result(&self, many: f64, one: f64) -> Option<f64> {
        let (left, right) = if self.swapped { (one, many) } else { (many, one) };
        if self.bool {
            return Some(binary::number(self.operator, left, right));
        }
        let (value, kept) = binary::element(self.operator, left, right);
        kept.then_some(value)
    }
}

/// The results of one step, to find two of the same match that cannot be told apart, filtered out or not.
#[derive(Default)]
struct Results {
    seen: HashSet<(usize, usize)>,
}

impl Results {
    fn clear(&mut self) {
        self.seen.clear();
    }

    fn admit(
        &mut self,
        group: usize,
        place: usize,
        pairing: &Pairing<'_>,
        many: Option<&Track>,
    ) -> Result<(), EvalError> {
        let one_to_one = pairing.matching.cardinality == Cardinality::OneToOne;
        if self.seen.insert((group, if one_to_one { 0 } else { place })) {
            return Ok(());
        }
        Err(if one_to_one {
            EvalError::ManyToOne { series: many.map(|track| track.labels.clone()).unwrap_or_default() }
        } else {
            EvalError::GroupNotUnique { series: pairing.writer.labels(place) }
        })
    }
}

fn many_to_many(one: &[Track], number: usize, other: usize, matching: &Matching, swapped: bool) -> EvalError {
    let labels = |number: usize| one.get(number).map(|track| track.labels.clone()).unwrap_or_default();
    EvalError::ManyToMany {
        group: group_labels(&labels(number), matching),
        side: if swapped { "left" } else { "right" },
        one: labels(other),
        other: labels(number),
    }
}
