//! What the tools ask of a store of logs, one method a question.

pub(crate) mod adx;
pub(crate) mod elastic;
pub(crate) mod given;
pub(crate) mod levels;
pub(crate) mod snapshot;

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use contract::{Context, ErrorKind, Intake, ToolError, nearest};
use runtime::Aliases;
use upstream::{ConfigError, SourceConfig};

use crate::model::{
    Condition, Freshness, Histogram, Key, Layout, Like, LogSource, Page, Record, Reply, Sample, Search,
    Tally, Top, Total,
};

/// The answer to a question, in time. Dropping it cancels the request.
pub(crate) type Asking<'a, T> = Pin<Box<dyn Future<Output = Result<Reply<T>, ToolError>> + Send + 'a>>;

/// A store of logs.
pub(crate) trait Logs: Send + Sync + 'static {
    /// The name it was configured with: what `source` takes.
    fn name(&self) -> &str;

    /// How evidence and errors call it: `elasticsearch "main"`.
    fn system(&self) -> &str;

    /// The language of [`Search::text`], for errors and descriptions: `Lucene`, `KQL`.
    fn language(&self) -> &'static str;

    /// Whether any word for a level (`error`), wherever it stands in the message, counts for a record of which no field tells
    /// one. A record that was read has a level only where its message begins as logs do: the search finds more then.
    fn guesses_levels(&self) -> bool;

    /// Whether records of the past may still arrive; of a recorded incident none do.
    fn is_live(&self) -> bool;

    /// Where a person sees what is searched for, when that is configured.
    fn link(&self, search: &Search) -> Option<String>;

    /// Indices, data streams, aliases or tables that hold logs.
    fn sources<'a>(&'a self, cx: &'a Context) -> Asking<'a, Vec<LogSource>>;

    /// Which fields play which role. Kept for some minutes.
    fn layout<'a>(&'a self, cx: &'a Context) -> Asking<'a, Arc<Layout>>;

    /// How many records there are; counted to the end.
    fn total<'a>(&'a self, cx: &'a Context, search: &'a Search) -> Asking<'a, Total>;

    /// Counts over time, in all and by the `most` most frequent values of a key. All steps of the window are there.
    fn histogram<'a>(
        &'a self,
        cx: &'a Context,
        search: &'a Search,
        step: Duration,
        by: Option<(&'a Key, usize)>,
    ) -> Asking<'a, Histogram>;

    /// The most frequent values of a key.
    fn top<'a>(&'a self, cx: &'a Context, search: &'a Search, key: &'a Key, most: usize) -> Asking<'a, Top>;

    /// Records in order of time.
    fn page<'a>(&'a self, cx: &'a Context, search: &'a Search, page: &'a Page) -> Asking<'a, Sample>;

    /// About `size` records spread evenly over the window, the same ones each time, each with its weight.
    fn sample<'a>(&'a self, cx: &'a Context, search: &'a Search, size: usize) -> Asking<'a, Sample>;

    /// How often each of these patterns occurs in the search, in their order.
    fn tallies<'a>(
        &'a self,
        cx: &'a Context,
        search: &'a Search,
        likes: &'a [Like],
    ) -> Asking<'a, Vec<Tally>>;

    /// Whether this backend would find a record with this message by the pattern: what it takes for words is its own
    /// matter. With it a pattern's filter is tried on the lines that were read before its counts are called exact.
    fn finds(&self, like: &Like, message: &str) -> bool;

    /// The newest record and how late records arrive.
    fn freshness<'a>(&'a self, cx: &'a Context, search: &'a Search) -> Asking<'a, Freshness>;
}

/// The mandatory matchers of a source, `field="value"` each.
pub(crate) fn mandatory(source: &SourceConfig) -> Result<Vec<Condition>, ConfigError> {
    let parse = |matcher: &String| {
        let parsed = matcher.split_once('=').and_then(|(name, value)| {
            let value = value.trim().strip_prefix('"')?.strip_suffix('"')?;
            let plain = !name.trim().ends_with(['!', '~']) && !value.contains(['"', '\\']);
            plain.then(|| Condition::Field(name.trim().to_owned(), value.to_owned()))
        });
        parsed.ok_or_else(|| ConfigError {
            source_name: source.name.clone(),
            setting: "required_matchers",
            problem: format!("{matcher:?} can't be used here: write field=\"value\""),
        })
    };
    source.required_matchers.iter().map(parse).collect()
}

