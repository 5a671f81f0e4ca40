//! From records to the answer.

use contract::{Answer, Cell, Cite, Draft, Finding, Next, Table, ToolError, Untrusted, time_text};
use jiff::Timestamp;
use serde_json::Value;
use signal::SHAPE_BUCKETS;

use super::{Asked, Found, MOST_LINES};
use crate::{
    model::{Histogram, Record, Reply, Role, Sample, Top, Total},
    tools::asking::{Told, count_values, see_more},
};

/// Characters of a line.
const LINE: usize = 240;
const FULL_LINE: usize = 1_000;

/// What is known of records over time.
pub(super) struct OverTime {
    /// The counts, if they could be read.
    pub(super) counts: Result<Reply<Histogram>, ToolError>,
    /// When anything is recorded at all, where that is within the window.
    pub(super) begins: Result<Option<Timestamp>, ToolError>,
}

pub(super) fn answer(
    asked: &Asked<'_>,
    total: &Reply<Total>,
    over_time: &OverTime,
    found: &Found,
    of_levels: &[String],
) -> Answer {
    let mut draft = Draft::new();
    let mut told = Told::new(asked.store);
    let cite = told.cite(&mut draft, total, &asked.search);
    shape(asked, &mut draft, &mut told, over_time);
    let verdict = match found {
        Found::Lines { reply, cut } => {
            let cite = told.cite(&mut draft, reply, &asked.search);
            if *cut {
                draft.caveat(cut_text(asked));
            }
            lines(asked, &mut draft, &reply.value, total.value, cite)
        }
        Found::Values(name, reply) => {
            let cite = told.cite(&mut draft, reply, &asked.search);
            values(asked, &mut draft, name, &reply.value, total.value, cite)
        }
    };
    draft.finding(Finding::new(format!("{} in all", total.value.records()), cite));
    told.caveats(&mut draft);
    of_levels.iter().for_each(|caveat| draft.caveat(caveat.clone()));
    asked.service.iter().for_each(|service| service.caveat(&mut draft));
    asked.past.caveat("time_range").into_iter().for_each(|cut| draft.caveat(cut));
    further(asked, &mut draft, found);
    draft.conclude(verdict)
}

/// The counts over time, of the part of the window of which anything is recorded.
fn shape(asked: &Asked<'_>, draft: &mut Draft, told: &mut Told<'_>, over_time: &OverTime) {
    let reply = match &over_time.counts {
        Ok(reply) => reply,
        Err(error) => return draft.caveat(format!("records over time could not be counted: {error}")),
    };
    let step = reply.value.step;
    let cite = told.cite_steps(draft, reply, &asked.search, step);
    let begins = over_time.begins.as_ref().copied().unwrap_or_else(|error| {
        draft.caveat(format!("a 0 at the beginning may be time of which nothing is recorded: {error}"));
        None
    });
    let (whole, unrecorded) = match begins {
        Some(first) => {
            let before = first.duration_since(asked.search.window.start()).as_secs_f64();
            let text = format!("since {}, before which nothing at all is recorded", time_text(first));
            (text, (before / step.as_secs_f64()).floor() as usize)
        }
        None => ("over the window".to_owned(), 0),
    };
    let counts = || reply.value.total.iter().skip(unrecorded).copied();
    let (least, most) = (counts().min().unwrap_or(0), counts().max().unwrap_or(0));
    let step = contract::duration_text(step.as_secs_f64());
    let text = if least == most {
        format!("{whole}: {most} in each {step}")
    } else {
        let shape = signal::shape(&counts().map(|count| count as f64).collect::<Vec<f64>>(), SHAPE_BUCKETS);
        format!("{whole}: {shape} (0 is {least}, 9 is {most} in {step})")
    };
    draft.finding(Finding::new(text, cite));
}

/// Lines that are the same but for their time.
struct Folded<'a> {
    newest: &'a Record,
    /// The number of records before it.
    before: usize,
    oldest: Option<Timestamp>,
    count: u64,
}

