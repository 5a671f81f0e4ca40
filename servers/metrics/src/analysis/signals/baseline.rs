//! What is usual: the same window one day and seven days earlier, else the window just before.

/// Earlier windows, in days before.
pub(crate) const DAYS: [i64; 2] = [1, 7];

/// A window serves when it has values at so many of its moments.
const COVERED: f64 = 0.5;

/// A baseline needs so many values.
const FEWEST: usize = 5;

/// What a baseline is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Basis {
    /// The same window so many days earlier; of several the median of each moment.
    Days(Vec<i64>),
    /// The window just before.
    Before,
}

/// What is usual for one signal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Baseline {
    pub(crate) basis: Basis,
    /// Values at equal distances; NaN where there is none.
    pub(crate) values: Vec<f64>,
}

impl Baseline {
    /// The baseline of earlier windows (days before, values) and the window just before; `None` when none of them has
    /// enough values.
    pub(crate) fn of(earlier: &[(i64, Vec<f64>)], before: &[f64]) -> Option<Baseline> {
        let enough: Vec<&(i64, Vec<f64>)> = earlier.iter().filter(|(_, values)| serves(values)).collect();
        if enough.is_empty() {
            return serves(before).then(|| Baseline { basis: Basis::Before, values: before.to_vec() });
        }
        let longest = enough.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
        let at = |place: usize| -> f64 {
            let all: Vec<f64> = enough.iter().filter_map(|(_, values)| values.get(place).copied()).collect();
            signal::median(&all).unwrap_or(f64::NAN)
        };
        let days = enough.iter().map(|(days, _)| *days).collect();
        Some(Baseline { basis: Basis::Days(days), values: (0..longest).map(at).collect() })
    }
}

/// The share of moments that have a value, 0 to 1.
pub(crate) fn coverage(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { finite(values) as f64 / values.len() as f64 }
}

fn serves(values: &[f64]) -> bool {
    finite(values) >= FEWEST && coverage(values) >= COVERED
}

fn finite(values: &[f64]) -> usize {
    values.iter().filter(|value| value.is_finite()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_days_give_the_median_of_each_moment() {
        let earlier = [(1, vec![1.0, 2.0, f64::NAN, 4.0, 5.0, 6.0]), (7, vec![3.0, 4.0, 5.0, 6.0, 7.0, 8.0])];
        let baseline = Baseline::of(&earlier, &[]).unwrap();
        assert_eq!(baseline, Baseline { basis: Basis::Days(vec![1, 7]), values: vec![2.0, 3.0, 5.0, 5.0, 6.0, 7.0] });
    }

    #[test]
    fn a_window_with_few_values_does_not_serve() {
        let gaps = vec![1.0, f64::NAN, f64::NAN, f64::NAN, 1.0, 1.0, f64::NAN, f64::NAN, 1.0, f64::NAN, 1.0];
        let whole = vec![2.0; 5];
        let earlier = [(1, gaps.clone()), (7, whole.clone())];
        assert_eq!(Baseline::of(&earlier, &[]).unwrap().basis, Basis::Days(vec![7]));
        assert_eq!(Baseline::of(&[(1, gaps.clone())], &whole).unwrap().basis, Basis::Before);
        assert_eq!(Baseline::of(&[(1, gaps.clone())], &gaps), None);
        assert_eq!(Baseline::of(&[(1, vec![1.0; 4])], &[]), None);
    }
}
