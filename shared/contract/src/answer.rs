//! An answer: verdict, findings or tables in rank order, the evidence each rests on, what was left out, what next.
//!
//! A finding or a table can't be built without a [`Cite`], and a `Cite` comes only from [`Draft::cite`]: nothing
//! is claimed without its source.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::{TimeRange, Untrusted};

/// What was asked of a backend, exactly.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    pub(crate) source: String,
    pub(crate) query: String,
    pub(crate) window: Option<TimeRange>,
    pub(crate) also: Vec<TimeRange>,
    pub(crate) at: Option<Timestamp>,
    pub(crate) step: Option<Duration>,
    pub(crate) link: Option<String>,
}

impl Evidence {
    /// `query` as sent to `source`, for example `prometheus "main"`.
    #[must_use]
    pub fn new(source: impl Into<String>, query: impl Into<String>) -> Evidence {
        Evidence {
            source: source.into(),
            query: query.into(),
            window: None,
            also: Vec::new(),
            at: None,
            step: None,
            link: None,
        }
    }

    /// Over this window.
    #[must_use]
    pub fn over(mut self, window: TimeRange) -> Evidence {
        self.window = Some(window);
        self
    }

    /// Word for word the same over these windows too, with the same step.
    #[must_use]
    pub fn also_over(mut self, windows: impl IntoIterator<Item = TimeRange>) -> Evidence {
        self.also.extend(windows);
        self
    }

    /// At this moment.
    #[must_use]
    pub fn at(mut self, at: Timestamp) -> Evidence {
        self.at = Some(at);
        self
    }

    /// With this step.
    #[must_use]
    pub fn every(mut self, step: Duration) -> Evidence {
        self.step = Some(step);
        self
    }

    /// Where a person sees the same in the vendor's own pages.
    #[must_use]
    pub fn link(mut self, link: Option<String>) -> Evidence {
        self.link = link;
        self
    }
}

/// A reference to evidence of the same answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cite(pub(crate) usize);

/// As the renderings write it: `e1` is the first.
impl std::fmt::Display for Cite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "e{}", self.0 + 1)
    }
}

/// One statement, with what it rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    pub(crate) statement: String,
    pub(crate) cites: Vec<Cite>,
}

impl Finding {
    /// A statement that rests on `cite`.
    #[must_use]
    pub fn new(statement: impl Into<String>, cite: Cite) -> Finding {
        Finding { statement: statement.into(), cites: vec![cite] }
    }

    /// It also rests on `cite`.
    #[must_use]
    pub fn and(mut self, cite: Cite) -> Finding {
        self.cites.push(cite);
        self
    }
}

/// One value of a table. Text must be ours, or have come out of [`Untrusted::shown`].
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// There is none: `null`, and `-` in text. Never a zero.
    Missing,
    /// Our own words.
    Text(String),
    /// Somebody else's words, shown to at most so many characters.
    Quoted(Untrusted, usize),
    /// A measured number, to four significant digits; its unit is in the column's name.
    Number(f64),
    /// An exact count.
    Count(u64),
    /// A moment.
    Time(Timestamp),
}

impl Cell {
    /// A number, or missing.
    #[must_use]
    pub fn number(value: Option<f64>) -> Cell {
        value.map_or(Cell::Missing, Cell::Number)
    }

    /// A moment, or missing.
    #[must_use]
    pub fn time(value: Option<Timestamp>) -> Cell {
        value.map_or(Cell::Missing, Cell::Time)
    }

    /// Our own words; the empty text is missing.
    #[must_use]
    pub fn text(value: impl Into<String>) -> Cell {
        let text = value.into();
        if text.is_empty() { Cell::Missing } else { Cell::Text(text) }
    }
}

/// Rows in rank order: the first matter most, and are the last to be left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    pub(crate) title: String,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Cell>>,
    pub(crate) cite: Cite,
    pub(crate) seen: u64,
    pub(crate) more: bool,
    pub(crate) see_more: String,
}

impl Table {
    /// An empty table of `title` (a plural noun such as `series`: the coverage counts by it).
    #[must_use]
    pub fn new(title: &str, columns: &[&str], cite: Cite) -> Table {
        Table {
            title: title.to_owned(),
            columns: columns.iter().map(|&name| name.to_owned()).collect(),
            rows: Vec::new(),
            cite,
            seen: 0,
            more: false,
            see_more: String::new(),
        }
    }

