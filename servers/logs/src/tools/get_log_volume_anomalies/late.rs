//! Streams whose records arrive late: what is missing at their end is no silence.

use contract::{Context, TimeRange, ToolError, Untrusted, time_text};
use futures_util::future::join_all;
use jiff::Timestamp;

use super::{count::Counted, gather::Judged, rows::is_quiet, when::When, words};
use crate::{
    analysis::{
        lag::{Late, late},
        volume::Anomaly,
    },
    backend::Logs,
    model::{Condition, Reply, Role, Search},
    tools::asking::Service,
};

/// Services that log most of which is asked how late they arrive, whether or not they went quiet.
const TIMED: usize = 12;
/// Streams that went quiet of which it is asked.
const SUSPECTS: usize = 24;
/// Streams of which it is asked at once: a source has few places for one caller.
const AT_ONCE: usize = 4;
/// A delay (95th percentile) from which on it is looked at since when, in seconds.
const SLOW: f64 = 60.0;
/// Records read for that.
const SAMPLE: usize = 400;
/// How far back a service without records is looked at.
const BACK: jiff::SignedDuration = jiff::SignedDuration::from_hours(6);

/// A stream that arrives late.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Latecomer {
    /// Its value, with the role.
    pub(super) of: (Role, Untrusted),
    /// Within so many seconds 95 % of its records arrive.
    within: f64,
    /// Since when it is so, where that is within the window.
    onset: Option<Late>,
    /// Whether it went quiet for that reason only.
    pub(super) is_only_late: bool,
    /// What was asked for that.
    pub(super) search: Search,
    /// The request, for evidence.
    pub(super) sent: String,
}

impl Latecomer {
    /// So many seconds at the end may lack records, in steps of this length. That much more than the delay it takes until
    /// one knows that nothing more arrives.
    fn reach(&self, step: f64) -> f64 {
        let delay = self.onset.map_or(self.within, |onset| onset.now.max(self.within));
        1.5 * delay + 2.0 * step
    }

    /// Whether what is missing from a moment on has only not arrived yet. Less than a step at the end is never told as quiet.
    pub(super) fn explains(&self, missing: f64, step: f64) -> bool {
        (self.onset.is_some() || self.within >= step) && missing <= self.reach(step)
    }

    /// As a row says it: `8m late (2s before)`.
    pub(super) fn change(&self) -> String {
        match self.onset {
            Some(Late { now, before: Some(before), .. }) => {
                format!("{} late ({} before)", words::duration(now), words::duration(before))
            }
            Some(Late { now, before: None, .. }) => format!("{} late", words::duration(now)),
            None => format!("95 % within {}", words::duration(self.within)),
        }
    }

    /// As a sentence goes on: `arrive 8m late since 2026-01-14T14:52:00Z`.
    pub(super) fn told(&self) -> String {
        match self.onset {
            Some(Late { now, since, .. }) => {
                format!("arrive {} late since {}", words::duration(now), time_text(since))
            }
            None => format!("arrive late, 95 % within {}", words::duration(self.within)),
        }
    }

    /// Since when, where that is known.
    pub(super) fn since(&self) -> Option<Timestamp> {
        self.onset.map(|onset| onset.since)
    }
}

/// A stream of which it is asked how late it arrives.
struct Candidate {
    of: (Role, Untrusted),
    condition: Option<Condition>,
    quiet: Quiet,
}

/// Whether a stream went quiet at the end.
#[derive(Clone, Copy)]
enum Quiet {
    No,
    Since(Timestamp),
    /// All the time that was counted.
    Throughout,
}

/// What is looked at.
pub(super) struct Looked<'a> {
    pub(super) cx: &'a Context,
    pub(super) store: &'a dyn Logs,
    pub(super) asked: TimeRange,
    pub(super) when: &'a When,
    /// The service that was asked for.
    pub(super) service: Option<&'a Service>,
}

