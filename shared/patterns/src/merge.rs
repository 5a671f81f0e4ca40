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
    /// What stands for each wildcard of the text.
    kinds: Vec<Kind>,
    /// Words of the text, by their places between spaces, in which its templates differ.
    varies: BTreeMap<usize, Varies>,
    count: u64,
    members: BTreeSet<Id>,
}

impl Pattern {
    fn of(template: &Template, count: u64) -> Pattern {
        let (text, kinds) = (template.text().to_owned(), template.kinds().to_vec());
        let members = BTreeSet::from([template.id()]);
        Pattern { id: template.id(), text, kinds, varies: BTreeMap::new(), count, members }
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
        labelled(&self.text, &self.kinds)
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
        let words = template.text().split(' ').enumerate();
        let varying = words.filter(|(place, _)| self.varies.contains_key(place));
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

    fn words(&self) -> impl Iterator<Item = &str> {
        self.text.split(' ')
    }

    fn pieces(&self) -> impl Iterator<Item = (&str, Varies)> {
        let varies = |place| self.varies.get(&place).copied().unwrap_or(Varies::No);
        self.words().enumerate().map(move |(place, word)| (word, varies(place)))
    }

    /// With a wildcard between `head` and `tail`, which the word at `place` begins and ends with.
    fn generalised(&self, place: usize, (head, tail): (&str, &str), varies: Varies) -> Pattern {
        let wildcards = |text: &str| text.matches(WILDCARD).count();
        let word = self.words().nth(place).unwrap_or_default();
        let first: usize = self.words().take(place).map(wildcards).sum();
        let after = first + wildcards(word).saturating_sub(wildcards(tail));
        let mut kinds: Vec<Kind> = self.kinds.iter().take(first + wildcards(head)).copied().collect();
        kinds.push(Kind::Word);
        kinds.extend(self.kinds.iter().skip(after));
        let instead = format!("{head}{WILDCARD}{tail}");
        let words = self.words().enumerate();
        let words: Vec<&str> = words.map(|(at, word)| if at == place { &instead } else { word }).collect();
        let mut generalised = Pattern { text: words.join(" "), kinds, ..self.clone() };
        generalised.varies.insert(place, varies);
        generalised
    }

    /// Takes over another pattern whose text is the same.
    fn absorb(&mut self, other: &Pattern) {
        self.count += other.count;
        self.members.extend(&other.members);
        for (place, varies) in &other.varies {
            let mine = self.varies.entry(*place).or_insert(*varies);
            *mine = (*mine).max(*varies);
        }
        for (kind, other) in self.kinds.iter_mut().zip(&other.kinds) {
            *kind = kind.join(*other);
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
    for (at, pattern) in patterns.iter().enumerate() {
        let words: Vec<&str> = pattern.words().collect();
        if words.len() > LONGEST {
            continue;
        }
        let marks = words.iter().enumerate().map(|(place, word)| mark(place, word));
        let all = marks.fold(mark(words.len(), " "), u64::wrapping_add);
        let telling = words.iter().filter(|word| is_telling(word)).count();
        for (place, word) in words.into_iter().enumerate() {
            let left = telling - usize::from(is_telling(word));
            if left > 0 && may_vary(word) {
                alike.push((all.wrapping_sub(mark(place, word)), place, at));
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
    if others.iter().any(|other| !elsewhere(first, place).eq(elsewhere(other, place))) {
        return None;
    }
    let at_place = |pattern: &&Pattern| pattern.words().nth(place).unwrap_or_default().to_owned();
    let words: Vec<String> = patterns.iter().map(at_place).collect();
    let texts = words.iter().any(|word| word.contains(TEXT_MARKS));
    let varies = if texts { Varies::Text } else { Varies::Word };
    let (head, tail) = common(&words);
    let vary = |pattern: &Pattern| pattern.generalised(place, (&head, &tail), varies);
    let mut result = vary(first);
    for other in others {
        result.absorb(&vary(other));
    }
    result.id = Id::of(&result.text);
    Some(result)
}

/// All words but the one at `place`.
fn elsewhere(pattern: &Pattern, place: usize) -> impl Iterator<Item = &str> {
    pattern.words().enumerate().filter(move |(at, _)| *at != place).map(|(_, word)| word)
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
