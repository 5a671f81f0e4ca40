//! Stage 2 and filters, by hand and by property.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail loudly")]

use patterns::{Pattern, Tally, Template, merge};
use proptest::prelude::*;

fn merged(lines: &[&str]) -> Vec<Pattern> {
    let mut tally = Tally::default();
    lines.iter().for_each(|line| {
        tally.add(line);
    });
    tally.patterns()
}

fn texts(lines: &[&str]) -> Vec<String> {
    let mut texts: Vec<String> = merged(lines).iter().map(|pattern| pattern.text().to_owned()).collect();
    texts.sort();
    texts
}

#[test]
fn three_that_differ_in_one_word_are_one_two_are_not() {
    assert_eq!(texts(&["login of alice failed", "login of bob failed"]).len(), 2);
    assert_eq!(
        texts(&["login of alice failed", "login of bob failed", "login of eve failed"]),
        ["login of <*> failed"]
    );
    assert_eq!(texts(&["(alice) in", "(bob) in", "(eve) in"]), ["(<*>) in"], "punctuation stays");
    assert_eq!(
        texts(&["by alice(uid=1) in", "by bob(uid=1) in", "by eve(uid=1) in"]),
        ["by <*>(uid=<*>) in"]
    );
    let [pattern] = &merged(&["user (alice) in", "user (bob) in", "user (eve) in"])[..] else {
        panic!("not merged")
    };
    assert_eq!(pattern.words_of(&Template::of("user (bob) in")), ["bob"]);
    assert!(merged(&["alice in"])[0].words_of(&Template::of("alice in")).is_empty());
    let three = merged(&[
        "login of alice failed",
        "login of bob failed",
        "login of bob failed",
        "login of eve 1 failed",
    ]);
    assert_eq!(three.len(), 3, "another length is another story");
    assert_eq!((three[0].text(), three[0].count()), ("login of bob failed", 2));
}

#[test]
fn a_second_round_merges_what_the_first_has_made_alike() {
    let mut lines = Vec::new();
    for user in ["alice", "bob", "eve"] {
        for place in ["front", "back", "side"] {
            lines.push(format!("user {user} came through the {place} door"));
        }
    }
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let patterns = merged(&lines);
    assert_eq!(patterns.len(), 1);
    assert_eq!(patterns[0].text(), "user <*> came through the <*> door");
    assert_eq!((patterns[0].count(), patterns[0].members().len()), (9, 9));
    assert_eq!(patterns[0].labelled(), "user <word> came through the <word> door");
}

#[test]
fn levels_verbs_and_outcomes_are_kept_apart_and_a_word_is_left() {
    assert_eq!(texts(&["unit a started", "unit a stopped", "unit a failed", "unit a reloaded"]).len(), 4);
    assert_eq!(texts(&["ERROR no space", "WARN no space", "INFO no space"]).len(), 3);
    assert_eq!(texts(&["level=error: no space", "level=warn: no space", "level=info: no space"]).len(), 3);
    assert_eq!(texts(&["in head.go of it", "in main.go of it", "in open.go of it"]), ["in <*>.go of it"]);
    assert_eq!(texts(&["alpha", "beta", "gamma"]).len(), 3);
    assert_eq!(texts(&["alpha 1", "beta 1", "gamma 1"]).len(), 3);
}

#[test]
fn a_filter_tells_its_phrases_and_refuses_its_neighbours() {
    let patterns = merged(&[
        "login of alice from 10.0.0.1 failed",
        "login of bob from 10.0.0.2 failed",
        "login of eve from 10.0.0.3 failed",
    ]);
    let filter = patterns[0].filter().unwrap();
    assert_eq!(patterns[0].phrases(), ["login of", "from", "failed"]);
    assert_eq!(filter.fragments(), ["login of", "from", "failed"]);
    let table = [
        ("login of mallory from 10.9.9.9 failed", true),
        ("  login  of mallory from 10.9.9.9 failed\n\tat x", true),
        ("login of mallory from home failed", false),
        ("login of mallory from 10.9.9.9 failed twice", false),
        ("the login of mallory from 10.9.9.9 failed", false),
        ("login of mallory and eve from 10.9.9.9 failed", false),
    ];
    for (line, expected) in table {
        assert_eq!(filter.matches(line), expected, "{line}");
    }
    let optional = Template::of("failure; rhost=10.0.0.1").filter().unwrap();
    assert!(!optional.matches("failure; rhost=10.0.0.1 user=root7"));
}

