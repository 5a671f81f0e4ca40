//! From traces to the answer.

use contract::{
    Answer, Cell, Cite, Context, Draft, Evidence, Finding, Next, Table, Untrusted, counted, time_text,
};
use jiff::Timestamp;
use stacktrace::Frame;

use super::gather::Gathered;
use crate::{
    analysis::{
        difference::from_the_start,
        thrown::{Thrown, chain},
    },
    backend::Logs,
    tools::asking::{Absence, Service, first_of, see_more},
};

/// Traces of which frames are shown, and with `full`.
const DETAILED: usize = 2;
const MORE_DETAILED: usize = 5;
/// Frames of each.
const FRAMES: usize = 6;
const MORE_FRAMES: usize = 20;
/// Characters of a type, a message, a frame.
const TYPE: usize = 120;
const MESSAGE: usize = 200;
const FRAME: usize = 140;

pub(super) struct Picture<'a> {
    pub(super) cx: &'a Context,
    pub(super) store: &'a dyn Logs,
    pub(super) gathered: &'a Gathered<'a>,
    pub(super) limit: usize,
    pub(super) full: bool,
}

pub(super) fn answer(picture: &Picture<'_>) -> Answer {
    let mut draft = Draft::new();
    let gathered = picture.gathered;
    let evidence = Evidence::new(picture.store.system(), gathered.sample.sent.as_str())
        .over(gathered.asked.past.window)
        .link(picture.store.link(&gathered.asked.search));
    let cite = draft.cite(evidence);
    let shown: Vec<&Thrown> = gathered.thrown.iter().take(picture.limit).collect();
    details(picture, &mut draft, &shown, cite);
    table(picture, &mut draft, &shown, cite);
    picture.gathered.absence.iter().for_each(|absence| absence.show(&mut draft, picture.store));
    caveats(picture, &mut draft);
    next(picture, &mut draft);
    draft.conclude(verdict(picture))
}

/// A text out of a trace; it was masked when the record was read, and is somebody else's all the same.
fn quoted(picture: &Picture<'_>, text: &str, cap: usize) -> String {
    picture.cx.intake.text(text).shown(cap)
}

fn table(picture: &Picture<'_>, draft: &mut Draft, shown: &[&Thrown], cite: Cite) {
    if shown.is_empty() {
        return;
    }
    let columns = [
        "records",
        "language",
        "type",
        "root cause",
        "message",
        "frame of the application",
        "first",
        "last",
        "service",
        "where",
        "version",
        "fingerprint",
    ];
    let gathered = picture.gathered;
    let mut table = Table::new("kinds of traces", &columns, cite);
    for one in shown {
        let trace = &one.trace;
        let (first, last) = one.portrait.span.map_or((None, None), |(first, last)| (Some(first), Some(last)));
        let outer = trace.outermost().type_name.as_deref().unwrap_or_default();
        let root = trace.root_cause.type_name.as_deref().unwrap_or_default();
        let text = |text: &str, cap| {
            if text.is_empty() { Cell::Missing } else { Cell::text(quoted(picture, text, cap)) }
        };
        table.row(vec![
            number(gathered, one),
            Cell::text(trace.language.map_or("", stacktrace::Language::name)),
            text(outer, TYPE),
            if trace.wrappers.is_empty() { Cell::text("the same") } else { text(root, TYPE) },
            text(&message(one), MESSAGE),
            trace.top_frame.as_ref().map_or(Cell::Missing, |top| text(&frame(top), FRAME)),
            moment(gathered, "≤", first),
            moment(gathered, "≥", last),
            Cell::text(first_of(&one.portrait.services)),
            Cell::text(first_of(&one.portrait.places)),
            Cell::text(first_of(&one.portrait.versions)),
            Cell::text(trace.fingerprint.as_str()),
        ]);
    }
    table.seen(picture.gathered.thrown.len() as u64);
    table.see_more(see_more(picture.limit, super::MOST_ROWS, picture.full, "a narrower error_query"));
    draft.table(table);
}

/// Whether there may be more of them in lines that nobody looked around, which no estimate knows.
fn is_least(gathered: &Gathered<'_>, one: &Thrown) -> bool {
    let is_joined = || one.records.iter().any(|index| gathered.joined.contains(index));
    gathered.unlooked > 0 && (gathered.complete() || is_joined())
}

