//! The answer about one service.

use contract::{Answer, Cell, Cite, Draft, Evidence, Finding, Next, Table, time_text};
use jiff::Timestamp;

use super::{
    ask::Look,
    one::{Picture, Requests, Row, search},
    verdict::verdict,
    words::{amount, change},
};
use crate::analysis::{
    baseline::told,
    signals::{
        detect::{Form, Found},
        queries::Signal,
    },
};

/// The longest window of one service, in seconds.
const LONGEST: f64 = 7.0 * 86_400.0;

/// From so many percent on it is high whatever it was before: failed requests, something with a limit.
pub(super) const HIGH_ERRORS: f64 = 1.0;
const HIGH_USE: f64 = 95.0;

/// Other conventions that are named.
const MOST_NAMED: usize = 4;

/// The answer.
pub(super) fn answer(
    look: &Look<'_>,
    picture: &Picture<'_>,
    divided: Option<Finding>,
    mut draft: Draft,
) -> Answer {
    let verdict = verdict(look, picture);
    divided.into_iter().for_each(|finding| draft.finding(finding));
    let (told, unremarkable): (Vec<&Row>, Vec<&Row>) =
        picture.saturation.iter().partition(|row| is_worth_a_row(row));
    if let Some(first) = unremarkable.first() {
        let cites = unremarkable.iter().map(|row| row.cite).filter(|cite| *cite != first.cite);
        let all: Vec<String> = unremarkable.iter().filter_map(|row| in_short(row)).collect();
        let mut finding = Finding::new(format!("unremarkable: {}", all.join(", ")), first.cite);
        let mut others: Vec<Cite> = cites.collect();
        others.dedup();
        finding = others.into_iter().fold(finding, Finding::and);
        draft.finding(finding);
    }
    if let Some((restarts, killed, cite)) =
        picture.restarts.filter(|(restarts, killed, _)| *restarts > 0.0 || *killed > 0.0)
    {
        draft.finding(Finding::new(ends(restarts, killed), cite));
    }
    let requests = picture.requests.as_ref();
    if let Some(requests) = requests {
        convention(look, requests, &mut draft);
        baseline(requests, &mut draft);
    }
    let rows: Vec<&Row> = requests.map_or(&[][..], |requests| &requests.rows).iter().chain(told).collect();
    if let Some(table) = table(look, &rows) {
        draft.table(table);
    }
    if requests.is_none() {
        unmeasured(look, picture, &mut draft);
    }
    next(look, picture, &rows, &mut draft);
    look.guard.caveats().into_iter().for_each(|caveat| draft.caveat(caveat));
    draft.conclude(verdict)
}

/// Of saturation, only more than usual and nearly full is news.
fn is_worth_a_row(row: &Row) -> bool {
    row.judged.moved.as_ref().is_some_and(|moved| moved.up) || is_full(row)
}

pub(super) fn is_full(row: &Row) -> bool {
    row.alarm.is_some_and(|alarm| row.judged.now.is_some_and(|now| now >= alarm))
}

/// Whether it is high in itself, whatever it was before.
pub(super) fn is_high(row: &Row) -> bool {
    let from = match (row.signal, row.alarm) {
        (Some(Signal::Errors), _) => HIGH_ERRORS,
        (None, Some(_)) if row.is_share => HIGH_USE,
        _ => return false,
    };
    row.judged.now.is_some_and(|now| now >= from)
}

/// `cpu 38 % of limit`.
fn in_short(row: &Row) -> Option<String> {
    let now = row.judged.now.filter(|now| row.is_share || *now != 0.0)?;
    let rest = row.unit.strip_prefix('%').map(|rest| rest.trim()).filter(|rest| !rest.contains('÷'));
    Some(match (row.is_share, rest) {
        (true, Some(rest)) => format!("{} {} {rest}", row.name, amount(now, "%")),
        (true, None) => format!("{} {}", row.name, amount(now, "%")),
        (false, _) => format!("{} {}", row.name, contract::significant(now)),
    })
}

