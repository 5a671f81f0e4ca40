//! Elasticsearch (7.17, 8.x) and OpenSearch (2.x). One dialect serves all of them: nothing is asked that one of them lacks.

mod counts;
mod endpoints;
mod error;
mod fields;
mod freshness;
mod keys;
mod level;
mod link;
mod mapping;
mod page;
mod probe;
mod query;
mod sample;
mod sources;
mod wire;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use contract::{Context, ToolError};
use jiff::Timestamp;
use serde_json::{Value, json};
use upstream::{
    Ask, ConfigError, Endpoint, Limits, Reply as Answered, SourceConfig, Upstream, UpstreamError,
};

use super::{Asking, Logs, given::Given};
use crate::config::LogsConfig;
use crate::model::{
    Condition, FieldKind, Freshness, Histogram, Key, Layout, Like, LogSource, Page, Reply, Role, Sample,
    Search, Tally, Top, Total,
};

use mapping::Mapping;
pub(crate) use probe::ElasticProbe;
use query::Compiler;
use wire::Answer;

/// Indices that hold no logs of programs but the matters of the cluster and its tools. Not `.*`: data streams keep
/// their records in indices whose names begin with a dot.
const NOT_OF_PROGRAMS: &str = "-.kibana*,-.monitoring*,-.watch*,-.opendistro*,-.opensearch*,-.plugins*,-.security*,\
                               -.tasks*,-.internal*,-.apm*,-.fleet*,-.ml*,-.transform*,-.async*,-.reporting*";

/// Which of the two a source is configured as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `[[elasticsearch]]`
    Elasticsearch,
    /// `[[opensearch]]`
    OpenSearch,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Elasticsearch => "elasticsearch",
            Kind::OpenSearch => "opensearch",
        }
    }
}

/// Mappings by tenant, with the moment of asking.
type Mappings = BTreeMap<Option<String>, (Timestamp, Arc<Mapping>)>;

/// A cluster as a store of logs.
pub(crate) struct Elastic {
    upstream: Upstream,
    kind: Kind,
    /// What is searched: names and patterns, joined by commas.
    indices: String,
    /// Fields by role, instead of those found out.
    fields: BTreeMap<String, Vec<String>>,
    /// What must hold of every record.
    mandatory: Vec<Condition>,
    /// How long one exchange may take.
    patience: Duration,
    /// How long a reply may be.
    most_bytes: usize,
    mappings: Mutex<Mappings>,
    /// Whose turn it is to find a mapping out.
    asking_mapping: futures_util::lock::Mutex<()>,
}

/// Why there is no reply.
enum Refusal {
    /// It would be larger than we read.
    TooLarge(UpstreamError),
    Other(ToolError),
}

impl From<Refusal> for ToolError {
    fn from(refusal: Refusal) -> ToolError {
        match refusal {
            Refusal::TooLarge(error) => error.into(),
            Refusal::Other(error) => error,
        }
    }
}

impl Elastic {
    /// A cluster as configured. Opens nothing.
    ///
    /// # Errors
    /// When the URL or the mandatory matchers can't be used.
    pub(crate) fn new(
        kind: Kind,
        source: SourceConfig,
        logs: &LogsConfig,
        limits: Limits,
    ) -> Result<Elastic, ConfigError> {
        let mandatory = super::mandatory(&source)?;
        let indices = match logs.indices.as_slice() {
            [] => format!("*,{NOT_OF_PROGRAMS}"),
            given => given.join(","),
        };
        Ok(Elastic {
            kind,
            indices,
            fields: logs.fields.clone(),
            mandatory,
            patience: Duration::from_secs(limits.upstream_timeout_seconds),
            most_bytes: limits.max_reply_bytes,
            mappings: Mutex::default(),
            asking_mapping: futures_util::lock::Mutex::default(),
            upstream: Upstream::new(kind.name(), source, limits)?,
        })
    }

    /// What a search may take on the cluster, in its notation: it must give up before we do, so that its part of the truth
    /// arrives.
    fn timeout(&self, cx: &Context) -> String {
        let patience = self.patience.min(cx.remaining());
        format!("{}ms", (patience.as_millis() * 8 / 10).max(100))
    }

