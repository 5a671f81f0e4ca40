//! Azure Data Explorer, also Fabric and Synapse, and the emulator: the same REST interface.
//!
//! What can be sent: queries ([`QUERY`]) with options that forbid everything but reading ([`request::options`]), and two
//! commands ([`MANAGEMENT`]) that this file writes itself: `.show tables` and `.show table T schema as json`. A caller's text
//! goes through the guard first (`analysis/kql.rs`), values are parameters, names are quoted.

mod counts;
mod error;
mod frames;
mod kql;
mod link;
mod page;
mod probe;
mod request;
mod schema;
mod search;
mod sign_in;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use contract::{Context, ErrorKind, ToolError};
use jiff::{SignedDuration, Timestamp};
use upstream::{ConfigError, Endpoint, Limits, Method, SourceConfig, Upstream};

use super::{Asking, Logs, given::Given};
use crate::analysis::kql::Allowed;
use crate::config::{AdxConfig, LogsConfig};
use crate::model::{
    Condition, Freshness, Histogram, Key, Layout, Like, LogSource, Page, Reply, Sample, Search, Tally, Top,
    Total,
};

use frames::{Frames, Table};
use kql::Kql;
pub(crate) use probe::AdxProbe;
use schema::Schema;
use search::Compiler;
use sign_in::SignIn;

/// Queries.
pub(crate) const QUERY: Endpoint = Endpoint { method: Method::Post, path: "/v2/rest/query" };
/// Commands; only `.show tables` and `.show table T schema as json` are ever sent.
pub(crate) const MANAGEMENT: Endpoint = Endpoint { method: Method::Post, path: "/v1/rest/mgmt" };
/// Everything that is sent to a cluster.
#[cfg(test)]
pub(crate) const ENDPOINTS: [Endpoint; 2] = [QUERY, MANAGEMENT];

/// How long a schema is kept.
const KEPT: SignedDuration = SignedDuration::from_mins(5);
/// Records that are looked at to find out which field plays which role.
const LOOKED_AT: i64 = 100;

/// A database as a store of logs.
pub(crate) struct Adx {
    upstream: Upstream,
    database: String,
    /// The only tables that are read; all where empty.
    tables: Vec<String>,
    /// Fields by role, instead of those found out.
    fields: BTreeMap<String, Vec<String>>,
    allowed: Allowed,
    mandatory: Vec<Condition>,
    patience: Duration,
    sign_in: Option<SignIn>,
    /// By tenant.
    schemas: Mutex<BTreeMap<Option<String>, Known>>,
}

/// A schema, the moment of asking, and what is to be said of it.
type Known = (Timestamp, Arc<Schema>, Vec<String>);

/// What came back of a query.
struct Answered {
    tables: Vec<Table>,
    /// The query, for evidence.
    sent: String,
    /// Whether no part of the query failed.
    whole: bool,
    partial: Vec<String>,
}

impl Answered {
    /// A number of records, which is all of them where no part failed.
    fn total(&self, number: u64) -> Total {
        if self.whole { Total::Exactly(number) } else { Total::AtLeast(number) }
    }

    /// The first table.
    fn table(&self) -> Option<&Table> {
        self.tables.first()
    }

    fn reply<T>(self, value: T, mut partial: Vec<String>) -> Reply<T> {
        partial.extend(self.partial);
        Reply { value, sent: self.sent, partial }
    }
}

impl Adx {
    /// A database as configured. Opens nothing.
    ///
    /// # Errors
    /// When URL, database, sign-in or mandatory matchers can't be used.
    pub(crate) fn new(source: SourceConfig, logs: &LogsConfig, limits: Limits) -> Result<Adx, ConfigError> {
        let AdxConfig { databases, functions, .. } = logs.adx.clone();
        sign_in::trusted(&source, &logs.adx)?;
        if logs.database.trim().is_empty() {
            return Err(ConfigError {
                source_name: crate::config::name(&source.name).to_owned(),
                setting: "logs.database",
                problem: "is not set: name the database that holds the logs in [[logs]]".to_owned(),
            });
        }
        Ok(Adx {
            database: logs.database.clone(),
            tables: logs.indices.clone(),
            fields: logs.fields.clone(),
            allowed: Allowed { databases, functions },
            mandatory: super::mandatory(&source)?,
            patience: Duration::from_secs(limits.upstream_timeout_seconds),
            sign_in: SignIn::new(&source, &logs.adx, &limits)?,
            schemas: Mutex::default(),
            upstream: Upstream::new("adx", source, limits)?,
        })
    }

