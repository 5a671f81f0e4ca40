//! Each question: what is sent, and what becomes of the reply.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::backend::Logs;
use crate::model::{Key, Level, Like, Page, Role, Total};

fn at(text: &str) -> jiff::Timestamp {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_count_is_exact_and_says_what_was_sent() {
    let fake = Fake::start().await;
    fake.answers("summarize n = count()", &frames(&[("n", "long")], json!([[3412]]))).await;
    let conditions = vec![Condition::Is(Role::Service, "checkout".to_owned())];
    let reply = fake.adx.total(&context(), &search(None, conditions)).await.unwrap();
    assert_eq!((reply.value, reply.partial.len()), (Total::Exactly(3412), 0));
    assert_eq!(
        reply.sent,
        "declare query_parameters(p0: datetime = datetime(2026-01-14T14:00:00.0000000Z), \
         p1: datetime = datetime(2026-01-14T15:00:00.0000000Z), p2: string = \"checkout\");\n\
         [\"OTelLogs\"]\n| where [\"Timestamp\"] >= p0 and [\"Timestamp\"] < p1\n\
         | where tostring([\"ResourceAttributes\"][\"service.name\"]) =~ p2\n| summarize n = count()"
    );
    let sent = fake.last();
    assert_eq!(sent["properties"]["Parameters"]["p2"], "\"checkout\"");
    let options = &sent["properties"]["Options"];
    assert_eq!(options["query_datetimescope_column"], "Timestamp");
    assert_eq!(options["query_datetimescope_from"], "2026-01-14T14:00:00.0000000Z");
    assert_eq!(options["query_now"], "2026-01-14T15:00:00Z");
    assert!(!sent["csl"].as_str().unwrap().contains("checkout"));
}

#[tokio::test]
async fn roles_are_found_in_columns_of_json_and_kept() {
    let fake = Fake::start().await;
    let cx = context();
    let layout = fake.adx.layout(&cx).await.unwrap().value;
    for (role, field) in [
        (Role::Time, "Timestamp"),
        (Role::Message, "Body"),
        (Role::Level, "SeverityText"),
        (Role::Service, "ResourceAttributes.service.name"),
        (Role::Version, "ResourceAttributes.service.version"),
        (Role::Trace, "TraceID"),
    ] {
        assert_eq!(layout.of(role).first().map(|chosen| chosen.name.as_str()), Some(field), "{role:?}");
    }
    let asked = fake.backend.requests().len();
    fake.adx.layout(&cx).await.unwrap();
    assert_eq!(fake.backend.requests().len(), asked);
    // The table of numbers tells no moments: it is not searched.
    assert!(!fake.last()["csl"].as_str().unwrap().contains("Numbers"));
}

#[tokio::test]
async fn a_histogram_has_every_step_and_the_most_frequent_keys() {
    let fake = Fake::start().await;
    let columns = [("slot", "long"), ("key", "string"), ("n", "long")];
    fake.answers(
        "mcp_found",
        &frames(&columns, json!([[0, "ERROR", 5], [2, "ERROR", 1], [2, "", 4], [9, "WARN", 1]])),
    )
    .await;
    let by = Key::Role(Role::Level);
    let reply = fake
        .adx
        .histogram(&context(), &search(None, vec![]), Duration::from_secs(900), Some((&by, 2)))
        .await
        .unwrap();
    assert_eq!(reply.value.total, [5, 0, 5, 0]);
    let by: Vec<(&str, &[u64])> =
        reply.value.by.iter().map(|(key, counts)| (key.inside(), counts.as_slice())).collect();
    assert_eq!(by, [("ERROR", &[5, 0, 1, 0][..]), ("WARN", &[0, 0, 0, 0][..])]);
}

#[tokio::test]
async fn top_values_come_with_the_rest() {
    let fake = Fake::start().await;
    let columns = [("key", "string"), ("n", "long"), ("what", "string"), ("different", "long")];
    let rows = json!([
        ["a", 7, "value", null],
        ["b", 9, "value", null],
        ["", 20, "all", 4],
        ["", 3, "missing", null]
    ]);
    fake.answers("mcp_counts", &frames(&columns, rows)).await;
    let key = Key::Field("LogsAttributes.user.id".to_owned());
    let top = fake.adx.top(&context(), &search(None, vec![]), &key, 2).await.unwrap();
    let values: Vec<(&str, u64)> =
        top.value.values.iter().map(|group| (group.value.inside(), group.count)).collect();
    assert_eq!(values, [("b", 9), ("a", 7)]);
    assert_eq!((top.value.distinct, top.value.others, top.value.missing), (Some(4), 4, 3));
    assert!(top.sent.contains("coalesce(tostring([\"LogsAttributes\"][\"user.id\"]), tostring([\"LogsAttributes\"][\"user\"][\"id\"]))"));
    let unknown = Key::Field("Bodi".to_owned());
    let error = fake.adx.top(&context(), &search(None, vec![]), &unknown, 2).await.unwrap_err();
    assert!(error.to_string().contains("no column is called \"Bodi\""), "{error}");
}

#[tokio::test]
async fn pages_follow_each_other_without_a_record_twice() {
    let fake = Fake::start().await;
    let columns: Vec<(&str, &str)> = [COLUMNS, &[("mcp_at", "datetime"), ("mcp_hash", "long")]].concat();
    let row = |at: &str, body: &str, hash: i64| {
        let mut row = record(at, body);
        row.as_array_mut().unwrap().extend([json!(at), json!(hash)]);
        row
    };
    let (one, two, three) = (
        row("2026-01-14T14:30:00Z", "one", 5),
        row("2026-01-14T14:29:00Z", "two", 6),
        row("2026-01-14T14:29:00Z", "two", 6),
    );
    fake.answers("summarize n = count()", &frames(&[("n", "long")], json!([[3]]))).await;
    fake.answers("order by mcp_at desc, mcp_hash asc", &frames(&columns, json!([one, two, three]))).await;
    let cx = context();
    let first =
        fake.adx.page(&cx, &search(None, vec![]), &Page { limit: 2, ..Page::default() }).await.unwrap().value;
    let told: Vec<&str> = first.records.iter().map(|record| record.message.inside()).collect();
    assert_eq!((told, first.total), (vec!["one", "two"], Total::Exactly(3)));
    let record = &first.records[0];
    assert_eq!(record.at, Some(at("2026-01-14T14:30:00Z")));
    assert_eq!(
        (record.level, record.service.as_ref().map(|service| service.inside())),
        (Some(Level::Error), Some("checkout"))
    );
    assert!(record.document.fields.iter().all(|(name, _)| !name.inside().starts_with("mcp_")));

    let after = first.next.clone();
    let beyond = Reply::to("POST", QUERY.path).body_has("order by").body_has("mcp_hash >= p");
    fake.backend.reply(beyond.text(&frames(&columns, json!([two, three])))).await;
    let page = Page { limit: 2, after, ..Page::default() };
    let second = fake.adx.page(&cx, &search(None, vec![]), &page).await.unwrap().value;
    assert_eq!((second.records.len(), second.next), (1, None));
    let other = search(None, vec![Condition::AtLeast(Level::Error)]);
    let error = fake
        .adx
        .page(&cx, &other, &Page { limit: 2, after: first.next, ..Page::default() })
        .await
        .unwrap_err();
    assert!(error.to_string().contains("belongs to another search"), "{error}");
}

#[tokio::test]
async fn a_sample_is_spread_over_the_window_and_each_record_stands_for_its_slice() {
    let fake = Fake::start().await;
    // Slices of 90 s: 14:20:00 is in the 14th, 14:40:00 in the 27th.
    let counts = json!([[13, 49_900], [26, 100]]);
    fake.answers("summarize n = count() by slot", &frames(&[("slot", "long"), ("n", "long")], counts)).await;
    let columns: Vec<(&str, &str)> = [COLUMNS, &[("mcp_slice", "long")]].concat();
    let row = |at: &str, body: &str, slice: i64| {
        let mut row = record(at, body);
        row.as_array_mut().unwrap().push(json!(slice));
        row
    };
    let rows = json!([
        row("2026-01-14T14:40:00Z", "later", 26),
        row("2026-01-14T14:20:01Z", "early", 13),
        row("2026-01-14T14:20:00Z", "earlier", 13)
    ]);
    let part = "partition hint.strategy=native by mcp_slice (top 25 by mcp_order asc)";
    fake.answers(part, &frames(&columns, rows)).await;
    let sample = fake.adx.sample(&context(), &search(None, vec![]), 1_000).await.unwrap().value;
    let told: Vec<(&str, f64)> =
        sample.records.iter().map(|record| (record.message.inside(), record.weight)).collect();
    assert_eq!(told, [("earlier", 24_950.0), ("early", 24_950.0), ("later", 100.0)]);
    assert_eq!(
        (sample.total, sample.method.as_str()),
        (Total::Exactly(50_000), "up to 25 of each of 40 time slices, by hash")
    );
}

#[tokio::test]
async fn patterns_are_counted_with_their_services_and_times() {
    let fake = Fake::start().await;
    let columns = [
        ("mcp_like", "long"),
        ("service", "string"),
        ("level", "string"),
        ("pod", "string"),
        ("version", "string"),
        ("n", "long"),
        ("first_at", "datetime"),
        ("last_at", "datetime"),
    ];
    let rows = json!([
        [0, "checkout", "ERROR", "a", "1", 4, "2026-01-14T14:10:00Z", "2026-01-14T14:20:00Z"],
        [0, "checkout", "ERROR", "b", "", 3, "2026-01-14T14:05:00Z", "2026-01-14T14:11:00Z"],
        [2, "cart", "ERROR", "c", "", 9, "2026-01-14T14:06:00Z", "2026-01-14T14:07:00Z"],
    ]);
    fake.answers("contains_cs", &frames(&columns, rows)).await;
    let like =
        |fragments: &[&str]| Like { fragments: fragments.iter().map(|part| (*part).to_owned()).collect() };
    let likes = [like(&["pool exhausted (size=", "it's"]), like(&["never"]), like(&["slow"])];
    fake.adx.layout(&context()).await.unwrap();
    let before = fake.backend.requests().len();
    let reply = fake.adx.tallies(&context(), &search(None, vec![]), &likes).await.unwrap();
    // All three in one query.
    assert_eq!(fake.backend.requests().len(), before + 1);
    assert_eq!((reply.value[1].count, reply.value[2].count), (0, 9));
    let tally = &reply.value[0];
    assert_eq!(
        (tally.count, tally.first, tally.last),
        (7, Some(at("2026-01-14T14:05:00Z")), Some(at("2026-01-14T14:20:00Z")))
    );
    let services =
        tally.by.iter().find(|(role, _)| *role == Role::Service).map(|(_, top)| top.values[0].count);
    assert_eq!(services, Some(7));
    assert!(!fake.last()["csl"].as_str().unwrap().contains("exhausted"));
    let message = "x pool exhausted (size=10) it's";
    assert!(fake.adx.finds(&likes[0], message) && !fake.adx.finds(&likes[0], "pool exhausted"));
}

#[tokio::test]
async fn freshness_and_sources_are_told() {
    let fake = Fake::start().await;
    let columns = [("newest", "datetime"), ("half", "real"), ("most", "real"), ("what", "string")];
    let rows = json!([["2026-01-14T14:59:59Z", 0.5, 2.0, "newest"], [null, 1.5, 90.0, "stored"]]);
    fake.answers("percentiles(mcp_late", &frames(&columns, rows)).await;
    let fresh = fake.adx.freshness(&context(), &search(None, vec![])).await.unwrap();
    assert_eq!(
        (fresh.value.newest, fresh.value.lag_seconds, fresh.value.newest_lag_seconds),
        (Some(at("2026-01-14T14:59:59Z")), Some((1.5, 90.0)), Some(2.0))
    );
    // The second sample is of those that were stored last by the end of the window.
    assert!(fresh.sent.contains("by mcp_stored desc") && fresh.sent.contains("where mcp_stored < "));
    assert!(fresh.sent.contains("mcp_stored = ingestion_time()"));
    let columns =
        [("records", "long"), ("first_at", "datetime"), ("last_at", "datetime"), ("name", "string")];
    let rows = json!([[1_000_000, "2026-01-01T00:00:00Z", "2026-01-14T15:00:00Z", "OTelLogs"]]);
    fake.answers("column_ifexists", &frames(&columns, rows)).await;
    let sources = fake.adx.sources(&context()).await.unwrap().value;
    assert_eq!(
        (sources[0].name.inside(), sources[0].kind, sources[0].records),
        ("OTelLogs", "table", Some(1_000_000))
    );
    assert_eq!(sources[0].span, Some((at("2026-01-01T00:00:00Z"), at("2026-01-14T15:00:00Z"))));
}

#[tokio::test]
async fn a_link_opens_the_query_in_the_web_page() {
    let fake =
        Fake::configured(|source, _| source.ui_url = Some("https://dataexplorer.azure.com/".to_owned()))
            .await;
    assert_eq!(fake.adx.link(&search(None, vec![])), None);
    fake.adx.layout(&context()).await.unwrap();
    let link = fake.adx.link(&search(None, vec![])).unwrap();
    assert!(link.starts_with("https://dataexplorer.azure.com/clusters/127.0.0.1:"), "{link}");
    assert!(link.contains("/databases/observability?query=declare%20query_parameters%28p0%3A"), "{link}");
}
