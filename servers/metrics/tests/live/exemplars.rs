//! Traces handed over from exemplars that a real Prometheus scraped: the ids are the load's, the slowest ones first.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    blocks,
    testbed::{Answer, Session, load_started, url, value},
};

/// Values by trace id of what Prometheus itself gives for the exemplars that an answer cites.
async fn cited_exemplars(answer: &Answer) -> BTreeMap<String, f64> {
    let evidence = answer.structured["evidence"].as_array().unwrap();
    let cited = evidence.iter().find_map(|one| {
        let query = one["query"].as_str()?.strip_prefix("/api/v1/query_exemplars query=")?;
        Some((query.to_owned(), one["window"].as_str()?.to_owned()))
    });
    let (query, window) = cited.unwrap_or_else(|| panic!("no exemplars are cited: {}", answer.text));
    let (start, end) = window.split_once('/').unwrap();
    let parameters = [("query", query.as_str()), ("start", start), ("end", end)];
    let reply = blocks::ask(&url("prometheus"), "query_exemplars", &parameters).await;
    let series = reply["data"].as_array().unwrap().iter();
    let all = series.flat_map(|one| one["exemplars"].as_array().unwrap());
    let one = |exemplar: &Value| {
        let id = exemplar["labels"]["trace_id"].as_str().unwrap().to_owned();
        (id, exemplar["value"].as_str().unwrap().parse().unwrap())
    };
    all.map(one).collect()
}

/// The ids that are handed to the traces server.
fn handed_over(answer: &Answer) -> Vec<String> {
    let next = answer.structured["next"].as_array().into_iter().flatten();
    let traces = next.filter(|one| one["server"] == "traces" && one["tool"] == "get_trace_details");
    traces.map(|one| one["arguments"]["trace_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn the_slowest_traces_that_prometheus_kept_are_handed_over() {
    // A minute of load, so that the rates exist.
    let full = load_started().await + 130.0;
    while value("prometheus", "vector(time())").await < full {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    let mut session = Session::start(&[("PROMETHEUS_URL", url("prometheus"))]).await;
    let quantile = "histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{service=\"payment\"}[1m])))";
    for (tool, arguments) in [
        ("query_metrics", json!({"promql": quantile, "time_range": "1m"})),
        ("query_metrics", json!({"promql": quantile, "time_range": "5m"})),
    ] {
        let answer = session.answer(tool, arguments).await;
        let (kept, told) = (cited_exemplars(&answer).await, handed_over(&answer));
        assert_eq!(told.len(), 2, "{}", answer.text);
        let mut values: Vec<f64> = kept.values().copied().collect();
        values.sort_by(|one, other| other.total_cmp(one));
        // The load makes each id of 128 bits; the two largest values that were kept, in order.
        for (place, id) in told.iter().enumerate() {
            assert_eq!(id.len(), 32);
            let own = kept.get(id).unwrap_or_else(|| panic!("{id} is none of the kept: {}", answer.text));
            assert!((own - values[place]).abs() < 1e-12, "{own}, not {}", values[place]);
        }
    }
    session.end().await;
}

/// This server's own `/metrics` and Alertmanager keep no exemplars: nothing is handed over, and nothing is said of it.
#[tokio::test]
#[ignore = "needs the testbed"]
async fn where_no_exemplars_were_kept_none_are_handed_over() {
    let mut session = Session::start(&[("PROMETHEUS_URL", url("prometheus"))]).await;
    let promql =
        "histogram_quantile(0.95, sum by (le) (rate(alertmanager_http_request_duration_seconds_bucket[1m])))";
    let answer = session.answer("query_metrics", json!({"promql": promql, "time_range": "5m"})).await;
    assert!(handed_over(&answer).is_empty() && !answer.text.contains("exemplar"), "{}", answer.text);
    session.end().await;
}
