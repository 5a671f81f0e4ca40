//! Series in which one is faulty and hard to see: it is the smallest of all, and the others are noisier.
//!
//! The same each time: the noise comes from a fixed generator.

use std::fmt::Write as _;

/// The window that is asked for, in half-open form: 1,441 moments, one a minute.
pub(super) const WINDOW: &str = "2026-01-13T00:00:00Z/2026-01-14T00:01:00Z";
pub(super) const STEP: &str = "1m";
pub(super) const POINTS: usize = 1_441;

/// Which series is faulty: neither the first nor the last.
pub(super) const FAULTY: usize = 61;
/// From this share of the window on it is ten times its level.
const FAULT_BEGINS: f64 = 0.75;

/// The moments of one evaluation, in Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Moments {
    pub(super) start: i64,
    /// Included.
    pub(super) end: i64,
    pub(super) step: i64,
}

impl Moments {
    pub(super) fn count(self) -> usize {
        usize::try_from((self.end - self.start) / self.step.max(1) + 1).unwrap_or_default()
    }
}

/// The `pod` label of a series. No name is part of another.
pub(super) fn pod(series: usize) -> String {
    format!("checkout-{series:03}")
}

/// What Prometheus answers to a range query over so many series.
pub(super) fn matrix(series: usize, moments: Moments) -> String {
    let mut noise = Noise(1);
    let mut json = String::from(r#"{"status":"success","data":{"resultType":"matrix","result":["#);
    for number in 0..series {
        let comma = if number == 0 { "" } else { "," };
        let _ =
            write!(json, r#"{comma}{{"metric":{{"namespace":"shop","pod":"{}"}},"values":["#, pod(number));
        for point in 0..moments.count() {
            let comma = if point == 0 { "" } else { "," };
            let time = moments.start + moments.step * point as i64;
            let value = value(number, point as f64 / moments.count() as f64, &mut noise);
            let _ = write!(json, r#"{comma}[{time},"{value}"]"#);
        }
        json.push_str("]}");
    }
    json.push_str("]}}");
    json
}

/// The healthy ones lie between 200 and 17,000 and move by up to a third of that; the faulty one is 0.02 ± 5 %.
fn value(series: usize, share: f64, noise: &mut Noise) -> f64 {
    if series == FAULTY {
        let level = if share < FAULT_BEGINS { 0.02 } else { 0.2 };
        return level * (1.0 + 0.05 * noise.next());
    }
    let level = 200.0 * (1.0 + series as f64);
    level * (1.0 + (0.1 + 0.23 * (series % 7) as f64 / 6.0) * noise.next())
}

/// Numbers between -1 and 1 from the generator of Numerical Recipes: random enough to look at.
struct Noise(u32);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        2.0 * f64::from(self.0) / f64::from(u32::MAX) - 1.0
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// 2026-01-13T00:00:00Z and 2026-01-14T00:00:00Z by `date -u -d … +%s`.
    const DAY: Moments = Moments { start: 1_768_262_400, end: 1_768_348_800, step: 60 };

    #[test]
    fn it_is_a_prometheus_reply_of_four_megabytes_with_every_point() {
        let json = matrix(84, DAY);
        assert!((3_800_000..4_400_000).contains(&json.len()), "{} bytes", json.len());
        let reply: Value = serde_json::from_str(&json).unwrap();
        let series = reply["data"]["result"].as_array().unwrap();
        assert_eq!(series.len(), 84);
        assert!(series.iter().all(|series| series["values"].as_array().unwrap().len() == POINTS));
        assert_eq!(json, matrix(84, DAY), "the same each time");
    }

    #[test]
    fn the_faulty_series_is_far_below_all_others_and_less_noisy() {
        let reply: Value = serde_json::from_str(&matrix(84, DAY)).unwrap();
        let range = |series: &Value| {
            let values = series["values"].as_array().unwrap().iter();
            let values = values.map(|point| point[1].as_str().unwrap().parse::<f64>().unwrap());
            values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)))
        };
        for (number, series) in reply["data"]["result"].as_array().unwrap().iter().enumerate() {
            let (low, high) = range(series);
            if number == FAULTY {
                assert!(low > 0.018 && high < 0.22, "{low} to {high}");
            } else {
                assert!(low > 100.0 && high - low > 30.0, "series {number}: {low} to {high}");
            }
        }
    }
}
