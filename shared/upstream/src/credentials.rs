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
    pub(crate) fn add(&mut self, secret: &str) {
        if secret.len() >= SHORTEST {
            self.0.push(secret.as_bytes().to_vec());
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
}
