//! Aggregations to one number, one value after the other.

use crate::kahan::{Mean, Sum};
use crate::plan::Fold;

/// An aggregation of the values so far; there is at least one.
#[derive(Debug)]
pub(crate) enum Folding {
    Sum(Sum),
    Average(Mean),
    Minimum(f64),
    Maximum(f64),
    Count(f64),
    Group,
    Spread(Spread),
}

/// The spread of values around their mean (Welford 1962).
#[derive(Debug)]
pub(crate) struct Spread {
    squares: f64,
    mean: f64,
    count: f64,
    deviation: bool,
}

impl Folding {
    pub(crate) fn starting_at(fold: Fold, value: f64) -> Folding {
        match fold {
            Fold::Sum => Folding::Sum(Sum::starting_at(value)),
            Fold::Average => Folding::Average(Mean::starting_at(value)),
            Fold::Minimum => Folding::Minimum(value),
            Fold::Maximum => Folding::Maximum(value),
            Fold::Count => Folding::Count(1.0),
            Fold::Group => Folding::Group,
            Fold::Deviation | Fold::Variance => {
                let squares = if value.is_finite() { 0.0 } else { f64::NAN };
                Folding::Spread(Spread {
                    squares,
                    mean: value,
                    count: 1.0,
                    deviation: fold == Fold::Deviation,
                })
            }
        }
    }

    pub(crate) fn add(&mut self, value: f64) {
        match self {
            Folding::Sum(sum) => *sum = sum.plus(value),
            Folding::Average(mean) => mean.add(value),
            // What is not a number only remains if there is nothing else.
            Folding::Minimum(least) if value < *least || least.is_nan() => *least = value,
            Folding::Maximum(greatest) if value > *greatest || greatest.is_nan() => *greatest = value,
            Folding::Minimum(_) | Folding::Maximum(_) | Folding::Group => {}
            Folding::Count(count) => *count += 1.0,
            Folding::Spread(spread) => {
                spread.count += 1.0;
                let distance = value - spread.mean;
                spread.mean += distance / spread.count;
                spread.squares += distance * (value - spread.mean);
            }
        }
    }

    pub(crate) fn value(&self) -> f64 {
        match self {
            Folding::Sum(sum) => sum.total(),
            Folding::Average(mean) => mean.value(),
            Folding::Minimum(value) | Folding::Maximum(value) | Folding::Count(value) => *value,
            Folding::Group => 1.0,
            Folding::Spread(spread) => {
                let variance = spread.squares / spread.count;
                if spread.deviation { variance.sqrt() } else { variance }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(fold: Fold, values: &[f64]) -> f64 {
        let mut folding = Folding::starting_at(fold, values[0]);
        values[1..].iter().for_each(|value| folding.add(*value));
        folding.value()
    }

    /// The same textbook example as for windows: mean 5, variance 4.
    #[test]
    fn aggregations_of_a_textbook_example() {
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        for (fold, expected) in [
            (Fold::Sum, 40.0),
            (Fold::Average, 5.0),
            (Fold::Minimum, 2.0),
            (Fold::Maximum, 9.0),
            (Fold::Count, 8.0),
            (Fold::Group, 1.0),
            (Fold::Deviation, 2.0),
            (Fold::Variance, 4.0),
        ] {
            assert_eq!(folded(fold, &values), expected, "{fold:?}");
        }
        assert_eq!(folded(Fold::Minimum, &[f64::NAN, 3.0, f64::NAN]), 3.0);
        assert!(folded(Fold::Variance, &[f64::INFINITY]).is_nan());
    }
}
