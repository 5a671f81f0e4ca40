//! What a request could be, and whether that is safe to say.

use super::{Bound, DAY, MIB, Reading, Resource, Row};

/// What is added to usage: the margin of the Vertical Pod Autoscaler (`--recommendation-margin-fraction` 0.15).
const MARGIN: f64 = 1.15;

/// How far ahead a rise is provided for, in days.
const AHEAD: f64 = 30.0;

/// A smaller change than this share of the request is not worth a deployment.
const WORTH: f64 = 0.1;

/// A week must have been seen: a shorter history may hold only its quiet days.
const SHORTEST_DAYS: f64 = 7.0;

/// Held back in more periods than this share, CPU usage is what the limit let through.
const THROTTLED: f64 = 0.05;

/// Memory beyond this share of its limit is what the limit let through.
const CLIPPED: f64 = 0.95;

/// A request that would do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ask {
    /// The request now.
    pub(crate) from: f64,
    /// The request that would do.
    pub(crate) to: f64,
    /// The usage it rests on: the quantile 0.99 of CPU, the highest of memory.
    pub(crate) usage: f64,
    /// What is provided for a rise.
    pub(crate) rise: f64,
}

/// What to do about a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Advice {
    /// Less would do.
    Lower(Ask),
    /// Usage is beyond it.
    Raise(Ask),
    /// Usage is within it, but with its rise or the margin it is not: more will be needed.
    Tight(Ask),
    /// About right.
    Keep,
    /// There is none.
    NoRequest,
    /// Nothing safe can be said: days of history.
    ShortHistory(f64),
    /// Nothing safe can be said: CPU was held back in this share of periods.
    Throttled(f64),
    /// Nothing safe can be said: memory came this near to its limit, as a share.
    Clipped(f64),
    /// Nothing safe can be said: usage was read at moments only, and peaks between them are not seen.
    Moments,
    /// Nothing was measured.
    Unknown,
}

/// What to do about the request of a row. `throttled` is the share of periods in which its CPU was held back; `reading` is
/// how its usage was read.
///
/// CPU: quantile 0.99 of the busiest replica, memory: its highest; both + the steepest rise within the trend's interval
/// over 30 days, × 1.15, rounded up.
pub(crate) fn advise(row: &Row, throttled: Option<f64>, reading: Reading) -> Advice {
    let Some(usage) = (match row.resource {
        Resource::Cpu => row.usage.p99,
        Resource::Memory => row.usage.max,
    }) else {
        return Advice::Unknown;
    };
    let Some(from) = row.bound(Bound::Request) else { return Advice::NoRequest };
    let rise = match (row.per_day(), row.trend) {
        (Some(per_day), Some(trend)) if per_day > 0.0 => trend.high * DAY / row.step * AHEAD,
        _ => 0.0,
    };
    let to = rounded_up((usage + rise) * MARGIN, row.resource);
    let ask = Ask { from, to, usage, rise };
    if to > from * (1.0 + WORTH) {
        return if usage > from { Advice::Raise(ask) } else { Advice::Tight(ask) };
    }
    if to > from * (1.0 - WORTH) {
        return Advice::Keep;
    }
    if reading == Reading::Moments {
        return Advice::Moments;
    }
    let days = (row.history + row.step) / DAY;
    if days < SHORTEST_DAYS {
        return Advice::ShortHistory(days);
    }
    match row.resource {
        Resource::Cpu => match throttled {
            Some(share) if share > THROTTLED => Advice::Throttled(share),
            _ => Advice::Lower(ask),
        },
        Resource::Memory => match row.bound(Bound::Limit) {
            Some(limit) if usage > CLIPPED * limit => Advice::Clipped(usage / limit),
            _ => Advice::Lower(ask),
        },
    }
}

