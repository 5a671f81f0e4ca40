//! Words for what happened.

use contract::significant;

use crate::{
    analysis::volume::{Anomaly, Kind},
    model::Role,
};

/// A role as answers call it.
pub(super) fn role(role: Role) -> &'static str {
    match role {
        Role::Service => "service",
        Role::Level => "level",
        Role::Version => "version",
        Role::Pod => "pod",
        Role::Container => "container",
        Role::Host => "host",
        _ => "field",
    }
}

/// What happened, in one word.
pub(super) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Silence => "silence",
        Kind::Spike => "spike",
        Kind::Drop => "drop",
    }
}

/// How much: `×12`, `−80 %`, `none of 240`, `from nothing`.
pub(super) fn change(found: &Anomaly) -> String {
    let count = found.count as f64;
    match found.kind {
        Kind::Spike if found.expected < 1.0 => "from nothing".to_owned(),
        Kind::Spike => format!("×{}", significant((count / found.expected * 10.0).round() / 10.0)),
        Kind::Silence if found.count == 0 => format!("none of {:.0}", found.expected),
        Kind::Silence | Kind::Drop => {
            format!("−{:.0} %", (1.0 - count / found.expected.max(1.0)) * 100.0)
        }
    }
}

/// `1 spike`, `2 spikes`.
pub(super) fn counted(number: usize, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
}
