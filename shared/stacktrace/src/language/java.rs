//! Java, Kotlin, Scala: `Throwable.printStackTrace`, logback (also root cause first), log4j.

use super::header_before;
use crate::extract::Place;
use crate::lines::{Line, REACH, location, number};
use crate::model::{Exception, Frame, Language, Relation};
use crate::names::split_header;
use crate::parts::{Found, Parts};

pub(crate) fn read(place: &Place<'_, '_>, line: Line<'_>) -> Option<Found> {
    frame(line.body())?;
    let lines = place.lines;
    let mut parts = Parts::default();
    let (mut at, mut start) = (place.at, line.start + line.indent());
    let mut message_until = place.at;
    match header_before(place, |_, _, text| label(text.trim_start()).is_some()) {
        Some((number, offset)) => {
            let header = lines.get(number)?;
            let (type_name, message) = split_header(header.text.get(offset..)?);
            parts.open(Exception::new(type_name, message, Relation::Reported), false);
            (at, start) = (number + 1, header.start + offset);
        }
        None => drop(parts.open(Exception::new(None, "", Relation::Reported), false)),
    }
    let mut root_first = false;
    while let Some(line) = lines.get(at) {
        match classify(line) {
            Part::Frame(frame) => parts.push(frame),
            Part::Elided(frames) => parts.elide(frames),
            Part::Circular => parts.circular = true,
            Part::Header { exception, beside, wraps } => {
                root_first |= wraps && !beside;
                parts.open(exception, beside);
                let ends = |line: Line<'_>| !matches!(classify(line), Part::Other);
                message_until = lines.find(at + 1, REACH, ends, |_| false).unwrap_or(at);
            }
            Part::Other if at < message_until => parts.add_line(line.text),
            Part::Other => break,
        }
        at += 1;
    }
    if root_first {
        parts.reverse();
    }
    parts.found(Language::Java, start, at)
}

enum Part {
    Frame(Frame),
    Elided(usize),
    Circular,
    Header { exception: Exception, beside: bool, wraps: bool },
    Other,
}

fn classify(line: Line<'_>) -> Part {
    let body = line.body();
    if let Some(frame) = frame(body) {
        return Part::Frame(frame);
    }
    if let Some(frames) = elided(body) {
        return Part::Elided(frames);
    }
    let Some((relation, rest)) = label(body) else { return Part::Other };
    if rest.trim_start_matches('[').starts_with("CIRCULAR REFERENCE") {
        return Part::Circular;
    }
    let (type_name, message) = split_header(rest);
    // What is indented hangs under a suppressed exception.
    let beside = relation == Relation::Suppressed || line.is_indented();
    let wraps = body.starts_with("Wrapped by:");
    Part::Header { exception: Exception::new(type_name, message, relation), beside, wraps }
}

fn label(body: &str) -> Option<(Relation, &str)> {
    let labels = [
        ("Caused by: ", Relation::Cause),
        ("Wrapped by: ", Relation::Cause),
        ("Suppressed: ", Relation::Suppressed),
        ("[CIRCULAR REFERENCE", Relation::Cause),
    ];
    labels.iter().find_map(|(label, relation)| {
        let rest = body.strip_prefix(label)?;
        Some((*relation, if label.starts_with('[') { body } else { rest }))
    })
}

/// `... 23 more`, `... 12 common frames omitted`.
fn elided(body: &str) -> Option<usize> {
    let (frames, rest) = number(body.strip_prefix("... ")?)?;
    (rest == " more" || rest.starts_with(" common frames") || rest.starts_with(" frames")).then_some(frames)
}

