//! Queries generated from a seed: combinations nobody would think of.

use fastrand::Rng;

/// Class and query.
pub(crate) fn queries(seed: u64, count: usize) -> Vec<(&'static str, String)> {
    let mut random = Rng::with_seed(seed);
    (0..count)
        .map(|number| {
            let depth = 1 + number % 3;
            let query =
                if number % 11 == 10 { scalar(&mut random, depth) } else { vector(&mut random, depth) };
            ("generated", query)
        })
        .collect()
}

fn pick<'a>(random: &mut Rng, from: &[&'a str]) -> &'a str {
    from[random.usize(0..from.len())]
}

/// An instant vector.
fn vector(random: &mut Rng, depth: usize) -> String {
    if depth == 0 {
        return selector(random) + modifier(random);
    }
    let inner = depth - 1;
    match random.u8(0..16) {
        0..=3 => over_range(random, inner),
        4..=6 => aggregation(random, inner),
        7..=8 => {
            let function = pick(
                random,
                &[
                    "abs",
                    "ceil",
                    "floor",
                    "sqrt",
                    "sgn",
                    "exp",
                    "ln",
                    "log10",
                    "sin",
                    "hour",
                    "-",
                    "timestamp",
                ],
            );
            format!("{function}({})", vector(random, inner))
        }
        9..=10 => {
            let operator = pick(
                random,
                &[
                    "+", "-", "*", "/", "%", "^", "atan2", ">", "<", "==", "!=", ">= bool", "<= bool",
                    "> bool",
                ],
            );
            let (left, right) = (vector(random, inner), number(random, inner));
            if random.bool() {
                format!("({left}) {operator} {right}")
            } else {
                format!("{right} {operator} ({left})")
            }
        }
        11..=12 => matched(random, inner),
        13 => {
            let operator = pick(random, &["and", "or", "unless"]);
            let matching = pick(random, &["", "", "on(instance)", "on(job)", "ignoring(code)", "on()"]);
            format!("({}) {operator} {matching} ({})", vector(random, inner), vector(random, inner))
        }
        14 => match random.u8(0..6) {
            0 => format!("clamp({}, {}, {})", vector(random, inner), number(random, 0), number(random, 0)),
            1 => format!("round({}, {})", vector(random, inner), pick(random, &["0.5", "10", "3"])),
            2 => format!("absent({})", vector(random, inner)),
            3 => format!("sort({})", vector(random, inner)),
            4 => format!("vector({})", number(random, inner)),
            _ => format!("histogram_quantile({}, {})", pick(random, QUANTILES), buckets(random)),
        },
        _ => {
            let label = pick(random, &["host", "job", "instance", "zone", "__name__"]);
            match random.bool() {
                true => format!(
                    "label_replace({}, \"{label}\", \"$1\", \"instance\", \"(.).*\")",
                    vector(random, inner)
                ),
                false => format!(
                    "label_join({}, \"{label}\", \"-\", \"job\", \"instance\")",
                    vector(random, inner)
                ),
            }
        }
    }
}

const QUANTILES: &[&str] = &["0.5", "0.9", "0.99", "0", "1", "0.123"];

fn buckets(random: &mut Rng) -> String {
    let range = pick(random, &["1m", "5m", "10m"]);
    let metric = pick(random, &["request_seconds_bucket", "broken_bucket"]);
    match random.u8(0..3) {
        0 => metric.to_owned(),
        1 => format!("rate({metric}[{range}])"),
        _ => format!(
            "sum by({}) (increase({metric}[{range}]))",
            pick(random, &["le", "le, job", "le, kind", "job"])
        ),
    }
}

fn selector(random: &mut Rng) -> String {
    let metric = pick(
        random,
        &[
            "http_requests_total",
            "http_requests_total",
            "errors_total",
            "memory_bytes",
            "memory_bytes",
            "temperature_celsius",
            "queue_depth",
            "queue_depth",
            "build_info",
            "backup_size_bytes",
            "request_seconds_count",
            "scale_factor",
            "last_success_seconds",
            "angle_radians",
        ],
    );
    let matcher = match metric {
        "http_requests_total" => pick(
            random,
            &[
                "",
                "{code=\"200\"}",
                "{code!=\"200\"}",
                "{job=~\"api|batch\"}",
                "{instance!~\"a.*\"}",
                "{instance=\"a:3\"}",
            ],
        ),
        "memory_bytes" => pick(random, &["", "{job=\"api\"}", "{zone=~\"[12]\"}", "{zone!=\"3\"}"]),
        "temperature_celsius" => {
            pick(random, &["", "{room=\"lab\"}", "{room!~\"lab|roof\"}", "{room=\"hall\"}"])
        }
        "queue_depth" => pick(random, &["", "{tier=\"fast\"}", "{queue=~\".*s.*\"}"]),
        _ => "",
    };
    format!("{metric}{matcher}")
}

