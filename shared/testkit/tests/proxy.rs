//! Each fault does what it says: bytes on a plain TCP connection, and what another HTTP implementation
//! (reqwest) makes of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests fail loudly"
)]

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use testkit::proxy::{Fault, Misbehaving, RETRY_AFTER_SECONDS};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(5);

async fn connect(backend: &Misbehaving) -> std::io::Result<TcpStream> {
    TcpStream::connect(backend.url().strip_prefix("http://").unwrap()).await
}

/// A connection over which a request has been sent.
async fn ask(backend: &Misbehaving) -> TcpStream {
    let mut stream = connect(backend).await.unwrap();
    stream.write_all(b"GET /api HTTP/1.1\r\nHost: backend\r\n\r\n").await.unwrap();
    stream
}

/// What arrives within this time, and how it ended: `None` when it has not.
async fn read_for(stream: &mut TcpStream, time: Duration) -> (Vec<u8>, Option<std::io::Result<usize>>) {
    let mut bytes = Vec::new();
    let end = timeout(time, stream.read_to_end(&mut bytes)).await.ok();
    (bytes, end)
}

fn split_head(answer: &[u8]) -> (String, &[u8]) {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("a complete head");
    (String::from_utf8(answer[..end].to_vec()).unwrap(), &answer[end + 4..])
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

async fn get(backend: &Misbehaving) -> reqwest::Result<reqwest::Response> {
    http().get(backend.url()).send().await
}

/// Status, content type and body of a fault that is a complete answer.
async fn complete(fault: Fault) -> (u16, String, Vec<u8>) {
    let backend = Misbehaving::start(fault);
    let answer = get(&backend).await.unwrap();
    let content_type = answer.headers()["content-type"].to_str().unwrap().to_owned();
    (answer.status().as_u16(), content_type, answer.bytes().await.unwrap().to_vec())
}

#[test]
fn every_fault_is_listed_once() {
    for (position, fault) in Fault::ALL.into_iter().enumerate() {
        assert_eq!(fault as usize, position, "{fault:?}");
    }
    assert_eq!(Fault::ALL.last(), Some(&Fault::EndlessHeaders), "the last variant");
}

#[tokio::test]
async fn refused_connections_are_refused() {
    let backend = Misbehaving::start(Fault::RefuseConnection);
    assert_eq!(connect(&backend).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert_eq!((backend.connections(), backend.open_connections()), (0, 0));
    assert_eq!(backend.closed_within(Duration::from_millis(10)).await, None, "there was no connection");
}

#[tokio::test]
async fn a_hanging_backend_reads_and_says_nothing() {
    let backend = Misbehaving::start(Fault::AcceptAndHang);
    let mut stream = ask(&backend).await;
    assert!(backend.requests_within(1, SOON).await);
    let (bytes, end) = read_for(&mut stream, Duration::from_millis(300)).await;
    assert!(bytes.is_empty() && end.is_none());
    assert_eq!((backend.connections(), backend.open_connections()), (1, 1));
}

#[tokio::test]
async fn headers_without_their_body() {
    let backend = Misbehaving::start(Fault::HangAfterHeaders);
    let (bytes, end) = read_for(&mut ask(&backend).await, Duration::from_millis(300)).await;
    let (head, body) = split_head(&bytes);
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("content-length: 1000"), "{head}");
    assert!(body.is_empty() && end.is_none());
}

#[tokio::test]
async fn a_trickle_is_one_byte_at_a_time_in_valid_chunks() {
    let backend = Misbehaving::start(Fault::Trickle);
    let mut answer = get(&backend).await.unwrap();
    let began = Instant::now();
    let mut body = Vec::new();
    while body.len() < 6 {
        let chunk = answer.chunk().await.unwrap().expect("no end");
        assert_eq!(chunk.len(), 1);
        body.extend_from_slice(&chunk);
    }
    assert_eq!(body, b"[0,0,0");
    // Five pauses of 100 ms; a little less because the first may have begun before the clock.
    assert!(began.elapsed() >= Duration::from_millis(450), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_reset_comes_in_the_middle_of_the_body() {
    let backend = Misbehaving::start(Fault::ResetMidBody);
    let (bytes, end) = read_for(&mut ask(&backend).await, SOON).await;
    let (head, body) = split_head(&bytes);
    assert!(head.contains("content-length: 1000") && (1..1000).contains(&body.len()));
    assert_eq!(end.unwrap().unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert!(backend.closed_within(SOON).await.is_some(), "a reset connection is closed");
}

#[tokio::test]
async fn a_close_comes_in_the_middle_of_the_body() {
    let backend = Misbehaving::start(Fault::CloseMidBody);
    let (bytes, end) = read_for(&mut ask(&backend).await, SOON).await;
    let (head, body) = split_head(&bytes);
    assert!(head.contains("content-length: 1000") && (1..1000).contains(&body.len()));
    end.unwrap().expect("an orderly close");
}

#[tokio::test]
async fn what_is_not_http_is_not_http() {
    let backend = Misbehaving::start(Fault::NotHttp);
    let (bytes, end) = read_for(&mut ask(&backend).await, SOON).await;
    assert!(!bytes.is_empty() && !bytes.starts_with(b"HTTP/") && end.unwrap().is_ok());
    assert!(get(&backend).await.is_err());
}

#[tokio::test]
async fn error_statuses_have_their_bodies() {
    let (status, content_type, body) = complete(Fault::Status500Html).await;
    assert_eq!((status, content_type.as_str()), (500, "text/html"));
    assert!(body.starts_with(b"<!doctype html>"));

    let (status, content_type, body) = complete(Fault::Status502Plain).await;
    assert_eq!((status, content_type.as_str()), (502, "text/plain"));
    assert!(!body.starts_with(b"<") && !body.starts_with(b"{"));

    for (fault, expected) in [
        (Fault::Status503, 503),
        (Fault::Status429RetryAfter, 429),
        (Fault::Status401, 401),
        (Fault::Status403, 403),
    ] {
        let (status, content_type, body) = complete(fault).await;
        assert_eq!((status, content_type.as_str()), (expected, "application/json"));
        assert!(serde_json::from_slice::<serde_json::Value>(&body).unwrap()["error"].is_string());
    }
}

#[tokio::test]
async fn statuses_that_need_a_header_have_it_and_503_gives_no_advice() {
    let header = async |fault, name: &str| {
        let answer = get(&Misbehaving::start(fault)).await.unwrap();
        answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(
        header(Fault::Status429RetryAfter, "retry-after").await,
        Some(RETRY_AFTER_SECONDS.to_string())
    );
    assert_eq!(header(Fault::Status503, "retry-after").await, None);
    assert!(header(Fault::Status401, "www-authenticate").await.unwrap().starts_with("Bearer "));
}

#[tokio::test]
async fn a_redirect_leads_to_another_port_where_hits_are_counted() {
    let backend = Misbehaving::start(Fault::Redirect);
    let answer = get(&backend).await.unwrap();
    assert_eq!(answer.status(), 302);
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    assert!(location.starts_with("http://127.0.0.1:") && !location.starts_with(&backend.url()), "{location}");
    assert_eq!(backend.redirect_hits(), 0);

    let following = reqwest::Client::builder().no_proxy().build().unwrap();
    let followed = following.get(backend.url()).send().await.unwrap();
    assert_eq!(followed.status(), 200);
    assert_eq!((backend.redirect_hits(), backend.connections()), (1, 2));
}

#[tokio::test]
async fn complete_answers_with_a_useless_body() {
    let (status, content_type, body) = complete(Fault::WrongContentType).await;
    assert_eq!((status, content_type.as_str()), (200, "text/html; charset=utf-8"));
    assert!(String::from_utf8(body).unwrap().contains("password"));

    let parsed = |body: &[u8]| serde_json::from_slice::<serde_json::Value>(body);
    for fault in [Fault::InvalidJson, Fault::EmptyBody, Fault::TruncatedJson, Fault::BinaryJunk] {
        let (status, content_type, body) = complete(fault).await;
        assert_eq!((status, content_type.as_str()), (200, "application/json"));
        let error = parsed(&body).unwrap_err();
        assert_eq!(
            error.is_eof(),
            matches!(fault, Fault::EmptyBody | Fault::TruncatedJson),
            "{fault:?}: {error}"
        );
        assert_eq!(body.is_empty(), fault == Fault::EmptyBody);
        assert_eq!(std::str::from_utf8(&body).is_err(), fault == Fault::BinaryJunk);
    }
}

#[tokio::test]
async fn deep_json_is_balanced_and_a_hundred_thousand_deep() {
    let (status, _, body) = complete(Fault::DeepJson).await;
    assert_eq!((status, body.len()), (200, 200_000));
    let (opening, closing) = body.split_at(100_000);
    assert!(opening.iter().all(|byte| *byte == b'[') && closing.iter().all(|byte| *byte == b']'));
}

#[tokio::test]
async fn a_huge_body_is_a_hundred_megabytes_of_json_in_chunks() {
    let backend = Misbehaving::start(Fault::HugeBody);
    let mut answer = get(&backend).await.unwrap();
    assert_eq!(answer.headers()["transfer-encoding"], "chunked");
    assert_eq!(answer.content_length(), None);

    let (mut length, mut first, mut last) = (0, Vec::new(), Vec::new());
    while let Some(chunk) = answer.chunk().await.unwrap() {
        length += chunk.len();
        if first.len() < 1000 {
            first.extend_from_slice(&chunk);
        }
        last = chunk.to_vec();
    }
    assert_eq!(length, 100_000_001);
    // An element is a string of 97 letters: with quotes and comma 100 bytes.
    let beginning = [&first[..1000], b"]"].concat();
    assert_eq!(serde_json::from_slice::<Vec<String>>(&beginning).unwrap(), vec!["x".repeat(97); 10]);
    assert_eq!(last.last(), Some(&b']'));
}

#[tokio::test]
async fn a_gzip_bomb_unpacks_to_far_more_than_was_sent() {
    let backend = Misbehaving::start(Fault::GzipBomb);
    let (bytes, _) = read_for(&mut ask(&backend).await, SOON).await;
    let (head, body) = split_head(&bytes);
    assert!(head.contains("content-encoding: gzip"), "{head}");
    assert!(body.len() < 2_000_000, "{}", body.len());

    let mut answer = get(&backend).await.unwrap();
    let mut unpacked = 0;
    while unpacked < 32 << 20 {
        let chunk = answer.chunk().await.unwrap().expect("no end yet");
        assert!(chunk.iter().all(|byte| *byte == b' '));
        unpacked += chunk.len();
    }
}

#[tokio::test]
async fn slow_headers_never_end() {
    let backend = Misbehaving::start(Fault::SlowHeaders);
    let (bytes, end) = read_for(&mut ask(&backend).await, Duration::from_millis(550)).await;
    let text = String::from_utf8(bytes).unwrap();
    let slow = text.strip_prefix("HTTP/1.1 200 OK\r\nx-slow: ").expect("a beginning of headers");
    assert!((1..=10).contains(&slow.len()) && slow.bytes().all(|byte| byte == b'a'), "{slow}");
    assert!(end.is_none());
}

#[tokio::test]
async fn endless_headers_go_on_as_long_as_they_are_read() {
    let backend = Misbehaving::start(Fault::EndlessHeaders);
    let mut stream = ask(&backend).await;
    let mut bytes = vec![0; 4 << 20];
    timeout(SOON, stream.read_exact(&mut bytes)).await.unwrap().unwrap();
    assert!(!bytes.windows(4).any(|window| window == b"\r\n\r\n"), "the head has ended");
    let lines = String::from_utf8(bytes).unwrap();
    assert!(
        lines.lines().skip(1).take(1000).all(|line| line.starts_with("x-filler-") && line.contains(": "))
    );
}

#[tokio::test]
async fn a_wrong_length_leaves_bytes_on_an_open_connection() {
    let backend = Misbehaving::start(Fault::WrongLength);
    let (bytes, end) = read_for(&mut ask(&backend).await, Duration::from_millis(200)).await;
    let (head, body) = split_head(&bytes);
    assert!(head.contains("content-length: 10") && head.contains("connection: keep-alive"), "{head}");
    assert!(body.len() > 10 && end.is_none());
    // What a client sees of it is cut.
    assert_eq!(complete(Fault::WrongLength).await.2, body[..10]);
}

#[tokio::test]
async fn the_moment_the_client_closes_is_seen_whatever_the_fault() {
    for fault in Fault::ALL {
        if matches!(fault, Fault::RefuseConnection | Fault::ResetMidBody) {
            continue;
        }
        let backend = Misbehaving::start(fault);
        let stream = ask(&backend).await;
        assert!(backend.requests_within(1, SOON).await);
        assert_eq!(backend.closed_within(Duration::from_millis(50)).await, None, "{fault:?}: it is open");

        let closing = Instant::now();
        drop(stream);
        let closed = backend.closed_within(SOON).await.unwrap_or_else(|| panic!("{fault:?}: still open"));
        assert!(closed >= closing, "{fault:?}");
        assert!(
            closed - closing < Duration::from_millis(200),
            "{fault:?}: seen after {:?}",
            closed - closing
        );
        assert_eq!((backend.connections(), backend.open_connections()), (1, 0));
    }
}

#[tokio::test]
async fn a_connection_without_a_request_is_counted_and_its_end_is_seen() {
    let backend = Misbehaving::start(Fault::Status503);
    drop(connect(&backend).await.unwrap());
    assert!(backend.closed_within(SOON).await.is_some());
    assert!(!backend.requests_within(1, Duration::from_millis(10)).await);
}

#[tokio::test]
async fn a_dropped_backend_refuses_and_cuts_every_connection() {
    for fault in [Fault::AcceptAndHang, Fault::Trickle, Fault::EndlessHeaders] {
        let backend = Misbehaving::start(fault);
        let mut stream = ask(&backend).await;
        assert!(backend.requests_within(1, SOON).await);
        let address = backend.url().strip_prefix("http://").unwrap().to_owned();
        drop(backend);

        let refused = TcpStream::connect(&address).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused, "{fault:?}");
        let (_, end) = read_for(&mut stream, SOON).await;
        assert!(end.is_some(), "{fault:?}: the connection is still open");
    }
}
