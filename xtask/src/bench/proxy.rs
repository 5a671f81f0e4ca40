//! Between a server and a Prometheus: hands everything on, and keeps what came back.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use testkit::mcp::HttpClient;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::http1::{Connection, Message};

/// It runs as long as this value lives, on a thread of its own.
pub(super) struct Proxy {
    address: SocketAddr,
    kept: Arc<Mutex<Vec<Vec<u8>>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// In front of the server at this URL.
    pub(super) fn before(url: &str) -> Result<Proxy, Box<dyn Error>> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let kept = Arc::new(Mutex::new(Vec::new()));
        let (behind, keeping) = (HttpClient::new(url), Arc::clone(&kept));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! { _ = stopped => {}, () = serve(listener, &behind, &keeping) => {} }
            });
        });
        Ok(Proxy { address, kept, stop: Some(stop), thread: Some(thread) })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The bodies of all replies since it was asked last.
    pub(super) fn take(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(listener: std::net::TcpListener, behind: &HttpClient, kept: &Arc<Mutex<Vec<Vec<u8>>>>) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (behind, kept) = (behind.clone(), Arc::clone(kept));
        connections.spawn(async move {
            if let Ok(connection) = Connection::over(stream) {
                // A client that goes away in the middle is an ordinary end.
                let _ = hand_on(connection, &behind, &kept).await;
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn hand_on(
    mut connection: Connection,
    behind: &HttpClient,
    kept: &Mutex<Vec<Vec<u8>>>,
) -> std::io::Result<()> {
    loop {
        let Some(request) = connection.receive().await? else { return Ok(()) };
        let reply = behind.send_bytes(&alone(&request)).await;
        let head = format!(
            "HTTP/1.1 {} Handed On\r\ncontent-type: {}\r\ncontent-length: {}\r\n\r\n",
            reply.status,
            reply.header("content-type").unwrap_or("application/json"),
            reply.body.len()
        );
        connection.send(head.as_bytes()).await?;
        connection.send(&reply.body).await?;
        kept.lock().unwrap_or_else(PoisonError::into_inner).push(reply.body);
    }
}

/// The request on a connection of its own, answered as plain text: what is kept is what the server decodes.
fn alone(request: &Message<'_>) -> Vec<u8> {
    let dropped = ["accept-encoding", "connection"];
    let kept = request.head.lines().filter(|line| {
        let name = line.split(':').next().unwrap_or_default();
        !dropped.iter().any(|other| name.eq_ignore_ascii_case(other))
    });
    let mut bytes = kept.collect::<Vec<_>>().join("\r\n").into_bytes();
    bytes.extend_from_slice(b"\r\nconnection: close\r\n\r\n");
    bytes.extend_from_slice(request.body);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_handed_on_without_compression_and_alone() {
        let head = "POST /api/v1/query HTTP/1.1\r\nhost: a\r\nAccept-Encoding: gzip\r\ncontent-length: 2";
        let handed = alone(&Message { head, body: b"hi" });
        let expected =
            "POST /api/v1/query HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi";
        assert_eq!(String::from_utf8(handed).unwrap(), expected);
    }
}
