//! Tokens such as `<email:7f3a>` that a caller gives back in a query: replaced, on the way out only, by what they stand for.
//!
//! A token counts only within a string. There its value is written so that it stays one value: escaped for the string, and
//! for the regular expression or the replacement of one where the string is that.

use std::borrow::Cow;

use contract::Context;

use crate::error::{Error, RejectionKind};

/// The query or selector as it is sent.
///
/// # Errors
/// `BadData` for a token within a string that this caller was not shown by this process.
pub fn given_back<'q>(cx: &Context, system: &str, promql: &'q str) -> Result<Cow<'q, str>, Error> {
    if !promql.contains('<') {
        return Ok(Cow::Borrowed(promql));
    }
    let mut sent = String::with_capacity(promql.len());
    let mut place = Place::default();
    let mut rest = promql;
    while let Some(open) = rest.find(['"', '\'', '`', '#']) {
        let (before, from) = rest.split_at(open);
        sent.push_str(before);
        place.read(before);
        if from.starts_with('#') {
            let end = from.find('\n').unwrap_or(from.len());
            let (comment, after) = from.split_at(end);
            sent.push_str(comment);
            rest = after;
            continue;
        }
        let end = string_end(from);
        let (string, after) = from.split_at(end);
        sent.push_str(&resolved(cx, system, string, place.role())?);
        place.after_string();
        rest = after;
    }
    sent.push_str(rest);
    Ok(Cow::Owned(sent))
}

/// What a string is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Text,
    Pattern,
    /// What `label_replace` writes, in which `$` refers to a group.
    Replacement,
}

/// Where in a query a string stands, as far as its role depends on it.
#[derive(Default)]
struct Place {
    /// Open brackets: whether they are those of `label_replace`, and the commas since.
    open: Vec<(bool, usize)>,
    /// The word just read, which a bracket makes a function's name.
    word: String,
    is_word_over: bool,
    is_matched: bool,
}

impl Place {
    /// Reads what stands between two strings.
    fn read(&mut self, code: &str) {
        for c in code.chars() {
            let is_of_word = c.is_ascii_alphanumeric() || c == '_' || c == ':';
            match c {
                '(' => self.open.push((self.word == "label_replace", 0)),
                '{' | '[' => self.open.push((false, 0)),
                ')' | '}' | ']' => drop(self.open.pop()),
                ',' => {
                    if let Some((_, commas)) = self.open.last_mut() {
                        *commas += 1;
                    }
                }
                _ => {}
            }
            if is_of_word && std::mem::take(&mut self.is_word_over) || !(is_of_word || c.is_whitespace()) {
                self.word.clear();
            }
            if is_of_word {
                self.word.push(c);
            }
            self.is_word_over |= c.is_whitespace();
            self.is_matched = if c.is_whitespace() { self.is_matched } else { c == '~' };
        }
    }

    fn after_string(&mut self) {
        (self.is_matched, self.is_word_over) = (false, false);
        self.word.clear();
    }

    /// Of a string that stands here.
    fn role(&self) -> Role {
        match self.open.last() {
            _ if self.is_matched => Role::Pattern,
            Some((true, 2)) => Role::Replacement,
            Some((true, 4)) => Role::Pattern,
            _ => Role::Text,
        }
    }
}

/// Where the string that `text` begins with ends, in bytes.
fn string_end(text: &str) -> usize {
    let mut characters = text.char_indices();
    let Some((_, quote)) = characters.next() else { return 0 };
    while let Some((at, character)) = characters.next() {
        if character == quote {
            return at + 1;
        }
        if character == '\\' && quote != '`' {
            characters.next();
        }
    }
    text.len()
}

fn resolved(cx: &Context, system: &str, string: &str, role: Role) -> Result<String, Error> {
    let quote = string.chars().next().unwrap_or('"');
    let write = |value: &str| {
        let value = match role {
            Role::Text => value.to_owned(),
            Role::Pattern => pattern(value),
            Role::Replacement => value.replace('$', "$$"),
        };
        // A raw string has no escapes: what it can't hold does not stay within it, so the query is refused by its reader.
        if quote == '`' { value } else { value.replace('\\', "\\\\").replace(quote, &format!("\\{quote}")) }
    };
    let found = cx.intake.resolve(string, &write);
    let raw_breaks = quote == '`' && found.text.matches('`').count() != string.matches('`').count();
    match found.left.first() {
        None if !raw_breaks => Ok(found.text),
        _ => {
            let token = found.left.first().map_or("", |left| left.token.as_str());
            Err(Error::Rejected {
                system: system.to_owned(),
                status: 400,
                kind: RejectionKind::BadData,
                message: cx.intake.text(&format!(
                    "the token {token} stands for nothing here: only tokens of e-mail addresses and the like that this \
                     server showed you since it started can be given back"
                )),
                position: None,
                retry_after: None,
            })
        }
    }
}

