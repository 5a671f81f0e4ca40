//! What is said in sentences.

use contract::{Cite, Draft, Finding, Untrusted, significant, time_text};

use super::{
    divide::SUM,
    overview::SERIES,
    show::{Shown, percent, relative, tenths},
};
use crate::analysis::{
    baseline::told,
    comparison::{Blame, Compared, Fate, Pair, blame, blame_mean},
};

/// Label values named in one sentence.
const MOST_NAMED: usize = 4;

/// What moved a total, of one measure.
pub(super) struct Blamed {
    /// What the total is of: `rate`, `mean`.
    what: &'static str,
    causes: Vec<Blame>,
    /// Whether there was anything to blame, so that finding none means that all moved alike.
    had_a_choice: bool,
}

/// Which label values moved the totals that moved: the sum of what adds up, and the mean of a histogram.
pub(super) fn blamed(shown: &Shown<'_>) -> Vec<Blamed> {
    let mut all = Vec::new();
    if shown.call.windows.is_within || shown.overview.chosen.is_empty() {
        return all;
    }
    let of =
        |name: &str| shown.divided.pairs.iter().filter(|pair| pair.measure == name).collect::<Vec<&Pair>>();
    let (sums, counts) = (of(SUM), of("rate"));
    // What came back left nothing to account for.
    let is_moved = |one: &Compared| one.has_moved() && !one.came_back;
    let moved = |measure: &str| shown.totals.iter().find(|one| one.measure == measure && is_moved(one));
    if let Some(total) = moved("p95")
        && !sums.is_empty()
    {
        let causes = blame_mean(&sums, &counts, total.onset.unwrap_or(0));
        all.push(Blamed { what: "mean", causes, had_a_choice: counts.len() > 1 });
    }
    for measure in shown.metric.measures(crate::analysis::transform::Grouping::Each, shown.layout) {
        let Some(total) = moved(measure.name).filter(|_| measure.adds_up || measure.name == "value") else {
            continue;
        };
        let pairs = of(measure.name);
        let causes = blame(&pairs, total.onset.unwrap_or(0));
        all.push(Blamed { what: measure.name, causes, had_a_choice: pairs.len() > 1 });
    }
    all
}

/// The answer in one sentence.
pub(super) fn verdict(shown: &Shown<'_>, blamed: &[Blamed]) -> String {
    if shown.call.windows.is_within {
        return within(shown);
    }
    let Some(main) = shown.main() else { return of_rows(shown, "") };
    let total = about_total(shown, main);
    let cause = blamed.iter().find_map(|one| Some(cause_text(one.causes.first()?, one.what)));
    let cause = cause.map(|cause| format!("; {cause}")).unwrap_or_default();
    let against = format!(", compared with {}", told(&shown.overview.chosen));
    let against = if shown.overview.chosen.is_empty() { String::new() } else { against };
    let rows = if shown.rows.len() > 1 { of_rows(shown, "; ") } else { String::new() };
    let rows = if cause.is_empty() { rows } else { String::new() };
    format!("{total}{against}{cause}{rows}.").replace("..", ".")
}

fn about_total(shown: &Shown<'_>, main: &Compared) -> String {
    let name = what(shown, main);
    let median = |side: Option<crate::analysis::comparison::Side>| {
        side.map_or("NaN".to_owned(), |side| significant(side.median))
    };
    match main.fate {
        Fate::Appeared(_) if shown.overview.chosen.is_empty() => {
            let why = match shown.overview.source_has.0 {
                Some(false) => {
                    "the source has no samples of any target then (retention, or it was not running)"
                }
                _ => "there are no samples of it in any baseline window",
            };
            format!("{name} has nothing to be compared with: {why}; its median now is {}", median(main.now))
        }
        Fate::Appeared(_) => {
            let since = shown.onset(main).map_or(String::new(), |at| format!(" since {}", time_text(at)));
            format!("{name} appeared: no samples before, median {} now{since}", median(main.now))
        }
        Fate::Vanished(_) if shown.overview.source_has.1 == Some(false) => format!(
            "{name} has no samples now, and neither has any target of the source: this is no movement of the metric; its \
             median before was {}",
            median(main.before)
        ),
        Fate::Vanished(_) => {
            let since = shown
                .onset(main)
                .map_or(" in the whole window".to_owned(), |at| format!(" after {}", time_text(at)));
            format!("{name} vanished: no samples{since}, median {} before", median(main.before))
        }
        Fate::TooLittle => format!(
            "{name}: not enough data to compare ({} of the expected samples before, {} now)",
            percent(main.covered.0),
            percent(main.covered.1)
        ),
        Fate::Measured => moved(shown, main, &name),
    }
}

