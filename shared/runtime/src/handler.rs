//! The MCP handler, written by hand over the registry: rmcp's types stop here.
#![expect(deprecated, reason = "the old era has logging, and the conformance suite asks for it")]

mod staged;

use std::{borrow::Cow, sync::Arc};

use audit::Transport;
use identity::Principal;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestMethod,
        CompleteRequestParams, CompleteResult, ContentBlock, DiscoverResult, GetPromptRequestParams,
        GetPromptResponse, Implementation, InputRequest, InputRequests, InputRequiredResult,
        ListPromptsResult, ListResourceTemplatesRequestMethod, ListResourceTemplatesResult,
        ListResourcesRequestMethod, ListResourcesResult, ListToolsResult, MetaObject, PaginatedRequestParams,
        ProtocolVersion, ReadResourceRequestMethod, ReadResourceRequestParams, ReadResourceResponse,
        ServerCapabilities, ServerConfig, SetLevelRequestMethod, SetLevelRequestParams,
        SubscribeRequestMethod, SubscribeRequestParams, SubscriptionFilter, Tool, UnsubscribeRequestMethod,
        UnsubscribeRequestParams,
    },
    service::{RequestContext, SubscriptionContext},
};
use serde_json::{Value, json};

use crate::{
    call::{Call, Form, Reply},
    confirm::{LIFETIME, QUESTION, Question},
    exchange::{Exchange, is_modern},
    fixtures::Staged,
    guard::Guard,
    prompts,
    server::{About, Prompt},
};

/// How long a client may keep the lists: they change only with the process.
const LIST_TTL_MS: u64 = 300_000;
/// Where the new era has the server's name.
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";
/// What would be done may change while a person thinks; then they are asked again, but not for ever.
const MOST_QUESTIONS: usize = 3;

/// A running server, seen through one transport.
#[derive(Clone)]
pub(crate) struct Handler {
    pub(crate) guard: Arc<Guard>,
    pub(crate) about: About,
    pub(crate) prompts: Arc<[Prompt]>,
    pub(crate) instructions: Arc<str>,
    /// The conformance suite's fixtures.
    pub(crate) staged: Option<Arc<Staged>>,
    pub(crate) transport: Transport,
    /// The caller where the transport itself says who it is (stdio); over HTTP each request brings its own.
    pub(crate) local: Option<Principal>,
    /// Over HTTP with tokens, what is listed depends on who asks.
    pub(crate) cache_scope: CacheScope,
}

impl Handler {
    fn me(&self) -> Implementation {
        Implementation::new(self.about.name, self.about.version).with_title(self.about.title)
    }

    /// `serverInfo` belongs in `_meta` of each 2026-07-28 result; rmcp puts it on `server/discover` alone.
    fn stamp(&self, meta: &mut Option<MetaObject>, cx: &RequestContext<RoleServer>) {
        if is_modern(cx)
            && let Ok(info) = serde_json::to_value(self.me())
        {
            meta.get_or_insert_default().insert(SERVER_INFO.to_owned(), info);
        }
    }

    fn principal(&self, cx: &RequestContext<RoleServer>) -> Result<Principal, ErrorData> {
        if let Some(local) = &self.local {
            return Ok(local.clone());
        }
        let parts = cx.extensions.get::<axum::http::request::Parts>();
        let principal = parts.and_then(|parts| parts.extensions.get::<Principal>()).cloned();
        principal.ok_or_else(|| ErrorData::internal_error("the request carries no principal", None))
    }
}

/// A W3C trace context, if it is one.
fn traceparent(cx: &RequestContext<RoleServer>) -> Option<String> {
    let value = cx.meta.get_traceparent()?;
    let shape = value.len() == 55 && value.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    shape.then(|| value.to_owned())
}

fn result(reply: Reply) -> CallToolResult {
    let text = vec![ContentBlock::text(reply.rendered.text)];
    let mut result =
        if reply.error.is_some() { CallToolResult::error(text) } else { CallToolResult::success(text) };
    result.structured_content = Some(reply.rendered.structured);
    result
}

