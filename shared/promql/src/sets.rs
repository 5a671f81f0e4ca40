//! `and`, `or` and `unless`: which series of two sides remain.

use crate::eval::{Evaluation, Grid};
use crate::plan::{Matching, SetOperator};
use crate::track::{Reader, Track, Writer};
use crate::value::EvalError;
use crate::vector_match::Groups;

/// The series of the left side that match, or do not match, one of the right; with `or`, then those of the right
/// that match none of the left. At each step anew.
pub(crate) fn combined(
    evaluation: &Evaluation<'_>,
    left: Vec<Track>,
    right: Vec<Track>,
    operator: SetOperator,
    matching: &Matching,
    grid: Grid,
) -> Result<Vec<Track>, EvalError> {
    let groups = Groups::of(&left, &right, matching);
    let mut writer = Writer::default();
    let left_places: Vec<usize> = left.iter().map(|track| writer.place(&track.labels)).collect();
    let right_places: Vec<usize> = right.iter().map(|track| writer.place(&track.labels)).collect();
    let (mut left_reader, mut right_reader) = (Reader::of(&left), Reader::of(&right));
    for step in grid.steps() {
        evaluation.read(left.len() + right.len())?;
        let left_now: Vec<(usize, f64)> = left_reader.at(step).collect();
        let right_now: Vec<(usize, f64)> = right_reader.at(step).collect();
        let on_left = Present::of(&left_now, &groups.left, groups.count);
        let on_right = Present::of(&right_now, &groups.right, groups.count);
        for (number, value) in left_now {
            let matches = on_right.matches(number, &groups.left);
            let kept = match operator {
                SetOperator::And => matches,
                SetOperator::Unless => !matches,
                SetOperator::Or => true,
            };
            if kept && let Some(place) = left_places.get(number) {
                writer.write(*place, step, value)?;
            }
        }
        for (number, value) in right_now {
            let kept = operator == SetOperator::Or && !on_left.matches(number, &groups.right);
            if kept && let Some(place) = right_places.get(number) {
                writer.write(*place, step, value)?;
            }
        }
    }
    Ok(writer.tracks())
}

/// Which groups have a series on one side at one step.
struct Present(Vec<bool>);

impl Present {
    fn of(series: &[(usize, f64)], groups: &[usize], count: usize) -> Present {
        let mut present = vec![false; count];
        for (number, _) in series {
            if let Some(present) = groups.get(*number).and_then(|group| present.get_mut(*group)) {
                *present = true;
            }
        }
        Present(present)
    }

    /// Whether the group of a series of the other side is present.
    fn matches(&self, number: usize, groups: &[usize]) -> bool {
        groups.get(number).and_then(|group| self.0.get(*group)).copied().unwrap_or_default()
    }
}
