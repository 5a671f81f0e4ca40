//! A shipped binary as a child process, over stdio or HTTP.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::mcp::{Client, HttpClient, HttpReply, HttpRequest};

/// A binary.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    path: &'static str,
}

impl Program {
    /// The binary at this path: `env!("CARGO_BIN_EXE_NAME")`, which only a test of its own package can say.
    pub const fn at(path: &'static str) -> Program {
        Program { path }
    }

    /// Its name, such as `metrics-mcp`.
    pub fn name(self) -> &'static str {
        Path::new(self.path).file_stem().unwrap().to_str().unwrap()
    }

    /// The environment variable of one of its settings: `METRICS_MCP__LIMITS__MAX_CALLS` for `LIMITS__MAX_CALLS`.
    pub fn variable(self, setting: &str) -> String {
        format!("{}__{setting}", self.name().replace('-', "_").to_uppercase())
    }

    /// The binary with an environment of its own: nothing of the developer's machine reaches it.
    pub fn command(self, state: &TempDir, environment: &[(&str, &str)]) -> Command {
        let mut command = Command::new(self.path);
        command.env_clear().env("OBSERVABILITY_MCP_STATE", state.path()).env("USER", "tester");
        command.envs(environment.iter().copied());
        command
    }

    /// A client over the stdio of the binary.
    pub fn over_stdio(self, state: &TempDir, environment: &[(&str, &str)]) -> Client {
        Client::spawn(self.command(state, environment))
    }

    /// The binary serving HTTP.
    pub async fn serve(self, environment: &[(&str, &str)]) -> Served {
        let state = tempfile::tempdir().unwrap();
        let command = self.command(&state, environment);
        Served::run(command, state).await
    }

    /// The same with at most so many open files.
    pub async fn serve_with_files(self, files: u32, environment: &[(&str, &str)]) -> Served {
        let state = tempfile::tempdir().unwrap();
        let plain = self.command(&state, environment);
        let mut limited = Command::new("/bin/sh");
        limited.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        limited.args(["-c", &format!("ulimit -n {files}; exec \"$0\" \"$@\"")]).arg(plain.get_program());
        Served::run(limited, state).await
    }

    /// The records of calls in a state directory's audit log.
    pub fn audited(self, state: &TempDir) -> Vec<Value> {
        let log = state.path().join(format!("audit/{}.jsonl", self.name()));
        let text = std::fs::read_to_string(log).unwrap_or_default();
        let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        records.filter(|record| record.get("event").is_none()).collect()
    }

    /// The same, when there are so many of them or two seconds have passed: the log is on disk within a second.
    pub async fn audited_soon(self, state: &TempDir, count: usize) -> Vec<Value> {
        for _ in 0..40 {
            let records = self.audited(state);
            if records.len() >= count {
                return records;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.audited(state)
    }
}

/// A binary serving HTTP on a port of its own; killed when dropped.
pub struct Served {
    /// The process.
    pub process: Child,
    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub url: String,
    /// Where it listens.
    pub port: u16,
    /// Its state directory.
    pub state: TempDir,
}

impl Served {
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

    /// Its endpoint of the protocol, request by request.
    pub fn mcp(&self) -> HttpClient {
        HttpClient::new(&format!("{}/mcp", self.url))
    }

    /// A client of it.
    pub fn client(&self) -> Client {
        Client::over_http(self.mcp())
    }

    /// What it answers to a GET.
    pub async fn get(&self, path: &str) -> HttpReply {
        HttpClient::new(&self.url).send(HttpRequest::new("GET").path(path)).await
    }

    /// Sends SIGTERM to this process, by its id.
    pub fn terminate(&self) {
        terminate(self.process.id());
    }

    /// How it ended, if it does within `limit`.
    pub fn exit_within(&mut self, limit: Duration) -> Option<ExitStatus> {
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

/// Sends SIGTERM, by process id.
pub fn terminate(pid: u32) {
    assert!(Command::new("kill").args(["-TERM", &pid.to_string()]).status().unwrap().success());
}
