//! `extract_stack_traces`: what was thrown, grouped by where it came from, with its root cause.

mod gather;
mod show;

use std::{sync::Arc, time::Duration};

use contract::{Answer, Card, Context, Cost, Detail, Effect, TimeSpec, Tool, ToolError};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{backend::Sources, tools::asking};

/// The longest window.
const LONGEST: Duration = Duration::from_secs(7 * 86_400);
const USUAL: Duration = Duration::from_secs(3_600);
const ROWS: usize = 10;
const MOST_ROWS: u32 = 50;

/// Arguments.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// Which records: as `query` of search_logs, such as `"pool exhausted"`; `*` for all errors.
    error_query: String,
    /// Only this service.
    service: Option<String>,
    /// The window, at most 7d: `1h` (when left out), or START/END.
    time_range: Option<TimeSpec>,
    /// Kinds of traces to show, 1 to 50; 10 when left out.
    limit: Option<u32>,
    /// Which of the configured sources; the first when left out.
    source: Option<String>,
    /// `full`: more frames.
    detail: Option<Detail>,
}

pub(crate) struct ExtractStackTraces {
    pub(crate) sources: Arc<Sources>,
}

impl Tool for ExtractStackTraces {
    type Request = Request;

    const CARD: Card = Card {
        name: "extract_stack_traces",
        title: "Extract stack traces",
        description: "The exceptions, panics and crashes in the records that match a query (Java, Kotlin, Scala, Python, Go, \
JavaScript, .NET, Rust, Ruby, PHP, C, C++), grouped by fingerprint (types and frames of the application, without line numbers \
or messages): type, root cause, first frame of the application, chain of causes, count, first and last, pods and versions. Puts \
together traces that were logged one line a record. Use it to find the line of code; which errors there are at all: \
get_error_patterns. Example: {\"error_query\": \"\\\"pool exhausted\\\"\", \"service\": \"payment\"}",
        search_hint: "stack trace exception panic crash root cause caused by traceback frame line of code",
        effect: Effect::Read,
        cost: Cost::Heavy,
        scope: "logs:read",
    };

    fn unlisted(&self) -> &'static [&'static str] {
        self.sources.unlisted()
    }

    async fn answer(&self, cx: &Context, request: Request) -> Result<Answer, ToolError> {
        let store = self.sources.logs(request.source.as_deref())?.as_ref();
        let limit = asking::limit(request.limit, ROWS, MOST_ROWS)?;
        let asked = gather::Asked::of(cx, &self.sources, &request)?;
        let gathered = gather::gather(cx, store, &asked).await?;
        let full = request.detail.unwrap_or(cx.detail) == Detail::Full;
        let answer = show::answer(&show::Picture { cx, store, gathered: &gathered, limit, full });
        Ok(asking::of_source(answer, &self.sources, store, request.source.as_deref()))
    }
}