/// In the order of the first of each.
fn fold(records: &[Record]) -> Vec<Folded<'_>> {
    let mut folded: Vec<Folded<'_>> = Vec::new();
    let same = |one: &Record, other: &Record| {
        (one.level, &one.service, &one.place, &one.message)
            == (other.level, &other.service, &other.place, &other.message)
    };
    for (before, record) in records.iter().enumerate() {
        match folded.iter_mut().find(|line| same(line.newest, record)) {
            Some(line) => {
                line.count += 1;
                line.oldest = record.at;
            }
            None => folded.push(Folded { newest: record, before, oldest: record.at, count: 1 }),
        }
    }
    folded
}

/// How many records are within the lines that an answer has room for; `None` when all are. A page must end there: what
/// follows its cursor is what was not shown.
pub(super) fn fitting(asked: &Asked<'_>, answer: &Answer, found: &Found) -> Option<usize> {
    let Found::Lines { reply, .. } = found else { return None };
    let rendered = contract::render::answer(answer, &asked.cx.call_id, asked.cx.budget()).structured;
    let shown = rendered.pointer("/coverage/lines/shown").and_then(Value::as_u64)?;
    let folded = fold(&reply.value.records);
    let left_out = folded.get(usize::try_from(shown).ok()?)?;
    Some(left_out.before).filter(|records| *records > 0)
}

/// That a page ends before its limit.
fn cut_text(asked: &Asked<'_>) -> String {
    let longer = if asked.full { "" } else { ", or detail=full" };
    format!("an answer has no room for {} lines: the cursor leads on{longer}", asked.limit)
}

fn lines(asked: &Asked<'_>, draft: &mut Draft, sample: &Sample, total: Total, cite: Cite) -> String {
    let cap = if asked.full { FULL_LINE } else { LINE };
    let folded = fold(&sample.records);
    let columns = ["time", "level", "service", "place", "same", "line", "trace"];
    let mut table = Table::new("lines", &columns, cite);
    let shown = |text: &Option<Untrusted>, cap| {
        text.as_ref().map_or(Cell::Missing, |text| Cell::text(text.shown(cap)))
    };
    for line in &folded {
        let record = line.newest;
        let same = match line.oldest {
            Some(oldest) if line.count > 1 => format!("×{} since {}", line.count, time_text(oldest)),
            _ => String::new(),
        };
        table.row(vec![
            Cell::time(record.at),
            Cell::text(record.level.map_or("", |level| level.name())),
            shown(&record.service, 60),
            shown(&record.place, 60),
            Cell::text(same),
            Cell::text(record.message.shown(cap)),
            shown(&record.trace, 40),
        ]);
    }
    if sample.next.is_some() {
        table.more();
        table.see_more("the cursor leads on");
    }
    draft.table(table);
    draft.caveat(format!("lines: {} of {}", sample.method, total.records()));
    traces(asked, draft, &sample.records);
    stacks(asked, draft, &sample.records);
    if let Some(cursor) = &sample.next {
        draft.next(again(asked, "the lines before these").with("cursor", cursor.as_str()));
    }
    format!(
        "{} between {} and {}.",
        found(asked, total),
        time_text(asked.search.window.start()),
        time_text(asked.search.window.end())
    )
}

/// How many records of what, with the level that was asked for.
fn found(asked: &Asked<'_>, total: Total) -> String {
    let of = asked.service.as_ref().map_or(String::new(), |of| format!(" of {}", of.name.shown(60)));
    let what = match &asked.search.text {
        Some(text) => format!(" match {}", asked.cx.intake.text(text).shown(120)),
        None => String::new(),
    };
    format!("{}{of}{what}", total.records())
}

