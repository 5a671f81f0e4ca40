//! Text to tokens, as Microsoft's parser cuts it, for the part of the language that the guard lets through. Whatever
//! could be cut in two ways is refused here: other line breaks than `\n`, invisible characters, names beyond ASCII.

use super::{Refusal, words};

/// What a token is. Its text is in the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An identifier.
    Name,
    /// A word of the language; some may be names too.
    Keyword,
    /// A whole number.
    Whole,
    /// A number with a fraction or an exponent.
    Real,
    /// A span of time such as `5m`.
    Span,
    /// `datetime(…)`, `long(…)` and so on, up to the closing parenthesis.
    Typed,
    /// `true` or `false`.
    Bool,
    /// A string.
    Text,
    /// Punctuation.
    Mark,
    /// After the last one.
    End,
}

/// One token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// First byte.
    pub(super) start: usize,
    /// Byte after the last one.
    pub(super) end: usize,
    /// Nothing is between it and the token before.
    pub(super) glued: bool,
}

/// Longest marks first.
const MARKS: &[&str] = &[
    "<|", "<=", "<>", ">=", "==", "=>", "=~", "!=", "!~", "..", "(", ")", "[", "]", "{", "}", "|", ".", "+",
    "-", "*", "/", "%", "<", ">", "=", ":", ";", ",",
];

/// All tokens, `End` last.
///
/// # Errors
/// At the first character that can't be in an accepted query.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Refusal> {
    refuse_ambiguous(text)?;
    let mut tokens = Vec::new();
    let mut at = 0;
    loop {
        let start = skip_blank(text, at);
        let rest = text.get(start..).unwrap_or_default();
        let glued = start == at && at > 0;
        if rest.is_empty() {
            tokens.push(Token { kind: Kind::End, start, end: start, glued: false });
            return Ok(tokens);
        }
        let (kind, length) = one(rest).map_err(|problem| problem.at(text, start))?;
        at = start + length;
        tokens.push(Token { kind, start, end: at, glued });
    }
}

/// Characters that some readers take for a line break, or show as nothing.
fn refuse_ambiguous(text: &str) -> Result<(), Refusal> {
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let followed = characters.peek().map(|(_, next)| *next);
        let ambiguous = match character {
            '\n' | '\t' => false,
            '\r' => followed != Some('\n'),
            '\u{85}' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' => true,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
            '\u{e0000}'..='\u{e007f}' => true,
            other => other.is_control(),
        };
        if ambiguous {
            let what = format!("the invisible character {}", character.escape_unicode());
            return Err(Refusal::of(what, "leave it out; inside a string write it as \\u and four digits")
                .at(text, at));
        }
    }
    Ok(())
}

fn skip_blank(text: &str, mut at: usize) -> usize {
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let code = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        at += rest.len() - code.len();
        if !code.starts_with("//") {
            return at;
        }
        at += code.find('\n').map_or(code.len(), |end| end + 1);
    }
}

/// Kind and length of the first token.
fn one(rest: &str) -> Result<(Kind, usize), Refusal> {
    let first = rest.chars().next().unwrap_or_default();
    if let Some(length) = string(rest)? {
        return Ok((Kind::Text, length));
    }
    if first.is_ascii_digit() {
        return number(rest);
    }
    if let Some(mark) = MARKS.iter().find(|mark| rest.starts_with(**mark)) {
        return Ok((Kind::Mark, mark.len()));
    }
    if first == '!' || is_name_start(first) {
        return word(rest);
    }
    Err(match first {
        '#' => Refusal::of("a directive (#)", "leave the line out"),
        _ if !first.is_ascii() => Refusal::of(
            format!("the character {} outside a string", first.escape_default()),
            "write a name that has it as ['name']",
        ),
        _ => Refusal::of(format!("the character {first}"), "leave it out, or put it into a string"),
    })
}

fn is_name_start(character: char) -> bool {
    character.is_ascii_alphabetic() || matches!(character, '_' | '$')
}