/// How something that was there in both windows moved.
fn moved(shown: &Shown<'_>, one: &Compared, name: &str) -> String {
    let (Some(before), Some(now)) = (one.before, one.now) else { return format!("{name} has no values") };
    let (from, to) = (significant(before.median), significant(now.median));
    let effect =
        one.effect.map_or(String::new(), |effect| format!(", effect {}", significant(tenths(effect))));
    if !one.has_moved() {
        return format!(
            "{name} did not move beyond its usual spread: median {from} → {to} ({}{effect})",
            relative(one)
        );
    }
    let level = one.level.unwrap_or(now.median);
    let verb = if level >= before.median { "rose" } else { "fell" };
    let since = shown.since(one);
    if one.came_back {
        let way = if level >= before.median { "rose" } else { "fell" };
        return format!(
            "{name} {way} from median {from} to {}{since} and came back (median of the whole window {to}, {}{effect})",
            significant(level),
            relative(one)
        );
    }
    let is_late = (level - now.median).abs() > 0.05 * (level - before.median).abs();
    if is_late {
        return format!(
            "{name} {verb} from median {from} before to {}{since} (median of the whole window {to}, {}{effect})",
            significant(level),
            relative(one)
        );
    }
    format!("{name} {verb} from median {from} to {to} ({}{effect}){since}", relative(one))
}

/// `p95 of http_request_duration_seconds`, `rate of …`; of a value the metric alone.
fn what(shown: &Shown<'_>, one: &Compared) -> String {
    let title = shown.metric.title();
    let labels = if one.labels.is_empty() || !shown.overview.is_total {
        String::new()
    } else {
        format!(" {}", one.labels.text())
    };
    match one.measure.as_str() {
        "value" => format!("{title}{labels}"),
        measure => format!("{measure}{labels} of {title}"),
    }
}

/// What the rows did, most of all the first.
fn of_rows(shown: &Shown<'_>, before: &str) -> String {
    let count = |wanted: fn(&Compared) -> bool| shown.rows.iter().filter(|one| wanted(one)).count();
    let moved_count = count(|one| one.fate == Fate::Measured && one.has_moved());
    // Without a baseline nothing has appeared.
    let has_baseline = !shown.overview.chosen.is_empty();
    let appeared = count(|one| matches!(one.fate, Fate::Appeared(_))) * usize::from(has_baseline);
    let vanished = count(|one| matches!(one.fate, Fate::Vanished(_)));
    let mut parts = Vec::new();
    for (number, verb) in [(moved_count, "moved"), (appeared, "appeared"), (vanished, "vanished")] {
        if number > 0 {
            parts.push(format!("{number} {verb}"));
        }
    }
    let of = shown.rows.len();
    let subject = if before.is_empty() {
        format!("of {of} series of {}", shown.metric.title())
    } else {
        format!("of {of} rows")
    };
    let Some(first) = shown.rows.first().filter(|_| !parts.is_empty()) else {
        return if before.is_empty() {
            format!("{subject} none moved beyond its usual spread.")
        } else {
            String::new()
        };
    };
    format!("{before}{subject} {}, most of all {}", parts.join(", "), row(shown, first))
}

/// A row in a sentence.
fn row(shown: &Shown<'_>, one: &Compared) -> String {
    let name: String = shown.named(one).chars().take(160).collect();
    match one.fate {
        Fate::Measured => moved(shown, one, &name),
        Fate::TooLittle => format!("{name}: not enough data"),
        Fate::Appeared(_) => {
            let level =
                one.now.map_or(String::new(), |side| format!(" (median {})", significant(side.median)));
            format!("{name}, which was not there before{level}")
        }
        Fate::Vanished(_) => {
            let level = one
                .before
                .map_or(String::new(), |side| format!(" (median {} before)", significant(side.median)));
            let since = shown.onset(one).map_or(String::new(), |at| format!(" after {}", time_text(at)));
            format!("{name}, which has no samples any more{since}{level}")
        }
    }
}

