//! The signals of one service divided by a label: which route, method, version or replica it is.

use std::{collections::BTreeMap, time::Duration};

use contract::{
    Cell, Cite, Draft, Finding, Table, TimeRange, ToolError, Untrusted, duration_text, nearest, time_text,
};
use jiff::Timestamp;

use super::{
    ask::{Look, value},
    one::{Picture, Requests},
    words::{amount, short},
};
use crate::{
    analysis::signals::{
        queries::{Measure, Signal},
        severity::{Health, severity},
    },
    model::{Labels, Series},
};

/// Labels that say which version, which replica, where a convention has none of its own.
const VERSIONS: [&str; 8] = [
    "version",
    "service_version",
    "service.version",
    "app_version",
    "app_kubernetes_io_version",
    "image_tag",
    "revision",
    "pod_template_hash",
];
const INSTANCES: [&str; 7] =
    ["pod", "k8s_pod_name", "k8s.pod.name", "instance", "service_instance_id", "service.instance.id", "host"];

/// Rows without `detail`.
const ROWS: usize = 20;
const MOST_ROWS: usize = 60;

/// The fewest seconds that parts are measured over.
const SHORTEST: f64 = 300.0;

/// The time of day is the same so much earlier.
const DAY: Duration = Duration::from_secs(86_400);

/// Parts that a sentence names.
const NAMED: usize = 3;

/// One part, and what is known of it.
struct Part {
    values: Vec<Option<Untrusted>>,
    health: Health,
    /// Of all failed requests, its share in percent.
    of_failures: Option<f64>,
}

/// Divides the signals by `by`; without it by route, when errors or latency are unusual. What was divided is in the
/// draft; the sentence, if there is one to say, comes back.
///
/// # Errors
/// When no label of the service's requests tells what `by` asks for.
pub(super) async fn divide(
    look: &Look<'_>,
    picture: &Picture<'_>,
    by: Option<&str>,
    draft: &mut Draft,
) -> Result<Option<Finding>, ToolError> {
    let Some(requests) = &picture.requests else { return Ok(None) };
    let is_bad = |signal: Signal| signal == Signal::Errors || signal.is_latency();
    let bad = |row: &&super::one::Row| row.signal.is_some_and(is_bad) && row.judged.direction() == Some(true);
    let since =
        requests.rows.iter().filter(bad).filter_map(|row| Some(row.moment(row.judged.moved.as_ref()?.since)));
    let since = since.min();
    let labels = match by {
        Some(by) => labels(requests, by)?,
        None => match labels(requests, "route") {
            Ok(labels) if since.is_some() => labels,
            _ => return Ok(None),
        },
    };
    let window = window(look, since);
    let parts = parts(look, requests, &labels, window, draft).await?;
    let Some((parts, cite, is_whole)) = parts else { return Ok(None) };
    let name = by.unwrap_or("route");
    let sentence = sentence(name, &parts, window, is_whole).map(|sentence| Finding::new(sentence, cite));
    if by.is_some() {
        draft.table(table(look, name, &labels, &parts, cite));
    }
    Ok(sentence)
}

/// Since it is unusual, else the whole window.
fn window(look: &Look<'_>, since: Option<Timestamp>) -> TimeRange {
    let all = look.period.window;
    let since = since.map_or(all.start(), |since| since.max(all.start()));
    match TimeRange::new(since, all.end()) {
        Ok(window) if window.seconds() >= SHORTEST => window,
        _ => all,
    }
}

/// The labels that say what `by` asks for, those of them that there are.
fn labels(requests: &Requests, by: &str) -> Result<Vec<String>, ToolError> {
    let convention = &requests.learnt.measure.found.convention;
    let there = |label: &str| requests.learnt.labels.iter().any(|one| one.inside() == label);
    let first = |own: &[String], usual: &[&str]| {
        let mut all = own.iter().map(String::as_str).chain(usual.iter().copied());
        all.find(|label| there(label)).map(str::to_owned)
    };
    let found: Vec<String> = match by {
        "route" => {
            let route = first(&convention.route, &[]);
            let method = route.as_ref().and_then(|_| first(&convention.method, &[]));
            method.into_iter().chain(route).collect()
        }
        "method" => first(&convention.method, &[]).into_iter().collect(),
        "version" => first(&convention.version, &VERSIONS).into_iter().collect(),
        "instance" => first(&convention.instance, &INSTANCES).into_iter().collect(),
        label if there(label) && !["le", "quantile", "__name__"].contains(&label) => vec![label.to_owned()],
        _ => Vec::new(),
    };
    if !found.is_empty() {
        return Ok(found);
    }
    let usable: Vec<&Untrusted> = requests.learnt.labels.iter().collect();
    let near = nearest(by, usable.iter().map(|label| label.inside()), 3);
    let shown: Vec<String> = usable.iter().take(30).map(|label| label.shown(60)).collect();
    let problem = "is no label of this service's requests, and none of its labels tells it".to_owned();
    let error = ToolError::invalid("by", &problem)
        .remedy(format!("route, method, version, instance, or one of its labels: {}", shown.join(", ")));
    Err(error.nearest(near))
}

