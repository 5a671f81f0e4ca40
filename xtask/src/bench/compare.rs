//! Calls over HTTP: ours and the baselines in turn, several rounds, so that what disturbs the machine disturbs all.

use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use testkit::rss::{current_rss_bytes, peak_rss_bytes};
use tokio::process::Command;

use super::child::OverHttp;
use super::fake::Fake;
use super::http1::Connection;
use super::load::{self, Bounds, Measured, Target};
use super::report::{Figure, Goal, median, number, table};
use super::subject::{self, Subject};

/// Connections of the busy runs, each with one call at a time.
const CONNECTIONS: usize = 16;
/// No run makes more calls than this, however fast they are answered.
const MOST_CALLS: usize = 200_000;

/// How much is measured.
#[derive(Clone, Copy)]
pub(super) struct Effort {
    pub(super) rounds: usize,
    /// Of each server, each way, in each round.
    pub(super) time: Duration,
}

/// Who is measured, in the order of the table.
const OURS: usize = 0;
const AXUM: usize = 1;
const AXUM_TRIP: usize = 2;
const RMCP: usize = 3;
const OURS_REFUSED: usize = 4;
const AXUM_REFUSED: usize = 5;
const RMCP_REFUSED: usize = 6;

/// One server with one call.
struct Contender {
    name: String,
    /// Which of ours it is compared with.
    ours: usize,
    target: Target,
    /// Kept alive; ours is one process for both calls.
    process: Option<OverHttp>,
    busy: Vec<Measured>,
    alone: Vec<Measured>,
}

/// The table of all servers, and the figures that have goals.
pub(super) struct Compared {
    pub(super) table: String,
    pub(super) figures: Vec<Figure>,
}

/// Starts everything, measures in rounds, stops everything.
pub(super) async fn run(subject: &Subject, effort: Effort) -> Result<Compared, Box<dyn Error>> {
    let fake = Fake::start(1)?;
    let server = OverHttp::start(|address| serving(subject, &fake, address)).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let idle = current_rss_bytes(server.pid()?) as f64 / 1e6;
    let mut contenders = contenders(subject, &fake, server.address).await?;

    let busy = Bounds {
        connections: CONNECTIONS,
        calls_per_connection: MOST_CALLS / CONNECTIONS,
        time: effort.time,
    };
    let alone = Bounds { connections: 1, calls_per_connection: MOST_CALLS, time: effort.time };
    // The first round warms up and is not counted. Each round begins with another server.
    for round in 0..=effort.rounds {
        let count = contenders.len();
        for turn in 0..count {
            let Some(contender) = contenders.get_mut((turn + round) % count) else { continue };
            let (many, one) =
                (load::run(&contender.target, busy).await?, load::run(&contender.target, alone).await?);
            if round > 0 {
                contender.busy.push(many);
                contender.alone.push(one);
            }
        }
    }

    let peak = peak_rss_bytes(server.pid()?) as f64 / 1e6;
    let mut figures = figures(&contenders);
    figures.push(Figure::new("idle RSS over HTTP, before the first call", idle, "MB", Goal::AtMost(15.0)));
    figures.push(Figure::new("peak RSS over HTTP after all these calls", peak, "MB", Goal::None));
    let table = overview(&contenders);
    for process in contenders.into_iter().filter_map(|contender| contender.process).chain([server]) {
        process.end().await?;
    }
    Ok(Compared { table, figures })
}

fn serving(subject: &Subject, fake: &Fake, address: SocketAddr) -> Command {
    let mut command = subject.command(Some(&fake.url()));
    command.args(["serve", "--http", &address.to_string()]);
    command
}

async fn contenders(
    subject: &Subject,
    fake: &Fake,
    ours: SocketAddr,
) -> Result<Vec<Contender>, Box<dyn Error>> {
    let before = fake.requests();
    let answered = reply(ours, &subject::answered(), false).await?;
    let trips = fake.requests() - before;
    let refused = reply(ours, &subject::refused(), true).await?;
    let own = std::env::current_exe()?;
    let baselines = Baselines { own, directory: subject.state.path(), upstream: fake.address };
    let trips_name = format!("bare axum, {trips} round trip(s) to the backend, same bytes");
    Ok(vec![
        contender("metrics-mcp, query_metrics answered", OURS, ours, &subject::answered(), &answered),
        baselines.start("bare axum, same bytes", OURS, "bench-axum", 0, &answered).await?,
        baselines.start(&trips_name, OURS, "bench-axum", trips, &answered).await?,
        baselines.start("bare rmcp, same result", OURS, "bench-rmcp", 0, &answered).await?,
        contender("metrics-mcp, arguments refused", OURS_REFUSED, ours, &subject::refused(), &refused),
        baselines
            .start("bare axum, same bytes as the refusal", OURS_REFUSED, "bench-axum", 0, &refused)
            .await?,
        baselines
            .start("bare rmcp, same result as the refusal", OURS_REFUSED, "bench-rmcp", 0, &refused)
            .await?,
    ])
}

