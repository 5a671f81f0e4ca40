//! docs/security.md against the tests it names: each file is there, and so is each test of it that is named.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::Failure;

const CONTROLS: &str = "docs/security.md";

/// Files and tests that are named and are not there.
pub(crate) fn problems(root: &Path) -> Result<Vec<String>, Failure> {
    let mut files = Vec::new();
    for room in ["servers", "shared"] {
        collect(&root.join(room), &mut files)?;
    }
    let mut sources = Vec::new();
    for file in files {
        sources.push((file.display().to_string(), fs::read_to_string(&file)?));
    }
    Ok(missing(&crate::read(root, CONTROLS)?, &sources))
}

/// Every `.rs` file below a directory.
fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// What the rows of the tables name and is not there.
fn missing(text: &str, sources: &[(String, String)]) -> Vec<String> {
    text.lines().filter(|line| line.starts_with("| ")).flat_map(|row| missing_of(row, sources)).collect()
}

/// Among what stands between backticks, `directory file.rs::test`. Without a directory it is the one named before in
/// the row, or a server's; `…test` is one of the file named before.
fn missing_of(row: &str, sources: &[(String, String)]) -> Vec<String> {
    let mut problems = Vec::new();
    let (mut room, mut file) = ("servers", "");
    for quoted in row.split('`').skip(1).step_by(2) {
        let (named, test) = match quoted.strip_prefix('…') {
            Some(test) => (file, Some(test)),
            None => quoted.split_once("::").map_or((quoted, None), |(file, test)| (file, Some(test))),
        };
        if !named.ends_with(".rs") || named.contains('*') {
            continue;
        }
        let name = named.rsplit_once(' ').map_or(named, |(directory, name)| {
            room = directory;
            name
        });
        file = name;
        let is_meant = |path: &str| {
            let is_in = |room: &str| path.contains(&format!("/{room}/"));
            path.ends_with(&format!("/{name}")) && (is_in(room) || name == named && is_in("servers"))
        };
        let meant: Vec<&String> =
            sources.iter().filter(|(path, _)| is_meant(path)).map(|(_, source)| source).collect();
        if meant.is_empty() {
            problems.push(format!("{CONTROLS} names `{named}`, which is not there"));
        } else if let Some(test) = test
            && !meant.iter().any(|source| source.contains(&format!("fn {test}(")))
        {
            problems.push(format!("{CONTROLS} names the test `{test}`, which is not in {name}"));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_tests_that_are_named_must_be_there() {
        let sources = [("/x/shared/audit/tests/files.rs".to_owned(), "async fn it_holds() {}".to_owned())];
        let said = |row: &str| missing(row, &sources);
        for row in [
            "| a | `shared/audit files.rs::it_holds`, `…it_holds` |",
            "| `cargo xtask` | `mask_*.rs` |",
            "`gone.rs`",
        ] {
            assert!(said(row).is_empty(), "{row}");
        }
        assert_eq!(
            said("| `shared/audit gone.rs` |"),
            ["docs/security.md names `shared/audit gone.rs`, which is not there"]
        );
        assert_eq!(said("| `files.rs` |").len(), 1, "not below servers");
        let test = "docs/security.md names the test `gone`, which is not in files.rs";
        assert_eq!(said("| `shared/audit files.rs::it_holds`, `…gone` |"), [test]);
    }
}
