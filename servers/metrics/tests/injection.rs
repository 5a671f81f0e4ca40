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
use testkit::{
    injection::{Injection, corpus},
    mcp::ToolReply,
};

use calls::good_calls;
use checks::{check, pieces, strings};
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
    /// It can be recognised, and some answer quoted it.
    recognisable: bool,
    quoted: bool,
    wrong: Vec<String>,
}

/// One call and its answer.
struct Answered {
    tool: String,
    arguments: Value,
    /// Characters that each rendering may have.
    limit: usize,
    reply: ToolReply,
}

/// Asks every tool about backends that say this text.
async fn answers(text: &str, mood: Mood) -> Vec<Answered> {
    let backend = Hostile::start(text, mood).await;
    let (client, _audit) = common::connect(&unlimited(&backend), NOW).await;
    let tools = client.list_tools().await;
    let listed: BTreeSet<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    let mut all = Vec::new();
    for (tool, arguments, limit) in all_calls(&tools) {
        let reply = client.call(&tool, arguments.clone()).await;
        all.push(Answered { tool, arguments, limit, reply });
    }
    let called: BTreeSet<&str> = all.iter().map(|answered| answered.tool.as_str()).collect();
    assert_eq!(called, listed, "a good call of every tool in calls.rs");
    assert!(backend.was_asked(), "{text:?}: nothing reached the backend");
    all
}

/// Our own words: all that is said when backends say nothing but a plain name.
async fn own_words(mood: Mood) -> String {
    let all = answers("zz9", mood).await;
    let of = |answered: &Answered| {
        let structured = answered.reply.structured.iter().flat_map(strings).collect::<Vec<_>>().join("\n");
        format!("{}\n{structured}\n", answered.reply.text)
    };
    all.iter().map(of).collect()
}

/// Asks every tool and checks every answer.
async fn ask_all(injection: &Injection, own: &str, mood: Mood) -> Asked {
    let Injection { name, must_be_flagged, .. } = *injection;
    let recognisable = !pieces(injection, own).is_empty();
    let mut asked = Asked {
        name,
        must_be_flagged,
        marked: BTreeSet::new(),
        recognisable,
        quoted: false,
        wrong: Vec::new(),
    };
    for Answered { tool, arguments, limit, reply } in answers(&injection.text, mood).await {
        match check(injection, own, &reply, limit) {
            Ok(shown) => {
                asked.quoted |= shown.quoted;
                if shown.marked {
                    asked.marked.insert(tool);
                }
            }
            Err(problem) => asked.wrong.push(format!("{name}: {tool}({arguments}): {problem}")),
        }
    }
    asked
}

async fn every_text(mood: Mood) -> BTreeSet<String> {
    let (texts, own) = (texts(), own_words(mood).await);
    let all: Vec<Asked> =
        stream::iter(&texts).map(|one| ask_all(one, &own, mood)).buffered(4).collect().await;
    let recognisable = all.iter().filter(|asked| asked.recognisable).count();
    let quoted = all.iter().filter(|asked| asked.quoted).count();
    println!("{mood:?}: {} texts, {recognisable} can be recognised, {quoted} were quoted", all.len());
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
    // of those with escape sequences no part may be left that comes through as it came
    let unseen: Vec<&str> = all
        .iter()
        .zip(&texts)
        .filter(|(asked, one)| asked.recognisable && !asked.quoted && !one.text.contains('\u{1b}'))
        .map(|(asked, _)| asked.name)
        .collect();
    assert!(unseen.is_empty(), "{mood:?}: in no answer: {unseen:?}");
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
