//! `search_metrics`: what is measured, what is it called, and how is it asked for?

mod catalog;
mod labelled;
mod measure;
mod show;

use std::{sync::Arc, time::Duration};

use contract::{
    Answer, Card, Context, Cost, Detail, Draft, Effect, ErrorKind, Next, TimeRange, TimeSpec, Tool,
    ToolError, Untrusted,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    analysis::search::{
        families::group,
        ranking::{add_labels, best, by_text},
        words::Query,
    },
    backend::{Metrics, Sources},
    config::{QueryLimits, aliases::Aliases},
    tools::{
        cost::Guard,
        scope::{self, Lookup, Resolved, Scope},
    },
};

/// Rows without `limit`.
const ROWS: usize = 10;

/// The most rows.
const MOST_ROWS: usize = 50;

/// The longest text or service that is a search and not an essay, in characters.
const LONGEST: usize = 200;

/// How far back names are looked for: what vanished today is often the clue.
const LOOK_BACK: Duration = Duration::from_secs(24 * 3600);
const LOOK_BACK_TEXT: &str = "24 h";

/// What is searched for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// Words of a metric's name, help text or labels, such as `checkout latency`; an exact name; `*` for all.
    text: String,
    /// Only metrics of this service, such as `checkout`; the label that holds it is found out.
    service: Option<String>,
    /// Most metrics to show, 1 to 50; 10 when left out.
    limit: Option<usize>,
    /// Which of the configured sources; the first when left out.
    source: Option<String>,
    /// `full` adds whole help texts, more label values and the names of all series.
    detail: Option<Detail>,
}

pub(crate) struct SearchMetrics {
    pub(crate) sources: Arc<Sources>,
    pub(crate) limits: QueryLimits,
}

impl Tool for SearchMetrics {
    type Request = Request;

    const CARD: Card = Card {
        name: "search_metrics",
        title: "Search metrics",
        description: "Finds metrics by words of their name, help text, labels or service. Use it when you don't know \
                      what a metric is called, which labels it has, or what a service exposes. When you know the \
                      metric, use query_metrics instead; when you don't know what is wrong, list_firing_alerts. \
                      Comes back: the best matches, ranked, each with type, unit, number of series now, its labels \
                      with a few values, help text, and a query that works as it stands. Other words for the same \
                      (latency, duration) are tried too. When nothing matches: the nearest names. \
                      Example: {\"text\": \"request latency\", \"service\": \"checkout\"}",
        search_hint: "find metric name label help type unit promql discover what is measured service",
        effect: Effect::Read,
        cost: Cost::Range,
        scope: "metrics:read",
    };

    fn unlisted(&self) -> &'static [&'static str] {
        self.sources.unlisted()
    }

    async fn answer(&self, cx: &Context, request: Request) -> Result<Answer, ToolError> {
        let limit = limit_of(&request)?;
        short("text", &request.text)?;
        short("service", request.service.as_deref().unwrap_or_default())?;
        let source = self.sources.metrics(request.source.as_deref())?;
        let at = cx.now.round(jiff::Unit::Second).unwrap_or(cx.now);
        let look = Look {
            cx,
            source,
            named: request.source.as_deref(),
            guard: Guard::new(cx, source, self.limits),
            aliases: self.sources.aliases(),
            window: back_from(at)?,
            at,
            query: Query::new(&request.text),
            full: request.detail == Some(Detail::Full),
        };
        let mut draft = Draft::new();
        let known = catalog::known(&look, &mut draft).await?;
        let mut scope = None;
        if let Some(service) = &request.service {
            if let Some(error) = known.no_labels {
                return Err(error.into());
            }
            match scope::resolve_among(&look.lookup(), service.trim(), &known.labels, &mut draft).await? {
                Resolved::Found(found) => scope = Some(found),
                Resolved::Unknown(near) => return Ok(unknown(&look, service.trim(), &near, draft)),
            }
        }
        let names = catalog::names(&look, scope.as_ref(), &mut draft).await?;
        let mut families = group(&names.items, &known.metadata, |name| cx.intake.text(name));
        let mut hits = by_text(&families, &look.query);
        let labelled = labelled::find(&look, scope.as_ref(), &known.labels, &hits, &names, &mut draft).await;
        add_labels(&mut hits, &families, &labelled.borrowed());
        let hits = best(hits, &families, &look.query);
        let by_label = labelled.cite(&hits, &mut draft);
        let shown: Vec<usize> = hits.iter().take(limit).map(|hit| hit.family).collect();
        if known.metadata_cut {
            catalog::learn(&look, &mut families, &shown, &mut draft).await;
        }
        let meant = labelled.meant(&look, &hits);
        let scopes: Vec<&Scope> = scope.iter().chain(&meant).collect();
        let measured = measure::measure(&look, &scopes, &families, &shown, &mut draft).await;
        for other in self.sources.others(source) {
            draft.caveat(format!("source {other} was not searched"));
        }
        let found = show::Found { families, names, hits, limit, scope, meant, labelled, by_label, measured };
        Ok(show::answer(&look, &found, draft))
    }
}

