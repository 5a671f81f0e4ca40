//! What stands between the time and the message.

use super::Writer;
use crate::model::Level;

/// Words before the level.
const BEFORE_LEVEL: usize = 6;
/// Bytes of a bracket: a longer one is a part of the message.
const LONGEST_BRACKET: usize = 120;
/// Pieces behind the level.
const PIECES: usize = 12;

/// Bytes before the message in what follows the time.
pub(super) fn length(text: &str, writer: Writer<'_>) -> usize {
    let mut at = spaces(text);
    at += rest(text, at, up_to_level).unwrap_or(0);
    for _ in 0..PIECES {
        let left = text.get(at..).unwrap_or_default();
        let begins = spaces(left);
        let piece = left.get(begins..).and_then(|piece| next(piece, writer));
        let Some(piece) = piece.filter(|piece| *piece > 0) else { break };
        at += begins + piece;
    }
    at + spaces(text.get(at..).unwrap_or_default())
}

fn rest(text: &str, at: usize, of: fn(&str) -> Option<usize>) -> Option<usize> {
    of(text.get(at..)?)
}

/// One more piece of the header, if the text begins with one.
fn next(text: &str, writer: Writer<'_>) -> Option<usize> {
    punctuation(text)
        .or_else(|| bracket(text))
        .or_else(|| process(text))
        .or_else(|| source(text))
        .or_else(|| named(text, writer))
        .or_else(|| logger(text, writer))
}

/// White space at the beginning.
pub(super) fn spaces(text: &str) -> usize {
    text.len() - text.trim_start_matches([' ', '\t']).len()
}

/// The first word, up to white space.
fn word(text: &str) -> &str {
    text.split([' ', '\t']).next().unwrap_or_default()
}

/// Letters, digits and what joins them in names of hosts, programs and loggers.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 120
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.$/:<>-".contains(&byte))
        && text.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
}

/// Bytes of a level that stands alone at the beginning: in capitals, in brackets, or followed by a colon.
pub(super) fn level(text: &str) -> Option<usize> {
    let word = word(text);
    let bare = word.trim_end_matches(':');
    let inner = bare.trim_start_matches(['[', '<', '(']).trim_end_matches([']', '>', ')']);
    let own = inner.rsplit(':').next().unwrap_or(inner);
    let is_marked = inner.len() < bare.len() || bare.len() < word.len();
    let is_capital = inner.bytes().all(|byte| byte.is_ascii_uppercase());
    let is_level = own.len() >= 3 && own.bytes().all(|byte| byte.is_ascii_alphabetic());
    (is_level && (is_capital || is_marked) && Level::parse(own).is_some()).then_some(word.len())
}

/// Up to the level and with it, where nothing but process, thread, logger and user stand before it.
fn up_to_level(text: &str) -> Option<usize> {
    let mut at = 0;
    for _ in 0..BEFORE_LEVEL {
        let left = text.get(at..)?;
        if let Some(level) = level(left) {
            return Some(at + level);
        }
        let own = word(left);
        let piece = bracket(left).or_else(|| punctuation(left)).or_else(|| {
            let is_number = own.bytes().all(|byte| byte.is_ascii_digit());
            let is_user = own.contains('@');
            // Python's documentation has ` - logger - LEVEL - `.
            let is_parted = is_name(own) && punctuation(left.get(own.len() + 1..)?).is_some();
            (!own.is_empty() && (is_number || is_user || is_parted)).then_some(own.len())
        })?;
        at += piece;
        at += spaces(text.get(at..)?);
    }
    None
}

/// A dash, bar or colon alone.
fn punctuation(text: &str) -> Option<usize> {
    let word = word(text);
    matches!(word, "-" | "--" | "---" | "|" | ":" | "::" | ">" | "*").then_some(word.len())
}

