//! `get_log_volume_anomalies`: who logs far more or far less than usual, who fell silent, and what accounts for it.

mod before;
mod caveats;
mod count;
mod gather;
mod late;
mod next;
mod rows;
mod show;
mod verdict;
mod when;
mod words;

use std::{sync::Arc, time::Duration};

use contract::{Answer, Card, Context, Cost, Detail, Effect, TimeSpec, Tool, ToolError};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    backend::Sources,
    tools::asking::{self, Service},
};

/// The longest window; its lead-in is as long.
const LONGEST: Duration = Duration::from_secs(14 * 86_400);

/// Arguments.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// Only this service, with its levels, pods and versions; left out: all services, worst first.
    service: Option<String>,
    /// The window that is judged, 5m to 14d: `1h` (when left out), or START/END.
    time_range: Option<TimeSpec>,
    /// Which of the configured sources; the first when left out.
    source: Option<String>,
    /// `full`: also the streams that are as usual.
    detail: Option<Detail>,
}

pub(crate) struct GetLogVolumeAnomalies {
    pub(crate) sources: Arc<Sources>,
}

impl Tool for GetLogVolumeAnomalies {
    type Request = Request;

    const CARD: Card = Card {
        name: "get_log_volume_anomalies",
        title: "Get log volume anomalies",
        description: "Which services log far more or far less than usual, or fell silent, since when, and which level, pod \
or version accounts for it. True counts of all records against the same time 1 and 7 days earlier, else against the time \
before; large ratios of tiny numbers are not told. Use it when something is quiet, floods, or stopped logging; for what \
the records say use get_error_patterns, for the lines search_logs. Says how late records arrive and which steps were left \
out for that. Example: {\"service\": \"payment\", \"time_range\": \"2h\"}",
        search_hint: "log volume rate spike drop silence stopped logging flood ingest lag delay anomaly",
        effect: Effect::Read,
        cost: Cost::Heavy,
        scope: "logs:read",
    };

    fn unlisted(&self) -> &'static [&'static str] {
        self.sources.unlisted()
    }

    async fn answer(&self, cx: &Context, request: Request) -> Result<Answer, ToolError> {
        let store = self.sources.logs(request.source.as_deref())?.as_ref();
        let full = request.detail.unwrap_or(cx.detail) == Detail::Full;
        let past = when::asked(cx, request.time_range.as_ref())?;
        let service = Service::of(cx, &self.sources, request.service.as_deref());
        let gathered = gather::gather(cx, store, past, service).await?;
        let rows = rows::rows(&gathered);
        let before = before::look(cx, store, &gathered, !rows.is_empty() || gathered.stopped.is_some()).await;
        let answer =
            show::answer(&show::Picture { store, gathered: &gathered, rows: &rows, before: &before, full });
        Ok(asking::of_source(answer, &self.sources, store, request.source.as_deref()))
    }
}
