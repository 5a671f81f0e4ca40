//! Along the chain, line by line.

use std::collections::HashSet;
use std::io::BufRead;

use super::diagnosis;
use super::lines::{Advance, LineReader};
use super::{Flaw, Mark, Noted, Report};
use crate::chain::{Line, Mac, Position, Sealer, ZERO_MAC, chain_start, mac_from_hex};
use crate::key::Key;
use crate::record::{Control, SinkKind};

/// What is known so far.
pub(super) struct Walk {
    sealer: Sealer,
    /// `None` for a mac that no record can have.
    noted: Option<(u64, Option<Mac>)>,
    noted_was_seen: bool,
    /// First macs of chains on a stream: none may come twice.
    beginnings: HashSet<Mac>,
    report: Report,
}

impl Walk {
    pub(super) fn new(key: &Key, noted: Option<&Noted>) -> Self {
        let noted = noted.map(|noted| {
            let digits = noted.mac.trim().to_ascii_lowercase();
            (noted.sequence, mac_from_hex(digits.as_bytes()))
        });
        Self {
            sealer: Sealer::new(key),
            noted,
            noted_was_seen: false,
            beginnings: HashSet::new(),
            report: Report::default(),
        }
    }

    /// The report, unless the noted record has not come by.
    pub(super) fn finish(&mut self) -> Result<Report, Flaw> {
        match self.noted {
            Some((sequence, _)) if !self.noted_was_seen => Err(Flaw::NotedMissing { sequence }),
            Some(_) | None => Ok(std::mem::take(&mut self.report)),
        }
    }

    /// Check one file; `before` is the end of the file it must go on from. Returns its own end.
    pub(super) fn chain(
        &mut self,
        lines: &mut LineReader<impl BufRead>,
        before: Option<Position>,
    ) -> Result<Option<Position>, Flaw> {
        self.report.files += 1;
        let mut end: Option<(Position, SinkKind)> = None;
        let mut last_time = String::new();
        loop {
            match lines.advance().map_err(Flaw::Unreadable)? {
                Advance::Line => {}
                Advance::Torn(bytes) => {
                    self.report.torn_tail_bytes += bytes;
                    break;
                }
                Advance::End => break,
            }
            let Some(line) = Line::parse(lines.line()) else { return Err(Flaw::NotARecord) };
            let fitting = match end {
                None => self.begin(&line, lines.line(), before)?,
                Some((at, sink)) if line.is_next_after(at, &self.sealer) => Some(sink),
                Some((_, SinkKind::Stream)) => self.begin_again(&line, lines.line())?,
                Some((_, SinkKind::Directory)) => None,
            };
            let Some(sink) = fitting else {
                return Err(diagnosis::flaw(lines, end.map(|(at, _)| at), &self.sealer));
            };
            self.count(&line, lines.line());
            line.time.clone_into(&mut last_time);
            end = Some((line.position(), sink));
        }
        let Some((at, _)) = end else { return Ok(None) };
        self.report.last = Some(mark(at, last_time));
        Ok(Some(at))
    }

    /// The first line of a file. `None` if its mac is wrong.
    fn begin(
        &mut self,
        line: &Line<'_>,
        bytes: &[u8],
        before: Option<Position>,
    ) -> Result<Option<SinkKind>, Flaw> {
        let Some(start) = chain_start(bytes) else {
            let is_first = line.sequence == 1;
            return Err(if is_first { Flaw::Modified { sequence: 1 } } else { Flaw::BeginningMissing });
        };
        if !line.follows(&start.base, &self.sealer) {
            return Ok(None);
        }
        match (before, start.previous_file) {
            (None, None) => self.report.segments += 1,
            (None, Some(earlier)) => {
                self.report.segments += 1;
                self.report.earlier_files.push(earlier);
            }
            (Some(before), Some(_)) if line.is_next_after(before, &self.sealer) => {}
            (Some(_), _) => return Err(Flaw::Unlinked),
        }
        self.beginnings.insert(line.mac);
        Ok(Some(start.sink))
    }

    /// A line on a stream that doesn't follow the one before: another process may have begun. `None` if not.
    fn begin_again(&mut self, line: &Line<'_>, bytes: &[u8]) -> Result<Option<SinkKind>, Flaw> {
        let begins = line.is_control
            && chain_start(bytes)
                .is_some_and(|start| start.previous_file.is_none() && start.sink == SinkKind::Stream)
            && line.follows(&ZERO_MAC, &self.sealer);
        if !begins {
            return Ok(None);
        }
        if !self.beginnings.insert(line.mac) {
            return Err(Flaw::Repeated { sequence: line.sequence });
        }
        self.report.segments += 1;
        Ok(Some(SinkKind::Stream))
    }

    /// Take a record that is as it was written into the report.
    fn count(&mut self, line: &Line<'_>, bytes: &[u8]) {
        let at = line.position();
        if self.report.first.is_none() {
            self.report.first = Some(mark(at, line.time.to_owned()));
        }
        self.noted_was_seen |= self.noted == Some((at.sequence, Some(at.mac)));
        if !line.is_control {
            self.report.records += 1;
            return;
        }
        self.report.controls += 1;
        // A later release may know events that this one doesn't; they are in the chain all the same.
        if let Ok(control) = serde_json::from_slice::<Control>(bytes) {
            self.report.dropped_bytes += control.dropped_bytes.unwrap_or(0);
            self.report.lost_records += control.lost_records.unwrap_or(0);
        }
    }
}

fn mark(at: Position, time: String) -> Mark {
    Mark { sequence: at.sequence, time, mac: hex::encode(at.mac) }
}
