//! `list_log_sources`: what logs there are, since when, of whom, and which of their fields are which.

use std::{sync::Arc, time::Duration};

use contract::{
    Answer, Card, Cell, Cite, Context, Cost, Draft, Effect, Next, Table, TimeRange, Tool, ToolError, counted,
    duration_text, time_text,
};
use futures_util::future::join4;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    backend::{Logs, Sources},
    model::{Freshness, Key, Layout, LogSource, Reply, Role, Search, Top},
    tools::asking::{self, Told},
};

/// How far back services and levels are counted.
const LOOK_BACK: Duration = Duration::from_secs(24 * 3600);
/// Services and levels that are told.
const VALUES: usize = 20;
/// Sources that are told.
const ROWS: usize = 30;

/// Arguments.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// Which of the configured sources; the first when left out.
    source: Option<String>,
}

pub(crate) struct ListLogSources {
    pub(crate) sources: Arc<Sources>,
}

impl Tool for ListLogSources {
    type Request = Request;

    const CARD: Card = Card {
        name: "list_log_sources",
        title: "List log sources",
        description: "Which indices, data streams, tables or files hold logs: records, size, first and last record, how late \
records arrive; which services and levels logged in the last 24 h; which fields were taken for time, message, level, service, \
trace id and so on, and why. Use it first when you don't know what is logged, when a search finds nothing, or to learn names \
of fields and services for search_logs. For what is wrong use get_error_patterns instead. Example: {}",
        search_hint: "log indices data streams tables files fields mapping services levels ingest lag discover what is logged",
        effect: Effect::Read,
        cost: Cost::Range,
        scope: "logs:read",
    };

    fn unlisted(&self) -> &'static [&'static str] {
        self.sources.unlisted()
    }

    async fn answer(&self, cx: &Context, request: Request) -> Result<Answer, ToolError> {
        let store = self.sources.logs(request.source.as_deref())?.as_ref();
        let start = cx.now.checked_sub(LOOK_BACK).unwrap_or(cx.now);
        let window =
            TimeRange::new(start, cx.now).map_err(|error| ToolError::invalid("now", &error.to_string()))?;
        let day = Search { window, text: None, conditions: Vec::new() };
        let (service, level) = (Key::Role(Role::Service), Key::Role(Role::Level));
        let sources = store.sources(cx).await?;
        let (layout, services, levels, fresh) = join4(
            store.layout(cx),
            store.top(cx, &day, &service, VALUES),
            store.top(cx, &day, &level, VALUES),
            store.freshness(cx, &day),
        )
        .await;
        let found = Found { cx, store, day, sources, layout: layout?, services, levels, fresh };
        Ok(asking::of_source(found.answer(), &self.sources, store, request.source.as_deref()))
    }
}

struct Found<'a> {
    cx: &'a Context,
    store: &'a dyn Logs,
    day: Search,
    sources: Reply<Vec<LogSource>>,
    layout: Reply<Arc<Layout>>,
    services: Result<Reply<Top>, ToolError>,
    levels: Result<Reply<Top>, ToolError>,
    fresh: Result<Reply<Freshness>, ToolError>,
}

