//! `time=… level=error msg="…" service=cart`: logfmt, as Go's `slog`, logrus and many others write it.

use super::Prefix;
use crate::{analysis::fields::rank, model::Role};

/// Pairs of a line that are looked at.
const MOST: usize = 64;
/// What pairs may tell besides what was said.
const AROUND: [Role; 11] = [
    Role::Time,
    Role::Level,
    Role::Service,
    Role::Version,
    Role::Namespace,
    Role::Pod,
    Role::Container,
    Role::Host,
    Role::Trace,
    Role::Span,
    Role::Ingested,
];

/// A pair, and where it stands.
#[derive(Debug, Clone, Copy)]
struct Pair<'a> {
    key: &'a str,
    /// Without quotation marks around it.
    value: &'a str,
    is_quoted: bool,
    begins: usize,
    ends: usize,
}

impl Pair<'_> {
    fn plays(&self, role: Role) -> bool {
        rank(role, self.key).is_some()
    }

    fn is_around(&self) -> bool {
        AROUND.into_iter().any(|role| self.plays(role))
    }
}

/// The pairs of a line; none unless all of it is pairs, with a message and a time or a level.
fn pairs(line: &str) -> Vec<Pair<'_>> {
    let mut found: Vec<Pair<'_>> = Vec::new();
    let mut at = 0;
    while let Some(rest) = line.get(at..).filter(|rest| !rest.trim().is_empty()) {
        let begins = at + (rest.len() - rest.trim_start_matches(' ').len());
        let Some(pair) = pair(line, begins).filter(|_| found.len() < MOST) else { return Vec::new() };
        at = pair.ends;
        found.push(pair);
    }
    let has = |role: Role| found.iter().any(|pair| pair.plays(role));
    if has(Role::Message) && (has(Role::Time) || has(Role::Level)) { found } else { Vec::new() }
}

fn pair(line: &str, begins: usize) -> Option<Pair<'_>> {
    let rest = line.get(begins..)?;
    let (key, after) = rest.split_once('=')?;
    let is_key = !key.is_empty()
        && key.len() <= 80
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.@/-".contains(&byte));
    let value_at = begins + key.len() + 1;
    let quoted = after.strip_prefix('"');
    let (value, ends) = match quoted {
        None => {
            let value = after.split(' ').next().unwrap_or_default();
            (value, value_at + value.len())
        }
        Some(quoted) => {
            let mut escaped = false;
            let end = quoted.bytes().position(|byte| {
                let closes = byte == b'"' && !escaped;
                escaped = byte == b'\\' && !escaped;
                closes
            })?;
            (quoted.get(..end)?, value_at + end + 2)
        }
    };
    let parted = line.get(ends..)?;
    let is_pair = is_key && (parted.is_empty() || parted.starts_with(' '));
    is_pair.then_some(Pair { key, value, is_quoted: quoted.is_some(), begins, ends })
}

/// What stands around the message: the pairs before the first and after the last one that tell more than who wrote the
/// line, when and how bad. Of a message alone its key and quotation marks are around it too.
pub(super) fn prefix(line: &str) -> Option<Prefix<'_>> {
    let pairs = pairs(line);
    let first = pairs.iter().position(|pair| !pair.is_around())?;
    let last = pairs.iter().rposition(|pair| !pair.is_around())?;
    let (begin, end) = (pairs.get(first)?, pairs.get(last)?);
    let (length, ends) = if first == last && begin.plays(Role::Message) {
        let quote = usize::from(begin.is_quoted);
        (begin.ends - begin.value.len() - quote, begin.ends - quote)
    } else {
        (begin.begins, end.ends)
    };
    Some(Prefix { length, tail: line.len() - ends, ..Prefix::default() })
}

/// What the pairs of a message's first line say of who wrote it.
pub(crate) fn roles(message: &str) -> impl Iterator<Item = (Role, &str)> {
    let pairs = pairs(message.lines().next().unwrap_or_default());
    let role = |pair: &Pair<'_>| AROUND.into_iter().find(|role| pair.plays(*role));
    let told = pairs.into_iter().filter(|pair| !pair.value.is_empty());
    told.filter_map(move |pair| Some((role(&pair)?, pair.value)))
        .filter(|(role, _)| !matches!(role, Role::Time | Role::Level | Role::Ingested))
}
