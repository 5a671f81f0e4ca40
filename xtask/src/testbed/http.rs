//! Just enough HTTP to ask a backend on loopback whether it is ready.

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// What a backend answered.
pub(crate) struct Reply {
    /// The status code.
    pub(crate) status: u16,
    /// The body, at most one mebibyte of it.
    pub(crate) body: String,
}

/// GET `path` at `url` (`http://HOST:PORT`), waiting two seconds at most.
pub(crate) fn get(url: &str, path: &str) -> Result<Reply, Box<dyn Error>> {
    exchange(url, |host| format!("GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n"))
}

/// POST a JSON document to `path` at `url`.
pub(crate) fn post_json(url: &str, path: &str, body: &str) -> Result<Reply, Box<dyn Error>> {
    let length = body.len();
    exchange(url, |host| {
        format!(
            "POST {path} HTTP/1.0\r\nHost: {host}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
    })
}

/// HTTP/1.0 on purpose: the reply ends with the connection and is never chunked.
fn exchange(url: &str, request: impl Fn(&str) -> String) -> Result<Reply, Box<dyn Error>> {
    let host = url.strip_prefix("http://").ok_or("use a URL that does not start with http://")?;
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.write_all(request(host).as_bytes())?;

    let mut bytes = Vec::new();
    stream.take(1 << 20).read_to_end(&mut bytes)?;
    parse(&String::from_utf8_lossy(&bytes)).ok_or_else(|| "read an HTTP reply".into())
}

fn parse(reply: &str) -> Option<Reply> {
    let (head, body) = reply.split_once("\r\n\r\n")?;
    let status = head.split_whitespace().nth(1)?.parse().ok()?;
    Some(Reply { status, body: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_body_are_taken_from_a_reply() {
        let reply = parse("HTTP/1.0 503 Service Unavailable\r\nA: b\r\n\r\nnot yet\n").unwrap();

        assert_eq!((reply.status, reply.body.as_str()), (503, "not yet\n"));
        assert!(parse("SSH-2.0-OpenSSH_9.2").is_none());
    }
}
