//! Exceptions that a logger already took apart.

use std::collections::BTreeMap;

use crate::application::Application;
use crate::extract::{extract, judge};
use crate::model::{Exception, Frame, Language, Relation, Trace};

/// Names of the whole stack as one text, the most telling first. A name stands for itself and for what ends in it.
const STACK: [&str; 12] = [
    "error.stack_trace",
    "exception.stacktrace",
    "exception.stack_trace",
    "error.stack",
    "err.stack",
    "error.stacktrace",
    "exception.stack",
    "stack_trace",
    "stacktrace",
    "exc_info",
    "@x",
    "exception",
];
const TYPE: [&str; 7] = [
    "error.type",
    "exception.type",
    "err.type",
    "exception.exception_class",
    "exception.class",
    "error.class",
    "error.kind",
];
const MESSAGE: [&str; 4] =
    ["error.message", "exception.message", "err.message", "exception.exception_message"];
/// Where a record's own text may be.
const TEXT: [&str; 7] = ["message", "body.text", "body", "log", "msg", "@m", "event.original"];

/// The traces in a record of named fields, names with dots as mappings flatten them (`error.stack_trace`,
/// `attributes.exception.type`, `exceptions.0.ClassName` or `exceptions[0].ClassName`, `thrown.cause.name`).
///
/// Reads the chain of `exceptions[]` (Serilog) or `thrown` (log4j2) where there is one, else type, message and stack
/// (ECS, OpenTelemetry and their relatives), else what [`extract`] finds in the record's text. A list that was flattened
/// into repeated names keeps its order.
pub fn from_fields(fields: &[(&str, &str)], application: &Application) -> Vec<Trace> {
    let fields: Vec<(String, &str)> = fields.iter().map(|(name, value)| (plain(name), *value)).collect();
    if let Some(trace) = serilog(&fields, application).or_else(|| log4j(&fields, application)) {
        return vec![trace];
    }
    let (stack, type_name, message) =
        (value(&fields, &STACK), value(&fields, &TYPE), value(&fields, &MESSAGE));
    if stack.is_none() && type_name.is_none() {
        return value(&fields, &TEXT).map_or_else(Vec::new, |text| extract(text, application));
    }
    let mut traces = stack.map_or_else(Vec::new, |stack| extract(stack, application));
    match traces.first_mut() {
        Some(trace) => complete(trace, type_name, message, application),
        None if type_name.is_none() => {
            return value(&fields, &TEXT).map_or_else(Vec::new, |text| extract(text, application));
        }
        None => {
            let exception = Exception::new(type_name, message.unwrap_or_default(), Relation::Reported);
            traces.extend(whole(vec![exception], None, application));
        }
    }
    traces
}

/// Lower case, indices between dots.
fn plain(name: &str) -> String {
    name.replace('[', ".").replace(']', "").to_lowercase()
}

/// The value under the first of these names that is there.
fn value<'v>(fields: &[(String, &'v str)], names: &[&str]) -> Option<&'v str> {
    names.iter().find_map(|wanted| {
        let is_it = |name: &str| {
            name.strip_suffix(wanted).is_some_and(|before| before.is_empty() || before.ends_with('.'))
        };
        fields.iter().find(|(name, value)| is_it(name) && !value.trim().is_empty()).map(|(_, value)| *value)
    })
}

/// A stack that was printed without its first line gets type and message from beside it.
fn complete(trace: &mut Trace, type_name: Option<&str>, message: Option<&str>, application: &Application) {
    let outermost = trace.wrappers.first_mut().unwrap_or(&mut trace.root_cause);
    if outermost.type_name.is_none() {
        outermost.type_name = type_name.map(str::to_owned);
        if let Some(message) = message {
            outermost.message = message.to_owned();
        }
        judge(trace, application);
    }
}

/// A trace of exceptions that are known one by one, the outermost first.
fn whole(mut chain: Vec<Exception>, language: Option<Language>, application: &Application) -> Option<Trace> {
    let exceptions_elided = chain.len().saturating_sub(Trace::EXCEPTIONS);
    let root_cause = chain.pop()?;
    chain.truncate(Trace::EXCEPTIONS);
    let language = language.or_else(|| root_cause.type_name.as_deref().and_then(platform));
    let mut trace = Trace {
        language,
        wrappers: chain,
        root_cause,
        others: Vec::new(),
        exceptions_elided,
        circular: false,
        top_frame: None,
        fingerprint: String::new(),
        span: 0..0,
    };
    judge(&mut trace, application);
    Some(trace)
}

