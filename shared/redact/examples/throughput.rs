//! Masking, in MB/s on one core: `cargo run --release -p redact --example throughput`.
#![allow(clippy::print_stdout, reason = "an example prints")]

use std::hint::black_box;
use std::time::Instant;

use redact::{Redactor, RedactorConfig, addresses_assistant, clean};

fn main() {
    let redactor = Redactor::new(RedactorConfig { key: [7; 32], enabled: true });
    let labels: Vec<String> = (0..20_000).map(label).collect();
    let lines: Vec<String> = (0..20_000).map(log_line).collect();
    let dirty: Vec<String> =
        (0..20_000).map(|n| format!("{} user=u{n}@example.com password=hunter{n}", log_line(n))).collect();
    for (name, texts) in
        [("label values", &labels), ("log lines", &lines), ("log lines with 2 secrets", &dirty)]
    {
        let bytes: usize = texts.iter().map(String::len).sum();
        run(name, "mask", bytes, texts, |text| redactor.mask(text).text.len());
        run(name, "addresses_assistant", bytes, texts, |text| usize::from(addresses_assistant(text)));
        run(name, "clean", bytes, texts, |text| clean(text).len());
    }
}

/// The best of five rounds.
fn run(texts_are: &str, what: &str, bytes: usize, texts: &[String], work: impl Fn(&str) -> usize) {
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let start = Instant::now();
        let sum: usize = texts.iter().map(|text| work(black_box(text))).sum();
        black_box(sum);
        best = best.min(start.elapsed().as_secs_f64());
    }
    println!("{texts_are:<26} {what:<20} {:>8.0} MB/s", bytes as f64 / best / 1e6);
}

fn label(n: usize) -> String {
    match n % 8 {
        0 => format!("payment-7d9f8b6c5-x{n:04}"),
        1 => format!("10.0.{}.{}:9090", n / 256 % 256, n % 256),
        2 => "http_server_request_duration_seconds_bucket".to_owned(),
        3 => format!("{:032x}", n as u128 * 0x9e37_79b9_7f4a_7c15),
        4 => "POST /api/v1/orders/{id}".to_owned(),
        5 => "checkout".to_owned(),
        6 => format!("registry.example/shop/payment:1.{n}.0"),
        _ => "0.005".to_owned(),
    }
}

fn log_line(n: usize) -> String {
    let id = n as u128 * 0x9e37_79b9_7f4a_7c15;
    match n % 4 {
        0 => format!(
            "2026-01-14T14:03:{:02}.123Z level=error caller=pool.go:142 msg=\"could not acquire connection from pool\" pool=orders size=10 waiting={n} trace_id={id:032x}",
            n % 60
        ),
        1 => format!(
            "{{\"@timestamp\":\"2026-01-14T14:03:{:02}Z\",\"log.level\":\"info\",\"message\":\"GET /api/v1/orders/{n} 200 in {}ms\",\"service.name\":\"checkout\",\"trace.id\":\"{id:032x}\",\"http.request.method\":\"GET\"}}",
            n % 60,
            n % 500
        ),
        2 => format!(
            "java.lang.IllegalStateException: order {n} not found\n\tat com.example.orders.OrderService.find(OrderService.java:{})\n\tat com.example.orders.OrderController.get(OrderController.java:41)\n\tat java.base/java.lang.Thread.run(Thread.java:1583)",
            n % 900
        ),
        _ => format!(
            "10.0.3.{} - - [14/Jan/2026:14:03:{:02} +0000] \"GET /static/app.{id:08x}.js HTTP/1.1\" 304 0 \"https://shop.example/cart\" \"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\"",
            n % 256,
            n % 60
        ),
    }
}
