//! A call as it comes in, and what goes back.

use audit::Transport;
use contract::{ErrorKind, render::Rendered};
use identity::Principal;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

/// One call as it arrives, before anything about it was checked.
pub(crate) struct Call {
    pub(crate) tool: String,
    pub(crate) arguments: Map<String, Value>,
    pub(crate) principal: Principal,
    pub(crate) client: Option<String>,
    pub(crate) transport: Transport,
    pub(crate) traceparent: Option<String>,
    pub(crate) cancelled: CancellationToken,
}

/// What goes back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) rendered: Rendered,
    /// `None` for an answer.
    pub(crate) error: Option<ErrorKind>,
}
