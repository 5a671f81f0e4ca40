//! What was new around the moment.

use std::collections::{BTreeMap, BTreeSet};

use contract::Untrusted;
use jiff::Timestamp;

use super::gather::Gathered;
use crate::{
    analysis::{
        difference::{Class, Seen, classify},
        lifecycle::{Lifecycle, lifecycle},
        mined::{Portrait, like, mine_by_service, portrait, told},
    },
    model::{Level, Like, Record, Tally},
};

/// A pattern that is new or far more frequent, or tells of a start, stop or change.
pub(super) struct Row {
    pub(super) class: Class,
    pub(super) lifecycle: Option<Lifecycle>,
    pub(super) first: Timestamp,
    pub(super) count: u64,
    pub(super) portrait: Portrait,
    pub(super) text: String,
    /// The first record: an index.
    pub(super) example: usize,
    /// Whether count and first are of all records, and not of those that were read.
    pub(super) exact: bool,
    /// The records that were read: indices.
    pub(super) own: Vec<usize>,
    /// What finds its records.
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

/// Rows, the most telling first.
pub(super) fn rows(gathered: &Gathered<'_>) -> Vec<Row> {
    let (now, before) = (&gathered.around.value, &gathered.before.value);
    let scale = |read: usize, all: u64| if read == 0 { 0.0 } else { all as f64 / read as f64 };
    let now_scale = scale(now.records.len(), now.total.number());
    let before_scale = scale(before.records.len(), before.total.number());
    let mut rows = Vec::new();
    let of_services = mine_by_service(&now.records, &[&before.records]);
    for mined in of_services.into_iter().flat_map(|(_, mined)| mined) {
        let Some((example, first)) = earliest(&mined.now, &now.records) else { continue };
        let drawn = portrait(mined.now.iter().filter_map(|index| now.records.get(*index)));
        let message = now.records.get(example).map_or("", |record| record.message.inside());
        let estimate = |count: usize, scale: f64| (count as f64 * scale).round() as u64;
        let (is, was) = (
            estimate(mined.now.len(), now_scale),
            estimate(mined.before.first().map_or(0, Vec::len), before_scale),
        );
        let mut row = Row {
            class: Class::Unknown,
            lifecycle: lifecycle(message),
            first,
            count: mined.now.len() as u64,
            portrait: drawn,
            text: told(&mined.pattern, mined.now.iter().filter_map(|index| now.records.get(*index))),
            example,
            exact: gathered.complete(),
            like: like(&mined.pattern),
            own: mined.now,
            weight: 0.0,
        };
        row.judge(gathered, is, was);
        if row.is_telling() {
            rows.push(row);
        }
    }
    rank(&mut rows);
    rows
}

/// The most telling first.
pub(super) fn rank(rows: &mut [Row]) {
    rows.sort_by(|one, other| {
        (other.weight.total_cmp(&one.weight))
            .then_with(|| one.first.cmp(&other.first))
            .then_with(|| one.text.cmp(&other.text))
    });
}

impl Row {
    /// Judges by the numbers of records around the moment and before.
    fn judge(&mut self, gathered: &Gathered<'_>, is: u64, was: u64) {
        let is = Seen { count: is, seconds: gathered.asked.around.seconds() };
        let was = Seen { count: was, seconds: gathered.asked.before.seconds() };
        let before = &gathered.before.value.records;
        let recorded = if before.is_empty() { Vec::new() } else { vec![was] };
        let share = is.count as f64 / gathered.around.value.total.number().max(1) as f64;
        // Whatever was never said before is worth a look here, however seldom.
        self.class = classify(is, &recorded, true, share);
        self.lifecycle = self.lifecycle.filter(|_| was.per_minute() * 4.0 <= is.per_minute());
        let early = self.first < gathered.asked.at;
        self.weight = weight(self.class, self.lifecycle, self.portrait.level, early, self.count);
    }

    /// Takes over true counts.
    pub(super) fn counted(&mut self, gathered: &Gathered<'_>, now: &Tally, was: u64) {
        self.count = now.count;
        self.first = now.first.unwrap_or(self.first);
        self.exact = true;
        self.judge(gathered, now.count, was);
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
pub(super) fn new_versions(gathered: &Gathered<'_>) -> Vec<NewVersion> {
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
