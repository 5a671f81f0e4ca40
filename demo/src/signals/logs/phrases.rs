//! From what a service says to what it said: names filled in.

use std::fmt::Write as _;

use crate::history::PoolStep;
use crate::random::Random;

/// What is known where something is said.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Facts<'a> {
    /// Seconds.
    pub(super) took: f64,
    pub(super) callee: &'a str,
    pub(super) reason: &'a str,
    /// Seconds until who waits gives up.
    pub(super) patience: f64,
    pub(super) pool: PoolStep,
    pub(super) version: &'a str,
    pub(super) setting: &'a str,
    pub(super) value: &'a str,
}

const WORDS: [&str; 8] = ["shoes", "lamp", "tent", "books", "garden", "kettle", "bicycle", "coffee"];

/// The phrase with each `<name>` that is known replaced.
pub(super) fn filled(phrase: &str, facts: &Facts<'_>, random: &mut Random) -> String {
    let mut text = String::with_capacity(phrase.len() + 24);
    let mut rest = phrase;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        let Some((name, tail)) = after.split_once('>') else {
            text.push('<');
            rest = after;
            continue;
        };
        push(name, facts, random, &mut text);
        rest = tail;
    }
    text.push_str(rest);
    text
}

fn push(name: &str, facts: &Facts<'_>, random: &mut Random, text: &mut String) {
    let _ = match name {
        "id" => write!(text, "{}", 1_000 + random.below(9_000)),
        "user" => write!(text, "{}", 100_000 + random.below(900_000)),
        "order" => write!(text, "ord-{:08}", random.below(100_000_000)),
        "charge" => write!(text, "ch_{}", hex(random, 14)),
        "session" => write!(text, "{}", hex(random, 16)),
        "sku" => write!(text, "SKU-{}", 1_000 + random.below(9_000)),
        "zone" => {
            write!(text, "{}", ["DE-1", "DE-2", "EU-1", "EU-4", "UK"].get(random.below(5)).unwrap_or(&"EU-1"))
        }
        "template" => write!(
            text,
            "{}",
            ["confirmation", "invoice", "shipped"].get(random.below(3)).unwrap_or(&"invoice")
        ),
        "source" => write!(text, "{}", if random.unit() < 0.7 { "cache" } else { "database" }),
        "word" => write!(text, "{}", WORDS.get(random.below(WORDS.len())).unwrap_or(&"lamp")),
        "count" => write!(text, "{}", 1 + random.below(40)),
        "shard" => write!(text, "{}", random.below(6)),
        "status" => write!(text, "{}", [500, 502, 503].get(random.below(3)).unwrap_or(&500)),
        "amount" => write!(text, "{}.{:02}", 4 + random.below(300), random.below(100)),
        "ms" => write!(text, "{}", (facts.took * 1000.0) as u64),
        "patience" => write!(text, "{}ms", (facts.patience * 1000.0) as u64),
        "size" => write!(text, "{}", facts.pool.size),
        // Each who waits sees another queue.
        "waiting" => {
            write!(text, "{}", (f64::from(facts.pool.waiting) * random.between(0.7, 1.2)) as u64 + 1)
        }
        "callee" => write!(text, "{}", facts.callee),
        "reason" => write!(text, "{}", facts.reason),
        "version" => write!(text, "{}", facts.version),
        "setting" => write!(text, "{}", facts.setting),
        "value" => write!(text, "{}", facts.value),
        other => write!(text, "<{other}>"),
    };
}

/// So many hexadecimal digits.
pub(super) fn hex(random: &mut Random, count: usize) -> String {
    (0..count).map(|_| char::from_digit(random.below(16) as u32, 16).unwrap_or('0')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in_and_what_is_none_stays() {
        let facts = Facts { took: 1.5, callee: "payment", reason: "gone", ..Facts::default() };
        let mut random = Random::new(1, "test");
        let text = filled("<callee>: <reason> after <ms> ms, 1 < 2, <unnamed>", &facts, &mut random);
        assert_eq!(text, "payment: gone after 1500 ms, 1 < 2, <unnamed>");
    }
}
