//! Every text before every tool.

use std::collections::BTreeSet;
use std::future::Future;

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use super::checks::{check, pieces, strings};
use super::{Injection, corpus};
use crate::mcp::{Client, ToolReply};

/// Texts longer than this are cut: what a server does with one of 10,000 characters it does with any, and the tests of
/// `contract` go to 100,000. Orders at the end of a long text keep their end.
const LONGEST: usize = 10_000;

/// All texts, none of them longer than 10,000 characters.
fn texts() -> Vec<Injection> {
    let cut = |one: Injection| {
        let count = one.text.chars().count();
        let text = one.text.chars().skip(count.saturating_sub(LONGEST)).collect();
        // the one whose order stands at the start would lose it
        let text =
            if one.name == "order-then-huge" { one.text.chars().take(LONGEST).collect() } else { text };
        Injection { text, ..one }
    };
    corpus().into_iter().map(cut).collect()
}

/// One call and its answer.
pub struct Answered {
    tool: String,
    arguments: Value,
    /// Characters that each rendering may have.
    limit: usize,
    reply: ToolReply,
}

/// Makes the good calls, and each tool's first one with all details where the tool offers them. Every listed tool must be
/// among them.
pub async fn ask_every_tool(client: &Client, good_calls: &[(&str, Value)]) -> Vec<Answered> {
    let tools = client.list_tools().await;
    let listed: BTreeSet<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    let called: BTreeSet<&str> = good_calls.iter().map(|(tool, _)| *tool).collect();
    assert_eq!(called, listed, "a good call of every tool");
    let (mut all, mut with_details) = (Vec::new(), BTreeSet::new());
    for (tool, arguments) in good_calls {
        all.push((*tool, arguments.clone(), 8_000));
        let offers = |listed: &Value| !listed["inputSchema"]["properties"]["detail"].is_null();
        if with_details.insert(tool) && tools.iter().any(|listed| listed["name"] == *tool && offers(listed)) {
            let mut full = arguments.clone();
            full["detail"] = json!("full");
            all.push((*tool, full, 24_000));
        }
    }
    let mut answers = Vec::new();
    for (tool, arguments, limit) in all {
        let reply = client.call(tool, arguments.clone()).await;
        answers.push(Answered { tool: tool.to_owned(), arguments, limit, reply });
    }
    answers
}

/// What came of all texts.
pub struct Sweep(Vec<Asked>);

/// What came of one.
struct Asked {
    name: &'static str,
    must_be_flagged: bool,
    /// The tools whose answer marked something.
    marked: BTreeSet<String>,
    /// It can be recognised, and some answer quoted it.
    recognisable: bool,
    quoted: bool,
    acts_on_a_terminal: bool,
    wrong: Vec<String>,
}

/// Checks the answers of every tool about backends that say a text, for each text. `quotes` are the forms in which a
/// query of ours holds a value without blanks, which needs no fence there: `="{}"`.
pub async fn sweep<F: Future<Output = Vec<Answered>>>(quotes: &[&str], ask: impl Fn(String) -> F) -> Sweep {
    let own = own_words(&ask("zz9".to_owned()).await);
    let texts = texts();
    let all = stream::iter(&texts).map(|one| {
        let answers = ask(one.text.clone());
        let own = &own;
        async move { judged(one, own, quotes, answers.await) }
    });
    Sweep(all.buffered(4).collect().await)
}

/// Our own words: all that is said when backends say nothing but a plain name.
fn own_words(answers: &[Answered]) -> String {
    let of = |answered: &Answered| {
        let structured = answered.reply.structured.iter().flat_map(strings).collect::<Vec<_>>().join("\n");
        format!("{}\n{structured}\n", answered.reply.text)
    };
    answers.iter().map(of).collect()
}

fn judged(injection: &Injection, own: &str, quotes: &[&str], answers: Vec<Answered>) -> Asked {
    let mut asked = Asked {
        name: injection.name,
        must_be_flagged: injection.must_be_flagged,
        marked: BTreeSet::new(),
        recognisable: !pieces(injection, own).is_empty(),
        quoted: false,
        acts_on_a_terminal: injection.text.contains('\u{1b}'),
        wrong: Vec::new(),
    };
    for Answered { tool, arguments, limit, reply } in answers {
        match check(injection, own, quotes, &reply, limit) {
            Ok(shown) => {
                asked.quoted |= shown.quoted;
                if shown.marked {
                    asked.marked.insert(tool);
                }
            }
            Err(problem) => asked.wrong.push(format!("{}: {tool}({arguments}): {problem}", asked.name)),
        }
    }
    asked
}

impl Sweep {
    /// Demands that no answer let anything out.
    pub fn holds(&self, what: &str) {
        let wrong: Vec<&String> = self.0.iter().flat_map(|asked| &asked.wrong).collect();
        if std::env::var_os("SHOW").is_some() {
            wrong.iter().for_each(|wrong| eprintln!("{what}: {wrong}"));
        }
        let first: Vec<String> =
            wrong.iter().take(10).map(|wrong| wrong.chars().take(2_000).collect()).collect();
        let recognisable = self.0.iter().filter(|asked| asked.recognisable).count();
        let quoted = self.0.iter().filter(|asked| asked.quoted).count();
        eprintln!("{what}: {} texts, {recognisable} can be recognised, {quoted} were quoted", self.0.len());
        assert!(wrong.is_empty(), "{what}: {} answers, first {first:#?}", wrong.len());
    }

    /// Texts that address an assistant and that no answer marked.
    pub fn unmarked(&self) -> Vec<&'static str> {
        let unmarked = self.0.iter().filter(|asked| asked.must_be_flagged && asked.marked.is_empty());
        unmarked.map(|asked| asked.name).collect()
    }

    /// Texts that can be recognised and were in no answer; of those with escape sequences no part may be left that comes
    /// through as it came.
    pub fn unseen(&self) -> Vec<&'static str> {
        let unseen = self.0.iter().filter(|asked| asked.recognisable && !asked.quoted);
        unseen.filter(|asked| !asked.acts_on_a_terminal).map(|asked| asked.name).collect()
    }

    /// The tools that marked some text. One that shows nothing of a reply could not be tested by it.
    pub fn marking_tools(&self) -> BTreeSet<String> {
        self.0.iter().flat_map(|asked| asked.marked.iter().cloned()).collect()
    }
}
