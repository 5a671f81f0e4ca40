//! Lines of log with known templates, from `systems.txt`.

use fastrand::Rng;

use crate::values::value;

const SYSTEMS: &str = include_str!("systems.txt");

/// One kind of software.
pub(crate) struct System {
    pub(crate) name: &'static str,
    /// Not looked at while the miner was tuned.
    pub(crate) held_out: bool,
    header: &'static str,
    messages: Vec<&'static str>,
}

/// A line, and what it was made from.
pub(crate) struct Line {
    /// The message alone.
    pub(crate) message: String,
    /// With what the software or its log daemon puts in front.
    pub(crate) whole: String,
    /// The number of its template.
    pub(crate) template: usize,
}

impl System {
    /// Every system of the file.
    pub(crate) fn all() -> Vec<System> {
        let mut systems: Vec<System> = Vec::new();
        for line in SYSTEMS.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")) {
            let title = line.strip_prefix('[').and_then(|rest| rest.split_once("] "));
            match (title, systems.last_mut()) {
                (Some((name, role @ ("tuning" | "held-out"))), _) => {
                    let held_out = role == "held-out";
                    systems.push(System { name, held_out, header: "", messages: Vec::new() });
                }
                (_, Some(system)) => match line.strip_prefix("header: ") {
                    Some(header) => system.header = header,
                    None => system.messages.push(line),
                },
                (_, None) => {}
            }
        }
        systems
    }

    /// The messages' templates, slots as `<*>`.
    pub(crate) fn templates(&self) -> Vec<String> {
        self.messages.iter().map(|message| fill(message, &mut |_| "<*>".to_owned())).collect()
    }

    /// So many lines. How often a template comes falls with its rank (Zipf), which the seed decides.
    pub(crate) fn lines(&self, count: usize, seed: u64) -> Vec<Line> {
        let mut rng =
            Rng::with_seed(seed ^ self.name.bytes().fold(7, |sum, byte| sum * 31 + u64::from(byte)));
        let mut ranked: Vec<usize> = (0..self.messages.len()).collect();
        rng.shuffle(&mut ranked);
        let total: f64 = (1..=ranked.len()).map(|rank| 1.0 / rank as f64).sum();
        let line = |_| {
            let mut left = rng.f64() * total;
            let rank = (1..=ranked.len()).find(|rank| {
                left -= 1.0 / *rank as f64;
                left <= 0.0
            });
            let template = ranked[rank.unwrap_or(1) - 1];
            let message = fill(self.messages[template], &mut |slot| drawn(slot, &mut rng));
            let whole = fill(self.header, &mut |slot| drawn(slot, &mut rng)) + &message;
            Line { message, whole, template }
        };
        (0..count).map(line).collect()
    }
}

/// A value of a slot: one of its words, or drawn by its name.
fn drawn(slot: &str, rng: &mut Rng) -> String {
    let words: Vec<&str> = slot.split('|').collect();
    if words.len() > 1 {
        words[rng.usize(0..words.len())].to_owned()
    } else {
        value(slot, rng).unwrap_or_default()
    }
}

/// `text` with every slot replaced. Other braces are the software's own.
fn fill(text: &str, replace: &mut dyn FnMut(&str) -> String) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(open) = rest.find('{') {
        let (head, tail) = rest.split_at(open);
        out.push_str(head);
        let inner = tail[1..].split('}').next().unwrap_or_default();
        let choice = inner.contains('|') && !inner.contains(['"', '{']);
        if choice || value(inner, &mut Rng::with_seed(0)).is_some() {
            out.push_str(&replace(inner));
            rest = &tail[inner.len() + 2..];
        } else {
            out.push('{');
            rest = &tail[1..];
        }
    }
    out + rest
}