fn is_name_part(character: Option<char>) -> bool {
    // Letters beyond ASCII too: the word would go on there.
    character.is_some_and(|character| character.is_alphanumeric() || character == '_')
}

fn after(rest: &str, length: usize) -> Option<char> {
    rest.get(length..)?.chars().next()
}

fn word(rest: &str) -> Result<(Kind, usize), Refusal> {
    if let Some(keyword) = words::keyword_at(rest) {
        let next = after(rest, keyword.len());
        if next == Some('(') && words::TYPED_LITERALS.contains(&keyword) {
            return typed(rest, keyword.len());
        }
        if !is_name_part(next) {
            return Ok((Kind::Keyword, keyword.len()));
        }
    }
    if rest.starts_with('!') {
        return Err(Refusal::of("a single !", "write not(…), != or an operator such as !has"));
    }
    if is_guid(rest) {
        return Err(Refusal::of("a bare identifier of 32 digits", "write guid(…), or a string"));
    }
    let length =
        rest.find(|character| character != '$' && !is_name_part(Some(character))).unwrap_or(rest.len());
    let name = rest.get(..length).unwrap_or_default();
    if !name.is_ascii() || name.get(1..).is_some_and(|tail| tail.contains('$')) {
        return Err(Refusal::of(format!("the name {}", name.escape_default()), "write it as ['name']"));
    }
    let boolean = matches!(name, "true" | "True" | "TRUE" | "false" | "False" | "FALSE");
    Ok((if boolean { Kind::Bool } else { Kind::Name }, length))
}

/// `datetime(…)` and the like: anything up to the parenthesis is the literal, so only plain content is let through.
fn typed(rest: &str, keyword: usize) -> Result<(Kind, usize), Refusal> {
    let content = rest.get(keyword + 1..).unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '.' | ':' | '-' | '+' | '/' | '_');
    let length = content.find(|character| !plain(character)).unwrap_or(content.len());
    if content.get(length..).is_some_and(|end| end.starts_with(')')) {
        return Ok((Kind::Typed, keyword + 1 + length + 1));
    }
    let name = rest.get(..keyword).unwrap_or_default();
    let instead =
        format!("write a plain value as in {name}(…), or convert with a function such as todatetime()");
    Err(Refusal::of(format!("{name}(…) with more than a plain value"), instead))
}

fn digits(rest: &str, from: usize) -> usize {
    rest.bytes().skip(from).take_while(u8::is_ascii_digit).count()
}

fn number(rest: &str) -> Result<(Kind, usize), Refusal> {
    let wrong = || {
        Refusal::of(
            "a number with letters behind it, or a name that begins with a digit",
            "write numbers as 12, 1.5, 1e3 or 5m, and such a name as ['5xx']",
        )
    };
    if is_guid(rest) {
        return Err(Refusal::of("a bare identifier of 32 digits", "write guid(…), or a string"));
    }
    if let Some(hexadecimal) = rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X")) {
        let count = hexadecimal.bytes().take_while(u8::is_ascii_hexdigit).count();
        let ends = !is_name_part(after(hexadecimal, count));
        return if count > 0 && ends { Ok((Kind::Whole, count + 2)) } else { Err(wrong()) };
    }
    let mut length = digits(rest, 0);
    let fraction = if after(rest, length) == Some('.') { digits(rest, length + 1) } else { 0 };
    if after(rest, length) == Some('.')
        && fraction == 0
        && !rest.get(length..).is_some_and(|dots| dots.starts_with("..") && !dots.starts_with("..."))
    {
        return Err(wrong());
    }
    if fraction > 0 {
        length += 1 + fraction;
    }
    let exponent = exponent(rest.get(length..).unwrap_or_default());
    if !is_name_part(after(rest, length + exponent)) && (fraction > 0 || exponent > 0) {
        return Ok((Kind::Real, length + exponent));
    }
    let tail = rest.get(length..).unwrap_or_default();
    let unit = words::UNITS.iter().filter(|unit| tail.starts_with(**unit)).map(|unit| unit.len()).max();
    match unit {
        Some(unit) if !is_name_part(after(rest, length + unit)) => Ok((Kind::Span, length + unit)),
        None if fraction == 0 && !is_name_part(after(rest, length)) => Ok((Kind::Whole, length)),
        _ => Err(wrong()),
    }
}

