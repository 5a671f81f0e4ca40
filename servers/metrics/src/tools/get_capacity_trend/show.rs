//! The answer: verdict, findings, tables, what to know about it, what next.

mod caveats;
mod requests;
mod scaling;

use contract::{Answer, Cite, Draft, Finding, Next, significant};

use super::{
    Look, chart,
    find::Found,
    measure::Measured,
    story::{about, amount, bound, fill, full_in, moves, name, percent, shorter},
};
use crate::{
    analysis::capacity::{Advice, Bound, Population, Reading, Resource, Row, advise},
    model::Series,
};

/// Findings of one kind.
const MOST: usize = 4;

/// More periods held back than this share are told.
const THROTTLED: f64 = 0.01;

/// Everything is there: the answer.
pub(super) fn answer(look: &Look<'_>, found: &Found, measured: &Measured, mut draft: Draft) -> Answer {
    let story = Story { look, found, measured };
    let verdict = story.verdict();
    story.fills(&mut draft);
    story.requests(&mut draft);
    story.throttling(&mut draft);
    story.replicas(&mut draft);
    chart::tables(found, measured, look.limit).into_iter().for_each(|table| draft.table(table));
    story.caveats(&mut draft);
    story.next(&mut draft);
    draft.conclude(verdict)
}

struct Story<'s> {
    look: &'s Look<'s>,
    found: &'s Found,
    measured: &'s Measured,
}

