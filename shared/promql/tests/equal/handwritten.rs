//! Queries written by hand, by class.

use crate::operations::{AGGREGATION, HISTOGRAMS, LABELS, RANKED, SETS};
use crate::operators::{ARITHMETIC, COMPARISON, LITERALS, MATCHING, MODIFIERS, SELECTORS};
use crate::situations::{ABSENT, REFUSED, SUBQUERIES, TIME};

/// Class and query.
pub(crate) fn queries() -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    for (class, queries) in [
        ("selectors", SELECTORS),
        ("modifiers", MODIFIERS),
        ("literals", LITERALS),
        ("arithmetic", ARITHMETIC),
        ("comparison", COMPARISON),
        ("matching", MATCHING),
        ("sets", SETS),
        ("aggregation", AGGREGATION),
        ("ranked", RANKED),
        ("histograms", HISTOGRAMS),
        ("labels", LABELS),
        ("absent", ABSENT),
        ("time", TIME),
        ("subqueries", SUBQUERIES),
        ("refused", REFUSED),
    ] {
        all.extend(queries.iter().map(|query| (class, (*query).to_owned())));
    }
    all.extend(over_ranges());
    all.extend(of_numbers());
    all
}

/// Each function of a range over each kind of series and several ranges.
fn over_ranges() -> Vec<(&'static str, String)> {
    const FUNCTIONS: [&str; 20] = [
        "rate",
        "irate",
        "increase",
        "delta",
        "idelta",
        "resets",
        "changes",
        "deriv",
        "avg_over_time",
        "min_over_time",
        "max_over_time",
        "sum_over_time",
        "count_over_time",
        "first_over_time",
        "last_over_time",
        "present_over_time",
        "stddev_over_time",
        "stdvar_over_time",
        "absent_over_time",
        "predict_linear",
    ];
    const RANGES: [&str; 11] = [
        "http_requests_total[5m]",
        "http_requests_total{code=\"200\"}[1m]",
        "http_requests_total{instance=\"a:3\"}[30m]",
        "errors_total[47s]",
        "memory_bytes[6m]",
        "temperature_celsius[2m30s]",
        "backup_size_bytes[20m]",
        "scale_factor[3m]",
        "queue_depth[4m] offset 3m",
        "queue_depth[10m] @ 1760006000",
        "build_info[8m]",
    ];
    let mut all = Vec::new();
    for function in FUNCTIONS {
        for range in RANGES {
            let query = match function {
                "predict_linear" => format!("predict_linear({range}, 600)"),
                _ => format!("{function}({range})"),
            };
            all.push(("over ranges", query));
        }
    }
    for q in ["0.5", "0", "1", "0.99", "-1", "2", "NaN", "scalar(temperature_celsius{room=\"lab\"}) / 9"] {
        for range in RANGES.iter().take(6) {
            all.push(("quantile_over_time", format!("quantile_over_time({q}, {range})")));
        }
    }
    all.push((
        "over ranges",
        "predict_linear(memory_bytes[10m], scalar(queue_depth{queue=\"mail\"}) * 100)".into(),
    ));
    all.push(("over ranges", "predict_linear(memory_bytes[10m] @ 1760006000, 60)".into()));
    all
}

/// Each function of a number over numbers of every kind.
fn of_numbers() -> Vec<(&'static str, String)> {
    const FUNCTIONS: [&str; 23] = [
        "abs", "ceil", "floor", "exp", "ln", "log2", "log10", "sqrt", "sgn", "deg", "rad", "sin", "cos",
        "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh",
    ];
    let mut all = Vec::new();
    for function in FUNCTIONS {
        for of in ["temperature_celsius", "angle_radians", "scale_factor", "memory_bytes / 1e7"] {
            all.push(("functions of a number", format!("{function}({of})")));
        }
    }
    for query in [
        "round(temperature_celsius)",
        "round(temperature_celsius, 0.3)",
        "round(memory_bytes, 1e6)",
        "round(angle_radians, 0)",
        "round(angle_radians, -0.5)",
        "round(temperature_celsius, scalar(queue_depth{queue=\"mail\"}))",
        "clamp(temperature_celsius, 0, 21)",
        "clamp(temperature_celsius, 21, 0)",
        "clamp(temperature_celsius, NaN, 3)",
        "clamp(temperature_celsius, 3, NaN)",
        "clamp_min(temperature_celsius, 5.5)",
        "clamp_max(temperature_celsius, -3)",
        "clamp_max(temperature_celsius, NaN)",
        "clamp_min(temperature_celsius, NaN)",
        "clamp_min(temperature_celsius, scalar(queue_depth{queue=\"sms\"}))",
        "scalar(temperature_celsius{room=\"attic\"})",
        "scalar(temperature_celsius)",
        "scalar(nothing)",
        "scalar(http_requests_total{instance=\"a:3\",code=\"200\"})",
        "vector(3)",
        "vector(scalar(queue_depth{queue=\"fax\"}))",
        "pi()",
        "vector(pi())",
        "sgn(-queue_depth)",
    ] {
        all.push(("functions of a number", query.into()));
    }
    all
}
