//! Which values account for what changed in a stretch of steps.

use contract::Untrusted;
use signal::Part;

use super::Anomaly;
use crate::model::Histogram;

/// A value that accounts for a change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Culprit {
    /// Which of the histograms given.
    pub(crate) dimension: usize,
    /// The value; `None` for records without any of the values told.
    pub(crate) value: Option<Untrusted>,
    /// Its share of the change, 1 for all of it.
    pub(crate) explains: f64,
}

/// The values that explain a stretch best: of the dimension that explains it most surprisingly, as [`signal::attribution`]
/// ranks them. Expected of a value is its mean outside of the stretch.
pub(crate) fn blame(found: &Anomaly, dimensions: &[&Histogram]) -> Vec<Culprit> {
    let parts: Vec<Vec<Part>> = dimensions.iter().map(|one| parts(found, one)).collect();
    let Some(best) = signal::attribution(&parts).into_iter().next() else { return Vec::new() };
    let values = dimensions.get(best.dimension).map(|one| one.by.as_slice()).unwrap_or_default();
    let culprits = best.culprits.iter().map(|culprit| Culprit {
        dimension: best.dimension,
        value: values.get(culprit.element).map(|(value, _)| value.clone()),
        explains: culprit.explains,
    });
    culprits.collect()
}

/// Expected and counted of each value, and last of all other records together.
fn parts(found: &Anomaly, histogram: &Histogram) -> Vec<Part> {
    let mut parts: Vec<Part> = histogram.by.iter().map(|(_, counts)| part(found, counts)).collect();
    let all = part(found, &histogram.total);
    let sum = |of: fn(&Part) -> f64| parts.iter().map(of).sum::<f64>();
    let others = Part {
        expected: (all.expected - sum(|part| part.expected)).max(0.0),
        actual: (all.actual - sum(|part| part.actual)).max(0.0),
    };
    parts.push(others);
    parts
}

fn part(found: &Anomaly, counts: &[u64]) -> Part {
    let sum = |counts: &[u64]| counts.iter().map(|count| *count as f64).sum::<f64>();
    let inside = counts.get(found.from..found.to.min(counts.len())).unwrap_or_default();
    let steps = counts.len() - inside.len();
    let outside = sum(counts) - sum(inside);
    let expected = if steps > 0 { outside / steps as f64 * inside.len() as f64 } else { 0.0 };
    Part { expected, actual: sum(inside) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use contract::Context;

    use super::*;
    use crate::analysis::volume::Kind;

    fn histogram(by: &[(&str, [u64; 4])]) -> Histogram {
        let cx = Context::for_test("2026-01-14T14:32:00Z".parse().unwrap());
        let total = (0..4).map(|step| by.iter().map(|(_, counts)| counts[step]).sum()).collect();
        let by = by.iter().map(|(value, counts)| (cx.intake.text(value), counts.to_vec())).collect();
        Histogram { step: Duration::from_secs(60), total, by }
    }

    #[test]
    fn the_value_that_changed_is_named_and_not_the_one_that_is_large() {
        let found = Anomaly { kind: Kind::Spike, from: 2, to: 4, count: 440, expected: 240.0, score: 50.0 };
        let levels = histogram(&[("info", [100, 100, 100, 100]), ("error", [20, 20, 120, 120])]);
        let pods = histogram(&[("a", [60, 60, 110, 110]), ("b", [60, 60, 110, 110])]);
        let told = blame(&found, &[&pods, &levels]);
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].dimension, told[0].value.as_ref().unwrap().inside()), (1, "error"));
        assert!((told[0].explains - 1.0).abs() < 1e-9);
    }

    #[test]
    fn records_without_any_of_the_values_can_be_to_blame() {
        let found = Anomaly { kind: Kind::Spike, from: 3, to: 4, count: 90, expected: 10.0, score: 50.0 };
        let mut levels = histogram(&[("info", [10, 10, 10, 10])]);
        levels.total = vec![10, 10, 10, 90];
        assert_eq!(blame(&found, &[&levels])[0].value, None);
    }
}
