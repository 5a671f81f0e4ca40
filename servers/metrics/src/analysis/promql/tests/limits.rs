use super::*;

#[test]
fn deep_nesting_is_refused_before_it_is_parsed() {
    let nested = |depth: usize| format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(read(&nested(64)).is_ok_and(|reading| reading.tree.is_some()));
    assert_eq!(read(&nested(65)).err(), Some(65));
    assert_eq!(read(&"(".repeat(8_192)).err(), Some(8_192));
    assert_eq!(
        read("a{b=\"((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((\"}").err(),
        None
    );
}

#[test]
fn what_is_too_long_or_unknown_is_not_analysed_and_not_refused() {
    let sum = vec!["1"; 4_000].join("+");
    assert!(read(&sum).is_ok_and(|reading| reading.tree.is_none()));
    let regexes = format!("{{{}}}", vec!["a=~\"x\""; 40].join(","));
    assert!(read(&regexes).is_ok_and(|reading| reading.tree.is_none()));
    for dialect in ["rate(x[5m] anchored)", "x default 0", "x[5m + 1m]", "😀", "\"", ""] {
        assert!(read(dialect).is_ok_and(|reading| reading.tree.is_none()), "{dialect}");
    }
}

/// A worker's stack is 2 MiB; a debug build needs several times what a release build does.
#[test]
fn the_longest_and_deepest_that_is_analysed_is_quick_and_fits_a_small_stack() {
    let worst = [
        vec!["a"; 500].join("+"),
        vec!["a"; 500].join("^"),
        format!("{}a", "-".repeat(999)),
        format!("{{{}}}", vec!["a=~\"(x{100}){90}\""; 16].join(",")),
        format!("{}1{}", "abs(".repeat(64), ")".repeat(64)),
    ];
    for query in worst {
        let thread = std::thread::Builder::new().stack_size(1 << 20);
        let run = move || {
            let began = Instant::now();
            let found = read(&query).unwrap().tree.map_or(0, |tree| selectors(&tree).len());
            (found, began.elapsed())
        };
        let (_, took) = thread.spawn(run).unwrap().join().unwrap();
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
}

proptest! {
    #[test]
    fn reading_survives_any_text(query in "\\PC{0,60}|[a-z(\\[{}\\])\"'`\\\\ \n#=~!:0-9@$+-]{0,80}") {
        if let Ok(reading) = read(&query) {
            let _ = variables(&reading);
            let _ = substitute(&reading, 15.0, 3_600.0);
            let _ = blind_cost(&reading, Course::instant(), SCRAPE);
            let _ = narrow(&reading, "a", "b", "c");
            let _ = add_range(&reading, "a", 3);
            let _ = shorten(&reading, 60.0);
            let _ = hint("unclosed left parenthesis", &reading);
        }
        let _ = excerpt(&query, 1, 7);
    }
}

/// Found by the fuzzer: the parser panics at each of these.
#[test]
fn numbers_that_are_no_durations_are_not_given_to_the_parser() {
    for query in [
        "max_over_time(up[5m:99999999999999999999])",
        "rate(up[99999999999999999999])",
        "up offset 99999999999999999999",
        "up offset -1e300",
        "rate(up[1e300])",
        "rate(up[NaN])",
        "rate(up[Inf:])",
    ] {
        let reading = read(query).unwrap();
        assert!(reading.tree.is_none(), "{query}");
        let _ = shorten(&reading, 60.0);
        assert!(blind_cost(&reading, Course::instant(), SCRAPE) >= 0.0);
    }
    for query in [
        "up > 1e300",
        "rate(up[90])",
        "up offset -90",
        "up @ 1e300",
        "up[5m:1m]",
        "a:b * 99999999999999999999",
    ] {
        assert!(read(query).unwrap().tree.is_some(), "{query}");
    }
}
