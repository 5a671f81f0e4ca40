//! A query's tokens: what is checked before the parser sees it, and how it is written for the parser.
//!
//! The parser takes numbers, durations, quoted text and patterns differently from Prometheus in corners (raw text
//! with backslashes, `offset 0s`, an offset of infinity makes it panic), and nesting of 30,000 brackets overflows
//! its stack. So it only ever sees the shape of a query: numbers in one notation and, for each quoted text, a
//! character that stands for it.

use crate::literal;
use crate::query::ParseError;

/// Longer queries are refused, in bytes.
pub(crate) const LONGEST: usize = 8 * 1_024;
/// Brackets nested deeper are refused.
pub(crate) const DEEPEST: usize = 64;
/// Queries of more tokens are refused.
pub(crate) const MOST_TOKENS: usize = 2_000;
/// The longest range or offset, in seconds: what 64 bits of nanoseconds hold.
const LONGEST_DURATION: f64 = 9.2e9;
/// The first of the characters, of no meaning of their own, that stand for quoted text.
const FIRST_PLACEHOLDER: u32 = 0xF_0000;

/// A query as the parser may see it.
#[derive(Debug)]
pub(crate) struct Shape {
    /// For the parser.
    pub(crate) text: String,
    /// What the placeholders stand for.
    pub(crate) quoted: Vec<String>,
    /// What is correct, but known neither to the parser nor here.
    pub(crate) unsupported: Option<&'static str>,
}

impl Shape {
    /// What a placeholder stands for; any other text stands for itself.
    pub(crate) fn meaning<'t>(&'t self, text: &'t str) -> &'t str {
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(only), None) => self.quoted_as(only).unwrap_or(text),
            _ => text,
        }
    }

    /// A message of the parser, with what its placeholders stand for.
    pub(crate) fn message(&self, message: &str) -> String {
        let mut out = String::with_capacity(message.len());
        for character in message.chars() {
            match self.quoted_as(character) {
                Some(text) => out.push_str(text),
                None => out.push(character),
            }
        }
        out
    }

    fn quoted_as(&self, character: char) -> Option<&str> {
        let place = u32::from(character).checked_sub(FIRST_PLACEHOLDER)?;
        self.quoted.get(place as usize).map(String::as_str)
    }

    /// Writes a placeholder for the text.
    fn quote(&mut self, text: String) {
        let place = FIRST_PLACEHOLDER.saturating_add(u32::try_from(self.quoted.len()).unwrap_or(u32::MAX));
        self.text.extend(['"', char::from_u32(place).unwrap_or(char::REPLACEMENT_CHARACTER), '"']);
        self.quoted.push(text);
    }
}

/// Checks the limits and writes the query for the parser.
///
/// # Errors
/// Where a limit is exceeded, or where a token is not one of PromQL.
pub(crate) fn shape(query: &str) -> Result<Shape, ParseError> {
    if query.len() > LONGEST {
        return Err(ParseError::new(format!("the query is longer than {LONGEST} bytes"), LONGEST));
    }
    let tokens = tokens(query)?;
    let mut shape =
        Shape { text: String::with_capacity(query.len() * 2), quoted: Vec::new(), unsupported: None };
    let mut place = Place::default();
    for (at, token) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1).map_or("", |next| next.text);
        place.enter(token)?;
        if place.calculates(token) {
            shape.unsupported = Some("arithmetic with durations");
        }
        match token.kind {
            Kind::Number => shape.text.push_str(&format!("{:?}", place.number(token)?)),
            Kind::Quoted => shape.quote(literal::unquote(token.text).map_err(|wrong| token.wrong(wrong))?),
            Kind::Name if place.in_braces && MATCHES.contains(&next) => shape.quote(token.text.to_owned()),
            Kind::Name | Kind::Sign => shape.text.push_str(token.text),
        }
        shape.text.push(' ');
        place.leave(token);
    }
    Ok(shape)
}

/// Operators between a label and its value.
const MATCHES: [&str; 4] = ["=", "!=", "=~", "!~"];