impl Looked<'_> {
    /// The streams that arrive late: those that went quiet for that reason only, and those that log most.
    pub(super) async fn latecomers(
        &self,
        counted: Option<&Counted>,
        streams: &[Judged],
        failed: &mut Vec<String>,
    ) -> Vec<Latecomer> {
        let mut candidates = self.suspects(streams);
        if candidates.len() > SUSPECTS {
            let more = candidates.len() - SUSPECTS;
            failed.push(format!(
                "of {more} more streams that went quiet it was not asked whether they arrive late"
            ));
            candidates.truncate(SUSPECTS);
        }
        for of in self.timed(counted) {
            if candidates.len() < TIMED && candidates.iter().all(|one| one.of != of) {
                candidates.push(self.candidate(of, Quiet::No));
            }
        }
        let mut looked = Vec::new();
        for some in candidates.chunks(AT_ONCE) {
            looked.extend(join_all(some.iter().map(|one| self.look(one))).await);
        }
        let mut found = Vec::new();
        for (candidate, looked) in candidates.iter().zip(looked) {
            match (looked, candidate.quiet) {
                (Ok(latecomer), _) => found.extend(latecomer),
                // What logs as usual is left to the counts.
                (Err(_), Quiet::No) => {}
                (Err(error), _) => failed.push(format!(
                    "whether {} arrives late could not be asked: {error}",
                    words::value(&candidate.of)
                )),
            }
        }
        found.sort_by(|one: &Latecomer, other| {
            other.reach(0.0).total_cmp(&one.reach(0.0)).then_with(|| one.of.cmp(&other.of))
        });
        found
    }

    /// The streams that went quiet up to the end, the most certain first.
    fn suspects(&self, streams: &[Judged]) -> Vec<Candidate> {
        if let (Some(service), Some(all)) = (self.service, streams.first())
            && all.counts.iter().all(|count| *count == 0)
        {
            return vec![self.candidate((Role::Service, service.name.clone()), Quiet::Throughout)];
        }
        let whole = self.service.map(|service| (Role::Service, service.name.clone()));
        let mut quiet: Vec<(&Anomaly, (Role, Untrusted))> = Vec::new();
        for one in streams {
            let at_end = |found: &&Anomaly| is_quiet(found) && found.to >= one.counts.len();
            let found = one.judgement.anomalies.iter().find(at_end);
            let of = one.value.clone().or_else(|| whole.clone());
            quiet.extend(found.zip(of));
        }
        quiet.sort_by(|(one, _), (other, _)| other.score.total_cmp(&one.score));
        let candidate =
            |(found, of): (&Anomaly, _)| self.candidate(of, Quiet::Since(self.when.begins(found.from)));
        quiet.into_iter().map(candidate).collect()
    }

    /// The service asked for, or those that log most.
    fn timed(&self, counted: Option<&Counted>) -> Vec<(Role, Untrusted)> {
        let by = counted.map(|one| one.now.value.by.as_slice()).unwrap_or_default();
        let role = counted.map_or(Role::Service, |one| one.role);
        let logging = by.iter().filter(|(_, counts)| counts.iter().any(|count| *count > 0));
        match self.service {
            Some(service) => vec![(Role::Service, service.name.clone())],
            None => logging.take(TIMED).map(|(name, _)| (role, name.clone())).collect(),
        }
    }

    fn candidate(&self, of: (Role, Untrusted), quiet: Quiet) -> Candidate {
        // The service asked for may have other names in logs: its condition stands beside this one.
        let is_asked = self.service.is_some() && of.0 == Role::Service;
        let condition = (!is_asked).then(|| Condition::Is(of.0, of.1.inside().to_owned()));
        Candidate { of, condition, quiet }
    }

    fn search(&self, candidate: &Candidate, start: Timestamp) -> Result<Search, ToolError> {
        let window = TimeRange::new(start, self.asked.end())
            .map_err(|error| ToolError::invalid("time_range", &error.to_string()))?;
        let conditions = self.service.map(Service::condition).into_iter().chain(candidate.condition.clone());
        Ok(Search { window, text: None, conditions: conditions.collect() })
    }

    /// Asks how late a stream arrives.
    async fn look(&self, candidate: &Candidate) -> Result<Option<Latecomer>, ToolError> {
        let begin = self.when.whole.start();
        let start = match candidate.quiet {
            Quiet::Throughout => self.asked.end().checked_sub(BACK).map_or(begin, |back| back.min(begin)),
            _ => begin,
        };
        let search = self.search(candidate, start)?;
        let Reply { value: fresh, sent, .. } = self.store.freshness(self.cx, &search).await?;
        let Some((_, within)) = fresh.lag_seconds else { return Ok(None) };
        let onset = if within >= SLOW { self.onset(candidate).await } else { None };
        let mut late =
            Latecomer { of: candidate.of.clone(), within, onset, is_only_late: false, search, sent };
        let since = match candidate.quiet {
            Quiet::No => None,
            Quiet::Since(since) => Some(since),
            Quiet::Throughout => fresh.newest,
        };
        let missing = since.map(|since| self.cx.now.duration_since(since).as_secs_f64());
        late.is_only_late =
            missing.is_some_and(|missing| late.explains(missing, self.when.step.as_secs_f64()));
        Ok((late.onset.is_some() || late.is_only_late).then_some(late))
    }

    /// Since when it does, where that is within the window.
    async fn onset(&self, candidate: &Candidate) -> Option<Late> {
        let search = self.search(candidate, self.asked.start()).ok()?;
        let sample = self.store.sample(self.cx, &search, SAMPLE).await.ok()?.value;
        let moments = sample.records.iter().filter_map(|record| Some((record.at?, record.ingested?)));
        late(&moments.collect::<Vec<_>>())
    }
}
