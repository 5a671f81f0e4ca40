//! From a reply to its data, or to what the system says instead.

use std::borrow::Cow;

use contract::Context;
use serde::{Deserialize, de::IgnoredAny};
use upstream::{Reply, UpstreamError};

use crate::{
    error::{Error, RejectionKind, position},
    wire::{Text, or_default},
};

/// The longest message of a system that is taken in; the rest says nothing new.
const LONGEST_MESSAGE: usize = 4_000;

/// The longest part of a page or plain text that is shown in an error.
const SHOWN: usize = 200;

/// What every reply is wrapped in.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct Envelope<'a, T> {
    #[serde(borrow, default)]
    status: Option<Text<'a>>,
    #[serde(default = "nothing")]
    data: Option<T>,
    #[serde(borrow, default, rename = "errorType")]
    error_type: Option<Text<'a>>,
    #[serde(borrow, default)]
    error: Option<Text<'a>>,
    /// What gateways write instead of `error`.
    #[serde(borrow, default)]
    message: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    warnings: Vec<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    infos: Vec<Text<'a>>,
    /// VictoriaMetrics' way to say that a storage node did not answer.
    #[serde(default, rename = "isPartial", deserialize_with = "or_default")]
    partial: bool,
}

fn nothing<T>() -> Option<T> {
    None
}

/// The data of a successful reply with what was said about it.
#[derive(Debug)]
pub(crate) struct Opened<'a, T> {
    pub(crate) data: T,
    pub(crate) warnings: Vec<Text<'a>>,
    pub(crate) infos: Vec<Text<'a>>,
}

/// The text of a reply. Bytes that are no UTF-8 (some systems pass label values through as they came) are
/// replaced, so that one bad value does not cost the whole reply.
pub(crate) fn text(reply: &Reply) -> Cow<'_, str> {
    String::from_utf8_lossy(&reply.body)
}

/// Opens a reply. `text` is what [`text`] gave for it; the data borrows from it.
///
/// # Errors
/// [`Error::Rejected`] with what the system said, `Status` when a proxy or gateway spoke instead, `Protocol` for
/// a success that holds no data of this kind.
pub(crate) fn open<'a, T: Deserialize<'a> + Default>(
    cx: &Context,
    system: &str,
    reply: &Reply,
    text: &'a str,
) -> Result<Opened<'a, T>, Error> {
    if reply.status >= 400 {
        return Err(refusal(cx, system, reply, text));
    }
    if is_page(reply, text) {
        return Err(protocol(system, login_page(cx, text)));
    }
    let envelope: Envelope<'a, T> =
        serde_json::from_str(text).map_err(|error| protocol(system, undecodable(reply, text, &error)))?;
    let status = envelope.status.map(|status| status.0).unwrap_or_default();
    if status == "error" {
        return Err(refusal(cx, system, reply, text));
    }
    let mut warnings = envelope.warnings;
    if envelope.partial {
        let partial = "the reply is partial (isPartial): not every storage node answered";
        warnings.push(Text(Cow::Borrowed(partial)));
    }
    match envelope.data {
        Some(data) => Ok(Opened { data, warnings, infos: envelope.infos }),
        None if status == "success" => Ok(Opened { data: T::default(), warnings, infos: envelope.infos }),
        None => Err(protocol(system, "the reply holds neither data nor an error".to_owned())),
    }
}

pub(crate) fn protocol(system: &str, problem: String) -> Error {
    Error::Upstream(UpstreamError::Protocol { system: system.to_owned(), problem })
}

/// What a reply with an error status means.
fn refusal(cx: &Context, system: &str, reply: &Reply, text: &str) -> Error {
    let envelope: Option<Envelope<'_, IgnoredAny>> = serde_json::from_str(text).ok();
    if let Some(envelope) = envelope {
        let from_the_api =
            envelope.error_type.is_some() || envelope.status.is_some_and(|status| status.0 == "error");
        let message = envelope.error.or(envelope.message).unwrap_or_default();
        if from_the_api {
            let named = envelope.error_type.as_ref().map(|name| name.0.as_ref());
            return rejected(cx, system, reply, named, &message.0);
        }
        return status(cx, system, reply, &message.0);
    }
    if is_page(reply, text) {
        return status(cx, system, reply, title(text).unwrap_or_default());
    }
    // Mimir answers some limits in plain text, with the same ids.
    if text.contains("err-mimir-") {
        return rejected(cx, system, reply, None, text.trim());
    }
    status(cx, system, reply, text.trim().lines().next().unwrap_or_default())
}

