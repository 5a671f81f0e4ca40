//! The stdio transport: lines of JSON-RPC; stdout is the protocol and nothing else.
//!
//! rmcp's own transport of lines drops what is no JSON without a word, and gives calls in flight five seconds after the
//! end of input; ours may take longer.

use std::{future::Future, io, pin::Pin, sync::Arc, time::Duration};

use futures_util::SinkExt;
use rmcp::{
    RoleServer, ServiceExt,
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::Transport,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, BufReader},
    sync::Mutex,
};
use tokio_util::{
    codec::{FramedWrite, LinesCodec},
    sync::CancellationToken,
};

use crate::{guard::Guard, handler::Handler};

/// A longer line is refused, and not kept.
const LONGEST_LINE: usize = 16 << 20;

/// Serves one client until its input ends or `stop` is cancelled.
pub(crate) async fn serve(
    handler: Handler,
    reader: impl AsyncRead + Send + Unpin + 'static,
    writer: impl AsyncWrite + Send + Unpin + 'static,
    stop: CancellationToken,
) -> io::Result<()> {
    let lines = Lines::new(reader, writer, Arc::clone(&handler.guard));
    match handler.serve_with_ct(lines, stop).await {
        Ok(running) => running.waiting().await.map(|_| ()).map_err(io::Error::other),
        // A client that leaves before it says anything is no failure: that is how people try a server.
        Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => Ok(()),
        Err(error) => Err(io::Error::other(error)),
    }
}

/// One message a line, in both directions.
struct Lines<R, W> {
    reader: BufReader<R>,
    /// What has been read of the current line. Kept here because rmcp drops `receive` whenever it has something to send.
    line: Vec<u8>,
    /// The current line is too long: the rest of it is skipped.
    is_overlong: bool,
    writer: Arc<Mutex<FramedWrite<W, LinesCodec>>>,
    /// A refusal that is being written; nothing more is read before it is.
    refusing: Option<Pin<Box<dyn Future<Output = io::Result<()>> + Send>>>,
    guard: Arc<Guard>,
}

impl<R: AsyncRead + Send + Unpin, W: AsyncWrite + Send + Unpin + 'static> Lines<R, W> {
    fn new(reader: R, writer: W, guard: Arc<Guard>) -> Lines<R, W> {
        Lines {
            reader: BufReader::new(reader),
            line: Vec::new(),
            is_overlong: false,
            writer: Arc::new(Mutex::new(FramedWrite::new(writer, LinesCodec::new()))),
            refusing: None,
            guard,
        }
    }

    fn write(&self, line: String) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let writer = Arc::clone(&self.writer);
        async move { writer.lock().await.send(line).await.map_err(io::Error::other) }
    }

    /// The next whole line without its end; `None` at the end of input, which ends the last line too.
    async fn next_line(&mut self) -> io::Result<Option<Result<Vec<u8>, Refusal>>> {
        loop {
            let available = self.reader.fill_buf().await?;
            if available.is_empty() {
                // Asked again, it is the end of input: both are taken.
                let is_line = self.is_overlong || !self.line.is_empty();
                return Ok(is_line.then(|| self.taken()));
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let taken = available.get(..end.unwrap_or(available.len())).unwrap_or_default();
            if self.line.len() + taken.len() > LONGEST_LINE {
                self.is_overlong = true;
                self.line = Vec::new();
            }
            if !self.is_overlong {
                self.line.extend_from_slice(taken);
            }
            let used = taken.len() + usize::from(end.is_some());
            self.reader.consume(used);
            if end.is_some() {
                return Ok(Some(self.taken()));
            }
        }
    }

    /// The current line; none is left.
    fn taken(&mut self) -> Result<Vec<u8>, Refusal> {
        let line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.is_overlong) { Err(Refusal::overlong()) } else { Ok(line) }
    }
}

/// Ends when no call runs any more: before that the end of input is not told.
async fn last_call(guard: Arc<Guard>) {
    // The last line may have been read but not begun yet.
    tokio::time::sleep(Duration::from_millis(20)).await;
    guard.metrics.idle().await;
}

