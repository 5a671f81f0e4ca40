//! A server as a child process.

use std::io::ErrorKind;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::task::AbortHandle;

/// The process behind a client made by [`super::Client::spawn`]. It is killed when it is dropped;
/// if that is because the test fails, its standard error is shown.
pub struct Child {
    process: tokio::process::Child,
    pid: u32,
    stderr: Arc<Mutex<Vec<u8>>>,
    stderr_reader: AbortHandle,
}

impl Child {
    /// Start `command` with all three standard streams piped.
    pub(super) fn start(command: std::process::Command) -> (Self, ChildStdin, ChildStdout) {
        let program = command.get_program().to_owned();
        let mut process = Command::from(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("failed to start {}: {error}", program.display()));
        let (stdin, stdout) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());

        let stderr = Arc::new(Mutex::new(Vec::new()));
        let keep = keep_all(process.stderr.take().unwrap(), Arc::clone(&stderr));
        let stderr_reader = tokio::spawn(keep).abort_handle();
        let pid = process.id().expect("a process that has just been started");
        (Self { process, pid, stderr, stderr_reader }, stdin, stdout)
    }

    /// Its process id, for signals and for [`crate::rss`].
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// What it has written to standard error so far.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr.lock().unwrap()).into_owned()
    }

    /// How it ended, if it does within `limit`. All of its standard error has been read then, unless a
    /// process it left behind holds that open.
    pub async fn exit_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        let status = tokio::time::timeout(limit, self.process.wait()).await.ok()?.unwrap();
        let drained = async {
            while !self.stderr_reader.is_finished() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(1), drained).await;
        Some(status)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.stderr_reader.abort();
        if std::thread::panicking() {
            eprintln!("standard error of the server, process {}:\n{}", self.pid, self.stderr());
        }
    }
}

async fn keep_all(mut stream: impl AsyncRead + Unpin, kept: Arc<Mutex<Vec<u8>>>) {
    let mut piece = [0; 4096];
    loop {
        match stream.read(&mut piece).await {
            Ok(0) => return,
            Ok(length) => kept.lock().unwrap().extend_from_slice(&piece[..length]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => panic!("failed to read the server's standard error: {error}"),
        }
    }
}
