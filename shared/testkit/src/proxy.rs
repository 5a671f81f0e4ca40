//! A backend that misbehaves, at the level of TCP, in one chosen way.
//!
//! It runs on a thread of its own, so that it stays punctual while the test's runtime is busy, and so that a
//! test without a runtime can have one. Every connection is treated alike: the request's headers are read,
//! then the fault happens. One connection serves one request. A client must not half-close: the end of its
//! sending is taken for the end of the connection.

mod bodies;
mod faults;

use std::net::{Ipv4Addr, SocketAddr};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::ReadHalf;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use faults::Ending;

/// What [`Fault::Status429RetryAfter`] asks for in its `retry-after` header.
pub const RETRY_AFTER_SECONDS: u64 = 7;

/// The pause between two bytes of [`Fault::Trickle`] and [`Fault::SlowHeaders`].
pub const TRICKLE_PAUSE: Duration = Duration::from_millis(100);

/// One way to misbehave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Nobody listens on the port.
    RefuseConnection,
    /// Connections are accepted, requests are read, nothing is ever answered.
    AcceptAndHang,
    /// A complete `200` header announcing a body, and then nothing.
    HangAfterHeaders,
    /// A correct chunked `200` whose JSON arrives one byte at a time, for ever.
    Trickle,
    /// Part of the announced body, then a TCP reset.
    ResetMidBody,
    /// Part of the announced body, then an orderly close.
    CloseMidBody,
    /// Bytes that are no HTTP, then a close.
    NotHttp,
    /// `500` with an HTML page.
    Status500Html,
    /// `502` with plain text.
    Status502Plain,
    /// `503` with a JSON error and no advice when to come back.
    Status503,
    /// `429` with `retry-after` of [`RETRY_AFTER_SECONDS`].
    Status429RetryAfter,
    /// `401` with a `www-authenticate` challenge.
    Status401,
    /// `403` with a JSON error.
    Status403,
    /// `302` to another loopback port, where a good answer waits; see [`Misbehaving::redirect_hits`].
    Redirect,
    /// `200` with an HTML login page, as a proxy in front of the backend gives it.
    WrongContentType,
    /// `200 application/json` with a complete body that is no JSON.
    InvalidJson,
    /// `200 application/json` with a body of no bytes.
    EmptyBody,
    /// `200 application/json`, correctly framed, whose JSON stops in the middle.
    TruncatedJson,
    /// `200` with 100 MB of correct JSON, chunked, as fast as the client reads.
    HugeBody,
    /// `200` with about 1 MB of gzip that unpacks to 1 GiB of blanks.
    GzipBomb,
    /// `200` with 100,000 arrays inside each other.
    DeepJson,
    /// A status line, then a header that arrives one byte at a time, for ever.
    SlowHeaders,
    /// A `content-length` smaller than the body: the rest stays on a connection that claims to be reusable.
    WrongLength,
    /// `200 application/json` with bytes that are not even UTF-8.
    BinaryJunk,
    /// A status line, then headers as fast as the client reads, for ever.
    EndlessHeaders,
}

impl Fault {
    /// Every fault once, for tests that go through them all.
    pub const ALL: [Self; 25] = [
        Self::RefuseConnection,
        Self::AcceptAndHang,
        Self::HangAfterHeaders,
        Self::Trickle,
        Self::ResetMidBody,
        Self::CloseMidBody,
        Self::NotHttp,
        Self::Status500Html,
        Self::Status502Plain,
        Self::Status503,
        Self::Status429RetryAfter,
        Self::Status401,
        Self::Status403,
        Self::Redirect,
        Self::WrongContentType,
        Self::InvalidJson,
        Self::EmptyBody,
        Self::TruncatedJson,
        Self::HugeBody,
        Self::GzipBomb,
        Self::DeepJson,
        Self::SlowHeaders,
        Self::WrongLength,
        Self::BinaryJunk,
        Self::EndlessHeaders,
    ];
}

/// What has happened to a backend so far.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    accepted: usize,
    requests: usize,
    closed: usize,
    last_closed: Option<Instant>,
    redirect_hits: usize,
}

/// A misbehaving backend. It stops, and cuts every connection, when it is dropped.
pub struct Misbehaving {
    address: SocketAddr,
    tally: watch::Sender<Tally>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    /// Keeps the port of a backend that nobody listens on from being given to anyone else.
    _reserved: Option<TcpSocket>,
}

