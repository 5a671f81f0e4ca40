//! Pure mathematics for ranking series and showing their shape: robust statistics, departures from a
//! baseline, relevance within one window, onset, digit shapes, summaries, comparison of two windows (effect size,
//! distance of distributions, attribution to label values), trends over weeks.
//!
//! The same conventions hold everywhere:
//! - A series is a slice of samples, oldest first, at equal distances in time. What the samples measure, and
//!   when, is the caller's business; scores have no unit.
//! - **A value that is not finite (NaN, ±Inf) is ignored: it marks a gap.** Indices returned always refer to
//!   the slice that was given, gaps included.
//! - `None` means that there was nothing to compute. No function panics, and no number returned is NaN or
//!   infinite.
//! - Nothing costs more than sorting the samples, but [`slope()`] and [`trend()`], which look at all pairs of them.
//!
//! ```
//! let mut latency = vec![0.061, 0.059, 0.062, 0.060, 0.058].repeat(48);
//! latency[200..].fill(0.31);
//!
//! let moved = signal::relevance(&latency);
//! assert!(moved.score > 50.0);
//! assert_eq!((moved.onset, moved.direction), (Some(200), signal::Direction::Up));
//! assert_eq!(signal::shape(&latency, signal::SHAPE_BUCKETS), "000000000000000000009999");
//! ```

mod attribution;
mod change;
mod correlate;
mod departure;
mod effect;
mod ks;
mod movement;
mod onset;
mod parts;
mod quantile;
mod rates;
mod ratio;
mod relevance;
mod shape;
mod stretch;
mod summary;
mod trend;

pub use attribution::{
    Culprit, ELEMENT_EXPLAINS, Explanation, MOST_EXPLANATIONS, Part, RatioPart, SET_EXPLAINS, attribution,
    ratio_attribution,
};
pub use change::{LOUDEST, SharedChange, USUAL_PART, shared_change, unrest};
pub use correlate::{correlation, together};
pub use departure::{
    CHANGE_FROM_NOTHING, Departure, Direction, MAX_SCORE, MEDIAN_FLOOR, Yardstick, departure,
    departure_at_resolution,
};
pub use effect::{Effect, effect};
pub use ks::ks;
pub use onset::{ONSET_SPREADS, beginning, begun, onset, onset_against};
pub use quantile::{NORMAL_SPREAD_PER_IQR, iqr, mad, median, quantile};
pub use rates::rate_change;
pub use ratio::{SHARE_FLOOR, are_shares, log_odds};
pub use relevance::{LONE_SAMPLE_WEIGHT, Relevance, relevance, relevance_at_resolution};
pub use shape::{SHAPE_BUCKETS, shape};
pub use summary::{Summary, summary};
pub use trend::{Reaches, Slope, Trend, slope, trend};
