//! Levels in the query DSL: in each spelling that programs have, by the same reading that is done with records.

use serde_json::{Value, json};

use super::query::any_of;
use crate::analysis::record::level_of_field;
use crate::backend::levels::{in_messages, spellings};
use crate::model::{Chosen, FieldKind, Layout, Level, Role};

/// Records at least as bad; those without a level by the words of their message.
pub(super) fn at_least(layout: &Layout, least: Level) -> Value {
    of_levels(layout, &Level::ALL.into_iter().filter(|level| *level >= least).collect::<Vec<_>>())
}

/// Records of which no field tells a level.
pub(super) fn untold(layout: &Layout) -> Value {
    json!({ "bool": { "must_not": told(layout.of(Role::Level)) } })
}

fn told(fields: &[Chosen]) -> Vec<Value> {
    fields.iter().map(|field| json!({ "exists": { "field": field.name } })).collect()
}

/// Records of this level.
pub(super) fn exactly(layout: &Layout, level: Level) -> Value {
    of_levels(layout, &[level])
}

fn of_levels(layout: &Layout, levels: &[Level]) -> Value {
    let fields = layout.of(Role::Level);
    let mut any: Vec<Value> = fields.iter().filter_map(|field| of_field(field, levels)).collect();
    any.extend(by_words(layout, fields, levels));
    any_of(any)
}

fn of_field(field: &Chosen, levels: &[Level]) -> Option<Value> {
    let name = field.exact.as_ref().unwrap_or(&field.name);
    let is_meant =
        |value: &str| level_of_field(&field.name, value).is_some_and(|level| levels.contains(&level));
    if field.kind == FieldKind::Number && !field.conflict {
        let numbers: Vec<u64> = (0..=60).filter(|number| is_meant(&number.to_string())).collect();
        return (!numbers.is_empty()).then(|| json!({ "terms": { name: numbers } }));
    }
    let is_text = field.kind == FieldKind::Text && field.exact.is_none();
    let mut spellings = spellings();
    if is_text {
        spellings.retain(|spelling| spelling.chars().all(|letter| !letter.is_uppercase()));
    }
    spellings.retain(|spelling| is_meant(spelling));
    if field.conflict {
        let clause =
            |value: &String| json!({ "match": { &field.name: { "query": value, "lenient": true } } });
        return Some(any_of(spellings.iter().map(clause).collect()));
    }
    (!spellings.is_empty()).then(|| json!({ "terms": { name: spellings } }))
}

/// Records without any level whose message has a word for one.
fn by_words(layout: &Layout, fields: &[Chosen], levels: &[Level]) -> Option<Value> {
    let words = in_messages(levels);
    let messages = layout.of(Role::Message).iter();
    let texts: Vec<Value> = messages
        .filter(|field| field.kind == FieldKind::Text)
        .map(|field| json!({ "match": { &field.name: words.join(" ") } }))
        .collect();
    if texts.is_empty() || words.is_empty() {
        return None;
    }
    Some(json!({ "bool": { "must_not": told(fields), "filter": [any_of(texts)] } }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, kind: FieldKind, exact: Option<&str>) -> Chosen {
        Chosen {
            name: name.to_owned(),
            kind,
            exact: exact.map(str::to_owned),
            why: String::new(),
            conflict: false,
        }
    }

    #[test]
    fn a_number_is_read_by_the_convention_of_its_field() {
        // OpenTelemetry: ERROR is 17 to 20, FATAL 21 to 24. pino: error 50, fatal 60. syslog counts down.
        let otel =
            of_field(&field("severity_number", FieldKind::Number, None), &[Level::Error, Level::Fatal]);
        assert_eq!(otel, Some(json!({ "terms": { "severity_number": [17, 18, 19, 20, 21, 22, 23, 24] } })));
        let priority = of_field(&field("PRIORITY", FieldKind::Number, None), &[Level::Error, Level::Fatal]);
        assert_eq!(priority, Some(json!({ "terms": { "PRIORITY": [0, 1, 2, 3] } })));
    }

    #[test]
    fn a_word_is_looked_for_in_each_way_that_programs_write_it() {
        let found =
            of_field(&field("level", FieldKind::Text, Some("level.keyword")), &[Level::Warn]).unwrap();
        let listed: Vec<&str> =
            found["terms"]["level.keyword"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        for spelling in ["warn", "WARN", "Warn", "warning", "WARNING", "Warning", "W", "40", "WARN2"] {
            assert!(listed.contains(&spelling), "{spelling} {listed:?}");
        }
        assert!(!listed.iter().any(|spelling| spelling.to_lowercase().contains("err")));
    }
}