impl Misbehaving {
    /// Start a backend with this fault on a free loopback port.
    pub fn start(fault: Fault) -> Self {
        let tally = watch::Sender::new(Tally::default());
        if fault == Fault::RefuseConnection {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind(any_loopback_port()).unwrap();
            let address = socket.local_addr().unwrap();
            return Self { address, tally, stop: None, thread: None, _reserved: Some(socket) };
        }

        let listener = listen();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let noted = tally.clone();
        let thread = std::thread::spawn(move || serve(fault, listener, &noted, stopped));
        Self { address, tally, stop: Some(stop), thread: Some(thread), _reserved: None }
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections were ever accepted: as many as requests were tried, since none is reused.
    pub fn connections(&self) -> usize {
        self.tally.borrow().accepted
    }

    /// How many of them neither the client nor the fault itself has closed yet.
    pub fn open_connections(&self) -> usize {
        let tally = self.tally.borrow();
        tally.accepted - tally.closed
    }

    /// How often the target of [`Fault::Redirect`] was connected to. It must stay 0.
    pub fn redirect_hits(&self) -> usize {
        self.tally.borrow().redirect_hits
    }

    /// Wait until the headers of this many requests have arrived, at most `limit`; whether they have.
    pub async fn requests_within(&self, count: usize, limit: Duration) -> bool {
        self.tally_within(limit, |tally| tally.requests >= count).await.is_some()
    }

    /// Wait until every connection is closed, at most `limit`, and say when the last one was: the moment
    /// the client's end of it was seen to close (or the fault reset it). `None` if one is still open, or if
    /// there was none. Waits by the tokio clock, which must not be paused.
    pub async fn closed_within(&self, limit: Duration) -> Option<Instant> {
        let all_closed = |tally: &Tally| tally.accepted > 0 && tally.closed == tally.accepted;
        self.tally_within(limit, all_closed).await?.last_closed
    }

    async fn tally_within(&self, limit: Duration, wanted: impl FnMut(&Tally) -> bool) -> Option<Tally> {
        let mut changes = self.tally.subscribe();
        let tally = tokio::time::timeout(limit, changes.wait_for(wanted)).await.ok()?;
        tally.ok().map(|tally| *tally)
    }
}

impl Drop for Misbehaving {
    fn drop(&mut self) {
        // Without the sender the thread ends and takes its listener and connections along.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the misbehaving backend failed by itself");
        }
    }
}

fn any_loopback_port() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

fn listen() -> std::net::TcpListener {
    let listener = std::net::TcpListener::bind(any_loopback_port()).unwrap();
    listener.set_nonblocking(true).unwrap();
    listener
}

fn serve(
    fault: Fault,
    listener: std::net::TcpListener,
    tally: &watch::Sender<Tally>,
    stopped: oneshot::Receiver<()>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener).unwrap();
        let elsewhere = TcpListener::from_std(listen()).unwrap();
        let redirect_to = elsewhere.local_addr().unwrap();
        tokio::select! {
            _ = stopped => {}
            () = accept_all(fault, listener, redirect_to, tally) => {}
            () = faults::welcome_the_redirected(elsewhere, || tally.send_modify(|tally| tally.redirect_hits += 1)) => {}
        }
    });
}

async fn accept_all(
    fault: Fault,
    listener: TcpListener,
    redirect_to: SocketAddr,
    tally: &watch::Sender<Tally>,
) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tally.send_modify(|tally| tally.accepted += 1);
        let tally = tally.clone();
        connections.spawn(async move {
            misbehave(fault, stream, redirect_to, &tally).await;
            tally.send_modify(|tally| {
                tally.closed += 1;
                tally.last_closed = Some(Instant::now());
            });
        });
        while connections.try_join_next().is_some() {}
    }
}

/// One connection, until the client has closed it or the fault has reset it.
async fn misbehave(
    fault: Fault,
    mut stream: TcpStream,
    redirect_to: SocketAddr,
    tally: &watch::Sender<Tally>,
) {
    stream.set_nodelay(true).unwrap();
    let (mut reader, mut writer) = stream.split();
    if !read_request_head(&mut reader).await {
        return;
    }
    tally.send_modify(|tally| tally.requests += 1);

    // The rest of the request is read all along: it shows when the client closes, and a close of ours with
    // bytes unread would turn into a reset.
    let ending = tokio::select! {
        () = read_until_closed(&mut reader) => return,
        written = faults::act(fault, redirect_to, &mut writer) => written,
    };
    match ending {
        // The client is gone.
        Err(_) => {}
        Ok(Ending::Reset) => stream.set_zero_linger().unwrap(),
        Ok(Ending::Hang) => read_until_closed(&mut reader).await,
        Ok(Ending::Close) => {
            if writer.shutdown().await.is_ok() {
                read_until_closed(&mut reader).await;
            }
        }
    }
}

/// Whether a whole head arrived; a client may also go away before.
async fn read_request_head(reader: &mut ReadHalf<'_>) -> bool {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if !matches!(reader.read_buf(&mut head).await, Ok(1..)) {
            return false;
        }
    }
    true
}

/// Returns at the end of the stream as well as at a reset.
async fn read_until_closed(reader: &mut ReadHalf<'_>) {
    let mut ignored = [0; 4096];
    while matches!(reader.read(&mut ignored).await, Ok(1..)) {}
}