fn modifier(random: &mut Rng) -> &'static str {
    match random.u8(0..12) {
        0 => " offset 7m",
        1 => " offset -2m",
        2 => " @ end()",
        3 => " @ 1760005000 offset 1m",
        _ => "",
    }
}

fn over_range(random: &mut Rng, depth: usize) -> String {
    let range = if depth > 0 && random.u8(0..3) == 0 {
        let (length, step) =
            (pick(random, &["5m", "11m", "90s"]), pick(random, &["1m", "30s", "45s", "", "2m"]));
        format!("({})[{length}:{step}]{}", vector(random, depth), modifier(random))
    } else {
        let length = pick(random, &["30s", "1m", "5m", "10m", "33m"]);
        format!("{}[{length}]{}", selector(random), modifier(random))
    };
    let function = pick(
        random,
        &[
            "rate",
            "rate",
            "increase",
            "irate",
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
            "last_over_time",
            "first_over_time",
            "present_over_time",
            "stddev_over_time",
            "stdvar_over_time",
            "quantile_over_time",
            "predict_linear",
            "absent_over_time",
        ],
    );
    match function {
        "quantile_over_time" => format!("quantile_over_time({}, {range})", pick(random, QUANTILES)),
        "predict_linear" => format!("predict_linear({range}, {})", number(random, 0)),
        _ => format!("{function}({range})"),
    }
}

fn aggregation(random: &mut Rng, depth: usize) -> String {
    let of = vector(random, depth);
    let grouping = pick(
        random,
        &[
            "",
            "",
            "by (job)",
            "by (instance)",
            "by (job, code)",
            "without (instance)",
            "without (code, zone)",
            "by (tier)",
            "without ()",
            "by (__name__)",
        ],
    );
    match random.u8(0..14) {
        0 => format!("topk({}, {of}) {grouping}", random.u8(0..6)),
        1 => format!("bottomk({}, {of}) {grouping}", random.u8(1..6)),
        2 => format!("quantile({}, {of}) {grouping}", pick(random, QUANTILES)),
        // Last digits, which differ between mathematical libraries, would become labels.
        3 => format!("count_values(\"value\", {}) {grouping}", selector(random)),
        _ => {
            let operator =
                pick(random, &["sum", "sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"]);
            format!("{operator} {grouping} ({of})")
        }
    }
}

fn matched(random: &mut Rng, depth: usize) -> String {
    let operator = pick(random, &["+", "-", "*", "/", ">", "<=", "== bool", "!="]);
    match random.u8(0..5) {
        0 => {
            let by = pick(random, &["job", "instance", "job, instance"]);
            format!(
                "sum by ({by}) ({}) {operator} on({by}) sum by ({by}) ({})",
                vector(random, depth),
                vector(random, depth)
            )
        }
        1 => {
            let by = pick(random, &["job", "instance"]);
            format!(
                "({}) {operator} on({by}) group_left max by ({by}) ({})",
                vector(random, depth),
                vector(random, depth)
            )
        }
        2 => format!(
            "max by (instance, version) (build_info) {operator} on(instance) group_right(version) ({})",
            vector(random, depth)
        ),
        3 => format!("({}) {operator} ignoring(code) ({})", vector(random, depth), vector(random, depth)),
        _ => {
            let of = vector(random, depth);
            format!("({of}) {operator} ({of})")
        }
    }
}

/// A number at each step, in a form that may stand beside an operator.
fn number(random: &mut Rng, depth: usize) -> String {
    if depth > 0 && random.u8(0..3) == 0 {
        return format!("({})", scalar(random, depth - 1));
    }
    pick(random, &["2", "0.5", "10", "100", "-3", "0", "1e9", "NaN", "Inf", "1h"]).to_owned()
}

fn scalar(random: &mut Rng, depth: usize) -> String {
    match random.u8(0..4) {
        0 => "time()".to_owned(),
        1 => format!("scalar(sum({}))", vector(random, depth)),
        2 => format!("scalar({}) * 2", vector(random, depth)),
        _ => format!("{} - {}", number(random, 0), number(random, 0)),
    }
}
