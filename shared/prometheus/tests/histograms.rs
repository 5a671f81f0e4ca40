//! Native histograms of a real Prometheus, and their quantiles against those it computed itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

mod common;

use std::{collections::BTreeMap, time::Duration};

use common::{at, cx, recorded, replay};
use contract::TimeRange;
use prometheus::{Bounds, Histogram, QueryOptions};

async fn histograms(file: &str) -> BTreeMap<String, Histogram> {
    let (_backend, client) = replay("POST", "/api/v1/query", file).await;
    let reply = client.instant(&cx(), "x", at(1_795_221_185), QueryOptions::default()).await.unwrap();
    let named = reply.data.into_series().into_iter().map(|mut series| {
        assert!(series.points.is_empty());
        let case = series.labels.get("case").map_or("", |case| case.inside()).to_owned();
        (case, series.histograms.remove(0).1)
    });
    named.collect()
}

#[tokio::test]
async fn a_histogram_is_read_with_its_boundaries() {
    let histograms = histograms("prometheus-3/native_histograms.json").await;
    let both = &histograms["both_sides"];
    assert_eq!((both.count, both.sum), (30.0, 1.5));
    let buckets: Vec<_> =
        both.buckets.iter().map(|bucket| (bucket.bounds, bucket.left, bucket.count)).collect();
    assert_eq!(buckets[0], (Bounds::RightOpen, -2.0, 3.0));
    assert_eq!(buckets[3], (Bounds::Closed, -1e-128, 6.0));
    assert_eq!(buckets[6], (Bounds::LeftOpen, 1.0, 9.0));
    assert_eq!(histograms["custom_first"].buckets[0].left, f64::NEG_INFINITY);
    assert!(histograms["not_a_number"].sum.is_nan());
}

/// Both files were recorded from Prometheus 3.15 for the same moment. The quantiles are read here by `serde_json`.
///
/// Left out: quantiles within the buckets of a histogram that observed NaN. That version gives a value of the last
/// bucket for each of them (`HistogramQuantile` in `promql/quantile.go` goes on to count what is left and then
/// interpolates in the bucket where that ended); what its documentation says is tested by arithmetic beside the code.
#[tokio::test]
async fn quantiles_are_those_that_prometheus_computes() {
    let histograms = histograms("prometheus-3/native_histograms.json").await;
    let quantiles: serde_json::Value =
        serde_json::from_slice(&recorded("prometheus-3/native_histogram_quantiles.json")).unwrap();
    let (mut compared, mut left_out) = (0, 0);
    for series in quantiles["data"]["result"].as_array().unwrap() {
        let (case, q) = (series["metric"]["case"].as_str().unwrap(), series["metric"]["q"].as_str().unwrap());
        let theirs: f64 = series["value"][1].as_str().unwrap().parse().unwrap();
        let ours = histograms[case].quantile(q.parse().unwrap());
        if case == "not_a_number" && theirs.is_finite() {
            left_out += 1;
            continue;
        }
        let same = ours == theirs
            || (ours.is_nan() && theirs.is_nan())
            || (ours - theirs).abs() <= 1e-12 * theirs.abs();
        assert!(same, "{case} at {q}: {ours}, Prometheus says {theirs}");
        compared += 1;
    }
    // 0, 0.01, 0.1, 0.25, 0.4999, 0.5 and 0.75: up to 10 of its 13 observations are in buckets.
    assert_eq!(left_out, 7);
    assert_eq!(compared + left_out, histograms.len() * 13);
    assert_eq!(histograms.len(), 24);
}

#[tokio::test]
async fn a_range_of_histograms_keeps_their_moments() {
    let (_backend, client) =
        replay("POST", "/api/v1/query_range", "prometheus-3/range_native_histogram.json").await;
    let window = TimeRange::new(at(1_795_221_180), at(1_795_221_186)).unwrap();
    let reply =
        client.range(&cx(), "x", window, Duration::from_secs(5), QueryOptions::default()).await.unwrap();
    let series = &reply.data.series()[0];
    let moments: Vec<i64> = series.histograms.iter().map(|(at, _)| *at).collect();
    assert_eq!(moments, [1_795_221_180_000, 1_795_221_185_000]);
    assert_eq!(series.histograms[1].1.buckets.len(), 5);
}

#[tokio::test]
async fn the_older_prometheus_writes_them_the_same_way() {
    let histograms = histograms("prometheus-2/query_vector_native_histogram.json").await;
    let histogram = &histograms[""];
    assert_eq!((histogram.count, histogram.buckets.len()), (132.0, 25));
    let counted: f64 = histogram.buckets.iter().map(|bucket| bucket.count).sum();
    assert_eq!(counted, 132.0);
}
