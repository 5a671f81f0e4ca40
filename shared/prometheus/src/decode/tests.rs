use std::time::Instant;

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;
use upstream::UpstreamError;

use super::*;

fn reply(body: impl Into<Vec<u8>>) -> Reply {
    Reply {
        status: 200,
        content_type: "application/json".to_owned(),
        retry_after: None,
        body: body.into().into(),
    }
}

fn decoded(body: impl Into<Vec<u8>>) -> Result<QueryReply, Error> {
    query_reply(&Context::for_test(Timestamp::UNIX_EPOCH), "prometheus \"main\"", &reply(body))
}

fn result(result: &str) -> QueryReply {
    decoded(format!(r#"{{"status":"success","data":{{{result}}}}}"#)).unwrap()
}

fn problem(body: &str) -> String {
    match decoded(body) {
        Err(Error::Upstream(UpstreamError::Protocol { problem, .. })) => problem,
        other => panic!("{body}: {other:?}"),
    }
}

#[test]
fn numbers_may_be_json_numbers_and_fields_may_be_missing_unknown_or_null() {
    let reply = result(
        r#""resultType":"matrix","isNew":true,"result":[
            {"metric":{"__name__":"a"},"values":[[1700000000,1],[1700000000.25,"2"],[1700000001,null],[1700000002,3,"x"]]},
            {"metric":null,"values":[[1700000000,-0.5]]},
            {"values":[]},
            {"metric":{"b":"c"},"values":null,"extra":{"deep":[1,{"x":null}]}}]"#,
    );
    let Data::Matrix(series) = reply.data else { panic!() };
    let points =
        |place: usize| series[place].points.iter().map(|point| (point.at, point.value)).collect::<Vec<_>>();
    assert_eq!(points(0)[..2], [(1_700_000_000_000, 1.0), (1_700_000_000_250, 2.0)]);
    assert!(points(0)[2].1.is_nan(), "null is no zero");
    assert_eq!(points(0)[3], (1_700_000_002_000, 3.0));
    assert_eq!(points(1), [(1_700_000_000_000, -0.5)]);
    let texts: Vec<String> = series.iter().map(|series| series.labels.text()).collect();
    assert_eq!(texts, ["a", "{}", "{}", "{b=c}"]);
}

#[test]
fn the_fields_may_come_in_any_order() {
    let reply = result(r#""result":[{"value":[1700000000,"1"],"metric":{"a":"b"}}],"resultType":"vector""#);
    assert_eq!(reply.data.series()[0].labels.text(), "{a=b}");
}

#[test]
fn an_empty_result_is_empty_and_a_reply_without_a_result_is_an_error() {
    assert_eq!(result(r#""resultType":"vector","result":[]"#).data, Data::Vector(Vec::new()));
    assert_eq!(result(r#""resultType":"matrix","result":null"#).data, Data::Matrix(Vec::new()));
    assert!(problem(r#"{"status":"success","data":null}"#).contains("not in a form known"));
    assert!(problem(r#"{"status":"success"}"#).contains("not in a form known"));
    assert_eq!(problem("{}"), "the reply holds neither data nor an error");
    assert_eq!(problem(""), "the reply is empty");
    assert_eq!(problem("[1]"), "the reply is application/json, not a JSON object");
    let unknown = r#"{"status":"success","data":{"resultType":"tensor","result":[]}}"#;
    assert_eq!(problem(unknown), "the reply's result is tensor, and not in a form known for it");
}

#[test]
fn a_reply_that_was_cut_is_an_error_wherever_it_was_cut() {
    let whole = include_str!("../../tests/recorded/prometheus-3/query_vector.json").trim_end();
    assert!(decoded(whole).is_ok());
    for end in 1..whole.len() {
        let problem = problem(&whole[..end]);
        assert_eq!(problem, format!("the reply ends in the middle, after {end} bytes"));
    }
}

#[test]
fn bytes_that_are_no_utf_8_cost_only_themselves() {
    let mut body =
        br#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"x"#.to_vec();
    body.extend([0xFF, 0xFE]);
    body.extend(br#"y"},"value":[1700000000,"1"]}]}}"#);
    let reply = decoded(body).unwrap();
    let value = reply.data.series()[0].labels.get("a").unwrap().inside().to_owned();
    assert_eq!(value, "x\u{fffd}\u{fffd}y");
}

#[test]
fn broken_histograms_are_errors_not_empty_ones() {
    for histogram in [
        r#"[1700000000,{"count":"1","buckets":[[4,"0","1","1"]]}]"#,
        r#"[1700000000,{"count":"1","buckets":[[0,"0","1"]]}]"#,
        r#"[1700000000,{"sum":"1"}]"#,
        "[1700000000]",
    ] {
        let body = format!(
            r#"{{"status":"success","data":{{"resultType":"vector","result":[{{"metric":{{}},"histogram":{histogram}}}]}}}}"#
        );
        assert!(problem(&body).contains("JSON of another form than the API promises (line 1"), "{histogram}");
    }
}

#[test]
fn a_secret_in_a_label_is_masked_and_counted_once_for_the_whole_reply() {
    let cx = Context::for_test(Timestamp::UNIX_EPOCH);
    let series: Vec<_> = (0..50)
        .map(|place| json!({"metric": {"url": "password=hunter2hunter2", "n": place.to_string()}, "value": [0, "1"]}))
        .collect();
    let body = json!({"status": "success", "data": {"resultType": "vector", "result": series}});
    let decoded = query_reply(&cx, "prometheus \"main\"", &reply(body.to_string())).unwrap();
    assert_eq!(decoded.data.series().len(), 50);
    assert!(!format!("{decoded:?}").contains("hunter2"));
    assert_eq!(cx.intake.masked(), 1);
}

proptest! {
    /// Written by `serde_json`, whose writer knows nothing of our reader.
    #[test]
    fn what_was_written_is_read(
        labels in prop::collection::btree_map("[a-z é\"\\\\\n]{1,8}", "[a-z é\"\\\\\n\u{1}]{0,8}", 0..5),
        points in prop::collection::vec((0_i64..4_000_000_000_000, any::<f64>()), 0..20),
    ) {
        let values: Vec<_> = points.iter().map(|(at, value)| json!([*at as f64 / 1000.0, value.to_string()])).collect();
        let body = json!({"status": "success", "data": {"resultType": "matrix",
            "result": [{"metric": labels, "values": values}]}});
        let reply = decoded(body.to_string()).unwrap();
        let series = &reply.data.series()[0];
        let read: Vec<(&str, &str)> = series.labels.iter().map(|(name, value)| (name.inside(), value.inside())).collect();
        let written: Vec<(&str, &str)> = labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        prop_assert_eq!(read, written);
        let read: Vec<(i64, u64)> = series.points.iter().map(|point| (point.at, point.value.to_bits())).collect();
        let written: Vec<(i64, u64)> =
            points.iter().map(|(at, value)| (*at, if value.is_nan() { f64::NAN } else { *value }.to_bits())).collect();
        prop_assert_eq!(read, written);
    }
}

/// Prints how fast a range answer of the usual size decodes: 84 series of 1,441 points.
#[test]
#[ignore = "a measurement; run it with --release --nocapture"]
fn how_fast_a_large_matrix_decodes() {
    let mut state = 1_u64;
    let series: Vec<_> = (0..84)
        .map(|number| {
            let values: Vec<_> = (0..1441)
                .map(|place| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    json!([1_700_000_000 + 60 * place, ((state >> 11) as f64 / 1e14).to_string()])
                })
                .collect();
            json!({"metric": {"__name__": "http_requests", "service": "checkout", "pod": format!("p{number}")},
                "values": values})
        })
        .collect();
    let body = json!({"status": "success", "data": {"resultType": "matrix", "result": series}}).to_string();
    let reply = reply(body);
    let cx = Context::for_test(Timestamp::UNIX_EPOCH);
    let mut best = f64::INFINITY;
    for _ in 0..20 {
        let began = Instant::now();
        let decoded = query_reply(&cx, "prometheus \"main\"", &reply).unwrap();
        best = best.min(began.elapsed().as_secs_f64());
        assert_eq!(decoded.data.series().len(), 84);
    }
    let megabytes = reply.body.len() as f64 / 1e6;
    println!("{megabytes:.2} MB in {:.2} ms: {:.0} MB/s", best * 1e3, megabytes / best);
}

/// `cargo xtask fuzz` runs this for longer.
#[test]
fn fuzz_replies() {
    let recorded = |name: &str| {
        let path = format!("{}/../../testbed/recorded/prometheus-3/{name}.json", env!("CARGO_MANIFEST_DIR"));
        std::fs::read(path).unwrap()
    };
    let seeds =
        ["query_vector", "range_native_histogram", "query_error_parse", "query_infos", "query_string"]
            .map(recorded);
    let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
    let words = [
        "null",
        "[]",
        "{}",
        "\"metric\":",
        "\"histogram\":",
        "\"buckets\":",
        "\"values\":",
        "\"NaN\"",
        "1e999",
        "\"resultType\":\"matrix\"",
        "[[[[",
        "-9223372036854775808",
    ];
    testkit::fuzz::fuzz("prometheus replies", &seeds, &words, |input| {
        if let Ok(reply) = decoded(input) {
            assert!(reply.data.series().iter().all(|one| one.points.iter().all(|point| point.at < i64::MAX)));
        }
    });
}
