//! What of an answer fits into its budget. Every part is costed in both renderings and pays the dearer price,
//! so that one decision holds for both.

use serde_json::Value;

use super::{
    listed::{Listed, evidence_cost},
    seal::sealed,
    structured, text,
};
use crate::{Answer, Budget, Cell, Cite, Finding, Next, Table, budget::Purse, untrusted::MARK};

const VERDICT: usize = 600;
const CAVEAT: usize = 400;
const STATEMENT: usize = 1_000;
/// Frame of an answer: keys, headers and the counts of what was left out.
const FRAME: usize = 260;
/// Every table keeps at least its first rows before any table gets more.
const FLOOR: usize = 3;

/// The parts that fit, each already written in both forms.
pub(super) struct Fitted<'a> {
    pub(super) verdict: String,
    pub(super) findings: Part,
    pub(super) tables: Vec<FittedTable<'a>>,
    pub(super) evidence: Listed<'a>,
    pub(super) caveats: Part,
    pub(super) next: Part,
}

/// A list cut to its first items.
#[derive(Default)]
pub(super) struct Part {
    pub(super) shown: Vec<Written>,
    pub(super) omitted: usize,
}

/// One item in both forms.
pub(super) struct Written {
    pub(super) text: String,
    pub(super) value: Value,
}

/// A table cut to its first rows.
pub(super) struct FittedTable<'a> {
    pub(super) table: &'a Table,
    pub(super) rows: Vec<Written>,
    waiting: std::slice::Iter<'a, Vec<Cell>>,
}

impl FittedTable<'_> {
    pub(super) fn omitted(&self) -> u64 {
        self.table.seen.saturating_sub(self.rows.len() as u64)
    }

    /// Adds the next row if the purse allows; a row that doesn't fit ends the table (rank order is kept).
    fn add_row(&mut self, purse: &mut Purse) -> bool {
        let Some(cells) = self.waiting.as_slice().first() else { return false };
        let row = Written { text: text::row(cells), value: structured::row(cells) };
        if !purse.draw(row.cost()) {
            return false;
        }
        self.waiting.next();
        self.rows.push(row);
        true
    }
}

impl Written {
    fn cost(&self) -> usize {
        let value = serde_json::to_string(&self.value).map_or(usize::MAX, |json| json.len());
        self.text.len().max(value).saturating_add(2)
    }
}

impl<'a> Fitted<'a> {
    pub(super) fn new(answer: &'a Answer, budget: Budget) -> Fitted<'a> {
        let mut purse = budget.share(100);
        let verdict = sentence(answer.verdict(), VERDICT);
        let heads: usize = answer.tables().iter().map(head_cost).sum();
        purse.draw((FRAME + heads + json_length(&verdict)).min(purse.left));

        let mut evidence = Listed::new(answer, &mut purse, budget.share(40));
        let next = fit_part(answer.next().iter().map(write_next), &mut purse, budget.share(15));
        let caveats =
            fit_part(answer.caveats().iter().map(|text| write_caveat(text)), &mut purse, budget.share(15));
        let findings = fit_findings(answer.findings(), &mut evidence, &mut purse, budget.share(50));
        let tables = fit_tables(answer.tables(), &mut purse);
        Fitted { verdict, findings, tables, evidence, caveats, next }
    }

    pub(super) fn rows_seen(&self) -> u64 {
        let findings = self.findings.shown.len() + self.findings.omitted;
        self.tables.iter().map(|table| table.table.seen).sum::<u64>() + findings as u64
    }

    pub(super) fn rows_shown(&self) -> u64 {
        let rows: usize = self.tables.iter().map(|table| table.rows.len()).sum();
        (rows + self.findings.shown.len()) as u64
    }
}

fn fit_tables<'a>(tables: &'a [Table], purse: &mut Purse) -> Vec<FittedTable<'a>> {
    let mut fitted: Vec<_> = tables
        .iter()
        .map(|table| FittedTable { table, rows: Vec::new(), waiting: table.rows.iter() })
        .collect();
    for table in &mut fitted {
        while table.rows.len() < FLOOR && table.add_row(purse) {}
    }
    for table in &mut fitted {
        while table.add_row(purse) {}
    }
    fitted
}

fn fit_part(items: impl Iterator<Item = Written>, purse: &mut Purse, mut share: Purse) -> Part {
    let mut part = Part::default();
    for item in items {
        let cost = item.cost();
        // Once something is left out, all after it is too: the order says what matters.
        if part.omitted == 0 && share.left >= cost && purse.draw(cost) {
            share.draw(cost);
            part.shown.push(item);
        } else {
            part.omitted += 1;
        }
    }
    part
}

