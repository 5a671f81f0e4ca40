//! Who is measured: our server, and the baselines that send the same bytes.

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::Value;
use tokio::process::Command;

use super::child::{OverHttp, processor_seconds};
use super::fake::Fake;
use super::http1::Connection;
use super::load::{self, Bounds, Measured, Target};
use super::subject::{self, Subject};

/// One call, answered by us and by the baselines.
pub(super) struct Group {
    pub(super) ours: Contender,
    pub(super) axum: Contender,
    /// axum with our requests to the backend, where there are any.
    pub(super) axum_with_trips: Option<Contender>,
    pub(super) rmcp: Contender,
}

/// One server with one call.
pub(super) struct Contender {
    pub(super) name: String,
    target: Target,
    pid: u32,
    /// A baseline's own process; ours is kept elsewhere, because it is one for all calls.
    process: Option<OverHttp>,
    pub(super) runs: Vec<Run>,
}

/// What was measured in one round.
pub(super) struct Run {
    pub(super) busy: Measured,
    pub(super) alone: Measured,
    /// Processor time of the server for each call of the busy run, in microseconds.
    pub(super) work_us: f64,
}

impl Group {
    /// Makes the call once to learn its reply, then starts baselines that give the same.
    pub(super) async fn start(
        subject: &Subject,
        server: &OverHttp,
        fake: &Fake,
        call: &Value,
        refused: bool,
    ) -> Result<Group, Box<dyn Error>> {
        let (reply, trips) = reply(server.address, call, refused, fake).await?;
        let what = if refused { "arguments refused" } else { "query_metrics answered" };
        let target =
            |address| Target { address, request: subject::post(address, call), reply_bytes: reply.len() };
        let file = subject.state.path().join(format!("{what}.json"));
        std::fs::write(&file, &reply)?;
        let baselines = Baselines { file, upstream: fake.address, target: &target };
        let axum_with_trips = match trips {
            0 => None,
            1 => Some(
                baselines
                    .start("bare axum, same bytes, after a trip to the backend", "bench-axum", 1)
                    .await?,
            ),
            more => {
                let name = format!("bare axum, same bytes, after {more} trips to the backend");
                Some(baselines.start(&name, "bench-axum", more).await?)
            }
        };
        Ok(Group {
            ours: Contender::new(
                &format!("metrics-mcp, {what}"),
                target(server.address),
                server.pid()?,
                None,
            ),
            axum: baselines.start("bare axum, same bytes", "bench-axum", 0).await?,
            axum_with_trips,
            rmcp: baselines.start("bare rmcp, same result", "bench-rmcp", 0).await?,
        })
    }

    pub(super) fn baselines(&self) -> impl Iterator<Item = &Contender> {
        [&self.axum].into_iter().chain(&self.axum_with_trips).chain([&self.rmcp])
    }

    pub(super) fn contenders_mut(&mut self) -> Vec<&mut Contender> {
        let all = [&mut self.ours, &mut self.axum].into_iter().chain(&mut self.axum_with_trips);
        all.chain([&mut self.rmcp]).collect()
    }

    /// Ends the baselines.
    pub(super) async fn end(self) -> Result<(), Box<dyn Error>> {
        let baselines = [self.axum, self.rmcp].into_iter().chain(self.axum_with_trips);
        for process in baselines.filter_map(|contender| contender.process) {
            process.end().await?;
        }
        Ok(())
    }
}

impl Contender {
    fn new(name: &str, target: Target, pid: u32, process: Option<OverHttp>) -> Contender {
        Contender { name: name.to_owned(), target, pid, process, runs: Vec::new() }
    }

    pub(super) async fn run(&self, busy: Bounds, alone: Bounds) -> Result<Run, Box<dyn Error>> {
        let before = processor_seconds(self.pid)?;
        let busy = load::run(&self.target, busy).await?;
        let work_us = (processor_seconds(self.pid)? - before) * 1e6 / busy.calls() as f64;
        Ok(Run { busy, alone: load::run(&self.target, alone).await?, work_us })
    }
}

/// What ours answers, and how many requests to the backend that takes; the second time, because the first call
/// fills caches.
async fn reply(
    address: SocketAddr,
    call: &Value,
    refused: bool,
    fake: &Fake,
) -> Result<(String, usize), Box<dyn Error>> {
    let mut connection = Connection::open(address).await?;
    let request = subject::post(address, call);
    connection.exchange(&request).await?;
    let before = fake.requests();
    let reply = String::from_utf8(connection.exchange(&request).await?.body.to_vec())?;
    subject::result(&reply, refused)?;
    Ok((reply, fake.requests() - before))
}

/// How baselines are started: each is this program under another command.
struct Baselines<'a> {
    /// The reply they give.
    file: PathBuf,
    upstream: SocketAddr,
    target: &'a dyn Fn(SocketAddr) -> Target,
}

impl Baselines<'_> {
    async fn start(&self, name: &str, command: &str, trips: usize) -> Result<Contender, Box<dyn Error>> {
        let own = std::env::current_exe()?;
        let process = OverHttp::start(|address| {
            let mut process = Command::new(own);
            process.args([command, "--listen", &address.to_string(), "--reply"]).arg(&self.file);
            if trips > 0 {
                process.args(["--upstream", &self.upstream.to_string(), "--trips", &trips.to_string()]);
            }
            process
        })
        .await?;
        let (target, pid) = ((self.target)(process.address), process.pid()?);
        Ok(Contender::new(name, target, pid, Some(process)))
    }
}
