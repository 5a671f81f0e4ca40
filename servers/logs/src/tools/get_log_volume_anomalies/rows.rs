//! What is told of the streams, in which order, and what is one row.

use super::gather::{Gathered, Judged};
use crate::{
    analysis::volume::{Anomaly, Kind},
    model::Role,
};

/// One anomaly with its stream.
pub(super) type Row<'a> = (&'a Judged, Anomaly);

/// Anomalies of values, the worst first; of all records only where no value tells the same.
pub(super) fn rows(gathered: &Gathered) -> Vec<Row<'_>> {
    let all = gathered.streams.iter();
    let mut rows: Vec<Row<'_>> =
        all.flat_map(|one| one.judgement.anomalies.iter().map(move |found| (one, *found))).collect();
    let told_by_a_value = |found: &Anomaly, rows: &[Row<'_>]| {
        rows.iter().any(|(one, other)| {
            one.value.is_some() && other.kind == found.kind && other.from < found.to && found.from < other.to
        })
    };
    rows.retain(|(one, found)| !only_late(gathered, one, found));
    if gathered.service.is_none() {
        let copy = rows.clone();
        rows.retain(|(one, found)| one.value.is_some() || !told_by_a_value(found, &copy));
    }
    rows.sort_by(|(one, a), (other, b)| {
        // One service: its own row first, values after it.
        let whole = |judged: &Judged| gathered.service.is_some() && judged.value.is_none();
        (whole(other).cmp(&whole(one)))
            .then_with(|| b.score.total_cmp(&a.score))
            .then_with(|| one.value.as_ref().map(|v| &v.1).cmp(&other.value.as_ref().map(|v| &v.1)))
    });
    rows
}

/// Whether what is missing at the end has only not arrived yet.
fn only_late(gathered: &Gathered, judged: &Judged, found: &Anomaly) -> bool {
    let name = match &judged.value {
        Some((Role::Service, value)) => Some(value),
        _ => gathered.service.as_ref().map(|service| &service.name),
    };
    let late = gathered.late.iter().find(|(service, _)| Some(service) == name);
    let quiet = matches!(found.kind, Kind::Silence | Kind::Drop) && ongoing(judged, found);
    let missing = gathered.past.window.end().duration_since(gathered.when.begins(found.from)).as_secs_f64();
    late.is_some_and(|(_, late)| quiet && missing <= 1.5 * late.now + 2.0 * gathered.when.step.as_secs_f64())
}

/// Whether it lasts to the end of the window.
pub(super) fn ongoing(judged: &Judged, found: &Anomaly) -> bool {
    found.to >= judged.counts.len()
}

/// Rows of the same kind of value to which the same happened at the same time, as one: a rollout replaces every pod.
pub(super) fn alike<'a>(rows: &[Row<'a>]) -> Vec<Vec<Row<'a>>> {
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
                    && ongoing(judged, found) == ongoing(first, other)
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
pub(super) fn together(group: &[Row<'_>], first: Anomaly) -> Anomaly {
    group.iter().skip(1).fold(first, |all, (_, one)| Anomaly {
        from: all.from.min(one.from),
        to: all.to.max(one.to),
        count: all.count + one.count,
        expected: all.expected + one.expected,
        ..all
    })
}
