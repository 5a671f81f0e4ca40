//! The reference of the tools, from what the server itself lists.

use std::{path::Path, process::Command};

use serde_json::Value;

use crate::{Failure, cell, requires, servers::Documented, text};

/// The reference in `docs/tools/`.
pub(crate) fn reference(root: &Path, server: &Documented) -> Result<String, Failure> {
    let listed: Value = serde_json::from_str(&listing(root, server, &["tools", "--json"])?)?;
    let plain = listing(root, server, &["tools"])?;
    let about = &server.about;
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

/// What the server prints, with two sources of ours and nothing of the developer's.
fn listing(root: &Path, server: &Documented, arguments: &[&str]) -> Result<String, Failure> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["run", "--quiet", "--package", server.about.name, "--"]).args(arguments).current_dir(root);
    let prefix = server.prefix();
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with(&format!("{prefix}__"))) {
            command.env_remove(name);
        }
    }
    for (place, name) in ["main", "other"].into_iter().enumerate() {
        let key = format!("{prefix}__{}__{place}", server.sources.to_uppercase());
        command.env(format!("{key}__NAME"), name).env(format!("{key}__URL"), "http://127.0.0.1:9090");
    }
    let state = tempfile::tempdir()?;
    let output = command.env("OBSERVABILITY_MCP_STATE", state.path()).output()?;
    if !output.status.success() {
        return Err(format!("list the tools: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}
