use proptest::prelude::*;

use super::*;

const HALF_HOUR: f64 = 1_800.0;

fn seen(count: u64) -> Seen {
    Seen::counted(count, HALF_HOUR)
}

/// Spread evenly over the window.
fn even(count: u64, is_error: bool, share: f64) -> Now {
    let end = |part: u64| Seen::counted(count / part, HALF_HOUR / part as f64);
    Now { whole: seen(count), ends: [end(2), end(4)], arrived: seen(count), is_error, share }
}

fn older(seen: Seen) -> Baseline {
    Baseline { seen, is_adjacent: false, growth: 1.0 }
}

fn adjacent(count: u64) -> Baseline {
    Baseline { seen: seen(count), is_adjacent: true, growth: 1.0 }
}

#[test]
fn classes_by_hand() {
    for (name, now, before, is_error, share, expected) in [
        ("an error nobody saw before", 1, vec![0, 0], true, 0.0001, Class::New),
        ("a rare line nobody saw before", 1, vec![0, 0], false, 0.001, Class::Steady),
        ("a frequent line nobody saw before", 50, vec![0, 0], false, 0.2, Class::New),
        ("seen a week ago", 3, vec![0, 2], true, 0.1, Class::Steady),
        ("far more than in both", 141, vec![6, 9], true, 0.1, Class::Surging),
        ("more than yesterday only", 141, vec![6, 140], true, 0.1, Class::Steady),
        ("+900 % of a tiny baseline", 9, vec![1, 0], true, 0.1, Class::Steady),
        ("a little more", 64, vec![60, 70], false, 0.1, Class::Steady),
        ("far fewer", 20, vec![100, 90], true, 0.1, Class::Fading),
        ("no more", 0, vec![100, 90], true, 0.0, Class::Gone),
        ("seldom and not now", 0, vec![2, 1], true, 0.0, Class::Steady),
        ("nothing was recorded", 10, vec![], true, 0.1, Class::Unknown),
    ] {
        let before: Vec<Baseline> = before.into_iter().map(|count| older(seen(count))).collect();
        let expected = Judged { class: expected, already: false };
        assert_eq!(classify(even(now, is_error, share), &before), expected, "{name}");
    }
}

#[test]
fn rates_are_compared_and_not_counts() {
    let day = older(Seen::counted(960, 86_400.0));
    assert_eq!(classify(even(20, true, 0.1), &[day]).class, Class::Steady);
    assert_eq!(classify(even(80, true, 0.1), &[day]).class, Class::Surging);
}

#[test]
fn an_incident_that_runs_since_before_the_window_is_no_steady_state() {
    let judged = |before: &[Baseline]| {
        let judged = classify(even(100, true, 0.1), before);
        (judged.class, judged.already)
    };
    // 100 now, 95 just before, none the day before: it began earlier than the window.
    assert_eq!(judged(&[adjacent(95), older(seen(0))]), (Class::New, true));
    assert_eq!(judged(&[adjacent(95), older(seen(8)), older(seen(10))]), (Class::Surging, true));
    // Without anything older nobody can tell, and what was so a week ago is usual.
    assert_eq!(judged(&[adjacent(95)]), (Class::Steady, false));
    assert_eq!(judged(&[adjacent(95), older(seen(0)), older(seen(90))]), (Class::Steady, false));
    // It began within the window.
    assert_eq!(judged(&[adjacent(0), older(seen(0))]), (Class::New, false));
    assert_eq!(judged(&[adjacent(20), older(seen(10))]), (Class::Surging, false));
    // Five times as many records of any kind: a busy day, not an incident.
    let quiet = Baseline { growth: 5.0, ..older(seen(20)) };
    assert_eq!(judged(&[adjacent(95), quiet]), (Class::Steady, false));
    // Three of a rare line: one baseline without it is chance (3·ln 2 = 2.1 is no certainty).
    assert_eq!(classify(even(3, true, 0.1), &[adjacent(2), older(seen(0))]).class, Class::Steady);
}

#[test]
fn a_surge_at_the_end_of_the_window_is_not_diluted_by_its_beginning() {
    // 46 now against 24 before is less than double. But the first three quarters have 18, as always, and the last one has 28
    // against 6: 28·ln(28/10.4) + 24·ln(24/41.6) = 14.5.
    let now = Now {
        whole: seen(46),
        arrived: seen(46),
        ends: [Seen::counted(34, 900.0), Seen::counted(28, 450.0)],
        is_error: true,
        share: 0.1,
    };
    assert_eq!(classify(now, &[adjacent(24)]).class, Class::Surging);
    // The same 46 spread evenly are no surge, nor is a handful in the last quarter: 9 against 4.
    assert_eq!(classify(even(46, true, 0.1), &[adjacent(24)]).class, Class::Steady);
    let handful = Now {
        whole: seen(20),
        arrived: seen(20),
        ends: [Seen::counted(13, 900.0), Seen::counted(9, 450.0)],
        ..now
    };
    assert_eq!(classify(handful, &[adjacent(16)]).class, Class::Steady);
}