impl Found<'_> {
    fn answer(&self) -> Answer {
        let mut draft = Draft::new();
        let mut told = Told::new(self.store);
        let cite = told.cite_all(&mut draft, &self.sources);
        self.list(&mut draft, cite);
        let cite = told.cite_all(&mut draft, &self.layout);
        self.fields(&mut draft, cite);
        for (title, column, top) in
            [("services", "service", &self.services), ("levels", "level as written", &self.levels)]
        {
            match top {
                Ok(top) => {
                    let cite = told.cite(&mut draft, top, &self.day);
                    values(&mut draft, title, column, &top.value, cite);
                }
                Err(error) => draft.caveat(format!("{title} could not be counted: {error}")),
            }
        }
        match &self.fresh {
            Ok(fresh) => {
                let _ = told.cite(&mut draft, fresh, &self.day);
                lateness(&mut draft, &fresh.value);
            }
            Err(error) => draft.caveat(format!("how late records arrive is not known: {error}")),
        }
        told.caveats(&mut draft);
        draft.next(
            Next::call("get_error_patterns", "which errors of all services are new or surging")
                .with("time_range", "1h"),
        );
        draft.conclude(self.verdict())
    }

    fn list(&self, draft: &mut Draft, cite: Cite) {
        let sources = &self.sources.value;
        let columns = ["name", "kind", "records", "bytes", "first", "last", "health"];
        let mut table = Table::new("sources", &columns, cite);
        for source in sources.iter().take(ROWS) {
            table.row(vec![
                Cell::text(source.name.shown(80)),
                Cell::text(source.kind),
                source.records.map_or(Cell::Missing, Cell::Count),
                source.bytes.map_or(Cell::Missing, Cell::Count),
                Cell::time(source.span.map(|(first, _)| first)),
                Cell::time(source.span.map(|(_, last)| last)),
                source.health.as_ref().map_or(Cell::Missing, |health| Cell::text(health.shown(30))),
            ]);
        }
        table.seen(sources.len() as u64);
        table.see_more("an operator narrows `indices` in the configuration");
        draft.table(table);
    }

    fn fields(&self, draft: &mut Draft, cite: Cite) {
        let layout = &self.layout.value;
        let mut table = Table::new("fields by role", &["role", "first field", "why", "then"], cite);
        for role in Role::ALL {
            let Some((first, rest)) = layout.of(role).split_first() else { continue };
            let named = |name: &str| self.cx.intake.field("name", name).shown(80);
            let conflict = if first.conflict { "; indices disagree about its type" } else { "" };
            let rest: Vec<String> = rest.iter().map(|chosen| named(&chosen.name)).collect();
            table.row(vec![
                Cell::text(role.name()),
                Cell::text(named(&first.name)),
                Cell::text(format!("{}{conflict}", first.why)),
                Cell::text(rest.join(", ")),
            ]);
        }
        draft.table(table);
        for role in [Role::Time, Role::Message, Role::Level, Role::Service] {
            if layout.of(role).is_empty() {
                draft.caveat(format!(
                    "no field was found for {}: an operator names it in [logs.fields] of the configuration",
                    role.name()
                ));
            }
        }
        for name in &layout.nested {
            let name = self.cx.intake.field("name", name).shown(80);
            draft.caveat(format!(
                "{name} holds JSON documents: their level, message and trace id are read, but not indexed"
            ));
        }
    }

    fn verdict(&self) -> String {
        let sources = &self.sources.value;
        if sources.is_empty() {
            return format!("{} holds no logs that may be read.", self.store.system());
        }
        let known: Vec<u64> = sources.iter().filter_map(|source| source.records).collect();
        // What is behind an alias may be listed by its own name too.
        let apart = sources.len() == 1 || sources.iter().all(|source| source.kind != "alias");
        let records = if known.len() == sources.len() && apart {
            format!(" with {}", counted(known.iter().sum(), "record", "records"))
        } else {
            String::new()
        };
        let services = self.services.as_ref().ok().map(|top| &top.value);
        let services =
            services.and_then(|top| Some((top.distinct?, if top.estimated { "about " } else { "" })));
        let services = services.map_or(String::new(), |(count, about)| {
            format!("; {about}{} logged in the last 24 h", several(count, "service"))
        });
        let conventions = match self.layout.value.conventions.as_slice() {
            [] => "no known convention of fields".to_owned(),
            all => format!("fields of {}", all.join(", ")),
        };
        let newest = sources.iter().filter_map(|source| source.span).map(|(_, last)| last).max();
        let newest =
            newest.map_or(String::new(), |newest| format!("; the newest record is of {}", time_text(newest)));
        format!("{}{records}{services}; {conventions}{newest}.", kinds(sources))
    }
}

/// How many there are of each kind.
fn kinds(sources: &[LogSource]) -> String {
    let mut counts: Vec<(&str, u64)> = Vec::new();
    for source in sources {
        match counts.iter_mut().find(|(kind, _)| *kind == source.kind) {
            Some((_, count)) => *count += 1,
            None => counts.push((source.kind, 1)),
        }
    }
    let told: Vec<String> = counts.iter().map(|(kind, count)| several(*count, kind)).collect();
    told.join(", ")
}

fn several(count: u64, what: &str) -> String {
    match (count, what) {
        (1, _) => format!("1 {what}"),
        (_, "index") => format!("{count} indices"),
        (_, "alias") => format!("{count} aliases"),
        _ => format!("{count} {what}s"),
    }
}

fn values(draft: &mut Draft, title: &str, column: &str, top: &Top, cite: Cite) {
    let mut table = Table::new(title, &[column, "records in 24 h"], cite);
    for group in &top.values {
        table.row(vec![Cell::text(group.value.shown(60)), Cell::Count(group.count)]);
    }
    asking::count_values(&mut table, top);
    table.see_more(format!("search_logs(query=\"*\", group_by=\"{}\")", title.trim_end_matches('s')));
    draft.table(table);
    if top.others > 0 {
        let records = counted(top.others, "record", "records");
        draft.caveat(format!("of other {title}: {records} of the last 24 h"));
    }
    if top.missing > 0 {
        let records = counted(top.missing, "record", "records");
        draft.caveat(format!("without a {}: {records} of the last 24 h", title.trim_end_matches('s')));
    }
}

fn lateness(draft: &mut Draft, fresh: &Freshness) {
    if let Some((median, p95)) = fresh.lag_seconds {
        draft.caveat(format!(
            "the records stored last arrived {} after they happened (median; 95 % within {})",
            duration_text(median.max(0.0)),
            duration_text(p95.max(0.0))
        ));
    }
}
