//! Answers and their differences.

use std::collections::BTreeMap;

use promql::{Options, Query, Store, Value};

use crate::When;

/// Series with their values, in the order of the answer.
pub(crate) type Rows = Vec<(BTreeMap<String, String>, Vec<(i64, f64)>)>;

#[derive(Debug)]
pub(crate) enum Answer {
    Scalar(f64),
    Text(String),
    Rows(Rows),
    Failed(String),
}

/// What this crate answers a query.
pub(crate) fn answer(store: &Store, query: &str, when: When) -> Answer {
    let parsed = match Query::parse(query) {
        Ok(parsed) => parsed,
        Err(error) => return Answer::Failed(format!("parse: {error} ({:?})", error.position)),
    };
    if let Some(what) = parsed.unsupported() {
        panic!("{query} is not in the subset: {what}");
    }
    let options = Options::default();
    let (value, time) = match when {
        When::At(time) => (promql::evaluate_at(store, &parsed, time, &options), time),
        When::Over { start, end, step } => {
            (promql::evaluate_over(store, &parsed, start, end, step, &options), 0)
        }
    };
    let labels = |labels: &promql::Labels| {
        labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<BTreeMap<_, _>>()
    };
    match value {
        Err(error) => Answer::Failed(error.to_string()),
        Ok(Value::Scalar(value)) => Answer::Scalar(value),
        Ok(Value::Text(text)) => Answer::Text(text),
        Ok(Value::Vector(samples)) => Answer::Rows(
            samples.into_iter().map(|sample| (labels(&sample.labels), vec![(time, sample.value)])).collect(),
        ),
        Ok(Value::Matrix(all)) => Answer::Rows(
            all.into_iter()
                .map(|series| {
                    (labels(&series.labels), series.timestamps.into_iter().zip(series.values).collect())
                })
                .collect(),
        ),
    }
}

/// How two answers to a query differ, if they do.
pub(crate) fn difference(ours: &Answer, theirs: &Answer, query: &str) -> Option<String> {
    match (ours, theirs) {
        (Answer::Failed(ours), Answer::Failed(theirs)) => {
            (reason(ours) != reason(theirs)).then(|| format!("fails with {ours}\n    theirs {theirs}"))
        }
        (Answer::Scalar(ours), Answer::Scalar(theirs)) if same(*ours, *theirs) => None,
        (Answer::Text(ours), Answer::Text(theirs)) if ours == theirs => None,
        (Answer::Rows(ours), Answer::Rows(theirs)) => rows_difference(ours, theirs, query),
        (ours, theirs) => Some(format!("ours {ours:?}\n    theirs {theirs:?}").chars().take(600).collect()),
    }
}

/// Why a match or a result is refused, in either's words; anything else is one reason.
fn reason(message: &str) -> usize {
    const REASONS: [[&str; 2]; 4] = [
        ["have the same labels", "same labelset"],
        ["unique on one side", "found duplicate series"],
        ["use group_left or group_right", "matching must be explicit"],
        ["must keep them apart", "must ensure unique matches"],
    ];
    REASONS.iter().position(|words| words.iter().any(|word| message.contains(word))).unwrap_or(REASONS.len())
}

fn rows_difference(ours: &Rows, theirs: &Rows, query: &str) -> Option<String> {
    let sorted = |rows: &Rows| {
        let mut rows = rows.clone();
        rows.sort_by(|one, other| one.0.cmp(&other.0));
        rows
    };
    let (our_rows, their_rows) = (sorted(ours), sorted(theirs));
    if our_rows.len() != their_rows.len() {
        let names = |rows: &Rows| rows.iter().map(|row| format!("{:?}", row.0)).collect::<Vec<_>>();
        let (ours, theirs) = (names(&our_rows), names(&their_rows));
        let missing: Vec<_> = theirs.iter().filter(|row| !ours.contains(row)).collect();
        let extra: Vec<_> = ours.iter().filter(|row| !theirs.contains(row)).collect();
        return Some(format!(
            "{} rows, theirs {}; missing {missing:?}, extra {extra:?}",
            ours.len(),
            theirs.len()
        ));
    }
    for (ours, theirs) in our_rows.iter().zip(&their_rows) {
        if ours.0 != theirs.0 {
            return Some(format!("labels {:?}, theirs {:?}", ours.0, theirs.0));
        }
        if ours.1.len() != theirs.1.len() {
            return Some(format!("{:?}: {} points, theirs {}", ours.0, ours.1.len(), theirs.1.len()));
        }
        for (our, their) in ours.1.iter().zip(&theirs.1) {
            if our.0 != their.0 || !same(our.1, their.1) {
                return Some(format!("{:?}: {our:?}, theirs {their:?}", ours.0));
            }
        }
    }
    order_difference(ours, theirs, query)
}

/// Where the order of an answer means something, the values must be in the same order; of equal values it is open
/// which series comes first.
fn order_difference(ours: &Rows, theirs: &Rows, query: &str) -> Option<String> {
    let at_one_moment = ours.iter().all(|row| row.1.len() == 1);
    let ordered =
        ["sort(", "sort_desc(", "topk(", "bottomk("].iter().any(|function| query.starts_with(function));
    let values = |rows: &Rows| rows.iter().map(|row| row.1[0].1).collect::<Vec<f64>>();
    if !(ordered && at_one_moment && query.ends_with(')')) {
        return None;
    }
    let (ours, theirs) = (values(ours), values(theirs));
    let same_order = ours.iter().zip(&theirs).all(|(our, their)| same(*our, *their));
    (!same_order).then(|| format!("order {ours:?}, theirs {theirs:?}"))
}

fn same(ours: f64, theirs: f64) -> bool {
    if ours.is_nan() || theirs.is_nan() {
        return ours.is_nan() && theirs.is_nan();
    }
    ours == theirs || (ours - theirs).abs() <= 1e-9 * ours.abs().max(theirs.abs())
}
