//! The words of a search, and when a word is the same as another.

/// More words than anybody means; the rest is told as left out.
const MOST_WORDS: usize = 6;

/// The shortest word that is compared with the beginnings of others.
const SHORTEST_PREFIX: usize = 3;

/// Words that say nothing about a metric.
const FILLERS: &[&str] = &[
    "a", "all", "an", "and", "by", "for", "from", "in", "is", "metric", "of", "on", "or", "per", "the", "to",
    "with",
];

/// What else a word may be called in a metric's name, the most telling first.
const SYNONYMS: &[(&str, &[&str])] = &[
    ("availability", &["up", "success"]),
    ("backlog", &["queue", "pending", "lag", "depth"]),
    ("capacity", &["limit", "max", "size"]),
    ("connection", &["conn", "pool"]),
    ("cpu", &["throttled"]),
    ("crash", &["restart", "oom", "killed", "terminated"]),
    ("database", &["db", "sql", "postgres", "mysql", "pool"]),
    ("disk", &["filesystem", "storage", "volume", "fs"]),
    ("duration", &["latency", "seconds", "milliseconds", "time"]),
    ("error", &["failed", "failure", "5xx", "exception", "rejected", "dropped"]),
    ("failure", &["failed", "error", "5xx", "exception"]),
    ("fd", &["descriptor", "files"]),
    ("garbage", &["gc"]),
    ("health", &["up", "ready"]),
    ("lag", &["delay", "behind", "offset"]),
    ("latency", &["duration", "seconds", "milliseconds", "time"]),
    ("memory", &["rss", "heap", "bytes", "mem"]),
    ("network", &["net", "receive", "transmit"]),
    ("oom", &["killed", "memory"]),
    ("p50", &["quantile", "bucket"]),
    ("p90", &["quantile", "bucket"]),
    ("p95", &["quantile", "bucket"]),
    ("p99", &["quantile", "bucket"]),
    ("percentile", &["quantile", "bucket"]),
    ("qps", &["queries", "requests"]),
    ("queue", &["backlog", "pending", "depth"]),
    ("ram", &["memory", "rss", "heap"]),
    ("restart", &["start", "uptime"]),
    ("rps", &["requests"]),
    ("saturation", &["utilization", "usage", "limit", "used", "queue", "throttled"]),
    ("size", &["bytes"]),
    ("slow", &["latency", "duration", "seconds"]),
    ("throughput", &["requests", "bytes", "processed"]),
    ("traffic", &["requests", "received", "transmitted", "rps"]),
    ("uptime", &["start", "up"]),
    ("usage", &["utilization", "used"]),
    ("utilization", &["usage", "used"]),
    ("version", &["build", "info"]),
];

/// How a word and a word of a text belong together; the later, the closer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Likeness {
    /// It is another word for it; the number is its place among those, from the end.
    Synonym(u8),
    /// It begins with the word.
    Prefix,
    /// It is the word.
    Same,
}

/// One word of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    /// As the caller wrote it, in lower case.
    pub(crate) text: String,
    /// Other words for it, the most telling first.
    pub(crate) synonyms: &'static [&'static str],
    stem: String,
    /// Of the synonyms: taken once, because a search compares them with every word of every name.
    stems: Vec<&'static str>,
}

/// One word of a text that is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    text: &'a str,
    stem: &'a str,
}

/// The words of a text, taken apart once for all words of a search.
pub(crate) fn taken_apart(text: &str) -> impl Iterator<Item = Token<'_>> {
    tokens(text).map(|text| Token { text, stem: stem(text) })
}

impl Word {
    fn new(text: &str) -> Word {
        let text = text.to_lowercase();
        let known = SYNONYMS.iter().find(|(word, _)| same(word, &text));
        let synonyms: &[&str] = known.map_or(&[], |(_, others)| others);
        let stems = synonyms.iter().copied().map(stem).collect();
        Word { synonyms, stem: stem(&text).to_owned(), stems, text }
    }

    /// How a word of a name belongs to this word.
    pub(crate) fn likeness(&self, token: Token<'_>) -> Option<Likeness> {
        if let Some(written) = self.written(token) {
            return Some(written);
        }
        let place = self.stems.iter().position(|synonym| synonym.eq_ignore_ascii_case(token.stem))?;
        Some(Likeness::Synonym(u8::try_from(self.stems.len() - place).unwrap_or(u8::MAX)))
    }

