//! Single HTTP/1.1 requests, written and read by hand: no client library adds, merges or repairs anything.

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::PATIENCE;

/// One request, exactly as it will be sent.
#[derive(Debug, Clone)]
pub struct HttpRequest {
    method: String,
    path: Option<String>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl HttpRequest {
    /// A request without headers or body; `Host`, `Connection: close` and, with a body, `Content-Length` are
    /// added when it is sent, unless it has them.
    pub fn new(method: &str) -> Self {
        Self { method: method.to_owned(), path: None, headers: Vec::new(), body: Vec::new() }
    }

    /// A POST of an MCP message with the content type and accept headers that every one must have.
    pub fn post(message: &Value) -> Self {
        Self::new("POST")
            .header("Content-Type", "application/json")
            .header("Accept", "application/json, text/event-stream")
            .body(message.to_string())
    }

    /// To this path instead of that of the client's address.
    pub fn path(mut self, path: &str) -> Self {
        self.path = Some(path.to_owned());
        self
    }

    /// With one more header; a name may come several times.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without the headers of this name (in any case).
    pub fn without_header(mut self, name: &str) -> Self {
        self.headers.retain(|(found, _)| !found.eq_ignore_ascii_case(name));
        self
    }

    /// With this body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(found, _)| found.eq_ignore_ascii_case(name))
    }

    fn to_bytes(&self, host: &str, path: &str) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path.as_deref().unwrap_or(path));
        let length = self.body.len().to_string();
        let defaults = [
            ("Host", host, true),
            ("Connection", "close", true),
            ("Content-Length", length.as_str(), !self.body.is_empty() && !self.has("Transfer-Encoding")),
        ];
        for (name, value, wanted) in defaults {
            if wanted && !self.has(name) {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpReply {
    /// The status, `200` and so on.
    pub status: u16,
    /// The headers in the order received, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, unchunked.
    pub body: Vec<u8>,
}

impl HttpReply {
    /// The first value of a header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON. Panics when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("no JSON in the body ({error}): status {}, {:?}", self.status, self.text())
        })
    }
}

/// Sends HTTP requests to one address, each on a connection of its own.
#[derive(Debug, Clone)]
pub struct HttpClient {
    host: String,
    path: String,
    headers: Vec<(String, String)>,
}

impl HttpClient {
    /// For an address of the form `http://HOST:PORT/PATH`.
    pub fn new(url: &str) -> Self {
        let rest = url.strip_prefix("http://").unwrap_or_else(|| panic!("{url} does not begin with http://"));
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        Self { host: host.to_owned(), path: format!("/{path}"), headers: Vec::new() }
    }

    /// With a header on every request, for example `Authorization`.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Send a request and read the whole answer. Dropping the future closes the connection. Panics when the
    /// address cannot be reached, the answer is no HTTP, or none is complete within [`super::PATIENCE`].
    pub async fn send(&self, request: HttpRequest) -> HttpReply {
        self.send_bytes(&self.bytes_of(request)).await
    }

    /// Send these very bytes and read the whole answer, as [`HttpClient::send`] does.
    pub async fn send_bytes(&self, request: &[u8]) -> HttpReply {
        let answer = async {
            let mut stream = self.open_bytes(request).await;
            let body = stream.rest().await;
            HttpReply { status: stream.status, headers: stream.headers, body }
        };
        timeout(PATIENCE, answer)
            .await
            .unwrap_or_else(|_| panic!("no answer from {} within {PATIENCE:?}", self.host))
    }

    /// Send a request and read the head of the answer.
    pub(super) async fn open(&self, request: HttpRequest) -> HttpStream {
        self.open_bytes(&self.bytes_of(request)).await
    }

    fn bytes_of(&self, mut request: HttpRequest) -> Vec<u8> {
        request.headers.extend(self.headers.iter().cloned());
        request.to_bytes(&self.host, &self.path)
    }