/// What a type of a platform's own library says about the platform.
fn platform(type_name: &str) -> Option<Language> {
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| type_name.starts_with(prefix));
    if begins(&["System.", "Microsoft."]) {
        return Some(Language::DotNet);
    }
    begins(&["java.", "javax.", "jakarta.", "kotlin.", "scala.", "org.", "com.", "io."])
        .then_some(Language::Java)
}

/// `exceptions[]`: `ClassName`, `Message`, `StackTraceString`, the outermost first.
fn serilog(fields: &[(String, &str)], application: &Application) -> Option<Trace> {
    let mut levels: BTreeMap<usize, BTreeMap<&str, &str>> = BTreeMap::new();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, value) in fields {
        let Some(rest) = after(name, "exceptions.") else { continue };
        let (level, part) = match rest.split_once('.').and_then(|(at, part)| Some((at.parse().ok()?, part))) {
            Some(known) => known,
            None => {
                let repeats = seen.entry(rest).or_default();
                *repeats += 1;
                (*repeats - 1, rest)
            }
        };
        levels.entry(level).or_default().insert(part, value);
    }
    let mut chain = Vec::new();
    for level in levels.values().filter(|level| level.contains_key("classname")) {
        let relation = if chain.is_empty() { Relation::Reported } else { Relation::Cause };
        let message = level.get("message").copied().unwrap_or_default();
        let mut exception = Exception::new(level.get("classname").copied(), message, relation);
        let stack = ["stacktracestring", "remotestacktracestring"].iter().filter_map(|part| level.get(part));
        take_frames(&mut exception, stack.copied().find(|text| !text.trim().is_empty()));
        chain.push(exception);
    }
    whole(chain, Some(Language::DotNet), application)
}

/// What follows this name at the beginning of a field's name or after a dot.
fn after<'n>(name: &'n str, wanted: &str) -> Option<&'n str> {
    let at = name.find(wanted)?;
    let stands_alone = at == 0 || name.get(..at)?.ends_with('.');
    stands_alone.then(|| name.get(at + wanted.len()..)).flatten()
}

/// The frames of a stack that stands in a field of its own.
fn take_frames(exception: &mut Exception, stack: Option<&str>) {
    let traces = stack.map_or_else(Vec::new, |stack| extract(stack, &Application::default()));
    if let Some(trace) = traces.into_iter().next() {
        let outermost = trace.wrappers.into_iter().next().unwrap_or(trace.root_cause);
        (exception.frames, exception.elided) = (outermost.frames, outermost.elided);
    }
}

/// `thrown.name`, `thrown.message`, `thrown.extendedStackTrace`, and again under `thrown.cause`.
fn log4j(fields: &[(String, &str)], application: &Application) -> Option<Trace> {
    let mut chain = Vec::new();
    let mut base = "thrown".to_owned();
    while chain.len() < Trace::EXCEPTIONS {
        let part = |part: &str| value(fields, &[format!("{base}.{part}").as_str()]);
        let Some(name) = part("name") else { break };
        let relation = if chain.is_empty() { Relation::Reported } else { Relation::Cause };
        let message = part("message").or_else(|| part("localizedmessage")).unwrap_or_default();
        let mut exception = Exception::new(Some(name), message, relation);
        take_frames(&mut exception, part("extendedstacktrace"));
        for frame in frame_objects(fields, &format!("{base}.extendedstacktrace.")) {
            exception.push(frame);
        }
        chain.push(exception);
        base.push_str(".cause");
    }
    whole(chain, Some(Language::Java), application)
}

/// Frames as objects: `….0.class`, `….0.method`, `….0.file`, `….0.line`.
fn frame_objects(fields: &[(String, &str)], base: &str) -> Vec<Frame> {
    let mut frames: BTreeMap<usize, [&str; 4]> = BTreeMap::new();
    for (name, value) in fields {
        let Some((at, part)) = after(name, base).and_then(|rest| rest.split_once('.')) else { continue };
        let place = ["class", "method", "file", "line"].iter().position(|known| *known == part);
        let (Ok(at), Some(place)) = (at.parse(), place) else { continue };
        if let Some(slot) = frames.entry(at).or_default().get_mut(place) {
            *slot = value;
        }
    }
    let known = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let frame = |[class, method, file, line]: [&str; 4]| Frame {
        function: format!("{class}.{method}"),
        file: known(file),
        line: line.parse().ok(),
        ..Frame::default()
    };
    frames.into_values().map(frame).collect()
}
