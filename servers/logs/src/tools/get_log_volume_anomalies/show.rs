//! From streams to the answer.

use contract::{
    Answer, Cell, Cite, Draft, Evidence, Finding, Table, TimeRange, Untrusted, counted, time_text,
};
use signal::SHAPE_BUCKETS;

use super::{
    before::Before,
    caveats::caveats,
    count::Counted,
    gather::{Gathered, Judged, per_minute},
    late::Latecomer,
    next::next,
    rows::{Row, alike, ongoing, summed, together},
    verdict::verdict,
    words,
};
use crate::{
    analysis::volume::{Anomaly, Culprit, Kind, blame},
    backend::Logs,
    model::{Role, Search},
    tools::asking::{Service, Told},
};

/// Rows of streams that are as usual, with `full`.
const USUAL_ROWS: usize = 20;
/// Streams told that were another way longer ago.
const DIFFERENT: usize = 5;
/// Rows of anomalies.
const ROWS: usize = 30;
/// `records` and `usual` are of the time between `since` and `until`: a rate alone does not say of how many.
const COLUMNS: [&str; 10] = [
    "what",
    "kind",
    "records",
    "usual",
    "now per min",
    "usual per min",
    "change",
    "since",
    "until",
    "shape of the window",
];

pub(super) struct Picture<'a> {
    pub(super) store: &'a dyn Logs,
    pub(super) gathered: &'a Gathered,
    pub(super) rows: &'a [Row<'a>],
    pub(super) before: &'a Before,
    pub(super) full: bool,
}

pub(super) fn answer(picture: &Picture<'_>) -> Answer {
    let mut draft = Draft::new();
    let cites: Vec<Cite> =
        picture.gathered.counted.iter().map(|one| cite(picture, &mut draft, one)).collect();
    let Some(first) = cites.first().copied() else { return draft.conclude("Nothing was counted.") };
    pipeline(picture, &mut draft, first);
    causes(picture, &mut draft, &cites);
    then(picture, &mut draft);
    table(picture, &mut draft, picture.rows, first);
    if picture.full {
        usual(picture, &mut draft, first);
    }
    absent(picture, &mut draft);
    if let Some(worst) = picture.gathered.late.first() {
        let _ =
            draft.cite(Evidence::new(picture.store.system(), worst.sent.as_str()).over(worst.search.window));
    }
    caveats(picture, &mut draft);
    next(picture, &mut draft);
    draft.conclude(verdict(picture, picture.rows))
}

fn cite(picture: &Picture<'_>, draft: &mut Draft, counted: &Counted) -> Cite {
    let when = &picture.gathered.when;
    let conditions = picture.gathered.service.iter().map(Service::condition).collect();
    let search = Search { window: when.window(), text: None, conditions };
    let earlier = counted.earlier.iter().filter_map(|(name, _)| {
        when.earlier().into_iter().find(|(other, _)| other == name).map(|(_, window)| window)
    });
    let evidence = Evidence::new(picture.store.system(), counted.now.sent.as_str())
        .over(when.whole)
        .also_over(earlier.collect::<Vec<TimeRange>>())
        .every(when.step)
        .link(picture.store.link(&search));
    draft.cite(evidence)
}

/// The streams that the anomalies are of, in words.
pub(super) fn name(picture: &Picture<'_>, judged: &Judged) -> String {
    called(picture, judged.value.as_ref())
}

/// A value, or all records, in words.
pub(super) fn called(picture: &Picture<'_>, value: Option<&(Role, Untrusted)>) -> String {
    match (value, &picture.gathered.service) {
        (Some(value), _) => words::value(value),
        (None, Some(service)) => service.name.shown(60),
        (None, None) => "all services together".to_owned(),
    }
}

/// When it began and ended, as far as the window shows.
pub(super) fn since(picture: &Picture<'_>, found: &Anomaly) -> String {
    time_text(picture.gathered.when.begins(found.from))
}

/// What looks like the way of the logs rather than what logs.
fn pipeline(picture: &Picture<'_>, draft: &mut Draft, cite: Cite) {
    if let Some(stopped) = picture.gathered.stopped {
        let whose = Service::whose(picture.gathered.service.as_ref());
        let text = format!("the last record{whose} in the window is of {}", time_text(stopped.last));
        draft.finding(Finding::new(text, cite));
    }
    let Some(together) = together(picture.gathered, picture.rows) else { return };
    let begins = picture.gathered.when.begins(together.from);
    let text = format!(
        "{} of {} services went quiet at about the same time, {}: that looks like the way of the logs (shipper, ingest, \
         index) rather than the services",
        together.services,
        together.of,
        time_text(picture.gathered.stopped.map_or(begins, |stopped| stopped.last))
    );
    draft.finding(Finding::new(text, cite));
}

/// What accounts for the anomalies of the service as a whole.
fn causes(picture: &Picture<'_>, draft: &mut Draft, cites: &[Cite]) {
    let gathered = picture.gathered;
    if gathered.service.is_none() {
        return;
    }
    let Some(whole) = gathered.streams.iter().find(|one| one.value.is_none()) else { return };
    let dimensions: Vec<_> = gathered.counted.iter().map(|one| &one.now.value).collect();
    // What all of it stopped doing is of none of its parts.
    let told = whole.judgement.anomalies.iter().filter(|found| found.kind != Kind::Silence);
    for found in told {
        let culprits = blame(found, &dimensions);
        let Some(first) = culprits.first() else { continue };
        let Some(cite) = cites.get(first.dimension) else { continue };
        let role = gathered.counted.get(first.dimension).map_or(Role::Level, |one| one.role);
        let told: Vec<String> = culprits.iter().take(3).map(|one| culprit(role, one)).collect();
        let text =
            format!("the {} since {} is {}", words::kind(found.kind), since(picture, found), told.join(", "));
        draft.finding(Finding::new(text, *cite));
    }
}

