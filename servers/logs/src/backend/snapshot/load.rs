//! From files to records in memory.

use std::{collections::BTreeMap, sync::Arc};

use ::snapshot::{Snapshot, SnapshotError};
use lucene::{Facts, Fields, NameId, Store};

use super::{compile::Sought, ship::Shipper};
use crate::analysis::fields::{detect_in, rank};
use crate::analysis::record::{level_of_field, level_of_message, moment_of_field};
use crate::model::{FieldInfo, FieldKind, Layout, Level, Role};

/// Between a field and a field of the document inside of it.
pub(super) const INSIDE: char = '>';
/// The field that names the file of a record, as search engines call the index.
pub(super) const INDEX: &str = "_index";
/// Records of a file by which roles are found.
const OF_FILE: usize = 50;

/// A file of logs.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) records: u64,
    pub(super) bytes: u64,
    /// First and last moment, in nanoseconds since 1970.
    pub(super) span: Option<(i64, i64)>,
}

/// What was recorded.
pub(super) struct Loaded {
    pub(super) store: Store,
    pub(super) layout: Arc<Layout>,
    /// Numbers of the fields of each role, the preferred first; those of documents inside of fields come last.
    pub(super) roles: BTreeMap<Role, Vec<NameId>>,
    pub(super) files: Vec<File>,
}

/// Reads all files.
pub(super) fn load(
    snapshot: &Snapshot,
    overrides: &BTreeMap<String, Vec<String>>,
) -> Result<Loaded, SnapshotError> {
    let mut shipper = Shipper::default();
    let mut files: Vec<File> = Vec::new();
    snapshot.logs(&mut |record| {
        if files.last().is_none_or(|file| file.name != record.file) {
            let on_disk = snapshot.files().iter().find(|file| file.name == record.file);
            let bytes = on_disk.map_or(0, |file| file.bytes);
            files.push(File { name: record.file.to_owned(), records: 0, bytes, span: None });
        }
        if let Some(file) = files.last_mut() {
            file.records += 1;
        }
        shipper.take(record)
    })?;
    let builder = shipper.finish()?;
    let layout = detect_in(&infos(builder.store()), &recent(builder.store(), &files), overrides);
    let roles = Role::ALL.map(|role| (role, numbers(builder.store(), &layout, role))).into_iter().collect();
    let judge = Judge::new(builder.store(), &roles);
    let index = builder.store().name(INDEX);
    let mut spans: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    let store = builder.finish(|fields| {
        let file = fields.clone().find(|(name, _)| Some(*name) == index).map(|(_, value)| value);
        let facts = judge.facts(fields);
        if let (Some(file), Some(at)) = (file, facts.at) {
            match spans.get_mut(file) {
                Some(span) => *span = (span.0.min(at), span.1.max(at)),
                None => drop(spans.insert(file.to_owned(), (at, at))),
            }
        }
        facts
    });
    for file in &mut files {
        file.span = spans.get(&file.name).copied();
    }
    Ok(Loaded { store, layout: Arc::new(layout), roles, files })
}

/// Every field is compared as a whole and by its words alike.
fn infos(store: &Store) -> Vec<FieldInfo> {
    let own = store.names().iter().filter(|name| is_own(name) && name.as_ref() != INDEX);
    own.map(|name| FieldInfo {
        name: name.to_string(),
        kind: FieldKind::Keyword,
        countable: true,
        conflict: false,
    })
    .collect()
}

/// Whether it is a field of the record, not of a document inside of one.
pub(super) fn is_own(name: &str) -> bool {
    !name.contains(INSIDE)
}

/// Some records of each file, evenly spaced, as names and values.
fn recent(store: &Store, files: &[File]) -> Vec<Vec<(String, String)>> {
    let mut begins = 0_usize;
    let mut recent = Vec::new();
    for file in files {
        let records = usize::try_from(file.records).unwrap_or(usize::MAX);
        let taken = records.min(OF_FILE);
        for place in 0..taken {
            let pairs = store.fields(begins + place * records / taken);
            let own = pairs.map(|(name, value)| (store.named(name), value)).filter(|(name, _)| is_own(name));
            recent.push(
                own.filter(|(name, _)| *name != INDEX)
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect(),
            );
        }
        begins += records;
    }
    recent
}

