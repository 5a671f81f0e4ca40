//! MCP clients that are not ours, installed once into the cache from the manifests in `testbed/clients`.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::run_to_end;
use crate::testbed::{cache::Cache, programs};

/// What is there of a finished installation only.
const FINISHED: &str = "finished";

/// The programs to run.
pub(super) struct Clients {
    /// A Python that has fastmcp.
    pub(super) python: PathBuf,
    /// The Node that the inspector needs: newer than that of most systems.
    pub(super) node: PathBuf,
    /// The inspector's script.
    pub(super) inspector: PathBuf,
}

impl Clients {
    /// Installs what is not there yet: about a minute, once for each content of the manifests.
    pub(super) fn install(cache: &Cache) -> Result<Clients, Box<dyn Error>> {
        let fastmcp = installed(cache, "fastmcp", "clients", &["requirements.txt"], install_fastmcp)?;
        let inspector = installed(
            cache,
            "inspector",
            "clients",
            &["package.json", "package-lock.json", ".npmrc"],
            npm_ci,
        )?;
        Ok(Clients {
            python: fastmcp.join("bin/python"),
            node: node(&inspector),
            inspector: inspector.join("node_modules/.bin/mcp-inspector"),
        })
    }
}

/// The Node that was installed into `place` as a package.
pub(crate) fn node(place: &Path) -> PathBuf {
    let machine = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
    place.join(format!("node_modules/node-linux-{machine}/bin/node"))
}

/// The directory into which `install` has put what these files of `testbed/FROM` ask for.
pub(crate) fn installed(
    cache: &Cache,
    name: &str,
    from: &str,
    manifests: &[&str],
    install: fn(&Path) -> Result<(), Box<dyn Error>>,
) -> Result<PathBuf, Box<dyn Error>> {
    let from = programs::testbed_dir().join(from);
    let place = cache.bin().join(format!("{name}-{}", programs::hash_of(&from, manifests)?));
    if place.join(FINISHED).exists() {
        return Ok(place);
    }
    // What an interrupted installation left would be in the way.
    if place.exists() {
        fs::remove_dir_all(&place)?;
    }
    fs::create_dir_all(&place)?;
    for manifest in manifests {
        fs::copy(from.join(manifest), place.join(manifest))?;
    }
    println!("installing {name} as {} asks, into {}", manifests.join(", "), place.display());
    install(&place)?;
    fs::write(place.join(FINISHED), "")?;
    Ok(place)
}

fn install_fastmcp(place: &Path) -> Result<(), Box<dyn Error>> {
    run_to_end(Command::new("python3").args(["-m", "venv"]).arg(place), "make a Python environment")?;
    let mut pip = Command::new(place.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    run_to_end(pip.arg(place.join("requirements.txt")), "install fastmcp")
}

/// Installs what a package-lock.json says.
pub(crate) fn npm_ci(place: &Path) -> Result<(), Box<dyn Error>> {
    run_to_end(
        Command::new("npm").args(["ci", "--loglevel=error"]).current_dir(place),
        "install the packages",
    )
}
