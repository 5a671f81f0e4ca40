//! All services, worst first.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use contract::{
    Answer, Cell, Cite, Draft, Evidence, Finding, Next, Table, ToolError, Untrusted, duration_text,
};
use jiff::Timestamp;

use super::{
    ask::{Look, value},
    probe::{self, Learnt, Whose},
    words::amount,
};
use crate::{
    analysis::{
        search::words::escape,
        signals::{
            catalogue::Matching,
            detect::{Found, detect},
            queries::{Signal, union},
            severity::{Health, severity},
        },
    },
    model::{MatchOp, Series, selector},
    tools::scope::labels_of_services,
};

/// The longest window: every series of every service is read.
const LONGEST: f64 = 6.0 * 3_600.0;

/// The most conventions that are asked for at once.
const MOST_CONVENTIONS: usize = 10;

const MOST_NAMES: usize = 10_000;

/// Days before, whose median is the baseline.
const DAYS: [u64; 2] = [1, 7];

/// Labels that say nothing about whose requests they are, where another label does.
const COARSE: [&str; 3] = ["namespace", "pod", "container"];

/// What services are compared with, when nothing is known.
const NOTHING: &str = "nothing: there are no earlier samples";

/// What `severity` counts.
const SEVERITY: &str = "severity: percent of requests that fail more than usual, plus 5 for each doubling of latency and \
                        halving of traffic";

/// Rows of `full`, and without.
const MOST_ROWS: usize = 200;
const ROWS: usize = 60;

/// A convention, and the label by which it tells services apart.
struct Told {
    learnt: Learnt,
    label: Untrusted,
}

impl Told {
    /// The labels that tell failures, those of them that any series has.
    fn errors(&self) -> Vec<&Matching> {
        let there = |label: &str| self.learnt.labels.iter().any(|one| one.inside() == label);
        let errors = self.learnt.measure.found.convention.errors.iter();
        errors.filter(|error| there(&error.label)).collect()
    }
}

/// One service: by which convention, and how it is.
struct Service {
    name: Untrusted,
    convention: usize,
    health: Health,
    severity: f64,
}

/// The answer about all services.
///
/// # Errors
/// When the window is too long, or the store can't be read.
pub(super) async fn answer(look: &Look<'_>, mut draft: Draft) -> Result<Answer, ToolError> {
    let seconds = look.period.window.seconds();
    if seconds > LONGEST {
        let problem = format!("is longer than {}, the most for all services at once", duration_text(LONGEST));
        return Err(ToolError::invalid("time_range", &problem).remedy("name a service, or shorten it"));
    }
    let (found, cite) = conventions(look, &mut draft).await?;
    let mut told = Vec::new();
    for one in found {
        told.extend(learn(look, one, seconds, &mut draft).await?);
    }
    if told.is_empty() {
        return Ok(nothing(look, cite, draft));
    }
    let (all, cite, compared) = measure(look, &told, &mut draft).await?;
    if all.is_empty() {
        return Ok(nothing(look, cite, draft));
    }
    let mut services: Vec<Service> = all
        .into_iter()
        .map(|(name, (convention, health))| Service {
            name,
            convention,
            health,
            severity: severity(&health, seconds),
        })
        .collect();
    let busy = |one: &Service| one.health.traffic.unwrap_or(0.0);
    services.sort_by(|one, other| {
        (other.severity.total_cmp(&one.severity))
            .then_with(|| busy(other).total_cmp(&busy(one)))
            .then_with(|| one.name.cmp(&other.name))
    });
    unmeasured(look, &told, &services, &mut draft).await;
    Ok(show(look, &told, &services, (cite, compared), draft))
}

