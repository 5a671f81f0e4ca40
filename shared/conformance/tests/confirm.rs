//! A change is made only after a person has said yes to it: over the wire, in both eras, with and without a client that
//! can ask, through the real runtime.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

mod common;

use std::time::Duration;

use serde_json::{Value, json};
use testkit::mcp::Era;

use common::{Stage, no, yes};

const BETA_ON: &str = r#"{"name":"beta","on":true}"#;

fn beta_on() -> Value {
    serde_json::from_str(BETA_ON).unwrap()
}

#[tokio::test]
async fn in_the_new_era_the_client_is_asked_by_a_result_and_a_yes_makes_the_change_once() {
    let stage = Stage::new();
    let client = stage.asking_client("ana", Era::Stateless).await;
    let (state, message) = client.asked("set_flag", beta_on()).await;
    assert_eq!(stage.flags.writes(), 0, "nothing before the yes");
    assert!(message.contains("set_flag for ana"), "{message}");
    assert!(message.contains("The flag beta is off and would be on."), "what would change: {message}");
    assert!(message.contains(BETA_ON), "the arguments, whole: {message}");

    let done = client.answer("set_flag", beta_on(), &state, yes()).await;
    assert_eq!(done["result"]["structuredContent"]["verdict"], "beta is on.", "{done}");
    assert!(stage.flags.is_on("beta"));

    stage.flags.set("beta", false);
    let again = client.answer("set_flag", beta_on(), &state, yes()).await;
    assert!(refused(&again).contains("this confirmation was used already"), "{again}");
    assert!(!stage.flags.is_on("beta"), "a replayed yes changes nothing");
}

#[tokio::test]
async fn in_the_old_era_the_client_is_asked_by_a_request() {
    for (answer, on) in [
        (yes(), true),
        (no(), false),
        (json!({"action": "cancel"}), false),
        (json!({"action": "accept", "content": {"confirm": false}}), false),
    ] {
        let stage = Stage::new();
        let client = stage.asking_client("ana", Era::Handshake).await;
        let call = client.begin_call("set_flag", beta_on()).await;
        let question = client.next_incoming(Duration::from_secs(5)).await.expect("a question");
        assert_eq!(question["method"], "elicitation/create");
        let params = &question["params"];
        assert!(params["message"].as_str().unwrap().contains("The flag beta is off and would be on."));
        assert_eq!(params["requestedSchema"]["required"], json!(["confirm"]));
        assert_eq!(stage.flags.writes(), 0, "nothing before the answer");
        client.respond(&question["id"], answer.clone()).await;
        let reply = call.reply().await;
        assert_eq!(reply["result"]["isError"] == json!(true), !on, "{answer}: {reply}");
        assert_eq!(stage.flags.is_on("beta"), on, "{answer}");
    }
}

#[tokio::test]
async fn in_the_old_era_an_answer_that_is_none_asks_again_and_cancelling_ends_it() {
    let stage = Stage::new();
    let client = stage.asking_client("ana", Era::Handshake).await;
    let call = client.begin_call("set_flag", beta_on()).await;
    let question = client.next_incoming(Duration::from_secs(5)).await.unwrap();
    client.respond(&question["id"], json!({"action": "accept", "content": {"confirmed": true}})).await;
    let second = client.next_incoming(Duration::from_secs(5)).await.expect("asked again");
    assert_eq!(second["method"], "elicitation/create");
    client.notify_cancelled(call.id()).await;
    client.respond(&second["id"], yes()).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(stage.flags.writes(), 0, "a cancelled call changes nothing, whatever is answered");
}

#[tokio::test]
async fn a_no_changes_nothing_and_is_final() {
    let stage = Stage::new();
    let client = stage.asking_client("ana", Era::Stateless).await;
    let (state, _) = client.asked("set_flag", beta_on()).await;
    let reply = client.answer("set_flag", beta_on(), &state, no()).await;
    assert!(refused(&reply).contains("the person who was asked said no"), "{reply}");
    let turned = client.answer("set_flag", beta_on(), &state, yes()).await;
    assert!(refused(&turned).contains("used already"), "{turned}");
    assert_eq!(stage.flags.writes(), 0);
}

