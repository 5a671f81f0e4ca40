//! C and C++: gdb, the sanitizers of LLVM and GCC, `backtrace_symbols` of glibc, `std::terminate`, systemd's core dumps.

use crate::extract::Place;
use crate::lines::{Line, REACH, begins_record};
use crate::model::{Exception, Language, Relation};
use crate::parts::{Found, Parts};

mod frames;

use frames::{frame, raw};

/// The longest report between a sanitizer's summary and its last line.
const SHADOW: usize = 60;

pub(crate) fn read(place: &Place<'_, '_>, line: Line<'_>) -> Option<Found> {
    if let Some((offset, exception)) = sanitizer(line.text) {
        return report(place, line.start + offset, exception);
    }
    if let Some((offset, exception)) = terminated(line.text) {
        return terminate(place, line, offset, exception);
    }
    if raw(line.text).is_some() {
        return glibc(place, line);
    }
    frame(line.body())?;
    debugger(place, line)
}

/// `==20972==ERROR: AddressSanitizer: heap-use-after-free on address …`, `a.c:38:27: runtime error: signed integer overflow: …`.
fn sanitizer(text: &str) -> Option<(usize, Exception)> {
    let named =
        [("ERROR: ", "Sanitizer: "), ("WARNING: ", "Sanitizer: ")].iter().find_map(|(label, tool)| {
            let (_, rest) = text.split_once(label)?;
            let (_, finding) =
                rest.split_once(tool).filter(|(name, _)| name.bytes().all(|b| b.is_ascii_alphabetic()))?;
            Some(finding)
        });
    if let Some(finding) = named {
        let end =
            [" on ", " (", ": "].iter().filter_map(|end| finding.find(end)).min().unwrap_or(finding.len());
        let (name, message) = finding.split_at_checked(end)?;
        return Some((
            0,
            Exception::new(Some(name), message.trim_start_matches(':').trim_start(), Relation::Reported),
        ));
    }
    let (source, message) = text.split_once(": runtime error: ")?;
    crate::lines::location(source).filter(|(file, _)| !file.contains(' '))?;
    let name = message.split_once(": ").map_or("runtime error", |(name, _)| name);
    let detail = message.strip_prefix(name).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(message);
    Some((0, Exception::new(Some(name), detail, Relation::Reported)))
}

/// The report of a sanitizer: the failing stack, then stacks under headings such as `freed by thread T0 here:`.
fn report(place: &Place<'_, '_>, start: usize, exception: Exception) -> Option<Found> {
    let mut parts = Parts::default();
    let undefined = place.lines.get(place.at)?.text.contains(": runtime error: ");
    parts.open(exception, false);
    let (mut at, mut stacks, mut quiet, mut last) = (place.at + 1, 0_usize, 0_usize, place.at);
    while let Some(line) = place.lines.get(at).filter(|_| quiet < REACH) {
        let text = line.text;
        if let Some(frame) = frame(line.body()) {
            stacks += usize::from(quiet > 0 || last == place.at);
            if undefined && stacks > 1 {
                break;
            }
            parts.push(frame);
            (quiet, last) = (0, at);
        } else if text.starts_with("SUMMARY: ") {
            last = after_summary(place, at);
            break;
        } else if undefined || sanitizer(text).is_some() || begins_record(text) {
            break;
        } else {
            if stacks > 0 && (text.ends_with(" here:") || text.ends_with(" from:") || text.ends_with(" at:"))
            {
                parts.open(Exception::new(None, text.trim_end_matches(':').trim(), Relation::Stack), true);
            }
            quiet += 1;
        }
        at += 1;
    }
    parts.found(Language::Native, start, last + 1)
}

/// Below the summary there may be a map of the memory, and the word that the process ended.
fn after_summary(place: &Place<'_, '_>, summary: usize) -> usize {
    let aborting = |line: Line<'_>| line.text.ends_with("==ABORTING");
    let other = |line: Line<'_>| begins_record(line.text) || sanitizer(line.text).is_some();
    place.lines.find(summary + 1, SHADOW, aborting, other).unwrap_or(summary)
}

/// `terminate called after throwing an instance of 'std::runtime_error'`.
fn terminated(text: &str) -> Option<(usize, Exception)> {
    let offset = text.find("terminate called after throwing an instance of '")?;
    let (_, name) = text.get(offset..)?.split_once('\'')?;
    Some((offset, Exception::new(name.strip_suffix('\''), "", Relation::Reported)))
}

