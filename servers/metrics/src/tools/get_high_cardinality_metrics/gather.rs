//! Reading everything of a service, or of all of them, in a handful of queries: one for each kind of metric.
//!
//! A sum by `__name__` keeps the name, a rate does not: counters are read as sums, together with the number of series in
//! each sum, and their rates are taken here (`analysis/unusual/reading.rs`). So the number of queries does not grow with
//! the number of metrics, and each selector stands in the evidence as it was sent.

use std::{collections::BTreeMap, time::Duration};

use contract::{Cite, Draft, ErrorKind, ToolError, Untrusted, duration_text};

use super::{Look, series::Scopes};
use crate::{
    analysis::{
        search::families::group,
        unusual::{
            apart::{choose, distinct, keeps_apart},
            kinds::Kinds,
            native::{self, NativeReading},
            reading::{Reading, Tags},
            signals::{self, Read, Signal},
        },
    },
    model::{Labels, MatchOp, Series, label_name},
    tools::{asking::few_at_once, cost::Ran, get_high_cardinality_metrics::when::When},
};

const MOST_METADATA: usize = 10_000;
const MOST_LABELS: usize = 200;
/// The most labels that keep series apart.
const MOST_APART: usize = 16;
/// The most sets of labels that a reply may have: with 240 points of 25 bytes each, half of what a reply may hold.
const MOST_SETS: usize = 600;
/// Time that must be left for asking again.
const ENOUGH: Duration = Duration::from_secs(8);

/// What rules judged is no metric of the service.
const NO_ALERTS: (&str, MatchOp, &str) = ("__name__", MatchOp::NotRegex, "ALERTS|ALERTS_FOR_STATE");

/// What was read, as signals, and what they rest on.
pub(super) struct Gathered {
    pub(super) signals: Vec<Signal>,
    /// The window as it was evaluated; its step may be larger than planned.
    pub(super) when: When,
    /// The names that were found in the window, and their kinds.
    pub(super) kinds: Kinds,
    pub(super) metrics: usize,
    /// Of the replies, at least one.
    pub(super) cites: Vec<Cite>,
}

/// Reads all series of `scopes`; with `by` apart for each of that label's values.
///
/// # Errors
/// When nothing can be read.
pub(super) async fn gather(
    look: &Look<'_>,
    scopes: &Scopes,
    by: Option<&str>,
    draft: &mut Draft,
) -> Result<Gathered, ToolError> {
    let census = census(look, scopes, by, draft).await?;
    let kinds = kinds(look, &census, draft).await;
    let mut when = coarse_enough(look.when, &census, draft);
    let mut apart = census.apart.clone();
    let mut replies = ask(look, &plan(scopes, &kinds, &apart, &census.kept), when).await;
    if too_much(&replies) && apart.len() > census.kept.len() && look.cx.remaining() > ENOUGH {
        draft.caveat("replies were too large: all label sets of a metric are taken together");
        apart.clone_from(&census.kept);
        replies = ask(look, &plan(scopes, &kinds, &apart, &census.kept), when).await;
    }
    // The guard may have taken a larger step for some: all must have the same moments.
    let step = replies.iter().filter_map(|(_, reply)| reply.as_ref().ok()).map(|ran| ran.step).max();
    if let Some(step) = step.filter(|step| step.as_secs() > when.step) {
        when = when.every(step);
        replies = ask(look, &plan(scopes, &kinds, &apart, &census.kept), when).await;
    }
    let mut gathered =
        Gathered { signals: Vec::new(), when, metrics: census.metrics, cites: Vec::new(), kinds };
    let mut reads = Reads { grid: when, by, of: BTreeMap::new(), natives: Vec::new() };
    // Labels and metrics of the store stand in the questions by name, too.
    let is_plain = |label: &String| look.cx.intake.text(label).plain().is_some();
    let plain = scopes.is_plain()
        && apart.iter().chain(&census.kept).all(is_plain)
        && census.names.iter().all(|name| name.plain().is_some());
    let mut failed = None;
    for (question, reply) in replies {
        match reply {
            Ok(ran) => {
                remarks(look, &ran, draft);
                let evidence = look.evidence(&question.promql, plain).over(when.ends());
                gathered.cites.push(draft.cite(evidence.every(ran.step)));
                reads.take(question.part, ran.reply.data.into_series());
            }
            Err(error) => {
                draft.caveat(format!("{} could not be read: {error}", question.what));
                failed.get_or_insert(error);
            }
        }
    }
    if let (true, Some(error)) = (gathered.cites.is_empty(), failed) {
        return Err(error);
    }
    gathered.signals = reads.signals(&gathered.kinds);
    Ok(gathered)
}

/// What there is in the window.
struct Census {
    names: Vec<Untrusted>,
    /// Labels that keep series apart; of them, those that must.
    apart: Vec<String>,
    kept: Vec<String>,
    /// Sets of labels that stay apart.
    sets: usize,
    metrics: usize,
}

