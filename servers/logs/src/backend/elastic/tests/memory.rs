//! How much memory answering takes: alone in its process, before an index `big` of a million records of 2 KB and one
//! `huge` of records of 5 MB, made by `load.py` beside the recorded replies. The figures are in docs/decisions.

use super::*;
use crate::model::Level;

/// The target, in KiB.
const MOST: u64 = 64 * 1024;

fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
#[ignore = "needs CLUSTER_URL with the indices of load.py"]
async fn no_answer_takes_more_than_64_mib() {
    let url = std::env::var("CLUSTER_URL").expect("CLUSTER_URL");
    let window = TimeRange::new(at("2026-01-14T12:00:00Z"), at("2026-01-14T14:00:00Z")).unwrap();
    let all = Search { window, text: None, conditions: vec![] };
    let errors = Search { conditions: vec![Condition::AtLeast(Level::Error)], ..all.clone() };
    let service = Key::Role(Role::Service);
    let likes = [Like { fragments: vec!["request ".to_owned(), " failed after ".to_owned()] }];
    let page = |limit: usize| Page { limit, oldest_first: true, after: None };
    let mut told = vec![("before", 0, peak())];
    let store = store_at(url.clone(), &["big"]);
    let cx = long_cx();
    let total = store.total(&cx, &all).await.unwrap().value;
    assert_eq!(total, Total::Exactly(1_000_000));
    told.push(("total", 1, peak()));
    let by = Some((&service, 7));
    let histogram = store.histogram(&cx, &all, Duration::from_secs(10), by).await.unwrap().value;
    told.push(("histogram", histogram.total.len(), peak()));
    // load.py: every 50th record is an error
    let tallies = store.tallies(&cx, &errors, &likes).await.unwrap().value;
    assert_eq!(tallies[0].count, 20_000);
    told.push(("tallies", tallies.len(), peak()));
    let records = store.page(&cx, &all, &page(1000)).await.unwrap().value.records.len();
    told.push(("page of 1,000", records, peak()));
    let records = store.sample(&cx, &all, 2000).await.unwrap().value.records.len();
    told.push(("sample of 2,000", records, peak()));
    let store = store_at(url, &["huge"]);
    let reply = store.page(&cx, &all, &page(20)).await.unwrap();
    told.push(("page of records of 5 MB", reply.value.records.len(), peak()));
    let reply = store.sample(&cx, &all, 5).await.unwrap();
    eprintln!("{:#?}", cx.trail.calls());
    told.push(("sample of records of 5 MB", reply.value.records.len(), peak()));
    eprintln!("{told:#?} {:?}", reply.partial);
    assert!(peak() <= MOST, "{told:?}");
}
