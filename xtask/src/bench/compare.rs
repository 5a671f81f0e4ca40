//! Calls over HTTP: ours and the baselines in turn, several rounds, so that what disturbs the machine disturbs all.

use std::error::Error;
use std::time::Duration;

use testkit::rss::{current_rss_bytes, peak_rss_bytes};

use super::child::OverHttp;
use super::contender::{Contender, Group};
use super::fake::Fake;
use super::load::Bounds;
use super::report::{Figure, Goal};
use super::subject::{self, Subject};
use super::summary;

/// Connections of the busy runs, each with one call at a time.
pub(super) const CONNECTIONS: usize = 16;
/// No run makes more calls than this, however fast they are answered.
const MOST_CALLS: usize = 200_000;
/// How long the server is left alone before its memory is called idle.
const REST: Duration = Duration::from_secs(1);

/// How much is measured.
#[derive(Clone, Copy)]
pub(super) struct Effort {
    pub(super) rounds: usize,
    /// Of each server, each way, in each round.
    pub(super) time: Duration,
}

/// The table of all servers, and the figures that have goals.
pub(super) struct Compared {
    pub(super) table: String,
    pub(super) figures: Vec<Figure>,
}

/// Starts everything, measures in rounds, stops everything.
pub(super) async fn run(subject: &Subject, effort: Effort) -> Result<Compared, Box<dyn Error>> {
    let fake = Fake::start(1)?;
    let server = OverHttp::start(|address| {
        let mut command = subject.command(Some(&fake.url()));
        command.args(["serve", "--http", &address.to_string()]);
        command
    })
    .await?;
    tokio::time::sleep(REST).await;
    let idle = current_rss_bytes(server.pid()?) as f64 / 1e6;

    let mut answered = Group::start(subject, &server, &fake, &subject::answered(), false).await?;
    let mut refused = Group::start(subject, &server, &fake, &subject::refused(), true).await?;
    let contenders = answered.contenders_mut().into_iter().chain(refused.contenders_mut()).collect();
    measure(contenders, effort).await?;

    let peak = peak_rss_bytes(server.pid()?) as f64 / 1e6;
    let mut figures = summary::figures(&answered, &refused);
    figures.push(Figure::new("idle RSS over HTTP, before the first call", idle, "MB", Goal::AtMost(15.0)));
    figures.push(Figure::new("peak RSS over HTTP after all these calls", peak, "MB", Goal::None));
    let table = summary::table(&[&answered, &refused]);
    answered.end().await?;
    refused.end().await?;
    server.end().await?;
    Ok(Compared { table, figures })
}

/// The first round warms up and is not counted. Each round begins with another server.
async fn measure(mut contenders: Vec<&mut Contender>, effort: Effort) -> Result<(), Box<dyn Error>> {
    let busy = Bounds {
        connections: CONNECTIONS,
        calls_per_connection: MOST_CALLS / CONNECTIONS,
        time: effort.time,
    };
    let alone = Bounds { connections: 1, calls_per_connection: MOST_CALLS, time: effort.time };
    for round in 0..=effort.rounds {
        for contender in &mut contenders {
            let run = contender.run(busy, alone).await?;
            if round > 0 {
                contender.runs.push(run);
            }
        }
        contenders.rotate_left(1);
    }
    Ok(())
}
