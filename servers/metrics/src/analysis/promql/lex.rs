//! The tokens of a query, for what must be known before it is parsed and for changing it without a tree.

/// What a token is, as coarsely as is needed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A metric, label, function or keyword.
    Name,
    /// A number or duration.
    Number,
    /// A string with its quotes.
    Text,
    /// `(`, `[` or `{`.
    Open,
    /// `)`, `]` or `}`.
    Close,
    /// Anything else: operators, commas, characters that PromQL does not have.
    Sign,
}

/// One token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'q> {
    pub(super) kind: Kind,
    pub(super) text: &'q str,
    /// Where it begins, in bytes.
    pub(super) at: usize,
}

impl Token<'_> {
    /// Where it ends, in bytes.
    pub(super) fn end(&self) -> usize {
        self.at + self.text.len()
    }

    /// What stands between a string's quotes, escapes as written.
    pub(super) fn unquoted(&self) -> Option<&str> {
        if self.kind != Kind::Text || self.text.len() < 2 {
            return None;
        }
        self.text.get(1..self.text.len() - 1)
    }
}

/// The tokens of any text whatever; spaces and comments are left out. A string that is never closed reaches to the
/// end of its line.
pub(super) fn tokens(query: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    // Within `[1h:5m]` a colon separates; elsewhere it belongs to a name.
    let mut in_range = false;
    while let Some(rest) = query.get(at..)
        && let Some(first) = rest.chars().next()
    {
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        if first == '#' {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        let (kind, length) = measure(rest, first, in_range);
        let text = rest.get(..length).unwrap_or(rest);
        match text {
            "[" => in_range = true,
            "]" => in_range = false,
            _ => {}
        }
        found.push(Token { kind, text, at });
        at += text.len();
    }
    found
}

/// Kind and length in bytes of the token that `rest` begins with.
fn measure(rest: &str, first: char, in_range: bool) -> (Kind, usize) {
    let run = |belongs: fn(char) -> bool| rest.find(|c| !belongs(c)).unwrap_or(rest.len());
    match first {
        '"' | '\'' | '`' => (Kind::Text, string_length(rest, first)),
        '(' | '[' | '{' => (Kind::Open, 1),
        ')' | ']' | '}' => (Kind::Close, 1),
        '0'..='9' => (Kind::Number, run(|c| c.is_ascii_alphanumeric() || c == '.')),
        '.' if rest.chars().nth(1).is_some_and(|c| c.is_ascii_digit()) => {
            (Kind::Number, run(|c| c.is_ascii_alphanumeric() || c == '.'))
        }
        ':' if in_range => (Kind::Sign, 1),
        'a'..='z' | 'A'..='Z' | '_' | ':' => {
            (Kind::Name, run(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':'))
        }
        _ => (Kind::Sign, sign_length(rest, first)),
    }
}

fn sign_length(rest: &str, first: char) -> usize {
    const PAIRS: [&str; 6] = ["=~", "!~", "!=", "==", ">=", "<="];
    if PAIRS.iter().any(|pair| rest.starts_with(pair)) { 2 } else { first.len_utf8() }
}

fn string_length(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if character == '\\' && quote != '`' {
            escaped = true;
        } else if character == quote {
            return at + 1;
        } else if character == '\n' && quote != '`' {
            return at;
        }
    }
    rest.len()
}

/// The longest duration in seconds: what 64 bits of nanoseconds hold, as in Prometheus.
const LONGEST: f64 = 9.2e9;

/// A duration as PromQL writes it, such as `1h30m` or `90` (seconds).
pub(crate) fn duration(text: &str) -> Option<std::time::Duration> {
    match text.parse::<f64>() {
        // The parser's own function panics at numbers that are no duration.
        Ok(seconds) => {
            (0.0..=LONGEST).contains(&seconds).then(|| std::time::Duration::from_secs_f64(seconds))
        }
        Err(_) => promql_parser::util::parse_duration(text).ok(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(query: &str) -> Vec<&str> {
        tokens(query).into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn a_query_falls_into_its_tokens() {
        assert_eq!(
            texts("sum by(a)(rate(job:x{b=~\"q\\\"]\",c!='(' }[1h:5m] offset -1.5m)) >= 1e3 # (((\n or .5"),
            [
                "sum",
                "by",
                "(",
                "a",
                ")",
                "(",
                "rate",
                "(",
                "job:x",
                "{",
                "b",
                "=~",
                "\"q\\\"]\"",
                ",",
                "c",
                "!=",
                "'('",
                "}",
                "[",
                "1h",
                ":",
                "5m",
                "]",
                "offset",
                "-",
                "1.5m",
                ")",
                ")",
                ">=",
                "1e3",
                "or",
                ".5"
            ]
        );
    }

    #[test]
    fn a_string_that_is_never_closed_ends_with_its_line() {
        assert_eq!(texts("a{b=\"c}\n)"), ["a", "{", "b", "=", "\"c}", ")"]);
        assert_eq!(texts("`a\nb` é"), ["`a\nb`", "é"]);
    }

    proptest! {
        #[test]
        fn every_character_is_in_a_token_or_is_a_space_or_comment(query in "\\PC{0,40}|[a-z(\\[{}\\])\"'`\\\\ \n#=~!:0-9]{0,40}") {
            let found = tokens(&query);
            let mut last = 0;
            for token in &found {
                prop_assert!(token.at >= last && !token.text.is_empty());
                let between = &query[last..token.at];
                prop_assert!(between.trim().is_empty() || between.trim().starts_with('#'), "{between:?}");
                prop_assert_eq!(&query[token.at..token.end()], token.text);
                last = token.end();
            }
            let after = query[last..].trim();
            prop_assert!(after.is_empty() || after.starts_with('#'));
        }
    }
}
