//! What the cost guard estimates against what Prometheus really reads, over a corpus of queries.
//!
//! `corpus.txt` holds the queries; the world below has metrics of several sizes and scrape intervals, one that
//! vanished, one that is new, one that comes and goes, one whose series live for ten minutes. What a query really
//! reads is what Prometheus says (`totalQueryableSamples`) of it and, because it does not count these, of the inside
//! of each subquery evaluated over the moments the subquery needs. The limit is such that a third of the corpus is
//! over it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]
#![allow(clippy::disallowed_methods, reason = "a live test asks for the last minutes")]

use std::fmt::Write as _;

use promql_parser::parser::{AtModifier, Expr, Offset};
use serde_json::{Value, json};

use crate::{blocks::Prometheus, testbed::Session};

const HOUR: i64 = 3_600;

/// One query, and when it is evaluated.
struct Query {
    promql: String,
    /// Window and step, in seconds before the end of the world; `None`: at one moment.
    over: Option<(i64, i64)>,
}

fn corpus() -> Vec<Query> {
    let lines = include_str!("corpus.txt").lines().filter(|line| !line.is_empty() && !line.starts_with("##"));
    let query = |line: &str| {
        let (when, promql) = line.split_once('|').unwrap_or_else(|| panic!("{line}"));
        let over = when.trim().split_once(' ').map(|(window, step)| {
            let seconds =
                |text: &str| promql_parser::util::parse_duration(text.trim()).unwrap().as_secs() as i64;
            (seconds(window), seconds(step))
        });
        Query { promql: promql.trim().to_owned(), over }
    };
    lines.map(query).collect()
}

/// Six hours up to `end`, and ten minutes more, so that "now" has samples.
fn world(end: i64) -> String {
    let mut text = String::new();
    let mut family = |name: &str, kind: &str, every: i64, series: Vec<(String, i64, i64)>| {
        if !name.contains('.') {
            let _ = writeln!(text, "# TYPE {} {kind}", name.trim_end_matches("_total"));
        }
        for (place, (labels, from, to)) in series.iter().enumerate() {
            let mut at = from + (place as i64 * 7) % every;
            while at <= *to {
                let value = if kind == "counter" { at - from } else { 100 + at % 97 };
                let braces = match name.contains('.') {
                    true => format!("{{\"{name}\",{labels}}}"),
                    false => format!("{name}{{{labels}}}"),
                };
                let _ = writeln!(text, "{braces} {value} {at}");
                at += every;
            }
        }
    };
    let (start, last) = (end - 6 * HOUR, end + 600);
    let many = |count: i64, of: &dyn Fn(i64) -> String| -> Vec<(String, i64, i64)> {
        (0..count).map(|one| (of(one), start, last)).collect()
    };
    let services = ["cart", "checkout", "payment", "web"];
    let service = |one: i64| services[one as usize % 4];
    family("up", "gauge", 15, many(40, &|one| format!("job=\"{}\",instance=\"i{one}\"", service(one))));
    family(
        "requests_total",
        "counter",
        15,
        many(400, &|one| {
            format!(
                "service=\"{}\",route=\"/r{}\",code=\"{}\",instance=\"i{}\"",
                service(one),
                one / 4 % 5,
                [200, 404, 500, 503, 204][one as usize / 20 % 5],
                one / 100
            )
        }),
    );
    family(
        "latency_seconds_bucket",
        "gauge",
        30,
        many(600, &|one| {
            format!("service=\"{}\",le=\"{}\",instance=\"i{}\"", service(one), one / 4 % 15, one / 60)
        }),
    );
    family(
        "memory_bytes",
        "gauge",
        60,
        many(200, &|one| format!("pod=\"{}-{one}\",service=\"{}\"", service(one), service(one))),
    );
    family("disk_free_bytes", "gauge", 300, many(20, &|one| format!("device=\"d{one}\"")));
    family(
        "target_info",
        "gauge",
        15,
        many(40, &|one| format!("job=\"{}\",instance=\"i{one}\",version=\"1\"", service(one))),
    );
    family("queue.oldest.age", "gauge", 60, many(50, &|one| format!("\"queue.name\"=\"q{one}\"")));
    let vanished = (0..300).map(|one| (format!("shard=\"{one}\""), start, end - 4 * HOUR)).collect();
    family("vanished_total", "counter", 15, vanished);
    let new = (0..150).map(|one| (format!("piece=\"{one}\""), end - HOUR, last)).collect();
    family("newcomer_total", "counter", 15, new);
    // Ten at a time, each for ten minutes.
    let churning = (0..360).map(|one| {
        let from = start + one / 10 * 600;
        (format!("pod=\"job-{one}\""), from, from + 599)
    });
    family("batch_seconds", "gauge", 15, churning.collect());
    // Every other twenty minutes.
    let now_and_then = (0..900).map(|one| {
        let from = start + one / 100 * 2_400;
        (format!("worker=\"w{}\",run=\"{}\"", one % 100, one / 100), from, from + 1_199)
    });
    family("gappy", "gauge", 30, now_and_then.collect());
    text.push_str("# EOF\n");
    text
}

