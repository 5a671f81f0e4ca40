//! Asking the store: totals, samples of the window and its baselines, exact counts of the head of the list.

use std::{sync::Arc, time::Duration};

use contract::{Context, TimeRange, TimeSpec, ToolError, Untrusted, time_text};
use futures_util::future::{join, join_all, join4};
use jiff::{SignedDuration, Timestamp};

use super::{
    Floor, LONGEST, Request, USUAL,
    baselines::{self, Planned},
    judge::Row,
};
use crate::{
    analysis::{difference::Seen, mined::like},
    backend::{Logs, Sources},
    model::{Condition, Freshness, Like, Record, Reply, Role, Sample, Search},
    tools::{
        asking::{self, Absence, Service, Unlevelled, guessed_levels, unlevelled},
        recount::{Wanted, finds_only_its_own, tallies},
        rest::{Rest, with_rest},
    },
};

/// Records read of the window, and of each baseline.
const SAMPLE: usize = 4_000;
const BASELINE_SAMPLE: usize = 2_000;
/// From this share of the window on, time without any record before is left out.
const UNRECORDED: f64 = 0.02;
/// The share of the window that may be on its way without being told.
const ON_ITS_WAY: f64 = 0.1;
/// Patterns that are counted exactly.
pub(super) const HEAD: usize = 30;

/// What was asked for.
pub(super) struct Asked {
    pub(super) window: TimeRange,
    /// The baseline that was asked for.
    pub(super) baseline: Option<TimeRange>,
    pub(super) service: Option<Service>,
    pub(super) floor: Floor,
    /// What is to be said of a window that was cut to the past, or to what is recorded.
    pub(super) cut: Vec<String>,
    /// That no record comes any more, in a sentence.
    pub(super) stopped: Option<String>,
}

impl Asked {
    pub(super) fn of(cx: &Context, sources: &Sources, request: &Request) -> Result<Asked, ToolError> {
        let spec = request.time_range.as_ref().unwrap_or(&TimeSpec::Last(USUAL));
        let past = cx.past("time_range", spec, LONGEST)?;
        let window = past.window;
        let spec = request.baseline.as_ref();
        let baseline = spec.map(|spec| cx.window("baseline", spec, LONGEST)).transpose()?;
        if let Some(given) = baseline.filter(|one| one.end() > window.start()) {
            return Err(ToolError::invalid("baseline", &format!("{given} overlaps the window, {window}"))
                .remedy("a window that ends before time_range begins"));
        }
        let service = Service::of(cx, sources, request.service.as_deref());
        let floor = request.level.unwrap_or(Floor::Warn);
        Ok(Asked {
            window,
            baseline,
            service,
            floor,
            cut: past.caveat("time_range").into_iter().collect(),
            stopped: None,
        })
    }

    /// The window from the first record of the store to the last one before a time in which none came, though many are
    /// usual: over a time in which nothing was recorded there is no rate. That this can't be asked is told with the baselines.
    pub(super) async fn where_recorded(mut self, cx: &Context, store: &dyn Logs) -> Asked {
        let least = Duration::from_secs_f64(UNRECORDED * self.window.seconds());
        if let Ok(Some(first)) = asking::begins(cx, store, self.window, least).await
            && let Ok(window) = TimeRange::new(first, self.window.end())
        {
            self.window = window;
            self.cut
                .push(format!("nothing before {} is recorded: the window begins there", time_text(first)));
        }
        if let Some(last) = asking::stops(cx, store, self.window).await
            && let Ok(window) = TimeRange::new(self.window.start(), self.window.end().min(just_after(last)))
        {
            let (last, end) = (time_text(last), time_text(self.window.end()));
            self.cut.push(format!("nothing between {last} and {end} is recorded: the window ends there"));
            self.stopped = Some(format!("Nothing of any service is recorded between {last} and {end}."));
            self.window = window;
        }
        self
    }

    /// Records of the service in a window, of any level or those asked for.
    pub(super) fn search(&self, window: TimeRange, any_level: bool) -> Search {
        let service = self.service.iter().map(Service::condition);
        let level = self.floor.level().filter(|_| !any_level).map(Condition::AtLeast);
        Search { window, text: None, conditions: service.chain(level).collect() }
    }
}

/// The next whole second, for a window ends before its end.
fn just_after(last: Timestamp) -> Timestamp {
    Timestamp::from_second(last.as_second() + 1).unwrap_or(last)
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
        self.sample.value.is_whole()
    }

    /// How often a pattern with these records was seen in the last part of the window, so many seconds.
    pub(super) fn seen<'a>(&self, own: impl Iterator<Item = &'a Record>, seconds: f64) -> Seen {
        Seen::sampled(own.map(|record| record.weight), self.sample.value.share(), seconds)
    }

    /// Records of any level a minute.
    pub(super) fn rate(&self) -> f64 {
        self.recorded as f64 * 60.0 / self.window.seconds()
    }

    pub(super) fn records(&self) -> &[Record] {
        &self.sample.value.records
    }
}

/// Everything the answer is made of.
pub(super) struct Gathered {
    pub(super) asked: Asked,
    pub(super) now: Looked,
    /// How those of the window were read that no frequent pattern finds.
    pub(super) rest: Rest,
    pub(super) before: Vec<Looked>,
    /// Until when the records of the window have arrived, where a notable part has not.
    pub(super) arrived: Option<Timestamp>,
    /// What is to be said of a search by level.
    pub(super) guessed: Option<String>,
    /// Records of the window that tell no level, where there are any and one was asked for.
    pub(super) unlevelled: Option<Unlevelled>,
    /// When the service logs, where the window has no record of it.
    pub(super) absence: Option<Absence>,
    /// What could not be asked, and why.
    pub(super) failed: Vec<String>,
}

