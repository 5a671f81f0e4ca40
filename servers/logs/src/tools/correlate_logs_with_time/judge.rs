//! What was new around the moment.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use contract::{TimeRange, Untrusted};
use jiff::Timestamp;
use runtime::blocking;

use super::gather::{Gathered, VERIFIED, is_trusted};
use crate::{
    analysis::{
        difference::{Baseline, Class, Now, Seen, classify},
        lifecycle::{Lifecycle, lifecycle},
        mined::{Portrait, like, mine_by_service, portrait, told},
    },
    backend::Logs,
    model::{Level, Like, Record, Role, Sample, Tally, Top},
    tools::asking::of_read,
};

/// A pattern that is new or far more frequent, or tells of a start, stop or change.
pub(super) struct Row {
    pub(super) class: Class,
    /// Whose records these are.
    pub(super) service: Option<Untrusted>,
    pub(super) lifecycle: Option<Lifecycle>,
    pub(super) first: Timestamp,
    /// Around the moment; with the moment of the first record of all of them where this was counted.
    pub(super) now: Seen,
    pub(super) before: Seen,
    pub(super) portrait: Portrait,
    /// Of all records where these were counted, else of those that were read.
    pub(super) places: Top,
    pub(super) text: String,
    /// The first record: an index.
    pub(super) example: usize,
    /// The records that were read around the moment, and before: indices.
    pub(super) own: Vec<usize>,
    pub(super) earlier: Vec<usize>,
    /// What finds its records. Of the first rows it finds no others of all that were read.
    pub(super) like: Option<Like>,
    /// How telling it is.
    weight: f64,
}

/// A version of a service that the time before did not have.
pub(super) struct NewVersion {
    pub(super) service: Untrusted,
    pub(super) version: Untrusted,
    pub(super) first: Timestamp,
}

/// Rows, the most telling first: by estimates, which [`settle`] replaces. Nobody waits for the thread that does this.
pub(super) async fn rows(store: &Arc<dyn Logs>, gathered: Gathered) -> (Gathered, Vec<Row>) {
    let store = Arc::clone(store);
    let tried = move || {
        let rows = rows_tried(store.as_ref(), &gathered);
        (gathered, rows)
    };
    blocking(tried).await
}

fn rows_tried(store: &dyn Logs, gathered: &Gathered) -> Vec<Row> {
    let now = &gathered.around.value;
    let mut rows = Vec::new();
    let of_services = mine_by_service(&now.records, &[&gathered.before.value.records]);
    let all = of_services
        .into_iter()
        .flat_map(|(service, own)| own.into_iter().map(move |one| (service.clone(), one)));
    for (service, mined) in all {
        let Some((example, first)) = earliest(&mined.now, &now.records) else { continue };
        let drawn = portrait(mined.now.iter().filter_map(|index| now.records.get(*index)));
        let message = now.records.get(example).map_or("", |record| record.message.inside());
        let earlier = mined.before.into_iter().next().unwrap_or_default();
        let seen = |own: &[usize], sample: &Sample, window: TimeRange| {
            let weights =
                own.iter().filter_map(|index| sample.records.get(*index)).map(|record| record.weight);
            Seen::sampled(weights, sample.share(), window.seconds())
        };
        let mut row = Row {
            class: Class::Unknown,
            service,
            lifecycle: lifecycle(message),
            first,
            now: seen(&mined.now, now, gathered.asked.around),
            before: seen(&earlier, &gathered.before.value, gathered.asked.before),
            places: of_read(&drawn.places, now.is_whole()),
            portrait: drawn,
            text: told(&mined.pattern, mined.now.iter().filter_map(|index| now.records.get(*index))),
            example,
            like: like(&mined.pattern),
            own: mined.now,
            earlier,
            weight: 0.0,
        };
        row.judge(gathered, Seen::believed);
        if row.is_telling() {
            rows.push(row);
        }
    }
    rank(&mut rows);
    for row in rows.iter_mut().take(VERIFIED).filter(|_| !gathered.complete()) {
        row.like = row.like.take().filter(|like| is_trusted(store, gathered, row, like));
    }
    rows
}

/// Judges by what was counted or read, after the head of the list was counted, and leaves what tells something.
pub(super) fn settle(rows: &mut Vec<Row>, gathered: &Gathered) {
    rows.iter_mut().for_each(|row| row.judge(gathered, |seen| seen));
    rows.retain(Row::is_telling);
    rank(rows);
}

