//! From rows to the answer.

use contract::{
    Answer, Cell, Cite, Context, Draft, Evidence, Finding, Next, Table, Untrusted, counted, duration_text,
    time_text,
};
use jiff::Timestamp;

use super::{
    gather::{Gathered, Sequence},
    judge::{NewVersion, Row},
};
use crate::{
    analysis::difference::Class,
    backend::Logs,
    model::Level,
    tools::asking::{Absence, Service, first_of, told_of},
};

const ROWS: usize = 15;
const MORE_ROWS: usize = 40;
const LINES: usize = 12;
const MORE_LINES: usize = 30;
/// Characters of a pattern, an example, a line of the sequence.
const PATTERN: usize = 220;
const LINE: usize = 200;
/// From this share of the time around the moment on, its end without records is told; of so many records at least.
const EMPTY_END: f64 = 0.2;
const FEWEST: usize = 50;

pub(super) struct Picture<'a> {
    pub(super) cx: &'a Context,
    pub(super) store: &'a dyn Logs,
    pub(super) gathered: &'a Gathered,
    pub(super) rows: &'a [Row],
    pub(super) versions: &'a [NewVersion],
    pub(super) full: bool,
}

pub(super) fn answer(picture: &Picture<'_>) -> Answer {
    let mut draft = Draft::new();
    let gathered = picture.gathered;
    let search = gathered.asked.search(gathered.asked.around);
    let evidence = Evidence::new(picture.store.system(), gathered.around.sent.as_str())
        .over(gathered.asked.around)
        .also_over([gathered.asked.before])
        .link(picture.store.link(&search));
    let cite = draft.cite(evidence);
    for one in picture.versions {
        let text = format!(
            "version {} of {} first logs at {}, {}",
            one.version.shown(60),
            one.service.shown(60),
            time_text(one.first),
            offset(one.first, gathered.asked.at)
        );
        draft.finding(Finding::new(text, cite));
    }
    table(picture, &mut draft, cite);
    if let Some(sequence) = &gathered.sequence {
        told(picture, &mut draft, sequence);
    }
    picture.gathered.absence.iter().for_each(|absence| absence.show(&mut draft, picture.store));
    caveats(picture, &mut draft);
    next(picture, &mut draft);
    draft.conclude(verdict(picture))
}

/// `2m13s before`, `4s after`.
fn offset(at: Timestamp, moment: Timestamp) -> String {
    let seconds = at.duration_since(moment).as_secs_f64().round();
    match seconds {
        0.0 => "at the moment".to_owned(),
        before if before < 0.0 => format!("{} before", duration_text(-before)),
        after => format!("{} after", duration_text(after)),
    }
}

fn table(picture: &Picture<'_>, draft: &mut Draft, cite: Cite) {
    if picture.rows.is_empty() {
        return;
    }
    let columns = ["class", "first", "relative", "service", "where", "level", "records", "pattern"];
    let mut table = Table::new("patterns", &columns, cite);
    let most = if picture.full { MORE_ROWS } else { ROWS };
    let mut shown: Vec<&Row> = picture.rows.iter().take(most).collect();
    // In order of time; what was there before too has no beginning here.
    shown.sort_by_key(|row| (row.class != Class::New, row.first));
    for row in shown {
        let class = match row.lifecycle {
            Some(what) => format!("{} ({})", row.class.name(), what.name()),
            None => row.class.name().to_owned(),
        };
        table.row(vec![
            Cell::text(class),
            if row.class == Class::New { Cell::Time(row.first) } else { Cell::Missing },
            Cell::text(match row.class {
                Class::New => offset(row.first, picture.gathered.asked.at),
                _ => String::new(),
            }),
            Cell::text(first_of(&row.portrait.services)),
            Cell::text(places(picture.gathered, row)),
            Cell::text(row.portrait.level.map_or("", Level::name)),
            if row.now.is_exact() {
                Cell::Count(row.now.count)
            } else {
                Cell::text(format!("{} of those read", row.own.len()))
            },
            Cell::Quoted(picture.cx.intake.text(&row.text), PATTERN),
        ]);
    }
    table.seen(picture.rows.len() as u64);
    table.see_more("a smaller delta_minutes, a service, or detail=full");
    draft.table(table);
}

/// The place of the first record, and how many others there are: `payment-1 +4`. Where the first record was not read, how many
/// places and the most frequent.
fn places(gathered: &Gathered, row: &Row) -> String {
    let first = gathered.around.value.records.get(row.example).filter(|record| record.at == Some(row.first));
    let first = first.and_then(|record| record.place.as_ref()).map(|place| place.shown(60));
    let about = if row.places.estimated { "≈" } else { "" };
    match (first, row.places.distinct) {
        _ if row.places.values.is_empty() => String::new(),
        (Some(first), Some(0 | 1)) => first,
        (Some(first), Some(number)) => format!("{first} +{about}{}", number - 1),
        _ if row.now.is_exact() => told_of(&row.places, "places"),
        _ => format!("{} of those read", told_of(&row.places, "places")),
    }
}

