//! Arguments as they come from outside. `cargo xtask fuzz` runs these for longer.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail loudly")]

use contract::{Moment, TimeSpec, parse_duration, request, schema};
use schemars::JsonSchema;
use serde::Deserialize;
use testkit::fuzz::fuzz;

const TIMES: [&str; 14] = [
    "now",
    "now-",
    "/",
    "-",
    "1h",
    "30m",
    "7d",
    "2026-01-14T14:32:00Z",
    "+01:00",
    "1768401120",
    "99999999999999",
    "ms",
    "y",
    ".",
];

#[test]
fn fuzz_time_ranges() {
    let now = "2026-01-14T14:32:00Z".parse().unwrap();
    let seeds: [&[u8]; 5] = [
        b"1h",
        b"now-2h/now",
        b"2026-01-14T12:00:00Z/2026-01-14T14:00:00+02:00",
        b"1768401120/1768404720",
        b"1h30m",
    ];
    fuzz("time ranges", &seeds, &TIMES, |input| {
        let text = String::from_utf8_lossy(input);
        if let Ok(range) = text.parse::<TimeSpec>().and_then(|spec| spec.resolve(now)) {
            assert!(range.start() < range.end(), "{text}");
            assert!(range.seconds() > 0.0, "{text}");
            // What is shown can be given back.
            range.to_string().parse::<TimeSpec>().unwrap().resolve(now).unwrap();
        }
        let _ = text.parse::<Moment>().map(|moment| moment.resolve(now));
        let _ = parse_duration(&text);
    });
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only parsing is looked at")]
struct Request {
    /// An expression.
    promql: String,
    /// A window.
    time_range: Option<TimeSpec>,
    /// Rows.
    limit: Option<u32>,
    /// Names.
    names: Option<Vec<String>>,
}

#[test]
fn fuzz_arguments_of_a_call() {
    let schema = schema::input::<Request>();
    let seeds: [&[u8]; 3] = [
        br#"{"promql":"up","time_range":"1h","limit":5,"names":["a","b"]}"#,
        br#"{"promql":null,"limit":-1e300,"names":[[],{}]}"#,
        br#"{"promql":"\u0000","time_range":{}}"#,
    ];
    let words = ["\"promql\":", "\"limit\":", "1e999", "null", "{}", "[[[[", "\\u202e", "\"names\":"];
    fuzz("arguments", &seeds, &words, |input| {
        if let Ok(serde_json::Value::Object(arguments)) = serde_json::from_slice(input)
            && let Err(error) = request::parse::<Request>(&schema, arguments)
        {
            assert!(!error.to_string().is_empty());
        }
    });
}
