//! What a search answers. Lenient: what is not known is not looked at; but a reply that is no search's is an error.

use std::borrow::Cow;

use contract::{Context, Intake};
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};
use upstream::UpstreamError;

use super::error::unreadable;
use crate::analysis::record::flattened;
use crate::model::{Document, Total};

/// Characters of a shard's or cluster's own words that are shown.
const SHOWN: usize = 200;
/// The longest value that is read, in bytes; of a longer one the beginning.
const LONGEST_VALUE: usize = 256 * 1024;

/// How a cluster says that no copy of a shard is assigned.
const NO_COPY: &str = "no_shard_available_action_exception";

/// The answer to a search.
#[derive(Deserialize)]
pub(super) struct Answer<'a> {
    #[serde(default)]
    timed_out: bool,
    #[serde(rename = "_shards", default)]
    shards: Option<Shards>,
    #[serde(rename = "_clusters", default)]
    clusters: Option<Clusters>,
    #[serde(default, borrow)]
    hits: Hits<'a>,
    /// Counts.
    #[serde(default)]
    pub(super) aggregations: Map<String, Value>,
    /// Instead of all this, for one of several searches.
    #[serde(default)]
    pub(super) error: Option<Value>,
    #[serde(default)]
    pub(super) status: u16,
}

#[derive(Deserialize, Default)]
struct Shards {
    #[serde(default)]
    total: u64,
    /// Those that were skipped, because they can't hold anything, are among them.
    #[serde(default)]
    successful: Option<u64>,
    #[serde(default)]
    failed: u64,
    #[serde(default)]
    failures: Vec<Value>,
}

#[derive(Deserialize)]
struct Clusters {
    #[serde(default)]
    total: u64,
    #[serde(default)]
    skipped: u64,
}

#[derive(Deserialize, Default)]
struct Hits<'a> {
    #[serde(default)]
    total: Value,
    #[serde(default, borrow)]
    hits: Vec<Hit<'a>>,
}

/// One record.
#[derive(Deserialize)]
pub(super) struct Hit<'a> {
    #[serde(rename = "_index", default, borrow)]
    index: Cow<'a, str>,
    #[serde(rename = "_id", default, borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(rename = "_source", default, borrow)]
    source: Option<&'a RawValue>,
    /// Values of stored columns, where they were asked for.
    #[serde(default)]
    pub(super) fields: Map<String, Value>,
    /// What it was ordered by.
    #[serde(default)]
    pub(super) sort: Vec<Value>,
}

impl Shards {
    /// How many did not answer. OpenSearch does not count those as failed of which no copy is assigned (a red index).
    fn missing(&self) -> u64 {
        let unanswered = self.successful.map_or(0, |successful| self.total.saturating_sub(successful));
        unanswered.max(self.failed)
    }
}