/// A question as a result, for clients that put it to their user and call again.
fn question(question: Question) -> Result<InputRequiredResult, ErrorData> {
    let request = json!({"method": "elicitation/create", "params": question.form()});
    let request: InputRequest = serde_json::from_value(request)
        .map_err(|error| ErrorData::internal_error(format!("the question has no form: {error}"), None))?;
    let requests = InputRequests::from([(QUESTION.to_owned(), request)]);
    Ok(InputRequiredResult::new(Some(requests), Some(question.state)))
}

impl Handler {
    /// Makes a call. A client of the handshake era is asked by a request of ours, and its answer makes the call again.
    async fn made(&self, mut call: Call) -> Reply {
        let mut reply = self.guard.serve(call.clone()).await;
        for _ in 0..MOST_QUESTIONS {
            let Form::Question(question) = &reply.form else { break };
            if call.exchange.modern {
                break;
            }
            let asked = call.exchange.ask("elicitation/create", question.form(), LIFETIME);
            let answer = tokio::select! {
                biased;
                () = call.cancelled.cancelled() => Err("the caller cancelled this call".to_owned()),
                answer = asked => answer,
            };
            let answer = answer.unwrap_or_else(|error| {
                tracing::info!(error, tool = call.tool, "a person could not be asked");
                json!({"action": "cancel"})
            });
            let state = question.state.clone();
            call.exchange = call.exchange.answering(Some([(QUESTION.to_owned(), answer)]), Some(state));
            reply = self.guard.serve(call.clone()).await;
        }
        reply
    }

