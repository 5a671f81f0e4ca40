//! What the rounds come to: medians, and what ours adds to a baseline, round by round.

use super::compare::CONNECTIONS;
use super::contender::{Contender, Group, Run};
use super::report::{self, Figure, Goal, median, number};

/// All servers, each group of ours with its baselines.
pub(super) fn table(groups: &[&Group]) -> String {
    let rows: Vec<_> = groups
        .iter()
        .flat_map(|group| {
            let ours = row(&group.ours, String::new());
            [ours].into_iter().chain(group.baselines().map(|its| row(its, ratio(&group.ours, its))))
        })
        .collect();
    let busy = format!("calls/s, {CONNECTIONS} connections");
    let header = [
        "server",
        &busy,
        "p50 µs",
        "p99 µs",
        "CPU µs a call",
        "1 connection: p50 µs",
        "p99 µs",
        "ours ÷ it, calls/s",
    ];
    report::table(&header, &rows)
}

fn row(contender: &Contender, ratio: String) -> Vec<String> {
    let shown = |figure: fn(&Run) -> f64| number(median(contender.runs.iter().map(figure)));
    vec![
        contender.name.clone(),
        shown(|run| run.busy.rate()),
        shown(|run| run.busy.quantile_us(0.5)),
        shown(|run| run.busy.quantile_us(0.99)),
        shown(|run| run.work_us),
        shown(|run| run.alone.quantile_us(0.5)),
        shown(|run| run.alone.quantile_us(0.99)),
        ratio,
    ]
}

/// Median of the rounds' ratios, and their extremes.
fn ratio(ours: &Contender, its: &Contender) -> String {
    spread(&pairs(ours, its, |ours, its| ours.busy.rate() / its.busy.rate()))
}

fn spread(values: &[f64]) -> String {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{:.2} ({least:.2} to {most:.2})", median(values.iter().copied()))
}

/// Round by round, so that both sides were measured under the same conditions.
fn pairs(ours: &Contender, its: &Contender, figure: impl Fn(&Run, &Run) -> f64) -> Vec<f64> {
    ours.runs.iter().zip(&its.runs).map(|(ours, its)| figure(ours, its)).collect()
}

/// The figures of speed. What is added is the difference of the medians of latency over one connection, where
/// nobody waits for anybody else.
pub(super) fn figures(answered: &Group, refused: &Group) -> Vec<Figure> {
    let added = |more: &Contender, less: &Contender| {
        median(pairs(more, less, |more, less| more.alone.quantile_us(0.5) - less.alone.quantile_us(0.5)))
    };
    let rate = median(answered.ours.runs.iter().map(|run| run.busy.rate()));
    let figure = |name: &str, measured, unit, goal| Figure::new(name, measured, unit, goal);
    let share = |name: &str, more, less| Figure::new(name, added(more, less), "µs", Goal::None);
    let nearest = answered.axum_with_trips.as_ref().unwrap_or(&answered.axum);
    vec![
        figure("query_metrics answered over HTTP", rate, "calls/s", Goal::AtLeast(15_000.0)),
        figure(
            "p50 added to bare axum by rmcp, guard, audit, rendering (call refused)",
            added(&refused.ours, &refused.axum),
            "µs",
            Goal::AtMost(100.0),
        ),
        share("  of which rmcp", &refused.rmcp, &refused.axum),
        share("  of which guard, audit, log line, rendering", &refused.ours, &refused.rmcp),
        share("p50 added to axum with the same trips by all that answers a call", &answered.ours, nearest),
        share("  of which rmcp", &answered.rmcp, &answered.axum),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_names_the_median_and_both_extremes() {
        assert_eq!(spread(&[0.5, 0.25, 1.0]), "0.50 (0.25 to 1.00)");
    }
}
