//! Between the calls, which seal lines, and the one thread that writes them.
//!
//! Everything under the lock is memory: a call appends its line to the chain and goes. Only who needs its line on disk
//! draws a ticket and waits until the thread has served it.

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::chain::{FRAME_BYTES, Mac, Position, Sealer, ZERO_MAC, body_of};
use crate::directory::archive_name;
use crate::error::AuditError;
use crate::output::{Chunk, Output};
use crate::record::{Control, Effect, Event, SinkKind, VERSION};
use crate::sink::{Clock, OnFailure};

/// Half of the second that is promised; the other half is for the disk.
const FLUSH_EVERY: Duration = Duration::from_millis(500);
/// So much is written at once instead of waiting for company.
const FULL_BATCH_BYTES: usize = 1024 * 1024;
/// With more than this unwritten, the sink is as good as failing.
pub(crate) const BACKLOG_BYTES: usize = 8 * 1024 * 1024;
/// A sink that takes longer than this is as good as failing.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a log needs to know that never changes.
pub(crate) struct Terms {
    pub(crate) server: String,
    pub(crate) sealer: Sealer,
    pub(crate) on_failure: OnFailure,
    pub(crate) sink: SinkKind,
    pub(crate) clock: Clock,
}

/// The file that lines are sealed for. The thread may still be writing to the one before.
pub(crate) struct Span {
    pub(crate) stem: String,
    pub(crate) max_bytes: u64,
    pub(crate) first_sequence: u64,
    pub(crate) bytes: u64,
    pub(crate) lines: u64,
}

/// The fields of a control record that differ.
#[derive(Default)]
pub(crate) struct Details {
    pub(crate) previous: Option<(String, Mac)>,
    pub(crate) dropped_bytes: Option<u64>,
    pub(crate) lost_records: Option<u64>,
}

/// A chain, and the way out for its lines.
pub(crate) struct Queue {
    terms: Terms,
    state: Mutex<State>,
    /// There is something for the thread.
    work: Condvar,
    /// The thread has done something.
    done: Condvar,
}

struct State {
    at: Position,
    span: Option<Span>,
    pending: VecDeque<Chunk>,
    pending_bytes: usize,
    /// Taken by the thread, not yet by the sink.
    waiting_bytes: usize,
    lost: u64,
    failing: Option<String>,
    tickets_drawn: u64,
    tickets_served: u64,
    probe: bool,
    is_stopped: bool,
    is_leaving: bool,
    has_left: bool,
}

struct Job {
    chunks: VecDeque<Chunk>,
    ticket: u64,
    probe: bool,
    is_last: bool,
}

impl Queue {
    pub(crate) fn new(terms: Terms, at: Option<Position>, span: Option<Span>) -> Self {
        let state = State {
            at: at.unwrap_or(Position { sequence: 0, mac: ZERO_MAC }),
            span,
            pending: VecDeque::new(),
            pending_bytes: 0,
            waiting_bytes: 0,
            lost: 0,
            failing: None,
            tickets_drawn: 0,
            tickets_served: 0,
            probe: false,
            is_stopped: false,
            is_leaving: false,
            has_left: false,
        };
        Self { terms, state: Mutex::new(state), work: Condvar::new(), done: Condvar::new() }
    }

    pub(crate) fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Whether a call may begin.
    pub(crate) fn admit(&self, effect: Effect) -> Result<(), AuditError> {
        {
            let state = self.lock();
            if state.is_stopped {
                return Err(AuditError::Stopped);
            }
            if effect == Effect::Read {
                return match (self.terms.on_failure, state.trouble()) {
                    (OnFailure::Refuse, Some(cause)) => Err(AuditError::Sink { cause }),
                    (OnFailure::Refuse | OnFailure::Warn, _) => Ok(()),
                };
            }
        }
        self.settle(true)
    }