/// How many records; estimated where not all were read.
fn number(gathered: &Gathered<'_>, one: &Thrown) -> Cell {
    match gathered.complete() {
        _ if is_least(gathered, one) => Cell::text(format!("≥ {}", one.records.len())),
        true => Cell::Count(one.records.len() as u64),
        false => Cell::text(format!("≈{:.0}", one.weight)),
    }
}

/// The first or last moment; where not all records were read or looked around there may be an earlier or later one.
fn moment(gathered: &Gathered<'_>, at_most: &str, at: Option<Timestamp>) -> Cell {
    match at.filter(|_| !gathered.complete() || gathered.unlooked > 0) {
        Some(at) => Cell::text(format!("{at_most} {}", time_text(at))),
        None => Cell::time(at),
    }
}

/// The most frequent message of the root cause, with its share where there are others.
fn message(one: &Thrown) -> String {
    let all: u64 = one.messages.iter().map(|(_, count)| count).sum();
    match one.messages.as_slice() {
        [] => String::new(),
        [(only, _)] => only.clone(),
        [(first, count), ..] => format!("{first} ({:.0} %)", *count as f64 * 100.0 / all.max(1) as f64),
    }
}

/// `com.acme.Pool.acquire (Pool.java:42)`.
fn frame(frame: &Frame) -> String {
    let place = match (&frame.file, frame.line) {
        (Some(file), Some(line)) => format!("{file}:{line}"),
        (Some(file), None) => file.clone(),
        (None, _) => frame.module.clone().unwrap_or_default(),
    };
    match (frame.function.is_empty(), place.is_empty()) {
        (true, _) => place,
        (false, true) => frame.function.clone(),
        (false, false) => format!("{} ({place})", frame.function),
    }
}

/// Chain and frames of the first traces.
fn details(picture: &Picture<'_>, draft: &mut Draft, shown: &[&Thrown], cite: Cite) {
    let (traces, frames) = if picture.full { (MORE_DETAILED, MORE_FRAMES) } else { (DETAILED, FRAMES) };
    for (number, one) in shown.iter().take(traces).enumerate() {
        let root = &one.trace.root_cause;
        let mut text = format!("{}: {}", number + 1, quoted(picture, &chain(&one.trace), 300));
        if !one.messages.is_empty() {
            text.push_str(&format!("; root cause says {}", quoted(picture, &message(one), MESSAGE)));
        }
        let listed: Vec<String> = root.frames.iter().take(frames).map(frame).collect();
        if !listed.is_empty() {
            text.push_str(&format!("; frames: {}", quoted(picture, &listed.join(" < "), FRAME * 6)));
        }
        let left = root.frames.len().saturating_sub(frames) + root.elided;
        if left > 0 {
            text.push_str(&format!(" ({left} more)"));
        }
        draft.finding(Finding::new(text, cite));
    }
}

fn caveats(picture: &Picture<'_>, draft: &mut Draft) {
    let gathered = picture.gathered;
    gathered.asked.service.iter().for_each(|service| service.caveat(draft));
    gathered.asked.past.caveat("time_range").into_iter().for_each(|cut| draft.caveat(cut));
    let read = gathered.records.len();
    if gathered.complete() {
        let exact = if gathered.unlooked == 0 { "; counts are exact" } else { "" };
        draft.caveat(format!("all records that match were read ({read}){exact}"));
    } else {
        let total = gathered.sample.value.total.told();
        draft.caveat(format!(
            "{read} of {total} records that match were read ({}); numbers with ≈ are estimated from these",
            gathered.sample.value.method
        ));
    }
    match gathered.without {
        0 => {}
        without if gathered.unlooked == 0 => draft.caveat(format!("{without} of them hold no stack trace")),
        without => draft.caveat(format!(
            "{without} of them hold no whole stack trace; around {} of these nothing was looked for, and each may be a line of one",
            gathered.unlooked
        )),
    }
    if !gathered.joined.is_empty() {
        draft.caveat(format!(
            "{} put together from records of one line each; others like them are not counted",
            match gathered.joined.len() {
                1 => "1 trace was".to_owned(),
                several => format!("{several} traces were"),
            }
        ));
    }
    gathered.guessed.iter().for_each(|text| draft.caveat(text.clone()));
    gathered.unlevelled.iter().for_each(|none| draft.caveat(none.told("")));
    gathered.failed.iter().for_each(|text| draft.caveat(text.clone()));
    gathered.sample.partial.iter().for_each(|text| draft.caveat(text.clone()));
}

