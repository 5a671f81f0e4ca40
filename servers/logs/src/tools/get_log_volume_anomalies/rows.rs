//! What is told of the streams, in which order, and what is one row.

use super::{
    gather::{Gathered, Judged},
    late::Latecomer,
};
use crate::{
    analysis::volume::{Anomaly, Kind},
    model::Role,
};

/// The share of what is missing that tells what it is.
const MOSTLY: f64 = 0.5;

/// One anomaly with its stream.
pub(super) type Row<'a> = (&'a Judged, Anomaly);

/// Anomalies of values, the worst first; of all records only where no value tells the same.
pub(super) fn rows(gathered: &Gathered) -> Vec<Row<'_>> {
    let all = gathered.streams.iter();
    let mut rows: Vec<Row<'_>> =
        all.flat_map(|one| one.judgement.anomalies.iter().map(move |found| (one, *found))).collect();
    let told_by_a_value = |found: &Anomaly, rows: &[Row<'_>]| {
        let mut values = rows.iter().filter(|(one, other)| one.value.is_some() && overlap(found, other));
        values.any(|(_, other)| other.kind == found.kind) || told_by_late(gathered, found, rows)
    };
    // What is missing of all records is told by the value that is late, too.
    let copy = rows.clone();
    rows.retain(|(one, found)| !only_late(gathered, one, found));
    if gathered.service.is_none() {
        rows.retain(|(one, found)| one.value.is_some() || !told_by_a_value(found, &copy));
    }
    rows.sort_by(|(one, a), (other, b)| {
        // One service: its own row first, values after it.
        let whole = |judged: &Judged| gathered.service.is_some() && judged.value.is_none();
        // What stopped is worse than what was.
        let over = |judged: &Judged, found| gathered.stopped.is_some() && !silent(gathered, judged, found);
        (whole(other).cmp(&whole(one)))
            .then_with(|| over(one, a).cmp(&over(other, b)))
            .then_with(|| b.score.total_cmp(&a.score))
            .then_with(|| one.value.as_ref().map(|v| &v.1).cmp(&other.value.as_ref().map(|v| &v.1)))
    });
    rows
}

fn overlap(one: &Anomaly, other: &Anomaly) -> bool {
    other.from < one.to && one.from < other.to
}

/// Whether most of what all records together lack is of values that are only late.
fn told_by_late(gathered: &Gathered, found: &Anomaly, rows: &[Row<'_>]) -> bool {
    let lacks = |one: &Anomaly| one.expected - one.count as f64;
    let late = rows.iter().filter(|(one, other)| {
        one.value.is_some() && overlap(found, other) && only_late(gathered, one, other)
    });
    is_quiet(found) && late.map(|(_, other)| lacks(other)).sum::<f64>() >= MOSTLY * lacks(found)
}

/// Whether what is missing at the end has only not arrived yet: of this value, or of the service asked for.
fn only_late(gathered: &Gathered, judged: &Judged, found: &Anomaly) -> bool {
    let service = gathered.service.as_ref().map(|service| (Role::Service, service.name.clone()));
    let is_of = |one: &&Latecomer| [&judged.value, &service].into_iter().flatten().any(|of| *of == one.of);
    let missing = gathered.now.duration_since(gathered.when.begins(found.from)).as_secs_f64();
    let step = gathered.when.step.as_secs_f64();
    let mut late = gathered.late.iter().filter(is_of);
    is_quiet(found) && ongoing(gathered, judged, found) && late.any(|late| late.explains(missing, step))
}

/// Whether it is less than usual.
pub(super) fn is_quiet(found: &Anomaly) -> bool {
    matches!(found.kind, Kind::Silence | Kind::Drop)
}

/// Whether it lasts to the end of the window. Where nothing at all is logged any more, only silence does.
pub(super) fn ongoing(gathered: &Gathered, judged: &Judged, found: &Anomaly) -> bool {
    found.to >= judged.counts.len() && (found.kind == Kind::Silence || gathered.stopped.is_none())
}

/// Whether it is silent to the end of the window.
pub(super) fn silent(gathered: &Gathered, judged: &Judged, found: &Anomaly) -> bool {
    found.kind == Kind::Silence && ongoing(gathered, judged, found)
}

/// Many services that went quiet at once and still are: one cause, and seldom the services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Together {
    /// How many.
    pub(super) services: usize,
    /// Of how many whose drop would be noticed.
    pub(super) of: usize,
    /// The first step in which one is.
    pub(super) from: usize,
}

/// At least three services, and three of five, that went quiet within two steps.
pub(super) fn together(gathered: &Gathered, rows: &[Row<'_>]) -> Option<Together> {
    let is_service = |one: &Judged| one.value.as_ref().is_some_and(|(role, _)| *role == Role::Service);
    let quiet = rows
        .iter()
        .filter(|(one, found)| is_service(one) && is_quiet(found) && ongoing(gathered, one, found));
    let quiet: Vec<&Row<'_>> = quiet.collect();
    let of = gathered.streams.iter().filter(|one| one.value.is_some() && !one.judgement.sparse).count();
    let from = quiet.iter().map(|(_, found)| found.from).min()?;
    let services = quiet.iter().filter(|(_, found)| found.from.abs_diff(from) <= 2).count();
    (gathered.service.is_none() && services >= 3 && services * 5 >= of * 3).then_some(Together {
        services,
        of,
        from,
    })
}

/// Rows of the same kind of value to which the same happened at the same time, as one: a rollout replaces every pod.
pub(super) fn alike<'a>(gathered: &Gathered, rows: &[Row<'a>]) -> Vec<Vec<Row<'a>>> {
    let mut groups: Vec<Vec<Row<'a>>> = Vec::new();
    for (judged, found) in rows {
        let same = |group: &&mut Vec<Row<'a>>| {
            group.first().is_some_and(|(first, other)| {
                let role = |one: &Judged| {
                    one.value.as_ref().map(|(role, _)| *role).filter(|role| *role != Role::Service)
                };
                role(judged).is_some()
                    && role(judged) == role(first)
                    && found.kind == other.kind
                    && found.from.abs_diff(other.from) <= 2
                    && found.to.abs_diff(other.to) <= 2
                    && ongoing(gathered, judged, found) == ongoing(gathered, first, other)
            })
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push((judged, *found)),
            None => groups.push(vec![(judged, *found)]),
        }
    }
    groups
}

/// Their numbers added up, from the first step of any to the last.
pub(super) fn summed(group: &[Row<'_>], first: Anomaly) -> Anomaly {
    group.iter().skip(1).fold(first, |all, (_, one)| Anomaly {
        from: all.from.min(one.from),
        to: all.to.max(one.to),
        count: all.count + one.count,
        expected: all.expected + one.expected,
        ..all
    })
}