/// All parts with traffic, errors and latency, now and before, the worst first; whether all that was asked was read.
async fn parts(
    look: &Look<'_>,
    requests: &Requests,
    labels: &[String],
    window: TimeRange,
    draft: &mut Draft,
) -> Result<Option<(Vec<Part>, Cite, bool)>, ToolError> {
    let measure = Measure { window: window.seconds() as u64, ..requests.learnt.measure.clone() };
    let by: Vec<&str> = labels.iter().map(String::as_str).collect();
    let mut signals = measure.signals();
    signals.retain({
        let mut seen = false;
        move |signal| !signal.is_latency() || !std::mem::replace(&mut seen, true)
    });
    let asked: Vec<(Signal, String)> =
        signals.into_iter().filter_map(|signal| Some((signal, measure.promql(signal, &by)?))).collect();
    let was = window.end().checked_sub(DAY).unwrap_or(window.start());
    let now = read(look, &asked, window.end(), draft).await;
    let mut before = read(look, &asked, was, draft).await;
    let mut compared = "1d earlier";
    if before.iter().all(|(_, series)| series.as_ref().is_none_or(Vec::is_empty)) {
        // Not to the very start: what became unusual may have begun a rate's window before it was seen.
        let rate = Duration::from_secs(requests.learnt.measure.window);
        let just_before = window.start().checked_sub(rate).unwrap_or(window.start());
        before = read(look, &asked, just_before, draft).await;
        compared = "the time just before";
    }
    let mut cite = None;
    let plain_labels = by.iter().all(|label| look.lookup.cx.intake.text(label).plain().is_some());
    let plain = requests.learnt.plain && plain_labels;
    for (_, promql) in &asked {
        let cited = draft.cite(look.evidence_at(promql, plain, window.end()));
        cite.get_or_insert(cited);
    }
    let mut all: BTreeMap<Vec<Option<Untrusted>>, Health> = BTreeMap::new();
    let traffic_unseen = now.iter().any(|(signal, series)| *signal == Signal::Traffic && series.is_none());
    for (replies, is_now) in [(&now, true), (&before, false)] {
        for (signal, series) in replies {
            let series = series.as_deref().unwrap_or_default();
            for one in series {
                enter(all.entry(values(&one.labels, labels)).or_default(), *signal, value(one), is_now);
            }
        }
    }
    all.values_mut().for_each(|health| health.traffic_unseen = traffic_unseen);
    let Some(cite) = cite.filter(|_| !all.is_empty()) else { return Ok(None) };
    draft.caveat(format!("parts are over {}, compared with {compared}", duration_text(window.seconds())));
    let is_whole = now.iter().chain(&before).all(|(_, series)| series.is_some());
    Ok(Some((rank(all, window.seconds()), cite, is_whole)))
}

/// What each query returned at one moment; `None` where it failed, which is said: that is not the same as no series.
async fn read(
    look: &Look<'_>,
    asked: &[(Signal, String)],
    at: Timestamp,
    draft: &mut Draft,
) -> Vec<(Signal, Option<Vec<Series>>)> {
    let queries: Vec<_> = asked.iter().map(|(_, promql)| (promql.as_str(), at)).collect();
    let replies = look.at(&queries, draft).await;
    let mut all = Vec::new();
    for ((signal, _), reply) in asked.iter().zip(replies) {
        if let Err(error) = &reply {
            draft.caveat(format!("{} at {} was not divided: {error}", signal.name(), time_text(at)));
        }
        all.push((*signal, reply.ok()));
    }
    all
}

fn values(labels: &Labels, wanted: &[String]) -> Vec<Option<Untrusted>> {
    wanted.iter().map(|label| labels.get(label).cloned()).collect()
}

/// Enters a measured value; one that is no number says nothing.
pub(super) fn enter(health: &mut Health, signal: Signal, value: Option<f64>, is_now: bool) {
    let value = value.filter(|value| value.is_finite());
    let place = match (signal, is_now) {
        (Signal::Traffic, true) => &mut health.traffic,
        (Signal::Traffic, false) => &mut health.traffic_was,
        (Signal::Errors, true) => &mut health.errors,
        (Signal::Errors, false) => &mut health.errors_was,
        (_, true) => &mut health.latency,
        (_, false) => &mut health.latency_was,
    };
    if value.is_some() {
        *place = value;
    }
}

