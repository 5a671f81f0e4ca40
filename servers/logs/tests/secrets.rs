//! No configured credential leaves the process: unique values are planted in every credential setting, a hostile backend
//! sends back whatever it was given, everything is logged, and all that the process emitted is searched.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

#[path = "common/binary.rs"]
mod binary;
#[path = "common/calls.rs"]
mod calls;

use std::{fs, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use binary::PROGRAM;
use serde_json::json;
use testkit::secrets::{Emitted, sha256};

/// What is planted, by where.
const PASSWORD: &str = "planted-password-b7Qx2";
/// With characters that JSON writes otherwise.
const PASSWORD_IN_FILE: &str = "planted-file-\"pass\\word<k9Rz4>";
const TOKEN: &str = "planted-bearer-token-m3Wd8";
const TOKEN_IN_FILE: &str = "planted-file-token-t5Yv1";
/// As Elasticsearch gives it out: base64 of `id:key`, here `planted-id:planted-api-key-g7Js4`.
const API_KEY: &str = "cGxhbnRlZC1pZDpwbGFudGVkLWFwaS1rZXktZzdKczQ=";
const HEADER: &str = "planted-header-value-c6Hn0";
const CLIENT_SECRET: &str = "planted-client-secret-w8Kd3";
const CLIENT_SECRET_IN_FILE: &str = "planted-client-secret-in-file-e1Pa9";
const FEDERATED: &str = "planted-federated-token-u4Sj6";
const INBOUND: &str = "planted-inbound-token-p2Lf7";
const AUDIT_KEY: &str = "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90";
const MASKING_KEY: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";
/// The key of the client's certificate: what stands between its lines.
const IDENTITY: &str = "cGxhbnRlZC1jbGllbnQta2V5";

/// The sources of the configuration besides the first one; the last one is none.
const SOURCES: [&str; 11] =
    ["two", "three", "four", "five", "six", "secret", "secret-file", "federated", "token", "open", "none"];

fn planted() -> Vec<String> {
    let basic = |user: &str, password: &str| STANDARD.encode(format!("{user}:{password}"));
    let plain = [
        PASSWORD,
        PASSWORD_IN_FILE,
        TOKEN,
        TOKEN_IN_FILE,
        API_KEY,
        HEADER,
        CLIENT_SECRET,
        CLIENT_SECRET_IN_FILE,
        FEDERATED,
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

/// A cluster, and an authority, that repeats what it was sent.
fn parrot() -> String {
    let decode =
        |text: &str| String::from_utf8_lossy(&STANDARD.decode(text).unwrap_or_default()).into_owned();
    let body = |said: &str| {
        json!({"error": {"type": "security_exception", "reason": said, "code": "Bad", "message": said, "@message": said},
            "error_description": said, "status": 400})
    };
    testkit::secrets::parrot(decode, body)
}

fn configuration(directory: &Path, url: &str) -> String {
    let file = |name: &str, text: &str| {
        let path = directory.join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let elastic = |kind: &str, name: &str, credential: &str| {
        format!("[[{kind}]]\nname = \"{name}\"\nurl = \"{url}\"\n{credential}\n")
    };
    let adx = |name: &str, credential: &str, sign_in: &str| {
        let sign_in = match sign_in {
            "" => String::new(),
            settings => format!(
                "sign_in = {{ tenant_id = \"t\", client_id = \"c\", authority = \"{url}\", {settings} }}\n"
            ),
        };
        format!(
            "[[adx]]\nname = \"{name}\"\nurl = \"{url}\"\n{credential}\n[[logs]]\nsource = \"{name}\"\ndatabase = \"d\"\n\
             [logs.adx]\ntrusted_hosts = [\"127.0.0.1\"]\n{sign_in}"
        )
    };
    let password_file = file("password", &format!("{PASSWORD_IN_FILE}\n"));
    let identity = format!("-----BEGIN PRIVATE KEY-----\n{IDENTITY}\n-----END PRIVATE KEY-----\n");
    let parts = [
        elastic(
            "elasticsearch",
            "main",
            &format!(
                "basic = {{ username = \"reader\", password = \"{PASSWORD}\" }}\nheaders = {{ X-Key = \"{HEADER}\" }}"
            ),
        ),
        elastic(
            "opensearch",
            "two",
            &format!("basic = {{ username = \"reader\", password_file = \"{password_file}\" }}"),
        ),
        elastic("elasticsearch", "three", &format!("bearer_token = \"{TOKEN}\"")),
        elastic(
            "opensearch",
            "four",
            &format!("bearer_token_file = \"{}\"", file("token", &format!("{TOKEN_IN_FILE}\n"))),
        ),
        elastic(
            "elasticsearch",
            "five",
            &format!("client_identity_file = \"{}\"", file("client.pem", &identity)),
        ),
        elastic("elasticsearch", "six", &format!("api_key = \"{API_KEY}\"")),
        adx("secret", "", &format!("method = \"client_secret\", client_secret = \"{CLIENT_SECRET}\"")),
        adx(
            "secret-file",
            "",
            &format!(
                "method = \"client_secret\", client_secret_file = \"{}\"",
                file("secret", CLIENT_SECRET_IN_FILE)
            ),
        ),
        adx(
            "federated",
            "",
            &format!(
                "method = \"workload_identity\", federated_token_file = \"{}\"",
                file("federated", FEDERATED)
            ),
        ),
        adx("token", &format!("bearer_token = \"{TOKEN}\""), ""),
        adx("open", "", ""),
        format!(
            "[auth]\ntokens = [{{ name = \"anna\", token_sha256 = \"{}\", scopes = [\"logs:read\"] }}]\n\
             [audit]\nkey_file = \"{}\"\n[masking]\nkey_file = \"{}\"\n",
            sha256(INBOUND),
            file("audit-key", AUDIT_KEY),
            file("masking-key", MASKING_KEY),
        ),
    ];
    parts.concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_credential_is_in_anything_the_process_emits() {
    let (files, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = files.path().join("config.toml");
    fs::write(&path, configuration(files.path(), &parrot())).unwrap();
    let path = path.display().to_string();
    let wide = ["CHEAP", "RANGE", "HEAVY"].map(|class| {
        ["PER_MINUTE", "BURST"].map(|what| (format!("LOGS_MCP__RATES__{class}__{what}"), "100000"))
    });
    let prepared = |arguments: &[&str]| {
        let mut command = PROGRAM.command(&state, &[("RUST_LOG", "trace")]);
        command.envs(wide.clone().into_iter().flatten()).args(["--config", &path]).args(arguments);
        command
    };
    let mut emitted = Emitted::default();
    for arguments in [vec!["check"], vec!["tools", "--json"], vec!["--help"], vec!["audit", "report", "/"]] {
        emitted.run(prepared(&arguments));
    }
    let calls = calls::good_calls();
    emitted.over_stdio(prepared(&[]), &calls, &SOURCES).await;
    emitted.over_http(prepared(&[]), INBOUND, &calls, &SOURCES).await;
    emitted.files(&state.path().join("audit"));
    emitted.holds_none_of(&planted());
    // Otherwise nothing was shown to be kept secret: the parrot's words must have come through.
    assert!(emitted.mentions("wrong credentials"));
}

/// A mistake in a configuration file is told without the line it is in.
#[test]
fn a_broken_configuration_is_told_without_its_values() {
    let files = tempfile::tempdir().unwrap();
    let path = files.path().join("config.toml");
    for broken in [
        format!("[[elasticsearch]]\nurl = \"http://x\"\napi_key = \"{API_KEY}\nname = \"a\"\n"),
        format!("[[elasticsearch]]\nurl = \"http://reader:{PASSWORD}@x\"\n"),
        format!("[[opensearch]]\nurl = \"http://x\"\nbasic = \"{PASSWORD}\"\n"),
        format!("[[adx]]\nurl = \"http://x\"\nbearer_tokn = \"{TOKEN}\"\n"),
        format!(
            "[[adx]]\nurl = \"http://x\"\n[[logs]]\n[logs.adx]\nsign_in = {{ method = \"client_secret\", client_secret = [\"{CLIENT_SECRET}\"] }}\n"
        ),
    ] {
        fs::write(&path, broken).unwrap();
        let state = tempfile::tempdir().unwrap();
        let config = path.display().to_string();
        let output = PROGRAM.command(&state, &[]).args(["--config", &config, "check"]).output().unwrap();
        let told =
            format!("{}{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
        assert!(!output.status.success() && !told.is_empty());
        assert!(planted().iter().all(|secret| !told.contains(secret.as_str())), "{told}");
    }
}
