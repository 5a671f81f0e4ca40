//! What has come from the server and has not been fetched yet.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use serde_json::Value;
use tokio::sync::{Notify, oneshot};

/// Sorts incoming messages to who waits for them. Replies may come in any order.
#[derive(Default)]
pub(super) struct Inbox {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    awaited: BTreeMap<i64, oneshot::Sender<Value>>,
    /// Notifications and requests of the server's own.
    incoming: VecDeque<Value>,
    /// Replies nobody waits for.
    strays: Vec<Value>,
    /// Why nothing more will come.
    ended: Option<String>,
}

impl Inbox {
    /// Where the reply to request `id` will arrive. The sender is dropped when none can come any more.
    pub(super) fn await_reply(&self, id: i64) -> oneshot::Receiver<Value> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.state.lock().unwrap();
        if state.ended.is_none() {
            state.awaited.insert(id, sender);
        }
        receiver
    }

    /// Nobody waits for the reply to `id` any more; should it come, it is a stray.
    pub(super) fn forget(&self, id: i64) {
        self.state.lock().unwrap().awaited.remove(&id);
    }

    /// Sort one message in.
    pub(super) fn put(&self, message: Value) {
        let mut state = self.state.lock().unwrap();
        if message.get("method").is_some() {
            state.incoming.push_back(message);
        } else {
            let awaited = message["id"].as_i64().and_then(|id| state.awaited.remove(&id));
            match awaited {
                // The one who waited may have gone just now.
                Some(sender) => drop(sender.send(message)),
                None => state.strays.push(message),
            }
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// Nothing more will come, for this reason. The first reason stays.
    pub(super) fn end(&self, reason: String) {
        let mut state = self.state.lock().unwrap();
        state.ended.get_or_insert(reason);
        state.awaited.clear();
        drop(state);
        self.changed.notify_waiters();
    }

    /// Why nothing more will come, if that is so.
    pub(super) fn ended(&self) -> Option<String> {
        self.state.lock().unwrap().ended.clone()
    }

    /// The replies nobody waited for.
    pub(super) fn strays(&self) -> Vec<Value> {
        self.state.lock().unwrap().strays.clone()
    }

    /// The next message the server sent of its own accord; waits for one until the end.
    pub(super) async fn next_incoming(&self) -> Option<Value> {
        loop {
            // Registered before looking, so that nothing that comes in between is missed.
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let mut state = self.state.lock().unwrap();
                if let Some(message) = state.incoming.pop_front() {
                    return Some(message);
                }
                if state.ended.is_some() {
                    return None;
                }
            }
            changed.await;
        }
    }
}

/// A message, or what is wrong with the text.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    let message: Value = serde_json::from_str(text)
        .map_err(|error| format!("the server wrote something that is no JSON ({error}): {text:?}"))?;
    if message["jsonrpc"] == "2.0" {
        Ok(message)
    } else {
        Err(format!("the server wrote something that is no JSON-RPC 2.0 message: {text:?}"))
    }
}
