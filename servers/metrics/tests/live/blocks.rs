//! A Prometheus of its own over a world that a test makes: OpenMetrics text, made into blocks by promtool.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

use std::{
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use testkit::mcp::{HttpClient, HttpRequest};

/// A running Prometheus, stopped when this is dropped.
pub(crate) struct Prometheus {
    process: Child,
    port: u16,
    _directory: TempDir,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Prometheus {
    /// Loads samples in OpenMetrics text with promtool and starts Prometheus on a free port.
    pub(crate) async fn over(open_metrics: &str) -> Prometheus {
        let program = PathBuf::from(
            std::env::var_os("PROMETHEUS_PROGRAM").expect("PROMETHEUS_PROGRAM: run `cargo xtask test-live`"),
        );
        let directory = tempfile::tempdir().unwrap();
        let (text, data, config) = (
            directory.path().join("samples.om"),
            directory.path().join("data"),
            directory.path().join("config.yml"),
        );
        std::fs::write(&text, open_metrics).unwrap();
        std::fs::write(&config, "global: {}\n").unwrap();
        let loaded = Command::new(program.with_file_name("promtool"))
            .args(["tsdb", "create-blocks-from", "--max-block-duration=744h", "openmetrics", "--quiet"])
            .args([&text, &data])
            .output()
            .unwrap();
        assert!(loaded.status.success(), "promtool: {}", String::from_utf8_lossy(&loaded.stderr));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new(program)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", data.display()))
            .args(["--storage.tsdb.retention.time=100y", "--log.level=error"])
            .arg("--enable-feature=promql-experimental-functions")
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let prometheus = Prometheus { process, port, _directory: directory };
        for _ in 0..600 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                let ready =
                    HttpClient::new(&prometheus.url()).send(HttpRequest::new("GET").path("/-/ready")).await;
                if ready.status == 200 {
                    return prometheus;
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("Prometheus was not ready within a minute");
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it answers to a GET with these parameters.
    pub(crate) async fn ask(&self, path: &str, parameters: &[(&str, &str)]) -> Value {
        ask(&self.url(), path, parameters).await
    }
}

/// What a Prometheus answers to a GET with these parameters.
pub(crate) async fn ask(url: &str, path: &str, parameters: &[(&str, &str)]) -> Value {
    let encoded = |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02X}")).collect() };
    let pairs: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    let path = format!("/api/v1/{path}?{}", pairs.join("&"));
    HttpClient::new(url).send(HttpRequest::new("GET").path(&path)).await.json()
}
