//! Asking the store: totals, samples of the window and its baselines, exact counts of the head of the list.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use contract::{Context, TimeRange, TimeSpec, ToolError, Untrusted, time_text};
use futures_util::future::{join, join_all};

use super::{Floor, LONGEST, Request, USUAL, judge::Row};
use crate::{
    analysis::{
        difference::{Class, Seen},
        volume::{Kind, Stream, judge},
    },
    backend::{Logs, Sources},
    model::{Condition, Histogram, Key, Like, Record, Reply, Role, Sample, Search, Tally, Top, Total},
    tools::asking::{Service, recorded, services_near},
};

/// Records read of the window, and of each baseline.
const SAMPLE: usize = 4_000;
const BASELINE_SAMPLE: usize = 2_000;
/// Patterns that are counted exactly.
pub(super) const HEAD: usize = 15;
/// Patterns whose onset is looked for.
const ONSETS: usize = 4;
const WEEK: Duration = Duration::from_secs(7 * 86_400);
/// Steps of a window in which an onset is looked for.
const STEPS: u32 = 60;

/// What was asked for.
pub(super) struct Asked {
    pub(super) window: TimeRange,
    /// Name and window of each baseline.
    pub(super) baselines: Vec<(String, TimeRange)>,
    pub(super) service: Option<Service>,
    pub(super) floor: Floor,
    /// What is to be said of the window when its end was after now.
    pub(super) cut: Option<String>,
}

impl Asked {
    pub(super) fn of(cx: &Context, sources: &Sources, request: &Request) -> Result<Asked, ToolError> {
        let spec = request.time_range.as_ref().unwrap_or(&TimeSpec::Last(USUAL));
        let past = cx.past("time_range", spec, LONGEST)?;
        let window = past.window;
        let baselines = match &request.baseline {
            Some(spec) => vec![("the given baseline".to_owned(), cx.window("baseline", spec, LONGEST)?)],
            None => usual(window),
        };
        if let Some((_, given)) = baselines.iter().find(|(_, one)| one.end() > window.start()) {
            return Err(ToolError::invalid("baseline", &format!("{given} overlaps the window, {window}"))
                .remedy("a window that ends before time_range begins"));
        }
        let service = Service::of(cx, sources, request.service.as_deref());
        let floor = request.level.unwrap_or(Floor::Warn);
        Ok(Asked { window, baselines, service, floor, cut: past.caveat("time_range") })
    }

    /// Records of the service in a window, of any level or those asked for.
    pub(super) fn search(&self, window: TimeRange, any_level: bool) -> Search {
        let service = self.service.iter().map(Service::condition);
        let level = self.floor.level().filter(|_| !any_level).map(Condition::AtLeast);
        Search { window, text: None, conditions: service.chain(level).collect() }
    }
}

/// The window just before, and the same a week earlier.
fn usual(window: TimeRange) -> Vec<(String, TimeRange)> {
    let length = Duration::from_secs_f64(window.seconds());
    let before = window.earlier(length).map(|before| ("the window before".to_owned(), before));
    let week = (length < WEEK).then(|| window.earlier(WEEK)).flatten();
    before.into_iter().chain(week.map(|week| ("the same window 7d earlier".to_owned(), week))).collect()
}

/// A window in which a pattern was looked for.
pub(super) struct Looked {
    pub(super) name: String,
    pub(super) window: TimeRange,
    /// Records of any level.
    pub(super) recorded: u64,
    pub(super) sample: Reply<Sample>,
}

impl Looked {
    /// Whether every record was read.
    pub(super) fn complete(&self) -> bool {
        matches!(self.sample.value.total, Total::Exactly(total) if total <= self.sample.value.records.len() as u64)
    }

    /// Records for each one that was read.
    pub(super) fn scale(&self) -> f64 {
        let read = self.sample.value.records.len();
        if read == 0 { 0.0 } else { self.sample.value.total.number() as f64 / read as f64 }
    }

    pub(super) fn records(&self) -> &[Record] {
        &self.sample.value.records
    }
}

/// Everything the answer is made of.
pub(super) struct Gathered<'a> {
    pub(super) asked: &'a Asked,
    pub(super) now: Looked,
    pub(super) before: Vec<Looked>,
    pub(super) levels: Result<Reply<Top>, ToolError>,
    /// Names of services near to one of which nothing is recorded.
    pub(super) near: Vec<Untrusted>,
    /// What could not be asked, and why.
    pub(super) failed: Vec<String>,
}

