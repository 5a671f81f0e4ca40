//! What was found, as an answer.

mod rows;

use std::collections::BTreeSet;

use contract::{Answer, Cite, Draft, Evidence, Finding, Untrusted, nearest};

use super::{LOOK_BACK_TEXT, Look, MOST_ROWS, Scope, catalog::Names, labelled::Labelled, measure::Measured};
use crate::analysis::search::{
    families::Family,
    labels::{LabelUse, common, tells_failure},
    ranking::{Hit, Place},
    words::{Likeness, tokens},
};
use rows::{Row, fixed, table};

/// The most labels that are told to hold words.
const MOST_HOLDERS: usize = 4;

/// Everything that was found.
pub(super) struct Found {
    pub(super) families: Vec<Family>,
    pub(super) names: Names,
    /// Best first.
    pub(super) hits: Vec<Hit>,
    pub(super) limit: usize,
    pub(super) scope: Option<Scope>,
    /// The series that were measured, where a word of the search and not the caller's service narrows them.
    pub(super) meant: Option<Scope>,
    pub(super) labelled: Labelled,
    /// What matches by labels rest on.
    pub(super) by_label: Vec<Cite>,
    pub(super) measured: Measured,
}

/// The answer.
pub(super) fn answer(look: &Look<'_>, found: &Found, mut draft: Draft) -> Answer {
    if found.hits.is_empty() {
        return nothing(look, found, draft);
    }
    let rows = found.rows(look);
    how_found(look, found, &rows, &mut draft);
    not_found(look, found, &mut draft);
    in_common(found, &rows, &mut draft);
    doubts(look, &rows, &mut draft);
    let table = table(look, found, &rows);
    draft.table(table);
    if rows.iter().any(|row| row.family.told) {
        metadata(look, &mut draft);
    }
    let live = rows.iter().find(|row| row.example.1 && row.series != Some(0));
    if let Some(row) = live {
        draft.next(
            look.call("query_metrics", format!("measure {} over the last hour", row.family.name.shown(100)))
                .with("promql", row.example.0.as_str())
                .with("time_range", "1h"),
        );
    }
    let verdict = verdict(look, found, &rows);
    draft.conclude(verdict)
}

fn verdict(look: &Look<'_>, found: &Found, rows: &[Row<'_>]) -> String {
    let count = found.hits.len();
    let searched = searched(found);
    let asked = look.echo(&look.query.phrase);
    let words = look.query.words.len();
    let most = found.hits.iter().filter(|hit| !hit.exact).map(Hit::words).max().unwrap_or(words);
    let head = match (words, most) {
        (0, _) => format!("{searched}, listed by what tells most"),
        (words, most) if most < words && !found.hits.iter().any(|hit| hit.exact) => {
            format!(
                "No metric has all {words} words of {asked}; {count} of {searched} {} {most} of them",
                if count == 1 { "has" } else { "have" }
            )
        }
        _ => format!("{count} of {searched} {} {asked}", if count == 1 { "matches" } else { "match" }),
    };
    let first = rows.first().map_or(String::new(), |row| {
        let series = match row.series {
            None => String::new(),
            Some(0) => ", no series now".to_owned(),
            Some(series) => format!(", {series} series"),
        };
        format!("; first: {}, {}{series}", row.family.name.shown(120), row.family.kind)
    });
    format!("{head}{first}.")
}

/// `301 metrics (468 names of series) of service="checkout"`.
fn searched(found: &Found) -> String {
    let of = found.scope.as_ref().map_or(String::new(), |scope| format!(" of {}", scope.shown()));
    let (metrics, names) = (found.families.len(), found.names.items.len());
    let metrics_noun = if metrics == 1 { "metric" } else { "metrics" };
    let names_noun = if names == 1 { "name" } else { "names" };
    let more = if found.names.cut { " searched, of more" } else { "" };
    format!("{metrics} {metrics_noun} ({names} {names_noun} of series{more}){of}")
}

