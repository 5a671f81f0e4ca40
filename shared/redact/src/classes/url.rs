//! `scheme://user:PASSWORD@host` and its like without a scheme: only the password is masked, so that the host stays
//! evidence.

use super::pair::is_placeholder;
use super::{Candidate, Class, Kind, Needs, Verdict};

pub(super) const ROWS: &[Class] = &[
    Class {
        name: "url-password",
        kind: Kind::Credential,
        needs: Needs::OneOf(&["://"]),
        pattern: r#"(?x) [A-Za-z] [A-Za-z0-9+.-]* :// [^\s/?\#:@\["'`<>]* : ( [^\s/"'`]+ ) @"#,
        judge: Some(judge),
    },
    Class {
        // A slash that should have been escaped; the first part is not a number, so this is no port and path.
        name: "url-password",
        kind: Kind::Credential,
        needs: Needs::OneOf(&["://"]),
        pattern: r#"(?x) [A-Za-z] [A-Za-z0-9+.-]* :// [^\s/?\#:@\["'`<>]* :
            ( [^\s/@"'`<>]* [^\s/@"'`<>0-9] [^\s/@"'`<>]* / [^\s@"'`<>]* ) @"#,
        judge: Some(judge),
    },
    Class {
        // `user:PASSWORD@tcp(host:3306)/db` of Go's MySQL driver.
        name: "url-password",
        kind: Kind::Credential,
        needs: Needs::OneOf(&["@tcp(", "@unix(", "@tcp6("]),
        pattern: r#"(?x) [A-Za-z0-9_.+-]{1,64} : ( [^\s"'`]{1,128}? ) @ (?:tcp6?|unix)\("#,
        judge: Some(judge),
    },
    Class {
        // `user/PASSWORD@host:1521/service` of Oracle, `user:PASSWORD@host:port/db` without its scheme.
        name: "url-password",
        kind: Kind::Credential,
        needs: Needs::OneOf(&["@"]),
        pattern: r#"(?x) (?-u:\b) [A-Za-z][A-Za-z0-9_]{0,30} (?: : ([^\s"'`:/@<>]{3,64}) | / ([^\s"'`:/@<>]{3,64}) )
            @ /{0,2} [A-Za-z0-9.-]{1,128} : [0-9]{2,5} / [A-Za-z0-9_]"#,
        judge: Some(judge_without_scheme),
    },
];

/// `http://host:8080?to=a@b` has a port, `http://$USER:$PASSWORD@host` a placeholder.
fn judge(candidate: &Candidate<'_>) -> Verdict {
    let value = candidate.value;
    let after_number = value.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_port = after_number.len() < value.len() && after_number.starts_with(['?', '#']);
    if is_port || is_placeholder(value) {
        return Verdict::Not(value.len());
    }
    Verdict::Secret(value.len())
}

/// Within a URL or a path the same signs mean something else: `https://cdn.example/npm/pkg@host:443/x`.
fn judge_without_scheme(candidate: &Candidate<'_>) -> Verdict {
    let is_in_a_path = candidate.before.ends_with(['/', ':', '@', '.', '-']);
    if is_in_a_path { Verdict::Not(candidate.value.len()) } else { judge(candidate) }
}
