//! From what is searched for to the query DSL. What a caller wrote stands in a `query_string` within a filter, beside our
//! own range: it can't undo it.

use contract::{TimeRange, ToolError, time_text};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{level, mapping::Mapping};
use crate::backend::given::Given;
use crate::model::{Chosen, Condition, FieldKind, Level, Like, Role, Search};

/// The longest text of a caller, in bytes.
const LONGEST_TEXT: usize = 8_000;
/// The most fields whose text plain words are looked for in.
const MOST_FIELDS: usize = 16;

/// Writes queries.
pub(super) struct Compiler<'a> {
    pub(super) mapping: &'a Mapping,
    /// What must hold of every record that may be seen.
    pub(super) mandatory: &'a [Condition],
    pub(super) given: Given<'a>,
}

impl Compiler<'_> {
    /// The records of a search.
    pub(super) fn query(&self, search: &Search) -> Result<Value, ToolError> {
        self.narrowed(search, search.window)
    }

    /// The same within another window.
    pub(super) fn narrowed(&self, search: &Search, window: TimeRange) -> Result<Value, ToolError> {
        let mut filter = vec![range(self.mapping.time()?.name, window)];
        if let Some(text) = search.text.as_deref().map(str::trim).filter(|text| !matches!(*text, "" | "*")) {
            filter.push(self.text(text)?);
        }
        filter.extend(self.limited()?);
        for condition in &search.conditions {
            filter.push(self.condition(condition)?);
        }
        Ok(json!({ "bool": { "filter": filter } }))
    }

    /// What limits every search of this source.
    pub(super) fn limited(&self) -> Result<Vec<Value>, ToolError> {
        self.mandatory.iter().map(|condition| self.condition(condition)).collect()
    }

    fn text(&self, text: &str) -> Result<Value, ToolError> {
        if text.len() > LONGEST_TEXT {
            return Err(ToolError::invalid("query", &format!("is longer than {LONGEST_TEXT} bytes")));
        }
        Ok(json!({ "query_string": {
            "query": self.given.lucene(text)?,
            "fields": self.text_fields(),
            "default_operator": "AND",
            "allow_leading_wildcard": false,
            "analyze_wildcard": true,
            "max_determinized_states": 10_000,
            "lenient": true,
        }}))
    }

    /// The fields in which plain words are looked for: what was said and thrown. All fields (`*`) would be refused by a
    /// mapping of some thousand.
    fn text_fields(&self) -> Vec<&str> {
        let roles = [Role::Message, Role::ErrorMessage, Role::ErrorType, Role::ErrorStack];
        let chosen = roles.into_iter().flat_map(|role| self.mapping.layout.of(role));
        let searched = chosen.filter(|chosen| matches!(chosen.kind, FieldKind::Text | FieldKind::Keyword));
        let fields: Vec<&str> = searched.map(|chosen| chosen.name.as_str()).take(MOST_FIELDS).collect();
        if fields.is_empty() { vec!["message"] } else { fields }
    }

    /// A condition.
    pub(super) fn condition(&self, condition: &Condition) -> Result<Value, ToolError> {
        match condition {
            Condition::Is(Role::Trace, id) => self.trace(id),
            Condition::Is(role, value) => self.is(*role, value),
            Condition::AtLeast(level) => Ok(level::at_least(&self.mapping.layout, *level)),
            Condition::Untold => Ok(level::untold(&self.mapping.layout)),
            Condition::Field(name, value) => {
                let value = self.given.value(value)?;
                Ok(exact(&self.mapping.named(name)?, &value).unwrap_or_else(never))
            }
            Condition::Like(like) => Ok(self.like(like)),
            Condition::Any(conditions) => {
                let any: Result<_, _> =
                    conditions.iter().map(|condition| self.condition(condition)).collect();
                any.map(any_of)
            }
            Condition::All(conditions) => {
                let all: Result<Vec<Value>, _> =
                    conditions.iter().map(|condition| self.condition(condition)).collect();
                Ok(json!({ "bool": { "filter": all? } }))
            }
            Condition::Not(condition) => Ok(json!({ "bool": { "must_not": [self.condition(condition)?] } })),
        }
    }

    fn is(&self, role: Role, value: &str) -> Result<Value, ToolError> {
        if let (Role::Level, Some(level)) = (role, Level::parse(value)) {
            return Ok(level::exactly(&self.mapping.layout, level));
        }
        let value = self.given.value(value)?;
        Ok(any_of(self.mapping.of(role)?.iter().filter_map(|chosen| exact(chosen, &value)).collect()))
    }

    /// A trace id stands in its field, or in the message of a program that writes text.
    fn trace(&self, id: &str) -> Result<Value, ToolError> {
        let value = self.given.value(id)?;
        let fields = self.mapping.layout.of(Role::Trace);
        let told: Vec<Value> =
            fields.iter().map(|chosen| json!({ "exists": { "field": chosen.name } })).collect();
        let in_text = self.like(&Like { fragments: vec![id.to_owned()] });
        let in_text = json!({ "bool": { "filter": [in_text], "must_not": told } });
        let in_field = fields.iter().filter_map(|chosen| exact(chosen, &value));
        Ok(any_of(in_field.chain([in_text]).collect()))
    }

    /// Each literal part of the pattern as a phrase, in any field that holds messages.
    pub(super) fn like(&self, like: &Like) -> Value {
        let fragments: Vec<String> = like.fragments.iter().map(|text| self.given.fragment(text)).collect();
        any_of(self.mapping.layout.of(Role::Message).iter().map(|field| alike(field, &fragments)).collect())
    }
}

