//! ARCHITECTURE.md against the manifests: every edge between our crates has its sentence, and what is said to be
//! known to some crates alone is.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use toml::{Table, Value};

use crate::Failure;

const MAP: &str = "ARCHITECTURE.md";

/// What the map claims and the manifests do not bear out, and the other way round.
pub(crate) fn problems(root: &Path) -> Result<Vec<String>, Failure> {
    let dependencies = dependencies(root)?;
    Ok(disagreements(&crate::read(root, MAP)?, &dependencies))
}

/// Crate → what it depends on, tests aside.
fn dependencies(root: &Path) -> Result<BTreeMap<String, BTreeSet<String>>, Failure> {
    let workspace: Table = crate::read(root, "Cargo.toml")?.parse()?;
    let members = workspace.get("workspace").and_then(|workspace| workspace.get("members"));
    let mut rooms = Vec::new();
    for member in members.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        match member.strip_suffix("/*") {
            Some(parent) => {
                rooms.extend(fs::read_dir(root.join(parent))?.flatten().map(|entry| entry.path()))
            }
            None => rooms.push(root.join(member)),
        }
    }
    let mut all = BTreeMap::new();
    for room in rooms {
        let manifest: Table = fs::read_to_string(room.join("Cargo.toml"))?.parse()?;
        let name = manifest.get("package").and_then(|package| package.get("name")).and_then(Value::as_str);
        let named = manifest.get("dependencies").and_then(Value::as_table);
        let named = named.map(|section| section.keys().cloned().collect()).unwrap_or_default();
        all.insert(name.unwrap_or_default().to_owned(), named);
    }
    Ok(all)
}

fn disagreements(map: &str, dependencies: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut problems: Vec<String> = map
        .lines()
        .filter(|line| line.starts_with("| only "))
        .flat_map(|row| monopoly(row, dependencies))
        .collect();
    let told: BTreeSet<(String, String)> = map.lines().filter_map(edge).collect();
    let real: BTreeSet<(String, String)> = dependencies
        .iter()
        .flat_map(|(from, to)| to.iter().map(|to| (from.clone(), to.clone())))
        .filter(|(_, to)| dependencies.contains_key(to))
        .collect();
    problems.extend(
        real.difference(&told).map(|(from, to)| format!("{MAP} has no sentence for `{from}` → `{to}`")),
    );
    problems.extend(
        told.difference(&real).map(|(from, to)| format!("{MAP} has `{from}` → `{to}`, which is no edge")),
    );
    problems
}

/// A line `- `a` → `b`: reason`.
fn edge(line: &str) -> Option<(String, String)> {
    let (from, rest) = line.strip_prefix("- `")?.split_once("` → `")?;
    let (to, reason) = rest.split_once("`: ")?;
    (reason.len() > 10).then(|| (from.to_owned(), to.to_owned()))
}

/// A row `| only `a`, `b` | do something: `library`, … |`: those crates depend on each of those libraries, and no
/// others do.
fn monopoly(row: &str, dependencies: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let quoted = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<_>>();
    let (who, what) = row.rsplit_once(": ").unwrap_or_default();
    let owners = quoted(who.split(" | ").next().unwrap_or_default());
    let mut problems = Vec::new();
    for library in quoted(what) {
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
        assert!(check("- `a` → `b`: because it must\n| only `a`, `b` | ask: `http` |\n").is_empty());
    }

    #[test]
    fn a_missing_edge_an_invented_one_and_a_false_monopoly_are_problems() {
        let problems = check(
            "- `b` → `a`: because it must\n| only `a` | asks: `http` |\n| only `b` | matches: `regex` |\n",
        );
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert_eq!(check("- `a` → `b`\n").len(), 1, "an edge without a reason is none");
    }
}
