use contract::{Context, TimeRange};
use proptest::prelude::*;

use super::*;

const GAP: Option<f64> = None;

fn track(name: &str, values: Vec<Option<f64>>) -> Track {
    let cx = Context::for_test(Timestamp::UNIX_EPOCH);
    let labels = Labels::new([(cx.intake.text("name"), cx.intake.text(name))]);
    let at = (0..values.len() as i64).map(|place| place * 60_000).collect();
    Track { labels, at, values, is_p95: false }
}

/// A level of 10 with a little noise, and something else at some places.
fn noisy(change: impl Fn(usize, f64) -> Option<f64>) -> Vec<Option<f64>> {
    (0..120).map(|place| change(place, [9.0, 11.0, 10.0, 11.0, 9.0][place % 5])).collect()
}

fn ranked(tracks: &[Track]) -> Vec<String> {
    let within = covered(tracks);
    let judged: Vec<Judged> = tracks.iter().map(|track| judge(track, &within, Some(60_000))).collect();
    rank(tracks, &judged).into_iter().map(|place| tracks[place].labels.text()).collect()
}

fn told(values: Vec<Option<f64>>) -> String {
    let track = track("x", values);
    story(&track, &judge(&track, &(0..120), Some(60_000))).text(&contract::significant)
}

#[test]
fn each_kind_of_change_is_told_in_its_own_words() {
    // The level is 10 before, 40 (10 + 30) after; place 60 is 60 minutes after 1970.
    assert_eq!(
        told(noisy(|at, v| Some(if at < 60 { v } else { v + 30.0 }))),
        "median 10 before → median 40 since 1970-01-01T01:00:00Z"
    );
    assert_eq!(
        told(noisy(|at, v| Some(if at == 60 { 90.0 } else { v }))),
        "median 10 before → 90 at 1970-01-01T01:00:00Z"
    );
    assert_eq!(
        told(noisy(|at, v| (at < 60).then_some(v))),
        "median 10, then no sample since 1970-01-01T01:00:00Z"
    );
    assert_eq!(
        told(noisy(|at, v| (at >= 60).then_some(v))),
        "first sample 1970-01-01T01:00:00Z, then median 10"
    );
    assert_eq!(told(noisy(|_, v| Some(v))), "steady");
    assert_eq!(
        told(noisy(|at, v| Some(if at < 20 { v + 40.0 } else { v }))),
        "median 50 before → median 10 since 1970-01-01T00:20:00Z"
    );
    assert_eq!(
        told(noisy(|at, v| Some(if at == 0 { 90.0 } else { v }))),
        "between 9 at 1970-01-01T00:04:00Z and 90 at 1970-01-01T00:00:00Z"
    );
}

#[test]
fn what_ramps_up_began_with_the_ramp_and_not_in_its_middle() {
    // From minute 60 on 4 more a minute, up to 40 more: the first that is more than a step (1.4826) away is minute 60's.
    let ramp = |at: usize, v: f64| Some(v + 4.0 * (at as f64 - 59.0).clamp(0.0, 10.0));
    for sign in [1.0, -1.0] {
        let values = noisy(|at, v| ramp(at, v).map(|value| sign * value));
        let judged = judge(&track("x", values), &(0..120), Some(60_000));
        assert_eq!(judged.moved.onset, Some(60), "{sign}");
    }
}

#[test]
fn samples_that_stop_early_are_an_end_and_a_late_one_is_not() {
    let ended = |missing: usize| {
        let mut values = noisy(|_, v| Some(v));
        values.truncate(120 - missing);
        values.resize(120, GAP);
        judge(&track("x", values), &(0..120), Some(60_000)).has_ended
    };
    // The last moment is minute 119: minute 114 is five minutes before it, minute 113 is more.
    assert_eq!([ended(0), ended(5), ended(6)], [false, false, true]);
    let slow = judge(&track("x", vec![Some(1.0), Some(1.0), GAP, GAP]), &(0..4), Some(600_000)).has_ended;
    assert!(!slow, "two steps of ten minutes");
}

