//! Text as it comes from outside. `cargo xtask fuzz` runs this for longer.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use stacktrace::{Application, Record, Trace, extract, from_fields, rejoin};
use testkit::fuzz::fuzz;

fn recorded() -> Vec<Vec<u8>> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recorded");
    let mut paths: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let texts = paths.into_iter().filter(|path| path.extension().is_some_and(|end| end == "txt"));
    texts.map(|path| std::fs::read(path).unwrap()).filter(|text| text.len() < 4_000).collect()
}

fn holds(text: &str, trace: &Trace) {
    assert!(text.get(trace.span.clone()).is_some_and(|found| !found.is_empty()), "{:?}", trace.span);
    assert_eq!(trace.fingerprint.len(), 16);
    assert!(trace.wrappers.len() < Trace::EXCEPTIONS && trace.others.len() <= Trace::EXCEPTIONS);
}

#[test]
fn fuzz_traces() {
    let seeds = recorded();
    let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
    let words = [
        "\n",
        "\tat a.b.C.d(E.java:1)\n",
        "    at f (/g.js:1:2) {\n",
        "   at A.B(C d) in e:line 1\n",
        "Caused by: ",
        "\tSuppressed: a.B: c\n",
        "\t... 3 more\n",
        " ---> A.B: c\n",
        "<---",
        "   --- End of inner exception stack trace ---\n",
        "  [errors]: [\n",
        "  [cause]: E: f\n",
        "}\n",
        "Traceback (most recent call last):\n",
        "  | ",
        "  +-+---------------- 1 ----------------\n",
        "    +---------------- 2 ----------------\n",
        "\nDuring handling of the above exception, another exception occurred:\n\n",
        "panic: ",
        "goroutine 1 [running]:\n",
        "panic(...)\n\t/a.go:1\n",
        "thread 'a' panicked at b:1:1:\n",
        "Stack backtrace:\n",
        "a.rb:1:in `b': c (D)\n",
        "Next A: b in c:1\n",
        "Stack trace:\n",
        "#0 0x1 in a b.c:1\n",
        "Thread 1 (a):\n",
        "SUMMARY: ",
        "==1==ERROR: AddressSanitizer: x on y\n",
    ];
    let application = Application::default();
    fuzz("traces", &seeds, &words, |input| {
        let text = String::from_utf8_lossy(input);
        for trace in extract(&text, &application) {
            holds(&text, &trace);
        }
        let lines: Vec<&str> = text.split('\n').collect();
        let record = |(at, text): (usize, &&'_ str)| (["a", "b"][at % 2], (at / 3) as i64, text.to_string());
        let owned: Vec<_> = lines.iter().enumerate().map(record).collect();
        let records: Vec<Record<'_>> =
            owned.iter().map(|(stream, order, text)| Record { stream, order: *order, text }).collect();
        let mut seen: Vec<usize> = rejoin(&records).into_iter().flat_map(|joined| joined.records).collect();
        seen.sort_unstable();
        assert!(seen.into_iter().eq(0..records.len()), "each record once");
        let fields: Vec<(&str, &str)> = lines.iter().filter_map(|line| line.split_once(':')).collect();
        from_fields(&fields, &application);
        from_fields(&[("error.stack_trace", &text), ("error.type", "x")], &application);
    });
}
