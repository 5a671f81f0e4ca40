//! Cookies: a session is a credential. The name of the first cookie stays; attributes of `Set-Cookie` (RFC 6265) stay.

use super::{Candidate, Class, Kind, Needs, Verdict};

/// The names of RFC 6265 and its successors that say something about a cookie.
const ATTRIBUTES: &[&str] =
    &["path", "domain", "expires", "max-age", "samesite", "priority", "partitioned", "secure", "httponly"];

pub(super) const ROWS: &[Class] = &[
    Class {
        name: "cookie",
        kind: Kind::Credential,
        needs: Needs::OneOf(&["cookie"]),
        pattern: r#"(?x) (?i-u: cookie ) [\]"'\\]{0,6} [\x20\t]{0,4} (?: => | [:=] ) [\x20\t]{0,4} [\[("'\\]{0,6}
            [A-Za-z0-9!\#$%&*+.^_|~-]{1,64} = ( [^\s"';,\\\])]{4,} )"#,
        judge: Some(judge),
    },
    Class {
        // The sessions of servlet containers and PHP, also in paths (`;jsessionid=`).
        name: "cookie",
        kind: Kind::Credential,
        needs: Needs::OneOf(&["jsessionid", "phpsessid", "asp.net_sessionid", "connect.sid"]),
        pattern: r"(?x) (?i-u: jsessionid | phpsessid | asp\.net_sessionid | connect\.sid ) [=:] \x20?
            ( [A-Za-z0-9._%!+/-]{8,} )",
        judge: None,
    },
];

/// From the first value to the last cookie that is not an attribute.
fn judge(candidate: &Candidate<'_>) -> Verdict {
    let first = candidate.value.len();
    let after = candidate.after;
    let end = after.find(['"', '\'', '\\', '\n', '\r', ',', ']', ')']).unwrap_or(after.len());
    let header = after.get(..end).unwrap_or_default();
    let mut length = 0;
    let mut read = 0;
    for piece in header.split(';') {
        read += piece.len();
        if is_cookie(piece) {
            length = read;
        }
        read += 1;
    }
    Verdict::Secret(first + length)
}

/// `name=value` that is no attribute; what stands before the first `;` still belongs to the first value.
fn is_cookie(piece: &str) -> bool {
    let trimmed = piece.trim();
    let Some((name, value)) = trimmed.split_once('=') else { return false };
    !value.is_empty()
        && !name.contains(char::is_whitespace)
        && !value.contains(char::is_whitespace)
        && !ATTRIBUTES.contains(&name.to_ascii_lowercase().as_str())
}
