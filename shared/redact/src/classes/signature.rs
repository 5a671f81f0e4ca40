//! Signatures of presigned addresses: whoever has one may do what was signed until it expires. AWS and Google name
//! theirs, a shared access signature of Azure is `sig` in a query, CloudFront says `Signature`.

use super::{Candidate, Class, Kind, Needs, Verdict};

pub(super) const ROWS: &[Class] = &[Class {
    name: "signature",
    kind: Kind::Credential,
    needs: Needs::OneOf(&["signature", "sig="]),
    pattern: r"(?x) (?: (?i-u: x-(?:amz|goog)-signature ) | [?&;,\x20] Signature | [?&;] sig ) =
        ( [A-Za-z0-9%+/_=~-]{32,} )",
    judge: Some(judge),
}];

fn judge(candidate: &Candidate<'_>) -> Verdict {
    let value = candidate.value;
    // `Signature=ALGORITHM_NAME` has no digits; a signature of 32 bytes without one is rarer than one in a hundred
    if value.contains(|c: char| c.is_ascii_digit()) {
        Verdict::Secret(value.len())
    } else {
        Verdict::Not(value.len())
    }
}
