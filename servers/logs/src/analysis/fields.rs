//! Which field plays which role, found out from the mapping and some recent records: by known names, type, presence and
//! what the values look like.

mod names;
mod seen;

use std::collections::BTreeMap;

use contract::Untrusted;

use crate::model::{Chosen, Document, FieldInfo, FieldKind, Layout, Role};

pub(crate) use names::rank;
use seen::Seen;

/// Fields kept for a role: indices of several shippers differ, but not endlessly.
const MOST: usize = 6;
/// What collectors call themselves where the service should stand.
const COLLECTORS: [&str; 12] = [
    "filebeat",
    "fluent-bit",
    "fluentbit",
    "fluentd",
    "logstash",
    "vector",
    "otelcol",
    "otel-collector",
    "promtail",
    "alloy",
    "logging-operator",
    "unknown_service",
];

/// Chooses the fields of each role. `overrides` are fields by [`Role::name`], instead of what would be found; a name that
/// is no role's is not looked at.
///
/// ```text
/// score = place among the known names − (occurs in no recent record) − (values are a collector's name, or all different)
/// ```
/// A field whose values don't look like the role (a `level` of 3.7, a `time` of "soon") is no candidate. A role without a
/// candidate is looked for once more: by the last part of a name (`json.level`), then by values alone.
pub(crate) fn detect(
    fields: &[FieldInfo],
    recent: &[Document],
    overrides: &BTreeMap<String, Vec<String>>,
) -> Layout {
    let pairs = |document: &'_ Document| -> Vec<(String, String)> {
        let pair =
            |(name, value): &(Untrusted, Untrusted)| (name.inside().to_owned(), value.inside().to_owned());
        document.fields.iter().map(pair).collect()
    };
    detect_in(fields, &recent.iter().map(pairs).collect::<Vec<_>>(), overrides)
}

/// The same for records that are names and values.
pub(crate) fn detect_in(
    fields: &[FieldInfo],
    recent: &[Vec<(String, String)>],
    overrides: &BTreeMap<String, Vec<String>>,
) -> Layout {
    let seen = Seen::of(recent);
    let known = with_unmapped(fields, &seen);
    let mut roles = BTreeMap::new();
    for role in Role::ALL {
        let chosen = match overrides.get(role.name()) {
            Some(names) => names.iter().map(|name| configured(name, &known, &seen)).collect(),
            None => candidates(role, &known, &seen),
        };
        if !chosen.is_empty() {
            roles.insert(role, chosen);
        }
    }
    let nested = nested(&roles, &seen);
    let conventions = conventions(&roles, &seen);
    Layout { roles, nested, conventions }
}

/// The mapping, and what recent records have that the mapping does not tell: it is read, but not searched by.
fn with_unmapped(fields: &[FieldInfo], seen: &Seen<'_>) -> Vec<FieldInfo> {
    let mut known: BTreeMap<&str, FieldInfo> =
        fields.iter().map(|field| (field.name.as_str(), field.clone())).collect();
    for name in seen.names() {
        let unmapped =
            || FieldInfo { name: name.to_owned(), kind: FieldKind::Other, countable: false, conflict: false };
        known.entry(name).or_insert_with(unmapped);
    }
    known.into_values().collect()
}

fn configured(name: &str, known: &[FieldInfo], seen: &Seen<'_>) -> Chosen {
    match known.iter().find(|field| field.name == name) {
        Some(field) => chosen(field, known, format!("configured; {}", seen.told(name))),
        None => Chosen {
            name: name.to_owned(),
            kind: FieldKind::Keyword,
            exact: Some(name.to_owned()),
            why: "configured; not in the mapping".to_owned(),
            conflict: false,
        },
    }
}

fn candidates(role: Role, known: &[FieldInfo], seen: &Seen<'_>) -> Vec<Chosen> {
    let by_name = |rank: &dyn Fn(&str) -> Option<usize>| {
        let mut found: Vec<(i64, &FieldInfo)> = known
            .iter()
            .filter(|field| fits(role, field, seen))
            .filter_map(|field| Some((score(role, rank(&field.name)?, field, seen), field)))
            .collect();
        found.sort_by(|(one, a), (other, b)| other.cmp(one).then_with(|| a.name.cmp(&b.name)));
        found
    };
    let mut found = by_name(&|name| names::rank(role, name));
    let mut how = "known name";
    if found.is_empty() {
        found = by_name(&|name| names::rank(role, name.rsplit('.').next().filter(|last| *last != name)?));
        how = "by the end of its name";
    }
    if found.is_empty() {
        found = seen::by_values(role, known, seen).into_iter().map(|field| (0, field)).collect();
        how = "by its values";
    }
    let told = |field: &FieldInfo| {
        let convention = names::convention(&field.name).unwrap_or(how);
        chosen(field, known, format!("{convention}; {}", seen.told(&field.name)))
    };
    found.into_iter().take(MOST).map(|(_, field)| told(field)).collect()
}

/// Whether type and values can be the role's.
fn fits(role: Role, field: &FieldInfo, seen: &Seen<'_>) -> bool {
    let kind = field.kind;
    let typed = match role {
        Role::Time | Role::Ingested => kind != FieldKind::Boolean && kind != FieldKind::Ip,
        Role::Host => !matches!(kind, FieldKind::Boolean | FieldKind::Date),
        Role::Level | Role::Trace | Role::Span | Role::Version => {
            !matches!(kind, FieldKind::Boolean | FieldKind::Date | FieldKind::Ip)
        }
        _ => matches!(kind, FieldKind::Keyword | FieldKind::Text | FieldKind::Other),
    };
    // Objects stand in some mappings as fields without values.
    let exists = kind != FieldKind::Other || seen.presence(&field.name) > 0;
    typed && exists && seen.look_like(role, &field.name)
}

fn score(role: Role, rank: usize, field: &FieldInfo, seen: &Seen<'_>) -> i64 {
    let mut score = 1000 - 10 * i64::try_from(rank).unwrap_or(100);
    if seen.records() > 0 && seen.presence(&field.name) == 0 {
        score -= 1000;
    }
    if role == Role::Service && seen.tells_no_service(&field.name, &COLLECTORS) {
        score -= 1000;
    }
    score
}

fn chosen(field: &FieldInfo, known: &[FieldInfo], why: String) -> Chosen {
    let countable = |name: &str| known.iter().any(|field| field.name == name && field.countable);
    let exact = if field.countable {
        Some(field.name.clone())
    } else {
        let of_field = ["keyword", "raw", "exact"].map(|end| format!("{}.{end}", field.name));
        of_field.into_iter().find(|name| countable(name))
    };
    Chosen { name: field.name.clone(), kind: field.kind, exact, why, conflict: field.conflict }
}

/// Fields of messages in which JSON documents were seen.
fn nested(roles: &BTreeMap<Role, Vec<Chosen>>, seen: &Seen<'_>) -> Vec<String> {
    let messages = roles.get(&Role::Message).into_iter().flatten();
    messages.filter(|field| seen.holds_documents(&field.name)).map(|field| field.name.clone()).collect()
}

/// The conventions of fields that recent records have, in order of their names.
fn conventions(roles: &BTreeMap<Role, Vec<Chosen>>, seen: &Seen<'_>) -> Vec<&'static str> {
    let is_used = |field: &&Chosen| seen.records() == 0 || seen.presence(&field.name) > 0;
    let mut found: Vec<&'static str> =
        roles.values().flatten().filter(is_used).filter_map(|field| names::convention(&field.name)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests;
