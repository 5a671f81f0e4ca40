//! The nine languages. A reader is asked at each line whether a trace of its language shows itself there; it looks back for the
//! header no further than [`REACH`](crate::lines::REACH) lines, and reads on to the end of the trace.

mod dotnet;
mod go;
mod java;
mod javascript;
mod native;
mod php;
mod python;
mod ruby;
mod rust;

use crate::extract::Place;
use crate::lines::{Line, REACH, begins_record};
use crate::names::find_type;
use crate::parts::Found;

/// Reads the trace that shows itself at this line.
pub(crate) type Reader = fn(&Place<'_, '_>, Line<'_>) -> Option<Found>;

/// In the order in which they are asked: formats that are told apart by little come after those that say much.
pub(crate) const READERS: [Reader; 9] = [
    java::read,
    javascript::read,
    dotnet::read,
    python::read,
    rust::read,
    go::read,
    ruby::read,
    php::read,
    native::read,
];

/// Looks back from the first frame for the line that names the exception, and where in it the type begins. A header that
/// `continues` another (`Caused by:`) leads further back to that one.
fn header_before(
    place: &Place<'_, '_>,
    continues: impl Fn(&Place<'_, '_>, usize, &str) -> bool,
) -> Option<(usize, usize)> {
    let mut found = None;
    let (mut at, mut last) = (place.at, place.at.saturating_sub(REACH).max(place.floor));
    while at > last {
        at -= 1;
        let text = place.lines.get(at)?.text;
        let header = find_type(text);
        if let Some(offset) = header {
            found = Some((at, offset));
        }
        if continues(place, at, text) {
            last = at.saturating_sub(REACH).max(place.floor);
        } else if header.is_some() || begins_record(text) {
            break;
        }
    }
    found
}
