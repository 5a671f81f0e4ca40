//! Sums that keep the digits plain addition loses (Neumaier 1974), and means made of them. Prometheus computes in
//! this order and manner; any other would differ in the last digits, or altogether where a sum overflows.

/// A sum and the part of it that does not fit into its digits.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sum {
    pub(crate) high: f64,
    pub(crate) low: f64,
}

impl Sum {
    pub(crate) fn starting_at(value: f64) -> Sum {
        Sum { high: value, low: 0.0 }
    }

    pub(crate) fn plus(self, value: f64) -> Sum {
        let high = self.high + value;
        let low = if high.is_infinite() {
            0.0
        } else if self.high.abs() >= value.abs() {
            self.low + ((self.high - high) + value)
        } else {
            self.low + ((value - high) + self.high)
        };
        Sum { high, low }
    }

    pub(crate) fn scaled(self, factor: f64) -> Sum {
        Sum { high: self.high * factor, low: self.low * factor }
    }

    pub(crate) fn total(self) -> f64 {
        self.high + self.low
    }
}

/// The mean of values: their sum divided by their count, or, from where the sum would overflow, a running mean.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mean {
    /// The sum, or the mean itself.
    sum: Sum,
    count: f64,
    running: bool,
}

impl Mean {
    pub(crate) fn starting_at(value: f64) -> Mean {
        Mean { sum: Sum::starting_at(value), count: 1.0, running: false }
    }

    pub(crate) fn add(&mut self, value: f64) {
        let before = self.count;
        self.count += 1.0;
        if !self.running {
            let sum = self.sum.plus(value);
            if !sum.high.is_infinite() {
                self.sum = sum;
                return;
            }
            self.running = true;
            self.sum = Sum { high: self.sum.high / before, low: self.sum.low / before };
        }
        self.sum = self.sum.scaled(before / self.count).plus(value / self.count);
    }

    pub(crate) fn value(&self) -> f64 {
        if self.running { self.sum.total() } else { self.sum.high / self.count + self.sum.low / self.count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(values: &[f64]) -> f64 {
        let mut mean = Mean::starting_at(values[0]);
        values[1..].iter().for_each(|value| mean.add(*value));
        mean.value()
    }

    /// Neumaier's own example: plain summation gives 0.
    #[test]
    fn a_sum_keeps_what_plain_addition_loses() {
        let sum = [1.0, 1e100, 1.0, -1e100].into_iter().fold(Sum::default(), Sum::plus);
        assert_eq!(sum.total(), 2.0);
    }

    #[test]
    fn a_mean_survives_the_overflow_of_the_sum() {
        let largest = f64::MAX;
        assert!((mean(&[largest, largest, largest]) / largest - 1.0).abs() < 1e-15);
        assert_eq!(mean(&[1.0, 2.0, 6.0]), 3.0);
        assert_eq!(mean(&[f64::INFINITY, 1.0]), f64::INFINITY);
        assert!(mean(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
    }
}
