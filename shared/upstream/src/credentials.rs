//! The credentials of a source, so that no reply carries them back: a backend, or who answers in its place, may repeat a
//! header in an error page, and its text goes into answers and logs.

use std::fmt;

use bytes::Bytes;
use memchr::memmem;

/// Shorter ones are words that occur everywhere; hiding them would only garble replies.
const SHORTEST: usize = 6;
const SHOWN: &[u8] = b"<credential>";

/// What was sent to sign in.
#[derive(Clone, Default)]
pub(crate) struct Credentials(Vec<Vec<u8>>);

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} credentials", self.0.len())
    }
}

impl Credentials {
    /// Keeps a secret as it is, and as JSON may write it: with `"`, `\` and `/` escaped, and with `<`, `>` and `&` as
    /// numbers, which is Go's way, or every other character as one.
    pub(crate) fn add(&mut self, secret: &str) {
        if secret.len() < SHORTEST {
            return;
        }
        let escaped = secret.replace('\\', "\\\\").replace('"', "\\\"");
        let of_go = ['<', '>', '&'].iter().fold(escaped.clone(), |text, character| {
            text.replace(*character, &format!("\\u{:04x}", u32::from(*character)))
        });
        let of_php = escaped.replace('/', "\\/");
        for form in [secret.to_owned(), escaped, of_go, of_php] {
            if !self.0.contains(&form.clone().into_bytes()) {
                self.0.push(form.into_bytes());
            }
        }
    }

    /// The body without them; the same bytes where there is none, which is nearly always.
    pub(crate) fn hidden(&self, body: Bytes) -> Bytes {
        self.0.iter().fold(body, |body, secret| {
            let mut places = memmem::find_iter(&body, secret).peekable();
            if places.peek().is_none() {
                return body;
            }
            let mut hidden = Vec::with_capacity(body.len());
            let mut from = 0;
            for place in places {
                hidden.extend_from_slice(body.get(from..place).unwrap_or_default());
                hidden.extend_from_slice(SHOWN);
                from = place + secret.len();
            }
            hidden.extend_from_slice(body.get(from..).unwrap_or_default());
            Bytes::from(hidden)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_occurrence_is_hidden_and_other_bytes_stay_the_same() {
        let mut credentials = Credentials::default();
        ["hunter2hunter2", "secret", "tiny"].into_iter().for_each(|secret| credentials.add(secret));
        for (body, hidden) in [
            ("hunter2hunter2", "<credential>"),
            ("a hunter2hunter2 b secret c secret", "a <credential> b <credential> c <credential>"),
            ("hunter2 is not it, tiny is too short", "hunter2 is not it, tiny is too short"),
            ("", ""),
        ] {
            assert_eq!(credentials.hidden(Bytes::from(body)), Bytes::from(hidden));
        }
        assert_eq!(format!("{credentials:?}"), "2 credentials");
    }

    /// `json.dumps` of Python and `json.Marshal` of Go write this password so.
    #[test]
    fn a_secret_within_json_is_hidden_too() {
        let mut credentials = Credentials::default();
        credentials.add("p\"a\\ss<word>&/1");
        for body in [
            r#"{"error":"wrong p\"a\\ss<word>&/1"}"#,
            r#"{"error":"wrong p\"a\\ss\u003cword\u003e\u0026/1"}"#,
            r#"{"error":"wrong p\"a\\ss<word>&\/1"}"#,
        ] {
            let hidden = credentials.hidden(Bytes::from(body));
            assert_eq!(hidden, Bytes::from(r#"{"error":"wrong <credential>"}"#), "{body}");
        }
    }
}