fn next(picture: &Picture<'_>, draft: &mut Draft) {
    let gathered = picture.gathered;
    let first = gathered.thrown.first();
    let found = first.and_then(|one| one.portrait.services.first()).and_then(|(service, _)| service.plain());
    let own = gathered.asked.service.as_ref().and_then(|service| service.name.plain());
    let scoped = |call: Next| match own.or(found) {
        Some(service) => call.with("service", service),
        None => call,
    };
    let window = gathered.asked.past.window.to_string();
    if let Some(absence) = gathered.absence.as_ref().filter(|absence| absence.told().is_some()) {
        absence.suggest(draft);
        if let Some(meant) = absence.meant() {
            let call = Next::call("extract_stack_traces", "the service that may have been meant");
            let call = call.with("error_query", gathered.asked.query.as_str()).with("service", meant);
            draft.next(call.with("time_range", window));
        }
        return;
    }
    let Some(first) = first else {
        let call = Next::call("get_error_patterns", "which errors there are at all");
        let call = match gathered.unlevelled {
            Some(_) => call.with("level", "all"),
            None => call,
        };
        draft.next(scoped(call).with("time_range", window));
        return;
    };
    // Of a sample the first record is not the first of all; and what was there from the start began before.
    let began = first.portrait.span.filter(|_| gathered.complete() && gathered.unlooked == 0);
    let start = gathered.asked.past.window.start();
    let before = |span| from_the_start(first.records.len() as u64, span, start);
    if let Some((since, _)) = began.filter(|span| !before(*span)) {
        let call = Next::call("correlate_logs_with_time", "what was new just before the first of them");
        draft.next(call.with("timestamp", time_text(since)).with("delta_minutes", 5));
    }
    if let Some(trace) = first.portrait.traces.iter().find_map(Untrusted::plain) {
        draft.next(
            Next::call("get_trace_details", "a request that failed so").on("traces").with("trace_id", trace),
        );
    }
    draft.next(
        scoped(Next::call("get_recent_deployments", "whether this code is new").on("infra"))
            .with("time_range", window),
    );
}

fn verdict(picture: &Picture<'_>) -> String {
    let gathered = picture.gathered;
    let total = gathered.sample.value.total;
    if total.number() == 0 {
        return nothing(gathered);
    }
    let read = gathered.records.len();
    let of_read = match gathered.complete() {
        true => format!("the {}", counted(read as u64, "record that matches", "records that match")),
        false => format!("{} read ({} match)", counted(read as u64, "record", "records"), total.told()),
    };
    let Some(first) = gathered.thrown.first() else {
        return format!("No stack trace in {of_read}.");
    };
    let root = &first.trace.root_cause;
    let name = root.type_name.as_deref().unwrap_or("an exception without a type");
    let top = first.trace.top_frame.as_ref();
    let top = top.map_or(String::new(), |top| format!(" in {}", quoted(picture, &frame(top), FRAME)));
    let times = match gathered.complete() {
        _ if is_least(gathered, first) => format!("≥ {}", first.records.len()),
        true => first.records.len().to_string(),
        false => format!("≈{:.0}", first.weight),
    };
    let as_often = gathered.thrown.get(1).is_some_and(|next| next.records.len() >= first.records.len());
    let often = if as_often { "among them" } else { "most often" };
    let traces = gathered.thrown.iter().map(|one| one.records.len() as u64).sum();
    let least = if gathered.unlooked == 0 { "" } else { "At least " };
    format!(
        "{least}{} of {}, in {} of {of_read}; {often} ({times}×) {}{top}, root cause {}.",
        counted(traces, "stack trace", "stack traces"),
        counted(gathered.thrown.len() as u64, "kind", "kinds"),
        read - gathered.without,
        quoted(picture, first.trace.outermost().type_name.as_deref().unwrap_or(name), TYPE),
        quoted(picture, &format!("{name}: {}", message(first)), TYPE + MESSAGE)
    )
}

fn nothing(gathered: &Gathered<'_>) -> String {
    let window = gathered.asked.past.window;
    let between = format!("between {} and {}", time_text(window.start()), time_text(window.end()));
    let whose = Service::whose(gathered.asked.service.as_ref());
    if let Some(told) = gathered.absence.as_ref().and_then(Absence::told) {
        return format!("No record{whose} {between}; {told}.");
    }
    match gathered.unlevelled {
        Some(none) if none.is_all() => format!("{}, {between}.", none.told(&whose)),
        Some(none) => format!("No error{whose} {between}, and {}.", none.told("")),
        None if gathered.is_empty => format!("No record of any service or level {between}."),
        None => format!("No record{whose} matches {between}."),
    }
}
