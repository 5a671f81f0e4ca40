//! Finding out by which metrics a service tells its signals.

use std::collections::BTreeSet;

use contract::{Draft, TimeRange, ToolError, Untrusted};
use futures_util::future::{join_all, join3};

use super::ask::{Look, value};
use crate::{
    analysis::{
        search::words::escape,
        signals::{
            catalogue::Convention,
            detect::{Form, Found, detect, guess},
            queries::{Condition, Measure},
        },
    },
    model::{MatchOp, QueryError, QueryOptions, selector},
    tools::{asking::AT_ONCE, scope::Scope},
};

/// The most names that are read.
const MOST_NAMES: usize = 10_000;

/// Samples are counted over so long, in seconds, to learn how often they come.
const COUNTED: f64 = 600.0;

/// How often samples come when that can't be learnt, in seconds.
const USUAL_INTERVAL: f64 = 15.0;

/// Intervals that people configure, in seconds.
const INTERVALS: [f64; 9] = [5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 180.0, 300.0];

/// Names of series about a service.
#[derive(Default)]
pub(super) struct Names {
    /// What it says itself.
    pub(super) own: BTreeSet<String>,
    /// What the cluster says about its containers.
    pub(super) cluster: BTreeSet<String>,
    /// What proxies and pipelines say about it.
    pub(super) others: BTreeSet<String>,
}

/// The names of a service's series in a window.
///
/// # Errors
/// When the names of its own series can't be read.
pub(super) async fn names(
    look: &Look<'_>,
    service: &str,
    scope: &Scope,
    containers: Option<&Scope>,
    window: TimeRange,
    draft: &mut Draft,
) -> Result<Names, ToolError> {
    let own = vec![scope.selector(&[])];
    let mut cluster: Vec<String> = containers.iter().map(|scope| scope.selector(&[])).collect();
    for label in ["horizontalpodautoscaler", "scaletargetref_name"] {
        cluster.push(selector(None, &[(label, MatchOp::Equal, service)]));
    }
    let others = told_by_others(look, service);
    let (own, cluster, others) =
        join3(read(look, &own, window), read(look, &cluster, window), read(look, &others, window)).await;
    let mut told = |reply: Result<(BTreeSet<String>, Vec<Untrusted>), QueryError>, whose: &str| match reply {
        Ok((names, warnings)) => {
            look.lookup.warn(&warnings, draft);
            names
        }
        Err(error) => {
            draft.caveat(format!("metrics of {whose} were not looked for: {error}"));
            BTreeSet::new()
        }
    };
    let own = told(Ok(own?), "the service");
    Ok(Names { own, cluster: told(cluster, "its containers"), others: told(others, "proxies and traces") })
}

async fn read(
    look: &Look<'_>,
    selectors: &[String],
    window: TimeRange,
) -> Result<(BTreeSet<String>, Vec<Untrusted>), QueryError> {
    let selectors: Vec<&str> = selectors.iter().map(String::as_str).collect();
    let lookup = &look.lookup;
    let listing =
        lookup.store.label_values(lookup.cx, "__name__", &selectors, Some(window), MOST_NAMES).await?;
    Ok((listing.items.iter().map(|name| name.inside().to_owned()).collect(), listing.warnings))
}

/// Selectors of what others tell about a service: one for each label by which they call it.
fn told_by_others(look: &Look<'_>, service: &str) -> Vec<String> {
    let rows = look.catalogue.conventions.iter().filter(|row| !row.service.is_empty());
    let mut conditions: Vec<Condition> = Vec::new();
    for condition in rows.flat_map(|row| row.service.iter().map(|label| named(row, label, service))) {
        if !conditions.contains(&condition) {
            conditions.push(condition);
        }
    }
    conditions.iter().map(|(label, op, value)| selector(None, &[(label, *op, value)])).collect()
}

