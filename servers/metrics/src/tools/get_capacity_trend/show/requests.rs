//! Requests that are too low or could be lower, and on what that rests.

use contract::{Draft, duration_text, significant};

use super::{MOST, Story};
use crate::{
    analysis::capacity::{Advice, Ask, MIB, Reading, Resource, Row},
    tools::get_capacity_trend::story::{about, amount, number, percent},
};

/// What a node usually has for a core, in bytes: so that cores and bytes that are freed can be compared.
const BYTES_OF_A_CORE: f64 = 4_096.0 * MIB;

/// A request that could be lower.
struct Lower<'r> {
    row: &'r Row,
    ask: Ask,
    /// What all replicas together would free, in the resource's base unit.
    frees: f64,
}

impl Lower<'_> {
    fn worth(&self) -> f64 {
        match self.row.resource {
            Resource::Cpu => self.frees,
            Resource::Memory => self.frees / BYTES_OF_A_CORE,
        }
    }
}

impl Story<'_> {
    /// What requests could be: first those that are too low, then those that free most, then why others can't be said.
    pub(super) fn requests(&self, draft: &mut Draft) {
        let (mut low, mut tight) = (Vec::new(), Vec::new());
        let (mut lower, mut unsure, mut glimpsed) = (Vec::new(), Vec::new(), Vec::new());
        for row in &self.measured.rows {
            match self.advice(row) {
                Advice::Raise(ask) => low.push((self.too_low(row, &ask), row.resource)),
                Advice::Tight(ask) => tight.push((self.tight(row, &ask), row.resource)),
                Advice::Moments => glimpsed.push(row),
                Advice::Lower(ask) => {
                    let frees = (ask.from - ask.to) * self.replicas_of(row);
                    lower.push(Lower { row, ask, frees });
                }
                other => unsure.extend(self.unsure(row, other).map(|text| (text, row.resource))),
            }
        }
        self.tell(&low, "requests that are too low", draft);
        self.tell(&tight, "requests that are nearly too low", draft);
        lower.sort_by(|one, other| other.worth().total_cmp(&one.worth()));
        for one in lower.iter().take(MOST) {
            draft.finding(self.on_usage(self.could_be(one), one.row.resource));
            self.scaled(one.row, &one.ask, draft);
        }
        if let Some(first) = lower.first() {
            draft.finding(self.on_usage(self.assumptions(&lower), first.row.resource));
        }
        self.tell(&unsure, "requests that nothing safe can be said about", draft);
        self.glimpsed(&glimpsed, draft);
    }

    fn tell(&self, statements: &[(String, Resource)], what: &str, draft: &mut Draft) {
        for (statement, resource) in statements.iter().take(MOST) {
            draft.finding(self.on_usage(statement.clone(), *resource));
        }
        if let (Some(more), Some((_, resource))) = (statements.len().checked_sub(MOST + 1), statements.last())
        {
            draft.finding(self.on_usage(format!("{} more {what}", more + 1), *resource));
        }
    }

    fn too_low(&self, row: &Row, ask: &Ask) -> String {
        format!(
            "{} {} request is too low: {} of its busiest replica {} is beyond the {} requested; {} would hold it",
            self.name(row),
            about(row),
            rests_on(row.resource),
            number(row.resource, ask.usage),
            amount(row.resource, ask.from),
            amount(row.resource, ask.to)
        )
    }

    fn tight(&self, row: &Row, ask: &Ask) -> String {
        let (why, when) = match ask.rise > 0.0 {
            true => (
                format!(
                    ", but with up to {} for its rise in 30 d it is not enough",
                    number(row.resource, ask.rise)
                ),
                "hold that",
            ),
            false => (", but leaves no margin of 15 %".to_owned(), "leave it"),
        };
        format!(
            "{} {} request is nearly too low: {} of its busiest replica {} is within the {} requested{why}; {} would {when}",
            self.name(row),
            about(row),
            rests_on(row.resource),
            number(row.resource, ask.usage),
            amount(row.resource, ask.from),
            amount(row.resource, ask.to)
        )
    }

    /// Requests that look too high from moments, which is not enough to say so.
    fn glimpsed(&self, rows: &[&Row], draft: &mut Draft) {
        let Some(first) = rows.first() else { return };
        let instead = if self.look.service.is_none() { ": ask for one service" } else { "" };
        let whose = match rows.len() {
            1 => format!("{} {}", self.name(first), about(first)),
            count => format!("{count} requests that look too high"),
        };
        let statement = format!(
            "{whose}: no lower request is suggested, usage was read only at {} moments, peaks between them are not \
             seen{instead}",
            self.measured.grid.count()
        );
        draft.finding(self.on_usage(statement, first.resource));
    }

    fn unsure(&self, row: &Row, advice: Advice) -> Option<String> {
        let why = match advice {
            Advice::ShortHistory(days) => {
                format!("{} d of history hold no whole week", significant((days * 10.0).round() / 10.0))
            }
            Advice::Throttled(share) => {
                format!(
                    "it was held back in {} of periods, so usage is what the limit let through",
                    percent(share)
                )
            }
            Advice::Clipped(share) => format!("usage came to {} of the limit", percent(share)),
            Advice::Lower(_) | Advice::Raise(_) | Advice::Tight(_) => return None,
            Advice::Keep | Advice::NoRequest | Advice::Moments | Advice::Unknown => return None,
        };
        Some(format!("{} {}: no lower request is suggested, {why}", self.name(row), about(row)))
    }

    fn could_be(&self, one: &Lower<'_>) -> String {
        let Lower { row, ask, frees } = one;
        let rise = match ask.rise > 0.0 {
            true => format!(" + {} for its rise in 30 d", number(row.resource, ask.rise)),
            false => String::new(),
        };
        let replicas = self.replicas_of(row);
        let of = if replicas == 1.0 { String::new() } else { format!(" × {replicas} replicas") };
        format!(
            "{} {} request could be {} instead of {}: {} of its busiest replica {}{rise}, + 15 %; frees {}{of}",
            self.name(row),
            about(row),
            amount(row.resource, ask.to),
            amount(row.resource, ask.from),
            rests_on(row.resource),
            number(row.resource, ask.usage),
            amount(row.resource, frees / replicas.max(1.0)),
        )
    }

    fn assumptions(&self, lower: &[Lower<'_>]) -> String {
        let sum = |resource: Resource| -> f64 {
            lower.iter().filter(|one| one.row.resource == resource).map(|one| one.frees).sum()
        };
        let sums: Vec<String> = [Resource::Cpu, Resource::Memory]
            .into_iter()
            .filter(|resource| sum(*resource) > 0.0)
            .map(|resource| amount(resource, sum(resource)))
            .collect();
        let all = match lower.len() > 1 {
            true => format!("all {} lower requests together free {}; ", lower.len(), sums.join(" and ")),
            false => String::new(),
        };
        // CPU is a mean over the rate's window; memory is what it was at moments that far apart.
        let rate = match self.measured.plan.reading {
            Reading::Every(every) => duration_text(every as f64),
            Reading::Moments => duration_text(self.measured.plan.step as f64),
        };
        let has = |resource: Resource| lower.iter().any(|one| one.row.resource == resource);
        let cpu = has(Resource::Cpu).then(|| format!("the highest mean of {rate} of CPU"));
        let memory = has(Resource::Memory).then(|| format!("the highest of memory at moments {rate} apart"));
        let seen: Vec<String> = cpu.into_iter().chain(memory).collect();
        format!(
            "{all}a lower request is safe only if load and replicas stay as they were, limits stay where they are, and no \
             start needs more than was seen: {}",
            seen.join(", ")
        )
    }
}

fn rests_on(resource: Resource) -> &'static str {
    match resource {
        Resource::Cpu => "p99",
        Resource::Memory => "max",
    }
}
