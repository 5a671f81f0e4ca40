//! From what is searched for to KQL.

use contract::{TimeRange, ToolError};

use super::{
    kql::{Kql, name, quoted},
    schema::Schema,
};
use crate::analysis::{
    kql::{Allowed, Form, Refusal, check},
    record::level_of_field,
};
use crate::backend::{
    given::Given,
    levels::{in_messages, spellings},
};
use crate::model::{Condition, Key, Level, Like, Role, Search};

/// Writes queries.
pub(super) struct Compiler<'a> {
    pub(super) schema: &'a Schema,
    /// What a caller's KQL may name.
    pub(super) allowed: &'a Allowed,
    /// Whether only the searched tables may be read.
    pub(super) restricted: bool,
    /// What must hold of every record.
    pub(super) mandatory: &'a [Condition],
    pub(super) given: Given<'a>,
}

impl Compiler<'_> {
    /// The records of a search within a window.
    pub(super) fn rows(&self, search: &Search, window: TimeRange) -> Result<Kql, ToolError> {
        let mut kql = Kql::default();
        let time = self.schema.time()?;
        let mut conditions = Vec::new();
        kql.text = self.schema.rows();
        if let Some(text) = search.text.as_deref().map(str::trim).filter(|text| !matches!(*text, "" | "*")) {
            conditions.extend(self.text(&mut kql, text)?);
        }
        let (from, to) = (kql.datetime(window.start()), kql.datetime(window.end()));
        kql.pipe(&format!("where {time} >= {from} and {time} < {to}"));
        if let [column] = self.schema.times().as_slice() {
            kql.scope = Some(((*column).to_owned(), window));
        }
        for condition in self.mandatory.iter().chain(&search.conditions) {
            conditions.push(self.condition(&mut kql, condition)?);
        }
        for condition in conditions {
            kql.pipe(&format!("where {condition}"));
        }
        Ok(kql)
    }

    /// What a caller wrote: a query takes the place of the tables, a condition or words become one condition.
    fn text(&self, kql: &mut Kql, text: &str) -> Result<Option<String>, ToolError> {
        let written = self.given.kql(text)?;
        let accepted = match check(&written, self.allowed) {
            Ok(accepted) if accepted.form == Form::Words && !self.is_table(accepted.text) => None,
            Ok(accepted) => Some(accepted),
            Err(_) if is_words(text) => None,
            Err(refusal) => return Err(refused(&refusal)),
        };
        let Some(accepted) = accepted else { return self.words(kql, text).map(Some) };
        if !self.mandatory.is_empty() {
            return Err(ToolError::invalid(
                "query",
                "KQL is not accepted by this source, which shows a part of its records only",
            )
            .remedy("use plain words, and service, level or trace_id"));
        }
        if self.restricted {
            let tables: Vec<String> = self.schema.tables.iter().map(|table| name(table)).collect();
            kql.statements.push_str(&format!("restrict access to ({});\n", tables.join(", ")));
        }
        let (before, query) =
            accepted.text.split_at_checked(accepted.query_at).unwrap_or(("", accepted.text));
        if !before.trim().is_empty() {
            kql.statements.push_str(before.trim());
            kql.statements.push('\n');
        }
        if accepted.form == Form::Condition {
            return Ok(Some(format!("({query}\n)")));
        }
        kql.text = format!("({query}\n)");
        Ok(None)
    }

    fn is_table(&self, text: &str) -> bool {
        let plain = text.trim().trim_start_matches(['(', ' ']).trim_end_matches([')', ' ']);
        self.schema
            .tables
            .iter()
            .any(|table| table == plain || name(table) == plain || format!("['{table}']") == plain)
    }

    /// All of these words or quoted phrases, each in any field of what was said or thrown.
    fn words(&self, kql: &mut Kql, text: &str) -> Result<String, ToolError> {
        let mut all = Vec::new();
        for word in phrases(text) {
            if matches!(word.to_ascii_lowercase().as_str(), "or" | "not") {
                return Err(ToolError::invalid(
                    "query",
                    "plain words are all looked for; `or` and `not` are none of them",
                )
                .remedy("write a condition in KQL, such as Body has \"timeout\" or Body has \"refused\""));
            }
            if word.eq_ignore_ascii_case("and") {
                continue;
            }
            let parameter = kql.string(&self.given.value(&word)?);
            let roles = [Role::Message, Role::ErrorMessage, Role::ErrorType, Role::ErrorStack];
            let fields = roles.into_iter().flat_map(|role| self.schema.texts_of(role).unwrap_or_default());
            let any: Vec<String> = fields.map(|(_, text)| format!("{text} contains {parameter}")).collect();
            all.push(any_of(any));
        }
        Ok(if all.is_empty() { "true".to_owned() } else { all.join(" and ") })
    }

    /// A condition.
    pub(super) fn condition(&self, kql: &mut Kql, condition: &Condition) -> Result<String, ToolError> {
        Ok(match condition {
            Condition::Is(Role::Level, value) if Level::parse(value).is_some() => {
                let level = Level::parse(value);
                self.of_levels(
                    kql,
                    &Level::ALL.into_iter().filter(|one| Some(*one) == level).collect::<Vec<_>>(),
                )?
            }
            Condition::Is(Role::Trace, id) => self.trace(kql, id)?,
            Condition::Is(role, value) => {
                let parameter = kql.string(&self.given.value(value)?);
                let texts = self.schema.texts_of(*role)?;
                any_of(texts.iter().map(|(_, text)| format!("{text} =~ {parameter}")).collect())
            }
            Condition::AtLeast(least) => {
                let levels: Vec<Level> = Level::ALL.into_iter().filter(|level| level >= least).collect();
                self.of_levels(kql, &levels)?
            }
            Condition::Untold => self.untold(),
            Condition::Field(field, value) => {
                let parameter = kql.string(&self.given.value(value)?);
                format!("{} == {parameter}", self.schema.text_of(field)?)
            }
            Condition::Like(like) => self.like(kql, like)?,
            Condition::Any(conditions) => {
                let any: Result<_, _> =
                    conditions.iter().map(|condition| self.condition(kql, condition)).collect();
                any_of(any?)
            }
            Condition::All(conditions) => {
                let all: Result<Vec<String>, _> =
                    conditions.iter().map(|condition| self.condition(kql, condition)).collect();
                all_of(&all?)
            }
            // Texts are never null, so what is not found is false and not unknown.
            Condition::Not(condition) => format!("not({})", self.condition(kql, condition)?),
        })
    }

    /// A trace id stands in its field, or in the message of a program that writes text.
    fn trace(&self, kql: &mut Kql, id: &str) -> Result<String, ToolError> {
        let parameter = kql.string(&self.given.value(id)?);
        let fields = self.schema.texts_of(Role::Trace).unwrap_or_default();
        let untold = fields.iter().map(|(_, text)| format!("isempty({text})"));
        let message = format!("{} has {parameter}", self.schema.first_of(Role::Message));
        let in_text = untold.chain([message]).collect::<Vec<_>>().join(" and ");
        let in_field = fields.iter().map(|(_, text)| format!("{text} =~ {parameter}"));
        Ok(any_of(in_field.chain([format!("({in_text})")]).collect()))
    }

    /// Records of one of these levels; those without any level by the words of their message.
    fn of_levels(&self, kql: &mut Kql, levels: &[Level]) -> Result<String, ToolError> {
        let fields = self.schema.texts_of(Role::Level).unwrap_or_default();
        let mut any = Vec::new();
        for (chosen, text) in &fields {
            let is_meant = |value: &str| {
                level_of_field(&chosen.name, value).is_some_and(|level| levels.contains(&level))
            };
            let mut values: Vec<String> = match self.schema.is_number(&chosen.name) {
                true => (0..=60).map(|number: u32| number.to_string()).collect(),
                false => spellings().iter().map(|spelling| spelling.to_lowercase()).collect(),
            };
            values.retain(|value| is_meant(value));
            values.sort();
            values.dedup();
            let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
            if !values.is_empty() {
                any.push(format!("{text} in~ ({})", values.join(", ")));
            }
        }
        let words = in_messages(levels);
        if !words.is_empty() {
            let words: Vec<String> = words.into_iter().map(|word| kql.string(word)).collect();
            let message = self.schema.first_of(Role::Message);
            let of_message = format!("{message} has_any ({})", words.join(", "));
            any.push(match fields.is_empty() {
                true => format!("({of_message})"),
                false => format!("({} and {of_message})", self.untold()),
            });
        }
        Ok(any_of(any))
    }

    /// Records of which no field tells a level.
    fn untold(&self) -> String {
        let fields = self.schema.texts_of(Role::Level).unwrap_or_default();
        let none: Vec<String> = fields.iter().map(|(_, text)| format!("isempty({text})")).collect();
        if none.is_empty() { "true".to_owned() } else { none.join(" and ") }
    }

    /// Each literal part of the pattern, somewhere in the message.
    pub(super) fn like(&self, kql: &mut Kql, like: &Like) -> Result<String, ToolError> {
        let message = self.schema.first_of(Role::Message);
        let parts: Vec<String> = like
            .fragments
            .iter()
            .map(|fragment| format!("{message} contains_cs {}", kql.string(&self.given.fragment(fragment))))
            .collect();
        Ok(if parts.is_empty() { format!("isnotempty({message})") } else { parts.join(" and ") })
    }

    /// The text of a key.
    pub(super) fn key(&self, key: &Key) -> Result<String, ToolError> {
        match key {
            Key::Role(role) => self.schema.texts_of(*role).map(|_| self.schema.first_of(*role)),
            Key::Field(field) => self.schema.text_of(field),
        }
    }
}