/// A label of a convention has the service's name.
fn named(convention: &Convention, label: &str, service: &str) -> Condition {
    if !convention.around {
        return (label.to_owned(), MatchOp::Equal, service.to_owned());
    }
    let pattern = format!("(?:.*[^a-zA-Z0-9])?{}(?:[^a-zA-Z0-9].*)?", escape(service));
    (label.to_owned(), MatchOp::Regex, pattern)
}

/// The conventions that are found among the names: what the service tells itself first.
pub(super) fn conventions(look: &Look<'_>, names: &Names) -> Vec<Found> {
    let rows = |own: bool| look.catalogue.conventions.iter().filter(move |row| row.service.is_empty() == own);
    let borrowed = |names: &'_ BTreeSet<String>| -> Vec<String> { names.iter().cloned().collect() };
    let (own, others) = (borrowed(&names.own), borrowed(&names.others));
    let own: BTreeSet<&str> = own.iter().map(String::as_str).collect();
    let others: BTreeSet<&str> = others.iter().map(String::as_str).collect();
    let mut found = detect(rows(true), &own);
    found.extend(detect(rows(false), &others));
    if found.is_empty() {
        found.extend(guess(&own));
    }
    found
}

/// Which series a convention is measured by.
pub(super) enum Whose<'a> {
    /// One service, whose own series are these.
    Service(&'a str, &'a Scope),
    /// All services.
    All,
}

/// What was learnt about a convention's series.
pub(super) struct Learnt {
    pub(super) measure: Measure,
    /// Names of their labels.
    pub(super) labels: Vec<Untrusted>,
    /// Whether nothing in its queries needs a fence.
    pub(super) plain: bool,
}

/// Learns what the queries of a convention need: whose label, which labels there are, the form of its latency.
///
/// # Errors
/// When the names of labels can't be read.
pub(super) async fn learn(
    look: &Look<'_>,
    mut found: Found,
    whose: &Whose<'_>,
    draft: &mut Draft,
) -> Result<Learnt, ToolError> {
    let mut conditions = match whose {
        Whose::All => Vec::new(),
        Whose::Service(service, _) if !found.convention.service.is_empty() => {
            vec![by_others(look, &found, service).await]
        }
        Whose::Service(_, scope) => {
            scope.matchers().map(|(label, op, value)| (label.to_owned(), op, value.to_owned())).collect()
        }
    };
    let is_plain = |text: &str| look.lookup.cx.intake.text(text).plain().is_some();
    // Names of the catalogue are the operator's or ours; guessed ones are the store's.
    let plain = !found.is_guess || found.names().all(is_plain);
    let plain = plain
        && match whose {
            Whose::All => true,
            Whose::Service(service, scope) => scope.is_plain() && is_plain(service),
        };
    let series = select(&found.counted(), &conditions);
    let lookup = &look.lookup;
    let labels = lookup.store.label_names(lookup.cx, &[&series], Some(lookup.window), MOST_NAMES).await?;
    lookup.warn(&labels.warnings, draft);
    let labels = labels.items;
    let has = |label: &str| labels.iter().any(|one| one.inside() == label);
    let convention = &found.convention;
    for only in convention.only.iter().filter(|only| has(&only.label)) {
        conditions.push((only.label.clone(), MatchOp::Regex, only.matching.clone()));
    }
    conditions.extend(preferred(look, convention, &series, &labels, draft).await);
    let error = convention.errors.iter().find(|error| has(&error.label)).cloned();
    let quantiles = form(look, &mut found, &conditions).await;
    let measure = Measure { found, conditions, error, quantiles, window: 0 };
    Ok(Learnt { measure, labels, plain })
}

fn select(metric: &str, conditions: &[Condition]) -> String {
    let all: Vec<_> =
        conditions.iter().map(|(label, op, value)| (label.as_str(), *op, value.as_str())).collect();
    selector(Some(metric), &all)
}

