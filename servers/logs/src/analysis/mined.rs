//! Records by pattern: of a window and of its baselines, mined together so that one pattern is the same in all of them.

use std::collections::BTreeMap;

use contract::Untrusted;
use jiff::Timestamp;
use patterns::{Id, Pattern, Template};

use crate::model::{Level, Like, Record};

/// A pattern with its records.
#[derive(Debug, Clone)]
pub(crate) struct Mined {
    /// What is constant in them.
    pub(crate) pattern: Pattern,
    /// Records of the window: indices.
    pub(crate) now: Vec<usize>,
    /// Records of each baseline.
    pub(crate) before: Vec<Vec<usize>>,
}

/// What one service said, in the window and its baselines. Of records with the same template one template is kept.
#[derive(Default)]
struct Lines {
    templates: BTreeMap<Id, (Template, u64)>,
    /// Which window (0 is the window itself, then its baselines), which record there, and its template.
    places: Vec<(usize, usize, Id)>,
}

/// Mines a window and its baselines, each service for itself: what is rare in one can be usual in another. Services come in
/// the order of their names, records without one last; patterns by falling number of records, then by text.
pub(crate) fn mine_by_service(now: &[Record], before: &[&[Record]]) -> Vec<(Option<Untrusted>, Vec<Mined>)> {
    let mut services: BTreeMap<Option<&Untrusted>, Lines> = BTreeMap::new();
    for (window, records) in std::iter::once(now).chain(before.iter().copied()).enumerate() {
        for (index, record) in records.iter().enumerate() {
            let lines = services.entry(record.service.as_ref()).or_default();
            let template = Template::of(record.said());
            lines.places.push((window, index, template.id()));
            lines.templates.entry(template.id()).or_insert((template, 0)).1 += 1;
        }
    }
    let mined = services.into_iter().map(|(service, lines)| (service.cloned(), mine(lines, before.len())));
    let mut mined: Vec<_> = mined.collect();
    mined.sort_by_key(|(service, _)| service.is_none());
    mined
}

/// Mines the lines of one service, in a window and so many baselines.
fn mine(lines: Lines, baselines: usize) -> Vec<Mined> {
    let patterns = patterns::merge(&lines.templates.into_values().collect::<Vec<_>>());
    let mut of_template: BTreeMap<Id, usize> = BTreeMap::new();
    for (place, pattern) in patterns.iter().enumerate() {
        of_template.extend(pattern.members().iter().map(|member| (*member, place)));
    }
    let empty = |pattern| Mined { pattern, now: Vec::new(), before: vec![Vec::new(); baselines] };
    let mut mined: Vec<Mined> = patterns.into_iter().map(empty).collect();
    for (window, index, template) in lines.places {
        let one = of_template.get(&template).and_then(|place| mined.get_mut(*place));
        let records = one.and_then(|one| match window.checked_sub(1) {
            None => Some(&mut one.now),
            Some(baseline) => one.before.get_mut(baseline),
        });
        if let Some(records) = records {
            records.push(index);
        }
    }
    mined
}

/// What a store is asked for to find the records of a pattern; `None` where nothing constant is left to ask for.
pub(crate) fn like(pattern: &Pattern) -> Option<Like> {
    let fragments = pattern.phrases();
    (!fragments.is_empty()).then_some(Like { fragments })
}

/// A pattern as it is shown: with its values where all of these records say the very same, else with their kinds. That a
/// setting is `DB_POOL_SIZE=10` in each of five records is the answer, and `DB_POOL_SIZE=<num>` is not.
pub(crate) fn told<'a>(pattern: &Pattern, mut records: impl Iterator<Item = &'a Record>) -> String {
    let line = |record: &'a Record| record.said().lines().next().unwrap_or_default();
    let Some(first) = records.next().map(line) else { return pattern.labelled() };
    if records.all(|record| line(record) == first) { first.to_owned() } else { pattern.labelled() }
}

