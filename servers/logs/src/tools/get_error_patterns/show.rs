//! From rows to the answer.

use contract::{
    Answer, Cell, Cite, Context, Draft, Evidence, Finding, Next, Table, TimeRange, Untrusted, significant,
    time_text,
};

use super::{
    gather::{Gathered, Looked},
    judge::Row,
    onset::Onset,
    verdict,
};
use crate::{
    analysis::{
        difference::{Class, Seen},
        mined::Merged,
    },
    backend::Logs,
    model::Level,
    tools::asking::{Service, see_more, share, told_of},
};

/// Examples shown, and with `full`.
const EXAMPLES: usize = 2;
const MORE_EXAMPLES: usize = 8;
/// Characters of a pattern, and of an example.
const PATTERN: usize = 220;
const EXAMPLE: usize = 320;
/// Words told of a place where merged templates differ, and characters of one.
const WORDS: usize = 3;
const WORD: usize = 40;
/// In the place of an onset that nobody saw.
pub(super) const ALREADY: &str = "already when the window began";

pub(super) struct Picture<'a> {
    pub(super) cx: &'a Context,
    pub(super) store: &'a dyn Logs,
    pub(super) gathered: &'a Gathered,
    pub(super) rows: &'a [Row],
    pub(super) limit: usize,
    pub(super) full: bool,
}

pub(super) fn answer(picture: &Picture<'_>) -> Answer {
    let mut draft = Draft::new();
    let cite = cite(picture, &mut draft);
    let shown: Vec<&Row> = picture.rows.iter().take(picture.limit).collect();
    table(picture, &mut draft, &shown, cite);
    examples(picture, &mut draft, &shown, cite);
    picture.gathered.absence.iter().for_each(|absence| absence.show(&mut draft, picture.store));
    caveats(picture, &mut draft, &shown);
    next(picture, &mut draft, &shown);
    draft.conclude(verdict::verdict(picture))
}

fn cite(picture: &Picture<'_>, draft: &mut Draft) -> Cite {
    let gathered = picture.gathered;
    let search = gathered.asked.search(gathered.asked.window, false);
    draft.cite(
        Evidence::new(picture.store.system(), gathered.now.sample.sent.as_str())
            .over(gathered.asked.window)
            .also_over(gathered.before.iter().map(|one| one.window))
            .link(picture.store.link(&search)),
    )
}

fn table(picture: &Picture<'_>, draft: &mut Draft, shown: &[&Row], cite: Cite) {
    if shown.is_empty() {
        return;
    }
    let several = picture.gathered.asked.service.as_ref().is_none_or(Service::is_several);
    let varies = shown.iter().any(|row| !row.covered.words.is_empty());
    let mut columns = vec!["class", "count", "per min", "was per min", "since", "level"];
    columns.extend(several.then_some("service"));
    columns.extend(["where", "version", "pattern", "id"]);
    columns.extend(varies.then_some("<word>"));
    let mut table = Table::new("patterns", &columns, cite);
    for row in shown {
        let mut cells = vec![
            Cell::text(row.class.name()),
            if row.now.is_exact() {
                Cell::Count(row.now.count)
            } else {
                Cell::text(format!("≈{}", row.now.all()))
            },
            rate(row.now),
            was(picture, row),
            since(row),
            Cell::text(row.portrait.level.map_or("", Level::name)),
        ];
        if several {
            cells.push(row.service.as_ref().map_or(Cell::Missing, |service| Cell::text(service.shown(60))));
        }
        cells.push(Cell::text(told_of(&row.places, "places")));
        cells.push(Cell::text(told_of(&row.versions, "versions")));
        cells.push(Cell::Quoted(picture.cx.intake.text(&row.text), PATTERN));
        cells.push(Cell::text(identity(row)));
        if varies {
            cells.push(Cell::text(words(picture, &row.covered)));
        }
        table.row(cells);
    }
    table.seen(picture.rows.len() as u64);
    table.see_more(see_more(picture.limit, super::MOST_ROWS, picture.full, "a service, or level=error"));
    draft.table(table);
}

