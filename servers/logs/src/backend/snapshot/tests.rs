use std::{fs, path::Path, time::Duration};

use contract::TimeRange;
use proptest::prelude::*;
use runtime::Probe;

use super::*;
use crate::model::{Condition, Level, Role};

const MANIFEST: &str = "id = \"a\"\ntitle = \"A\"\nnow = \"2026-01-14T15:00:00Z\"\n\
                        window = { start = \"2026-01-14T14:00:00Z\", end = \"2026-01-14T15:00:00Z\" }\n";
const ECS: &str = r#"{"@timestamp":"2026-01-14T14:00:01Z","log.level":"error","message":"pool exhausted (size=10, waiting=7)","service":{"name":"payment","version":"2.3.1"},"user":{"id":"u1"},"trace":{"id":"4bf92f3577b34da6a3ce929d0e0e4736"}}
{"@timestamp":"2026-01-14T14:00:02Z","log.level":"info","message":"charge ok for ada.l@example.com","service":{"name":"payment","version":"2.3.0"},"user":{"id":"u2"},"http":{"status":200}}
{"@timestamp":"2026-01-14T14:10:00Z","log.level":"error","message":"pool exhausted (size=10, waiting=9)","service":{"name":"payment","version":"2.3.1"},"user":{"id":"u1"},"http":{"status":503}}
{"message":"without a time","service":{"name":"payment"}}
"#;
const TEXT: &str = "2026-01-14 14:00:03,000 ERROR [main] c.e.Foo [trace_id=4bf92f3577b34da6a3ce929d0e0e4736] - boom\n\tat c.e.Foo.bar(Foo.java:1)\n\
                    2026-01-14 14:20:00,000 WARN [main] c.e.Foo - slow\n";
const FLUENT_BIT: &str = r#"{"time":"2026-01-14T14:00:04.9Z","log":"{\"level\":\"warn\",\"msg\":\"retrying\",\"service\":\"cart\"}\n","stream":"stdout"}
"#;

fn written(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("logs")).unwrap();
    fs::write(root.path().join("snapshot.toml"), MANIFEST).unwrap();
    for (name, text) in files {
        fs::write(root.path().join(name), text).unwrap();
    }
    root
}

fn recording(files: &[(&str, &str)]) -> Recording {
    let root = written(files);
    let recording = opened(root.path());
    // read before the directory goes away
    recording.held.loaded().unwrap();
    recording
}

fn opened(root: &Path) -> Recording {
    Recording::new(Arc::new(Snapshot::open(root).unwrap()), BTreeMap::new())
}

fn all() -> Recording {
    recording(&[("logs/payment.ndjson", ECS), ("logs/search.log", TEXT), ("logs/fluent.ndjson", FLUENT_BIT)])
}

fn context() -> Context {
    Context::for_test("2026-01-14T15:00:00Z".parse().unwrap())
}

fn search(text: &str, conditions: Vec<Condition>) -> Search {
    let window =
        TimeRange::new("2026-01-14T14:00:00Z".parse().unwrap(), "2026-01-14T15:00:00Z".parse().unwrap())
            .unwrap();
    Search { window, text: (!text.is_empty()).then(|| text.to_owned()), conditions }
}

async fn count(text: &str, conditions: Vec<Condition>) -> u64 {
    let (recording, cx) = (all(), context());
    let search = search(text, conditions);
    let reply = recording.total(&cx, &search).await.unwrap();
    assert!(reply.partial.contains(&"1 recorded records have no time and are in no window".to_owned()));
    reply.value.number()
}

