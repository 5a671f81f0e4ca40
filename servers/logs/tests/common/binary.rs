//! The shipped binary.

use testkit::program::Program;

pub(crate) const PROGRAM: Program = Program::at(env!("CARGO_BIN_EXE_logs-mcp"));
