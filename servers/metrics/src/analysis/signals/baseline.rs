//! What is usual for one signal.

use crate::analysis::baseline::{self, Candidate, Origin};

/// A baseline needs so many values.
const FEWEST: usize = 5;

/// What is usual for one signal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Baseline {
    /// The windows it is made of.
    pub(crate) windows: Vec<Candidate>,
    /// Values at equal distances, of several windows the median of each moment; NaN where there is none.
    pub(crate) values: Vec<f64>,
}

impl Baseline {
    /// The baseline from windows that may serve, with their values; `None` when none has enough.
    pub(crate) fn of(windows: &[(Candidate, Vec<Option<f64>>)]) -> Option<Baseline> {
        let covered = |values: &[Option<f64>]| {
            let enough = values.iter().flatten().filter(|value| value.is_finite()).count() >= FEWEST;
            if enough { baseline::coverage(values) } else { 0.0 }
        };
        let judged: Vec<(Candidate, f64)> =
            windows.iter().map(|(candidate, values)| (*candidate, covered(values))).collect();
        let chosen = baseline::choose(&judged);
        let chosen: Vec<&(Candidate, Vec<Option<f64>>)> =
            chosen.into_iter().filter_map(|place| windows.get(place)).collect();
        if chosen.is_empty() {
            return None;
        }
        let series: Vec<Vec<Option<f64>>> = chosen.iter().map(|(_, values)| values.clone()).collect();
        let values =
            baseline::per_position(&series).into_iter().map(|value| value.unwrap_or(f64::NAN)).collect();
        Some(Baseline { windows: chosen.iter().map(|(candidate, _)| *candidate).collect(), values })
    }

    /// Whether it is the window just before.
    pub(crate) fn is_before(&self) -> bool {
        self.windows.iter().all(|window| window.origin == Origin::Before)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use contract::TimeRange;

    use super::*;

    fn window(origin: Origin) -> Candidate {
        let at = |text: &str| text.parse().unwrap();
        Candidate {
            origin,
            window: TimeRange::new(at("2026-01-14T14:00:00Z"), at("2026-01-14T15:00:00Z")).unwrap(),
        }
    }

    #[test]
    fn earlier_days_serve_before_the_window_before_and_few_values_do_not_serve() {
        let day = window(Origin::Earlier(Duration::from_secs(86_400)));
        let before = window(Origin::Before);
        let (whole, few) = (vec![Some(2.0); 6], vec![Some(1.0); 4]);
        let gaps: Vec<Option<f64>> = [vec![Some(1.0); 5], vec![None; 6]].concat();
        let of = |windows: &[(Candidate, Vec<Option<f64>>)]| Baseline::of(windows).map(|found| found.windows);
        assert_eq!(of(&[(day, whole.clone()), (before, whole.clone())]), Some(vec![day]));
        assert_eq!(of(&[(day, gaps.clone()), (before, whole.clone())]), Some(vec![before]));
        assert_eq!(of(&[(day, few.clone()), (before, gaps)]), None);
        let week = window(Origin::Earlier(Duration::from_secs(7 * 86_400)));
        let two = Baseline::of(&[(day, vec![Some(1.0); 6]), (week, vec![Some(3.0); 6])]).unwrap();
        assert_eq!((two.values, two.windows), (vec![2.0; 6], vec![day, week]));
    }
}