    async fn open_bytes(&self, request: &[u8]) -> HttpStream {
        let connected = TcpStream::connect(&self.host).await;
        let mut tcp = connected.unwrap_or_else(|error| panic!("failed to connect to {}: {error}", self.host));
        tcp.set_nodelay(true).unwrap();
        // A server may refuse a request and close before it has read all of it: the answer is what counts.
        let _ = tcp.write_all(request).await;
        HttpStream::after_head(BufReader::new(tcp)).await
    }
}

/// An answer whose body is still arriving.
pub(super) struct HttpStream {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    framing: Framing,
    tcp: BufReader<TcpStream>,
}

/// How the end of a body is told (RFC 9112, section 6.3).
enum Framing {
    Left(usize),
    Chunked,
    UntilClose,
}

impl HttpStream {
    async fn after_head(mut tcp: BufReader<TcpStream>) -> Self {
        let status_line = line(&mut tcp).await;
        let status = status_line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no HTTP/1.1 status line: {status_line:?}"));

        let mut headers = Vec::new();
        loop {
            let header = line(&mut tcp).await;
            if header.is_empty() {
                break;
            }
            let (name, value) = header.split_once(':').unwrap_or_else(|| panic!("no header: {header:?}"));
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }

        let length =
            first(&headers, "content-length").map(|length| length.parse().expect("a length in bytes"));
        let framing = match (status, first(&headers, "transfer-encoding"), length) {
            (204 | 304, _, _) => Framing::Left(0),
            (_, Some("chunked"), _) => Framing::Chunked,
            (_, Some(other), _) => panic!("transfer-encoding {other} is not understood"),
            (_, None, Some(length)) => Framing::Left(length),
            (_, None, None) => Framing::UntilClose,
        };
        Self { status, headers, framing, tcp }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }

    /// The next bytes of the body as they come; `None` at its end. Panics when the body is cut off.
    pub(super) async fn piece(&mut self) -> Option<Vec<u8>> {
        match self.framing {
            Framing::Left(0) => None,
            Framing::Left(left) => {
                let piece = self.some_bytes(left).await;
                assert!(!piece.is_empty(), "the body ended {left} bytes early");
                self.framing = Framing::Left(left - piece.len());
                Some(piece)
            }
            Framing::Chunked => self.chunk().await,
            Framing::UntilClose => Some(self.some_bytes(usize::MAX).await).filter(|piece| !piece.is_empty()),
        }
    }

    /// All that is left of the body.
    pub(super) async fn rest(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        while let Some(piece) = self.piece().await {
            body.extend(piece);
        }
        body
    }

    /// At least one byte and at most `limit`, or none at the end of the stream.
    async fn some_bytes(&mut self, limit: usize) -> Vec<u8> {
        let ready =
            self.tcp.fill_buf().await.unwrap_or_else(|error| panic!("failed to read the body: {error}"));
        let piece = ready[..ready.len().min(limit)].to_vec();
        self.tcp.consume(piece.len());
        piece
    }

    async fn chunk(&mut self) -> Option<Vec<u8>> {
        let size_line = line(&mut self.tcp).await;
        let size = size_line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).unwrap_or_else(|_| panic!("no chunk size: {size_line:?}"));
        if size == 0 {
            while !line(&mut self.tcp).await.is_empty() {}
            self.framing = Framing::Left(0);
            return None;
        }
        let mut chunk = vec![0; size];
        self.tcp.read_exact(&mut chunk).await.expect("a whole chunk");
        assert_eq!(line(&mut self.tcp).await, "", "the end of a chunk");
        Some(chunk)
    }
}

/// A line without its end.
async fn line(tcp: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    tcp.read_line(&mut line).await.unwrap_or_else(|error| panic!("failed to read the answer: {error}"));
    let complete = line.strip_suffix("\r\n");
    complete.unwrap_or_else(|| panic!("the answer ended in the middle of a line: {line:?}")).to_owned()
}

fn first<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
}
