//! Text of a caller on its way into a query of any backend: as it was written, for evidence, and with the tokens that the caller was shown
//! (`<email:7f3a>`) replaced by what they stand for, on the way out only.

use contract::{Intake, ToolError};

/// For whom a query is written.
#[derive(Clone, Copy)]
pub(crate) enum Given<'a> {
    /// For evidence: tokens stay.
    Shown,
    /// For the cluster.
    Sent(&'a Intake),
}

impl Given<'_> {
    /// A value that stands for itself.
    ///
    /// # Errors
    /// When it holds a token that this caller was not shown.
    pub(crate) fn value(self, text: &str) -> Result<String, ToolError> {
        self.resolved(text, &str::to_owned)
    }

    /// Part of a message as it was read: a token that can't be resolved stays what it is.
    pub(crate) fn fragment(self, text: &str) -> String {
        self.value(text).unwrap_or_else(|_| text.to_owned())
    }

    /// Text in Lucene's syntax: outside of quotes a value is written as a quoted phrase, within it is escaped, so that it
    /// stays one value.
    ///
    /// # Errors
    /// As [`Given::value`].
    pub(crate) fn lucene(self, text: &str) -> Result<String, ToolError> {
        if !text.contains('<') {
            return Ok(text.to_owned());
        }
        let mut written = String::with_capacity(text.len());
        for (part, quoted) in parts(text) {
            let write = |value: &str| {
                let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
                if quoted { escaped } else { format!("\"{escaped}\"") }
            };
            written.push_str(&self.resolved(part, &write)?);
        }
        Ok(written)
    }

    /// KQL, where a token stands within a string. A value that could end the string stays a token, which matches nothing.
    ///
    /// # Errors
    /// As [`Given::value`].
    pub(crate) fn kql(self, text: &str) -> Result<String, ToolError> {
        let plain = |value: &str| {
            !value.contains(['\'', '"', '\\', '`', '~']) && !value.chars().any(char::is_control)
        };
        self.resolved(text, &|value| if plain(value) { value.to_owned() } else { "<value>".to_owned() })
    }

    fn resolved(self, text: &str, write: &dyn Fn(&str) -> String) -> Result<String, ToolError> {
        let Given::Sent(intake) = self else { return Ok(text.to_owned()) };
        let resolved = intake.resolve(text, write);
        match resolved.left.first() {
            None => Ok(resolved.text),
            Some(left) => Err(ToolError::invalid(
                "query",
                &format!(
                    "the token {} stands for nothing here: only tokens of e-mail addresses and the like that this server \
                     showed you since it started can be given back",
                    left.token
                ),
            )),
        }
    }
}

/// The text in pieces, each with whether it stands within double quotes.
fn parts(text: &str) -> Vec<(&str, bool)> {
    let mut parts = Vec::new();
    let (mut from, mut quoted, mut escaped) = (0, false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => {
                parts.push((text.get(from..at).unwrap_or_default(), quoted));
                (from, quoted) = (at, !quoted);
            }
            _ => {}
        }
    }
    parts.push((text.get(from..).unwrap_or_default(), quoted));
    parts
}

#[cfg(test)]
mod tests {
    use redact::{Redactor, RedactorConfig, Vault};

    use super::*;

    fn intake() -> Intake {
        let redactor = Redactor::new(RedactorConfig { key: [7; 32], enabled: true });
        Intake::new(redactor).remembering(Vault::new(), "anna".to_owned())
    }

    #[test]
    fn a_token_becomes_one_value_wherever_it_stands() {
        let intake = intake();
        let token = intake.text("ada.l@example.com").inside().to_owned();
        for (given, sent) in [
            ("user:TOKEN", "user:\"ada.l@example.com\""),
            ("\"mail to TOKEN\" AND x", "\"mail to ada.l@example.com\" AND x"),
            ("\\\"TOKEN", "\\\"\"ada.l@example.com\""),
            ("a:<5 b", "a:<5 b"),
        ] {
            let given = given.replace("TOKEN", &token);
            assert_eq!(Given::Sent(&intake).lucene(&given).unwrap(), sent, "{given}");
            assert_eq!(Given::Shown.lucene(&given).unwrap(), given);
        }
        assert_eq!(Given::Sent(&intake).value(&token).unwrap(), "ada.l@example.com");
    }

    #[test]
    fn a_token_that_was_not_shown_is_named() {
        let error = Given::Sent(&intake()).lucene("user:<email:7f3a>").unwrap_err();
        assert!(error.to_string().contains("<email:7f3a>"), "{error}");
    }
}
