//! Hand-made streams, and simulated ones: what is planted is found, and quiet streams stay quiet.

use proptest::prelude::*;

use super::*;

fn judged(counts: &[u64], window: usize, earlier: &[Vec<u64>]) -> Judgement {
    judge(&Stream { counts, window, earlier })
}

/// `(kind, from, to)` of what is told.
fn told(counts: &[u64], window: usize) -> Vec<(Kind, usize, usize)> {
    judged(counts, window, &[]).anomalies.iter().map(|found| (found.kind, found.from, found.to)).collect()
}

#[test]
fn each_kind_is_told_with_its_steps() {
    type Told = Vec<(Kind, usize, usize)>;
    let table: [(&str, Vec<u64>, Told); 7] = [
        ("usual", [20; 120].to_vec(), vec![]),
        ("spike", [vec![20; 90], vec![80; 10], vec![20; 20]].concat(), vec![(Kind::Spike, 90, 100)]),
        ("still going on", [vec![20; 100], vec![80; 20]].concat(), vec![(Kind::Spike, 100, 120)]),
        ("silence", [vec![20; 100], vec![0; 20]].concat(), vec![(Kind::Silence, 100, 120)]),
        ("drop", [vec![20; 100], vec![5; 20]].concat(), vec![(Kind::Drop, 100, 120)]),
        ("begins", [vec![0; 70], vec![9; 50]].concat(), vec![(Kind::Spike, 70, 120)]),
        ("the whole window", [vec![20; 60], vec![2; 60]].concat(), vec![(Kind::Drop, 60, 120)]),
    ];
    for (name, counts, expected) in table {
        assert_eq!(told(&counts, 60), expected, "{name}");
    }
}

#[test]
fn a_drop_that_ends_without_any_record_is_silence() {
    // 15 of 100 in the step in which it stops, more than 2 % of the 300 usual since then.
    let stops = [vec![100; 117], vec![15, 0, 0]].concat();
    let found = judged(&stops, 60, &[]).anomalies;
    assert_eq!(told(&stops, 60), vec![(Kind::Silence, 118, 120)]);
    assert_eq!((found[0].count, found[0].expected.round()), (0, 200.0), "{found:?}");
    // 5 records a step could stay away in two steps.
    let dwindles = [vec![5; 100], vec![1; 18], vec![0; 2]].concat();
    assert!(told(&dwindles, 60).iter().all(|(kind, ..)| *kind == Kind::Drop));
}

#[test]
fn a_stop_within_a_step_is_one_where_so_much_is_usual() {
    // A tenth of a step of 6,000 records: 600 are usual. Of 60 a step it would be 6.
    for (counts, steps, expected) in [
        (vec![6_000; 20], 0.1, Some(600.0)),
        (vec![60; 20], 0.1, None),
        (vec![60; 20], 0.5, Some(30.0)),
        (vec![0; 20], 5.0, None),
        // Bursts of 600 every tenth step.
        ([vec![600], vec![0; 9]].concat().repeat(4), 3.0, None),
        // Half an hour of every day: 30 steps after 30 without.
        ([vec![0; 30], vec![6_000; 30], vec![0; 15]].concat(), 15.0, None),
        // Twenty records within two steps say nothing of the next ten.
        ([vec![10; 2], vec![0; 10]].concat(), 10.0, None),
        ([vec![10; 10], vec![0; 10]].concat(), 10.0, Some(100.0)),
    ] {
        let stream = Stream { counts: &counts, window: counts.len() / 2, earlier: &[] };
        assert_eq!(stopped(&stream, steps).map(f64::round), expected, "{steps} of {counts:?}");
    }
    // What ends at the same time every day is no stop, and what goes on every day is one.
    let now = [vec![100; 45], vec![0; 15]].concat();
    let [ends, goes_on] = [now.clone(), vec![100; 60]].map(|then| {
        stopped(&Stream { counts: &now, window: 30, earlier: &[then.clone(), then] }, 15.0).map(f64::round)
    });
    assert_eq!((ends, goes_on), (None, Some(1_500.0)));
}

