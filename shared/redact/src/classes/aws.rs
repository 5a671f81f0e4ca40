//! Keys of Amazon Web Services. Identifiers of keys begin with `AKIA` (long-term), `ASIA` (temporary), `ABIA` (bearer)
//! or `ACCA` (context-specific); roles and users (`AROA…`, `AIDA…`) are names, not keys (IAM guide, "Understanding
//! unique ID prefixes"). A secret key has no form of its own: forty characters of base64 beside a key that names it
//! or beside an identifier.

use super::{Candidate, Class, Kind, Needs, Verdict, stands_alone};

pub(super) const ROWS: &[Class] = &[
    Class {
        name: "aws-key-id",
        kind: Kind::Credential,
        needs: Needs::OneOf(&["akia", "asia", "abia", "acca"]),
        pattern: r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}",
        judge: Some(stands_alone),
    },
    Class {
        name: "aws-secret-key",
        kind: Kind::Credential,
        needs: Needs::OneOf(&["aws", "secretaccesskey"]),
        pattern: r#"(?x) (?i-u: aws_?secret_?(?:access_?)?key | secretaccesskey ) [\]"'\\]{0,6}
            [\x20\t]{0,4} (?: => | := | [:=] ) [\x20\t]{0,4} [\["'\\]{0,6} ( [A-Za-z0-9/+=]{30,} )"#,
        judge: None,
    },
    Class {
        name: "aws-secret-key",
        kind: Kind::Credential,
        needs: Needs::OneOf(&["akia", "asia", "<aws-key-id:"]),
        pattern: r#"(?x) (?: (?:AKIA|ASIA)[A-Z0-9]{16} | <aws-key-id:[0-9a-f]{4}> ) ["'\\]{0,2} [\x20\t]{0,4}
            [:,;|/] [\x20\t]{0,4} ["'\\]{0,2} ( [A-Za-z0-9/+]{40} )"#,
        judge: Some(beside_its_identifier),
    },
];

/// Forty characters of base64 that are not forty of hexadecimal, which would be a hash.
fn beside_its_identifier(candidate: &Candidate<'_>) -> Verdict {
    let value = candidate.value;
    let has_both_cases =
        value.contains(|c: char| c.is_ascii_uppercase()) && value.contains(|c: char| c.is_ascii_lowercase());
    let goes_on = candidate.after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/' || c == '+');
    if has_both_cases && !goes_on { Verdict::Secret(value.len()) } else { Verdict::Not(value.len()) }
}
