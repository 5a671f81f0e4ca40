//! Figures beside their goals, as Markdown tables that line up in a terminal.

/// What a figure should be.
#[derive(Clone, Copy)]
pub(super) enum Goal {
    AtMost(f64),
    AtLeast(f64),
    /// There is none; the figure is shown for what it explains.
    None,
}

/// One figure.
pub(super) struct Figure {
    pub(super) name: String,
    pub(super) measured: f64,
    pub(super) unit: &'static str,
    pub(super) goal: Goal,
}

impl Figure {
    pub(super) fn new(name: impl Into<String>, measured: f64, unit: &'static str, goal: Goal) -> Figure {
        Figure { name: name.into(), measured, unit, goal }
    }

    fn is_met(&self) -> Option<bool> {
        match self.goal {
            Goal::AtMost(goal) => Some(self.measured <= goal),
            Goal::AtLeast(goal) => Some(self.measured >= goal),
            Goal::None => None,
        }
    }

    pub(super) fn is_missed(&self) -> bool {
        self.is_met() == Some(false)
    }

    /// As `cargo xtask verify` reads it.
    pub(super) fn for_verify(&self) -> String {
        let row = self.row();
        let cell = |index: usize| row.get(index).map(|cell| cell.trim()).unwrap_or_default();
        format!("figure: {} | {} | {}", cell(0), cell(1), cell(2))
    }

    fn row(&self) -> Vec<String> {
        let (sign, goal) = match self.goal {
            Goal::AtMost(goal) => ("≤", goal),
            Goal::AtLeast(goal) => ("≥", goal),
            Goal::None => return vec![self.name.clone(), self.value(), "".into(), "".into(), "".into()],
        };
        let met = if self.is_met() == Some(true) { "met" } else { "NOT MET" };
        let ratio = if goal == 0.0 { String::new() } else { format!("{:.2}", self.measured / goal) };
        vec![
            self.name.clone(),
            self.value(),
            format!("{sign} {} {}", number(goal), self.unit),
            ratio,
            met.into(),
        ]
    }

    fn value(&self) -> String {
        format!("{} {}", number(self.measured), self.unit)
    }
}

/// All figures: measured, goal, measured ÷ goal, met or not.
pub(super) fn figures(figures: &[Figure]) -> String {
    let rows: Vec<_> = figures.iter().map(Figure::row).collect();
    table(&["figure", "measured", "goal", "÷ goal", ""], &rows)
}

/// Columns padded to the same width; the first is text, the others are numbers and end on the right.
pub(super) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let width = |text: &str| text.chars().count();
    let widths: Vec<usize> = header
        .iter()
        .enumerate()
        .map(|(column, name)| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| width(cell)).chain([width(name)]).max().unwrap_or_default()
        })
        .collect();
    let line = |cells: &[String]| {
        let padded = cells.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        format!("| {} |\n", padded.collect::<Vec<_>>().join(" | "))
    };
    let names: Vec<String> = header.iter().map(|&name| name.to_owned()).collect();
    let rule = widths.iter().enumerate().map(|(column, width)| {
        if column == 0 { "-".repeat(*width) } else { format!("{}:", "-".repeat(width.saturating_sub(1))) }
    });
    let rule: Vec<String> = rule.collect();
    [line(&names), line(&rule)].into_iter().chain(rows.iter().map(|row| line(row))).collect()
}

/// Whole from a hundred on, with commas; three digits below.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if size < 100.0 && size != size.round() {
        return if size < 10.0 { format!("{value:.2}") } else { format!("{value:.1}") };
    }
    let digits = format!("{size:.0}");
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if value < 0.0 { format!("-{grouped}") } else { grouped }
}

/// The middle value; the mean of the two middle ones when their number is even.
pub(super) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_unstable_by(f64::total_cmp);
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) {
        (at(middle.saturating_sub(1)) + at(middle)) / 2.0
    } else {
        at(middle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_grouped() {
        let cases = [
            (4_012_345.4, "4,012,345"),
            (100.0, "100"),
            (99.94, "99.9"),
            (9.876, "9.88"),
            (12.0, "12"),
            (0.0, "0"),
            (-1234.0, "-1,234"),
        ];
        for (value, expected) in cases {
            assert_eq!(number(value), expected);
        }
    }

    #[test]
    fn the_median_of_an_even_count_lies_between_the_two_middle_values() {
        assert_eq!(median([9.0, 1.0, 5.0]), 5.0);
        assert_eq!(median([9.0, 1.0, 5.0, 6.0]), 5.5);
        assert!(median([]).is_nan());
    }

    #[test]
    fn a_table_shows_figures_beside_their_goals() {
        let shown = figures(&[
            Figure::new("start", 25.0, "ms", Goal::AtMost(20.0)),
            Figure::new("rate", 30_000.0, "calls/s", Goal::AtLeast(15_000.0)),
            Figure::new("peak", 1.5, "MB", Goal::None),
        ]);
        let expected = "\
| figure |       measured |             goal | ÷ goal |         |
| ------ | -------------: | ---------------: | -----: | ------: |
| start  |          25 ms |          ≤ 20 ms |   1.25 | NOT MET |
| rate   | 30,000 calls/s | ≥ 15,000 calls/s |   2.00 |     met |
| peak   |        1.50 MB |                  |        |         |
";
        assert_eq!(shown, expected);
    }
}
