//! What a query over recorded data gave, in the words of the tools. Every recorded text is taken in here.

use std::collections::HashMap;

use contract::{Context, Untrusted};
use promql::Value;

use crate::model::{Data, Labels, Point, QueryReply, Series};

/// Takes recorded texts in, each distinct one once.
struct Names<'a> {
    cx: &'a Context,
    names: HashMap<&'a str, Untrusted>,
    values: HashMap<(&'a str, &'a str), Untrusted>,
}

impl<'a> Names<'a> {
    fn new(cx: &'a Context) -> Names<'a> {
        Names { cx, names: HashMap::new(), values: HashMap::new() }
    }

    fn labels(&mut self, labels: &'a promql::Labels) -> Labels {
        let cx = self.cx;
        let taken = labels.iter().map(|(name, value)| {
            let taken = self.names.entry(name).or_insert_with(|| cx.intake.text(name)).clone();
            let value = self.values.entry((name, value)).or_insert_with(|| cx.intake.field(name, value));
            (taken, value.clone())
        });
        Labels::new(taken)
    }
}

/// The result in the words of the tools.
pub(super) fn reply(cx: &Context, value: &Value, at: i64) -> QueryReply {
    let mut names = Names::new(cx);
    let data = match value {
        Value::Scalar(value) => Data::Scalar(Point { at, value: *value }),
        Value::Text(text) => Data::Text(cx.intake.text(text)),
        Value::Vector(samples) => {
            let series = samples
                .iter()
                .map(|sample| series(names.labels(&sample.labels), vec![Point { at, value: sample.value }]));
            Data::Vector(series.collect())
        }
        Value::Matrix(all) => {
            let series = all.iter().map(|one| {
                let moments = one.timestamps.iter().zip(&one.values);
                let points = moments.map(|(at, value)| Point { at: *at, value: *value }).collect();
                series(names.labels(&one.labels), points)
            });
            Data::Matrix(series.collect())
        }
    };
    QueryReply { data, warnings: Vec::new(), infos: Vec::new(), samples_read: None }
}

fn series(labels: Labels, points: Vec<Point>) -> Series {
    Series { labels, points, histograms: Vec::new() }
}
