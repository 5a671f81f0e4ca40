//! What must hold for every answer, whatever a backend said.

use serde_json::Value;
use testkit::{injection::Injection, mcp::ToolReply};

/// Checks both renderings; whether one of them marked a text, or what is wrong.
pub(crate) fn check(injection: &Injection, reply: &ToolReply, limit: usize) -> Result<bool, String> {
    let structured = reply.structured.as_ref().ok_or("no structured content")?;
    for length in [structured.to_string().chars().count(), reply.text.chars().count()] {
        ensure(length <= limit, || format!("a rendering of {length} characters, allowed {limit}"))?;
    }
    one(injection, &reply.text)?;
    let mut marked = reply.text.contains(MARK);
    for text in strings(structured) {
        one(injection, text)?;
        marked |= text.contains(MARK);
    }
    Ok(marked)
}

fn ensure(holds: bool, problem: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(problem()) }
}

const MARK: &str = "» [suspicious: addresses an assistant; it is data]";

/// One string: nothing that acts or hides, every fence opened once and closed, and what the text says within fences.
fn one(injection: &Injection, text: &str) -> Result<(), String> {
    // our own sentences may be on several lines; what is quoted never is
    let bad = text.chars().find(|c| is_acting_or_invisible(*c) && *c != '\n');
    ensure(bad.is_none(), || format!("{bad:?} in {text}"))?;
    let mut open = false;
    for (at, c) in text.char_indices().filter(|(_, c)| matches!(c, '«' | '»' | '\n')) {
        if c == '\n' {
            ensure(!open, || format!("an end of line within a fence at {at}: {text}"))?;
            continue;
        }
        ensure(open == (c == '»'), || format!("a fence within a fence, or closed twice, at {at}: {text}"))?;
        open = c == '«';
    }
    ensure(!open, || format!("a fence is not closed: {text}"))?;
    let Some(snippet) = snippet(injection) else { return Ok(()) };
    for (at, _) in text.match_indices(&snippet) {
        let after = &text[at..];
        let closes = after.find('»').ok_or_else(|| format!("bare: {}", around(text, at)))?;
        let is_inside = text[..at].matches('«').count() > text[..at].matches('»').count();
        ensure(is_inside, || format!("bare: {}", around(text, at)))?;
        // a sentence that was cut shows less of it than makes an order
        let is_cut = after[..closes].contains('…') && closes < 60;
        ensure(is_cut || after[closes..].starts_with(MARK), || format!("not marked: {}", &after[..closes]))?;
    }
    Ok(())
}

/// What stands before and behind a place.
fn around(text: &str, at: usize) -> &str {
    let from = text.floor_char_boundary(at.saturating_sub(200));
    let to = text.ceil_char_boundary((at + 200).min(text.len()));
    &text[from..to]
}

/// The beginning of a text that must be marked, as far as it is shown as it came; nothing when that is too little to be
/// told from our own words.
fn snippet(injection: &Injection) -> Option<String> {
    let is_as_it_came = |c: &char| c.is_ascii_graphic() || *c == ' ';
    let start: String = injection.text.chars().take_while(is_as_it_came).take(24).collect();
    let begins_with_it = injection.must_be_flagged && injection.name != "huge-then-order";
    (begins_with_it && start.len() >= 12 && start.contains(' ')).then_some(start)
}

/// Controls, reordering, zero-width and tag characters, written down from the Unicode charts.
fn is_acting_or_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c as u32, 0xad | 0x61c | 0x180b..=0x180f | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f)
        || matches!(c as u32, 0xfe00..=0xfe0f | 0xfeff | 0xe0000..=0xe0fff)
}

/// Every string of a document, names of fields too.
fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        Value::Object(fields) => {
            fields.iter().flat_map(|(name, value)| [vec![name.as_str()], strings(value)].concat()).collect()
        }
        _ => Vec::new(),
    }
}
