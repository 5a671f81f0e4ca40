//! Each convention, from a scrape as documented. `recorded/conventions/README.md` has the arithmetic.

use serde_json::json;

use crate::world::{Book, signal, verdict};

/// What a fixture tells: errors, p95, p50 or mean; traffic is always told.
struct Told {
    file: &'static str,
    convention: &'static str,
    has_errors: bool,
    quantiles: &'static [(&'static str, f64)],
}

const HISTOGRAM: &[(&str, f64)] = &[("latency p95", 0.35), ("latency p50", 0.055_56)];
const MEAN: &[(&str, f64)] = &[("latency mean", 0.12)];

fn told(
    file: &'static str,
    convention: &'static str,
    has_errors: bool,
    quantiles: &'static [(&'static str, f64)],
) -> Told {
    Told { file, convention, has_errors, quantiles }
}

fn all() -> Vec<Told> {
    vec![
        told("otel_http", "OpenTelemetry HTTP server (", true, HISTOGRAM),
        told("otel_http_old", "OpenTelemetry HTTP server (before 1.23)", true, HISTOGRAM),
        told("otel_rpc", "OpenTelemetry RPC server (", true, HISTOGRAM),
        told("otel_rpc_old", "OpenTelemetry RPC server (before 1.38)", true, HISTOGRAM),
        // The slowest series: that of the failures, 0.7 s; 10 s + 2 s over 100 requests.
        told("micrometer_summary", "Micrometer", true, &[("latency p95", 0.7), ("latency mean", 0.12)]),
        told("micrometer_histogram", "Micrometer", true, HISTOGRAM),
        told("micrometer_default", "Micrometer", true, MEAN),
        told("istio", "Istio", true, HISTOGRAM),
        told("linkerd", "Linkerd", true, HISTOGRAM),
        told("grpc", "gRPC middleware", true, HISTOGRAM),
        told("spanmetrics_collector", "span metrics (OpenTelemetry Collector)", true, HISTOGRAM),
        told("spanmetrics_tempo", "span metrics (Tempo)", true, HISTOGRAM),
        told("servicegraph", "service graph (Tempo)", true, HISTOGRAM),
        told("envoy_downstream", "Envoy, requests answered", true, HISTOGRAM),
        told("envoy_cluster", "Envoy cluster", true, HISTOGRAM),
        told("ingress_nginx", "ingress-nginx", true, HISTOGRAM),
        told("traefik", "Traefik", true, HISTOGRAM),
        told("haproxy", "HAProxy backend", true, &[]),
        told("kong", "Kong", true, HISTOGRAM),
        told("application_code", "application HTTP library", true, HISTOGRAM),
        told("application_status_class", "application HTTP library", true, HISTOGRAM),
        told("prometheus_net", "application HTTP library", true, HISTOGRAM),
        told("mcp", "MCP server", true, HISTOGRAM),
        told("job_worker", "job worker", true, MEAN),
        told("redis", "Redis exporter", false, &[]),
        told("postgres", "PostgreSQL exporter", false, &[]),
        told("prometheus", "Prometheus' own HTTP API", true, HISTOGRAM),
    ]
}

fn scrape(file: &str) -> String {
    std::fs::read_to_string(format!("tests/recorded/conventions/{file}.prom")).unwrap()
}

fn near(value: Option<f64>, expected: f64) -> bool {
    value.is_some_and(|value| (value / expected - 1.0).abs() < 1e-3)
}

#[tokio::test]
async fn every_convention_gives_the_traffic_errors_and_latency_of_its_fixture() {
    for one in all() {
        // Where only others tell it, the service must be known by some label of its own.
        let mut book = Book::today();
        book.gauge("up{service=\"shop\",job=\"shop\",instance=\"10.0.0.1:8080\"}", |_| Some(1.0));
        book.replay(&scrape(one.file));
        let reply = book.ask(json!({"service": "shop"})).await;
        let text = &reply.text;
        assert!(
            !reply.is_error && text.contains(&format!("convention: {}", one.convention)),
            "{}\n{text}",
            one.file
        );
        let now = |name: &str| signal(&reply, name).and_then(|(now, _)| now);
        assert!(near(now("traffic"), 100.0 / 15.0), "{}\n{text}", one.file);
        match one.has_errors {
            true => assert!(near(now("errors"), 5.0), "{}\n{text}", one.file),
            false => assert!(
                now("errors").is_none() && text.contains("errors are not measured, which is not 0 %"),
                "{}\n{text}",
                one.file
            ),
        }
        for (name, expected) in one.quantiles {
            assert!(near(now(name), *expected), "{} {name} {:?}\n{text}", one.file, now(name));
        }
        if one.quantiles.is_empty() {
            assert!(text.contains("latency is not measured"), "{}\n{text}", one.file);
        }
        let said = if one.has_errors {
            "shop fails 5 % of requests, as in the 30m"
        } else {
            "shop is as in the 30m"
        };
        assert!(verdict(&reply).starts_with(said), "{}\n{text}", one.file);
    }
}

