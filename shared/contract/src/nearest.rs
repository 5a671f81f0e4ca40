//! The names someone may have meant.

/// Longer words are no slip of the finger; comparing them with thousands of names would take seconds.
const LONGEST: usize = 200;

/// At most `most` of `candidates`, those most like `word` first; ties in the order of their names.
///
/// Likeness is the Damerau-Levenshtein similarity without regard to case; a name that contains the word (or is
/// contained in it) counts as alike. Names with a likeness below 0.5 are left out: a forced fit misleads. The cost is
/// bounded: nothing is like a word of more than 200 characters, and names of very different length are not compared.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>, most: usize) -> Vec<&'a str> {
    if word.len() > LONGEST {
        return Vec::new();
    }
    let word = word.to_lowercase();
    let mut scored: Vec<(f64, &str)> = candidates
        .into_iter()
        .map(|name| (likeness(&word, &name.to_lowercase()), name))
        .filter(|(score, _)| *score >= 0.5)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    scored.dedup_by(|a, b| a.1 == b.1);
    scored.into_iter().take(most).map(|(_, name)| name).collect()
}

fn likeness(word: &str, name: &str) -> f64 {
    let (short, long) = (word.len().min(name.len()), word.len().max(name.len()));
    // At least as many edits as the lengths differ by: a likeness of 0.5 is out of reach (four bytes a character).
    let comparable = long <= LONGEST && long <= short.saturating_mul(8);
    let edits = if comparable { strsim::normalized_damerau_levenshtein(word, name) } else { 0.0 };
    let long_enough = short >= 3;
    if long_enough && (name.contains(word) || word.contains(name)) { edits.max(0.6) } else { edits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_alike_comes_first_and_strangers_are_left_out() {
        let names = ["http_requests_total", "http_request_size_bytes", "up", "node_cpu_seconds_total"];
        assert_eq!(
            nearest("http_request_total", names, 3),
            ["http_requests_total", "http_request_size_bytes"]
        );
        assert!(nearest("zzz", names, 3).is_empty());
    }

    #[test]
    fn a_very_long_word_is_like_nothing_and_costs_nothing() {
        let names: Vec<String> = (0..10_000).map(|n| format!("{}{n}", "x".repeat(150))).collect();
        assert!(nearest(&"x".repeat(8_100), names.iter().map(String::as_str), 3).is_empty());
    }

    #[test]
    fn a_part_of_a_name_finds_it() {
        assert_eq!(nearest("checkout", ["checkout-canary-blue-7", "cart"], 3), ["checkout-canary-blue-7"]);
    }
}
