//! What a window lacks that has only not arrived yet.

use contract::{Context, Draft, Finding, TimeRange, ToolError, duration_text};
use jiff::{SignedDuration, Timestamp};

use super::Told;
use crate::{
    backend::Logs,
    model::{Condition, Freshness, Reply, Search},
};

/// How late records arrive is asked of those from so long before the last one on.
const BEFORE: SignedDuration = SignedDuration::from_hours(1);
/// So many times the delay (95th percentile) records may be missing before one says that they do not come.
const DELAYS: f64 = 2.0;

/// How late the records arrive that nobody sees yet.
pub(crate) struct Awaited {
    within: f64,
    search: Search,
    reply: Reply<Freshness>,
}

/// Whether records arrive so late that those of so many seconds may still come.
pub(crate) fn awaits(fresh: &Freshness, missing: f64) -> bool {
    fresh.lag_seconds.is_some_and(|(_, most)| most >= 1.0 && missing <= DELAYS * most)
}

impl Awaited {
    /// Asks whether records that meet these conditions arrive so late that those after the `last` one may still come.
    ///
    /// # Errors
    /// When that can't be asked.
    pub(crate) async fn of(
        cx: &Context,
        store: &dyn Logs,
        last: Timestamp,
        conditions: Vec<Condition>,
    ) -> Result<Option<Awaited>, ToolError> {
        let begin = last.checked_sub(BEFORE).unwrap_or(last);
        let Ok(window) = TimeRange::new(begin, cx.now) else { return Ok(None) };
        let search = Search { window, text: None, conditions };
        let reply = store.freshness(cx, &search).await?;
        let missing = cx.now.duration_since(last).as_secs_f64();
        let within = reply.value.lag_seconds.map(|(_, most)| most).filter(|_| awaits(&reply.value, missing));
        Ok(within.map(|within| Awaited { within, search, reply }))
    }

    /// `95 % of its records arrive within 1m30s, so newer ones may still come`.
    pub(crate) fn told(&self, whose: &str) -> String {
        let within = duration_text(self.within.round());
        format!("95 % of {whose} records arrive within {within}, so newer ones may still come")
    }

    /// Says it as a finding.
    pub(crate) fn show(&self, draft: &mut Draft, store: &dyn Logs, whose: &str) {
        let mut told = Told::new(store);
        let cite = told.cite(draft, &self.reply, &self.search);
        told.caveats(draft);
        draft.finding(Finding::new(self.told(whose), cite));
    }
}
