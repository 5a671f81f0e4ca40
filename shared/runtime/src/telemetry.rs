//! Logs: to stderr only, because stdout is the protocol on stdio.

use std::{io::IsTerminal, panic};

use tracing_subscriber::EnvFilter;

/// Starts logging. `RUST_LOG` decides what; JSON lines unless stderr is a terminal.
pub(crate) fn start(default_level: &str) {
    // rmcp logs an ERROR whenever a client goes away, which is an ordinary event here.
    let default = format!("{default_level},rmcp=warn,rmcp::service=off");
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let terminal = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if terminal { builder.try_init() } else { builder.json().with_ansi(false).try_init() };
    if let Err(error) = started {
        tracing::debug!(error, "logging was started before");
    }
    // A panic's text may hold data of the system under investigation: only its place is told.
    panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(|| "unknown".to_owned(), ToString::to_string);
        tracing::error!(place, "a fault in this server (panic)");
    }));
}
