//! What is said of all services, now and before.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use contract::{Cite, Draft, Evidence, ToolError, Untrusted};
use jiff::Timestamp;

use super::{NOTHING, Told, UNREAD};
use crate::{
    analysis::signals::{
        queries::{Signal, union},
        severity::Health,
    },
    model::Series,
    tools::get_service_golden_signals::ask::{Look, value},
};

/// Days before, whose median is the baseline.
const DAYS: [u64; 2] = [1, 7];

/// Every service with the convention that tells it.
pub(super) type Measured = BTreeMap<Untrusted, (usize, Health)>;

/// What a ranking rests on.
pub(super) struct Basis {
    pub(super) cite: Cite,
    /// What services are compared with.
    pub(super) compared: String,
    /// Signals whose queries failed: `traffic now`.
    pub(super) unseen: Vec<String>,
}

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
    /// The signals whose query failed: no value of them is not zero.
    unseen: BTreeSet<&'static str>,
}

/// Every service by the surest convention that tells it; what that rests on; what it is compared with.
pub(super) async fn measure(
    look: &Look<'_>,
    told: &[Told],
    draft: &mut Draft,
) -> Result<(Measured, Basis), ToolError> {
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
    let is_read = |baselines: &[Moment]| baselines.iter().all(|moment| moment.unseen.is_empty());
    let mut compared = "the same window 1d and 7d earlier (median)";
    if is_empty(&baselines) {
        let were_read = is_read(&baselines);
        baselines = vec![earlier(look, &queries, look.period.window.start(), told, draft).await];
        compared = match is_empty(&baselines) {
            true if were_read && is_read(&baselines) => NOTHING,
            true => UNREAD,
            false => "the window just before",
        };
    }
    let mut measured = merge(&now, &baselines, told);
    leave_out_gone(&mut measured, &now, &baselines, draft);
    let unseen = unseen(&now, &baselines);
    Ok((measured, Basis { cite, compared: compared.to_owned(), unseen }))
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
                let what = kind(*signal);
                draft.caveat(format!("{what} at {} was not measured: {error}", contract::time_text(at)));
                moment.unseen.insert(what);
                moment.failed.get_or_insert(error);
            }
        }
    }
    moment
}

fn kind(signal: Signal) -> &'static str {
    match signal {
        Signal::Traffic => "traffic",
        Signal::Errors => "errors",
        Signal::Quantile(_) | Signal::Mean => "latency",
    }
}

/// The signals that no query told, now and at any earlier moment. A share of errors needs traffic.
fn unseen(now: &Moment, baselines: &[Moment]) -> Vec<String> {
    let is_unseen = |moment: &Moment, what: &str| {
        moment.unseen.contains(what) || (what == "errors" && moment.unseen.contains("traffic"))
    };
    let mut all = Vec::new();
    for what in ["traffic", "errors", "latency"] {
        if is_unseen(now, what) {
            all.push(format!("{what} now"));
        }
        if baselines.iter().all(|moment| is_unseen(moment, what)) {
            all.push(format!("{what} earlier"));
        }
    }
    all
}

/// Leaves out services that are in the oldest baseline only: they ended long before the window, and are no news.
fn leave_out_gone(measured: &mut Measured, now: &Moment, baselines: &[Moment], draft: &mut Draft) {
    const NAMED: usize = 8;
    let [latest, _, ..] = baselines else { return };
    let recent = [now, latest];
    // Where traffic was not read, a service may still be there.
    if recent.iter().any(|moment| moment.unseen.contains("traffic")) {
        return;
    }
    let is_gone = |service: &Untrusted| recent.iter().all(|moment| !moment.said.contains_key(service));
    let gone: Vec<Untrusted> = measured.keys().filter(|service| is_gone(service)).cloned().collect();
    for service in &gone {
        measured.remove(service);
    }
    if gone.is_empty() {
        return;
    }
    let named: Vec<String> = gone.iter().take(NAMED).map(|one| one.shown(60)).collect();
    let more = gone.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    draft.caveat(format!(
        "{} services had requests 7d earlier, but no samples 1d earlier and none now; gone since, they are left out: {}{more}",
        gone.len(),
        named.join(", ")
    ));
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
        let traffic_unseen = now.unseen.contains("traffic");
        let is_said = |place: &usize| now.said.get(service).is_some_and(|all| all.contains_key(place));
        let is_known = |place: &usize| !traffic(*place).is_nan() || (traffic_unseen && is_said(place));
        let order = |place: &usize| (traffic(*place).is_nan(), traffic(*place) <= 0.0, *place);
        let Some(convention) = (0..told.len()).filter(is_known).min_by_key(order) else { continue };
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
            traffic_unseen,
        };
        measured.insert(service.clone(), (convention, health));
    }
    measured
}
