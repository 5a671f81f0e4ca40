//! Where this user's servers keep their keys and logs.

use std::{collections::BTreeMap, path::PathBuf};

/// `$OBSERVABILITY_MCP_STATE`, else `observability-mcp` in the user's state directory (XDG). Never a directory for
/// temporary files: keys there would be lost, or shared with others.
pub(crate) fn directory(environment: &BTreeMap<String, String>) -> Option<PathBuf> {
    let set = |name: &str| environment.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("OBSERVABILITY_MCP_STATE")
        .or_else(|| Some(set("XDG_STATE_HOME")?.join("observability-mcp")))
        .or_else(|| Some(set("HOME")?.join(".local/state/observability-mcp")))
}