    /// How a word of any text belongs to this word; other words for it, which mean too much there, don't count.
    pub(crate) fn written(&self, token: Token<'_>) -> Option<Likeness> {
        if self.stem.eq_ignore_ascii_case(token.stem) {
            return Some(Likeness::Same);
        }
        let head = token.text.get(..self.text.len());
        let begins = self.text.len() >= SHORTEST_PREFIX
            && head.is_some_and(|head| head.eq_ignore_ascii_case(&self.text));
        begins.then_some(Likeness::Prefix)
    }

    /// Whether a text has this word, or one that begins with it.
    pub(crate) fn stands_in(&self, text: &str) -> bool {
        taken_apart(text).any(|token| self.written(token).is_some())
    }

    /// A regular expression for names that hold the word or another word for it; anywhere in them, because a
    /// server can't split camel case.
    pub(crate) fn pattern(&self) -> String {
        let mut choices = vec![escape(&self.stem)];
        choices.extend(self.stems.iter().map(|synonym| escape(synonym)));
        format!("(?i).*(?:{}).*", choices.join("|"))
    }

    /// A regular expression for values in which a word begins with this one.
    pub(crate) fn value_pattern(&self) -> String {
        format!(r"(?i)(.*[\W_])?{}.*", escape(&self.text))
    }

    /// Whether the word asks for what went wrong, which labels such as `code` tell.
    pub(crate) fn means_failure(&self) -> bool {
        ["error", "failure", "failed", "5xx"].iter().any(|word| same(word, &self.text))
    }
}

/// A search, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Query {
    /// The whole text, trimmed.
    pub(crate) phrase: String,
    /// Its words, each once; none means everything.
    pub(crate) words: Vec<Word>,
    /// Words beyond the most that are searched for.
    pub(crate) left_out: Vec<String>,
}

impl Query {
    /// Takes a text apart. Fillers are left out unless there is nothing else.
    pub(crate) fn new(text: &str) -> Query {
        let mut all: Vec<&str> = Vec::new();
        for token in tokens(text) {
            if !all.iter().any(|known| same(known, token)) {
                all.push(token);
            }
        }
        let filler = |token: &&str| FILLERS.iter().any(|filler| same(filler, token));
        if !all.iter().all(filler) {
            all.retain(|token| !filler(token));
        }
        let (kept, rest) = all.split_at(all.len().min(MOST_WORDS));
        Query {
            phrase: text.trim().to_owned(),
            words: kept.iter().map(|token| Word::new(token)).collect(),
            left_out: rest.iter().map(|&token| token.to_owned()).collect(),
        }
    }
}

/// The words of a text: runs of letters and digits, split where a capital begins a new word.
pub(crate) fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_alphanumeric()).flat_map(|run| {
        let mut rest = run;
        std::iter::from_fn(move || {
            let (head, tail) = rest.split_at(hump(rest));
            rest = tail;
            (!head.is_empty()).then_some(head)
        })
    })
}

/// Where the second word of `OOMKilledTotal` begins; the length where there is only one.
fn hump(run: &str) -> usize {
    if run.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
        // Nearly all names.
        return run.len();
    }
    let mut before: Option<char> = None;
    let mut characters = run.char_indices().peekable();
    while let Some((place, character)) = characters.next() {
        if let Some(before) = before
            && character.is_uppercase()
        {
            let word_goes_on = characters.peek().is_some_and(|(_, next)| next.is_lowercase());
            if !before.is_uppercase() || word_goes_on {
                return place;
            }
        }
        before = Some(character);
    }
    run.len()
}

/// Whether two words are one, whatever their case, in singular or plural.
pub(crate) fn same(one: &str, other: &str) -> bool {
    stem(one).eq_ignore_ascii_case(stem(other))
}

/// A word without the ending that a plural changes: `queries` and `query` are both `quer`.
fn stem(word: &str) -> &str {
    let length = word.len();
    let ends = |ending: &str| {
        let tail = length.checked_sub(ending.len()).and_then(|start| word.get(start..));
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(ending))
    };
    let vowel_before_last = || ["ay", "ey", "oy", "uy"].iter().any(|ending| ends(ending));
    let cut = match length {
        0..=2 => 0,
        4.. if ends("ies") => 3,
        4.. if ends("es") => 2,
        4.. if ends("e") || (ends("y") && !vowel_before_last()) => 1,
        _ if ends("s") && !ends("ss") && !ends("us") => 1,
        _ => 0,
    };
    word.get(..length - cut).unwrap_or(word)
}