/// Something in brackets: a thread, a process, a pair. Prose and lists are a part of the message.
fn bracket(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('[')?.split_once(']')?.0;
    let words = inner.split_whitespace().count();
    let is_told = ["pid ", "tid ", "client ", "thread "].iter().any(|begins| inner.starts_with(begins));
    let is_list = inner.contains(['"', '\'', '{']) || inner.ends_with(',') || inner.contains(", ");
    let end = inner.len() + 2;
    let after = text.get(end..)?;
    let ends = after.is_empty() || after.starts_with([' ', '\t', ':', '[']);
    let is_header = (words <= 1 || is_told) && !is_list && ends && inner.len() <= LONGEST_BRACKET;
    is_header.then(|| end + usize::from(after.starts_with(": ")))
}

/// Spring Boot's `1 --- `, and the process and connection of nginx: `31#31: *1 `.
fn process(text: &str) -> Option<usize> {
    let own = word(text);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number(own) && text.get(own.len()..)?.starts_with(" ---") {
        return Some(own.len());
    }
    let (process, thread) = own.strip_suffix(':')?.split_once('#')?;
    if !(is_number(process) && is_number(thread)) {
        return None;
    }
    let connection = word(text.get(own.len() + 1..).unwrap_or_default());
    let is_connection = connection.strip_prefix('*').is_some_and(is_number);
    Some(if is_connection { own.len() + 1 + connection.len() } else { own.len() })
}

/// `main.go:23:` of Go's `log` and of zap.
fn source(text: &str) -> Option<usize> {
    let own = word(text);
    let (file, line) = own.strip_suffix(':').unwrap_or(own).rsplit_once(':')?;
    let (_, ending) = file.rsplit_once('.')?;
    let is_line = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit());
    let is_file =
        ["go", "py", "rs", "c", "cc", "cpp", "rb", "js", "ts", "java", "kt", "cs"].contains(&ending);
    (is_line && is_file && is_name(file)).then_some(own.len())
}

/// The service with a colon or the place behind it, or the place.
fn named(text: &str, writer: Writer<'_>) -> Option<usize> {
    let own = word(text);
    let is_service = |word: &str| writer.service.is_some_and(|name| name.eq_ignore_ascii_case(word));
    if is_place(own, writer) || own.strip_suffix(':').is_some_and(is_service) {
        return Some(own.len());
    }
    let next = word(text.get(own.len() + 1..)?);
    (is_service(own) && is_place(next, writer)).then_some(own.len() + 1 + next.len())
}

/// The place, or the name of a pod: the service's with a number or a hash.
fn is_place(word: &str, writer: Writer<'_>) -> bool {
    let of_service = |name: &str| {
        let own = word.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
        own.is_some_and(|own| is_name(own) && own.bytes().any(|byte| byte.is_ascii_digit()))
    };
    writer.place == Some(word) || writer.service.is_some_and(of_service)
}

/// A logger: behind it ` - ` or ` : `, perhaps after brackets, or the place it logs from; or a path of Rust's with a colon.
/// What ends a message's first part with a colon is else a part of the message: `java.io.IOException: no`.
fn logger(text: &str, writer: Writer<'_>) -> Option<usize> {
    let own = word(text);
    if let Some(target) = own.strip_suffix(':') {
        let is_target = target.contains("::")
            && target
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_:".contains(&byte));
        let is_thrown = ["error", "exception", "alloc"].iter().any(|ending| target.ends_with(ending));
        return (is_target && !is_thrown).then_some(own.len());
    }
    let is_logger = is_name(own)
        && (own.contains(['.', '_', '/', '$'])
            || own.contains("::")
            || own.bytes().any(|byte| byte.is_ascii_uppercase())
            || own == "root"
            || writer.service.is_some_and(|service| service.eq_ignore_ascii_case(own)));
    if !is_logger {
        return None;
    }
    let mut at = own.len() + spaces(text.get(own.len()..)?);
    if is_place(word(text.get(at..)?), writer) {
        return Some(own.len());
    }
    let mut brackets = 0;
    while let Some(bracket) = bracket(text.get(at..)?) {
        at += bracket;
        at += spaces(text.get(at..)?);
        brackets += 1;
    }
    let end = punctuation(text.get(at..)?);
    match end {
        Some(end) => Some(at + end),
        None => (brackets > 0).then_some(own.len()),
    }
}