    fn response(&self, reply: Reply, modern: bool) -> Result<CallToolResponse, ErrorData> {
        if reply.error == Some(contract::ErrorKind::UnknownTool) {
            // The protocol's own error for a tool that is not in the list; the names help whoever asked.
            return Err(ErrorData::invalid_params(reply.rendered.text, None));
        }
        match reply.form {
            Form::Rendered => Ok(result(reply).into()),
            Form::Question(asked) if modern => Ok(question(asked)?.into()),
            Form::Question(_) => {
                Err(ErrorData::internal_error("what would be done keeps changing; nothing was done", None))
            }
            Form::Written(written) => {
                let mut result = written.map_err(crate::fixtures::RpcError::into_error_data)?;
                if let (Value::Object(result), true) = (&mut result, modern) {
                    self.sign(result);
                }
                staged::call_response(result)
            }
        }
    }
}

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        let ours = || ServerCapabilities::builder().enable_tools().enable_prompts().build();
        let theirs = |staged: &Arc<Staged>| serde_json::from_value(staged.fixtures.capabilities()).ok();
        ServerConfig::new(self.staged.as_ref().and_then(theirs).unwrap_or_else(ours))
            .with_server_info(self.me())
            .with_instructions(&*self.instructions)
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(&[ProtocolVersion::V_2025_11_25, ProtocolVersion::V_2026_07_28])
    }

    async fn discover(&self, _: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let versions = self.supported_protocol_versions().into_owned();
        Ok(DiscoverResult::from_server_info(versions, self.get_info())
            .with_ttl_ms(LIST_TTL_MS)
            .with_cache_scope(self.cache_scope))
    }

    /// Read by the HTTP transport too, to check `Mcp-Param-*` headers.
    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.guard.registry.get(name).map(|entry| entry.listed.clone())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        cx: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let principal = self.principal(&cx)?;
        let permitted = self.guard.registry.iter().filter(|entry| principal.allows(entry.card.scope));
        let mut list = ListToolsResult::with_all_items(permitted.map(|entry| entry.listed.clone()).collect());
        if is_modern(&cx) {
            list = list.with_ttl_ms(LIST_TTL_MS).with_cache_scope(self.cache_scope);
        }
        self.stamp(&mut list.meta, &cx);
        Ok(list)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let exchange = Exchange::new(&cx).answering(request.input_responses, request.request_state);
        let modern = exchange.modern;
        let call = Call {
            tool: request.name.into_owned(),
            arguments: request.arguments.unwrap_or_default(),
            principal: self.principal(&cx)?,
            client: cx.client_info().map(|client| format!("{} {}", client.name, client.version)),
            transport: self.transport,
            traceparent: traceparent(&cx),
            cancelled: cx.ct.clone(),
            exchange,
        };
        let reply = self.made(call).await;
        let mut response = self.response(reply, modern)?;
        match &mut response {
            CallToolResponse::Complete(result) => self.stamp(&mut result.meta, &cx),
            CallToolResponse::InputRequired(result) => self.stamp(&mut result.meta, &cx),
            _ => {}
        }
        Ok(response)
    }

    async fn list_prompts(
        &self,
        page: Option<PaginatedRequestParams>,
        cx: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        if let Some(staged) = &self.staged {
            return self.staged(staged, "prompts/list", page, &cx).await;
        }
        let mut list = ListPromptsResult::with_all_items(self.prompts.iter().map(prompts::listed).collect());
        if is_modern(&cx) {
            list = list.with_ttl_ms(LIST_TTL_MS).with_cache_scope(self.cache_scope);
        }
        self.stamp(&mut list.meta, &cx);
        Ok(list)
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        if let Some(staged) = &self.staged {
            return staged::prompt_response(self.staged(staged, "prompts/get", request, &cx).await?);
        }
        let mut prompt = prompts::filled(&self.prompts, &request.name, request.arguments)?;
        self.stamp(&mut prompt.meta, &cx);
        Ok(prompt.into())
    }

    // Not declared, so not answered: rmcp's defaults would answer with empty lists.

    async fn list_resources(
        &self,
        page: Option<PaginatedRequestParams>,
        cx: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        match &self.staged {
            Some(staged) => self.staged(staged, "resources/list", page, &cx).await,
            None => Err(ErrorData::method_not_found::<ListResourcesRequestMethod>()),
        }
    }

    async fn list_resource_templates(
        &self,
        page: Option<PaginatedRequestParams>,
        cx: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        match &self.staged {
            Some(staged) => self.staged(staged, "resources/templates/list", page, &cx).await,
            None => Err(ErrorData::method_not_found::<ListResourceTemplatesRequestMethod>()),
        }
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        match &self.staged {
            Some(staged) => {
                staged::resource_response(self.staged(staged, "resources/read", request, &cx).await?)
            }
            None => Err(ErrorData::method_not_found::<ReadResourceRequestMethod>()),
        }
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        match &self.staged {
            Some(staged) => self.staged(staged, "completion/complete", request, &cx).await,
            None => Err(ErrorData::method_not_found::<CompleteRequestMethod>()),
        }
    }

    async fn set_level(
        &self,
        request: SetLevelRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        match &self.staged {
            Some(staged) if !is_modern(&cx) => {
                self.staged(staged, "logging/setLevel", request, &cx).await.map(drop::<Value>)
            }
            _ => Err(ErrorData::method_not_found::<SetLevelRequestMethod>()),
        }
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        match &self.staged {
            Some(staged) if !is_modern(&cx) => {
                self.staged(staged, "resources/subscribe", request, &cx).await.map(drop::<Value>)
            }
            _ => Err(ErrorData::method_not_found::<SubscribeRequestMethod>()),
        }
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        match &self.staged {
            Some(staged) if !is_modern(&cx) => {
                self.staged(staged, "resources/unsubscribe", request, &cx).await.map(drop::<Value>)
            }
            _ => Err(ErrorData::method_not_found::<UnsubscribeRequestMethod>()),
        }
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        self.staged.as_ref().map(|_| requested.clone())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        if let Some(staged) = &self.staged {
            self.announce(staged, &context).await;
        }
        Ok(())
    }
}

/// Structured content of a reply, for the command line.
pub(crate) fn structured(reply: &Reply) -> &Value {
    &reply.rendered.structured
}
