//! `cargo xtask kql-oracle`: the guard of KQL beside Microsoft's own parser, which is installed once into the testbed's
//! cache from `testbed/kql`.

use std::error::Error;
use std::process::Command;

use crate::live::{self, clients};
use crate::testbed::cache::Cache;

/// Runs the comparison, which prints what it counted.
pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    live::run_to_end(&mut comparison(&Cache::open()?)?, "compare the guard with Microsoft's parser")
}

/// The test that compares them, with the parser at hand.
pub(crate) fn comparison(cache: &Cache) -> Result<Command, Box<dyn Error>> {
    let manifests = ["package.json", "package-lock.json", ".npmrc"];
    let place = clients::installed(cache, "kql", "kql", &manifests, clients::npm_ci)?;
    let mut command = live::cargo();
    command.args(["test", "--package", "logs-mcp", "--lib", "kql::oracle"]);
    command.args(["--", "--ignored", "--nocapture"]);
    command.env("KQL_ORACLE_NODE", clients::node(&place)).env("KQL_ORACLE_PACKAGES", place);
    Ok(command)
}
