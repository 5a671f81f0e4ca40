//! The order of what left its usual range, and what of it is the same story told twice.
//!
//! Beyond a dozen spreads a departure is certain, and how many more there are says little about the cause: latency can
//! rise a thousandfold, a limit can't. So scores end there, and of what is certain the first to move comes first. What
//! moved at the same moment is ordered by what can cause the rest: settings and states, which do not vary by
//! themselves; then demand; then everything else by its score; what came or went altogether last.

use std::collections::BTreeSet;

use signal::Direction;

use super::{
    moment::Split,
    score::{Verdict, judge},
    signals::{Signal, What},
};

/// From so many spreads on a signal is unusual.
pub(crate) const UNUSUAL: f64 = 5.0;
/// From so many spreads on it is certain.
pub(crate) const CERTAIN: f64 = 12.0;
/// A service is hit when so many of its metrics certainly left their range.
const SEVERAL: usize = 4;
/// Onsets so many steps apart are one moment.
const SAME_MOMENT: usize = 1;
/// Signals that correlate by more than this tell the same story.
const SAME_STORY: f64 = 0.95;
/// Of so many signals it is looked at whether they tell the same story.
const MOST_COMPARED: usize = 150;

/// A signal that is unusual.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ranked {
    /// Its place among the signals.
    pub(crate) signal: usize,
    pub(crate) verdict: Verdict,
    /// Of the certain ones: those with the same number moved at the same moment. Ascending in time.
    pub(crate) cohort: usize,
}

/// A signal with those that tell the same story.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Story {
    pub(crate) lead: Ranked,
    /// Other metrics, in their order.
    pub(crate) with: Vec<Ranked>,
    /// How many other label sets of the same metric are unusual as well.
    pub(crate) alike: usize,
}

/// What can cause what, among things that moved at the same moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// A limit, a number of replicas, whether it is up.
    Setting,
    /// Requests that come in.
    Demand,
    Other,
    /// It restates others.
    Rule,
    /// Samples began or ended.
    Presence,
}

/// The unusual signals, the most telling first. The order does not depend on the order of the signals.
pub(crate) fn rank(signals: &[Signal], split: &Split) -> Vec<Ranked> {
    let judged = signals.iter().enumerate().filter_map(|(place, signal)| {
        let verdict = judge(&signal.values, signal.scale, split)?;
        // That there are more series is a matter of cardinality.
        let only_more = signal.what == What::Series && verdict.direction == Direction::Up;
        (verdict.score >= UNUSUAL && !only_more).then_some((place, signal, verdict))
    });
    let mut all: Vec<(usize, &Signal, Verdict)> = judged.collect();
    let onset = |verdict: &Verdict| verdict.onset.unwrap_or(usize::MAX);
    let sure = |verdict: &Verdict| verdict.score.min(CERTAIN);
    let name = |signal: &Signal| (signal.metric.clone(), signal.what, signal.tags.clone());
    all.sort_by(|(_, one, verdict), (_, other, other_verdict)| {
        (sure(other_verdict).total_cmp(&sure(verdict)))
            .then_with(|| onset(verdict).cmp(&onset(other_verdict)))
            .then_with(|| name(one).cmp(&name(other)))
    });
    let (mut cohort, mut begin) = (0, 0);
    let mut numbered: Vec<(usize, usize, &Signal, Verdict)> = Vec::new();
    for (place, signal, verdict) in all {
        let is_same = verdict.score >= CERTAIN && onset(&verdict) <= begin + SAME_MOMENT;
        if !is_same {
            (cohort, begin) = (cohort + 1, onset(&verdict).min(usize::MAX - SAME_MOMENT));
        }
        numbered.push((cohort, place, signal, verdict));
    }
    numbered.sort_by(|(cohort, _, one, verdict), (other_cohort, _, other, other_verdict)| {
        (cohort.cmp(other_cohort))
            .then_with(|| cause(one, verdict).cmp(&cause(other, other_verdict)))
            .then_with(|| other_verdict.score.total_cmp(&verdict.score))
            .then_with(|| name(one).cmp(&name(other)))
    });
    numbered.into_iter().map(|(cohort, signal, _, verdict)| Ranked { signal, verdict, cohort }).collect()
}

