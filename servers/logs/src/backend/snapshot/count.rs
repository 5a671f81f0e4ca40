//! Counts: all of them to the end.

use std::{collections::HashMap, time::Duration};

use contract::{Intake, TimeRange, ToolError};
use jiff::Timestamp;
use lucene::{NameId, Test};

use super::{
    compile::Sought,
    load::{self, Loaded},
};
use crate::analysis::{lag, record::moment_of_field};
use crate::model::{Freshness, Group, Key, Like, Role, Tally, Top};

/// Values told of one pattern.
const OF_PATTERN: usize = 5;
/// Recent records by which lateness is measured.
const OF_LAG: usize = 1_000;

/// Equal steps from a window's start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steps {
    start: i64,
    length: i64,
    count: usize,
}

impl Steps {
    /// # Errors
    /// When there are more than `most`.
    pub(super) fn of(window: TimeRange, step: Duration, most: u64) -> Result<Steps, ToolError> {
        let length = i64::try_from(step.as_nanos()).unwrap_or(i64::MAX).max(1);
        let whole = (window.end().as_nanosecond() - window.start().as_nanosecond()).max(0);
        let count = u64::try_from((whole + i128::from(length) - 1) / i128::from(length)).unwrap_or(u64::MAX);
        let start = i64::try_from(window.start().as_nanosecond()).unwrap_or(i64::MIN);
        match usize::try_from(count) {
            Ok(count) if count as u64 <= most => Ok(Steps { start, length, count }),
            _ => Err(ToolError::invalid("step", &format!("makes {count} steps, more than {most}"))
                .remedy("longer steps, or a shorter time_range")),
        }
    }

    fn place(self, at: i64) -> usize {
        usize::try_from((at - self.start) / self.length).unwrap_or(usize::MAX)
    }
}

/// Counts over time before they are masked.
pub(super) struct Counted {
    pub(super) total: Vec<u64>,
    pub(super) by: Vec<(String, Vec<u64>)>,
    /// The field whose name says how values are masked.
    pub(super) name: String,
}

pub(super) fn histogram(
    loaded: &Loaded,
    sought: &Sought,
    steps: Steps,
    by: Option<&(Key, usize)>,
) -> Counted {
    let mut total = vec![0_u64; steps.count];
    let mut values: HashMap<&str, Vec<u64>> = HashMap::new();
    let names = by.map(|(key, _)| names(loaded, key));
    for record in loaded.found(sought) {
        let Some(place) = loaded.store.at(record).map(|at| steps.place(at)) else { continue };
        add(&mut total, place);
        if let (Some(names), Some((key, _))) = (&names, by) {
            each(loaded, record, key, names, &mut |value| {
                add(values.entry(value).or_insert_with(|| vec![0; steps.count]), place);
            });
        }
    }
    let mut by_value: Vec<(String, Vec<u64>)> =
        values.into_iter().map(|(value, counts)| (value.to_owned(), counts)).collect();
    let sum = |counts: &[u64]| counts.iter().sum::<u64>();
    by_value.sort_by(|(a, one), (b, other)| sum(other).cmp(&sum(one)).then_with(|| a.cmp(b)));
    by_value.truncate(by.map_or(0, |(_, most)| *most));
    Counted { total, by: by_value, name: by.map_or(String::new(), |(key, _)| masked_as(loaded, key)) }
}

fn add(counts: &mut [u64], place: usize) {
    if let Some(count) = counts.get_mut(place) {
        *count += 1;
    }
}

/// Fields of a key.
fn names(loaded: &Loaded, key: &Key) -> Vec<NameId> {
    match key {
        Key::Role(role) => loaded.of(*role).to_vec(),
        Key::Field(name) => loaded.store.name(name).into_iter().collect(),
    }
}

/// The name that says how values of a key are masked.
fn masked_as(loaded: &Loaded, key: &Key) -> String {
    match key {
        Key::Role(role) => {
            loaded.layout.of(*role).first().map_or(String::new(), |chosen| chosen.name.clone())
        }
        Key::Field(name) => name.clone(),
    }
}

/// The values of a key in a record; whether there is one. A record without a field for its level has the one that its
/// message says.
fn each<'a>(
    loaded: &'a Loaded,
    record: usize,
    key: &Key,
    names: &[NameId],
    take: &mut dyn FnMut(&'a str),
) -> bool {
    match key {
        Key::Role(role) => {
            let said = || match role {
                Role::Level => load::level(loaded.store.mark(record)).map(|level| level.name()),
                _ => None,
            };
            let value = loaded.store.first(record, names).or_else(said);
            value.into_iter().for_each(&mut *take);
            value.is_some()
        }
        Key::Field(_) => {
            let mut any = false;
            for (name, value) in loaded.store.fields(record) {
                if names.contains(&name) && !value.is_empty() {
                    any = true;
                    take(value);
                }
            }
            any
        }
    }
}

/// The most frequent values before they are masked.
pub(super) struct RawTop {
    values: Vec<(String, u64)>,
    distinct: u64,
    others: u64,
    missing: u64,
    name: String,
}

impl RawTop {
    pub(super) fn taken(self, intake: &Intake) -> Top {
        Top {
            values: groups(intake, &self.name, self.values),
            distinct: Some(self.distinct),
            estimated: false,
            others: self.others,
            missing: self.missing,
        }
    }
}