#[test]
fn phrases_are_the_words_between_values_and_merged_words() {
    let phrases = |lines: &[&str]| merged(lines)[0].phrases();
    assert_eq!(phrases(&["kept 17 rows of 9 in 3 ms"]), ["kept", "rows of", "in"]);
    assert_eq!(phrases(&["= 17 rows"]), ["rows"]);
    assert!(phrases(&["17 = 18"]).is_empty());
}

/// Lines as software writes them: few words, many values.
fn line() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "open", "login", "of", "user", "alice", "bob", "eve", "disk", "reads", "Jan", "Mon", "GET",
    ]);
    let value = prop_oneof![
        "[0-9]{1,4}",
        "[a-f0-9]{8}",
        "10\\.0\\.[0-9]\\.[0-9]",
        "/[a-z]{1,4}/[a-z]{1,4}",
        "\"[a-z ]{0,9}\"",
        "'[a-z]{0,5}'",
        "[a-z]{2}=[a-z0-9]{0,3}",
        "\\[[a-z0-9, ]{0,6}\\]",
        "\\([a-z0-9,]{0,6}\\)",
        "<[a-z0-9:*]{0,6}>",
        "[0-9] (bytes|ms|KB|PM)",
        r#"\{"[a-z]{1,3}": ?("[a-z\\n"]{0,4}"|[0-9]|true|\[1,2\])\}"#,
        "[,:;=|./@#~\"'<>(){}\\[\\] \\\\-]{1,4}",
        "\\PC{0,4}",
        "https?://[a-z]{1,3}\\.com[/?=,a-z]{0,5}",
        "[a-z]{1,3}@[a-z]{1,3}\\.(com|de)",
        "0x[0-9a-f]{1,4}",
        "true|null|deadbeef",
        "…",
    ];
    let piece = prop_oneof![3 => word.prop_map(str::to_owned), 4 => value];
    let glue = prop::sample::select(vec![" ", " ", " ", "", "=", ": ", ", ", "  "]);
    prop::collection::vec((piece, glue), 0..9)
        .prop_map(|pieces| pieces.into_iter().map(|(piece, glue)| piece + glue).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_line_is_found_by_the_filter_of_its_template(line in line()) {
        let template = Template::of(&line);
        let filter = template.filter().unwrap();
        prop_assert!(filter.matches(&line), "{:?} → {:?} → {}", line, template.text(), filter.regex());
        prop_assert_eq!(template.kinds().len(), template.text().matches("<*>").count());
    }

    #[test]
    fn any_text_is_found_by_the_filter_of_its_template(text in "(?s).{0,60}") {
        let template = Template::of(&text);
        prop_assert!(template.filter().unwrap().matches(&text), "{:?} → {:?}", text, template.text());
    }

    #[test]
    fn identities_and_patterns_depend_on_no_order(lines in prop::collection::vec(line(), 0..40), turn in 0_usize..40) {
        let mut turned = lines.clone();
        turned.reverse();
        turned.rotate_left(turn.min(lines.len()));
        let (mut one, mut other) = (Tally::default(), Tally::default());
        for line in &lines {
            prop_assert_eq!(one.add(line), Template::of(line).id());
        }
        turned.iter().for_each(|line| { other.add(line); });
        let told = |tally: &Tally| tally.patterns().iter()
            .map(|pattern| (pattern.id(), pattern.labelled(), pattern.count(), pattern.members().clone())).collect::<Vec<_>>();
        prop_assert_eq!(told(&one), told(&other));
        prop_assert_eq!(one.patterns().iter().map(Pattern::count).sum::<u64>(), lines.len() as u64);
    }

    #[test]
    fn a_pattern_finds_the_lines_of_all_its_templates(
        words in prop::collection::btree_set("[a-z]{3,6}|\"[a-z]{1,3} [a-z]{1,3}\"|\\([0-9],[0-9]\\)", 3..8),
        place in 0_usize..3,
    ) {
        let line = |word: &str| {
            let mut parts = vec!["the", "disk", "has"];
            parts.insert(place, word);
            parts.join(" ")
        };
        let lines: Vec<String> = words.iter().map(|word| line(word)).collect();
        let templates: Vec<(Template, u64)> = lines.iter().map(|line| (Template::of(line), 1)).collect();
        for pattern in merge(&templates) {
            let filter = pattern.filter().unwrap();
            for line in lines.iter().filter(|line| pattern.members().contains(&Template::of(line).id())) {
                prop_assert!(filter.matches(line), "{} misses {}", filter.regex(), line);
            }
        }
    }
}
