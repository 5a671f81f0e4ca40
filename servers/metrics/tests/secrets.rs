//! No configured credential leaves the process: unique values are planted in every credential setting, a hostile backend sends
//! back whatever it was given, everything is logged, and all that the process emitted is searched.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

#[path = "common/binary.rs"]
mod binary;
#[path = "common/calls.rs"]
mod calls;

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    process::Stdio,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use binary::command;
use testkit::mcp::{Client, Era, HttpClient, HttpRequest};

/// What is planted, by where.
const PASSWORD: &str = "planted-password-b7Qx2";
/// With characters that JSON writes otherwise.
const PASSWORD_IN_FILE: &str = "planted-file-\"pass\\word<k9Rz4>";
const TOKEN: &str = "planted-bearer-token-m3Wd8";
const TOKEN_IN_FILE: &str = "planted-file-token-t5Yv1";
/// As Elasticsearch gives it out: base64 of `id:key`, here `planted-id:planted-api-key-g7Js4`.
const API_KEY: &str = "cGxhbnRlZC1pZDpwbGFudGVkLWFwaS1rZXktZzdKczQ=";
const HEADER: &str = "planted-header-value-c6Hn0";
const INBOUND: &str = "planted-inbound-token-p2Lf7";
const AUDIT_KEY: &str = "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90";
const MASKING_KEY: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";
/// The key of the client's certificate: what stands between its lines.
const IDENTITY: &str = "cGxhbnRlZC1jbGllbnQta2V5";

fn planted() -> Vec<String> {
    let basic = |user: &str, password: &str| STANDARD.encode(format!("{user}:{password}"));
    let plain = [
        PASSWORD,
        PASSWORD_IN_FILE,
        TOKEN,
        TOKEN_IN_FILE,
        API_KEY,
        HEADER,
        INBOUND,
        AUDIT_KEY,
        MASKING_KEY,
        IDENTITY,
    ];
    let mut all: Vec<String> = plain.map(str::to_owned).to_vec();
    all.extend([basic("reader", PASSWORD), basic("reader", PASSWORD_IN_FILE)]);
    // What is left of the password when its odd characters are written in whatever way.
    all.push("k9Rz4".to_owned());
    all
}

/// A backend that answers every request with an error that repeats the request's head, header values too.
fn parrot() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut head = [0; 16 * 1024];
                let read = stream.read(&mut head).unwrap_or(0);
                let head = String::from_utf8_lossy(&head[..read]);
                let decoded: String = head
                    .lines()
                    .filter_map(|line| line.split_once("Basic ").or_else(|| line.split_once("basic ")))
                    .filter_map(|(_, encoded)| STANDARD.decode(encoded.trim()).ok())
                    .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
                    .collect();
                let body = serde_json::json!({"status": "error", "errorType": "bad_data",
                    "error": format!("wrong credentials {decoded} in {head}")});
                let body = body.to_string();
                let _ = write!(
                    stream,
                    "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                );
            });
        }
    });
    url
}

