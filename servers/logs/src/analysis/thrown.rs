//! Records by what was thrown in them.

use std::collections::BTreeMap;

use patterns::Template;
use stacktrace::{Application, Exception, Trace, extract, from_fields};

use super::mined::{Portrait, portrait};
use crate::model::Record;

/// Traces of one fingerprint.
#[derive(Debug, Clone)]
pub(crate) struct Thrown {
    /// One of them.
    pub(crate) trace: Trace,
    /// The root cause's message without its values.
    pub(crate) message: String,
    /// The records: indices, each once for each trace in it.
    pub(crate) records: Vec<usize>,
    /// What the records have in common.
    pub(crate) portrait: Portrait,
}

/// The traces of records, most frequent first, and how many records have none.
pub(crate) fn thrown(records: &[Record], application: &Application) -> (Vec<Thrown>, usize) {
    let mut groups: BTreeMap<String, (Trace, Vec<usize>)> = BTreeMap::new();
    let mut without = 0;
    for (index, record) in records.iter().enumerate() {
        let traces = traces(record, application);
        without += usize::from(traces.is_empty());
        for trace in traces {
            groups.entry(trace.fingerprint.clone()).or_insert_with(|| (trace, Vec::new())).1.push(index);
        }
    }
    let told = groups.into_values().map(|(trace, own)| Thrown {
        message: normalised(&trace.root_cause),
        portrait: portrait(own.iter().filter_map(|index| records.get(*index))),
        records: own,
        trace,
    });
    let mut all: Vec<Thrown> = told.collect();
    all.sort_by(|one, other| {
        (other.records.len().cmp(&one.records.len()))
            .then_with(|| one.trace.fingerprint.cmp(&other.trace.fingerprint))
    });
    (all, without)
}

/// The traces of a record: of its fields, else of its message.
pub(crate) fn traces(record: &Record, application: &Application) -> Vec<Trace> {
    let fields = record.document.fields.iter();
    let fields: Vec<(&str, &str)> = fields.map(|(name, value)| (name.inside(), value.inside())).collect();
    let of_fields = from_fields(&fields, application);
    let told = |traces: &[Trace]| {
        traces.iter().any(|trace| trace.language.is_some() || trace.root_cause.type_name.is_some())
    };
    if told(&of_fields) { of_fields } else { extract(record.message.inside(), application) }
}

/// The first line of a message with its values left out.
fn normalised(exception: &Exception) -> String {
    let first = exception.message.lines().next().unwrap_or_default();
    Template::of(first).labelled()
}

/// The chain in words: `A → B → C`, the root cause last.
pub(crate) fn chain(trace: &Trace) -> String {
    let names = trace.chain().map(|one| one.type_name.as_deref().unwrap_or("?"));
    names.collect::<Vec<_>>().join(" → ")
}