/// When a query was evaluated: first and last moment and step in seconds.
#[derive(Clone, Copy)]
struct When {
    start: i64,
    end: i64,
    step: i64,
}

/// What Prometheus reads for an expression and for the inside of its subqueries.
async fn really_read(prometheus: &Prometheus, promql: &str, when: When) -> f64 {
    let mut read = counted(prometheus, promql, when).await;
    let tree = promql_parser::parser::parse(promql).unwrap_or_else(|error| panic!("{promql}: {error}"));
    let mut waiting = vec![(&tree, when)];
    while let Some((expression, when)) = waiting.pop() {
        let mut inside = when;
        if let Expr::Subquery(subquery) = expression {
            inside = moments_of(
                subquery.range.as_secs() as i64,
                subquery.step.map(|step| step.as_secs() as i64),
                &subquery.at,
                &subquery.offset,
                when,
            );
            read += counted(prometheus, &subquery.expr.to_string(), inside).await;
        }
        let children: Vec<&Expr> = match expression {
            Expr::Aggregate(one) => one.param.iter().chain([&one.expr]).map(AsRef::as_ref).collect(),
            Expr::Unary(one) => vec![&one.expr],
            Expr::Binary(one) => vec![&one.lhs, &one.rhs],
            Expr::Paren(one) => vec![&one.expr],
            Expr::Subquery(one) => vec![&one.expr],
            Expr::Call(one) => one.args.args.iter().map(AsRef::as_ref).collect(),
            _ => Vec::new(),
        };
        waiting.extend(children.into_iter().map(|child| (child, inside)));
    }
    read
}

/// The moments at which a subquery is evaluated: multiples of its step after the start of what is needed of it.
fn moments_of(
    range: i64,
    step: Option<i64>,
    at: &Option<AtModifier>,
    offset: &Option<Offset>,
    when: When,
) -> When {
    let offset = match offset {
        Some(Offset::Pos(by)) => by.as_secs() as i64,
        Some(Offset::Neg(by)) => -(by.as_secs() as i64),
        None => 0,
    };
    let (start, end) = match at {
        None => (when.start, when.end),
        Some(AtModifier::Start) => (when.start, when.start),
        Some(AtModifier::End) => (when.end, when.end),
        Some(AtModifier::At(moment)) => {
            let at = moment.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64;
            (at, at)
        }
    };
    // Without a step: the default evaluation interval of the configuration.
    let step = step.unwrap_or(60);
    let first = ((start - offset - range).div_euclid(step) + 1) * step;
    When { start: first, end: end - offset, step }
}

