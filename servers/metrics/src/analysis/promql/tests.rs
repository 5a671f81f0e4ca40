mod costs;
mod empty_results;
mod explaining;
mod faults;
mod limits;
mod mending;
mod restricting;
mod walking;

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

fn tree(query: &str) -> Expr {
    let reading = read(query).unwrap_or_else(|depth| panic!("{depth} deep: {query}"));
    reading.tree.unwrap_or_else(|| panic!("not read: {query}"))
}

fn names(query: &str) -> Vec<String> {
    selectors(&tree(query)).iter().map(|found| metric_of(found.selector).unwrap_or("").to_owned()).collect()
}

/// `cargo xtask fuzz` runs this for longer.
#[test]
fn fuzz_reader() {
    let seeds: [&[u8]; 4] = [
        b"topk(scalar(sum(rate(huge[30d]))), up)",
        b"sum by (job) (rate(a{b=~\"x|y\"}[5m:30s] offset 1w @ 17)) / on () group_left $__rate_interval",
        b"label_replace(a, \"b\", \"c\", \"d\", \"(.*)\") # comment\n or up{service=\"${env}\"}",
        b"max_over_time(deriv(rate(d[5s])[30s:5s])[5m:])",
    ];
    let words = [
        "(", ")", "[", "]", "{", "}", "$__range", "offset ", "@ ", "\"", "`", "#", "30d", "=~\"", "by (",
        "rate(",
    ];
    testkit::fuzz::fuzz("promql reader", &seeds, &words, |input| {
        let text = String::from_utf8_lossy(input);
        let Ok(reading) = read(&text) else { return };
        let _ = (variables(&reading), substitute(&reading, 15.0, 3_600.0), shorten(&reading, 60.0));
        if let Some(tree) = &reading.tree {
            let _ = estimate(tree, Course::range(100, 15.0), &|_| Supply::unknown(1_000.0));
        } else {
            let _ = blind_cost(&reading, Course::instant(), SCRAPE);
        }
    });
}

#[test]
fn only_an_outermost_comparison_with_a_number_is_dropped() {
    for (text, left) in [
        ("service:errors:ratio_rate2m > 0.05", Some("service:errors:ratio_rate2m")),
        ("up == 0", Some("up")),
        ("0.5 <= (a / b)", Some("a / b")),
        ("a - b < -1", Some("a - b")),
        ("(a > 1) > 0", Some("a > 1")),
        ("a > bool 1", None),
        ("a > b", None),
        ("a + 1", None),
        ("a > 1 and b > 2", None),
        ("1 > bool 2", None),
        ("up", None),
    ] {
        assert_eq!(without_threshold(text).as_deref(), left, "{text}");
    }
}
