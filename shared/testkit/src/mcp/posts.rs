//! MCP messages over HTTP: one POST each, answered by JSON or by an event stream.

use std::sync::Arc;

use serde_json::Value;

use super::http::{HttpClient, HttpRequest, HttpStream};
use super::inbox::{Inbox, parse};

/// Send a request and return its reply, whatever the status. What else comes on an event stream goes to the
/// inbox.
pub(super) async fn exchange(
    http: HttpClient,
    message: Value,
    headers: Vec<(String, String)>,
    inbox: Arc<Inbox>,
) -> Value {
    let mut stream = http.open(post(&message, headers)).await;
    let content_type = stream.header("content-type").unwrap_or_default().to_owned();
    if content_type.starts_with("text/event-stream") {
        return reply_among_events(&mut stream, &message["id"], &inbox).await;
    }

    let body = String::from_utf8_lossy(&stream.rest().await).into_owned();
    let reply =
        parse(&body).unwrap_or_else(|problem| panic!("HTTP {}, {content_type}: {problem}", stream.status));
    // An error that was found before the id was read has none.
    let answered = &reply["id"];
    assert!(answered.is_null() || *answered == message["id"], "the reply is to another request: {reply}");
    reply
}

/// Send a message that gets no reply.
pub(super) async fn tell(http: &HttpClient, message: &Value, headers: Vec<(String, String)>) {
    let reply = http.send(post(message, headers)).await;
    assert_eq!(reply.status, 202, "a notification or response is accepted with 202: {}", reply.text());
}

fn post(message: &Value, headers: Vec<(String, String)>) -> HttpRequest {
    let request = HttpRequest::post(message);
    headers.iter().fold(request, |request, (name, value)| request.header(name, value))
}

async fn reply_among_events(stream: &mut HttpStream, id: &Value, inbox: &Inbox) -> Value {
    let mut unread = Vec::new();
    while let Some(piece) = stream.piece().await {
        unread.extend(piece);
        while let Some(data) = take_event(&mut unread) {
            let message = parse(&data).unwrap_or_else(|problem| panic!("{problem}"));
            if message.get("method").is_none() && message["id"] == *id {
                return message;
            }
            inbox.put(message);
        }
    }
    let unread = String::from_utf8_lossy(&unread);
    panic!("the event stream ended without the reply to request {id}; unread: {unread:?}");
}

/// Take the first complete event that has data off the front, and return its data.
fn take_event(unread: &mut Vec<u8>) -> Option<String> {
    loop {
        let end_with = |blank_line: &[u8]| {
            let at = unread.windows(blank_line.len()).position(|window| window == blank_line)?;
            Some(at + blank_line.len())
        };
        // Servers may end lines in either way.
        let end = [end_with(b"\n\n"), end_with(b"\r\n\r\n")].into_iter().flatten().min()?;
        let event: Vec<u8> = unread.drain(..end).collect();
        let event = String::from_utf8(event).expect("an event stream in UTF-8");
        let data: Vec<&str> = event
            .lines()
            .filter_map(|line| line.strip_prefix("data:"))
            .map(|data| data.strip_prefix(' ').unwrap_or(data))
            .collect();
        let data = data.join("\n");
        if !data.is_empty() {
            return Some(data);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::take_event;

    /// The examples of the HTML standard, section 9.2.6: a comment, data on two lines, an event without data.
    #[test]
    fn events_are_taken_one_by_one_and_only_when_complete() {
        let mut unread =
            b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third".to_vec();
        assert_eq!(take_event(&mut unread).as_deref(), Some("first event"));
        assert_eq!(take_event(&mut unread).as_deref(), Some("second event"));
        assert_eq!(take_event(&mut unread), None);
        unread.extend(b" event\n\n");
        assert_eq!(take_event(&mut unread).as_deref(), Some(" third event"));
    }

    #[test]
    fn data_of_several_lines_is_joined() {
        let mut unread = b"data: YHOO\r\ndata: +2\r\ndata: 10\r\n\r\n".to_vec();
        assert_eq!(take_event(&mut unread).as_deref(), Some("YHOO\n+2\n10"));
    }
}
