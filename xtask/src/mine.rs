//! `cargo xtask mine FILE`: the log pattern miner on any text file, so that anyone can score it on their own logs.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::PathBuf;

use patterns::{Id, Pattern, Tally};

/// The arguments of `cargo xtask mine`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A text file, one record a line. Bytes that are no UTF-8 are read as U+FFFD.
    file: PathBuf,
}

/// Prints one line for each line of the file.
pub(crate) fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let bytes =
        std::fs::read(&args.file).map_err(|error| format!("read {}: {error}", args.file.display()))?;
    match write(&bytes, &mut BufWriter::new(std::io::stdout().lock())) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done.map_err(|error| format!("write the patterns: {error}").into()),
    }
}

fn write(bytes: &[u8], out: &mut impl Write) -> std::io::Result<()> {
    let mut tally = Tally::default();
    let ids: Vec<Id> = lines(bytes).map(|line| tally.add(&String::from_utf8_lossy(line))).collect();
    let patterns = tally.patterns();
    let covering = |pattern: &'_ Pattern| pattern.members().iter().copied().collect::<Vec<_>>();
    let by_member: BTreeMap<Id, &Pattern> = patterns
        .iter()
        .flat_map(|pattern| covering(pattern).into_iter().map(move |member| (member, pattern)))
        .collect();
    for id in ids {
        if let Some(pattern) = by_member.get(&id) {
            writeln!(out, "{id}\t{}\t{}", pattern.id(), visible(pattern.text()))?;
        }
    }
    out.flush()
}

/// The lines of a file: ended by LF or CRLF, the last one perhaps by neither.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ended = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let count = if bytes.is_empty() { 0 } else { usize::MAX };
    ended.split(|byte| *byte == b'\n').take(count)
}

/// Control characters as escapes: one template is one field of one line, and nothing for a terminal to obey.
fn visible(text: &str) -> String {
    let shown =
        |letter: char| if letter.is_control() { letter.escape_default().to_string() } else { letter.into() };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mined(bytes: &[u8]) -> Vec<Vec<String>> {
        let mut out = Vec::new();
        write(bytes, &mut out).unwrap();
        let fields = |line: &str| line.split('\t').map(str::to_owned).collect();
        String::from_utf8(out).unwrap().lines().map(fields).collect()
    }

    #[test]
    fn every_line_of_any_text_has_three_fields() {
        let rows = mined(b"a 1\r\n\n\xff 2\n{\"k\tl\x1b\":1}\na 3");
        let told: Vec<&str> = rows.iter().map(|row| row[2].as_str()).collect();
        assert_eq!(told, ["a <*>", "", "\u{fffd} <*>", "{\"k\\tl\\u{1b}\":<*>}", "a <*>"]);
        assert!(rows.iter().all(|row| row.len() == 3 && row[0].len() == 16 && row[0] == row[1]));
        assert_eq!(rows[0], rows[4]);
        assert!(mined(b"").is_empty());
        assert_eq!(mined(b"\n").len(), 1);
    }

    #[test]
    fn merged_lines_share_the_second_field_and_keep_the_first() {
        let rows = mined(b"login of alice failed\nlogin of bob failed\nlogin of eve failed\n");
        assert!(rows.iter().all(|row| row[1] == rows[0][1] && row[2] == "login of <*> failed"));
        assert!(rows[0][0] != rows[1][0] && rows[1][0] != rows[2][0]);
    }
}
