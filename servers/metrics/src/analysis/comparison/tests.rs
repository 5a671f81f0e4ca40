//! Expected values by hand, each shown at its test.

use contract::{Context, Untrusted};
use jiff::Timestamp;
use proptest::{collection::vec, prelude::*};

use super::*;

fn text(raw: &str) -> Untrusted {
    Context::for_test(Timestamp::UNIX_EPOCH).intake.text(raw)
}

/// `pod=a route=/x`.
fn labels(pairs: &str) -> Labels {
    let pairs = pairs.split_whitespace().filter_map(|pair| pair.split_once('='));
    Labels::new(pairs.map(|(name, value)| (text(name), text(value))))
}

fn values(numbers: &[f64]) -> Values {
    numbers.iter().copied().map(Some).collect()
}

fn pair(of: &str, before: &[&[f64]], now: &[f64]) -> Pair {
    let before = before.iter().map(|numbers| values(numbers)).collect();
    Pair { measure: "value".to_owned(), labels: labels(of), before, now: values(now) }
}

fn compared(of: &Pair) -> Compared {
    compare(of, 0.0, of.now.len(), 2).unwrap()
}

const STEADY: [f64; 12] = [10.0, 11.0, 9.0, 10.0, 10.5, 9.5, 10.0, 11.0, 9.0, 10.0, 10.5, 9.5];

#[test]
fn levels_are_medians_at_each_position_and_the_spread_is_of_all_windows() {
    // At each position the median of 10 and 20 is 15; pooled, half of the samples are 10 and half 20: range 10.
    let got = compared(&pair("a=1", &[&[10.0; 8], &[20.0; 8]], &[15.0; 8]));
    assert_eq!(got.before.unwrap().median, 15.0);
    assert_eq!((got.change, got.effect, got.steady_before), (Some(0.0), Some(0.0), false));
    // Nothing of the window lies outside what both days were together: half of them below 15, half above.
    assert_eq!(got.ks, Some(0.5));
    assert!(!got.has_moved());
}

#[test]
fn a_step_has_its_onset_its_level_and_a_score_in_spreads_of_the_baseline() {
    let mut now = STEADY;
    now[6..].fill(40.0);
    let got = compared(&pair("a=1", &[&STEADY], &now));
    assert_eq!((got.fate, got.onset, got.level), (Fate::Measured, Some(6), Some(40.0)));
    assert!(!got.came_back);
    // Quartiles of the baseline by definition 7: 9.5 and 10.5; a spread is 0.7413.
    assert!((got.score - 30.0 / 0.7413).abs() < 1e-9, "{}", got.score);
    assert!(got.has_moved());
}

#[test]
fn an_excursion_that_came_back_is_told_by_its_decile() {
    // 4 of the 24 moments after the onset are high: the median is back, the ninth decile is not.
    let baseline: Vec<f64> = STEADY.iter().chain(&STEADY).copied().collect();
    let mut now = baseline.clone();
    now[0..4].fill(90.0);
    let got = compared(&pair("a=1", &[&baseline], &now));
    assert_eq!((got.onset, got.level, got.came_back), (Some(0), Some(90.0), true));
    assert!(got.has_moved() && got.score > 100.0);
}

#[test]
fn appeared_vanished_and_too_little_are_told_apart_and_claim_nothing() {
    let fate = |before: &[Option<f64>], now: &[Option<f64>]| {
        let pair = Pair {
            measure: String::new(),
            labels: labels(""),
            before: vec![before.to_vec()],
            now: now.to_vec(),
        };
        compare(&pair, 0.0, now.len(), 2).map(|one| (one.fate, one.change))
    };
    let (full, none) = (vec![Some(1.0); 10], vec![None; 10]);
    let partly = |from: usize, to: usize| -> Values {
        (0..10).map(|at| (from..to).contains(&at).then_some(1.0)).collect()
    };
    assert_eq!(fate(&none, &partly(3, 10)), Some((Fate::Appeared(3), None)));
    assert_eq!(fate(&full, &none), Some((Fate::Vanished(0), None)));
    // It stopped after 4 of 10: what it was until then can be compared.
    assert_eq!(fate(&full, &partly(0, 4)), Some((Fate::Vanished(4), Some(0.0))));
    // One or two moments without a sample at the end are late, not gone.
    assert_eq!(fate(&full, &partly(0, 8)), Some((Fate::Measured, Some(0.0))));
    assert_eq!(fate(&partly(0, 4), &full), Some((Fate::TooLittle, None)));
    assert_eq!(fate(&full, &partly(6, 10)), Some((Fate::TooLittle, None)));
    assert_eq!(fate(&partly(0, 4), &none), Some((Fate::TooLittle, None)));
    assert_eq!(fate(&none, &none), None);
}