/// The conventions that any series follow.
async fn conventions(look: &Look<'_>, draft: &mut Draft) -> Result<(Vec<Found>, Cite), ToolError> {
    let mut names = BTreeSet::new();
    for row in &look.catalogue.conventions {
        names.extend(row.requests.iter().chain(&row.failed).map(|name| escape(name)));
        names.extend(row.latency.iter().map(|name| format!("{}(_bucket|_count|_sum)?", escape(name))));
    }
    let names: Vec<String> = names.into_iter().collect();
    let known = selector(None, &[("__name__", MatchOp::Regex, &names.join("|"))]);
    let lookup = &look.lookup;
    let window = look.period.recent();
    let listing =
        lookup.store.label_values(lookup.cx, "__name__", &[&known], Some(window), MOST_NAMES).await?;
    lookup.warn(&listing.warnings, draft);
    let evidence =
        Evidence::new(lookup.store.system(), "GET /api/v1/label/__name__/values, of all known conventions");
    let cite = draft.cite(evidence.over(window));
    let names: BTreeSet<&str> = listing.items.iter().map(Untrusted::inside).collect();
    let mut found = detect(look.catalogue.conventions.iter(), &names);
    let more = found.len().saturating_sub(MOST_CONVENTIONS);
    if more > 0 {
        draft.caveat(format!("{more} more conventions were found and not asked"));
        found.truncate(MOST_CONVENTIONS);
    }
    Ok((found, cite))
}

/// What a convention's queries need; `None` where no label tells services apart.
async fn learn(
    look: &Look<'_>,
    found: Found,
    seconds: f64,
    draft: &mut Draft,
) -> Result<Option<Told>, ToolError> {
    let mut learnt = probe::learn(look, found, &Whose::All, draft).await?;
    learnt.measure.window = seconds as u64;
    let own = &learnt.measure.found.convention.service;
    let label = match own.is_empty() {
        true => {
            let all = labels_of_services(&learnt.labels);
            let fine = all.iter().find(|label| !COARSE.contains(&label.inside()));
            fine.or(all.first()).map(|label| (*label).clone())
        }
        false => own.iter().find_map(|label| learnt.labels.iter().find(|one| one.inside() == label)).cloned(),
    };
    if label.is_none() {
        let name = &learnt.measure.found.convention.name;
        draft.caveat(format!("{name}: no label tells services apart, so it was left out"));
    }
    Ok(label.map(|label| Told { learnt, label }))
}

type Measured = BTreeMap<Untrusted, (usize, Health)>;

/// What one convention says of one service at one moment.
#[derive(Default)]
struct Said {
    traffic: Option<f64>,
    failures: Option<f64>,
    latency: Option<f64>,
}

/// What was said at one moment, of each service by the conventions' places.
#[derive(Default)]
struct Moment {
    said: BTreeMap<Untrusted, BTreeMap<usize, Said>>,
    /// Why something was not told.
    failed: Option<ToolError>,
}

/// Every service by the surest convention that tells it; what that rests on; what it is compared with.
async fn measure(
    look: &Look<'_>,
    told: &[Told],
    draft: &mut Draft,
) -> Result<(Measured, Cite, String), ToolError> {
    let end = look.period.window.end();
    let kinds: [fn(Signal) -> bool; 3] =
        [|one| one == Signal::Traffic, |one| one == Signal::Errors, Signal::is_latency];
    let queries: Vec<(Signal, String)> =
        kinds.into_iter().filter_map(|wanted| joined(told, wanted)).collect();
    let mut cite = None;
    for (_, promql) in &queries {
        let cited = draft.cite(look.evidence_at(promql, true, end));
        cite.get_or_insert(cited);
    }
    let mut now = read(look, &queries, end, told, draft).await;
    let failed = now.failed.take().filter(|_| now.said.is_empty());
    let cite = match (cite, failed) {
        (_, Some(error)) => return Err(error),
        (Some(cite), None) => cite,
        (None, None) => return Err(ToolError::invalid("time_range", "nothing can be measured in it")),
    };
    let mut baselines = Vec::new();
    for days in DAYS {
        let at = end.checked_sub(Duration::from_secs(days * 86_400)).unwrap_or(end);
        baselines.push(earlier(look, &queries, at, told, draft).await);
    }
    let is_empty = |baselines: &[Moment]| baselines.iter().all(|moment| moment.said.is_empty());
    let mut compared = "the same window 1d and 7d earlier (median)";
    if is_empty(&baselines) {
        baselines = vec![earlier(look, &queries, look.period.window.start(), told, draft).await];
        compared = if is_empty(&baselines) { NOTHING } else { "the window just before" };
    }
    Ok((merge(&now, &baselines, told), cite, compared.to_owned()))
}

