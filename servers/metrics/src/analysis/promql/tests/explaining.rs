use super::*;

#[test]
fn what_an_expression_computes_is_said_in_words() {
    let cases = [
        (
            "sum by (service) (rate(a{code=~\"5..\"}[5m])) / sum by (service) (rate(a[5m]))",
            "ratio of: sum by (service) of rate per second over 5m of a{code=~\"5..\"} ÷ sum by (service) of rate per \
             second over 5m of a",
        ),
        (
            "histogram_quantile(0.95, sum by (le) (rate(b_bucket[2m])))",
            "quantile 0.95 of the histogram sum by (le) of rate per second over 2m of b_bucket",
        ),
        ("topk(5, increase(c[1h] offset 1d))", "the 5 highest of increase over 1h 1d earlier of c"),
        ("max_over_time(sum(d)[6h:1m])", "highest over 6h, each 1m, of (sum of d)"),
        ("(sum(e) > 5) / on (x) f", "ratio of: (sum of e, only where > 5) ÷ with the same (x) f"),
        ("absent(up{job=\"x\"})", "1 while there is no up{job=\"x\"}"),
        ("5 < g", "g, only where 5 < it"),
        (
            "h unless ignoring (pod) i",
            "h, only where there is none with the same labels, leaving out (pod), of i",
        ),
        ("j or vector(0)", "j, or else 0"),
        ("count(k == bool 1)", "number of series of whether k == 1"),
        ("-l @ end()", "minus l at a fixed time"),
    ];
    for (query, expected) in cases {
        assert_eq!(describe(&tree(query)).as_deref(), Some(expected), "{query}");
    }
    for query in ["up", "(up{a=\"b\"})", "1", "\"text\""] {
        assert_eq!(describe(&tree(query)), None, "{query}");
    }
    let long = vec!["sum(aaaaaaaaaaaaaaaaaaaa)"; 40].join(" + ");
    assert_eq!(describe(&tree(&long)).unwrap().chars().count(), 321);
}

#[test]
fn the_parts_that_yield_series_are_found_with_what_they_are_made_of() {
    let found = pieces(&tree("(sum(rate(a[5m])) > 5) / on () (sum(b) + scalar(c))"), 6);
    let parts: Vec<(&str, &[usize])> =
        found.iter().map(|part| (part.query.as_str(), part.inner.as_slice())).collect();
    assert_eq!(
        parts,
        [
            ("sum(rate(a[5m])) > 5", [2].as_slice()),
            ("sum(b) + scalar(c)", &[3]),
            ("sum(rate(a[5m]))", &[4]),
            ("sum(b)", &[]),
            ("rate(a[5m])", &[]),
        ]
    );
    assert!(pieces(&tree("up"), 6).is_empty() && pieces(&tree("up / down"), 6).is_empty());
    assert_eq!(pieces(&tree("(sum(rate(a[5m])) > 5) / on () (sum(b) + scalar(c))"), 2).len(), 2);
    // The inside of a subquery is another evaluation.
    assert_eq!(pieces(&tree("abs(max_over_time(sum(a)[1h:]))"), 6).len(), 1);
}

proptest! {
    #[test]
    fn any_text_can_be_explained(query in "\\PC{0,60}|[a-z(\\[{}\\])\"'`\\\\ \n#=~!:0-9@$+-]{0,80}") {
        if let Ok(reading) = read(&query)
            && let Some(tree) = &reading.tree
        {
            let _ = describe(tree);
            for part in pieces(tree, 6) {
                prop_assert!(promql_parser::parser::parse(&part.query).is_ok());
            }
        }
    }
}