/// What these records of a pattern differ in, where templates were merged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Merged {
    /// The identity of the most frequent template among them: the same in every window and call.
    pub(crate) leader: Option<Id>,
    /// Words at each place where templates differ, most frequent first.
    pub(crate) words: Vec<Vec<(String, u64)>>,
}

/// Which templates a pattern covers, by these records.
pub(crate) fn merged<'a>(pattern: &Pattern, records: impl Iterator<Item = &'a Record>) -> Merged {
    if pattern.members().len() < 2 {
        return Merged { leader: Some(pattern.id()), words: Vec::new() };
    }
    let mut ids: BTreeMap<Id, f64> = BTreeMap::new();
    let mut words: Vec<BTreeMap<String, f64>> = Vec::new();
    for record in records {
        let template = Template::of(record.said());
        *ids.entry(template.id()).or_insert(0.0) += record.weight;
        for (place, word) in pattern.words_of(&template).into_iter().enumerate() {
            if words.len() <= place {
                words.push(BTreeMap::new());
            }
            if let Some(counts) = words.get_mut(place) {
                *counts.entry(word.to_owned()).or_insert(0.0) += record.weight;
            }
        }
    }
    let leader = most_frequent(ids).first().map(|(id, _)| *id);
    Merged { leader, words: words.into_iter().map(most_frequent).collect() }
}

/// What the records of a pattern have in common; of a sample, numbers are estimates of all.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Portrait {
    /// The worst level.
    pub(crate) level: Option<Level>,
    /// The first and the last record.
    pub(crate) span: Option<(Timestamp, Timestamp)>,
    /// Services, most frequent first.
    pub(crate) services: Vec<(Untrusted, u64)>,
    /// Places (pods, containers, machines), most frequent first.
    pub(crate) places: Vec<(Untrusted, u64)>,
    /// Versions, most frequent first.
    pub(crate) versions: Vec<(Untrusted, u64)>,
    /// Trace ids, in order of time, each once.
    pub(crate) traces: Vec<Untrusted>,
}

/// Draws the portrait of these records.
pub(crate) fn portrait<'a>(records: impl Iterator<Item = &'a Record>) -> Portrait {
    let mut portrait = Portrait::default();
    let (mut services, mut places, mut versions) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for record in records {
        portrait.level = portrait.level.max(record.level);
        if let Some(at) = record.at {
            let (first, last) = portrait.span.unwrap_or((at, at));
            portrait.span = Some((first.min(at), last.max(at)));
        }
        count(&mut services, record.service.as_ref(), record.weight);
        count(&mut places, record.place.as_ref(), record.weight);
        count(&mut versions, record.version.as_ref(), record.weight);
        if let Some(trace) = &record.trace
            && !portrait.traces.contains(trace)
            && portrait.traces.len() < 3
        {
            portrait.traces.push(trace.clone());
        }
    }
    let (services, places, versions) =
        (most_frequent(services), most_frequent(places), most_frequent(versions));
    Portrait { services, places, versions, ..portrait }
}

/// Whole numbers of records, the largest first.
pub(super) fn most_frequent<T: Ord>(weights: BTreeMap<T, f64>) -> Vec<(T, u64)> {
    let mut ranked: Vec<(T, u64)> =
        weights.into_iter().map(|(value, weight)| (value, weight.round().max(1.0) as u64)).collect();
    ranked.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    ranked
}

fn count(weights: &mut BTreeMap<Untrusted, f64>, value: Option<&Untrusted>, weight: f64) {
    if let Some(value) = value {
        *weights.entry(value.clone()).or_insert(0.0) += weight;
    }
}

#[cfg(test)]
mod tests {
    use contract::Context;

    use super::*;
    use crate::model::Document;

    fn record(cx: &Context, second: i64, level: Level, message: &str) -> Record {
        Record {
            at: Some(Timestamp::from_second(second).unwrap()),
            ingested: None,
            level: Some(level),
            service: Some(cx.intake.text("payment")),
            version: None,
            place: Some(cx.intake.text(if second % 2 == 0 { "a" } else { "b" })),
            host: None,
            trace: None,
            message: cx.intake.text(message),
            said: None,
            weight: 1.0,
            document: Document::default(),
        }
    }

