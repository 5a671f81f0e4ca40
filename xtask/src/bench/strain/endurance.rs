//! Calls one after another: memory after a tenth of them, half of them, all of them.

use std::error::Error;
use std::time::Duration;

use testkit::rss::{current_rss_bytes, peak_rss_bytes};

use super::super::child::OverHttp;
use super::super::fake::Fake;
use super::super::http1::Connection;
use super::super::load::{self, Bounds, Target};
use super::super::report::{Figure, Goal, number};
use super::super::subject::{self, Subject};

const CONNECTIONS: usize = 16;
/// Longer than any run takes.
const PATIENCE: Duration = Duration::from_secs(3_600);
const MB: f64 = 1e6;

pub(super) async fn measure(subject: &Subject, calls: usize) -> Result<Vec<Figure>, Box<dyn Error>> {
    let fake = Fake::start(1)?;
    let server = OverHttp::start(|address| {
        let mut command = subject.command(Some(&fake.url()));
        command.args(["serve", "--http", &address.to_string()]);
        command
    })
    .await?;
    let request = subject::post(server.address, &subject::answered());
    let mut connection = Connection::open(server.address).await?;
    connection.exchange(&request).await?;
    let reply = String::from_utf8(connection.exchange(&request).await?.body.to_vec())?;
    subject::result(&reply, false)?;
    let target = Target { address: server.address, request, reply_bytes: reply.len() };

    let (mut figures, mut resident, mut done, mut seconds) = (Vec::new(), Vec::new(), 0, 0.0);
    for upto in [calls / 10, calls / 2, calls] {
        let bounds = Bounds {
            connections: CONNECTIONS,
            calls_per_connection: (upto - done) / CONNECTIONS,
            time: PATIENCE,
        };
        let measured = load::run(&target, bounds).await?;
        done += measured.calls();
        seconds += measured.calls() as f64 / measured.rate();
        let now = current_rss_bytes(server.pid()?) as f64;
        let name = format!("RSS after {} calls over HTTP", number(done as f64));
        figures.push(Figure::new(name, now / MB, "MB", Goal::None));
        resident.push(now);
    }
    let grown = match (resident.first(), resident.last()) {
        (Some(first), Some(last)) => last / first,
        _ => f64::NAN,
    };
    figures.push(Figure::new("  RSS after all ÷ RSS after a tenth", grown, "", Goal::AtMost(1.1)));
    figures.push(Figure::new("  peak RSS", peak_rss_bytes(server.pid()?) as f64 / MB, "MB", Goal::None));
    figures.push(Figure::new("  calls/s", done as f64 / seconds, "calls/s", Goal::None));
    server.end().await?;
    Ok(figures)
}
