//! `list_firing_alerts`: what fires now, for whom and since when, what is held back and by what, what fired before.

mod caveats;
mod findings;
mod gather;
mod next;
mod picture;
mod tables;
mod verdict;
mod words;

use std::{sync::Arc, time::Duration};

use contract::{Answer, Card, Context, Cost, Detail, Draft, Effect, TimeSpec, Tool, ToolError};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{analysis::alerts, backend::Sources, config::QueryLimits};
use picture::{Cites, Picture};

/// The longest window that is looked back over.
const LONGEST: Duration = Duration::from_secs(31 * 86_400);
/// Rows of a table, when not asked otherwise.
const ROWS: usize = 50;
/// The most rows of a table.
const MOST_ROWS: u32 = 200;

/// Arguments.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// Only alerts about this service, by labels such as service, app, job, namespace, pod: `checkout`.
    service: Option<String>,
    /// Also what fired and ended in this window, at most 31 days: `1h`, or START/END.
    time_range: Option<TimeSpec>,
    /// Rows of each table, 1 to 200; 50 when left out.
    limit: Option<u32>,
    /// Which Prometheus, by its name; the first when left out.
    source: Option<String>,
    /// `full`: each alert in its own row, with its annotations.
    detail: Option<Detail>,
}

pub(crate) struct ListFiringAlerts {
    pub(crate) sources: Arc<Sources>,
    pub(crate) limits: QueryLimits,
}

impl Tool for ListFiringAlerts {
    type Request = Request;

    const CARD: Card = Card {
        name: "list_firing_alerts",
        title: "List firing alerts",
        description: "What is wrong now, worst first: the alerts of Prometheus' rules joined with Alertmanager's view \
of them. Begin here when you don't know what is wrong; to measure one thing use query_metrics, to find a metric \
search_metrics. Alerts of one name are one row (how many, since when, labels they share and differ in, value, \
receivers). Apart from those: alerts that are silenced, inhibited or muted, by whom and until when; pending ones and \
when they would fire; rules that can't be evaluated. Of the worst: summary, expression, runbook link. time_range adds \
what fired and ended in it. Says when Prometheus or Alertmanager could not be asked and what is unknown then. \
Without arguments: everything. Example: {\"service\": \"checkout\", \"time_range\": \"1h\"}",
        search_hint: "alerts firing pending silenced inhibited Alertmanager rules on-call what is wrong outage",
        effect: Effect::Read,
        cost: Cost::Range,
        scope: "metrics:read",
    };

    fn unlisted(&self) -> &'static [&'static str] {
        self.sources.unlisted()
    }

    async fn answer(&self, cx: &Context, request: Request) -> Result<Answer, ToolError> {
        let rows = rows(request.limit)?;
        let past =
            request.time_range.as_ref().map(|spec| cx.past("time_range", spec, LONGEST)).transpose()?;
        let window = past.map(|past| past.window);
        let service = request.service.as_deref().map(|service| cx.intake.text(service.trim()));
        let full = request.detail.unwrap_or(cx.detail) == Detail::Full;

        let heard = gather::hear(cx, (&self.sources, self.limits), request.source.as_deref(), window).await?;
        let all = alerts::joined(heard.rules.as_ref().ok(), heard.delivered.as_ref().ok());
        let fired = heard.fired();
        let picture = Picture::new(cx, &heard, &all, &fired, service, full);

        let mut draft = Draft::new();
        let cites = Cites::new(cx, &heard, &mut draft);
        findings::add(&mut draft, &picture, &cites);
        tables::add(&mut draft, &picture, &cites, rows);
        past.and_then(|past| past.caveat("time_range")).into_iter().for_each(|caveat| draft.caveat(caveat));
        caveats::add(&mut draft, &picture);
        next::add(&mut draft, &picture, request.source.as_deref());
        Ok(draft.conclude(verdict::text(&picture)))
    }
}

fn rows(limit: Option<u32>) -> Result<usize, ToolError> {
    match limit {
        None => Ok(ROWS),
        Some(rows) if (1..=MOST_ROWS).contains(&rows) => Ok(usize::try_from(rows).unwrap_or(ROWS)),
        Some(rows) => Err(ToolError::invalid("limit", &format!("{rows} is not between 1 and {MOST_ROWS}"))
            .remedy(format!("leave it out for {ROWS} rows, or narrow with service"))),
    }
}
