//! The answer: verdict, findings, table, what to know about it, what next.

use contract::{Answer, Draft, Finding, Next, duration_text, significant, time_text};

use super::{
    Look, chart, days,
    find::Found,
    measure::Measured,
    story::{amount, begins, ended, fill, full_in, history, moves, name, number, percent},
};
use crate::{
    analysis::capacity::{
        Advice, Ask, Bound, Population, Reading, Resource, Row, advise, autoscalers, effect,
    },
    model::Series,
};

/// Rows of the table, concise and full.
const ROWS: usize = 16;
const ROWS_FULL: usize = 60;

/// Findings of one kind.
const MOST: usize = 4;

/// More periods held back than this share are told.
const THROTTLED: f64 = 0.01;

/// Everything is there: the answer.
pub(super) fn answer(look: &Look<'_>, found: &Found, measured: Measured, mut draft: Draft) -> Answer {
    let story = Story { look, found, measured: &measured };
    let verdict = story.verdict();
    story.fills(&mut draft);
    story.requests(&mut draft);
    story.throttling(&mut draft);
    story.replicas(&mut draft);
    draft.table(chart::table(found, &measured, if look.full { ROWS_FULL } else { ROWS }));
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

    fn throttled(&self, row: &Row) -> Option<f64> {
        if row.resource != Resource::Cpu {
            return None;
        }
        self.measured.throttled.get(&row.place).copied()
    }

    /// `over 30d`, or `over 12 d (all there is of the 30d asked)`.
    fn over(&self) -> String {
        match begins(self.measured) {
            Some(_) => {
                format!("over {} (all there is of {})", days(history(self.measured)), self.look.length())
            }
            None => format!("over {}", self.look.length()),
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
        let mut text = match self.look.service {
            Some(service) => {
                let of = self.look.cx.intake.text(service).shown(80);
                let container = self.name(first);
                let whose = if container == of { String::new() } else { format!(" of {container}") };
                format!("{of} is nearest to its end in {}{whose}: {}", first.resource.name(), fill(first))
            }
            None => {
                let what = if self.found.population.has_containers() { "containers" } else { "jobs" };
                format!(
                    "Of {} {what}, {} is nearest to its end in {}: {}",
                    self.found.replicas.len(),
                    self.name(first),
                    first.resource.name(),
                    fill(first)
                )
            }
        };
        text.push_str(&format!(" {}", self.over()));
        match (moves(first), full_in(first)) {
            (Some(moves), Some(full)) if full == "now" => {
                text.push_str(&format!(", it {moves}; usual highs are there now"))
            }
            (Some(moves), Some(full)) => {
                text.push_str(&format!(", it {moves}; usual highs reach that in {full}"))
            }
            (Some(moves), None) => text.push_str(&format!(", it {moves}")),
            (None, _) if first.trend.is_some() => text.push_str(", without a trend"),
            (None, _) => text.push_str(", too short for a trend"),
        }
        let others: Vec<&Row> =
            rows.iter().filter(|row| row.place == first.place && row.resource != first.resource).collect();
        if let (Some(other), Some(_)) = (others.first(), self.look.service) {
            text.push_str(&format!(". {}: {}", capital(other.resource.name()), fill(other)));
        }
        text.push('.');
        text
    }

    /// Which rows fill up, the soonest first; the first is the verdict's.
    fn fills(&self, draft: &mut Draft) {
        let mut filling: Vec<(f64, &Row)> = self
            .measured
            .rows
            .iter()
            .filter(|row| full_in(row).is_some())
            .filter_map(|row| Some((row.reaches()?.samples, row)))
            .collect();
        filling.sort_by(|one, other| one.0.total_cmp(&other.0));
        for (_, row) in filling.iter().take(MOST) {
            let (Some(moves), Some(full)) = (moves(row), full_in(row)) else { continue };
            let ceiling = row.ceiling().map(|ceiling| (ceiling.bound, amount(row.resource, ceiling.value)));
            let (bound, at) = ceiling.unwrap_or((Bound::Limit, String::new()));
            let end = match (bound, row.resource) {
                (Bound::Limit, Resource::Memory) => "its limit, where it is killed",
                (Bound::Limit, Resource::Cpu) => "its limit, where it is held back",
                (Bound::Request, _) => "its request; what is beyond is not promised",
                (Bound::Host, _) => "all its host has",
            };
            let when = match full.as_str() {
                "now" => "usual highs are there now".to_owned(),
                _ => format!("usual highs are there in {full}"),
            };
            let statement =
                format!("{} {} {moves}; {when} ({at}, {end})", self.name(row), row.resource.name());
            draft.finding(self.on_trend(statement));
        }
        if filling.len() > MOST {
            let statement = format!("{} more reach their end within a year", filling.len() - MOST);
            draft.finding(self.on_trend(statement));
        }
    }

    fn on_trend(&self, statement: String) -> Finding {
        let finding = Finding::new(statement, self.measured.trend);
        match self.measured.bounds {
            Some(bounds) => finding.and(bounds),
            None => finding,
        }
    }

    fn on_usage(&self, statement: String) -> Finding {
        let finding = Finding::new(statement, self.measured.usage);
        match self.measured.bounds {
            Some(bounds) => finding.and(bounds),
            None => finding,
        }
    }

    fn replicas_of(&self, row: &Row) -> f64 {
        self.found.replicas.get(&row.place).map_or(1.0, |replicas| replicas.last)
    }

    /// What requests could be, what that frees, and what it does to autoscalers.
    fn requests(&self, draft: &mut Draft) {
        let mut lower: Vec<(f64, &Row, Ask)> = Vec::new();
        let mut others: Vec<String> = Vec::new();
        for row in &self.measured.rows {
            let what = || format!("{} {}", self.name(row), row.resource.name());
            match advise(row, self.throttled(row)) {
                Advice::Lower(ask) => lower.push((1.0 - ask.to / ask.from, row, ask)),
                Advice::Raise(ask) => others.push(format!(
                    "{} request is too low: {} is used of {}; {} would hold it",
                    what(),
                    amount(row.resource, ask.usage),
                    amount(row.resource, ask.from),
                    amount(row.resource, ask.to)
                )),
                Advice::ShortHistory(days) => others.push(format!(
                    "{}: no lower request is suggested, {} d of history hold no whole week",
                    what(),
                    significant((days * 10.0).round() / 10.0)
                )),
                Advice::Throttled(share) => others.push(format!(
                    "{}: no lower request is suggested, it was held back in {} of periods, so usage is what the limit let \
                     through",
                    what(),
                    percent(share)
                )),
                Advice::Clipped(share) => others.push(format!(
                    "{}: no lower request is suggested, usage came to {} of the limit",
                    what(),
                    percent(share)
                )),
                Advice::Keep | Advice::NoRequest | Advice::Unknown => {}
            }
        }
        let frees = |row: &Row, ask: &Ask| (ask.from - ask.to) * self.replicas_of(row);
        // Cores and bytes compare by what a node usually has: 4 GiB a core.
        let worth = |(_, row, ask): &(f64, &Row, Ask)| match row.resource {
            Resource::Cpu => frees(row, ask),
            Resource::Memory => frees(row, ask) / (4_096.0 * crate::analysis::capacity::MIB),
        };
        lower.sort_by(|one, other| worth(other).total_cmp(&worth(one)));
        for (_, row, ask) in lower.iter().take(MOST) {
            draft.finding(self.on_usage(self.lower(row, ask)));
            self.scaled(row, ask, draft);
        }
        if !lower.is_empty() {
            draft.finding(self.on_usage(self.assumptions(&lower)));
        }
        for statement in others.iter().take(MOST) {
            draft.finding(self.on_usage(statement.clone()));
        }
        if others.len() > MOST {
            draft.finding(
                self.on_usage(format!("{} more requests are too low or unsure", others.len() - MOST)),
            );
        }
    }

    fn lower(&self, row: &Row, ask: &Ask) -> String {
        let rests = match row.resource {
            Resource::Cpu => "p99",
            Resource::Memory => "max",
        };
        let rise = match ask.rise > 0.0 {
            true => format!(" + {} for its rise over 30 d", number(row.resource, ask.rise)),
            false => String::new(),
        };
        let replicas = self.replicas_of(row);
        let frees = amount(row.resource, (ask.from - ask.to) * replicas);
        format!(
            "{} {} request could be {} instead of {}: {rests} of its busiest replica {}{rise}, + 15 %; frees {frees} over \
             {replicas} replicas",
            self.name(row),
            row.resource.name(),
            amount(row.resource, ask.to),
            amount(row.resource, ask.from),
            number(row.resource, ask.usage),
        )
    }

    fn assumptions(&self, lower: &[(f64, &Row, Ask)]) -> String {
        let sum = |resource: Resource| -> f64 {
            let of = lower.iter().filter(|(_, row, _)| row.resource == resource);
            of.map(|(_, row, ask)| (ask.from - ask.to) * self.replicas_of(row)).sum()
        };
        let sums: Vec<String> = [Resource::Cpu, Resource::Memory]
            .into_iter()
            .filter(|resource| sum(*resource) > 0.0)
            .map(|resource| amount(resource, sum(resource)))
            .collect();
        let all = match lower.len() > MOST {
            true => format!("All {} lower requests together free {}. ", lower.len(), sums.join(" and ")),
            false => String::new(),
        };
        format!(
            "{all}A lower request is safe only if load stays as it was, replicas stay as many, limits stay where they are, \
             and nothing needs more at its start than in {}",
            duration_text(self.measured.plan.rate as f64)
        )
    }

    /// What the autoscaler of the workload does when the request is lower.
    fn scaled(&self, row: &Row, ask: &Ask, draft: &mut Draft) {
        if !matches!(self.found.population, Population::Containers(_)) {
            return;
        }
        let Some(service) = self.look.service else { return };
        let times = significant((100.0 * ask.from / ask.to).round() / 100.0);
        let known = self.measured.workload.as_ref();
        let scalers = known.map(|(series, _)| autoscalers(series, service)).unwrap_or_default();
        let namespace = row.place.first().cloned().flatten();
        let scaler =
            scalers.iter().find(|one| one.namespace == namespace && one.targets.contains_key(&row.resource));
        let (Some(scaler), Some((_, cite))) = (scaler, known) else {
            if row.resource == Resource::Cpu {
                draft.finding(self.on_usage(format!(
                    "no HPA that targets a percentage of {} was seen for it; one would see utilisation ×{times} \
                     (utilisation = usage ÷ request: {} ÷ {}) and add replicas",
                    row.resource.name(),
                    number(row.resource, ask.from),
                    number(row.resource, ask.to)
                )));
            }
            return;
        };
        let Some(target) = scaler.targets.get(&row.resource).copied() else { return };
        if let Some(statement) = self.arithmetic(row, ask, scaler, target) {
            draft.finding(Finding::new(statement, *cite).and(self.measured.usage));
        }
    }

    /// An autoscaler counts all containers of a pod.
    fn arithmetic(
        &self,
        row: &Row,
        ask: &Ask,
        scaler: &crate::analysis::capacity::Autoscaler,
        target: f64,
    ) -> Option<String> {
        let beside: Vec<&Row> = self
            .measured
            .rows
            .iter()
            .filter(|other| other.resource == row.resource && other.place.first() == row.place.first())
            .collect();
        let usage: Option<f64> = beside.iter().map(|other| other.usage.mean).sum();
        let requests: Option<f64> = beside.iter().map(|other| other.bound(Bound::Request)).sum();
        let (usage, from) = (usage?, requests?);
        let to = from - ask.from + ask.to;
        let replicas = scaler.current.unwrap_or_else(|| self.replicas_of(row));
        let effect = effect(usage, replicas, (target, scaler.min, scaler.max), (from, to))?;
        let value = |value: f64| number(row.resource, value);
        let bounds = match (scaler.min, scaler.max) {
            (Some(min), Some(max)) => format!(", {min} to {max} replicas"),
            _ => String::new(),
        };
        Some(format!(
            "HPA {} targets {target} % of the {} request{bounds}: in busy hours (p95 of the mean replica) {} ÷ {} = {:.0} \
             % → ⌈{replicas} × {:.0} ÷ {target}⌉ = {} replicas; with the lower request {} ÷ {} = {:.0} % → {} replicas. A \
             target of {:.0} % keeps them as they are",
            scaler.name.shown(60),
            row.resource.name(),
            value(usage),
            value(from),
            effect.before,
            effect.before,
            effect.replicas_before,
            value(usage),
            value(to),
            effect.after,
            effect.replicas_after,
            effect.same_at
        ))
    }

    fn throttling(&self, draft: &mut Draft) {
        let Some(cite) = self.measured.throttling else { return };
        let mut all: Vec<(&_, f64)> = self
            .measured
            .throttled
            .iter()
            .filter(|(_, share)| **share >= THROTTLED)
            .map(|(place, share)| (place, *share))
            .collect();
        all.sort_by(|one, other| other.1.total_cmp(&one.1).then_with(|| one.0.cmp(other.0)));
        let over = match self.measured.throttled_over == self.look.span() {
            true => self.look.length(),
            false => "the last day".to_owned(),
        };
        let texts: Vec<String> = all
            .iter()
            .take(MOST)
            .map(|(place, share)| format!("{} in {}", name(self.found, place), percent(*share)))
            .collect();
        let statement = match (texts.is_empty(), self.measured.throttled.is_empty()) {
            (false, _) => format!("CPU held back by the limit: {} of periods over {over}", texts.join(", ")),
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
                let values: Vec<f64> = of_metric(series, metric);
                (!values.is_empty()).then(|| {
                    let values: Vec<String> = values.iter().map(|value| significant(*value)).collect();
                    format!("{what} {}", values.join(", "))
                })
            })
            .collect();
        if told.is_empty() {
            return;
        }
        let seen: Vec<String> = self
            .found
            .replicas
            .iter()
            .filter(|(_, replicas)| replicas.min < replicas.max)
            .map(|(place, replicas)| {
                format!("{} ran {} to {}", name(self.found, place), replicas.min, replicas.max)
            })
            .take(MOST)
            .collect();
        let mut statement = format!("replicas: {}", told.join(", "));
        if !seen.is_empty() {
            statement.push_str(&format!("; over the window {}", seen.join(", ")));
        }
        draft.finding(Finding::new(statement, *cite).and(self.found.cite));
    }

    fn caveats(&self, draft: &mut Draft) {
        let measured = self.measured;
        if let Some(begins) = begins(measured) {
            draft.caveat(format!(
                "history is shorter than asked: it begins at {}, {} instead of {}",
                time_text(begins),
                days(history(measured)),
                self.look.length()
            ));
        }
        let rate = duration_text(measured.plan.rate as f64);
        draft.caveat(match measured.plan.reading {
            Reading::Every(every) => format!(
                "usage is that of the busiest replica, CPU as mean over {rate}, seen every {}: shorter peaks are not; trend \
                 of the highest in each {}",
                duration_text(every as f64),
                duration_text(measured.plan.step as f64)
            ),
            Reading::Moments => format!(
                "usage was read only every {} (CPU as mean over {rate}): reading all of it costs more than the limit of \
                 samples; peaks between are not seen, max and p99 may be too low",
                duration_text(measured.plan.step as f64)
            ),
        });
        self.seasons(draft);
        self.unseen(draft);
        let gone: Vec<String> = measured
            .rows
            .iter()
            .filter_map(|row| Some(format!("{} at {}", self.name(row), ended(measured, row)?)))
            .collect();
        let mut gone: Vec<String> = gone;
        gone.dedup();
        if !gone.is_empty() {
            let count = gone.len();
            gone.truncate(MOST);
            let more = if count > MOST { format!(" and {} more", count - MOST) } else { String::new() };
            draft.caveat(format!("ended before the window did, shown as it was: {}{more}", gone.join(", ")));
        }
    }

    fn seasons(&self, draft: &mut Draft) {
        let trends: Vec<_> = self.measured.rows.iter().filter_map(|row| row.trend).collect();
        let text = match (
            trends.first(),
            trends.iter().all(|trend| trend.has_week),
            trends.iter().all(|trend| trend.has_day),
        ) {
            (None, _, _) => return,
            (_, true, _) => "trend: Theil-Sen slope with 95 % interval, season of day and week removed",
            (_, false, true) => {
                "trend: Theil-Sen slope with 95 % interval, season of the day removed; not of the week everywhere: that \
                 needs two weeks"
            }
            _ => {
                "trend: Theil-Sen slope with 95 % interval, no season removed everywhere: that needs two days at an even step"
            }
        };
        let beyond = self
            .measured
            .rows
            .iter()
            .filter(|row| full_in(row).is_some())
            .filter_map(|row| Some((row.reaches()?.samples, row.history)));
        let beyond = beyond.clone().any(|(reaches, history)| reaches > history);
        let beyond = if beyond { "; some ends lie further ahead than the history is long" } else { "" };
        draft.caveat(format!("{text}{beyond}"));
    }

    /// What could not be seen.
    fn unseen(&self, draft: &mut Draft) {
        let rows = &self.measured.rows;
        if !self.found.population.has_containers() {
            draft.caveat(
                "no container metrics (cAdvisor) were found: these are the processes' own, so requests, limits, throttling \
                 and what children use are not seen",
            );
            if rows.iter().all(|row| row.bounds.is_empty()) {
                draft.caveat("what their hosts have is not seen either (node_exporter on the same host)");
            }
            return;
        }
        let without = rows.iter().filter(|row| row.bounds.is_empty()).count();
        if without > 0 {
            draft.caveat(format!(
                "no request or limit is seen for {without} of {} rows: none is set, or kube-state-metrics \
                 (kube_pod_container_resource_*) does not tell",
                rows.len()
            ));
        }
        if self.look.resources.contains(&Resource::Cpu) && self.measured.throttled.is_empty() {
            draft.caveat("throttling is not seen: no CPU limits, or no container_cpu_cfs_periods_total");
        }
    }

    fn next(&self, draft: &mut Draft) {
        let measured = self.measured;
        let Some(first) = measured.rows.first() else { return };
        let of_source = |next: Next| match self.look.source {
            Some(source) => next.with("source", source),
            None => next,
        };
        match self.look.service {
            None => {
                let index = usize::from(self.found.population.has_containers());
                let name = first.place.get(index).cloned().flatten();
                if let Some(name) = name.as_ref().and_then(|name| name.plain()) {
                    let next = Next::call(
                        "get_capacity_trend",
                        "the first in full: quantiles, interval, shape, HPA",
                    );
                    draft.next(of_source(next.with("service", name)));
                }
            }
            Some(_) => {
                if self.found.plain {
                    let promql = self.found.population.busiest(first.resource, measured.plan.rate);
                    let next =
                        Next::call("query_metrics", "its busiest replica over the last week, when it moved");
                    draft.next(of_source(next.with("promql", promql).with("time_range", "7d")));
                }
            }
        }
        let rises = first.per_day().is_some_and(|per_day| per_day > 0.0);
        if let (Some(service), true) =
            (self.look.service.map(|service| self.look.cx.intake.text(service)), rises)
            && let Some(service) = service.plain()
        {
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

fn capital(text: &str) -> String {
    match text {
        "cpu" => "CPU".to_owned(),
        _ => "Memory".to_owned(),
    }
}