    /// Give a record, serialised by [`body_of`], its place in the chain. That of a write is on disk on return.
    pub(crate) fn record(&self, body: &[u8], effect: Effect) -> Result<(), AuditError> {
        {
            let mut state = self.lock();
            let is_full = state.backlog() > BACKLOG_BYTES;
            // Where reads are refused there are only so many calls under way, and their records are all kept.
            if is_full && self.terms.on_failure == OnFailure::Warn && effect == Effect::Read {
                state.lost += 1;
                return Err(AuditError::Lost { lost: state.lost });
            }
            if !is_full {
                self.own_up(&mut state);
            }
            self.rotate_if_due(&mut state, body.len());
            self.append(&mut state, body);
        }
        if effect == Effect::Write { self.settle(false) } else { Ok(()) }
    }

    /// Write a control record. Nothing waits for it.
    pub(crate) fn control(&self, event: Event, details: Details) {
        let mut state = self.lock();
        self.append_control(&mut state, event, details);
    }

    /// Start the next file even if this one isn't full: finishes a rotation that was interrupted.
    pub(crate) fn rotate_now(&self) {
        let mut state = self.lock();
        self.rotate(&mut state);
    }

    /// Wait until everything so far is durable; with `probe`, also until it is known that there is room for more.
    pub(crate) fn settle(&self, probe: bool) -> Result<(), AuditError> {
        let mut state = self.lock();
        state.tickets_drawn += 1;
        state.probe |= probe;
        let ticket = state.tickets_drawn;
        self.work.notify_one();
        let (mut state, _) = self
            .done
            .wait_timeout_while(state, PATIENCE, |state| state.tickets_served < ticket)
            .unwrap_or_else(PoisonError::into_inner);
        if state.tickets_served < ticket && state.failing.is_none() {
            let cause = format!("nothing was written for {} s", PATIENCE.as_secs());
            tracing::error!(server = self.terms.server, cause, "failed to write audit records");
            state.failing = Some(cause);
        }
        match state.trouble() {
            Some(cause) => Err(AuditError::Sink { cause }),
            None => Ok(()),
        }
    }

    /// Let no further call begin, and say so in the log.
    pub(crate) fn stop(&self) {
        let mut state = self.lock();
        if !mem::replace(&mut state.is_stopped, true) {
            self.own_up(&mut state);
            self.append_control(&mut state, Event::Stopped, Details::default());
        }
    }

    /// Let the thread write the rest, give up the file, and end. Returns the bytes that could not be written.
    pub(crate) fn leave(&self) -> usize {
        let mut state = self.lock();
        state.is_leaving = true;
        self.work.notify_one();
        let (state, _) = self
            .done
            .wait_timeout_while(state, PATIENCE, |state| !state.has_left)
            .unwrap_or_else(PoisonError::into_inner);
        state.backlog()
    }

    /// What the thread does.
    pub(crate) fn serve(&self, mut output: Output) {
        loop {
            let job = self.next_job();
            output.add(job.chunks);
            let result = output.settle(job.probe);
            self.finished(job.ticket, result, output.waiting_bytes());
            if job.is_last {
                break;
            }
        }
        // The file's lock goes before anybody is told, so that a restart finds it free.
        drop(output);
        self.lock().has_left = true;
        self.done.notify_all();
    }

    fn next_job(&self) -> Job {
        let has_nothing =
            |state: &mut State| !state.is_urgent() && state.pending.is_empty() && state.failing.is_none();
        let state = self.work.wait_while(self.lock(), has_nothing).unwrap_or_else(PoisonError::into_inner);
        let (mut state, _) = self
            .work
            .wait_timeout_while(state, FLUSH_EVERY, |state| !state.is_urgent())
            .unwrap_or_else(PoisonError::into_inner);
        state.waiting_bytes += mem::take(&mut state.pending_bytes);
        Job {
            chunks: mem::take(&mut state.pending),
            ticket: state.tickets_drawn,
            probe: mem::take(&mut state.probe),
            is_last: state.is_leaving,
        }
    }

