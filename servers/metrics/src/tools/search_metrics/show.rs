//! What was found, as an answer.

use contract::{Answer, Cell, Draft, Finding, Next, Table, Untrusted, nearest};

use super::{LOOK_BACK, Look, MOST_ROWS, Scope, catalog::Names, labelled::Labelled, measure::Measured};
use crate::{
    analysis::search::{
        example::{Subject, example},
        families::Family,
        labels::{LabelUse, common},
        ranking::{Hit, Place},
        words::{Likeness, tokens},
    },
    model::MatchOp,
};

/// The longest help text, in characters: with and without `detail=full`.
const HELP: (usize, usize) = (600, 100);
/// The most labels of a metric, and the most values of a label.
const LABELS: (usize, usize) = (20, 6);
const VALUES: (usize, usize) = (12, 4);

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
    pub(super) measured: Measured,
}

/// One metric that is shown.
struct Row<'a> {
    hit: &'a Hit,
    family: &'a Family,
    labels: Vec<LabelUse>,
    series: Option<u64>,
    /// The query, and whether all in it is plain.
    example: (String, bool),
}

impl Found {
    /// What narrows the series that are shown.
    fn scopes(&self) -> impl Iterator<Item = &Scope> {
        self.scope.iter().chain(&self.meant)
    }

    fn rows(&self) -> Vec<Row<'_>> {
        let shown = self.hits.iter().take(self.limit);
        shown.filter_map(|hit| Some(self.row(hit, self.families.get(hit.family)?))).collect()
    }

    fn row<'a>(&'a self, hit: &'a Hit, family: &'a Family) -> Row<'a> {
        let labels = self.measured.labels(family);
        let series = self.measured.total(family);
        let gone: Vec<&str> = family
            .members
            .iter()
            .filter(|name| self.measured.series(name) == Some(0))
            .map(Untrusted::inside)
            .collect();
        let mut matchers: Vec<(&str, MatchOp, &str)> = self.scopes().map(Scope::matcher).collect();
        let mut plain = family.name.plain().is_some() && self.scopes().all(Scope::is_plain);
        for (label, value) in self.named(hit, &labels) {
            if !matchers.iter().any(|(known, _, _)| *known == label.inside()) {
                matchers.push((label.inside(), MatchOp::Equal, value.inside()));
                plain &= label.plain().is_some() && value.plain().is_some();
            }
        }
        plain &= labels.iter().all(|label| label.name.plain().is_some());
        let query = example(&Subject { family, labels: &labels, matchers: &matchers, gone: &gone });
        Row { hit, family, labels, series, example: (query, plain) }
    }

    /// Labels and values that words of the search mean: those that the metric has, and only where the value is
    /// the word, or nothing else fits.
    fn named<'a>(&'a self, hit: &Hit, labels: &[LabelUse]) -> Vec<(&'a Untrusted, &'a Untrusted)> {
        let mut named = Vec::new();
        for (place, pairs) in self.labelled.pairs.iter().enumerate() {
            if hit.places.get(place).copied().flatten() != Some(Place::Label) {
                continue;
            }
            let has = |(name, value): &&(Untrusted, Untrusted)| {
                let label = labels.iter().find(|label| label.name == *name);
                label.and_then(|label| label.values.as_ref()).is_some_and(|values| values.contains(value))
            };
            let had: Vec<&(Untrusted, Untrusted)> = pairs.iter().filter(has).collect();
            if let Some((label, value)) = had.first().copied()
                && (had.len() == 1 || self.labelled.is_word(place, value))
            {
                named.push((label, value));
            }
        }
        named
    }
}

