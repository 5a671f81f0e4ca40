//! Tokens of package registries: npm, PyPI (a macaroon, whose first bytes name the site), RubyGems, crates.io, Docker.

use super::{Candidate, Class, Kind, Needs, Verdict, has_a_digit, looks_random};

pub(super) const ROWS: &[Class] = &[
    Class {
        name: "npm-token",
        kind: Kind::Credential,
        needs: Needs::OneOf(&["npm_"]),
        pattern: r"npm_[A-Za-z0-9]{36}",
        judge: Some(has_a_digit),
    },
    Class {
        name: "pypi-token",
        kind: Kind::Credential,
        needs: Needs::OneOf(&["pypi-age"]),
        pattern: r"pypi-AgE[A-Za-z0-9_-]{50,}",
        judge: None,
    },
    Class {
        name: "registry-token",
        kind: Kind::Credential,
        needs: Needs::OneOf(&["rubygems_", "dckr_", "cio"]),
        pattern: r"rubygems_[0-9a-f]{48}|dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}|cio[A-Za-z0-9]{32}",
        judge: Some(is_one_of_a_registry),
    },
    Class {
        // What `docker login` and `.npmrc` keep: user and password in base64.
        name: "registry-token",
        kind: Kind::Credential,
        needs: Needs::OneOf(&["\"auth", "_auth"]),
        pattern: r#"(?x) (?: \\{0,4}" auth \\{0,4}" \s{0,4} : \s{0,4} \\{0,4}" | :?_auth \s{0,2} = \s{0,2} "? )
            ( [A-Za-z0-9+/]{8,} ={0,2} )"#,
        judge: Some(is_base64_of_a_login),
    },
];

fn is_one_of_a_registry(candidate: &Candidate<'_>) -> Verdict {
    if candidate.value.starts_with("cio") && !looks_random(candidate.value) {
        return Verdict::Not(candidate.value.len());
    }
    has_a_digit(candidate)
}

fn is_base64_of_a_login(candidate: &Candidate<'_>) -> Verdict {
    let value = candidate.value;
    if value.len().is_multiple_of(4) && looks_random(value) {
        return Verdict::Secret(value.len());
    }
    Verdict::Not(value.len())
}
