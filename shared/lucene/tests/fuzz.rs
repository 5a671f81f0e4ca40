//! Queries with anything in them. `cargo xtask fuzz` runs this for longer.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail loudly")]

use lucene::{Builder, Facts, Query};
use testkit::fuzz::fuzz;

#[test]
fn fuzz_query() {
    let mut builder = Builder::default();
    builder.push([("m", "pool exhausted (size=10)"), ("status", "503")].into_iter()).unwrap();
    let store = builder.finish(|_| Facts::default());
    let texts = [store.name("m").unwrap()];
    let seeds: [&[u8]; 4] = [
        b"service.name:payment AND (\"pool exhausted\" OR size:[5 TO *}) -debug",
        b"a* AND NOT b?c",
        b"_exists_:trace.id",
        b"m:>=10 \\: \\\"",
    ];
    let words = [
        "AND",
        "OR",
        "NOT",
        " TO ",
        "(",
        ")",
        "[",
        "}",
        ":",
        "\"",
        "\\",
        "*",
        "~",
        "^",
        "/",
        "_exists_:",
        "&&",
    ];
    fuzz("query", &seeds, &words, |input| {
        // what is written again is longer, and must not be too long
        let text = String::from_utf8_lossy(&input[..input.len().min(1_500)]);
        match Query::parse(&text) {
            Ok(query) => {
                assert_eq!(Query::parse(&query.to_string()).as_ref(), Ok(&query));
                let _ = query.filter(&store, &texts).holds(&store, 0);
            }
            Err(error) => assert!(!error.remedy.is_empty() && error.position > 0),
        }
    });
}
