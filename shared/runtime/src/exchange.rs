//! What a call brings along from its client besides its arguments, and what the client can be asked.

use std::time::Duration;

use rmcp::{
    RoleServer,
    model::{ClientCapabilities, ProtocolVersion, ServerNotification, ServerRequest},
    service::{Peer, RequestContext},
};
use serde_json::{Map, Value, json};

/// A person's answer, as a client passes it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    Yes,
    No,
}

/// The client's side of one request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Exchange {
    /// 2026-07-28 or newer: the client is asked by a result, not by a request.
    pub(crate) modern: bool,
    pub(crate) capabilities: ClientCapabilities,
    /// Whether the client can put a form to a person, now and for this request.
    pub(crate) elicits: bool,
    /// `inputResponses`, as they came.
    pub(crate) responses: Map<String, Value>,
    /// `requestState`, as it came: anything a client likes to send.
    pub(crate) state: Option<String>,
    /// `_meta`, as it came.
    pub(crate) meta: Value,
    /// The way back to the client; there is none on the command line.
    pub(crate) peer: Option<Peer<RoleServer>>,
}

impl Exchange {
    pub(crate) fn new(cx: &RequestContext<RoleServer>) -> Exchange {
        let modern = is_modern(cx);
        // What an old-era client can do was agreed in its session. Without a session there is no way back for an
        // answer, whatever a request says about itself.
        let agreed = || cx.peer.peer_info().map(|info| info.capabilities.clone());
        let capabilities = if modern { cx.client_capabilities() } else { agreed() }.unwrap_or_default();
        let form = |declared: &rmcp::model::ElicitationCapability| {
            // An empty declaration is how clients said "forms" before there was anything else.
            declared.form.is_some() || declared.url.is_none()
        };
        Exchange {
            modern,
            elicits: capabilities.elicitation.as_ref().is_some_and(form),
            capabilities,
            responses: Map::new(),
            state: None,
            meta: serde_json::to_value(&cx.meta).unwrap_or_default(),
            peer: Some(cx.peer.clone()),
        }
    }

    /// Adds what an earlier `input_required` result asked for.
    pub(crate) fn answering(
        mut self,
        responses: Option<impl IntoIterator<Item = (String, Value)>>,
        state: Option<String>,
    ) -> Exchange {
        self.responses = responses.into_iter().flatten().collect();
        self.state = state;
        self
    }

    /// What a person said to the question of this name; `None` when nothing, or nothing that can be understood, came
    /// back. Only a form that was accepted with `true` in it is a yes.
    pub(crate) fn said(&self, question: &str) -> Option<Said> {
        let response = self.responses.get(question)?;
        match response.get("action")?.as_str()? {
            "accept" => {
                let confirmed = response.get("content")?.get(question)?.as_bool()?;
                Some(if confirmed { Said::Yes } else { Said::No })
            }
            "decline" | "cancel" => Some(Said::No),
            _ => None,
        }
    }

    /// Sends the client a request of our own and waits for its result. Only clients of the handshake era take any.
    pub(crate) async fn ask(&self, method: &str, params: Value, patience: Duration) -> Result<Value, String> {
        let Some(peer) = &self.peer else { return Err("there is no client to ask".to_owned()) };
        let request: ServerRequest = serde_json::from_value(json!({"method": method, "params": params}))
            .map_err(|error| format!("{method}: {error}"))?;
        let answered = tokio::time::timeout(patience, peer.send_request(request)).await;
        let result =
            answered.map_err(|_| "no answer in time".to_owned())?.map_err(|error| error.to_string())?;
        serde_json::to_value(result).map_err(|error| error.to_string())
    }

    /// Sends the client a notification.
    pub(crate) async fn tell(&self, method: &str, params: Value) -> Result<(), String> {
        let Some(peer) = &self.peer else { return Ok(()) };
        let notification: ServerNotification =
            serde_json::from_value(json!({"method": method, "params": params}))
                .map_err(|error| format!("{method}: {error}"))?;
        peer.send_notification(notification).await.map_err(|error| error.to_string())
    }
}

pub(crate) fn is_modern(cx: &RequestContext<RoleServer>) -> bool {
    cx.protocol_version().is_some_and(|version| version.as_str() >= ProtocolVersion::V_2026_07_28.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saying(response: Value) -> Option<Said> {
        let responses = Some([("confirm".to_owned(), response)]);
        Exchange::default().answering(responses, None).said("confirm")
    }

    #[test]
    fn only_an_accepted_form_with_true_in_it_is_a_yes() {
        let content = |value: Value| json!({"action": "accept", "content": {"confirm": value}});
        assert_eq!(saying(content(json!(true))), Some(Said::Yes));
        assert_eq!(saying(content(json!(false))), Some(Said::No));
        assert_eq!(saying(json!({"action": "decline"})), Some(Said::No));
        assert_eq!(saying(json!({"action": "cancel", "content": {"confirm": true}})), Some(Said::No));
        for nothing in [
            content(json!("true")),
            content(json!(1)),
            json!({"action": "accept"}),
            json!({"action": "accept", "content": {"confirmed": true}}),
            json!({"action": "ACCEPT", "content": {"confirm": true}}),
            json!({"content": {"confirm": true}}),
            json!(true),
            json!(12345),
            json!(null),
        ] {
            assert_eq!(saying(nothing.clone()), None, "{nothing}");
        }
    }
}
