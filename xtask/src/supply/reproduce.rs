//! Are two builds the same bytes? And if not: what differs that went into them?
//!
//! Both builds are made in the same path, because a program names the paths of its sources where it may panic, and those
//! that build scripts write lie in the target directory. What differs between machines still is that path and the one of
//! cargo's registry.
//!
//! When what build scripts wrote differs, the files of the first build are laid over those of the second, and what depends
//! on them is built again: the same bytes then show that nothing else differs.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{cargo, succeed};
use crate::demo::SERVERS;

/// What a build gave: the servers' sums, and the files that build scripts wrote, by their path below the target directory.
struct Built {
    sums: BTreeMap<&'static str, String>,
    generated: BTreeMap<PathBuf, Vec<u8>>,
}

/// Builds twice and prints a row for each server. Fails when a difference is not explained by what build scripts wrote.
pub(super) fn run(root: &Path) -> Result<(), Box<dyn Error>> {
    let room = tempfile::tempdir()?;
    let target = room.path().join("target");
    let first = build(root, &target)?;
    fs::remove_dir_all(&target)?;
    let second = build(root, &target)?;
    let differing: Vec<_> = first
        .generated
        .iter()
        .filter(|(path, bytes)| second.generated.get(*path).is_some_and(|other| other != *bytes))
        .collect();
    for (path, _) in &differing {
        println!("two builds: a build script wrote another {}", path.display());
    }
    let differ =
        |other: &Built| SERVERS.iter().any(|server| first.sums.get(server) != other.sums.get(server));
    let third = match differ(&second) && !differing.is_empty() {
        true => {
            for (path, bytes) in &differing {
                fs::write(target.join(path), bytes)?;
            }
            Some(build(root, &target)?)
        }
        false => None,
    };
    for server in SERVERS {
        let same = |other: &Built| first.sums.get(server) == other.sums.get(server);
        let figure = match &third {
            _ if same(&second) => "yes",
            Some(third) if same(third) => "no; yes with what build scripts wrote (above)",
            _ => "no",
        };
        println!(
            "figure: supply chain: two builds of {server}, the same bytes | {figure} | yes, or explained"
        );
    }
    if differ(third.as_ref().unwrap_or(&second)) {
        return Err("explain what differs between two builds".into());
    }
    Ok(())
}

fn build(root: &Path, target: &Path) -> Result<Built, Box<dyn Error>> {
    let mut cargo = cargo();
    cargo.current_dir(root).args(["build", "--release", "--locked", "--quiet"]);
    SERVERS.iter().for_each(|server| {
        cargo.args(["--package", server]);
    });
    succeed(cargo.env("CARGO_TARGET_DIR", target), "build the servers")?;
    let mut sums = BTreeMap::new();
    for &server in SERVERS {
        let program = fs::read(target.join("release").join(server))?;
        let sum = hex::encode(Sha256::digest(&program));
        println!("{server}: {} bytes, sha256 {sum}", program.len());
        sums.insert(server, sum);
    }
    let mut generated = BTreeMap::new();
    for script in fs::read_dir(target.join("release/build"))? {
        read(target, &script?.path().join("out"), &mut generated)?;
    }
    Ok(Built { sums, generated })
}

/// All Rust files below a directory, if it is one.
fn read(
    target: &Path,
    directory: &Path,
    into: &mut BTreeMap<PathBuf, Vec<u8>>,
) -> Result<(), Box<dyn Error>> {
    if !directory.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            read(target, &path, into)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.insert(path.strip_prefix(target)?.to_owned(), fs::read(&path)?);
        }
    }
    Ok(())
}