#[test]
fn from_a_steady_baseline_there_is_no_effect_size_and_from_zero_no_share() {
    let got = compared(&pair("a=1", &[&[0.0; 10]], &[5.0; 10]));
    assert_eq!((got.change, got.relative, got.effect, got.steady_before), (Some(5.0), None, None, true));
    assert_eq!(got.onset, Some(0));
    // The window's own spread is no yardstick either.
    let noisy: Vec<f64> = (0..10).map(f64::from).collect();
    assert_eq!(compared(&pair("a=1", &[&[3.0; 10]], &noisy)).effect, None);
    // 1 % of the median is the floor: 0.5 % away is no movement.
    assert!(!compared(&pair("a=1", &[&[100.0; 10]], &[100.5; 10])).has_moved());
}

#[test]
fn one_event_in_a_rates_window_is_no_movement() {
    let mut now = [0.0; 20];
    now[5..9].fill(1.0 / 60.0);
    let pair = pair("a=1", &[&[0.0; 20]], &now);
    assert!(compare(&pair, 0.0, 20, 2).unwrap().has_moved());
    assert!(!compare(&pair, 1.0 / 60.0, 20, 2).unwrap().has_moved());
}

#[test]
fn what_moved_comes_before_a_rollout_and_what_is_unknown_last() {
    let mut now = STEADY;
    now[6..].fill(12.5);
    let mut all = vec![
        compared(&pair("pod=steady", &[&STEADY], &STEADY)),
        compared(&pair("pod=moved", &[&STEADY], &now)),
        compared(&pair("pod=little", &[&[]], &STEADY)),
    ];
    all[2].fate = Fate::TooLittle;
    for pod in ["a", "b", "c", "d", "e"] {
        all.push(compared(&pair(&format!("pod={pod}"), &[&[]], &STEADY)));
    }
    let order: Vec<String> =
        rank(&all).iter().map(|place| all[*place].labels.get("pod").unwrap().inside().to_owned()).collect();
    assert_eq!(order, ["a", "b", "c", "moved", "d", "e", "steady", "little"]);
}

fn blamed(pairs: &[Pair]) -> Vec<(String, Vec<String>)> {
    let all: Vec<&Pair> = pairs.iter().collect();
    let name =
        |one: &blame::Culprit| one.value.as_ref().map_or(String::new(), |value| value.inside().to_owned());
    let told = |one: &Blame| (one.label.inside().to_owned(), one.values.iter().map(name).collect());
    blame(&all, 0).iter().map(told).collect()
}

#[test]
fn the_label_whose_shares_changed_is_to_blame() {
    // Code 500 on both routes went from 1 to 21 each; code 200 stayed at 50.
    let series = |code: &str, route: &str, before: f64, now: f64| {
        pair(&format!("code={code} route={route}"), &[&[before; 4]], &[now; 4])
    };
    let pairs = [
        series("200", "/a", 50.0, 50.0),
        series("200", "/b", 50.0, 50.0),
        series("500", "/a", 1.0, 21.0),
        series("500", "/b", 1.0, 21.0),
    ];
    assert_eq!(blamed(&pairs), [("code".to_owned(), vec!["500".to_owned()])]);
}

#[test]
fn when_all_move_alike_nobody_is_to_blame() {
    let series = |pod: &str| pair(&format!("pod={pod}"), &[&[10.0; 4]], &[20.0; 4]);
    assert_eq!(blamed(&[series("a"), series("b"), series("c")]), []);
}

#[test]
fn a_label_all_of_whose_values_moved_names_nobody_and_makes_room_for_one_that_does() {
    // By half both zones rose, unevenly; by pod it was c alone.
    let series = |of: &str, now: f64| pair(of, &[&[10.0; 4]], &[now; 4]);
    let pairs = [series("pod=a zone=x", 14.0), series("pod=b zone=x", 10.0), series("pod=c zone=y", 50.0)];
    assert_eq!(blamed(&pairs)[0], ("pod".to_owned(), vec!["c".to_owned()]));
    let both = [series("zone=x", 14.0), series("zone=y", 30.0)];
    assert_eq!(blamed(&both).iter().filter(|(_, values)| values.len() > 1).count(), 0);
    // Two that undo each other but for a crumb explain nothing: +20 and −19 of +1.
    assert_eq!(blamed(&[series("pod=a", 30.0), series("pod=b", 1.0), series("pod=c", 0.0)]), []);
}