/// Asks for totals and samples.
///
/// # Errors
/// When the window itself can't be read. A baseline that can't is a caveat.
pub(super) async fn gather(
    cx: &Context,
    shared: &Arc<dyn Logs>,
    asked: Asked,
) -> Result<Gathered, ToolError> {
    let store = shared.as_ref();
    let mut failed = Vec::new();
    let baselines = baselines::recorded(cx, store, &asked, &mut failed).await;
    let now = look(cx, store, &asked, ("the window", asked.window, SAMPLE));
    let before = join_all(
        baselines.iter().map(|one| look(cx, store, &asked, (&one.name, one.window, BASELINE_SAMPLE))),
    );
    let search = asked.search(asked.window, false);
    let any_level = asked.search(asked.window, true);
    let levels = join(guessed_levels(cx, store, &search), unlevelled(cx, store, &search));
    let (now, before, (guessed, unlevelled), fresh) =
        join4(now, before, levels, store.freshness(cx, &any_level)).await;
    let arrived = match fresh {
        Ok(fresh) => arrived_until(cx.now, asked.window, &fresh.value),
        Err(error) => {
            failed.push(format!("how late records arrive could not be asked: {error}"));
            None
        }
    };
    let mut looked = Vec::new();
    for (Planned { name, .. }, result) in baselines.iter().zip(before) {
        match result {
            Ok(one) => looked.push(one),
            Err(error) => failed.push(format!("{name} could not be read: {error}")),
        }
    }
    let mut now = now?;
    let rest;
    (now.sample, rest) = with_rest(cx, shared, &search, now.sample, SAMPLE).await;
    let mut gathered =
        Gathered { asked, now, rest, before: looked, arrived, guessed, unlevelled, absence: None, failed };
    if let (Some(service), 0) = (&gathered.asked.service, gathered.now.recorded) {
        gathered.absence = Some(Absence::of(cx, store, gathered.asked.window, service).await);
    }
    Ok(gathered)
}

/// Until when 95 % of the records have arrived, by how late recent ones did; where no field tells that, the newest record of
/// a window that ends now. `None` when no more than [`ON_ITS_WAY`] of the window is missing.
fn arrived_until(now: Timestamp, window: TimeRange, fresh: &Freshness) -> Option<Timestamp> {
    let missing = SignedDuration::try_from_secs_f64(ON_ITS_WAY * window.seconds()).ok()?;
    let until = match fresh.lag_seconds {
        Some((_, most)) => now.checked_sub(SignedDuration::try_from_secs_f64(most.max(0.0)).ok()?).ok()?,
        None if now.duration_since(window.end()) < missing => fresh.newest?,
        None => return None,
    };
    (window.end().duration_since(until) > missing).then_some(until.max(window.start()))
}

async fn look(
    cx: &Context,
    store: &dyn Logs,
    asked: &Asked,
    (name, window, size): (&str, TimeRange, usize),
) -> Result<Looked, ToolError> {
    let (all, wanted) = (asked.search(window, true), asked.search(window, false));
    let (recorded, sample) = join(store.total(cx, &all), store.sample(cx, &wanted, size)).await;
    let (recorded, mut sample) = (recorded?, sample?);
    sample.also(recorded.partial);
    Ok(Looked { name: name.to_owned(), window, recorded: recorded.value.number(), sample })
}

/// Counts the head of the list exactly where the samples are not everything: the patterns of each service together.
pub(super) async fn recount(cx: &Context, store: &dyn Logs, gathered: &mut Gathered, rows: &mut [Row]) {
    let head = rows.iter().enumerate().take(HEAD).filter(|(_, row)| !row.is_exact());
    let wanted = head.filter_map(|(place, row)| {
        Some(Wanted { place, service: row.service.clone(), like: row.like.clone()? })
    });
    let wanted: Vec<Wanted> = wanted.collect();
    let searches = |service: Option<&Untrusted>| {
        let windows = std::iter::once(&gathered.now).chain(&gathered.before);
        windows.map(|one| of_service(gathered, one.window, service)).collect()
    };
    let counted = tallies(cx, store, wanted, searches).await;
    gathered.failed.extend(counted.failed);
    for (place, counts) in counted.tallies {
        if let Some(row) = rows.get_mut(place) {
            row.counted(&counts);
        }
    }
}

/// The filter of a pattern, if it finds its records and no others among all that were read.
pub(super) fn trusted(store: &dyn Logs, gathered: &Gathered, row: &Row) -> Option<Like> {
    let before = gathered.before.iter().zip(&row.mined.before);
    let windows = std::iter::once((&gathered.now, &row.mined.now)).chain(before);
    let windows = windows.map(|(looked, own)| (looked.records(), own.as_slice()));
    like(&row.mined.pattern).filter(|like| finds_only_its_own(store, (row.service.as_ref(), like), windows))
}

/// The records of one service, at the levels asked for.
pub(super) fn of_service(gathered: &Gathered, window: TimeRange, service: Option<&Untrusted>) -> Search {
    let mut search = gathered.asked.search(window, false);
    let is_one = gathered.asked.service.as_ref().is_some_and(|asked| !asked.is_several());
    if let (Some(service), false) = (service, is_one) {
        search.conditions.push(Condition::Is(Role::Service, service.inside().to_owned()));
    }
    search
}
