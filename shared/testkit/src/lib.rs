//! In-memory MCP client, golden answers, recorded replies, misbehaving proxy.
