//! What the suite found: one directory for each scenario, with a `checks.json` in it.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use serde::Deserialize;

/// One thing the suite looked at.
#[derive(Debug, Deserialize)]
struct Check {
    id: String,
    status: String,
    #[serde(default, rename = "errorMessage")]
    message: Option<String>,
}

/// What was found in one set of scenarios.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    required: Vec<String>,
    checks: BTreeMap<String, Vec<Check>>,
}

/// The scenarios under `server:` of a file of requirements: a plain list, and no YAML beyond that.
pub(super) fn required(yaml: &str) -> Vec<String> {
    let of_servers = yaml.lines().skip_while(|line| line.trim_end() != "server:").skip(1);
    of_servers.map_while(|line| line.strip_prefix("  - ")).map(|name| name.trim().to_owned()).collect()
}

impl Verdicts {
    /// Reads `DIRECTORY/server-SCENARIO-TIME/checks.json`.
    pub(super) fn read(directory: &Path, required: &[String]) -> Result<Verdicts, Box<dyn Error>> {
        if required.is_empty() {
            return Err(format!("find required scenarios for {}", directory.display()).into());
        }
        let mut found = Verdicts { required: required.to_vec(), ..Verdicts::default() };
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let file = entry.path().join("checks.json");
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(scenario) = scenario(&name).filter(|_| file.exists()) else { continue };
            found.checks.insert(scenario, serde_json::from_slice(&fs::read(file)?)?);
        }
        Ok(found)
    }

    /// Everything required that did not pass, in words. A warning is a SHOULD that is not met: that counts too.
    pub(super) fn problems(&self, set: &str) -> Vec<String> {
        let of = |scenario: &String| match self.checks.get(scenario).filter(|checks| !checks.is_empty()) {
            None => vec![format!("{set}: {scenario} was not run")],
            Some(checks) => {
                let bad = checks.iter().filter(|check| !passed(check));
                bad.map(|check| {
                    let why = check.message.as_deref().unwrap_or_default();
                    format!("{set}: {scenario}: {} {}: {why}", check.id, check.status)
                })
                .collect()
            }
        };
        self.required.iter().flat_map(of).collect()
    }

    fn passed(&self) -> usize {
        let good = |scenario: &&String| {
            self.checks.get(*scenario).is_some_and(|checks| !checks.is_empty() && checks.iter().all(passed))
        };
        self.required.iter().filter(good).count()
    }

    /// Checks of required scenarios (or of the others) with this status.
    fn count(&self, required: bool, status: impl Fn(&Check) -> bool) -> usize {
        let of = self.checks.iter().filter(|(scenario, _)| self.required.contains(scenario) == required);
        of.flat_map(|(_, checks)| checks).filter(|check| status(check)).count()
    }
}

/// `server-tools-list-2026-11-27T00-20-51-033Z`, without its ends.
fn scenario(directory: &str) -> Option<String> {
    let name = directory.strip_prefix("server-")?.strip_suffix('Z')?;
    let end = name.len().checked_sub("-2026-11-27T00-20-51-033".len())?;
    name.get(..end).map(str::to_owned)
}

/// What needs no attention. A check that was skipped did not apply.
fn passed(check: &Check) -> bool {
    matches!(check.status.as_str(), "SUCCESS" | "INFO" | "SKIPPED")
}

/// All sets, one line each.
pub(super) fn table(all: &[(String, Verdicts)]) -> String {
    let mut lines = vec![format!(
        "{:<22} {:>9} {:>6}   {:>6} {:>6} {:>8}   {:>12}",
        "conformance", "scenarios", "passed", "checks", "failed", "warnings", "not required"
    )];
    for (set, found) in all {
        let is = |status: &'static str| move |check: &Check| check.status == status;
        let (others, good) = (found.count(false, |_| true), found.count(false, passed));
        lines.push(format!(
            "{set:<22} {:>9} {:>6}   {:>6} {:>6} {:>8}   {good:>5} of {others}",
            found.required.len(),
            found.passed(),
            found.count(true, |_| true),
            found.count(true, is("FAILURE")),
            found.count(true, is("WARNING")),
        ));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_list_of_servers_is_required() {
        let yaml =
            "# words\nserver:\n  - tools-list\n  - sep-2164-resource-not-found\n\nclient:\n  - tools_call\n";
        assert_eq!(required(yaml), ["tools-list", "sep-2164-resource-not-found"]);
        assert_eq!(required("client:\n  - tools_call\n"), [""; 0]);
    }

    #[test]
    fn a_scenario_is_named_by_its_directory_without_the_time() {
        let named = |directory: &str| scenario(directory);
        assert_eq!(named("server-tools-list-2026-11-27T00-20-51-033Z").as_deref(), Some("tools-list"));
        let dated = "server-json-schema-2020-12-2026-11-27T00-20-51-033Z";
        assert_eq!(named(dated).as_deref(), Some("json-schema-2020-12"));
        assert_eq!(named("suite.log"), None);
    }

    fn found(status: &str) -> Verdicts {
        let directory = tempfile::tempdir().unwrap();
        let scenario = directory.path().join("server-ping-2026-11-27T00-20-51-033Z");
        fs::create_dir(&scenario).unwrap();
        let checks =
            format!(r#"[{{"id": "one", "status": "SUCCESS"}}, {{"id": "two", "status": "{status}"}}]"#);
        fs::write(scenario.join("checks.json"), checks).unwrap();
        Verdicts::read(directory.path(), &["ping".to_owned(), "tools-list".to_owned()]).unwrap()
    }

    #[test]
    fn what_fails_warns_or_was_not_run_is_a_problem() {
        assert_eq!(found("SUCCESS").problems("x"), ["x: tools-list was not run"]);
        assert_eq!(found("INFO").passed(), 1);
        for status in ["FAILURE", "WARNING"] {
            let found = found(status);
            assert_eq!(found.problems("x").len(), 2, "{status}");
            assert_eq!(found.passed(), 0, "{status}");
        }
    }
}
