//! Connections: how many, and how long one may keep silent. Nobody has said yet who is on the other end.

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use hyper::{
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, Semaphore},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::write_timeout::WriteTimeout;

/// Clients ask as soon as they are connected; who has asked once may idle for longer.
const FIRST_HEADERS: Duration = Duration::from_secs(10);

/// Serves every connection until `stop` is cancelled; then no new ones, and the end of those that are left.
///
/// A connection is closed when the headers of a request have not arrived within `silence`, counted from its last answer, or
/// those of the first within 10 s at most; and when its client has taken nothing of an answer for `silence`. When there are
/// as many connections as the limit of open files allows, the next one waits in the kernel's queue: there is always a file
/// left for a backend.
pub(super) async fn serve(listener: TcpListener, app: Router, silence: Duration, stop: CancellationToken) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(silence);
    let places = Arc::new(Semaphore::new(most_connections()));
    let open = GracefulShutdown::new();
    loop {
        let next = async {
            // Only closed semaphores refuse, and nobody closes this one.
            let place = Arc::clone(&places).acquire_owned().await.ok();
            (place, accept(&listener).await)
        };
        let (place, stream) = tokio::select! {
            next = next => next,
            () = stop.cancelled() => break,
        };
        // Without TCP_NODELAY each answer waits for the client's delayed acknowledgement, 40 ms.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY");
        }
        let app = TowerToHyperService::new(app.clone());
        let asked = Arc::new(Notify::new());
        let asking = Arc::clone(&asked);
        let service = service_fn(move |request| {
            asking.notify_one();
            app.call(request)
        });
        let stream = TokioIo::new(WriteTimeout::new(stream, silence));
        let connection = open.watch(http.serve_connection(stream, service));
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the runtime, and the task ends with its connection"
        )]
        tokio::spawn(async move {
            run(connection, &asked, silence.min(FIRST_HEADERS)).await;
            drop(place);
        });
    }
    drop(listener);
    open.shutdown().await;
}

/// Runs a connection to its end, which comes early when there was no first request within `limit`.
async fn run(connection: impl Future<Output = hyper::Result<()>>, asked: &Notify, limit: Duration) {
    let never_asked = async {
        if timeout(limit, asked.notified()).await.is_ok() {
            std::future::pending().await
        }
    };
    tokio::select! {
        end = connection => if let Err(error) = end {
            tracing::debug!(%error, "a connection ended");
        },
        () = never_asked => tracing::debug!("a connection without a request"),
    }
}

/// The next connection. What is wrong with one that has gone again says nothing about the next; what is wrong with this
/// process, such as too many open files, may be better in a while.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) if is_of_the_connection(&error) => {
                tracing::debug!(%error, "a connection has gone again")
            }
            Err(error) => {
                tracing::warn!(%error, "a connection can't be accepted");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Whether accept(2) told an error of the connection that it took from the queue. Any other may come again at once.
fn is_of_the_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{
        ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable, NetworkDown,
        NetworkUnreachable,
    };
    matches!(
        error.kind(),
        ConnectionAborted
            | ConnectionRefused
            | ConnectionReset
            | HostUnreachable
            | NetworkDown
            | NetworkUnreachable
    )
}

/// Three quarters of the files that this process may open; the rest is for backends and logs.
fn most_connections() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    open_files(&limits).map_or(Semaphore::MAX_PERMITS, |files| (files / 4 * 3).max(1))
}

/// The soft limit in the kernel's table of limits; none where there is no such table or no limit.
fn open_files(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        time::Instant,
    };

    use super::*;

    /// Seconds until the server closes a connection on which this was sent.
    async fn closed_after(address: std::net::SocketAddr, sent: &str) -> u64 {
        let begun = Instant::now();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        stream.read_to_end(&mut Vec::new()).await.unwrap();
        begun.elapsed().as_secs()
    }

    // The clock stands still but for timers, of which the earliest ends as soon as nothing else is to do.
    #[tokio::test(start_paused = true)]
    async fn who_has_asked_may_idle_for_longer_than_who_has_not() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().route("/", get(|| async { "ok" }));
        let stop = CancellationToken::new();
        let client = async {
            assert_eq!(closed_after(address, "").await, 10);
            assert_eq!(closed_after(address, "GET / HTTP/1.1\r\nHost: a").await, 10);
            assert_eq!(closed_after(address, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").await, 60);
            stop.cancel();
        };
        tokio::join!(serve(listener, app, Duration::from_secs(60), stop.clone()), client);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn only_what_is_wrong_with_this_process_delays_the_next_connection() {
        // Numbers of Linux, from errno(3): EMFILE, ENFILE, ENOMEM, ENOBUFS; ECONNABORTED, ECONNRESET, EHOSTUNREACH.
        for (number, of_the_connection) in
            [(24, false), (23, false), (12, false), (105, false), (103, true), (104, true), (113, true)]
        {
            let error = io::Error::from_raw_os_error(number);
            assert_eq!(is_of_the_connection(&error), of_the_connection, "{error}");
        }
    }

    #[test]
    fn the_soft_limit_of_open_files_is_read_from_the_kernels_table() {
        // Lines of /proc/self/limits as proc(5) shows them.
        let table = "Limit                     Soft Limit           Hard Limit           Units     \n\
                     Max processes             62898                62898                processes \n\
                     Max open files            1024                 524288               files     \n";
        assert_eq!(open_files(table), Some(1024));
        assert_eq!(
            open_files("Max open files            unlimited            unlimited            files\n"),
            None
        );
        assert_eq!(open_files(""), None);
    }
}
