//! Counts: in all, over time, by value, by pattern. All of them to the end, none of a sample.

use std::time::Duration;

use contract::{Context, ErrorKind, ToolError};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    Elastic, keys,
    mapping::Mapping,
    query::{Compiler, any_of},
};
use crate::model::{Histogram, Key, Like, Reply, Role, Search, Tally, Top, Total};

/// The most buckets of one reply: a cluster refuses 65,536, and each takes its bytes.
const MOST_BUCKETS: usize = 30_000;
/// Patterns that are counted in one request.
const PATTERNS: usize = 20;
/// Values of each role that are told of a pattern.
const OF_PATTERN: usize = 5;

impl Elastic {
    /// How many records.
    pub(super) async fn count(&self, cx: &Context, search: &Search) -> Result<Reply<Total>, ToolError> {
        let (mapping, mut partial) = self.mapping(cx).await?;
        // Of a mapping that is known in part nobody can say that a field is missing.
        if partial.is_empty() {
            partial.extend(mapping.unknown_fields(cx, search));
        }
        let body = |compiler: &Compiler<'_>| {
            Ok(json!({ "size": 0, "track_total_hits": true, "query": compiler.query(search)? }))
        };
        let (body, sent) = self.bodies(cx, &mapping, body)?;
        let reply = self.search(cx, &body).await?;
        let answer = self.read(&reply)?;
        partial.extend(answer.partial(&cx.intake));
        partial.extend(mapping.doubt_of_words(search));
        Ok(Reply { value: answer.total(), sent, partial })
    }

    /// The body as it is sent, and the request for evidence.
    pub(super) fn bodies(
        &self,
        cx: &Context,
        mapping: &Mapping,
        body: impl Fn(&Compiler<'_>) -> Result<Value, ToolError>,
    ) -> Result<(Value, String), ToolError> {
        let [shown, sent] = self.compilers(cx, mapping);
        Ok((body(&sent)?, self.evidence(&body(&shown)?)))
    }

    /// How many in each step.
    pub(super) async fn count_over_time(
        &self,
        cx: &Context,
        search: &Search,
        step: Duration,
        by: Option<(&Key, usize)>,
    ) -> Result<Reply<Histogram>, ToolError> {
        let (mapping, mut partial) = self.mapping(cx).await?;
        let steps = Steps::of(search, step);
        let fields = by.map(|(key, _)| mapping.countable(key)).transpose()?.unwrap_or_default();
        let most = by.map_or(0, |(_, most)| most);
        steps.bounded(1 + most * fields.len())?;
        let time = mapping.time()?.name;
        let body = |compiler: &Compiler<'_>| {
            let over_time = json!({ "time": steps.aggregation(time) });
            let mut aggs = match fields.is_empty() {
                true => json!({}),
                false => keys::aggregations(&fields, most, Some(&over_time)),
            };
            merge(&mut aggs, over_time);
            Ok(json!({ "size": 0, "query": compiler.query(search)?, "aggs": aggs }))
        };
        let (body, sent) = self.bodies(cx, &mapping, body)?;
        let reply = self.search(cx, &body).await?;
        let answer = self.read(&reply)?;
        partial.extend(answer.partial(&cx.intake));
        let values = keys::read(&answer.aggregations, &fields);
        partial.extend(doubt(values.error));
        let field = fields.first().map_or("", String::as_str);
        let of_value = |buckets: &[&Value]| {
            let mut counts = steps.zeros();
            buckets.iter().for_each(|bucket| steps.add(bucket.get("time"), &mut counts));
            counts
        };
        let by = values
            .first(most)
            .map(|(value, buckets)| (keys::taken(&cx.intake, field, value), of_value(buckets)));
        let mut total = steps.zeros();
        steps.add(answer.aggregations.get("time"), &mut total);
        Ok(Reply { value: Histogram { step, by: by.collect(), total }, sent, partial })
    }

    /// The most frequent values.
    pub(super) async fn count_by(
        &self,
        cx: &Context,
        search: &Search,
        key: &Key,
        most: usize,
    ) -> Result<Reply<Top>, ToolError> {
        let (mapping, mut partial) = self.mapping(cx).await?;
        let fields = mapping.countable(key)?;
        let body = |compiler: &Compiler<'_>| {
            let aggs = keys::aggregations(&fields, most.max(1), None);
            Ok(json!({ "size": 0, "query": compiler.query(search)?, "aggs": aggs }))
        };
        let (body, sent) = self.bodies(cx, &mapping, body)?;
        let reply = self.search(cx, &body).await?;
        let answer = self.read(&reply)?;
        partial.extend(answer.partial(&cx.intake));
        let values = keys::read(&answer.aggregations, &fields);
        partial.extend(doubt(values.error));
        let field = fields.first().map_or("", String::as_str);
        Ok(Reply { value: values.top(&cx.intake, field, most), sent, partial })
    }

    /// How often each pattern occurs.
    pub(super) async fn count_likes(
        &self,
        cx: &Context,
        search: &Search,
        likes: &[Like],
    ) -> Result<Reply<Vec<Tally>>, ToolError> {
        let (mapping, mut partial) = self.mapping(cx).await?;
        let roles = told_of_patterns(&mapping);
        let [shown, sending] = self.compilers(cx, &mapping);
        let time = mapping.time()?.name;
        let mut tallies = Vec::with_capacity(likes.len());
        for likes in likes.chunks(PATTERNS) {
            let patterns: Vec<Value> = likes.iter().map(|like| sending.like(like)).collect();
            // Only records of some pattern are looked at closely.
            let any = any_of(patterns.clone());
            let query = json!({ "bool": { "filter": [sending.query(search)?, any] } });
            let mut inner =
                json!({ "first": { "min": { "field": time } }, "last": { "max": { "field": time } } });
            for (role, fields) in &roles {
                let of_role = keys::aggregations(fields, OF_PATTERN, None);
                merge(&mut inner, json!({ role.name(): { "filter": { "match_all": {} }, "aggs": of_role } }));
            }
            let filters = json!({ "patterns": { "filters": { "filters": patterns }, "aggs": inner } });
            let reply = self.search(cx, &json!({ "size": 0, "query": query, "aggs": filters })).await?;
            let answer = self.read(&reply)?;
            let missing = answer.partial(&cx.intake);
            let whole = missing.is_empty();
            partial.extend(missing);
            let buckets = answer.aggregations.get("patterns").and_then(|patterns| patterns.get("buckets"));
            let buckets = buckets.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            tallies.extend(
                likes.iter().enumerate().map(|(place, _)| tally(cx, buckets.get(place), whole, &roles)),
            );
        }
        partial.sort();
        partial.dedup();
        // Patterns are told by their own filters; here they would fill the answer.
        let query = shown.query(search)?;
        let sent = format!(
            "{} and {} patterns, each by its filter",
            self.evidence(&json!({ "size": 0, "query": query })),
            likes.len()
        );
        Ok(Reply { value: tallies, sent, partial })
    }
}

