//! `get_error_patterns`: which kinds of errors there are, which are new or surging, since when and where.

mod baselines;
mod gather;
mod judge;
mod onset;
mod show;
mod verdict;

use std::{sync::Arc, time::Duration};

use contract::{Answer, Card, Context, Cost, Detail, Effect, TimeSpec, Tool, ToolError};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{backend::Sources, model::Level, tools::asking};

/// The longest window.
const LONGEST: Duration = Duration::from_secs(7 * 86_400);
const USUAL: Duration = Duration::from_secs(3_600);
/// Rows when not asked otherwise.
const ROWS: usize = 12;
const MOST_ROWS: u32 = 50;

/// From which level on records are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Floor {
    Error,
    Warn,
    All,
}

impl Floor {
    /// The level, if there is a floor.
    fn level(self) -> Option<Level> {
        match self {
            Floor::Error => Some(Level::Error),
            Floor::Warn => Some(Level::Warn),
            Floor::All => None,
        }
    }
}

/// Arguments.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// Only this service; left out: all services.
    service: Option<String>,
    /// The window, at most 7d: `1h` (when left out), or START/END.
    time_range: Option<TimeSpec>,
    /// What to compare with: START/END. Left out: the window just before, and the same window 1 and 7 days earlier.
    baseline: Option<TimeSpec>,
    /// From which level on: `warn` (when left out), `error`, `all`.
    level: Option<Floor>,
    /// Patterns to show, 1 to 50; 12 when left out.
    limit: Option<u32>,
    /// Which of the configured sources; the first when left out.
    source: Option<String>,
    /// `full`: more examples.
    detail: Option<Detail>,
}

pub(crate) struct GetErrorPatterns {
    pub(crate) sources: Arc<Sources>,
}

impl Tool for GetErrorPatterns {
    type Request = Request;

    const CARD: Card = Card {
        name: "get_error_patterns",
        title: "Get error patterns",
        description: "What goes wrong according to the logs, by pattern (text with its values left out) instead of line by \
line: what is new, surging, steady, fading or gone against the time just before, a day and a week earlier, true counts, rate before \
and now, since when, level, services, pods, versions, one example, and a filter that finds the lines. Begin here when \
something is broken; for the lines themselves use search_logs, for exceptions with their causes extract_stack_traces, for who \
went silent get_log_volume_anomalies. Without service: all services. \
Example: {\"service\": \"payment\", \"time_range\": \"30m\"}",
        search_hint: "log errors exceptions patterns templates new surging regression what broke warnings failures",
        effect: Effect::Read,
        cost: Cost::Heavy,
        scope: "logs:read",
    };

    fn unlisted(&self) -> &'static [&'static str] {
        self.sources.unlisted()
    }

    async fn answer(&self, cx: &Context, request: Request) -> Result<Answer, ToolError> {
        let store = self.sources.logs(request.source.as_deref())?;
        let limit = asking::limit(request.limit, ROWS, MOST_ROWS)?;
        let asked = gather::Asked::of(cx, &self.sources, &request)?;
        let asked = asked.where_recorded(cx, store.as_ref()).await;
        let gathered = gather::gather(cx, store, asked).await?;
        let (mut gathered, mut rows) = judge::rows(store, gathered).await;
        let store = store.as_ref();
        gather::recount(cx, store, &mut gathered, &mut rows).await;
        judge::settle(&mut rows, &gathered);
        onset::find(cx, store, &mut gathered, &mut rows).await;
        let picture = show::Picture {
            cx,
            store,
            gathered: &gathered,
            rows: &rows,
            limit,
            full: request.detail.unwrap_or(cx.detail) == Detail::Full,
        };
        let answer = show::answer(&picture);
        Ok(asking::of_source(answer, &self.sources, store, request.source.as_deref()))
    }
}
