//! Queries as they come from outside, over a few series. `cargo xtask fuzz` runs this for longer.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use promql::{Options, Query, Selector, Store, evaluate_at, evaluate_over};
use testkit::fuzz::fuzz;

#[test]
fn fuzz_queries() {
    let series = [("web", 1.0), ("api", 2.0)].map(|(job, speed)| {
        let labels = [("__name__", "up"), ("job", job), ("le", "0.5")];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let times: Vec<i64> = (0..60).map(|minute| minute * 60_000).collect();
        let values = times.iter().map(|at| *at as f64 * speed).collect();
        (labels, times, values)
    });
    let store = Store::new(series).unwrap();
    let options =
        Options { max_samples: 100_000, max_reads: 1_000_000, max_steps: 1_000, ..Options::default() };
    let seeds: [&[u8]; 6] = [
        b"sum by (job) (rate(up{job=~\"w.*\"}[5m] offset 1m)) / on (job) group_left () up",
        b"max_over_time(rate(up[5m])[30m:1m] @ 1800)",
        b"histogram_quantile(0.9, up) or absent(x) unless vector(1) > bool 2",
        b"label_replace(up, \"a\", \"$1\", \"job\", \"(.*)\")",
        b"topk(2, quantile_over_time(0.5, {\"up\", job!~\"a|b\"}[1h]))",
        b"-2 ^ -1e300 % NaN",
    ];
    let words = [
        "(",
        ")",
        "[5m:",
        "{",
        "}",
        "offset -1y",
        "@ end()",
        "rate(",
        "quantile(",
        "by (",
        "=~",
        "# x\n",
        "1e308",
    ];
    fuzz("queries", &seeds, &words, |input| {
        let text = String::from_utf8_lossy(input);
        let _ = Selector::parse(&text);
        let Ok(query) = Query::parse(&text) else { return };
        let _ = evaluate_at(&store, &query, 1_800_000, &options);
        let _ = evaluate_over(&store, &query, 0, 3_600_000, 300_000, &options);
    });
}