/// Text in a URL, percent-encoded but for what is never reserved and these.
pub(crate) fn encoded(text: &str, kept: &[u8]) -> String {
    let keep = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(byte) || kept.contains(byte);
    text.bytes()
        .map(|byte| if keep(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// The records of slices of time with their true numbers, each standing for as many of its slice as any other there. Slices
/// of which none was read are taken to be like the others; `all` is the number of records with them.
pub(crate) fn weighed(slices: Vec<(u64, Vec<Record>)>, all: u64) -> Vec<Record> {
    let read: u64 = slices.iter().filter(|(_, records)| !records.is_empty()).map(|(count, _)| count).sum();
    let unread = all.max(read) as f64 / read.max(1) as f64;
    let weighed = slices.into_iter().flat_map(|(count, mut records)| {
        let weight = (count as f64 / records.len().max(1) as f64).max(1.0) * unread;
        records.iter_mut().for_each(|record| record.weight = weight);
        records
    });
    weighed.collect()
}

/// The fields that play the role of this name; else those with a name like it.
pub(crate) fn near_fields<'a>(
    layout: &Layout,
    name: &str,
    names: impl Iterator<Item = &'a str>,
) -> Vec<String> {
    let role = layout.roles.iter().find(|(role, _)| role.name() == name);
    match role {
        Some((_, chosen)) => chosen.iter().map(|chosen| chosen.name.clone()).take(2).collect(),
        None => nearest(name, names, 2).into_iter().map(str::to_owned).collect(),
    }
}

/// That a query asks for a field which there is not, with the nearest ones and the argument that means the same.
pub(crate) fn no_field(intake: &Intake, whose: &str, name: &str, near: &[String]) -> String {
    let shown = |name: &str| intake.text(name).shown(80);
    let near: Vec<String> = near.iter().map(|name| shown(name)).collect();
    let near = if near.is_empty() { String::new() } else { format!("; nearest: {}", near.join(", ")) };
    let argument = match name {
        "service" | "level" | "trace_id" => format!("; `{name}` is an argument, too"),
        _ => String::new(),
    };
    format!("no {whose} has a field {}{near}{argument}", shown(name))
}

/// FNV-1a: the same in every version and replica, which the standard library's hash does not promise.
pub(crate) fn fingerprint(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// The sources of this server, as configured.
pub(crate) struct Sources {
    logs: Vec<Arc<dyn Logs>>,
    aliases: Aliases,
}

impl Sources {
    pub(crate) fn new(logs: Vec<Arc<dyn Logs>>, aliases: Aliases) -> Sources {
        Sources { logs, aliases }
    }

    /// What the alias file calls this service in logs; empty where it does not say.
    pub(crate) fn called(&self, service: &str) -> &[String] {
        self.aliases.of(service, "logs")
    }

    /// Arguments that make no sense with so few sources.
    pub(crate) fn unlisted(&self) -> &'static [&'static str] {
        if self.logs.len() < 2 { &["source"] } else { &[] }
    }

    /// The store of this name, or the first one.
    ///
    /// # Errors
    /// When there is none, saying what to configure; when the name is unknown, with the nearest.
    pub(crate) fn logs(&self, name: Option<&str>) -> Result<&Arc<dyn Logs>, ToolError> {
        let Some(name) = name else {
            return self.logs.first().ok_or_else(|| {
                ToolError::new(
                    ErrorKind::NotConfigured,
                    "no store of logs is configured",
                    "an operator sets ELASTICSEARCH_URL, OPENSEARCH_URL or ADX_URL, or [[elasticsearch]], \
                     [[opensearch]] or [[adx]] with a url in the configuration file",
                )
            });
        };
        let found = self.logs.iter().find(|source| source.name() == name);
        found.ok_or_else(|| {
            let known: Vec<&str> = self.logs.iter().map(|source| source.name()).collect();
            let meant = nearest(name, known.iter().copied(), 1);
            ToolError::invalid("source", "no source of this name")
                .remedy(format!("sources: {}; left out, the first one answers", known.join(", ")))
                .nearest(meant)
        })
    }

    /// The sources that were not asked, for the answer's caveats; empty with a single source.
    pub(crate) fn others(&self, asked: &dyn Logs) -> Vec<&str> {
        self.logs.iter().map(|source| source.name()).filter(|name| *name != asked.name()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_the_same_everywhere() {
        // FNV-1a of "a" by its authors' table
        assert_eq!(fingerprint("a"), 0xe40c_292c);
    }
}
