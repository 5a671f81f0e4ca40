//! The load generator: the same call again and again over keep-alive connections, bounded by count and time.

use std::error::Error;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::http1::{Connection, Message};

/// One call, and where it goes.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) address: SocketAddr,
    /// The whole HTTP request.
    pub(super) request: Vec<u8>,
    /// The length of a right reply's body. Ids and times in it are always of the same width.
    pub(super) reply_bytes: usize,
}

/// When to stop: whichever comes first.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub(super) connections: usize,
    pub(super) calls_per_connection: usize,
    pub(super) time: Duration,
}

/// What was seen in one run.
pub(super) struct Measured {
    /// Ascending.
    latencies: Vec<Duration>,
    elapsed: Duration,
}

impl Measured {
    fn new(mut latencies: Vec<Duration>, elapsed: Duration) -> Measured {
        latencies.sort_unstable();
        Measured { latencies, elapsed }
    }

    pub(super) fn calls(&self) -> usize {
        self.latencies.len()
    }

    /// Calls per second of all connections together.
    pub(super) fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }

    /// The latency in microseconds that this share of the calls did not exceed (nearest rank).
    pub(super) fn quantile_us(&self, share: f64) -> f64 {
        let rank = (share * self.latencies.len() as f64).ceil() as usize;
        let latency = self.latencies.get(rank.saturating_sub(1));
        latency.map_or(f64::NAN, |latency| latency.as_secs_f64() * 1e6)
    }
}

/// Sends the call over all connections at once. Any reply that is not a right one fails the whole run: a figure
/// over errors would mean nothing.
pub(super) async fn run(target: &Target, bounds: Bounds) -> Result<Measured, Box<dyn Error>> {
    let mut connections = Vec::new();
    for _ in 0..bounds.connections {
        let mut connection = Connection::open(target.address).await?;
        check(&connection.exchange(&target.request).await?, target.reply_bytes)?;
        connections.push(connection);
    }

    let began = Instant::now();
    let mut running = JoinSet::new();
    for connection in connections {
        running.spawn(call_until(connection, target.clone(), bounds, began));
    }
    let mut latencies = Vec::new();
    while let Some(ended) = running.join_next().await {
        latencies.extend(ended??);
    }
    Ok(Measured::new(latencies, began.elapsed()))
}

async fn call_until(
    mut connection: Connection,
    target: Target,
    bounds: Bounds,
    began: Instant,
) -> Result<Vec<Duration>, std::io::Error> {
    let mut latencies = Vec::with_capacity(bounds.calls_per_connection);
    let mut sent = Instant::now();
    while latencies.len() < bounds.calls_per_connection && sent - began < bounds.time {
        check(&connection.exchange(&target.request).await?, target.reply_bytes)?;
        let now = Instant::now();
        latencies.push(now - sent);
        sent = now;
    }
    Ok(latencies)
}

/// Within a hundredth of the expected length: a refusal or a cut reply differs by far more.
fn check(reply: &Message<'_>, bytes: usize) -> Result<(), std::io::Error> {
    let is_ok = reply.head.starts_with("HTTP/1.1 200 ");
    if is_ok && reply.body.len().abs_diff(bytes) <= bytes / 100 {
        return Ok(());
    }
    let status = reply.head.lines().next().unwrap_or_default();
    let begin: String = String::from_utf8_lossy(reply.body).chars().take(300).collect();
    let problem = format!("a reply of {} bytes instead of {bytes} ({status}): {begin}", reply.body.len());
    Err(std::io::Error::other(problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_quantiles_are_those_of_the_nearest_rank_definition() {
        // 1 to 200 ms in any order: by nearest rank the median is the 100th value, the 99 % quantile the 198th.
        let latencies = (1..=200).rev().map(Duration::from_millis).collect();
        let measured = Measured::new(latencies, Duration::from_secs(4));
        assert_eq!(measured.rate(), 50.0);
        assert_eq!((measured.quantile_us(0.5), measured.quantile_us(0.99)), (100_000.0, 198_000.0));
    }

    #[test]
    fn a_reply_of_another_length_or_status_is_no_right_one() {
        let reply = |head, body| Message { head, body };
        assert!(check(&reply("HTTP/1.1 200 OK", &[b'x'; 1000]), 1005).is_ok());
        assert!(check(&reply("HTTP/1.1 200 OK", &[b'x'; 1000]), 1100).is_err());
        assert!(check(&reply("HTTP/1.1 429 Too Many Requests", &[b'x'; 1000]), 1000).is_err());
    }
}