fn configuration(directory: &Path, url: &str) -> String {
    let file = |name: &str, text: &str| {
        let path = directory.join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let inbound = sha256(INBOUND);
    format!(
        "[[prometheus]]\nname = \"main\"\nurl = \"{url}\"\nbasic = {{ username = \"reader\", password = \"{PASSWORD}\" }}\n\
         headers = {{ X-Key = \"{HEADER}\" }}\n\
         [[prometheus]]\nname = \"two\"\nurl = \"{url}\"\nbasic = {{ username = \"reader\", password_file = \"{}\" }}\n\
         [[prometheus]]\nname = \"three\"\nurl = \"{url}\"\nbearer_token = \"{TOKEN}\"\n\
         [[prometheus]]\nname = \"four\"\nurl = \"{url}\"\nbearer_token_file = \"{}\"\n\
         [[prometheus]]\nname = \"five\"\nurl = \"{url}\"\nclient_identity_file = \"{}\"\n\
         [[prometheus]]\nname = \"six\"\nurl = \"{url}\"\napi_key = \"{API_KEY}\"\n\
         [[alertmanager]]\nurl = \"{url}\"\nbearer_token = \"{TOKEN}\"\n\
         [auth]\ntokens = [{{ name = \"anna\", token_sha256 = \"{inbound}\", scopes = [\"metrics:read\"] }}]\n\
         [audit]\nkey_file = \"{}\"\n[masking]\nkey_file = \"{}\"\n",
        file("password", &format!("{PASSWORD_IN_FILE}\n")),
        file("token", &format!("{TOKEN_IN_FILE}\n")),
        file("client.pem", &format!("-----BEGIN PRIVATE KEY-----\n{IDENTITY}\n-----END PRIVATE KEY-----\n")),
        file("audit-key", AUDIT_KEY),
        file("masking-key", MASKING_KEY),
    )
}

/// `sha256sum`, so that the expected value is not ours.
fn sha256(text: &str) -> String {
    let mut process =
        std::process::Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    process.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    String::from_utf8(process.wait_with_output().unwrap().stdout).unwrap()[..64].to_owned()
}

/// Everything that was emitted, by where.
type Emitted = Vec<(String, String)>;

fn search(emitted: &Emitted) {
    let all: usize = emitted.iter().map(|(_, text)| text.len()).sum();
    assert!(all > 20_000, "only {all} bytes were emitted: what was searched?");
    for secret in planted() {
        for (place, text) in emitted {
            let at = text.find(&secret);
            let around = at.map(|at| text[at.saturating_sub(80)..].chars().take(200).collect::<String>());
            assert!(at.is_none(), "{secret} in {place}: …{}", around.unwrap_or_default());
        }
    }
}

async fn talk(client: &Client, place: &str, emitted: &mut Emitted) {
    for (tool, arguments) in calls::good_calls() {
        for source in
            [None, Some("two"), Some("three"), Some("four"), Some("five"), Some("six"), Some("none")]
        {
            let mut arguments = arguments.clone();
            if let Some(source) = source {
                arguments["source"] = source.into();
            }
            let reply = client.call(tool, arguments).await;
            emitted.push((format!("{place}: {tool} {source:?}"), reply.text));
            emitted.push((
                format!("{place}: {tool} structured"),
                reply.structured.unwrap_or_default().to_string(),
            ));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_credential_is_in_anything_the_process_emits() {
    let (files, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = files.path().join("config.toml");
    fs::write(&path, configuration(files.path(), &parrot())).unwrap();
    let path = path.display().to_string();
    let wide = ["CHEAP", "RANGE", "HEAVY"].map(|class| {
        ["PER_MINUTE", "BURST"].map(|what| (format!("METRICS_MCP__RATES__{class}__{what}"), "100000"))
    });
    let mut emitted = Emitted::new();
    let prepared = |arguments: &[&str]| {
        let mut command = command(&state, &[("RUST_LOG", "trace")]);
        command.envs(wide.clone().into_iter().flatten()).args(["--config", &path]).args(arguments);
        command
    };

    for arguments in [vec!["check"], vec!["tools", "--json"], vec!["--help"], vec!["audit", "report", "/"]] {
        let output = prepared(&arguments).output().unwrap();
        let (said, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        emitted.push((format!("{arguments:?}"), format!("{said}{told}")));
    }

    let mut stdio = Client::spawn(prepared(&[]));
    stdio.connect(Era::Stateless).await;
    talk(&stdio, "stdio", &mut emitted).await;
    stdio.close_input().await;
    stdio.child().exit_within(std::time::Duration::from_secs(20)).await.unwrap();
    emitted.push(("stderr over stdio".to_owned(), stdio.child().stderr()));

    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let log = files.path().join("http.log");
    let mut served = prepared(&["serve", "--http", &format!("127.0.0.1:{port}")])
        .stdout(Stdio::null())
        .stderr(fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let url = format!("http://127.0.0.1:{port}");
    let http =
        HttpClient::new(&format!("{url}/mcp")).with_header("Authorization", &format!("Bearer {INBOUND}"));
    let mut client = Client::over_http(http);
    client.connect(Era::Stateless).await;
    talk(&client, "http", &mut emitted).await;
    // A token that is nearly right is not repeated either.
    let wrong = HttpRequest::new("POST").path("/mcp").header("Authorization", &format!("Bearer {INBOUND}x"));
    for request in [wrong, HttpRequest::new("GET").path("/metrics"), HttpRequest::new("GET").path("/readyz")]
    {
        emitted.push(("http".to_owned(), HttpClient::new(&url).send(request).await.text()));
    }
    binary::terminate(served.id());
    served.wait().unwrap();
    emitted.push(("stderr over http".to_owned(), fs::read_to_string(&log).unwrap()));

    for entry in fs::read_dir(state.path().join("audit")).unwrap() {
        let path = entry.unwrap().path();
        emitted.push((path.display().to_string(), fs::read_to_string(path).unwrap()));
    }
    search(&emitted);
}

/// A mistake in a configuration file is told without the line it is in.
#[test]
fn a_broken_configuration_is_told_without_its_values() {
    let files = tempfile::tempdir().unwrap();
    let path = files.path().join("config.toml");
    for broken in [
        format!("[[prometheus]]\nurl = \"http://x\"\nbearer_token = \"{TOKEN}\nname = \"a\"\n"),
        format!("[[prometheus]]\nurl = \"http://reader:{PASSWORD}@x\"\n"),
        format!("[[prometheus]]\nurl = \"http://x\"\nbasic = \"{PASSWORD}\"\n"),
        format!("[[prometheus]]\nurl = \"http://x\"\nbearer_tokn = \"{TOKEN}\"\n"),
        format!("[[prometheus]]\nurl = \"http://x\"\nheaders = {{ \"bad header\" = \"{HEADER}\" }}\n"),
    ] {
        fs::write(&path, broken).unwrap();
        let state = tempfile::tempdir().unwrap();
        let config = path.display().to_string();
        let output = command(&state, &[]).args(["--config", &config, "check"]).output().unwrap();
        let told =
            format!("{}{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
        assert!(!output.status.success() && !told.is_empty());
        assert!(planted().iter().all(|secret| !told.contains(secret.as_str())), "{told}");
    }
}
