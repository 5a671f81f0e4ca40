//! What became of a pattern between baselines and now: new, surging, fading, gone, steady.

/// A rate must change by at least this factor.
const FACTOR: f64 = 2.0;
/// Records on both sides together without which no rate is compared.
const FEWEST: u64 = 10;
/// ln of the likelihood ratio from which two rates differ: about 1 in 3,500 of equal ones reach it.
const CERTAIN: f64 = 6.6;
/// A pattern without errors is new only when it has this share of all records: logs are full of rare lines.
const NEW_SHARE: f64 = 0.01;

/// How often a pattern was seen over how long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Seen {
    /// Records.
    pub(crate) count: u64,
    /// Length of the window, in seconds.
    pub(crate) seconds: f64,
}

impl Seen {
    /// Records a minute.
    pub(crate) fn per_minute(self) -> f64 {
        if self.seconds > 0.0 { self.count as f64 * 60.0 / self.seconds } else { 0.0 }
    }
}

/// What became of a pattern. In the order in which they matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// In no baseline.
    New,
    /// At least [`FACTOR`] times as often as in every baseline.
    Surging,
    /// About as often.
    Steady,
    /// At most 1 ÷ [`FACTOR`] times as often as in every baseline.
    Fading,
    /// No more.
    Gone,
    /// There is nothing to compare with.
    Unknown,
}

impl Class {
    /// As answers write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Class::New => "new",
            Class::Surging => "surging",
            Class::Steady => "steady",
            Class::Fading => "fading",
            Class::Gone => "gone",
            Class::Unknown => "no baseline",
        }
    }
}

/// Judges a pattern. `before` holds the baselines in which anything at all was recorded; `is_error` says whether its records
/// are errors, `share` which part of all records it is now.
pub(crate) fn classify(now: Seen, before: &[Seen], is_error: bool, share: f64) -> Class {
    if before.is_empty() {
        return Class::Unknown;
    }
    if before.iter().all(|seen| seen.count == 0) {
        return if now.count > 0 && (is_error || share >= NEW_SHARE) { Class::New } else { Class::Steady };
    }
    let moved = |up: bool| before.iter().all(|seen| differs(now, *seen, up));
    match (moved(true), moved(false)) {
        (true, _) => Class::Surging,
        (_, true) if now.count == 0 => Class::Gone,
        (_, true) => Class::Fading,
        _ => Class::Steady,
    }
}

/// Whether the rate now is certainly and far above (or below) the rate of a baseline.
fn differs(now: Seen, before: Seen, up: bool) -> bool {
    let (is, was) = (now.per_minute(), before.per_minute());
    let far = if up { is >= FACTOR * was } else { is * FACTOR <= was };
    let enough = now.count + before.count >= FEWEST;
    let (count, baseline) = (now.count as f64, before.count as f64);
    far && enough && signal::rate_change(count, now.seconds, baseline, before.seconds) >= CERTAIN
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seen(count: u64) -> Seen {
        Seen { count, seconds: 1_800.0 }
    }

    #[test]
    fn classes_by_hand() {
        for (name, now, before, is_error, share, expected) in [
            ("an error nobody saw before", 1, vec![0, 0], true, 0.0001, Class::New),
            ("a rare line nobody saw before", 1, vec![0, 0], false, 0.001, Class::Steady),
            ("a frequent line nobody saw before", 50, vec![0, 0], false, 0.2, Class::New),
            ("seen a week ago", 3, vec![0, 2], true, 0.1, Class::Steady),
            ("far more than in both", 141, vec![6, 9], true, 0.1, Class::Surging),
            ("more than yesterday only", 141, vec![6, 140], true, 0.1, Class::Steady),
            ("+900 % of a tiny baseline", 9, vec![1, 0], true, 0.1, Class::Steady),
            ("a little more", 64, vec![60, 70], false, 0.1, Class::Steady),
            ("far fewer", 20, vec![100, 90], true, 0.1, Class::Fading),
            ("no more", 0, vec![100, 90], true, 0.0, Class::Gone),
            ("seldom and not now", 0, vec![2, 1], true, 0.0, Class::Steady),
            ("nothing was recorded", 10, vec![], true, 0.1, Class::Unknown),
        ] {
            let before: Vec<Seen> = before.into_iter().map(seen).collect();
            assert_eq!(classify(seen(now), &before, is_error, share), expected, "{name}");
        }
    }

    #[test]
    fn rates_are_compared_and_not_counts() {
        let day = Seen { count: 960, seconds: 86_400.0 };
        assert_eq!(classify(Seen { count: 20, seconds: 1_800.0 }, &[day], true, 0.1), Class::Steady);
        assert_eq!(classify(Seen { count: 80, seconds: 1_800.0 }, &[day], true, 0.1), Class::Surging);
    }

    proptest! {
        #[test]
        fn more_of_it_is_never_less_alarming(count in 0_u64..1_000, more in 0_u64..1_000, before in 1_u64..1_000) {
            let rank = |count| match classify(seen(count), &[seen(before)], true, 0.1) {
                Class::Gone => 0,
                Class::Fading => 1,
                Class::Steady => 2,
                _ => 3,
            };
            prop_assert!(rank(count + more) >= rank(count));
        }
    }
}
