//! The `conformance-mcp` binary. Test only.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::cli::main(&conformance::PROGRAM)
}