    #[test]
    fn a_pattern_is_the_same_in_the_window_and_its_baselines() {
        let cx = Context::for_test("2026-01-14T14:32:00Z".parse().unwrap());
        let say = |second, text: &str| record(&cx, second, Level::Error, text);
        let now = [
            say(10, "charge 17 failed after 20 ms"),
            say(11, "pool exhausted (size=10)"),
            say(13, "charge 18 failed after 7 ms"),
        ];
        let before = [say(1, "charge 5 failed after 9 ms")];
        let (_, mined) = mine_by_service(&now, &[&before, &[]]).remove(0);
        assert_eq!(mined.len(), 2);
        let charge = mined.iter().find(|one| one.pattern.text().starts_with("charge")).unwrap();
        assert_eq!((charge.now.clone(), charge.before.clone()), (vec![0, 2], vec![vec![0], vec![]]));
        let pool = mined.iter().find(|one| one.pattern.text().starts_with("pool")).unwrap();
        assert_eq!((pool.now.clone(), pool.before.clone()), (vec![1], vec![vec![], vec![]]));
        assert_eq!(
            told(&charge.pattern, charge.now.iter().map(|index| &now[*index])),
            charge.pattern.labelled()
        );
        assert_eq!(
            told(&pool.pattern, pool.now.iter().map(|index| &now[*index])),
            "pool exhausted (size=10)"
        );
        let portrait = portrait(charge.now.iter().map(|index| &now[*index]));
        assert_eq!(portrait.places.len(), 2);
        assert_eq!(portrait.span.map(|(first, last)| (first.as_second(), last.as_second())), Some((10, 13)));
        assert_eq!(portrait.level, Some(Level::Error));
    }

    #[test]
    fn what_merged_templates_differ_in_is_told_and_their_identity_is_that_of_the_lines() {
        let cx = Context::for_test("2026-01-14T14:32:00Z".parse().unwrap());
        let say = |second, text: &str| record(&cx, second, Level::Error, text);
        // orders twice, carts and users once: three templates that differ in one word
        let now = [
            say(10, "pool orders is exhausted"),
            say(11, "pool carts is exhausted"),
            say(12, "pool users is exhausted"),
            say(13, "pool orders is exhausted"),
        ];
        let (_, mined) = mine_by_service(&now, &[]).remove(0);
        assert_eq!(mined.len(), 1);
        let pattern = &mined[0].pattern;
        let told = merged(pattern, now.iter());
        assert_eq!(told.leader, Some(Template::of("pool orders is exhausted").id()));
        let counts = [("orders", 2), ("carts", 1), ("users", 1)];
        assert_eq!(told.words, [counts.map(|(word, count)| (word.to_owned(), count)).to_vec()]);
        // With other records at hand nothing is merged; the identity of the line is the same.
        let (_, alone) = mine_by_service(&now[..1], &[]).remove(0);
        assert_eq!(merged(&alone[0].pattern, now[..1].iter()).leader, told.leader);
        assert_ne!(pattern.id(), alone[0].pattern.id());
    }

    #[test]
    fn what_loggers_write_before_the_message_is_no_part_of_a_pattern() {
        let cx = Context::for_test("2026-01-14T14:32:00Z".parse().unwrap());
        let line = "2026-01-14T14:10:03Z ERROR connection to db refused";
        let plain = record(&cx, 1, Level::Error, "connection to db refused");
        let text = Record {
            said: Some(line.len() - plain.message.inside().len()..line.len()),
            ..record(&cx, 2, Level::Error, line)
        };
        let (_, mined) = mine_by_service(&[plain, text.clone()], &[]).remove(0);
        assert_eq!(mined.len(), 1);
        assert_eq!(told(&mined[0].pattern, [text].iter()), "connection to db refused");
        assert_eq!(like(&mined[0].pattern).unwrap().fragments, ["connection to db refused"]);
    }
}
