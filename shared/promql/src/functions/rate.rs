//! How fast counters and gauges change.

use super::RangeFunction;
use crate::window::{Window, seconds};

/// Each by its name.
pub(super) const FUNCTIONS: &[(&str, RangeFunction)] = &[
    ("rate", |window, _| extrapolated(window, true, window.seconds())),
    ("increase", |window, _| extrapolated(window, true, 1.0)),
    ("delta", |window, _| extrapolated(window, false, 1.0)),
    ("irate", |window, _| last_two(window, true)),
    ("idelta", |window, _| last_two(window, false)),
    ("resets", |window, _| Some(window.neighbours().filter(|(before, after)| after < before).count() as f64)),
    ("changes", |window, _| {
        Some(window.neighbours().filter(|(before, after)| differ(*before, *after)).count() as f64)
    }),
];

fn differ(before: f64, after: f64) -> bool {
    before != after && !(before.is_nan() && after.is_nan())
}

/// The change within the range each so many seconds, from the samples' change extended to the ends of the range.
///
/// Where the first or last sample is about as near to the range's end as samples are to each other (at most 1.1
/// times their mean distance), the series is taken to go on to that end; otherwise to have begun or ended half
/// that distance away. A counter cannot have begun before it was zero.
fn extrapolated(window: &Window<'_>, counter: bool, each: f64) -> Option<f64> {
    let (first, last, count) = window.ends()?;
    let mut change = last.value - first.value;
    if counter {
        for (before, after) in window.neighbours() {
            if after < before {
                change += before;
            }
        }
    }
    let sampled = seconds(first.time, last.time);
    let apart = sampled / (count - 1) as f64;
    let near = apart * 1.1;
    let extension = |distance: f64| if distance >= near { apart / 2.0 } else { distance };
    let mut to_start = extension(seconds(window.start, first.time));
    if counter && change > 0.0 && first.value >= 0.0 {
        let to_zero = sampled * (first.value / change);
        if to_zero < to_start {
            to_start = to_zero;
        }
    }
    let to_end = extension(seconds(last.time, window.end));
    // Multiplied last, so that what the rate can hold does not overflow on the way.
    Some(change * ((sampled + to_start + to_end) / sampled / each))
}

/// The change between the last two samples: each second for a counter, as it is for a gauge.
fn last_two(window: &Window<'_>, counter: bool) -> Option<f64> {
    let [.., before, after] = window.values else { return None };
    let [.., earlier, later] = window.timestamps else { return None };
    if !counter {
        return Some(after - before);
    }
    // After a reset the counter went from zero to what it is.
    let change = if after < before { *after } else { after - before };
    Some(change / seconds(*earlier, *later))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str, samples: &[(i64, f64)], range: (i64, i64)) -> Option<f64> {
        let (_, function) = FUNCTIONS.iter().find(|(known, _)| *known == name).unwrap();
        let timestamps: Vec<i64> = samples.iter().map(|(time, _)| time * 1_000).collect();
        let values: Vec<f64> = samples.iter().map(|(_, value)| *value).collect();
        let (start, end) = (range.0 * 1_000, range.1 * 1_000);
        function(&Window { timestamps: &timestamps, values: &values, start, end, step: end }, f64::NAN)
    }

    /// By hand: samples every 10 s, so "near" is 11 s.
    #[test]
    fn changes_are_extended_to_the_ends_of_the_range() {
        // 20 in 20 s; 5 s to each end are near: times 30 / 20. Zero would be 1000 s before.
        let near = [(5, 1000.0), (15, 1010.0), (25, 1020.0)];
        assert_eq!(value("increase", &near, (0, 30)), Some(30.0));
        assert_eq!(value("rate", &near, (0, 30)), Some(1.0));
        assert_eq!(value("delta", &near, (0, 30)), Some(30.0));
        // 40 s to the start are not near, so 5 s count; 5 s to the end: times 30 / 20.
        let late = [(40, 1000.0), (50, 1010.0), (60, 1020.0)];
        assert_eq!(value("increase", &late, (0, 65)), Some(30.0));
        // Exactly 11 s are not near: 5 s on each side.
        assert_eq!(value("increase", &[(11, 1000.0), (21, 1010.0)], (0, 32)), Some(20.0));
        // Zero was 2 s before the first sample, nearer than the start: times (20 + 2 + 5) / 20.
        let young = [(5, 2.0), (15, 12.0), (25, 22.0)];
        assert_eq!(value("increase", &young, (0, 30)), Some(27.0));
        assert_eq!(value("delta", &young, (0, 30)), Some(30.0), "a gauge may have been below zero");
    }

    /// By hand: 100, 110, 5, 15 rises by 10 + 5 + 10 = 25 in 30 s, and zero would be 120 s before.
    #[test]
    fn a_counter_that_falls_began_anew_from_zero() {
        let reset = [(0, 100.0), (10, 110.0), (20, 5.0), (30, 15.0)];
        assert_eq!(value("increase", &reset, (0, 30)), Some(25.0));
        assert_eq!(value("resets", &reset, (0, 30)), Some(1.0));
        assert_eq!(value("delta", &reset, (0, 30)), Some(-85.0));
        assert_eq!(value("irate", &reset[..3], (0, 30)), Some(0.5));
        assert_eq!(value("irate", &reset, (0, 30)), Some(1.0));
        assert_eq!(value("idelta", &reset[..3], (0, 30)), Some(-105.0));
    }

    #[test]
    fn one_sample_has_no_rate_but_no_changes_either() {
        let one = [(5, 1.0)];
        for name in ["rate", "increase", "delta", "irate", "idelta"] {
            assert_eq!(value(name, &one, (0, 30)), None, "{name}");
        }
        assert_eq!(value("resets", &one, (0, 30)), Some(0.0));
        assert_eq!(value("changes", &one, (0, 30)), Some(0.0));
    }

    #[test]
    fn not_a_number_twice_is_no_change() {
        let values = [(0, 1.0), (1, f64::NAN), (2, f64::NAN), (3, 1.0), (4, 1.0)];
        assert_eq!(value("changes", &values, (0, 30)), Some(2.0));
    }
}
