//! Words for what happened.

use contract::{Untrusted, significant};

use crate::{
    analysis::volume::{Anomaly, FEWEST, Kind},
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

/// A value with its role, a service by its name alone.
pub(super) fn value((of, value): &(Role, Untrusted)) -> String {
    match of {
        Role::Service => value.shown(60),
        of => format!("{} {}", role(*of), value.shown(60)),
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

/// How much: `×12`, `−80 %`, `none of 240`, `from nothing`. A multiple of next to nothing is no number of any use.
pub(super) fn change(found: &Anomaly) -> String {
    let count = found.count as f64;
    match found.kind {
        Kind::Spike if found.expected < 1.0 => "from nothing".to_owned(),
        Kind::Spike if found.expected < FEWEST => "from almost nothing".to_owned(),
        Kind::Spike => format!("×{}", significant((count / found.expected * 10.0).round() / 10.0)),
        Kind::Silence if found.count == 0 => format!("none of {:.0}", found.expected),
        Kind::Silence | Kind::Drop => {
            let less = (1.0 - count / found.expected.max(1.0)) * 100.0;
            // Only none is 100 % less.
            let less = if found.count > 0 && less > 99.0 { 99.0 } else { less };
            format!("−{less:.0} %")
        }
    }
}

/// Records that are usual, as cells show them: to a tenth, for they are a mean.
pub(super) fn usual(expected: f64) -> f64 {
    (expected * 10.0).round() / 10.0
}

/// A length of time that is not negative, in words; clocks differ.
pub(super) fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    // Less than a second is no nothing.
    contract::duration_text(if seconds < 1.0 { seconds } else { seconds.round() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_second_is_not_none() {
        let told = [-1.0, 0.4, 1.4, 89.9].map(duration);
        assert_eq!(told, ["0ms", "400ms", "1s", "1m30s"]);
    }

    #[test]
    fn a_multiple_is_told_only_of_what_there_was() {
        let change = |kind, count, expected| {
            super::change(&Anomaly { kind, from: 0, to: 10, count, expected, score: 20.0 })
        };
        assert_eq!(change(Kind::Spike, 120, 10.0), "×12");
        // 0.02 a minute in half an hour
        assert_eq!(change(Kind::Spike, 12, 0.6), "from nothing");
        assert_eq!(change(Kind::Spike, 300, 4.8), "from almost nothing");
        assert_eq!(change(Kind::Drop, 10, 40.0), "−75 %");
        assert_eq!(change(Kind::Silence, 0, 240.0), "none of 240");
        assert_eq!(change(Kind::Silence, 1, 450.0), "−99 %");
    }
}