/// The message in the next line, and a stack if a debugger or a handler printed one.
fn terminate(place: &Place<'_, '_>, line: Line<'_>, offset: usize, exception: Exception) -> Option<Found> {
    let mut parts = Parts::default();
    parts.open(exception, false);
    let mut at = place.at + 1;
    if let Some(what) =
        place.lines.get(at).and_then(|line| line.body().strip_prefix("what():  ").map(str::to_owned))
    {
        parts.add_line(&what);
        at += 1;
    }
    let is_frame = |line: Line<'_>| frame(line.body()).is_some() || raw(line.text).is_some();
    let other = |line: Line<'_>| begins_record(line.text) || terminated(line.text).is_some();
    if let Some(first) = place.lines.find(at, 12, is_frame, other) {
        at = stacks(place, first, &mut parts);
    }
    parts.found(Language::Native, line.start + offset, at)
}

/// Frames of gdb or a core dump, under `Program received signal SIGSEGV, Segmentation fault.` if that is there.
fn debugger(place: &Place<'_, '_>, line: Line<'_>) -> Option<Found> {
    let mut start = line.start + line.indent();
    let mut exception = Exception::new(None, "", Relation::Reported);
    let last = place.at.saturating_sub(12).max(place.floor);
    for at in (last..place.at).rev() {
        let line = place.lines.get(at)?;
        let signal = ["received signal ", "terminated with signal "].iter().find_map(|label| {
            let begin = line.text.find(label)?;
            Some((
                line.text.find("Program ").or_else(|| line.text.find("Thread "))?,
                line.text.get(begin + label.len()..)?,
            ))
        });
        if let Some((offset, signal)) = signal {
            let (name, message) = signal.split_once(", ").unwrap_or((signal, ""));
            exception = Exception::new(Some(name), message.trim_end_matches('.'), Relation::Reported);
            start = line.start + offset;
            break;
        }
    }
    let mut parts = Parts::default();
    parts.open(exception, false);
    let next = stacks(place, place.at, &mut parts);
    parts.found(Language::Native, start, next)
}

/// Stacks from this line on. gdb tells the threads in descending order; the one that failed is number 1.
fn stacks(place: &Place<'_, '_>, from: usize, parts: &mut Parts) -> usize {
    let (mut at, mut end) = (from, from);
    let mut thread = from.checked_sub(1).and_then(|at| place.lines.get(at)).and_then(thread_name);
    let mut main = thread;
    while let Some(line) = place.lines.get(at) {
        if let Some(frame) = frame(line.body()).or_else(|| raw(line.text)) {
            parts.push(frame);
            end = at + 1;
        } else if let Some(name) = thread_name(line) {
            thread = Some(name);
            parts.open(Exception::new(None, name, Relation::Stack), true);
        } else if !line.is_blank() || place.lines.get(at + 1).is_none_or(|line| thread_name(line).is_none()) {
            break;
        }
        if thread != main && thread.is_some_and(|name| name.starts_with("Thread 1 ")) {
            swap_in(parts, main);
            main = thread;
        }
        at += 1;
    }
    end
}

/// The stack that begins now is the one that failed; what stood in its place is one among the others.
fn swap_in(parts: &mut Parts, earlier: Option<&str>) {
    let (Some(main), Some(other)) = (parts.chain.first_mut(), parts.others.last_mut()) else { return };
    std::mem::swap(&mut main.frames, &mut other.frames);
    std::mem::swap(&mut main.elided, &mut other.elided);
    other.message = earlier.unwrap_or_default().to_owned();
    parts.back_to(Some(crate::parts::Slot::Chain(0)));
}

/// `Thread 1 (Thread 0x7ffff7eb6440 (LWP 21087) "checkout-cc"):`, `Stack trace of thread 123:`.
fn thread_name(line: Line<'_>) -> Option<&str> {
    let name = line.text.trim_end().strip_suffix(':')?;
    (name.starts_with("Thread ") && name.contains(" (") || name.starts_with("Stack trace of thread "))
        .then_some(name)
}

/// `backtrace_symbols_fd`, under glibc's own report if that is there.
fn glibc(place: &Place<'_, '_>, line: Line<'_>) -> Option<Found> {
    let mut start = line.start;
    let mut exception = Exception::new(None, "", Relation::Reported);
    for at in (place.at.saturating_sub(2).max(place.floor)..place.at).rev() {
        let line = place.lines.get(at)?;
        let Some((_, text)) = line.text.split_once("*** ") else { continue };
        let text = text.trim_end_matches('*').trim_end();
        exception = Exception::new(
            Some("abort"),
            text.rsplit_once("': ").map_or(text, |(_, what)| what),
            Relation::Reported,
        );
        start = line.end() - line.text.len() + line.text.find("*** ").unwrap_or(0);
    }
    let mut parts = Parts::default();
    parts.open(exception, false);
    let mut at = place.at;
    while let Some(frame) = place.lines.get(at).and_then(|line| raw(line.text)) {
        parts.push(frame);
        at += 1;
    }
    parts.found(Language::Native, start, at)
}
