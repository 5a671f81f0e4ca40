//! What happened to a line that does not fit. The chain only says *that* something did; the lines around it tell what.

use std::io::BufRead;

use super::Flaw;
use super::lines::{Advance, LineReader};
use crate::chain::{Line, Mac, Position, Sealer};

/// Name what is wrong with the current line of `lines`, which does not follow the record at `at` (`None`: it is the
/// first line). Reads on to find out; the first wrong line has been found, so the rest is of no other use.
pub(super) fn flaw(lines: &mut LineReader<impl BufRead>, at: Option<Position>, sealer: &Sealer) -> Flaw {
    let Some(bad) = Line::parse(lines.line()).map(|line| line.position()) else { return Flaw::NotARecord };
    let bad_line_number = lines.number();
    let flaw = named(lines, bad, at, sealer);
    lines.set_number(bad_line_number);
    flaw
}

fn named(lines: &mut LineReader<impl BufRead>, bad: Position, at: Option<Position>, sealer: &Sealer) -> Flaw {
    let has_next = matches!(lines.advance(), Ok(Advance::Line));
    let next = Line::parse(lines.line()).filter(|_| has_next);
    let next_follows = |mac: &Mac| next.is_some_and(|next| next.follows(mac, sealer));

    let Some(at) = at else {
        let only_this_was_changed = next_follows(&bad.mac);
        return if only_this_was_changed {
            Flaw::Modified { sequence: bad.sequence }
        } else {
            Flaw::WrongKey
        };
    };
    let expected = at.sequence.saturating_add(1);
    let next_has_its_place = next.is_some_and(|next| next.sequence == expected.saturating_add(1));
    if next_has_its_place && next_follows(&bad.mac) {
        return Flaw::Modified { sequence: expected };
    }
    if bad.sequence < expected {
        return Flaw::Repeated { sequence: bad.sequence };
    }
    let fits_without_it = next_follows(&at.mac);
    if bad.sequence == expected {
        return if fits_without_it {
            Flaw::Inserted { sequence: expected }
        } else {
            Flaw::Modified { sequence: expected }
        };
    }
    match line_of(expected, lines) {
        // A record that was moved up is missing further down; one that was made up or copied is not.
        Some(_) if fits_without_it && line_of(bad.sequence, lines).is_some() => {
            Flaw::Inserted { sequence: bad.sequence }
        }
        Some(found_in_line) => Flaw::OutOfOrder { expected, found_in_line },
        None => Flaw::Missing { from: expected, to: bad.sequence - 1 },
    }
}

/// The number of the line, from the current one on, that calls itself by this sequence number.
fn line_of(sequence: u64, lines: &mut LineReader<impl BufRead>) -> Option<u64> {
    loop {
        if Line::parse(lines.line()).is_some_and(|line| line.sequence == sequence) {
            return Some(lines.number());
        }
        if !matches!(lines.advance(), Ok(Advance::Line)) {
            return None;
        }
    }
}
