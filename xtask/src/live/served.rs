//! The server under test, serving HTTP for as long as this value lives.

use std::error::Error;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::{readiness, subject::Subject};
use crate::testbed::http;

const READY_WITHIN: Duration = Duration::from_secs(10);
/// Longer than the server's own grace for calls in flight.
const STOPPED_WITHIN: Duration = Duration::from_secs(15);

pub(super) struct Served {
    process: Child,
    /// `127.0.0.1:PORT`.
    pub(super) address: String,
    /// What clients connect to.
    pub(super) mcp: String,
    /// Where its audit log and key are.
    pub(super) state: PathBuf,
}

impl Served {
    /// Starts it on a free port and waits until it answers.
    pub(super) fn start(subject: &Subject) -> Result<Served, Box<dyn Error>> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let state = subject.state.join("http");
        let process = Command::new(&subject.program)
            .args(["serve", "--http", &address])
            .env_clear()
            .envs(&subject.environment)
            .env("OBSERVABILITY_MCP_STATE", &state)
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .spawn()?;
        let url = format!("http://{address}");
        let served = Served { process, address, mcp: format!("{url}/mcp"), state };
        let ready = readiness::within(READY_WITHIN, || {
            http::get(&url, "/livez").is_ok_and(|reply| reply.status == 200)
        });
        if ready { Ok(served) } else { Err(format!("start the server on {}", served.address).into()) }
    }

    /// Asks it to end; whether it did so by itself and in good order.
    pub(super) fn stop(&mut self) -> Result<bool, Box<dyn Error>> {
        Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status()?;
        let mut status = None;
        readiness::within(STOPPED_WITHIN, || {
            status = self.process.try_wait().ok().flatten();
            status.is_some()
        });
        Ok(status.is_some_and(|status| status.success()))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Both fail when it has ended already, as it should have.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
