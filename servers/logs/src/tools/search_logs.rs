//! `search_logs`: which records say this, how many, when, and by what they can be told apart.

mod empty;
mod show;

use std::{sync::Arc, time::Duration};

use contract::{Answer, Card, Context, Cost, Detail, Effect, Past, TimeRange, TimeSpec, Tool, ToolError};
use futures_util::future::{join, join4};
use schemars::JsonSchema;
use serde::Deserialize;
use signal::SHAPE_BUCKETS;

use crate::{
    backend::{Logs, Sources},
    model::{Condition, Page, Reply, Role, Sample, Search, Top},
    tools::asking::{self, Service},
};

/// Lines without `limit`, and the most.
const LINES: usize = 20;
const MOST_LINES: u32 = 100;
const USUAL: Duration = Duration::from_secs(3600);
const LONGEST: Duration = Duration::from_secs(31 * 86_400);
/// The longest text of an argument, in bytes.
const LONGEST_TEXT: usize = 4_000;

/// Arguments.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// Words that must all be there, "phrases", field:value, ranges, AND OR NOT, pay*; KQL conditions on Azure Data
    /// Explorer; `*` for all.
    query: String,
    /// The window: `1h` (when left out), or START/END; at most 31d.
    time_range: Option<TimeSpec>,
    /// Most lines, or values with `group_by`, 1 to 100; 20 when left out.
    limit: Option<u32>,
    /// Only this service.
    service: Option<String>,
    /// Only this level and worse: `trace`, `debug`, `info`, `warn`, `error`, `fatal`.
    level: Option<String>,
    /// Only records of this trace.
    trace_id: Option<String>,
    /// Instead of lines the most frequent values and their number: `service`, `level`, `pod`, `version`, `host`, or any
    /// field such as `user.id`.
    group_by: Option<String>,
    /// Where the page before ended, as its answer tells it; with the same other arguments.
    cursor: Option<String>,
    /// Which of the configured sources; the first when left out.
    source: Option<String>,
    /// `full`: longer lines.
    detail: Option<Detail>,
}

pub(crate) struct SearchLogs {
    pub(crate) sources: Arc<Sources>,
}

impl Tool for SearchLogs {
    type Request = Request;

    const CARD: Card = Card {
        name: "search_logs",
        title: "Search logs",
        description: "Finds log lines by words, phrases, fields, level, service or trace id. Comes back: the true total, its \
shape over the window, the newest lines with identical ones folded, trace ids; with group_by the most frequent values of a \
field and how many different ones there are (how many users, which pods). When nothing is found it says why. Use it when you \
know what to look for; for what is wrong use get_error_patterns, for exceptions extract_stack_traces, for who fell silent \
get_log_volume_anomalies. Example: {\"query\": \"\\\"pool exhausted\\\"\", \"service\": \"payment\", \"time_range\": \"1h\"}",
        search_hint: "log search lines grep query filter level trace id group by count distinct lucene kql text",
        effect: Effect::Read,
        cost: Cost::Range,
        scope: "logs:read",
    };