/// Records of the window.
pub(super) fn range(field: &str, window: TimeRange) -> Value {
    json!({ "range": { field: {
        "gte": time_text(window.start()),
        "lt": time_text(window.end()),
        "format": "strict_date_optional_time",
    }}})
}

/// The field's whole value is this one, in any case; `None` where it can never be.
fn exact(chosen: &Chosen, value: &str) -> Option<Value> {
    let Chosen { name, kind, exact, conflict, .. } = chosen;
    if *conflict {
        // Only `match` puts up with a field that is a number here and a word there.
        let spellings = [value.to_owned(), value.to_lowercase(), value.to_uppercase()];
        let clauses =
            spellings.iter().map(|value| json!({ "match": { name: { "query": value, "lenient": true } } }));
        return Some(any_of(clauses.collect()));
    }
    let name = exact.as_ref().unwrap_or(name);
    let term = || json!({ "term": { name: { "value": value } } });
    let in_any_case = || json!({ "term": { name: { "value": value, "case_insensitive": true } } });
    match (kind, exact) {
        (FieldKind::Number, _) => value.parse::<f64>().ok().map(|_| term()),
        (FieldKind::Boolean, _) => matches!(value, "true" | "false").then(term),
        (FieldKind::Ip, _) => value.parse::<std::net::IpAddr>().ok().map(|_| term()),
        (FieldKind::Date, _) => value.parse::<Timestamp>().ok().map(|_| term()),
        (FieldKind::Text, None) => Some(json!({ "match_phrase": { name: value } })),
        (FieldKind::Text | FieldKind::Keyword, _) => Some(in_any_case()),
        (FieldKind::Other, _) => Some(term()),
    }
}

fn alike(field: &Chosen, fragments: &[String]) -> Value {
    let name = &field.name;
    if field.kind == FieldKind::Text {
        let spoken = fragments.iter().filter(|fragment| lucene::words(fragment).next().is_some());
        let phrases: Vec<Value> =
            spoken.map(|fragment| json!({ "match_phrase": { name: fragment } })).collect();
        return match phrases.is_empty() {
            true => json!({ "exists": { "field": name } }),
            false => json!({ "bool": { "filter": phrases } }),
        };
    }
    let escaped: Vec<String> = fragments
        .iter()
        .map(|text| text.replace('\\', "\\\\").replace('*', "\\*").replace('?', "\\?"))
        .collect();
    json!({ "wildcard": { name: { "value": format!("*{}*", escaped.join("*")) } } })
}

/// At least one of these; of none, never.
pub(super) fn any_of(mut clauses: Vec<Value>) -> Value {
    match clauses.len() {
        0 => never(),
        1 => clauses.remove(0),
        _ => json!({ "bool": { "should": clauses, "minimum_should_match": 1 } }),
    }
}

pub(super) fn never() -> Value {
    json!({ "match_none": {} })
}