#[test]
fn where_nothing_is_recorded_any_more_the_time_after_is_no_part_of_what_is_usual() {
    // 20 a step, 100 in steps 80 to 99, 7 in the step in which it ends, none in 19 steps after it.
    let counts = [vec![20; 80], vec![100; 20], vec![7], vec![0; 19]].concat();
    let found = judge_until(&Stream { counts: &counts, window: 60, earlier: &[] }, 101).anomalies;
    let told: Vec<_> =
        found.iter().map(|one| (one.kind, one.from, one.to, one.count, one.expected)).collect();
    // 19 steps of 20, and 20 steps of 20.
    assert_eq!(told, [(Kind::Silence, 101, 120, 0, 380.0), (Kind::Spike, 80, 100, 2_000, 400.0)]);
    // One of 10 a step that was silent from step 70 on is so to the end: 50 steps. With a record since, its silence is over.
    let silent = [vec![10; 70], vec![0; 50]].concat();
    let mut back = silent.clone();
    back[100] = 30;
    for (counts, to, expected) in [(silent, 120, 500.0), (back, 100, 300.0)] {
        let found = judge_until(&Stream { counts: &counts, window: 60, earlier: &[] }, 101).anomalies;
        let silence = found.iter().find(|one| one.from == 70).unwrap();
        assert_eq!((silence.kind, silence.to, silence.expected), (Kind::Silence, to, expected), "{found:?}");
    }
}

#[test]
fn a_silence_that_began_in_the_lead_in_is_told_with_its_first_step() {
    // So many steps of 5 records, then none to the end of 60 steps of lead-in and 60 of window.
    for logged in [20, 30, 45, 59] {
        let counts = [vec![5; logged], vec![0; 120 - logged]].concat();
        assert_eq!(told(&counts, 60), vec![(Kind::Silence, logged, 120)], "{logged}");
    }
    // A job that writes in bursts and is not due yet: one burst in the lead-in, or two, and none in the window.
    for burst in [vec![12], vec![4, 4, 4], vec![1, 5, 6, 2]] {
        for (first, second) in [(2, None), (11, None), (40, None), (2, Some(50)), (20, Some(52))] {
            let mut counts = vec![0; 120];
            for from in [Some(first), second].into_iter().flatten() {
                counts[from..from + burst.len()].copy_from_slice(&burst);
            }
            assert_eq!(told(&counts, 60), vec![], "{burst:?} at {first} and {second:?}");
        }
    }
}

#[test]
fn one_event_is_one_stretch() {
    // A pod starts in the middle of a step: 15 records in the first one, 300 in each after it.
    let starts = [vec![0; 90], vec![15], vec![300; 29]].concat();
    assert_eq!(told(&starts, 60), vec![(Kind::Spike, 90, 120)]);
    // It ends within a step: 90 of 200 in the last one, of 6,200 in all, are less than 2 %.
    let ends = [vec![200; 89], vec![90], vec![0; 30]].concat();
    assert_eq!(told(&ends, 60), vec![(Kind::Silence, 89, 120)]);
    // 90 of 200 in the last step of a shorter silence, of 2,400 in all, are the edge of it.
    let edge = [vec![200; 108], vec![90], vec![0; 11]].concat();
    assert_eq!(told(&edge, 60), vec![(Kind::Silence, 108, 120)]);
}

#[test]
fn without_a_lead_in_a_full_stream_is_not_sparse() {
    // 300 a step, and nothing before the window to compare them with: too little is known, but not of the stream.
    let full = judged(&[300; 60], 0, &[]);
    assert_eq!((full.sparse, full.expected), (false, None));
    let thin = judged(&[vec![0; 58], vec![2, 2]].concat(), 0, &[]);
    assert!(thin.sparse && thin.expected.is_none());
    let known = judged(&[5; 120], 60, &[]);
    assert_eq!((known.sparse, known.expected), (false, Some(300.0)));
}

