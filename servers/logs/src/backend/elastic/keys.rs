//! Counting by a key whose values stand in several fields: of each record the first field that has one.

use std::collections::BTreeMap;

use contract::{Intake, Untrusted};
use serde_json::{Map, Value, json};

use super::query::any_of;
use crate::model::{Group, Top};

/// Values of which shards report more than is asked for: with as many as this, counts are exact.
const REPORTED: usize = 1000;

/// Values that are listed of each of several fields, at least: what one field lists and another does not is not added up.
const OF_SEVERAL: usize = 100;

/// Different values up to which a cluster counts them one by one.
const DISTINCT: u64 = 3000;

/// Aggregations that count records by the first of these fields that they have; `inner` is counted within each value.
pub(super) fn aggregations(fields: &[String], most: usize, inner: Option<&Value>) -> Value {
    let mut all = Map::new();
    let size = if fields.len() > 1 && inner.is_none() { most.max(OF_SEVERAL) } else { most };
    for (place, field) in fields.iter().enumerate() {
        let mut terms = json!({ "terms": {
            "field": field, "size": size, "shard_size": (size * 3).max(REPORTED),
            "order": [{ "_count": "desc" }, { "_key": "asc" }],
        }});
        if let (Some(inner), Some(terms)) = (inner, terms.as_object_mut()) {
            terms.insert("aggs".to_owned(), inner.clone());
        }
        let distinct = json!({ "cardinality": { "field": field, "precision_threshold": DISTINCT } });
        let earlier = exist(fields.get(..place).unwrap_or_default());
        let of_field = json!({
            "filter": { "bool": { "filter": [{ "exists": { "field": field } }], "must_not": earlier } },
            "aggs": { "values": terms, "distinct": distinct },
        });
        all.insert(format!("field{place}"), of_field);
    }
    all.insert("missing".to_owned(), json!({ "filter": { "bool": { "must_not": exist(fields) } } }));
    Value::Object(all)
}

fn exist(fields: &[String]) -> Vec<Value> {
    let exist: Vec<Value> = fields.iter().map(|field| json!({ "exists": { "field": field } })).collect();
    if exist.is_empty() { exist } else { vec![any_of(exist)] }
}

/// Values and their buckets, joined over the fields, the most frequent first and equal ones by name.
pub(super) struct Values<'a> {
    values: Vec<(String, u64, Vec<&'a Value>)>,
    others: u64,
    missing: u64,
    distinct: Option<u64>,
    /// By how much a count may be too small.
    pub(super) error: u64,
}

/// Reads what [`aggregations`] answered.
pub(super) fn read<'a>(aggregations: &'a Map<String, Value>, fields: &[String]) -> Values<'a> {
    let mut joined: BTreeMap<String, (u64, Vec<&Value>)> = BTreeMap::new();
    let (mut others, mut error) = (0, 0);
    let mut distinct = Vec::new();
    for (place, _) in fields.iter().enumerate() {
        let Some(of_field) = aggregations.get(&format!("field{place}")) else { continue };
        let Some(values) = of_field.get("values") else { continue };
        others += number(values, "sum_other_doc_count");
        error = error.max(number(values, "doc_count_error_upper_bound"));
        for bucket in values.get("buckets").and_then(Value::as_array).into_iter().flatten() {
            let (count, buckets) = joined.entry(key(bucket)).or_default();
            *count += number(bucket, "doc_count");
            buckets.push(bucket);
        }
        if number(of_field, "doc_count") > 0 {
            distinct.push(
                of_field.get("distinct").and_then(|distinct| distinct.get("value")).and_then(Value::as_u64),
            );
        }
    }
    let listed = joined.len() as u64;
    let mut values: Vec<_> =
        joined.into_iter().map(|(value, (count, buckets))| (value, count, buckets)).collect();
    values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    // Of several fields the same value may be counted in each: only a complete list says how many there are.
    let distinct = match (others, distinct.as_slice()) {
        (0, _) => Some(listed),
        (_, [one]) => *one,
        _ => None,
    };
    let missing = aggregations.get("missing").map_or(0, |missing| number(missing, "doc_count"));
    Values { values, others, missing, distinct, error }
}

impl<'a> Values<'a> {
    /// The most frequent values with their buckets.
    pub(super) fn first(&self, most: usize) -> impl Iterator<Item = (&str, &[&'a Value])> {
        self.values.iter().take(most).map(|(value, _, buckets)| (value.as_str(), buckets.as_slice()))
    }

    /// The most frequent values, masked by the name of the field.
    pub(super) fn groups(&self, intake: &Intake, field: &str, most: usize) -> Vec<Group> {
        let first = self.values.iter().take(most);
        first.map(|(value, count, _)| Group { value: taken(intake, field, value), count: *count }).collect()
    }

    /// All that is to be told.
    pub(super) fn top(&self, intake: &Intake, field: &str, most: usize) -> Top {
        let beyond: u64 = self.values.iter().skip(most).map(|(_, count, _)| count).sum();
        Top {
            values: self.groups(intake, field, most),
            distinct: self.distinct,
            estimated: self.others > 0 && self.distinct.is_some_and(|distinct| distinct > DISTINCT),
            others: self.others + beyond,
            missing: self.missing,
        }
    }
}

/// A value as text, masked.
pub(super) fn taken(intake: &Intake, field: &str, value: &str) -> Untrusted {
    let name =
        ["keyword", "raw", "exact"].into_iter().find_map(|end| field.strip_suffix(end)?.strip_suffix('.'));
    intake.field(name.unwrap_or(field), value)
}

/// A whole number of an object; 0 where there is none.
pub(super) fn number(object: &Value, name: &str) -> u64 {
    object.get(name).and_then(Value::as_u64).unwrap_or(0)
}

/// What a bucket is of: dates and booleans as text, numbers as they are.
fn key(bucket: &Value) -> String {
    let text = bucket.get("key_as_string").or_else(|| bucket.get("key")).cloned().unwrap_or_default();
    text.as_str().map_or_else(|| text.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use contract::Context;
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn values_of_several_fields_are_joined() {
        let reply = json!({
            "field0": { "doc_count": 10, "distinct": { "value": 2 }, "values": { "sum_other_doc_count": 0, "doc_count_error_upper_bound": 0,
                "buckets": [{ "key": "web", "doc_count": 7 }, { "key": "cart", "doc_count": 3 }] } },
            "field1": { "doc_count": 6, "distinct": { "value": 2 }, "values": { "sum_other_doc_count": 0, "doc_count_error_upper_bound": 0,
                "buckets": [{ "key": "cart", "doc_count": 5 }, { "key": 7, "doc_count": 1 }] } },
            "missing": { "doc_count": 4 },
        });
        let fields = ["service.name".to_owned(), "app.keyword".to_owned()];
        let values = read(reply.as_object().unwrap(), &fields);
        let top = values.top(&Context::for_test(Timestamp::UNIX_EPOCH).intake, "app.keyword", 2);
        let told: Vec<(&str, u64)> =
            top.values.iter().map(|group| (group.value.inside(), group.count)).collect();
        // 3 + 5 = 8 of cart, and 7 of web before 1 of 7
        assert_eq!(told, [("cart", 8), ("web", 7)]);
        assert_eq!((top.distinct, top.others, top.missing), (Some(3), 1, 4));
    }
}
