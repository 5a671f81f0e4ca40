//! The client against a scripted peer over an in-memory stream and over a child process. The expected lines
//! are those of the specification's revisions 2025-11-25 and 2026-07-28.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::mcp::{Client, Era};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf};

const SOON: Duration = Duration::from_secs(5);
const A_WHILE: Duration = Duration::from_millis(100);

/// The other end: reads lines, writes lines, knows nothing.
struct Peer {
    lines: Lines<BufReader<ReadHalf<DuplexStream>>>,
    output: WriteHalf<DuplexStream>,
}

impl Peer {
    async fn reads(&mut self) -> Value {
        let line = self.lines.next_line().await.unwrap().expect("a line from the client");
        serde_json::from_str(&line).unwrap()
    }

    async fn writes(&mut self, line: impl ToString) {
        self.output.write_all(format!("{}\n", line.to_string()).as_bytes()).await.unwrap();
    }

    async fn answers(&mut self, id: &Value, result: Value) {
        self.writes(json!({"jsonrpc": "2.0", "id": id, "result": result})).await;
    }
}

fn pair() -> (Client, Peer) {
    let (ours, theirs) = tokio::io::duplex(64 << 10);
    let (reader, writer) = tokio::io::split(ours);
    let (peer_reader, output) = tokio::io::split(theirs);
    (Client::over(reader, writer), Peer { lines: BufReader::new(peer_reader).lines(), output })
}

fn text(text: &str) -> Value {
    json!({"content": [{"type": "text", "text": text}]})
}

#[tokio::test]
async fn the_handshake_era_initializes_then_sends_plain_requests() {
    let (client, mut peer) = pair();
    let mut client = client.with_capabilities(json!({"elicitation": {}}));
    let script = async {
        let hello = peer.reads().await;
        assert_eq!(hello["method"], "initialize");
        assert_eq!(
            hello["params"],
            json!({"protocolVersion": "2025-11-25", "capabilities": {"elicitation": {}},
                "clientInfo": {"name": "testkit", "version": "0"}})
        );
        peer.answers(&hello["id"], json!({"protocolVersion": "2025-11-25", "instructions": "hi"})).await;
        assert_eq!(peer.reads().await, json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));

        let call = peer.reads().await;
        assert_eq!(call["params"], json!({"name": "sleep", "arguments": {"ms": 5}}));
        peer.answers(&call["id"], text("slept")).await;
    };
    let calls = async {
        let welcome = client.connect(Era::Handshake).await;
        assert_eq!(welcome["instructions"], "hi");
        let reply = client.call("sleep", json!({"ms": 5})).await;
        assert_eq!((reply.is_error, reply.text.as_str()), (false, "slept"));
    };
    tokio::join!(script, calls);
}

#[tokio::test]
#[should_panic(expected = "another version")]
async fn another_version_than_the_one_asked_for_is_refused() {
    let (mut client, mut peer) = pair();
    let script = async {
        let hello = peer.reads().await;
        peer.answers(&hello["id"], json!({"protocolVersion": "2025-06-18"})).await;
    };
    tokio::join!(script, client.connect(Era::Handshake));
}

#[tokio::test]
async fn the_stateless_era_discovers_and_says_who_it_is_in_every_request() {
    let (mut client, mut peer) = pair();
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "testkit", "version": "0"},
        "io.modelcontextprotocol/clientCapabilities": {}});
    let script = async {
        for method in ["server/discover", "prompts/get"] {
            let request = peer.reads().await;
            assert_eq!(request["method"], method);
            assert_eq!(request["params"]["_meta"], meta);
            peer.answers(&request["id"], json!({"resultType": "complete", "for": method})).await;
        }
    };
    let calls = async {
        assert_eq!(client.connect(Era::Stateless).await["for"], "server/discover");
        assert_eq!(client.get_prompt("triage", json!({})).await["for"], "prompts/get");
    };
    tokio::join!(script, calls);
}

#[tokio::test]
async fn replies_in_reverse_order_reach_their_calls() {
    let (client, mut peer) = pair();
    let script = async {
        let mut calls = vec![peer.reads().await, peer.reads().await, peer.reads().await];
        calls.reverse();
        for call in calls {
            let name = call["params"]["name"].as_str().unwrap();
            peer.answers(&call["id"], text(&format!("answer to {name}"))).await;
        }
    };
    let calls = [("a", json!({})), ("b", json!({})), ("c", json!({}))];
    let ((), replies) = tokio::join!(script, client.call_concurrently(&calls));

    let texts: Vec<&str> = replies.iter().map(|reply| reply.text.as_str()).collect();
    assert_eq!(texts, ["answer to a", "answer to b", "answer to c"]);
    assert_eq!(client.strays(), Vec::<Value>::new());
}

#[tokio::test]
async fn lists_are_read_through_all_pages() {
    let (client, mut peer) = pair();
    let script = async {
        let first = peer.reads().await;
        assert_eq!((&first["method"], first.get("params")), (&json!("tools/list"), None));
        peer.answers(&first["id"], json!({"tools": [{"name": "a"}], "nextCursor": "2"})).await;
        let second = peer.reads().await;
        assert_eq!(second["params"], json!({"cursor": "2"}));
        peer.answers(&second["id"], json!({"tools": [{"name": "b"}]})).await;
        let prompts = peer.reads().await;
        assert_eq!(prompts["method"], "prompts/list");
        peer.answers(&prompts["id"], json!({"prompts": []})).await;
    };
    let calls = async {
        assert_eq!(client.list_tools().await, [json!({"name": "a"}), json!({"name": "b"})]);
        assert_eq!(client.list_prompts().await, Vec::<Value>::new());
    };
    tokio::join!(script, calls);
}

