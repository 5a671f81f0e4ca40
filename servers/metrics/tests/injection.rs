//! Every hostile text in every field that Prometheus and Alertmanager can return, for every tool: the fence is intact,
//! nothing invisible or acting gets out, what addresses an assistant is marked, and the budget holds. In both
//! renderings, in success and in failure.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests fail loudly"
)]

#[path = "common/calls.rs"]
mod calls;
#[path = "injection/checks.rs"]
mod checks;
mod common;
#[path = "injection/hostile.rs"]
mod hostile;

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};
use metrics_mcp::Config;
use runtime::{
    Loaded,
    settings::{Rate, Rates},
};
use serde_json::{Value, json};
use testkit::injection::{Injection, corpus};

use calls::good_calls;
use checks::check;
use hostile::{Hostile, Mood, NOW};

/// Texts longer than this are cut: what a server does with one of 10,000 characters it does with any, and the tests of
/// `contract` go to 100,000. Orders at the end of a long text keep their end.
const LONGEST: usize = 10_000;

fn texts() -> Vec<Injection> {
    corpus()
        .into_iter()
        .map(|one| {
            let count = one.text.chars().count();
            let text = one.text.chars().skip(count.saturating_sub(LONGEST)).collect();
            // the one whose order stands at the start would lose it
            let text =
                if one.name == "order-then-huge" { one.text.chars().take(LONGEST).collect() } else { text };
            Injection { text, ..one }
        })
        .collect()
}

/// As many calls as the table has.
fn unlimited(backend: &Hostile) -> Loaded<Config> {
    let mut loaded = common::prometheus_at(&backend.prometheus.url());
    loaded.config.alertmanager = vec![common::source("am", &backend.alertmanager.url())];
    let often = Rate { per_minute: 60_000.try_into().unwrap(), burst: 10_000.try_into().unwrap() };
    loaded.settings.rates = Rates { cheap: often, range: often, heavy: often, write: often };
    loaded
}

/// The good calls, and each tool's first one with all details where the tool offers them.
fn all_calls(tools: &[Value]) -> Vec<(String, Value, usize)> {
    let (mut all, mut with_details) = (Vec::new(), BTreeSet::new());
    for (tool, arguments) in good_calls() {
        all.push((tool.to_owned(), arguments.clone(), 8_000));
        if !with_details.insert(tool) {
            continue;
        }
        let listed = tools.iter().find(|listed| listed["name"] == tool);
        if listed.is_some_and(|listed| !listed["inputSchema"]["properties"]["detail"].is_null()) {
            let mut full = arguments;
            full["detail"] = json!("full");
            all.push((tool.to_owned(), full, 24_000));
        }
    }
    all
}

/// What came of one text.
struct Asked {
    name: &'static str,
    must_be_flagged: bool,
    /// The tools whose answer marked something.
    marked: BTreeSet<String>,
    wrong: Vec<String>,
}

/// Asks every tool and checks every answer.
async fn ask_all(injection: &Injection, mood: Mood) -> Asked {
    let Injection { name, must_be_flagged, .. } = *injection;
    let mut asked = Asked { name, must_be_flagged, marked: BTreeSet::new(), wrong: Vec::new() };
    let backend = Hostile::start(&injection.text, mood).await;
    let (client, _audit) = common::connect(&unlimited(&backend), NOW).await;
    let tools = client.list_tools().await;
    let listed: BTreeSet<String> =
        tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect();
    let mut called = BTreeSet::new();
    for (tool, arguments, limit) in all_calls(&tools) {
        let reply = client.call(&tool, arguments.clone()).await;
        match check(injection, &reply, limit) {
            Ok(true) => _ = asked.marked.insert(tool.clone()),
            Ok(false) => {}
            Err(problem) => asked.wrong.push(format!("{}: {tool}({arguments}): {problem}", injection.name)),
        }
        called.insert(tool);
    }
    assert_eq!(called, listed, "a good call of every tool in calls.rs");
    assert!(backend.was_asked(), "{}: nothing reached the backend", injection.name);
    asked
}

async fn every_text(mood: Mood) -> BTreeSet<String> {
    let texts = texts();
    let all: Vec<Asked> = stream::iter(&texts).map(|one| ask_all(one, mood)).buffered(4).collect().await;
    println!("{mood:?}: {} texts", all.len());
    let wrong: Vec<&String> = all.iter().flat_map(|asked| &asked.wrong).collect();
    let first: Vec<String> = wrong.iter().take(10).map(|wrong| wrong.chars().take(2_000).collect()).collect();
    assert!(wrong.is_empty(), "{mood:?}: {} answers, first {first:#?}", wrong.len());
    // an error of Prometheus is cut at 4,000 characters before anything else: nobody sees an order behind that
    let is_cut_off = |name: &str| mood == Mood::Rejecting && name == "huge-then-order";
    let unmarked: Vec<&str> = all
        .iter()
        .filter(|asked| asked.must_be_flagged && asked.marked.is_empty() && !is_cut_off(asked.name))
        .map(|asked| asked.name)
        .collect();
    assert!(mood == Mood::Odd || unmarked.is_empty(), "{mood:?}: no answer marked {unmarked:?}");
    all.into_iter().flat_map(|asked| asked.marked).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_text_in_every_field_of_a_good_reply_stays_quoted_marked_and_within_the_budget() {
    let marked = every_text(Mood::Good).await;
    let tools: BTreeSet<String> = good_calls().into_iter().map(|(tool, _)| tool.to_owned()).collect();
    // a tool that shows nothing of a reply could not be tested by it
    assert_eq!(marked, tools, "each tool showed, and marked, some text of the backend");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_text_in_an_error_of_the_api_stays_quoted_marked_and_within_the_budget() {
    every_text(Mood::Rejecting).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_text_as_the_body_of_a_failure_or_as_a_number_never_breaks_out() {
    every_text(Mood::Odd).await;
}