/// Numbers of the fields of a role. What a document inside of a field says was said is the message.
fn numbers(store: &Store, layout: &Layout, role: Role) -> Vec<NameId> {
    let own = layout.of(role).iter().filter_map(|chosen| store.name(&chosen.name));
    let mut inner: Vec<(usize, &str)> = Vec::new();
    for name in store.names() {
        if let Some((outer, field)) = name.split_once(INSIDE)
            && layout.nested.iter().any(|nested| nested == outer)
            && let Some(rank) = rank(role, field)
        {
            inner.push((rank, name));
        }
    }
    inner.sort_unstable();
    let inner = inner.into_iter().filter_map(|(_, name)| store.name(name));
    if role == Role::Message { inner.chain(own).collect() } else { own.chain(inner).collect() }
}

/// Tells time and level of records.
struct Judge {
    /// By the number of a name: its role here, and how early it is preferred.
    played: Vec<Option<(Role, usize)>>,
    names: Vec<Box<str>>,
}

impl Judge {
    fn new(store: &Store, roles: &BTreeMap<Role, Vec<NameId>>) -> Judge {
        let mut played = vec![None; store.names().len()];
        for role in [Role::Message, Role::Level, Role::Time] {
            for (place, name) in roles.get(&role).into_iter().flatten().enumerate() {
                if let Some(of_name) = played.get_mut(*name as usize) {
                    *of_name = Some((role, place));
                }
            }
        }
        Judge { played, names: store.names().to_vec() }
    }

    fn facts(&self, fields: Fields<'_>) -> Facts {
        let mut at: Option<(usize, i64)> = None;
        let mut level: Option<(usize, Level)> = None;
        let mut message: Option<(usize, &str)> = None;
        for (name, value) in fields {
            let Some((role, place)) = self.played.get(name as usize).copied().flatten() else { continue };
            match role {
                Role::Time => {
                    prefer(&mut at, place, || i64::try_from(moment_of_field(value)?.as_nanosecond()).ok())
                }
                Role::Level => prefer(&mut level, place, || {
                    let name = self.names.get(name as usize)?;
                    level_of_field(name.rsplit(INSIDE).next().unwrap_or(name), value)
                }),
                _ => prefer(&mut message, place, || (!value.is_empty()).then_some(value)),
            }
        }
        let level = level.map(|(_, level)| level);
        let level = level.or_else(|| message.and_then(|(_, message)| level_of_message(message)));
        Facts { at: at.map(|(_, at)| at), mark: level.map_or(0, mark) }
    }
}

/// Keeps the value of the most preferred field.
fn prefer<T>(best: &mut Option<(usize, T)>, place: usize, value: impl FnOnce() -> Option<T>) {
    let is_better = best.as_ref().is_none_or(|(before, _)| place < *before);
    if is_better && let Some(value) = value() {
        *best = Some((place, value));
    }
}

/// A level as a mark; 0 is none.
pub(super) fn mark(level: Level) -> u8 {
    level as u8 + 1
}

/// The level of a mark.
pub(super) fn level(mark: u8) -> Option<Level> {
    Level::ALL.get(usize::from(mark.checked_sub(1)?)).copied()
}

impl Loaded {
    /// Numbers of the fields of a role.
    pub(super) fn of(&self, role: Role) -> &[NameId] {
        self.roles.get(&role).map_or(&[], Vec::as_slice)
    }

    /// Records that are looked for, in order of time.
    pub(super) fn found<'a>(&'a self, sought: &Sought) -> impl DoubleEndedIterator<Item = usize> + 'a {
        let filter = sought.filter(self);
        let (from, to) = sought.window();
        self.store.within(from, to).filter(move |record| filter.holds(&self.store, *record))
    }
}