/// The label by which others call the service: the first with series.
async fn by_others(look: &Look<'_>, found: &Found, service: &str) -> Condition {
    let conditions: Vec<Condition> =
        found.convention.service.iter().map(|label| named(&found.convention, label, service)).collect();
    let selectors: Vec<Vec<String>> = conditions
        .iter()
        .map(|condition| vec![select(&found.counted(), std::slice::from_ref(condition))])
        .collect();
    for (conditions, selectors) in conditions.chunks(AT_ONCE).zip(selectors.chunks(AT_ONCE)) {
        let asked = selectors.iter().map(|selectors| read(look, selectors, look.lookup.window));
        for (condition, reply) in conditions.iter().zip(join_all(asked).await) {
            if reply.is_ok_and(|(names, _)| !names.is_empty()) {
                return condition.clone();
            }
        }
    }
    conditions
        .into_iter()
        .next()
        .unwrap_or_else(|| ("service".to_owned(), MatchOp::Equal, service.to_owned()))
}

/// Of series that tell the same more than once, which are counted.
async fn preferred(
    look: &Look<'_>,
    convention: &Convention,
    series: &str,
    labels: &[Untrusted],
    draft: &mut Draft,
) -> Option<Condition> {
    let prefer = convention
        .prefer
        .as_ref()
        .filter(|prefer| labels.iter().any(|label| label.inside() == prefer.label))?;
    let lookup = &look.lookup;
    let window = Some(lookup.window);
    let first = prefer.values.first().cloned();
    let value = match lookup.store.label_values(lookup.cx, &prefer.label, &[series], window, MOST_NAMES).await
    {
        Ok(listing) => {
            let there = |value: &&String| listing.items.iter().any(|one| one.inside() == value.as_str());
            prefer.values.iter().find(there).cloned()
        }
        Err(error) => {
            draft.caveat(format!("values of {} were not read: {error}", prefer.label));
            first
        }
    }?;
    Some((prefer.label.clone(), MatchOp::Equal, value))
}

/// Finds out what names alone don't tell: whether a histogram is native, which quantiles a summary has.
async fn form(look: &Look<'_>, found: &mut Found, conditions: &[Condition]) -> Vec<f64> {
    let Some((name, form)) = &mut found.latency else { return Vec::new() };
    let series = select(name, conditions);
    let lookup = &look.lookup;
    match *form {
        Form::Mixed => {
            let promql = format!("count(histogram_count({series}))");
            let reply =
                lookup.store.instant(lookup.cx, &promql, lookup.window.end(), QueryOptions::default()).await;
            // A store that knows no native histograms refuses the function.
            let is_native = reply
                .is_ok_and(|reply| reply.data.series().first().is_some_and(|one| value(one) > Some(0.0)));
            *form = if is_native { Form::Native } else { Form::Classic };
            Vec::new()
        }
        Form::Summary => {
            let window = Some(lookup.window);
            let reply =
                lookup.store.label_values(lookup.cx, "quantile", &[&series], window, MOST_NAMES).await;
            let values = reply.map(|listing| listing.items).unwrap_or_default();
            let mut quantiles: Vec<f64> = values.iter().filter_map(|one| one.inside().parse().ok()).collect();
            quantiles.sort_by(f64::total_cmp);
            quantiles
        }
        Form::Native | Form::Classic | Form::Mean => Vec::new(),
    }
}

/// How often samples of a metric come, in seconds, and from how many processes; the usual where there are none now.
pub(super) async fn interval(look: &Look<'_>, measure: &Measure) -> (f64, usize) {
    let series = measure.select(&measure.found.counted(), None);
    let promql = format!("max by (pod, instance) (count_over_time({series}[{COUNTED}s]))");
    let lookup = &look.lookup;
    let reply = look.guard.instant(&promql, lookup.window.end()).await;
    let series = reply.map(|ran| ran.reply.data.into_series()).unwrap_or_default();
    let most = series.iter().filter_map(value).fold(0.0, f64::max);
    if most < 1.0 {
        return (USUAL_INTERVAL, 0);
    }
    let near = |a: &&f64, b: &&f64| {
        let distance = |interval: f64| (interval - COUNTED / most).abs();
        distance(**a).total_cmp(&distance(**b))
    };
    (INTERVALS.iter().min_by(near).copied().unwrap_or(USUAL_INTERVAL), series.len())
}
