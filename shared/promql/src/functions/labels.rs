//! `label_replace` and `label_join`: they change labels, not values.

use std::sync::Arc;

use regex::Regex;

use crate::track::Track;

/// Sets the label `target` of each track whose label `source` matches to what the template makes of the match.
pub(crate) fn replace(
    mut tracks: Vec<Track>,
    target: &Arc<str>,
    template: &str,
    source: &str,
    pattern: &Regex,
) -> Vec<Track> {
    for track in &mut tracks {
        let Some(matched) = pattern.captures(track.labels.get(source)) else { continue };
        let mut value = String::new();
        matched.expand(template, &mut value);
        track.labels = track.labels.with(target, &value);
    }
    tracks
}

/// Sets the label `target` of each track to the values of its labels `sources`, separated.
pub(crate) fn join(
    mut tracks: Vec<Track>,
    target: &Arc<str>,
    separator: &str,
    sources: &[String],
) -> Vec<Track> {
    for track in &mut tracks {
        let values: Vec<&str> = sources.iter().map(|source| track.labels.get(source)).collect();
        track.labels = track.labels.with(target, &values.join(separator));
    }
    tracks
}
