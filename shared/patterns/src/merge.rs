//! Stage 2: templates that differ in one word are one pattern.

use std::collections::{BTreeMap, BTreeSet};

use crate::filter::{Filter, FilterError, Varies, phrases};
use crate::scan::{REST, is_word};
use crate::template::{WILDCARD, labelled};
use crate::{Id, Kind, Template, words};

/// So many templates must differ in the same word.
const FEWEST: usize = 3;
/// Values in such a word may have spaces: quoted text, lists.
const TEXT_MARKS: [char; 6] = ['"', '\'', '`', '(', '[', '{'];
/// A pattern may have as many merged words.
const ROUNDS: usize = 3;
/// Templates of more words are left alone: dumps, which would cost more than they tell.
const LONGEST: usize = 100;

/// One or more templates that tell the same story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    id: Id,
    text: String,
    tokens: Vec<Token>,
    count: u64,
    members: BTreeSet<Id>,
}

/// A piece of a pattern between spaces.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    text: String,
    kinds: Vec<Kind>,
    varies: Varies,
}

impl Token {
    /// A wildcard between `head` and `tail`, which the token begins and ends with.
    fn generalised(&self, head: &str, tail: &str, varies: Varies) -> Token {
        let (before, after) = (head.matches(WILDCARD).count(), tail.matches(WILDCARD).count());
        let kept = self.kinds.len().saturating_sub(after);
        let mut kinds: Vec<Kind> = self.kinds.iter().take(before).copied().collect();
        kinds.push(Kind::Word);
        kinds.extend(self.kinds.iter().skip(kept));
        Token { text: format!("{head}{WILDCARD}{tail}"), kinds, varies }
    }
}

impl Pattern {
    fn of(template: &Template, count: u64) -> Pattern {
        let mut kinds = template.kinds().iter().copied();
        let tokens = template.text().split(' ').map(|text| Token {
            kinds: kinds.by_ref().take(text.matches(WILDCARD).count()).collect(),
            text: text.to_owned(),
            varies: Varies::No,
        });
        let tokens = tokens.collect();
        let members = BTreeSet::from([template.id()]);
        Pattern { id: template.id(), text: template.text().to_owned(), tokens, count, members }
    }

    /// The identity: that of the template, unless it was merged.
    pub fn id(&self) -> Id {
        self.id
    }

    /// The text, with [`WILDCARD`] in place of values.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text with the kinds of values, for readers.
    pub fn labelled(&self) -> String {
        let kinds: Vec<Kind> = self.tokens.iter().flat_map(|token| token.kinds.iter().copied()).collect();
        labelled(&self.text, &kinds)
    }

    /// Lines of all its templates.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The identities of the templates it covers.
    pub fn members(&self) -> &BTreeSet<Id> {
        &self.members
    }

    /// The words of one of its templates where its templates differ, in order, without brackets and quotation marks around
    /// them; none unless it was merged.
    pub fn words_of<'t>(&self, template: &'t Template) -> Vec<&'t str> {
        let places = self.tokens.iter().zip(template.text().split(' '));
        let varying = places.filter(|(token, _)| token.varies != Varies::No);
        varying.map(|(_, word)| word.trim_matches(|letter| "()[]{}\"'`,;:".contains(letter))).collect()
    }

    /// Runs of constant tokens, in order: what a full-text index can be asked for as phrases. A line of the pattern has
    /// them all; they are a first choice and not the filter. Nothing is compiled for them.
    pub fn phrases(&self) -> Vec<String> {
        phrases(self.pieces())
    }

    /// What finds the lines of this pattern again. To compile it takes milliseconds.
    ///
    /// # Errors
    /// When the regular expression would be too large.
    pub fn filter(&self) -> Result<Filter, FilterError> {
        Filter::compile(self.pieces())
    }

    fn pieces(&self) -> impl Iterator<Item = (&str, Varies)> {
        self.tokens.iter().map(|token| (token.text.as_str(), token.varies))
    }

    /// Takes over another pattern whose text is the same.
    fn absorb(&mut self, other: &Pattern) {
        self.count += other.count;
        self.members.extend(&other.members);
        for (mine, its) in self.tokens.iter_mut().zip(&other.tokens) {
            mine.varies = mine.varies.max(its.varies);
            for (kind, other) in mine.kinds.iter_mut().zip(&its.kinds) {
                *kind = kind.join(*other);
            }
        }
    }
}

