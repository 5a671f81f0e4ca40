//! Transports, tool registry, guard pipeline, health, shutdown, command line: the only crate that knows rmcp.
