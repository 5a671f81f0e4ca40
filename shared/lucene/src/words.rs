//! What search engines take for words: the tokens of the standard analyzer, which takes text apart where Unicode ends a
//! word (UAX 29).

use std::{iter::Peekable, str::CharIndices};

/// The longest token, in characters; a longer one is cut into pieces of this length.
const LONGEST: usize = 255;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Digit,
    /// `_`, which joins everything.
    Join,
    /// Between letters, or between digits: `.` and apostrophes.
    Mid,
    /// Between letters: `:` and `·`.
    MidLetter,
    /// Between digits: `,` and `;`.
    MidDigit,
    /// A token by itself: ideographs, kana, symbols drawn as pictures.
    Alone,
    Katakana,
    Other,
}

fn class(character: char) -> Class {
    match character {
        'a'..='z' | 'A'..='Z' => Class::Letter,
        '0'..='9' => Class::Digit,
        '_' | '\u{203f}' | '\u{2040}' | '\u{ff3f}' => Class::Join,
        '.' | '\'' | '\u{2018}' | '\u{2019}' | '\u{2024}' => Class::Mid,
        ':' | '\u{b7}' | '\u{387}' | '\u{2027}' => Class::MidLetter,
        ',' | ';' | '\u{37e}' | '\u{589}' | '\u{60c}' | '\u{66c}' => Class::MidDigit,
        '\u{30a0}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{ff66}'..='\u{ff9f}' => Class::Katakana,
        '\u{3041}'..='\u{309f}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}'
        | '\u{1f300}'..='\u{1faff}' => Class::Alone,
        // Marks belong to the letter before them.
        '\u{300}'..='\u{36f}' => Class::Letter,
        other if other.is_ascii() => Class::Other,
        other if other.is_alphabetic() => Class::Letter,
        other if other.is_numeric() => Class::Digit,
        _ => Class::Other,
    }
}

/// The words of a text, in its order, as they are written.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    Words {
        text,
        characters: text.char_indices().peekable(),
        begun: None,
        length: 0,
        counts: false,
        before: None,
    }
}

struct Words<'a> {
    text: &'a str,
    characters: Peekable<CharIndices<'a>>,
    /// Where the word begins that is being read.
    begun: Option<usize>,
    length: usize,
    /// Whether it has more than joints.
    counts: bool,
    before: Option<Class>,
}

impl<'a> Words<'a> {
    /// Ends the word, which is none if it has only joints.
    fn end(&mut self, at: usize) -> Option<&'a str> {
        self.length = 0;
        let counts = std::mem::take(&mut self.counts);
        let begun = self.begun.take()?;
        if counts { self.text.get(begun..at) } else { None }
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        while let Some((at, character)) = self.characters.next() {
            let own = class(character);
            let after = self.characters.peek().map(|(_, next)| class(*next));
            let mut ended = None;
            if !goes_on(self.before, own, after) || self.length == LONGEST {
                ended = self.end(at);
            }
            let is_mid = matches!(own, Class::Mid | Class::MidLetter | Class::MidDigit);
            if own == Class::Other || (self.begun.is_none() && is_mid) {
                self.before = None;
            } else {
                self.before = Some(own);
                self.begun.get_or_insert(at);
                self.length += 1;
                self.counts |= own != Class::Join;
            }
            if ended.is_some() {
                return ended;
            }
        }
        self.end(self.text.len())
    }
}

/// Whether no word ends between what stands before and this character.
fn goes_on(before: Option<Class>, class: Class, after: Option<Class>) -> bool {
    let Some(before) = before else { return false };
    match (before, class) {
        (Class::Letter | Class::Digit | Class::Join, Class::Letter | Class::Digit | Class::Join)
        | (Class::Katakana | Class::Join, Class::Katakana | Class::Join) => true,
        // A mark between two of a kind; the second one was looked at when the mark was taken.
        (Class::Mid | Class::MidLetter, Class::Letter) | (Class::Mid | Class::MidDigit, Class::Digit) => true,
        (Class::Letter, Class::Mid | Class::MidLetter) => after == Some(Class::Letter),
        (Class::Digit, Class::Mid | Class::MidDigit) => after == Some(Class::Digit),
        _ => false,
    }
}

