//! Regular expressions as PromQL means them: Go's syntax, matched against the whole text.
//!
//! The two engines agree on what a pattern matches, less so on how it is written: in Go `\d`, `\w`, `\s` and `\b`
//! are ASCII, a `{` that begins no repetition is itself, and `[`, `&&` or `--` mean nothing within a class.

use regex::{Regex, RegexBuilder};

/// A compiled pattern may use this many bytes; an alternation of hundreds of pod names needs a tenth.
const LARGEST: usize = 4 << 20;
/// Go's limit on a repetition's count.
const MOST_REPEATS: u32 = 1_000;

/// Compiles a pattern that must match the whole text; `.` matches newlines too, as in Prometheus.
///
/// # Errors
/// Why Go would not compile it, or that it is too large.
pub(crate) fn compile(pattern: &str) -> Result<Regex, String> {
    let translated = Translation::of(pattern)?;
    RegexBuilder::new(&format!("^(?s:{translated})$"))
        .size_limit(LARGEST)
        .build()
        .map_err(|_| format!("the regular expression {pattern:?} cannot be used"))
}

/// Names of classes.
const POSIX: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "word", "xdigit",
];

struct Translation<'p> {
    rest: &'p str,
    out: String,
}

impl Translation<'_> {
    fn of(pattern: &str) -> Result<String, String> {
        let mut translation = Translation { rest: pattern, out: String::with_capacity(pattern.len() + 8) };
        while let Some(first) = translation.next() {
            match first {
                '\\' => translation.escape(false)?,
                '[' => translation.class()?,
                '{' => translation.brace()?,
                '(' if translation.rest.starts_with('?') => translation.group()?,
                other => translation.out.push(other),
            }
        }
        Ok(translation.out)
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let first = chars.next();
        self.rest = chars.as_str();
        first
    }

    /// What stands after a backslash.
    fn escape(&mut self, within_class: bool) -> Result<(), String> {
        let Some(escaped) = self.next() else { return Err("a pattern ends with a backslash".into()) };
        let class = match escaped.to_ascii_lowercase() {
            'd' => "0-9",
            's' => r"\t\n\f\r ",
            'w' => "0-9A-Za-z_",
            _ => "",
        };
        match escaped {
            'd' | 's' | 'w' if within_class => self.out.push_str(class),
            'd' | 's' | 'w' => self.out.push_str(&format!("[{class}]")),
            'D' | 'S' | 'W' => self.out.push_str(&format!("[^{class}]")),
            'b' if !within_class => self.out.push_str(r"(?-u:\b)"),
            'Q' if !within_class => self.quoted(),
            'B' | 'A' | 'z' if !within_class => self.out.extend(['\\', escaped]),
            'p' | 'P' | 'x' | 'a' | 'f' | 'n' | 'r' | 't' | 'v' => self.out.extend(['\\', escaped]),
            '0'..='7' => self.octal(escaped)?,
            other if other.is_ascii_punctuation() => {
                self.out.push_str(&format!(r"\x{:02X}", u32::from(other)))
            }
            other => return Err(format!("`\\{other}` means nothing in a regular expression")),
        }
        Ok(())
    }

    /// `\Q…\E`: text that stands for itself.
    fn quoted(&mut self) {
        let (text, after) = self.rest.split_once(r"\E").unwrap_or((self.rest, ""));
        self.out.push_str(&regex::escape(text));
        self.rest = after;
    }

    /// `\0`, `\12`, `\123`: a character by its octal number. A single digit other than 0 would be a back-reference.
    fn octal(&mut self, first: char) -> Result<(), String> {
        let digits = self.rest.chars().take(2).take_while(|digit| ('0'..='7').contains(digit)).count();
        if first != '0' && digits == 0 {
            return Err("back-references are not possible in these regular expressions".into());
        }
        let (tail, after) = self.rest.split_at_checked(digits).unwrap_or(("", self.rest));
        let number = u32::from_str_radix(&format!("{first}{tail}"), 8).unwrap_or_default();
        self.out.push_str(&format!("\\x{{{number:X}}}"));
        self.rest = after;
        Ok(())
    }

    /// A repetition, or a brace that stands for itself.
    fn brace(&mut self) -> Result<(), String> {
        let inside =
            self.rest.split_once('}').map(|(inside, _)| inside).filter(|inside| is_repetition(inside));
        let Some(inside) = inside else {
            self.out.push_str(r"\{");
            return Ok(());
        };
        if inside
            .split(',')
            .any(|count| !count.is_empty() && !count.parse().is_ok_and(|n: u32| n <= MOST_REPEATS))
        {
            return Err(format!("a repetition may not exceed {MOST_REPEATS}"));
        }
        self.out.push('{');
        Ok(())
    }

    /// `(?…`: a group with flags or a name. Go knows fewer flags.
    fn group(&mut self) -> Result<(), String> {
        let named = self.rest.starts_with("?P<") || self.rest.starts_with("?<");
        let flags = self.rest.split([')', ':']).next().unwrap_or_default();
        if !named && !flags.chars().all(|flag| "?imsU-".contains(flag)) {
            return Err(format!("`({flags}` is not possible in these regular expressions"));
        }
        self.out.push('(');
        Ok(())
    }

    /// A class in brackets, whose `[` is already consumed.
    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if let Some(after) = self.rest.strip_prefix('^') {
            self.out.push('^');
            self.rest = after;
        }
        let mut first = true;
        while let Some(next) = self.next() {
            match next {
                ']' if first => self.out.push_str(r"\]"),
                ']' => {
                    self.out.push(']');
                    return Ok(());
                }
                '\\' => self.escape(true)?,
                '[' if self.posix()? => {}
                '[' | '&' | '~' | '^' => self.out.extend(['\\', next]),
                '-' if first || self.rest.starts_with(['-', ']']) => self.out.push_str(r"\-"),
                other => self.out.push(other),
            }
            first = false;
        }
        Err("a class in brackets is never closed".into())
    }

    /// `[:alpha:]` within a class, whose first bracket is already consumed.
    fn posix(&mut self) -> Result<bool, String> {
        let Some((name, after)) = self.rest.strip_prefix(':').and_then(|rest| rest.split_once(":]")) else {
            return Ok(false);
        };
        if !POSIX.contains(&name.trim_start_matches('^')) {
            return Err(format!("there is no class `[:{name}:]`"));
        }
        self.out.push_str(&format!("[:{name}:]"));
        self.rest = after;
        Ok(true)
    }
}

