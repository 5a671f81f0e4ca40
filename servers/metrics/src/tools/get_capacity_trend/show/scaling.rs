//! What a lower request does to an autoscaler, with its arithmetic.

use contract::{Draft, Finding, significant};

use super::Story;
use crate::{
    analysis::capacity::{Ask, Autoscaler, Bound, Population, Resource, Row, autoscalers, effect},
    tools::get_capacity_trend::story::number,
};

impl Story<'_> {
    /// The autoscaler of the workload, when the request is lower.
    pub(super) fn scaled(&self, row: &Row, ask: &Ask, draft: &mut Draft) {
        let Some(service) = self.look.service else { return };
        if !matches!(self.found.population, Population::Containers(_)) {
            return;
        }
        let known = self.measured.workload.as_ref();
        let scalers = known.map(|(series, _)| autoscalers(series, service)).unwrap_or_default();
        let namespace = row.place.first().cloned().flatten();
        let is_it = |one: &&Autoscaler| one.namespace == namespace && one.targets.contains_key(&row.resource);
        if let (Some(scaler), Some((_, cite))) = (scalers.iter().find(is_it), known) {
            let target = scaler.targets.get(&row.resource).copied();
            let statement = target.and_then(|target| self.arithmetic(row, ask, scaler, target));
            if let Some(statement) = statement {
                draft.finding(Finding::new(statement, *cite).and(self.usage(row.resource)));
            }
            return;
        }
        if row.resource == Resource::Cpu {
            let statement = format!(
                "no HPA that targets a percentage of its CPU request was seen; one would see utilisation = usage ÷ request \
                 grow ×{} ({} ÷ {}) and add replicas",
                significant((100.0 * ask.from / ask.to).round() / 100.0),
                number(row.resource, ask.from),
                number(row.resource, ask.to)
            );
            draft.finding(self.on_usage(statement, row.resource));
        }
    }

    /// Utilisation before and after; an autoscaler counts all containers of a pod.
    fn arithmetic(&self, row: &Row, ask: &Ask, scaler: &Autoscaler, target: f64) -> Option<String> {
        let is_beside =
            |other: &&Row| other.resource == row.resource && other.place.first() == row.place.first();
        let beside: Vec<&Row> = self.measured.rows.iter().filter(is_beside).collect();
        let usage: Option<f64> = beside.iter().map(|other| other.usage.mean).sum();
        let requests: Option<f64> = beside.iter().map(|other| other.bound(Bound::Request)).sum();
        let (usage, from) = (usage?, requests?);
        let to = from - ask.from + ask.to;
        let replicas = scaler.current.unwrap_or_else(|| self.replicas_of(row));
        let effect = effect(usage, replicas, (target, scaler.min, scaler.max), (from, to))?;
        let value = |value: f64| number(row.resource, value);
        let bounds = match (scaler.min, scaler.max) {
            (Some(min), Some(max)) => format!(" ({min} to {max} replicas)"),
            _ => String::new(),
        };
        Some(format!(
            "HPA {} targets {target} % of the {} request{bounds}: in busy hours (p95 of the mean replica) {} ÷ {} = {:.0} \
             %, ⌈{replicas} × {:.0} ÷ {target}⌉ → {} replicas; with the lower request {} ÷ {} = {:.0} %, ⌈{replicas} × \
             {:.0} ÷ {target}⌉ → {} replicas. A target of {:.0} % keeps them as they are",
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
            effect.after,
            effect.replicas_after,
            effect.same_at
        ))
    }
}
