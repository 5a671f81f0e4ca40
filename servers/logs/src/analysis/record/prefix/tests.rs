//! Lines as the documentation of each logger shows them, and what is left of them: written down by hand.

use proptest::prelude::*;

use super::*;
use crate::model::Role;

fn said(line: &str) -> &str {
    let writer = Writer { service: Some("payment"), place: Some("pod-1") };
    of(line, writer).said(line).map_or(line, |said| &line[said])
}

#[test]
fn what_loggers_write_before_the_message_is_taken_off() {
    for (line, expected) in [
        // a time and a level
        ("2026-01-14T14:10:03Z ERROR payment pod-1 connection refused", "connection refused"),
        ("2026-01-14T14:10:03.123+01:00 [ERROR] connection refused", "connection refused"),
        ("2026-01-14 14:10:03 connection refused", "connection refused"),
        ("[2026-01-14 14:10:03] ERROR: connection refused", "connection refused"),
        ("2026-01-14T14:10:03Z error: connection refused", "connection refused"),
        ("2026-01-14T14:10:03.123Z\tERROR\tpay/charge.go:12\tconnection refused", "connection refused"),
        ("2026-01-14T14:10:03Z | WARN | connection refused", "connection refused"),
        ("2026-01-14T14:10:03Z ERROR payment: connection refused", "connection refused"),
        // Logback's and log4j's default, Spring Boot 2 and 3
        ("14:02:03.123 [main] ERROR c.e.Foo - boom", "boom"),
        ("14:02:03.123 [http-nio-8080-exec-1] WARN  com.example.Foo -- boom", "boom"),
        ("2026-01-14 14:02:03,123 ERROR [http-nio-8080-exec-1] c.e.Foo - boom", "boom"),
        ("2026-01-14 14:02:03.123  WARN 1 --- [           main] c.e.Foo                  : boom", "boom"),
        ("2026-01-14T14:02:03.123Z ERROR 1 --- [shop] [nio-8080-exec-1] c.e.Foo : boom", "boom"),
        ("2026-01-14 14:02:03,123 ERROR [exec-1] c.e.Foo [payment-7d] [4bf92f3577b34da6] - boom", "boom"),
        // klog, Go's log, Python's logging
        ("E0114 14:02:03.123456       1 server.go:12] failed", "failed"),
        ("2026/01/14 14:02:03 main.go:23: listening", "listening"),
        ("2026/01/14 14:02:03.000123 listening", "listening"),
        ("ERROR:root:boom", "boom"),
        ("WARNING:app.db:retrying: twice", "retrying: twice"),
        ("2026-01-14 14:02:03,123 - app.db - ERROR - boom", "boom"),
        ("2026-01-14 14:02:03,123 - root - ERROR - boom", "boom"),
        ("2026-01-14 14:02:03,123 ERROR app.db payment-7d9f [trace_id=0] boom", "boom"),
        // nginx, Apache, Postgres, Redis, gunicorn, tracing
        (
            "2026/01/14 14:02:03 [error] 31#31: *1 connect() failed (111: refused)",
            "connect() failed (111: refused)",
        ),
        ("2026/01/14 14:02:03 [notice] 1#1: start worker processes", "start worker processes"),
        (
            "[Wed Jan 14 14:02:03.1 2026] [core:error] [pid 1:tid 2] [client 10.0.0.1:80] AH00124: too deep",
            "AH00124: too deep",
        ),
        (
            "2026-01-14 14:02:03.123 UTC [231] shop@shop FATAL:  sorry, too many clients",
            "sorry, too many clients",
        ),
        ("2026-01-14 14:02:03.123 UTC [231] LOG:  duration: 3 ms", "duration: 3 ms"),
        ("1:M 14 Jan 2026 14:02:03.123 # Out of memory", "Out of memory"),
        ("[2026-01-14 14:02:20 +0000] [7] [INFO] Booting worker with pid: 7", "Booting worker with pid: 7"),
        ("2026-01-14T14:02:03.000001Z  INFO tower_http::trace: started", "started"),
        // syslog: RFC 3164, RFC 5424, rsyslog's files, with a program's own prefix inside
        ("<34>Oct 11 22:14:15 mymachine su: 'su root' failed", "'su root' failed"),
        ("Feb 29 14:02:03 node-1 sshd[4242]: Connection closed", "Connection closed"),
        ("2026-01-14T14:02:03.123456+00:00 node-1 sshd[4242]: Connection closed", "Connection closed"),
        (
            "<165>1 2003-10-11T22:14:15.003Z host evntslog - ID47 [a@1 x=\"3\"][b@2 y=\"z\"] An event",
            "An event",
        ),
        ("<34>1 2003-10-11T22:14:15.003Z host su - ID47 - \u{feff}'su root' failed", "'su root' failed"),
        ("Jan 14 14:02:03 node-1 kubelet[1]: E0114 14:02:03.123456       1 a.go:12] failed", "failed"),
        // the container runtime's
        ("2026-01-14T14:02:03.123456789Z stderr F E0114 14:02:03.1       1 a.go:12] failed", "failed"),
    ] {
        assert_eq!(said(line), expected, "{line}");
    }
}

