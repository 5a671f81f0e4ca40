//! The metrics that are shown, as rows of a table.

use contract::{Cell, Table, Untrusted};

use super::{Found, Look, MOST_ROWS, Scope};
use crate::{
    analysis::search::{
        example::{Subject, example},
        families::Family,
        labels::{LabelUse, common},
        ranking::{Hit, Place},
    },
    model::MatchOp,
};

/// The longest help text, in characters: with and without `detail=full`.
const HELP: (usize, usize) = (600, 100);

/// The most labels of a metric.
const LABELS: (usize, usize) = (20, 6);

/// The most values of a label.
const VALUES: (usize, usize) = (12, 4);

/// One metric that is shown.
pub(super) struct Row<'a> {
    pub(super) hit: &'a Hit,
    pub(super) family: &'a Family,
    pub(super) labels: Vec<LabelUse>,
    pub(super) series: Option<u64>,
    /// The query, and whether all in it is plain.
    pub(super) example: (String, bool),
}

impl Found {
    /// What narrows the series that are shown.
    pub(super) fn scopes(&self) -> impl Iterator<Item = &Scope> {
        self.scope.iter().chain(&self.meant)
    }

    pub(super) fn rows(&self, look: &Look<'_>) -> Vec<Row<'_>> {
        let shown = self.hits.iter().take(self.limit);
        shown.filter_map(|hit| Some(self.row(look, hit, self.families.get(hit.family)?))).collect()
    }

    fn row<'a>(&'a self, look: &Look<'_>, hit: &'a Hit, family: &'a Family) -> Row<'a> {
        let labels = self.measured.labels(family);
        let series = self.measured.total(family);
        let gone: Vec<&str> = family
            .members
            .iter()
            .filter(|name| self.measured.series(name) == Some(0))
            .map(Untrusted::inside)
            .collect();
        let mut matchers: Vec<(&str, MatchOp, &str)> = self.scopes().flat_map(Scope::matchers).collect();
        let mut plain = family.name.plain().is_some() && self.scopes().all(Scope::is_plain);
        // One at most: two values that the metric has need not come together.
        let named = self.named(look, hit, &labels);
        let new = |(label, _): &&(&Untrusted, &Untrusted)| {
            !matchers.iter().any(|(known, _, _)| *known == label.inside())
        };
        if let Some((label, value)) = named.iter().find(new) {
            matchers.push((label.inside(), MatchOp::Equal, value.inside()));
            plain &= label.plain().is_some() && value.plain().is_some();
        }
        plain &= labels.iter().all(|label| label.name.plain().is_some());
        let query = example(&Subject { family, labels: &labels, matchers: &matchers, gone: &gone });
        Row { hit, family, labels, series, example: (query, plain) }
    }

    /// Labels and values of the metric that words of the search mean: a value that is the word, or the only one of
    /// a service's labels that holds it.
    fn named<'a>(
        &'a self,
        look: &Look<'_>,
        hit: &Hit,
        labels: &'a [LabelUse],
    ) -> Vec<(&'a Untrusted, &'a Untrusted)> {
        let mut named = Vec::new();
        for (place, word) in look.query.words.iter().enumerate() {
            if hit.places.get(place).copied().flatten() != Some(Place::Label) {
                continue;
            }
            let is_word = |value: &&Untrusted| value.inside().eq_ignore_ascii_case(&word.text);
            let equal = labels
                .iter()
                .find_map(|label| Some((&label.name, label.values.iter().flatten().find(is_word)?)));
            let pairs = self.labelled.pairs.get(place).map(Vec::as_slice).unwrap_or_default();
            let had = |(name, value): &&(Untrusted, Untrusted)| {
                labels
                    .iter()
                    .any(|label| label.name == *name && label.values.iter().flatten().any(|one| one == value))
            };
            let only = || match pairs.iter().filter(had).collect::<Vec<_>>().as_slice() {
                [(label, value)] => Some((label, value)),
                _ => None,
            };
            named.extend(equal.or_else(only));
        }
        named
    }
}

/// The value that the service's matcher fixes.
pub(super) fn fixed<'a>(found: &'a Found, label: &Untrusted) -> Option<&'a str> {
    found.scopes().find_map(|scope| scope.value_of(label.inside()))
}

pub(super) fn table(look: &Look<'_>, found: &Found, rows: &[Row<'_>]) -> Table {
    let mut columns = vec!["metric", "type", "unit", "series", "labels", "help", "example"];
    if look.full {
        columns.push("names of series");
    }
    let all: Vec<Vec<LabelUse>> = rows.iter().map(|row| row.labels.clone()).collect();
    let hidden: Vec<Untrusted> = if found.measured.cut {
        Vec::new()
    } else {
        common(&all).into_iter().map(|(label, _)| label).collect()
    };
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
    let mut texts: Vec<String> =
        shown.iter().take(most).map(|label| one_label(look, found, row.hit, label)).collect();
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
        words
            .filter(|(_, place)| **place == Some(Place::Label))
            .any(|(word, _)| word.stands_in(value.inside()))
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
