//! From what is searched for to a filter over records in memory, and to the text that evidence shows.

use contract::{Context, TimeRange, ToolError};
use lucene::{Filter, NameId, Query, Test};

use super::load::{Loaded, mark};
use crate::backend::given::Given;
use crate::model::{Condition, Level, Like, Role, Search};

/// A search whose texts are what was recorded, without tokens.
#[derive(Debug, Clone)]
pub(super) struct Sought {
    window: TimeRange,
    text: Option<Query>,
    conditions: Vec<Condition>,
}

impl Sought {
    /// Reads the caller's text, and puts values in the place of tokens.
    ///
    /// # Errors
    /// When the text is outside of the subset, or a token was not shown to this caller.
    pub(super) fn resolve(cx: &Context, search: &Search) -> Result<Sought, ToolError> {
        let given = Given::Sent(&cx.intake);
        let text = search.text.as_deref().map(|text| {
            // An error names places in the text as it was written.
            super::query(text)?;
            super::query(&given.lucene(text)?)
        });
        let conditions: Result<_, _> = search.conditions.iter().map(|one| with_values(given, one)).collect();
        Ok(Sought { window: search.window, text: text.transpose()?, conditions: conditions? })
    }

    /// Names of fields that a caller asked for.
    pub(super) fn fields(&self) -> Vec<String> {
        let of_text = self.text.iter().flat_map(Query::fields).map(|(name, _)| name.to_owned());
        let of_conditions = self.conditions.iter().filter_map(|condition| match condition {
            Condition::Field(name, _) => Some(name.clone()),
            _ => None,
        });
        of_text.chain(of_conditions).collect()
    }

    /// `[start, end)` in nanoseconds since 1970.
    pub(super) fn window(&self) -> (i64, i64) {
        let nanoseconds = |at: jiff::Timestamp| i64::try_from(at.as_nanosecond()).unwrap_or(i64::MAX);
        (nanoseconds(self.window.start()), nanoseconds(self.window.end()))
    }

    pub(super) fn filter(&self, loaded: &Loaded) -> Filter {
        let of_text = self.text.iter().map(|query| query.filter(&loaded.store, &texts(loaded)));
        let of_conditions = self.conditions.iter().map(|condition| filter(loaded, condition));
        Filter::All(of_conditions.chain(of_text).collect())
    }
}

/// Fields in which plain words are looked for: what was said and thrown.
fn texts(loaded: &Loaded) -> Vec<NameId> {
    let roles = [Role::Message, Role::ErrorMessage, Role::ErrorType, Role::ErrorStack];
    roles.into_iter().flat_map(|role| loaded.of(role)).copied().collect()
}

fn with_values(given: Given<'_>, condition: &Condition) -> Result<Condition, ToolError> {
    Ok(match condition {
        Condition::Is(role, value) => Condition::Is(*role, given.value(value)?),
        Condition::AtLeast(level) => Condition::AtLeast(*level),
        Condition::Untold => Condition::Untold,
        Condition::Field(name, value) => Condition::Field(name.clone(), given.value(value)?),
        Condition::Like(like) => Condition::Like(of_given(given, like)),
        Condition::Any(all) => {
            Condition::Any(all.iter().map(|one| with_values(given, one)).collect::<Result<_, _>>()?)
        }
        Condition::All(all) => {
            Condition::All(all.iter().map(|one| with_values(given, one)).collect::<Result<_, _>>()?)
        }
        Condition::Not(one) => Condition::Not(Box::new(with_values(given, one)?)),
    })
}

/// A pattern with values in the place of the tokens in it.
pub(super) fn resolved(cx: &Context, like: &Like) -> Like {
    of_given(Given::Sent(&cx.intake), like)
}

fn of_given(given: Given<'_>, like: &Like) -> Like {
    Like { fragments: like.fragments.iter().map(|fragment| given.fragment(fragment)).collect() }
}

fn filter(loaded: &Loaded, condition: &Condition) -> Filter {
    match condition {
        Condition::Is(Role::Level, value) => {
            Filter::Marked(Level::parse(value).map(mark).into_iter().collect())
        }
        Condition::Is(Role::Trace, value) => trace(loaded, value),
        Condition::Is(role, value) => {
            Filter::First { names: loaded.of(*role).to_vec(), test: Test::Same(value.clone()) }
        }
        Condition::AtLeast(least) => {
            Filter::Marked(Level::ALL.into_iter().filter(|level| level >= least).map(mark).collect())
        }
        Condition::Untold => Filter::Not(Box::new(Filter::Field {
            names: loaded.of(Role::Level).to_vec(),
            test: Test::Exists,
        })),
        Condition::Field(name, value) => Filter::Field {
            names: loaded.store.name(name).into_iter().collect(),
            test: Test::Same(value.clone()),
        },
        Condition::Like(like) => Filter::First {
            names: loaded.of(Role::Message).to_vec(),
            test: Test::Holds(like.fragments.clone()),
        },
        Condition::Any(all) => Filter::Any(all.iter().map(|one| filter(loaded, one)).collect()),
        Condition::All(all) => Filter::All(all.iter().map(|one| filter(loaded, one)).collect()),
        Condition::Not(one) => Filter::Not(Box::new(filter(loaded, one))),
    }
}

/// A trace id stands in its field, or in the message of a program that writes text.
fn trace(loaded: &Loaded, id: &str) -> Filter {
    let in_field = Filter::First { names: loaded.of(Role::Trace).to_vec(), test: Test::Same(id.to_owned()) };
    let no_field = Filter::Field { names: loaded.of(Role::Trace).to_vec(), test: Test::Exists };
    let words = lucene::words(id).map(str::to_lowercase).collect();
    let in_text = Filter::Field { names: loaded.of(Role::Message).to_vec(), test: Test::Phrase(words) };
    Filter::Any(vec![in_field, Filter::All(vec![Filter::Not(Box::new(no_field)), in_text])])
}

/// The search as evidence shows it, but for its window.
pub(super) fn told(search: &Search) -> String {
    let text = search.text.as_deref().map(str::trim).filter(|text| !text.is_empty() && *text != "*");
    let conditions = search.conditions.iter().map(of_condition);
    let all: Vec<String> = conditions.chain(text.map(|text| format!("({text})"))).collect();
    if all.is_empty() { "*".to_owned() } else { all.join(" AND ") }
}

fn of_condition(condition: &Condition) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    match condition {
        Condition::Is(role, value) => format!("{}:{}", role.name(), quoted(value)),
        Condition::AtLeast(level) => format!("level>={}", level.name()),
        Condition::Untold => "NOT _exists_:level".to_owned(),
        Condition::Field(name, value) => format!("{name}:{}", quoted(value)),
        Condition::Like(like) => {
            let parts: Vec<String> = like.fragments.iter().map(|fragment| quoted(fragment)).collect();
            format!("message~({})", parts.join(" … "))
        }
        Condition::Any(all) => {
            let all: Vec<String> = all.iter().map(of_condition).collect();
            format!("({})", all.join(" OR "))
        }
        Condition::All(all) => {
            let all: Vec<String> = all.iter().map(of_condition).collect();
            format!("({})", all.join(" AND "))
        }
        Condition::Not(one) => format!("NOT {}", of_condition(one)),
    }
}
