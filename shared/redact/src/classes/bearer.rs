//! Credentials in an `Authorization` header, and `Bearer` outside of one: in a log line it is as often a word of the
//! message as the scheme of a token.

use super::{Candidate, Class, Kind, Needs, Verdict, looks_random};

/// Schemes (RFC 9110 and its registry) after which parameters follow instead of a token.
const SCHEMES: &[&str] = &[
    "digest",
    "negotiate",
    "bearer",
    "basic",
    "token",
    "apikey",
    "hawk",
    "mutual",
    "oauth",
    "aws4-hmac-sha256",
];

pub(super) const ROWS: &[Class] = &[
    Class {
        // A header says what it holds: no judge.
        name: "bearer",
        kind: Kind::Credential,
        needs: Needs::OneOf(&["authorization"]),
        pattern: r#"(?x) (?i-u: authorization ) [\]"'\\]{0,6} [\x20\t]{0,4} (?: => | [:=] ) [\x20\t]{0,4}
            [\[("'\\]{0,6} (?i-u: bearer | basic ) [\x20\t]{1,4} ( [^\s"'`,;<>()\[\]{}\\]{8,} )"#,
        judge: None,
    },
    Class {
        name: "bearer",
        kind: Kind::Credential,
        needs: Needs::OneOf(&["bearer", "authorization"]),
        pattern: r#"(?x) (?i-u: bearer
                | authorization [\]"'\\]{0,6} [\x20\t]{0,4} [:=] [\x20\t]{0,4} ["'\\]{0,6} (?: token | api-?key ) )
            [\x20\t]{1,4} ( [A-Za-z0-9._~+/|-]{8,} =* )"#,
        judge: Some(judge),
    },
    Class {
        // `proxy_set_header Authorization "Basic …"` and other lists of arguments.
        name: "bearer",
        kind: Kind::Credential,
        needs: Needs::OneOf(&["authorization"]),
        pattern: r#"(?x) (?i-u: authorization ) ["']? ,? \x20{1,2} ["'] (?i-u: bearer | basic ) \x20
            ( [^\s"'`,;<>()\[\]{}\\]{8,} )"#,
        judge: None,
    },
    Class {
        // Without a scheme.
        name: "bearer",
        kind: Kind::Credential,
        needs: Needs::OneOf(&["authorization"]),
        pattern: r#"(?x) (?i-u: authorization ) [\]"'\\]{0,6} [\x20\t]{0,4} (?: => | [:=] ) [\x20\t]{0,4}
            [\[("'\\]{0,6} ( [A-Za-z0-9._~+/|-]{16,} =* )"#,
        judge: Some(judge_without_scheme),
    },
];

/// `Bearer authentication failed` and `Bearer realm="x"` hold no token.
fn judge(candidate: &Candidate<'_>) -> Verdict {
    let value = candidate.value;
    let is_parameter = value.ends_with('=') && candidate.after.starts_with('"');
    if is_parameter || !looks_random(value) {
        return Verdict::Not(value.len());
    }
    Verdict::Secret(value.len())
}

/// `Authorization: AWS4-HMAC-SHA256 Credential=…` begins with a scheme.
fn judge_without_scheme(candidate: &Candidate<'_>) -> Verdict {
    let is_scheme = SCHEMES.contains(&candidate.value.to_ascii_lowercase().as_str());
    // a path, an address, an API group: `authorization.k8s.io/v1`
    let is_name = candidate.value.contains("://") || candidate.value.starts_with('/');
    if is_scheme || is_name { Verdict::Not(candidate.value.len()) } else { judge(candidate) }
}
