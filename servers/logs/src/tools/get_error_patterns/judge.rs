//! From samples to rows: counts, classes, ranks.

use std::sync::Arc;

use contract::Untrusted;
use jiff::SignedDuration;
use runtime::blocking;
use stacktrace::Application;

use super::{
    gather::{Gathered, HEAD, Looked, trusted},
    onset::{self, Onset},
};
use crate::{
    analysis::{
        difference::{Baseline, Class, Judged, Now, Seen, classify},
        mined::{Merged, Mined, Portrait, merged, mine_by_service, portrait, told},
        thrown::traces,
    },
    backend::Logs,
    model::{Level, Like, Record, Role, Tally, Top},
    tools::asking::of_read,
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
    /// Whether it was new or surging before the window began.
    pub(super) already: bool,
    /// Whether it is new or surging, and by more than a handful of records.
    pub(super) matters: bool,
    /// Whether it was among the first by estimates: those are counted.
    is_head: bool,
    pub(super) now: Seen,
    /// In each baseline.
    pub(super) before: Vec<Seen>,
    /// In the last half and the last quarter of the window, by the records that were read.
    ends: [Seen; 2],
    /// In the part of the window whose records have arrived, by those that were read; `None` when that is all of it.
    arrived: Option<Seen>,
    /// Of the records of the window; of the baselines where there are none.
    pub(super) portrait: Portrait,
    /// Places and versions: of all records where these were counted, else of those that were read.
    pub(super) places: Top,
    pub(super) versions: Top,
    /// What those differ in.
    pub(super) covered: Merged,
    /// What finds its records and no others of all that were read; tried for the head of the list only.
    pub(super) like: Option<Like>,
    /// Whether a record of it that was read holds a stack trace; looked for in the head of the list only.
    pub(super) throws: bool,
    /// When it began, where it is new or surging.
    pub(super) onset: Option<Onset>,
}

/// A row for each pattern, those that may matter most first: by estimates, which [`settle`] replaces. Nobody waits for the
/// thread that does this.
pub(super) async fn rows(store: &Arc<dyn Logs>, gathered: Gathered) -> (Gathered, Vec<Row>) {
    let store = Arc::clone(store);
    let tried = move || {
        let rows = rows_tried(store.as_ref(), &gathered);
        (gathered, rows)
    };
    blocking(tried).await
}

fn rows_tried(store: &dyn Logs, gathered: &Gathered) -> Vec<Row> {
    let before: Vec<&[_]> = gathered.before.iter().map(Looked::records).collect();
    let mined = mine_by_service(gathered.now.records(), &before);
    let rows = mined
        .into_iter()
        .flat_map(|(service, all)| all.into_iter().map(move |mined| row(gathered, service.clone(), mined)));
    let mut rows: Vec<Row> = rows.collect();
    rank(&mut rows, &gathered.before);
    for row in rows.iter_mut().take(HEAD) {
        row.is_head = true;
        row.like = trusted(store, gathered, row);
        row.throws = row.holds_a_trace(gathered);
    }
    rows
}

/// Judges by what was counted or read, after the head of the list was counted. A pattern of the baselines alone is told
/// where it is gone; of others it is not known whether they are.
pub(super) fn settle(rows: &mut Vec<Row>, gathered: &Gathered) {
    rows.iter_mut().for_each(|row| row.judge(gathered, |seen| seen));
    rows.retain(|row| row.is_there() || row.class == Class::Gone);
    rank(rows, &gathered.before);
}

fn row(gathered: &Gathered, service: Option<Untrusted>, mined: Mined) -> Row {
    let of = |looked: &Looked, own: &[usize]| {
        looked.seen(own.iter().filter_map(|index| looked.records().get(*index)), looked.window.seconds())
    };
    let before = gathered.before.iter().zip(&mined.before).map(|(looked, own)| of(looked, own)).collect();
    let mut row = Row {
        text: String::new(),
        service,
        class: Class::Unknown,
        already: false,
        matters: false,
        is_head: false,
        now: of(&gathered.now, &mined.now),
        before,
        ends: [2, 4].map(|part| end(gathered, &mined.now, part)),
        arrived: arrived(gathered, &mined.now),
        like: None,
        throws: false,
        onset: None,
        portrait: Portrait::default(),
        places: Top::default(),
        versions: Top::default(),
        covered: Merged::default(),
        mined,
    };
    row.portrait = portrait(row.records(gathered));
    row.places = of_read(&row.portrait.places, gathered.now.complete());
    row.versions = of_read(&row.portrait.versions, gathered.now.complete());
    row.covered = merged(&row.mined.pattern, row.records(gathered));
    let now = row.mined.now.iter().filter_map(|index| gathered.now.records().get(*index));
    row.text = told(&row.mined.pattern, now);
    row.judge(gathered, Seen::believed);
    row
}

/// How often it was seen in the last part of the window, by the records that were read.
fn end(gathered: &Gathered, own: &[usize], part: u32) -> Seen {
    let window = gathered.asked.window;
    let seconds = window.seconds() / f64::from(part);
    let begin =
        SignedDuration::try_from_secs_f64(seconds).ok().and_then(|part| window.end().checked_sub(part).ok());
    let is_late = |record: &&Record| begin.zip(record.at).is_some_and(|(begin, at)| at >= begin);
    let records = own.iter().filter_map(|index| gathered.now.records().get(*index));
    gathered.now.seen(records.filter(is_late), seconds)
}

