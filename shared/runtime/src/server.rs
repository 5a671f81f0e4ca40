//! What a server is: its tools, prompts and sources. The same for all five.

use std::{future::Future, pin::Pin, sync::Arc};

use contract::{Context, Tool};
use upstream::Health;

use crate::{fixtures::Fixtures, registry::Runnable};

/// What a server says about itself.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// Name of the binary, such as `metrics-mcp`.
    pub name: &'static str,
    /// Name for people.
    pub title: &'static str,
    /// Version of the server (not of an SDK).
    pub version: &'static str,
    /// What a model should know before its first call, at most 2 KB, the most important sentence first.
    pub instructions: &'static str,
    /// The scope of reading, such as `metrics:read`.
    pub read_scope: &'static str,
    /// Port of the HTTP transport when none is given.
    pub port: u16,
    /// A tool call that works for a newcomer, for the help text.
    pub example_call: &'static str,
}

/// A procedure a person can start by name in their client.
#[derive(Debug, Clone, Copy)]
pub struct Prompt {
    /// Name, `snake_case`.
    pub name: &'static str,
    /// Name for people.
    pub title: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// Its arguments: name, description, whether it is required.
    pub arguments: &'static [(&'static str, &'static str, bool)],
    /// The text, with `{name}` where an argument goes.
    pub text: &'static str,
}

/// How one thing an operator set up is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckLine {
    /// What was tried, such as `prometheus "main": query`.
    pub subject: String,
    /// Whether it works.
    pub works: bool,
    /// What was found: a version, a count, an error.
    pub found: String,
    /// What to do when it does not work; empty when it does.
    pub remedy: String,
}

/// The lines of one check, in time.
pub type Checking<'a> = Pin<Box<dyn Future<Output = Vec<CheckLine>> + Send + 'a>>;

/// A source a server depends on: for readiness and for `check`.
pub trait Probe: Send + Sync + 'static {
    /// Such as `prometheus "main"`.
    fn name(&self) -> String;

    /// What the calls so far have shown. Asks nobody.
    fn health(&self) -> Health;

    /// Tries each thing the tools need: reachability, permissions, versions.
    fn check<'a>(&'a self, cx: &'a Context) -> Checking<'a>;
}

/// A server before it runs.
pub struct Server {
    pub(crate) about: About,
    pub(crate) tools: Vec<Box<dyn Runnable>>,
    pub(crate) prompts: Vec<Prompt>,
    pub(crate) probes: Vec<Arc<dyn Probe>>,
    pub(crate) note: String,
    pub(crate) fixtures: Option<Arc<dyn Fixtures>>,
}

impl Server {
    /// A server without tools.
    #[must_use]
    pub fn new(about: About) -> Server {
        Server {
            about,
            tools: Vec::new(),
            prompts: Vec::new(),
            probes: Vec::new(),
            note: String::new(),
            fixtures: None,
        }
    }

    /// Adds a tool.
    #[must_use]
    pub fn tool(mut self, tool: impl Tool) -> Server {
        self.tools.push(Box::new(tool));
        self
    }

    /// The names of its tools.
    pub(crate) fn tool_names(&self) -> Vec<&'static str> {
        self.tools.iter().map(|tool| tool.card().name).collect()
    }

    /// Adds a prompt.
    #[must_use]
    pub fn prompt(mut self, prompt: Prompt) -> Server {
        self.prompts.push(prompt);
        self
    }

    /// Something a model must know about this run of the server, told after the instructions.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Server {
        self.note = note.into();
        self
    }

    /// Adds a source.
    #[must_use]
    pub fn probe(mut self, probe: Arc<dyn Probe>) -> Server {
        self.probes.push(probe);
        self
    }

    /// Adds the conformance suite's fixtures; for `shared/conformance` alone.
    #[must_use]
    pub fn fixtures(mut self, fixtures: Arc<dyn Fixtures>) -> Server {
        self.fixtures = Some(fixtures);
        self
    }
}