#[tokio::test]
async fn all_services_are_told_by_any_convention_and_by_the_label_it_uses() {
    for one in all() {
        let mut book = Book::today();
        book.replay(&scrape(one.file));
        let reply = book.ask(json!({})).await;
        let rows = reply.structured.as_ref().unwrap()["tables"][0]["rows"].as_array().unwrap().clone();
        assert_eq!(rows.len(), 1, "{}\n{}", one.file, reply.text);
        let row = &rows[0];
        let name = match one.file {
            "traefik" => "demo-shop-8080@kubernetes",
            _ => "shop",
        };
        assert_eq!(row[0], name, "{}\n{}", one.file, reply.text);
        assert!(near(row[6].as_f64(), 100.0 / 15.0), "{}\n{}", one.file, reply.text);
        assert_eq!(row[2].as_f64().is_some(), one.has_errors, "{}\n{}", one.file, reply.text);
        if one.has_errors {
            assert!(near(row[2].as_f64(), 5.0), "{}\n{}", one.file, reply.text);
        }
    }
}

#[tokio::test]
async fn what_a_service_tells_itself_comes_first_and_the_others_are_named() {
    let mut book = Book::today();
    for file in ["istio", "otel_http", "spanmetrics_tempo"] {
        book.replay(&scrape(file));
    }
    let reply = book.ask(json!({"service": "shop"})).await;
    let said = "convention: OpenTelemetry HTTP server (http_server_request_duration_seconds, classic histogram); also \
                found: Istio (istio_requests_total; istio_request_duration_milliseconds, classic histogram), span metrics \
                (Tempo)";
    assert!(reply.text.contains(said), "{}", reply.text);
}

#[tokio::test]
async fn an_operators_convention_comes_before_all_others() {
    use metrics_mcp::{Convention, Matching};
    let own = Convention {
        name: "ours".to_owned(),
        requests: vec!["acme_calls".to_owned()],
        errors: vec![Matching { label: "verdict".to_owned(), matching: "bad".to_owned() }],
        route: vec!["op".to_owned()],
        ..Convention::default()
    };
    let mut book = Book::today();
    book.replay(&scrape("otel_http"));
    book.counter("acme_calls{service=\"shop\",op=\"a\",verdict=\"good\"}", |_| Some(3.0));
    book.counter("acme_calls{service=\"shop\",op=\"a\",verdict=\"bad\"}", |_| Some(1.0));
    let reply = book.ask_configured(json!({"service": "shop"}), vec![own]).await;
    assert!(
        reply.text.contains("convention: ours (acme_calls); also found: OpenTelemetry"),
        "{}",
        reply.text
    );
    // 1 of 4.
    assert_eq!(signal(&reply, "errors").and_then(|(now, _)| now), Some(25.0));
}

#[tokio::test]
async fn without_a_known_convention_a_histogram_of_requests_is_guessed_and_said_to_be() {
    let mut book = Book::today();
    for (le, rate) in [("0.1", 9.0), ("0.5", 9.8), ("1", 10.0), ("+Inf", 10.0)] {
        book.counter(
            &format!("acme_request_seconds_bucket{{service=\"shop\",result=\"ok\",le=\"{le}\"}}"),
            |_| Some(rate),
        );
    }
    book.counter("acme_request_seconds_count{service=\"shop\",result=\"ok\"}", |_| Some(10.0));
    let reply = book.ask(json!({"service": "shop"})).await;
    assert!(
        reply
            .text
            .contains("convention: none known: guessed from names (acme_request_seconds, classic histogram)"),
        "{}",
        reply.text
    );
    assert!(near(signal(&reply, "latency p95").and_then(|(now, _)| now), 0.35), "{}", reply.text);
    assert_eq!(signal(&reply, "errors").and_then(|(now, _)| now), Some(0.0));
}