/// One signal of all conventions as one query; each convention's series carry its place.
fn joined(told: &[Told], wanted: fn(Signal) -> bool) -> Option<(Signal, String)> {
    let mut parts = Vec::new();
    let mut first = None;
    for (place, one) in told.iter().enumerate() {
        let measure = &one.learnt.measure;
        let Some(signal) = measure.signals().into_iter().find(|signal| wanted(*signal)) else { continue };
        let by = [one.label.inside()];
        // A share is made of failures and traffic here, so that the query stays readable.
        let promql = match signal {
            Signal::Errors => measure.failures_of_all(&one.errors(), &by),
            _ => measure.promql(signal, &by),
        };
        let Some(promql) = promql else { continue };
        parts.push((format!("c{place}"), promql));
        first.get_or_insert(signal);
    }
    Some((first?, union(&parts)))
}

/// What the queries return at one moment. What fails is said.
async fn read(
    look: &Look<'_>,
    queries: &[(Signal, String)],
    at: Timestamp,
    told: &[Told],
    draft: &mut Draft,
) -> Moment {
    let asked: Vec<_> = queries.iter().map(|(_, promql)| (promql.as_str(), at)).collect();
    let mut moment = Moment::default();
    for ((signal, _), reply) in queries.iter().zip(look.at(&asked, draft).await) {
        match reply {
            Ok(series) => {
                for one in &series {
                    enter_one(&mut moment, *signal, one, told);
                }
            }
            Err(error) => {
                let what = if signal.is_latency() { "latency".to_owned() } else { signal.name() };
                draft.caveat(format!("{what} at {} was not measured: {error}", contract::time_text(at)));
                moment.failed.get_or_insert(error);
            }
        }
    }
    moment
}

/// The convention, service and value of a series; one whose value is no number says nothing.
fn parsed(series: &Series, told: &[Told]) -> Option<(usize, Untrusted, f64)> {
    let convention: usize = series.labels.get("signal")?.inside().strip_prefix('c')?.parse().ok()?;
    let service = series.labels.get(told.get(convention)?.label.inside())?.clone();
    Some((convention, service, value(series).filter(|value| value.is_finite())?))
}

fn enter_one(moment: &mut Moment, signal: Signal, series: &Series, told: &[Told]) {
    let Some((convention, service, value)) = parsed(series, told) else { return };
    let said = moment.said.entry(service).or_default().entry(convention).or_default();
    match signal {
        Signal::Traffic => said.traffic = Some(value),
        Signal::Errors => said.failures = Some(value),
        Signal::Quantile(_) | Signal::Mean => said.latency = Some(value),
    }
}

/// The same at an earlier moment.
async fn earlier(
    look: &Look<'_>,
    queries: &[(Signal, String)],
    at: Timestamp,
    told: &[Told],
    draft: &mut Draft,
) -> Moment {
    let moment = read(look, queries, at, told, draft).await;
    if !moment.said.is_empty() {
        let words = "the queries of traffic, errors and latency";
        draft.cite(Evidence::new(look.lookup.store.system(), words).at(at));
    }
    moment
}

impl Moment {
    /// Traffic, errors in percent, latency.
    fn of(&self, service: &Untrusted, convention: usize) -> [Option<f64>; 3] {
        let Some(said) = self.said.get(service).and_then(|all| all.get(&convention)) else {
            return [None; 3];
        };
        let errors = match (said.traffic, said.failures) {
            (Some(traffic), Some(failures)) if traffic > 0.0 => Some(100.0 * failures / traffic),
            _ => None,
        };
        [said.traffic, errors, said.latency]
    }
}

