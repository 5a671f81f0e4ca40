//! What became of a pattern between baselines and now: new, surging, fading, gone, steady.

use jiff::Timestamp;

/// A rate must change by at least this factor.
const FACTOR: f64 = 2.0;
/// Baselines together must be so many times as long as the window for their having none to mean anything.
const LEAST_LENGTH: f64 = 0.5;
/// Records on both sides together without which no rate is compared.
const FEWEST: u64 = 10;
/// ln of the likelihood ratio from which two rates differ: about 1 in 3,500 of equal ones reach it.
pub(crate) const CERTAIN: f64 = 6.6;
/// The same of one comparison in three, for the window and its ends: 6.6 + ln 3.
const CERTAIN_OF_THREE: f64 = 7.7;
/// A pattern without errors is new only when it has this share of all records: logs are full of rare lines.
const NEW_SHARE: f64 = 0.01;

/// How often a pattern was seen over how long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Seen {
    /// Records that were read, or counted; of a sample with unequal weights, how many equal ones tell as much.
    pub(crate) count: u64,
    /// Which part of all its records that is: 1 where all were counted.
    pub(crate) share: f64,
    /// Length of the window, in seconds.
    pub(crate) seconds: f64,
}

impl Seen {
    /// Counted to the end.
    pub(crate) fn counted(count: u64, seconds: f64) -> Seen {
        Seen { count, share: 1.0, seconds }
    }

    /// Read in a sample in which each record stands for so many, and all together for this part of all records.
    ///
    /// What unequal weights tell is as certain as what `(Σ w)² ÷ Σ w²` equal ones do (Kish, Survey Sampling, 1965).
    pub(crate) fn sampled(weights: impl Iterator<Item = f64>, share: f64, seconds: f64) -> Seen {
        let (sum, squares) = weights.fold((0.0, 0.0), |(sum, squares), w| (sum + w, squares + w * w));
        if sum <= 0.0 {
            return Seen { count: 0, share, seconds };
        }
        let count = (sum * sum / squares).round().max(1.0);
        let own = if share >= 1.0 { 1.0 } else { (count / sum).min(0.999) };
        Seen { count: count as u64, share: own, seconds }
    }

    /// Whether it is a true count, and no estimate from a sample.
    pub(crate) fn is_exact(self) -> bool {
        self.share >= 1.0
    }

    /// Records in all; estimated from a sample.
    pub(crate) fn all(self) -> u64 {
        if self.share > 0.0 { (self.count as f64 / self.share).round() as u64 } else { 0 }
    }

    /// Records a minute.
    pub(crate) fn per_minute(self) -> f64 {
        let exposure = self.exposure();
        if exposure > 0.0 { self.count as f64 * 60.0 / exposure } else { 0.0 }
    }

    /// An estimate as if it had been counted: good enough to choose what is worth counting, and for nothing else.
    pub(crate) fn believed(self) -> Seen {
        Seen::counted(self.all(), self.seconds)
    }

    /// The time for which the records that were read stand.
    fn exposure(self) -> f64 {
        self.seconds * self.share
    }
}

/// How often a pattern was seen in a baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Baseline {
    /// How often.
    pub(crate) seen: Seen,
    /// Whether it ends where the window begins: an incident that runs for longer than the window is in both.
    pub(crate) is_adjacent: bool,
    /// How many times as many records of any kind there are now; at least 1.
    pub(crate) growth: f64,
}

impl Baseline {
    /// Brought to today's level: what is more only because everything is, is not surging.
    fn grown(self) -> Seen {
        Seen { seconds: self.seen.seconds / self.growth.max(1.0), ..self.seen }
    }
}

/// How often a pattern is seen now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Now {
    /// In the window.
    pub(crate) whole: Seen,
    /// In its last half and its last quarter: what began late is diluted in the whole.
    pub(crate) ends: [Seen; 2],
    /// In the part of the window whose records have arrived: what is still on its way is not gone.
    pub(crate) arrived: Seen,
    /// Whether its records are errors.
    pub(crate) is_error: bool,
    /// Which part of all records of the window it has.
    pub(crate) share: f64,
}

