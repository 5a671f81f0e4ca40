//! Addresses of IPv4 and IPv6, only for an operator who wants them masked: in most investigations they are evidence.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Candidate, Class, Kind, Needs, Verdict};

pub(super) const ROWS: &[Class] = &[Class {
    name: "ip",
    kind: Kind::Personal,
    needs: Needs::AddressesWanted,
    pattern: r"(?x) [0-9]{1,3} (?: \.[0-9]{1,3} ){3}
        | [0-9A-Fa-f]{0,4} (?: :[0-9A-Fa-f]{0,4} ){2,7} (?: [0-9]{1,3} (?: \.[0-9]{1,3} ){3} )?",
    judge: Some(judge),
}];

/// An address that names nobody (loopback, unspecified, a mask) stays; so does a version of four numbers.
fn judge(candidate: &Candidate<'_>) -> Verdict {
    let value = candidate.value;
    let continues = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let after = candidate.after.trim_start_matches('.');
    let is_a_piece = candidate.before.ends_with(continues)
        || candidate.before.ends_with(':')
        || candidate.after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        || (after.len() < candidate.after.len() && after.starts_with(|c: char| c.is_ascii_digit()));
    let names_somebody = match (value.parse::<Ipv4Addr>(), value.parse::<Ipv6Addr>()) {
        (Ok(v4), _) => {
            !(v4.is_loopback() || v4.is_unspecified() || v4.is_broadcast() || v4.octets()[0] == 255)
        }
        (_, Ok(v6)) => !(v6.is_loopback() || v6.is_unspecified()),
        _ => false,
    };
    if is_a_piece || !names_somebody || is_version(candidate) {
        return Verdict::Not(value.len());
    }
    Verdict::Secret(value.len())
}

/// `version 1.2.3.4`, `v=1.2.3.4`, `Chrome/120.0.6099.109`.
fn is_version(candidate: &Candidate<'_>) -> bool {
    let from = candidate.before.ceil_char_boundary(candidate.before.len().saturating_sub(12));
    let before = candidate.before.get(from..).unwrap_or_default().to_ascii_lowercase();
    let is_product =
        before.ends_with('/') && before.trim_end_matches('/').ends_with(|c: char| c.is_ascii_alphabetic());
    is_product || before.trim_end_matches([' ', '=', ':', '"']).ends_with("version")
}
