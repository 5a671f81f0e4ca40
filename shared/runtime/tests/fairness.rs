//! One caller's storm of calls takes nothing from the others: told by the order of answers and by counts, not by time.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests fail loudly"
)]

mod fixture;

use std::time::Duration;

use runtime::Engine;
use serde_json::json;
use testkit::mcp::{Client, Era};
use tokio_util::sync::CancellationToken;

async fn client(engine: &Engine, user: &str) -> Client {
    let (engine, user) = (engine.clone(), user.to_owned());
    let mut client = Client::over_memory(|reader, writer| async move {
        engine.serve_lines(reader, writer, &user, CancellationToken::new()).await.unwrap();
    });
    client.connect(Era::Stateless).await;
    client
}

#[tokio::test]
async fn calls_of_others_go_on_while_one_callers_calls_fill_all_its_places() {
    let mut settings = fixture::settings(20);
    settings.rates.range = settings.rates.cheap;
    settings.rates.cheap.burst = 1000.try_into().unwrap();
    settings.limits.queue_milliseconds = 5_000;
    let (engine, _) = Engine::in_memory(fixture::server(), &settings, fixture::clock()).unwrap();
    let (eve, ana) = (client(&engine, "eve").await, client(&engine, "ana").await);
    // Sixteen of these run, as many as one caller may, and never end; the others wait for their turn.
    let mut storm = Vec::new();
    for _ in 0..200 {
        storm.push(eve.begin_call("look", json!({"end": "never"})).await);
    }
    for _ in 0..25 {
        let reply = tokio::time::timeout(Duration::from_secs(4), ana.call("look", json!({}))).await;
        assert!(!reply.expect("an answer before any of the storm's").is_error);
    }
    // What waits too long is told so, and when to come back.
    let last = storm.pop().unwrap().reply().await;
    let error = &last["result"]["structuredContent"]["error"];
    assert_eq!((&error["kind"], &error["retry_after_seconds"]), (&json!("busy"), &json!(1)), "{last}");
}

#[tokio::test]
async fn a_rate_that_one_caller_has_used_up_is_whole_for_the_next() {
    let (engine, _) = Engine::in_memory(fixture::server(), &fixture::settings(5), fixture::clock()).unwrap();
    let (eve, ana) = (client(&engine, "eve").await, client(&engine, "ana").await);
    let calls = vec![("dig", json!({})); 50];
    let refused = eve.call_concurrently(&calls).await.into_iter().filter(|reply| reply.is_error);
    let waits: Vec<u64> = refused
        .map(|reply| reply.structured.unwrap()["error"]["retry_after_seconds"].as_u64().unwrap())
        .collect();
    assert_eq!(waits.len(), 40, "ten at once");
    assert!(waits.iter().all(|wait| (1..=3).contains(wait)), "one every three seconds: {waits:?}");
    let replies = ana.call_concurrently(&calls[..10]).await;
    assert!(replies.iter().all(|reply| !reply.is_error));
}