/// What ours answers; the second time, because the first call opens connections and fills caches.
async fn reply(address: SocketAddr, call: &Value, refused: bool) -> Result<String, Box<dyn Error>> {
    let mut connection = Connection::open(address).await?;
    let request = subject::post(address, call);
    connection.exchange(&request).await?;
    let reply = String::from_utf8(connection.exchange(&request).await?.body.to_vec())?;
    subject::result(&reply, refused)?;
    Ok(reply)
}

fn contender(name: &str, ours: usize, address: SocketAddr, call: &Value, reply: &str) -> Contender {
    let target = Target { address, request: subject::post(address, call), reply_bytes: reply.len() };
    Contender { name: name.to_owned(), ours, target, process: None, busy: Vec::new(), alone: Vec::new() }
}

/// How the baselines are started: each is this program under another command.
struct Baselines<'a> {
    own: PathBuf,
    directory: &'a Path,
    upstream: SocketAddr,
}

impl Baselines<'_> {
    async fn start(
        &self,
        name: &str,
        ours: usize,
        command: &str,
        trips: usize,
        reply: &str,
    ) -> Result<Contender, Box<dyn Error>> {
        let file = self.directory.join(format!("reply-{ours}.json"));
        std::fs::write(&file, reply)?;
        let call = if ours == OURS { subject::answered() } else { subject::refused() };
        let process = OverHttp::start(|address| {
            let mut process = Command::new(&self.own);
            process.args([command, "--listen", &address.to_string(), "--reply"]).arg(&file);
            if trips > 0 {
                process.args(["--upstream", &self.upstream.to_string(), "--trips", &trips.to_string()]);
            }
            process
        })
        .await?;
        let contender = contender(name, ours, process.address, &call, reply);
        Ok(Contender { process: Some(process), ..contender })
    }
}

fn overview(contenders: &[Contender]) -> String {
    let rows: Vec<_> = contenders.iter().map(|contender| row(contenders, contender)).collect();
    let header = [
        "server and call",
        "calls/s",
        "p50 µs",
        "p99 µs",
        "one by one: p50 µs",
        "p99 µs",
        "ours ÷ it, calls/s",
    ];
    table(&header, &rows)
}

fn row(contenders: &[Contender], contender: &Contender) -> Vec<String> {
    let of = |runs: &[Measured], figure: fn(&Measured) -> f64| number(median(runs.iter().map(figure)));
    let ratio = match contenders.get(contender.ours) {
        Some(ours) if contender.process.is_some() => {
            spread(pairs(&ours.busy, &contender.busy, |ours, its| ours.rate() / its.rate()))
        }
        _ => String::new(),
    };
    vec![
        contender.name.clone(),
        of(&contender.busy, Measured::rate),
        of(&contender.busy, |run| run.quantile_us(0.5)),
        of(&contender.busy, |run| run.quantile_us(0.99)),
        of(&contender.alone, |run| run.quantile_us(0.5)),
        of(&contender.alone, |run| run.quantile_us(0.99)),
        ratio,
    ]
}

/// Round by round, so that both sides were measured under the same conditions.
fn pairs(ours: &[Measured], its: &[Measured], figure: impl Fn(&Measured, &Measured) -> f64) -> Vec<f64> {
    ours.iter().zip(its).map(|(ours, its)| figure(ours, its)).collect()
}

/// Median, and the extremes of the rounds.
fn spread(values: Vec<f64>) -> String {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{:.2} ({least:.2} to {most:.2})", median(values))
}

fn figures(contenders: &[Contender]) -> Vec<Figure> {
    let rate = contenders.get(OURS).map_or(f64::NAN, |ours| median(ours.busy.iter().map(Measured::rate)));
    let added = |ours: usize, its: usize| {
        let (Some(ours), Some(its)) = (contenders.get(ours), contenders.get(its)) else { return f64::NAN };
        median(pairs(&ours.alone, &its.alone, |ours, its| ours.quantile_us(0.5) - its.quantile_us(0.5)))
    };
    let goal = Goal::AtMost(100.0);
    vec![
        Figure::new(
            format!("query_metrics answered, {CONNECTIONS} connections"),
            rate,
            "calls/s",
            Goal::AtLeast(15_000.0),
        ),
        Figure::new(
            "p50 added over bare axum: call refused in the guard",
            added(OURS_REFUSED, AXUM_REFUSED),
            "µs",
            goal,
        ),
        Figure::new("  of which rmcp", added(RMCP_REFUSED, AXUM_REFUSED), "µs", Goal::None),
        Figure::new(
            "  of which guard, audit, log and rendering",
            added(OURS_REFUSED, RMCP_REFUSED),
            "µs",
            Goal::None,
        ),
        Figure::new(
            "p50 added over axum with the same trips: call answered",
            added(OURS, AXUM_TRIP),
            "µs",
            goal,
        ),
        Figure::new("  of which rmcp", added(RMCP, AXUM), "µs", Goal::None),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_names_the_median_and_both_extremes() {
        assert_eq!(spread(vec![0.5, 0.25, 1.0]), "0.50 (0.25 to 1.00)");
    }
}
