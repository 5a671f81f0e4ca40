//! The tools of a server, by name.

use std::{collections::BTreeMap, future::Future, pin::Pin, sync::Arc};

use contract::{Answer, Card, Context, Effect, Tool, ToolError, nearest, render, request, schema};
use rmcp::model::{JsonObject, MetaObject, Tool as Listed, ToolAnnotations};
use serde_json::Value;

use crate::{
    call::Call,
    confirm::{Binding, Confirmations, Question},
    fixtures::RpcError,
};

/// How a call can end when nothing failed.
pub(crate) enum Done {
    Answer(Answer),
    /// A person is to be asked first.
    Ask(Question),
    /// The conformance suite's fixtures write their results themselves.
    Written(Result<Value, RpcError>),
}

pub(crate) type Running<'a> = Pin<Box<dyn Future<Output = Result<Done, ToolError>> + Send + 'a>>;
pub(crate) type Previewing<'a> = Pin<Box<dyn Future<Output = Result<String, ToolError>> + Send + 'a>>;

/// A tool without its type: arguments in, answer out.
pub(crate) trait Runnable: Send + Sync {
    fn card(&self) -> Card;
    fn unlisted(&self) -> &'static [&'static str];
    fn schema(&self) -> JsonObject;

    /// Whether its results have the frame of every answer.
    fn has_output_schema(&self) -> bool {
        true
    }

    fn preview<'a>(
        &'a self,
        cx: &'a Context,
        schema: &'a JsonObject,
        arguments: JsonObject,
    ) -> Previewing<'a>;

    fn run<'a>(
        &'a self,
        cx: &'a Context,
        schema: &'a JsonObject,
        call: &'a Call,
        confirmations: &'a Confirmations,
        binding: &'a Binding,
    ) -> Running<'a>;
}

impl<T: Tool> Runnable for T {
    fn card(&self) -> Card {
        T::CARD
    }

    fn unlisted(&self) -> &'static [&'static str] {
        Tool::unlisted(self)
    }

    fn schema(&self) -> JsonObject {
        schema::input::<T::Request>()
    }

    fn preview<'a>(
        &'a self,
        cx: &'a Context,
        schema: &'a JsonObject,
        arguments: JsonObject,
    ) -> Previewing<'a> {
        Box::pin(async move { Tool::preview(self, cx, request::parse(schema, arguments)?).await })
    }

    fn run<'a>(
        &'a self,
        cx: &'a Context,
        schema: &'a JsonObject,
        call: &'a Call,
        _: &'a Confirmations,
        _: &'a Binding,
    ) -> Running<'a> {
        Box::pin(async move {
            let request = request::parse(schema, call.arguments.clone())?;
            self.answer(cx, request).await.map(Done::Answer)
        })
    }
}

/// Which tools there are, in the order of their names, with what clients are told about each.
pub(crate) struct Registry(BTreeMap<&'static str, Entry>);

pub(crate) struct Entry {
    pub(crate) card: Card,
    pub(crate) listed: Listed,
    /// What is accepted; what is listed may leave out arguments that make no sense here.
    schema: JsonObject,
    tool: Box<dyn Runnable>,
}

impl Entry {
    /// What a person is asked to agree to.
    pub(crate) fn preview<'a>(&'a self, cx: &'a Context, arguments: JsonObject) -> Previewing<'a> {
        self.tool.preview(cx, &self.schema, arguments)
    }

    /// Answers one call.
    pub(crate) fn run<'a>(
        &'a self,
        cx: &'a Context,
        call: &'a Call,
        confirmations: &'a Confirmations,
        binding: &'a Binding,
    ) -> Running<'a> {
        self.tool.run(cx, &self.schema, call, confirmations, binding)
    }
}

impl Registry {
    /// All of `tools` that the operator offers.
    pub(crate) fn new(tools: Vec<Box<dyn Runnable>>, offered: impl Fn(&Card) -> bool) -> Registry {
        let entries = tools.into_iter().filter(|tool| offered(&tool.card())).map(|tool| {
            let (card, schema) = (tool.card(), tool.schema());
            let mut listed = listed(card, schema.clone(), tool.unlisted());
            if tool.has_output_schema() {
                listed = listed.with_raw_output_schema(Arc::new(render::output_schema()));
            }
            (card.name, Entry { card, listed, schema, tool })
        });
        Registry(entries.collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Entry> {
        self.0.get(name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.0.values()
    }

    /// The names most like `name`.
    pub(crate) fn nearest(&self, name: &str) -> Vec<&str> {
        nearest(name, self.0.keys().copied(), 3)
    }
}

fn listed(card: Card, mut schema: JsonObject, unlisted: &[&str]) -> Listed {
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        unlisted.iter().for_each(|name| drop(properties.shift_remove(*name)));
    }
    let mut annotations = ToolAnnotations::new().read_only(card.effect == Effect::Read).open_world(true);
    // These two mean something only where a tool writes; in every listing they would cost every client bytes.
    if card.effect == Effect::Write {
        annotations = annotations.destructive(false).idempotent(false);
    }
    let mut meta = MetaObject::new();
    meta.insert("anthropic/searchHint".to_owned(), Value::from(card.search_hint));
    Listed::new(card.name, card.description, Arc::new(schema))
        .with_title(card.title)
        .with_annotations(annotations)
        .with_meta(meta)
}