#[test]
fn what_may_be_the_message_stays() {
    for (line, expected) in [
        (
            "time=2026-01-14T14:02:03Z level=ERROR msg=\"cart 7 is \\\"gone\\\"\" service=cart pod=cart-7 trace_id=4bf9",
            "cart 7 is \\\"gone\\\"",
        ),
        ("ts=1768399323.1 lvl=warn service=cart msg=slow", "slow"),
        // What else was said stays, with its keys.
        (
            "time=2026-01-14T14:02:03Z level=ERROR msg=\"request failed\" err=\"bank is down\" host=a",
            "msg=\"request failed\" err=\"bank is down\"",
        ),
        ("level=info service=cart took=3ms msg=done", "took=3ms msg=done"),
        // No logfmt: no level and no time, or words that are no pairs.
        ("msg=\"a\" service=b", "msg=\"a\" service=b"),
        ("level=info and then msg=x", "level=info and then msg=x"),
        ("level=info msg=\"open", "level=info msg=\"open"),
        ("level=info service=cart", "level=info service=cart"),
    ] {
        assert_eq!(said(line), expected, "{line}");
    }
    for line in [
        "connection refused",
        "ERROR connection refused",
        "[worker-1] connection refused",
        "1768399323 bytes read",
        "2026-01-14 was a holiday",
        "payment failed",
        "E0114 is an error code",
        "2:M is the second",
        "INFO: a word of a sentence",
        "<b>bold</b>",
        "Jan 14 was a Wednesday",
        "2026-01-14T14:02:03Z",
        "2026-01-14T14:02:03Z ERROR ",
        "",
    ] {
        assert_eq!(said(line), line, "{line}");
    }
    for (line, expected) in [
        ("2026-01-14T14:02:03Z ERROR [Errno 111] Connection refused", "[Errno 111] Connection refused"),
        ("2026-01-14T14:02:03Z java.io.IOException: no", "java.io.IOException: no"),
        ("2026-01-14T14:02:03Z ERROR std::runtime_error: no", "std::runtime_error: no"),
        ("2026-01-14T14:02:03Z [\"a\", \"b\"] is no list", "[\"a\", \"b\"] is no list"),
        ("2026-01-14T14:02:03Z payment failed", "payment failed"),
        ("2026-01-14T14:02:03Z connection closed by PANIC handler", "connection closed by PANIC handler"),
        ("2026-01-14T14:02:03Z ERROR 17 orders lost", "17 orders lost"),
        ("2026/01/14 14:02:03 http: panic serving 10.0.0.1:80", "http: panic serving 10.0.0.1:80"),
    ] {
        assert_eq!(said(line), expected, "{line}");
    }
}

#[test]
fn pairs_name_who_wrote_them() {
    let line =
        "time=2026-01-14T14:02:03Z level=INFO msg=\"pod=no\" service=cart version=1.2 pod=\"cart-7\" host=";
    let found: Vec<_> = roles_in_pairs(line).collect();
    assert_eq!(found, [(Role::Service, "cart"), (Role::Version, "1.2"), (Role::Pod, "cart-7")]);
    assert_eq!(roles_in_pairs("the service=cart is down").count(), 0);
}

#[test]
fn syslog_names_machine_and_program() {
    let named = |line| {
        let found = of(line, Writer::default());
        (found.host, found.app)
    };
    assert_eq!(named("<34>Oct 11 22:14:15 mymachine su: failed"), (Some("mymachine"), Some("su")));
    assert_eq!(named("<34>1 2003-10-11T22:14:15.003Z - su - - - failed"), (None, Some("su")));
    assert_eq!(named("2026-01-14T14:02:03Z ERROR a: b"), (None, None));
}

proptest! {
    #[test]
    fn a_prefix_is_a_part_of_the_first_line_and_leaves_something(
        line in "(2026-01-14T14:02:03Z |<34>|Jan 14 14:02:03 |ERROR |\\[a\\] |- |: |1 --- |level=info |service=x |msg=\"|x |é|\\PC){0,12}(\n\\PC{0,5})?"
    ) {
        let prefix = of(&line, Writer { service: Some("x"), place: Some("y") });
        let said = prefix.said(&line);
        prop_assert!(said.is_none_or(|said| line.get(said).is_some_and(|said| !said.trim().is_empty())));
        if prefix.length > 0 {
            let first = line.lines().next().unwrap();
            prop_assert!(prefix.length < first.len() && !first[prefix.length..].trim().is_empty());
        }
    }
}