impl<'a> Answer<'a> {
    /// Reads a reply.
    ///
    /// # Errors
    /// When it is not what a search answers.
    pub(super) fn read(system: &str, body: &'a [u8]) -> Result<Answer<'a>, UpstreamError> {
        let answer: Answer<'a> =
            serde_json::from_slice(body).map_err(|error| unreadable(system, "_search", &error))?;
        if answer.shards.is_none() && answer.error.is_none() {
            let problem = "the reply says nothing about shards, so it is not what _search answers".to_owned();
            return Err(UpstreamError::Protocol { system: system.to_owned(), problem });
        }
        Ok(answer)
    }

    /// Whether nothing was searched: no index of these names exists.
    pub(super) fn searched_nothing(&self) -> bool {
        self.shards.as_ref().is_some_and(|shards| shards.total == 0) && self.clusters.is_none()
    }

    /// Why it is not the whole truth.
    pub(super) fn partial(&self, intake: &Intake) -> Vec<String> {
        let mut partial = Vec::new();
        if self.timed_out {
            partial.push(
                "the search was stopped at its time limit: what it had found by then is told, there is more"
                    .to_owned(),
            );
        }
        if let Some(shards) = self.shards.as_ref().filter(|shards| shards.missing() > 0) {
            let Shards { total, failed, failures, .. } = shards;
            let mut why: Vec<String> = failures
                .iter()
                .filter_map(|failure| reason(failure.get("reason")?))
                .filter(|why| why != NO_COPY)
                .map(|why| intake.text(&why).shown(SHOWN))
                .collect();
            let unassigned = failures.iter().any(|failure| failure.to_string().contains(NO_COPY));
            why.sort();
            why.dedup();
            why.truncate(3);
            if unassigned || *failed < shards.missing() {
                why.push("no copy of a shard is assigned, so its index is red".to_owned());
            }
            let why = if why.is_empty() { String::new() } else { format!(": {}", why.join("; ")) };
            let missing = shards.missing();
            partial
                .push(format!("{missing} of {total} shards did not answer; their records are missing{why}"));
        }
        if let Some(Clusters { total, skipped }) =
            self.clusters.as_ref().filter(|clusters| clusters.skipped > 0)
        {
            partial.push(format!("{skipped} of {total} clusters were skipped; their records are missing"));
        }
        partial
    }

    /// How many records there are.
    pub(super) fn total(&self) -> Total {
        let total = &self.hits.total;
        let number = total.get("value").unwrap_or(total).as_u64().unwrap_or(0);
        let whole = !self.timed_out && self.shards.as_ref().is_none_or(|shards| shards.missing() == 0);
        match total.get("relation").and_then(Value::as_str) {
            Some("gte") => Total::AtLeast(number),
            _ if !whole => Total::AtLeast(number),
            _ => Total::Exactly(number),
        }
    }

    /// The records.
    pub(super) fn hits(&self) -> &[Hit<'a>] {
        &self.hits.hits
    }
}

impl Hit<'_> {
    /// The record, masked; values that are longer than we read are counted in `cut`.
    pub(super) fn document(&self, cx: &Context, cut: &mut usize) -> Document {
        let fields = self.source.and_then(|source| flattened(source.get())).unwrap_or_default();
        let fields = fields.into_iter().map(|(name, value)| {
            let kept = beginning(&value);
            *cut += usize::from(kept.len() < value.len());
            (cx.intake.text(&name), cx.intake.field(&name, kept))
        });
        Document {
            index: self.index.to_string(),
            id: self.id.as_deref().unwrap_or_default().to_owned(),
            fields: fields.collect(),
        }
    }

    /// How long it is as it is stored.
    pub(super) fn bytes(&self) -> usize {
        self.source.map_or(0, |source| source.get().len())
    }

    /// The first value of a stored column.
    pub(super) fn column(&self, name: &str) -> Option<String> {
        let value = self.fields.get(name)?;
        let first = value.as_array().map_or(Some(value), |values| values.first())?;
        Some(first.as_str().map_or_else(|| first.to_string(), str::to_owned))
    }
}

/// The beginning of a long value, up to the end of a word: half of a secret would not be known for one.
fn beginning(value: &str) -> &str {
    if value.len() <= LONGEST_VALUE {
        return value;
    }
    let mut end = LONGEST_VALUE;
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    let head = value.get(..end).unwrap_or_default();
    head.rfind(char::is_whitespace).and_then(|at| head.get(..at)).unwrap_or_default()
}

