//! Which evidence is listed: first what tables and findings rest on, in their order, then the rest.

use std::collections::BTreeMap;

use super::{fit::sentence, structured, text};
use crate::{Answer, Cite, Evidence, budget::Purse};

/// A longer query is cut.
const QUERY: usize = 1_500;
/// Where there is no room for the whole query, so much of it tells which one it is.
const SHORT: usize = 160;

/// The evidence that is listed, as it is written, and how much is not.
pub(super) struct Listed<'a> {
    all: &'a [Evidence],
    pub(super) shown: BTreeMap<Cite, Evidence>,
}

impl<'a> Listed<'a> {
    /// What fits into `share`; what a table rests on is listed in any case, in short where it does not fit.
    pub(super) fn new(answer: &'a Answer, purse: &mut Purse, mut share: Purse) -> Listed<'a> {
        let mut listed = Listed { all: answer.evidence(), shown: BTreeMap::new() };
        let tables = || answer.tables().iter().filter(|table| table.seen > 0).map(|table| table.cite);
        let findings = answer.findings().iter().flat_map(|finding| finding.cites.iter().copied());
        for cite in tables().chain(findings).chain((0..listed.all.len()).map(Cite)) {
            listed.add_whole(cite, purse, &mut share);
        }
        for cite in tables().filter(|cite| !listed.has(*cite)).collect::<Vec<_>>() {
            if let Some(short) = listed.short(cite) {
                purse.draw(evidence_cost(cite, &short).min(purse.left));
                listed.shown.insert(cite, short);
            }
        }
        listed
    }

    pub(super) fn has(&self, cite: Cite) -> bool {
        self.shown.contains_key(&cite)
    }

    pub(super) fn omitted(&self) -> usize {
        self.all.len().saturating_sub(self.shown.len())
    }

    /// The evidence with the beginning of its query.
    pub(super) fn short(&self, cite: Cite) -> Option<Evidence> {
        let whole = self.all.get(cite.0)?;
        Some(Evidence { query: sentence(&whole.query, SHORT), link: None, also: Vec::new(), ..whole.clone() })
    }

    fn add_whole(&mut self, cite: Cite, purse: &mut Purse, share: &mut Purse) {
        let Some(evidence) = self.all.get(cite.0).filter(|_| !self.has(cite)) else { return };
        let mut written = evidence.clone();
        // whole, it is sent again as it is; what was cut is a sentence
        if written.query.len() > QUERY {
            written.query = sentence(&written.query, QUERY);
        }
        let cost = evidence_cost(cite, &written);
        if share.left >= cost && purse.draw(cost) {
            share.draw(cost);
            self.shown.insert(cite, written);
        }
    }
}

/// What evidence costs in the dearer form.
pub(super) fn evidence_cost(cite: Cite, evidence: &Evidence) -> usize {
    let text = text::evidence_header(evidence).len() + evidence.query.len() + 12;
    let value = serde_json::to_string(&structured::evidence(cite, evidence)).map_or(0, |json| json.len());
    text.max(value) + 2
}
