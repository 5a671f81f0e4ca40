//! The `metrics-mcp` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::cli::main(&metrics_mcp::PROGRAM)
}