/// How the matches were found, where that isn't plain from their names.
fn how_found(look: &Look<'_>, found: &Found, rows: &[Row<'_>], draft: &mut Draft) {
    if look.query.words.is_empty() {
        return;
    }
    let count = |wanted: fn(Place) -> bool| {
        found.hits.iter().filter(|hit| !hit.exact && hit.weakest().is_some_and(wanted)).count()
    };
    let named = count(|place| matches!(place, Place::Name(Likeness::Same | Likeness::Prefix)));
    let exact = found.hits.iter().filter(|hit| hit.exact).count();
    let other = count(|place| matches!(place, Place::Name(Likeness::Synonym(_))));
    let helped = count(|place| matches!(place, Place::Help(_)));
    let labelled = count(|place| place == Place::Label);
    if other + helped + labelled == 0 {
        return;
    }
    let mut parts = Vec::new();
    let mut say = |count: usize, how: String| {
        if count > 0 {
            parts.push(format!("{count} by {how}"));
        }
    };
    say(exact + named, "name".to_owned());
    say(other, format!("another word in the name ({})", synonyms(look)));
    say(helped, "help text".to_owned());
    let holders = if found.meant.is_some() { String::new() } else { holders(look, rows) };
    say(labelled, format!("what their labels say{holders}"));
    let meant = found.meant.as_ref().map_or(String::new(), |scope| {
        format!("; series, labels and examples below are those of {}", scope.shown())
    });
    let mut finding = Finding::new(format!("found {}{meant}", parts.join(", ")), found.names.cite);
    if helped > 0 {
        finding = finding.and(metadata(look, draft));
    }
    if labelled > 0 {
        for cite in &found.by_label {
            finding = finding.and(*cite);
        }
    }
    draft.finding(finding);
}

/// What types, units and help texts rest on.
fn metadata(look: &Look<'_>, draft: &mut Draft) -> Cite {
    draft.cite(Evidence::new(look.source.system(), "GET /api/v1/metadata"))
}

fn synonyms(look: &Look<'_>) -> String {
    let with = look.query.words.iter().filter(|word| !word.synonyms.is_empty());
    let texts: Vec<String> =
        with.map(|word| format!("{}: {}", word.text, word.synonyms.join(", "))).collect();
    texts.join("; ")
}

/// ` (service=checkout)`: the labels of the metrics shown that hold words.
fn holders(look: &Look<'_>, rows: &[Row<'_>]) -> String {
    let mut texts = BTreeSet::new();
    for row in rows {
        for (word, _) in
            look.query.words.iter().zip(&row.hit.places).filter(|(_, place)| **place == Some(Place::Label))
        {
            for label in &row.labels {
                let value = label.values.iter().flatten().find(|value| word.stands_in(value.inside()));
                texts.extend(value.map(|value| format!("{}={}", label.name.shown(60), value.shown(60))));
                let tells = || word.means_failure() && tells_failure(label.name.inside());
                if value.is_none() && (word.stands_in(label.name.inside()) || tells()) {
                    texts.insert(format!("label {}", label.name.shown(60)));
                }
            }
        }
    }
    let most = texts.len().min(MOST_HOLDERS);
    let texts: Vec<String> = texts.into_iter().take(most).collect();
    if texts.is_empty() { String::new() } else { format!(" ({})", texts.join(", ")) }
}

/// Words that no metric has, with those that come near.
fn not_found(look: &Look<'_>, found: &Found, draft: &mut Draft) {
    for (place, word) in look.query.words.iter().enumerate() {
        if found.hits.iter().any(|hit| hit.places.get(place).is_some_and(Option::is_some)) {
            continue;
        }
        near_services(look, found, place, draft);
        let near = near_words(found, &word.text);
        let near: Vec<String> = near.iter().map(|word| look.cx.intake.text(word).shown(40)).collect();
        let near = if near.is_empty() { String::new() } else { format!("; nearest: {}", near.join(", ")) };
        let word = look.echo(&word.text);
        draft.finding(Finding::new(format!("none of these has {word}{near}"), found.names.cite));
    }
    if !look.query.left_out.is_empty() {
        let words = look.echo(&look.query.left_out.join(" "));
        draft.caveat(format!(
            "only the first {} words were searched for, not {words}",
            look.query.words.len()
        ));
    }
}

/// Services that come near to a word of the search, and the search with the nearest of them instead.
fn near_services(look: &Look<'_>, found: &Found, place: usize, draft: &mut Draft) {
    let Some(word) = look.query.words.get(place) else { return };
    let near = found.labelled.near(&word.text);
    let Some((label, value)) = near.first() else { return };
    let shown: Vec<String> =
        near.iter().map(|(label, value)| format!("{}={}", label.shown(60), value.shown(60))).collect();
    let query = look.guarded(format!("GET /api/v1/label/{}/values", label.inside()), label.plain().is_some());
    let cite = draft.cite(Evidence::new(look.source.system(), query).over(look.window));
    let mut finding =
        Finding::new(format!("services near to {}: {}", look.echo(&word.text), shown.join(", ")), cite);
    for (other, _) in near.iter().skip(1).filter(|(other, _)| other != label) {
        let query =
            look.guarded(format!("GET /api/v1/label/{}/values", other.inside()), other.plain().is_some());
        finding = finding.and(draft.cite(Evidence::new(look.source.system(), query).over(look.window)));
    }
    draft.finding(finding);
    if let Some(value) = value.plain() {
        let words = look.query.words.iter().enumerate();
        let text: Vec<&str> =
            words.map(|(other, word)| if other == place { value } else { word.text.as_str() }).collect();
        draft.next(look.call("search_metrics", "the nearest service").with("text", text.join(" ")));
    }
}

