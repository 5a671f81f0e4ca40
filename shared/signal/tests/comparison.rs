//! Comparing two windows, against `tables/comparison.json`, which numpy and scipy wrote (`tables/make_comparison.py`).
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail loudly")]

use proptest::{collection::vec, prelude::*};
use serde::Deserialize;
use serde_json::Value;
use signal::{MAX_SCORE, Part, attribution, effect, ks};

#[derive(Deserialize)]
struct Tables {
    windows: Vec<WindowsCase>,
    shares: Vec<SharesCase>,
}

#[derive(Deserialize)]
struct WindowsCase {
    name: String,
    before: Vec<Value>,
    after: Vec<Value>,
    expected: Option<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    before: f64,
    after: f64,
    spread: f64,
    size: Option<f64>,
    ks: f64,
}

#[derive(Deserialize)]
struct SharesCase {
    name: String,
    parts: Vec<(f64, f64)>,
    expected: Option<ExpectedShares>,
}

#[derive(Deserialize)]
struct ExpectedShares {
    elements: Vec<usize>,
    explains: f64,
    surprise: f64,
}

fn tables() -> Tables {
    serde_json::from_str(include_str!("tables/comparison.json")).unwrap()
}

fn numbers(values: &[Value]) -> Vec<f64> {
    let number = |value: &Value| match value {
        Value::String(word) => word.parse().unwrap(),
        number => number.as_f64().unwrap(),
    };
    values.iter().map(number).collect()
}

#[track_caller]
fn assert_close(got: f64, expected: f64, what: &str) {
    assert!((got - expected).abs() <= 1e-9 * expected.abs() + 1e-320, "{what}: {got} instead of {expected}");
}

#[test]
fn effect_sizes_and_distances_agree_with_numpy_and_scipy() {
    let cases = tables().windows;
    assert!(cases.len() >= 15, "{} cases", cases.len());
    for WindowsCase { name, before, after, expected } in cases {
        let (before, after) = (numbers(&before), numbers(&after));
        let Some(expected) = expected else {
            assert_eq!((effect(&before, &after), ks(&before, &after)), (None, None), "{name}");
            continue;
        };
        let got = effect(&before, &after).unwrap();
        assert_close(got.before, expected.before, &name);
        assert_close(got.after, expected.after, &name);
        assert_close(got.spread, expected.spread, &name);
        assert_eq!(got.size.is_some(), expected.size.is_some(), "{name}");
        assert_close(got.size.unwrap_or(0.0), expected.size.unwrap_or(0.0), &name);
        assert_close(ks(&before, &after).unwrap(), expected.ks, &name);
    }
}

#[test]
fn explanations_agree_with_scipys_divergence_and_the_papers_figure_2() {
    for SharesCase { name, parts, expected } in tables().shares {
        let parts = parts.into_iter().map(|(expected, actual)| Part { expected, actual }).collect();
        let found = attribution(&[parts]);
        let Some(expected) = expected else {
            assert_eq!(found, [], "{name}");
            continue;
        };
        let found = found.first().unwrap();
        let elements: Vec<usize> = found.culprits.iter().map(|culprit| culprit.element).collect();
        assert_eq!(elements, expected.elements, "{name}");
        assert_close(found.explains, expected.explains, &name);
        assert!((found.surprise - expected.surprise).abs() < 1e-12, "{name}: {}", found.surprise);
    }
}

fn window() -> impl Strategy<Value = Vec<f64>> {
    let wild = prop::sample::select(vec![0.0, -0.0, f64::MAX, f64::MIN, 5e-324, f64::NAN, f64::INFINITY]);
    vec(prop_oneof![6 => -1e3..1e3_f64, 1 => any::<f64>(), 1 => wild], 0..60)
}

proptest! {
    #[test]
    fn swapping_the_windows_turns_the_effect_and_keeps_the_distance(before in window(), after in window()) {
        prop_assert_eq!(ks(&before, &after), ks(&after, &before));
        let (Some(one), Some(other)) = (effect(&before, &after), effect(&after, &before)) else { return Ok(()) };
        prop_assert_eq!(one.size.map(|size| -size), other.size);
        prop_assert!(one.spread.is_finite() && one.size.is_none_or(|size| size.abs() <= MAX_SCORE));
    }

    #[test]
    fn neither_depends_on_the_unit(before in vec(-1e3..1e3_f64, 1..40), after in vec(-1e3..1e3_f64, 1..40), power in -60..60_i32) {
        let scaled = |values: &[f64]| values.iter().map(|value| value * 2f64.powi(power)).collect::<Vec<_>>();
        prop_assert_eq!(ks(&scaled(&before), &scaled(&after)), ks(&before, &after));
        let size = |one: &[f64], other: &[f64]| effect(one, other).and_then(|effect| effect.size);
        prop_assert_eq!(size(&scaled(&before), &scaled(&after)), size(&before, &after));
    }

    #[test]
    fn a_window_has_no_distance_from_itself_and_the_distance_is_a_share(before in window(), after in window()) {
        if let Some(distance) = ks(&before, &after) {
            prop_assert!((0.0..=1.0).contains(&distance));
            prop_assert_eq!(ks(&before, &before), Some(0.0));
        }
    }

    #[test]
    fn an_explanation_is_of_few_elements_that_explain_most(parts in vec((0.0..1e3_f64, 0.0..1e3_f64), 0..30)) {
        let parts: Vec<Part> = parts.into_iter().map(|(expected, actual)| Part { expected, actual }).collect();
        for found in attribution(&[parts.clone(), parts]) {
            // Each explains more than a tenth, and without the last they did not explain enough.
            prop_assert!(found.explains > 0.67 && found.culprits.iter().all(|one| one.explains > 0.1));
            prop_assert!(found.culprits.len() <= 7);
            prop_assert!((0.0..=1.0).contains(&found.surprise));
        }
    }

    #[test]
    fn the_one_element_that_changed_is_the_explanation(level in vec(1.0..100.0_f64, 2..20), at: prop::sample::Index, factor in 1.5..20.0_f64) {
        let culprit = at.index(level.len());
        let part = |(at, expected): (usize, &f64)| Part {
            expected: *expected,
            actual: if at == culprit { expected * factor } else { *expected },
        };
        let found = attribution(&[level.iter().enumerate().map(part).collect()]);
        let elements: Vec<usize> = found.iter().flat_map(|one| &one.culprits).map(|one| one.element).collect();
        prop_assert_eq!(elements, vec![culprit]);
    }
}