/// `totalQueryableSamples`, in pieces that Prometheus allows.
async fn counted(prometheus: &Prometheus, promql: &str, when: When) -> f64 {
    const MOST: i64 = 10_000;
    let mut total = 0.0;
    let mut start = when.start;
    while start <= when.end {
        let end = when.end.min(start + (MOST - 1) * when.step);
        let reply = if when.start == when.end {
            prometheus
                .ask("query", &[("query", promql), ("time", &start.to_string()), ("stats", "all")])
                .await
        } else {
            let (from, to, step) = (start.to_string(), end.to_string(), when.step.to_string());
            let range =
                [("query", promql), ("start", &from), ("end", &to), ("step", &step), ("stats", "all")];
            prometheus.ask("query_range", &range).await
        };
        let samples = &reply["data"]["stats"]["samples"]["totalQueryableSamples"];
        total += samples.as_f64().unwrap_or_else(|| panic!("{promql}: {reply}"));
        start = end + when.step;
    }
    total
}

/// What the guard said of one query.
struct Said {
    estimated: Option<f64>,
    would_refuse: bool,
    when: When,
    text: String,
}

async fn ask(session: &mut Session, query: &Query, end: i64) -> Said {
    let mut arguments = json!({"promql": query.promql});
    if let Some((window, step)) = query.over {
        arguments["time_range"] = json!(format!("{}/{end}", end - window));
        arguments["step"] = json!(format!("{step}s"));
    }
    let answer = session.answer("query_metrics", arguments).await;
    let caveats: Vec<String> = answer.structured["coverage"]["caveats"]
        .as_array()
        .map(|all| all.iter().map(|one| one.as_str().unwrap().to_owned()).collect())
        .unwrap_or_default();
    let shadow = caveats.iter().find(|caveat| caveat.starts_with("cost guard (shadow)"));
    let read = caveats.iter().find_map(|caveat| caveat.split_once("; estimated "));
    Said {
        estimated: read.map(|(_, estimated)| number(estimated)),
        would_refuse: shadow.is_some(),
        when: when(&answer.structured["evidence"][0]),
        text: shadow.cloned().unwrap_or_default(),
    }
}

fn when(evidence: &Value) -> When {
    let second = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_second();
    match (evidence["window"].as_str(), evidence["at"].as_str()) {
        (Some(window), _) => {
            let (start, end) = window.split_once('/').unwrap();
            let step = promql_parser::util::parse_duration(evidence["step"].as_str().unwrap()).unwrap();
            When { start: second(start), end: second(end), step: step.as_secs() as i64 }
        }
        (None, Some(at)) => When { start: second(at), end: second(at), step: 60 },
        _ => panic!("{evidence}"),
    }
}

/// `1.3 million` and `12,000` as numbers.
fn number(text: &str) -> f64 {
    let (number, unit) = text.split_once(' ').unwrap_or((text, ""));
    let factor = match unit {
        "million" => 1e6,
        "billion" => 1e9,
        "trillion" => 1e12,
        _ => 1.0,
    };
    number.replace(',', "").parse::<f64>().unwrap_or_else(|error| panic!("{text}: {error}")) * factor
}

fn quantile(sorted: &[f64], q: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * q).round() as usize]
}