/// Records a minute, with a mark where they are estimated from a sample.
fn rate(seen: Seen) -> Cell {
    match seen.is_exact() {
        true => Cell::Number(seen.per_minute()),
        false => Cell::text(format!("≈{}", significant(seen.per_minute()))),
    }
}

/// The largest rate of the baselines that the pattern is judged by.
fn was(picture: &Picture<'_>, row: &Row) -> Cell {
    let compared = row.compared(&picture.gathered.before);
    let largest = compared.max_by(|one, other| one.per_minute().total_cmp(&other.per_minute()));
    largest.map_or(Cell::Missing, |seen| rate(*seen))
}

fn since(row: &Row) -> Cell {
    match row.onset {
        Some(Onset::At(at)) => Cell::Time(at),
        Some(Onset::Before) => Cell::text(ALREADY),
        None => Cell::Missing,
    }
}

/// The identity of the template, of which it is the same in every call; with how many others it was merged.
fn identity(row: &Row) -> String {
    let id = row.covered.leader.unwrap_or(row.mined.pattern.id());
    match row.mined.pattern.members().len() {
        0 | 1 => id.to_string(),
        members => format!("{id} +{}", members - 1),
    }
}

/// The most frequent words at each place where merged templates differ.
fn words(picture: &Picture<'_>, covered: &Merged) -> String {
    let place = |words: &Vec<(String, u64)>| {
        let sum: u64 = words.iter().map(|(_, count)| count).sum();
        let told = words.iter().take(WORDS).map(|(word, count)| {
            format!("{} {}", picture.cx.intake.text(word).shown(WORD), share(*count, sum))
        });
        let rest = words.len().saturating_sub(WORDS);
        let rest = (rest > 0).then(|| format!("+{rest}"));
        told.chain(rest).collect::<Vec<_>>().join(", ")
    };
    covered.words.iter().map(place).collect::<Vec<_>>().join("; ")
}

/// One record of each of the first patterns, and how to find the rest.
fn examples(picture: &Picture<'_>, draft: &mut Draft, shown: &[&Row], cite: Cite) {
    let most = if picture.full { MORE_EXAMPLES } else { EXAMPLES };
    for (number, row) in shown.iter().take(most).enumerate() {
        let now = row.mined.now.first().and_then(|index| picture.gathered.now.records().get(*index));
        let Some(record) = now else { continue };
        let place = record.place.as_ref().map(|place| place.shown(60));
        let whence: Vec<String> = place.into_iter().chain(record.at.map(time_text)).collect();
        let whence = if whence.is_empty() { String::new() } else { format!(" ({})", whence.join(", ")) };
        let text = format!("example of {}{whence}: {}", number + 1, record.message.shown(EXAMPLE));
        draft.finding(Finding::new(text, cite));
    }
}

fn caveats(picture: &Picture<'_>, draft: &mut Draft, shown: &[&Row]) {
    let gathered = picture.gathered;
    gathered.asked.service.iter().for_each(|service| service.caveat(draft));
    let now = &gathered.now;
    let read = now.records().len();
    if now.complete() {
        let estimated = shown.iter().any(|row| row.before.iter().any(|seen| !seen.is_exact()));
        let before =
            if estimated { "; rates with ≈ are estimated from samples of the baselines" } else { "" };
        draft.caveat(format!("patterns of all records of the window ({read}), counts exact{before}"));
    } else {
        draft.caveat(format!(
            "patterns of {read} of {} records of the window ({}); numbers without ≈ were counted in full by the pattern's filter; {}",
            now.sample.value.total.told(),
            now.sample.value.method,
            gathered.rest.caveat()
        ));
    }
    for one in &gathered.before {
        draft.caveat(baseline(one));
    }
    if gathered.before.iter().all(|one| one.recorded == 0) {
        draft.caveat("nothing was recorded in any baseline: what is new can't be told");
    }
    running(gathered, draft, shown);
    if shown.iter().any(|row| row.mined.pattern.members().len() > 1) {
        draft.caveat(
            "id: of the template, the same in every call; +n: n other templates are merged in the pattern, and the most frequent is named; \
             <word>: what they differ in, by the records that were read",
        );
    }
    if let Some(until) = gathered.arrived {
        draft.caveat(format!(
            "records from {} on may not all have arrived: their counts may be too small, and fading and gone are judged by those before",
            time_text(until)
        ));
    }
    gathered.asked.cut.iter().for_each(|text| draft.caveat(text.clone()));
    let rest: u64 = picture.rows.iter().skip(shown.len()).map(|row| row.now.all()).sum();
    if rest > 0 {
        draft.caveat(format!(
            "the patterns not shown have about {} of the window",
            contract::counted(rest, "record", "records")
        ));
    }
    gathered.guessed.iter().for_each(|text| draft.caveat(text.clone()));
    gathered.unlevelled.iter().for_each(|none| draft.caveat(none.told("")));
    gathered.failed.iter().for_each(|text| draft.caveat(text.clone()));
    let replies = std::iter::once(now).chain(&gathered.before);
    replies.flat_map(|one| &one.sample.partial).for_each(|text| draft.caveat(text.clone()));
}

