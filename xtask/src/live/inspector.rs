//! The MCP inspector's command line. One process makes one request, so every call is a session of its own.

use std::error::Error;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::clients::Clients;
use super::outcome::Outcome;
use super::served::Served;
use super::subject::{Call, Subject};

/// What the inspector ends with when a tool says `isError`.
const TOOL_ERROR: i32 = 5;
/// Where an answer says how long to wait before the same call is answered.
const RETRY_AFTER: &str = "/structuredContent/error/retry_after_seconds";
/// A minute refills the whole bucket of any class.
const LONGEST_WAIT_SECONDS: u64 = 60;
/// Where a result of 2026-07-28 names its server; an older one does not.
const SERVER_NAME: &str = "/_meta/io.modelcontextprotocol~1serverInfo/name";

/// An era of the protocol as the inspector calls it.
#[derive(Clone, Copy, PartialEq)]
enum Era {
    Legacy,
    Modern,
}

/// Where the inspector finds the server.
enum Target<'a> {
    Stdio { state: PathBuf },
    Http(&'a Served),
}

/// One way to speak to the server.
struct Way<'a> {
    clients: &'a Clients,
    subject: &'a Subject,
    target: Target<'a>,
    era: Era,
}

/// How the inspector ended and what it said.
struct Reply {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Every request over both transports in both eras.
pub(super) fn run(
    clients: &Clients,
    subject: &Subject,
    served: &Served,
    outcome: &mut Outcome,
) -> Result<(), Box<dyn Error>> {
    for era in [Era::Legacy, Era::Modern] {
        let stdio = Target::Stdio { state: subject.state.join("inspector") };
        for target in [stdio, Target::Http(served)] {
            let way = Way { clients, subject, target, era };
            way.lists_tools(outcome)?;
            for call in &subject.expected.calls {
                way.answers(call, outcome)?;
            }
            way.refuses(&subject.expected.refused, outcome)?;
        }
    }
    Ok(())
}

impl Way<'_> {
    fn lists_tools(&self, outcome: &mut Outcome) -> Result<(), Box<dyn Error>> {
        // Strict: schemas that some client can't read end it with another code.
        let reply = self.ask(&["--method", "tools/list", "--strict"])?;
        let result = reply.result();
        let tools = result.get("tools").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let names: Vec<&str> = tools.iter().filter_map(|tool| tool.get("name")?.as_str()).collect();
        let expected: Vec<&str> = self.subject.expected.calls.iter().map(|call| call.tool.as_str()).collect();
        let holds = reply.code == Some(0) && names == expected;
        self.note("lists its tools, whose schemas every client can read", holds, &reply, outcome);
        Ok(())
    }

    fn answers(&self, call: &Call, outcome: &mut Outcome) -> Result<(), Box<dyn Error>> {
        let reply = self.call(call)?;
        let result = reply.result();
        let verdict =
            result.pointer("/structuredContent/verdict").and_then(Value::as_str).unwrap_or_default();
        let named = result.pointer(SERVER_NAME).and_then(Value::as_str);
        let expected = (self.era == Era::Modern).then_some(self.subject.expected.server.as_str());
        let holds = reply.code == Some(0) && !verdict.is_empty() && named == expected;
        self.note(&format!("{} answers", call.tool), holds, &reply, outcome);
        Ok(())
    }

    fn refuses(&self, call: &Call, outcome: &mut Outcome) -> Result<(), Box<dyn Error>> {
        let reply = self.call(call)?;
        let holds = reply.code == Some(TOOL_ERROR);
        self.note("a misspelt argument is an error of the tool", holds, &reply, outcome);
        Ok(())
    }

    fn note(&self, what: &str, holds: bool, reply: &Reply, outcome: &mut Outcome) {
        let transport = if matches!(self.target, Target::Http(_)) { "HTTP" } else { "stdio" };
        outcome.check(&format!("{transport} {}: {what}", self.era.name()), holds);
        if !holds {
            println!("ended with {:?}\n{}\n{}", reply.code, reply.stdout, reply.stderr);
        }
    }

    /// A call, made again once where the server says how long to wait: one HTTP server answers all of these calls,
    /// and the calls of a class have a rate.
    fn call(&self, call: &Call) -> Result<Reply, Box<dyn Error>> {
        let arguments = call.arguments.to_string();
        let ask = || {
            self.ask(&["--method", "tools/call", "--tool-name", &call.tool, "--tool-args-json", &arguments])
        };
        let reply = ask()?;
        let wait = reply.result().pointer(RETRY_AFTER).and_then(Value::as_u64);
        match wait {
            Some(seconds) if seconds <= LONGEST_WAIT_SECONDS => {
                thread::sleep(Duration::from_secs(seconds));
                ask()
            }
            _ => Ok(reply),
        }
    }

    fn ask(&self, arguments: &[&str]) -> Result<Reply, Box<dyn Error>> {
        let mut command = Command::new(&self.clients.node);
        command.arg(&self.clients.inspector).args(["--cli", "--format", "json"]);
        command.args(["--protocol-era", self.era.name()]).args(arguments);
        match &self.target {
            Target::Http(served) => {
                command.args(["--transport", "http", "--server-url", &served.mcp]);
            }
            Target::Stdio { state } => {
                command.arg(&self.subject.program);
                command.arg("-e").arg(format!("OBSERVABILITY_MCP_STATE={}", state.display()));
                for (name, value) in &self.subject.environment {
                    command.arg("-e").arg(format!("{name}={value}"));
                }
            }
        }
        let node = self.clients.node.display();
        let output = command.output().map_err(|error| format!("start {node}: {error}"))?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok(Reply { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) })
    }
}

impl Era {
    fn name(self) -> &'static str {
        match self {
            Era::Legacy => "legacy",
            Era::Modern => "modern",
        }
    }
}

impl Reply {
    /// The `result` it printed, or null.
    fn result(&self) -> Value {
        let printed: Value = serde_json::from_str(&self.stdout).unwrap_or_default();
        printed.get("result").cloned().unwrap_or_default()
    }
}
