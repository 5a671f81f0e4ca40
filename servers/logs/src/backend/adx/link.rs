//! Links into the web page of Azure Data Explorer.

use contract::Context;

use super::{Adx, kql::name, search::Compiler};
use crate::backend::{encoded, given::Given};
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
        Some(page(base, self.upstream.base(), &self.database, &text))
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

/// The page of a database with a query in it. A cluster of the public cloud goes by its name without the domain.
fn page(base: &str, cluster: &str, database: &str, query: &str) -> String {
    let host = cluster.split_once("://").map_or(cluster, |(_, host)| host);
    let host = host.split('/').next().unwrap_or_default();
    let name = host.strip_suffix(".kusto.windows.net").unwrap_or(host);
    let (name, database, query) = (encoded(name, b":"), encoded(database, b""), encoded(query, b""));
    format!("{}/clusters/{name}/databases/{database}?query={query}", base.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first two are links of Microsoft's documentation, with the query as text (it allows that beside base64 of gzip).
    #[test]
    fn links_are_those_of_the_documentation() {
        let web = "https://dataexplorer.azure.com";
        for (base, cluster, database, query, link) in [
            (
                web,
                "https://help.kusto.windows.net",
                "Samples",
                "print 123",
                "https://dataexplorer.azure.com/clusters/help/databases/Samples?query=print%20123",
            ),
            (
                web,
                "https://help.kusto.windows.net/",
                "Samples",
                "StormEvents | count",
                "https://dataexplorer.azure.com/clusters/help/databases/Samples?query=StormEvents%20%7C%20count",
            ),
            (
                "https://dataexplorer.azure.com/",
                "https://logs.westeurope.kusto.windows.net",
                "shop logs",
                "T | where a == \"x+y&z\"",
                "https://dataexplorer.azure.com/clusters/logs.westeurope/databases/shop%20logs?query=T%20%7C%20where%20a%20%3D%3D%20\
                 %22x%2By%26z%22",
            ),
            (
                web,
                "https://trd-1.z9.kusto.fabric.microsoft.com",
                "db",
                "T",
                "https://dataexplorer.azure.com/clusters/trd-1.z9.kusto.fabric.microsoft.com/databases/db?query=T",
            ),
        ] {
            assert_eq!(page(base, cluster, database, query), link);
        }
    }
}