/// A regular expression that matches exactly this text.
fn pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii_punctuation() && character != '_' {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use contract::Intake;
    use jiff::Timestamp;
    use redact::{CustomClass, Redactor, RedactorConfig, Rules, Vault};

    use super::*;

    fn cx() -> Context {
        let redactor = Redactor::new(RedactorConfig { key: [7; 32], enabled: true });
        let intake = Intake::new(redactor).remembering(Vault::new(), "anna".to_owned());
        Context { intake, ..Context::for_test(Timestamp::UNIX_EPOCH) }
    }

    #[test]
    fn a_token_within_a_string_becomes_its_value_as_the_place_demands() {
        let cx = cx();
        let token = cx.intake.text("ada.l@example.com").inside().to_owned();
        assert!(token.starts_with("<email:"), "{token}");
        for (given, sent) in [
            ("up{user=\"TOKEN\"}", "up{user=\"ada.l@example.com\"}"),
            ("up{user=~'TOKEN|x'}", "up{user=~'ada\\\\.l\\\\@example\\\\.com|x'}"),
            ("up{user!~`TOKEN`}", "up{user!~`ada\\.l\\@example\\.com`}"),
            ("up{a=\"\\\"TOKEN\"} # TOKEN", "up{a=\"\\\"ada.l@example.com\"} # TOKEN"),
            (
                "label_replace(up{a=\"TOKEN\"}, \"TOKEN\", \"TOKEN\", \"TOKEN\", \"TOKEN\")",
                "label_replace(up{a=\"ada.l@example.com\"}, \"ada.l@example.com\", \"ada.l@example.com\", \
                 \"ada.l@example.com\", \"ada\\\\.l\\\\@example\\\\.com\")",
            ),
            (
                "sum(label_replace ( x{a=\"(\"}[1h], 'b', 'c', 'd',# a comment, with one\n 'TOKEN|x')) by (\"TOKEN\")",
                "sum(label_replace ( x{a=\"(\"}[1h], 'b', 'c', 'd',# a comment, with one\n \
                 'ada\\\\.l\\\\@example\\\\.com|x')) by (\"ada.l@example.com\")",
            ),
            ("label_join(up, 'a', 'b', 'c', 'TOKEN')", "label_join(up, 'a', 'b', 'c', 'ada.l@example.com')"),
            ("up{a=~ # why\n 'TOKEN'}", "up{a=~ # why\n 'ada\\\\.l\\\\@example\\\\.com'}"),
            ("a < b", "a < b"),
            ("a{b=\"x\"} < 5", "a{b=\"x\"} < 5"),
        ] {
            let given = given.replace("TOKEN", &token);
            let sent = sent.replace("TOKEN", &token);
            assert_eq!(given_back(&cx, "p", &given).unwrap(), sent, "{given}");
        }
    }

    #[test]
    fn within_a_replacement_a_dollar_refers_to_nothing() {
        let account = CustomClass { name: "account".to_owned(), pattern: r"acct\$\d+".to_owned() };
        let rules = Rules { custom: vec![account], ..Rules::default() };
        let config = RedactorConfig { key: [7; 32], enabled: true };
        let redactor = Redactor::with_rules(config, &rules).unwrap();
        let intake = Intake::new(redactor).remembering(Vault::new(), "anna".to_owned());
        let cx = Context { intake, ..Context::for_test(Timestamp::UNIX_EPOCH) };
        let token = cx.intake.text("acct$1").inside().to_owned();
        assert!(token.starts_with("<account:"), "{token}");
        // Go's regexp.Expand, which Prometheus uses, writes `$` for `$$`.
        for (given, sent) in [
            (
                "label_replace(up, 'a', 'TOKEN', 'b', '(.*)')",
                "label_replace(up, 'a', 'acct$$1', 'b', '(.*)')",
            ),
            (
                "label_replace(up, 'a', 'x-$1-TOKEN', 'b', '(.*)')",
                "label_replace(up, 'a', 'x-$1-acct$$1', 'b', '(.*)')",
            ),
            ("label_replace(up, 'a', '$1', 'b', 'TOKEN')", "label_replace(up, 'a', '$1', 'b', 'acct\\\\$1')"),
            ("up{a='TOKEN'}", "up{a='acct$1'}"),
        ] {
            assert_eq!(given_back(&cx, "p", &given.replace("TOKEN", &token)).unwrap(), sent, "{given}");
        }
    }

    #[test]
    fn a_token_that_was_not_shown_is_refused_and_named() {
        let error = given_back(&cx(), "p", "up{user=\"<email:7f3a>\"}").unwrap_err().to_string();
        assert!(error.contains("<email:7f3a>"), "{error}");
    }
}
