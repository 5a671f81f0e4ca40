//! Generated PromQL, for what must hold of any query.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part of it")]

use proptest::prelude::*;

/// A string that may hold everything that has a meaning somewhere in the syntax, and how it is written.
fn strings() -> impl Strategy<Value = String> {
    let parts = prop_oneof![
        "[a-z.]{1,4}",
        Just("\"".to_owned()),
        Just("'".to_owned()),
        Just("`".to_owned()),
        Just("\\".to_owned()),
        Just("}".to_owned()),
        Just("{".to_owned()),
        Just(" or ".to_owned()),
        Just("#".to_owned()),
        Just("\n".to_owned()),
        Just(",namespace=\"team-b\"".to_owned()),
        Just("\",namespace=\"team-b\"} or x{a=\"".to_owned()),
        Just("é☃".to_owned()),
        Just("\u{7}\u{0}".to_owned()),
        Just("\u{202e}".to_owned()),
    ];
    let text = proptest::collection::vec(parts, 0..4).prop_map(|parts| parts.concat());
    (text, 0..3_u8).prop_map(|(text, quote)| {
        let escaped = |quote: char| {
            let mut written = quote.to_string();
            for character in text.chars() {
                match character {
                    '\\' => written.push_str("\\\\"),
                    '\n' => written.push_str("\\n"),
                    '\0' => written.push_str("\\x00"),
                    same if same == quote => written.extend(['\\', same]),
                    other => written.push(other),
                }
            }
            written.push(quote);
            written
        };
        match quote {
            0 => escaped('"'),
            1 => escaped('\''),
            _ if text.contains(['`', '\n', '\0']) => escaped('"'),
            _ => format!("`{text}`"),
        }
    })
}

fn matchers() -> impl Strategy<Value = String> {
    let label =
        prop_oneof![Just("namespace".to_owned()), "[a-z]{1,3}", Just("\"k8s.pod\"".to_owned()), strings()];
    let one = (label, prop_oneof![Just("="), Just("!="), Just("=~"), Just("!~")], strings())
        .prop_map(|(label, op, value)| format!("{label}{op}{value}"));
    proptest::collection::vec(one, 1..4).prop_map(|all| format!("job!=\"\",{}", all.join(" , ")))
}

/// Expressions of all of the syntax, some of which do not parse.
pub fn anything() -> impl Strategy<Value = String> {
    let selector = prop_oneof![
        "[a-z_:]{1,5}",
        ("[a-z]{1,3}", matchers()).prop_map(|(name, all)| format!("{name}{{{all}}}")),
        matchers().prop_map(|all| format!("{{{all},}}")),
        matchers().prop_map(|all| format!("{{__name__=~\".+\",{all}}}")),
        (strings(), matchers()).prop_map(|(name, all)| format!("{{{name}, {all}}}")),
        (matchers(), matchers()).prop_map(|(one, other)| format!("{{{one} or {other}}}")),
    ];
    let shift = prop_oneof![
        Just(""),
        Just(" offset 5m"),
        Just(" offset -1d @ 1234.5"),
        Just(" @ start()"),
        Just(" @ end() offset 90s"),
    ];
    let range = prop_oneof![Just(""), Just(""), Just("[5m]"), Just("[1h30m]"), Just("[90000ms]")];
    let leaf = prop_oneof![
        6 => (selector, range, shift).prop_map(|(one, range, shift)| match range {
            "" => format!("{one}{shift}"),
            _ => format!("rate({one}{range}{shift})"),
        }),
        1 => Just("1e3".to_owned()),
        1 => Just("-Inf".to_owned()),
        1 => Just("time()".to_owned()),
        1 => strings(),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        let one = || inner.clone();
        let op = prop_oneof![
            Just("+"),
            Just("^"),
            Just("== bool"),
            Just("and"),
            Just("unless on (a)"),
            Just("/ ignoring (b, \"k8s.pod\") group_left ()"),
            Just("* on (a) group_right (\"x.y\")"),
            Just("or"),
            Just("atan2"),
        ];
        let space = prop_oneof![Just(" "), Just("\n"), Just(" # } \" {namespace=\"team-a\"}\n"), Just("\t")];
        prop_oneof![
            (one(), op, space, one())
                .prop_map(|(left, op, space, right)| format!("{left}{space}{op}{space}{right}")),
            one().prop_map(|text| format!("({text})")),
            one().prop_map(|text| format!("-{text}")),
            one().prop_map(|text| format!("sum by (a, namespace) ({text})")),
            one().prop_map(|text| format!("count({text}) without ()")),
            (one(), one()).prop_map(|(k, text)| format!("topk(scalar({k}), {text})")),
            (strings(), one()).prop_map(|(label, text)| format!("count_values({label}, {text})")),
            one().prop_map(|text| format!("max_over_time(({text})[1h:] offset 1h)")),
            one().prop_map(|text| format!("avg_over_time(abs({text})[1h:30s] @ 5)")),
            (one(), strings())
                .prop_map(|(text, s)| format!("label_replace({text}, \"namespace\", {s}, \"a\", {s})")),
            (one(), matchers()).prop_map(|(text, all)| format!("info({text}, {{{all}}})")),
            one().prop_map(|text| format!("info({text})")),
            (one(), one()).prop_map(|(a, b)| format!("histogram_quantile(scalar({a}), {b})")),
            one().prop_map(|text| format!("absent({text})")),
        ]
    })
}