/// Merges templates: wherever at least three of the same number of words differ in exactly one, that word becomes a
/// wildcard, in up to three rounds. The result depends on the set and not on its order; patterns come by falling count,
/// then by text.
///
/// Levels, HTTP verbs and outcomes (`started`, `failed`) are never merged away, and what would be left without any word
/// is not merged.
pub fn merge(templates: &[(Template, u64)]) -> Vec<Pattern> {
    let mut patterns = BTreeMap::new();
    for (template, count) in templates {
        insert(&mut patterns, Pattern::of(template, *count));
    }
    for _ in 0..ROUNDS {
        let before = patterns.len();
        patterns = round(patterns);
        if patterns.len() == before {
            break;
        }
    }
    let mut merged: Vec<Pattern> = patterns.into_values().collect();
    merged.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.text.cmp(&b.text)));
    merged
}

fn insert(patterns: &mut BTreeMap<String, Pattern>, pattern: Pattern) {
    match patterns.get_mut(&pattern.text) {
        Some(known) => known.absorb(&pattern),
        None => {
            patterns.insert(pattern.text.clone(), pattern);
        }
    }
}

/// Patterns that are alike but for the word at `place`, by their place in the order of texts.
struct Group {
    place: usize,
    members: Vec<usize>,
}

fn round(patterns: BTreeMap<String, Pattern>) -> BTreeMap<String, Pattern> {
    let patterns: Vec<Pattern> = patterns.into_values().collect();
    let mut groups = groups(&patterns);
    // The largest first. Members are in the order of their texts, which settles ties.
    groups.sort_by(|a, b| {
        b.members.len().cmp(&a.members.len()).then_with(|| (&a.members, a.place).cmp(&(&b.members, b.place)))
    });
    let mut taken = vec![false; patterns.len()];
    let is_taken = |taken: &[bool], at: usize| taken.get(at).copied().unwrap_or(true);
    let mut result = BTreeMap::new();
    for group in groups {
        let free: Vec<usize> = group.members.into_iter().filter(|at| !is_taken(&taken, *at)).collect();
        let chosen: Vec<&Pattern> = free.iter().filter_map(|at| patterns.get(*at)).collect();
        if chosen.len() < FEWEST {
            continue;
        }
        if let Some(merged) = merged(&chosen, group.place) {
            insert(&mut result, merged);
            free.iter().for_each(|at| taken.iter_mut().skip(*at).take(1).for_each(|taken| *taken = true));
        }
    }
    let rest = patterns.into_iter().enumerate().filter(|(at, _)| !is_taken(&taken, *at));
    rest.for_each(|(_, pattern)| insert(&mut result, pattern));
    result
}

fn groups(patterns: &[Pattern]) -> Vec<Group> {
    let mut alike: Vec<(u64, usize, usize)> = Vec::new();
    for (at, pattern) in patterns.iter().enumerate().filter(|(_, pattern)| pattern.tokens.len() <= LONGEST) {
        let marks = pattern.tokens.iter().enumerate().map(|(place, token)| mark(place, &token.text));
        let all = marks.fold(mark(pattern.tokens.len(), " "), u64::wrapping_add);
        let telling = pattern.tokens.iter().filter(|token| is_telling(&token.text)).count();
        for (place, token) in pattern.tokens.iter().enumerate() {
            let left = telling - usize::from(is_telling(&token.text));
            if left > 0 && may_vary(&token.text) {
                alike.push((all.wrapping_sub(mark(place, &token.text)), place, at));
            }
        }
    }
    alike.sort_unstable();
    let groups = alike.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).filter(|group| group.len() >= FEWEST);
    let group = |group: &[(u64, usize, usize)]| {
        let place = group.first().map_or(0, |(_, place, _)| *place);
        Group { place, members: group.iter().map(|(_, _, at)| *at).collect() }
    };
    groups.map(group).collect()
}

