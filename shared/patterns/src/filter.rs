//! What finds the lines of a template again.

use std::fmt;

use regex::{Regex, RegexBuilder};

use crate::scan::REST;
use crate::template::WILDCARD;
use crate::words;

/// White space within a line.
const SPACE: &str = r"[\t\x0b\x0c\r ]+";
const MAYBE_SPACE: &str = r"[\t\x0b\x0c\r ]*";
/// Anything that is no white space.
const SOLID: &str = r"[^\t-\r ]";
/// The same without what parts the key of a pair from its value.
const NO_PAIR: &str = r"[^=\t-\r ]";
/// The largest automaton that is made, in bytes.
const LARGEST: usize = 16 << 20;

/// A filter could not be made.
#[derive(Debug)]
pub struct FilterError(regex::Error);

impl fmt::Display for FilterError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the template has too many parts for a regular expression: {}", self.0)
    }
}

impl std::error::Error for FilterError {}

/// Whether merged templates differ in a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Varies {
    /// They are alike.
    No,
    /// In a word.
    Word,
    /// In something that may have spaces.
    Text,
}

/// Literal fragments and what may stand between them. It follows from the text of the template alone, so that it fits
/// lines that were not in the sample.
///
/// Every line of the template matches. Another line may match too where a word stands in the place of a value; how often
/// is for the caller to count among the lines at hand.
#[derive(Debug, Clone)]
pub struct Filter {
    fragments: Vec<String>,
    regex: Regex,
}

impl Filter {
    /// The filter of a text that was split at its spaces, with what is known of each piece.
    pub(crate) fn compile<'t>(
        tokens: impl Iterator<Item = (&'t str, Varies)>,
    ) -> Result<Filter, FilterError> {
        let tokens: Vec<(&str, Varies)> = tokens.collect();
        let text = tokens.iter().map(|(token, _)| *token).collect::<Vec<_>>().join(" ");
        let mut writer = Writer { regex: String::new(), gaps: Gaps::new(), json: text.contains("{\"") };
        writer.regex.push_str(r"^[\t-\r ]*");
        for (place, (token, varies)) in tokens.iter().enumerate() {
            if place > 0 {
                writer.regex.push_str(SPACE);
            }
            writer.token(token, *varies, place == 0 && tokens.len() > 1 && *token == WILDCARD);
        }
        writer.regex.push_str(MAYBE_SPACE);
        writer.regex.push_str(r"(?:\n(?s:.)*)?$");
        let regex = RegexBuilder::new(&writer.regex).size_limit(LARGEST).build().map_err(FilterError)?;
        Ok(Filter { fragments: fragments(&text), regex })
    }

    /// The constant text between wildcards, in order, white space at the ends removed.
    pub fn fragments(&self) -> &[String] {
        &self.fragments
    }

    /// The regular expression over a whole record, in the syntax common to RE2 (KQL `matches regex`) and Rust.
    pub fn regex(&self) -> &str {
        self.regex.as_str()
    }

    /// Whether the record is one of the template.
    pub fn matches(&self, record: &str) -> bool {
        self.regex.is_match(record)
    }
}

/// The constant text between wildcards.
fn fragments(text: &str) -> Vec<String> {
    let pieces = text.split(WILDCARD).flat_map(|piece| piece.split(REST));
    pieces.map(str::trim).filter(|piece| !piece.is_empty()).map(str::to_owned).collect()
}

/// Runs of constant tokens.
pub(crate) fn phrases<'t>(tokens: impl Iterator<Item = (&'t str, Varies)>) -> Vec<String> {
    let tokens: Vec<(&str, Varies)> = tokens.collect();
    let constant = |(token, varies): &(&str, Varies)| {
        *varies == Varies::No && !token.contains(WILDCARD) && !token.contains(REST)
    };
    let runs = tokens.split(|token| !constant(token));
    let joined = runs.map(|run| run.iter().map(|(token, _)| *token).collect::<Vec<_>>().join(" "));
    joined.filter(|phrase| phrase.chars().any(char::is_alphanumeric)).collect()
}