#[test]
fn what_ran_before_differs_from_longer_before() {
    type Told = Option<(Kind, f64)>;
    let table: [(&str, [u64; 4], [u64; 4], Told); 5] = [
        ("as then", [60, 61, 59, 60], [58, 62, 60, 61], None),
        ("half as much again", [90; 4], [60; 4], None),
        ("four times", [240; 4], [60; 4], Some((Kind::Spike, 240.0))),
        ("from nothing", [60; 4], [0; 4], Some((Kind::Spike, 0.0))),
        ("a large ratio of a tiny number", [2; 4], [0; 4], None),
    ];
    for (name, now, then, expected) in table {
        let found = ran_before(&now, &then).map(|found| (found.kind, found.expected));
        assert_eq!(found, expected, "{name}");
    }
    let gone = ran_before(&[0; 4], &[60; 4]).map(|found| found.kind);
    assert_eq!(gone, Some(Kind::Silence));
}

#[test]
fn without_a_lead_in_the_larger_part_of_the_window_is_usual() {
    for (name, counts, expected) in [
        ("spike", [vec![20; 24], vec![80; 6]].concat(), vec![(Kind::Spike, 24, 30)]),
        ("silence", [vec![20; 50], vec![0; 10]].concat(), vec![(Kind::Silence, 50, 60)]),
        ("usual", [20; 60].to_vec(), vec![]),
    ] {
        assert_eq!(told(&counts, 0), expected, "{name}");
    }
    let mut random = fastrand::Rng::with_seed(4);
    let mut loud = Vec::new();
    for _ in 0..100 {
        for mean in [0.05, 0.5, 2.0, 10.0, 60.0, 300.0] {
            for bursty in [false, true] {
                let rate = |draw: f64| if bursty { mean * (0.4 + 1.2 * draw) } else { mean };
                let counts: Vec<u64> = (0..60)
                    .map(|_| {
                        let rate = rate(random.f64());
                        poisson(&mut random, rate)
                    })
                    .collect();
                if !told(&counts, 0).is_empty() {
                    loud.push((mean, bursty));
                }
            }
        }
    }
    // 6 of 1,200 would be 1 in 200.
    assert!(loud.len() <= 6, "{} of 1,200: {loud:?}", loud.len());
}

#[test]
fn a_large_ratio_of_a_tiny_number_is_nothing() {
    let mut counts = [0; 120];
    counts[100] = 9;
    assert_eq!(told(&counts, 60), vec![]);
    let judged = judged(&[0; 120], 60, &[]);
    assert!(judged.sparse && judged.anomalies.is_empty());
}

#[test]
fn bursts_of_a_job_that_seldom_writes_are_usual() {
    // A dozen lines in one step, every 30 to 50 steps: 0.3 a step in the mean, and nothing between.
    let mut random = fastrand::Rng::with_seed(3);
    let mut loud = Vec::new();
    for round in 0..200 {
        let mut counts = vec![0; 120];
        let mut step = random.usize(0..30);
        while step < counts.len() {
            counts[step] = random.u64(8..16);
            step += random.usize(30..50);
        }
        if !judged(&counts, 60, &[]).anomalies.is_empty() {
            loud.push((round, counts));
        }
    }
    // As of other quiet streams, 1 in 200; a lead-in with a single burst knows little.
    assert!(loud.len() <= 1, "{} of 200: {loud:?}", loud.len());
    // What is more than such a burst is told all the same.
    let mut counts = vec![0; 120];
    for step in (0..120).step_by(40) {
        counts[step] = 12;
    }
    counts[90..110].fill(12);
    assert_eq!(told(&counts, 60), vec![(Kind::Spike, 90, 110)]);
}

#[test]
fn what_happens_every_day_is_usual() {
    let nightly: Vec<u64> = (0..120).map(|step| if (80..90).contains(&step) { 200 } else { 20 }).collect();
    assert_eq!(told(&nightly, 60), vec![(Kind::Spike, 80, 90)], "nobody knows it is nightly");
    assert_eq!(judged(&nightly, 60, &[nightly.clone(), nightly.clone()]).anomalies, vec![]);
    let quiet = judged(&[20; 120], 60, &[nightly.clone(), nightly]);
    let found: Vec<(Kind, usize, usize)> =
        quiet.anomalies.iter().map(|one| (one.kind, one.from, one.to)).collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, Kind::Drop, "the nightly job did not run");
    assert!(found[0].1.abs_diff(80) <= 2 && found[0].2.abs_diff(90) <= 2, "{found:?}");
}

