//! How well groups and templates agree with the truth.

use std::collections::BTreeMap;

/// What a miner made of some lines.
pub(crate) struct Mined {
    /// The group of each line.
    pub(crate) groups: Vec<u64>,
    /// The template of each group.
    pub(crate) templates: BTreeMap<u64, String>,
    /// For all lines.
    pub(crate) seconds: f64,
}

/// Measures between 0 and 1.
#[derive(Clone, Copy, Default)]
pub(crate) struct Score {
    /// Grouping accuracy (Zhu et al. 2019): the share of lines in a group that holds exactly the lines of one true
    /// template.
    pub(crate) ga: f64,
    /// F1 of groups (Jiang et al. 2024): correct groups among those found and among the true ones.
    pub(crate) fga: f64,
    /// F1 of templates (Khan et al. 2022): the same for groups that also have the true text.
    pub(crate) fta: f64,
}

/// Compares with the truth: the number of the template of each line, and the templates' texts.
pub(crate) fn score(mined: &Mined, truth: &[usize], templates: &[String]) -> Score {
    let lines_of = |groups: &mut dyn Iterator<Item = u64>| {
        let mut lines: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        groups.enumerate().for_each(|(at, group)| lines.entry(group).or_default().push(at));
        lines
    };
    let found = lines_of(&mut mined.groups.iter().copied());
    let real = lines_of(&mut truth.iter().map(|template| *template as u64));
    let (mut lines, mut groups, mut texts) = (0, 0, 0);
    for (group, members) in &found {
        let template = truth[members[0]];
        if real[&(template as u64)] == *members {
            lines += members.len();
            groups += 1;
            texts += usize::from(normal(&mined.templates[group]) == normal(&templates[template]));
        }
    }
    let f1 = |correct: usize| 2.0 * correct as f64 / (found.len() + real.len()) as f64;
    Score { ga: lines as f64 / truth.len() as f64, fga: f1(groups), fta: f1(texts) }
}

/// Templates that differ only in how much of a token is a wildcard are equal: the rules of Khan et al. (2022), in short.
/// A token with a wildcard or of digits alone is a wildcard, and so are wildcards that separators part; quotation marks around
/// one do not count.
pub(crate) fn normal(template: &str) -> String {
    let delimiter = |letter: char| letter.is_whitespace() || ",!;:=|\"'[](){}".contains(letter);
    let mut out = String::new();
    let mut token = String::new();
    for letter in template.chars().chain([' ']) {
        if !delimiter(letter) {
            token.push(letter);
            continue;
        }
        let core = token.trim_end_matches('.');
        let digits = !core.is_empty() && core.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if token.contains("<*>") || digits {
            out.push_str("<*>")
        } else {
            out.push_str(&token)
        }
        token.clear();
        if !(letter.is_whitespace() && out.ends_with(' ')) {
            out.push(if letter.is_whitespace() { ' ' } else { letter });
        }
    }
    for separators in [" ", ", ", ",", ":", "/", "; ", ";", " - ", "", "\", \"", "', '"] {
        let pair = format!("<*>{separators}<*>");
        while out.contains(&pair) {
            out = out.replace(&pair, "<*>");
        }
    }
    out.replace("\"<*>\"", "<*>").trim().to_owned()
}
