//! What callers share, places and answers, fails none of them for what another did.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use contract::Context;
use testkit::recorded::{Recorded, Reply};
use upstream::{Ask, Endpoint, Limits, Method, SourceConfig, Upstream, UpstreamError};

const GET: Endpoint = Endpoint { method: Method::Get, path: "/api/v1/labels" };

/// What a backend does with a request.
enum Deed {
    Answer,
    /// Never answers, and keeps the connection.
    Hold,
    HangUp,
}

/// A backend that does as `deed` says of the number of the request, from 0, and its head; how many came.
fn backend(deed: impl Fn(usize, &str) -> Deed + Send + 'static) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        let mut held: Vec<TcpStream> = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = [0; 8_192];
            let read = stream.read(&mut head).unwrap_or(0);
            let head = String::from_utf8_lossy(&head[..read]).into_owned();
            match deed(counted.fetch_add(1, Ordering::SeqCst), &head) {
                Deed::Answer => {
                    let _ = write!(
                        stream,
                        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nyes"
                    );
                }
                Deed::Hold => held.push(stream),
                Deed::HangUp => drop(stream),
            }
        }
    });
    (url, count)
}

/// Holds every request that says `slow`, and answers the others.
fn slow_for_some() -> (String, Arc<AtomicUsize>) {
    backend(|_, head| if head.contains("slow") { Deed::Hold } else { Deed::Answer })
}

fn source(url: &str, max_concurrent_requests: usize) -> Arc<Upstream> {
    let config = SourceConfig { url: url.to_owned(), ..SourceConfig::default() };
    let limits = Limits { max_retries: 0, max_concurrent_requests, ..Limits::default() };
    Arc::new(Upstream::new("prometheus", config, limits).unwrap())
}

fn caller(principal: &str, seconds: f64) -> Context {
    let mut cx = Context::for_test("2026-01-14T14:32:00Z".parse().unwrap());
    cx.principal = principal.to_owned();
    cx.deadline = Instant::now() + Duration::from_secs_f64(seconds);
    cx
}

/// So many requests of `principal` that the backend holds, sent together; waits until `arrived` of them are there.
async fn storm(
    upstream: &Arc<Upstream>,
    principal: &'static str,
    requests: usize,
    (count, arrived): (&AtomicUsize, usize),
) -> tokio::task::JoinSet<()> {
    let mut storm = tokio::task::JoinSet::new();
    for _ in 0..requests {
        let upstream = Arc::clone(upstream);
        storm.spawn(async move {
            let _ = upstream.fetch(&caller(principal, 20.0), &Ask::of(GET).with("q", "slow")).await;
        });
    }
    while count.load(Ordering::SeqCst) < arrived {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    storm
}

/// Both ask the same at the same time, the leader first; what each got, and its trail's outcomes.
async fn together(
    upstream: &Upstream,
    leader: &Context,
    follower: &Context,
) -> [(String, Vec<&'static str>); 2] {
    let ask = Ask::of(GET);
    let following = async {
        // The leader has begun: it is polled first.
        tokio::task::yield_now().await;
        upstream.fetch_cached(follower, &ask).await
    };
    let (led, followed) = tokio::join!(upstream.fetch_cached(leader, &ask), following);
    [(led, leader), (followed, follower)]
        .map(|(result, cx)| (said(result), cx.trail.calls().iter().map(|call| call.outcome).collect()))
}

fn said(result: Result<upstream::Reply, UpstreamError>) -> String {
    result.map_or_else(|error| error.kind().to_owned(), |reply| reply.status.to_string())
}

#[tokio::test]
async fn the_storm_of_one_caller_leaves_a_place_for_another() {
    let (url, count) = slow_for_some();
    let upstream = source(&url, 10);
    // 16 calls of three requests each; three quarters of ten places are seven.
    let eve = storm(&upstream, "eve", 48, (&count, 7)).await;
    let ana = upstream.fetch(&caller("ana", 20.0), &Ask::of(GET)).await;
    assert_eq!(said(ana), "200");
    assert_eq!(count.load(Ordering::SeqCst), 7 + 1, "eve's seven, and ana's");
    drop(eve);
}

#[tokio::test]
async fn who_waits_for_a_call_that_had_no_time_to_wait_for_a_place_asks_again() {
    let (url, count) = slow_for_some();
    let upstream = source(&url, 1);
    let (leader, follower) = (caller("ana", 0.3), caller("ana", 20.0));
    let holder = storm(&upstream, "eve", 1, (&count, 1)).await;
    let until_the_leader_gave_up = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        drop(holder);
    };
    let (got, ()) = tokio::join!(together(&upstream, &leader, &follower), until_the_leader_gave_up);
    assert_eq!(got, [("busy".to_owned(), vec![]), ("200".to_owned(), vec!["ok"])]);
}

#[tokio::test]
async fn who_waits_for_a_principal_without_places_asks_with_its_own() {
    let (url, count) = slow_for_some();
    let upstream = source(&url, 10);
    let storm = storm(&upstream, "eve", 7, (&count, 7)).await;
    let got = together(&upstream, &caller("eve", 20.0), &caller("ana", 20.0)).await;
    assert_eq!(got, [("busy".to_owned(), vec![]), ("200".to_owned(), vec!["ok"])]);
    let got = together(&upstream, &caller("eve", 20.0), &caller("ana", 20.0)).await;
    assert_eq!(got.map(|(_, trail)| trail), [["cached"], ["cached"]], "now it is known to both");
    drop(storm);
}

#[tokio::test]
async fn a_broken_connection_is_shared_by_those_with_like_time_and_tried_again_by_who_has_more() {
    for (leader, expected) in [(20.0, ("unreachable", vec![])), (5.0, ("200", vec!["ok"]))] {
        let (url, _) = backend(|number, _| if number == 0 { Deed::HangUp } else { Deed::Answer });
        let upstream = source(&url, 10);
        let [led, followed] = together(&upstream, &caller("ana", leader), &caller("ana", 20.0)).await;
        assert_eq!(led, ("unreachable".to_owned(), vec!["unreachable"]), "leader {leader} s");
        assert_eq!(followed, (expected.0.to_owned(), expected.1), "leader {leader} s");
    }
}

#[tokio::test]
async fn a_pause_too_long_for_one_call_is_no_answer_for_another_with_more_time() {
    let backend = Recorded::start().await;
    let limit = Reply::to("GET", "/api/v1/labels").status(429).header("Retry-After", "1");
    backend.reply(limit.at_most(1)).await;
    backend.reply(Reply::to("GET", "/api/v1/labels").text("yes")).await;
    let config = SourceConfig { url: backend.url(), ..SourceConfig::default() };
    let upstream = Upstream::new("prometheus", config, Limits::default()).unwrap();
    let got = together(&upstream, &caller("ana", 1.5), &caller("ana", 20.0)).await;
    assert_eq!(got, [("429".to_owned(), vec!["status"]), ("200".to_owned(), vec!["ok"])]);
}