#[test]
fn a_sample_that_is_not_a_number_is_a_sample_but_no_statistic() {
    let values = vec![Some(1.0), GAP, Some(f64::NAN), Some(3.0), Some(f64::INFINITY)];
    let judged = judge(&track("x", values), &(0..5), None);
    assert_eq!((judged.present, judged.not_finite), (4, 2));
    assert_eq!(judged.summary.map(|all| (all.count, all.min, all.max)), Some((2, 1.0, 3.0)));
    assert_eq!(judged.last, Some((4, f64::INFINITY)));
}

#[test]
fn points_are_laid_on_the_grid_and_gaps_stay_gaps() {
    let start: Timestamp = "2026-01-14T14:00:00Z".parse().unwrap();
    let end: Timestamp = "2026-01-14T14:04:00Z".parse().unwrap();
    let grid = Grid::lay(TimeRange::new(start, end).unwrap(), 60);
    let point = |minute: i64, value| Point { at: start.as_millisecond() + minute * 60_000, value };
    let series = Series { points: vec![point(1, 5.0), point(3, 7.0)], ..Series::default() };
    let tracks = tracks(vec![series], Some(grid));
    assert_eq!(tracks[0].values, [GAP, Some(5.0), GAP, Some(7.0)]);
    assert_eq!(tracks[0].moment(3).unwrap().to_string(), "2026-01-14T14:03:00Z");
}

#[test]
fn what_moved_most_comes_first_and_among_equals_what_moved_first() {
    let step = |from: usize, by: f64| noisy(move |at, v| Some(if at < from { v } else { v + by }));
    let tracks = [
        track("late", step(80, 30.0)),
        track("b still", noisy(|_, _| Some(1.0))),
        track("early", step(40, 30.0)),
        track("a still", noisy(|_, _| Some(1.0))),
        track("more", step(60, 300.0)),
    ];
    assert_eq!(
        ranked(&tracks),
        ["{name=more}", "{name=early}", "{name=late}", "{name=«a still»}", "{name=«b still»}"]
    );
}

#[test]
fn what_no_series_has_samples_for_is_no_movement_of_one() {
    let late = |from: usize, to: usize| {
        noisy(move |at, v| (at >= 30).then_some(if (from..to).contains(&at) { v + 30.0 } else { v }))
    };
    let both = [track("still", late(0, 0)), track("moved", late(70, 120))];
    let within = covered(&both);
    assert_eq!(within, 30..120);
    assert_eq!(ranked(&both), ["{name=moved}", "{name=still}"]);
    let judged = judge(&both[1], &within, Some(60_000));
    assert_eq!((judged.moved.onset, judged.moved.direction), (Some(70), Direction::Up));
    assert_eq!(judge(&both[0], &within, Some(60_000)).moved.onset, None);
    // Alone, that it appeared is what there is to tell.
    let alone = &both[..1];
    assert_eq!(judge(&alone[0], &covered(alone), Some(60_000)).moved.direction, Direction::Appeared);
}

#[test]
fn a_rollout_does_not_hide_what_moved() {
    let mut tracks: Vec<Track> =
        (0..9).map(|pod| track(&format!("new{pod}"), noisy(|at, v| (at >= 60).then_some(v)))).collect();
    tracks.push(track("slow", noisy(|at, v| Some(if at < 60 { v } else { v + 30.0 }))));
    tracks.push(track("still", noisy(|_, v| Some(v))));
    let names = ranked(&tracks);
    assert_eq!(names[..4], ["{name=new0}", "{name=new1}", "{name=new2}", "{name=slow}"]);
    assert_eq!(
        (names[4].as_str(), names[9].as_str(), names[10].as_str()),
        ("{name=new3}", "{name=new8}", "{name=still}")
    );
}

