//! Connections: how many, and how long one may keep silent. Nobody has said yet who is on the other end.

use std::{sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::sync::CancellationToken;

/// Serves every connection until `stop` is cancelled; then no new ones, and the end of those that are left.
///
/// A connection is closed when the headers of a request have not arrived within `silence`, counted from its beginning or
/// from its last answer. When there are as many connections as the limit of open files allows, the next one waits in the
/// kernel's queue: there is always a file left for a backend.
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
        let service = TowerToHyperService::new(app.clone());
        let connection = open.watch(http.serve_connection(TokioIo::new(stream), service));
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the runtime, and the task ends with its connection"
        )]
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended");
            }
            drop(place);
        });
    }
    drop(listener);
    open.shutdown().await;
}

/// The next connection. What is wrong with one that has gone again says nothing about the next; what is wrong with this
/// process, such as too many open files, may be better in a while.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => {
                tracing::warn!(%error, "a connection can't be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
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
    use super::*;

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
