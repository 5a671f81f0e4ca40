//! What recent records say about their fields.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::record::{level_of_field, moment_of_field};
use crate::model::{FieldInfo, FieldKind, Role};

/// Values of a field that are looked at.
const VALUES: usize = 50;
/// Records from which on a field whose values are all different is no service's.
const ENOUGH: usize = 20;

/// Fields of recent records, by name.
pub(super) struct Seen<'a> {
    records: usize,
    fields: BTreeMap<&'a str, Field<'a>>,
}

#[derive(Default)]
struct Field<'a> {
    /// Records that have it.
    present: usize,
    values: Vec<&'a str>,
}

impl<'a> Seen<'a> {
    pub(super) fn of(recent: &'a [Vec<(String, String)>]) -> Seen<'a> {
        let mut fields: BTreeMap<&str, Field<'_>> = BTreeMap::new();
        for document in recent {
            let mut own = BTreeSet::new();
            for (name, value) in document {
                let field = fields.entry(name.as_str()).or_default();
                if own.insert(name.as_str()) {
                    field.present += 1;
                }
                if field.values.len() < VALUES && !value.is_empty() {
                    field.values.push(value.as_str());
                }
            }
        }
        Seen { records: recent.len(), fields }
    }

    pub(super) fn records(&self) -> usize {
        self.records
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.fields.keys().copied()
    }

    /// In how many records a field is.
    pub(super) fn presence(&self, name: &str) -> usize {
        self.fields.get(name).map_or(0, |field| field.present)
    }

    /// In words.
    pub(super) fn told(&self, name: &str) -> String {
        match self.records {
            0 => "no recent record was read".to_owned(),
            records => format!("in {} of {records} recent records", self.presence(name)),
        }
    }

    fn values(&self, name: &str) -> &[&'a str] {
        self.fields.get(name).map_or(&[], |field| &field.values)
    }

    fn distinct(&self, name: &str) -> usize {
        self.values(name).iter().collect::<BTreeSet<_>>().len()
    }

    /// Whether at least half of the values can be the role's; without values: yes.
    pub(super) fn look_like(&self, role: Role, name: &str) -> bool {
        let fits = |value: &&&str| match role {
            Role::Time | Role::Ingested => moment_of_field(value).is_some(),
            Role::Level => level_of_field(name, value).is_some(),
            _ => true,
        };
        let values = self.values(name);
        2 * values.iter().filter(fits).count() >= values.len()
    }

    /// Whether a field names who collects, or each record apart.
    pub(super) fn tells_no_service(&self, name: &str, collectors: &[&str]) -> bool {
        let values = self.values(name);
        let collects = |value: &&str| {
            let value = value.to_ascii_lowercase();
            collectors.iter().any(|collector| value == *collector || value.starts_with("unknown_service"))
        };
        let all_differ = values.len() >= ENOUGH && 10 * self.distinct(name) >= 6 * values.len();
        (!values.is_empty() && values.iter().all(collects)) || all_differ
    }

    /// Whether some of the values are JSON documents.
    pub(super) fn holds_documents(&self, name: &str) -> bool {
        self.values(name).iter().any(|value| super::super::record::is_document(value))
    }
}

/// A field of no known name that can only be this role's, by its values: of the message, the level, the time and the
/// trace. None where records are few.
pub(super) fn by_values<'k>(role: Role, known: &'k [FieldInfo], seen: &Seen<'_>) -> Option<&'k FieldInfo> {
    let often = |field: &&FieldInfo| 2 * seen.presence(&field.name) > seen.records() && seen.records() >= 5;
    let all = |field: &FieldInfo, fits: &dyn Fn(&str) -> bool| {
        let values = seen.values(&field.name);
        !values.is_empty() && values.iter().all(|value| fits(value))
    };
    let mut usual = known.iter().filter(often);
    match role {
        Role::Time => usual.find(|field| field.kind == FieldKind::Date),
        Role::Level => usual.find(|field| {
            let is_word =
                |value: &str| value.len() >= 3 && value.bytes().all(|byte| byte.is_ascii_alphabetic());
            all(field, &|value| is_word(value) && level_of_field(&field.name, value).is_some())
        }),
        Role::Trace => usual.find(|field| {
            all(field, &|value| value.len() == 32 && value.bytes().all(|byte| byte.is_ascii_hexdigit()))
        }),
        Role::Message => {
            let length = |field: &FieldInfo| {
                let values = seen.values(&field.name);
                values.iter().map(|value| value.len()).sum::<usize>() / values.len().max(1)
            };
            usual
                .filter(|field| matches!(field.kind, FieldKind::Text | FieldKind::Keyword | FieldKind::Other))
                .filter(|field| seen.values(&field.name).iter().all(|value| value.contains(' ')))
                .max_by(|a, b| length(a).cmp(&length(b)).then_with(|| b.name.cmp(&a.name)))
        }
        _ => None,
    }
}
