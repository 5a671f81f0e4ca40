//! A recorded incident as `check` and readiness see it.

use std::sync::Arc;

use ::snapshot::RecordedGroup;
use contract::Context;
use promql::Query;
use runtime::{CheckLine, Checking, Probe};
use upstream::Health;

use super::Recording;

/// A recorded incident, looked at.
pub(crate) struct RecordingProbe(pub(crate) Arc<Recording>);

impl Probe for RecordingProbe {
    fn name(&self) -> String {
        self.0.system.clone()
    }

    /// What is on the disk is there.
    fn health(&self) -> Health {
        match self.0.held.loaded.get() {
            Some(Err(error)) => Health::Down(error.to_string()),
            _ => Health::Up,
        }
    }

    fn check<'a>(&'a self, _: &'a Context) -> Checking<'a> {
        Box::pin(async move {
            let line = |one: ::snapshot::CheckLine| CheckLine {
                subject: format!("{}: {}", self.0.system, one.part),
                works: one.sound,
                found: one.found,
                remedy: String::new(),
            };
            let mut lines: Vec<CheckLine> = self.0.held.snapshot.check(&[]).into_iter().map(line).collect();
            lines.extend(expressions(&self.0));
            lines
        })
    }
}

/// Whether the expressions of the recorded rules are PromQL. Nothing where the files of rules can't be read: that is
/// told already.
fn expressions(recording: &Recording) -> Vec<CheckLine> {
    let Ok(groups) = recording.held.snapshot.rules() else { return Vec::new() };
    let all = groups.iter().flat_map(|group| group.rules.iter().map(move |rule| (group, rule)));
    let broken = |(group, rule): (&RecordedGroup, &::snapshot::RecordedRule)| {
        let error = Query::parse(&rule.expr).err()?;
        // Files come from anywhere: what could disturb a terminal is escaped.
        let (file, group, name) =
            (group.file.escape_debug(), group.name.escape_debug(), rule.name.escape_debug());
        Some(CheckLine {
            subject: format!("{}: rule \"{name}\" of group \"{group}\"", recording.system),
            works: false,
            found: format!("its expression can't be parsed: {}", error.to_string().escape_debug()),
            remedy: format!("mend its expr in {file}"),
        })
    };
    let count = all.clone().count();
    let mut lines: Vec<CheckLine> = all.filter_map(broken).collect();
    if lines.is_empty() && count > 0 {
        lines.push(CheckLine {
            subject: format!("{}: expressions of rules", recording.system),
            works: true,
            found: format!("{count} parsed"),
            remedy: String::new(),
        });
    }
    lines
}
