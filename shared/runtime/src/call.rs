//! A call as it comes in, and what goes back.

use audit::Transport;
use contract::{ErrorKind, render::Rendered};
use identity::Principal;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::{confirm::Question, exchange::Exchange, fixtures::RpcError};

/// One call as it arrives, before anything about it was checked.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) tool: String,
    pub(crate) arguments: Map<String, Value>,
    pub(crate) principal: Principal,
    pub(crate) client: Option<String>,
    pub(crate) transport: Transport,
    pub(crate) traceparent: Option<String>,
    pub(crate) cancelled: CancellationToken,
    pub(crate) exchange: Exchange,
}

/// What goes back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) rendered: Rendered,
    /// `None` for an answer.
    pub(crate) error: Option<ErrorKind>,
    pub(crate) form: Form,
}

/// What kind of result it is.
#[derive(Debug)]
pub(crate) enum Form {
    /// What `rendered` says.
    Rendered,
    /// A question that the client is to put to a person.
    Question(Question),
    /// What a fixture wrote.
    Written(Result<Value, RpcError>),
}