#[tokio::test]
async fn nothing_a_model_can_write_into_a_call_confirms_it() {
    let stage = Stage::new();
    let client = stage.asking_client("ana", Era::Stateless).await;
    // Arguments: the schema is closed.
    for extra in [json!({"confirm": true}), json!({"confirmed": true}), json!({"approve": "K7QM-2XWD"})] {
        let mut arguments = beta_on();
        arguments.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let reply = client.call("set_flag", arguments).await;
        assert!(reply.is_error && reply.text.starts_with("invalid_argument: "), "{}", reply.text);
    }
    let listed = client.list_tools().await.into_iter().find(|tool| tool["name"] == "set_flag").unwrap();
    let properties: Vec<&String> = listed["inputSchema"]["properties"].as_object().unwrap().keys().collect();
    assert_eq!(properties, ["name", "on"], "no argument is there for confirming");
    assert_eq!(listed["annotations"]["readOnlyHint"], false);

    // An answer without a question, or with a question that nobody asked.
    let made_up = [
        json!({"inputResponses": {"confirm": yes()}}),
        json!({"inputResponses": {"confirm": yes()}, "requestState": ""}),
        json!({"inputResponses": {"confirm": yes()}, "requestState": "rs1.e30.AAAA"}),
    ];
    for extra in made_up {
        let reply = client.retry("set_flag", beta_on(), extra.clone()).await;
        let asked = reply["result"]["resultType"] == "input_required";
        assert!(asked || !refused(&reply).is_empty(), "{extra}: {reply}");
    }
    // A client that can ask nobody has no answer of anybody, even with a state that is sealed.
    let (state, _) = client.asked("set_flag", beta_on()).await;
    let mute = stage.client("ana", Era::Stateless, json!({})).await;
    let reply = mute.answer("set_flag", beta_on(), &state, yes()).await;
    assert!(refused(&reply).contains("waits for a person's approval"), "{reply}");
    assert_eq!(stage.flags.writes(), 0);
}

#[tokio::test]
async fn a_yes_is_good_for_this_call_of_this_caller_only() {
    let stage = Stage::new();
    let ana = stage.asking_client("ana", Era::Stateless).await;
    let (state, _) = ana.asked("set_flag", beta_on()).await;
    let other = json!({"name": "gamma", "on": true});
    let reply = ana.answer("set_flag", other, &state, yes()).await;
    assert!(refused(&reply).contains("belongs to another call"), "{reply}");
    let off = json!({"name": "beta", "on": false});
    let reply = ana.answer("set_flag", off, &state, yes()).await;
    assert!(refused(&reply).contains("belongs to another call"), "{reply}");
    // The same key, another user.
    let eve = stage.asking_client("eve", Era::Stateless).await;
    let reply = eve.answer("set_flag", beta_on(), &state, yes()).await;
    assert!(refused(&reply).contains("belongs to another call"), "{reply}");
    let mut touched = state.clone();
    touched.push('A');
    let reply = ana.answer("set_flag", beta_on(), &touched, yes()).await;
    assert!(refused(&reply).contains("belongs to another call"), "{reply}");
    assert_eq!(stage.flags.writes(), 0);
    // None of this used the real one up.
    ana.answer("set_flag", beta_on(), &state, yes()).await;
    assert_eq!(stage.flags.writes(), 1);
}

#[tokio::test]
async fn of_many_answers_to_one_question_one_counts() {
    let stage = Stage::new();
    let client = stage.asking_client("ana", Era::Stateless).await;
    let (state, _) = client.asked("set_flag", beta_on()).await;
    let mut sent = Vec::new();
    for _ in 0..12 {
        let params = json!({"name": "set_flag", "arguments": BETA_ON.parse::<Value>().unwrap(),
            "inputResponses": {"confirm": yes()}, "requestState": state});
        sent.push(client.begin("tools/call", params).await);
    }
    let mut done = 0;
    for call in sent {
        done += usize::from(call.reply().await["result"]["isError"] != json!(true));
    }
    assert_eq!((done, stage.flags.writes()), (1, 1));
}

#[tokio::test]
async fn a_yes_given_to_one_process_is_used_up_for_the_next() {
    let stage = Stage::new();
    let before = stage.asking_client("ana", Era::Stateless).await;
    let (state, _) = before.asked("set_flag", beta_on()).await;
    before.answer("set_flag", beta_on(), &state, yes()).await;
    stage.flags.set("beta", false);
    // As after a restart: another engine with the same state directory.
    let after = stage.asking_client("ana", Era::Stateless).await;
    let reply = after.answer("set_flag", beta_on(), &state, yes()).await;
    assert!(refused(&reply).contains("used already"), "{reply}");
    assert!(!stage.flags.is_on("beta"));
}

#[tokio::test]
async fn what_has_changed_since_the_question_is_asked_again() {
    let stage = Stage::new();
    let client = stage.asking_client("ana", Era::Stateless).await;
    let (state, _) = client.asked("set_flag", beta_on()).await;
    stage.flags.set("beta", true);
    let reply = client.answer("set_flag", beta_on(), &state, yes()).await;
    let asked = &reply["result"]["inputRequests"]["confirm"]["params"]["message"];
    assert!(asked.as_str().unwrap().contains("The flag beta is on and would be on."), "{reply}");
    assert_eq!(stage.flags.writes(), 1, "only ours");
}

