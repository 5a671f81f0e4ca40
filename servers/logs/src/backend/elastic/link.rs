//! Links into Kibana Discover and OpenSearch Dashboards.

use std::sync::PoisonError;

use contract::{TimeRange, time_text};

use super::{Elastic, Kind, mapping::Mapping};
use crate::backend::encoded;
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
        Some(page(self.kind, base, search.window, &query))
    }
}

/// Discover with this window and this Lucene query, in the notation of each system (`Rison`), over its default data view.
/// Dashboards keep the query apart from the state of the page, since 2.10; what they migrate of older links lacks the time.
fn page(kind: Kind, base: &str, window: TimeRange, query: &str) -> String {
    let (from, to) = (rison(&time_text(window.start())), rison(&time_text(window.end())));
    let global = in_fragment(&format!("(filters:!(),time:(from:{from},to:{to}))"));
    let query = in_fragment(&format!("(language:lucene,query:{})", rison(query)));
    match kind {
        Kind::Elasticsearch => format!("{base}/app/discover#/?_g={global}&_a=(query:{query})"),
        Kind::OpenSearch => format!(
            "{base}/app/data-explorer/discover#?_a=(discover:(columns:!(_source),isDirty:!f,sort:!()),metadata:(view:discover))\
             &_g={global}&_q=(filters:!(),query:{query})"
        ),
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
        Condition::All(conditions) => {
            let parts: Option<Vec<String>> =
                conditions.iter().map(|condition| lucene(mapping, condition)).collect();
            let parts = parts.filter(|parts| !parts.is_empty())?;
            Some(format!("({})", parts.join(" AND ")))
        }
        Condition::Not(condition) => lucene(mapping, condition).map(|part| format!("(NOT {part})")),
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
fn in_fragment(text: &str) -> String {
    encoded(text, b"()*!,:@'")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window() -> TimeRange {
        let at = |text: &str| text.parse().unwrap();
        TimeRange::new(at("2026-01-14T14:00:00Z"), at("2026-01-14T14:32:00Z")).unwrap()
    }

    /// The forms are those of links that the pages themselves write: `app/discover#/?_g=(…time:(from:'…',to:'…'))&_a=(…query:(
    /// language:…,query:'languages%20:%20%22English%22'))` of Kibana 7 and 8, `app/data-explorer/discover#?_a=(discover:(…),
    /// metadata:(…,view:discover))&_g=(…)&_q=(filters:!(),query:(language:…,query:''))` of OpenSearch Dashboards 2.10 and later.
    #[test]
    fn links_are_written_as_the_pages_write_theirs() {
        let query = "service.name:\"payment\" AND (it's 100 % full!)";
        assert_eq!(
            page(Kind::Elasticsearch, "https://kibana.example/s/shop", window(), query),
            "https://kibana.example/s/shop/app/discover#/?_g=(filters:!(),time:(from:'2026-01-14T14:00:00Z',\
             to:'2026-01-14T14:32:00Z'))&_a=(query:(language:lucene,query:'service.name:%22payment%22%20AND%20\
             (it!'s%20100%20%25%20full!!)'))"
        );
        assert_eq!(
            page(Kind::OpenSearch, "https://dashboards.example/_dashboards", window(), "a"),
            "https://dashboards.example/_dashboards/app/data-explorer/discover#?_a=(discover:(columns:!(_source),isDirty:!f,\
             sort:!()),metadata:(view:discover))&_g=(filters:!(),time:(from:'2026-01-14T14:00:00Z',\
             to:'2026-01-14T14:32:00Z'))&_q=(filters:!(),query:(language:lucene,query:'a'))"
        );
    }
}