fn culprit(role: Role, culprit: &Culprit) -> String {
    let share = (culprit.explains * 100.0).round();
    let share = if share > 100.0 { "all of it".to_owned() } else { format!("{share:.0} % of it") };
    match &culprit.value {
        Some(value) => format!("{} {} ({share})", words::role(role), value.shown(60)),
        None => format!("records without a {} told ({share})", words::role(role)),
    }
}

fn table(picture: &Picture<'_>, draft: &mut Draft, rows: &[Row<'_>], cite: Cite) {
    let late = &picture.gathered.late;
    if rows.is_empty() && late.is_empty() {
        return;
    }
    let mut table = Table::new("anomalies", &COLUMNS, cite);
    late.iter().for_each(|late| table.row(late_cells(late)));
    let groups = alike(picture.gathered, rows);
    groups.iter().take(ROWS).filter_map(|group| cells(picture, group)).for_each(|cells| table.row(cells));
    table.seen((groups.len() + late.len()) as u64);
    table.see_more("name a service, or a shorter time_range");
    draft.table(table);
}

fn late_cells(late: &Latecomer) -> Vec<Cell> {
    vec![
        Cell::text(words::value(&late.of)),
        Cell::text("late"),
        Cell::Missing,
        Cell::Missing,
        Cell::Missing,
        Cell::Missing,
        Cell::text(late.change()),
        Cell::time(late.since()),
        Cell::text("still so"),
    ]
}

fn cells(picture: &Picture<'_>, group: &[Row<'_>]) -> Option<Vec<Cell>> {
    let (judged, found) = group.first().copied()?;
    let (gathered, when) = (picture.gathered, &picture.gathered.when);
    let found = summed(group, found);
    let steps = found.to - found.from;
    let until = match ongoing(gathered, judged, &found) {
        true => Cell::text("still so"),
        false => Cell::Time(when.begins(found.to)),
    };
    Some(vec![
        Cell::text(names(picture, group, judged)),
        Cell::text(words::kind(found.kind)),
        Cell::Count(found.count),
        Cell::Number(words::usual(found.expected)),
        Cell::Number(per_minute(found.count as f64, steps, when.step)),
        Cell::Number(per_minute(found.expected, steps, when.step)),
        Cell::text(words::change(&found)),
        Cell::Time(when.begins(found.from)),
        until,
        Cell::text(shape(judged, when.first)),
    ])
}

/// The first of them, and how many more.
fn names(picture: &Picture<'_>, group: &[Row<'_>], first: &Judged) -> String {
    match group.len() {
        1 => name(picture, first),
        several => format!("{} and {} more", name(picture, first), several - 1),
    }
}

fn shape(judged: &Judged, first: usize) -> String {
    let values = judged.counts.iter().skip(first).map(|count| *count as f64);
    signal::shape(&values.collect::<Vec<f64>>(), SHAPE_BUCKETS)
}

/// When that logs of which the window has no record.
fn absent(picture: &Picture<'_>, draft: &mut Draft) {
    match picture.before {
        Before::Absent(absence) => absence.show(draft, picture.store),
        Before::Last(search, reply) => {
            let mut told = Told::new(picture.store);
            let cite = told.cite(draft, reply, search);
            told.caveats(draft);
            let text = match picture.before.last() {
                Some(last) => format!("the last record of anything before: {}", time_text(last)),
                None => "there is no record in the 30 days before either".to_owned(),
            };
            draft.finding(Finding::new(text, cite));
        }
        _ => {}
    }
}

/// What was another way longer ago, though the time just before shows nothing.
fn then(picture: &Picture<'_>, draft: &mut Draft) {
    let Before::Then(then) = picture.before else { return };
    let evidence = Evidence::new(picture.store.system(), then.reply.sent.as_str());
    let cite = draft.cite(evidence.over(then.window).every(picture.gathered.when.step));
    for (value, found) in then.differ.iter().take(DIFFERENT) {
        let text = format!(
            "{}: {} since {}, {:.0} in as long a time from {} on: {}",
            called(picture, value.as_ref()),
            counted(found.count, "record", "records"),
            time_text(picture.gathered.when.whole.start()),
            found.expected,
            time_text(then.window.start()),
            words::change(found)
        );
        draft.finding(Finding::new(text, cite));
    }
}

/// The streams of which nothing is to be said.
fn usual(picture: &Picture<'_>, draft: &mut Draft, cite: Cite) {
    let when = &picture.gathered.when;
    let quiet: Vec<&Judged> =
        picture.gathered.streams.iter().filter(|one| one.judgement.anomalies.is_empty()).collect();
    if quiet.is_empty() {
        return;
    }
    let mut table = Table::new(
        "usual streams",
        &["what", "records", "usual", "now per min", "usual per min", "shape"],
        cite,
    );
    for judged in quiet.iter().take(USUAL_ROWS) {
        let window = judged.counts.iter().skip(when.first);
        let steps = judged.counts.len().saturating_sub(when.first);
        let sum: u64 = window.sum();
        let expected = judged.judgement.expected;
        table.row(vec![
            Cell::text(name(picture, judged)),
            Cell::Count(sum),
            expected.map_or(Cell::Missing, |expected| Cell::Number(words::usual(expected))),
            Cell::Number(per_minute(sum as f64, steps, when.step)),
            expected.map_or(Cell::Missing, |expected| Cell::Number(per_minute(expected, steps, when.step))),
            Cell::text(shape(judged, when.first)),
        ]);
    }
    table.seen(quiet.len() as u64);
    draft.table(table);
}
