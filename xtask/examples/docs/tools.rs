//! The reference of the tools, from what the server itself lists.

use std::{path::Path, process::Command};

use serde_json::Value;

use crate::{Failure, cell, requires, text};

/// Two sources, because `source` is not listed with one.
const SOURCES: [(&str, &str); 4] = [
    ("METRICS_MCP__PROMETHEUS__0__NAME", "main"),
    ("METRICS_MCP__PROMETHEUS__0__URL", "http://127.0.0.1:9090"),
    ("METRICS_MCP__PROMETHEUS__1__NAME", "other"),
    ("METRICS_MCP__PROMETHEUS__1__URL", "http://127.0.0.1:9091"),
];

/// The reference in `docs/tools/metrics.md`.
pub(crate) fn reference(root: &Path) -> Result<String, Failure> {
    let listed: Value = serde_json::from_str(&listing(root, &["tools", "--json"])?)?;
    let plain = listing(root, &["tools"])?;
    let about = &metrics_mcp::PROGRAM.about;
    let mut page = format!(
        "All need the scope `{}`. The class decides the rate (`rates` in the [configuration](../configuration.md)). \
         `source` is listed only when several are configured. What a client is told about the server:\n\n> {}\n",
        about.read_scope, about.instructions
    );
    for tool in listed.get("tools").and_then(Value::as_array).into_iter().flatten() {
        page.push_str(&section(tool, &plain).ok_or("find the class of each tool in the listing")?);
    }
    Ok(page)
}

fn section(tool: &Value, plain: &str) -> Option<String> {
    let name = text(tool, "name");
    let class = plain.lines().find_map(|line| line.strip_prefix(&format!("{name} ("))?.strip_suffix(')'))?;
    let mut section =
        format!("\n## `{name}`\n**{}** ({class})\n\n{}\n\n", text(tool, "title"), text(tool, "description"));
    section.push_str("| argument | type | | meaning |\n|---|---|---|---|\n");
    let schema = tool.get("inputSchema")?;
    for (argument, property) in schema.get("properties")?.as_object()? {
        let words: Vec<&str> = property
            .get("enum")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let kind = if words.is_empty() {
            text(property, "type").to_owned()
        } else {
            format!("`{}`", words.join("` or `"))
        };
        let needed = if requires(schema, argument) { "required" } else { "optional" };
        section.push_str(&format!(
            "| `{argument}` | {kind} | {needed} | {} |\n",
            cell(text(property, "description"))
        ));
    }
    Some(section)
}

/// What the server prints, with a configuration of ours and nothing of the developer's.
fn listing(root: &Path, arguments: &[&str]) -> Result<String, Failure> {
    let mut server = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    server.args(["run", "--quiet", "--package", "metrics-mcp", "--"]).args(arguments).current_dir(root);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("METRICS_MCP__")) {
            server.env_remove(name);
        }
    }
    let state = tempfile::tempdir()?;
    let output = server.envs(SOURCES).env("OBSERVABILITY_MCP_STATE", state.path()).output()?;
    if !output.status.success() {
        return Err(format!("list the tools: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}
