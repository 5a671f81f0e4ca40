//! The real Prometheus over recorded files: what promtool loads, on a port of its own.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

/// The directory of Prometheus 3 and promtool: of `PROMETHEUS_PROGRAM`, as `cargo xtask test-live` sets it, else as the
/// running testbed says it (`cargo xtask testbed up`).
pub fn programs() -> PathBuf {
    if let Some(program) = std::env::var_os("PROMETHEUS_PROGRAM") {
        return Path::new(&program).parent().unwrap().to_owned();
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.unwrap_or_else(|| Path::new(&std::env::var_os("HOME").unwrap()).join(".cache"));
    let endpoints = cache.join("observability-mcp/testbed/run/endpoints.json");
    let text = fs::read_to_string(endpoints).expect("start it with `cargo xtask testbed up`");
    let endpoints: Value = serde_json::from_str(&text).unwrap();
    Path::new(endpoints["prometheus"]["program"].as_str().unwrap()).parent().unwrap().to_owned()
}

/// A Prometheus over blocks made of OpenMetrics text; stopped when dropped.
pub struct Prometheus {
    process: Child,
    port: u16,
}

impl Prometheus {
    /// Loads the files into `directory`, which must outlive this value, and starts. `programs` is where Prometheus and
    /// promtool are; `flags` are further ones of Prometheus. Rules in `rules.yml` of the directory are evaluated.
    pub fn over(programs: &Path, files: &[PathBuf], directory: &Path, flags: &[&str]) -> Prometheus {
        let (data, config) = (directory.join("blocks"), directory.join("prometheus.yml"));
        for file in files {
            let make = ["tsdb", "create-blocks-from", "--max-block-duration=744h", "openmetrics", "--quiet"];
            let made =
                Command::new(programs.join("promtool")).args(make).arg(file).arg(&data).output().unwrap();
            let said = String::from_utf8_lossy(&made.stderr) + String::from_utf8_lossy(&made.stdout);
            assert!(made.status.success(), "promtool, {}: {said}", file.display());
        }
        let rules =
            if directory.join("rules.yml").exists() { "rule_files: [rules.yml]" } else { "global: {}" };
        fs::write(&config, format!("{rules}\n")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new(programs.join("prometheus"))
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", data.display()))
            .args(["--storage.tsdb.retention.time=100y", "--log.level=error"])
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(flags)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let prometheus = Prometheus { process, port };
        for _ in 0..600 {
            if prometheus.is_ready() {
                return prometheus;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("Prometheus is not ready after a minute");
    }

    fn is_ready(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return false };
        let mut reply = String::new();
        write!(stream, "GET /-/ready HTTP/1.0\r\n\r\n").is_ok()
            && stream.read_to_string(&mut reply).is_ok()
            && reply.starts_with("HTTP/1.0 200")
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its process id, for [`crate::rss`].
    pub fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
