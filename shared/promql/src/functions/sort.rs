//! `sort` and `sort_desc`.

use std::cmp::Ordering;

use crate::quantile::ascending;
use crate::track::Track;

/// Orders tracks by their first value, which is the only one where order means anything: at one moment. What is not
/// a number comes last.
pub(crate) fn sort(tracks: &mut [Track], descending: bool) {
    let value = |track: &Track| track.points.first().map_or(f64::NAN, |point| point.value);
    tracks.sort_by(|one, other| {
        let (one, other) = (value(one), value(other));
        if descending {
            ascending(other, one, Ordering::Less)
        } else {
            ascending(one, other, Ordering::Greater)
        }
    });
}