#[test]
fn a_sample_says_no_more_than_the_records_that_were_read() {
    // 5 of 5 % read stand for 100; 1 for 20. By the estimates five times as often and certain; by what was read nothing.
    let sampled = |count: u64| Seen { count, share: 0.05, seconds: HALF_HOUR };
    let of = |whole: Seen| Now { whole, ends: [whole; 2], arrived: whole, is_error: true, share: 0.1 };
    assert_eq!(sampled(5).all(), 100);
    assert_eq!(classify(of(sampled(5).believed()), &[adjacent(20)]).class, Class::Surging);
    assert_eq!(classify(of(sampled(5)), &[older(sampled(1))]).class, Class::Steady);
    // 60 read against 6: 60·ln(60/33) + 6·ln(6/33) = 25.6.
    assert_eq!(classify(of(sampled(60)), &[older(sampled(6))]).class, Class::Surging);
    // None among those read is not none: 4 now may be chance (4·ln 2 = 2.8), 20 are not (13.9).
    assert_eq!(classify(of(sampled(4)), &[older(sampled(0))]).class, Class::Steady);
    assert_eq!(classify(of(sampled(20)), &[older(sampled(0))]).class, Class::New);
    // One true record is new where the baseline was counted to the end.
    assert_eq!(classify(of(Seen::counted(1, HALF_HOUR)), &[older(seen(0))]).class, Class::New);
}

#[test]
fn a_record_of_a_sample_counts_as_many_as_it_stands_for() {
    // Ten read that stand for two each, one for a hundred: 120 records. (10·2 + 100)² ÷ (10·4 + 10,000) = 1.43.
    let uneven = (0..10).map(|_| 2.0).chain([100.0]);
    let seen = Seen::sampled(uneven, 0.1, 60.0);
    assert_eq!((seen.all(), seen.per_minute().round(), seen.count, seen.is_exact()), (120, 120.0, 1, false));
    // Equal weights: as many as were read.
    let seen = Seen::sampled((0..10).map(|_| 12.0), 0.1, 60.0);
    assert_eq!((seen.all(), seen.count), (120, 10));
    // None read of a tenth; all read.
    assert_eq!(Seen::sampled(std::iter::empty(), 0.1, 60.0), Seen { count: 0, share: 0.1, seconds: 60.0 });
    assert_eq!(Seen::sampled((0..10).map(|_| 1.0), 1.0, 60.0), Seen::counted(10, 60.0));
}

proptest! {
    #[test]
    fn more_of_it_is_never_less_alarming(count in 0_u64..1_000, more in 0_u64..1_000, before in 1_u64..1_000) {
        let rank = |count| match classify(even(count, true, 0.1), &[older(seen(before))]).class {
            Class::Gone => 0,
            Class::Fading => 1,
            Class::Steady => 2,
            _ => 3,
        };
        prop_assert!(rank(count + more) >= rank(count));
    }

    #[test]
    fn a_smaller_sample_of_the_same_rates_is_never_more_certain(now in 0_u64..200, before in 1_u64..200) {
        // Half as many read of half the share: the same estimate from fewer records.
        let whole = Seen { count: now * 2, share: 1.0, seconds: HALF_HOUR };
        let half = Seen { count: now, share: 0.5, seconds: HALF_HOUR };
        let (was, was_half) = (Seen::counted(before * 2, HALF_HOUR), Seen { count: before, share: 0.5, seconds: HALF_HOUR });
        prop_assert!(!differs(half, was_half, true, CERTAIN) || differs(whole, was, true, CERTAIN));
    }
}

#[test]
fn a_baseline_of_minutes_does_not_make_a_seldom_line_new() {
    let minutes = older(Seen::counted(0, 180.0));
    // 5 in half an hour are 0.5 in three minutes; of 300 there would be 30, and there are none.
    assert_eq!(classify(even(5, true, 0.1), &[minutes]).class, Class::Steady);
    assert_eq!(classify(even(300, true, 0.1), &[minutes]).class, Class::New);
    assert_eq!(classify(even(5, true, 0.1), &[minutes, older(seen(0))]).class, Class::New);
}
