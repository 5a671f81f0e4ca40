//! What a process emitted, searched for what must not be in it, and a backend that tells all it was told.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::mcp::{Client, Era, HttpClient, HttpRequest};
use crate::program::terminate;

/// Everything that was emitted, by where.
#[derive(Debug, Default)]
pub struct Emitted(Vec<(String, String)>);

impl Emitted {
    /// Notes what was emitted at a place.
    pub fn note(&mut self, place: impl Into<String>, text: impl Into<String>) {
        self.0.push((place.into(), text.into()));
    }

    /// Runs a command to its end and notes what it printed.
    pub fn run(&mut self, mut command: Command) {
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        self.note(format!("{:?}", command.get_args().collect::<Vec<_>>()), said.concat());
    }

    /// Makes these calls of each source, and without one, and notes the answers.
    pub async fn talk(&mut self, client: &Client, place: &str, calls: &[(&str, Value)], sources: &[&str]) {
        for (tool, arguments) in calls {
            for source in [None].into_iter().chain(sources.iter().map(Some)) {
                let mut arguments = arguments.clone();
                if let Some(source) = source {
                    arguments["source"] = (*source).into();
                }
                let reply = client.call(tool, arguments).await;
                self.note(format!("{place}: {tool} {source:?}"), reply.text);
                let structured = reply.structured.unwrap_or_default().to_string();
                self.note(format!("{place}: {tool} {source:?} structured"), structured);
            }
        }
    }

    /// The same over the stdio of a server, and notes its standard error.
    pub async fn over_stdio(&mut self, command: Command, calls: &[(&str, Value)], sources: &[&str]) {
        let mut client = Client::spawn(command);
        client.connect(Era::Stateless).await;
        self.talk(&client, "stdio", calls, sources).await;
        client.close_input().await;
        client.child().exit_within(Duration::from_secs(20)).await.unwrap();
        self.note("stderr over stdio", client.child().stderr());
    }

    /// The same over HTTP with this inbound token, and of one that is nearly right, `/metrics` and `/readyz`.
    pub async fn over_http(
        &mut self,
        mut command: Command,
        token: &str,
        calls: &[(&str, Value)],
        sources: &[&str],
    ) {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let log = tempfile::NamedTempFile::new().unwrap();
        command.args(["serve", "--http", &format!("127.0.0.1:{port}")]);
        let mut served = command.stdout(Stdio::null()).stderr(log.reopen().unwrap()).spawn().unwrap();
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            assert!(served.try_wait().unwrap().is_none(), "the server has ended");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let url = format!("http://127.0.0.1:{port}");
        let bearer = format!("Bearer {token}");
        let mut client =
            Client::over_http(HttpClient::new(&format!("{url}/mcp")).with_header("Authorization", &bearer));
        client.connect(Era::Stateless).await;
        self.talk(&client, "http", calls, sources).await;
        let wrong = HttpRequest::new("POST").path("/mcp").header("Authorization", &format!("{bearer}x"));
        let get = |path: &str| HttpRequest::new("GET").path(path);
        for request in [wrong, get("/metrics"), get("/readyz")] {
            self.note("http", HttpClient::new(&url).send(request).await.text());
        }
        terminate(served.id());
        served.wait().unwrap();
        self.note("stderr over http", std::fs::read_to_string(log.path()).unwrap());
    }

    /// Notes every file of a directory.
    pub fn files(&mut self, directory: &std::path::Path) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            self.note(path.display().to_string(), std::fs::read_to_string(&path).unwrap());
        }
    }

    /// Whether this stands in any of it.
    pub fn mentions(&self, part: &str) -> bool {
        self.0.iter().any(|(_, text)| text.contains(part))
    }

    /// Demands that none of these stands in any of it, of which there must be enough to be worth a search.
    pub fn holds_none_of(&self, secrets: &[String]) {
        let all: usize = self.0.iter().map(|(_, text)| text.len()).sum();
        assert!(all > 20_000, "only {all} bytes were emitted: what was searched?");
        for secret in secrets {
            for (place, text) in &self.0 {
                let Some(at) = text.find(secret) else { continue };
                let from = text.floor_char_boundary(at.saturating_sub(80));
                let around: String = text[from..].chars().take(200).collect();
                panic!("{secret} in {place}: …{around}");
            }
        }
    }
}

/// A backend that answers every request with `400` and what `body` makes of the request's head, header values too, after
/// the decoded credentials of a `Basic` header, as `decode` reads base64. Returns its URL.
pub fn parrot(decode: fn(&str) -> String, body: fn(&str) -> Value) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut head = [0; 16 * 1024];
                let read = stream.read(&mut head).unwrap_or(0);
                let head = String::from_utf8_lossy(&head[..read]);
                let decoded: String = head
                    .lines()
                    .filter_map(|line| line.split_once("Basic ").or_else(|| line.split_once("basic ")))
                    .map(|(_, encoded)| decode(encoded.trim()))
                    .collect();
                let body = body(&format!("wrong credentials {decoded} in {head}")).to_string();
                let _ = write!(
                    stream,
                    "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                );
            });
        }
    });
    url
}

/// What `sha256sum` says of a text, so that the expected value is not ours.
pub fn sha256(text: &str) -> String {
    let mut process = Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    process.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    String::from_utf8(process.wait_with_output().unwrap().stdout).unwrap()[..64].to_owned()
}