/// `at java.base/java.lang.Thread.run(Thread.java:840) ~[app.jar:1.2]`.
fn frame(body: &str) -> Option<Frame> {
    let rest = body.strip_prefix("at ")?;
    let (callee, rest) = rest.split_once('(')?;
    let (source, after) = rest.split_once(')')?;
    let callee = callee.trim_start();
    if callee.contains(' ') || !callee.contains('.') {
        return None;
    }
    let (file, line) = source_of(source)?;
    let (module, function) = split_module(callee);
    let package =
        after.trim().trim_start_matches('~').strip_prefix('[').map(|rest| rest.trim_end_matches(']'));
    let package = package.filter(|package| !matches!(*package, "na:na" | "?:?"));
    let module = module.or(package).map(str::to_owned);
    Some(Frame { function: function.to_owned(), module, file, line, in_application: false })
}

/// What stands in the brackets of a frame: file and line as far as they are known.
fn source_of(source: &str) -> Option<(Option<String>, Option<u32>)> {
    if matches!(source, "Native Method" | "Unknown Source" | "<generated>" | "Redefined") {
        return Some((None, None));
    }
    let file = |name: &str| Some(name.to_owned()).filter(|name| name != "Unknown Source");
    match source.split_once(':') {
        Some((name, _)) if !name.contains('/') => {
            let (name, line) = location(source)?;
            (!name.contains(':')).then(|| (file(name), Some(line)))
        }
        None => {
            let known = [".java", ".kt", ".scala", ".groovy", ".clj", "SourceFile"];
            known.iter().any(|end| source.ends_with(end)).then(|| (file(source), None))
        }
        Some(_) => None,
    }
}

/// `java.base@17/java.lang.Thread.run` and `app//com.acme.Main.main`; the slash of a hidden class
/// (`Checkout$$Lambda/0x00007f.run`) separates no module.
fn split_module(callee: &str) -> (Option<&str>, &str) {
    let generated = callee.find("$$").unwrap_or(callee.len());
    let mut cut = None;
    for (at, _) in callee.match_indices('/') {
        let rest = callee.get(at + 1..).unwrap_or_default();
        if at > generated || rest.starts_with(|c: char| c.is_ascii_digit()) {
            break;
        }
        cut = Some(at);
    }
    let Some((module, function)) = cut.and_then(|at| callee.split_at_checked(at)) else {
        return (None, callee);
    };
    (Some(module.trim_end_matches('/')), function.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames() {
        let cases = [
            (
                "at java.base/java.lang.Thread.run(Thread.java:840)",
                Some(("java.lang.Thread.run", Some("java.base"), Some("Thread.java"), Some(840))),
            ),
            (
                "at java.base@17.0.2/java.lang.Thread.run(Thread.java:840)",
                Some(("java.lang.Thread.run", Some("java.base@17.0.2"), Some("Thread.java"), Some(840))),
            ),
            (
                "at app//com.acme.Main.main(Main.kt:3)",
                Some(("com.acme.Main.main", Some("app"), Some("Main.kt"), Some(3))),
            ),
            (
                "at com.acme.Shop$$Lambda$14/0x0000000800066840.run(Unknown Source)",
                Some(("com.acme.Shop$$Lambda$14/0x0000000800066840.run", None, None, None)),
            ),
            (
                "at jdk.internal.reflect.NativeMethodAccessorImpl.invoke0(Native Method)",
                Some(("jdk.internal.reflect.NativeMethodAccessorImpl.invoke0", None, None, None)),
            ),
            (
                "at org.x.Y.z(Y.java:1) ~[spring-web-6.1.jar!/:6.1]",
                Some(("org.x.Y.z", Some("spring-web-6.1.jar!/:6.1"), Some("Y.java"), Some(1))),
            ),
            ("at a.b.C.<init>(C.scala)", Some(("a.b.C.<init>", None, Some("C.scala"), None))),
            ("at charge (/srv/shop/checkout.js:17:11)", None),
            ("at Acme.Shop.Charge(String order)", None),
            ("at Acme.Shop.Charge() in C:\\a.cs:line 3", None),
        ];
        for (text, expected) in cases {
            let found = frame(text);
            let found =
                found.as_ref().map(|f| (f.function.as_str(), f.module.as_deref(), f.file.as_deref(), f.line));
            assert_eq!(found, expected, "{text}");
        }
    }
}
