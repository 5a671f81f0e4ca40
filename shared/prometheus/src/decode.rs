//! Decoding the result of a query. Points are read straight into place: they are nearly all of a large reply.

use std::fmt;

use contract::Context;
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use upstream::Reply;

use crate::{
    error::Error,
    histogram::{Bounds, Bucket, Histogram},
    names::Names,
    reply::{self, Opened, protocol},
    series::{Data, Point, QueryReply, Series},
    wire::{Entries, Millis, Number, Text, or_default, skip_rest},
};

/// The reply to a query.
pub(crate) fn query_reply(cx: &Context, system: &str, reply: &Reply) -> Result<QueryReply, Error> {
    let text = reply::text(reply);
    let opened: Opened<'_, QueryWire<'_>> = reply::open(cx, system, reply, &text)?;
    let mut names = Names::new(&cx.intake);
    let warnings = names.texts(opened.warnings);
    let infos = names.texts(opened.infos);
    let samples_read = opened.data.stats.samples_read();
    let kind = opened.data.kind.0;
    let ResultWire { series, scalar } = opened.data.result;
    let data = match (kind.as_ref(), scalar) {
        ("vector", _) => Data::Vector(series.into_iter().map(|wire| wire.series(&mut names)).collect()),
        ("matrix", _) => Data::Matrix(series.into_iter().map(|wire| wire.series(&mut names)).collect()),
        ("scalar", Some((Millis(at), value))) => match value.0.parse() {
            Ok(value) => Data::Scalar(Point { at, value }),
            Err(_) => return Err(protocol(system, "the scalar of the reply is no number".to_owned())),
        },
        ("string", Some((_, text))) => Data::Text(names.text(text)),
        _ => {
            let named = cx.intake.text(&kind).shown(40);
            return Err(protocol(
                system,
                format!("the reply's result is {named}, and not in a form known for it"),
            ));
        }
    };
    Ok(QueryReply { data, warnings, infos, samples_read })
}

#[derive(Debug, Default, Deserialize)]
struct QueryWire<'a> {
    #[serde(borrow, default, rename = "resultType")]
    kind: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    result: ResultWire<'a>,
    #[serde(default, deserialize_with = "or_default")]
    stats: StatsWire,
}

#[derive(Debug, Default, Deserialize)]
struct StatsWire {
    #[serde(default, deserialize_with = "or_default")]
    samples: SamplesWire,
}

#[derive(Debug, Default, Deserialize)]
struct SamplesWire {
    #[serde(default, rename = "totalQueryableSamples")]
    total: Option<Number>,
}

impl StatsWire {
    fn samples_read(&self) -> Option<u64> {
        let total = self.samples.total?.0;
        (total.is_finite() && total >= 0.0).then_some(total as u64)
    }
}

/// A result of any type: series of a vector or matrix, or the moment and text of a scalar or string.
#[derive(Debug, Default)]
struct ResultWire<'a> {
    series: Vec<SeriesWire<'a>>,
    scalar: Option<(Millis, Text<'a>)>,
}

impl<'de: 'a, 'a> Deserialize<'de> for ResultWire<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ResultVisitor;

        impl<'de> Visitor<'de> for ResultVisitor {
            type Value = ResultWire<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of series, or a moment and a value")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut result = ResultWire::default();
                while let Some(element) = seq.next_element()? {
                    match element {
                        Element::Series(series) => result.series.push(series),
                        Element::Moment(moment) => {
                            let value: Text<'de> = seq.next_element()?.unwrap_or_default();
                            result.scalar = Some((moment, value));
                        }
                    }
                }
                Ok(result)
            }
        }

        deserializer.deserialize_seq(ResultVisitor)
    }
}

/// What a result may begin with.
enum Element<'a> {
    Series(SeriesWire<'a>),
    Moment(Millis),
}

impl<'de: 'a, 'a> Deserialize<'de> for Element<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ElementVisitor;

        impl ElementVisitor {
            fn moment<'de, E: de::Error>(seconds: f64) -> Result<Element<'de>, E> {
                Ok(Element::Moment(Millis((seconds * 1000.0).round() as i64)))
            }
        }

        impl<'de> Visitor<'de> for ElementVisitor {
            type Value = Element<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a series or a moment")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                SeriesWire::deserialize(MapAccessDeserializer::new(map)).map(Element::Series)
            }

            fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Self::Value, E> {
                Self::moment(seconds)
            }

            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Self::Value, E> {
                Self::moment(seconds as f64)
            }

            fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Self::Value, E> {
                Self::moment(seconds as f64)
            }
        }

        deserializer.deserialize_any(ElementVisitor)
    }
}

#[derive(Debug, Deserialize)]
struct SeriesWire<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    metric: Entries<'a, Text<'a>>,
    #[serde(default)]
    value: Option<PointWire>,
    #[serde(default, deserialize_with = "or_default")]
    values: Vec<PointWire>,
    #[serde(default)]
    histogram: Option<HistogramAt>,
    #[serde(default, deserialize_with = "or_default")]
    histograms: Vec<HistogramAt>,
}

impl<'a> SeriesWire<'a> {
    fn series(self, names: &mut Names<'_, 'a>) -> Series {
        let mut values = self.values;
        values.extend(self.value);
        let histograms = self.histograms.into_iter().chain(self.histogram);
        Series {
            labels: names.labels(self.metric),
            // Happens in place: both have the same size.
            points: values.into_iter().map(|PointWire(point)| point).collect(),
            histograms: histograms.map(HistogramWire::at).collect(),
        }
    }
}

#[derive(Debug)]
struct PointWire(Point);

impl<'de> Deserialize<'de> for PointWire {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PointWire, D::Error> {
        struct PointVisitor;

        impl<'de> Visitor<'de> for PointVisitor {
            type Value = PointWire;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a moment and a value")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut pair: A) -> Result<PointWire, A::Error> {
                let Millis(at) = pair.next_element()?.ok_or_else(|| de::Error::invalid_length(0, &self))?;
                let Number(value) =
                    pair.next_element()?.ok_or_else(|| de::Error::invalid_length(1, &self))?;
                skip_rest(pair)?;
                Ok(PointWire(Point { at, value }))
            }
        }

        deserializer.deserialize_seq(PointVisitor)
    }
}

#[derive(Debug, Deserialize)]
struct HistogramAt(Millis, HistogramWire);

#[derive(Debug, Deserialize)]
struct HistogramWire {
    count: Number,
    #[serde(default)]
    sum: Number,
    #[serde(default, deserialize_with = "or_default")]
    buckets: Vec<BucketWire>,
}

impl HistogramWire {
    fn at(HistogramAt(Millis(at), wire): HistogramAt) -> (i64, Histogram) {
        let buckets = wire.buckets.into_iter().map(|BucketWire(bucket)| bucket).collect();
        (at, Histogram { count: wire.count.0, sum: wire.sum.0, buckets })
    }
}

#[derive(Debug)]
struct BucketWire(Bucket);

impl<'de> Deserialize<'de> for BucketWire {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<BucketWire, D::Error> {
        let (rule, left, right, count) = <(u8, Number, Number, Number)>::deserialize(deserializer)?;
        let bounds = match rule {
            0 => Bounds::LeftOpen,
            1 => Bounds::RightOpen,
            2 => Bounds::Open,
            3 => Bounds::Closed,
            _ => return Err(de::Error::custom("a bucket with an unknown boundary rule")),
        };
        Ok(BucketWire(Bucket { bounds, left: left.0, right: right.0, count: count.0 }))
    }
}

#[cfg(test)]
mod tests;
