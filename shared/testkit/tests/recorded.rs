//! The recorded backend, asked by another HTTP implementation (reqwest).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests fail loudly and read small bodies whole"
)]

use std::io::Write;

use testkit::recorded::{Recorded, Reply, UNMATCHED};

fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn get(backend: &Recorded, target: &str) -> (u16, String) {
    let answer = http().get(format!("{}{target}", backend.url())).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn a_reply_comes_with_its_status_content_type_headers_and_file() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"{\"status\":\"error\"}\n").unwrap();
    let backend = Recorded::start().await;
    let reply = Reply::to("GET", "/api").file(file.path()).status(422);
    backend.reply(reply.content_type("application/problem+json").header("x-a", "1")).await;

    let answer = http().get(format!("{}/api", backend.url())).send().await.unwrap();
    assert_eq!(answer.status(), 422);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    assert_eq!(answer.headers()["x-a"], "1");
    assert_eq!(answer.bytes().await.unwrap(), "{\"status\":\"error\"}\n");
}

#[tokio::test]
async fn of_several_replies_the_one_that_names_most_parameters_is_given() {
    let backend = Recorded::start().await;
    backend.reply(Reply::to("GET", "/q").text("any")).await;
    backend.reply(Reply::to("GET", "/q").query("query", "up{a=\"b c\"}").text("up")).await;
    backend
        .reply(Reply::to("GET", "/q").query("query", "up{a=\"b c\"}").query("time", "1").text("up at 1"))
        .await;

    let ok = |text: &str| (200, text.to_owned());
    assert_eq!(get(&backend, "/q").await, ok("any"));
    assert_eq!(get(&backend, "/q?query=down").await, ok("any"));
    assert_eq!(get(&backend, "/q?query=up%7Ba%3D%22b+c%22%7D").await, ok("up"));
    assert_eq!(get(&backend, "/q?time=1&query=up%7Ba%3D%22b%20c%22%7D").await, ok("up at 1"));
}

#[tokio::test]
async fn form_parameters_select_a_reply_and_are_recorded() {
    let backend = Recorded::start().await;
    backend.reply(Reply::to("POST", "/q").form("query", "a&b=c").text("found")).await;
    let post = |query: &'static str| {
        let request = http().post(format!("{}/q?x=1", backend.url())).header("X-Tenant", "t1");
        async move { request.form(&[("query", query), ("query", "second")]).send().await.unwrap().status() }
    };
    assert_eq!(post("a&b=c").await, 200);
    assert_eq!(post("other").await, UNMATCHED);

    let seen = &backend.requests()[0];
    assert_eq!((seen.method.as_str(), seen.path.as_str(), seen.status), ("POST", "/q", 200));
    assert_eq!(seen.query, [("x".to_owned(), "1".to_owned())]);
    assert_eq!((seen.query("x"), seen.form("query"), seen.form("x")), (Some("1"), Some("a&b=c"), None));
    assert_eq!(seen.form.len(), 2);
    assert_eq!(seen.header("x-tenant"), Some("t1"));
    assert_eq!(seen.body, b"query=a%26b%3Dc&query=second");
}

#[tokio::test]
async fn a_json_body_is_no_form() {
    let backend = Recorded::start().await;
    let request =
        http().post(backend.url()).header("content-type", "application/json").body(r#"{"a":"b=c"}"#);
    request.send().await.unwrap();
    let seen = &backend.requests()[0];
    assert_eq!((seen.form.len(), seen.body.as_slice()), (0, br#"{"a":"b=c"}"#.as_slice()));
}

#[tokio::test]
async fn what_no_reply_was_recorded_for_is_marked_and_remembered() {
    let backend = Recorded::start().await;
    assert!(backend.requests().is_empty());
    backend.reply(Reply::to("GET", "/known")).await;

    assert_eq!(get(&backend, "/known").await, (200, String::new()));
    assert_eq!(get(&backend, "/known/not").await.0, 599);
    let deleted = http().delete(format!("{}/known", backend.url())).send().await.unwrap();
    assert_eq!(deleted.status(), 599, "another method is another request");

    let paths =
        |seen: Vec<testkit::recorded::Seen>| seen.into_iter().map(|seen| seen.path).collect::<Vec<_>>();
    assert_eq!(paths(backend.requests()), ["/known", "/known/not", "/known"]);
    assert_eq!(paths(backend.unmatched()), ["/known/not", "/known"]);
}

#[tokio::test]
async fn a_reply_can_give_way_to_the_next_one() {
    let backend = Recorded::start().await;
    backend.reply(Reply::to("GET", "/q").status(503).at_most(2)).await;
    backend.reply(Reply::to("GET", "/q")).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(get(&backend, "/q").await.0);
    }
    assert_eq!(statuses, [503, 503, 200, 200]);
    assert_eq!(backend.requests().len(), 4);
}
