//! A trace while it is being read: exceptions in the order of the text, within the limits of the model.

use crate::model::{Exception, Frame, Language, Relation, Trace};

/// What a reader found, before anything is judged.
pub(crate) struct Found {
    pub language: Language,
    /// Where it begins in the text.
    pub start: usize,
    /// The first line after it.
    pub next_line: usize,
    /// The outermost first, never empty.
    pub chain: Vec<Exception>,
    pub others: Vec<Exception>,
    pub exceptions_elided: usize,
    pub circular: bool,
}

/// Where an exception stands in [`Parts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    Chain(usize),
    Other(usize),
}

/// Exceptions being collected.
#[derive(Default)]
pub(crate) struct Parts {
    pub chain: Vec<Exception>,
    pub others: Vec<Exception>,
    pub elided: usize,
    pub circular: bool,
    current: Option<Slot>,
}

impl Exception {
    pub(crate) fn new(type_name: Option<&str>, message: &str, relation: Relation) -> Self {
        let type_name = type_name.filter(|name| !name.is_empty()).map(str::to_owned);
        Self { type_name, message: message.to_owned(), relation, frames: Vec::new(), elided: 0 }
    }

    /// Adds a frame outside those there are.
    pub(crate) fn push(&mut self, frame: Frame) {
        if self.frames.len() < Self::FRAMES {
            self.frames.push(frame);
        } else {
            self.elided += 1;
        }
    }

    pub(crate) fn add_line(&mut self, line: &str) {
        if !self.message.is_empty() {
            self.message.push('\n');
        }
        self.message.push_str(line);
    }
}

impl Parts {
    /// Begins an exception, which the following frames belong to. Beyond the limit it takes the place of the last one, so that
    /// the first and the last of a chain are always there.
    pub(crate) fn open(&mut self, exception: Exception, beside: bool) -> Slot {
        let list = if beside { &mut self.others } else { &mut self.chain };
        if list.len() >= Trace::EXCEPTIONS {
            list.pop();
            self.elided += 1;
        }
        list.push(exception);
        let slot = if beside { Slot::Other(list.len() - 1) } else { Slot::Chain(list.len() - 1) };
        self.current = Some(slot);
        slot
    }

    /// The frames that follow belong to this one (`None`: to none).
    pub(crate) fn back_to(&mut self, slot: Option<Slot>) {
        self.current = slot;
    }

    /// The exception that frames belong to now.
    pub(crate) fn current(&mut self) -> Option<&mut Exception> {
        match self.current? {
            Slot::Chain(at) => self.chain.get_mut(at),
            Slot::Other(at) => self.others.get_mut(at),
        }
    }

    pub(crate) fn push(&mut self, frame: Frame) {
        if let Some(exception) = self.current() {
            exception.push(frame);
        }
    }

    pub(crate) fn elide(&mut self, frames: usize) {
        if let Some(exception) = self.current() {
            exception.elided = exception.elided.saturating_add(frames);
        }
    }

    pub(crate) fn add_line(&mut self, line: &str) {
        if let Some(exception) = self.current() {
            exception.add_line(line);
        }
    }

    /// The text told the root cause first.
    pub(crate) fn reverse(&mut self) {
        self.chain.reverse();
        // Each said how it relates to the one printed before it, which is now the one after it.
        let mut relation = Relation::Reported;
        for exception in &mut self.chain {
            std::mem::swap(&mut exception.relation, &mut relation);
        }
    }

    pub(crate) fn found(self, language: Language, start: usize, next_line: usize) -> Option<Found> {
        let (others, exceptions_elided, circular) = (self.others, self.elided, self.circular);
        let chain = self.chain;
        (!chain.is_empty()).then_some(Found {
            language,
            start,
            next_line,
            chain,
            others,
            exceptions_elided,
            circular,
        })
    }
}