#[test]
fn what_vanished_is_to_blame_without_being_a_zero() {
    let gone = Pair { now: vec![None; 4], ..pair("pod=a", &[&[10.0; 4]], &[]) };
    let all = [gone, pair("pod=b", &[&[10.0; 4]], &[10.0; 4])];
    let told = blame(&all.iter().collect::<Vec<_>>(), 0);
    assert_eq!((told[0].values[0].before, told[0].values[0].now), (Some(10.0), None));
}

#[test]
fn a_mean_is_moved_by_the_value_whose_own_mean_moved() {
    let series = |of: &str, before: f64, now: f64| pair(of, &[&[before; 4]], &[now; 4]);
    // Both have 100 requests a second; /b takes 40 s of work instead of 10: its mean went from 0.1 to 0.4.
    let sums = [series("route=/a", 10.0, 10.0), series("route=/b", 10.0, 40.0)];
    let counts = [series("route=/a", 100.0, 100.0), series("route=/b", 100.0, 100.0)];
    let told = blame_mean(&sums.iter().collect::<Vec<_>>(), &counts.iter().collect::<Vec<_>>(), 0);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].values[0].value.as_ref().unwrap().inside(), "/b");
    assert_eq!((told[0].values[0].before, told[0].values[0].now), (Some(0.1), Some(0.4)));
}

#[test]
fn each_value_of_a_window_is_set_against_the_median_of_the_others() {
    let key = |of: &str| ("value".to_owned(), labels(of));
    let now = BTreeMap::from([
        (key("v=1"), values(&[1.0, 1.0])),
        (key("v=2"), values(&[3.0, 3.0])),
        (key("v=3"), values(&[10.0, 20.0])),
    ]);
    let pairs = against_others(now);
    assert_eq!(pairs[2].before, [values(&[2.0, 2.0])]);
    assert_eq!(pairs[0].before, [values(&[6.5, 11.5])]);
}

/// Before and now.
type Windows = (Vec<f64>, Vec<f64>);

fn numbers(len: usize) -> impl Strategy<Value = Vec<f64>> {
    vec(prop_oneof![8 => 0.0..1e3_f64, 1 => Just(0.0), 1 => Just(f64::NAN)], len)
}

proptest! {
    #[test]
    fn the_order_of_series_changes_no_rank(
        series in vec((numbers(12), numbers(12)), 1..8).prop_flat_map(|all| {
            let named: Vec<(usize, Windows)> = all.into_iter().enumerate().collect();
            (Just(named.clone()), Just(named).prop_shuffle())
        })
    ) {
        let ranked = |all: &[(usize, Windows)]| -> Vec<String> {
            let all: Vec<Compared> = all
                .iter()
                .filter_map(|(name, (before, now))| compare(&pair(&format!("s={name}"), &[before], now), 0.0, 12, 2))
                .collect();
            rank(&all).iter().map(|place| all[*place].labels.text()).collect()
        };
        prop_assert_eq!(ranked(&series.0), ranked(&series.1));
    }

    #[test]
    fn scaling_every_value_changes_no_judgement(before in numbers(24), now in numbers(24), power in -40..40_i32) {
        let unit = 2f64.powi(power);
        let in_unit = |values: &[f64]| values.iter().map(|value| value * unit).collect::<Vec<_>>();
        let (plain, scaled) =
            (compared(&pair("a=1", &[&before], &now)), compared(&pair("a=1", &[&in_unit(&before)], &in_unit(&now))));
        prop_assert_eq!((plain.fate, plain.onset, plain.score, plain.ks), (scaled.fate, scaled.onset, scaled.score, scaled.ks));
        prop_assert_eq!((plain.effect, plain.relative), (scaled.effect, scaled.relative));
    }

    #[test]
    fn no_number_is_made_up(before in numbers(12), now in numbers(12)) {
        let got = compared(&pair("a=1", &[&before], &now));
        for number in [got.change, got.relative, got.effect, got.ks, got.level, Some(got.score)].into_iter().flatten() {
            prop_assert!(number.is_finite(), "{:?}", got);
        }
        if got.fate == Fate::TooLittle {
            prop_assert_eq!((got.change, got.effect, got.onset), (None, None, None));
        }
    }
}
