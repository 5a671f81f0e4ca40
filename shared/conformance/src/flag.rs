//! `set_flag`: a tool that changes something, as small as one can be and still have everything a change needs: a preview
//! that reads how things are, a confirmation by a person (from the guard), and an answer that reads back.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use contract::{Answer, Card, Cell, Context, Cost, Draft, Effect, Evidence, Table, Tool, ToolError};
use schemars::JsonSchema;
use serde::Deserialize;

/// Arguments of `set_flag`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// Name of the flag.
    name: String,
    /// What it is set to.
    on: bool,
}

/// The system that is changed: flags in memory, and how often they were written.
#[derive(Debug, Default)]
pub struct Flags(Mutex<(BTreeMap<String, bool>, u64)>);

impl Flags {
    /// How a flag is set; off when it never was.
    pub fn is_on(&self, name: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.get(name).copied().unwrap_or_default()
    }

    /// How often any flag was written.
    pub fn writes(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1
    }

    /// Sets a flag.
    pub fn set(&self, name: &str, on: bool) {
        let mut flags = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        flags.0.insert(name.to_owned(), on);
        flags.1 += 1;
    }
}

/// The tool.
pub(crate) struct SetFlag(pub(crate) Arc<Flags>);

impl Tool for SetFlag {
    type Request = Request;

    const CARD: Card = Card {
        name: "set_flag",
        title: "Set a flag",
        description: "Sets a flag of this test server. A person is asked before anything is changed. \
                      Example: set_flag(name=\"beta\", on=true).",
        search_hint: "flag switch set",
        effect: Effect::Write,
        cost: Cost::Write,
        scope: "conformance:write",
    };

    async fn preview(&self, _: &Context, request: Request) -> Result<String, ToolError> {
        if request.name.is_empty() {
            return Err(ToolError::invalid("name", "is empty"));
        }
        let (name, now) = (&request.name, word(self.0.is_on(&request.name)));
        Ok(format!("The flag {name} is {now} and would be {}.", word(request.on)))
    }

    async fn answer(&self, cx: &Context, request: Request) -> Result<Answer, ToolError> {
        let before = self.0.is_on(&request.name);
        // Idempotent: what is so already is not written again.
        if before != request.on {
            self.0.set(&request.name, request.on);
        }
        let after = self.0.is_on(&request.name);
        let mut draft = Draft::new();
        let cite = draft.cite(Evidence::new("flags", "read back").at(cx.now));
        let mut table = Table::new("flag", &["name", "before", "after"], cite);
        let text = |text: &str| Cell::Text(text.to_owned());
        table.row(vec![text(&request.name), text(word(before)), text(word(after))]);
        draft.table(table);
        Ok(draft.conclude(format!("{} is {}.", request.name, word(after))))
    }
}

fn word(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}
