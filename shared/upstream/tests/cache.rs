//! What was asked for one tenant, or with one credential, is never the answer for another.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use contract::Context;
use jiff::Timestamp;
use proptest::prelude::*;
use upstream::{Ask, Endpoint, Limits, Method, SourceConfig, Upstream};

const GET: Endpoint = Endpoint { method: Method::Get, path: "/api/v1/labels" };
const VALUES: Endpoint = Endpoint { method: Method::Get, path: "/api/v1/label/{}/values" };

/// A backend that gives each request its own answer: a number that rises, and the credential it came with.
fn counting() -> (String, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = [0; 8_192];
            let read = stream.read(&mut head).unwrap();
            let head = String::from_utf8_lossy(&head[..read]).to_lowercase();
            let who = if head.contains("bearer first") { "first" } else { "second" };
            let body = format!("{who} {}", counted.fetch_add(1, Ordering::SeqCst));
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    (url, count)
}

fn source(url: &str, token: &str) -> Upstream {
    let config = SourceConfig {
        name: "main".to_owned(),
        url: url.to_owned(),
        // Long enough to be told apart, and not hidden in replies: the backend answers a word of its own.
        bearer_token: Some(format!("{token} token").replace(' ', "-").into()),
        ..SourceConfig::default()
    };
    Upstream::new("prometheus", config, Limits { max_retries: 0, ..Limits::default() }).unwrap()
}

/// A backend that never answers the first connection, and all others at once.
fn deaf_at_first() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for (place, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            if place > 0 {
                let _ = stream.read(&mut [0; 8_192]);
                let _ =
                    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nyes");
            }
            kept.push(stream);
        }
    });
    url
}

#[tokio::test]
async fn who_waits_for_anothers_answer_does_not_share_its_shorter_deadline() {
    let upstream = source(&deaf_at_first(), "first");
    let (mut leader, follower) =
        (Context::for_test(Timestamp::UNIX_EPOCH), Context::for_test(Timestamp::UNIX_EPOCH));
    leader.deadline = Instant::now() + Duration::from_millis(300);
    let question = ask(0);
    let leading = upstream.fetch_cached(&leader, &question);
    let following = async {
        // The leader has begun: it is polled first.
        tokio::task::yield_now().await;
        upstream.fetch_cached(&follower, &question).await
    };
    let (leading, following) = tokio::join!(leading, following);
    assert_eq!(leading.unwrap_err().kind(), "timeout");
    assert_eq!(&following.unwrap().body[..], b"yes");
}

/// Tenants whose names run into what may stand beside them in a key.
const TENANTS: [Option<&str>; 5] = [None, Some(""), Some("a"), Some("a\n"), Some("b/api/v1/labels")];

fn ask(question: usize) -> Ask<'static> {
    match question {
        0 => Ask::of(GET),
        1 => Ask::of(GET).with("match[]", "a"),
        2 => Ask::of(GET).with("match[]", "a\n").with("limit", "1"),
        3 => Ask::of(VALUES).segment("a"),
        _ => Ask::of(VALUES).segment("a").with("match[]", "a"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// The backend is asked once for each tenant × credential × question, and each gets back only what was asked so.
    #[test]
    fn no_answer_crosses_a_tenant_or_a_credential(
        calls in prop::collection::vec((0..TENANTS.len(), 0..2_usize, 0..5_usize), 1..40)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (url, count) = counting();
        let sources = [source(&url, "first"), source(&url, "second")];
        let mut known: BTreeMap<(usize, usize, usize), String> = BTreeMap::new();
        for (tenant, credential, question) in calls {
            let mut cx = Context::for_test(Timestamp::UNIX_EPOCH);
            cx.tenant = TENANTS[tenant].map(str::to_owned);
            let reply = runtime.block_on(sources[credential].fetch_cached(&cx, &ask(question))).unwrap();
            let body = String::from_utf8(reply.body.to_vec()).unwrap();
            prop_assert!(body.starts_with(["first", "second"][credential]), "{}", body);
            let key = (tenant, credential, question);
            let first = known.entry(key).or_insert_with(|| body.clone());
            prop_assert_eq!(&*first, &body);
        }
        prop_assert_eq!(count.load(Ordering::SeqCst), known.len() as u64, "one request for each");
        let mut bodies: Vec<&String> = known.values().collect();
        bodies.sort();
        bodies.dedup();
        prop_assert_eq!(bodies.len(), known.len(), "no answer twice");
    }
}
