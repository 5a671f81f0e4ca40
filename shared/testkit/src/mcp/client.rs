//! The client, over any transport and in either era.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{
    AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf,
};
use tokio::task::AbortHandle;

use super::child::Child;
use super::http::HttpClient;
use super::inbox::{Inbox, parse};
use super::messages::{self, Era, ToolReply};
use super::pending::{Arrival, Pending};
use super::posts;

/// An MCP client. Its methods panic when the server breaks the protocol, does not answer, or answers with a
/// JSON-RPC error where a result is needed; [`Client::request`] hands errors over.
pub struct Client {
    era: Option<Era>,
    capabilities: Value,
    next_id: AtomicI64,
    inbox: Arc<Inbox>,
    wire: Wire,
    child: Option<Child>,
}

enum Wire {
    Lines { writer: tokio::sync::Mutex<Option<Box<dyn AsyncWrite + Send + Unpin>>>, reader: AbortHandle },
    Posts { http: HttpClient, exchanges: Mutex<BTreeMap<i64, AbortHandle>> },
}

impl Client {
    /// Speak over a pair of streams, one message per line, for example the halves of `tokio::io::duplex`.
    pub fn over(
        reader: impl AsyncRead + Send + Unpin + 'static,
        writer: impl AsyncWrite + Send + Unpin + 'static,
    ) -> Self {
        let inbox = Arc::new(Inbox::default());
        let reader = tokio::spawn(read_lines(reader, Arc::clone(&inbox))).abort_handle();
        let writer: Box<dyn AsyncWrite + Send + Unpin> = Box::new(writer);
        Self::new(Wire::Lines { writer: tokio::sync::Mutex::new(Some(writer)), reader }, inbox)
    }