/// The records that share an id with the error nearest to the moment.
fn told(picture: &Picture<'_>, draft: &mut Draft, sequence: &Sequence) {
    let records = &sequence.reply.value.records;
    if records.len() < 2 {
        return;
    }
    let evidence = Evidence::new(picture.store.system(), sequence.reply.sent.as_str())
        .over(picture.gathered.asked.around);
    let cite = draft.cite(evidence);
    let mut table = Table::new("records with the same id", &["time", "service", "level", "message"], cite);
    let most = if picture.full { MORE_LINES } else { LINES };
    for record in records.iter().take(most) {
        table.row(vec![
            Cell::time(record.at),
            Cell::text(record.service.as_ref().map_or(String::new(), |service| service.shown(60))),
            Cell::text(record.level.map_or("", Level::name)),
            Cell::Quoted(record.message.clone(), LINE),
        ]);
    }
    table.seen(sequence.reply.value.total.number());
    table.see_more("search_logs with this id");
    draft.table(table);
    let field = sequence
        .anchor
        .field
        .as_deref()
        .map_or("trace id".to_owned(), |name| picture.cx.intake.text(name).shown(60));
    draft.finding(Finding::new(
        format!(
            "{} the {field} {} of the error nearest to the moment",
            counted(records.len() as u64, "record shares", "records share"),
            sequence.anchor.id.shown(80)
        ),
        cite,
    ));
}

fn caveats(picture: &Picture<'_>, draft: &mut Draft) {
    let gathered = picture.gathered;
    gathered.asked.service.iter().for_each(|service| service.caveat(draft));
    let (around, before) = (&gathered.around.value, &gathered.before.value);
    if gathered.complete() {
        let (read, earlier) = (around.records.len(), before.records.len());
        draft.caveat(format!("all records were read: {read} around the moment, {earlier} before"));
    } else {
        draft.caveat(format!(
            "counts and first moments are of all records, but where it says `of those read`: {} of {} around the moment ({}), {} of {} before ({})",
            around.records.len(),
            around.total.told(),
            around.method,
            before.records.len(),
            before.total.told(),
            before.method
        ));
        draft.caveat(format!(
            "of those read a pattern is new or surging only if so few are enough to be certain; {}",
            gathered.rest.caveat()
        ));
    }
    if before.records.is_empty() && gathered.absence.is_none() {
        let whose = Service::whose(gathered.asked.service.as_ref());
        draft.caveat(format!(
            "nothing{whose} is recorded in {}: what is new can't be told",
            gathered.asked.before
        ));
    }
    if let Some(begin) = gathered.asked.cut {
        draft.caveat(format!(
            "nothing between {} and {} is recorded: the time before is only {} long, and what is seldom can't be told to be new",
            time_text(begin),
            time_text(gathered.asked.before.start()),
            duration_text(gathered.asked.before.seconds())
        ));
    }
    gathered.failed.iter().for_each(|text| draft.caveat(text.clone()));
    let replies = [&gathered.around, &gathered.before].into_iter();
    replies.flat_map(|reply| &reply.partial).for_each(|text| draft.caveat(text.clone()));
}

fn next(picture: &Picture<'_>, draft: &mut Draft) {
    let gathered = picture.gathered;
    let again = |why: &str| {
        let call = Next::call("correlate_logs_with_time", why);
        call.with("timestamp", time_text(gathered.asked.at)).with("delta_minutes", gathered.asked.minutes)
    };
    if let Some(absence) = gathered.absence.as_ref().filter(|absence| absence.told().is_some()) {
        absence.suggest(draft);
        if let Some(meant) = absence.meant() {
            draft.next(again("the service that may have been meant").with("service", meant));
        }
        return;
    }
    let own = gathered.asked.service.as_ref().and_then(|service| service.name.plain());
    let changed = changed(picture);
    if let Some(changed) = changed.filter(|_| gathered.asked.service.is_none()) {
        draft.next(again("the service that started, stopped or changed, alone").with("service", changed));
    }
    let worst = picture.rows.first();
    let found = worst.and_then(|row| row.portrait.services.first()).and_then(|(service, _)| service.plain());
    let scoped = |call: Next, service: Option<&str>| match service {
        Some(service) => call.with("service", service),
        None => call,
    };
    let around = gathered.asked.around;
    let long = format!("{}/{}", time_text(gathered.asked.before.start()), time_text(around.end()));
    let errors = Next::call("get_error_patterns", "all its errors, with counts");
    draft.next(scoped(errors, own.or(found)).with("time_range", around.to_string()));
    let rolled_out = Next::call("get_recent_deployments", "what was rolled out before the moment");
    draft.next(scoped(rolled_out, own.or(changed).or(found)).on("infra").with("time_range", long));
    let trace = gathered.sequence.as_ref().filter(|sequence| sequence.anchor.field.is_none());
    if let Some(trace) = trace.and_then(|sequence| sequence.anchor.id.plain()) {
        let call = Next::call(
            "get_trace_details",
            "where the time went in the request of the error nearest to the moment",
        );
        draft.next(call.on("traces").with("trace_id", trace));
    }
}

