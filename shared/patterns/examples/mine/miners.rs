//! The miners that are compared, each with one configuration for everything.

use std::collections::BTreeMap;
use std::time::Instant;

use drain3::{Config, MaskingInstruction, Matcher};
use patterns::{Id, Tally, Template};

use crate::score::Mined;

/// Ours: both stages, or the first alone.
pub(crate) fn ours(lines: &[&str], merged: bool) -> Mined {
    let begun = Instant::now();
    let mut tally = Tally::default();
    let ids: Vec<Id> = lines.iter().map(|line| tally.add(line)).collect();
    let mut group_of: BTreeMap<Id, u64> = BTreeMap::new();
    let mut templates = BTreeMap::new();
    if merged {
        for pattern in tally.patterns() {
            let group = pattern.id().number();
            templates.insert(group, pattern.text().to_owned());
            group_of.extend(pattern.members().iter().map(|member| (*member, group)));
        }
    } else {
        for one in tally.templates() {
            let group = one.template.id().number();
            templates.insert(group, one.template.text().to_owned());
            group_of.insert(one.template.id(), group);
        }
    }
    let groups = ids.iter().map(|id| group_of[id]).collect();
    Mined { groups, templates, seconds: begun.elapsed().as_secs_f64() }
}

/// Seconds of `Template::of` alone.
pub(crate) fn first_stage_alone(lines: &[&str]) -> f64 {
    let begun = Instant::now();
    for line in lines {
        std::hint::black_box(Template::of(std::hint::black_box(line)));
    }
    begun.elapsed().as_secs_f64()
}

/// The crate drain3 with its defaults, except that long lines are accepted: with its limits of 1,024 bytes and 64
/// tokens the first longer line ends it.
pub(crate) fn drain(lines: &[&str], masked: bool) -> Result<Mined, drain3::Error> {
    let masking = if masked { masks() } else { Vec::new() };
    let mut matcher =
        Matcher::new(Config { max_bytes: 1 << 20, max_tokens: 10_000, masking, ..Config::default() });
    let begun = Instant::now();
    let (mut groups, mut last) = (Vec::with_capacity(lines.len()), BTreeMap::new());
    for line in lines {
        let template = matcher.add_log_message(line)?;
        groups.push(template.id() as u64);
        last.insert(template.id() as u64, template);
    }
    let seconds = begun.elapsed().as_secs_f64();
    let templates = last.iter().map(|(group, template)| (*group, text(template))).collect();
    Ok(Mined { groups, templates, seconds })
}

/// The masks of the example configuration of logpai/Drain3, without look-around.
fn masks() -> Vec<MaskingInstruction> {
    let masks = [
        r"\b([0-9a-f]{2}:){5,}[0-9a-f]{2}\b",
        r"\b\d{1,3}(\.\d{1,3}){3}\b",
        r"\b[0-9a-f]{6,}( [0-9a-f]{6,})*\b",
        r"\b0x[a-fA-F0-9]+\b",
        r"\b[+-]?\d+\b",
    ];
    masks.map(|pattern| MaskingInstruction { pattern: pattern.to_owned(), mask: "<*>".to_owned() }).to_vec()
}

fn text(template: &drain3::Template) -> String {
    let mut words = template.tokens().iter();
    let token = |at| if template.is_param(at) { "<*>" } else { words.next().map_or("", |word| word) };
    (0..template.token_count()).map(token).collect::<Vec<_>>().join(" ")
}