/// Puts together what is known of each service, by the first convention that tells traffic of it.
fn merge(now: &Moment, baselines: &[Moment], told: &[Told]) -> Measured {
    let moments = || std::iter::once(now).chain(baselines);
    let services: BTreeSet<&Untrusted> = moments().flat_map(|moment| moment.said.keys()).collect();
    let mut measured = Measured::new();
    for service in services {
        let traffic = |place: usize| {
            moments().filter_map(|moment| moment.of(service, place)[0]).fold(f64::NAN, f64::max)
        };
        let known = (0..told.len()).filter(|place| !traffic(*place).is_nan());
        let Some(convention) = known.min_by_key(|place| (traffic(*place) <= 0.0, *place)) else { continue };
        let [traffic, errors, latency] = now.of(service, convention);
        let was: Vec<[Option<f64>; 3]> =
            baselines.iter().map(|moment| moment.of(service, convention)).collect();
        let median = |pick: fn(&[Option<f64>; 3]) -> Option<f64>| {
            signal::median(&was.iter().filter_map(pick).collect::<Vec<f64>>())
        };
        let health = Health {
            traffic,
            errors,
            latency,
            traffic_was: median(|[traffic, _, _]| *traffic),
            errors_was: median(|[_, errors, _]| *errors),
            latency_was: median(|[_, _, latency]| *latency),
        };
        measured.insert(service.clone(), (convention, health));
    }
    measured
}

/// Services that have a label like the others, but no metrics of requests.
async fn unmeasured(look: &Look<'_>, told: &[Told], services: &[Service], draft: &mut Draft) {
    const NAMED: usize = 8;
    let Some(first) = told.iter().find(|one| one.learnt.measure.found.convention.service.is_empty()) else {
        return;
    };
    let lookup = &look.lookup;
    let window = Some(look.period.recent());
    let label = first.label.inside();
    let Ok(listing) = lookup.store.label_values(lookup.cx, label, &[], window, MOST_NAMES).await else {
        return;
    };
    let known: BTreeSet<&str> = services.iter().map(|one| one.name.inside()).collect();
    let others: Vec<&Untrusted> = listing.items.iter().filter(|one| !known.contains(one.inside())).collect();
    if others.is_empty() {
        return;
    }
    let named: Vec<String> = others.iter().take(NAMED).map(|one| one.shown(60)).collect();
    let more = others.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    draft.caveat(format!(
        "{} values of {} have no request metrics that are known, so how they are is unknown: {}{more}",
        others.len(),
        first.label.shown(60),
        named.join(", ")
    ));
}

fn show(
    look: &Look<'_>,
    told: &[Told],
    services: &[Service],
    (cite, compared): (Cite, String),
    mut draft: Draft,
) -> Answer {
    let worse: Vec<&Service> = services.iter().filter(|one| one.severity > 0.0).collect();
    let count = services.len();
    let verdict = match worse.first() {
        None if compared == NOTHING => format!(
            "None of {count} services is failing requests; there is no baseline, so whether traffic and latency are as \
             usual is unknown."
        ),
        None => format!(
            "None of {count} services is worse than usual over {}.",
            duration_text(look.period.window.seconds())
        ),
        Some(worst) => {
            let are = if worse.len() == 1 { "is" } else { "are" };
            let when = if compared.contains("before") { "before" } else { "usually" };
            let than = match (compared.as_str(), when) {
                (NOTHING, _) => " failing requests (there is no baseline)",
                (_, "before") => " worse than just before",
                _ => " worse than usual",
            };
            format!("{} of {count} services {are}{than}; worst: {}.", worse.len(), words(worst, when))
        }
    };
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
    draft.next(look.of_source(
        Next::call("list_firing_alerts", "what fires").with("time_range", look.period.time_range.as_str()),
    ));
    look.guard.caveats().into_iter().for_each(|caveat| draft.caveat(caveat));
    draft.conclude(verdict)
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
    let traffic = both(health.traffic, health.traffic_was, "requests/s", "")
        .unwrap_or_else(|| "no requests now".to_owned());
    let all: Vec<String> = errors.into_iter().chain(latency).chain([traffic]).collect();
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

fn nothing(look: &Look<'_>, cite: Cite, mut draft: Draft) -> Answer {
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