/// What ran before the window began, and by which baselines that is told.
fn running(gathered: &Gathered, draft: &mut Draft, shown: &[&Row]) {
    let start = gathered.asked.window.start();
    let older: Vec<&str> = gathered
        .before
        .iter()
        .filter(|one| one.window.end() != start && one.recorded > 0)
        .map(|one| one.name.as_str())
        .collect();
    if shown.iter().any(|row| row.already) {
        draft.caveat(format!(
            "what began before the window (since) is as frequent in the window before; its class and `was` are by {} alone",
            older.join(" and ")
        ));
    } else if older.is_empty()
        && gathered.before.iter().any(|one| one.recorded > 0)
        && gathered.asked.baseline.is_none()
    {
        draft.caveat("nothing older than the window before is recorded: what already ran in it looks steady");
    }
}

fn baseline(one: &Looked) -> String {
    let read = one.records().len();
    let of = if one.complete() { String::new() } else { format!(", {read} of them read") };
    format!(
        "{}, {}: {} of these levels{of}, {} in all",
        one.name,
        one.window,
        one.sample.value.total.records(),
        one.recorded
    )
}

fn next(picture: &Picture<'_>, draft: &mut Draft, shown: &[&Row]) {
    let window = picture.gathered.asked.window;
    if let Some(absence) = picture.gathered.absence.as_ref().filter(|absence| absence.told().is_some()) {
        absence.suggest(draft);
        if let Some(meant) = absence.meant() {
            let call = Next::call("get_error_patterns", "the service that may have been meant");
            draft.next(call.with("service", meant).with("time_range", window.to_string()));
        }
        return;
    }
    if let Some(since) = recorded_before(picture) {
        let call = Next::call("get_log_volume_anomalies", "since when nothing is logged");
        draft.next(scoped(picture, None, call).with("time_range", since.to_string()));
    }
    match shown.first() {
        Some(first) => next_of(picture, draft, first),
        None => next_of_none(picture, draft),
    }
}

/// A window without any record, from the latest baseline that has some.
fn recorded_before(picture: &Picture<'_>) -> Option<TimeRange> {
    let gathered = picture.gathered;
    let recorded = gathered.before.iter().filter(|one| gathered.now.recorded == 0 && one.recorded > 0);
    let start = recorded.map(|one| one.window.start()).max()?;
    TimeRange::new(start, gathered.asked.window.end()).ok()
}

fn next_of_none(picture: &Picture<'_>, draft: &mut Draft) {
    let window = picture.gathered.asked.window;
    if picture.gathered.unlevelled.is_some() {
        let call = Next::call("get_error_patterns", "patterns of the records without a level too");
        draft.next(scoped(picture, None, call.with("level", "all")).with("time_range", window.to_string()));
    }
    if recorded_before(picture).is_none() {
        let call = Next::call("get_log_volume_anomalies", "whether anybody is silent instead of failing");
        draft.next(scoped(picture, None, call).with("time_range", window.to_string()));
    }
}