/// Up to two digits of cores, at least 0.01; whole steps of 8 MiB, from 1 GiB on of 64 MiB.
fn rounded_up(value: f64, resource: Resource) -> f64 {
    let step = match resource {
        Resource::Cpu => 10.0_f64.powi((value.max(0.01).log10().floor() as i32 - 1).max(-2)),
        Resource::Memory if value < 1_024.0 * MIB => 8.0 * MIB,
        Resource::Memory => 64.0 * MIB,
    };
    // 0.23 ÷ 0.01 is a little more than 23.
    let steps = (value / step - 1e-9).ceil().max(1.0);
    match resource {
        Resource::Cpu if step < 1.0 => steps / (1.0 / step).round(),
        _ => steps * step,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::capacity::Usage;

    /// When the server computed from all samples.
    fn advise(row: &Row, throttled: Option<f64>) -> Advice {
        super::advise(row, throttled, Reading::Every(300))
    }

    fn row(resource: Resource, usage: f64, request: f64, limit: f64, track: Vec<f64>) -> Row {
        let usage = Usage { p99: Some(usage), max: Some(usage), ..Usage::default() };
        let bounds = [(Bound::Request, request), (Bound::Limit, limit)].into_iter().collect();
        Row::new(Vec::new(), resource, usage, bounds, (track, 10_800.0))
    }

    #[test]
    fn a_request_is_usage_and_margin_rounded_up() {
        // 0.16 × 1.15 = 0.184.
        let cpu = row(Resource::Cpu, 0.16, 0.5, 1.0, vec![0.1; 240]);
        assert_eq!(
            advise(&cpu, Some(0.0)),
            Advice::Lower(Ask { from: 0.5, to: 0.19, usage: 0.16, rise: 0.0 })
        );
        // 200 × 1.15 = 230 MiB, 29 × 8 = 232.
        let memory = row(Resource::Memory, 200.0 * MIB, 512.0 * MIB, 1_024.0 * MIB, vec![1.0; 240]);
        let Advice::Lower(ask) = advise(&memory, None) else { panic!("{memory:?}") };
        assert_eq!(ask.to / MIB, 232.0);
    }

    #[test]
    fn a_rise_is_provided_for() {
        // 0.01 a day: 0.3 in 30 days; (0.3 + 0.3) × 1.15 = 0.69.
        let track: Vec<f64> = (0..240).map(|at| 0.01 * f64::from(at) / 8.0).collect();
        let Advice::Lower(ask) = advise(&row(Resource::Cpu, 0.3, 1.0, 2.0, track), None) else { panic!() };
        assert_eq!(ask.to, 0.69);
        assert!((ask.rise - 0.3).abs() < 1e-9);
    }

    #[test]
    fn moments_are_too_few_to_lower_a_request_and_enough_to_raise_it() {
        let flat = vec![0.1; 240];
        let memory = row(Resource::Memory, 200.0 * MIB, 512.0 * MIB, 1_024.0 * MIB, flat.clone());
        let cpu = row(Resource::Cpu, 0.16, 0.5, 1.0, flat.clone());
        for one in [&memory, &cpu] {
            assert!(matches!(advise(one, None), Advice::Lower(_)));
            assert_eq!(super::advise(one, None, Reading::Moments), Advice::Moments);
        }
        let low = row(Resource::Cpu, 0.5, 0.25, 1.0, flat);
        assert!(matches!(super::advise(&low, None, Reading::Moments), Advice::Raise(_)));
    }

    #[test]
    fn a_request_that_will_need_more_is_not_about_right() {
        // 0.01 a day: 0.3 in 30 days; (0.3 + 0.3) × 1.15 = 0.69, near twice the request, which usage is within.
        let track: Vec<f64> = (0..240).map(|at| 0.01 * f64::from(at) / 8.0).collect();
        let advice = advise(&row(Resource::Cpu, 0.3, 0.35, 2.0, track), None);
        let Advice::Tight(ask) = advice else { panic!("{advice:?}") };
        assert_eq!((ask.from, ask.to, ask.usage), (0.35, 0.69, 0.3));
        // 0.99 × 1.15 = 1.1385: no rise, but no margin either.
        let advice = advise(&row(Resource::Cpu, 0.99, 1.0, 2.0, vec![0.1; 240]), None);
        assert_eq!(advice, Advice::Tight(Ask { from: 1.0, to: 1.2, usage: 0.99, rise: 0.0 }));
    }

    #[test]
    fn what_is_not_safe_to_say_is_not_said() {
        let flat = vec![0.1; 240];
        assert_eq!(advise(&row(Resource::Cpu, 0.1, 0.12, 1.0, flat.clone()), None), Advice::Keep);
        let raised = advise(&row(Resource::Cpu, 0.5, 0.25, 1.0, flat.clone()), None);
        assert_eq!(raised, Advice::Raise(Ask { from: 0.25, to: 0.58, usage: 0.5, rise: 0.0 }));
        let throttled = advise(&row(Resource::Cpu, 0.1, 1.0, 1.0, flat.clone()), Some(0.12));
        assert_eq!(throttled, Advice::Throttled(0.12));
        let clipped = row(Resource::Memory, 98.0 * MIB, 900.0 * MIB, 100.0 * MIB, flat.clone());
        assert_eq!(advise(&clipped, None), Advice::Clipped(0.98));
        // 32 values at 3 h are 4 days.
        assert_eq!(
            advise(&row(Resource::Cpu, 0.1, 1.0, 1.0, vec![0.1; 32]), None),
            Advice::ShortHistory(4.0)
        );
        let mut none = row(Resource::Cpu, 0.1, 1.0, 1.0, flat);
        none.bounds.clear();
        assert_eq!(advise(&none, None), Advice::NoRequest);
        none.usage = Usage::default();
        assert_eq!(advise(&none, None), Advice::Unknown);
    }

    #[test]
    fn roundings_are_what_a_person_would_write() {
        for (cores, expected) in [
            (0.0, 0.01),
            (0.001, 0.01),
            (0.01, 0.01),
            (0.011, 0.02),
            (0.23, 0.23),
            (1.234, 1.3),
            (12.3, 13.0),
        ] {
            assert_eq!(rounded_up(cores, Resource::Cpu), expected, "{cores}");
        }
        for (mib, expected) in [(0.5, 8.0), (8.0, 8.0), (9.0, 16.0), (1_024.0, 1_024.0), (1_030.0, 1_088.0)] {
            assert_eq!(rounded_up(mib * MIB, Resource::Memory) / MIB, expected, "{mib}");
        }
    }
}
