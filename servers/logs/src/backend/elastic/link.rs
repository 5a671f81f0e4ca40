//! Links into Kibana Discover and OpenSearch Dashboards.

use std::sync::PoisonError;

use contract::time_text;

use super::{Elastic, Kind, mapping::Mapping};
use crate::model::{Condition, Level, Role, Search};

impl Elastic {
    /// The page on which a person sees the search's records, when `ui_url` is configured and the fields are known. What
    /// Lucene's syntax can't say of a condition is left out: the page shows more then, never less.
    pub(super) fn link_to(&self, search: &Search) -> Option<String> {
        let base = self.upstream.ui_url()?;
        let mappings = self.mappings.lock().unwrap_or_else(PoisonError::into_inner);
        let mapping = mappings.values().next().map(|(_, mapping)| mapping)?;
        let text = search.text.iter().map(|text| format!("({text})"));
        let conditions = self.mandatory.iter().chain(&search.conditions);
        let parts: Vec<String> =
            text.chain(conditions.filter_map(|condition| lucene(mapping, condition))).collect();
        let query = parts.join(" AND ");
        let (from, to) = (time_text(search.window.start()), time_text(search.window.end()));
        let global = format!("(time:(from:{},to:{}))", rison(&from), rison(&to));
        let query = format!("(query:(language:lucene,query:{}))", rison(&query));
        // Dashboards keep the query apart from the state of the page.
        let name = match self.kind {
            Kind::Elasticsearch => "_a",
            Kind::OpenSearch => "_q",
        };
        Some(format!("{base}/app/discover#/?_g={}&{name}={}", encoded(&global), encoded(&query)))
    }
}

fn lucene(mapping: &Mapping, condition: &Condition) -> Option<String> {
    match condition {
        Condition::Is(role, value) => {
            any(mapping.layout.of(*role).iter().map(|chosen| pair(&chosen.name, value)).collect())
        }
        Condition::Field(name, value) => Some(pair(name, value)),
        Condition::AtLeast(least) => {
            let words = Level::ALL.into_iter().filter(|level| level >= least).flat_map(Level::spellings);
            let words: Vec<String> =
                words.flat_map(|word| [(*word).to_owned(), word.to_uppercase()]).collect();
            let fields = mapping.layout.of(Role::Level).iter();
            any(fields.map(|chosen| format!("{}:({})", escaped(&chosen.name), words.join(" OR "))).collect())
        }
        Condition::Untold => {
            let fields = mapping.layout.of(Role::Level).iter();
            let none: Vec<String> =
                fields.map(|chosen| format!("NOT _exists_:{}", escaped(&chosen.name))).collect();
            (!none.is_empty()).then(|| none.join(" AND "))
        }
        Condition::Like(like) => {
            let fields = mapping.layout.of(Role::Message).iter();
            let of_field = |name: &str| {
                let parts: Vec<String> = like.fragments.iter().map(|fragment| pair(name, fragment)).collect();
                parts.join(" AND ")
            };
            any(fields.map(|chosen| of_field(&chosen.name)).filter(|part| !part.is_empty()).collect())
        }
        Condition::Any(conditions) => {
            let parts: Option<Vec<String>> =
                conditions.iter().map(|condition| lucene(mapping, condition)).collect();
            any(parts?)
        }
        // A part left out within would show less.
        Condition::Not(condition) => match condition.as_ref() {
            Condition::Is(..) | Condition::Field(..) | Condition::Like(..) => {
                Some(format!("NOT ({})", lucene(mapping, condition)?))
            }
            _ => None,
        },
    }
}

fn any(parts: Vec<String>) -> Option<String> {
    (!parts.is_empty()).then(|| format!("({})", parts.join(" OR ")))
}

fn pair(name: &str, value: &str) -> String {
    format!("{}:\"{}\"", escaped(name), value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A field's name in Lucene's syntax.
fn escaped(name: &str) -> String {
    let mut written = String::with_capacity(name.len());
    for character in name.chars() {
        if !(character.is_alphanumeric() || matches!(character, '.' | '_' | '@')) {
            written.push('\\');
        }
        written.push(character);
    }
    written
}

/// A string of Rison, the notation of Kibana's URLs.
fn rison(text: &str) -> String {
    format!("'{}'", text.replace('!', "!!").replace('\'', "!'"))
}

/// As it stands in the fragment of a URL; Kibana decodes it once.
fn encoded(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~()*!,:@'".contains(&byte);
    text.bytes()
        .map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
