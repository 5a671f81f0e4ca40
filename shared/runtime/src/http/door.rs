//! The way in over HTTP: who calls, and whether there is room for them.
//!
//! Tool calls have rates and places of their own, in the guard. Here it is about requests of any kind, and about one
//! caller among several: who floods gets 429 with `Retry-After`, late, and takes nothing from the others.

use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use identity::{Principal, Tokens, Unauthorized};
use tokio::sync::{Semaphore, SemaphorePermit};

/// From the first byte of a request to the first of its answer. Calls end long before.
const LONGEST_REQUEST: Duration = Duration::from_secs(120);
/// Requests inside the server at one time, whoever sent them.
const MAX_REQUESTS: usize = 512;
/// Of these, one caller's, where there are several: four who flood leave no room for a fifth, one leaves plenty.
const MAX_REQUESTS_EACH: usize = MAX_REQUESTS / 4;
/// Requests a second of one caller over time, where there are several; a busy assistant makes one or two.
const PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(99);
/// Requests of one caller at once after a quiet time.
const BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(399);
/// How long a refusal takes. A client that asks again at once would otherwise keep a processor busy with refusals.
const LATE: Duration = Duration::from_millis(250);

/// Who may call: the holders of tokens or, on loopback without tokens, the local user.
pub(super) struct Door {
    tokens: Option<Tokens>,
    local: Principal,
    all: Semaphore,
    /// By the names of the tokens; there are no others.
    each: BTreeMap<String, Caller>,
}

/// What one of several callers may take.
struct Caller {
    places: Semaphore,
    rate: DefaultDirectRateLimiter,
}

/// A request's places; free again when this is dropped.
type Places<'a> = [Option<SemaphorePermit<'a>>; 2];

impl Door {
    pub(super) fn new(tokens: Option<Tokens>, names: impl Iterator<Item = String>, local: Principal) -> Door {
        let quota = Quota::per_second(PER_SECOND).allow_burst(BURST);
        let caller =
            || Caller { places: Semaphore::new(MAX_REQUESTS_EACH), rate: RateLimiter::direct(quota) };
        let each = names.map(|name| (name, caller())).collect();
        Door { tokens, local, all: Semaphore::new(MAX_REQUESTS), each }
    }

    /// Places for a request of this caller; none when there are too many.
    fn admit(&self, caller: &str) -> Option<Places<'_>> {
        let caller = self.each.get(caller);
        // The caller's own first: who floods takes nothing from the others.
        let own = caller.map(|caller| caller.places.try_acquire()).transpose().ok()?;
        if caller.is_some_and(|caller| caller.rate.check().is_err()) {
            return None;
        }
        Some([own, Some(self.all.try_acquire().ok()?)])
    }

    fn recognise(&self, request: &Request) -> Result<Principal, Unauthorized> {
        let Some(tokens) = &self.tokens else { return Ok(self.local.clone()) };
        let authorization = request.headers().get(header::AUTHORIZATION);
        tokens.authenticate(authorization.and_then(|value| value.to_str().ok()))
    }
}

/// Lets a request in, with its principal, or says why not.
pub(super) async fn enter(State(door): State<Arc<Door>>, mut request: Request, next: Next) -> Response {
    let principal = match door.recognise(&request) {
        Ok(principal) => principal,
        Err(refused) => return unauthorized(refused),
    };
    let Some(_places) = door.admit(&principal.name) else {
        tokio::time::sleep(LATE).await;
        let come_back = [(header::RETRY_AFTER, "1")];
        return (StatusCode::TOO_MANY_REQUESTS, come_back, "too many requests at once\n").into_response();
    };
    request.extensions_mut().insert(principal);
    // Covers reading the request: who sends it byte by byte must not hold a place for ever.
    match tokio::time::timeout(LONGEST_REQUEST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => (StatusCode::REQUEST_TIMEOUT, "the request took too long\n").into_response(),
    }
}

fn unauthorized(refused: Unauthorized) -> Response {
    let challenge =
        refused.error_code().map_or("Bearer".to_owned(), |code| format!("Bearer error=\"{code}\""));
    let mut response = Response::new(Body::from(format!("{refused}\n")));
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    if let Ok(value) = HeaderValue::from_str(&challenge) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door(names: &[&str]) -> Door {
        Door::new(None, names.iter().map(|name| (*name).to_owned()), Principal::local("local"))
    }

    #[test]
    fn one_caller_who_floods_leaves_room_for_the_others() {
        let door = door(&["ana", "eve"]);
        let flood: Vec<_> = (0..1000).map_while(|_| door.admit("eve")).collect();
        assert_eq!(flood.len(), MAX_REQUESTS_EACH);
        assert!(door.admit("ana").is_some());
        drop(flood);
        assert!(door.admit("eve").is_some(), "a place is free again when its request has ended");
    }

    #[test]
    fn one_caller_who_hurries_is_slowed_down_and_the_others_are_not() {
        let door = door(&["ana", "eve"]);
        let let_in = (0..2000).filter(|_| door.admit("eve").is_some()).count();
        // 400 at once, and one more for every ten milliseconds this took.
        assert!((400..1000).contains(&let_in), "{let_in}");
        assert!(door.admit("ana").is_some());
    }

    #[test]
    fn a_caller_who_is_the_only_one_may_use_the_whole_house_as_fast_as_it_goes() {
        let door = door(&[]);
        let all: Vec<_> = (0..1000).map_while(|_| door.admit("local")).collect();
        assert_eq!(all.len(), MAX_REQUESTS);
        drop(all);
        assert!((0..100_000).all(|_| door.admit("local").is_some()));
    }
}
