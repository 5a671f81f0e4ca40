//! `cargo xtask supply-chain`: what a release consists of, and whether it can be made again.
//!
//! - Licences, bans and sources by cargo-deny; advisories where the network allows it.
//! - A software bill of materials of each server (CycloneDX, by cargo-cyclonedx) under `target/sbom`.
//! - With `--reproduce`, two release builds into the same path: the same bytes ([`reproduce`])?

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::demo::SERVERS;
use crate::testbed::cache::Cache;

mod reproduce;

const DENY: (&str, &str) = ("cargo-deny", "0.20.2");
const CYCLONEDX: (&str, &str) = ("cargo-cyclonedx", "0.5.9");

/// The arguments of `cargo xtask supply-chain`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Build twice and compare the programs byte by byte. Takes as long as two release builds.
    #[arg(long)]
    reproduce: bool,
}

/// Checks licences, writes the bills of materials and, if asked to, builds twice.
pub(crate) fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let cache = Cache::open()?;
    let deny = tool(&cache, DENY)?;
    succeed(
        Command::new(deny).current_dir(&root).args([
            "--offline",
            "check",
            "--hide-inclusion-graph",
            "bans",
            "licenses",
            "sources",
        ]),
        "find no licence, ban or source that is not allowed",
    )?;
    println!("figure: supply chain: licences, bans, sources | clean | clean");
    bills(&root, &tool(&cache, CYCLONEDX)?)?;
    if args.reproduce { reproduce::run(&root) } else { Ok(()) }
}

/// A program of a crate, installed into the cache on first use.
fn tool(cache: &Cache, (name, version): (&str, &str)) -> Result<PathBuf, Box<dyn Error>> {
    let root = cache.tools_dir().join(format!("{name}-{version}"));
    let program = root.join("bin").join(name);
    if !program.exists() {
        println!("installing {name} {version} (some minutes)");
        let mut cargo = cargo();
        cargo.env_remove("CARGO_TARGET_DIR").args([
            "install",
            "--quiet",
            "--locked",
            name,
            "--version",
            version,
        ]);
        succeed(cargo.arg("--root").arg(&root), "install it")?;
    }
    Ok(program)
}

/// Writes `target/sbom/SERVER.cdx.json` for each server.
fn bills(root: &Path, program: &Path) -> Result<(), Box<dyn Error>> {
    let directory = root.join("target/sbom");
    fs::create_dir_all(&directory)?;
    for server in SERVERS {
        let room = root.join("servers").join(server.trim_end_matches("-mcp"));
        let mut command = Command::new(program);
        command.args([
            "cyclonedx",
            "--format",
            "json",
            "--describe",
            "binaries",
            "--spec-version",
            "1.5",
            "--quiet",
        ]);
        command.arg("--manifest-path").arg(room.join("Cargo.toml"));
        succeed(&mut command, "write a bill of materials")?;
        let written = room.join(format!("{server}_bin.cdx.json"));
        let bill = directory.join(format!("{server}.cdx.json"));
        fs::rename(&written, &bill).map_err(|error| format!("find {}: {error}", written.display()))?;
        tidy(root)?;
        let text: serde_json::Value = serde_json::from_slice(&fs::read(&bill)?)?;
        let components = text.get("components").and_then(|list| list.as_array()).map_or(0, Vec::len);
        println!("{}: {components} components", bill.display());
        println!("figure: supply chain: SBOM of {server} | {components} components | CycloneDX written");
        if components < 50 {
            return Err("find all crates in the bill of materials".into());
        }
    }
    Ok(())
}

/// The tool writes beside every manifest of the workspace; only the servers' bills are kept.
fn tidy(root: &Path) -> Result<(), Box<dyn Error>> {
    for room in ["servers", "shared", "."] {
        for entry in fs::read_dir(root.join(room))? {
            let path = entry?.path();
            if !path.is_dir() {
                continue;
            }
            for file in fs::read_dir(path)? {
                let file = file?.path();
                if file.to_string_lossy().ends_with(".cdx.json") {
                    fs::remove_file(file)?;
                }
            }
        }
    }
    Ok(())
}

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn succeed(command: &mut Command, what: &str) -> Result<(), Box<dyn Error>> {
    let status =
        command.status().map_err(|error| format!("{what}: {}: {error}", command.get_program().display()))?;
    if status.success() { Ok(()) } else { Err(what.into()) }
}