/// The roles that are told of a pattern, each with its fields.
fn told_of_patterns(mapping: &Mapping) -> Vec<(Role, Vec<String>)> {
    let countable = |role: Role| {
        let fields = mapping.countable(&Key::Role(role)).unwrap_or_default();
        (!fields.is_empty()).then_some((role, fields))
    };
    let place = [Role::Pod, Role::Container, Role::Host].into_iter().find_map(countable);
    [countable(Role::Service), countable(Role::Level), place, countable(Role::Version)]
        .into_iter()
        .flatten()
        .collect()
}

fn tally(cx: &Context, bucket: Option<&Value>, whole: bool, roles: &[(Role, Vec<String>)]) -> Tally {
    let whole = whole && bucket.is_some();
    let bucket = bucket.unwrap_or(&Value::Null);
    let moment = |name: &str| bucket.get(name)?.get("value")?.as_f64().and_then(timestamp);
    let groups = |(role, fields): &(Role, Vec<String>)| {
        let empty = Map::new();
        let of_role = bucket.get(role.name()).and_then(Value::as_object).unwrap_or(&empty);
        let field = fields.first().map_or("", String::as_str);
        (*role, keys::read(of_role, fields).top(&cx.intake, field, OF_PATTERN))
    };
    Tally {
        whole,
        count: keys::number(bucket, "doc_count"),
        first: moment("first"),
        last: moment("last"),
        by: roles.iter().map(groups).filter(|(_, top)| !top.values.is_empty()).collect(),
    }
}

/// Milliseconds since 1970, of a date or of one in nanoseconds, as aggregations tell both.
pub(super) fn timestamp(milliseconds: f64) -> Option<Timestamp> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "what is beyond the calendar is refused by the next step"
    )]
    Timestamp::from_millisecond(milliseconds.floor() as i64).ok()
}

fn doubt(error: u64) -> Option<String> {
    (error > 0).then(|| format!("there are many values: a count may be too small by up to {error}"))
}

fn merge(into: &mut Value, from: Value) {
    if let (Some(into), Value::Object(from)) = (into.as_object_mut(), from) {
        into.extend(from);
    }
}

/// Equal steps from the window's start.
#[derive(Debug, Clone, Copy)]
struct Steps {
    start: i64,
    step: i64,
    count: usize,
}

impl Steps {
    fn of(search: &Search, step: Duration) -> Steps {
        let step = i64::try_from(step.as_millis()).unwrap_or(i64::MAX).max(1);
        let [start, end] = [search.window.start(), search.window.end()].map(Timestamp::as_millisecond);
        let count =
            usize::try_from((end - start).max(0).saturating_add(step - 1) / step).unwrap_or(usize::MAX);
        Steps { start, step, count: count.max(1) }
    }

    fn bounded(&self, series: usize) -> Result<(), ToolError> {
        let buckets = self.count.saturating_mul(series);
        if buckets <= MOST_BUCKETS {
            return Ok(());
        }
        let problem = format!("{buckets} counts would be read, of at most {MOST_BUCKETS}");
        Err(ToolError::new(
            ErrorKind::TooExpensive,
            problem,
            "ask for a larger step, a shorter time_range or fewer values",
        ))
    }

    /// Only steps that hold something come back; the others are zero.
    fn aggregation(&self, time: &str) -> Value {
        json!({ "date_histogram": {
            "field": time,
            "fixed_interval": format!("{}ms", self.step),
            "offset": format!("{}ms", self.start.rem_euclid(self.step)),
            "min_doc_count": 1,
        }})
    }

    fn zeros(&self) -> Vec<u64> {
        vec![0; self.count]
    }

    fn add(&self, aggregation: Option<&Value>, counts: &mut [u64]) {
        let buckets =
            aggregation.and_then(|aggregation| aggregation.get("buckets")).and_then(Value::as_array);
        for bucket in buckets.into_iter().flatten() {
            let Some(key) = bucket.get("key").and_then(Value::as_i64) else { continue };
            let place = usize::try_from((key - self.start).div_euclid(self.step)).ok();
            if let Some(count) = place.and_then(|place| counts.get_mut(place)) {
                *count += keys::number(bucket, "doc_count");
            }
        }
    }
}
