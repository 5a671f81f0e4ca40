//! ARCHITECTURE.md against the manifests: every edge between our crates has its sentence, and what is said to be
//! known to some crates alone is.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use toml::Table;

use crate::Failure;

const MAP: &str = "ARCHITECTURE.md";

/// What the map claims and the manifests do not bear out, and the other way round.
pub(crate) fn problems(root: &Path) -> Result<Vec<String>, Failure> {
    let dependencies = dependencies(root)?;
    Ok(disagreements(&crate::read(root, MAP)?, &dependencies))
}

/// Crate → what it depends on, tests aside.
fn dependencies(root: &Path) -> Result<BTreeMap<String, BTreeSet<String>>, Failure> {
    let mut rooms = vec![root.join("xtask")];
    for parent in ["servers", "shared"] {
        for entry in fs::read_dir(root.join(parent))? {
            rooms.push(entry?.path());
        }
    }
    let mut all = BTreeMap::new();
    for manifest in rooms.iter().map(|room| room.join("Cargo.toml")).filter(|path| path.exists()) {
        let table: Table = fs::read_to_string(manifest)?.parse()?;
        let name =
            table.get("package").and_then(|package| package.get("name")).and_then(|name| name.as_str());
        let named = table.get("dependencies").and_then(|section| section.as_table());
        let named = named.map(|section| section.keys().cloned().collect()).unwrap_or_default();
        all.insert(name.unwrap_or_default().to_owned(), named);
    }
    Ok(all)
}

fn disagreements(map: &str, dependencies: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut problems = Vec::new();
    let mut told: BTreeSet<(String, String)> = BTreeSet::new();
    for line in map.lines() {
        match line.split('`').collect::<Vec<_>>().as_slice() {
            ["- ", from, " → ", to, reason, ..] if reason.len() > 10 => {
                told.insert(((*from).to_owned(), (*to).to_owned()));
            }
            ["| only ", ..] => problems.extend(monopoly(line, dependencies)),
            _ => {}
        }
    }
    let ours = |name: &String| dependencies.contains_key(name);
    let real: BTreeSet<(String, String)> = dependencies
        .iter()
        .flat_map(|(from, to)| to.iter().filter(|to| ours(to)).map(|to| (from.clone(), to.clone())))
        .collect();
    problems.extend(
        real.difference(&told).map(|(from, to)| format!("{MAP} has no sentence for `{from}` → `{to}`")),
    );
    problems.extend(
        told.difference(&real).map(|(from, to)| format!("{MAP} has `{from}` → `{to}`, which is no edge")),
    );
    problems
}

/// A row `| only a, b | knows `library`, … |`: those crates depend on each of those libraries, and no others do.
fn monopoly(row: &str, dependencies: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let quoted = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<_>>();
    let mut columns = row.trim_matches('|').split('|');
    let (owners, libraries) =
        (quoted(columns.next().unwrap_or_default()), quoted(columns.next().unwrap_or_default()));
    let mut problems = Vec::new();
    for library in libraries {
        let users =
            dependencies.iter().filter(|(_, named)| named.contains(&library)).map(|(user, _)| user.clone());
        let users: BTreeSet<String> = users.collect();
        if users != owners {
            problems.push(format!(
                "{MAP} says that only {owners:?} depend on `{library}`; in truth {users:?} do"
            ));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(map: &str) -> Vec<String> {
        let set = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<BTreeSet<_>>();
        let dependencies = BTreeMap::from([
            ("a".to_owned(), set(&["b", "http"])),
            ("b".to_owned(), set(&["http", "regex"])),
        ]);
        disagreements(map, &dependencies)
    }

    #[test]
    fn a_map_that_tells_every_edge_has_no_problem() {
        assert!(check("- `a` → `b`: because it must\n| only `a`, `b` | `http` |\n").is_empty());
    }

    #[test]
    fn a_missing_edge_an_invented_one_and_a_false_monopoly_are_problems() {
        let problems = check("- `b` → `a`: because it must\n| only `a` | `http` |\n| only `b` | `regex` |\n");
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert_eq!(check("- `a` → `b`\n").len(), 1, "an edge without a reason is none");
    }
}
