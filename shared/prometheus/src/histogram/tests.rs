//! That quantiles equal Prometheus' own is in `tests/histograms.rs`, against recorded ones.

use proptest::prelude::*;

use super::*;

fn histogram(count: f64, sum: f64, buckets: &[(f64, f64, f64)]) -> Histogram {
    let bucket =
        |&(left, right, count): &(f64, f64, f64)| Bucket { bounds: Bounds::LeftOpen, left, right, count };
    Histogram { count, sum, buckets: buckets.iter().map(bucket).collect() }
}

/// The example of Prometheus' documentation of `histogram_quantile`: right in the middle of the (1, 2] bucket is
/// the boundary it would have at double the resolution.
#[test]
fn the_middle_of_the_bucket_from_1_to_2_is_the_square_root_of_2() {
    let median = histogram(10.0, 15.0, &[(1.0, 2.0, 10.0)]).quantile(0.5);
    assert!((median - std::f64::consts::SQRT_2).abs() < 1e-12, "{median}");
}

#[test]
fn a_histogram_without_observations_has_no_quantile_and_no_mean() {
    let empty = Histogram::default();
    assert!(empty.quantile(0.5).is_nan());
    assert_eq!(empty.mean(), None);
    assert_eq!(histogram(4.0, 6.0, &[(1.0, 2.0, 4.0)]).mean(), Some(1.5));
}

#[test]
fn a_count_without_buckets_is_no_number() {
    assert!(histogram(5.0, 5.0, &[]).quantile(0.5).is_nan());
}

/// Ten observations in buckets and three NaN, which count but have no place: rank 3.25 is 2.25 of 4 into the second
/// bucket, whose boundaries are 2^0 and 2^0.5; ranks above 10 have no value.
#[test]
fn observations_that_are_no_numbers_lie_above_all_buckets() {
    let root = std::f64::consts::SQRT_2;
    let histogram = histogram(
        13.0,
        f64::NAN,
        &[(0.5 * root, 1.0, 1.0), (1.0, root, 4.0), (root, 2.0, 3.0), (2.0, 2.0 * root, 2.0)],
    );
    let quarter = histogram.quantile(0.25);
    assert!((quarter - (0.5 * 2.25 / 4.0_f64).exp2()).abs() < 1e-12, "{quarter}");
    assert!(histogram.quantile(0.9).is_nan());
}

fn any_histogram() -> impl Strategy<Value = Histogram> {
    let exponential = (-4_i32..=8, -40_i32..40, prop::collection::vec(0_u32..50, 1..12)).prop_map(
        |(schema, first, counts)| {
            let bound = |place: i32| (f64::from(place) * (-f64::from(schema)).exp2()).exp2();
            let buckets: Vec<(f64, f64, f64)> = counts
                .iter()
                .enumerate()
                .filter(|(_, count)| **count > 0)
                .map(|(place, count)| (first + place as i32, f64::from(*count)))
                .map(|(place, count)| (bound(place), bound(place + 1), count))
                .collect();
            histogram(counts.iter().copied().map(f64::from).sum(), 1.0, &buckets)
        },
    );
    let custom = prop::collection::btree_map(-1000_i32..1000, 1_u32..50, 2..10).prop_map(|places| {
        let bounds: Vec<(f64, f64)> =
            places.iter().map(|(bound, n)| (f64::from(*bound) / 7.0, f64::from(*n))).collect();
        let buckets: Vec<(f64, f64, f64)> =
            bounds.windows(2).map(|pair| (pair[0].0, pair[1].0, pair[1].1)).collect();
        histogram(buckets.iter().map(|bucket| bucket.2).sum(), 1.0, &buckets)
    });
    prop_oneof![exponential, custom].prop_filter("it has observations", |histogram| histogram.count > 0.0)
}

proptest! {
    #[test]
    fn quantiles_grow_with_q_and_stay_within_the_buckets(
        histogram in any_histogram(),
        q in 0.0..=1.0_f64,
        more in 0.0..=1.0_f64,
    ) {
        let (low, high) = (q.min(more), q.max(more));
        let (at_low, at_high) = (histogram.quantile(low), histogram.quantile(high));
        let (least, most) = (histogram.buckets[0].left, histogram.buckets[histogram.buckets.len() - 1].right);
        let slack = 1e-9 * (least.abs() + most.abs());
        prop_assert!(at_low <= at_high + slack, "{at_low} at {low}, {at_high} at {high}");
        prop_assert!(least - slack <= at_low && at_high <= most + slack, "{least} {at_low} {at_high} {most}");
    }

    #[test]
    fn counts_twice_as_large_change_no_quantile(histogram in any_histogram(), q in 0.0..=1.0_f64) {
        let mut twice = histogram.clone();
        twice.count *= 2.0;
        twice.buckets.iter_mut().for_each(|bucket| bucket.count *= 2.0);
        prop_assert_eq!(twice.quantile(q), histogram.quantile(q));
    }
}