    fn finished(&self, ticket: u64, result: io::Result<()>, waiting_bytes: usize) {
        let server = &self.terms.server;
        let failing = result.err().map(|error| error.to_string());
        let was_failing = {
            let mut state = self.lock();
            state.waiting_bytes = waiting_bytes;
            state.tickets_served = ticket;
            mem::replace(&mut state.failing, failing.clone()).is_some()
        };
        self.done.notify_all();
        match failing {
            Some(cause) if !was_failing => tracing::error!(server, cause, "failed to write audit records"),
            None if was_failing => tracing::warn!(server, "audit records are written again"),
            Some(_) | None => {}
        }
    }

    /// Say how many records were lost, if any were.
    fn own_up(&self, state: &mut State) {
        if state.lost > 0 {
            let lost_records = Some(mem::take(&mut state.lost));
            self.append_control(state, Event::Recovered, Details { lost_records, ..Details::default() });
        }
    }

    fn rotate_if_due(&self, state: &mut State, body_bytes: usize) {
        let line_bytes = (FRAME_BYTES + body_bytes) as u64;
        // Not before a file has something besides the record it begins with, however small its maximum.
        let is_due = |span: &Span| span.lines > 1 && span.bytes + line_bytes > span.max_bytes;
        if state.span.as_ref().is_some_and(is_due) {
            self.rotate(state);
        }
    }

    fn rotate(&self, state: &mut State) {
        let mac = state.at.mac;
        let Some(span) = &mut state.span else { return };
        let archive = archive_name(&span.stem, span.first_sequence);
        span.bytes = 0;
        span.lines = 0;
        state.pending.push_back(Chunk::Rotate { archive: archive.clone() });
        let previous = Some((archive, mac));
        self.append_control(state, Event::Rotated, Details { previous, ..Details::default() });
    }

    fn append_control(&self, state: &mut State, event: Event, details: Details) {
        let (previous_file, previous_mac) = details.previous.unzip();
        let control = Control {
            version: VERSION,
            sequence: 0,
            time: (self.terms.clock)(),
            event,
            server: self.terms.server.clone(),
            sink: self.terms.sink,
            previous_file,
            previous_mac: previous_mac.map(hex::encode),
            dropped_bytes: details.dropped_bytes,
            lost_records: details.lost_records,
            mac: String::new(),
        };
        // A control record consists of strings and numbers, and those always serialise.
        if let Some(body) = body_of(&control) {
            self.append(state, &body);
        }
    }

    fn append(&self, state: &mut State, body: &[u8]) {
        let sequence = state.at.sequence + 1;
        let previous = state.at.mac;
        if !matches!(state.pending.back(), Some(Chunk::Lines(_))) {
            state.pending.push_back(Chunk::Lines(Vec::new()));
        }
        let Some(Chunk::Lines(lines)) = state.pending.back_mut() else { return };
        let before = lines.len();
        let mac = self.terms.sealer.seal(lines, &previous, sequence, body);
        let added = lines.len() - before;

        state.at = Position { sequence, mac };
        if let Some(span) = &mut state.span {
            if span.lines == 0 {
                span.first_sequence = sequence;
            }
            span.lines += 1;
            span.bytes += added as u64;
        }
        let was_idle = state.pending_bytes == 0;
        state.pending_bytes += added;
        if was_idle || state.is_urgent() {
            self.work.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic under the lock is not possible short of running out of memory, and the log must go on.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_urgent(&self) -> bool {
        self.tickets_drawn > self.tickets_served || self.is_leaving || self.pending_bytes >= FULL_BATCH_BYTES
    }

    fn backlog(&self) -> usize {
        self.pending_bytes + self.waiting_bytes
    }

    /// Why the sink must be taken for broken.
    fn trouble(&self) -> Option<String> {
        let is_full = self.backlog() > BACKLOG_BYTES;
        self.failing
            .clone()
            .or_else(|| is_full.then(|| format!("{} bytes wait to be written", self.backlog())))
    }
}

/// Start the thread. It ends after [`Queue::leave`].
pub(crate) fn start(queue: &Arc<Queue>, output: Output) -> Result<(), AuditError> {
    let serving = Arc::clone(queue);
    std::thread::Builder::new()
        .name("audit".to_owned())
        .spawn(move || serving.serve(output))
        .map(drop)
        .map_err(AuditError::Thread)
}