async fn session(prometheus: &Prometheus, mode: &str, most: f64) -> Session {
    let configuration = [
        ("PROMETHEUS_URL", prometheus.url()),
        ("METRICS_MCP__QUERIES__COST_GUARD", mode.to_owned()),
        ("METRICS_MCP__QUERIES__MAX_SAMPLES", format!("{most:.0}")),
        ("METRICS_MCP__RATES__RANGE__PER_MINUTE", "100000".to_owned()),
        ("METRICS_MCP__RATES__RANGE__BURST", "100000".to_owned()),
    ];
    Session::start(&configuration).await
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn estimates_are_near_what_prometheus_reads_and_few_dear_queries_pass() {
    let end = jiff::Timestamp::now().as_second().div_euclid(60) * 60;
    let prometheus = Prometheus::over(&world(end)).await;
    let corpus = corpus();
    assert!(corpus.len() >= 120, "{} queries", corpus.len());

    // Everything estimated, whatever it costs.
    let mut estimating = session(&prometheus, "shadow", 1.0).await;
    let mut rows = Vec::new();
    for query in &corpus {
        let said = ask(&mut estimating, query, end).await;
        let real = really_read(&prometheus, &query.promql, said.when).await;
        rows.push((query, said.estimated, real));
    }
    estimating.end().await;
    let mut errors = Vec::new();
    for (query, estimated, real) in &rows {
        let shown = |number: Option<f64>| number.map_or("-".to_owned(), |number| format!("{number:.0}"));
        let error = estimated.map(|estimated| (estimated.max(1.0) / real.max(1.0)).log2());
        println!(
            "{:>12} {:>12} {:>7} {}",
            shown(*estimated),
            shown(Some(*real)),
            error.map_or("-".to_owned(), |error| format!("{error:+.2}")),
            query.promql
        );
        errors.extend(error.map(f64::abs));
    }
    errors.sort_by(f64::total_cmp);

    // A limit that a third is over, and what is decided at it.
    let mut real: Vec<f64> = rows.iter().map(|(_, _, real)| *real).collect();
    real.sort_by(f64::total_cmp);
    let most = quantile(&real, 2.0 / 3.0).round();
    let mut deciding = session(&prometheus, "shadow", most).await;
    let (mut refused, mut over, mut both) = (0_u32, 0_u32, 0_u32);
    for (query, estimated, real) in &rows {
        let said = ask(&mut deciding, query, end).await;
        let is_over = *real > most;
        refused += u32::from(said.would_refuse);
        over += u32::from(is_over);
        both += u32::from(said.would_refuse && is_over);
        if said.would_refuse != is_over {
            let what = if is_over { "passed" } else { "refused" };
            println!(
                "wrongly {what}: {} (estimated {estimated:?}, read {real:.0}) {}",
                query.promql, said.text
            );
        }
    }
    deciding.end().await;
    // At other limits by the estimates alone.
    for share in [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] {
        let limit = quantile(&real, share).round();
        let (refused, over, both) =
            rows.iter().fold((0, 0, 0), |(refused, over, both), (_, estimated, real)| {
                let (one, other) = (estimated.unwrap_or(0.0) > limit, *real > limit);
                (refused + i32::from(one), over + i32::from(other), both + i32::from(one && other))
            });
        let of = |all: i32| f64::from(both) / f64::from(all);
        println!("at {limit:.0} samples: precision {:.3}, recall {:.3}", of(refused), of(over));
    }
    let (precision, recall) = (f64::from(both) / f64::from(refused), f64::from(both) / f64::from(over));
    let (median, p90) = (quantile(&errors, 0.5), quantile(&errors, 0.9));
    println!(
        "corpus {} queries, {} estimated; limit {most:.0} samples, {over} over it, {refused} refused\n\
         precision {precision:.3}, recall {recall:.3}; |log2(estimate / read)|: median {median:.3}, p90 {p90:.3}",
        rows.len(),
        errors.len()
    );
    assert!(recall >= 0.95 && precision >= 0.9, "precision {precision}, recall {recall}");
    assert!(median <= 0.2 && p90 <= 1.0, "median {median}, p90 {p90}");
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn the_size_of_native_histograms_is_part_of_the_estimate() {
    let configuration = [
        ("PROMETHEUS_URL", crate::testbed::url("prometheus")),
        ("METRICS_MCP__QUERIES__COST_GUARD", "shadow".to_owned()),
        ("METRICS_MCP__QUERIES__MAX_SAMPLES", "1".to_owned()),
    ];
    let mut session = Session::start(&configuration).await;
    let promql = "sum(rate(prometheus_http_request_duration_seconds[1m]))";
    let answer = session.answer("query_metrics", json!({ "promql": promql })).await;
    let caveats = answer.structured["coverage"]["caveats"].as_array().unwrap();
    let told = caveats.iter().find_map(|one| one.as_str()?.strip_prefix("read ")).unwrap();
    let (read, estimated) = told.split_once(" samples; estimated ").unwrap();
    let ratio = number(estimated) / number(read);
    println!("native histograms: {told}");
    // Counted as one each, it would be a hundredth; a young testbed makes samples seem up to five times as far apart.
    assert!((0.1..4.0).contains(&ratio), "{told}");
    session.end().await;
}