/// A text as a regular expression that matches only it.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if r"\.+*?()|[]{}^$".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_is_split_at_separators_and_humps() {
        let cases: [(&str, &[&str]); 7] = [
            ("http_requests_total", &["http", "requests", "total"]),
            ("queue.oldest.message.age", &["queue", "oldest", "message", "age"]),
            ("OOMKilledTotal", &["OOM", "Killed", "Total"]),
            ("jvmGcPause5xxErrors", &["jvm", "Gc", "Pause5xx", "Errors"]),
            ("ALERTS_FOR_STATE", &["ALERTS", "FOR", "STATE"]),
            ("  checkout-7f /cart ", &["checkout", "7f", "cart"]),
            ("*", &[]),
        ];
        for (text, words) in cases {
            assert_eq!(tokens(text).collect::<Vec<_>>(), words, "{text}");
        }
    }

    #[test]
    fn singular_and_plural_are_one_word() {
        let one = [
            ("request", "requests"),
            ("query", "Queries"),
            ("latency", "latencies"),
            ("cache", "caches"),
            ("batch", "batches"),
            ("process", "processes"),
            ("bytes", "byte"),
            ("delay", "delays"),
            ("fd", "fds"),
            ("status", "STATUS"),
        ];
        for (singular, plural) in one {
            assert!(same(singular, plural), "{singular} {plural}");
        }
        for (word, other) in [("rate", "ratio"), ("start", "state"), ("rss", "rs"), ("status", "statu")] {
            assert!(!same(word, other), "{word} {other}");
        }
    }

    #[test]
    fn the_word_itself_is_closer_than_a_beginning_and_that_than_another_word() {
        let likeness = |word: &str, text: &str| {
            let word = Word::new(word);
            taken_apart(text).next().and_then(|token| word.likeness(token))
        };
        assert_eq!(likeness("Latency", "latencies"), Some(Likeness::Same));
        assert_eq!(likeness("dura", "duration"), Some(Likeness::Prefix));
        assert!(likeness("latency", "duration") > likeness("latency", "seconds"));
        assert!(likeness("latency", "duration") < Some(Likeness::Prefix));
        assert_eq!(likeness("latency", "late"), None, "the text begins the word, not the word the text");
        assert_eq!(likeness("up", "upstream"), None, "two letters begin too much");
        assert!(!Word::new("latency").stands_in("request duration"), "other words count in names only");
    }

    #[test]
    fn fillers_are_left_out_unless_there_is_nothing_else() {
        let words = |text: &str| Query::new(text).words.into_iter().map(|word| word.text).collect::<Vec<_>>();
        assert_eq!(words("Errors of the checkout, errors by route"), ["errors", "checkout", "route"]);
        assert_eq!(words("all metrics"), ["all", "metrics"]);
        assert_eq!(Query::new("a1 b2 c3 d4 e5 f6 g7").left_out, ["g7"]);
        assert!(words("*").is_empty());
    }

    #[test]
    fn patterns_say_what_the_server_should_look_for() {
        assert_eq!(Word::new("latency").pattern(), "(?i).*(?:latenc|duration|second|millisecond|tim).*");
        assert_eq!(Word::new("emails").value_pattern(), r"(?i)(.*[\W_])?emails.*");
        assert_eq!(escape("queue.age (x)"), r"queue\.age \(x\)");
    }

    #[test]
    fn no_synonym_is_the_word_itself_and_the_table_is_in_order() {
        assert!(
            SYNONYMS.windows(2).all(|pair| pair[0].0 < pair[1].0),
            "sorted, so that no word is there twice"
        );
        for (word, others) in SYNONYMS {
            assert!(!others.is_empty() && others.iter().all(|other| other.len() < 20), "{word}");
            assert!(others.iter().all(|other| !same(word, other)), "{word}");
        }
    }

    proptest! {
        #[test]
        fn tokens_are_the_letters_and_digits_in_their_order(text in "\\PC{0,40}") {
            let joined: String = tokens(&text).collect();
            let expected: String = text.chars().filter(|character| character.is_alphanumeric()).collect();
            prop_assert_eq!(joined, expected);
        }

        #[test]
        fn a_word_is_the_same_as_itself_in_any_case(word in "[a-zA-Z0-9]{1,12}") {
            prop_assert!(same(&word, &word.to_uppercase()) && same(&word.to_lowercase(), &word));
        }
    }
}