    /// What is known of the tables, and what is to be said of it.
    async fn schema(&self, cx: &Context) -> Result<(Arc<Schema>, Vec<String>), ToolError> {
        let kept = self.schemas.lock().unwrap_or_else(PoisonError::into_inner).get(&cx.tenant).cloned();
        if let Some((_, schema, partial)) = kept.filter(|(asked, ..)| cx.now.duration_since(*asked) < KEPT) {
            return Ok((schema, partial));
        }
        let (schema, partial) = self.read_schema(cx).await?;
        let schema = Arc::new(schema);
        let kept = (cx.now, Arc::clone(&schema), partial.clone());
        self.schemas.lock().unwrap_or_else(PoisonError::into_inner).insert(cx.tenant.clone(), kept);
        Ok((schema, partial))
    }

    async fn read_schema(&self, cx: &Context) -> Result<(Schema, Vec<String>), ToolError> {
        let names = if self.tables.is_empty() { self.table_names(cx).await? } else { self.tables.clone() };
        let mut partial = Vec::new();
        let mut tables = Vec::new();
        for table in &names {
            if tables.len() == schema::MOST_TABLES {
                partial.push(format!(
                    "of {} tables the first {} that may hold logs are searched; an operator names them in [[logs]] indices",
                    names.len(),
                    schema::MOST_TABLES
                ));
                break;
            }
            let command = format!(".show table {} schema as json", kql::name(table));
            let reply = self.command(cx, &command).await?;
            let columns = schema::columns(&reply).map_err(|problem| self.protocol(MANAGEMENT, &problem))?;
            if !self.tables.is_empty() || schema::may_hold_logs(&columns) {
                tables.push((table.clone(), columns));
            }
        }
        if tables.is_empty() {
            return Err(ToolError::new(
                ErrorKind::NotConfigured,
                format!("{}: no table of this database tells moments and texts", self.upstream.system()),
                "an operator mends [[logs]] database, or grants the role of a viewer of the database",
            ));
        }
        let (schema, conflicts) = Schema::new(tables);
        if !conflicts.is_empty() {
            let shown: Vec<String> =
                conflicts.iter().map(|name| cx.intake.field("name", name).shown(80)).collect();
            partial.push(format!(
                "columns that differ in type between tables are left out: {}",
                shown.join(", ")
            ));
        }
        let mut kql = Kql::of(schema.rows());
        let most = kql.long(LOOKED_AT);
        kql.pipe(&format!("take {most}"));
        let recent = self.ask(cx, &kql, kql.shown()).await?;
        partial.extend(recent.partial.iter().cloned());
        let none = Table::default();
        Ok((schema.with_records(cx, recent.table().unwrap_or(&none), &self.fields), partial))
    }

    /// The names of all tables, sorted.
    async fn table_names(&self, cx: &Context) -> Result<Vec<String>, ToolError> {
        let reply = self.command(cx, ".show tables").await?;
        let value = |row: &Vec<serde_json::Value>| Some(reply.value(row, "TableName")?.as_str()?.to_owned());
        let mut names: Vec<String> = reply.rows.iter().filter_map(value).collect();
        names.sort();
        Ok(names)
    }

