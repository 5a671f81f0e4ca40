//! Which series of a result matter most, and how each is summed up in one row.

mod grid;
mod hoist;
mod instant;
mod tracks;

pub(crate) use grid::{Grid, MOST_POINTS, automatic_step, moment, smallest_step};
pub(crate) use hoist::{common, rest};
pub(crate) use instant::{Order, few_values, order};
pub(crate) use tracks::{Judged, Track, covered, judge, rank, story, tracks};