    fn unlisted(&self) -> &'static [&'static str] {
        self.sources.unlisted()
    }

    async fn answer(&self, cx: &Context, request: Request) -> Result<Answer, ToolError> {
        let store = self.sources.logs(request.source.as_deref())?.as_ref();
        let asked = Asked::of(cx, store, &self.sources, request)?;
        let search = &asked.search;
        let step = step(search.window);
        let levels = join(asking::guessed_levels(cx, store, search), asking::unlevelled(cx, store, search));
        let (total, over_time, found, (guessed, unlevelled)) =
            join4(store.total(cx, search), store.histogram(cx, search, step, None), asked.find(cx), levels)
                .await;
        let (total, found) = (total?, found?);
        if total.value.number() == 0 {
            let answer = empty::answer(&asked, &total, unlevelled).await?;
            return Ok(asking::of_source(answer, &self.sources, store, asked.request.source.as_deref()));
        }
        let begins = match &over_time {
            // Time before a store's first record is no time without records.
            Ok(reply) if reply.value.total.first() == Some(&0) => {
                asking::begins(cx, store, search.window, step).await
            }
            _ => Ok(None),
        };
        let over_time = show::OverTime { counts: over_time, begins };
        let of_levels: Vec<String> =
            guessed.into_iter().chain(unlevelled.map(asking::Unlevelled::not_searched)).collect();
        let mut found = found;
        loop {
            let answer = show::answer(&asked, &total, &over_time, &found, &of_levels);
            let answer = asking::of_source(answer, &self.sources, store, asked.request.source.as_deref());
            // Fewer each time, so it ends.
            let Some(fitting) = show::fitting(&asked, &answer, &found) else { return Ok(answer) };
            found = Found::Lines { reply: asked.page(cx, fitting).await?, cut: true };
        }
    }
}

/// One call, read.
struct Asked<'a> {
    cx: &'a Context,
    store: &'a dyn Logs,
    request: Request,
    past: Past,
    service: Option<Service>,
    search: Search,
    limit: usize,
    full: bool,
}

/// What was read of the records.
enum Found {
    /// A page; cut where it ends before the limit, as the answer has no room for more.
    Lines {
        reply: Reply<Sample>,
        cut: bool,
    },
    Values(String, Reply<Top>),
}

impl<'a> Asked<'a> {
    fn of(
        cx: &'a Context,
        store: &'a dyn Logs,
        sources: &'a Sources,
        request: Request,
    ) -> Result<Asked<'a>, ToolError> {
        let spec = request.time_range.as_ref().unwrap_or(&TimeSpec::Last(USUAL));
        let past = cx.past("time_range", spec, LONGEST)?;
        let limit = asking::limit(request.limit, LINES, MOST_LINES)?;
        for (name, text) in [
            ("query", Some(&request.query)),
            ("service", request.service.as_ref()),
            ("trace_id", request.trace_id.as_ref()),
            ("group_by", request.group_by.as_ref()),
        ] {
            if text.is_some_and(|text| text.len() > LONGEST_TEXT) {
                return Err(ToolError::invalid(name, &format!("is longer than {LONGEST_TEXT} bytes")));
            }
        }
        let mut conditions: Vec<Condition> = Vec::new();
        let service = Service::of(cx, sources, request.service.as_deref());
        conditions.extend(service.as_ref().map(Service::condition));
        conditions.extend(request.level.as_deref().map(asking::level).transpose()?);
        let trace = request.trace_id.as_deref().map(str::trim);
        conditions.extend(trace.map(|id| Condition::Is(Role::Trace, id.to_owned())));
        let text = Some(request.query.trim()).filter(|text| !matches!(*text, "" | "*")).map(str::to_owned);
        let full = request.detail.unwrap_or(cx.detail) == Detail::Full;
        let search = Search { window: past.window, text, conditions };
        Ok(Asked { cx, store, request, past, service, search, limit, full })
    }

    async fn find(&self, cx: &Context) -> Result<Found, ToolError> {
        if let Some(name) = self.request.group_by.as_deref().map(str::trim) {
            let key = asking::key(name);
            let top = self.store.top(cx, &self.search, &key, self.limit).await?;
            return Ok(Found::Values(name.to_owned(), top));
        }
        Ok(Found::Lines { reply: self.page(cx, self.limit).await?, cut: false })
    }

    async fn page(&self, cx: &Context, limit: usize) -> Result<Reply<Sample>, ToolError> {
        let page = Page { limit, oldest_first: false, after: self.request.cursor.clone() };
        self.store.page(cx, &self.search, &page).await
    }
}

/// Steps such that the window has as many as a shape has digits.
fn step(window: TimeRange) -> Duration {
    Duration::from_secs_f64((window.seconds() / SHAPE_BUCKETS as f64).ceil().max(1.0))
}