/// The most telling first.
fn rank(rows: &mut [Row]) {
    rows.sort_by(|one, other| {
        (other.weight.total_cmp(&one.weight))
            .then_with(|| one.first.cmp(&other.first))
            .then_with(|| one.text.cmp(&other.text))
    });
}

impl Row {
    /// Judges by the numbers of records around the moment and before.
    fn judge(&mut self, gathered: &Gathered, read_as: impl Fn(Seen) -> Seen) {
        let (is, was) = (read_as(self.now), read_as(self.before));
        let is_recorded = !gathered.before.value.records.is_empty();
        let before = is_recorded.then_some(Baseline { seen: was, is_adjacent: true, growth: 1.0 });
        let share = is.all() as f64 / gathered.around.value.total.number().max(1) as f64;
        // Whatever was never said before is worth a look here, however seldom. The moment is in the middle of the window,
        // so that its ends are of no more interest than the rest.
        let now = Now { whole: is, ends: [is; 2], arrived: is, is_error: true, share };
        self.class = classify(now, before.as_slice()).class;
        self.lifecycle = self.lifecycle.filter(|_| was.per_minute() * 4.0 <= is.per_minute());
        let early = self.first < gathered.asked.at;
        self.weight = weight(self.class, self.lifecycle, self.portrait.level, early, is.all());
    }

    /// Takes over true counts: around the moment first, then before.
    pub(super) fn counted(&mut self, tallies: &[Tally]) {
        let [now, before] = tallies else { return };
        self.now = Seen::counted(now.count, self.now.seconds);
        self.before = Seen::counted(before.count, self.before.seconds);
        self.first = now.first.unwrap_or(self.first);
        let places = now.by.iter().find(|(role, _)| matches!(role, Role::Pod | Role::Container | Role::Host));
        if let Some((_, places)) = places {
            self.places = places.clone();
        }
    }

    /// Whether it is new, far more frequent, or tells of a start, stop or change.
    pub(super) fn is_telling(&self) -> bool {
        matches!(self.class, Class::New | Class::Surging) || self.lifecycle.is_some()
    }
}

/// The record that happened first.
fn earliest(own: &[usize], records: &[Record]) -> Option<(usize, Timestamp)> {
    let timed = own.iter().filter_map(|index| Some((*index, records.get(*index)?.at?)));
    timed.min_by_key(|(index, at)| (*at, *index))
}

/// Causes come before their effects: what began before the moment, is new, and is bad or a change.
fn weight(class: Class, lifecycle: Option<Lifecycle>, level: Option<Level>, before: bool, count: u64) -> f64 {
    let class = if class == Class::New { 3.0 } else { 1.0 };
    let bad = match level {
        Some(Level::Fatal) => 4.0,
        Some(Level::Error) => 3.0,
        Some(Level::Warn) => 2.0,
        _ => 0.0,
    };
    let change = if lifecycle.is_some() { 3.0 } else { 0.0 };
    let early = if before { 2.0 } else { 0.0 };
    class + bad + change + early + (count as f64).log10().min(3.0) / 2.0
}

/// Versions that appeared, by service.
pub(super) fn new_versions(gathered: &Gathered) -> Vec<NewVersion> {
    let pair = |record: &Record| Some((record.service.clone()?, record.version.clone()?));
    let before = &gathered.before.value.records;
    let known: BTreeSet<(Untrusted, Untrusted)> = before.iter().filter_map(pair).collect();
    let services: BTreeSet<&Untrusted> = known.iter().map(|(service, _)| service).collect();
    let mut found: BTreeMap<(Untrusted, Untrusted), Timestamp> = BTreeMap::new();
    for record in &gathered.around.value.records {
        let (Some(pair), Some(at)) = (pair(record), record.at) else { continue };
        // A service that said nothing before has no old version to differ from.
        if services.contains(&pair.0) && !known.contains(&pair) {
            let first = found.entry(pair).or_insert(at);
            *first = (*first).min(at);
        }
    }
    let all = found.into_iter().map(|((service, version), first)| NewVersion { service, version, first });
    let mut all: Vec<NewVersion> = all.collect();
    all.sort_by(|one, other| one.first.cmp(&other.first).then_with(|| one.service.cmp(&other.service)));
    all
}