/// As [`fit_part`], and nothing is shown without the evidence it rests on: citations of what is not listed are counted,
/// and where none is listed, the first comes in short.
fn fit_findings(
    findings: &[Finding],
    evidence: &mut Listed<'_>,
    purse: &mut Purse,
    mut share: Purse,
) -> Part {
    let mut part = Part::default();
    for finding in findings {
        let short = finding.cites.first().filter(|_| !finding.cites.iter().any(|cite| evidence.has(*cite)));
        let short = short.and_then(|first| Some((*first, evidence.short(*first)?)));
        let is_listed =
            |cite: &Cite| evidence.has(*cite) || short.as_ref().is_some_and(|(first, _)| first == cite);
        let item = write_finding(finding, is_listed);
        let cost = item.cost() + short.as_ref().map_or(0, |(first, short)| evidence_cost(*first, short));
        if part.omitted == 0 && share.left >= item.cost() && purse.draw(cost) {
            share.draw(item.cost());
            evidence.shown.extend(short);
            part.shown.push(item);
        } else {
            part.omitted += 1;
        }
    }
    part
}

/// A statement that is too long is cut, not dropped: half a reason is better than none.
fn write_finding(finding: &Finding, is_listed: impl Fn(&Cite) -> bool) -> Written {
    let statement = sentence(&finding.statement, STATEMENT);
    let (cites, others): (Vec<Cite>, Vec<Cite>) = finding.cites.iter().copied().partition(is_listed);
    Written {
        text: text::finding(&statement, &cites, others.len()),
        value: structured::finding(&statement, &cites, others.len()),
    }
}

/// The suggested calls of an error that fit beside its words.
pub(super) fn fit_error_calls(calls: &[Next], budget: Budget) -> Vec<&Next> {
    let mut purse = budget.share(50);
    calls.iter().take_while(|call| purse.draw(write_next(call).cost())).collect()
}

fn write_next(next: &Next) -> Written {
    Written { text: text::next(next), value: structured::next(next) }
}

fn write_caveat(caveat: &str) -> Written {
    let caveat = sentence(caveat, CAVEAT);
    Written { text: caveat.clone(), value: Value::String(caveat) }
}

/// Title, column names, counts and the advice of one table, in the dearer form.
fn head_cost(table: &Table) -> usize {
    let columns: usize = table.columns.iter().map(|name| name.len() + 4).sum();
    2 * json_length(&table.title) + columns + json_length(&table.see_more) + 160
}

fn json_length(text: &str) -> usize {
    serde_json::to_string(text).map_or(text.len(), |json| json.len())
}

/// A sentence of at most about `most` bytes: cut, then with its fences whole again.
pub(super) fn sentence(text: &str, most: usize) -> String {
    let mut whole = sealed(&cut(text, most)).into_owned();
    if whole.ends_with('»') && tears_a_marked_fence(text, most) {
        whole.push_str(MARK);
    }
    whole
}

/// Whether a cut after `most` bytes is within a fence that has a mark behind it.
fn tears_a_marked_fence(text: &str, most: usize) -> bool {
    let (head, tail) = text.split_at(text.floor_char_boundary(most));
    let is_open = head.rfind('«') > head.rfind('»');
    is_open && tail.split_once('»').is_some_and(|(_, after)| after.starts_with(MARK))
}

/// At most `most` bytes of `text`, cut between characters, the rest counted.
fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let mut end = most;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let (head, tail) = text.split_at(end);
    format!("{head}…(+{} characters)", tail.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_cut_within_a_marked_fence_keeps_the_mark() {
        let text = format!("first «plain words» then «abcdef»{MARK} end");
        let at = |needle: &str| text.find(needle).unwrap();
        // the mark has 49 characters; behind the cuts: 3 + 1 + 49 + 4, 8 + 1 + 6 + 1 + 6 + 1 + 49 + 4, 44 + 4
        assert_eq!(
            sentence(&text, at("def")),
            format!("first «plain words» then «abc…(+57 characters)»{MARK}")
        );
        assert_eq!(sentence(&text, at("in words")), "first «pla…(+76 characters)»");
        assert_eq!(
            sentence(&text, at(" [susp") + 5),
            format!("first «plain words» then «abcdef»{MARK}…(+48 characters)")
        );
        assert_eq!(sentence(&text, text.len()), text);
    }
}
