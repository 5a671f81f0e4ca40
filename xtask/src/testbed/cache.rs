//! The testbed's directory outside the checkout.
//!
//! ```text
//! bin/MODULE-HASH/      programs, one directory for each content of go.mod and go.sum
//! bin/debian/           Debian's Prometheus, unpacked but not installed
//! run/endpoints.json    what runs and where: the file that tests read
//! run/targets/*.json    what Prometheus scrapes and alerts; it notices changes by itself
//! run/NAME/             configuration, data and log of one process, fresh at each start
//! ```

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::json;

/// One started process, as the endpoints file tells it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Running {
    /// `http://127.0.0.1:PORT`, without a trailing slash.
    pub(crate) url: String,
    /// The process id.
    pub(crate) pid: u32,
    /// When the process started, in clock ticks since boot: tells it from a later one with the same id.
    pub(crate) started_ticks: u64,
    /// The program's file; promtool lies beside Prometheus.
    pub(crate) program: PathBuf,
    /// What the process said.
    pub(crate) log: PathBuf,
    /// Where the process keeps its data.
    pub(crate) data: PathBuf,
    /// `127.0.0.1:PORT` on which an Alertmanager talks to its peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cluster: Option<String>,
    /// What answers 200 when it is ready.
    pub(crate) ready: String,
}

/// What runs, by process name.
pub(crate) type Endpoints = BTreeMap<String, Running>;

/// The cache directory, existing.
pub(crate) struct Cache {
    root: PathBuf,
}

impl Cache {
    /// `$OBSERVABILITY_MCP_TESTBED`, else `observability-mcp/testbed` in `$XDG_CACHE_HOME` or `~/.cache`.
    pub(crate) fn open() -> Result<Cache, Box<dyn Error>> {
        let root = root_from(|name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from))
            .ok_or("choose a cache directory: neither OBSERVABILITY_MCP_TESTBED nor HOME is set")?;
        let cache = Cache { root: std::path::absolute(root)? };
        fs::create_dir_all(cache.bin())?;
        fs::create_dir_all(cache.targets())?;
        Ok(cache)
    }

    /// Where programs are kept.
    pub(crate) fn bin(&self) -> PathBuf {
        self.root.join("bin")
    }

    /// Where tools for developers are kept: beside the testbed.
    pub(crate) fn tools_dir(&self) -> PathBuf {
        self.root.with_file_name("tools")
    }

    /// The directory of one process.
    pub(crate) fn run_dir(&self, name: &str) -> PathBuf {
        self.root.join("run").join(name)
    }

    /// The file that tells tests what runs and where.
    pub(crate) fn endpoints_file(&self) -> PathBuf {
        self.root.join("run/endpoints.json")
    }

    /// Where Prometheus finds what it scrapes: each JSON file of file_sd there, as soon as it is written.
    pub(crate) fn targets(&self) -> PathBuf {
        self.root.join("run/targets")
    }

    /// Waits until no other `up` or `down` is at work; the lock ends with the returned file.
    pub(crate) fn lock(&self) -> Result<File, Box<dyn Error>> {
        let file = File::create(self.root.join("run/lock"))?;
        file.lock()?;
        Ok(file)
    }

    /// What `up` started and `down` has not stopped; a process may have died since.
    pub(crate) fn endpoints(&self) -> Result<Endpoints, Box<dyn Error>> {
        let path = self.endpoints_file();
        if !path.exists() {
            return Ok(Endpoints::new());
        }
        let text = fs::read_to_string(&path)?;
        Ok(serde_json::from_str(&text).map_err(|error| format!("read {}: {error}", path.display()))?)
    }

    /// Replaces the endpoints file; without any entry there is none.
    pub(crate) fn write_endpoints(&self, endpoints: &Endpoints) -> Result<(), Box<dyn Error>> {
        let path = self.endpoints_file();
        if endpoints.is_empty() {
            return remove_if_there(&path);
        }
        replace(&path, &serde_json::to_string_pretty(endpoints)?)
    }

    /// Lets Prometheus find a process under this name (service discovery by file).
    pub(crate) fn write_target(&self, name: &str, address: &str) -> Result<(), Box<dyn Error>> {
        let groups = json!([{ "targets": [address] }]);
        replace(&self.targets().join(format!("{name}.json")), &groups.to_string())
    }

    /// The reverse of [`Cache::write_target`].
    pub(crate) fn remove_target(&self, name: &str) -> Result<(), Box<dyn Error>> {
        remove_if_there(&self.targets().join(format!("{name}.json")))
    }
}

fn root_from(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    variable("OBSERVABILITY_MCP_TESTBED").or_else(|| {
        let base = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")))?;
        Some(base.join("observability-mcp/testbed"))
    })
}

/// Whoever reads the file meanwhile sees the old or the new content, never a part.
fn replace(path: &Path, content: &str) -> Result<(), Box<dyn Error>> {
    let new = path.with_extension("json.new");
    fs::write(&new, content)?;
    Ok(fs::rename(&new, path)?)
}

fn remove_if_there(path: &Path) -> Result<(), Box<dyn Error>> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root_with(variables: &[(&str, &str)]) -> Option<PathBuf> {
        root_from(|wanted| {
            variables.iter().find(|(name, _)| *name == wanted).map(|(_, value)| PathBuf::from(value))
        })
    }

    #[test]
    fn the_cache_is_in_the_home_directory_unless_told_otherwise() {
        let home = ("HOME", "/home/me");
        let xdg = ("XDG_CACHE_HOME", "/cache");
        let own = ("OBSERVABILITY_MCP_TESTBED", "/own");

        assert_eq!(root_with(&[home]), Some("/home/me/.cache/observability-mcp/testbed".into()));
        assert_eq!(root_with(&[home, xdg]), Some("/cache/observability-mcp/testbed".into()));
        assert_eq!(root_with(&[home, xdg, own]), Some("/own".into()));
        assert_eq!(root_with(&[]), None);
    }
}
