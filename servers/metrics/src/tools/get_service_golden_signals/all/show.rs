//! The answer about all services.

use contract::{Answer, Cell, Cite, Draft, Finding, Next, Table, duration_text};

use super::{HIGH_ERRORS, LONGEST, NOTHING, Service, Told, UNREAD, measure::Basis};
use crate::tools::get_service_golden_signals::{ask::Look, words::amount};

/// What `severity` counts.
const SEVERITY: &str = "severity: percent of requests that fail more than usual, plus 5 for each doubling of latency and \
                        halving of traffic";

/// Rows of `full`, and without.
const MOST_ROWS: usize = 200;

const ROWS: usize = 60;

pub(super) fn answer(
    look: &Look<'_>,
    told: &[Told],
    services: &[Service],
    basis: &Basis,
    mut draft: Draft,
) -> Answer {
    let (cite, compared) = (basis.cite, basis.compared.as_str());
    let worse: Vec<&Service> = services.iter().filter(|one| one.severity > 0.0).collect();
    let count = services.len();
    let mut verdict = verdict(look, &worse, count, compared);
    let failing: Vec<&Service> = services.iter().filter(|one| one.failing() > 0.0).collect();
    verdict.push_str(&failing_as_before(&failing));
    if !basis.unseen.is_empty() {
        verdict.push_str(&format!(" Not measured, so unknown: {}.", basis.unseen.join(", ")));
    }
    let names: Vec<String> = told
        .iter()
        .map(|one| {
            let by = one.label.shown(60);
            format!("{} (by {by})", one.learnt.measure.found.convention.name)
        })
        .collect();
    draft.finding(Finding::new(format!("conventions: {}", names.join(", ")), cite));
    draft.finding(Finding::new(
        format!("compared with {compared}; latency is p95, or the nearest that is told; {SEVERITY}"),
        cite,
    ));
    draft.table(table(look, told, services, cite));
    for one in worse.iter().take(2) {
        if let Some(name) = one.name.plain() {
            draft.next(look.again("since when, and which route").with("service", name));
        }
    }
    let was_failing = |one: &&Service| one.health.errors_was.is_some_and(|was| was >= HIGH_ERRORS);
    if compared.contains("before") && failing.iter().any(was_failing) {
        let longer = look.longer(LONGEST, "since when it fails: it did so in the window before already");
        longer.into_iter().for_each(|next| draft.next(next));
    }
    draft.next(look.of_source(
        Next::call("list_firing_alerts", "what fires").with("time_range", look.period.time_range.as_str()),
    ));
    look.guard.caveats().into_iter().for_each(|caveat| draft.caveat(caveat));
    draft.conclude(verdict)
}

/// How many are worse, and the worst.
fn verdict(look: &Look<'_>, worse: &[&Service], count: usize, compared: &str) -> String {
    let length = duration_text(look.period.window.seconds());
    match worse.first() {
        None if [NOTHING, UNREAD].contains(&compared) => format!(
            "None of {count} services is failing requests; there is no baseline, so whether traffic and latency are as \
             usual is unknown."
        ),
        None => format!(
            "None of {count} services is worse than {}.",
            match compared.contains("before") {
                true => format!("in the {length} just before (no baseline of earlier days)"),
                false => format!("usual over {length} (baseline: {compared})"),
            }
        ),
        Some(worst) => {
            let are = if worse.len() == 1 { "is" } else { "are" };
            let when = if compared.contains("before") { "before" } else { "usually" };
            let than = match (compared, when) {
                (NOTHING | UNREAD, _) => " failing requests (there is no baseline)",
                (_, "before") => " worse than just before (no baseline of earlier days)",
                _ => " worse than usual",
            };
            format!("{} of {count} services {are}{than}; worst: {}.", worse.len(), words(worst, when))
        }
    }
}

/// Services that fail many requests, but not more than they did.
fn failing_as_before(failing: &[&Service]) -> String {
    const NAMED: usize = 4;
    let all: Vec<String> = (failing.iter().filter(|one| one.severity <= 0.0))
        .map(|one| format!("{} {}", one.name.shown(80), amount(one.failing(), "% of requests")))
        .collect();
    if all.is_empty() {
        return String::new();
    }
    let more = all.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let named = all.get(..NAMED).unwrap_or(&all).join(", ");
    format!(" Failing 1 % of requests or more all the same: {named}{more}.")
}

/// `payment with 5.2 % errors (0.1 % before), latency 1.9 s (190 ms before), 212 requests/s (220 before)`.
fn words(service: &Service, when: &str) -> String {
    let health = &service.health;
    let both = |now: Option<f64>, was: Option<f64>, unit: &str, noun: &str| {
        let was = was.map_or(String::new(), |was| format!(" ({} {when})", amount(was, unit)));
        now.map(|now| format!("{}{noun}{was}", amount(now, unit)))
    };
    let errors = both(health.errors, health.errors_was, "% of requests", " errors");
    let latency = both(health.latency, health.latency_was, "s", "").map(|text| format!("latency {text}"));
    let traffic = both(health.traffic, health.traffic_was, "requests/s", "");
    let none = (!health.traffic_unseen).then(|| "no requests now".to_owned());
    let all: Vec<String> = errors.into_iter().chain(latency).chain(traffic.or(none)).collect();
    format!("{} with {}", service.name.shown(80), all.join(", "))
}

fn table(look: &Look<'_>, told: &[Told], services: &[Service], cite: Cite) -> Table {
    let columns =
        ["service", "severity", "errors %", "was", "latency s", "was", "requests/s", "was", "convention"];
    let mut table = Table::new("services", &columns, cite);
    let most = if look.full { MOST_ROWS } else { ROWS };
    for one in services.iter().take(most) {
        let health = &one.health;
        let convention =
            told.get(one.convention).map(|one| one.learnt.measure.found.convention.name.as_str());
        table.row(vec![
            Cell::Quoted(one.name.clone(), 80),
            Cell::Number((one.severity * 10.0).round() / 10.0),
            Cell::number(health.errors),
            Cell::number(health.errors_was),
            Cell::number(health.latency),
            Cell::number(health.latency_was),
            Cell::number(health.traffic),
            Cell::number(health.traffic_was),
            Cell::text(convention.unwrap_or_default()),
        ]);
    }
    table.seen(services.len() as u64);
    table.see_more("detail=full, or service=NAME");
    table
}

pub(super) fn nothing(look: &Look<'_>, cite: Cite, mut draft: Draft) -> Answer {
    let count = look.catalogue.conventions.len();
    draft.finding(Finding::new(
        format!("{count} conventions were looked for; an operator can add others ([[conventions]])"),
        cite,
    ));
    draft.next(look.of_source(
        Next::call("search_metrics", "what is measured").with("text", "requests duration errors"),
    ));
    draft.conclude(format!(
        "No metrics of requests that follow a known convention were found in {}: nothing is known about any service.",
        duration_text(look.period.recent().seconds())
    ))
}