/// The records that were read of the part of the window whose records have arrived.
fn arrived(gathered: &Gathered, own: &[usize]) -> Option<Seen> {
    let until = gathered.arrived?;
    let seconds = until.duration_since(gathered.asked.window.start()).as_secs_f64();
    let records = own.iter().filter_map(|index| gathered.now.records().get(*index));
    Some(gathered.now.seen(records.filter(|record| record.at.is_some_and(|at| at < until)), seconds))
}

impl Row {
    /// The records of it that were read: of the window, else of the baselines.
    pub(super) fn records<'a>(&'a self, gathered: &'a Gathered) -> impl Iterator<Item = &'a Record> {
        let before = gathered.before.iter().zip(&self.mined.before).filter(|_| self.mined.now.is_empty());
        let windows = std::iter::once((&gathered.now, &self.mined.now)).chain(before);
        windows.flat_map(|(looked, own)| own.iter().filter_map(|index| looked.records().get(*index)))
    }

    fn holds_a_trace(&self, gathered: &Gathered) -> bool {
        let application = Application::default();
        let mut now = self.mined.now.iter().filter_map(|index| gathered.now.records().get(*index));
        now.any(|record| !traces(record, &application).is_empty())
    }

    /// Whether the window has records of it.
    pub(super) fn is_there(&self) -> bool {
        self.now.count > 0
    }

    /// Whether all its counts are true ones, and no estimates from a sample.
    pub(super) fn is_exact(&self) -> bool {
        self.now.is_exact() && self.before.iter().all(|seen| seen.is_exact())
    }

    fn judge(&mut self, gathered: &Gathered, read_as: impl Fn(Seen) -> Seen) {
        let window = gathered.asked.window;
        let recorded = gathered.before.iter().zip(&self.before).filter(|(looked, _)| looked.recorded > 0);
        let before = recorded.map(|(looked, seen)| Baseline {
            seen: read_as(*seen),
            is_adjacent: looked.window.end() == window.start(),
            growth: (gathered.now.rate() / looked.rate()).max(1.0),
        });
        let before: Vec<Baseline> = before.collect();
        let now = Now {
            whole: read_as(self.now),
            ends: self.ends.map(&read_as),
            arrived: self.arrived.map_or_else(|| read_as(self.now), &read_as),
            is_error: self.portrait.level.is_some_and(|level| level >= Level::Error),
            share: self.now.all() as f64 / gathered.now.recorded.max(1) as f64,
        };
        let Judged { class, already } = classify(now, &before);
        (self.class, self.already) = (class, already);
        self.onset = onset::of_records(self, gathered);
    }

    /// Takes over true counts: of the window first, then of each baseline.
    pub(super) fn counted(&mut self, tallies: &[Tally]) {
        let Some((now, before)) = tallies.split_first() else { return };
        self.now = Seen::counted(now.count, self.now.seconds);
        for (seen, tally) in self.before.iter_mut().zip(before) {
            *seen = Seen::counted(tally.count, seen.seconds);
        }
        if let Some(span) = now.first.zip(now.last) {
            self.portrait.span = Some(span);
        }
        for (role, top) in &now.by {
            match role {
                Role::Version => self.versions = top.clone(),
                Role::Pod | Role::Container | Role::Host => self.places = top.clone(),
                _ => {}
            }
        }
    }

    /// In the baselines that it is judged by: of what began before the window, the older ones.
    pub(super) fn compared<'a>(&'a self, baselines: &'a [Looked]) -> impl Iterator<Item = &'a Seen> {
        let adjacent = baselines.iter().map(|one| one.window.end()).max();
        let compared = baselines.iter().zip(&self.before);
        compared
            .filter(move |(one, _)| !self.already || Some(one.window.end()) != adjacent)
            .map(|(_, seen)| seen)
    }

    /// Records beyond what the busiest of these baselines would have had in the window.
    pub(super) fn excess(&self, baselines: &[Looked]) -> f64 {
        let usual = self.compared(baselines).map(|seen| seen.per_minute()).fold(0.0, f64::max);
        self.now.all() as f64 - usual * self.now.seconds / 60.0
    }
}

/// New and surging ones that add more than a handful of records first, by how many; then the rest by class and number. Errors
/// stand before other new and surging ones, and one strange record not before hundreds.
fn rank(rows: &mut [Row], baselines: &[Looked]) {
    let all: u64 = rows.iter().map(|row| row.now.all()).sum();
    let least = (all as f64 * HANDFUL_SHARE).max(HANDFUL);
    let moves = |row: &Row| matches!(row.class, Class::New | Class::Surging);
    for row in rows.iter_mut() {
        row.matters = moves(row) && row.excess(baselines) >= least;
    }
    let error = |row: &Row| moves(row) && row.portrait.level.is_some_and(|level| level >= Level::Error);
    // What matters by what it adds, the rest by class.
    let class = |row: &Row| if row.matters { Class::New } else { row.class };
    let added = |row: &Row| if row.matters { row.excess(baselines) } else { 0.0 };
    rows.sort_by(|one, other| {
        (other.matters.cmp(&one.matters))
            .then_with(|| class(one).cmp(&class(other)))
            .then_with(|| error(other).cmp(&error(one)))
            // What is only estimated never displaces what was counted.
            .then_with(|| other.is_head.cmp(&one.is_head))
            .then_with(|| added(other).total_cmp(&added(one)))
            .then_with(|| other.now.all().cmp(&one.now.all()))
            .then_with(|| one.mined.pattern.text().cmp(other.mined.pattern.text()))
    });
}