/// Values of a label against each other.
fn within(shown: &Shown<'_>) -> String {
    let by = shown.metric.by.join(", ");
    let title = shown.metric.title();
    if shown.rows.len() < 2 {
        return format!(
            "{title} has only one value of {by} in {}: nothing to compare",
            shown.call.windows.now
        );
    }
    let Some(first) = shown.rows.iter().find(|one| one.has_moved() && one.fate == Fate::Measured) else {
        return format!("{title} by {by}: no value differs from the others beyond their usual spread.");
    };
    let (Some(others), Some(own)) = (first.before, first.now) else { return format!("{title} by {by}.") };
    let effect =
        first.effect.map_or(String::new(), |effect| format!(", effect {}", significant(tenths(effect))));
    format!(
        "{title} by {by}: {} has median {} against {} of the others ({}{effect}).",
        shown.named(first),
        significant(own.median),
        significant(others.median),
        relative(first)
    )
}

/// The findings below the verdict.
pub(super) fn all(shown: &Shown<'_>, blamed: &[Blamed], draft: &mut Draft) {
    let cite = shown.cite();
    for one in blamed {
        for cause in &one.causes {
            let share = format!(
                "which label value moved it: {} (surprise {} bits)",
                cause_text(cause, one.what),
                significant((cause.surprise * 1000.0).round() / 1000.0)
            );
            draft.finding(Finding::new(share, cite).and(shown.overview.cite));
        }
        if one.causes.is_empty() && one.had_a_choice {
            draft.finding(Finding::new(
                format!(
                    "no few label values account for the change of the {}: all moved alike, or in crumbs",
                    one.what
                ),
                cite,
            ));
        }
    }
    others(shown, draft, shown.overview.cite);
    came_and_went(shown, draft, cite);
}

/// Totals that moved besides the one of the verdict.
fn others(shown: &Shown<'_>, draft: &mut Draft, cite: Cite) {
    if shown.call.windows.is_within {
        return;
    }
    let main = shown.main();
    let rest = shown.totals.iter().filter(|one| Some(*one) != main && one.measure != SERIES);
    for one in rest.filter(|one| one.has_moved() && one.fate == Fate::Measured) {
        draft.finding(Finding::new(moved(shown, one, &format!("{} in total", one.measure)), cite));
    }
}

fn came_and_went(shown: &Shown<'_>, draft: &mut Draft, cite: Cite) {
    if shown.overview.chosen.is_empty() {
        return;
    }
    for (verb, wanted) in [
        ("appeared", (|fate| matches!(fate, Fate::Appeared(_))) as fn(Fate) -> bool),
        ("vanished", |fate| matches!(fate, Fate::Vanished(_))),
    ] {
        let those: Vec<&Compared> = shown.rows.iter().filter(|one| wanted(one.fate)).collect();
        if those.len() > 1 && those.len() < shown.rows.len() {
            let names: Vec<String> = those
                .iter()
                .take(MOST_NAMED)
                .map(|one| shown.named(one).chars().take(120).collect())
                .collect();
            let more = if those.len() > names.len() { ", …" } else { "" };
            draft.finding(Finding::new(format!("{} {verb}: {}{more}", those.len(), names.join(", ")), cite));
        }
    }
}

/// `code=500 (rate 0.2 → 120) accounts for 92 % of the change`.
fn cause_text(cause: &Blame, what: &str) -> String {
    let value =
        |value: &Option<Untrusted>| value.as_ref().map_or("(none)".to_owned(), |value| value.shown(80));
    let level = |level: Option<f64>| level.map_or("none".to_owned(), significant);
    let named: Vec<String> = (cause.values.iter().take(MOST_NAMED))
        .map(|one| {
            let label = format!("{}={}", cause.label.shown(60), value(&one.value));
            format!("{label} ({what} {} → {})", level(one.before), level(one.now))
        })
        .collect();
    let more = cause.values.len().saturating_sub(named.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let verb = if cause.values.len() == 1 { "accounts" } else { "account" };
    format!("{}{more} {verb} for {} of the change", named.join(", "), percent(cause.explains))
}