/// The service of the most telling start, stop or change, else of the first new version.
fn changed<'a>(picture: &Picture<'a>) -> Option<&'a str> {
    let row = picture.rows.iter().find(|row| row.lifecycle.is_some());
    let of_row = row.and_then(|row| row.service.as_ref());
    of_row.or(picture.versions.first().map(|one| &one.service)).and_then(Untrusted::plain)
}

/// That the time around the moment ends without records, which no pattern tells.
fn stop(picture: &Picture<'_>) -> String {
    let gathered = picture.gathered;
    let records = &gathered.around.value.records;
    let end = gathered.asked.around.end().min(picture.cx.now);
    let last = records.iter().filter_map(|record| record.at).max().filter(|_| records.len() >= FEWEST);
    let is_empty = |last: &jiff::Timestamp| {
        end.duration_since(*last).as_secs_f64() >= EMPTY_END * gathered.asked.around.seconds()
    };
    let whose = Service::whose(gathered.asked.service.as_ref());
    last.filter(is_empty).map_or(String::new(), |last| {
        format!(" No record{whose} that was read is after {}: see get_log_volume_anomalies.", time_text(last))
    })
}

fn verdict(picture: &Picture<'_>) -> String {
    let gathered = picture.gathered;
    let whose = Service::whose(gathered.asked.service.as_ref());
    let at = time_text(gathered.asked.at);
    let new = picture.rows.iter().filter(|row| row.class == Class::New);
    let before = new.clone().filter(|row| row.first < gathered.asked.at).count();
    if let Some(told) = gathered.absence.as_ref().and_then(Absence::told) {
        let before = duration_text(gathered.asked.before.seconds());
        return format!("No record{whose} around {at}, nor in the {before} before; {told}.");
    }
    if gathered.around.value.total.number() == 0 {
        return format!("No record{whose} around {at}, in {}: nothing can be said.", gathered.asked.around);
    }
    if gathered.before.value.records.is_empty() {
        return format!(
            "{}{whose} around {at}, but nothing{whose} is recorded in the {} before: what is new can't be told.",
            gathered.around.value.total.records(),
            duration_text(gathered.asked.before.seconds())
        );
    }
    let Some(worst) = picture.rows.first() else {
        if gathered.before.value.total.number() == 0 {
            return format!(
                "{} around {at}, and none in the {} before: what is new can't be told.",
                gathered.around.value.total.records(),
                duration_text(gathered.asked.before.seconds())
            );
        }
        return format!(
            "Nothing in the logs around {at} is new: {}, all of patterns that the {} before had too.{}",
            gathered.around.value.total.records(),
            duration_text(gathered.asked.before.seconds()),
            stop(picture)
        );
    };
    most_telling(picture, worst, (&at, new.count() as u64, before))
}

/// How many patterns are new, how many of them before the moment, and the most telling one.
fn most_telling(picture: &Picture<'_>, worst: &Row, (at, new, before): (&str, u64, usize)) -> String {
    let gathered = picture.gathered;
    let version = picture.versions.first().map_or(String::new(), |one| {
        format!(
            "; {} {} first logs {}",
            one.service.shown(60),
            one.version.shown(60),
            offset(one.first, gathered.asked.at)
        )
    });
    let example = gathered.around.value.records.get(worst.example);
    let quoted = example.map_or(String::new(), |record| record.message.shown(160));
    // What was there before too has no beginning here.
    let began = match worst.class {
        Class::New => format!(", {}", offset(worst.first, gathered.asked.at)),
        _ => String::new(),
    };
    format!(
        "{} {} new around {at}, {before} of them before it; most telling: {}, {}{began}: {quoted}{version}.{}",
        counted(new, "pattern", "patterns"),
        if new == 1 { "is" } else { "are" },
        first_of(&worst.portrait.services),
        worst.class.name(),
        stop(picture),
    )
}
