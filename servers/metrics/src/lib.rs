//! MCP server for Prometheus and Alertmanager.