/// Whether `{…}` with this inside repeats what stands before it: `3`, `3,` or `3,5`.
fn is_repetition(inside: &str) -> bool {
    let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
    let digits = |text: &str| text.chars().all(|digit| digit.is_ascii_digit());
    !least.is_empty() && digits(least) && digits(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        compile(pattern).unwrap().is_match(text)
    }

    #[test]
    fn a_pattern_matches_the_whole_text_and_dots_match_newlines() {
        assert!(matches("a.c", "a\nc"));
        assert!(!matches("a", "ab"));
        assert!(matches("a|bc", "bc") && !matches("a|bc", "ac"));
        assert!(matches("", ""));
    }

    /// Go's `regexp/syntax` documentation says so of each.
    #[test]
    fn what_go_and_this_engine_write_differently_means_what_go_means() {
        assert!(
            matches(r"\d+\w\s", "12_ ")
                && !matches(r"\d", "٣")
                && !matches(r"\w", "é")
                && matches(r"\W", "é")
        );
        assert!(matches(r"[\d.]+", "1.5") && matches(r"[^\w]", "é") && matches(r"[\Da]", "é"));
        assert!(matches("a{b}", "a{b}") && matches("a{,3}", "a{,3}") && matches("a{2,}", "aaa"));
        assert!(matches("[[a]+", "[a[") && matches("[a&&b]+", "&ab") && matches("[a--]+", "a-"));
        assert!(matches("[]a]", "]") && matches("[^]a]", "b") && matches("[[:digit:]_]+", "1_"));
        assert!(matches(r"\Qa.b\E.", "a.bx") && !matches(r"\Qa.b\E", "axb"));
        assert!(matches(r"\<\>\-\_", "<>-_") && matches(r"\101\x42\x{43}", "ABC"));
        assert!(matches("(?i)abc", "ABC") && matches("(?P<x>a)(?<y>b)(?:c)", "abc"));
    }

    #[test]
    fn what_go_would_not_compile_is_refused() {
        for wrong in [r"(a)\1", r"\y", "a{1001}", "(?x)a", "(?=a)", "[a", "(", "a)", "[[:nothing:]]", r"a\"] {
            assert!(compile(wrong).is_err(), "{wrong}");
        }
        assert!(compile("(x{1000}){1000}").is_err());
    }
}