/// Whether a pattern's filter finds this message.
pub(super) fn finds(like: &Like, message: &str) -> bool {
    if like.fragments.is_empty() {
        !message.is_empty()
    } else {
        like.fragments.iter().all(|part| message.contains(part))
    }
}

fn any_of(any: Vec<String>) -> String {
    match any.as_slice() {
        [] => "false".to_owned(),
        [one] => one.clone(),
        _ => format!("({})", any.join(" or ")),
    }
}

/// Each in brackets: `or` binds more loosely than `and`.
fn all_of(all: &[String]) -> String {
    match all {
        [] => "true".to_owned(),
        _ => all.iter().map(|one| format!("({one})")).collect::<Vec<_>>().join(" and "),
    }
}

/// Whether a text has nothing of the syntax of KQL in it but words and quoted phrases.
fn is_words(text: &str) -> bool {
    let outside = phrases_outside(text);
    !outside.contains(['|', '=', '(', ')', ';', '{', '}', '[', ']', '>', '`'])
        && !outside.trim_start().starts_with('.')
}

fn phrases_outside(text: &str) -> String {
    text.split('"').step_by(2).collect::<Vec<_>>().join(" ")
}

/// Words and quoted phrases, in order.
fn phrases(text: &str) -> Vec<String> {
    let parts = text.split('"').enumerate();
    parts
        .flat_map(|(place, part)| match place % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        })
        .filter(|phrase| !phrase.is_empty())
        .collect()
}

/// A refusal of the guard as an error of the tool.
pub(super) fn refused(refusal: &Refusal) -> ToolError {
    let place = format!("line {}, column {}", refusal.line, refusal.column);
    ToolError::invalid("query", &format!("is not sent: {} ({place})", refusal.what))
        .remedy(refusal.instead.clone())
}
