//! Connections that were used once and say nothing any more, and more of them than the server may open files.

use std::error::Error;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use testkit::rss::current_rss_bytes;
use tokio::process::Command;
use tokio::time::timeout;

use super::super::child::OverHttp;
use super::super::fake::Fake;
use super::super::http1::Connection;
use super::super::report::{Figure, Goal, median, number};
use super::super::subject::{self, Subject};

/// Calls that must be answered while the others are idle.
const CALLS: usize = 200;
/// As many files as a shell gives a process on most systems.
const USUAL_FILES: u64 = 1_024;
/// Connections tried against that: more than are served, and no more than the kernel's queue of 128 holds besides.
const TRIED: usize = 860;
/// How long one that is not served is waited for.
const WAIT: Duration = Duration::from_millis(300);
const KIB: f64 = 1024.0;

pub(super) async fn measure(subject: &Subject, connections: usize) -> Result<Vec<Figure>, Box<dyn Error>> {
    let fake = Fake::start(1)?;
    let mut figures = many(subject, &fake, connections).await?;
    figures.extend(too_many(subject, &fake).await?);
    Ok(figures)
}

async fn many(subject: &Subject, fake: &Fake, connections: usize) -> Result<Vec<Figure>, Box<dyn Error>> {
    // A quarter is kept for backends.
    let server = serve(subject, fake, connections as u64 * 4 / 3 + 100).await?;
    let (alone, _) = calls(server.address, CALLS).await?;
    let before = current_rss_bytes(server.pid()?);
    let mut idle = Vec::new();
    for _ in 0..connections {
        idle.push(used_once(server.address).await?);
    }
    let each = current_rss_bytes(server.pid()?).saturating_sub(before) as f64 / connections as f64 / KIB;
    let (during, answered) = calls(server.address, CALLS).await?;
    let mut open = 0;
    for connection in &mut idle {
        open += usize::from(connection.exchange(&live(server.address)).await.is_ok());
    }
    server.end().await?;
    let count = number(connections as f64);
    Ok(vec![
        Figure::new(format!("{count} idle connections: memory of each"), each, "KiB", Goal::AtMost(16.0)),
        Figure::new("  still served afterwards", open as f64, "", Goal::AtLeast(connections as f64)),
        Figure::new(
            format!("  {CALLS} calls meanwhile: answered"),
            answered as f64,
            "calls",
            Goal::AtLeast(CALLS as f64),
        ),
        Figure::new("  p50 of them ÷ p50 without idle connections", during / alone, "", Goal::AtMost(2.0)),
    ])
}

/// At the limit of files the rest waits in the kernel's queue; who was there before is still served.
async fn too_many(subject: &Subject, fake: &Fake) -> Result<Vec<Figure>, Box<dyn Error>> {
    let server = serve(subject, fake, USUAL_FILES).await?;
    let mut first = used_once(server.address).await?;
    let (mut served, mut waiting) = (Vec::new(), Vec::new());
    for _ in 0..TRIED {
        // The first that waits tells that there is no more room; the others need not be waited for.
        let is_full = !waiting.is_empty();
        let mut connection = Connection::open(server.address).await?;
        connection.send(&live(server.address)).await?;
        let is_served = !is_full && timeout(WAIT, connection.receive()).await.is_ok();
        if is_served { served.push(connection) } else { waiting.push(connection) }
    }
    // Its first call: the connection to the backend is opened now.
    let request = subject::post(server.address, &subject::answered());
    let reply = String::from_utf8(first.exchange(&request).await?.body.to_vec())?;
    let answered = subject::result(&reply, false).is_ok();
    let (many, late) = (served.len(), waiting.len());
    drop(served);
    let mut then = 0;
    for connection in &mut waiting {
        then += usize::from(timeout(Duration::from_secs(5), connection.receive()).await.is_ok());
    }
    server.end().await?;
    let tried = number(TRIED as f64);
    Ok(vec![
        Figure::new(
            format!("{tried} connections to a server with {} files: served", number(USUAL_FILES as f64)),
            many as f64,
            "",
            Goal::None,
        ),
        Figure::new("  waiting in the kernel's queue", late as f64, "", Goal::None),
        Figure::new(
            "  calls answered meanwhile on an earlier connection",
            f64::from(u8::from(answered)),
            "of 1",
            Goal::AtLeast(1.0),
        ),
        Figure::new(
            "  of those that waited, served once others had gone",
            then as f64,
            "",
            Goal::AtLeast(late as f64),
        ),
    ])
}

/// The server, with so many files.
async fn serve(subject: &Subject, fake: &Fake, files: u64) -> Result<OverHttp, Box<dyn Error>> {
    let plain = subject.command(Some(&fake.url()));
    OverHttp::start(|address| {
        let plain = plain.as_std();
        let mut limited = Command::new("/bin/sh");
        limited.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        limited.args(["-c", &format!("ulimit -n {files}; exec \"$0\" \"$@\"")]).arg(plain.get_program());
        limited.args(["serve", "--http", &address.to_string()]);
        limited
    })
    .await
}

/// A connection on which one request was answered.
async fn used_once(address: SocketAddr) -> Result<Connection, Box<dyn Error>> {
    let mut connection = Connection::open(address).await?;
    connection.exchange(&live(address)).await?;
    Ok(connection)
}

fn live(address: SocketAddr) -> Vec<u8> {
    format!("GET /livez HTTP/1.1\r\nHost: {address}\r\n\r\n").into_bytes()
}

/// The median in seconds of calls on one connection, and how many of them were answered.
async fn calls(address: SocketAddr, count: usize) -> Result<(f64, usize), Box<dyn Error>> {
    let request = subject::post(address, &subject::answered());
    let mut connection = Connection::open(address).await?;
    let (mut took, mut answered) = (Vec::new(), 0);
    for _ in 0..count {
        let began = Instant::now();
        let reply = String::from_utf8(connection.exchange(&request).await?.body.to_vec())?;
        took.push(began.elapsed().as_secs_f64());
        answered += usize::from(subject::result(&reply, false).is_ok());
    }
    Ok((median(took), answered))
}
