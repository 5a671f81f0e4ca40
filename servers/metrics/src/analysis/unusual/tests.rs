//! Series made by hand; expected values by arithmetic that is shown.

mod judging;
mod ranking;
mod reading;

use super::{
    moment::Split,
    reading::{Reading, Tags},
    signals::{PLAIN, Pace, Scale, Signal, What},
};

const GAP: f64 = f64::NAN;

/// Four samples a minute, rates over a minute.
const PACE: Pace = Pace { step: 15.0, span: 4 };

/// 100 moments of noise around `center`, whose quartiles are 0.5 % beside it, with another center from `at` on.
fn stepping(center: f64, at: usize, then: f64) -> Vec<f64> {
    let noise = [0.995, 1.005, 1.0, 1.005, 0.995];
    let around = |place: usize| if place < at { center } else { then };
    (0..100).map(|place| around(place) * noise[place % 5]).collect()
}

fn steady(center: f64) -> Vec<f64> {
    stepping(center, 100, center)
}

/// The start is known to be at moment 60.
fn split() -> Split {
    Split::given(60, 100, 15.0).unwrap()
}

fn tags(pairs: &[(&str, &str)]) -> Tags {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn reading(name: &str, pairs: &[(&str, &str)], values: Vec<f64>) -> Reading {
    Reading { name: name.to_owned(), tags: tags(pairs), values }
}

fn gauge(metric: &str, values: Vec<f64>) -> Signal {
    Signal::new(metric, Tags::new(), What::Value, PLAIN, values)
}
