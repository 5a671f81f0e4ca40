//! The way in over HTTP: who calls, and whether there is room for them.
//!
//! Tool calls have rates and places of their own, in the guard. Here it is about requests of any kind, and about one
//! caller among several: who floods gets 429 with `Retry-After`, late, and takes nothing from the others. Who is alone at
//! the time may be as fast as it can.

use std::{
    collections::BTreeMap,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

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
/// Of these, one caller's while others call too: four who flood leave no room for a fifth, one leaves plenty. And what
/// remains for others who may come while one is alone.
const MAX_REQUESTS_EACH: usize = MAX_REQUESTS / 4;
/// Requests a second of one caller over time while others call too; a busy assistant makes one or two.
const PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(99);
/// Requests of one caller at once after a quiet time.
const BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(399);
/// Who has been quiet for so long does not call at present.
const QUIET: Duration = Duration::from_secs(10);
/// How long a refusal takes. A client that asks again at once would otherwise keep a processor busy with refusals.
const LATE: Duration = Duration::from_millis(250);

/// Who may call: the holders of tokens or, on loopback without tokens, the local user.
pub(super) struct Door {
    tokens: Option<Tokens>,
    local: Principal,
    all: Semaphore,
    /// By the names of the tokens; there are no others.
    each: BTreeMap<String, Caller>,
    opened: Instant,
}

/// What one of several callers takes.
struct Caller {
    places: Semaphore,
    rate: DefaultDirectRateLimiter,
    /// When its last request came, in milliseconds since the door was opened, plus one; zero before the first.
    last: AtomicU64,
}

impl Caller {
    fn inside(&self) -> usize {
        MAX_REQUESTS - self.places.available_permits()
    }

    /// Whether it calls at present.
    fn is_active(&self, now: u64) -> bool {
        let last = self.last.load(Ordering::Relaxed);
        self.inside() > 0 || (last > 0 && u128::from(now.saturating_sub(last)) < QUIET.as_millis())
    }
}

/// A request's places; free again when this is dropped.
type Places<'a> = [Option<SemaphorePermit<'a>>; 2];

impl Door {
    pub(super) fn new(tokens: Option<Tokens>, names: impl Iterator<Item = String>, local: Principal) -> Door {
        let quota = Quota::per_second(PER_SECOND).allow_burst(BURST);
        let caller = || Caller {
            places: Semaphore::new(MAX_REQUESTS),
            rate: RateLimiter::direct(quota),
            last: AtomicU64::new(0),
        };
        let each = names.map(|name| (name, caller())).collect();
        Door { tokens, local, all: Semaphore::new(MAX_REQUESTS), each, opened: Instant::now() }
    }

    /// Places for a request of this caller; none when there are too many.
    fn admit(&self, caller: &str) -> Option<Places<'_>> {
        let own = match self.each.get(caller) {
            Some(known) => Some(self.share(caller, known)?),
            None => None,
        };
        Some([own, Some(self.all.try_acquire().ok()?)])
    }

    /// A place of the caller's own, if that leaves enough for the others: who floods takes nothing from them.
    fn share<'a>(&'a self, name: &str, caller: &'a Caller) -> Option<SemaphorePermit<'a>> {
        let now = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1);
        caller.last.store(now, Ordering::Relaxed);
        let place = caller.places.try_acquire().ok()?;
        let is_slow_enough = caller.rate.check().is_ok();
        let mut others = self.each.iter().filter(|(other, _)| other.as_str() != name).peekable();
        if others.peek().is_none() {
            return Some(place);
        }
        if others.any(|(_, other)| other.is_active(now)) {
            return (is_slow_enough && caller.inside() <= MAX_REQUESTS_EACH).then_some(place);
        }
        (caller.inside() <= MAX_REQUESTS - MAX_REQUESTS_EACH).then_some(place)
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
        let _ana_is_there = door.admit("ana");
        let flood: Vec<_> = (0..1000).map_while(|_| door.admit("eve")).collect();
        assert_eq!(flood.len(), MAX_REQUESTS_EACH);
        assert!(door.admit("ana").is_some());
        drop(flood);
        assert!(door.admit("eve").is_some(), "a place is free again when its request has ended");
    }

    #[test]
    fn one_caller_who_hurries_is_slowed_down_and_the_others_are_not() {
        let door = door(&["ana", "eve"]);
        drop(door.admit("ana"));
        let let_in = (0..2000).filter(|_| door.admit("eve").is_some()).count();
        // 400 at once, and one more for every ten milliseconds this took.
        assert!((400..1000).contains(&let_in), "{let_in}");
        assert!(door.admit("ana").is_some());
    }

    #[test]
    fn one_caller_who_is_alone_is_not_slowed_down_and_the_next_one_to_come_finds_room() {
        let door = door(&["ana", "eve"]);
        assert!((0..100_000).all(|_| door.admit("eve").is_some()));
        let flood: Vec<_> = (0..1000).map_while(|_| door.admit("eve")).collect();
        assert_eq!(flood.len(), 384, "of 512 places 128 remain");
        let ana: Vec<_> = (0..100).map_while(|_| door.admit("ana")).collect();
        assert_eq!(ana.len(), 100);
        drop(flood);
        // Eve used up what she may do at once while it cost nobody anything.
        assert!((0..10).filter(|_| door.admit("eve").is_some()).count() < 10);
    }

    #[test]
    fn who_was_there_long_ago_does_not_count_as_others() {
        let door = door(&["ana", "eve"]);
        let Some(ana) = door.each.get("ana") else { panic!() };
        assert!(!ana.is_active(5), "never called");
        ana.last.store(1, Ordering::Relaxed);
        assert!(ana.is_active(10_000));
        assert!(!ana.is_active(10_001));
        let _inside = ana.places.try_acquire();
        assert!(ana.is_active(100_000), "a request of hers is still running");
    }

    #[test]
    fn a_caller_who_is_the_only_one_may_use_the_whole_house_as_fast_as_it_goes() {
        for (door, caller) in [(door(&[]), "local"), (door(&["ana"]), "ana")] {
            let all: Vec<_> = (0..1000).map_while(|_| door.admit(caller)).collect();
            assert_eq!(all.len(), MAX_REQUESTS, "{caller}");
            drop(all);
            assert!((0..100_000).all(|_| door.admit(caller).is_some()), "{caller}");
        }
    }
}
