//! What passed and what failed, counted and shown.

use std::error::Error;
use std::fmt;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The checks of one step.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    passed: u64,
    failed: u64,
}

impl Outcome {
    /// Notes one check, and shows it.
    pub(super) fn check(&mut self, what: &str, holds: bool) {
        println!("{} {what}", if holds { "ok    " } else { "FAILED" });
        if holds { self.passed += 1 } else { self.failed += 1 }
    }

    /// Runs a test program, shows what it prints, and adds up the totals in it. A program that ends badly has
    /// failed even when it counted no failure, and so has one that counted nothing.
    pub(super) fn count_output_of(&mut self, command: &mut Command) -> Result<(), Box<dyn Error>> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().ok_or("read the output of a test program")?;
        let before = (self.passed, self.failed);
        for line in BufReader::new(output).lines() {
            let line = line?;
            println!("{line}");
            if let Some((passed, failed)) = totals(&line) {
                self.passed += passed;
                self.failed += failed;
            }
        }
        let status = child.wait()?;
        if !status.success() && self.failed == before.1 {
            self.check(&format!("{} ended with {status}", command.get_program().display()), false);
        }
        if (self.passed, self.failed) == before {
            self.check(&format!("{} counted no test", command.get_program().display()), false);
        }
        Ok(())
    }
}

/// The figures in a line such as `test result: ok. 3 passed; 0 failed; …` or `3 passed, 0 failed`.
fn totals(line: &str) -> Option<(u64, u64)> {
    let words: Vec<&str> = line.split([' ', ',', ';']).filter(|word| !word.is_empty()).collect();
    let before = |wanted: &str| {
        let at = words.iter().position(|word| *word == wanted)?;
        words.get(at.checked_sub(1)?)?.parse().ok()
    };
    Some((before("passed")?, before("failed")?))
}

/// All steps in order.
#[derive(Default)]
pub(super) struct Report {
    steps: Vec<(String, Outcome, Duration)>,
}

impl Report {
    /// Runs a step. One that can't be run to its end has failed, and the next ones run all the same.
    pub(super) fn add(&mut self, name: &str, step: impl FnOnce(&mut Outcome) -> Result<(), Box<dyn Error>>) {
        println!("\n=== {name}");
        let started = Instant::now();
        let mut outcome = Outcome::default();
        if let Err(error) = step(&mut outcome) {
            outcome.check(&format!("failed to {error}"), false);
        }
        self.steps.push((name.to_owned(), outcome, started.elapsed()));
    }

    /// How many checks failed.
    pub(super) fn failed(&self) -> u64 {
        self.steps.iter().map(|(_, outcome, _)| outcome.failed).sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{:<28} {:>6} {:>6} {:>8}", "test-live", "passed", "failed", "seconds")?;
        for (name, outcome, took) in &self.steps {
            let seconds = took.as_secs_f64();
            writeln!(out, "{name:<28} {:>6} {:>6} {seconds:>8.1}", outcome.passed, outcome.failed)?;
        }
        let passed: u64 = self.steps.iter().map(|(_, outcome, _)| outcome.passed).sum();
        write!(out, "test-live: {passed} passed, {} failed", self.failed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_of_cargo_and_of_the_clients_are_read() {
        let cargo = "test result: FAILED. 14 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s";

        assert_eq!(totals(cargo), Some((14, 2)));
        assert_eq!(totals("30 passed, 0 failed"), Some((30, 0)));
        assert_eq!(totals("running 14 tests"), None);
        assert_eq!(totals("passed, failed"), None);
    }

    fn counted(script: &str) -> (u64, u64) {
        let mut outcome = Outcome::default();
        outcome.count_output_of(Command::new("sh").args(["-c", script])).unwrap();
        (outcome.passed, outcome.failed)
    }

    #[test]
    fn a_program_that_ends_badly_or_counts_nothing_has_failed() {
        assert_eq!(counted("echo '3 passed, 0 failed'"), (3, 0));
        assert_eq!(counted("echo '3 passed, 1 failed'; exit 1"), (3, 1));
        assert_eq!(counted("echo '3 passed, 0 failed'; exit 1"), (3, 1));
        assert_eq!(counted("true"), (0, 1));
    }

    #[test]
    fn a_step_that_can_not_be_run_has_failed_and_the_next_ones_run() {
        let mut report = Report::default();
        report.add("first", |_| Err("find its program".into()));
        report.add("second", |outcome| {
            outcome.check("something", true);
            Ok(())
        });

        assert_eq!(report.failed(), 1);
        assert!(report.to_string().ends_with("test-live: 1 passed, 1 failed"));
    }
}