fn values(asked: &Asked<'_>, draft: &mut Draft, name: &str, top: &Top, total: Total, cite: Cite) -> String {
    let shown = asked.cx.intake.field("name", name).shown(80);
    let mut table = Table::new("values", &["value", "records", "share %"], cite);
    let all = total.number().max(1) as f64;
    for group in &top.values {
        let share = 100.0 * group.count as f64 / all;
        table.row(vec![Cell::text(group.value.shown(120)), Cell::Count(group.count), Cell::Number(share)]);
    }
    count_values(&mut table, top);
    table.see_more(see_more(asked.limit, MOST_LINES, asked.full, "a narrower query"));
    draft.table(table);
    if top.others > 0 {
        draft.caveat(format!(
            "{} with other values of {shown}",
            contract::counted(top.others, "record", "records")
        ));
    }
    if top.missing > 0 {
        draft.caveat(format!("{} without {shown}", contract::counted(top.missing, "record", "records")));
    }
    if top.estimated {
        draft.caveat(format!("how many different values of {shown} there are is an estimate of the backend"));
    }
    let distinct = match top.distinct {
        Some(1) => "1 value".to_owned(),
        Some(number) if top.estimated => format!("about {number} different values"),
        Some(number) => format!("{number} different values"),
        None => format!("more than {} different values", top.values.len()),
    };
    let first = top.values.first().map_or(String::new(), |first| {
        format!(
            ", most often {} ({})",
            first.value.shown(80),
            contract::counted(first.count, "record", "records")
        )
    });
    format!("{}; {distinct} of {shown}{first}.", found(asked, total))
}

/// The first trace that is named, for the server that knows traces.
fn traces(asked: &Asked<'_>, draft: &mut Draft, records: &[Record]) {
    if asked.request.trace_id.is_some() {
        return;
    }
    let named = records.iter().filter_map(|record| record.trace.as_ref()).find_map(Untrusted::plain);
    if let Some(id) = named {
        draft.next(
            Next::call("get_trace_details", "where the time and the error of this request arose")
                .with("trace_id", id)
                .on("traces"),
        );
        draft.next(
            Next::call("search_logs", "what all services said in this request")
                .with("query", "*")
                .with("trace_id", id)
                .with("time_range", asked.search.window.to_string()),
        );
    }
}

/// Exceptions are better read together.
fn stacks(asked: &Asked<'_>, draft: &mut Draft, records: &[Record]) {
    let has_stack = |record: &Record| {
        record.message.inside().contains("\n\tat ") || record.message.inside().contains("Traceback")
    };
    if records.iter().any(has_stack) {
        let call = Next::call("extract_stack_traces", "their root causes, counted")
            .with("error_query", asked.request.query.as_str());
        draft.next(scoped(asked, call));
    }
}

/// The same call, with its arguments.
fn again(asked: &Asked<'_>, why: &str) -> Next {
    let mut call = Next::call("search_logs", why).with("query", asked.request.query.as_str());
    if let Some(limit) = asked.request.limit {
        call = call.with("limit", limit);
    }
    for (name, value) in [("level", &asked.request.level), ("trace_id", &asked.request.trace_id)] {
        if let Some(value) = value {
            call = call.with(name, value.as_str());
        }
    }
    scoped(asked, call)
}

fn scoped(asked: &Asked<'_>, mut call: Next) -> Next {
    if let Some(service) = &asked.request.service {
        call = call.with("service", service.as_str());
    }
    call.with("time_range", asked.search.window.to_string())
}

fn further(asked: &Asked<'_>, draft: &mut Draft, found: &Found) {
    if let Found::Lines { reply, .. } = found
        && let Some(role) = spread_by(asked, &reply.value.records)
    {
        draft.next(again(asked, "how they are spread").with("group_by", role.name()));
    }
    let call = Next::call("get_error_patterns", "what is new or surging among them");
    draft.next(scoped(asked, call));
}

/// Services; of one service the places that its records name.
fn spread_by(asked: &Asked<'_>, records: &[Record]) -> Option<Role> {
    if asked.service.is_none() {
        return Some(Role::Service);
    }
    let placed = records.iter().find(|record| record.place.is_some())?;
    Some(if placed.place == placed.host { Role::Host } else { Role::Pod })
}
