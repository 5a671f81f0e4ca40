//! `approve CODE`: a person says yes to a change, in a terminal, outside the model.

use std::io::{self, BufRead, Write};

use audit::{Closing, Decision, Facts, Outcome, Transport};
use contract::CallId;
use serde_json::Value;

use super::Waiting;
use crate::{guard::Guard, outcome};

/// What must be typed. More than a reflex, and nothing that a pipe full of `y` would say.
const WORD: &str = "approve";

/// Shows the change and asks. `Ok(false)` when nothing was approved; `out` says why.
pub(crate) fn run(
    guard: &Guard,
    code: &str,
    by: &str,
    mut input: impl BufRead,
    out: &mut impl Write,
) -> io::Result<bool> {
    let Some(waiting) = guard.confirmations.pending.find(code)? else {
        writeln!(out, "nothing waits under this code: it may be mistyped, too old, or approved already")?;
        return Ok(false);
    };
    writeln!(out, "{}\n", waiting.message)?;
    let until = waiting.until();
    write!(out, "Type `{WORD}` to let this call be made once until {until}, anything else to leave it: ")?;
    out.flush()?;
    let mut typed = String::new();
    input.read_line(&mut typed)?;
    if typed.trim() != WORD {
        writeln!(out, "left as it was: nothing is approved")?;
        return Ok(false);
    }
    // First the record: what can't be recorded is not approved.
    if let Err(error) = record(guard, &waiting, by) {
        writeln!(out, "not approved, because it can't be recorded in the audit log: {error}")?;
        return Ok(false);
    }
    if !guard.confirmations.pending.approve(&waiting, by)? {
        writeln!(out, "too late: it no longer waits")?;
        return Ok(false);
    }
    writeln!(out, "approved: the same call will go through once")?;
    Ok(true)
}

fn record(guard: &Guard, waiting: &Waiting, by: &str) -> Result<(), audit::AuditError> {
    let arguments: Value = serde_json::from_str(&waiting.arguments).unwrap_or_default();
    let mut entry = guard.audit.begin(Facts {
        call_id: CallId(guard.ids.next()).0,
        traceparent: None,
        client: None,
        transport: Transport::Cli,
        tool: outcome::label(&waiting.tool, &guard.redactor),
        effect: audit::Effect::Write,
        arguments_sha256: audit::fingerprint(&arguments),
        arguments: outcome::masked(&arguments, &guard.redactor),
    })?;
    entry.identify(by, None);
    entry.decide(Decision::Allow, format!("approved {} for {}", waiting.code, waiting.principal));
    entry.close(Closing::empty(Outcome::Ok))
}
