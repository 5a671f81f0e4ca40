//! The report as Markdown.

use std::fmt::Write as _;

use crate::filters::Checked;
use crate::generate::System;
use crate::score::Score;

const MINERS: [&str; 4] = ["ours", "stage 1 alone", "drain3", "drain3 with masks"];

/// Scores and seconds of the four miners on one system.
type Results = [(Score, f64); 4];

/// What was measured so far.
pub(crate) struct Report {
    count: usize,
    seed: u64,
    /// System, held out, results on messages.
    messages: Vec<(String, bool, Results)>,
    whole: Vec<(String, bool, Results)>,
    lines: usize,
    bytes: usize,
    first_stage: (usize, f64),
    checked: Checked,
}

impl Report {
    pub(crate) fn new(count: usize, seed: u64) -> Report {
        let (messages, whole) = (Vec::new(), Vec::new());
        Report { count, seed, messages, whole, lines: 0, bytes: 0, first_stage: (0, 0.0), checked: Checked::default() }
    }

    pub(crate) fn add(&mut self, system: &System, whole: bool, lines: &[&str], results: Results) {
        let rows = if whole { &mut self.whole } else { &mut self.messages };
        rows.push((system.name.to_owned(), system.held_out, results));
        if whole {
            self.lines += lines.len();
            self.bytes += lines.iter().map(|line| line.len()).sum::<usize>();
        }
    }

    pub(crate) fn first_stage(&mut self, lines: usize, seconds: f64) {
        self.first_stage.0 += lines;
        self.first_stage.1 += seconds;
    }

    pub(crate) fn filters(&mut self, checked: Checked) {
        self.checked.patterns += checked.patterns;
        self.checked.complete += checked.complete;
        self.checked.exact += checked.exact;
    }

    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        let _ = writeln!(out, "## Messages\n\n{}", table(&self.messages));
        let _ = writeln!(out, "## Whole lines, with what the software puts in front\n\n{}", means(&self.whole));
        let _ = writeln!(out, "## Speed\n\n{}", self.speed());
        let Checked { patterns, complete, exact } = self.checked;
        let _ = writeln!(
            out,
            "## Filters\n\n{patterns} patterns of messages: the filter finds all of its lines for {complete}, and none of \
             another pattern among the lines of its system for {exact}."
        );
        out
    }

    fn speed(&self) -> String {
        let mut out = format!(
            "{} whole lines, {:.0} bytes each on average, one core. seed {}, {} lines of each system\n\n| miner | lines/s |\n|---|--:|\n",
            self.lines,
            self.bytes as f64 / self.lines as f64,
            self.seed,
            self.count,
        );
        for (at, miner) in MINERS.iter().enumerate() {
            let seconds: f64 = self.whole.iter().map(|(_, _, results)| results[at].1).sum();
            let _ = writeln!(out, "| {miner} | {:.0} |", self.lines as f64 / seconds);
        }
        let _ = writeln!(out, "| `Template::of` alone | {:.0} |", self.first_stage.0 as f64 / self.first_stage.1);
        out
    }
}

fn heading(first: &str) -> String {
    let mut out = format!("| {first} |");
    MINERS.iter().for_each(|miner| {
        let _ = write!(out, " {miner}: GA | FGA | PTA | FTA |");
    });
    out + "\n|---|" + &"--:|".repeat(16) + "\n"
}

fn row(name: &str, scores: [Score; 4]) -> String {
    let mut out = format!("| {name} |");
    for score in scores {
        let _ = write!(out, " {:.2} | {:.2} | {:.2} | {:.2} |", score.ga, score.fga, score.pta, score.fta);
    }
    out + "\n"
}

fn table(rows: &[(String, bool, Results)]) -> String {
    let mut out = heading("system");
    for (name, held_out, results) in rows {
        let name = if *held_out { name.clone() } else { format!("{name} (tuning)") };
        out += &row(&name, results.map(|(score, _)| score));
    }
    out + &mean_rows(rows)
}

fn means(rows: &[(String, bool, Results)]) -> String {
    heading("systems") + &mean_rows(rows)
}

fn mean_rows(rows: &[(String, bool, Results)]) -> String {
    let mean = |held: &dyn Fn(bool) -> bool| {
        let chosen: Vec<&Results> = rows.iter().filter(|row| held(row.1)).map(|row| &row.2).collect();
        let over = |pick: &dyn Fn(&Score) -> f64, miner: usize| {
            chosen.iter().map(|results| pick(&results[miner].0)).sum::<f64>() / chosen.len() as f64
        };
        [0, 1, 2, 3].map(|miner| Score {
            ga: over(&|score| score.ga, miner),
            fga: over(&|score| score.fga, miner),
            pta: over(&|score| score.pta, miner),
            fta: over(&|score| score.fta, miner),
        })
    };
    row("**mean, tuning**", mean(&|held_out| !held_out)) + &row("**mean, held-out**", mean(&|held_out| held_out))
}
