use super::*;

/// File, and the records in it: line, time, text.
fn records(file: &str, text: &str) -> Vec<(u64, String, String)> {
    let mut found = Vec::new();
    let now = "2026-01-14T15:00:00Z".parse().unwrap();
    let mut take = |record: &LogRecord<'_>| {
        let at = record.at.map_or(String::new(), |at| at.to_string());
        found.push((record.line, at, record.text.to_owned()));
        Ok(())
    };
    read(file, text.as_bytes(), now, &mut take).unwrap();
    found
}

fn check(text: &str, expected: &[(u64, &str, &str)]) {
    let found = records("logs/a.log", text);
    let found: Vec<(u64, &str, &str)> =
        found.iter().map(|(line, at, text)| (*line, at.as_str(), text.as_str())).collect();
    assert_eq!(found, expected);
}

#[test]
fn lines_without_a_time_belong_to_the_record_before_them() {
    check(
        "2026-01-14 14:02:03,123 ERROR [main] c.e.Foo - boom\njava.lang.IllegalStateException: no\n\tat c.e.Foo.bar(Foo.java:1)\n\nCaused by: x\n\
         2026-01-14 14:02:04,000 INFO [main] c.e.Foo - at 2026-01-14 10:00:00 it was fine\n",
        &[
            (
                1,
                "2026-01-14T14:02:03.123Z",
                "2026-01-14 14:02:03,123 ERROR [main] c.e.Foo - boom\njava.lang.IllegalStateException: no\n\tat c.e.Foo.bar(Foo.java:1)\n\nCaused by: x",
            ),
            (
                6,
                "2026-01-14T14:02:04Z",
                "2026-01-14 14:02:04,000 INFO [main] c.e.Foo - at 2026-01-14 10:00:00 it was fine",
            ),
        ],
    );
}

#[test]
fn without_any_time_each_line_is_a_record_but_for_stack_traces() {
    check(
        "started\nTraceback (most recent call last):\n  File \"a.py\", line 1\nValueError: bad\nfail: App[0]\n      went wrong\ndone\n",
        &[
            (1, "", "started\nTraceback (most recent call last):\n  File \"a.py\", line 1\nValueError: bad"),
            (5, "", "fail: App[0]\n      went wrong"),
            (7, "", "done"),
        ],
    );
}

#[test]
fn what_kubectl_and_the_container_runtime_put_first_is_taken_off() {
    check(
        "2026-01-14T14:02:03.123456789Z E0114 14:02:03.120000       1 server.go:12] failed\n\
         2026-01-14T14:02:03.123456790Z goroutine 1 [running]:\n\
         2026-01-14T14:02:05.123456789Z {\"level\":\"info\"}\n",
        &[
            (
                1,
                "2026-01-14T14:02:03.123456789Z",
                "E0114 14:02:03.120000       1 server.go:12] failed\ngoroutine 1 [running]:",
            ),
            (3, "2026-01-14T14:02:05.123456789Z", "{\"level\":\"info\"}"),
        ],
    );
    check(
        "2026-01-14T14:02:03.123456789Z stdout P half a \n2026-01-14T14:02:03.123456789Z stdout F line\n\
         2026-01-14T14:02:04.123456789Z stderr F another\n",
        &[
            (1, "2026-01-14T14:02:03.123456789Z", "half a line"),
            (3, "2026-01-14T14:02:04.123456789Z", "another"),
        ],
    );
}

#[test]
fn interleaved_pods_are_kept_apart() {
    let mut found = Vec::new();
    let text = "[pod/web-7d-x/app] 2026-01-14 14:02:03 a\n[pod/cart-1-y/app] 2026-01-14 14:02:03 b\n[pod/cart-1-y/app] \tat c\n";
    let mut take = |record: &LogRecord<'_>| {
        found.push(format!("{:?} {}", record.origin.unwrap(), record.text));
        Ok(())
    };
    read("logs/all.log", text.as_bytes(), "2026-01-14T15:00:00Z".parse().unwrap(), &mut take).unwrap();
    assert_eq!(
        found,
        [
            "(\"web-7d-x\", \"app\") 2026-01-14 14:02:03 a",
            "(\"cart-1-y\", \"app\") 2026-01-14 14:02:03 b\n\tat c"
        ]
    );
}

#[test]
fn a_time_is_found_where_programs_put_it() {
    for line in [
        "time=2026-01-14T14:02:03Z level=info msg=x",
        "level=info ts=1768399323 msg=x",
        "ERROR 2026-01-14 14:02:03,000 x",
        "[2026-01-14 14:02:03] x",
        "[INFO] 2026/01/14 14:02:03 x",
        "1:M 14 Jan 2026 14:02:03.000 * Ready",
        "<165>1 2026-01-14T14:02:03Z host app - - x",
        "<34>Jan 14 14:02:03 host su: x",
        "10.0.0.1 - - [14/Jan/2026:14:02:03 +0000] \"GET / HTTP/1.1\" 200 3",
        "2026-01-14 14:02:03.000 UTC [231] shop@shop LOG:  x",
        "[Wed Jan 14 14:02:03 2026] [core:error] x",
        "1768399323 x",
    ] {
        let found = records("logs/a.log", line);
        assert_eq!(found[0].1, "2026-01-14T14:02:03Z", "{line}");
    }
    for line in [
        "order 2026011414 placed",
        "it took 1768399323 ns",
        "no time at all, even at 2026-01-14 14:02:03 in the text of it",
    ] {
        assert_eq!(records("logs/a.log", line)[0].1, "", "{line}");
    }
}

#[test]
fn documents_are_one_a_line_and_what_is_none_is_a_fault() {
    assert_eq!(records("logs/a.ndjson", "{\"a\":1}\n\n {\"b\":2} \n").len(), 2);
    let now = Timestamp::UNIX_EPOCH;
    let fault = |text: &str| {
        read("logs/a.ndjson.gz", text.as_bytes(), now, &mut |_| Err("no".to_owned())).unwrap_err().to_string()
    };
    assert_eq!(fault("[1]\n"), "logs/a.ndjson.gz line 1: is not a JSON object");
    assert_eq!(fault("\n{}\n"), "logs/a.ndjson.gz line 2: no");
}

#[test]
fn bytes_that_are_no_text_do_not_stop_a_file_of_text() {
    let mut found = Vec::new();
    let text = b"2026-01-14 14:02:03 caf\xe9\n";
    let mut take = |record: &LogRecord<'_>| {
        found.push(record.text.to_owned());
        Ok(())
    };
    read("logs/a.log", &text[..], Timestamp::UNIX_EPOCH, &mut take).unwrap();
    assert_eq!(found, ["2026-01-14 14:02:03 caf\u{fffd}"]);
}

#[test]
fn a_file_is_called_after_whose_logs_it_holds() {
    for (file, service) in [
        ("logs/payment.log.gz", "payment"),
        ("logs/payment.ndjson", "payment"),
        ("logs/payment-6d9f8c7b54-x2x4p.log", "payment"),
        ("logs/db-0.log", "db-0"),
        ("logs/user-service.log", "user-service"),
        ("logs/node1/kubelet.log", "kubelet"),
    ] {
        assert_eq!(subject(file), service, "{file}");
    }
}
