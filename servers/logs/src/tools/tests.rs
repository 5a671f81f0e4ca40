//! Where tools compute: over a store that answers at once, so that whatever takes time is the tool's own work.

use std::{
    pin::pin,
    sync::{Arc, mpsc},
    thread::{self, ThreadId},
    time::Duration,
};

use contract::{Context, Tool};
use futures_util::poll;
use jiff::Timestamp;
use runtime::Aliases;
use serde_json::{Value, json};

use super::*;
use crate::{
    backend::{Asking, Logs},
    model::{
        Document, Freshness, Histogram, Key, Layout, Level, Like, LogSource, Page, Record, Reply, Sample,
        Search, Tally, Top, Total,
    },
};

/// Three hundred errors of one service, no two alike, of more that were not read.
struct Ready {
    records: Vec<Record>,
    /// The thread that serves calls.
    serving: ThreadId,
}

impl Ready {
    fn over(cx: &Context) -> Ready {
        let word = |number: i64| {
            let letter = |place: i64| char::from(b'a' + u8::try_from(number / place % 26).unwrap());
            format!("{}{}{}", letter(1), letter(26), letter(7))
        };
        let record = |number: i64| Record {
            at: Some(cx.now - Duration::from_secs(3_000 - u64::try_from(number).unwrap())),
            ingested: None,
            level: Some(Level::Error),
            service: Some(cx.intake.text("one")),
            version: None,
            place: None,
            host: None,
            trace: None,
            message: cx.intake.text(&format!(
                "{} gave {number} up on {} after 17 s\n\tat shop.Cart.pay(Cart.java:{number})",
                word(number),
                word(number * 31 + 5)
            )),
            said: None,
            weight: 1.0,
            document: Document::default(),
        };
        Ready { records: (0..300).map(record).collect(), serving: thread::current().id() }
    }

    fn sample(&self) -> Sample {
        let method = "some".to_owned();
        Sample { records: self.records.clone(), total: Total::AtLeast(9_000), method, next: None }
    }
}

fn ready<'a, T: Send + 'a>(value: T) -> Asking<'a, T> {
    Box::pin(async { Ok(Reply { value, sent: String::new(), partial: Vec::new() }) })
}

impl Logs for Ready {
    fn name(&self) -> &'static str {
        "ready"
    }

    fn system(&self) -> &'static str {
        "ready"
    }

    fn language(&self) -> &'static str {
        "Lucene"
    }

    fn guesses_levels(&self) -> bool {
        false
    }

    fn is_live(&self) -> bool {
        true
    }

    fn link(&self, _: &Search) -> Option<String> {
        None
    }

    fn sources<'a>(&'a self, _: &'a Context) -> Asking<'a, Vec<LogSource>> {
        ready(Vec::new())
    }

    fn layout<'a>(&'a self, _: &'a Context) -> Asking<'a, Arc<Layout>> {
        ready(Arc::default())
    }

    fn total<'a>(&'a self, _: &'a Context, _: &'a Search) -> Asking<'a, Total> {
        ready(Total::Exactly(9_000))
    }

    fn histogram<'a>(
        &'a self,
        cx: &'a Context,
        search: &'a Search,
        step: Duration,
        _: Option<(&'a Key, usize)>,
    ) -> Asking<'a, Histogram> {
        let steps = (search.window.seconds() / step.as_secs_f64()).ceil() as usize;
        let of_service = |number| (cx.intake.text(&format!("svc-{number}")), vec![2; steps]);
        ready(Histogram { step, total: vec![100; steps], by: (0..50).map(of_service).collect() })
    }

    fn top<'a>(&'a self, _: &'a Context, _: &'a Search, _: &'a Key, _: usize) -> Asking<'a, Top> {
        ready(Top { values: Vec::new(), distinct: Some(0), estimated: false, others: 0, missing: 9_000 })
    }

    fn page<'a>(&'a self, _: &'a Context, _: &'a Search, _: &'a Page) -> Asking<'a, Sample> {
        ready(self.sample())
    }

    fn sample<'a>(&'a self, _: &'a Context, search: &'a Search, _: usize) -> Asking<'a, Sample> {
        let holds = |record: &&Record| {
            record.at.is_some_and(|at| search.window.start() <= at && at < search.window.end())
        };
        let records = self.records.iter().filter(holds).cloned().collect();
        ready(Sample { records, ..self.sample() })
    }

    fn tallies<'a>(&'a self, _: &'a Context, _: &'a Search, _: &'a [Like]) -> Asking<'a, Vec<Tally>> {
        ready(Vec::new())
    }

    fn finds(&self, like: &Like, message: &str) -> bool {
        assert_ne!(thread::current().id(), self.serving, "filters are tried where calls are served");
        like.fragments.iter().all(|part| message.contains(part))
    }

    fn freshness<'a>(&'a self, _: &'a Context, _: &'a Search) -> Asking<'a, Freshness> {
        ready(Freshness::default())
    }
}

/// The store never lets a call wait, so a call that is not answered at once computes elsewhere, and a deadline strikes
/// meanwhile.
async fn computes_elsewhere<T: Tool>(tool: impl FnOnce(Arc<Sources>) -> T, arguments: Value) {
    let cx = Context::for_test("2026-01-14T15:00:00Z".parse::<Timestamp>().unwrap());
    let store: Arc<dyn Logs> = Arc::new(Ready::over(&cx));
    let tool = tool(Arc::new(Sources::new(vec![store], Aliases::default())));
    let request = serde_json::from_value(arguments).unwrap();
    // The only thread for computing is taken until the call was asked once, so nothing can be ready by then.
    let (free, taken) = mpsc::channel::<()>();
    let taking = tokio::task::spawn_blocking(move || taken.recv());
    let mut answer = pin!(tool.answer(&cx, request));
    assert!(poll!(answer.as_mut()).is_pending(), "{}", T::CARD.name);
    free.send(()).unwrap();
    answer.await.unwrap();
    taking.await.unwrap().unwrap();
}

#[test]
fn no_tool_computes_where_calls_are_served() {
    let one = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).enable_all().build();
    one.unwrap().block_on(every_heavy_tool());
}

async fn every_heavy_tool() {
    let moment = json!({"timestamp": "2026-01-14T14:12:00Z"});
    computes_elsewhere(|sources| correlate_logs_with_time::CorrelateLogsWithTime { sources }, moment).await;
    let all = json!({"error_query": "*"});
    computes_elsewhere(|sources| extract_stack_traces::ExtractStackTraces { sources }, all).await;
    computes_elsewhere(|sources| get_error_patterns::GetErrorPatterns { sources }, json!({})).await;
    computes_elsewhere(|sources| get_log_volume_anomalies::GetLogVolumeAnomalies { sources }, json!({}))
        .await;
}