impl<R: AsyncRead + Send + Unpin, W: AsyncWrite + Send + Unpin + 'static> Transport<RoleServer>
    for Lines<R, W>
{
    type Error = io::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let line = serde_json::to_string(&message).map(|line| self.write(line));
        async move { line?.await }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            if let Some(refusing) = &mut self.refusing {
                let written = refusing.await;
                self.refusing = None;
                written.ok()?;
            }
            let line = match self.next_line().await {
                Ok(Some(line)) => line,
                Ok(None) => {
                    last_call(Arc::clone(&self.guard)).await;
                    return None;
                }
                Err(error) => {
                    tracing::error!(%error, "standard input can't be read");
                    return None;
                }
            };
            match line.and_then(|line| read(&line)) {
                Ok(Some(message)) => return Some(message),
                Ok(None) => {}
                Err(refusal) => {
                    tracing::debug!(code = refusal.code, "a line that is no message");
                    self.refusing = Some(Box::pin(self.write(refusal.line())));
                }
            }
        }
    }

    /// Every line was flushed when it was sent.
    async fn close(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Why a line is no message.
#[derive(Debug, PartialEq)]
struct Refusal {
    code: i64,
    message: String,
    /// Of the request, where it can be told.
    id: Value,
}

impl Refusal {
    fn overlong() -> Refusal {
        let message = format!("Invalid request: a line of more than {LONGEST_LINE} bytes");
        Refusal { code: -32600, message, id: Value::Null }
    }

    fn line(&self) -> String {
        json!({"jsonrpc": "2.0", "id": self.id, "error": {"code": self.code, "message": self.message}})
            .to_string()
    }
}

/// The message in a line; none in an empty one and in notifications that nobody knows, which other protocols' clients
/// send.
fn read(line: &[u8]) -> Result<Option<RxJsonRpcMessage<RoleServer>>, Refusal> {
    // RFC 8259 lets a reader ignore a byte order mark.
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
    if line.is_empty() {
        return Ok(None);
    }
    if let Ok(message) = serde_json::from_slice(line) {
        return Ok(Some(message));
    }
    let value: Value = serde_json::from_slice(line).map_err(|error| Refusal {
        code: -32700,
        message: format!("Parse error: not JSON, at column {}", error.column()),
        id: Value::Null,
    })?;
    let id = value.get("id").filter(|id| id.is_string() || id.is_i64() || id.is_u64()).cloned();
    if value.get("id").is_none() && value.get("method").is_some_and(Value::is_string) {
        return Ok(None);
    }
    let message = "Invalid request: JSON, but no message of JSON-RPC 2.0".to_owned();
    Err(Refusal { code: -32600, message, id: id.unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(line: &str) -> (i64, Value) {
        let refusal = read(line.as_bytes()).unwrap_err();
        (refusal.code, refusal.id)
    }

    #[test]
    fn what_is_no_message_is_refused_with_the_code_of_json_rpc() {
        for line in ["hello", "{", "{\"jsonrpc\":\"2.0\",}", "\u{0}", "[1,2", "GET / HTTP/1.1"] {
            assert_eq!(refused(line), (-32700, Value::Null), "{line}");
        }
        for line in ["{}", "[]", "1", "null", "\"tools/list\"", "{\"id\":null,\"method\":\"ping\"}"] {
            assert_eq!(refused(line), (-32600, Value::Null), "{line}");
        }
        assert_eq!(refused("{\"jsonrpc\":\"1.0\",\"id\":7,\"method\":\"ping\"}"), (-32600, json!(7)));
    }

    #[test]
    fn messages_empty_lines_and_unknown_notifications_are_not_refused() {
        for line in ["", "\r", "  ", "{\"method\":\"$/progress\"}"] {
            assert!(read(line.as_bytes()).unwrap().is_none(), "{line:?}");
        }
        for line in [
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\r",
            "\u{feff}{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}",
        ] {
            assert!(read(line.as_bytes()).unwrap().is_some(), "{line:?}");
        }
        // What we say ourselves, sent back by an echo, is no cause for saying more.
        let refusal = Refusal::overlong().line();
        assert!(read(refusal.as_bytes()).is_ok(), "{refusal}");
    }
}
