//! One reply of one replica: to its JSON, or to the reason why there is none.

use contract::{Context, Untrusted};
use serde::de::DeserializeOwned;
use serde_json::Value;
use upstream::{Endpoint, Reply, Upstream, UpstreamError};

/// Characters of a foreign error message that are shown.
const SHOWN: usize = 200;
/// Bytes of an error body that are looked at.
const LOOKED_AT: usize = 4096;

/// What a replica answered, and everything needed to read it.
pub(crate) struct Received<'a> {
    pub(crate) cx: &'a Context,
    pub(crate) replica: &'a Upstream,
    pub(crate) endpoint: Endpoint,
    pub(crate) reply: Reply,
}

impl Received<'_> {
    /// The JSON of a successful reply.
    ///
    /// # Errors
    /// `Status` for any other status than 200, with what the body says; `Protocol` for a page or for JSON of
    /// another shape.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, UpstreamError> {
        if self.reply.status != 200 {
            return Err(UpstreamError::Status {
                system: self.replica.system().to_owned(),
                status: self.reply.status,
                detail: self.detail(),
                retry_after: self.reply.retry_after,
            });
        }
        if self.is_page() {
            return Err(self.protocol("an HTML page instead of JSON"));
        }
        serde_json::from_slice(&self.reply.body).map_err(|error| {
            // The message may quote a value of the reply.
            let why = self.cx.intake.text(&error.to_string()).shown(SHOWN);
            self.protocol(&format!("something else than the API promises: {why}"))
        })
    }

    /// A reply that is not what the API promises; `what` reads after "answered with" and must be ready to show.
    pub(crate) fn protocol(&self, what: &str) -> UpstreamError {
        UpstreamError::Protocol {
            system: self.replica.system().to_owned(),
            problem: format!("{} answered with {what}", self.endpoint),
        }
    }

    pub(crate) fn text(&self, raw: Option<String>) -> Untrusted {
        self.cx.intake.text(raw.as_deref().unwrap_or_default())
    }

    pub(crate) fn some_text(&self, raw: Option<String>) -> Option<Untrusted> {
        raw.filter(|raw| !raw.is_empty()).map(|raw| self.cx.intake.text(&raw))
    }

    /// An id that may stand in an answer as it is. Fingerprints and UUIDs are not masked (sixteen digits may look
    /// like a card number, and an id must stay what it is); anything else must be a plain name.
    ///
    /// # Errors
    /// `Protocol`.
    pub(crate) fn identifier(&self, field: &str, raw: Option<&str>) -> Result<String, UpstreamError> {
        let raw = raw.unwrap_or_default();
        let hexadecimal = raw.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        if hexadecimal && (1..=64).contains(&raw.len()) {
            return Ok(raw.to_owned());
        }
        let text = self.cx.intake.text(raw);
        let unusable = || self.protocol(&format!("an unusable {field}: {}", text.shown(40)));
        text.plain().map(str::to_owned).ok_or_else(unusable)
    }

    /// What an error body says: Alertmanager sends a JSON string or an object with `message`, Mimir plain text,
    /// proxies pages, and some send nothing.
    fn detail(&self) -> String {
        if self.is_page() {
            return ", with an HTML page".to_owned();
        }
        let body = self.reply.body.get(..LOOKED_AT).unwrap_or(&self.reply.body);
        let plain = String::from_utf8_lossy(body);
        let message = match serde_json::from_slice(body) {
            Ok(Value::String(text)) => text,
            Ok(Value::Object(fields)) => {
                let said = ["message", "error"].iter().find_map(|name| fields.get(*name)?.as_str());
                said.unwrap_or(&plain).to_owned()
            }
            _ => plain.into_owned(),
        };
        let message = message.trim();
        if message.is_empty() {
            String::new()
        } else {
            format!(": {}", self.cx.intake.text(message).shown(SHOWN))
        }
    }

    fn is_page(&self) -> bool {
        let begins = self.reply.body.iter().find(|byte| !byte.is_ascii_whitespace());
        self.reply.content_type.to_ascii_lowercase().starts_with("text/html") || begins == Some(&b'<')
    }
}
