//! Counting lines by template.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::{Id, Pattern, Template, merge};

/// What was counted of one template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tallied {
    /// The template; its kinds fit all lines counted.
    pub template: Template,
    /// Lines.
    pub count: u64,
    /// Number of the first line, in the order of counting, from 0.
    pub first: u64,
    /// Number of the last line.
    pub last: u64,
}

/// Lines counted by their template.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    by_id: BTreeMap<Id, Tallied>,
    lines: u64,
}

impl Tally {
    /// Counts one record and tells its identity.
    pub fn add(&mut self, record: &str) -> Id {
        let template = Template::of(record);
        let (id, at) = (template.id(), self.lines);
        self.lines += 1;
        match self.by_id.entry(id) {
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.template.join_kinds(&template);
                known.count += 1;
                known.last = at;
            }
            Entry::Vacant(free) => {
                free.insert(Tallied { template, count: 1, first: at, last: at });
            }
        }
        id
    }

    /// Lines counted.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// The templates, ordered by identity.
    pub fn templates(&self) -> impl Iterator<Item = &Tallied> {
        self.by_id.values()
    }

    /// What was counted of one template.
    pub fn get(&self, id: Id) -> Option<&Tallied> {
        self.by_id.get(&id)
    }

    /// Stage 2 over all templates.
    pub fn patterns(&self) -> Vec<Pattern> {
        let counted: Vec<(Template, u64)> =
            self.by_id.values().map(|one| (one.template.clone(), one.count)).collect();
        merge(&counted)
    }
}