/// Whether two texts are the same in any case.
pub(crate) fn same(one: &str, other: &str) -> bool {
    if one.is_ascii() && other.is_ascii() {
        return one.eq_ignore_ascii_case(other);
    }
    one.chars().flat_map(char::to_lowercase).eq(other.chars().flat_map(char::to_lowercase))
}

/// Whether a text may hold a word, in any case: quick, and never wrong when it says no.
pub(crate) fn may_hold(text: &str, word: &str) -> bool {
    let Some(first) = word.bytes().next().filter(|_| word.is_ascii()) else { return true };
    // A few letters outside of ASCII have their lower case within it.
    if !text.is_ascii() {
        return true;
    }
    let bytes = text.as_bytes();
    memchr::memchr2_iter(first.to_ascii_lowercase(), first.to_ascii_uppercase(), bytes).any(|at| {
        bytes.get(at..at + word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word.as_bytes()))
    })
}

/// Whether a phrase query for `phrase` would find a text; a phrase without any word finds all.
#[must_use]
pub fn finds_phrase(text: &str, phrase: &str) -> bool {
    let phrase: Vec<String> = words(phrase).map(str::to_owned).collect();
    phrase.is_empty() || holds_phrase(text, &phrase)
}

/// Whether these words follow each other in a text.
pub(crate) fn holds_phrase(text: &str, phrase: &[String]) -> bool {
    if !phrase.iter().all(|word| may_hold(text, word)) {
        return false;
    }
    if let [word] = phrase {
        return words(text).any(|found| same(found, word));
    }
    let found: Vec<&str> = words(text).collect();
    found
        .windows(phrase.len().max(1))
        .any(|window| window.iter().zip(phrase).all(|(found, word)| same(found, word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `_analyze` of Elasticsearch 7.17.28 and 8.19.0 and of OpenSearch 2.19.4 answered, all three alike.
    #[test]
    fn words_are_those_of_the_standard_analyzer() {
        let text = "foo:bar a.b.c user_id=7f3a x-y don't 1,000.5 k:1 1:2 [/path/to.file] pool.30 a,b é.ñ 漢字かなカナ \
                    v1.2.3-rc.1 \"q\" #tag @me 50% a_b ab' 3.14s 10.0.0.1:8080 _x_ x__y 1;2 a·b 😀 ok";
        let expected = [
            "foo:bar", "a.b.c", "user_id", "7f3a", "x", "y", "don't", "1,000.5", "k", "1", "1", "2", "path",
            "to.file", "pool", "30", "a", "b", "é.ñ", "漢", "字", "か", "な", "カナ", "v1.2.3", "rc", "1",
            "q", "tag", "me", "50", "a_b", "ab", "3.14s", "10.0.0.1", "8080", "_x_", "x__y", "1;2", "a·b",
            "😀", "ok",
        ];
        assert_eq!(words(text).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_phrase_is_found_where_its_words_follow_each_other() {
        let text = "Could not acquire connection from pool p1 after 30 ms";
        for (phrase, found) in [
            ("acquire connection", true),
            ("ACQUIRE, connection:", true),
            ("acquire from", false),
            ("connection acquire", false),
            ("acquir", false),
            ("ms", true),
            ("Could", true),
        ] {
            assert_eq!(finds_phrase(text, phrase), found, "{phrase}");
        }
        assert!(finds_phrase(text, "…"));
        assert!(holds_phrase("STRASSE in KÖLN", &["köln".to_owned()]));
    }

    #[test]
    fn an_endless_word_is_cut() {
        assert_eq!(words(&"x".repeat(600)).map(str::len).collect::<Vec<_>>(), [255, 255, 90]);
    }
}