/// The innermost reason of an error, in the cluster's own words.
pub(super) fn reason(error: &Value) -> Option<String> {
    let mut deepest = None;
    let mut error = Some(error);
    while let Some(Value::Object(object)) = error {
        deepest =
            object.get("reason").and_then(Value::as_str).filter(|reason| !reason.is_empty()).or(deepest);
        deepest = deepest.or_else(|| object.get("type").and_then(Value::as_str));
        error = object.get("caused_by");
    }
    deepest.or_else(|| error.and_then(Value::as_str)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn cx() -> Context {
        Context::for_test(Timestamp::UNIX_EPOCH)
    }

    fn read(body: &str) -> Result<Answer<'_>, UpstreamError> {
        Answer::read("elasticsearch \"main\"", body.as_bytes())
    }

    #[test]
    fn what_is_missing_in_an_answer_is_told() {
        let answer = read(
            r#"{"timed_out":true,"_shards":{"total":5,"successful":3,"failed":2,"failures":[
            {"shard":0,"reason":{"type":"no_shard_available_action_exception","reason":null}},
            {"shard":1,"reason":{"type":"illegal","reason":"outer","caused_by":{"type":"x","reason":"inner"}}}]},
            "_clusters":{"total":2,"successful":1,"skipped":1},
            "hits":{"total":{"value":7,"relation":"eq"},"hits":[]}}"#,
        )
        .unwrap();
        let partial = answer.partial(&cx().intake).join("\n");
        for told in ["time limit", "2 of 5 shards", "its index is red", "inner", "1 of 2 clusters"] {
            assert!(partial.contains(told), "{told}: {partial}");
        }
        assert_eq!(answer.total(), Total::AtLeast(7));
    }

    #[test]
    fn shards_that_opensearch_does_not_count_as_failed_are_missing_too() {
        // As OpenSearch 2.19 answers about a healthy index of one shard and a red one of two.
        let answer = read(
            r#"{"timed_out":false,"_shards":{"total":3,"successful":1,"skipped":0,"failed":0},
            "hits":{"total":{"value":1,"relation":"eq"},"hits":[]}}"#,
        )
        .unwrap();
        let told = "2 of 3 shards did not answer; their records are missing: no copy of a shard is assigned, so its index is red";
        assert_eq!(answer.partial(&cx().intake), [told]);
        assert_eq!(answer.total(), Total::AtLeast(1));
    }

    #[test]
    fn totals_are_read_in_each_form() {
        for (total, expected) in [
            (r#"{"value":7,"relation":"eq"}"#, Total::Exactly(7)),
            (r#"{"value":10000,"relation":"gte"}"#, Total::AtLeast(10000)),
            ("7", Total::Exactly(7)),
        ] {
            let body =
                format!(r#"{{"_shards":{{"total":1,"failed":0}},"hits":{{"total":{total},"hits":[]}}}}"#);
            assert_eq!(read(&body).unwrap().total(), expected, "{total}");
        }
    }

    #[test]
    fn a_reply_that_is_no_searchs_is_an_error() {
        for body in ["<html>", "{}", "[]", "null", "{\"hits\":{\"hits\":[]}}", "{\"_shards\":{}"] {
            assert!(read(body).is_err(), "{body}");
        }
    }

    #[test]
    fn a_record_is_flattened_and_masked_and_long_values_are_cut_between_words() {
        let long = "word ".repeat(100_000);
        let body = format!(
            r#"{{"_shards":{{"total":1}},"hits":{{"hits":[{{"_index":"a","_id":"1","_source":{{"log.level":"error",
            "user":{{"password":"hunter2hunter2","tags":["x","y"],"none":null}},"message":"{long}"}}}}]}}}}"#
        );
        let answer = read(&body).unwrap();
        let mut cut = 0;
        let document = answer.hits()[0].document(&cx(), &mut cut);
        let told: Vec<(&str, &str)> =
            document.fields.iter().map(|(name, value)| (name.inside(), value.inside())).collect();
        assert_eq!(told[0], ("log.level", "error"));
        assert!(told[1].0 == "user.password" && !told[1].1.contains("hunter2"));
        assert_eq!(&told[2..4], [("user.tags", "x"), ("user.tags", "y")]);
        assert!(told[4].1.len() <= LONGEST_VALUE && told[4].1.ends_with("word"));
        assert_eq!(cut, 1);
    }
}
