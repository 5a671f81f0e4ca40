//! HTTP/1.1 messages over a keep-alive connection: so little that the load generator hardly measures itself.
//!
//! Bodies have a length or there are none. A chunked message is an error: every server here sends whole replies.

use std::io::{Error, ErrorKind};
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A message that claims to be longer than this is an error.
const LONGEST_MESSAGE: usize = 32 << 20;

/// One end of a connection on which messages follow each other.
pub(super) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// Bytes of `buffer` that the previous message took.
    used: usize,
}

/// A request or a reply.
pub(super) struct Message<'a> {
    /// First line and headers, without the empty line.
    pub(super) head: &'a str,
    pub(super) body: &'a [u8],
}

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> Result<Connection, Error> {
        Connection::over(TcpStream::connect(address).await?)
    }

    pub(super) fn over(stream: TcpStream) -> Result<Connection, Error> {
        stream.set_nodelay(true)?;
        Ok(Connection { stream, buffer: Vec::with_capacity(16 << 10), used: 0 })
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.stream.write_all(bytes).await
    }

    /// The next message; `None` when the other end has closed between two of them.
    pub(super) async fn receive(&mut self) -> Result<Option<Message<'_>>, Error> {
        self.buffer.drain(..self.used);
        self.used = 0;
        let (head, whole) = loop {
            if let Some((head, whole)) = extent(&self.buffer)?
                && self.buffer.len() >= whole
            {
                break (head, whole);
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                let is_clean = self.buffer.is_empty();
                return if is_clean { Ok(None) } else { Err(ErrorKind::UnexpectedEof.into()) };
            }
        };
        self.used = whole;
        let text = self.buffer.get(..head).and_then(|bytes| std::str::from_utf8(bytes).ok());
        let body = self.buffer.get(head + BLANK.len()..whole).unwrap_or_default();
        Ok(Some(Message { head: text.ok_or_else(|| wrong("a head that is not text"))?, body }))
    }

    /// Sends a request and waits for its reply.
    pub(super) async fn exchange(&mut self, request: &[u8]) -> Result<Message<'_>, Error> {
        self.send(request).await?;
        self.receive().await?.ok_or_else(|| ErrorKind::UnexpectedEof.into())
    }
}

const BLANK: &[u8] = b"\r\n\r\n";

/// Where the head ends and where the message ends, once the whole head is there.
fn extent(buffer: &[u8]) -> Result<Option<(usize, usize)>, Error> {
    let Some(head) = buffer.windows(BLANK.len()).position(|bytes| bytes == BLANK) else { return Ok(None) };
    let text = buffer.get(..head).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
    let mut length = 0;
    for (name, value) in text.lines().filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            length =
                value.trim().parse::<usize>().map_err(|_| wrong("a content-length that is no number"))?;
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(wrong("a chunked body"));
        }
    }
    let whole = head + BLANK.len() + length.min(LONGEST_MESSAGE);
    if length > LONGEST_MESSAGE { Err(wrong("a body that is too long")) } else { Ok(Some((head, whole))) }
}

fn wrong(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_ends_where_its_length_says() {
        // 4 bytes of blank line after 37 of head, then 2 of body; what follows is the next message.
        let bytes = b"HTTP/1.1 200 OK\r\nContent-Length:  2\r\n\r\nhiHTTP/1.1";
        let head = b"HTTP/1.1 200 OK\r\nContent-Length:  2".len();
        assert_eq!(extent(bytes).unwrap(), Some((head, head + 4 + 2)));
    }

    #[test]
    fn an_unfinished_head_is_waited_for_and_a_chunked_body_is_refused() {
        assert_eq!(extent(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n").unwrap(), None);
        assert!(extent(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
        assert!(extent(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n").is_err());
    }
}
