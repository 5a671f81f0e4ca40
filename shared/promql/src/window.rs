//! Samples in columns and windows that slide over them.

/// The samples of one series, times ascending, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Columns<'c> {
    pub(crate) timestamps: &'c [i64],
    pub(crate) values: &'c [f64],
}

/// The samples of one series within a range of time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window<'c> {
    /// At least one.
    pub(crate) timestamps: &'c [i64],
    /// As many.
    pub(crate) values: &'c [f64],
    /// The range begins after this time.
    pub(crate) start: i64,
    /// The range's last moment.
    pub(crate) end: i64,
    /// The step's time, which is not the range's end if there is an offset.
    pub(crate) step: i64,
}

impl Window<'_> {
    /// The length of the range, in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        seconds(self.start, self.end)
    }

    /// Time and value of the first and of the last sample, and how many samples there are. `None` for fewer than
    /// two samples.
    pub(crate) fn ends(&self) -> Option<(Sample, Sample, usize)> {
        let first = Sample { time: *self.timestamps.first()?, value: *self.values.first()? };
        let last = Sample { time: *self.timestamps.last()?, value: *self.values.last()? };
        (self.values.len() > 1).then_some((first, last, self.values.len()))
    }

    /// Each value and the one after it.
    pub(crate) fn neighbours(&self) -> impl Iterator<Item = (f64, f64)> {
        self.values.iter().copied().zip(self.values.iter().copied().skip(1))
    }
}

/// A recorded value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) time: i64,
    pub(crate) value: f64,
}

/// From one time to another, in seconds.
pub(crate) fn seconds(from: i64, to: i64) -> f64 {
    to.saturating_sub(from) as f64 / 1_000.0
}

/// The samples of a series that a window covers while it moves on in time.
#[derive(Debug)]
pub(crate) struct Slider<'c> {
    columns: Columns<'c>,
    from: usize,
    to: usize,
}

impl<'c> Slider<'c> {
    pub(crate) fn over(columns: Columns<'c>) -> Slider<'c> {
        Slider { columns, from: 0, to: 0 }
    }

    /// The samples after `start` and until `end`; neither may be earlier than in the call before.
    pub(crate) fn slide(&mut self, start: i64, end: i64) -> Columns<'c> {
        self.from = past(self.columns.timestamps, self.from, start);
        self.to = past(self.columns.timestamps, self.to.max(self.from), end);
        Columns {
            timestamps: self.columns.timestamps.get(self.from..self.to).unwrap_or_default(),
            values: self.columns.values.get(self.from..self.to).unwrap_or_default(),
        }
    }

    /// The last sample until `end`, which may not be earlier than in the call before.
    pub(crate) fn last(&mut self, end: i64) -> Option<Sample> {
        self.to = past(self.columns.timestamps, self.to, end);
        let place = self.to.checked_sub(1)?;
        Some(Sample { time: *self.columns.timestamps.get(place)?, value: *self.columns.values.get(place)? })
    }
}

/// The place of the first time later than `limit`, looked for from `from` on. Fast when it is near.
pub(crate) fn past(timestamps: &[i64], from: usize, limit: i64) -> usize {
    let rest = timestamps.get(from..).unwrap_or_default();
    let mut near = 4;
    while rest.get(near).is_some_and(|time| *time <= limit) {
        near *= 4;
    }
    let searched = rest.get(..near).unwrap_or(rest);
    from + searched.partition_point(|time| *time <= limit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_sliding_window_holds_what_filtering_would_find(
            gaps in prop::collection::vec(1_i64..40, 0..80),
            moves in prop::collection::vec(0_i64..60, 1..20),
            range in 1_i64..100,
        ) {
            let times: Vec<i64> = gaps.iter().scan(0, |at, gap| { *at += gap; Some(*at) }).collect();
            let values: Vec<f64> = times.iter().map(|time| *time as f64).collect();
            let columns = Columns { timestamps: &times, values: &values };
            let (mut windows, mut lasts, mut end) = (Slider::over(columns), Slider::over(columns), -50);
            for step in moves {
                end += step;
                let expected: Vec<i64> = times.iter().copied().filter(|t| *t > end - range && *t <= end).collect();
                let found = windows.slide(end - range, end);
                prop_assert_eq!(found.timestamps, &expected[..]);
                prop_assert_eq!(found.values.len(), expected.len());
                let last = times.iter().copied().rfind(|t| *t <= end);
                prop_assert_eq!(lasts.last(end).map(|sample| sample.time), last);
            }
        }
    }
}
