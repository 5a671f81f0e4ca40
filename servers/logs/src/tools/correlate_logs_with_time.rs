//! `correlate_logs_with_time`: what was new in the logs just before a moment, in any service.

mod gather;
mod judge;
mod show;

use std::sync::Arc;

use contract::{Answer, Card, Context, Cost, Detail, Effect, Moment, Tool, ToolError, time_text};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{backend::Sources, tools::asking};

/// Minutes on each side of the moment, when not asked otherwise, and the most.
const USUAL: u32 = 5;
const MOST: u32 = 60;

/// Arguments.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// The moment in question: RFC 3339, epoch seconds, `now-20m`.
    timestamp: String,
    /// Minutes before and after it, 1 to 60; 5 when left out.
    delta_minutes: Option<u32>,
    /// Only this service; left out: all, which is the point.
    service: Option<String>,
    /// Which of the configured sources; the first when left out.
    source: Option<String>,
    /// `full`: more rows and a longer sequence.
    detail: Option<Detail>,
}

pub(crate) struct CorrelateLogsWithTime {
    pub(crate) sources: Arc<Sources>,
}

impl Tool for CorrelateLogsWithTime {
    type Request = Request;

    const CARD: Card = Card {
        name: "correlate_logs_with_time",
        title: "Correlate logs with a moment",
        description: "What was new in the logs around a moment (an alert, an onset, a deployment), across services and in \
order of time: patterns that the hour before did not have or hardly had, starts, stops and new versions, and the records that \
share a trace or request id with the error nearest to the moment. Use it when you know when, not what; for the errors of a \
window use get_error_patterns. Example: {\"timestamp\": \"2026-01-14T14:02:45Z\", \"delta_minutes\": 5}",
        search_hint: "logs around a time before incident onset what changed first sequence trace id correlation restart deploy",
        effect: Effect::Read,
        cost: Cost::Heavy,
        scope: "logs:read",
    };

    fn unlisted(&self) -> &'static [&'static str] {
        self.sources.unlisted()
    }

    async fn answer(&self, cx: &Context, request: Request) -> Result<Answer, ToolError> {
        let store = self.sources.logs(request.source.as_deref())?;
        let asked = gather::Asked::of(
            cx,
            &self.sources,
            moment(cx, &request.timestamp)?,
            minutes(request.delta_minutes)?,
            &request,
        )?;
        let asked = asked.where_recorded(cx, store.as_ref()).await?;
        let gathered = gather::gather(cx, store, asked).await?;
        let full = request.detail.unwrap_or(cx.detail) == Detail::Full;
        let (mut gathered, mut rows) = judge::rows(store, gathered).await;
        let store = store.as_ref();
        gather::verify(cx, store, &mut gathered, &mut rows).await;
        let versions = gather::versions(cx, store, &gathered, judge::new_versions(&gathered)).await;
        let answer = show::answer(&show::Picture {
            cx,
            store,
            gathered: &gathered,
            rows: &rows,
            versions: &versions,
            full,
        });
        Ok(asking::of_source(answer, &self.sources, store, request.source.as_deref()))
    }
}

fn moment(cx: &Context, text: &str) -> Result<jiff::Timestamp, ToolError> {
    let wrong = |error: contract::TimeError| ToolError::invalid("timestamp", &error.to_string());
    let at = text.parse::<Moment>().and_then(|moment| moment.resolve(cx.now)).map_err(wrong)?;
    if at > cx.now {
        let problem = format!("{} is after now, {}", time_text(at), time_text(cx.now));
        return Err(ToolError::invalid("timestamp", &problem).remedy("a moment that has been"));
    }
    Ok(at)
}

fn minutes(delta: Option<u32>) -> Result<u32, ToolError> {
    match delta {
        None => Ok(USUAL),
        Some(minutes) if (1..=MOST).contains(&minutes) => Ok(minutes),
        Some(minutes) => {
            let problem = format!("{minutes} is not between 1 and {MOST}");
            Err(ToolError::invalid("delta_minutes", &problem).remedy("a longer time: get_error_patterns"))
        }
    }
}
