//! What the reader must know to judge the answer.

use contract::{Draft, duration_text, time_text};

use super::{MOST, Story};
use crate::{
    analysis::capacity::{Reading, Resource},
    tools::get_capacity_trend::{
        days,
        story::{begins, ended, full_in, history},
    },
};

impl Story<'_> {
    pub(super) fn caveats(&self, draft: &mut Draft) {
        let measured = self.measured;
        if let Some(begins) = begins(measured) {
            draft.caveat(format!(
                "history is shorter than asked: it begins at {}, {} instead of {}",
                time_text(begins),
                days(history(measured)),
                self.look.length()
            ));
        }
        let gone: Vec<String> = measured
            .rows
            .iter()
            .filter_map(|row| Some(format!("{} at {}", self.name(row), ended(measured, row)?)))
            .collect();
        self.gone(gone, draft);
        let rate = duration_text(measured.plan.rate as f64);
        let step = duration_text(measured.plan.step as f64);
        draft.caveat(match measured.plan.reading {
            Reading::Every(_) => format!(
                "usage is that of the busiest replica, CPU as mean over {rate}: shorter peaks are not seen; trend of the \
                 highest in each {step}"
            ),
            Reading::Moments => format!(
                "usage is that of the busiest replica at moments {step} apart (CPU as mean over {rate}): to read all of it \
                 costs more than the limit of samples, or the window is short; peaks between are not seen, max and p99 \
                 may be too low"
            ),
        });
        self.seasons(draft);
        self.unseen(draft);
        self.look.guard.caveats().into_iter().for_each(|caveat| draft.caveat(caveat));
    }

    fn gone(&self, mut gone: Vec<String>, draft: &mut Draft) {
        gone.sort();
        gone.dedup();
        let count = gone.len();
        if count == 0 {
            return;
        }
        gone.truncate(MOST);
        let more = if count > MOST { format!(" and {} more", count - MOST) } else { String::new() };
        draft.caveat(format!("ended before the window did, shown as it was: {}{more}", gone.join(", ")));
    }

    fn seasons(&self, draft: &mut Draft) {
        let trends: Vec<_> = self.measured.rows.iter().filter_map(|row| row.trend).collect();
        let all = |has: fn(&signal::Trend) -> bool| trends.iter().all(has);
        let season = match (trends.is_empty(), all(|trend| trend.has_week), all(|trend| trend.has_day)) {
            (true, _, _) => return,
            (_, true, _) => "season of day and week removed",
            (_, false, true) => "season of the day removed, not of the week everywhere: that needs two weeks",
            (_, false, false) => "no season removed everywhere: that needs two days at an even step",
        };
        let is_beyond = self.measured.rows.iter().any(|row| {
            full_in(row).is_some() && row.reaches().is_some_and(|reaches| reaches.samples > row.history)
        });
        let beyond = if is_beyond { "; some ends lie further ahead than the history is long" } else { "" };
        draft.caveat(format!("trend: Theil-Sen slope with 95 % interval, {season}{beyond}"));
    }

    /// What could not be seen.
    fn unseen(&self, draft: &mut Draft) {
        let rows = &self.measured.rows;
        let without = rows.iter().filter(|row| row.bounds.is_empty()).count();
        if !self.found.population.has_containers() {
            draft.caveat(
                "no container metrics (cAdvisor) were found: these are the processes' own; requests, limits, throttling \
                 and child processes are not seen",
            );
            if without > 0 {
                draft.caveat(format!(
                    "what the host has is not seen for {without} of {} rows (node_exporter with the same host in instance)",
                    rows.len()
                ));
            }
            return;
        }
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
}