    /// Asks for what `write` adds to the records of a search.
    async fn search(
        &self,
        cx: &Context,
        search: &Search,
        write: impl Fn(&Compiler<'_>, &mut Kql) -> Result<(), ToolError> + Send + Sync,
    ) -> Result<(Arc<Schema>, Answered), ToolError> {
        let (schema, mut partial) = self.schema(cx).await?;
        let compile = |given| {
            let compiler = Compiler {
                schema: &schema,
                allowed: &self.allowed,
                restricted: !self.tables.is_empty(),
                mandatory: &self.mandatory,
                given,
            };
            let mut kql = compiler.rows(search, search.window)?;
            write(&compiler, &mut kql)?;
            Ok::<Kql, ToolError>(kql)
        };
        let shown = compile(Given::Shown)?.shown();
        let kql = compile(Given::Sent(&cx.intake))?;
        let mut answered = self.ask(cx, &kql, shown).await?;
        partial.append(&mut answered.partial);
        answered.partial = partial;
        Ok((schema, answered))
    }

    /// The rows of a reply: failures within it are caveats, unless nothing came.
    fn answered(&self, cx: &Context, frames: Frames, sent: String) -> Result<Answered, ToolError> {
        let Frames { primary, failures } = frames;
        let rows = primary.iter().any(|table| !table.rows.is_empty());
        match failures.first() {
            Some(first) if !rows => Err(error::of_failure(cx, self.upstream.system(), None, first)),
            None if primary.is_empty() => Err(self.protocol(QUERY, "no result")),
            _ => {
                let told = |failure: &frames::Failure| error::told(cx, self.upstream.system(), failure);
                let whole = failures.is_empty();
                Ok(Answered { tables: primary, sent, whole, partial: failures.iter().map(told).collect() })
            }
        }
    }
}

impl Logs for Adx {
    fn name(&self) -> &str {
        self.upstream.name()
    }

    fn system(&self) -> &str {
        self.upstream.system()
    }

    fn language(&self) -> &'static str {
        "KQL"
    }

    fn guesses_levels(&self) -> bool {
        true
    }

    fn is_live(&self) -> bool {
        true
    }

    fn link(&self, search: &Search) -> Option<String> {
        self.link_to(search)
    }

    fn sources<'a>(&'a self, cx: &'a Context) -> Asking<'a, Vec<LogSource>> {
        Box::pin(self.list(cx))
    }

    fn layout<'a>(&'a self, cx: &'a Context) -> Asking<'a, Arc<Layout>> {
        Box::pin(async move {
            let (schema, partial) = self.schema(cx).await?;
            let names: Vec<String> = schema.tables.iter().map(|table| kql::name(table)).collect();
            let sent = format!(".show table {} schema as json", names.join(", "));
            Ok(Reply { value: Arc::clone(&schema.layout), sent, partial })
        })
    }

    fn total<'a>(&'a self, cx: &'a Context, search: &'a Search) -> Asking<'a, Total> {
        Box::pin(self.count(cx, search))
    }

    fn histogram<'a>(
        &'a self,
        cx: &'a Context,
        search: &'a Search,
        step: Duration,
        by: Option<(&'a Key, usize)>,
    ) -> Asking<'a, Histogram> {
        Box::pin(self.count_over_time(cx, search, step, by))
    }

    fn top<'a>(&'a self, cx: &'a Context, search: &'a Search, key: &'a Key, most: usize) -> Asking<'a, Top> {
        Box::pin(self.count_by(cx, search, key, most))
    }

    fn page<'a>(&'a self, cx: &'a Context, search: &'a Search, page: &'a Page) -> Asking<'a, Sample> {
        Box::pin(self.read_page(cx, search, page))
    }

    fn sample<'a>(&'a self, cx: &'a Context, search: &'a Search, size: usize) -> Asking<'a, Sample> {
        Box::pin(self.read_sample(cx, search, size))
    }

    fn tallies<'a>(
        &'a self,
        cx: &'a Context,
        search: &'a Search,
        likes: &'a [Like],
    ) -> Asking<'a, Vec<Tally>> {
        Box::pin(self.count_likes(cx, search, likes))
    }

    fn finds(&self, like: &Like, message: &str) -> bool {
        search::finds(like, message)
    }

    fn freshness<'a>(&'a self, cx: &'a Context, search: &'a Search) -> Asking<'a, Freshness> {
        Box::pin(self.read_freshness(cx, search))
    }
}