/// Where in a query a token stands.
#[derive(Default)]
struct Place {
    depth: usize,
    in_braces: bool,
    in_brackets: bool,
    /// A number here is a range, a step or an offset.
    duration_next: bool,
}

impl Place {
    fn enter(&mut self, token: &Token<'_>) -> Result<(), ParseError> {
        if matches!(token.text, "(" | "[" | "{") {
            self.depth += 1;
            self.in_braces |= token.text == "{";
            self.in_brackets |= token.text == "[";
        }
        if self.depth > DEEPEST {
            return Err(token.wrong(format!("brackets are nested deeper than {DEEPEST}")));
        }
        Ok(())
    }

    /// Whether a duration is calculated here, as in `[5m * 2]` or `offset (1h - 5m)`.
    fn calculates(&self, token: &Token<'_>) -> bool {
        const WORDS: [&str; 4] = ["step", "range", "min_of", "max_of"];
        let calculates = match token.kind {
            Kind::Name => WORDS.contains(&token.text),
            Kind::Sign => "()+-*/%^".contains(token.text),
            Kind::Number | Kind::Quoted => false,
        };
        calculates && self.duration_next && (self.in_brackets || token.text != "+" && token.text != "-")
    }

    fn leave(&mut self, token: &Token<'_>) {
        if matches!(token.text, ")" | "]" | "}") {
            self.depth = self.depth.saturating_sub(1);
            self.in_braces &= token.text != "}";
            self.in_brackets &= token.text != "]";
        }
        let signed = self.duration_next && matches!(token.text, "+" | "-");
        self.duration_next = self.in_brackets || signed || token.text.eq_ignore_ascii_case("offset");
    }

    fn number(&self, token: &Token<'_>) -> Result<f64, ParseError> {
        let number = match token.text.to_ascii_lowercase().as_str() {
            "inf" => Some(f64::INFINITY),
            "nan" => Some(f64::NAN),
            _ => literal::number(token.text),
        };
        let number =
            number.ok_or_else(|| token.wrong(format!("`{}` is no number or duration", token.text)))?;
        let least = if self.in_brackets { 0.001 } else { 0.0 };
        if self.duration_next && !(least..=LONGEST_DURATION).contains(&number) {
            return Err(token.wrong(if number < least {
                "a range or step must be at least 1ms".to_owned()
            } else {
                "a duration is out of range".to_owned()
            }));
        }
        Ok(number)
    }
}

/// What a token is, as far as its text must be changed for the parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Name,
    Number,
    Quoted,
    Sign,
}

#[derive(Debug, Clone, Copy)]
struct Token<'q> {
    kind: Kind,
    text: &'q str,
    at: usize,
}

impl Token<'_> {
    fn wrong(&self, message: String) -> ParseError {
        ParseError::new(message, self.at)
    }
}

fn tokens(query: &str) -> Result<Vec<Token<'_>>, ParseError> {
    let mut found = Vec::new();
    let (mut at, mut in_braces, mut in_brackets) = (0, false, false);
    while let Some(rest) = query.get(at..)
        && let Some(first) = rest.chars().next()
    {
        if first.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        if first == '#' {
            at += rest.find(['\n', '\r']).unwrap_or(rest.len());
            continue;
        }
        let (kind, length) = measure(rest, first, in_brackets).map_err(|wrong| ParseError::new(wrong, at))?;
        let text = rest.get(..length).unwrap_or(rest);
        let special = !in_braces && (text.eq_ignore_ascii_case("inf") || text.eq_ignore_ascii_case("nan"));
        found.push(Token { kind: if special { Kind::Number } else { kind }, text, at });
        in_braces = (in_braces || text == "{") && text != "}";
        in_brackets = (in_brackets || text == "[") && text != "]";
        at += text.len();
        if found.len() > MOST_TOKENS {
            return Err(ParseError::new(format!("the query has more than {MOST_TOKENS} tokens"), at));
        }
    }
    Ok(found)
}