/// A peer that answers the one request there is with a JSON-RPC error.
async fn refuse(peer: &mut Peer) {
    let request = peer.reads().await;
    let error = json!({"code": -32601, "message": "no such method"});
    peer.writes(json!({"jsonrpc": "2.0", "id": request["id"], "error": error})).await;
}

#[tokio::test]
async fn a_protocol_error_is_handed_over_by_request() {
    let (client, mut peer) = pair();
    let ((), reply) = tokio::join!(refuse(&mut peer), client.request("foo/bar", Value::Null));
    assert_eq!(reply["error"]["code"], -32601);
}

#[tokio::test]
#[should_panic(expected = "-32601")]
async fn a_protocol_error_is_no_tool_reply() {
    let (client, mut peer) = pair();
    tokio::join!(refuse(&mut peer), client.call("nope", json!({})));
}

#[tokio::test]
async fn a_cancellation_names_the_request_and_its_late_reply_is_a_stray() {
    let (client, mut peer) = pair();
    let pending = client.begin_call("sleep", json!({})).await;
    let id = pending.id();
    client.notify_cancelled(id).await;

    assert_eq!(peer.reads().await["id"], id);
    let cancelled = peer.reads().await;
    assert_eq!(cancelled["method"], "notifications/cancelled");
    assert_eq!(cancelled["params"]["requestId"], id);
    assert_eq!(cancelled.get("id"), None, "a notification has no id");

    assert_eq!(pending.reply_within(A_WHILE).await, None);
    peer.answers(&json!(id), text("too late")).await;
    peer.writes(json!({"jsonrpc": "2.0", "method": "marker"})).await;
    client.next_incoming(SOON).await.expect("the marker");
    assert_eq!(client.strays().len(), 1);
}

#[tokio::test]
async fn a_second_reply_to_one_request_is_a_stray() {
    let (client, mut peer) = pair();
    let pending = client.begin("ping", Value::Null).await;
    peer.answers(&json!(pending.id()), json!({})).await;
    peer.answers(&json!(pending.id()), json!({"again": true})).await;
    assert_eq!(pending.reply().await["result"], json!({}));

    peer.writes(json!({"jsonrpc": "2.0", "method": "marker"})).await;
    client.next_incoming(SOON).await.expect("the marker");
    let strays = client.strays();
    assert_eq!(strays.len(), 1);
    assert_eq!(strays[0]["result"], json!({"again": true}));
}

#[tokio::test]
async fn requests_of_the_server_can_be_answered() {
    let (client, mut peer) = pair();
    peer.writes(json!({"jsonrpc": "2.0", "id": "e1", "method": "elicitation/create", "params": {}})).await;
    let asked = client.next_incoming(SOON).await.expect("the server's request");
    assert_eq!(asked["method"], "elicitation/create");
    client.respond(&asked["id"], json!({"action": "decline"})).await;
    assert_eq!(peer.reads().await, json!({"jsonrpc": "2.0", "id": "e1", "result": {"action": "decline"}}));
    assert_eq!(client.next_incoming(A_WHILE).await, None);
}

#[tokio::test]
#[should_panic(expected = "no JSON (")]
async fn a_log_line_among_the_messages_fails_the_test() {
    let (client, mut peer) = pair();
    peer.writes("INFO starting up").await;
    client.request("ping", Value::Null).await;
}

#[tokio::test]
#[should_panic(expected = "the server closed its output")]
async fn a_server_that_goes_away_fails_the_test_at_once() {
    let (client, peer) = pair();
    let pending = client.begin("ping", Value::Null).await;
    drop(peer);
    pending.reply().await;
}

/// A server in shell: answers the first request of any kind, then waits for the end of its input.
const SHELL_SERVER: &str = r#"
    echo "hello $NAME" >&2
    read -r request
    echo '{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"'"$1"'"}]}}'
    read -r more || exit 7
"#;

#[tokio::test]
async fn a_child_process_is_spoken_to_over_its_standard_streams() {
    let mut command = Command::new("sh");
    command.args(["-c", SHELL_SERVER, "sh", "from-args"]).env("NAME", "from-env");
    let mut client = Client::spawn(command);

    assert_eq!(client.list_tools().await, [json!({"name": "from-args"})]);
    assert!(std::path::Path::new(&format!("/proc/{}", client.child().pid())).exists());
    assert!(client.child().exit_within(A_WHILE).await.is_none(), "it waits for the end of its input");

    client.close_input().await;
    let status = client.child().exit_within(SOON).await.expect("an exit after the end of input");
    assert_eq!(status.code(), Some(7));
    assert_eq!(client.child().stderr(), "hello from-env\n");
}

#[tokio::test]
async fn a_dropped_client_kills_its_child() {
    let mut command = Command::new("sleep");
    command.arg("60");
    let mut client = Client::spawn(command);
    let proc = format!("/proc/{}/stat", client.child().pid());
    drop(client);

    // Gone, or a zombie that tokio has not collected yet (field 3 of proc(5)'s stat).
    let gone = || std::fs::read_to_string(&proc).map_or(true, |stat| stat.contains(") Z "));
    let waiting = async {
        while !gone() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOON, waiting).await.expect("the child is killed");
}