    /// A compiler for evidence and one for the cluster.
    fn compilers<'a>(&'a self, cx: &'a Context, mapping: &'a Mapping) -> [Compiler<'a>; 2] {
        [Given::Shown, Given::Sent(&cx.intake)].map(|given| Compiler {
            mapping,
            mandatory: &self.mandatory,
            given,
        })
    }

    /// One search. Counts may come from the cluster's cache, records not.
    async fn search(&self, cx: &Context, body: &Value) -> Result<Answered, Refusal> {
        let counts_only = body.get("size").and_then(Value::as_u64) == Some(0);
        let body = with_bounds(body, &self.timeout(cx));
        let ask = self.over_indices(endpoints::SEARCH).json(body.to_string());
        // On the same copy of a shard each time, so that the next page follows from this one.
        let ask = ask
            .with("request_cache", if counts_only { "true" } else { "false" })
            .with("preference", "logs-mcp");
        self.ask(cx, ask.with("max_concurrent_shard_requests", "3")).await
    }

    /// Several searches at once, a few of them at a time.
    async fn searches(&self, cx: &Context, bodies: &[Value]) -> Result<Answered, Refusal> {
        let timeout = self.timeout(cx);
        let mut lines = String::new();
        for body in bodies {
            lines.push_str(&json!({ "preference": "logs-mcp", "request_cache": false }).to_string());
            lines.push('\n');
            lines.push_str(&with_bounds(body, &timeout).to_string());
            lines.push('\n');
        }
        let ask =
            self.over_indices(endpoints::MSEARCH).json_lines(lines).with("max_concurrent_searches", "3");
        self.ask(cx, ask.with("max_concurrent_shard_requests", "3")).await
    }

    /// A request about the configured indices: those that are there and open.
    fn over_indices(&self, endpoint: Endpoint) -> Ask<'_> {
        let ask = Ask::of(endpoint).segment(&self.indices);
        ask.with("ignore_unavailable", "true")
            .with("allow_no_indices", "true")
            .with("expand_wildcards", "open")
    }

    async fn ask(&self, cx: &Context, ask: Ask<'_>) -> Result<Answered, Refusal> {
        // Ties the cluster's slow log to our audit record.
        let ask = ask.header("x-opaque-id", cx.call_id.0.clone());
        let reply = match self.upstream.fetch(cx, &ask).await {
            Ok(reply) => reply,
            Err(error @ UpstreamError::TooLarge { .. }) => return Err(Refusal::TooLarge(error)),
            Err(error) => return Err(Refusal::Other(error.into())),
        };
        if reply.status < 400 {
            return Ok(reply);
        }
        Err(Refusal::Other(error::of_reply(&cx.intake, self.upstream.system(), &reply)))
    }

    /// Reads the answer to a search, and says when nothing was searched.
    fn read<'r>(&self, reply: &'r Answered) -> Result<Answer<'r>, ToolError> {
        let answer = Answer::read(self.upstream.system(), &reply.body)?;
        if answer.searched_nothing() {
            let problem = format!(
                "{}: no open index matches {}, or the configured user may see none",
                self.upstream.system(),
                self.shown_indices()
            );
            return Err(error::no_index(problem));
        }
        Ok(answer)
    }

    /// What is searched, as an answer says it.
    fn shown_indices(&self) -> &str {
        self.indices.strip_suffix(&format!(",{NOT_OF_PROGRAMS}")).unwrap_or(&self.indices)
    }

    /// A request for evidence.
    fn evidence(&self, body: &Value) -> String {
        format!("POST /{}/_search {body}", self.shown_indices())
    }
}

/// The body with what every search has.
fn with_bounds(body: &Value, timeout: &str) -> Value {
    let mut body = body.clone();
    if let Some(object) = body.as_object_mut() {
        object.insert("timeout".to_owned(), json!(timeout));
        object.entry("track_total_hits").or_insert(json!(false));
        object.entry("_source").or_insert(json!(false));
    }
    body
}

impl Logs for Elastic {
    fn name(&self) -> &str {
        self.upstream.name()
    }

    fn system(&self) -> &str {
        self.upstream.system()
    }

    fn language(&self) -> &'static str {
        "Lucene"
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
            let (mapping, partial) = self.mapping(cx).await?;
            let sent = format!("GET /{}/_field_caps?fields=*", self.shown_indices());
            Ok(Reply { value: Arc::clone(&mapping.layout), sent, partial })
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
        let known = self.mappings.lock().unwrap_or_else(PoisonError::into_inner);
        let fields = known.values().flat_map(|(_, mapping)| mapping.layout.of(Role::Message));
        let whole = fields.clone().any(|field| field.kind != FieldKind::Text);
        let text =
            fields.clone().next().is_none() || fields.clone().any(|field| field.kind == FieldKind::Text);
        (!text || finds_words(like, message)) && (!whole || finds_in_order(like, message))
    }

    fn freshness<'a>(&'a self, cx: &'a Context, search: &'a Search) -> Asking<'a, Freshness> {
        Box::pin(self.read_freshness(cx, search))
    }
}

/// By phrases, as fields of text are searched.
fn finds_words(like: &Like, message: &str) -> bool {
    like.fragments.iter().all(|fragment| lucene::finds_phrase(message, fragment))
}

/// By a wildcard, as fields of whole values are searched.
fn finds_in_order(like: &Like, message: &str) -> bool {
    let mut rest = Some(message);
    for fragment in &like.fragments {
        rest = rest.and_then(|rest| rest.split_once(fragment.as_str())).map(|(_, after)| after);
    }
    rest.is_some()
}
