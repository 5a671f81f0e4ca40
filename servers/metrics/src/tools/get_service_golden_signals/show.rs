//! The answer about one service.

use contract::{Answer, Cell, Cite, Draft, Evidence, Finding, Next, Table, time_text};
use jiff::Timestamp;

use super::{
    ask::Look,
    one::{Picture, Requests, Row, search},
    words::{amount, change},
};
use crate::analysis::{
    baseline::told,
    signals::{
        detect::{Form, Found},
        judge::Judged,
        queries::Signal,
    },
};

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

fn is_full(row: &Row) -> bool {
    row.alarm.is_some_and(|alarm| row.judged.now.is_some_and(|now| now >= alarm))
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
    if moved.since == 0 {
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
            format!("{}; was {extreme}, back since {}", row.unit, time_text(row.moment(back)))
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
    let mut text = format!("convention: {}", described(found));
    if !requests.also.is_empty() {
        let others: Vec<String> = requests.also.iter().take(MOST_NAMED).map(described).collect();
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
fn described(found: &Found) -> String {
    let form = |form: Form| match form {
        Form::Native => "native histogram",
        Form::Classic | Form::Mixed => "classic histogram",
        Form::Summary => "summary",
        Form::Mean => "sum and count only",
    };
    let latency = found.latency.as_ref().map(|(name, one)| format!("{name}, {}", form(*one)));
    let metrics: Vec<String> = found.requests.clone().into_iter().chain(latency).collect();
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
        if picture.scope.is_plain() {
            draft.next(
                look.of_source(
                    Next::call(
                        "query_metrics",
                        format!("{}, the first to be unusual, with its points", row.name),
                    )
                    .with("promql", row.promql.as_str())
                    .with("time_range", look.period.time_range.as_str())
                    .with("detail", "full"),
                ),
            );
        }
    }
    if picture.requests.is_none() {
        search(look, picture.service).into_iter().for_each(|next| draft.next(next));
    }
    if unusual.is_none() {
        draft.next(look.again("which services are worse than usual"));
    }
}

/// One sentence: what is wrong, by how much, since when; or that nothing is.
fn verdict(look: &Look<'_>, picture: &Picture<'_>) -> String {
    let service = look.lookup.echo(picture.service);
    let full: Vec<String> = filling(picture).into_iter().map(full).collect();
    let Some(requests) = &picture.requests else {
        let head = format!(
            "No metrics of requests to {service} were found, so its traffic, errors and latency are unknown"
        );
        return match full.is_empty() {
            true => format!("{head}; nothing else of it is unusual."),
            false => format!("{head}; {}.", full.join(", ")),
        };
    };
    let row = |wanted: fn(Signal) -> bool| requests.rows.iter().find(|row| row.signal.is_some_and(wanted));
    let traffic = row(|signal| signal == Signal::Traffic);
    if let Some(text) = traffic.and_then(without_traffic) {
        return format!("{service} {text}{}.", and(&full));
    }
    let errors = row(|signal| signal == Signal::Errors);
    let latency = row(Signal::is_latency);
    let mut parts = Vec::new();
    let risen = |row: &&Row| row.judged.direction() == Some(true);
    let mut begun: Vec<&Row> = Vec::new();
    if let Some(errors) = errors.filter(risen) {
        parts.push(format!(
            "is failing {} of requests{}",
            amount(errors.judged.now.unwrap_or(0.0), "%"),
            was(errors)
        ));
        begun.push(errors);
    }
    if let Some(latency) = latency.filter(risen) {
        let name = latency.name.trim_start_matches("latency ");
        let verb = if parts.is_empty() { "has a" } else { "its" };
        let is = if parts.is_empty() { " of" } else { " is" };
        parts.push(format!(
            "{verb} {name}{is} {}{}",
            amount(latency.judged.now.unwrap_or(0.0), "s"),
            was(latency)
        ));
        begun.push(latency);
    }
    let unusual_traffic = traffic.filter(|row| row.judged.is_unusual());
    if let Some(traffic) = unusual_traffic {
        let verb = if traffic.judged.direction() == Some(true) { "more" } else { "less" };
        let have = if parts.is_empty() { "gets" } else { "it gets" };
        let now = amount(traffic.judged.now.unwrap_or(0.0), &traffic.unit);
        parts.push(format!("{have} {verb} traffic than usual: {now}{}", was(traffic)));
        begun.push(traffic);
    }
    if parts.is_empty() {
        return format!("{service} {}{}.", usual(requests), and(&full));
    }
    let normal = if unusual_traffic.is_none() && traffic.is_some() { "; traffic as usual" } else { "" };
    format!("{service} {}{}{normal}{}.", joined(&parts), since_first(&begun), and(&full))
}

/// What is fuller than usual, the first to be so first, then what is nearly full as usual.
fn filling<'p>(picture: &'p Picture<'_>) -> Vec<&'p Row> {
    let risen = |row: &Row| row.judged.direction() == Some(true);
    let mut rows: Vec<&Row> = picture.saturation.iter().filter(|row| risen(row) || is_full(row)).collect();
    rows.sort_by_key(|row| (!risen(row), row.judged.moved.as_ref().map(|moved| row.moment(moved.since))));
    rows
}

/// `pool (db_pool) 100 % (30 % before) since 14:02:15`.
fn full(row: &Row) -> String {
    let now = row.judged.now.unwrap_or(0.0);
    let now = if row.is_share { amount(now, "%") } else { amount(now, "") };
    let rest = row.unit.strip_prefix('%').map(str::trim).filter(|rest| !rest.contains('÷'));
    let rest = rest.map_or(String::new(), |rest| format!(" {rest}"));
    match row.judged.direction() {
        Some(true) => format!("{} {now}{rest}{}{}", row.name, was(row), since_first(&[row]).replace(',', "")),
        _ => format!("{} {now}{rest}, as before", row.name),
    }
}

fn and(full: &[String]) -> String {
    if full.is_empty() { String::new() } else { format!("; {}", full.join(", ")) }
}

fn joined(parts: &[String]) -> String {
    match parts {
        [one, other] => format!("{one} and {other}"),
        [first, rest @ ..] if !rest.is_empty() => format!("{first}, {}", joined(rest)),
        _ => parts.join(""),
    }
}

/// ` (0.1 % usually)`.
fn was(row: &Row) -> String {
    let Some(baseline) = row.judged.baseline else { return String::new() };
    let when = match row.judged.compared.first().map(|one| one.origin) {
        Some(crate::analysis::baseline::Origin::Earlier(_)) => "usually",
        _ => "before",
    };
    format!(" ({} {when})", amount(baseline, &row.unit).replace(&format!(" {}", row.unit), ""))
}

/// `, since 14:03:15`: the first of those that are unusual.
fn since_first(rows: &[&Row]) -> String {
    let first = rows.iter().filter_map(|row| {
        Some((row.moment(row.judged.moved.as_ref()?.since), row.judged.moved.as_ref()?.since))
    });
    match first.min() {
        Some((at, 0)) => format!(", since before {}", time_text(at)),
        Some((at, _)) => format!(", since {}", time_text(at)),
        None => String::new(),
    }
}

/// When nothing was asked of it.
fn without_traffic(row: &Row) -> Option<String> {
    let Judged { now, baseline, ended, present, .. } = &row.judged;
    let was =
        baseline.map_or(String::new(), |baseline| format!(" ({} usually)", amount(baseline, &row.unit)));
    if *present == 0 {
        let last = match ended {
            Some(ended) => format!("the last at {}", time_text(row.moment(ended.saturating_sub(1)))),
            None => "none just before either".to_owned(),
        };
        return Some(format!(
            "has no samples of requests in the window, {last}{was}: whether it answers is unknown, which is not 0 errors"
        ));
    }
    if let Some(ended) = ended {
        let at = time_text(row.moment(ended.saturating_sub(1)));
        return Some(format!("has no samples of requests since {at}{was}: it vanished, or is not scraped"));
    }
    (*now == Some(0.0))
        .then(|| format!("has no traffic: 0 requests/s in the window{was}; errors and latency are undefined"))
}

/// What is as usual, or can't be judged, or is over.
fn usual(requests: &Requests) -> String {
    let values: Vec<String> = requests
        .rows
        .iter()
        .filter_map(|row| {
            let now = amount(row.judged.now?, &row.unit);
            Some(match row.signal? {
                Signal::Traffic => now,
                Signal::Errors => format!("{now} errors"),
                Signal::Quantile(_) | Signal::Mean => {
                    format!("{} {now}", row.name.trim_start_matches("latency "))
                }
            })
        })
        .collect();
    let values = values.join(", ");
    let over = requests.rows.iter().find_map(|row| {
        let moved = row.judged.moved.as_ref()?;
        Some((row, moved, moved.back?))
    });
    if let Some((row, moved, back)) = over {
        return format!(
            "is back to usual since {}: {} was {} from {} on{}; now {values}",
            time_text(row.moment(back)),
            row.name,
            amount(moved.extreme, &row.unit),
            time_text(row.moment(moved.since)),
            was(row),
        );
    }
    if requests.rows.iter().all(|row| row.judged.baseline.is_none()) {
        return format!("has {values}; there is no baseline, so whether that is usual is unknown");
    }
    format!("is as usual: {values}")
}
