//! The `metrics-mcp` binary.
fn main() {}