fn rejected(cx: &Context, system: &str, reply: &Reply, named: Option<&str>, message: &str) -> Error {
    let message = head(message, LONGEST_MESSAGE);
    Error::Rejected {
        system: system.to_owned(),
        status: reply.status,
        kind: RejectionKind::of(named, reply.status, message, |name| cx.intake.text(name)),
        message: cx.intake.text(message),
        position: position(message),
        retry_after: reply.retry_after,
    }
}

fn status(cx: &Context, system: &str, reply: &Reply, said: &str) -> Error {
    let said = head(said, LONGEST_MESSAGE);
    let detail =
        if said.is_empty() { String::new() } else { format!(": {}", cx.intake.text(said).shown(SHOWN)) };
    Error::Upstream(UpstreamError::Status {
        system: system.to_owned(),
        status: reply.status,
        detail,
        retry_after: reply.retry_after,
    })
}

fn undecodable(reply: &Reply, text: &str, error: &serde_json::Error) -> String {
    let body = text.trim_start();
    if body.is_empty() {
        return "the reply is empty".to_owned();
    }
    if !body.starts_with('{') {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/;=.+- ".contains(&byte);
        let named = !reply.content_type.is_empty() && reply.content_type.bytes().all(plain);
        let kind = if named { head(&reply.content_type, 60) } else { "of an unknown kind" };
        return format!("the reply is {kind}, not a JSON object");
    }
    if error.is_eof() {
        return format!("the reply ends in the middle, after {} bytes", text.len());
    }
    // serde's own words may quote the reply, so only the place is told.
    let what = if error.is_syntax() { "broken JSON" } else { "JSON of another form than the API promises" };
    format!("the reply is {what} (line {}, column {})", error.line(), error.column())
}

fn login_page(cx: &Context, text: &str) -> String {
    let titled = title(text)
        .map(|title| format!(" titled {}", cx.intake.text(title).shown(SHOWN)))
        .unwrap_or_default();
    format!("a web page{titled} came instead of JSON; a login page or a proxy answered")
}

fn is_page(reply: &Reply, text: &str) -> bool {
    let html = reply.content_type.to_ascii_lowercase().contains("html");
    let start = head(text.trim_start(), 20).to_ascii_lowercase();
    html && !start.starts_with('{') || start.starts_with("<!doctype") || start.starts_with("<html")
}

/// What is between `<title>` and `</title>` near the start of a page.
fn title(page: &str) -> Option<&str> {
    let page = head(page, 8_192);
    // ASCII lower case keeps every byte in its place.
    let lower = page.to_ascii_lowercase();
    let tag = lower.find("<title")?;
    let start = tag + lower.get(tag..)?.find('>')? + 1;
    let end = start + lower.get(start..)?.find("</title")?;
    page.get(start..end).map(str::trim).filter(|title| !title.is_empty())
}

/// The first `most` bytes, ending at a character's end.
fn head(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_of_a_page_is_found_however_it_is_written() {
        let cases = [
            ("<html><head><title>502 Bad Gateway</title></head>", Some("502 Bad Gateway")),
            ("<!DOCTYPE html><TITLE lang=\"en\">\n Sign in \n</TITLE>", Some("Sign in")),
            ("<html><title></title>", None),
            ("<html><title>never ends", None),
            ("<html><title", None),
            ("<title>é</title>", Some("é")),
            ("", None),
        ];
        for (page, expected) in cases {
            assert_eq!(title(page), expected, "{page}");
        }
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(head("añb", 2), "a");
        assert_eq!(head("añb", 3), "añ");
        assert_eq!(head("añb", 30), "añb");
    }
}
