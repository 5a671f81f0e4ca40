//! Signing in: the token is got once, sent with each request, renewed when it is refused, and shown nowhere.

use super::*;
use crate::backend::Logs;
use crate::config::{SignInConfig, SignInMethod};

const SECRET: &str = "very-secret-value";

async fn signed_in(method: SignInMethod) -> Fake {
    let authority = Recorded::start().await;
    let url = authority.url();
    let fake = Fake::configured(|_, logs| {
        logs.adx.sign_in = Some(SignInConfig {
            method,
            tenant_id: "tenant".to_owned(),
            client_id: "client".to_owned(),
            client_secret: Some(SECRET.to_owned().into()),
            client_secret_file: None,
            federated_token_file: None,
            authority: Some(url),
        });
    })
    .await;
    for (token, times) in [("token-number-one", 1), ("token-number-two", 9)] {
        let granted =
            json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": token }).to_string();
        let secret = Reply::to("POST", "/tenant/oauth2/v2.0/token")
            .form("client_secret", SECRET)
            .form("client_id", "client");
        authority.reply(secret.form("grant_type", "client_credentials").text(&granted).at_most(times)).await;
        let machine = Reply::to("GET", "/metadata/identity/oauth2/token").query("api-version", "2018-02-01");
        authority.reply(machine.query("client_id", "client").text(&granted).at_most(times)).await;
    }
    // Kept alive for the test: it ends with the process.
    std::mem::forget(authority);
    fake
}

fn authorization(fake: &Fake) -> Vec<String> {
    fake.backend
        .requests()
        .iter()
        .map(|seen| seen.header("authorization").unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test]
async fn one_token_serves_many_requests() {
    for method in [SignInMethod::ClientSecret, SignInMethod::ManagedIdentity] {
        let fake = signed_in(method).await;
        fake.answers("summarize n = count()", &frames(&[("n", "long")], json!([[1]]))).await;
        fake.adx.total(&context(), &search(None, vec![])).await.unwrap();
        let sent = authorization(&fake);
        assert!(sent.len() >= 4 && sent.iter().all(|sent| sent == "Bearer token-number-one"), "{sent:?}");
    }
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    let fake = signed_in(SignInMethod::ClientSecret).await;
    let refused = Reply::to("POST", MANAGEMENT.path).body_has("\".show tables\"").body_has("db").status(401);
    fake.backend.reply(refused.at_most(1)).await;
    fake.adx.layout(&context()).await.unwrap();
    let sent = authorization(&fake);
    assert_eq!(sent[..2], ["Bearer token-number-one", "Bearer token-number-two"]);
}

#[tokio::test]
async fn a_token_or_secret_that_comes_back_is_not_shown() {
    let fake = signed_in(SignInMethod::ClientSecret).await;
    let body = json!({ "error": { "code": "X", "@message": "got Bearer token-number-one" } }).to_string();
    let reply = Reply::to("POST", MANAGEMENT.path).body_has(".show tables").body_has("db").status(400);
    fake.backend.reply(reply.text(&body)).await;
    let error = fake.adx.layout(&context()).await.unwrap_err();
    assert!(
        error.to_string().contains("refused it") && !format!("{error:?}").contains("token-number-one"),
        "{error:?}"
    );
    assert!(
        !format!("{:?}", fake.adx.sign_in).contains(SECRET)
            && !format!("{:?}", fake.adx.sign_in).contains("token-number")
    );
}

#[tokio::test]
async fn settings_that_lack_something_are_named() {
    for (method, lacks) in [
        (SignInMethod::ClientSecret, "client_secret"),
        (SignInMethod::WorkloadIdentity, "federated_token_file"),
    ] {
        let mut logs = LogsConfig { database: "db".to_owned(), ..LogsConfig::default() };
        logs.adx.sign_in = Some(SignInConfig {
            method,
            tenant_id: "t".to_owned(),
            client_id: "c".to_owned(),
            client_secret: None,
            client_secret_file: None,
            federated_token_file: None,
            authority: None,
        });
        let source =
            SourceConfig { url: "https://x.kusto.windows.net".to_owned(), ..SourceConfig::default() };
        let error = Adx::new(source, &logs, Limits::default()).err().unwrap();
        assert!(error.to_string().contains(lacks), "{error}");
    }
}