/// Asks for totals and samples.
///
/// # Errors
/// When the window itself can't be read. A baseline that can't is a caveat.
pub(super) async fn gather<'a>(
    cx: &Context,
    store: &dyn Logs,
    asked: &'a Asked,
) -> Result<Gathered<'a>, ToolError> {
    let mut failed = Vec::new();
    let baselines = recorded_baselines(cx, store, asked, &mut failed).await;
    let now = look(cx, store, asked, ("the window", asked.window, SAMPLE));
    let before = join_all(
        baselines.iter().map(|(name, window)| look(cx, store, asked, (name, *window, BASELINE_SAMPLE))),
    );
    let search = asked.search(asked.window, false);
    let key = Key::Role(Role::Level);
    let ((now, before), levels) = join(join(now, before), store.top(cx, &search, &key, 8)).await;
    let mut looked = Vec::new();
    for ((name, _), result) in baselines.iter().zip(before) {
        match result {
            Ok(one) => looked.push(one),
            Err(error) => failed.push(format!("{name} could not be read: {error}")),
        }
    }
    let mut gathered = Gathered { asked, now: now?, before: looked, levels, near: Vec::new(), failed };
    let nowhere = std::iter::once(&gathered.now).chain(&gathered.before).all(|one| one.recorded == 0);
    if let (Some(service), true) = (&asked.service, nowhere) {
        // Whoever mistyped a name should hear it; that this can't be asked is no reason to fail.
        gathered.near =
            services_near(cx, store, asked.window, service.name.inside()).await.unwrap_or_default();
    }
    Ok(gathered)
}

/// The baselines as far as anything is recorded in them.
async fn recorded_baselines(
    cx: &Context,
    store: &dyn Logs,
    asked: &Asked,
    failed: &mut Vec<String>,
) -> Vec<(String, TimeRange)> {
    let known = join_all(asked.baselines.iter().map(|(_, window)| recorded(cx, store, *window))).await;
    let mut found = Vec::new();
    for ((name, window), known) in asked.baselines.iter().zip(known) {
        match known {
            Ok(Some(known)) if known.seconds() >= 0.98 * window.seconds() => {
                found.push((name.clone(), *window))
            }
            Ok(Some(known)) => {
                let since = time_text(known.start());
                found.push((format!("{name}, of which nothing before {since} is recorded"), known));
            }
            Ok(None) => {
                failed.push(format!("nothing at all is recorded in {name}, {window}: it is no baseline"))
            }
            Err(error) => failed.push(format!("{name} could not be read: {error}")),
        }
    }
    found
}

async fn look(
    cx: &Context,
    store: &dyn Logs,
    asked: &Asked,
    (name, window, size): (&str, TimeRange, usize),
) -> Result<Looked, ToolError> {
    let (all, wanted) = (asked.search(window, true), asked.search(window, false));
    let (recorded, sample) = join(store.total(cx, &all), store.sample(cx, &wanted, size)).await;
    Ok(Looked { name: name.to_owned(), window, recorded: recorded?.value.number(), sample: sample? })
}

/// Counts the head of the list exactly where the samples are not everything: the patterns of each service together.
pub(super) async fn recount(cx: &Context, store: &dyn Logs, gathered: &Gathered<'_>, rows: &mut [Row]) {
    let trusted = |row: &Row| row.like.clone().filter(|like| finds_only_its_own(store, gathered, row, like));
    let mut heads: BTreeMap<Option<Untrusted>, Vec<(usize, Like)>> = BTreeMap::new();
    for (place, row) in rows.iter().enumerate().take(HEAD).filter(|(_, row)| !row.exact) {
        if let Some(like) = trusted(row) {
            heads.entry(row.service.clone()).or_default().push((place, like));
        }
    }
    let counted = join_all(heads.into_iter().map(|(service, head)| async move {
        let tallies = tallies(cx, store, gathered, service.as_ref(), &head).await;
        (head, tallies)
    }))
    .await;
    for (head, tallies) in counted {
        let Ok(tallies) = tallies else { continue };
        for (number, (place, _)) in head.iter().enumerate() {
            let own: Option<Vec<&Tally>> = tallies.iter().map(|reply| reply.value.get(number)).collect();
            if let (Some(own), Some(row)) = (own, rows.get_mut(*place)) {
                row.counted(&own, gathered);
            }
        }
    }
}

/// The counts of one service's patterns: of the window first, then of each baseline.
async fn tallies(
    cx: &Context,
    store: &dyn Logs,
    gathered: &Gathered<'_>,
    service: Option<&Untrusted>,
    head: &[(usize, Like)],
) -> Result<Vec<Reply<Vec<Tally>>>, ToolError> {
    let likes: Vec<Like> = head.iter().map(|(_, like)| like.clone()).collect();
    let windows = std::iter::once(&gathered.now).chain(&gathered.before);
    let searches: Vec<Search> = windows.map(|one| of_service(gathered, one.window, service)).collect();
    let counted = join_all(searches.iter().map(|search| store.tallies(cx, search, &likes))).await;
    counted.into_iter().collect()
}

