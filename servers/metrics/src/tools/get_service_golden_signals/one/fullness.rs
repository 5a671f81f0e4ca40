//! How full what the service runs in is, and how often it was restarted.

use std::collections::BTreeSet;

use contract::{Cite, Draft, duration_text};

use super::{Row, judged};
use crate::{
    analysis::signals::{
        judge::Kind,
        queries::{Condition, union},
        saturation::{Fullness, of_autoscaler, of_containers, of_pools},
    },
    model::MatchOp,
    tools::{
        get_service_golden_signals::{
            ask::{Look, Over, value},
            period::Pace,
            probe::Names,
        },
        scope::Scope,
    },
};

/// How full its containers and pools are.
pub(super) async fn saturation(
    look: &Look<'_>,
    service: &str,
    names: &Names,
    scope: &Scope,
    containers: Option<&Scope>,
    pace: Pace,
    draft: &mut Draft,
) -> Vec<Row> {
    let owned = |scope: &Scope| -> Vec<Condition> {
        scope.matchers().map(|(label, op, value)| (label.to_owned(), op, value.to_owned())).collect()
    };
    let borrowed = |names: &'_ BTreeSet<String>| names.iter().cloned().collect::<Vec<String>>();
    let (own, cluster) = (borrowed(&names.own), borrowed(&names.cluster));
    let own: BTreeSet<&str> = own.iter().map(String::as_str).collect();
    let cluster: BTreeSet<&str> = cluster.iter().map(String::as_str).collect();
    let rate = duration_text(pace.rate as f64);
    let mut of_cluster =
        containers.map_or_else(Vec::new, |scope| of_containers(&cluster, &owned(scope), &rate));
    let mut namespace: Vec<Condition> = containers
        .into_iter()
        .chain([scope])
        .flat_map(owned)
        .filter(|(label, _, _)| label == "namespace")
        .collect();
    namespace.truncate(1);
    of_cluster.extend(of_autoscaler(&cluster, service, &namespace));
    let pools = of_pools(&look.catalogue.saturation, &own, &owned(scope));
    let plain = scope.is_plain() && containers.is_none_or(Scope::is_plain);
    let groups: Vec<Vec<Fullness>> =
        [of_cluster, pools].into_iter().filter(|group| !group.is_empty()).collect();
    let promqls: Vec<String> = groups.iter().map(|group| union(&pairs(group))).collect();
    let asked: Vec<_> = promqls.iter().map(|promql| (promql.as_str(), look.period.extended())).collect();
    let replies = look.over(&asked, pace, draft).await;
    let mut rows = Vec::new();
    for ((group, promql), reply) in groups.into_iter().zip(&promqls).zip(replies) {
        let over = match reply {
            Ok(over) => over,
            Err(error) => {
                draft.caveat(format!("saturation was not measured in part: {error}"));
                continue;
            }
        };
        let cite = draft.cite(look.evidence_over(promql, plain, over.grid));
        rows.extend(group.into_iter().filter_map(|one| full(look, one, &over, cite)));
    }
    // Against a request only where there is no limit.
    let limited: Vec<String> =
        rows.iter().filter(|row| row.unit == "% of limit").map(|row| row.name.clone()).collect();
    rows.retain(|row| row.unit != "% of request" || !limited.contains(&row.name));
    rows
}

fn pairs(group: &[Fullness]) -> Vec<(String, String)> {
    group.iter().map(|one| (one.key.clone(), one.promql.clone())).collect()
}

/// The row of one measure; `None` where it has no values.
fn full(look: &Look<'_>, one: Fullness, over: &Over, cite: Cite) -> Option<Row> {
    let values = over.keyed(&one.key);
    values.iter().flatten().find(|value| value.is_finite())?;
    let kind = if one.is_share { Kind::Use } else { Kind::Level };
    let judged = judged(look, &values, over.grid, Vec::new(), kind);
    let (grid, is_share) = (over.grid, one.is_share);
    Some(Row {
        name: one.name,
        unit: one.unit,
        signal: None,
        is_share,
        alarm: one.alarm,
        promql: one.promql,
        judged,
        grid,
        cite,
    })
}

/// Restarts within the window, and containers whose last end was for want of memory.
pub(super) async fn restarts(
    look: &Look<'_>,
    names: &Names,
    containers: Option<&Scope>,
    draft: &mut Draft,
) -> Option<(f64, f64, Cite)> {
    let (restarts, reasons) =
        ("kube_pod_container_status_restarts_total", "kube_pod_container_status_last_terminated_reason");
    let containers = containers.filter(|_| names.cluster.contains(restarts))?;
    let length = duration_text(look.period.window.seconds());
    let counted = format!("sum(increase({}[{length}]))", containers.select(Some(restarts), &[]));
    let killed = containers.select(Some(reasons), &[("reason", MatchOp::Equal, "OOMKilled")]);
    let parts = [("restarts".to_owned(), counted), ("killed".to_owned(), format!("count({killed} > 0)"))];
    let (promql, at) = (union(&parts), look.period.window.end());
    let series = match look.at(&[(promql.as_str(), at)], draft).await.pop()? {
        Ok(series) => series,
        Err(error) => {
            draft.caveat(format!("restarts were not counted: {error}"));
            return None;
        }
    };
    let of = |key: &str| {
        let is_it =
            |one: &&crate::model::Series| one.labels.get("signal").is_some_and(|value| value.inside() == key);
        series.iter().find(is_it).and_then(value)
    };
    let cite = draft.cite(look.evidence_at(&promql, containers.is_plain(), at));
    Some((of("restarts")?.round(), of("killed").unwrap_or(0.0), cite))
}
