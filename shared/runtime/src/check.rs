//! `check`: what works, what is missing, and how to grant it. For the operator.

use std::io::{self, Write};

use contract::{CallId, Context, Detail, Intake, Trail};
use upstream::Limits;

use crate::engine::Engine;

/// Tries every source and prints one line for each thing; says whether all work.
pub(crate) async fn run(engine: &Engine, limits: &Limits, out: &mut impl Write) -> io::Result<bool> {
    let guard = &engine.guard;
    writeln!(out, "{} {}", engine.about.name, engine.about.version)?;
    let tools: Vec<&str> = guard.registry.iter().map(|entry| entry.card.name).collect();
    writeln!(out, "tools: {}", tools.join(", "))?;
    if engine.probes.is_empty() {
        writeln!(
            out,
            "MISSING no source is configured: the tools are listed, and calls say what to configure"
        )?;
        return Ok(false);
    }
    let mut all_work = true;
    for probe in engine.probes.iter() {
        let cx = Context {
            call_id: CallId(guard.ids.next()),
            now: guard.clock.now(),
            detail: Detail::Concise,
            deadline: std::time::Instant::now()
                + std::time::Duration::from_secs(limits.upstream_timeout_seconds * 2),
            principal: "check".to_owned(),
            tenant: None,
            intake: Intake::new(guard.redactor.clone()),
            trail: Trail::default(),
        };
        for line in probe.check(&cx).await {
            all_work &= line.works;
            writeln!(
                out,
                "{} {}: {}",
                if line.works { "ok     " } else { "FAILED " },
                line.subject,
                line.found
            )?;
            if !line.remedy.is_empty() {
                writeln!(out, "        -> {}", line.remedy)?;
            }
        }
    }
    Ok(all_work)
}
