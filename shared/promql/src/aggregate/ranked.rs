//! `topk` and `bottomk`.

use std::cmp::Ordering;

use crate::quantile::ascending;
use crate::value::EvalError;

/// How many series of each group to keep at each step, at most `most`. `None` if that is none at any step.
///
/// # Errors
/// A parameter that is not a number or does not fit into 64 bits.
pub(super) fn counts(parameters: &[f64], most: usize, top: bool) -> Result<Option<Vec<usize>>, EvalError> {
    let function = if top { "topk" } else { "bottomk" };
    if parameters.iter().any(|parameter| parameter.is_nan()) {
        return Err(EvalError::Parameter { function, problem: "not a number" });
    }
    if parameters.iter().all(|parameter| *parameter < 1.0) {
        return Ok(None);
    }
    if parameters.iter().any(|parameter| parameter.abs() >= 9_223_372_036_854_775_808.0) {
        return Err(EvalError::Parameter { function, problem: "too large" });
    }
    Ok(Some(parameters.iter().map(|parameter| (*parameter as usize).min(most)).collect()))
}

/// The best of the values offered: a heap with the worst of them on top. Which of several equal values stays is
/// decided by the heap's moves, so these are the ones of Go's `container/heap`.
#[derive(Debug)]
pub(super) struct Ranking {
    heap: Vec<(usize, f64)>,
    count: usize,
    top: bool,
}

impl Ranking {
    pub(super) fn new(count: usize, top: bool) -> Ranking {
        Ranking { heap: Vec::new(), count, top }
    }

    /// Offers the value of a track.
    pub(super) fn offer(&mut self, track: usize, value: f64) {
        if self.heap.len() < self.count {
            self.heap.push((track, value));
            self.lift(self.heap.len() - 1);
            return;
        }
        let Some(worst) = self.heap.first_mut() else { return };
        let better = if self.top { worst.1 < value } else { worst.1 > value };
        if better || (worst.1.is_nan() && !value.is_nan()) {
            *worst = (track, value);
            self.sink();
        }
    }

    /// The values that stayed, the best first; what is not a number last.
    pub(super) fn ranked(mut self) -> Vec<(usize, f64)> {
        let top = self.top;
        self.heap.sort_by(|one, other| {
            if top {
                ascending(other.1, one.1, Ordering::Less)
            } else {
                ascending(one.1, other.1, Ordering::Greater)
            }
        });
        self.heap
    }

    fn worse(&self, one: usize, other: usize) -> bool {
        let value = |place: usize| self.heap.get(place).map_or(f64::NAN, |entry| entry.1);
        let (one, other) = (value(one), value(other));
        one.is_nan() || if self.top { one < other } else { one > other }
    }

    fn lift(&mut self, mut place: usize) {
        while place > 0 {
            let parent = (place - 1) / 2;
            if !self.worse(place, parent) {
                return;
            }
            self.heap.swap(place, parent);
            place = parent;
        }
    }

    fn sink(&mut self) {
        let mut place = 0;
        loop {
            let mut child = 2 * place + 1;
            if child >= self.heap.len() {
                return;
            }
            if child + 1 < self.heap.len() && self.worse(child + 1, child) {
                child += 1;
            }
            if !self.worse(child, place) {
                return;
            }
            self.heap.swap(place, child);
            place = child;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(count: usize, top: bool, values: &[f64]) -> Vec<usize> {
        let mut ranking = Ranking::new(count, top);
        values.iter().enumerate().for_each(|(track, value)| ranking.offer(track, *value));
        ranking.ranked().into_iter().map(|(track, _)| track).collect()
    }

    #[test]
    fn the_best_stay_in_their_order_and_nan_only_for_want_of_numbers() {
        let values = [3.0, f64::NAN, 5.0, 1.0, 4.0];
        assert_eq!(best(2, true, &values), [2, 4]);
        assert_eq!(best(2, false, &values), [3, 0]);
        assert_eq!(best(5, true, &values), [2, 4, 0, 3, 1]);
        assert_eq!(best(5, false, &values), [3, 0, 4, 2, 1]);
        assert_eq!(best(1, true, &[7.0, 7.0]), [0], "the first of equals stays");
    }

    #[test]
    fn counts_are_whole_numbers_within_bounds() {
        assert_eq!(counts(&[2.9, 0.5, 10.0, -3.0], 4, true), Ok(Some(vec![2, 0, 4, 0])));
        assert_eq!(counts(&[0.5, -2.0], 4, true), Ok(None));
        assert!(counts(&[f64::NAN, 1.0], 4, true).is_err());
        assert!(counts(&[1e30], 4, false).is_err());
    }
}
