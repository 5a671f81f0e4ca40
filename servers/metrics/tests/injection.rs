//! Every hostile text in every field that Prometheus and Alertmanager can return, for every tool: the fence is intact,
//! nothing invisible or acting gets out, what addresses an assistant is marked, and the budget holds. In both
//! renderings, in success and in failure.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

#[path = "common/calls.rs"]
mod calls;
mod common;
#[path = "injection/hostile.rs"]
mod hostile;

use std::collections::BTreeSet;

use metrics_mcp::Config;
use runtime::{
    Loaded,
    settings::{Rate, Rates},
};
use testkit::injection::{Sweep, ask_every_tool, sweep};

use calls::good_calls;
use hostile::{Hostile, Mood, NOW};

/// As many calls as the table has.
fn unlimited(backend: &Hostile) -> Loaded<Config> {
    let mut loaded = common::prometheus_at(&backend.prometheus.url());
    loaded.config.alertmanager = vec![common::source("am", &backend.alertmanager.url())];
    let often = Rate { per_minute: 60_000.try_into().unwrap(), burst: 10_000.try_into().unwrap() };
    loaded.settings.rates = Rates { cheap: often, range: often, heavy: often, write: often };
    loaded
}

async fn every_text(mood: Mood) -> Sweep {
    let ask = |text: String| async move {
        let backend = Hostile::start(&text, mood).await;
        let (client, _audit) = common::connect(&unlimited(&backend), NOW).await;
        let answers = ask_every_tool(&client, &good_calls()).await;
        assert!(backend.was_asked(), "{text:?}: nothing reached the backend");
        answers
    };
    let found = sweep(&["=\"{}\""], ask).await;
    found.holds(&format!("{mood:?}"));
    let unmarked = found.unmarked();
    match mood {
        Mood::Good => assert!(unmarked.is_empty(), "{unmarked:?}"),
        // an error of Prometheus is cut at 4,000 characters before anything else: nobody sees an order behind that
        Mood::Rejecting => assert!(unmarked.iter().all(|name| *name == "huge-then-order"), "{unmarked:?}"),
        Mood::Odd => {}
    }
    assert!(found.unseen().is_empty(), "{mood:?}: in no answer: {:?}", found.unseen());
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_text_in_every_field_of_a_good_reply_stays_quoted_marked_and_within_the_budget() {
    let marking = every_text(Mood::Good).await.marking_tools();
    let tools: BTreeSet<String> = good_calls().into_iter().map(|(tool, _)| tool.to_owned()).collect();
    assert_eq!(marking, tools, "each tool showed, and marked, some text of the backend");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_text_in_an_error_of_the_api_stays_quoted_marked_and_within_the_budget() {
    every_text(Mood::Rejecting).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_text_as_the_body_of_a_failure_or_as_a_number_never_breaks_out() {
    every_text(Mood::Odd).await;
}
