//! What holds for every text.

mod common;

use common::recorded;
use proptest::prelude::*;
use stacktrace::{Application, Record, Trace, extract, rejoin};

const NAMES: [&str; 20] = [
    "java-chain",
    "java-proxy",
    "java-circular",
    "python-cause",
    "python-context",
    "python-group",
    "go-nil",
    "go-http",
    "go-rethrow",
    "node-cause",
    "node-aggregate",
    "dotnet-inner",
    "mono-lambda",
    "rust-index",
    "rust-two",
    "ruby-cause",
    "php-cause",
    "c-gdb",
    "c-asan-use-after-free",
    "cc-gdb",
];

fn read(text: &str) -> Vec<Trace> {
    extract(text, &Application::default())
}

fn fingerprints(text: &str) -> Vec<String> {
    read(text).into_iter().map(|trace| trace.fingerprint).collect()
}

/// Moves the number that follows one of these marks: a line grows, an address becomes another one.
fn renumbered(text: &str, after: &[&str], by: usize) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((end, mark)) =
        after.iter().filter_map(|mark| Some((rest.find(mark)? + mark.len(), *mark))).min()
    {
        let (head, tail) = rest.split_at(end);
        out.push_str(head);
        let is_digit = |b: &u8| if mark == "0x" { b.is_ascii_hexdigit() } else { b.is_ascii_digit() };
        let (digits, tail) = tail.split_at(tail.bytes().take_while(is_digit).count());
        match digits.parse::<usize>() {
            Ok(line) if mark != "0x" => out.push_str(&(line + by).to_string()),
            _ if digits.is_empty() => {}
            _ => out.push_str("7f00aa"),
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[test]
fn line_numbers_and_addresses_have_no_part_in_the_identity() {
    // The frames of `dotnet-inner` have no lines.
    for name in NAMES.into_iter().filter(|name| *name != "dotnet-inner") {
        let text = recorded(name);
        let marks = [
            ".java:", ", line ", ".go:", ".js:", ".rb:", ".php:", ".cs:", ".php(", ".rs:", ".c:", ".cc:",
            "0x",
        ];
        let moved = renumbered(&text, &marks, 70);
        assert_ne!(moved, text, "{name}");
        assert_eq!(fingerprints(&moved), fingerprints(&text), "{name}");
    }
}

#[test]
fn what_compilers_count_has_no_part_in_it() {
    let pairs = [
        ("java-chain", "lambda$main$0", "lambda$main$17"),
        ("java-proxy", "jdk.proxy1/jdk.proxy1.$Proxy0.call", "jdk.proxy9/jdk.proxy9.$Proxy123.call"),
        ("go-nil", "main.main.func1", "main.main.func9"),
        ("mono-lambda", "<Main>c__AnonStorey1.<>m__0", "<Main>c__AnonStorey7.<>m__3"),
        (
            "rust-index",
            "checkout::main::{{closure}}",
            "checkout::main::{{closure}}::{{closure}}::h0123456789abcdef",
        ),
        ("ruby-cause", "block in place", "block (2 levels) in place"),
        ("node-cause", "Object.cause", "Object.cause [as charge]"),
        ("php-cause", "{closure}", "{closure:Shop\\Checkout::place():23}"),
    ];
    for (name, from, to) in pairs {
        let text = recorded(name);
        let changed = text.replace(from, to);
        assert_ne!(changed, text, "{name}");
        assert_eq!(fingerprints(&changed), fingerprints(&text), "{name}");
    }
}

#[test]
fn the_message_has_no_part_in_it_but_type_and_functions_have() {
    for (name, message, type_name, function) in [
        ("java-chain", "order A-17 failed", "PaymentException", "Checkout.charge"),
        ("python-cause", "order A-17 failed", "PaymentError", "in acquire"),
        ("node-nested", "order A-3 failed", "PaymentError", "Pool.acquire"),
        ("ruby-cause", "order A-17 failed", "PaymentError", "`acquire'"),
        ("php-cause", "order A-17 failed", "PaymentException", "->acquire"),
        ("dotnet-inner", "order A-17 failed", "PaymentException", ".Acquire("),
    ] {
        let text = recorded(name);
        let identity = fingerprints(&text);
        assert_eq!(fingerprints(&text.replace(message, "basket B-4 lost")), identity, "{name}");
        assert_ne!(fingerprints(&text.replace(type_name, "RefundError")), identity, "{name}");
        let renamed = function.replace("cquire", "bandon").replace("charge", "refund");
        assert_ne!(renamed, function);
        assert_ne!(fingerprints(&text.replace(function, &renamed)), identity, "{name}");
    }
}

#[test]
fn what_stands_around_a_trace_changes_nothing_about_it() {
    let before = "2026-11-27 10:00:00 INFO serving order A-16\n";
    let after = "\n2026-11-27 10:00:02 INFO serving order A-18\n{\"level\":\"info\"}\n";
    for name in NAMES {
        let text = recorded(name);
        let plain = read(&text);
        let surrounded = read(&format!("{before}{text}{after}"));
        assert_eq!(surrounded.len(), plain.len(), "{name}");
        for (mut one, other) in surrounded.into_iter().zip(plain) {
            one.span = one.span.start - before.len()..one.span.end - before.len();
            assert_eq!(one, other, "{name}");
        }
    }
}

#[test]
fn carriage_returns_change_nothing_but_places() {
    for name in NAMES {
        let text = recorded(name);
        let plain: Vec<_> = read(&text)
            .into_iter()
            .map(|trace| (trace.wrappers, trace.root_cause, trace.fingerprint))
            .collect();
        let windows = read(&text.replace('\n', "\r\n"));
        let windows: Vec<_> =
            windows.into_iter().map(|trace| (trace.wrappers, trace.root_cause, trace.fingerprint)).collect();
        assert_eq!(windows, plain, "{name}");
    }
}

#[test]
fn a_prefix_of_the_operator_decides() {
    let text =
        "a.B: c\n\tat org.apache.acme.Cart.total(Cart.java:1)\n\tat org.apache.camel.Run.go(Run.java:2)\n";
    assert_eq!(read(text)[0].top_frame, None);
    let application = Application::new(["org.apache.acme.".to_owned()]);
    let top = extract(text, &application)[0].top_frame.clone();
    assert_eq!(top.map(|frame| frame.function), Some("org.apache.acme.Cart.total".to_owned()));
}

#[test]
fn limits_hold_and_what_is_left_out_is_counted() {
    let frames = "\tat a.b.C.d(C.java:1)\n".repeat(1_000);
    let trace = &read(&format!("a.B: c\n{frames}"))[0];
    assert_eq!(trace.root_cause.frames.len() + trace.root_cause.elided, 1_000);
    let causes: String =
        (0..500).map(|at| format!("Caused by: a.B: {at}\n\tat a.b.C.d(C.java:1)\n")).collect();
    let trace = &read(&format!("a.First: x\n\tat a.b.C.d(C.java:1)\n{causes}"))[0];
    assert_eq!(trace.chain().count() + trace.exceptions_elided, 501);
    assert_eq!(trace.outermost().type_name.as_deref(), Some("a.First"));
    assert_eq!(trace.root_cause.message, "499", "the root cause is never left out");
    let python = "  File \"/a.py\", line 1, in b\n".repeat(1_000);
    let python =
        format!("Traceback (most recent call last):\n{python}  File \"/a.py\", line 9, in last\nE: x\n");
    let trace = &read(&python)[0];
    assert_eq!(trace.root_cause.frames[0].function, "last");
    assert_eq!(trace.root_cause.frames.len() + trace.root_cause.elided, 1_001);
}

fn any_line() -> impl Strategy<Value = String> {
    let recorded: Vec<String> =
        NAMES.iter().flat_map(|name| recorded(name).lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    prop_oneof![4 => proptest::sample::select(recorded), 1 => "\\PC{0,40}", 1 => "[ \\t]{0,4}at [a-zé.(:)0-9 ]{0,30}"]
}

proptest! {
    #[test]
    fn any_text_is_read(text in "\\PC*") {
        for trace in read(&text) {
            prop_assert!(text.get(trace.span.clone()).is_some());
        }
    }

    #[test]
    fn any_mixture_of_lines_is_read_and_places_do_not_overlap(lines in proptest::collection::vec(any_line(), 0..60)) {
        let text = lines.join("\n");
        let mut last = 0;
        for trace in read(&text) {
            prop_assert!(trace.span.start >= last && text.get(trace.span.clone()).is_some(), "{:?}", trace.span);
            last = trace.span.end;
        }
    }

    #[test]
    fn each_record_is_in_one_group(lines in proptest::collection::vec((0..3_usize, any_line()), 0..60)) {
        let streams = ["a", "b", "c"];
        let record = |(order, (stream, text)): (usize, &'_ (usize, String))| (streams[*stream], order as i64, text.clone());
        let owned: Vec<_> = lines.iter().enumerate().map(record).collect();
        let records: Vec<Record<'_>> = owned.iter().map(|(stream, order, text)| Record { stream, order: *order, text }).collect();
        let mut seen = Vec::new();
        for joined in rejoin(&records) {
            let texts: Vec<&str> = joined.records.iter().map(|at| records[*at].text).collect();
            prop_assert_eq!(texts.join("\n"), joined.text);
            prop_assert!(joined.records.iter().all(|at| records[*at].stream == records[joined.records[0]].stream));
            seen.extend(joined.records);
        }
        seen.sort_unstable();
        prop_assert!(seen.into_iter().eq(0..records.len()));
    }

    /// A trace split into lines and mixed with another stream at random comes back as it was.
    #[test]
    fn mixing_two_streams_is_undone(one in 0..NAMES.len(), two in 0..NAMES.len(), choices in proptest::collection::vec(any::<bool>(), 200)) {
        let texts = [recorded(NAMES[one]), recorded(NAMES[two])];
        let split: Vec<Vec<&str>> = texts.iter().map(|text| text.lines().collect()).collect();
        let own = |name: &'static str, lines: &[&str]| {
            let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
            let records: Vec<Record<'_>> =
                lines.iter().enumerate().map(|(at, text)| Record { stream: name, order: at as i64, text }).collect();
            rejoin(&records).into_iter().map(|joined| joined.text).collect::<Vec<_>>()
        };
        let mut expected = own("a", &split[0]);
        expected.extend(own("b", &split[1]));
        let (mut mixed, mut next) = (Vec::new(), [0, 0]);
        let mut choices = choices.into_iter().cycle();
        while next[0] < split[0].len() || next[1] < split[1].len() {
            let side = usize::from(choices.next() == Some(true));
            let side = if next[side] < split[side].len() { side } else { 1 - side };
            mixed.push(Record { stream: ["a", "b"][side], order: next[side] as i64, text: split[side][next[side]] });
            next[side] += 1;
        }
        let mut found: Vec<String> = rejoin(&mixed).into_iter().map(|joined| joined.text).collect();
        expected.sort();
        found.sort();
        prop_assert_eq!(found, expected);
    }
}