/// Kind and length in bytes of the token that `rest` begins with.
fn measure(rest: &str, first: char, in_brackets: bool) -> Result<(Kind, usize), String> {
    const PAIRS: [&str; 6] = ["=~", "!~", "!=", "==", ">=", "<="];
    let second = rest.chars().nth(1).unwrap_or(' ');
    match first {
        '"' | '\'' | '`' => Ok((Kind::Quoted, quoted_length(rest, first)?)),
        '0'..='9' => Ok((Kind::Number, number_length(rest))),
        '.' if second.is_ascii_digit() => Ok((Kind::Number, number_length(rest))),
        ':' if in_brackets => Ok((Kind::Sign, 1)),
        'a'..='z' | 'A'..='Z' | '_' | ':' => {
            let belongs = |c: char| c.is_ascii_alphanumeric() || c == '_' || (c == ':' && !in_brackets);
            Ok((Kind::Name, rest.find(|c| !belongs(c)).unwrap_or(rest.len())))
        }
        _ if PAIRS.iter().any(|pair| rest.starts_with(pair)) => Ok((Kind::Sign, 2)),
        '(' | ')' | '[' | ']' | '{' | '}' | ',' | '+' | '-' | '*' | '/' | '%' | '^' | '=' | '<' | '>'
        | '@' => Ok((Kind::Sign, 1)),
        other => Err(format!("unexpected character {other:?}")),
    }
}

/// Digits, letters, dots, and a sign after the `e` of an exponent.
fn number_length(rest: &str) -> usize {
    let hexadecimal = rest.starts_with("0x") || rest.starts_with("0X");
    let mut exponent_before = false;
    for (at, character) in rest.char_indices() {
        let signed = exponent_before && matches!(character, '+' | '-');
        if !(signed || character.is_ascii_alphanumeric() || matches!(character, '.' | '_')) {
            return at;
        }
        let digits_before = rest.bytes().take(at).all(|byte| byte.is_ascii_digit() || b"._".contains(&byte));
        exponent_before = !hexadecimal && matches!(character, 'e' | 'E') && digits_before;
    }
    rest.len()
}

fn quoted_length(rest: &str, quote: char) -> Result<usize, String> {
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if character == quote {
            return Ok(at + 1);
        } else if character == '\n' && quote != '`' {
            break;
        } else {
            escaped = character == '\\' && quote != '`';
        }
    }
    Err("quoted text is never closed".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parser_sees_one_notation_of_numbers_and_no_quoted_text() {
        let shape = shape("a{or=\"x\",b=~`\\d`}[5m:1m] offset - 1h + 0x10 # (\n or Inf").unwrap();
        assert_eq!(
            shape.text,
            "a { \"\u{F0000}\" = \"\u{F0001}\" , \"\u{F0002}\" =~ \"\u{F0003}\" } [ 300.0 : 60.0 ] \
             offset - 3600.0 + 16.0 or inf "
        );
        assert_eq!(shape.quoted, ["or", "x", "b", "\\d"]);
        assert_eq!(shape.meaning("\u{F0003}"), "\\d");
        assert_eq!(shape.meaning("plain"), "plain");
        assert_eq!(shape.message("no '\u{F0001}' here"), "no 'x' here");
    }

    #[test]
    fn limits_hold_before_anything_is_parsed() {
        let refused = |query: &str| shape(query).unwrap_err();
        assert_eq!(refused(&"(".repeat(1_000)).message, "brackets are nested deeper than 64");
        assert_eq!(refused(&"(".repeat(65)).position, Some(64));
        assert!(shape(&format!("{}1{}", "(".repeat(64), ")".repeat(64))).is_ok());
        assert_eq!(refused(&"1+".repeat(1_001)).message, "the query has more than 2000 tokens");
        assert_eq!(refused(&" ".repeat(8_193)).message, "the query is longer than 8192 bytes");
    }

    #[test]
    fn what_no_token_can_be_is_refused_where_it_stands() {
        for (query, position) in [
            ("up > $x", 5),
            ("a{b=\"c}", 4),
            ("1 + 5x", 4),
            ("a[0s]", 2),
            ("a offset Inf", 9),
            ("a[1e300]", 2),
            ("é", 0),
        ] {
            assert_eq!(shape(query).unwrap_err().position, Some(position), "{query}");
        }
        assert!(shape("a offset 0s").is_ok());
    }
}