/// The answer.
pub(super) fn answer(look: &Look<'_>, found: &Found, mut draft: Draft) -> Answer {
    if found.hits.is_empty() {
        return nothing(look, found, draft);
    }
    let rows = found.rows();
    how_found(look, found, &mut draft);
    not_found(look, found, &mut draft);
    in_common(found, &rows, &mut draft);
    doubts(look, &rows, &mut draft);
    let table = table(look, found, &rows);
    draft.table(table);
    let live = rows.iter().find(|row| row.example.1 && row.series != Some(0));
    if let Some(row) = live {
        draft.next(
            Next::call("query_metrics", format!("measure {} over the last hour", row.family.name.shown(100)))
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
        (0, _) => format!("{count} of {searched}, all of them"),
        (words, most) if most < words && !found.hits.iter().any(|hit| hit.exact) => {
            format!("No metric has all {words} words of {asked}; {count} of {searched} have {most} of them")
        }
        _ => format!("{count} of {searched} match {asked}"),
    };
    let first = rows.first().map_or(String::new(), |row| {
        let series = row.series.map_or(String::new(), |series| format!(", {series} series"));
        format!("; first: {} ({}{series})", row.family.name.shown(120), row.family.kind)
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
fn how_found(look: &Look<'_>, found: &Found, draft: &mut Draft) {
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
    say(labelled, format!("label{}", pairs(found)));
    let meant = found.meant.as_ref().map_or(String::new(), |scope| {
        format!("; series, labels and examples below are those of {}", scope.shown())
    });
    let mut finding = Finding::new(format!("found {}{meant}", parts.join(", ")), found.names.cite);
    if labelled > 0 {
        for cite in &found.labelled.cites {
            finding = finding.and(*cite);
        }
    }
    draft.finding(finding);
}

fn synonyms(look: &Look<'_>) -> String {
    let with = look.query.words.iter().filter(|word| !word.synonyms.is_empty());
    let texts: Vec<String> = with.map(|word| format!("{}: {}", word.text, word.synonyms.join(", "))).collect();
    texts.join("; ")
}

/// ` (service=checkout)`: the labels that hold words.
fn pairs(found: &Found) -> String {
    let mut texts: Vec<String> = Vec::new();
    for (label, value) in found.labelled.pairs.iter().flatten().take(4) {
        texts.push(format!("{}={}", label.shown(60), value.shown(60)));
    }
    if texts.is_empty() { String::new() } else { format!(" ({})", texts.join(", ")) }
}

/// Words that no metric has, with those that come near.
fn not_found(look: &Look<'_>, found: &Found, draft: &mut Draft) {
    for (place, word) in look.query.words.iter().enumerate() {
        if found.hits.iter().any(|hit| hit.places.get(place).is_some_and(Option::is_some)) {
            continue;
        }
        let near = near_words(found, &word.text);
        let near: Vec<String> = near.iter().map(|word| look.cx.intake.text(word).shown(40)).collect();
        let near = if near.is_empty() { String::new() } else { format!("; nearest: {}", near.join(", ")) };
        let word = look.echo(&word.text);
        draft.finding(Finding::new(format!("none of these has {word}{near}"), found.names.cite));
    }
    if !look.query.left_out.is_empty() {
        let words = look.echo(&look.query.left_out.join(" "));
        draft.caveat(format!("only the first {} words were searched for, not {words}", look.query.words.len()));
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
    let texts: Vec<String> = told.map(|(label, value)| format!("{}={}", label.shown(60), value.shown(60))).collect();
    if !texts.is_empty() {
        draft.finding(Finding::new(format!("all series shown have {}", texts.join(", ")), cite));
    }
}

/// The value that the service's matcher fixes.
fn fixed<'a>(found: &'a Found, label: &Untrusted) -> Option<&'a str> {
    found.scopes().find_map(|scope| scope.value_of(label.inside()))
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
        let back = contract::duration_text(LOOK_BACK.as_secs_f64());
        draft.caveat(format!("no series at {at}, only earlier in the last {back}: {names}"));
    }
    if let Some(names) = names(&|row| row.family.disputed) {
        draft.caveat(format!("targets tell different types of {names}; the first is shown"));
    }
}

fn table(look: &Look<'_>, found: &Found, rows: &[Row<'_>]) -> Table {
    let mut columns = vec!["metric", "type", "unit", "series", "labels", "help", "example"];
    if look.full {
        columns.push("names of series");
    }
    let all: Vec<Vec<LabelUse>> = rows.iter().map(|row| row.labels.clone()).collect();
    let hidden: Vec<Untrusted> =
        if found.measured.cut { Vec::new() } else { common(&all).into_iter().map(|(label, _)| label).collect() };
    let mut table = Table::new("metrics", &columns, found.measured.cite.unwrap_or(found.names.cite));
    for row in rows {
        let mut cells = vec![
            Cell::Quoted(row.family.name.clone(), 200),
            Cell::text(row.family.kind.clone()),
            unit(row.family),
            row.series.filter(|series| *series > 0).map_or(Cell::Missing, Cell::Count),
            Cell::text(labels(look, found, row, &hidden)),
            row.family.help.clone().map_or(Cell::Missing, |help| Cell::Quoted(help, pick(look, HELP))),
            Cell::text(look.guarded(row.example.0.clone(), row.example.1)),
        ];
        if look.full {
            cells.push(Cell::text(members(found, row.family)));
        }
        table.row(cells);
    }
    table.seen(found.hits.len() as u64);
    if found.hits.len() > found.limit && found.limit < MOST_ROWS {
        table.see_more(format!("more words or a service find fewer; limit shows up to {MOST_ROWS}"));
    } else {
        table.see_more("more words or a service find fewer; a smaller limit leaves room for each");
    }
    table
}

fn pick(look: &Look<'_>, (full, concise): (usize, usize)) -> usize {
    if look.full { full } else { concise }
}

fn unit(family: &Family) -> Cell {
    match &family.unit {
        Some(unit) => Cell::Quoted(unit.clone(), 40),
        None => Cell::text(family.unit_in_name().unwrap_or_default()),
    }
}

/// `code: 200, 404, 500; route (9): /cart, /cart/items, /charge, /checkout, …; +2 labels`.
fn labels(look: &Look<'_>, found: &Found, row: &Row<'_>, hidden: &[Untrusted]) -> String {
    let shown: Vec<&LabelUse> = row
        .labels
        .iter()
        .filter(|label| !hidden.contains(&label.name) && fixed(found, &label.name).is_none())
        .collect();
    let most = pick(look, LABELS);
    let mut texts: Vec<String> = shown.iter().take(most).map(|label| one_label(look, found, row.hit, label)).collect();
    if shown.len() > most {
        let rest: Vec<String> = shown.iter().skip(most).map(|label| label.name.shown(40)).collect();
        texts.push(format!("also {}", rest.join(", ")));
    }
    texts.join("; ")
}

fn one_label(look: &Look<'_>, found: &Found, hit: &Hit, label: &LabelUse) -> String {
    let name = label.name.shown(60);
    let Some(values) = &label.values else { return format!("{name} (values not read)") };
    let most = pick(look, VALUES);
    // Values that words of the search mean come first: they are why the metric is here.
    let meant = |value: &Untrusted| {
        let words = look.query.words.iter().zip(&hit.places);
        words.filter(|(_, place)| **place == Some(Place::Label)).any(|(word, _)| word.stands_in(value.inside()))
    };
    let mut sorted: Vec<&Untrusted> = values.iter().collect();
    sorted.sort_by_key(|value| !meant(value));
    let mut texts: Vec<String> = sorted.iter().take(most).map(|value| value.shown(60)).collect();
    if values.len() <= most && !found.measured.cut {
        return format!("{name}: {}", texts.join(", "));
    }
    if values.len() > most {
        texts.push("…".to_owned());
    }
    let more = if found.measured.cut { "+" } else { "" };
    format!("{name} ({}{more}): {}", values.len(), texts.join(", "))
}

/// The names of all its series, with how many each has.
fn members(found: &Found, family: &Family) -> String {
    let one = |name: &Untrusted| match found.measured.series(name) {
        Some(series) => format!("{} ({series})", name.shown(200)),
        None => name.shown(200),
    };
    family.members.iter().map(one).collect::<Vec<_>>().join(", ")
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
        draft.finding(Finding::new(format!("tried in names, help texts and labels: {}", tried.join("; ")), found.names.cite));
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
    let word = look.query.words.first().and_then(|word| near_words(found, &word.text).first().copied());
    let better = near.first().and_then(|name| name.plain()).or(word.filter(|word| word.is_ascii()));
    if let Some(scope) = &found.scope {
        let why = format!("the same in all services, not only {}", scope.shown());
        draft.next(Next::call("search_metrics", why).with("text", look.query.phrase.as_str()));
    }
    if let Some(better) = better {
        draft.next(Next::call("search_metrics", "what comes nearest").with("text", better));
    }
    let searched = searched(found);
    let asked = look.echo(&look.query.phrase);
    let back = contract::duration_text(LOOK_BACK.as_secs_f64());
    if found.families.is_empty() {
        let of = found.scope.as_ref().map_or(String::new(), |scope| format!(" of {}", scope.shown()));
        return draft.conclude(format!("{} has no metric{of} of the last {back}.", look.source.system()));
    }
    draft.conclude(format!("None of {searched} of the last {back} matches {asked}."))
}
