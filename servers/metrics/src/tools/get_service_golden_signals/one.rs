//! The signals of one service.

mod fullness;

use contract::{Answer, Cite, Draft, Evidence, Next, ToolError, duration_text};
use jiff::Timestamp;

use super::{
    ask::{Look, Over},
    parts,
    period::Pace,
    probe::{self, Learnt, Names, Whose},
    show,
};
use crate::{
    analysis::{
        baseline::{Candidate, Origin, seasonal},
        ranking::Grid,
        signals::{
            baseline::Baseline,
            detect::{Form, Found},
            judge::{Judged, Kind, judge},
            queries::{Signal, union},
        },
    },
    model::Labels,
    tools::{
        exemplars::{self, Moved},
        scope::{self, Near, Resolved, Scope},
    },
};

/// What is said of one signal.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) unit: String,
    /// Of requests; `None` for saturation.
    pub(super) signal: Option<Signal>,
    /// Whether it is percent.
    pub(super) is_share: bool,
    /// From this level on it is worth telling though it is as usual.
    pub(super) alarm: Option<f64>,
    pub(super) promql: String,
    pub(super) judged: Judged,
    pub(super) grid: Grid,
    pub(super) cite: Cite,
}

impl Row {
    /// The moment of a place of its values.
    pub(super) fn moment(&self, place: usize) -> Timestamp {
        Timestamp::from_second(self.grid.second(place)).unwrap_or(Timestamp::MIN)
    }

    /// Whether its baseline is the window just before only.
    pub(super) fn is_from_before(&self) -> bool {
        let compared = &self.judged.compared;
        !compared.is_empty() && compared.iter().all(|one| one.origin == Origin::Before)
    }
}

/// What was measured of requests.
pub(super) struct Requests {
    pub(super) learnt: Learnt,
    pub(super) rows: Vec<Row>,
    /// Processes with samples at the end.
    pub(super) replicas: usize,
    /// Other conventions that were found.
    pub(super) also: Vec<Found>,
    /// What the baselines rest on.
    pub(super) earlier: Option<Cite>,
}

/// Everything about one service.
pub(super) struct Picture<'a> {
    pub(super) service: &'a str,
    pub(super) scope: Scope,
    pub(super) requests: Option<Requests>,
    pub(super) saturation: Vec<Row>,
    /// Restarts in the window and containers that were last killed for memory, with what that rests on.
    pub(super) restarts: Option<(f64, f64, Cite)>,
    /// How many names its own series have.
    pub(super) names: usize,
}

/// The answer about one service.
///
/// # Errors
/// When the store can't be read, or `by` is no label of the service's requests.
pub(super) async fn answer(
    look: &Look<'_>,
    service: &str,
    by: Option<&str>,
    mut draft: Draft,
) -> Result<Answer, ToolError> {
    let scope = match scope::resolve(&look.lookup, service, &mut draft).await? {
        Resolved::Found(scope) => scope,
        Resolved::Unknown(near) => return Ok(unknown(look, service, &near, draft)),
    };
    let containers = scope::containers(&look.lookup, service, &scope, &mut draft).await;
    let (names, found) = find(look, service, &scope, containers.as_ref(), &mut draft).await?;
    let mut requests = None;
    let mut pace = Pace::of(&look.period, 15.0);
    if let Some((first, also)) = found.split_first() {
        let whose = Whose::Service(service, &scope);
        let mut learnt = probe::learn(look, first.clone(), &whose, &mut draft).await?;
        let (interval, replicas) = probe::interval(look, &learnt.measure).await;
        pace = Pace::of(&look.period, interval);
        learnt.measure.window = pace.rate;
        let (rows, earlier) = measure(look, &learnt, pace, &mut draft).await?;
        requests = Some(Requests { learnt, rows, replicas, also: also.to_vec(), earlier });
    }
    let saturation =
        fullness::saturation(look, service, &names, &scope, containers.as_ref(), pace, &mut draft).await;
    let restarts = fullness::restarts(look, &names, containers.as_ref(), &mut draft).await;
    let names = names.own.len();
    let picture = Picture { service, scope, requests, saturation, restarts, names };
    let divided = parts::divide(look, &picture, by, &mut draft).await?;
    traces(look, &picture, &mut draft).await;
    Ok(show::answer(look, &picture, divided, draft))
}

