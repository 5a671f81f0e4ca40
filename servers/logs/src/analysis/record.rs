//! A record as analyses read it, from a record as it is stored.

mod document;
mod level;
mod prefix;
mod roles;
mod trace;

use contract::{Intake, Untrusted};
use jiff::Timestamp;

use crate::model::{Document, Layout, Record};

pub(crate) use document::{flatten, flattened, is_document};
pub(crate) use level::{of_field as level_of_field, of_message as level_of_message};
pub(crate) use prefix::{Writer, has_columns, in_columns, of as prefix_of, roles_in_pairs};
pub(crate) use roles::{Found, find};
pub(crate) use trace::of_message as trace_of_message;

/// The moment that the value of a field is.
pub(crate) fn moment_of_field(value: &str) -> Option<Timestamp> {
    snapshot::moment(value, None)
}

/// Reads the roles of a record: of each the first field that has a value. A JSON document inside of a field of text is
/// taken apart, masked by the names of its own fields, and follows the record's fields in [`Record::document`]; its message
/// is the message.
pub(crate) fn read(mut document: Document, layout: &Layout, intake: &Intake) -> Record {
    let own = document.fields.len();
    let inner = inner_fields(&document, layout, intake);
    document.fields.extend(inner);
    let view: Vec<(&str, &str)> =
        document.fields.iter().map(|(name, value)| (name.inside(), value.inside())).collect();
    let found = find(&view, own, layout);
    let value =
        |place: Option<usize>| place.and_then(|place| document.fields.get(place)).map(|(_, value)| value);
    let message = match value(found.message) {
        Some(message) => message.clone(),
        None => intake.text(&rest(&view, &found)),
    };
    let level = found.level.or_else(|| level_of_message(message.inside()));
    let trace = value(found.trace).cloned();
    let trace =
        trace.or_else(|| trace_of_message(message.inside()).map(|trace| intake.field("trace_id", trace)));
    let named = |place: Option<usize>| value(place).map(Untrusted::inside);
    let writer = Writer { service: named(found.service), place: named(found.place) };
    let said = prefix_of(message.inside(), writer).said(message.inside());
    let kept = |place: Option<usize>| value(place).cloned();
    Record {
        at: found.at,
        ingested: found.ingested,
        level,
        service: kept(found.service),
        version: kept(found.version),
        place: kept(found.place),
        host: kept(found.host),
        trace,
        message,
        said,
        weight: 1.0,
        document,
    }
}

/// The fields of JSON documents inside of fields.
fn inner_fields(document: &Document, layout: &Layout, intake: &Intake) -> Vec<(Untrusted, Untrusted)> {
    let is_nested = |name: &str| layout.nested.iter().any(|nested| nested == name);
    let texts = document
        .fields
        .iter()
        .filter(|(name, value)| is_nested(name.inside()) && is_document(value.inside()));
    let inner = texts.flat_map(|(_, value)| flattened(value.inside()).unwrap_or_default());
    inner.map(|(name, value)| (intake.field("name", &name), intake.field(&name, &value))).collect()
}

/// What stands for the message of a record without one: the fields that play no other role.
fn rest(view: &[(&str, &str)], found: &Found) -> String {
    const FIELDS: usize = 40;
    let others = view.iter().enumerate().filter(|(place, _)| !found.used.contains(place));
    let pairs: Vec<String> =
        others.take(FIELDS).map(|(_, (name, value))| format!("{name}={value}")).collect();
    pairs.join(" ")
}

#[cfg(test)]
pub(in crate::analysis) mod tests;
