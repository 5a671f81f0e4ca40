//! Whole answers, read before they were kept.

use serde_json::json;

use crate::world::Book;

/// `shop` fails 20 % from 14:12 on, because its pool is full since 14:11; `cart` is as usual. The expected numbers are
/// those of `edges.rs`.
fn shop() -> Book {
    let mut book = Book::week();
    for (service, fails) in [("cart", false), ("shop", true)] {
        for pod in ["a", "b"] {
            let labels = format!("service=\"{service}\",pod=\"{service}-{pod}\"");
            let bad = move |ago: i64| fails && ago <= 20 * 60;
            book.http(
                &labels,
                |_| Some(10.0),
                move |ago| if bad(ago) { 0.2 } else { 0.001 },
                move |ago| if bad(ago) { 0.3 } else { 0.05 },
            );
            book.gauge(&format!("db_pool_size{{{labels}}}"), |_| Some(10.0));
            book.gauge(&format!("db_pool_in_use{{{labels}}}"), move |ago| {
                Some(if fails && ago <= 21 * 60 { 10.0 } else { 3.0 })
            });
        }
    }
    book
}

#[tokio::test]
async fn golden_one_service() {
    let reply = shop().ask(json!({"service": "shop"})).await;
    insta::assert_snapshot!("one_text", reply.text);
    insta::assert_snapshot!(
        "one_json",
        serde_json::to_string_pretty(reply.structured.as_ref().unwrap()).unwrap()
    );
}

#[tokio::test]
async fn golden_all_services() {
    let reply = shop().ask(json!({})).await;
    insta::assert_snapshot!("all_text", reply.text);
}

#[tokio::test]
async fn golden_by_instance() {
    let reply = shop().ask(json!({"service": "shop", "by": "instance"})).await;
    insta::assert_snapshot!("by_instance_text", reply.text);
}