async fn census(
    look: &Look<'_>,
    scopes: &Scopes,
    by: Option<&str>,
    draft: &mut Draft,
) -> Result<Census, ToolError> {
    let mut kept = if by.is_some() { Vec::new() } else { scopes.labels() };
    kept.extend(by.map(str::to_owned));
    let mut labels = kept.clone();
    if by.is_none() {
        let selectors = scopes.selectors(&[NO_ALERTS]);
        let selectors: Vec<&str> = selectors.iter().map(String::as_str).collect();
        let window = Some(look.when.window);
        let listing = look.store.label_names(look.cx, &selectors, window, MOST_LABELS).await?;
        look.lookup().warn(&listing.warnings, draft);
        let own = listing.items.iter().filter_map(Untrusted::plain).filter(|label| keeps_apart(label));
        let own: Vec<String> =
            own.filter(|label| !kept.iter().any(|one| one == label)).map(str::to_owned).collect();
        labels.extend(own.into_iter().take(MOST_APART));
    }
    let ran = match counted(look, scopes, &labels).await {
        Err(error) if error.kind() != ErrorKind::Timeout && labels.len() > kept.len() => {
            draft.caveat(format!(
                "label sets could not be counted, so all of a metric are taken together: {error}"
            ));
            labels.clone_from(&kept);
            counted(look, scopes, &kept).await?
        }
        counted => counted?,
    };
    remarks(look, &ran, draft);
    let rows = ran.reply.data.into_series();
    let mut names: Vec<Untrusted> = rows.iter().filter_map(|one| one.labels.name().cloned()).collect();
    names.sort_unstable();
    names.dedup();
    let sets: Vec<Tags> = rows.iter().map(|one| tags(&one.labels)).collect();
    let (apart, dropped) = choose(&sets, &labels, &kept, MOST_SETS);
    if !dropped.is_empty() {
        let dropped: Vec<String> = dropped.iter().map(|label| look.cx.intake.text(label).shown(60)).collect();
        draft.caveat(format!("summed over {}: there are too many label sets", dropped.join(", ")));
    }
    let sets = distinct(&sets, &apart);
    Ok(Census { metrics: names.len(), names, apart, kept, sets })
}

/// Counts the series that were there at any moment of the window.
async fn counted(look: &Look<'_>, scopes: &Scopes, labels: &[String]) -> Result<Ran, ToolError> {
    let range = duration_text(look.when.window.seconds().round());
    let all = scopes.union_over("last_over_time", &range, &[NO_ALERTS]);
    look.guard.instant(&format!("count by ({}) ({all})", by_name(labels)), look.when.window.end()).await
}

async fn kinds(look: &Look<'_>, census: &Census, draft: &mut Draft) -> Kinds {
    let metadata = match look.store.metadata(look.cx, None, MOST_METADATA).await {
        Ok(listing) => {
            look.lookup().warn(&listing.warnings, draft);
            listing.items
        }
        Err(error) => {
            draft.caveat(format!("no metadata, so types are inferred from names: {error}"));
            Vec::new()
        }
    };
    let families = group(&census.names, &metadata, |name| look.cx.intake.text(name));
    let kinds = Kinds::of(&families, |name| look.is_plain(name));
    if kinds.left_out > 0 {
        draft.caveat(format!(
            "{} counters or histograms whose names no pattern finds were read as gauges, if at all",
            kinds.left_out
        ));
    }
    kinds
}

/// What a reply holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Gauges,
    Sums,
    Counts,
    Buckets,
    Series,
    Natives,
}

struct Question {
    part: Part,
    what: &'static str,
    promql: String,
}

fn plan(scopes: &Scopes, kinds: &Kinds, apart: &[String], kept: &[String]) -> Vec<Question> {
    let name = |op, pattern: &str| scopes.union(&[("__name__", op, pattern)]);
    let labels = by_name(apart);
    let counters = name(MatchOp::Regex, &kinds.counters());
    let mut all = vec![
        (
            Part::Gauges,
            "gauges",
            format!("avg by ({labels}) ({})", name(MatchOp::NotRegex, &kinds.no_gauges())),
        ),
        (Part::Sums, "counters", format!("sum by ({labels}) ({counters})")),
        (Part::Counts, "numbers of series of counters", format!("count by ({labels}) ({counters})")),
        (
            Part::Series,
            "numbers of series",
            format!("count by ({}) ({})", by_name(kept), scopes.union(&[NO_ALERTS])),
        ),
    ];
    if kinds.has_buckets() {
        let with_bounds = [&["le".to_owned()], kept].concat();
        let buckets = name(MatchOp::Regex, kinds.buckets());
        all.push((Part::Buckets, "buckets", format!("sum by ({}) ({buckets})", by_name(&with_bounds))));
    }
    if let Some(natives) = kinds.natives() {
        let natives = name(MatchOp::Regex, &natives);
        all.push((Part::Natives, "native histograms", format!("sum by ({}) ({natives})", by_name(kept))));
    }
    all.into_iter().map(|(part, what, promql)| Question { part, what, promql }).collect()
}