    /// Speak over memory with what `serve` makes of its two ends, until that ends.
    pub fn over_memory<F: Future<Output = ()> + Send + 'static>(
        serve: impl FnOnce(ReadHalf<DuplexStream>, WriteHalf<DuplexStream>) -> F,
    ) -> Self {
        let (here, there) = tokio::io::duplex(1 << 20);
        let (their_reader, their_writer) = tokio::io::split(there);
        let (reader, writer) = tokio::io::split(here);
        tokio::spawn(serve(their_reader, their_writer));
        Self::over(reader, writer)
    }

    /// Start a server and speak over its standard input and output. It is killed when the client is dropped.
    pub fn spawn(command: std::process::Command) -> Self {
        let (child, stdin, stdout) = Child::start(command);
        let mut client = Self::over(stdout, stdin);
        client.child = Some(child);
        client
    }

    /// Speak over HTTP, one POST per message.
    pub fn over_http(http: HttpClient) -> Self {
        let exchanges = Mutex::new(BTreeMap::new());
        Self::new(Wire::Posts { http, exchanges }, Arc::new(Inbox::default()))
    }

    fn new(wire: Wire, inbox: Arc<Inbox>) -> Self {
        Self { era: None, capabilities: json!({}), next_id: AtomicI64::new(1), inbox, wire, child: None }
    }

    /// Declare these client capabilities, for example `{"elicitation": {"form": {}}}`; none otherwise.
    pub fn with_capabilities(mut self, capabilities: Value) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// Begin as the era prescribes and speak in it from now on. Returns the result of `initialize` or
    /// `server/discover`. Before this call [`Client::request`] adds nothing to what it is given.
    pub async fn connect(&mut self, era: Era) -> Value {
        self.era = Some(era);
        if era == Era::Stateless {
            return self.result("server/discover", Value::Null).await;
        }
        let hello = json!({
            "protocolVersion": era.version(),
            "capabilities": self.capabilities,
            "clientInfo": messages::client_info(),
        });
        let welcome = self.result("initialize", hello).await;
        assert_eq!(welcome["protocolVersion"], era.version(), "the server chose another version");
        self.notify("notifications/initialized", Value::Null).await;
        welcome
    }

    /// All tools, through all pages.
    pub async fn list_tools(&self) -> Vec<Value> {
        self.list("tools/list", "tools").await
    }

    /// All prompts, through all pages.
    pub async fn list_prompts(&self) -> Vec<Value> {
        self.list("prompts/list", "prompts").await
    }

    /// The result of `prompts/get`.
    pub async fn get_prompt(&self, name: &str, arguments: Value) -> Value {
        self.result("prompts/get", json!({"name": name, "arguments": arguments})).await
    }

    /// Call a tool. An error of the tool is a reply; a JSON-RPC error panics.
    pub async fn call(&self, tool: &str, arguments: Value) -> ToolReply {
        tool_reply(self.begin_call(tool, arguments).await).await
    }

    /// Send all calls before waiting for any reply. The replies are in the order of the calls.
    pub async fn call_concurrently(&self, calls: &[(&str, Value)]) -> Vec<ToolReply> {
        let mut sent = Vec::new();
        for (tool, arguments) in calls {
            sent.push(self.begin_call(tool, arguments.clone()).await);
        }
        let mut replies = Vec::new();
        for call in sent {
            replies.push(tool_reply(call).await);
        }
        replies
    }

    /// Send a request and return the whole reply message, with `result` or `error`.
    pub async fn request(&self, method: &str, params: Value) -> Value {
        self.begin(method, params).await.reply().await
    }

    /// Send a tool call without waiting for its reply.
    pub async fn begin_call(&self, tool: &str, arguments: Value) -> Pending {
        self.begin("tools/call", json!({"name": tool, "arguments": arguments})).await
    }

    /// Send a request without waiting for its reply.
    pub async fn begin(&self, method: &str, params: Value) -> Pending {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let message = messages::request(self.era, &self.capabilities, id, method, params);
        let arrival = match &self.wire {
            Wire::Lines { .. } => {
                let reply = self.inbox.await_reply(id);
                self.write_line(&message.to_string()).await;
                Arrival::Line(reply)
            }
            Wire::Posts { http, exchanges } => {
                let headers = messages::headers(self.era, &message);
                let exchange = posts::exchange(http.clone(), message, headers, Arc::clone(&self.inbox));
                let exchange = tokio::spawn(exchange);
                exchanges.lock().unwrap().insert(id, exchange.abort_handle());
                Arrival::Post(exchange)
            }
        };
        Pending { id, what: method.to_owned(), arrival, inbox: Arc::clone(&self.inbox) }
    }

    /// Cancel request `id` as transport and era prescribe: by `notifications/cancelled`, or, over HTTP in
    /// the stateless era, by closing the connection that the reply would come on.
    pub async fn notify_cancelled(&self, id: i64) {
        if let (Wire::Posts { exchanges, .. }, Some(Era::Stateless)) = (&self.wire, self.era) {
            let exchange = exchanges.lock().unwrap().remove(&id);
            exchange.unwrap_or_else(|| panic!("no request {id} was sent")).abort();
            return;
        }
        self.notify("notifications/cancelled", json!({"requestId": id, "reason": "the test says so"})).await;
    }

    /// Send a notification.
    pub async fn notify(&self, method: &str, params: Value) {
        self.tell(messages::notification(method, params)).await;
    }

    /// The next notification or request that the server sends of its own accord, if one comes within `limit`.
    pub async fn next_incoming(&self, limit: Duration) -> Option<Value> {
        tokio::time::timeout(limit, self.inbox.next_incoming()).await.ok().flatten()
    }

    /// Answer a request of the server's.
    pub async fn respond(&self, id: &Value, result: Value) {
        self.tell(json!({"jsonrpc": "2.0", "id": id, "result": result})).await;
    }

    /// Replies that nobody waited for: a second reply to one request, one to a request never sent or no
    /// longer waited for, one without an id.
    pub fn strays(&self) -> Vec<Value> {
        self.inbox.strays()
    }

    /// Write a line as it is, which need not be a message. Streams only.
    pub async fn write_line(&self, line: &str) {
        let Wire::Lines { writer, .. } = &self.wire else { panic!("HTTP has no lines") };
        let mut writer = writer.lock().await;
        let writer = writer.as_mut().expect("an input that has not been closed");
        let line = format!("{line}\n");
        let written = async {
            writer.write_all(line.as_bytes()).await?;
            writer.flush().await
        };
        let written = written.await;
        let ended = self.inbox.ended().unwrap_or_default();
        written.unwrap_or_else(|error| panic!("failed to write to the server: {error}; {ended}"));
    }

    /// Close the server's input, which tells it to end. Streams only.
    pub async fn close_input(&self) {
        let Wire::Lines { writer, .. } = &self.wire else { panic!("HTTP has no input to close") };
        if let Some(mut writer) = writer.lock().await.take() {
            // It may have ended by itself.
            let _ = writer.shutdown().await;
        }
    }

    /// The process behind a client made by [`Client::spawn`].
    pub fn child(&mut self) -> &mut Child {
        self.child.as_mut().expect("a client with a child process")
    }

    async fn tell(&self, message: Value) {
        match &self.wire {
            Wire::Lines { .. } => self.write_line(&message.to_string()).await,
            Wire::Posts { http, .. } => {
                posts::tell(http, &message, messages::headers(self.era, &message)).await
            }
        }
    }

    async fn result(&self, method: &str, params: Value) -> Value {
        result_of(method, self.request(method, params).await)
    }

    async fn list(&self, method: &str, key: &str) -> Vec<Value> {
        let mut all = Vec::new();
        let mut params = Value::Null;
        loop {
            let page = self.result(method, params).await;
            all.extend(page[key].as_array().unwrap_or_else(|| panic!("no {key} in {page}")).iter().cloned());
            let cursor = &page["nextCursor"];
            if cursor.is_null() {
                return all;
            }
            params = json!({"cursor": cursor});
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Wire::Lines { reader, .. } = &self.wire {
            reader.abort();
        }
    }
}

async fn tool_reply(call: Pending) -> ToolReply {
    ToolReply::of(result_of("tools/call", call.reply().await))
}

fn result_of(method: &str, reply: Value) -> Value {
    let result = reply.get("result").cloned();
    result.unwrap_or_else(|| panic!("{method} was answered with an error: {reply}"))
}

/// Anything that is no message ends the reading: nothing else may stand on a server's output.
async fn read_lines(reader: impl AsyncRead + Unpin, inbox: Arc<Inbox>) {
    let mut lines = BufReader::new(reader).lines();
    let reason = loop {
        match lines.next_line().await {
            Ok(Some(line)) => match parse(&line) {
                Ok(message) => inbox.put(message),
                Err(problem) => break problem,
            },
            Ok(None) => break "the server closed its output".to_owned(),
            Err(error) => break format!("failed to read the server's output: {error}"),
        }
    };
    inbox.end(reason);
}