/// Failed requests a second.
fn failing(health: &Health) -> f64 {
    health.traffic.unwrap_or(0.0) * health.errors.unwrap_or(0.0) / 100.0
}

/// The parts with most failed requests more than usual first, then the otherwise worst, then the busiest.
fn rank(all: BTreeMap<Vec<Option<Untrusted>>, Health>, seconds: f64) -> Vec<Part> {
    let failures: f64 = all.values().map(failing).sum();
    let excess = |health: &Health| {
        health.traffic.unwrap_or(0.0)
            * (health.errors.unwrap_or(0.0) - health.errors_was.unwrap_or(0.0)).max(0.0)
    };
    let mut parts: Vec<Part> = all
        .into_iter()
        .map(|(values, health)| Part {
            values,
            health,
            of_failures: (failures > 0.0).then(|| 100.0 * failing(&health) / failures),
        })
        .collect();
    let busy = |part: &Part| part.health.traffic.unwrap_or(0.0);
    parts.sort_by(|one, other| {
        (excess(&other.health).total_cmp(&excess(&one.health)))
            .then_with(|| severity(&other.health, seconds).total_cmp(&severity(&one.health, seconds)))
            .then_with(|| busy(other).total_cmp(&busy(one)))
            .then_with(|| one.values.cmp(&other.values))
    });
    parts
}

/// `by route: POST /orders 11.8 % errors (96 % of all failures), p95 1.9 s (190 ms); …`, the worst parts.
fn sentence(name: &str, parts: &[Part], window: TimeRange, is_whole: bool) -> Option<String> {
    let bad = parts.iter().filter(|part| severity(&part.health, window.seconds()) > 0.0);
    let named: Vec<String> = bad.take(NAMED).map(told).collect();
    let count = parts.len();
    if named.is_empty() {
        let of = if is_whole { "" } else { " in what could be read (see caveats)" };
        return (count > 1).then(|| format!("by {name}: none of the {count} is worse than it was{of}"));
    }
    let noun = if count == 1 { "the only one" } else { "worst first" };
    Some(format!("by {name} ({count}, {noun}): {}", named.join("; ")))
}

fn told(part: &Part) -> String {
    let values: Vec<String> = part
        .values
        .iter()
        .map(|value| value.as_ref().map_or("-".to_owned(), |value| value.shown(80)))
        .collect();
    let mut text = values.join(" ");
    let was = |value: Option<f64>, unit: &str| {
        value.map_or(String::new(), |value| format!(" ({} before)", amount(value, unit)))
    };
    if let Some(errors) = part.health.errors {
        text.push_str(&format!(
            " {} errors{}",
            amount(errors, "% of requests"),
            was(part.health.errors_was, "% of requests")
        ));
        if let Some(share) = part.of_failures.filter(|_| errors > 0.0) {
            text.push_str(&format!(", {} % of all failures", short(share)));
        }
    }
    if let Some(latency) = part.health.latency {
        text.push_str(&format!(", latency {}{}", amount(latency, "s"), was(part.health.latency_was, "s")));
    }
    if part.health.traffic.is_none() && !part.health.traffic_unseen {
        text.push_str(" has no requests now");
    }
    text
}

fn table(look: &Look<'_>, name: &str, labels: &[String], parts: &[Part], cite: Cite) -> Table {
    let measured = ["requests/s", "was", "errors %", "was", "of all failures %", "latency s", "was"];
    let labels: Vec<String> =
        labels.iter().map(|label| look.lookup.cx.intake.text(label).shown(60)).collect();
    let columns: Vec<&str> = labels.iter().map(String::as_str).chain(measured).collect();
    let mut table = Table::new(&format!("parts by {name}"), &columns, cite);
    let most = if look.full { MOST_ROWS } else { ROWS };
    for part in parts.iter().take(most) {
        let health = &part.health;
        let mut cells: Vec<Cell> = part
            .values
            .iter()
            .map(|value| value.as_ref().map_or(Cell::Missing, |value| Cell::Quoted(value.clone(), 80)))
            .collect();
        let numbers = [
            health.traffic,
            health.traffic_was,
            health.errors,
            health.errors_was,
            part.of_failures,
            health.latency,
            health.latency_was,
        ];
        cells.extend(numbers.map(Cell::number));
        table.row(cells);
    }
    table.seen(parts.len() as u64);
    table.see_more("detail=full");
    table
}
