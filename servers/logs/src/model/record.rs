//! Records: as stored, and as read with the roles of their fields.

use std::ops::Range;

use contract::Untrusted;
use jiff::Timestamp;

use super::Level;

/// A record as a backend stores it, flattened: dotted names, values as text. What a backend says is masked on the way in,
/// each value by the name of its field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Document {
    /// Index, data stream, table or file.
    pub(crate) index: String,
    /// What names it there; empty where nothing does.
    pub(crate) id: String,
    /// Field and value, in the order of the document. A field with several values is there several times.
    pub(crate) fields: Vec<(Untrusted, Untrusted)>,
}

/// A record as analyses read it. What is absent is `None`, never an empty text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    /// When it happened, if a field says so.
    pub(crate) at: Option<Timestamp>,
    /// When it was stored.
    pub(crate) ingested: Option<Timestamp>,
    /// How bad it is: of its field, else of the message's own words.
    pub(crate) level: Option<Level>,
    /// Who said it.
    pub(crate) service: Option<Untrusted>,
    /// Version of the service.
    pub(crate) version: Option<Untrusted>,
    /// Pod, else container, else machine: where it was said.
    pub(crate) place: Option<Untrusted>,
    /// Machine.
    pub(crate) host: Option<Untrusted>,
    /// Trace id.
    pub(crate) trace: Option<Untrusted>,
    /// What was said, first line and all that follows.
    pub(crate) message: Untrusted,
    /// Where in the message stands what was said, without time, level, logger and the like, as text logs have them around
    /// it; `None`: all of it.
    pub(crate) said: Option<Range<usize>>,
    /// How many records of its search it stands for; 1 but in a sample.
    pub(crate) weight: f64,
    /// As stored: for fields of other roles, stack traces, correlation ids.
    pub(crate) document: Document,
}

impl Record {
    /// The message without what programs write around it. Never for output.
    pub(crate) fn said(&self) -> &str {
        let message = self.message.inside();
        self.said.clone().and_then(|said| message.get(said)).unwrap_or(message)
    }
}