/// A hash of a word at its place.
fn mark(place: usize, text: &str) -> u64 {
    Id::of(text)
        .number()
        .rotate_left((place % 64) as u32)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15 | (place as u64) << 1)
}

/// Whether a token may be merged away: neither it nor the value of its pair is one of the words that are kept apart.
fn may_vary(token: &str) -> bool {
    let value = token.rsplit(['=', ':']).find(|part| part.contains(char::is_alphanumeric)).unwrap_or(token);
    let word = value.trim_matches(|letter: char| !letter.is_alphanumeric());
    !token.contains(REST) && !words::is_kept_apart(word.as_bytes())
}

/// Whether a token holds a word.
fn is_telling(token: &str) -> bool {
    token.bytes().filter(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80).count() >= 2
}

/// The patterns as one, which varies at `place`; nothing when they differ elsewhere after all (hashes can collide).
fn merged(patterns: &[&Pattern], place: usize) -> Option<Pattern> {
    let (first, others) = patterns.split_first()?;
    let alike = |other: &&&Pattern| {
        other.tokens.len() == first.tokens.len()
            && first
                .tokens
                .iter()
                .zip(&other.tokens)
                .enumerate()
                .all(|(at, (a, b))| at == place || a.text == b.text)
    };
    if others.iter().filter(alike).count() < others.len() {
        return None;
    }
    let at_place =
        |pattern: &&Pattern| pattern.tokens.get(place).map_or(String::new(), |token| token.text.clone());
    let texts = patterns.iter().any(|pattern| at_place(pattern).contains(TEXT_MARKS));
    let varies = if texts { Varies::Text } else { Varies::Word };
    let (head, tail) = common(&patterns.iter().map(at_place).collect::<Vec<_>>());
    let vary = |pattern: &Pattern| {
        let mut pattern = pattern.clone();
        if let Some(token) = pattern.tokens.get_mut(place) {
            *token = token.generalised(&head, &tail, varies);
        }
        pattern
    };
    let mut result = vary(first);
    for other in others {
        result.absorb(&vary(other));
    }
    result.text = result.tokens.iter().map(|token| token.text.as_str()).collect::<Vec<_>>().join(" ");
    result.id = Id::of(&result.text);
    Some(result)
}

/// How all words begin and end alike, up to and from a mark: `(` and `):` of `(sda):` and `(sdb):`.
fn common(words: &[String]) -> (String, String) {
    let Some((first, others)) = words.split_first() else { return Default::default() };
    let mark =
        |byte: Option<&u8>| byte.is_some_and(|byte| !is_word(*byte) && !matches!(byte, b'<' | b'*' | b'>'));
    let bytes = first.as_bytes();
    let start = (0..bytes.len()).rev().find(|at| {
        let head = bytes.get(..=*at).unwrap_or_default();
        mark(bytes.get(*at)) && others.iter().all(|word| word.as_bytes().starts_with(head))
    });
    let end = (0..bytes.len()).find(|at| {
        let tail = bytes.get(*at..).unwrap_or_default();
        mark(bytes.get(*at)) && others.iter().all(|word| word.as_bytes().ends_with(tail))
    });
    let (start, end) = (start.map_or(0, |at| at + 1), end.unwrap_or(bytes.len()));
    let shortest = words.iter().map(String::len).min().unwrap_or(0);
    if start + (bytes.len() - end) >= shortest {
        return Default::default();
    }
    (first.get(..start).unwrap_or_default().to_owned(), first.get(end..).unwrap_or_default().to_owned())
}
