//! Real clusters of the testbed, loaded with the demo's logs as four shippers would store them. Whatever the layout, what
//! is counted must equal what is counted in the demo's own files. Beside the code, because a store's trait is no one
//! else's; `cargo xtask test-live` runs it.

#[path = "../../../../tests/live/cluster.rs"]
mod cluster;
#[path = "../../../../tests/live/lines.rs"]
mod lines;
#[path = "../../../../tests/live/shipped.rs"]
mod shipped;

use std::{collections::BTreeMap, collections::BTreeSet};

use contract::Untrusted;

use super::*;
use crate::model::{Group, Level};
use cluster::Cluster;
use lines::{Line, lines};
use shipped::Shipped;

/// Records from the beginning of which pages are read.
const PAGES: usize = 3;
const PAGE: usize = 400;

#[tokio::test]
#[ignore = "needs the testbed"]
async fn opensearch_counts_what_the_files_hold() {
    counts_what_the_files_hold("opensearch").await;
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn elasticsearch_8_counts_what_the_files_hold() {
    counts_what_the_files_hold("elasticsearch").await;
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn elasticsearch_7_counts_what_the_files_hold() {
    counts_what_the_files_hold("elasticsearch7").await;
}

async fn counts_what_the_files_hold(system: &str) {
    let cluster = Cluster::alone(system).await;
    let lines = lines();
    assert!((10_000..80_000).contains(&lines.len()), "{}", lines.len());
    for shipped in Shipped::ALL {
        let index = shipped.load(&cluster, &lines).await;
        let case = Case {
            store: store_at(cluster.url.clone(), &[&index]),
            cx: long_cx(),
            lines: &lines,
            name: format!("{system}, {shipped:?}"),
            names_pods: shipped.names_pods(),
        };
        case.totals().await;
        case.over_time().await;
        case.values().await;
        case.pages().await;
        case.samples().await;
        case.patterns().await;
        case.lag_and_sources(&index).await;
        assert!(case.cx.trail.calls().iter().all(|call| call.outcome == "ok"), "{:?}", case.cx.trail.calls());
    }
    same_words(&cluster, &lines).await;
    traces_in_text(&cluster).await;
}

/// How bad a line is.
fn bad(line: &Line) -> Level {
    Level::parse(&line.level).unwrap()
}

fn search_in(conditions: Vec<Condition>) -> Search {
    Search { window: lines::window(), text: None, conditions }
}

struct Case<'a> {
    store: Elastic,
    cx: Context,
    lines: &'a [Line],
    name: String,
    names_pods: bool,
}

impl Case<'_> {
    fn count(&self, holds: impl Fn(&Line) -> bool) -> u64 {
        self.lines.iter().filter(|line| holds(line)).count() as u64
    }

    async fn total(&self, search: &Search) -> u64 {
        let reply = self.store.total(&self.cx, search).await.unwrap();
        assert!(reply.partial.is_empty(), "{}: {:?}", self.name, reply.partial);
        let Total::Exactly(number) = reply.value else { panic!("{}: {:?}", self.name, reply.value) };
        number
    }

    async fn totals(&self) {
        let name = &self.name;
        assert_eq!(self.total(&search_in(vec![])).await, self.lines.len() as u64, "{name}");
        for level in [Level::Info, Level::Warn, Level::Error, Level::Fatal] {
            let expected = self.count(|line| bad(line) >= level);
            assert_eq!(
                self.total(&search_in(vec![Condition::AtLeast(level)])).await,
                expected,
                "{name} {level:?}"
            );
        }
        let payment = Condition::Is(Role::Service, "PAYMENT".to_owned());
        let of_payment = self.count(|line| line.service == "payment");
        assert_eq!(self.total(&search_in(vec![payment])).await, of_payment, "{name}");
        let trace = self.lines.iter().find_map(|line| line.trace.clone()).unwrap();
        let expected = self.count(|line| line.trace.as_ref() == Some(&trace));
        assert_eq!(self.total(&search_in(vec![Condition::Is(Role::Trace, trace)])).await, expected, "{name}");
        for (text, holds) in [
            ("failed", &(|line: &Line| line.says("failed")) as &dyn Fn(&Line) -> bool),
            ("failed AND NOT order", &|line| line.says("failed") && !line.says("order")),
            ("\"answered with an error\"", &|line| line.message.contains("answered with an error")),
        ] {
            let search = Search { text: Some(text.to_owned()), ..search_in(vec![]) };
            let expected = self.count(holds);
            assert!(expected > 0, "{text}");
            assert_eq!(self.total(&search).await, expected, "{name} {text}");
        }
    }

    async fn over_time(&self) {
        let key = Key::Role(Role::Service);
        let by = Some((&key, 3));
        let step = Duration::from_secs(60);
        let search = search_in(vec![Condition::AtLeast(Level::Error)]);
        let histogram = self.store.histogram(&self.cx, &search, step, by).await.unwrap().value;
        let start = lines::window().start().as_millisecond();
        let counted = |holds: &dyn Fn(&Line) -> bool| {
            let mut counts = vec![0; histogram.total.len()];
            for line in self.lines.iter().filter(|line| bad(line) >= Level::Error && holds(line)) {
                counts[usize::try_from((line.at.as_millisecond() - start) / 60_000).unwrap()] += 1;
            }
            counts
        };
        assert_eq!(histogram.total, counted(&|_| true), "{}", self.name);
        assert_eq!(histogram.by.len(), 3);
        for (service, counts) in &histogram.by {
            assert_eq!(
                counts,
                &counted(&|line| line.service == service.inside()),
                "{} {service:?}",
                self.name
            );
        }
    }

    async fn values(&self) {
        let told = |groups: &[Group]| -> BTreeMap<String, u64> {
            groups.iter().map(|group| (group.value.inside().to_owned(), group.count)).collect()
        };
        for (role, of) in [
            (Role::Service, &(|line: &Line| line.service.clone()) as &dyn Fn(&Line) -> String),
            (Role::Host, &|line| line.host.clone()),
            (Role::Pod, &|line| line.pod.clone()),
        ] {
            if role == Role::Pod && !self.names_pods {
                continue;
            }
            let top = self.store.top(&self.cx, &search_in(vec![]), &Key::Role(role), 50).await.unwrap().value;
            let mut expected: BTreeMap<String, u64> = BTreeMap::new();
            self.lines.iter().for_each(|line| *expected.entry(of(line)).or_default() += 1);
            assert_eq!(told(&top.values), expected, "{} {role:?}", self.name);
            assert_eq!((top.distinct, top.others, top.missing), (Some(expected.len() as u64), 0, 0));
            assert!(top.values.is_sorted_by(|a, b| a.count >= b.count));
        }
    }

    async fn pages(&self) {
        let search = search_in(vec![]);
        let (mut after, mut read) = (None, Vec::new());
        for _ in 0..PAGES {
            let page = Page { limit: PAGE, oldest_first: true, after: after.take() };
            let sample = self.store.page(&self.cx, &search, &page).await.unwrap().value;
            after = sample.next;
            read.extend(sample.records);
        }
        let times: Vec<Option<Timestamp>> = read.iter().map(|record| record.at).collect();
        let expected: Vec<Option<Timestamp>> =
            self.lines.iter().take(PAGES * PAGE).map(|line| Some(line.at)).collect();
        assert_eq!(times, expected, "{}", self.name);
        let ids: BTreeSet<&str> = read.iter().map(|record| record.document.id.as_str()).collect();
        assert_eq!(ids.len(), PAGES * PAGE, "{}", self.name);
        for record in &read {
            let line = &self.lines[record.document.id.parse::<usize>().unwrap()];
            let inside = |value: &Option<Untrusted>| value.as_ref().map(|value| value.inside().to_owned());
            assert_eq!(
                (record.at, record.level),
                (Some(line.at), Some(bad(line))),
                "{} {record:?}",
                self.name
            );
            assert_eq!(inside(&record.service), Some(line.service.clone()), "{} {record:?}", self.name);
            assert_eq!(inside(&record.trace), line.trace, "{} {record:?}", self.name);
            if !record.message.inside().contains('<') {
                assert!(record.message.inside().starts_with(&line.message), "{} {record:?}", self.name);
            }
        }
    }

    async fn samples(&self) {
        let search = search_in(vec![]);
        let first = self.store.sample(&self.cx, &search, 500).await.unwrap().value;
        let again = self.store.sample(&self.cx, &search, 500).await.unwrap().value;
        assert_eq!(first, again, "{}", self.name);
        assert_eq!(
            (first.records.len(), first.total),
            (500, Total::Exactly(self.lines.len() as u64)),
            "{}",
            self.name
        );
        let quarter = lines::window().seconds() / 4.0;
        for place in 0..4_u8 {
            let from =
                lines::window().start() + jiff::SignedDuration::from_secs_f64(quarter * f64::from(place));
            let to = from + jiff::SignedDuration::from_secs_f64(quarter);
            let within = first
                .records
                .iter()
                .filter(|record| record.at.is_some_and(|at| (from..to).contains(&at)))
                .count();
            assert!((100..=150).contains(&within), "{} {place} {within}", self.name);
        }
    }

    async fn patterns(&self) {
        let like = |fragments: &[&str]| Like {
            fragments: fragments.iter().map(|text| (*text).to_owned()).collect(),
        };
        let likes = [
            like(&["upstream ", " failed after ", " ms: "]),
            like(&["place order ", " failed: "]),
            like(&["nobody says this"]),
        ];
        let holds: [&dyn Fn(&Line) -> bool; 3] = [
            &|line| line.message.contains("upstream ") && line.message.contains(" failed after "),
            &|line| line.message.contains("place order ") && line.message.contains(" failed: "),
            &|_| false,
        ];
        let tallies = self.store.tallies(&self.cx, &search_in(vec![]), &likes).await.unwrap().value;
        for ((tally, like), holds) in tallies.iter().zip(&likes).zip(holds) {
            let mut of_pattern = self.lines.iter().filter(|line| holds(line));
            let (first, last) =
                (of_pattern.next().map(|line| line.at), of_pattern.next_back().map(|line| line.at));
            assert_eq!(tally.count, self.count(holds), "{} {like:?}", self.name);
            assert_eq!((tally.first, tally.last), (first, last), "{} {like:?}", self.name);
            for line in self.lines.iter().step_by(7) {
                assert_eq!(self.store.finds(like, &line.message), holds(line), "{like:?} {}", line.message);
            }
        }
        assert!(tallies[0].count > 0 && tallies[1].count > 0);
    }

    async fn lag_and_sources(&self, index: &str) {
        let newest = self.store.freshness(&self.cx, &search_in(vec![])).await.unwrap().value.newest;
        assert_eq!(newest, self.lines.last().map(|line| line.at), "{}", self.name);
        let sources = self.store.sources(&self.cx).await.unwrap();
        let [source] = sources.value.as_slice() else { panic!("{:?}", sources.value) };
        assert_eq!(
            (source.name.inside(), source.records),
            (index, Some(self.lines.len() as u64)),
            "{}",
            self.name
        );
        let ends = self.lines.first().zip(self.lines.last()).map(|(first, last)| (first.at, last.at));
        assert_eq!(source.span, ends, "{}", self.name);
    }
}

