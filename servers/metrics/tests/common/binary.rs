//! The shipped binary as a child process, over stdio or HTTP.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part of it")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "tests fail loudly")]

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use testkit::mcp::{Client, HttpClient, HttpRequest};

/// The binary with an environment of its own: nothing of the developer's machine reaches it.
pub fn command(state: &TempDir, environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_metrics-mcp"));
    command.env_clear().env("OBSERVABILITY_MCP_STATE", state.path()).env("USER", "tester");
    command.envs(environment.iter().copied());
    command
}

/// A client over the stdio of the binary.
pub fn over_stdio(state: &TempDir, environment: &[(&str, &str)]) -> Client {
    Client::spawn(command(state, environment))
}

/// The binary serving HTTP on a port of its own; killed when dropped.
pub struct Served {
    pub process: Child,
    pub url: String,
    pub port: u16,
    pub state: TempDir,
}

impl Served {
    pub async fn start(environment: &[(&str, &str)]) -> Served {
        let state = tempfile::tempdir().unwrap();
        let command = command(&state, environment);
        Served::run(command, state).await
    }

    /// With at most so many open files.
    pub async fn start_with_files(files: u32, environment: &[(&str, &str)]) -> Served {
        let state = tempfile::tempdir().unwrap();
        let plain = command(&state, environment);
        let mut limited = Command::new("/bin/sh");
        limited.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        limited.args(["-c", &format!("ulimit -n {files}; exec \"$0\" \"$@\"")]).arg(plain.get_program());
        Served::run(limited, state).await
    }

    async fn run(mut command: Command, state: TempDir) -> Served {
        // The port is free when asked; another process could take it, which the wait below would show.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = command
            .args(["serve", "--http", &format!("127.0.0.1:{port}")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let served = Served { process, url: format!("http://127.0.0.1:{port}"), port, state };
        served.wait_until_it_listens().await;
        served
    }

    async fn wait_until_it_listens(&self) {
        let patience = Instant::now() + Duration::from_secs(10);
        while tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            assert!(Instant::now() < patience, "the server does not listen");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub fn mcp(&self) -> HttpClient {
        HttpClient::new(&format!("{}/mcp", self.url))
    }

    pub fn client(&self) -> Client {
        Client::over_http(self.mcp())
    }

    pub async fn get(&self, path: &str) -> testkit::mcp::HttpReply {
        HttpClient::new(&self.url).send(HttpRequest::new("GET").path(path)).await
    }

    /// Sends SIGTERM to this process, by its id.
    pub fn terminate(&self) {
        terminate(self.process.id());
    }

    pub fn exit_within(&mut self, limit: Duration) -> Option<std::process::ExitStatus> {
        let end = Instant::now() + limit;
        while Instant::now() < end {
            if let Some(status) = self.process.try_wait().unwrap() {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        None
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// SIGTERM, by process id.
pub fn terminate(pid: u32) {
    assert!(Command::new("kill").args(["-TERM", &pid.to_string()]).status().unwrap().success());
}

/// The records of calls in a state directory's audit log.
pub fn audited(state: &TempDir) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(state.path().join("audit/metrics-mcp.jsonl")).unwrap_or_default();
    let records =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<serde_json::Value>>();
    records.into_iter().filter(|record| record.get("event").is_none()).collect()
}
