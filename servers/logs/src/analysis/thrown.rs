//! Records by what was thrown in them.

use std::collections::BTreeMap;

use patterns::Template;
use stacktrace::{Application, Exception, Trace, extract, from_fields};

use super::mined::{Portrait, most_frequent, portrait};
use crate::model::Record;

/// Different messages that are told apart in one kind of trace.
const MESSAGES: usize = 500;

/// Traces of one fingerprint.
#[derive(Debug, Clone)]
pub(crate) struct Thrown {
    /// One of them.
    pub(crate) trace: Trace,
    /// The root causes' messages, first line, most frequent first.
    pub(crate) messages: Vec<(String, u64)>,
    /// The records: indices, each once for each trace in it.
    pub(crate) records: Vec<usize>,
    /// How many records they stand for.
    pub(crate) weight: f64,
    /// What the records have in common.
    pub(crate) portrait: Portrait,
}

/// One trace of a kind, its records, and how often the root cause said what.
type Group = (Trace, Vec<usize>, BTreeMap<String, f64>);

/// The traces of records, most frequent first, and how many records have none.
pub(crate) fn thrown(records: &[Record], application: &Application) -> (Vec<Thrown>, usize) {
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    let mut without = 0;
    for (index, record) in records.iter().enumerate() {
        let traces = traces(record, application);
        without += usize::from(traces.is_empty());
        for trace in traces {
            let message = first_line(&trace.root_cause);
            let group = groups
                .entry(trace.fingerprint.clone())
                .or_insert_with(|| (trace, Vec::new(), BTreeMap::new()));
            group.1.push(index);
            if group.2.len() < MESSAGES || group.2.contains_key(&message) {
                *group.2.entry(message).or_insert(0.0) += record.weight;
            }
        }
    }
    let told = groups.into_values().map(|(trace, own, messages)| Thrown {
        messages: ranked(messages),
        weight: own.iter().filter_map(|index| records.get(*index)).map(|record| record.weight).sum(),
        portrait: portrait(own.iter().filter_map(|index| records.get(*index))),
        records: own,
        trace,
    });
    let mut all: Vec<Thrown> = told.collect();
    all.sort_by(|one, other| {
        (other.weight.total_cmp(&one.weight))
            .then_with(|| one.trace.fingerprint.cmp(&other.trace.fingerprint))
    });
    (all, without)
}

/// The traces of a record: of its fields, else of its message.
pub(crate) fn traces(record: &Record, application: &Application) -> Vec<Trace> {
    let fields = record.document.fields.iter();
    let fields: Vec<(&str, &str)> = fields.map(|(name, value)| (name.inside(), value.inside())).collect();
    // What announces a trace and has nothing of one is a line of it: the rest stands in other records.
    let says = |trace: &Trace| {
        trace.chain().any(|one| one.type_name.is_some() || !one.message.is_empty() || !one.frames.is_empty())
    };
    let all = |traces: Vec<Trace>| -> Vec<Trace> { traces.into_iter().filter(says).collect() };
    let of_fields = all(from_fields(&fields, application));
    let told = |trace: &Trace| trace.language.is_some() || trace.root_cause.type_name.is_some();
    if of_fields.iter().any(told) { of_fields } else { all(extract(record.message.inside(), application)) }
}

fn first_line(exception: &Exception) -> String {
    exception.message.lines().next().unwrap_or_default().to_owned()
}

/// The most frequent first. Messages that differ only in values are one, told by one of them.
fn ranked(messages: BTreeMap<String, f64>) -> Vec<(String, u64)> {
    let mut by_template: BTreeMap<patterns::Id, (String, f64)> = BTreeMap::new();
    for (message, weight) in messages {
        by_template.entry(Template::of(&message).id()).or_insert_with(|| (message, 0.0)).1 += weight;
    }
    most_frequent(by_template.into_values().collect())
}

/// The chain in words: `A → B → C`, the root cause last.
pub(crate) fn chain(trace: &Trace) -> String {
    let names = trace.chain().map(|one| one.type_name.as_deref().unwrap_or("?"));
    names.collect::<Vec<_>>().join(" → ")
}