impl Story<'_> {
    fn name(&self, row: &Row) -> String {
        name(self.found, &row.place)
    }

    /// The share of periods in which a row's CPU was held back.
    fn throttled(&self, row: &Row) -> Option<f64> {
        (row.resource == Resource::Cpu).then(|| self.measured.throttled.get(&row.place).copied()).flatten()
    }

    fn advice(&self, row: &Row) -> Advice {
        advise(row, self.throttled(row), self.measured.plan.reading)
    }

    fn replicas_of(&self, row: &Row) -> f64 {
        self.found.replicas.get(&row.place).map_or(1.0, |replicas| replicas.last)
    }

    fn usage(&self, resource: Resource) -> Cite {
        self.measured.cites.get(&resource).map_or(self.measured.counted, |cites| cites.usage)
    }

    /// A statement about a row's usage, with what says its request and limit.
    fn on_usage(&self, statement: String, resource: Resource) -> Finding {
        let finding = Finding::new(statement, self.usage(resource));
        self.measured.bounds.into_iter().fold(finding, Finding::and)
    }

    /// `over 30d`, or `over 12 d (all there is of 30d)`.
    fn over(&self, row: &Row) -> String {
        let asked = self.look.length();
        match shorter(row) {
            Some(length) => format!("over {length} (all there is of {asked})"),
            None => format!("over {asked}"),
        }
    }

    fn verdict(&self) -> String {
        let rows = &self.measured.rows;
        let Some(first) = rows.iter().find(|row| row.telling().is_some()) else {
            return format!(
                "Nothing was measured over {}: replicas are there, but no usage of theirs. That is not zero usage.",
                self.look.length()
            );
        };
        let subject = match self.look.service {
            Some(service) => {
                let service = self.look.cx.intake.text(service).shown(80);
                let own = self.name(first);
                let whose = if own == service { String::new() } else { format!(" of {own}") };
                format!("{service}: {}{whose}", about(first))
            }
            None => {
                let what = if self.found.population.has_containers() { "containers" } else { "jobs" };
                format!("Of {} {what}, {}'s {}", self.found.replicas.len(), self.name(first), about(first))
            }
        };
        let end = first.ceiling().map_or("its end", |ceiling| bound(ceiling.bound));
        let is_over = first.used().is_some_and(|used| used > 1.0);
        let place = match first.ceiling() {
            None => "is the largest".to_owned(),
            Some(_) if is_over => format!("is beyond its {end}"),
            Some(_) => format!("is nearest to its {end}"),
        };
        let mut text = format!("{subject} {place}: {} {}", fill(first), self.over(first));
        text.push_str(&self.direction(first));
        let other = rows.iter().find(|row| row.place == first.place && row.resource != first.resource);
        if let (Some(other), Some(_)) = (other, self.look.service) {
            text.push_str(&format!("; {} {}", about(other), fill(other)));
        }
        text.push('.');
        if self.look.service.is_none() {
            text.push_str(&self.summary());
        }
        text
    }

    fn direction(&self, row: &Row) -> String {
        match (moves(row), full_in(row)) {
            (Some(moves), Some(full)) if full != "now" => {
                format!(", {moves}; usual highs reach that in {full}")
            }
            (Some(moves), _) => format!(", {moves}"),
            (None, _) if row.trend.is_some() => ", without a trend".to_owned(),
            (None, _) => ", too short for a trend".to_owned(),
        }
    }

    /// Of all workloads: how many fill up, and how many requests are wrong.
    fn summary(&self) -> String {
        let rows = &self.measured.rows;
        let fills = rows.iter().filter(|row| full_in(row).is_some_and(|full| full != "now")).count();
        let advice: Vec<Advice> = rows.iter().map(|row| self.advice(row)).collect();
        let low = advice.iter().filter(|one| matches!(one, Advice::Raise(_))).count();
        let high = advice.iter().filter(|one| matches!(one, Advice::Lower(_))).count();
        let tight = advice.iter().filter(|one| matches!(one, Advice::Tight(_))).count();
        let tight = if tight > 0 { format!(", nearly: {tight}") } else { String::new() };
        let high = match self.measured.plan.reading {
            Reading::Every(_) => high.to_string(),
            Reading::Moments => "unknown".to_owned(),
        };
        format!(" Full within a year: {fills}; requests too low: {low}{tight}, that could be lower: {high}.")
    }

    /// Which rows fill up, the soonest first.
    fn fills(&self, draft: &mut Draft) {
        // That a request is exceeded is told as a request that is too low.
        let is_told = |row: &&Row| {
            let is_request = row.ceiling().is_some_and(|ceiling| ceiling.bound == Bound::Request);
            full_in(row).is_some_and(|full| !(is_request && full == "now"))
        };
        let mut filling: Vec<(f64, &Row)> = self
            .measured
            .rows
            .iter()
            .filter(is_told)
            .filter_map(|row| Some((row.reaches()?.samples, row)))
            .collect();
        filling.sort_by(|one, other| one.0.total_cmp(&other.0));
        for (_, row) in filling.iter().take(MOST) {
            let (Some(moves), Some(full), Some(ceiling)) = (moves(row), full_in(row), row.ceiling()) else {
                continue;
            };
            let end = match (ceiling.bound, row.resource) {
                (Bound::Limit, Resource::Memory) => "its limit, where it is killed",
                (Bound::Limit, Resource::Cpu) => "its limit, where it is held back",
                (Bound::Request, _) => "its request; what is beyond is not promised",
                (Bound::Host, _) => "all its host has",
            };
            let when = match full.as_str() {
                "now" => "usual highs are there now".to_owned(),
                _ => format!("usual highs are there in {full}"),
            };
            let at = amount(row.resource, ceiling.value);
            let statement = format!("{} {} is {moves}; {when}: {at}, {end}", self.name(row), about(row));
            draft.finding(self.on_trend(statement, row.resource));
        }
        if let (Some(more), Some((_, row))) = (filling.len().checked_sub(MOST + 1), filling.last()) {
            let statement = format!("{} more reach their end within a year", more + 1);
            draft.finding(self.on_trend(statement, row.resource));
        }
    }

    fn on_trend(&self, statement: String, resource: Resource) -> Finding {
        let cite = self.measured.cites.get(&resource).map_or(self.measured.counted, |cites| cites.moments);
        self.measured.bounds.into_iter().fold(Finding::new(statement, cite), Finding::and)
    }

    fn throttling(&self, draft: &mut Draft) {
        let Some(cite) = self.measured.throttling else { return };
        let all = self.measured.throttled.iter().filter(|(_, share)| **share >= THROTTLED);
        let mut all: Vec<_> = all.collect();
        all.sort_by(|one, other| other.1.total_cmp(one.1).then_with(|| one.0.cmp(other.0)));
        let over = match self.measured.throttled_over == self.look.span() {
            true => self.look.length(),
            false => "the last day".to_owned(),
        };
        let first = all.iter().take(MOST);
        let texts: Vec<String> = first
            .map(|(place, share)| format!("{} in {}", name(self.found, place), percent(**share)))
            .collect();
        let more = match all.len().checked_sub(MOST + 1) {
            Some(more) => format!(" and {} more", more + 1),
            None => String::new(),
        };
        let statement = match (texts.is_empty(), self.measured.throttled.is_empty()) {
            (false, _) => {
                format!("CPU held back by limits over {over}: {} of periods{more}", texts.join(", "))
            }
            (true, false) => format!("CPU was held back by limits in less than 1 % of periods over {over}"),
            (true, true) => return,
        };
        draft.finding(Finding::new(statement, cite));
    }

    fn replicas(&self, draft: &mut Draft) {
        let Some((series, cite)) = &self.measured.workload else { return };
        let told: Vec<String> = REPLICAS
            .iter()
            .filter_map(|(metric, what)| {
                let values: Vec<String> =
                    of_metric(series, metric).iter().map(|value| significant(*value)).collect();
                (!values.is_empty()).then(|| format!("{what} {}", values.join(", ")))
            })
            .collect();
        if told.is_empty() {
            return;
        }
        draft.finding(
            Finding::new(format!("replicas: {}", told.join(", ")), *cite).and(self.measured.counted),
        );
    }

    fn next(&self, draft: &mut Draft) {
        let Some(first) = self.measured.rows.first() else { return };
        let of_source = |next: Next| match self.look.source {
            Some(source) => next.with("source", source),
            None => next,
        };
        let Some(service) = self.look.service else {
            let index = usize::from(matches!(self.found.population, Population::Workloads(_)));
            let name = first.place.get(index).cloned().flatten();
            if let Some(name) = name.as_ref().and_then(|name| name.plain()) {
                let why = "the first alone: all quantiles, interval, shape, autoscaler";
                draft.next(of_source(Next::call("get_capacity_trend", why).with("service", name)));
            }
            return;
        };
        if self.found.plain {
            let promql = self.found.population.busiest(first.resource, self.measured.plan.rate);
            let next = Next::call("query_metrics", "its busiest replica over the last week: when it moved");
            draft.next(of_source(next.with("promql", promql).with("time_range", "7d")));
        }
        let is_rising = first.per_day().is_some_and(|per_day| per_day > 0.0);
        let service = self.look.cx.intake.text(service);
        if let (Some(service), true) = (service.plain(), is_rising) {
            let next = Next::call("get_recent_deployments", "what changed when it began to rise").on("infra");
            draft.next(next.with("service", service).with("time_range", "30d"));
        }
    }
}

/// What kube-state-metrics says about replicas.
const REPLICAS: [(&str, &str); 4] = [
    ("kube_deployment_spec_replicas", "wanted"),
    ("kube_deployment_status_replicas_available", "available"),
    ("kube_statefulset_replicas", "wanted"),
    ("kube_statefulset_status_replicas_ready", "ready"),
];

fn of_metric(series: &[Series], metric: &str) -> Vec<f64> {
    let of = |one: &&Series| one.labels.name().is_some_and(|name| name.inside() == metric);
    series.iter().filter(of).filter_map(|one| one.points.last().map(|point| point.value)).collect()
}
