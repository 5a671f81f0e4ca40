//! Getting the backends' programs: built from the Go manifests of this repository, or unpacked from a
//! Debian package. Once each; nothing is installed and no system service starts.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use super::cache::Cache;

/// The repository's `testbed` directory: manifests and configuration.
pub(crate) fn testbed_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testbed")
}

/// What says which versions are built.
const MANIFEST: [&str; 2] = ["go.mod", "go.sum"];

/// A manifest `testbed/NAME` from which a program of the same name is built.
pub(crate) struct GoModule {
    name: &'static str,
    /// What the program says its version is; it would say nothing otherwise, unlike a released one.
    version: &'static str,
}

/// Its module version v0.315.0 is release 3.15.0.
pub(crate) const PROMETHEUS: GoModule = GoModule { name: "prometheus", version: "3.15.0" };
pub(crate) const ALERTMANAGER: GoModule = GoModule { name: "alertmanager", version: "0.28.1" };

impl GoModule {
    /// The program, built if that was not done yet.
    pub(crate) fn program(&self, cache: &Cache) -> Result<PathBuf, Box<dyn Error>> {
        let manifest = testbed_dir().join(self.name);
        let built =
            cache.bin().join(format!("{}-{}-{}", self.name, self.version, hash_of(&manifest, &MANIFEST)?));
        if !built.exists() {
            println!("building {} {} (minutes, once)", self.name, self.version);
            build(&manifest, self.version, &built)?;
        }
        Ok(built.join(self.name))
    }
}

/// A name for what would be made from these files: it changes with their content.
pub(crate) fn hash_of(directory: &Path, files: &[&str]) -> Result<String, Box<dyn Error>> {
    let mut hash = Sha256::new();
    for name in files {
        let path = directory.join(name);
        hash.update(fs::read(&path).map_err(|error| format!("read {}: {error}", path.display()))?);
    }
    let mut name = hex::encode(hash.finalize());
    name.truncate(16);
    Ok(name)
}

fn build(manifest: &Path, version: &str, built: &Path) -> Result<(), Box<dyn Error>> {
    // Renamed at the end, so that an interrupted build is not taken for a finished one.
    let unfinished = with_suffix(built, ".part");
    fs::create_dir_all(&unfinished)?;
    let mut go = Command::new("go");
    go.args(["build", "-mod=readonly", "-trimpath", "-ldflags"]);
    go.arg(format!("-X github.com/prometheus/common/version.Version={version}"));
    go.arg("-o").arg(&unfinished).arg("tool");
    run(go.env("CGO_ENABLED", "0").current_dir(manifest))?;
    Ok(fs::rename(unfinished, built)?)
}

/// Debian's Prometheus: the installed one, else the package unpacked into the cache.
pub(crate) fn debian_prometheus(cache: &Cache) -> Result<PathBuf, Box<dyn Error>> {
    let installed = Path::new("/usr/bin/prometheus");
    if installed.exists() {
        return Ok(installed.to_path_buf());
    }
    let unpacked = cache.bin().join("debian");
    if !unpacked.exists() {
        println!("fetching Debian's prometheus");
        unpack_debian_package("prometheus", &unpacked)?;
    }
    Ok(unpacked.join("usr/bin/prometheus"))
}

fn unpack_debian_package(package: &str, unpacked: &Path) -> Result<(), Box<dyn Error>> {
    let unfinished = with_suffix(unpacked, ".part");
    fs::create_dir_all(&unfinished)?;
    let download = || run(Command::new("apt-get").args(["download", package]).current_dir(&unfinished));
    if download().is_err() {
        run(Command::new("apt-get").arg("update"))?;
        download()?;
    }
    let archive = fs::read_dir(&unfinished)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .ok_or("find the downloaded package")?;
    run(Command::new("dpkg").arg("-x").arg(&archive).arg(&unfinished))?;
    fs::remove_file(archive)?;
    Ok(fs::rename(unfinished, unpacked)?)
}

pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut longer = path.as_os_str().to_owned();
    longer.push(suffix);
    longer.into()
}

pub(super) fn run(command: &mut Command) -> Result<(), Box<dyn Error>> {
    let status = command.status().map_err(|error| format!("run {command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("run {command:?}: {status}").into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_checksum_file_asks_for_another_build() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("go.mod"), "a").unwrap();
        assert!(hash_of(directory.path(), &MANIFEST).unwrap_err().to_string().contains("go.sum"));

        // SHA-256 of "abc", as FIPS 180 gives it.
        fs::write(directory.path().join("go.sum"), "bc").unwrap();
        assert_eq!(hash_of(directory.path(), &MANIFEST).unwrap(), "ba7816bf8f01cfea");

        fs::write(directory.path().join("go.sum"), "bd").unwrap();
        assert_ne!(hash_of(directory.path(), &MANIFEST).unwrap(), "ba7816bf8f01cfea");
    }

    #[test]
    fn the_versions_told_are_those_of_the_manifests() {
        let required = [
            (PROMETHEUS, "github.com/prometheus/prometheus v0.315.0 "),
            (ALERTMANAGER, "github.com/prometheus/alertmanager v0.28.1 "),
        ];
        for (module, requirement) in required {
            let manifest = fs::read_to_string(testbed_dir().join(module.name).join("go.mod")).unwrap();
            assert!(manifest.contains(requirement), "{requirement}");
        }
        assert_eq!((PROMETHEUS.version, ALERTMANAGER.version), ("3.15.0", "0.28.1"));
    }
}
