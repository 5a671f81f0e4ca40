//! What each fault writes, once a request's headers have arrived.

use std::io::Result;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::net::tcp::WriteHalf;

use super::{Fault, RETRY_AFTER_SECONDS, TRICKLE_PAUSE, bodies};

const JSON: &str = "application/json";

/// How the backend leaves the connection when it has written what it had to.
pub(super) enum Ending {
    /// An orderly close.
    Close,
    /// A TCP reset.
    Reset,
    /// Not at all: silence until the client closes.
    Hang,
}

/// Do what the fault says. An error means that the client has gone away.
pub(super) async fn act(fault: Fault, redirect_to: SocketAddr, out: &mut WriteHalf<'_>) -> Result<Ending> {
    let challenge = "www-authenticate: Bearer realm=\"backend\"\r\n";
    let come_back = format!("retry-after: {RETRY_AFTER_SECONDS}\r\n");
    let location = format!("location: http://{redirect_to}/elsewhere\r\n");
    match fault {
        Fault::RefuseConnection => unreachable!("nobody listens"),
        Fault::AcceptAndHang => Ok(Ending::Hang),
        Fault::HangAfterHeaders => hang_after_headers(out).await,
        Fault::Trickle => trickle(out).await,
        Fault::ResetMidBody => reset_mid_body(out).await,
        Fault::CloseMidBody => close_mid_body(out).await,
        Fault::NotHttp => not_http(out).await,
        Fault::Status500Html => {
            answer(out, "500 Internal Server Error", "text/html", "", bodies::ERROR_PAGE).await
        }
        Fault::Status502Plain => {
            answer(out, "502 Bad Gateway", "text/plain", "", b"upstream went away\n").await
        }
        Fault::Status503 => {
            answer(out, "503 Service Unavailable", JSON, "", br#"{"error":"overloaded"}"#).await
        }
        Fault::Status429RetryAfter => {
            answer(out, "429 Too Many Requests", JSON, &come_back, br#"{"error":"too many requests"}"#).await
        }
        Fault::Status401 => {
            answer(out, "401 Unauthorized", JSON, challenge, br#"{"error":"no credentials"}"#).await
        }
        Fault::Status403 => answer(out, "403 Forbidden", JSON, "", br#"{"error":"not permitted"}"#).await,
        Fault::Redirect => answer(out, "302 Found", "text/plain", &location, b"").await,
        Fault::WrongContentType => {
            answer(out, "200 OK", "text/html; charset=utf-8", "", bodies::LOGIN_PAGE).await
        }
        Fault::InvalidJson => answer(out, "200 OK", JSON, "", bodies::INVALID_JSON).await,
        Fault::EmptyBody => answer(out, "200 OK", JSON, "", b"").await,
        Fault::TruncatedJson => answer(out, "200 OK", JSON, "", bodies::TRUNCATED_JSON).await,
        Fault::HugeBody => huge_body(out).await,
        Fault::GzipBomb => gzip_bomb(out).await,
        Fault::DeepJson => answer(out, "200 OK", JSON, "", &bodies::deep_json()).await,
        Fault::SlowHeaders => slow_headers(out).await,
        Fault::WrongLength => wrong_length(out).await,
        Fault::BinaryJunk => answer(out, "200 OK", JSON, "", &bodies::junk()).await,
        Fault::EndlessHeaders => endless_headers(out).await,
    }
}

/// A correct HTTP answer; `more` is whole header lines.
async fn answer(
    out: &mut WriteHalf<'_>,
    status: &str,
    content_type: &str,
    more: &str,
    body: &[u8],
) -> Result<Ending> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n{more}connection: close\r\n\r\n"
    );
    out.write_all(head.as_bytes()).await?;
    out.write_all(body).await?;
    Ok(Ending::Close)
}

/// The head of a `200` of JSON with one more header line, which frames the body.
async fn json_head(out: &mut WriteHalf<'_>, framing: &str) -> Result<()> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {JSON}\r\n{framing}\r\n\r\n");
    out.write_all(head.as_bytes()).await
}

async fn hang_after_headers(out: &mut WriteHalf<'_>) -> Result<Ending> {
    json_head(out, "content-length: 1000").await?;
    Ok(Ending::Hang)
}

/// Chunks and not one long announced body, which a client could refuse by its length at once.
async fn trickle(out: &mut WriteHalf<'_>) -> Result<Ending> {
    json_head(out, "transfer-encoding: chunked").await?;
    out.write_all(b"1\r\n[\r\n").await?;
    loop {
        for chunk in [b"1\r\n0\r\n", b"1\r\n,\r\n"] {
            tokio::time::sleep(TRICKLE_PAUSE).await;
            out.write_all(chunk).await?;
        }
    }
}

async fn half_a_body(out: &mut WriteHalf<'_>) -> Result<()> {
    json_head(out, "content-length: 1000").await?;
    out.write_all(br#"{"status":"success","data":["#).await
}

async fn reset_mid_body(out: &mut WriteHalf<'_>) -> Result<Ending> {
    half_a_body(out).await?;
    // A reset throws away what is still on its way; let the half arrive first.
    tokio::time::sleep(TRICKLE_PAUSE).await;
    Ok(Ending::Reset)
}

async fn close_mid_body(out: &mut WriteHalf<'_>) -> Result<Ending> {
    half_a_body(out).await?;
    Ok(Ending::Close)
}

async fn not_http(out: &mut WriteHalf<'_>) -> Result<Ending> {
    out.write_all(b"SSH-2.0-OpenSSH_9.6\r\n").await?;
    out.write_all(&bodies::junk()).await?;
    Ok(Ending::Close)
}

async fn huge_body(out: &mut WriteHalf<'_>) -> Result<Ending> {
    json_head(out, "connection: close\r\ntransfer-encoding: chunked").await?;
    for piece in 0..bodies::HUGE_PIECES {
        write_chunk(out, &bodies::huge_piece(piece)).await?;
    }
    write_chunk(out, b"]").await?;
    out.write_all(b"0\r\n\r\n").await?;
    Ok(Ending::Close)
}

async fn write_chunk(out: &mut WriteHalf<'_>, data: &[u8]) -> Result<()> {
    out.write_all(format!("{:x}\r\n", data.len()).as_bytes()).await?;
    out.write_all(data).await?;
    out.write_all(b"\r\n").await
}

async fn gzip_bomb(out: &mut WriteHalf<'_>) -> Result<Ending> {
    let bomb = bodies::gzip_of_blanks(1024);
    answer(out, "200 OK", JSON, "content-encoding: gzip\r\n", &bomb).await
}

async fn slow_headers(out: &mut WriteHalf<'_>) -> Result<Ending> {
    out.write_all(b"HTTP/1.1 200 OK\r\nx-slow: ").await?;
    loop {
        tokio::time::sleep(TRICKLE_PAUSE).await;
        out.write_all(b"a").await?;
    }
}

async fn wrong_length(out: &mut WriteHalf<'_>) -> Result<Ending> {
    json_head(out, "connection: keep-alive\r\ncontent-length: 10").await?;
    out.write_all(br#"{"status":"success","data":[1,2,3]}"#).await?;
    Ok(Ending::Hang)
}

async fn endless_headers(out: &mut WriteHalf<'_>) -> Result<Ending> {
    out.write_all(b"HTTP/1.1 200 OK\r\n").await?;
    for number in 0_u64.. {
        let line = format!("x-filler-{number}: {}\r\n", "a".repeat(100));
        out.write_all(line.as_bytes()).await?;
    }
    unreachable!("2^64 headers");
}

/// The target of a redirect: a good answer, so that a client that follows does not notice by itself.
pub(super) async fn welcome_the_redirected(listener: TcpListener, count: impl Fn()) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        count();
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await;
        let (_, mut out) = stream.split();
        let _ = answer(&mut out, "200 OK", JSON, "", br#"{"status":"success","data":[]}"#).await;
    }
}