#[tokio::test]
async fn a_missing_answer_is_asked_for_again() {
    let stage = Stage::new();
    let client = stage.asking_client("ana", Era::Stateless).await;
    let (state, _) = client.asked("set_flag", beta_on()).await;
    for responses in [json!({}), json!({"wrong": yes()}), json!({"confirm": 12345}), json!(null)] {
        let extra = json!({"inputResponses": responses, "requestState": state});
        let reply = client.retry("set_flag", beta_on(), extra).await;
        assert_eq!(reply["result"]["resultType"], "input_required", "{responses}: {reply}");
    }
    client.answer("set_flag", beta_on(), &state, yes()).await;
    assert_eq!(stage.flags.writes(), 1);
}

#[tokio::test]
async fn answering_costs_nothing_of_the_rate_that_asking_cost() {
    // Writes: five a minute, two at once.
    let stage = Stage::limited();
    let client = stage.asking_client("ana", Era::Stateless).await;
    for name in ["one", "two"] {
        let arguments = json!({"name": name, "on": true});
        let (state, _) = client.asked("set_flag", arguments.clone()).await;
        client.answer("set_flag", arguments, &state, yes()).await;
    }
    assert_eq!(stage.flags.writes(), 2);
    let third = client.call("set_flag", json!({"name": "three", "on": true})).await;
    let wait = third.structured.unwrap()["error"]["retry_after_seconds"].as_u64().unwrap();
    assert!((1..=12).contains(&wait), "one every twelve seconds: {wait}");
    // A state that is none buys no call.
    let extra = json!({"inputResponses": {"confirm": yes()}, "requestState": "rs1.e30.AAAA"});
    let reply = client.retry("set_flag", beta_on(), extra).await;
    assert!(refused(&reply).contains("too many calls"), "{reply}");
}

#[tokio::test]
async fn an_answer_given_again_costs_what_a_call_costs() {
    // Writes: five a minute, two at once; the question is the first.
    let stage = Stage::limited();
    let client = stage.asking_client("ana", Era::Stateless).await;
    let (state, _) = client.asked("set_flag", beta_on()).await;
    client.answer("set_flag", beta_on(), &state, yes()).await;
    let again = client.answer("set_flag", beta_on(), &state, yes()).await;
    assert!(refused(&again).contains("used already"), "{again}");
    let again = client.answer("set_flag", beta_on(), &state, yes()).await;
    assert!(refused(&again).contains("too many calls"), "{again}");
    assert_eq!(stage.flags.writes(), 1);
}

#[tokio::test]
async fn question_and_change_are_recorded_each_before_the_next_thing_happens() {
    let stage = Stage::new();
    let client = stage.asking_client("ana", Era::Stateless).await;
    let (state, _) = client.asked("set_flag", beta_on()).await;
    let asked = stage.records();
    assert_eq!(asked.len(), 1, "on disk before the person sees the question: {asked:?}");
    assert_eq!((&asked[0]["decision"], &asked[0]["rule"]), (&json!("refuse"), &json!("confirmation asked")));
    client.answer("set_flag", beta_on(), &state, yes()).await;
    client.answer("set_flag", beta_on(), &state, yes()).await;
    let rules: Vec<(Value, Value, Value)> = stage
        .records()
        .into_iter()
        .map(|record| (record["rule"].clone(), record["outcome"].clone(), record["effect"].clone()))
        .collect();
    let line = |rule: &str, outcome: &str| (json!(rule), json!(outcome), json!("write"));
    assert_eq!(
        rules,
        [
            line("confirmation asked", "refused"),
            line("confirmed in the client", "ok"),
            line("confirmation replayed", "refused")
        ]
    );
}

#[tokio::test]
async fn changes_are_not_offered_unless_the_operator_offers_them() {
    let stage = Stage::reading_only();
    for era in Era::ALL {
        let client = stage.asking_client("ana", era).await;
        assert!(client.list_tools().await.iter().all(|tool| tool["name"] != "set_flag"));
        let reply = client.retry("set_flag", beta_on(), json!({})).await;
        assert_eq!(reply["error"]["code"], -32602, "{reply}");
    }
    assert_eq!(stage.flags.writes(), 0);
}

fn refused(reply: &Value) -> String {
    let result = &reply["result"];
    if result["isError"] == json!(true) {
        result["content"][0]["text"].as_str().unwrap().to_owned()
    } else {
        String::new()
    }
}
