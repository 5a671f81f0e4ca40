//! Stage 2: templates that differ in one word are one pattern.

use std::collections::{BTreeMap, BTreeSet};

use crate::filter::{Filter, FilterError, Varies};
use crate::scan::{REST, is_word};
use crate::template::{WILDCARD, labelled};
use crate::{Id, Kind, Template, words};

/// So many templates must differ in the same word.
const FEWEST: usize = 3;
/// Values in such a word may have spaces: quoted text, lists.
const TEXT_MARKS: [char; 6] = ['"', '\'', '`', '(', '[', '{'];
/// A pattern may have as many merged words.
const ROUNDS: usize = 3;

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

    /// What finds the lines of this pattern again.
    ///
    /// # Errors
    /// When the regular expression would be too large.
    pub fn filter(&self) -> Result<Filter, FilterError> {
        Filter::compile(self.tokens.iter().map(|token| (token.text.as_str(), token.varies)))
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
    let mut alike: BTreeMap<(usize, u64), Vec<usize>> = BTreeMap::new();
    for (at, pattern) in patterns.iter().enumerate() {
        let marks: Vec<u64> = pattern.tokens.iter().enumerate().map(|(place, token)| mark(place, &token.text)).collect();
        let all = marks.iter().fold(0_u64, |sum, mark| sum.wrapping_add(*mark));
        let length = mark(pattern.tokens.len(), " ");
        for (place, own) in marks.iter().enumerate().filter(|(place, _)| may_vary(pattern, *place)) {
            let others = all.wrapping_sub(*own) ^ length;
            alike.entry((place, others)).or_default().push(at);
        }
    }
    let enough = alike.into_iter().filter(|(_, members)| members.len() >= FEWEST);
    enough.map(|((place, _), members)| Group { place, members }).collect()
}

/// A hash of a word at its place.
fn mark(place: usize, text: &str) -> u64 {
    Id::of(text).number().rotate_left((place % 64) as u32).wrapping_mul(0x9e37_79b9_7f4a_7c15 | (place as u64) << 1)
}

/// Whether the word at `place` may be merged away: enough is left, and it is none of those that are kept apart.
fn may_vary(pattern: &Pattern, place: usize) -> bool {
    let kept = pattern.tokens.get(place).is_none_or(|token| {
        let mut parts = token.text.split(|letter: char| !letter.is_alphanumeric());
        token.text.contains(REST) || parts.any(|word| words::is_kept_apart(word.as_bytes()))
    });
    let others = pattern.tokens.iter().enumerate().filter(|(at, token)| *at != place && is_telling(&token.text));
    !kept && others.count() > 0
}

/// Whether a token holds a word.
fn is_telling(token: &str) -> bool {
    token.replace(WILDCARD, " ").bytes().filter(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80).count() >= 2
}

/// The patterns as one, which varies at `place`; nothing when they differ elsewhere after all (hashes can collide).
fn merged(patterns: &[&Pattern], place: usize) -> Option<Pattern> {
    let (first, others) = patterns.split_first()?;
    let alike = |other: &&&Pattern| {
        other.tokens.len() == first.tokens.len()
            && first.tokens.iter().zip(&other.tokens).enumerate().all(|(at, (a, b))| at == place || a.text == b.text)
    };
    if others.iter().filter(alike).count() < others.len() {
        return None;
    }
    let at_place = |pattern: &&Pattern| pattern.tokens.get(place).map_or(String::new(), |token| token.text.clone());
    let texts = patterns.iter().any(|pattern| at_place(pattern).contains(TEXT_MARKS));
    let varies = if texts { Varies::Text } else { Varies::Word };
    let text = common(&patterns.iter().map(at_place).collect::<Vec<_>>());
    let vary = |pattern: &Pattern| {
        let mut pattern = pattern.clone();
        if let Some(token) = pattern.tokens.get_mut(place) {
            *token = Token { text: text.clone(), kinds: vec![Kind::Word], varies };
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

/// A wildcard in the punctuation that all words begin and end with.
fn common(words: &[String]) -> String {
    let Some(first) = words.first() else { return WILDCARD.to_owned() };
    let mark = |byte: &u8| !is_word(*byte) && !matches!(byte, b'<' | b'>' | b'*');
    let shared = |from_start: bool| {
        let own = |word: &String| -> Vec<u8> {
            let ordered: Vec<u8> = if from_start { word.bytes().collect() } else { word.bytes().rev().collect() };
            ordered.into_iter().take_while(mark).collect()
        };
        let all: Vec<Vec<u8>> = words.iter().map(own).collect();
        let longest = own(first);
        let same = |length: &usize| all.iter().all(|one| one.get(..*length) == longest.get(..*length));
        (0..=longest.len()).rev().find(same).unwrap_or(0)
    };
    let (start, end) = (shared(true), shared(false));
    let shortest = words.iter().map(String::len).min().unwrap_or(0);
    let (start, end) = if start + end < shortest { (start, end) } else { (0, 0) };
    let head = first.get(..start).unwrap_or_default();
    let tail = first.get(first.len() - end..).unwrap_or_default();
    format!("{head}{WILDCARD}{tail}")
}