fn ends(restarts: f64, killed: f64) -> String {
    let noun = if restarts == 1.0 { "restart" } else { "restarts" };
    let mut text = format!("{} container {noun} in the window", contract::significant(restarts));
    if killed > 0.0 {
        text.push_str(&format!("; {} last ended by OOMKilled", contract::significant(killed)));
    }
    text
}

/// One row a signal: what is unusual first, requests before saturation.
fn table(look: &Look<'_>, rows: &[&Row]) -> Option<Table> {
    let first = rows.first()?;
    let from = clock(look.period.extended().start());
    let shape = format!("shape {from}→{}", clock(look.period.window.end()));
    let columns = ["signal", "now", "baseline", "change", "since", &shape, "unit"];
    let mut table = Table::new("signals", &columns, first.cite);
    let mut ordered: Vec<&&Row> = rows.iter().collect();
    ordered.sort_by_key(|row| row.judged.moved.is_none());
    for row in ordered {
        let judged = &row.judged;
        table.row(vec![
            Cell::text(row.name.as_str()),
            Cell::number(judged.now),
            Cell::number(judged.baseline),
            Cell::text(change(judged.baseline, judged.now, row.is_share)),
            since(row),
            Cell::text(judged.shape.as_str()),
            Cell::text(unit(row)),
        ]);
    }
    Some(table)
}

/// Since when it is unusual.
fn since(row: &Row) -> Cell {
    let Some(moved) = &row.judged.moved else { return Cell::Missing };
    if moved.since <= 1 {
        return Cell::text(format!("before {}", time_text(row.moment(0))));
    }
    Cell::Time(row.moment(moved.since))
}

/// The unit, and what has ended.
fn unit(row: &Row) -> String {
    let back = row.judged.moved.as_ref().and_then(|moved| Some((moved.back?, moved.extreme)));
    match (back, row.judged.ended) {
        (_, Some(ended)) => format!("{}; no samples since {}", row.unit, time_text(row.moment(ended))),
        (Some((back, extreme)), None) => {
            let extreme = contract::significant(extreme);
            let settled = row.judged.moved.as_ref().is_some_and(|moved| moved.settled);
            let how = if settled { "back" } else { "nearer" };
            format!("{}; was {extreme}, {how} since {}", row.unit, time_text(row.moment(back)))
        }
        (None, None) => row.unit.clone(),
    }
}

/// `14:03`.
fn clock(at: Timestamp) -> String {
    let text = time_text(at);
    text.get(11..16).map_or(text.clone(), str::to_owned)
}

fn convention(look: &Look<'_>, requests: &Requests, draft: &mut Draft) {
    let found = &requests.learnt.measure.found;
    let evidence = Evidence::new(
        look.lookup.store.system(),
        "GET /api/v1/label/__name__/values, by the service's labels",
    );
    let cite = draft.cite(evidence.over(look.period.recent()));
    let mut text = format!("convention: {}", described(look, found));
    if !requests.also.is_empty() {
        let others: Vec<String> =
            requests.also.iter().take(MOST_NAMED).map(|found| described(look, found)).collect();
        text.push_str(&format!("; also found: {}", others.join(", ")));
        let more = requests.also.len().saturating_sub(MOST_NAMED);
        if more > 0 {
            text.push_str(&format!(", {more} more"));
        }
    }
    draft.finding(Finding::new(text, cite));
    let note = &found.convention.note;
    if !note.is_empty() {
        draft.caveat(note.clone());
    }
    let measure = &requests.learnt.measure;
    if measure.error.is_none() && found.failed.is_none() {
        let labels: Vec<&str> = found.convention.errors.iter().map(|error| error.label.as_str()).collect();
        let why = if labels.is_empty() {
            "this convention has none".to_owned()
        } else {
            format!("no series has one of the labels {}", labels.join(", "))
        };
        draft.caveat(format!("errors are not measured, which is not 0 %: {why}"));
    }
    if found.latency.is_none() {
        draft.caveat("latency is not measured: there is no histogram or summary of this convention");
    }
    if matches!(found.latency, Some((_, Form::Summary))) {
        draft.caveat("quantiles of summaries can't be combined: shown is that of the slowest series; the mean is exact");
    }
}