/// `__name__` and these labels, as they stand in `by (…)`.
fn by_name(labels: &[String]) -> String {
    let labels = labels.iter().map(|label| label_name(label));
    std::iter::once("__name__".to_owned()).chain(labels).collect::<Vec<_>>().join(", ")
}

async fn ask(look: &Look<'_>, plan: &[Question], when: When) -> Vec<(Question, Result<Ran, ToolError>)> {
    let window = when.asked();
    let step = Duration::from_secs(when.step);
    let queries: Vec<String> = plan.iter().map(|question| question.promql.clone()).collect();
    look.guard.ahead(&queries, window, step).await;
    let asked = plan.iter().map(|question| look.guard.range(&question.promql, window, step));
    let own = |question: &Question| Question { promql: question.promql.clone(), ..*question };
    plan.iter().map(own).zip(few_at_once(asked).await).collect()
}

/// Whether a reply was refused for its size, or the store could not evaluate so much.
fn too_much(replies: &[(Question, Result<Ran, ToolError>)]) -> bool {
    let kinds = replies.iter().filter_map(|(_, reply)| reply.as_ref().err()).map(ToolError::kind);
    kinds.into_iter().any(|kind| matches!(kind, ErrorKind::TooExpensive | ErrorKind::Upstream))
}

fn remarks(look: &Look<'_>, ran: &Ran, draft: &mut Draft) {
    look.lookup().warn(&ran.reply.warnings, draft);
    for info in &ran.reply.infos {
        draft.caveat(format!("info from {}: {}", look.store.system(), info.shown(300)));
    }
}

/// Where so many sets can't be told apart any less, there are fewer moments.
fn coarse_enough(when: When, census: &Census, draft: &mut Draft) -> When {
    // With a lead-in there are up to twice as many moments.
    let most = if when.lead_in.is_some() { MOST_SETS / 2 } else { MOST_SETS };
    if census.sets <= most {
        return when;
    }
    let times = census.sets.div_ceil(most) as u64;
    let coarse = when.no_coarser_than(when.step.saturating_mul(times));
    draft.caveat(format!(
        "{} label sets: evaluated every {} to keep replies small",
        census.sets,
        duration_text(coarse.step as f64)
    ));
    coarse
}

/// Replies, put together for each service.
struct Reads<'a> {
    grid: When,
    by: Option<&'a str>,
    of: BTreeMap<Option<String>, Read>,
    natives: Vec<(Option<String>, NativeReading)>,
}

impl Reads<'_> {
    fn take(&mut self, part: Part, series: Vec<Series>) {
        let grid = self.grid.grid();
        for one in series {
            let mut tags = tags(&one.labels);
            let name = tags.remove("__name__").unwrap_or_default();
            let service = self.by.and_then(|by| tags.get(by).cloned());
            if part == Part::Natives {
                let mut values = vec![None; grid.count()];
                for (at, histogram) in one.histograms {
                    if let Some(place) = grid.nearest(at).and_then(|place| values.get_mut(place)) {
                        *place = Some(histogram);
                    }
                }
                self.natives.push((service, NativeReading { name, tags, values }));
                continue;
            }
            let values = grid.place(one.points.into_iter());
            let values: Vec<f64> = values.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect();
            let read = self.of.entry(service).or_default();
            let list = match part {
                Part::Gauges => &mut read.gauges,
                Part::Sums => &mut read.sums,
                Part::Counts => &mut read.counts,
                Part::Buckets => &mut read.buckets,
                Part::Series | Part::Natives => &mut read.series,
            };
            list.push(Reading { name, tags, values });
        }
    }

    fn signals(&self, kinds: &Kinds) -> Vec<Signal> {
        let pace = self.grid.pace();
        let kind = |name: &str| kinds.kind(name);
        let own = self.of.iter().flat_map(|(service, read)| {
            signals::signals(read, kind, pace)
                .into_iter()
                .map(|signal| Signal { service: service.clone(), ..signal })
        });
        let natives = self.natives.iter().flat_map(|(service, native)| {
            let all = native::signals(std::slice::from_ref(native), pace);
            all.into_iter().map(|signal| Signal { service: service.clone(), ..signal })
        });
        own.chain(natives).collect()
    }
}

/// The labels of a series for computing.
fn tags(labels: &Labels) -> Tags {
    labels.iter().map(|(name, value)| (name.inside().to_owned(), value.inside().to_owned())).collect()
}
