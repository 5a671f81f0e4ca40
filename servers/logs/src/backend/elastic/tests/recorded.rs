//! What the clusters answered about `documents.ndjson`, of which the expected values are counted by hand.

use contract::Untrusted;

use super::*;
use crate::model::{Group, Level};

fn told(groups: &[Group]) -> Vec<(&str, u64)> {
    groups.iter().map(|group| (group.value.inside(), group.count)).collect()
}

fn inside(value: Option<&Untrusted>) -> Option<&str> {
    value.map(Untrusted::inside)
}

#[tokio::test]
async fn fields_are_found_in_two_indices_whose_mappings_disagree() {
    for system in SYSTEMS {
        let fake = Fake::over(system, &[]).await;
        let reply = fake.store.layout(&fake.cx).await.unwrap();
        let layout = &reply.value;
        let names =
            |role: Role| layout.of(role).iter().map(|chosen| chosen.name.as_str()).collect::<Vec<_>>();
        assert_eq!(names(Role::Time)[0], "@timestamp", "{system}");
        assert!(
            names(Role::Message).contains(&"message") && names(Role::Message).contains(&"log"),
            "{layout:?}"
        );
        assert!(names(Role::Service).contains(&"service.name"), "{layout:?}");
        assert!(names(Role::Service).contains(&"kubernetes.labels.app"), "{layout:?}");
        assert_eq!(names(Role::Level)[0], "log.level");
        assert_eq!(reply.partial, Vec::<String>::new());
        let (mapping, _) = fake.store.mapping(&fake.cx).await.unwrap();
        assert!(mapping.named("status").unwrap().conflict);
        fake.asked();
        // Kept: nothing more is asked.
        fake.store.layout(&fake.cx).await.unwrap();
        fake.asked();
    }
}

#[tokio::test]
async fn records_are_counted_by_level_whatever_the_layout() {
    for system in SYSTEMS {
        let fake = Fake::over(system, &["total"]).await;
        let reply =
            fake.store.total(&fake.cx, &search(vec![Condition::AtLeast(Level::Error)])).await.unwrap();
        // a2 a3 a4 a8 by their field; b1 by its words; not a5, whose level is warn though it says "no error"
        assert_eq!(reply.value, Total::Exactly(5), "{system}");
        assert!(reply.sent.starts_with("POST /logs-*/_search {\"size\":0,"), "{}", reply.sent);
        fake.asked();
    }
}

#[tokio::test]
async fn the_histogram_has_every_step_and_adds_up() {
    for system in SYSTEMS {
        let fake = Fake::over(system, &["histogram"]).await;
        let key = Key::Role(Role::Service);
        let by = Some((&key, 3));
        let reply =
            fake.store.histogram(&fake.cx, &search(vec![]), Duration::from_secs(60), by).await.unwrap();
        assert_eq!(reply.value.total, [1, 5, 1, 1, 1, 1, 0, 0, 0, 1], "{system}");
        let by: Vec<(&str, Vec<u64>)> =
            reply.value.by.iter().map(|(value, counts)| (value.inside(), counts.clone())).collect();
        assert_eq!(
            by,
            [
                ("payment", vec![0, 3, 0, 0, 0, 0, 0, 0, 0, 1]),
                ("checkout", vec![0, 2, 0, 0, 0, 1, 0, 0, 0, 0]),
                ("web", vec![1, 0, 1, 1, 0, 0, 0, 0, 0, 0]),
            ]
        );
        fake.asked();
    }
}