#[test]
fn what_rises_steadily_did_not_move_but_is_told_before_the_rest() {
    let rising: Vec<Option<f64>> = noisy(|at, v| Some(100.0 + at as f64 / 2.0 + v / 10.0));
    let judged = judge(&track("x", rising.clone()), &(0..120), Some(60_000));
    assert_eq!(judged.moved.onset, None, "its halves lie apart, but it did not begin anywhere");
    // Eighths of 15 samples: the middle of the first is at 7, of the last at 112, each with a median noise of about 1.
    let (first, last) = judged.trend.unwrap();
    assert!((first - 104.5).abs() < 0.5 && (last - 157.0).abs() < 0.5, "{first} {last}");
    let still = noisy(|_, v| Some(v));
    assert_eq!(judge(&track("x", still.clone()), &(0..120), Some(60_000)).trend, None);
    // Rising within each level too, but most of it is one step.
    let step = noisy(|at, _| Some(at as f64 / 100.0 + if at < 60 { 10.0 } else { 40.0 }));
    let judged = judge(&track("x", step), &(0..120), Some(60_000));
    assert_eq!((judged.trend, judged.moved.onset), (None, Some(60)));
    let small = noisy(|at, _| Some(100.0 + at as f64 / 100.0));
    assert_eq!(judge(&track("x", small), &(0..120), Some(60_000)).trend, None, "1 %");
    let tracks = [track("a still", still), track("b rising", rising)];
    assert_eq!(ranked(&tracks)[0], "{name=«b rising»}");
}

#[test]
fn a_slope_is_seen_in_few_samples_and_through_noise_that_turns_it_back() {
    let judged = |values: &[f64]| {
        let values: Vec<Option<f64>> = values.iter().copied().map(Some).collect();
        let within = 0..values.len();
        judge(&track("x", values), &within, Some(60_000))
    };
    // 13 samples, as an hour every five minutes gives: levels of eighths with one or two samples.
    let few: Vec<f64> = (0..13).map(|at| 78.0 + f64::from(at) * 15.0).collect();
    assert_eq!((judged(&few).trend, judged(&few).moved.onset), (Some((78.0, 250.5)), None));
    // Medians of eighths: the fourth is below the third.
    let levels = [80.0, 105.0, 130.0, 125.0, 180.0, 205.0, 230.0, 255.0];
    let turned: Vec<f64> =
        levels.iter().flat_map(|level| [-2.0, 0.0, 2.0].map(|noise| level + noise)).collect();
    assert_eq!((judged(&turned).trend, judged(&turned).moved.onset), (Some((80.0, 255.0)), None));
    // Two steps are no slope, and neither is a slope that is small against the noise.
    let levels = [10.0, 10.1, 9.9, 25.0, 25.1, 24.9, 40.0, 40.1];
    let stairs: Vec<f64> =
        levels.iter().flat_map(|level| [-1.0, 0.0, 1.0].map(|noise| level + noise)).collect();
    assert_eq!(judged(&stairs).trend, None);
    let levels = [80.0, 105.0, 130.0, 125.0, 180.0, 205.0, 230.0, 255.0];
    let noisy: Vec<f64> =
        levels.iter().flat_map(|level| [-99.0, 0.0, 99.0].map(|noise| level + noise)).collect();
    assert_eq!(judged(&noisy).trend, None);
}

#[test]
fn a_sample_that_is_not_a_number_is_no_end() {
    let nan = |from: usize, until: usize| {
        noisy(move |at, v| (at < until).then_some(if at < from { v } else { f64::NAN }))
    };
    let judged = |values| judge(&track("x", values), &(0..120), Some(60_000));
    assert_eq!(judged(nan(60, 120)).moved.onset, None);
    // Not a number from 60 on, gone from 90 on.
    let gone = judged(nan(60, 90));
    assert_eq!((gone.moved.direction, gone.moved.onset), (Direction::Vanished, Some(90)));
    assert!(gone.has_ended);
}

proptest! {
    #[test]
    fn the_ranking_does_not_depend_on_how_the_series_came(
        all in prop::collection::vec(prop::collection::vec(prop::option::of(-4.0..4.0), 8), 1..8), turn in 0_usize..8
    ) {
        let names = |turn: usize| {
            let mut tracks: Vec<Track> =
                all.iter().enumerate().map(|(place, values)| track(&place.to_string(), values.clone())).collect();
            let length = tracks.len();
            tracks.rotate_left(turn % length);
            ranked(&tracks)
        };
        prop_assert_eq!(names(0), names(turn));
    }
}
