//! Words for levels, as fields and messages have them: for backends that look for each.

use crate::model::Level;

/// Spellings that are words of many a sentence too: no sign of a level within a message.
const ORDINARY: [&str; 12] = [
    "log",
    "notice",
    "config",
    "fine",
    "finer",
    "finest",
    "alert",
    "information",
    "informational",
    "verbose",
    "trace",
    "emergency",
];

/// What fields of words hold: each word as programs write it, syslog's letters, the numbers of pino and bunyan.
pub(crate) fn spellings() -> Vec<String> {
    let words = Level::ALL.into_iter().flat_map(Level::spellings).flat_map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        [(*word).to_owned(), word.to_uppercase(), first.into_iter().chain(letters).collect()]
    });
    let letters =
        "tdinwefc".chars().flat_map(|letter| [letter.to_string(), letter.to_uppercase().to_string()]);
    let numbers = (10..=60).step_by(10).map(|number| number.to_string());
    let of_otel = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
    let numbered = of_otel.into_iter().flat_map(|word| (2..=4).map(move |number| format!("{word}{number}")));
    words.chain(letters).chain(numbers).chain(numbered).collect()
}

/// Words of a message that speak for one of these levels.
pub(crate) fn in_messages(levels: &[Level]) -> Vec<&'static str> {
    let mut words: Vec<&str> = levels.iter().flat_map(|level| level.spellings()).copied().collect();
    words.retain(|word| !ORDINARY.contains(word));
    if levels.contains(&Level::Error) {
        words.extend(["traceback"]);
    }
    words
}
