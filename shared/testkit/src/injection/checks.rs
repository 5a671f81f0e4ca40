//! What must hold for every answer, whatever a backend said.

use super::Injection;
use crate::mcp::ToolReply;
use serde_json::Value;

/// What one answer did with a text.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shown {
    /// Marked as addressing an assistant.
    pub(super) marked: bool,
    /// Some of it was quoted, word for word.
    pub(super) quoted: bool,
}

/// Checks both renderings; what became of the text, or what is wrong. `own` is what we say about a harmless text; `quotes`
/// are the forms in which a query of ours holds a value.
pub(super) fn check(
    injection: &Injection,
    own: &str,
    quotes: &[&str],
    reply: &ToolReply,
    limit: usize,
) -> Result<Shown, String> {
    let structured = reply.structured.as_ref().ok_or("no structured content")?;
    for length in [structured.to_string().chars().count(), reply.text.chars().count()] {
        ensure(length <= limit, || format!("a rendering of {length} characters, allowed {limit}"))?;
    }
    let pieces = pieces(injection, own);
    let mut shown = Shown::default();
    for text in strings(structured).into_iter().chain([reply.text.as_str()]) {
        one(injection, text)?;
        let (inside, outside) = parted(text);
        for piece in &pieces {
            // A value without blanks may stand in a query of ours, in the query's own quotes.
            let mut outside = outside.clone();
            if quotes.contains(&PHRASES) && !injection.must_be_flagged {
                outside = without_phrases(&outside);
            }
            for form in quotes.iter().filter(|_| !piece.contains(' ')) {
                outside = outside.replace(&form.replace("{}", piece), "");
            }
            ensure(!outside.contains(piece), || format!("{piece:?} outside of any fence: {text}"))?;
            shown.quoted |= inside.contains(piece);
        }
        shown.marked |= text.contains(MARK);
    }
    Ok(shown)
}

/// Stands in a list of forms of queries for what is quoted in any query, within a longer phrase and with blanks: allowed to
/// texts that need not be marked.
pub const PHRASES: &str = "\"…{}…\"";

/// What is left without that which stands in quotation marks, escaped ones first.
fn without_phrases(text: &str) -> String {
    let outside = |text: &str, mark: char| text.split(mark).step_by(2).collect::<Vec<_>>().join(" ");
    outside(&outside(&text.replace("\\\"", "\u{1}"), '\u{1}'), '"')
}

/// What stands within fences, and what stands outside of them.
fn parted(text: &str) -> (String, String) {
    let (mut inside, mut outside, mut is_open) = (String::new(), String::new(), false);
    for c in text.chars() {
        is_open = (is_open || c == '«') && c != '»';
        if is_open { inside.push(c) } else { outside.push(c) }
    }
    (inside, outside)
}

/// Parts of a text by which it would be known wherever it stood: what comes through cleaning as it came, cut into short
/// lengths because a long text may be shown in part, without what we say ourselves. A plain name needs no fence, unless it
/// addresses an assistant: a text that is one as a whole has no such parts, and other texts have none that are names.
pub(super) fn pieces(injection: &Injection, own: &str) -> Vec<String> {
    let is_changed = |c: char| is_acting_or_invisible(c) || matches!(c, '«' | '»');
    let whole: String =
        injection.text.chars().filter(|c| !is_acting_or_invisible(*c) || is_blank(*c)).collect();
    let is_name = is_plain_name(&whole);
    let mut pieces: Vec<String> = Vec::new();
    for run in injection.text.split(is_changed) {
        let run: Vec<char> = run.trim().chars().collect();
        pieces.extend(run.chunks(24).map(|piece| piece.iter().collect::<String>()));
    }
    let is_telling = |piece: &str| if is_name { injection.must_be_flagged } else { !is_plain_name(piece) };
    pieces.retain(|piece| piece.chars().count() >= 5 && is_telling(piece) && !own.contains(piece.as_str()));
    pieces.sort_unstable();
    pieces.dedup();
    pieces.truncate(40);
    pieces
}

/// Ends of lines and tabs, which leave something visible behind.
fn is_blank(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Letters, digits and the punctuation of names, at most 200 bytes.
fn is_plain_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:/-@%+=,*$#~?&{}^".contains(&byte);
    text.len() <= 200 && text.bytes().all(is_plain)
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
pub(super) fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        Value::Object(fields) => {
            fields.iter().flat_map(|(name, value)| [vec![name.as_str()], strings(value)].concat()).collect()
        }
        _ => Vec::new(),
    }
}