/// Traces of what became slow or failed, where exemplars of the latency's histogram were kept.
async fn traces(look: &Look<'_>, picture: &Picture<'_>, draft: &mut Draft) {
    let Some(requests) = &picture.requests else { return };
    let bad = |row: &&Row| {
        row.signal.is_some_and(|signal| signal != Signal::Traffic) && row.judged.direction() == Some(true)
    };
    // What holds since the first moments read began earlier, nobody knows when.
    let onset = |row: &Row| {
        let since = row.judged.moved.as_ref()?.since;
        Some((since > 1).then(|| row.moment(since)))
    };
    let Some(onset) = requests.rows.iter().filter(bad).filter_map(onset).min() else { return };
    let Some(latency) = requests.rows.iter().find(|row| row.signal.is_some_and(Signal::is_latency)) else {
        return;
    };
    let Ok(tree) = promql_parser::parser::parse(&latency.promql) else { return };
    let is_native = matches!(requests.learnt.measure.found.latency, Some((_, Form::Native)));
    let (window, labels) = (look.period.extended(), Labels::default());
    let plain = requests.learnt.plain;
    let moved = Moved { tree: &tree, window, labels: &labels, onset, is_native, plain };
    exemplars::hand_over(look.lookup.cx, look.lookup.store, draft, moved).await;
}

/// The answer when no label holds the service: what comes nearest.
fn unknown(look: &Look<'_>, service: &str, near: &Near, mut draft: Draft) -> Answer {
    let instead = "leave `service` out to see all that have request metrics";
    let verdict = near.tell(&look.lookup, service, ("nothing was measured", "24 h", instead), &mut draft);
    if let Some(nearest) = near.nearest() {
        draft.next(look.again("the nearest service").with("service", nearest));
    }
    draft.next(look.again("all services, worst first"));
    draft.conclude(verdict)
}

/// Names of series and the conventions among them: of the last hour, else of the last day.
async fn find(
    look: &Look<'_>,
    service: &str,
    scope: &Scope,
    containers: Option<&Scope>,
    draft: &mut Draft,
) -> Result<(Names, Vec<Found>), ToolError> {
    let names = probe::names(look, service, scope, containers, look.period.recent(), draft).await?;
    let found = probe::conventions(look, &names);
    if !found.is_empty() {
        return Ok((names, found));
    }
    let older = probe::names(look, service, scope, containers, look.period.long_ago(), draft).await?;
    let found = probe::conventions(look, &older);
    if found.is_empty() {
        return Ok((names, found));
    }
    let recent = duration_text(look.period.recent().seconds());
    draft.caveat(format!("its request metrics have no samples in {recent}, but had some in the 24 h before"));
    Ok((older, found))
}

/// The window's first moment in a grid.
fn begin(look: &Look<'_>, grid: Grid) -> usize {
    let start = look.period.window.start().as_second();
    (0..grid.count()).find(|place| grid.second(*place) >= start).unwrap_or(0)
}

