//! `absent` and `absent_over_time`.

use crate::eval::Grid;
use crate::labels::Labels;
use crate::track::{Point, Track};

/// 1 at each step where no track has a value.
pub(crate) fn absent(tracks: &[Track], labels: &Labels, grid: Grid) -> Vec<Track> {
    let mut present = vec![false; grid.count as usize];
    for point in tracks.iter().flat_map(|track| &track.points) {
        if let Some(present) = present.get_mut(point.step as usize) {
            *present = true;
        }
    }
    let missing = grid.steps().zip(present).filter(|(_, present)| !present);
    let points: Vec<Point> = missing.map(|(step, _)| Point { step, value: 1.0 }).collect();
    if points.is_empty() { Vec::new() } else { vec![Track { labels: labels.clone(), points }] }
}
