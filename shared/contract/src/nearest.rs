//! The names someone may have meant.

/// At most `most` of `candidates`, those most like `word` first; ties in the order of their names.
///
/// Likeness is the Damerau-Levenshtein similarity without regard to case; a name that contains the word (or is
/// contained in it) counts as alike. Names with a likeness below 0.5 are left out: a forced fit misleads.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>, most: usize) -> Vec<&'a str> {
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
    let edits = strsim::normalized_damerau_levenshtein(word, name);
    let long_enough = word.len().min(name.len()) >= 3;
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
    fn a_part_of_a_name_finds_it() {
        assert_eq!(nearest("checkout", ["checkout-canary-blue-7", "cart"], 3), ["checkout-canary-blue-7"]);
    }
}