/// Writes the regular expression.
struct Writer {
    regex: String,
    gaps: Gaps,
    json: bool,
}

impl Writer {
    fn token(&mut self, token: &str, varies: Varies, first: bool) {
        let mut rest = token;
        let mut before = "";
        while let Some(at) = rest.find([REST, '<']) {
            let (literal, tail) = rest.split_at_checked(at).unwrap_or((rest, ""));
            self.literal(literal);
            before = if literal.is_empty() { before } else { literal };
            if let Some(after) = tail.strip_prefix(REST) {
                self.regex.push_str("(?s:.)*?");
                (rest, before) = (after, "");
            } else if let Some(after) = tail.strip_prefix(WILDCARD) {
                let gap = match varies {
                    Varies::No => self.gaps.between(first, before, after),
                    Varies::Word => &self.gaps.word,
                    Varies::Text => ".+?",
                };
                self.regex.push_str(gap);
                (rest, before) = (after, "");
            } else {
                self.literal("<");
                (rest, before) = (tail.get(1..).unwrap_or_default(), "<");
            }
        }
        self.literal(rest);
    }

    /// Constant text. Space behind an opening bracket is no part of it, nor, in JSON, what surrounds its structure.
    fn literal(&mut self, text: &str) {
        for letter in text.chars() {
            let structure = self.json && matches!(letter, '{' | '}' | ':' | ',');
            if structure {
                self.regex.push_str(MAYBE_SPACE);
            }
            self.regex.push_str(&regex::escape(letter.encode_utf8(&mut [0; 4])));
            if structure || matches!(letter, '(' | '[') {
                self.regex.push_str(MAYBE_SPACE);
            }
        }
    }
}

/// What may stand in the place of a wildcard.
struct Gaps {
    value: String,
    word: String,
    json: String,
    start: String,
}

impl Gaps {
    fn new() -> Gaps {
        let lists = [
            &words::MONTHS[..],
            &words::DAYS,
            &words::AFTER_TIME,
            &words::DURATIONS,
            &words::QUANTITIES,
            &words::VALUES,
        ];
        let known = lists.concat().join("|");
        let punctuation = r"[^A-Za-z\t-\r ]*";
        // A value, as far as a line tells values from words.
        let one = format!(
            "(?:{NO_PAIR}*(?:[0-9/\\\\@<]|[.][A-Za-z]|[A-Fa-f]{{8}}){SOLID}*|{punctuation}(?i:{known}){punctuation}|[-,:;/|.&#_@~+]+)"
        );
        let value = format!("{one}(?:{SPACE}{one})*?");
        let word = format!("{SOLID}+?(?:{SPACE}{one})*?");
        let string = r#""(?:[^"\\]|\\.)*""#;
        let json = format!(r#"(?:{string}|\[.*?\]|\{{.*?\}}|[A-Za-z0-9.+-]+|{value})"#);
        // Behind the time at the start of a line, the host of syslog.
        let start = format!("{value}(?:{SPACE}{SOLID}+)?");
        Gaps { value, word, json, start }
    }

    /// By what is written before and after the wildcard.
    fn between(&self, first: bool, before: &str, after: &str) -> &str {
        if first {
            return &self.start;
        }
        let closing = after.chars().next().unwrap_or(' ');
        match (before.chars().next_back().unwrap_or(' '), closing) {
            ('"', '\\') => ".*?",
            ('"', '"') if !before.ends_with("\\\"") => r#"(?:[^"\\]|\\.)*(?:", ?"(?:[^"\\]|\\.)*)*"#,
            ('\'', '\'') | ('`', '`') | ('"', '"') | ('{', '}') => ".*?",
            ('(', ')') => "[^()\\n]*",
            ('[', ']') => r"[^\[\]\n]*",
            (':', _) if before.ends_with("\":") => &self.json,
            ('=', _) => &self.word,
            _ => &self.value,
        }
    }
}