#[tokio::test]
async fn records_are_found_by_text_and_by_conditions() {
    let is = |role, value: &str| Condition::Is(role, value.to_owned());
    let like = |parts: &[&str]| {
        Condition::Like(Like { fragments: parts.iter().map(|part| (*part).to_owned()).collect() })
    };
    for (text, conditions, expected) in [
        ("", vec![], 6),
        ("pool exhausted", vec![], 2),
        ("\"waiting 7\"", vec![], 1),
        ("boom OR retrying", vec![], 2),
        ("http.status:[500 TO 599]", vec![], 1),
        ("service.name:payment AND NOT exhausted", vec![], 1),
        ("user.id:u1", vec![], 2),
        ("4bf92f3577b34da6a3ce929d0e0e4736", vec![], 1),
        ("", vec![is(Role::Service, "PAYMENT")], 3),
        ("", vec![is(Role::Service, "search")], 2),
        ("", vec![is(Role::Service, "cart")], 1),
        ("", vec![is(Role::Service, "pay")], 0),
        ("", vec![is(Role::Level, "warning")], 2),
        ("", vec![is(Role::Level, "nonsense")], 0),
        ("", vec![Condition::AtLeast(Level::Error)], 3),
        ("", vec![Condition::AtLeast(Level::Warn)], 5),
        ("", vec![is(Role::Trace, "4bf92f3577b34da6a3ce929d0e0e4736")], 2),
        ("", vec![Condition::Field("user.id".to_owned(), "u1".to_owned())], 2),
        ("", vec![like(&["pool exhausted (size=", ", waiting="])], 2),
        ("", vec![like(&["waiting=", "pool"])], 0),
        ("", vec![Condition::Any(vec![is(Role::Service, "cart"), is(Role::Service, "search")])], 3),
        ("", vec![Condition::Any(vec![])], 0),
        ("", vec![Condition::All(vec![is(Role::Service, "payment"), like(&["pool exhausted"])])], 2),
        ("", vec![Condition::All(vec![is(Role::Service, "cart"), like(&["pool exhausted"])])], 0),
        ("", vec![Condition::All(vec![])], 6),
        ("", vec![Condition::Not(Box::new(like(&["pool exhausted"])))], 4),
        ("boom", vec![Condition::Not(Box::new(like(&["pool exhausted"])))], 1),
        ("", vec![Condition::Not(Box::new(Condition::Any(vec![like(&["pool"]), like(&["boom"])])))], 3),
    ] {
        assert_eq!(count(text, conditions.clone()).await, expected, "{text} {conditions:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// What none of the patterns finds is each record but those that one of them finds, by another reading of them.
    #[test]
    fn records_of_no_pattern_are_all_but_those_of_any(
        says in prop::collection::vec("(pool|cart|bank) (is|was) (slow|down|full)( [0-9]{1,2})?", 1..30),
        fragments in prop::collection::vec(prop::collection::vec("(pool|is|down|cart was|slow)", 1..3), 0..4),
    ) {
        let line = |(second, text): (usize, &String)| {
            format!("{{\"@timestamp\":\"2026-01-14T14:00:{second:02}Z\",\"message\":\"{text}\"}}\n")
        };
        let text: String = says.iter().enumerate().map(line).collect();
        let recording = recording(&[("logs/all.ndjson", &text)]);
        let likes = fragments.iter().map(|fragments| Condition::Like(Like { fragments: fragments.clone() }));
        let none = Condition::Not(Box::new(Condition::Any(likes.collect())));
        let holds = |text: &str, fragments: &[String]| {
            let mut rest = Some(text);
            for part in fragments {
                rest = rest.and_then(|rest| rest.split_once(part.as_str())).map(|(_, rest)| rest);
            }
            rest.is_some()
        };
        let is_left = |text: &&String| !fragments.iter().any(|fragments| holds(text, fragments));
        let expected: Vec<&String> = says.iter().filter(is_left).collect();
        let one = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let page = Page { limit: 100, oldest_first: true, after: None };
        let read = one.block_on(recording.page(&context(), &search("", vec![none]), &page)).unwrap().value.records;
        prop_assert_eq!(read.iter().map(|record| record.message.inside()).collect::<Vec<_>>(), expected);
    }
}

#[tokio::test]
async fn a_query_outside_of_the_subset_says_where_and_what_instead() {
    let (recording, cx) = (all(), context());
    let error = recording.total(&cx, &search("pool AND /x/", vec![])).await.unwrap_err();
    assert_eq!(error.to_string(), "`query`: `/` begins a regular expression at character 10");
    assert_eq!(error.advice(), "quote it: \"/path/to\", or write \\/");
    let reply = recording.total(&cx, &search("nope:1", vec![])).await.unwrap();
    assert_eq!(reply.value, Total::Exactly(0));
    assert!(reply.partial.contains(&"no recorded record has a field nope".to_owned()), "{:?}", reply.partial);
}

#[tokio::test]
async fn pages_follow_each_other_and_belong_to_their_search() {
    let (recording, cx) = (all(), context());
    let everything = search("", vec![]);
    let mut page = Page { limit: 4, oldest_first: false, after: None };
    let first = recording.page(&cx, &everything, &page).await.unwrap().value;
    assert_eq!(
        (first.records.len(), first.total, first.method.as_str()),
        (4, Total::Exactly(6), "the newest 4")
    );
    assert_eq!(first.records[0].at, "2026-01-14T14:20:00Z".parse().ok());
    assert_eq!(first.records[2].message.inside(), "retrying");
    page.after = first.next;
    let second = recording.page(&cx, &everything, &page).await.unwrap().value;
    assert_eq!((second.records.len(), second.next, second.method.as_str()), (2, None, "the next 2"));
    assert_eq!(second.records[1].at, "2026-01-14T14:00:01Z".parse().ok());
    for (text, limit) in [("pool", page.after.clone()), ("", Some("nonsense".to_owned()))] {
        let wrong = Page { after: limit, ..page.clone() };
        let error = recording.page(&cx, &search(text, vec![]), &wrong).await.unwrap_err();
        assert!(error.to_string().starts_with("`cursor`: "), "{error}");
    }
}

#[tokio::test]
async fn what_is_returned_is_masked_and_a_token_finds_its_records_again() {
    let cx = context();
    let reply =
        all().page(&cx, &search("charge", vec![]), &Page { limit: 1, ..Page::default() }).await.unwrap();
    let record = &reply.value.records[0];
    assert!(record.message.inside().starts_with("charge ok for <email:"), "{:?}", record.message);
    assert!(record.document.fields.iter().all(|(_, value)| !value.inside().contains("ada.l")));
}

#[tokio::test]
async fn counts_are_true_and_in_order() {
    let (recording, cx) = (all(), context());
    let everything = search("", vec![]);
    let top = |key: Key| {
        let (recording, cx, everything) = (&recording, &cx, &everything);
        async move {
            let top = recording.top(cx, everything, &key, 2).await.unwrap().value;
            let values: Vec<(String, u64)> =
                top.values.iter().map(|group| (group.value.inside().to_owned(), group.count)).collect();
            (values, top.distinct, top.others, top.missing)
        }
    };
    let named = |values: &[(&str, u64)]| {
        values.iter().map(|(value, count)| ((*value).to_owned(), *count)).collect::<Vec<_>>()
    };
    assert_eq!(top(Key::Role(Role::Service)).await, (named(&[("payment", 3), ("search", 2)]), Some(3), 1, 0));
    assert_eq!(top(Key::Role(Role::Level)).await, (named(&[("error", 3), ("warn", 2)]), Some(3), 1, 0));
    assert_eq!(top(Key::Field("user.id".to_owned())).await, (named(&[("u1", 2), ("u2", 1)]), Some(2), 0, 3));

    let step = Duration::from_secs(600);
    let key = Key::Role(Role::Service);
    let counted = recording.histogram(&cx, &everything, step, Some((&key, 1))).await.unwrap().value;
    assert_eq!(counted.total, [4, 1, 1, 0, 0, 0]);
    assert_eq!(counted.by.len(), 1);
    assert_eq!((counted.by[0].0.inside(), &counted.by[0].1), ("payment", &vec![2, 1, 0, 0, 0, 0]));
    assert!(recording.histogram(&cx, &everything, Duration::from_nanos(1), None).await.is_err());
}

#[tokio::test]
async fn patterns_are_counted_with_where_and_when() {
    let like = |parts: &[&str]| Like { fragments: parts.iter().map(|part| (*part).to_owned()).collect() };
    let likes = [like(&["pool exhausted (size="]), like(&["never said"])];
    let tallies = all().tallies(&context(), &search("", vec![]), &likes).await.unwrap().value;
    assert_eq!((tallies[0].count, tallies[1].count), (2, 0));
    assert_eq!(tallies[0].first, "2026-01-14T14:00:01Z".parse().ok());
    assert_eq!(tallies[0].last, "2026-01-14T14:10:00Z".parse().ok());
    let versions = tallies[0].by.iter().find(|(role, _)| *role == Role::Version).unwrap();
    assert_eq!((versions.1.values[0].value.inside(), versions.1.values[0].count), ("2.3.1", 2));
}

#[tokio::test]
async fn sources_are_files_and_the_layout_is_told() {
    let (recording, cx) = (all(), context());
    let sources = recording.sources(&cx).await.unwrap().value;
    let told: Vec<_> =
        sources.iter().map(|source| (source.name.inside(), source.kind, source.records)).collect();
    assert_eq!(
        told,
        [
            ("logs/fluent.ndjson", "file", Some(1)),
            ("logs/payment.ndjson", "file", Some(4)),
            ("logs/search.log", "file", Some(2))
        ]
    );
    assert_eq!(sources[1].span.unwrap().1, "2026-01-14T14:10:00Z".parse().unwrap());
    let layout = recording.layout(&cx).await.unwrap().value;
    assert_eq!(layout.nested, ["log"]);
    assert_eq!(layout.of(Role::Service)[0].name, "service.name");
    let fresh = recording.freshness(&cx, &search("", vec![])).await.unwrap().value;
    assert_eq!((fresh.newest, fresh.lag_seconds), ("2026-01-14T14:20:00Z".parse().ok(), None));
}

#[tokio::test]
async fn a_broken_file_is_one_error_that_names_it() {
    let root = written(&[("logs/a.ndjson", "{}\n{\"a\":\n")]);
    let cx = context();
    let error = opened(root.path()).layout(&cx).await.unwrap_err();
    assert_eq!(error.to_string(), "snapshot \"a\": logs/a.ndjson line 2: is not a JSON object");
    assert_eq!(cx.trail.calls()[0].outcome, "recording");
}

/// Records that tell their level in fields, in words, in numbers, in JSON within text, and not at all.
const MIXED: &str = r#"{"@timestamp":"2026-01-14T14:00:00Z","log.level":"ERROR","message":"a"}
{"@timestamp":"2026-01-14T14:00:01Z","log.level":"info","message":"no error here"}
{"@timestamp":"2026-01-14T14:00:02Z","message":"no error here"}
{"@timestamp":"2026-01-14T14:00:03Z","message":"[ERROR] c"}
{"@timestamp":"2026-01-14T14:00:04Z","message":"level=warn msg=\"error budget\""}
{"@timestamp":"2026-01-14T14:00:05Z","severity":"unknown","message":"E0114 14:02:03.123456 1 s.go:12] d"}
{"@timestamp":"2026-01-14T14:00:06Z","severity_number":17,"message":"e"}
{"@timestamp":"2026-01-14T14:00:07Z","severity_number":9,"message":"FATAL in the text"}
{"@timestamp":"2026-01-14T14:00:08Z","log":"{\"level\":\"error\",\"msg\":\"f\"}"}
{"@timestamp":"2026-01-14T14:00:09Z","message":"panic: g"}
"#;

#[tokio::test]
async fn a_search_by_level_counts_the_records_that_are_read_with_it() {
    let (recording, cx) = (recording(&[("logs/mixed.ndjson", MIXED)]), context());
    // By hand, in the order of the records.
    let levels = [
        Some(Level::Error),
        Some(Level::Info),
        None,
        Some(Level::Error),
        Some(Level::Warn),
        Some(Level::Error),
        Some(Level::Error),
        Some(Level::Info),
        Some(Level::Error),
        Some(Level::Fatal),
    ];
    let all = Page { limit: 100, oldest_first: true, after: None };
    let read = recording.page(&cx, &search("", vec![]), &all).await.unwrap().value.records;
    assert_eq!(read.iter().map(|record| record.level).collect::<Vec<_>>(), levels);
    for least in Level::ALL {
        let search = search("", vec![Condition::AtLeast(least)]);
        let counted = recording.total(&cx, &search).await.unwrap().value.number();
        let expected = levels.iter().flatten().filter(|level| **level >= least).count();
        assert_eq!(counted, expected as u64, "{least:?}");
    }
    assert!(!recording.guesses_levels());
    let untold = recording.total(&cx, &search("", vec![Condition::Untold])).await.unwrap().value;
    // One of the five has its level in a document within its text.
    assert_eq!(untold.number(), 5);
}

#[tokio::test]
async fn a_document_that_names_no_service_has_that_of_its_file() {
    let kubectl = "2026-01-14T14:00:01.123456789Z {\"level\":\"error\",\"msg\":\"boom\"}\n\
                   2026-01-14T14:00:02.123456789Z {\"level\":\"info\",\"msg\":\"ok\",\"service\":\"cart\"}\n";
    let prefixed = "[pod/web-1/web] 2026-01-14T14:00:03.123456789Z {\"msg\":\"hi\"}\n";
    let orders = "{\"@timestamp\":\"2026-01-14T14:00:04Z\",\"message\":\"placed\"}\n";
    let nested = "{\"@timestamp\":\"2026-01-14T14:00:04Z\",\"message\":\"x\",\"log\":\"{\\\"service\\\":\\\"tax\\\"}\"}\n";
    // Of many services: whose the second record is can't be told.
    let dump = "{\"@timestamp\":\"2026-01-14T14:00:05Z\",\"message\":\"a\",\"service\":{\"name\":\"search\"}}\n\
                {\"@timestamp\":\"2026-01-14T14:00:06Z\",\"message\":\"b\"}\n";
    let recording = recording(&[
        ("logs/payment-6d9f8c7b54-x2x4p.log", kubectl),
        ("logs/all.log", prefixed),
        ("logs/orders.ndjson", orders),
        ("logs/nested.ndjson", nested),
        ("logs/dump.ndjson", dump),
    ]);
    let everything = search("", vec![]);
    let top = recording.top(&context(), &everything, &Key::Role(Role::Service), 10).await.unwrap().value;
    let services: Vec<(&str, u64)> =
        top.values.iter().map(|group| (group.value.inside(), group.count)).collect();
    let expected = [("cart", 1), ("orders", 1), ("payment", 1), ("search", 1), ("tax", 1), ("web", 1)];
    assert_eq!((services.as_slice(), top.missing), (expected.as_slice(), 1));
}

#[tokio::test]
async fn check_looks_for_times_where_the_server_does() {
    let configured = BTreeMap::from([("time".to_owned(), vec!["born".to_owned()])]);
    for (document, fields) in [
        ("{\"born\":\"2026-01-14T14:00:00Z\",\"msg\":\"x\"}\n", configured),
        ("{\"json\":{\"time\":\"2026-01-14T14:00:00Z\"},\"msg\":\"x\"}\n", BTreeMap::new()),
    ] {
        let root = written(&[("logs/a.ndjson", document)]);
        let recording = Recording::new(Arc::new(Snapshot::open(root.path()).unwrap()), fields);
        let lines = RecordingProbe(Arc::new(recording)).check(&context()).await;
        let of_logs = lines.iter().find(|line| line.subject.ends_with("logs (logs-mcp)")).unwrap();
        let reach = "1 record of 1 file from 2026-01-14T14:00:00Z to 2026-01-14T14:00:00Z";
        assert!(of_logs.works && of_logs.found.starts_with(reach), "{of_logs:?}");
    }
}
