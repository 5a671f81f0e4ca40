//! Visible text only: what a terminal, a browser or a model would act on, hide or reorder is taken out.

use std::borrow::Cow;
use std::iter::Peekable;
use std::str::CharIndices;

const ESCAPE: char = '\u{1b}';
const BELL: char = '\u{7}';
const STRING_TERMINATOR: char = '\u{9c}';

/// Takes out everything that is not plain visible text, so that one record stays one line and reads as it is
/// written:
/// - ends of lines (`\n`, vertical tab, form feed, U+0085, U+2028, U+2029) become the two characters `\n`,
///   and `\r` the two characters `\r`; a tab becomes a blank. Backslashes are not doubled: this is for reading,
///   not for parsing back;
/// - ANSI and OSC escape sequences go as a whole, in their seven- and eight-bit forms. A string sequence (OSC, DCS,
///   APC, PM, SOS) without its end loses its introducer only, so that an open one cannot swallow what follows;
/// - every other control character (C0, DEL, C1), bidirectional controls, zero-width and other invisible
///   characters, variation selectors and tag characters go.
///
/// Borrowed when there is nothing to take out. Cleaning what is clean changes nothing. Linear.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    let is_plain_ascii = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if is_plain_ascii || text.chars().all(|c| meaning(c) == Meaning::Visible) {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len());
    let mut rest = text.char_indices().peekable();
    while let Some((_, c)) = rest.next() {
        match meaning(c) {
            Meaning::Visible => cleaned.push(c),
            Meaning::Tab => cleaned.push(' '),
            Meaning::LineEnd => cleaned.push_str("\\n"),
            Meaning::CarriageReturn => cleaned.push_str("\\r"),
            Meaning::Escape => skip_escape(text, &mut rest),
            Meaning::Csi => skip_csi(&mut rest),
            Meaning::StringStart => skip_string(text, &mut rest),
            Meaning::Invisible => {}
        }
    }
    Cow::Owned(cleaned)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Visible,
    Tab,
    LineEnd,
    CarriageReturn,
    Escape,
    Csi,
    StringStart,
    Invisible,
}

fn meaning(c: char) -> Meaning {
    match c {
        ' '..='~' => Meaning::Visible,
        '\t' => Meaning::Tab,
        '\n' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Meaning::LineEnd,
        '\r' => Meaning::CarriageReturn,
        ESCAPE => Meaning::Escape,
        '\u{9b}' => Meaning::Csi,
        '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => Meaning::StringStart,
        c if is_control(c) || is_invisible(c) => Meaning::Invisible,
        _ => Meaning::Visible,
    }
}

/// C0, DEL and C1.
fn is_control(c: char) -> bool {
    matches!(c, '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}')
}

/// What takes no room or changes how its neighbours are shown.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'                        // soft hyphen
        | '\u{34f}'                     // combining grapheme joiner
        | '\u{61c}'                     // Arabic letter mark
        | '\u{115f}'..='\u{1160}'       // Hangul fillers
        | '\u{17b4}'..='\u{17b5}'       // Khmer inherent vowels
        | '\u{180b}'..='\u{180f}'       // Mongolian variation selectors
        | '\u{200b}'..='\u{200f}'       // zero-width, left-to-right and right-to-left marks
        | '\u{202a}'..='\u{202e}'       // embeddings and overrides
        | '\u{2060}'..='\u{206f}'       // word joiner, invisible operators, isolates, deprecated
        | '\u{3164}' | '\u{ffa0}'       // Hangul fillers
        | '\u{fe00}'..='\u{fe0f}'       // variation selectors
        | '\u{feff}'                    // zero-width no-break space, byte order mark
        | '\u{fff0}'..='\u{fffb}'       // interlinear annotation
        | '\u{1bca0}'..='\u{1bca3}'     // shorthand format controls
        | '\u{1d173}'..='\u{1d17a}'     // musical format controls
        | '\u{e0000}'..='\u{e0fff}' // tags, variation selectors supplement
    )
}

/// After ESC: a control sequence, a string sequence, or intermediates and one final character.
fn skip_escape(text: &str, rest: &mut Peekable<CharIndices<'_>>) {
    match rest.peek() {
        Some((_, '[')) => {
            rest.next();
            skip_csi(rest);
        }
        Some((_, ']' | 'P' | 'X' | '^' | '_')) => {
            rest.next();
            skip_string(text, rest);
        }
        _ => {
            while rest.next_if(|(_, c)| (' '..='/').contains(c)).is_some() {}
            rest.next_if(|(_, c)| ('0'..='~').contains(c));
        }
    }
}

/// After CSI: parameters, intermediates, one final character; as much of that as is there.
fn skip_csi(rest: &mut Peekable<CharIndices<'_>>) {
    while rest.next_if(|(_, c)| ('0'..='?').contains(c)).is_some() {}
    while rest.next_if(|(_, c)| (' '..='/').contains(c)).is_some() {}
    rest.next_if(|(_, c)| ('@'..='~').contains(c));
}

/// After the introducer of a string sequence: everything to its terminator, or nothing when another control
/// character or the end of the text comes first.
fn skip_string(text: &str, rest: &mut Peekable<CharIndices<'_>>) {
    let Some(&(start, _)) = rest.peek() else { return };
    let payload = text.get(start..).unwrap_or_default();
    let Some(length) = payload.find(is_control) else { return };
    let end = payload.get(length..).unwrap_or_default();
    let terminator = if end.starts_with([BELL, STRING_TERMINATOR]) {
        1
    } else if end.starts_with("\u{1b}\\") {
        2
    } else {
        return;
    };
    while rest.next_if(|(position, _)| *position < start + length).is_some() {}
    for _ in 0..terminator {
        rest.next();
    }
}
