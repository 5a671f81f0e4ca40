//! The MCP handler, written by hand over the registry: rmcp's types stop here.

use std::{borrow::Cow, sync::Arc};

use audit::Transport;
use identity::Principal;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestMethod,
        CompleteRequestParams, CompleteResult, ContentBlock, DiscoverResult, GetPromptRequestParams,
        GetPromptResponse, Implementation, ListPromptsResult, ListResourceTemplatesRequestMethod,
        ListResourceTemplatesResult, ListResourcesRequestMethod, ListResourcesResult, ListToolsResult,
        MetaObject, PaginatedRequestParams, ProtocolVersion, ServerCapabilities, ServerConfig, Tool,
    },
    service::RequestContext,
};
use serde_json::Value;

use crate::{
    call::{Call, Reply},
    guard::Guard,
    prompts,
    server::{About, Prompt},
};

/// How long a client may keep the lists: they change only with the process.
const LIST_TTL_MS: u64 = 300_000;

/// A running server, seen through one transport.
#[derive(Clone)]
pub(crate) struct Handler {
    pub(crate) guard: Arc<Guard>,
    pub(crate) about: About,
    pub(crate) prompts: Arc<[Prompt]>,
    pub(crate) instructions: Arc<str>,
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
            meta.get_or_insert_default().insert("io.modelcontextprotocol/serverInfo".to_owned(), info);
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

fn is_modern(cx: &RequestContext<RoleServer>) -> bool {
    cx.protocol_version().is_some_and(|version| version.as_str() >= ProtocolVersion::V_2026_07_28.as_str())
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

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().enable_prompts().build())
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
        let call = Call {
            tool: request.name.into_owned(),
            arguments: request.arguments.unwrap_or_default(),
            principal: self.principal(&cx)?,
            client: cx.client_info().map(|client| format!("{} {}", client.name, client.version)),
            transport: self.transport,
            traceparent: traceparent(&cx),
            cancelled: cx.ct.clone(),
        };
        let reply = self.guard.serve(call).await;
        if reply.error == Some(contract::ErrorKind::UnknownTool) {
            // The protocol's own error for a tool that is not in the list; the names help whoever asked.
            return Err(ErrorData::invalid_params(reply.rendered.text, None));
        }
        let mut result = result(reply);
        self.stamp(&mut result.meta, &cx);
        Ok(result.into())
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        cx: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
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
        let mut prompt = prompts::filled(&self.prompts, &request.name, request.arguments)?;
        self.stamp(&mut prompt.meta, &cx);
        Ok(prompt.into())
    }

    // Not declared, so not answered: rmcp's defaults would answer with empty lists.

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListResourcesRequestMethod>())
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListResourceTemplatesRequestMethod>())
    }

    async fn complete(
        &self,
        _: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        Err(ErrorData::method_not_found::<CompleteRequestMethod>())
    }
}

/// Structured content of a reply, for the command line.
pub(crate) fn structured(reply: &Reply) -> &Value {
    &reply.rendered.structured
}
