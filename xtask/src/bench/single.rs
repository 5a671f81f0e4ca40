//! Figures of single processes over stdio: start, memory, and what becomes of one large reply.

use std::error::Error;
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::proxy::{Fault, Misbehaving};
use testkit::rss::{current_rss_bytes, peak_rss_bytes};

use super::child::{OverStdio, anonymous_bytes};
use super::fake::Fake;
use super::fixture;
use super::report::{Figure, Goal, median, number};
use super::subject::{Subject, answered, list, ranged, result};

/// Processes that are started for one figure.
const STARTS: usize = 20;
/// How long a process is left alone before its memory is called idle.
const REST: Duration = Duration::from_secs(1);
/// Series of the large reply: 4 MB.
const SERIES: usize = 84;
/// So many that the reply is just under the cap of 8 MiB.
const MOST_SERIES: usize = 170;

const MB: f64 = 1e6;

/// From spawning to the first answer: listing without a backend, listing with one that hangs, calling.
pub(super) async fn start(subject: &Subject) -> Result<Vec<Figure>, Box<dyn Error>> {
    let hanging = Misbehaving::start(Fault::AcceptAndHang);
    let fake = Fake::start(SERIES)?;
    let bare = first_answer(subject, None, &list()).await?;
    let hung = first_answer(subject, Some(&hanging.url()), &list()).await?;
    let called = first_answer(subject, Some(&fake.url()), &answered()).await?;
    Ok(vec![
        Figure::new("spawn → tools/list over stdio, no backend configured", bare, "ms", Goal::AtMost(20.0)),
        Figure::new("spawn → tools/list over stdio, backend hangs", hung, "ms", Goal::AtMost(50.0)),
        Figure::new("spawn → first query_metrics answered over stdio", called, "ms", Goal::AtMost(20.0)),
    ])
}

/// The median in milliseconds.
async fn first_answer(
    subject: &Subject,
    backend: Option<&str>,
    request: &Value,
) -> Result<f64, Box<dyn Error>> {
    let mut waits = Vec::new();
    for _ in 0..STARTS {
        let spawned = Instant::now();
        let mut server = OverStdio::start(subject.command(backend))?;
        let reply = server.ask(request).await?;
        waits.push(spawned.elapsed().as_secs_f64() * 1e3);
        has_result(&reply)?;
        server.end().await?;
    }
    Ok(median(waits))
}

/// What the server takes when nothing is asked of it, and what a client has to read before its first call.
pub(super) async fn idle(subject: &Subject) -> Result<Vec<Figure>, Box<dyn Error>> {
    let mut server = OverStdio::start(subject.command(None))?;
    let listing = server.ask(&list()).await?;
    has_result(&listing)?;
    tokio::time::sleep(REST).await;
    let memory = current_rss_bytes(server.pid()?) as f64 / MB;
    let anonymous = anonymous_bytes(server.pid()?)? as f64 / MB;
    server.end().await?;
    let binary = std::fs::metadata(&subject.program)?.len() as f64 / MB;
    Ok(vec![
        Figure::new("idle RSS over stdio, after tools/list", memory, "MB", Goal::AtMost(15.0)),
        Figure::new("  of which anonymous; the rest is the program's file", anonymous, "MB", Goal::None),
        Figure::new("tools/list, the whole reply", listing.len() as f64, "bytes", Goal::AtMost(12_000.0)),
        Figure::new("stripped binary", binary, "MB", Goal::AtMost(15.0)),
    ])
}

/// Peak memory of a process that made one call.
pub(super) async fn peaks(subject: &Subject) -> Result<Vec<Figure>, Box<dyn Error>> {
    let huge = Misbehaving::start(Fault::HugeBody);
    let (refused, _) = one_call(subject, &huge.url(), true).await?;
    let fake = Fake::start(MOST_SERIES)?;
    let (peak, _) = one_call(subject, &fake.url(), false).await?;
    let (raw, _) = fake.last_range();
    let name = format!("peak RSS, a reply of {:.1} MB analysed ({MOST_SERIES} series)", raw as f64 / MB);
    Ok(vec![
        Figure::new("peak RSS, a reply of 100 MB refused", refused, "MB", Goal::AtMost(64.0)),
        Figure::new(name, peak, "MB", Goal::AtMost(64.0)),
    ])
}

/// A reply of four megabytes and what is told of it: how long, and where the faulty series stands.
pub(super) async fn digest(subject: &Subject) -> Result<Vec<Figure>, Box<dyn Error>> {
    let fake = Fake::start(SERIES)?;
    let (peak, result) = one_call(subject, &fake.url(), false).await?;
    let (raw, points) = fake.last_range();
    if points != fixture::POINTS {
        return Err(format!("measure a large reply: the server asked for {points} points a series").into());
    }
    let text = result.pointer("/content/0/text").and_then(Value::as_str).unwrap_or_default();
    let structured = result.get("structuredContent").map(Value::to_string).unwrap_or_default();
    let shrunk = raw as f64 / text.len() as f64;
    Ok(vec![
        Figure::new(
            format!("peak RSS, {SERIES} series × {} points analysed", number(points as f64)),
            peak,
            "MB",
            Goal::AtMost(64.0),
        ),
        Figure::new("  the raw reply", raw as f64, "bytes", Goal::None),
        Figure::new("  the answer as text", text.len() as f64, "bytes", Goal::AtMost(8_000.0)),
        Figure::new(
            "  the answer as structured content",
            structured.len() as f64,
            "bytes",
            Goal::AtMost(8_000.0),
        ),
        Figure::new("  raw reply ÷ text", shrunk, "", Goal::None),
        Figure::new("  place of the faulty series in the text", place(text), "", Goal::AtMost(1.0)),
        Figure::new(
            "  place of the faulty series in structured content",
            place(&structured),
            "",
            Goal::AtMost(1.0),
        ),
    ])
}

/// Peak in MB, and the call's result.
async fn one_call(subject: &Subject, backend: &str, refused: bool) -> Result<(f64, Value), Box<dyn Error>> {
    let mut server = OverStdio::start(subject.command(Some(backend)))?;
    let reply = server.ask(&ranged()).await?;
    let result = result(&reply, refused)?;
    let peak = peak_rss_bytes(server.pid()?) as f64 / MB;
    server.end().await?;
    Ok((peak, result))
}

/// How many series are named before the faulty one, plus one; infinite when it is not named at all.
fn place(answer: &str) -> f64 {
    let Some(own) = answer.find(&fixture::pod(fixture::FAULTY)) else { return f64::INFINITY };
    let earlier = (0..SERIES).filter(|series| answer.find(&fixture::pod(*series)).is_some_and(|at| at < own));
    earlier.count() as f64 + 1.0
}

fn has_result(reply: &str) -> Result<(), Box<dyn Error>> {
    let reply: Value = serde_json::from_str(reply)?;
    if reply.get("result").is_some() {
        Ok(())
    } else {
        Err(format!("measure a request: it was answered with {reply}").into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_counts_the_series_named_before() {
        let faulty = fixture::pod(fixture::FAULTY);
        assert_eq!(place(&format!("{faulty} then {} then {faulty}", fixture::pod(0))), 1.0);
        assert_eq!(place(&format!("{} and {}, {faulty}", fixture::pod(83), fixture::pod(0))), 3.0);
        assert_eq!(place("nothing"), f64::INFINITY);
    }
}
