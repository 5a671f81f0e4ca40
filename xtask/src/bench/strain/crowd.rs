//! A thousand different calls at once, before a backend that takes two seconds.

use std::error::Error;
use std::time::Duration;

use serde_json::Value;
use testkit::rss::{current_rss_bytes, peak_rss_bytes};
use tokio::task::JoinSet;

use super::super::child::{OverHttp, OverStdio};
use super::super::fake::Fake;
use super::super::http1::Connection;
use super::super::report::{Figure, Goal, number};
use super::super::subject::{self, Subject};

const CALLS: usize = 1_000;
const BACKEND_TAKES: Duration = Duration::from_secs(2);
const REST: Duration = Duration::from_secs(1);
const KIB: f64 = 1024.0;

pub(super) async fn measure(subject: &Subject) -> Result<Vec<Figure>, Box<dyn Error>> {
    let fake = Fake::start_after(1, BACKEND_TAKES)?;
    let mut figures = unlimited(subject, &fake).await?;
    figures.extend(limited(subject, &fake).await?);
    Ok(figures)
}

/// Over stdio and without limits, so that all of them run at the same time: what each takes.
async fn unlimited(subject: &Subject, fake: &Fake) -> Result<Vec<Figure>, Box<dyn Error>> {
    let mut command = subject.command(Some(&fake.url()));
    for limit in ["LIMITS__MAX_CALLS", "LIMITS__MAX_CALLS_PER_PRINCIPAL", "UPSTREAM__MAX_CONCURRENT_REQUESTS"]
    {
        command.env(format!("METRICS_MCP__{limit}"), CALLS.to_string());
    }
    let mut server = OverStdio::start(command)?;
    // What the first call sets up is not a matter of how many there are.
    subject::result(&server.ask(&subject::distinct(CALLS)).await?, false)?;
    tokio::time::sleep(REST).await;
    let (before, asked) = (current_rss_bytes(server.pid()?), fake.requests());
    let calls: Vec<Value> = (0..CALLS).map(subject::distinct).collect();
    let replies = server.ask_all(&calls).await?;
    let peak = peak_rss_bytes(server.pid()?);
    let answered = replies.iter().filter(|reply| subject::result(reply, false).is_ok()).count();
    let most = fake.most_at_once();
    server.end().await?;
    let each = peak.saturating_sub(before) as f64 / CALLS as f64 / KIB;
    Ok(vec![
        Figure::new(
            format!("{} calls at once over stdio, limits lifted: answered", number(CALLS as f64)),
            answered as f64,
            "calls",
            Goal::AtLeast(CALLS as f64),
        ),
        Figure::new("  requests to the backend at the same time, at most", most as f64, "", Goal::None),
        Figure::new("  requests to the backend in all", (fake.requests() - asked) as f64, "", Goal::None),
        Figure::new("  memory of each above idle", each, "KiB", Goal::AtMost(256.0)),
        Figure::new("  peak RSS", peak as f64 / 1e6, "MB", Goal::None),
    ])
}

/// Over HTTP with the limits as they come: who is answered, who is told what.
async fn limited(subject: &Subject, fake: &Fake) -> Result<Vec<Figure>, Box<dyn Error>> {
    let server = OverHttp::start(|address| {
        let mut command = subject.command(Some(&fake.url()));
        command.args(["serve", "--http", &address.to_string()]);
        command
    })
    .await?;
    let mut connections = Vec::new();
    for number in 0..CALLS {
        let request = subject::post(server.address, &subject::distinct(number));
        connections.push((Connection::open(server.address).await?, request));
    }
    let before = current_rss_bytes(server.pid()?);
    let mut running = JoinSet::new();
    for (mut connection, request) in connections {
        running.spawn(async move {
            let reply = connection.exchange(&request).await?;
            Ok::<_, std::io::Error>(fate(reply.head, &String::from_utf8_lossy(reply.body)))
        });
    }
    let mut fates = Vec::new();
    while let Some(ended) = running.join_next().await {
        fates.push(ended??);
    }
    let peak = peak_rss_bytes(server.pid()?);
    server.end().await?;
    let count = |fate: Fate| fates.iter().filter(|one| **one == fate).count() as f64;
    let each = peak.saturating_sub(before) as f64 / CALLS as f64 / KIB;
    Ok(vec![
        Figure::new(
            format!("{} calls at once over HTTP, limits as they come: answered", number(CALLS as f64)),
            count(Fate::Answered),
            "calls",
            Goal::None,
        ),
        Figure::new("  told `busy`, with retry_after_seconds", count(Fate::Busy), "calls", Goal::None),
        Figure::new("  told HTTP 429, with Retry-After", count(Fate::TooMany), "calls", Goal::None),
        Figure::new("  anything else", count(Fate::Else), "calls", Goal::AtMost(0.0)),
        Figure::new("  memory of each above idle", each, "KiB", Goal::AtMost(256.0)),
        Figure::new("  peak RSS", peak as f64 / 1e6, "MB", Goal::None),
    ])
}

/// What became of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Answered,
    Busy,
    TooMany,
    Else,
}

fn fate(head: &str, body: &str) -> Fate {
    if head.starts_with("HTTP/1.1 429 ") && head.to_ascii_lowercase().contains("retry-after:") {
        return Fate::TooMany;
    }
    let error = subject::result(body, true).ok();
    let error = error.as_ref().and_then(|result| result.pointer("/structuredContent/error"));
    let is_busy = error.is_some_and(|error| {
        error.get("kind").is_some_and(|kind| kind == "busy") && error.get("retry_after_seconds").is_some()
    });
    match (is_busy, subject::result(body, false).is_ok()) {
        (true, _) => Fate::Busy,
        (_, true) => Fate::Answered,
        _ => Fate::Else,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_counts_only_when_it_says_when_to_come_back() {
        let busy = r#"{"result":{"content":[],"isError":true,"structuredContent":{"error":{"kind":"busy","retry_after_seconds":1}}}}"#;
        assert_eq!(fate("HTTP/1.1 200 OK", busy), Fate::Busy);
        assert_eq!(fate("HTTP/1.1 200 OK", &busy.replace("retry_after_seconds", "x")), Fate::Else);
        assert_eq!(fate("HTTP/1.1 200 OK", r#"{"result":{"content":[],"isError":false}}"#), Fate::Answered);
        assert_eq!(fate("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1", "x"), Fate::TooMany);
        assert_eq!(fate("HTTP/1.1 429 Too Many Requests", "x"), Fate::Else);
    }
}