fn next_of(picture: &Picture<'_>, draft: &mut Draft, first: &Row) {
    let window = picture.gathered.asked.window;
    if first.class == Class::Unknown
        && let Some(half) = second_half(window)
    {
        let call =
            Next::call("get_error_patterns", "what is new or surging in the second half, against the first");
        draft.next(scoped(picture, None, call).with("time_range", half.to_string()));
    }
    lines(picture, draft, first);
    let service = service(first);
    if let Some(Onset::At(onset)) = first.onset {
        let call = Next::call("correlate_logs_with_time", "what else was new just before it began");
        draft.next(call.with("timestamp", time_text(onset)).with("delta_minutes", 5));
        let around = around(onset, window);
        let call = Next::call("get_recent_deployments", format!("what changed before {}", time_text(onset)));
        draft.next(scoped(picture, service, call.on("infra")).with("time_range", around));
    }
    if let Some(trace) = first.portrait.traces.iter().find_map(Untrusted::plain) {
        let call = Next::call("get_trace_details", "a request that failed so").on("traces");
        draft.next(call.with("trace_id", trace));
    }
}

/// Where the lines of a pattern are found, and what was thrown with them.
fn lines(picture: &Picture<'_>, draft: &mut Draft, first: &Row) {
    let Some(query) = query(picture, first) else { return };
    let (service, window) = (service(first), where_found(picture, first).to_string());
    let mut call = Next::call("search_logs", "the lines of pattern 1").with("query", query.as_str());
    if let Some(level) = picture.gathered.asked.floor.level() {
        call = call.with("level", level.name());
    }
    draft.next(scoped(picture, service, call).with("time_range", window.as_str()));
    if first.throws {
        let call = Next::call("extract_stack_traces", "what was thrown, with its root cause");
        let call = call.with("error_query", query.as_str());
        draft.next(scoped(picture, service, call).with("time_range", window));
    }
}

/// The window, or the first baseline that has records of a pattern that is gone.
fn where_found(picture: &Picture<'_>, row: &Row) -> TimeRange {
    let mut before = picture.gathered.before.iter().zip(&row.before);
    let found = before.find(|(_, seen)| !row.is_there() && seen.count > 0);
    found.map_or(picture.gathered.asked.window, |(looked, _)| looked.window)
}

/// The half of a window that has the other half for a baseline.
fn second_half(window: TimeRange) -> Option<TimeRange> {
    let half = std::time::Duration::from_secs((window.seconds() / 2.0) as u64);
    TimeRange::new(window.end().checked_sub(half).ok()?, window.end()).ok()
}

/// Half an hour before the onset, and what follows.
fn around(onset: jiff::Timestamp, window: TimeRange) -> String {
    let start = onset.checked_sub(jiff::SignedDuration::from_mins(30)).unwrap_or(onset);
    format!("{}/{}", time_text(start), time_text(window.end()))
}

fn service(row: &Row) -> Option<&str> {
    row.service.as_ref().and_then(Untrusted::plain)
}

fn scoped(picture: &Picture<'_>, service: Option<&str>, call: Next) -> Next {
    let own = picture.gathered.asked.service.as_ref().and_then(|service| service.name.plain());
    match own.or(service) {
        Some(service) => call.with("service", service),
        None => call,
    }
}

/// A filter as a caller writes it: the phrases that every record of the pattern has. None of a pattern that addresses an
/// assistant, though its phrases by themselves may not, and none with a phrase that an answer would not show as it is.
fn query(picture: &Picture<'_>, row: &Row) -> Option<String> {
    if row.records(picture.gathered).any(|record| record.message.suspicious()) {
        return None;
    }
    let like = row.like.as_ref()?;
    let (open, joined) = match picture.store.language() {
        "KQL" => ("* has ", " and "),
        _ => ("", " AND "),
    };
    let quoted = |text: &String| {
        let shown = picture.cx.intake.text(text).shown(text.len());
        let is_as_shown = shown == *text || shown == format!("«{text}»");
        (is_as_shown && !text.contains(['"', '\\', '\n'])).then(|| format!("{open}\"{text}\""))
    };
    let all: Vec<String> = like.fragments.iter().filter_map(quoted).collect();
    (!all.is_empty() && all.len() == like.fragments.len()).then(|| all.join(joined))
}
