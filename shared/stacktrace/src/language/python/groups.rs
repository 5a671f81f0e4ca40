//! Nested exception groups as a flat list of segments, one for each member.

use crate::model::{Exception, Relation};
use crate::parts::Parts;

/// A traceback, or several that are chained: the exceptions in the order of the text, the root cause first.
struct Segment {
    column: usize,
    exceptions: Vec<Exception>,
    /// For each exception what it has to do with the one after it.
    relations: Vec<Relation>,
    /// The segment whose exception this one is a member of, and which exception that is.
    parent: Option<(usize, usize)>,
}

/// The segments of one trace, in the order of the text.
pub(super) struct Segments {
    all: Vec<Segment>,
    /// Those that are still open, the innermost last.
    open: Vec<usize>,
}

impl Segments {
    pub(super) fn new(column: usize) -> Self {
        let first = Segment { column, exceptions: Vec::new(), relations: Vec::new(), parent: None };
        Self { all: vec![first], open: vec![0] }
    }

    /// A member of the group above begins at this column.
    pub(super) fn member(&mut self, column: usize) {
        while self.open.len() > 1 && self.column() >= column {
            self.open.pop();
        }
        let parent = self.open.last().copied().unwrap_or(0);
        let group = self.all.get(parent).map_or(0, |segment| segment.exceptions.len().saturating_sub(1));
        let segment =
            Segment { column, exceptions: Vec::new(), relations: Vec::new(), parent: Some((parent, group)) };
        self.all.push(segment);
        self.open.push(self.all.len() - 1);
    }

    /// A line with its margin at this column: deeper members are over.
    pub(super) fn at_column(&mut self, column: usize) {
        while self.open.len() > 1 && column < self.column() {
            self.open.pop();
        }
    }

    fn column(&self) -> usize {
        self.open.last().and_then(|at| self.all.get(*at)).map_or(0, |segment| segment.column)
    }

    fn segment(&mut self) -> Option<&mut Segment> {
        self.all.get_mut(*self.open.last()?)
    }

    /// A traceback begins; the one before it in this segment relates to it like this.
    pub(super) fn begin(&mut self, relation: Option<Relation>) {
        let Some(segment) = self.segment() else { return };
        if !segment.exceptions.is_empty() {
            segment.relations.push(relation.unwrap_or(Relation::Context));
        }
        segment.exceptions.push(Exception::new(None, "", Relation::Reported));
    }

    pub(super) fn current(&mut self) -> Option<&mut Exception> {
        self.segment()?.exceptions.last_mut()
    }

    /// Puts the chain together: the segment's outermost exception down to its group, then the group's first member, and so
    /// on. The rest stands beside it.
    pub(super) fn flatten(self, parts: &mut Parts) {
        let mut groups = vec![None; self.all.len()];
        let mut first_member = vec![None; self.all.len()];
        for (at, segment) in self.all.iter().enumerate() {
            let Some((parent, group)) = segment.parent else { continue };
            if let (Some(known), Some(first)) = (groups.get_mut(parent), first_member.get_mut(parent)) {
                known.get_or_insert(group);
                first.get_or_insert(at);
            }
        }
        let mut on_chain = Some(0);
        for (at, segment) in self.all.into_iter().enumerate() {
            let is_on_chain = on_chain == Some(at);
            let group = groups.get(at).copied().flatten();
            if is_on_chain {
                on_chain = first_member.get(at).copied().flatten();
            }
            segment.write(parts, is_on_chain, group);
        }
    }
}

impl Segment {
    /// Writes the exceptions the outermost first; what caused a group that has members stands beside the chain.
    fn write(self, parts: &mut Parts, on_chain: bool, group: Option<usize>) {
        let mut relation = if self.parent.is_some() { Relation::Member } else { Relation::Reported };
        let last = self.exceptions.len().saturating_sub(1);
        for (at, mut exception) in self.exceptions.into_iter().enumerate().rev() {
            if at != last {
                relation = self.relations.get(at).copied().unwrap_or(Relation::Context);
            }
            exception.relation = relation;
            exception.frames.reverse();
            exception.elided += exception.frames.len().saturating_sub(Exception::FRAMES);
            exception.frames.truncate(Exception::FRAMES);
            let beside = !on_chain || group.is_some_and(|group| at < group);
            parts.open(exception, beside);
        }
    }
}