/// What we take for words is what the cluster does.
async fn same_words(cluster: &Cluster, lines: &[Line]) {
    for line in lines.iter().step_by(lines.len() / 300) {
        let text = format!("{} {}", line.message, line.thrown.as_ref().map_or("", |[_, _, stack]| stack));
        let body = json!({ "analyzer": "standard", "text": text });
        let reply = cluster.send("POST", "/_analyze?filter_path=tokens.token", body).await;
        let tokens = reply["tokens"].as_array().unwrap().iter().map(|token| token["token"].as_str().unwrap());
        let words: Vec<String> = lucene::words(&text).map(str::to_lowercase).collect();
        assert_eq!(words, tokens.collect::<Vec<_>>(), "{text}");
    }
}

/// A trace id stands in its field, else in the message; a message that quotes it tells nothing where a field tells another.
async fn traces_in_text(cluster: &Cluster) {
    let (id, other) = ("4bf92f3577b34da6a3ce929d0e0e4736", "0af7651916cd43dd8448eb211c80319c");
    let record = |message: String, trace: Option<&str>| {
        let trace = trace.map(|id| json!({ "id": id }));
        json!({ "@timestamp": lines::window().start().to_string(), "message": message, "trace": trace })
    };
    let records = [
        record("charged".to_owned(), Some(id)),
        record(format!("refused trace_id={id}"), None),
        record(format!("ERROR [{id}] refused"), None),
        record(format!("retried {id}"), Some(other)),
    ];
    let mappings = json!({ "mappings": { "properties": { "@timestamp": { "type": "date" } } } });
    cluster.fresh_index("live-traces", mappings).await;
    cluster.store("live-traces", records.into_iter()).await;
    let store = store_at(cluster.url.clone(), &["live-traces"]);
    let search = search_in(vec![Condition::Is(Role::Trace, id.to_owned())]);
    assert_eq!(store.total(&long_cx(), &search).await.unwrap().value, Total::Exactly(3));
}
