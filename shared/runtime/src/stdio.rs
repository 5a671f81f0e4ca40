//! The stdio transport: lines of JSON-RPC; stdout is the protocol and nothing else.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use rmcp::ServiceExt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::CancellationToken;

use crate::{guard::Guard, handler::Handler};

/// Serves one client until its input ends or `stop` is cancelled.
pub(crate) async fn serve(
    handler: Handler,
    reader: impl AsyncRead + Send + Unpin + 'static,
    writer: impl AsyncWrite + Send + Unpin + 'static,
    stop: CancellationToken,
) -> io::Result<()> {
    let reader = FinishFirst { inner: reader, guard: Arc::clone(&handler.guard), ending: None };
    match handler.serve_with_ct((reader, writer), stop).await {
        Ok(running) => running.waiting().await.map(|_| ()).map_err(io::Error::other),
        // A client that leaves before it says anything is no failure: that is how people try a server.
        Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => Ok(()),
        Err(error) => Err(io::Error::other(error)),
    }
}

/// An input whose end is told only when no call runs any more: rmcp gives calls in flight five seconds after the
/// end of input, and ours may take longer.
struct FinishFirst<R> {
    inner: R,
    guard: Arc<Guard>,
    ending: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl<R: AsyncRead + Unpin> AsyncRead for FinishFirst<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.ending.is_none() {
            let before = buffer.filled().len();
            match Pin::new(&mut self.inner).poll_read(cx, buffer) {
                Poll::Ready(Ok(())) if buffer.filled().len() == before => {
                    let guard = Arc::clone(&self.guard);
                    self.ending = Some(Box::pin(async move {
                        // The last line may have been read but not begun yet.
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        guard.metrics.idle().await;
                    }));
                }
                other => return other,
            }
        }
        match &mut self.ending {
            Some(ending) => ending.as_mut().poll(cx).map(Ok),
            None => Poll::Ready(Ok(())),
        }
    }
}