    /// Adds the next row; missing cells are filled up, so that every row is as wide as the columns.
    pub fn row(&mut self, mut cells: Vec<Cell>) {
        cells.resize(self.columns.len(), Cell::Missing);
        self.rows.push(cells);
        self.seen = self.seen.max(self.rows.len() as u64);
    }

    /// How many there were, when more were seen than there are rows.
    pub fn seen(&mut self, seen: u64) {
        self.seen = self.seen.max(seen);
    }

    /// There are more than were seen, and how many is not known.
    pub fn more(&mut self) {
        self.more = true;
    }

    /// How to see what had to be left out.
    pub fn see_more(&mut self, how: impl Into<String>) {
        self.see_more = how.into();
    }
}

/// A call worth making next, with its arguments filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Next {
    pub(crate) tool: String,
    pub(crate) server: Option<String>,
    pub(crate) arguments: Map<String, Value>,
    pub(crate) why: String,
}

impl Next {
    /// A call of `tool`, and why.
    #[must_use]
    pub fn call(tool: &str, why: impl Into<String>) -> Next {
        Next { tool: tool.to_owned(), server: None, arguments: Map::new(), why: why.into() }
    }

    /// The tool is of another server, such as `traces`.
    #[must_use]
    pub fn on(mut self, server: &str) -> Next {
        self.server = Some(server.to_owned());
        self
    }

    /// Fills in an argument.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Next {
        self.arguments.insert(name.to_owned(), value.into());
        self
    }
}

/// An answer being written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Draft {
    findings: Vec<Finding>,
    tables: Vec<Table>,
    evidence: Vec<Evidence>,
    caveats: Vec<String>,
    next: Vec<Next>,
}

impl Draft {
    /// A blank page.
    #[must_use]
    pub fn new() -> Draft {
        Draft::default()
    }

    /// Adds evidence and gives the reference to it; the same evidence twice is one.
    pub fn cite(&mut self, evidence: Evidence) -> Cite {
        if let Some(known) = self.evidence.iter().position(|other| *other == evidence) {
            return Cite(known);
        }
        self.evidence.push(evidence);
        Cite(self.evidence.len() - 1)
    }

    /// Adds a finding; the most telling first.
    pub fn finding(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Adds a table.
    pub fn table(&mut self, table: Table) {
        self.tables.push(table);
    }

    /// Adds something the reader must know to judge the answer: a partial reply, a clip, a lag. Once each.
    pub fn caveat(&mut self, caveat: impl Into<String>) {
        let caveat = caveat.into();
        if !self.caveats.contains(&caveat) {
            self.caveats.push(caveat);
        }
    }

    /// Adds a call worth making next.
    pub fn next(&mut self, next: Next) {
        self.next.push(next);
    }

    /// Finishes with the verdict: one sentence with numbers in it.
    #[must_use]
    pub fn conclude(self, verdict: impl Into<String>) -> Answer {
        Answer { verdict: verdict.into(), draft: self }
    }
}

/// A finished answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    verdict: String,
    draft: Draft,
}

impl Answer {
    /// Fills in an argument in each suggested call of this server: one that the call itself was given, and the next ones need.
    #[must_use]
    pub fn with_argument(mut self, name: &str, value: &str) -> Answer {
        for next in self.draft.next.iter_mut().filter(|next| next.server.is_none()) {
            next.arguments.entry(name).or_insert_with(|| value.into());
        }
        self
    }

    /// Adds a caveat, as [`Draft::caveat`].
    #[must_use]
    pub fn with_caveat(mut self, caveat: impl Into<String>) -> Answer {
        self.draft.caveat(caveat);
        self
    }

    pub(crate) fn verdict(&self) -> &str {
        &self.verdict
    }

    pub(crate) fn findings(&self) -> &[Finding] {
        &self.draft.findings
    }

    pub(crate) fn tables(&self) -> &[Table] {
        &self.draft.tables
    }

    pub(crate) fn evidence(&self) -> &[Evidence] {
        &self.draft.evidence
    }

    pub(crate) fn caveats(&self) -> &[String] {
        &self.draft.caveats
    }

    pub(crate) fn next(&self) -> &[Next] {
        &self.draft.next
    }
}
