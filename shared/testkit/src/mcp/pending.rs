//! A request that has been sent.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::PATIENCE;
use super::inbox::Inbox;

/// A request on its way. Dropping it closes its connection over HTTP; over streams it only stops waiting.
pub struct Pending {
    pub(super) id: i64,
    pub(super) what: String,
    pub(super) arrival: Arrival,
    pub(super) inbox: Arc<Inbox>,
}

/// How the reply arrives.
pub(super) enum Arrival {
    /// Among the lines of a stream.
    Line(oneshot::Receiver<Value>),
    /// As the answer to a POST, which this task makes.
    Post(JoinHandle<Value>),
}

impl Pending {
    /// The id the request was sent with.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// The whole reply message, with `result` or `error`. Panics when none comes.
    pub async fn reply(mut self) -> Value {
        let arrived = timeout(PATIENCE, self.arrive()).await;
        let arrived = arrived.unwrap_or_else(|_| panic!("no reply to {} within {PATIENCE:?}", self.what));
        arrived.unwrap_or_else(|| {
            let reason = self.inbox.ended().unwrap_or_else(|| "the request was cancelled".to_owned());
            panic!("no reply to {} (id {}): {reason}", self.what, self.id)
        })
    }

    /// The whole reply message, if it comes within `limit`; waits no further otherwise.
    pub async fn reply_within(mut self, limit: Duration) -> Option<Value> {
        timeout(limit, self.arrive()).await.ok().flatten()
    }

    /// The reply, or `None` when it is certain that none will come.
    async fn arrive(&mut self) -> Option<Value> {
        match &mut self.arrival {
            Arrival::Line(reply) => reply.await.ok(),
            Arrival::Post(exchange) => match exchange.await {
                Ok(reply) => Some(reply),
                Err(failed) if failed.is_panic() => std::panic::resume_unwind(failed.into_panic()),
                Err(_) => None,
            },
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.inbox.forget(self.id);
        if let Arrival::Post(exchange) = &self.arrival {
            exchange.abort();
        }
    }
}
