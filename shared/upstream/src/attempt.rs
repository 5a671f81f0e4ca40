//! One request and its reply: timed, capped, and noted in the call's trail however it ends.

use std::{error::Error, future::Future, io::ErrorKind, time::Duration};

use bytes::Bytes;
use contract::{Context, UpstreamCall};
use reqwest::{Response, header};
use tokio::sync::Semaphore;

use crate::{Limits, Reply, UpstreamError};

/// Of replies larger than this only a few are read at a time ([`LARGE_AT_ONCE`]); the others wait with what they have. A
/// tool that asks four questions at once would otherwise hold four times the cap.
const LARGE: usize = 1024 * 1024;
/// So many.
pub(crate) const LARGE_AT_ONCE: usize = 2;

/// Runs one request under the deadline, which covers everything up to the last byte.
pub(crate) async fn run<Failure: Error + 'static>(
    cx: &Context,
    system: &str,
    endpoint: &str,
    limits: &Limits,
    large: &Semaphore,
    request: impl Future<Output = Result<Response, Failure>> + Send,
) -> Result<Reply, UpstreamError> {
    let mut noted = cx.trail.begin(system, endpoint);
    let allowed = limits.exchange().min(cx.remaining());
    let exchange = exchange(system, limits.max_reply_bytes, large, request, &mut noted.call);
    let result = match tokio::time::timeout(allowed, exchange).await {
        Ok(result) => result,
        Err(_) => Err(UpstreamError::Timeout { system: system.to_owned(), waited: allowed }),
    };
    noted.call.outcome = match &result {
        Ok(reply) if reply.status >= 400 => "status",
        Ok(_) => "ok",
        Err(error) => error.kind(),
    };
    result
}

async fn exchange<Failure: Error + 'static>(
    system: &str,
    cap: usize,
    large: &Semaphore,
    request: impl Future<Output = Result<Response, Failure>> + Send,
    note: &mut UpstreamCall,
) -> Result<Reply, UpstreamError> {
    let mut response = request.await.map_err(|error| failure(system, &error))?;
    let status = response.status();
    note.status = Some(status.as_u16());
    if status.is_redirection() {
        return Err(UpstreamError::Redirect { system: system.to_owned(), status: status.as_u16() });
    }
    let text = |name: header::HeaderName| {
        response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let content_type = text(header::CONTENT_TYPE);
    let retry_after = text(header::RETRY_AFTER).trim().parse().ok().map(Duration::from_secs);
    // A length that already exceeds the cap need not be read; a missing or false one is caught while reading.
    let announced = response.content_length().unwrap_or(0);
    if announced > cap as u64 {
        return Err(UpstreamError::TooLarge { system: system.to_owned(), limit: cap });
    }
    let mut place = None;
    if announced > LARGE as u64 {
        place = large.acquire().await.ok();
    }
    let mut body = Vec::with_capacity(usize::try_from(announced).unwrap_or(0));
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(system, &error))? {
        note.bytes += chunk.len() as u64;
        if body.len() + chunk.len() > cap {
            return Err(UpstreamError::TooLarge { system: system.to_owned(), limit: cap });
        }
        if place.is_none() && body.len() + chunk.len() > LARGE {
            place = large.acquire().await.ok();
        }
        let needed = body.len() + chunk.len();
        if body.capacity() < needed {
            // A large body gets its room in one piece: grown step by step, the pieces it leaves behind add up. Pages that are
            // not written take no memory.
            let room = if needed > LARGE { cap } else { needed.next_power_of_two() };
            body.reserve_exact(room.max(needed) - body.len());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply { status: status.as_u16(), content_type, retry_after, body: Bytes::from(body) })
}

/// What a transport error means, without the URL in it (which may name what should stay private).
fn failure(system: &str, error: &(dyn Error + 'static)) -> UpstreamError {
    let system = system.to_owned();
    let mut deepest = error;
    let mut transport = error.downcast_ref::<reqwest::Error>();
    while let Some(source) = deepest.source() {
        deepest = source;
        transport = transport.or_else(|| source.downcast_ref());
    }
    let is = |question: fn(&reqwest::Error) -> bool| transport.is_some_and(question);
    // reqwest calls every failure while reading a body "decode"; only bad compression is one of the reply itself.
    let kind = deepest.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    if is(reqwest::Error::is_decode) && matches!(kind, Some(ErrorKind::InvalidData | ErrorKind::InvalidInput))
    {
        return UpstreamError::Protocol {
            system,
            problem: format!("the body can't be decompressed ({deepest})"),
        };
    }
    let problem = match (is(reqwest::Error::is_connect), is(reqwest::Error::is_timeout)) {
        (true, true) => "no connection within the connect timeout".to_owned(),
        (true, false) => format!("can't connect ({deepest})"),
        (false, true) => "stopped answering".to_owned(),
        (false, false) if transport.is_none() => "the request could not be written".to_owned(),
        (false, false) => format!("the connection broke ({deepest})"),
    };
    UpstreamError::Unreachable { system, problem }
}