/// All signals of requests, and the evidence of their baselines.
async fn measure(
    look: &Look<'_>,
    learnt: &Learnt,
    pace: Pace,
    draft: &mut Draft,
) -> Result<(Vec<Row>, Option<Cite>), ToolError> {
    let measure = &learnt.measure;
    let signals = measure.signals().into_iter();
    let signals: Vec<(Signal, String)> =
        signals.filter_map(|signal| Some((signal, measure.promql(signal, &[])?))).collect();
    let asked: Vec<_> = signals.iter().map(|(_, promql)| (promql.as_str(), look.period.extended())).collect();
    let now = look.over(&asked, pace, draft).await;
    let (earlier, cite) = earlier(look, &signals, pace, draft).await;

    let requests = traffic(look, &signals, &now) * measure.window as f64;
    let mut rows = Vec::new();
    let mut failed = None;
    for (place, ((signal, promql), reply)) in signals.into_iter().zip(now).enumerate() {
        let over = match reply {
            Ok(over) => over,
            Err(error) => {
                draft.caveat(format!("{} was not measured: {error}", signal.name()));
                failed.get_or_insert(error);
                continue;
            }
        };
        let kind = if signal == Signal::Errors { Kind::Errors { requests } } else { Kind::Level };
        let key = format!("s{place}");
        let windows: Vec<_> =
            earlier.iter().map(|(candidate, over)| (*candidate, over.keyed(&key))).collect();
        let judged = judged(look, &over.only(), over.grid, windows, kind);
        let cite = draft.cite(look.evidence_over(&promql, learnt.plain, over.grid));
        let (name, unit) = (signal.name(), signal.unit().to_owned());
        let is_share = signal == Signal::Errors;
        rows.push(Row {
            name,
            unit,
            signal: Some(signal),
            is_share,
            alarm: None,
            promql,
            judged,
            grid: over.grid,
            cite,
        });
    }
    match failed {
        Some(error) if rows.is_empty() => Err(error),
        _ => Ok((rows, cite)),
    }
}

/// Requests a second in the window: of few requests a high share of failures may be chance.
fn traffic(look: &Look<'_>, signals: &[(Signal, String)], now: &[Result<Over, ToolError>]) -> f64 {
    let place = signals.iter().position(|(signal, _)| *signal == Signal::Traffic);
    let Some(Ok(over)) = place.and_then(|place| now.get(place)) else { return 0.0 };
    let values = numbers(&over.only());
    signal::median(values.get(begin(look, over.grid)..).unwrap_or_default()).unwrap_or(0.0)
}

/// The same signals in earlier windows, in one request each.
async fn earlier(
    look: &Look<'_>,
    signals: &[(Signal, String)],
    pace: Pace,
    draft: &mut Draft,
) -> (Vec<(Candidate, Over)>, Option<Cite>) {
    let parts = signals.iter().enumerate();
    let parts: Vec<(String, String)> =
        parts.map(|(place, (_, promql))| (format!("s{place}"), promql.clone())).collect();
    let promql = union(&parts);
    let candidates = seasonal(look.period.window);
    let asked: Vec<_> = candidates.iter().map(|one| (promql.as_str(), one.window)).collect();
    let (mut all, mut first) = (Vec::new(), None);
    for (candidate, reply) in candidates.iter().zip(look.over(&asked, pace, draft).await) {
        match reply {
            Ok(over) if over.series.is_empty() => {}
            Ok(over) => {
                let words = "the queries of traffic, errors and latency, joined by `or`";
                let evidence = Evidence::new(look.lookup.store.system(), words).every(over.grid.step());
                let cite = draft.cite(evidence.over(over.grid.ends().unwrap_or(candidate.window)));
                first.get_or_insert(cite);
                all.push((*candidate, over));
            }
            Err(error) => {
                draft.caveat(format!("the baseline of {} could not be read: {error}", candidate.window));
            }
        }
    }
    (all, first)
}

fn numbers(values: &[Option<f64>]) -> Vec<f64> {
    values.iter().map(|value| value.unwrap_or(f64::NAN)).collect()
}

/// Judges values beside those of earlier windows, or of the one just before.
fn judged(
    look: &Look<'_>,
    values: &[Option<f64>],
    grid: Grid,
    mut windows: Vec<(Candidate, Vec<Option<f64>>)>,
    kind: Kind,
) -> Judged {
    let begin = begin(look, grid);
    let before = Candidate { origin: Origin::Before, window: look.period.before() };
    windows.push((before, values.get(..begin).unwrap_or_default().to_vec()));
    let baseline = Baseline::of(&windows);
    judge(&numbers(values), begin, grid.step().as_secs_f64(), baseline.as_ref(), kind)
}

/// A search for metrics of the service, where none tell its requests.
pub(super) fn search(look: &Look<'_>, service: &str) -> Option<Next> {
    let service = look.lookup.cx.intake.text(service);
    let next = Next::call("search_metrics", "what else it measures");
    Some(look.of_source(next.with("text", "requests errors duration").with("service", service.plain()?)))
}