/// What became of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Judged {
    /// Its class.
    pub(crate) class: Class,
    /// Whether it was so before the window began: the time directly before has it as often, and older times don't.
    pub(crate) already: bool,
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

/// Judges a pattern against the baselines in which anything at all was recorded.
///
/// Against all of them first. What is steady then may still have begun in the baseline directly before the window, so it is
/// compared with the older ones alone; that must be certain by the counts, because fewer baselines have a rare line less often.
pub(crate) fn classify(now: Now, before: &[Baseline]) -> Judged {
    let class = against(now, before);
    let older: Vec<Seen> = before.iter().filter(|one| !one.is_adjacent).map(|one| one.grown()).collect();
    let is_running = class == Class::Steady
        && !older.is_empty()
        && older.len() < before.len()
        && older.iter().all(|seen| differs(now.whole, *seen, true, CERTAIN));
    match is_running {
        true if older.iter().all(|seen| seen.count == 0) => Judged { class: Class::New, already: true },
        true => Judged { class: Class::Surging, already: true },
        false => Judged { class, already: false },
    }
}

fn against(now: Now, before: &[Baseline]) -> Class {
    if before.is_empty() {
        return Class::Unknown;
    }
    let whole = now.whole;
    if before.iter().all(|one| one.seen.count == 0) {
        // That a sample has none of it does not say that there was none.
        // Nor do counts of a time that is much shorter than the window.
        let exact = before.iter().map(|one| one.seen).filter(|seen| seen.is_exact());
        let is_long = exact.map(|seen| seen.seconds).sum::<f64>() >= LEAST_LENGTH * whole.seconds;
        let is_absent =
            |one: &Baseline| (is_long && one.seen.is_exact()) || differs(whole, one.seen, true, CERTAIN);
        let counts = now.is_error || now.share >= NEW_SHARE;
        let is_new = whole.count > 0 && counts && before.iter().all(is_absent);
        return if is_new { Class::New } else { Class::Steady };
    }
    let moved =
        |seen: Seen, up: bool, certain: f64| before.iter().all(|one| differs(seen, one.seen, up, certain));
    let surges_late = |end: &Seen| {
        let adds = |one: &Baseline| end.count as f64 - one.seen.per_minute() * end.exposure() / 60.0;
        moved(*end, true, CERTAIN_OF_THREE) && before.iter().all(|one| adds(one) >= FEWEST as f64)
    };
    if moved(whole, true, CERTAIN) || now.ends.iter().any(surges_late) {
        return Class::Surging;
    }
    match moved(now.arrived, false, CERTAIN) {
        true if whole.count == 0 => Class::Gone,
        true => Class::Fading,
        false => Class::Steady,
    }
}

/// Whether the rate now is certainly and far above (or below) the rate of a baseline. What counts are the records that were
/// read: a sample of ten that stand for a thousand says no more than ten.
pub(crate) fn differs(now: Seen, before: Seen, up: bool, certain: f64) -> bool {
    let (is, was) = (now.per_minute(), before.per_minute());
    let far = if up { is >= FACTOR * was } else { is * FACTOR <= was };
    let enough = now.count + before.count >= FEWEST;
    let (count, baseline) = (now.count as f64, before.count as f64);
    far && enough && signal::rate_change(count, now.exposure(), baseline, before.exposure()) >= certain
}

/// What comes first within so many of its mean gaps after the start was there from the start: of equally frequent records one
/// in twenty has the first one later.
const GAPS: f64 = 3.0;

/// Whether so many records, from the first to the last one, were there from the start of a window.
pub(crate) fn from_the_start(records: u64, (first, last): (Timestamp, Timestamp), start: Timestamp) -> bool {
    let gaps = records.saturating_sub(1);
    let wait = first.duration_since(start).as_secs_f64();
    gaps > 0 && wait * gaps as f64 <= GAPS * last.duration_since(first).as_secs_f64()
}

#[cfg(test)]
mod tests;