/// Words of names that come near to this one.
fn near_words<'a>(found: &'a Found, word: &str) -> Vec<&'a str> {
    let mut all: Vec<&str> = found.families.iter().flat_map(|family| tokens(family.name.inside())).collect();
    all.sort_unstable();
    all.dedup();
    nearest(word, all.into_iter().filter(|token| token.len() > 2), 3)
}

/// Labels that are the same everywhere are said once and left out of the rows.
fn in_common(found: &Found, rows: &[Row<'_>], draft: &mut Draft) {
    let Some(cite) = found.measured.cite.filter(|_| !found.measured.cut) else { return };
    let all: Vec<Vec<LabelUse>> = rows.iter().map(|row| row.labels.clone()).collect();
    let common = common(&all);
    let told = common.iter().filter(|(label, _)| fixed(found, label).is_none());
    let texts: Vec<String> =
        told.map(|(label, value)| format!("{}={}", label.shown(60), value.shown(60))).collect();
    if !texts.is_empty() {
        draft.finding(Finding::new(format!("all series shown have {}", texts.join(", ")), cite));
    }
}

/// What has to be said about single rows.
fn doubts(look: &Look<'_>, rows: &[Row<'_>], draft: &mut Draft) {
    let names = |wanted: &dyn Fn(&Row<'_>) -> bool| {
        let names: Vec<String> =
            rows.iter().filter(|row| wanted(row)).map(|row| row.family.name.shown(100)).collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    if let Some(names) = names(&|row| row.series == Some(0)) {
        let at = contract::time_text(look.at);
        draft.caveat(format!("no series at {at}, only earlier in the last {LOOK_BACK_TEXT}: {names}"));
    }
    if let Some(names) = names(&|row| row.family.disputed) {
        draft.caveat(format!("targets tell different types of {names}; the first is shown"));
    }
}

/// Nothing matched: what was tried, and what comes near.
fn nothing(look: &Look<'_>, found: &Found, mut draft: Draft) -> Answer {
    let tried: Vec<String> = look
        .query
        .words
        .iter()
        .map(|word| match word.synonyms {
            [] => look.echo(&word.text),
            others => format!("{} (also {})", look.echo(&word.text), others.join(", ")),
        })
        .collect();
    if !tried.is_empty() {
        let mut finding = Finding::new(
            format!("tried in names, help texts and labels: {}", tried.join("; ")),
            found.names.cite,
        );
        for cite in &found.by_label {
            finding = finding.and(*cite);
        }
        if found.families.iter().any(|family| family.help.is_some()) {
            finding = finding.and(metadata(look, &mut draft));
        }
        draft.finding(finding);
    }
    for place in 0..look.query.words.len() {
        near_services(look, found, place, &mut draft);
    }
    let joined = look.query.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join("_");
    let names = nearest(&joined, found.families.iter().map(|family| family.name.inside()), 5);
    let near: Vec<&Untrusted> = names
        .iter()
        .filter_map(|name| found.families.iter().find(|family| family.name.inside() == *name))
        .map(|family| &family.name)
        .collect();
    if !near.is_empty() {
        let shown: Vec<String> = near.iter().map(|name| name.shown(100)).collect();
        draft.finding(Finding::new(format!("nearest names: {}", shown.join(", ")), found.names.cite));
    }
    if let Some(scope) = &found.scope {
        let why = format!("the same in all services, not only {}", scope.shown());
        draft.next(look.call("search_metrics", why).with("text", look.query.phrase.as_str()));
    }
    if let Some(name) = near.first().and_then(|name| name.plain()) {
        draft.next(look.call("search_metrics", "the nearest name").with("text", name));
    }
    for word in &look.query.words {
        let near: Vec<Untrusted> =
            near_words(found, &word.text).into_iter().map(|word| look.cx.intake.text(word)).collect();
        let shown: Vec<String> = near.iter().map(|word| word.shown(40)).collect();
        if !near.is_empty() {
            let statement = format!("words of names near to {}: {}", look.echo(&word.text), shown.join(", "));
            draft.finding(Finding::new(statement, found.names.cite));
        }
        if let Some(nearest) = near.first().and_then(|word| word.plain()) {
            draft.next(look.call("search_metrics", "the nearest word").with("text", nearest));
        }
    }
    let searched = searched(found);
    let asked = look.echo(&look.query.phrase);
    if found.families.is_empty() {
        let of = found.scope.as_ref().map_or(String::new(), |scope| format!(" of {}", scope.shown()));
        return draft
            .conclude(format!("{} has no metric{of} of the last {LOOK_BACK_TEXT}.", look.source.system()));
    }
    draft.conclude(format!("None of {searched} of the last {LOOK_BACK_TEXT} matches {asked}."))
}