/// Length of `e+12`, or 0.
fn exponent(rest: &str) -> usize {
    let mut bytes = rest.bytes();
    if !matches!(bytes.next(), Some(b'e' | b'E')) {
        return 0;
    }
    let sign = usize::from(matches!(bytes.next(), Some(b'+' | b'-')));
    match digits(rest, 1 + sign) {
        0 => 0,
        count => 1 + sign + count,
    }
}

fn is_guid(rest: &str) -> bool {
    let bytes = rest.as_bytes();
    bytes.len() >= 36
        && bytes.iter().take(36).enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Length of the string that begins here, if one does.
fn string(rest: &str) -> Result<Option<usize>, Refusal> {
    for fence in ["```", "~~~"] {
        if let Some(content) = rest.strip_prefix(fence) {
            let Some(end) = content.find(fence) else { return Err(unclosed(fence)) };
            return Ok(Some(end + 2 * fence.len()));
        }
    }
    let hidden = usize::from(rest.starts_with(['h', 'H']));
    let verbatim = usize::from(after(rest, hidden) == Some('@'));
    let begin = hidden + verbatim;
    let quote = match after(rest, begin) {
        Some(quote @ ('\'' | '"')) => quote,
        _ if verbatim == 1 => return Err(Refusal::of("@ without a string", "write @'…' or @\"…\"")),
        _ => return Ok(None),
    };
    let content = rest.get(begin + 1..).unwrap_or_default();
    let length = if verbatim == 1 { verbatim_end(content, quote)? } else { escaped_end(content, quote)? };
    Ok(Some(begin + 1 + length + 1))
}

fn unclosed(quote: &str) -> Refusal {
    Refusal::of(format!("a string without its closing {quote}"), "close it on the same line; escape with \\")
}

/// Where the closing quote is; a doubled one is part of the text.
fn verbatim_end(content: &str, quote: char) -> Result<usize, Refusal> {
    let mut characters = content.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '\n' | '\r' => break,
            _ if character != quote => {}
            _ if characters.peek().is_some_and(|(_, next)| *next == quote) => {
                characters.next();
            }
            _ => return Ok(at),
        }
    }
    Err(unclosed(&quote.to_string()))
}

/// Where the closing quote is.
fn escaped_end(content: &str, quote: char) -> Result<usize, Refusal> {
    let mut at = 0;
    while let Some(character) = after(content, at) {
        match character {
            '\n' | '\r' => break,
            '\\' => at += escape(content.get(at..).unwrap_or_default())?,
            _ if character == quote => return Ok(at),
            _ => at += character.len_utf8(),
        }
    }
    Err(unclosed(&quote.to_string()))
}

/// Length of an escape, its backslash included.
fn escape(rest: &str) -> Result<usize, Refusal> {
    let hexadecimal = |count: usize| {
        let found = rest.bytes().skip(2).take(count).take_while(u8::is_ascii_hexdigit).count();
        (found == count).then_some(count + 2)
    };
    let length = match rest.as_bytes().get(1) {
        Some(b'\\' | b'\'' | b'"' | b'a' | b'b' | b'f' | b'n' | b'r' | b't' | b'v') => Some(2),
        Some(b'u') => hexadecimal(4),
        Some(b'U') => hexadecimal(8),
        Some(b'x') => hexadecimal(2),
        _ => None,
    };
    length.ok_or_else(|| {
        Refusal::of(
            "an unknown escape in a string",
            "double the backslash, or write @'…' where none is special",
        )
    })
}
