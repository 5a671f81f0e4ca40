//! How long queries take. It only prints; times depend on the machine.
//! `cargo test -p promql --release --test speed -- --ignored --nocapture`

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement is printed"
)]

use std::time::Instant;

use promql::{Options, Query, Store, Value, evaluate_over};

const SERIES: usize = 2_000;
/// Every 15 seconds for two and a half hours.
const SAMPLES: i64 = 600;

fn store() -> Store {
    let mut random = fastrand::Rng::with_seed(1);
    Store::new((0..SERIES).map(|number| {
        let labels = [
            ("__name__", "http_requests_total".to_owned()),
            ("code", ["200", "404", "500", "503"][number % 4].to_owned()),
            ("instance", format!("10.0.{}.{}:8080", number / 250, number / 4 % 250)),
            ("job", format!("service-{}", number / 4 % 10)),
        ];
        let mut total = 0.0;
        let times: Vec<i64> = (0..SAMPLES).map(|at| at * 15_000).collect();
        let values = times
            .iter()
            .map(|_| {
                total = if random.u16(0..500) == 0 { 0.0 } else { total + f64::from(random.u8(0..20)) };
                total
            })
            .collect();
        (labels.map(|(name, value)| (name.to_owned(), value)).to_vec(), times, values)
    }))
    .unwrap()
}

#[test]
#[ignore = "a measurement"]
fn two_thousand_series_over_five_hundred_steps() {
    let started = Instant::now();
    let store = store();
    println!(
        "load {} series, {} samples: {:?}",
        store.series_count(),
        store.sample_count(),
        started.elapsed()
    );
    for query in [
        "http_requests_total",
        "rate(http_requests_total[5m])",
        "sum by (job) (rate(http_requests_total[5m]))",
        "sum by (job) (rate(http_requests_total{code=~\"5..\"}[5m])) / sum by (job) (rate(http_requests_total[5m]))",
        "rate(http_requests_total[5m]) / ignoring(code) group_left sum without (code) (rate(http_requests_total[5m]))",
        "topk(5, rate(http_requests_total[5m]))",
        "quantile_over_time(0.9, http_requests_total[5m])",
        "max_over_time(rate(http_requests_total[1m])[10m:1m])",
    ] {
        let parsed = Query::parse(query).unwrap();
        let started = Instant::now();
        let value =
            evaluate_over(&store, &parsed, 600_000, 600_000 + 499 * 15_000, 15_000, &Options::default())
                .unwrap();
        let elapsed = started.elapsed();
        let Value::Matrix(rows) = value else { unreachable!("a range query gives a matrix") };
        let values: usize = rows.iter().map(|row| row.values.len()).sum();
        println!("{elapsed:>10.1?} {values:>9} values  {query}");
    }
}