#[tokio::test]
async fn values_are_counted_over_both_fields_of_the_role() {
    for system in SYSTEMS {
        let fake = Fake::over(system, &["top"]).await;
        let reply = fake.store.top(&fake.cx, &search(vec![]), &Key::Role(Role::Service), 2).await.unwrap();
        assert_eq!(told(&reply.value.values), [("payment", 4), ("checkout", 3)], "{system}");
        assert_eq!((reply.value.others, reply.value.missing), (4, 0));
        fake.asked();
    }
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repetition() {
    for system in SYSTEMS {
        let names = ["page1", "page2", "page3"];
        let fake = Fake::over(system, &names).await;
        let search = search(vec![]);
        let mut ids = Vec::new();
        let mut after = None;
        for _ in names {
            let page = Page { limit: 4, oldest_first: true, after: after.take() };
            let sample = fake.store.page(&fake.cx, &search, &page).await.unwrap().value;
            assert_eq!(sample.total, Total::Exactly(11));
            ids.extend(sample.records.iter().map(|record| record.document.id.clone()));
            after = sample.next;
        }
        // Three records of the same moment lie on both sides of the first page's end.
        assert_eq!(ids, ["a1", "a2", "a3", "a4", "b1", "b2", "a5", "a6", "a7", "b3", "a8"], "{system}");
        assert_eq!(after, None);
        fake.asked();
    }
}

#[tokio::test]
async fn a_record_is_read_by_its_roles_and_masked() {
    for system in SYSTEMS {
        let fake = Fake::over(system, &["newest"]).await;
        let page = Page { limit: 5, oldest_first: false, after: None };
        let sample = fake.store.page(&fake.cx, &search(vec![]), &page).await.unwrap().value;
        assert_eq!(sample.method, "the newest 5");
        let [first, .., last] = sample.records.as_slice() else { panic!("{sample:?}") };
        assert_eq!(first.at, Some(at("2026-01-14T14:09:59.999Z")), "{system}");
        assert_eq!((first.level, inside(first.service.as_ref())), (Some(Level::Fatal), Some("payment")));
        assert_eq!(first.message.inside(), "out of memory");
        assert_eq!(last.message.inside(), "slow request, no error");
        let login = &sample.records[2];
        assert!(login.message.inside().starts_with("user <email:"), "{:?}", login.message);
        assert!(!format!("{login:?}").contains("hunter2"));
        fake.asked();
    }
}

#[tokio::test]
async fn a_sample_is_spread_over_the_window() {
    for system in SYSTEMS {
        let names = ["slice_counts", "slices"];
        let fake = Fake::over(system, &names).await;
        let reply = fake.store.sample(&fake.cx, &search(vec![]), 7).await.unwrap();
        assert_eq!(reply.value.total, Total::Exactly(11), "{system}");
        // 40 slices of 15 s, in eight of them are records: of seven one each.
        assert_eq!(reply.value.records.len(), 7);
        assert!(reply.value.records.is_sorted_by_key(|record| record.at));
        assert!(
            reply.value.method.starts_with("7 of 11: the first ones of each of 7 equal slices"),
            "{}",
            reply.value.method
        );
        fake.asked();
    }
}

#[tokio::test]
async fn patterns_are_counted_by_their_phrases() {
    for system in SYSTEMS {
        let fake = Fake::over(system, &["tallies"]).await;
        let like = |fragments: &[&str]| Like {
            fragments: fragments.iter().map(|text| (*text).to_owned()).collect(),
        };
        let likes = [
            like(&["could not acquire connection from pool ", " after ", " ms"]),
            like(&["deadline exceeded"]),
            like(&["connection acquire"]),
            like(&["cannot reach payment"]),
        ];
        let reply = fake.store.tallies(&fake.cx, &search(vec![]), &likes).await.unwrap();
        let counts: Vec<u64> = reply.value.iter().map(|tally| tally.count).collect();
        assert_eq!(counts, [2, 1, 0, 1], "{system}");
        let pool = &reply.value[0];
        assert_eq!(
            (pool.first, pool.last),
            (Some(at("2026-01-14T14:01:10.5Z")), Some(at("2026-01-14T14:01:10.5Z")))
        );
        let by =
            |role: Role| pool.by.iter().find(|(found, _)| *found == role).map(|(_, top)| told(&top.values));
        assert_eq!(by(Role::Service), Some(vec![("payment", 2)]));
        assert_eq!(by(Role::Level), Some(vec![("error", 2)]));
        assert_eq!(by(Role::Version), Some(vec![("2.3", 2)]));
        // The store finds with the same words what it would count.
        assert!(fake.store.finds(&likes[0], "could not acquire connection from pool p9 after 7 ms"));
        assert!(!fake.store.finds(&likes[2], "could not acquire connection from pool p9 after 7 ms"));
        fake.asked();
    }
}

#[tokio::test]
async fn freshness_is_told_in_seconds() {
    for system in SYSTEMS {
        let fake = Fake::over(system, &["freshness"]).await;
        let reply = fake.store.freshness(&fake.cx, &search(vec![])).await.unwrap();
        assert_eq!(reply.value.newest, Some(at("2026-01-14T14:09:59.999Z")), "{system}");
        // Lags of 1, 2, 2, 4, 1, 1 and 1 s, and one of 10 s that was stored after the window's end. 95 % of the way from the
        // first of seven to the last is 0.7 of that from 2 to 4; of eight it is 0.65 of that from 4 to 10.
        let (median, high) = reply.value.lag_seconds.unwrap();
        assert!((median - 1.0).abs() < 1e-9 && (high - 3.4).abs() < 1e-9, "{median} {high}");
        assert!((reply.value.newest_lag_seconds.unwrap() - 7.9).abs() < 1e-9, "{:?}", reply.value);
        fake.asked();
    }
}

#[tokio::test]
async fn indices_are_listed_with_records_size_and_span() {
    for system in SYSTEMS {
        // The mapping is asked for when the spans are.
        let names = ["resolve", "cat", "fields", "first", "recent", "each_index", "spans"];
        let fake = Fake::over_all(system, &names).await;
        let reply = fake.store.sources(&fake.cx).await.unwrap();
        fake.asked();
        assert_eq!(reply.partial, Vec::<String>::new(), "{system}");
        let told: Vec<_> = reply
            .value
            .iter()
            .map(|source| (source.name.inside(), source.kind, source.records, source.span))
            .collect();
        let span = |first: &str, last: &str| Some((at(first), at(last)));
        assert_eq!(
            told,
            [
                ("logs-a", "index", Some(8), span("2026-01-14T14:00:00Z", "2026-01-14T14:09:59.999Z")),
                ("logs-b", "index", Some(4), span("2026-01-14T13:59:59.999Z", "2026-01-14T14:05:00Z")),
            ]
        );
        assert!(reply.value.iter().all(|source| source.bytes.unwrap() > 1000));
        assert!(reply.value.iter().all(|source| inside(source.health.as_ref()) == Some("green")));
    }
}

#[tokio::test]
async fn a_text_that_is_no_query_is_the_callers_to_mend() {
    for system in SYSTEMS {
        let fake = Fake::over(system, &["syntax"]).await;
        let search = Search { text: Some("timeout AND (".to_owned()), ..search(vec![]) };
        let error = fake.store.total(&fake.cx, &search).await.unwrap_err();
        fake.asked();
        assert_eq!(error.kind(), contract::ErrorKind::InvalidArgument, "{error}");
        assert!(error.to_string().contains("line 1, column 13"), "{error}");
    }
}
