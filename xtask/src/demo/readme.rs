//! The part of README.md that shows what the demo shows.

use std::error::Error;
use std::fs;
use std::path::Path;

use super::Played;

const BEGIN: &str = "<!-- demo: begin -->\n";
const END: &str = "<!-- demo: end -->";

/// Each call with its verdict, the first line of its answer. The whole answers are what the command prints.
pub(crate) fn section(played: &[Played]) -> String {
    let mut text = String::from("```text\n");
    for one in played {
        let verdict = one.text.lines().next().unwrap_or_default();
        text.push_str(&format!("# {}\n▶ {}\n  {verdict}\n", one.why, one.call));
    }
    text.push_str("```\n");
    text
}

pub(crate) fn write(root: &Path, section: &str) -> Result<(), Box<dyn Error>> {
    let path = root.join("README.md");
    let text = fs::read_to_string(&path)?;
    let (before, old, after) = split(&text)?;
    if old != section {
        fs::write(&path, format!("{before}{BEGIN}{section}{END}{after}"))?;
    }
    Ok(())
}

pub(crate) fn check(root: &Path, section: &str) -> Result<(), Box<dyn Error>> {
    let text = fs::read_to_string(root.join("README.md"))?;
    let (_, old, _) = split(&text)?;
    if old == section {
        return Ok(());
    }
    eprintln!("README.md shows\n{old}\nbut the demo says\n{section}");
    Err("find the demo's verdicts in README.md; `cargo xtask demo --write` writes them".into())
}

/// What is before, between and after the markers.
fn split(text: &str) -> Result<(&str, &str, &str), Box<dyn Error>> {
    let missing = || format!("find {} and {END} in README.md", BEGIN.trim());
    let (before, rest) = text.split_once(BEGIN).ok_or_else(missing)?;
    let (section, after) = rest.split_once(END).ok_or_else(missing)?;
    Ok((before, section, after))
}
