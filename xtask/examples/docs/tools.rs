//! The reference of the tools, from what the server itself lists.

use std::{path::Path, process::Command};

use serde_json::Value;

use crate::{Failure, cell, configuration::kind};

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
        page.push_str(&section(tool, &plain));
    }
    Ok(page)
}

fn section(tool: &Value, plain: &str) -> String {
    let text = |key: &str| tool.get(key).and_then(Value::as_str).unwrap_or_default();
    let name = text("name");
    let class = plain.lines().find_map(|line| line.strip_prefix(&format!("{name} ("))?.strip_suffix(')'));
    let mut section = format!(
        "\n## `{name}`\n**{}** ({})\n\n{}\n\n| argument | type | | meaning |\n|---|---|---|---|\n",
        text("title"),
        class.unwrap_or("class not listed"),
        text("description")
    );
    let schema = tool.get("inputSchema");
    let required = schema.and_then(|schema| schema.get("required")).and_then(Value::as_array);
    let properties = schema.and_then(|schema| schema.get("properties")).and_then(Value::as_object);
    for (argument, property) in properties.into_iter().flatten() {
        let of = |key: &str| property.get(key).and_then(Value::as_str).unwrap_or_default();
        let needed = required.is_some_and(|names| names.iter().any(|known| known == argument));
        let needed = if needed { "required" } else { "optional" };
        section.push_str(&format!(
            "| `{argument}` | {} | {needed} | {} |\n",
            kind(property),
            cell(of("description"))
        ));
    }
    section
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
    let output =
        server.envs(SOURCES).env("OBSERVABILITY_MCP_STATE", root.join("target/docs-state")).output()?;
    if !output.status.success() {
        return Err(format!("list the tools: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}