#[test]
fn two_incidents_are_two() {
    let mut counts = [20; 120];
    counts[70..75].fill(200);
    counts[100..110].fill(0);
    assert_eq!(told(&counts, 60), vec![(Kind::Spike, 70, 75), (Kind::Silence, 100, 110)]);
}

/// Knuth's Poisson sampler for small means, sums of it for large ones.
fn poisson(random: &mut fastrand::Rng, mean: f64) -> u64 {
    let parts = (mean / 20.0).ceil().max(1.0);
    let limit = (-mean / parts).exp();
    let mut counted = 0;
    for _ in 0..parts as usize {
        let mut product = random.f64();
        while product > limit {
            counted += 1;
            product *= random.f64();
        }
    }
    counted
}

#[test]
fn quiet_streams_stay_quiet() {
    let mut random = fastrand::Rng::with_seed(1);
    let mut loud = Vec::new();
    let means = [0.05, 0.5, 2.0, 10.0, 60.0, 300.0];
    for round in 0..100 {
        for mean in means {
            for bursty in [false, true] {
                let mut draw = || {
                    // A gamma-like mixture of rates: variance about three times the mean, in bursts of one step.
                    let rate = if bursty { mean * (0.4 + 1.2 * random.f64()) } else { mean };
                    poisson(&mut random, rate)
                };
                let counts: Vec<u64> = (0..120).map(|_| draw()).collect();
                let earlier: Vec<Vec<u64>> =
                    (0..round % 3).map(|_| (0..120).map(|_| draw()).collect()).collect();
                if !judged(&counts, 60, &earlier).anomalies.is_empty() {
                    loud.push((mean, bursty, earlier.len()));
                }
            }
        }
    }
    // 6 of 1,200 would be 1 in 200.
    assert!(loud.len() <= 6, "{} of 1,200: {loud:?}", loud.len());
}

#[test]
fn what_is_planted_is_found_where_it_begins() {
    let mut random = fastrand::Rng::with_seed(2);
    let (mut found, mut cases, mut late) = (0, 0, Vec::new());
    for mean in [1.0, 5.0, 30.0, 200.0] {
        for (factor, kind) in [(0.0, Kind::Silence), (0.2, Kind::Drop), (5.0, Kind::Spike)] {
            for start in [75, 90, 100] {
                let counts: Vec<u64> = (0..120)
                    .map(|step| poisson(&mut random, if step >= start { mean * factor } else { mean }))
                    .collect();
                // Fewer than 40 records too many or too few are at the edge of what can be known.
                if (mean * (factor - 1.0) * (120 - start) as f64).abs() < 40.0 {
                    continue;
                }
                cases += 1;
                let all = judged(&counts, 60, &[]);
                let Some(first) = all.anomalies.first() else { continue };
                let same = first.kind == kind || (kind == Kind::Silence && first.kind == Kind::Drop);
                found += usize::from(same);
                late.push(first.from.abs_diff(start));
            }
        }
    }
    late.sort_unstable();
    assert!(found * 20 >= cases * 19, "{found} of {cases}");
    assert!(late[late.len() / 2] <= 1 && late[late.len() * 9 / 10] <= 3, "{late:?}");
}

proptest! {
    #[test]
    fn any_counts_are_judged_without_panic_and_within_the_window(
        counts in proptest::collection::vec(0_u64..1_000_000_000, 0..60),
        window in 0_usize..70,
        earlier in proptest::collection::vec(proptest::collection::vec(0_u64..1_000_000, 0..60), 0..3),
    ) {
        let judged = judged(&counts, window.min(counts.len()), &earlier);
        for found in judged.anomalies {
            prop_assert!(found.from < found.to && found.to <= counts.len() && found.to > window.min(counts.len()));
            prop_assert!(found.score.is_finite() && found.expected.is_finite());
            let within: u64 = counts[found.from..found.to].iter().sum();
            prop_assert_eq!(within, found.count);
        }
    }
}
