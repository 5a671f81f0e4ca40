//! Links into the web page of Azure Data Explorer.

use contract::Context;

use super::{Adx, kql::name, search::Compiler};
use crate::backend::given::Given;
use crate::model::{LogSource, Reply, Search};

impl Adx {
    /// The page on which a person runs the search, when `ui_url` is configured and the tables are known.
    pub(super) fn link_to(&self, search: &Search) -> Option<String> {
        let base = self.upstream.ui_url()?;
        let schemas = self.schemas.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (_, schema, _) = schemas.values().next()?;
        let compiler = Compiler {
            schema,
            allowed: &self.allowed,
            restricted: !self.tables.is_empty(),
            mandatory: &self.mandatory,
            given: Given::Shown,
        };
        let text = compiler.rows(search, search.window).ok()?.shown();
        let cluster = self.upstream.base().split_once("://").map_or("", |(_, host)| host);
        let mut url = upstream::Url::parse(base).ok()?;
        url.path_segments_mut().ok()?.pop_if_empty().extend([
            "clusters",
            cluster,
            "databases",
            &self.database,
        ]);
        url.query_pairs_mut().append_pair("query", &text);
        Some(url.into())
    }

    /// The tables that are searched, with their records and time.
    pub(super) async fn list(&self, cx: &Context) -> Result<Reply<Vec<LogSource>>, contract::ToolError> {
        let (schema, partial) = self.schema(cx).await?;
        let times = schema.times().into_iter();
        let times: Vec<String> = times
            .map(|time| format!("column_ifexists({}, datetime(null))", super::kql::quoted(time)))
            .collect();
        let time = if times.len() == 1 { times.concat() } else { format!("coalesce({})", times.join(", ")) };
        schema.time()?;
        let rows = |table: &String| {
            format!(
                "({} | summarize records = count(), first_at = min({time}), last_at = max({time}) | extend name = {})",
                name(table),
                super::kql::quoted(table)
            )
        };
        let each: Vec<String> = schema.tables.iter().map(rows).collect();
        let kql = super::Kql::of(format!("union {}", each.join(", ")));
        let answered = self.ask(cx, &kql, kql.shown()).await?;
        let none = super::Table::default();
        let table = answered.table().unwrap_or(&none);
        let moment =
            |row: &[serde_json::Value], column: &str| table.value(row, column)?.as_str()?.parse().ok();
        let source = |row: &Vec<serde_json::Value>| {
            Some(LogSource {
                name: cx.intake.text(table.value(row, "name")?.as_str()?),
                kind: "table",
                records: table.value(row, "records").and_then(serde_json::Value::as_u64),
                bytes: None,
                span: moment(row, "first_at").zip(moment(row, "last_at")),
                health: None,
            })
        };
        let mut sources: Vec<LogSource> = table.rows.iter().filter_map(source).collect();
        sources.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(answered.reply(sources, partial))
    }
}