fn groups(intake: &Intake, name: &str, values: Vec<(String, u64)>) -> Vec<Group> {
    values.into_iter().map(|(value, count)| Group { value: intake.field(name, &value), count }).collect()
}

pub(super) fn top(loaded: &Loaded, sought: &Sought, key: &Key, most: usize) -> RawTop {
    top_of(loaded, loaded.found(sought), key, most)
}

fn top_of(loaded: &Loaded, records: impl Iterator<Item = usize>, key: &Key, most: usize) -> RawTop {
    let names = names(loaded, key);
    let mut counts: HashMap<&str, u64> = HashMap::new();
    let mut missing = 0;
    for record in records {
        let any = each(loaded, record, key, &names, &mut |value| *counts.entry(value).or_default() += 1);
        missing += u64::from(!any);
    }
    let distinct = counts.len() as u64;
    let all: u64 = counts.values().sum();
    let values = most_frequent(counts, most.max(1));
    let others = all - values.iter().map(|(_, count)| count).sum::<u64>();
    RawTop { values, distinct, others, missing, name: masked_as(loaded, key) }
}

fn most_frequent(counts: HashMap<&str, u64>, most: usize) -> Vec<(String, u64)> {
    let mut values: Vec<(&str, u64)> = counts.into_iter().collect();
    values.sort_by(|(a, one), (b, other)| other.cmp(one).then_with(|| a.cmp(b)));
    values.into_iter().take(most).map(|(value, count)| (value.to_owned(), count)).collect()
}

/// How often a pattern occurs, before values are masked.
pub(super) struct RawTally {
    count: u64,
    first: Option<i64>,
    last: Option<i64>,
    by: Vec<(Role, RawTop)>,
}

impl RawTally {
    pub(super) fn taken(self, intake: &Intake) -> Tally {
        let by = self.by.into_iter().filter(|(_, top)| !top.values.is_empty());
        Tally {
            whole: true,
            count: self.count,
            first: self.first.and_then(moment),
            last: self.last.and_then(moment),
            by: by.map(|(role, top)| (role, top.taken(intake))).collect(),
        }
    }
}

pub(super) fn tallies(loaded: &Loaded, sought: &Sought, likes: &[Like]) -> Vec<RawTally> {
    let place =
        [Role::Pod, Role::Container, Role::Host].into_iter().find(|role| !loaded.of(*role).is_empty());
    let roles: Vec<Key> = [Some(Role::Service), Some(Role::Level), place, Some(Role::Version)]
        .into_iter()
        .flatten()
        .map(Key::Role)
        .collect();
    let tests: Vec<Test> = likes.iter().map(|like| Test::Holds(like.fragments.clone())).collect();
    let mut found: Vec<Vec<usize>> = vec![Vec::new(); likes.len()];
    for record in loaded.found(sought) {
        let Some(message) = loaded.store.first(record, loaded.of(Role::Message)) else { continue };
        for (test, records) in tests.iter().zip(&mut found) {
            if test.passes(message) {
                records.push(record);
            }
        }
    }
    found.iter().map(|records| tally(loaded, records, &roles)).collect()
}

fn tally(loaded: &Loaded, records: &[usize], roles: &[Key]) -> RawTally {
    let at = |record: Option<&usize>| record.and_then(|record| loaded.store.at(*record));
    let of_role = |key: &Key| {
        let Key::Role(role) = key else { return None };
        Some((*role, top_of(loaded, records.iter().copied(), key, OF_PATTERN)))
    };
    RawTally {
        count: records.len() as u64,
        first: at(records.first()),
        last: at(records.last()),
        by: roles.iter().filter_map(of_role).collect(),
    }
}

/// The newest record, and how late those were that were stored last.
pub(super) fn freshness(loaded: &Loaded, sought: &Sought) -> Freshness {
    let happened = |record: usize| loaded.store.at(record).and_then(moment);
    let stored = |record: usize| {
        let stored = loaded.store.first(record, loaded.of(Role::Ingested)).and_then(moment_of_field)?;
        Some((stored, stored.duration_since(happened(record)?).as_secs_f64()))
    };
    let newest = loaded.found(sought).next_back().and_then(happened);
    if loaded.of(Role::Ingested).is_empty() {
        return lag::freshness(newest, &[], &[]);
    }
    let of_newest: Vec<f64> =
        loaded.found(sought).rev().take(OF_LAG).filter_map(stored).map(|(_, lag)| lag).collect();
    let end = moment(sought.window().1);
    let mut last: Vec<(Timestamp, f64)> = loaded
        .found(sought)
        .filter_map(stored)
        .filter(|(stored, _)| end.is_none_or(|end| *stored < end))
        .collect();
    last.sort_by(|(one, a), (other, b)| other.cmp(one).then_with(|| a.total_cmp(b)));
    let of_last: Vec<f64> = last.into_iter().take(OF_LAG).map(|(_, lag)| lag).collect();
    lag::freshness(newest, &of_newest, &of_last)
}

/// Nanoseconds since 1970 as a moment.
pub(super) fn moment(nanoseconds: i64) -> Option<Timestamp> {
    Timestamp::from_nanosecond(i128::from(nanoseconds)).ok()
}
