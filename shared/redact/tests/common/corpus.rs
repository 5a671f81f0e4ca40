//! The labelled corpus: templates in `tests/corpus/*.txt`, filled with values from documented forms by a generator with
//! a fixed seed. No value is anybody's, and none stands in the repository in one piece.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, reason = "each test binary uses some of these")]

use crate::values::{Random, value};

const CONTEXTS: &str = include_str!("../corpus/contexts.txt");
const POSITIVES: &str = include_str!("../corpus/positives.txt");
const NEGATIVES: &str = include_str!("../corpus/negatives.txt");

/// Classes whose secrets have a form of their own, with the generators of their values.
const FORMS: &[(&str, &[&str])] = &[
    ("jwt", &["jwt", "jwe"]),
    ("private-key", &["pem", "pem_line"]),
    ("aws-key-id", &["aws_id"]),
    ("google-key", &["google", "ya29", "gocspx"]),
    ("github-token", &["github", "github_fine"]),
    ("gitlab-token", &["gitlab", "gitlab_routable"]),
    ("slack-token", &["slack", "slack_app"]),
    ("stripe-key", &["stripe", "whsec"]),
    ("npm-token", &["npm"]),
    ("pypi-token", &["pypi"]),
    ("registry-token", &["docker", "rubygems"]),
    ("vendor-key", &["openai", "anthropic", "grafana", "vault", "digitalocean", "sendgrid"]),
    ("email", &["email"]),
    ("card", &["card16", "card15", "card_grouped"]),
    ("iban", &["iban", "iban_grouped"]),
];

/// A text with one secret: `before` ‖ `secret` ‖ `after`.
pub(crate) struct Positive {
    pub(crate) class: String,
    pub(crate) before: String,
    pub(crate) secret: String,
    pub(crate) after: String,
    pub(crate) held_out: bool,
}

impl Positive {
    pub(crate) fn text(&self) -> String {
        format!("{}{}{}", self.before, self.secret, self.after)
    }
}

/// A text without a secret.
pub(crate) struct Negative {
    pub(crate) kind: &'static str,
    pub(crate) text: String,
    pub(crate) held_out: bool,
}

/// Every secret of its own form in every context, and every template of the others with two values.
pub(crate) fn positives() -> Vec<Positive> {
    let mut random = Random(1);
    let mut all = Vec::new();
    for (number, context) in lines(CONTEXTS) {
        for (class, generators) in FORMS {
            let generator = generators[number / 2 % generators.len()];
            let template = context.replace("[[]]", &format!("[[{{{generator}}}]]"));
            all.push(positive(class, &template, number, &mut random));
        }
    }
    for (number, line) in lines(POSITIVES) {
        let (class, template) = line.split_once(" | ").unwrap();
        for _ in 0..2 {
            all.push(positive(class, template, number, &mut random));
        }
    }
    all
}

/// The hand-written lines, and generated ids, hashes, numbers, names and log lines.
pub(crate) fn negatives() -> Vec<Negative> {
    let mut all: Vec<Negative> = lines(NEGATIVES)
        .map(|(number, text)| Negative {
            kind: "written",
            text: text.to_owned(),
            held_out: number.is_multiple_of(2),
        })
        .collect();
    let mut random = Random(2);
    for (kind, template) in crate::hard::TEMPLATES {
        for number in 0..crate::hard::EACH {
            let text = fill(&unescaped(template), &mut random);
            all.push(Negative { kind, text, held_out: number.is_multiple_of(2) });
        }
    }
    all
}

fn positive(class: &str, template: &str, number: usize, random: &mut Random) -> Positive {
    let (before, rest) = template.split_once("[[").unwrap();
    let (secret, after) = rest.split_once("]]").unwrap();
    let part = |text: &str, random: &mut Random| fill(&unescaped(text), random);
    Positive {
        class: class.to_owned(),
        before: part(before, random),
        secret: part(secret, random),
        after: part(after, random),
        held_out: number.is_multiple_of(2),
    }
}

/// Lines that say something, with their numbers.
fn lines(file: &'static str) -> impl Iterator<Item = (usize, &'static str)> {
    file.lines()
        .filter(|line| !line.starts_with("# ") || line.starts_with("# HELP") || line.starts_with("# TYPE"))
        .enumerate()
}

fn unescaped(text: &str) -> String {
    text.replace('⏎', "\n").replace('→', "\t")
}

/// Names in braces become values; braces around anything else stay.
fn fill(template: &str, random: &mut Random) -> String {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, from)) = rest.split_once('{') {
        filled.push_str(before);
        let name_ends = from.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(from.len());
        match (from[name_ends..].starts_with('}'), value(&from[..name_ends], random)) {
            (true, Some(value)) => {
                filled.push_str(&value);
                rest = &from[name_ends + 1..];
            }
            _ => {
                filled.push('{');
                rest = from;
            }
        }
    }
    filled + rest
}

/// The second look: what was not thought of when the patterns were written.
pub(crate) fn fresh() -> (Vec<Positive>, Vec<Negative>) {
    let mut random = Random(3);
    let (mut positives, mut negatives) = (Vec::new(), Vec::new());
    for (number, line) in lines(include_str!("../corpus/fresh.txt")) {
        match line.split_once(" | ").unwrap() {
            ("none", text) => {
                let text = fill(&unescaped(text), &mut random);
                negatives.push(Negative { kind: "fresh", text, held_out: true });
            }
            (class, template) => positives.push(positive(class, template, number, &mut random)),
        }
    }
    (positives, negatives)
}
