//! The load generator: an HTTP server with one page of metrics, std only.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::exposition::{Dialect, Exposition, Kind};
use super::traffic::Traffic;

/// It ends by itself, should someone forget to stop it.
const LIFETIME: Duration = Duration::from_secs(2 * 60 * 60);
/// A scraper that says nothing is left after this time: requests are served one after the other.
const PATIENCE: Duration = Duration::from_secs(1);
/// Longer requests are cut and answered by what was read.
const REQUEST_LINES: usize = 100;

/// Serves `/metrics` and `/-/ready` on loopback for two hours.
pub(crate) fn serve(port: u16) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(("127.0.0.1", port))
        .map_err(|error| format!("listen on 127.0.0.1:{port}: {error}"))?;
    let began = Began { instant: Instant::now(), unix: SystemTime::now().duration_since(UNIX_EPOCH)? };
    thread::spawn(move || {
        let mut traffic = Traffic::new();
        for stream in listener.incoming().flatten() {
            traffic.advance_to(began.instant.elapsed().as_secs());
            if let Err(error) = answer(&stream, &traffic, &began) {
                eprintln!("failed to answer a scrape: {error}");
            }
        }
    });
    thread::sleep(LIFETIME);
    Ok(())
}

struct Began {
    instant: Instant,
    unix: Duration,
}

fn answer(stream: &TcpStream, traffic: &Traffic, began: &Began) -> Result<(), Box<dyn Error>> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let head: Vec<String> = BufReader::new(stream)
        .lines()
        .take(REQUEST_LINES)
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .collect();

    let mut stream = stream;
    let reply = reply_to(&head, traffic, began);
    stream.write_all(reply.as_bytes())?;
    Ok(())
}

fn reply_to(head: &[String], traffic: &Traffic, began: &Began) -> String {
    let target = head.first().and_then(|line| line.split_whitespace().nth(1)).unwrap_or_default();
    match target {
        "/metrics" => {
            let dialect = Dialect::from_accept(header(head, "accept"));
            reply("200 OK", dialect.content_type(), &page(traffic, began, dialect))
        }
        "/-/ready" => reply("200 OK", "text/plain", "ready\n"),
        _ => reply("404 Not Found", "text/plain", "try /metrics\n"),
    }
}

fn page(traffic: &Traffic, began: &Began, dialect: Dialect) -> String {
    let mut page = Exposition::new(dialect);
    traffic.write_to(&mut page, dialect);
    // Tells a test when the worker slowed down and the version changed: so many seconds after this.
    page.family("process_start_time_seconds", Kind::Gauge, "Start of the process, seconds since 1970.");
    page.sample("process_start_time_seconds", &[], began.unix.as_secs_f64());
    page.finish()
}

fn header<'a>(head: &'a [String], wanted: &str) -> &'a str {
    head.iter()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
        .map_or("", |(_, value)| value.trim())
}

fn reply(status: &str, content_type: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply_to_lines(lines: &[&str]) -> String {
        let head: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        let began = Began { instant: Instant::now(), unix: Duration::from_secs(1_700_000_000) };
        reply_to(&head, &Traffic::new(), &began)
    }

    #[test]
    fn the_format_follows_the_accept_header_whatever_its_case() {
        let text = reply_to_lines(&["GET /metrics HTTP/1.1", "Accept: */*"]);
        assert!(text.contains("Content-Type: text/plain; version=0.0.4"));
        assert!(text.ends_with("process_start_time_seconds 1700000000\n"));

        let open = reply_to_lines(&["GET /metrics HTTP/1.1", "ACCEPT: application/openmetrics-text"]);
        assert!(open.contains("Content-Type: application/openmetrics-text; version=1.0.0"));
        assert!(open.ends_with("# EOF\n"));
    }

    #[test]
    fn an_unknown_or_broken_request_gets_404() {
        assert!(reply_to_lines(&["GET /else HTTP/1.1"]).starts_with("HTTP/1.1 404 "));
        assert!(reply_to_lines(&[]).starts_with("HTTP/1.1 404 "));
    }
}
