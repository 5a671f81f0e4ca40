//! `snapshot.toml`: what was recorded, and which moment counts as now.

use jiff::Timestamp;
use serde::Deserialize;

use crate::SnapshotError;

pub(crate) const FILE: &str = "snapshot.toml";

/// What a snapshot says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Identity, such as `checkout-incident`.
    pub id: String,
    /// For people.
    pub title: String,
    /// The moment at which questions are answered.
    pub now: Timestamp,
    /// What was recorded.
    pub window: Window,
}

/// A recorded stretch of time, `[start, end]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// First recorded moment.
    pub start: Timestamp,
    /// Last recorded moment.
    pub end: Timestamp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    title: String,
    now: String,
    window: WrittenWindow,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenWindow {
    start: String,
    end: String,
}

/// Reads the manifest.
pub(crate) fn parse(text: &str) -> Result<Manifest, SnapshotError> {
    let written: Written = toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() as u64 + 1;
        SnapshotError::line(FILE, line, error.message().to_owned())
    })?;
    let wrong = |key: &str, problem: String| SnapshotError::line(FILE, line_of(text, key), problem);
    let moment = |key: &str, text: &str| -> Result<Timestamp, SnapshotError> {
        let problem = || format!("`{key}` is not a moment in RFC 3339, such as 2026-01-14T14:32:00Z");
        text.parse().map_err(|_| wrong(key, problem()))
    };
    let window = Window {
        start: moment("window.start", &written.window.start)?,
        end: moment("window.end", &written.window.end)?,
    };
    let now = moment("now", &written.now)?;
    if window.start >= window.end {
        return Err(wrong("window.end", "`window.end` is not after `window.start`".to_owned()));
    }
    if now < window.start || now > window.end {
        return Err(wrong("now", "`now` lies outside `window`: nothing would be recent".to_owned()));
    }
    if written.id.trim().is_empty() {
        return Err(wrong("id", "`id` is empty".to_owned()));
    }
    Ok(Manifest { id: written.id, title: written.title, now, window })
}

/// The line of a key, which is written by itself or inside `window = { … }`.
fn line_of(text: &str, key: &str) -> u64 {
    let key = key.rsplit('.').next().unwrap_or(key);
    let is_key = |line: &str| {
        let mut words = line.split(|c: char| c.is_whitespace() || "={,".contains(c));
        words.any(|word| word == key)
    };
    text.lines().position(is_key).map_or(1, |place| place as u64 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "id = \"a\"\ntitle = \"A\"\nnow = \"2026-01-14T14:32:00Z\"\n\
                        window = { start = \"2026-01-14T12:00:00Z\", end = \"2026-01-14T14:32:00Z\" }\n";

    #[test]
    fn a_manifest_says_what_was_recorded() {
        let manifest = parse(GOOD).unwrap();
        assert_eq!((manifest.id.as_str(), manifest.title.as_str()), ("a", "A"));
        assert_eq!(manifest.now.as_second(), 1_768_401_120);
    }

    #[test]
    fn mistakes_are_named() {
        let cases = [
            (GOOD.replace("now =", "know ="), "snapshot.toml line 3: unknown field `know`"),
            (
                GOOD.replace("14:32:00Z\"\nwindow", "soon\"\nwindow"),
                "snapshot.toml line 3: `now` is not a moment",
            ),
            (GOOD.replace("12:00:00Z", "23:00:00Z"), "snapshot.toml line 4: `window.end` is not after"),
            (
                GOOD.replace("now = \"2026-01-14", "now = \"2027-01-14"),
                "snapshot.toml line 3: `now` lies outside `window`",
            ),
            ("id = ".to_owned(), "snapshot.toml line 1: "),
            (String::new(), "missing field `id`"),
        ];
        for (text, expected) in cases {
            let error = parse(&text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}\nexpected {expected}");
        }
    }
}
