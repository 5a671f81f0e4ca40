//! What a cluster takes for words: the tokens of its standard analyzer, which takes text apart where Unicode ends a word
//! (UAX 29). With them it is known before asking whether a phrase would find a message.

/// The longest token; a longer one is cut into pieces of this length.
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
        other if other.is_alphabetic() => Class::Letter,
        other if other.is_numeric() => Class::Digit,
        _ => Class::Other,
    }
}

/// The words of a text, in lower case.
pub(super) fn words(text: &str) -> Vec<String> {
    let characters: Vec<(char, Class)> =
        text.chars().map(|character| (character, class(character))).collect();
    let mut found = Vec::new();
    let mut word = String::new();
    let mut length = 0;
    let mut before: Option<Class> = None;
    for (place, (character, class)) in characters.iter().enumerate() {
        let after = characters.get(place + 1).map(|(_, class)| *class);
        if !goes_on(before, *class, after) {
            finish(&mut word, &mut found);
            length = 0;
        }
        before = Some(*class);
        if matches!(class, Class::Other) || (word.is_empty() && is_mid(*class)) {
            before = None;
            continue;
        }
        if length == LONGEST {
            finish(&mut word, &mut found);
            length = 0;
        }
        word.extend(character.to_lowercase());
        length += 1;
    }
    finish(&mut word, &mut found);
    found
}

fn finish(word: &mut String, found: &mut Vec<String>) {
    let has_content = word.chars().any(|character| !matches!(class(character), Class::Join | Class::Other));
    if has_content {
        found.push(std::mem::take(word));
    } else {
        word.clear();
    }
}

fn is_mid(class: Class) -> bool {
    matches!(class, Class::Mid | Class::MidLetter | Class::MidDigit)
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

/// Whether a phrase query for this fragment would find a text of these words.
pub(super) fn holds_phrase(text: &[String], fragment: &str) -> bool {
    let phrase = words(fragment);
    phrase.is_empty() || text.windows(phrase.len()).any(|window| window == phrase)
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
        assert_eq!(words(text), expected);
    }

    #[test]
    fn a_phrase_is_found_where_its_words_follow_each_other() {
        let text = words("Could not acquire connection from pool p1 after 30 ms");
        for (fragment, found) in [
            ("acquire connection", true),
            ("ACQUIRE, connection:", true),
            ("acquire from", false),
            ("connection acquire", false),
            ("acquir", false),
            ("…", true),
        ] {
            assert_eq!(holds_phrase(&text, fragment), found, "{fragment}");
        }
    }

    #[test]
    fn an_endless_word_is_cut() {
        assert_eq!(words(&"x".repeat(600)).iter().map(String::len).collect::<Vec<_>>(), [255, 255, 90]);
    }
}
