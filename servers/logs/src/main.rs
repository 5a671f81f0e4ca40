//! The `logs-mcp` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::cli::main(&logs_mcp::PROGRAM)
}
