//! Release builds through cargo, each package by itself: built together, one would get the features of the other.

use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// Builds the program of a package in release mode. Says where it is.
pub(super) fn release(package: &str) -> Result<PathBuf, Box<dyn Error>> {
    println!("building {package} in release mode; the first time takes minutes");
    build(package, Some("--release"))
}

/// Builds the program of a package for development. Says where it is.
pub(super) fn dev(package: &str) -> Result<PathBuf, Box<dyn Error>> {
    build(package, None)
}

fn build(package: &str, mode: Option<&str>) -> Result<PathBuf, Box<dyn Error>> {
    std::io::stdout().flush()?;
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .args(["build", "--locked", "--package", package, "--bins"])
        .args(mode)
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("build {package}: cargo ended with {}", output.status).into());
    }
    let messages = String::from_utf8(output.stdout)?;
    let program = messages.lines().filter_map(program).next_back();
    Ok(program.ok_or_else(|| format!("build {package}: cargo named no program"))?)
}

/// The program that a line of cargo's messages announces.
fn program(line: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    Some(PathBuf::from(message.get("executable")?.as_str()?))
}