/// `gRPC middleware (grpc_server_handled_total; grpc_server_handling_seconds, classic histogram)`.
fn described(look: &Look<'_>, found: &Found) -> String {
    let form = |form: Form| match form {
        Form::Native => "native histogram",
        Form::Classic | Form::Mixed => "classic histogram",
        Form::Summary => "summary",
        Form::Mean => "sum and count only",
    };
    // A guessed name is the store's text.
    let shown = |name: &String| match found.is_guess {
        true => look.lookup.cx.intake.text(name).shown(120),
        false => name.clone(),
    };
    let latency = found.latency.as_ref().map(|(name, one)| format!("{}, {}", shown(name), form(*one)));
    let metrics: Vec<String> = found.requests.iter().map(shown).chain(latency).collect();
    format!("{} ({})", found.convention.name, metrics.join("; "))
}

fn baseline(requests: &Requests, draft: &mut Draft) {
    let mut kinds: Vec<(String, Vec<String>, Cite)> = Vec::new();
    for row in &requests.rows {
        let words = told(&row.judged.compared);
        match kinds.iter_mut().find(|(known, _, _)| *known == words) {
            Some((_, names, _)) => names.push(row.name.clone()),
            None => kinds.push((words, vec![row.name.clone()], requests.earlier.unwrap_or(row.cite))),
        }
    }
    let single = kinds.len() == 1;
    for (words, names, cite) in kinds {
        let of = if single { String::new() } else { format!(" of {}", names.join(", ")) };
        let is_before = words.starts_with("the window just before");
        let rest = if is_before { "" } else { "; of saturation the window just before" };
        draft.finding(Finding::new(format!("baseline{of}: {words}{rest}"), cite));
    }
    if requests.replicas > 0 {
        let count = requests.replicas;
        let noun = if count == 1 { "process" } else { "processes" };
        draft.caveat(format!("{count} {noun} had samples of requests at the end of the window"));
    }
}

fn unmeasured(look: &Look<'_>, picture: &Picture<'_>, draft: &mut Draft) {
    draft.caveat(format!(
        "{} conventions were looked for among {} names of its series; an operator can add others ([[conventions]] in \
         the configuration file)",
        look.catalogue.conventions.len(),
        picture.names
    ));
}

fn next(look: &Look<'_>, picture: &Picture<'_>, rows: &[&Row], draft: &mut Draft) {
    let service = look.lookup.cx.intake.text(picture.service);
    let Some(name) = service.plain() else { return };
    let begun = |row: &&&Row| row.judged.moved.as_ref().map(|moved| row.moment(moved.since));
    let unusual = rows.iter().filter(|row| row.judged.is_unusual()).min_by_key(begun);
    if let Some(row) = unusual {
        if rows.iter().any(|row| row.signal.is_some() && row.judged.is_unusual()) {
            draft.next(
                look.again("whether one replica is worse than others")
                    .with("service", name)
                    .with("by", "instance"),
            );
        }
        draft.next(
            look.of_source(
                Next::call("list_firing_alerts", "what fires for it")
                    .with("service", name)
                    .with("time_range", look.period.time_range.as_str()),
            ),
        );
        let is_plain = picture.requests.as_ref().is_none_or(|requests| requests.learnt.plain);
        if picture.scope.is_plain() && is_plain {
            draft.next(
                look.of_source(
                    Next::call(
                        "query_metrics",
                        format!("{}, the first to be unusual, with its points", row.name),
                    )
                    .with("promql", row.promql.as_str())
                    .with("time_range", look.period.led_in.as_str())
                    .with("detail", "full"),
                ),
            );
        }
    }
    if picture.requests.is_none() {
        search(look, picture.service).into_iter().for_each(|next| draft.next(next));
    }
    let is_high = |row: &&Row| row.is_from_before() && row.judged.moved.is_none() && is_high(row);
    if rows.iter().any(is_high) {
        let why = "since when, against what was before it";
        let longer = look.longer(LONGEST, why).map(|next| next.with("service", name));
        longer.into_iter().for_each(|next| draft.next(next));
    }
    if unusual.is_none() {
        draft.next(look.again("which services are worse than usual"));
    }
}