/// The records of one service, at the levels asked for.
fn of_service(gathered: &Gathered<'_>, window: TimeRange, service: Option<&Untrusted>) -> Search {
    let mut search = gathered.asked.search(window, false);
    let is_one = gathered.asked.service.as_ref().is_some_and(|asked| !asked.is_several());
    if let (Some(service), false) = (service, is_one) {
        search.conditions.push(Condition::Is(Role::Service, service.inside().to_owned()));
    }
    search
}

/// Whether the filter finds every record of its pattern that was read, and none of another one of its service.
fn finds_only_its_own(store: &dyn Logs, gathered: &Gathered<'_>, row: &Row, like: &Like) -> bool {
    let windows =
        std::iter::once((&gathered.now, &row.mined.now)).chain(gathered.before.iter().zip(&row.mined.before));
    windows.into_iter().all(|(looked, own)| {
        let own: BTreeSet<usize> = own.iter().copied().collect();
        let mut records =
            looked.records().iter().enumerate().filter(|(_, record)| record.service == row.service);
        records.all(|(index, record)| store.finds(like, record.message.inside()) == own.contains(&index))
    })
}

/// When surging patterns began to surge, by their counts over time; new ones began with their first record.
pub(super) async fn onsets(cx: &Context, store: &dyn Logs, gathered: &Gathered<'_>, rows: &mut [Row]) {
    let surging = |row: &&mut Row| row.class == Class::Surging;
    for row in rows.iter_mut().take(HEAD).filter(surging).take(ONSETS) {
        let Some((lead_in, whole, step)) = with_lead_in(gathered) else { return };
        let counts = if gathered.now.complete() && gathered.before.first().is_some_and(Looked::complete) {
            Some(counts_read(gathered, row, whole, step))
        } else {
            match (&row.like, row.exact) {
                (Some(like), true) => {
                    let search = of_service(gathered, whole, row.service.as_ref());
                    counts_asked(cx, store, search, like, step).await
                }
                _ => None,
            }
        };
        let Some(counts) = counts else { continue };
        let judged = judge(&Stream { counts: &counts, window: lead_in, earlier: &[] });
        let spike = judged.anomalies.iter().find(|found| found.kind == Kind::Spike);
        row.onset = spike.and_then(|found| {
            whole.start().checked_add(step.checked_mul(u32::try_from(found.from).ok()?)?).ok()
        });
    }
}

/// The window with the one before it, in steps: those of the lead-in, both windows, and the length of a step.
fn with_lead_in(gathered: &Gathered<'_>) -> Option<(usize, TimeRange, Duration)> {
    let before = gathered.before.first().filter(|one| one.window.end() == gathered.asked.window.start())?;
    let step = Duration::from_secs((before.window.seconds() / f64::from(STEPS)).round().max(1.0) as u64);
    let whole = TimeRange::new(before.window.start(), gathered.asked.window.end()).ok()?;
    Some(((before.window.seconds() / step.as_secs_f64()) as usize, whole, step))
}

fn counts_read(gathered: &Gathered<'_>, row: &Row, whole: TimeRange, step: Duration) -> Vec<u64> {
    let steps = (whole.seconds() / step.as_secs_f64()).ceil() as usize;
    let mut counts = vec![0; steps];
    let before = gathered.before.first().zip(row.mined.before.first());
    for (looked, own) in std::iter::once((&gathered.now, &row.mined.now)).chain(before) {
        let moments = own.iter().filter_map(|index| looked.records().get(*index)?.at);
        for at in moments {
            let place = (at.duration_since(whole.start()).as_secs_f64() / step.as_secs_f64()).floor();
            if let Some(count) = counts.get_mut(place.max(0.0) as usize) {
                *count += 1;
            }
        }
    }
    counts
}

async fn counts_asked(
    cx: &Context,
    store: &dyn Logs,
    mut search: Search,
    like: &Like,
    step: Duration,
) -> Option<Vec<u64>> {
    search.conditions.push(Condition::Like(like.clone()));
    let reply: Reply<Histogram> = store.histogram(cx, &search, step, None).await.ok()?;
    Some(reply.value.total)
}

/// How often a pattern was seen in a window.
pub(super) fn seen(count: u64, window: TimeRange) -> Seen {
    Seen { count, seconds: window.seconds() }
}