/// One call: what is asked, of whom.
struct Look<'a> {
    cx: &'a Context,
    source: &'a dyn Metrics,
    /// The source as the caller named it.
    named: Option<&'a str>,
    guard: Guard<'a>,
    aliases: &'a Aliases,
    /// When a name, label or value must have been there.
    window: TimeRange,
    /// When series are counted: queries are evaluated at whole seconds.
    at: Timestamp,
    query: Query,
    full: bool,
}

impl Look<'_> {
    fn lookup(&self) -> Lookup<'_> {
        Lookup { cx: self.cx, store: self.source, aliases: self.aliases, window: self.window }
    }

    /// A call of the source that was asked.
    fn call(&self, tool: &str, why: impl Into<String>) -> Next {
        let next = Next::call(tool, why);
        match self.named {
            Some(source) => next.with("source", source),
            None => next,
        }
    }

    /// A text of ours with names of the systems in it: bare where all of them are plain, else fenced.
    fn guarded(&self, text: String, plain: bool) -> String {
        self.lookup().guarded(text, plain)
    }

    /// What the caller wrote, as an answer may show it.
    fn echo(&self, text: &str) -> String {
        self.lookup().echo(text)
    }

    /// What the system remarked on a reply.
    fn warn(&self, warnings: &[Untrusted], draft: &mut Draft) {
        self.lookup().warn(warnings, draft);
    }
}

/// The answer when no label holds the service: what comes nearest.
fn unknown(look: &Look<'_>, service: &str, near: &scope::Near, mut draft: Draft) -> Answer {
    let words = ("nothing was searched", LOOK_BACK_TEXT, "leave `service` out and put it into `text`");
    let verdict = near.tell(&look.lookup(), service, words, &mut draft);
    if let Some(service) = near.nearest() {
        draft.next(
            look.call("search_metrics", "the nearest service")
                .with("text", look.query.phrase.as_str())
                .with("service", service),
        );
    }
    draft.conclude(verdict)
}

fn back_from(now: Timestamp) -> Result<TimeRange, ToolError> {
    let window = TimeSpec::Last(LOOK_BACK).resolve(now);
    window.map_err(|error| ToolError::new(ErrorKind::Internal, error.to_string(), "").because(error))
}

fn limit_of(request: &Request) -> Result<usize, ToolError> {
    match request.limit {
        None => Ok(ROWS),
        Some(limit @ 1..=MOST_ROWS) => Ok(limit),
        Some(limit) => Err(ToolError::invalid("limit", &format!("{limit} is not between 1 and {MOST_ROWS}"))
            .remedy(format!("{ROWS} when left out; more words find fewer metrics"))),
    }
}

fn short(field: &str, text: &str) -> Result<(), ToolError> {
    let length = text.chars().count();
    if length <= LONGEST {
        return Ok(());
    }
    Err(ToolError::invalid(field, &format!("is {length} characters long"))
        .remedy(format!("a few words, at most {LONGEST} characters")))
}
