//! The list of tools.

use std::sync::Arc;

use runtime::Server;

use crate::backend::Sources;

/// Every tool of this server.
pub(crate) fn all(server: Server, _sources: &Arc<Sources>) -> Server {
    server
}
