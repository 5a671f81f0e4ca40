//! A Prometheus that answers at once: one thread of this process, replies made beforehand where that is possible.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::fixture::{self, Moments};
use super::http1::{Connection, Message};

/// What it answers to a query at one moment: ten series.
const INSTANT_SERIES: usize = 10;

/// It runs as long as this value lives.
pub(super) struct Fake {
    pub(super) address: SocketAddr,
    seen: Arc<Seen>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What was asked and answered so far.
#[derive(Default)]
struct Seen {
    requests: AtomicUsize,
    /// Being answered at present, and at most so far.
    running: AtomicUsize,
    most: AtomicUsize,
    range_bytes: AtomicUsize,
    range_points: AtomicUsize,
}

struct Replies {
    instant: Vec<u8>,
    /// Series of a range query.
    series: usize,
    /// How long each reply takes.
    takes: Duration,
    seen: Arc<Seen>,
}

impl Fake {
    /// Range queries are answered with so many series of [`fixture`].
    pub(super) fn start(series: usize) -> Result<Fake, Box<dyn Error>> {
        Fake::start_after(series, Duration::ZERO)
    }

    /// The same, and each reply takes so long.
    pub(super) fn start_after(series: usize, takes: Duration) -> Result<Fake, Box<dyn Error>> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let seen = Arc::new(Seen::default());
        let replies =
            Arc::new(Replies { instant: reply(&instant()), series, takes, seen: Arc::clone(&seen) });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! { _ = stopped => {}, () = serve(listener, &replies) => {} }
            });
        });
        Ok(Fake { address, seen, stop: Some(stop), thread: Some(thread) })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Requests so far.
    pub(super) fn requests(&self) -> usize {
        self.seen.requests.load(Ordering::Relaxed)
    }

    /// Requests that were being answered at the same time, at most.
    pub(super) fn most_at_once(&self) -> usize {
        self.seen.most.load(Ordering::Relaxed)
    }

    /// Bytes of the last reply to a range query, and the points of each of its series.
    pub(super) fn last_range(&self) -> (usize, usize) {
        (self.seen.range_bytes.load(Ordering::Relaxed), self.seen.range_points.load(Ordering::Relaxed))
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A query at one moment, as a server asks it.
pub(super) fn request(address: SocketAddr) -> Vec<u8> {
    let form = "query=up&time=1768349000&timeout=15000ms&limit=1001";
    let length = form.len();
    let kind = "application/x-www-form-urlencoded";
    format!(
        "POST /api/v1/query HTTP/1.1\r\nhost: {address}\r\naccept: */*\r\ncontent-type: {kind}\r\n\
         content-length: {length}\r\n\r\n{form}"
    )
    .into_bytes()
}

async fn serve(listener: std::net::TcpListener, replies: &Arc<Replies>) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let replies = Arc::clone(replies);
        connections.spawn(async move {
            if let Ok(connection) = Connection::over(stream) {
                // A client that goes away in the middle is an ordinary end.
                let _ = answer_all(connection, &replies).await;
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer_all(mut connection: Connection, replies: &Replies) -> std::io::Result<()> {
    loop {
        let Some(request) = connection.receive().await? else { return Ok(()) };
        replies.seen.requests.fetch_add(1, Ordering::Relaxed);
        let other = replies.other(&request);
        if !replies.takes.is_zero() {
            let running = replies.seen.running.fetch_add(1, Ordering::Relaxed) + 1;
            replies.seen.most.fetch_max(running, Ordering::Relaxed);
            tokio::time::sleep(replies.takes).await;
            replies.seen.running.fetch_sub(1, Ordering::Relaxed);
        }
        connection.send(other.as_ref().unwrap_or(&replies.instant)).await?;
    }
}

impl Replies {
    /// The reply to anything but a query at one moment.
    fn other(&self, request: &Message<'_>) -> Option<Vec<u8>> {
        let target = request.head.split(' ').nth(1).unwrap_or_default();
        let path = target.split('?').next().unwrap_or_default();
        match path {
            "/api/v1/query" => None,
            "/api/v1/query_range" => Some(self.range(&String::from_utf8_lossy(request.body))),
            "/api/v1/metadata" => Some(reply(r#"{"status":"success","data":{}}"#)),
            _ => Some(reply(r#"{"status":"success","data":[]}"#)),
        }
    }

    fn range(&self, form: &str) -> Vec<u8> {
        let Some(moments) = moments(form) else {
            return b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n".to_vec();
        };
        let body = fixture::matrix(self.series, moments);
        self.seen.range_bytes.store(body.len(), Ordering::Relaxed);
        self.seen.range_points.store(moments.count(), Ordering::Relaxed);
        reply(&body)
    }
}

/// The moments that a range query's form asks for. They are plain numbers, so nothing in them is escaped.
fn moments(form: &str) -> Option<Moments> {
    let number = |name: &str| {
        let value = form.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
        value.parse::<f64>().ok().map(|seconds| seconds as i64)
    };
    let moments = Moments { start: number("start")?, end: number("end")?, step: number("step")? };
    (moments.step > 0 && moments.count() <= 11_000).then_some(moments)
}

fn instant() -> String {
    let series: Vec<String> = (0..INSTANT_SERIES)
        .map(|number| {
            let pod = fixture::pod(number);
            format!(
                r#"{{"metric":{{"__name__":"up","job":"checkout","pod":"{pod}"}},"value":[1768349000,"1"]}}"#
            )
        })
        .collect();
    format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{}]}}}}"#, series.join(","))
}

fn reply(json: &str) -> Vec<u8> {
    let length = json.len();
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{json}")
        .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_moments_are_read_from_the_form() {
        let form = "query=a%2Bb&start=1768262400&end=1768348859&step=60&timeout=15000ms";
        let expected = Moments { start: 1_768_262_400, end: 1_768_348_859, step: 60 };
        assert_eq!(moments(form), Some(expected));
        // A day and a minute, the end left out: 1,441 moments.
        assert_eq!(expected.count(), fixture::POINTS);
        assert_eq!(moments("query=up&start=1&end=2&step=0"), None);
    }
}
