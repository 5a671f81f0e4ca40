//! From samples to rows: counts, classes, ranks.

use contract::Untrusted;
use jiff::Timestamp;

use super::gather::{Gathered, Looked, seen};
use crate::{
    analysis::{
        difference::{Class, Seen, classify},
        mined::{Mined, Portrait, like, mine_by_service, portrait, told},
    },
    model::{Level, Like, Role, Tally},
};

/// New or surging patterns that add fewer records than this, or than this share of all, are not put first.
const HANDFUL: f64 = 3.0;
const HANDFUL_SHARE: f64 = 0.002;

/// One pattern of one service as it is shown.
pub(super) struct Row {
    /// The pattern as it is shown.
    pub(super) text: String,
    /// Whose records these are.
    pub(super) service: Option<Untrusted>,
    pub(super) mined: Mined,
    pub(super) class: Class,
    /// Whether it is new or surging, and by more than a handful of records.
    pub(super) matters: bool,
    pub(super) now: Seen,
    /// In each baseline.
    pub(super) before: Vec<Seen>,
    /// Whether these are true counts, and no estimates from a sample.
    pub(super) exact: bool,
    /// Of the records of the window; of the baselines where there are none.
    pub(super) portrait: Portrait,
    /// What finds its records.
    pub(super) like: Option<Like>,
    /// When it began, where it is new or surging.
    pub(super) onset: Option<Timestamp>,
}

/// A row for each pattern, those that matter most first.
pub(super) fn rows(gathered: &Gathered<'_>) -> Vec<Row> {
    let before: Vec<&[_]> = gathered.before.iter().map(Looked::records).collect();
    let mined = mine_by_service(gathered.now.records(), &before);
    let rows = mined
        .into_iter()
        .flat_map(|(service, all)| all.into_iter().map(move |mined| row(gathered, service.clone(), mined)));
    let mut rows: Vec<Row> = rows.collect();
    rank(&mut rows);
    rows
}

fn row(gathered: &Gathered<'_>, service: Option<Untrusted>, mined: Mined) -> Row {
    let now = estimate(&gathered.now, mined.now.len());
    let before: Vec<Seen> =
        gathered.before.iter().zip(&mined.before).map(|(looked, own)| estimate(looked, own.len())).collect();
    let records = mined.now.iter().filter_map(|index| gathered.now.records().get(*index));
    let portrait = if mined.now.is_empty() {
        let windows = gathered.before.iter().zip(&mined.before);
        portrait(
            windows.flat_map(|(looked, own)| own.iter().filter_map(|index| looked.records().get(*index))),
        )
    } else {
        portrait(records)
    };
    let exact = gathered.now.complete() && gathered.before.iter().all(Looked::complete);
    let text = told(&mined.pattern, mined.now.iter().filter_map(|index| gathered.now.records().get(*index)));
    let mut row = Row {
        text,
        service,
        class: Class::Unknown,
        matters: false,
        now,
        before,
        exact,
        like: like(&mined.pattern),
        onset: None,
        portrait,
        mined,
    };
    row.judge(gathered);
    row
}

fn estimate(looked: &Looked, read: usize) -> Seen {
    let count = if looked.complete() { read as u64 } else { (read as f64 * looked.scale()).round() as u64 };
    seen(count, looked.window)
}

impl Row {
    fn judge(&mut self, gathered: &Gathered<'_>) {
        let recorded = gathered.before.iter().zip(&self.before).filter(|(looked, _)| looked.recorded > 0);
        let before: Vec<Seen> = recorded.map(|(_, seen)| *seen).collect();
        let all = gathered.now.recorded.max(1) as f64;
        let is_error = self.portrait.level.is_some_and(|level| level >= Level::Error);
        self.class = classify(self.now, &before, is_error, self.now.count as f64 / all);
        self.onset = match self.class {
            Class::New => self.portrait.span.map(|(first, _)| first),
            _ => None,
        };
    }

    /// Takes over true counts: of the window first, then of each baseline.
    pub(super) fn counted(&mut self, tallies: &[&Tally], gathered: &Gathered<'_>) {
        let Some((now, before)) = tallies.split_first() else { return };
        self.now.count = now.count;
        for (seen, tally) in self.before.iter_mut().zip(before) {
            seen.count = tally.count;
        }
        self.exact = true;
        if let Some(span) = now.first.zip(now.last) {
            self.portrait.span = Some(span);
        }
        for (role, groups) in &now.by {
            let groups = groups.iter().map(|group| (group.value.clone(), group.count)).collect();
            match role {
                Role::Version => self.portrait.versions = groups,
                Role::Pod | Role::Container | Role::Host => self.portrait.places = groups,
                _ => {}
            }
        }
        self.judge(gathered);
    }

    /// Records beyond what the busiest baseline would have had in the window.
    pub(super) fn excess(&self) -> f64 {
        let usual = self.before.iter().map(|seen| seen.per_minute()).fold(0.0, f64::max);
        self.now.count as f64 - usual * self.now.seconds / 60.0
    }
}

/// New and surging ones that add more than a handful of records first, by how many; then the rest by their number. One
/// strange record must not stand before hundreds.
pub(super) fn rank(rows: &mut [Row]) {
    let all: u64 = rows.iter().map(|row| row.now.count).sum();
    let least = (all as f64 * HANDFUL_SHARE).max(HANDFUL);
    for row in rows.iter_mut() {
        row.matters = matches!(row.class, Class::New | Class::Surging) && row.excess() >= least;
    }
    let first = |row: &Row| row.matters;
    let error = |row: &Row| row.portrait.level.is_some_and(|level| level >= Level::Error);
    rows.sort_by(|one, other| {
        first(other)
            .cmp(&first(one))
            .then_with(
                || {
                    if first(one) { error(other).cmp(&error(one)) } else { one.class.cmp(&other.class) }
                },
            )
            .then_with(|| {
                if first(one) { other.excess().total_cmp(&one.excess()) } else { std::cmp::Ordering::Equal }
            })
            .then_with(|| other.now.count.cmp(&one.now.count))
            .then_with(|| one.mined.pattern.text().cmp(other.mined.pattern.text()))
    });
}