/// The unusual signals, and how the window was divided for them. Where no signal certainly left the baseline, the baseline
/// may hold what is looked for: then its first part is the baseline, as long as something left that to stay away.
pub(crate) fn rank_steadily(signals: &[Signal], split: Split) -> (Vec<Ranked>, Split) {
    let ranked = rank(signals, &split);
    let is_certain = |one: &Ranked| one.verdict.score >= CERTAIN;
    if ranked.iter().any(is_certain) {
        return (ranked, split);
    }
    // Where the store or a service is younger than the window, everything appears: that is no change.
    let is_shift = |one: &Ranked| matches!(one.verdict.direction, Direction::Up | Direction::Down);
    let stays = |one: &Ranked| {
        is_certain(one) && is_shift(one) && one.verdict.onset.is_some() && !one.verdict.is_back
    };
    let within = split.within_baseline().map(|split| (rank(signals, &split), split));
    let found = within.into_iter().find(|(ranked, _)| ranked.iter().any(stays));
    found.unwrap_or((ranked, split))
}

fn cause(signal: &Signal, verdict: &Verdict) -> Rank {
    if signal.what == What::Series || matches!(verdict.direction, Direction::Appeared | Direction::Vanished) {
        Rank::Presence
    } else if signal.metric.contains(':') {
        Rank::Rule
    } else if signal.what == What::Value && verdict.was_constant {
        Rank::Setting
    } else if is_demand(signal) {
        Rank::Demand
    } else {
        Rank::Other
    }
}

/// Whether it counts all requests that come in, by the words of its name.
fn is_demand(signal: &Signal) -> bool {
    const REQUESTS: [&str; 4] = ["request", "handled", "rpc_server", "messages_received"];
    let name = signal.metric.as_str();
    signal.what == What::PerSecond
        && signal.is_total
        && REQUESTS.iter().any(|word| name.contains(word))
        && !name.contains("client")
}

/// Puts those together that tell the same story: other label sets of the same metric, and metrics that go up and down
/// with it. In an incident everything steps at once, so it is what remains beside the step that must correlate.
pub(crate) fn stories(ranked: &[Ranked], signals: &[Signal], split: &Split) -> Vec<Story> {
    let mut leads: Vec<(&Ranked, usize)> = Vec::new();
    for one in ranked {
        let metric = |one: &Ranked| signals.get(one.signal).map(|signal| (&signal.metric, service(signal)));
        match leads.iter_mut().find(|(lead, _)| metric(lead) == metric(one)) {
            Some((_, alike)) => *alike += 1,
            None => leads.push((one, 0)),
        }
    }
    let remains: Vec<Vec<f64>> = leads
        .iter()
        .take(MOST_COMPARED)
        .filter_map(|(lead, _)| signals.get(lead.signal))
        .map(|signal| without_step(&signal.values, split))
        .collect();
    let slices: Vec<&[f64]> = remains.iter().map(Vec::as_slice).collect();
    let groups = signal::together(&slices, SAME_STORY);
    let alone = (slices.len()..leads.len()).map(|place| vec![place]);
    let story = |group: Vec<usize>| {
        let mut members = group.iter().filter_map(|place| leads.get(*place));
        let (lead, alike) = members.next()?;
        Some(Story {
            lead: (*lead).clone(),
            with: members.map(|(one, _)| (*one).clone()).collect(),
            alike: *alike,
        })
    };
    groups.into_iter().chain(alone).filter_map(story).collect()
}

/// The service that a signal is of, where several were read.
pub(crate) fn service(signal: &Signal) -> Option<&str> {
    signal.service.as_deref()
}

/// The values less the median of their own side of the split.
fn without_step(values: &[f64], split: &Split) -> Vec<f64> {
    let (before, after) = values.split_at(split.at.min(values.len()));
    let less = |part: &[f64]| {
        let level = signal::median(part).unwrap_or(0.0);
        part.iter().map(|value| value - level).collect::<Vec<_>>()
    };
    [less(before), less(after)].concat()
}

/// The services, the worst first: those with several metrics that certainly left their range before those with a few,
/// which may be a batch; within both, in the order of their first unusual signal.
pub(crate) fn services<'s>(ranked: &[Ranked], signals: &'s [Signal]) -> Vec<&'s str> {
    let mut all: Vec<(&str, BTreeSet<&str>)> = Vec::new();
    for one in ranked {
        let Some((signal, service)) = signals.get(one.signal).and_then(|one| Some((one, service(one)?)))
        else {
            continue;
        };
        let place = all.iter().position(|(known, _)| *known == service).unwrap_or_else(|| {
            all.push((service, BTreeSet::new()));
            all.len() - 1
        });
        if let Some((_, metrics)) = all.get_mut(place).filter(|_| one.verdict.score >= CERTAIN) {
            metrics.insert(&signal.metric);
        }
    }
    all.sort_by_key(|(_, metrics)| metrics.len() < SEVERAL);
    all.into_iter().map(|(service, _)| service).collect()
}
