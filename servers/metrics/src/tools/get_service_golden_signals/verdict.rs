//! One sentence about one service: what is wrong, by how much, since when; or that nothing is.

use contract::{duration_text, time_text};

use super::{
    ask::Look,
    one::{Picture, Requests, Row},
    show::{is_full, is_high},
    words::amount,
};
use crate::analysis::{
    baseline::Origin,
    signals::{
        judge::{Judged, Moved},
        queries::Signal,
    },
};

/// One sentence: what is wrong, by how much, since when; or that nothing is.
pub(super) fn verdict(look: &Look<'_>, picture: &Picture<'_>) -> String {
    let service = look.lookup.echo(picture.service);
    let full: Vec<String> = filling(picture).into_iter().map(full).collect();
    let Some(requests) = &picture.requests else {
        let head = format!(
            "No metrics of requests to {service} were found, so its traffic, errors and latency are unknown"
        );
        return match full.is_empty() {
            true => format!("{head}; nothing else of it is unusual."),
            false => format!("{head}; {}.", full.join(", ")),
        };
    };
    let traffic = of(requests, |signal| signal == Signal::Traffic);
    if let Some(text) = traffic.and_then(without_traffic) {
        return format!("{service} {text}{}.", and(&full));
    }
    let (parts, begun) = news(requests);
    if parts.is_empty() {
        let high = requests.rows.iter().chain(&picture.saturation);
        let ask_longer =
            high.clone().any(|row| row.is_from_before() && row.judged.moved.is_none() && is_high(row));
        let hint = if ask_longer { "; that is high in itself: look at a longer window" } else { "" };
        return format!("{service} {}{}{hint}.", usual(look, requests), and(&full));
    }
    let is_usual = traffic.is_some_and(|row| !row.judged.is_unusual());
    let normal = match traffic {
        Some(row) if is_usual && row.is_from_before() => "; traffic as before",
        _ if is_usual => "; traffic as usual",
        _ => "",
    };
    format!("{service} {}{}{normal}{}.", joined(&parts), since_first(&begun), and(&full))
}

/// The first row of such a signal.
fn of(requests: &Requests, wanted: fn(Signal) -> bool) -> Option<&Row> {
    requests.rows.iter().find(|row| row.signal.is_some_and(wanted))
}

/// What is unusual of requests, in words, and the rows that say it.
fn news(requests: &Requests) -> (Vec<String>, Vec<&Row>) {
    let (mut parts, mut begun) = (Vec::new(), Vec::new());
    let risen = |row: &&Row| row.judged.direction() == Some(true);
    let now = |row: &Row, unit: &str| amount(row.judged.now.unwrap_or(0.0), unit);
    if let Some(errors) = of(requests, |signal| signal == Signal::Errors).filter(risen) {
        parts.push(format!("is failing {} of requests{}", now(errors, "%"), was(errors)));
        begun.push(errors);
    }
    if let Some(latency) = of(requests, Signal::is_latency).filter(risen) {
        let name = latency.name.trim_start_matches("latency ");
        let (verb, is) = if parts.is_empty() { ("has a", "of") } else { ("its", "is") };
        parts.push(format!("{verb} {name} {is} {}{}", now(latency, "s"), was(latency)));
        begun.push(latency);
    }
    let traffic = of(requests, |signal| signal == Signal::Traffic);
    if let Some(traffic) = traffic.filter(|row| row.judged.is_unusual()) {
        let much = if traffic.judged.direction() == Some(true) { "more" } else { "less" };
        let gets = if parts.is_empty() { "gets" } else { "it gets" };
        let now = now(traffic, &traffic.unit);
        parts.push(format!("{gets} {much} traffic than {}: {now}{}", than(traffic), was(traffic)));
        begun.push(traffic);
    }
    (parts, begun)
}

/// What is fuller than usual, the first to be so first, then what is nearly full as usual.
fn filling<'p>(picture: &'p Picture<'_>) -> Vec<&'p Row> {
    let risen = |row: &Row| row.judged.direction() == Some(true);
    let mut rows: Vec<&Row> = picture.saturation.iter().filter(|row| risen(row) || is_full(row)).collect();
    rows.sort_by_key(|row| (!risen(row), row.judged.moved.as_ref().map(|moved| row.moment(moved.since))));
    rows
}

/// `pool (db_pool) 100 % (30 % before) since 14:02:15`.
fn full(row: &Row) -> String {
    let now = row.judged.now.unwrap_or(0.0);
    let now = if row.is_share { amount(now, "%") } else { amount(now, "") };
    let rest = row.unit.strip_prefix('%').map(str::trim).filter(|rest| !rest.contains('÷'));
    let rest = rest.map_or(String::new(), |rest| format!(" {rest}"));
    match row.judged.direction() {
        Some(true) => format!("{} {now}{rest}{}{}", row.name, was(row), since_first(&[row]).replace(',', "")),
        _ => format!("{} {now}{rest}, as before", row.name),
    }
}

fn and(full: &[String]) -> String {
    if full.is_empty() { String::new() } else { format!("; {}", full.join(", ")) }
}

fn joined(parts: &[String]) -> String {
    match parts {
        [one, other] => format!("{one} and {other}"),
        [first, rest @ ..] if !rest.is_empty() => format!("{first}, {}", joined(rest)),
        _ => parts.join(""),
    }
}

/// What a row is compared with, after "than".
fn than(row: &Row) -> &'static str {
    if row.is_from_before() { "before" } else { "usual" }
}

/// ` (0.1 % usually)`.
fn was(row: &Row) -> String {
    let Some(baseline) = row.judged.baseline else { return String::new() };
    let when = match row.judged.compared.first().map(|one| one.origin) {
        Some(Origin::Earlier(_)) => "usually",
        _ => "before",
    };
    format!(" ({} {when})", amount(baseline, &row.unit).replace(&format!(" {}", row.unit), ""))
}

/// `, since 14:03:15`: the first of those that are unusual.
fn since_first(rows: &[&Row]) -> String {
    let first = rows.iter().filter_map(|row| {
        Some((row.moment(row.judged.moved.as_ref()?.since), row.judged.moved.as_ref()?.since))
    });
    match first.min() {
        Some((at, 0 | 1)) => format!(", since before {}", time_text(at)),
        Some((at, _)) => format!(", since {}", time_text(at)),
        None => String::new(),
    }
}

/// When nothing was asked of it.
fn without_traffic(row: &Row) -> Option<String> {
    let Judged { now, baseline, ended, present, .. } = &row.judged;
    let was =
        baseline.map_or(String::new(), |baseline| format!(" ({} usually)", amount(baseline, &row.unit)));
    if *present == 0 {
        let last = match ended {
            Some(ended) => format!("the last at {}", time_text(row.moment(ended.saturating_sub(1)))),
            None => "none just before either".to_owned(),
        };
        return Some(format!(
            "has no samples of requests in the window, {last}{was}: whether it answers is unknown, which is not 0 errors"
        ));
    }
    if let Some(ended) = ended {
        let at = time_text(row.moment(ended.saturating_sub(1)));
        return Some(format!("has no samples of requests since {at}{was}: it vanished, or is not scraped"));
    }
    (*now == Some(0.0))
        .then(|| format!("has no traffic: 0 requests/s in the window{was}; errors and latency are undefined"))
}

/// What is as usual, or can't be judged, or is over.
fn usual(look: &Look<'_>, requests: &Requests) -> String {
    let is_judged = requests.rows.iter().any(|row| row.judged.baseline.is_some());
    let fails = of(requests, |signal| signal == Signal::Errors).filter(|row| is_judged && is_high(row));
    let values: Vec<String> = requests
        .rows
        .iter()
        .filter(|row| fails.is_none_or(|fails| fails.signal != row.signal))
        .filter_map(|row| {
            let now = amount(row.judged.now?, &row.unit);
            Some(match row.signal? {
                Signal::Traffic => now,
                Signal::Errors => format!("{now} errors"),
                Signal::Quantile(_) | Signal::Mean => {
                    format!("{} {now}", row.name.trim_start_matches("latency "))
                }
            })
        })
        .collect();
    let values = values.join(", ");
    // What is not quite back is told before what is.
    let ended = requests.rows.iter().filter_map(|row| {
        let moved = row.judged.moved.as_ref()?;
        Some((row, moved, moved.back?))
    });
    if let Some((row, moved, back)) = ended.min_by_key(|(_, moved, _)| moved.settled) {
        return over(row, moved, back, fails, &values);
    }
    if !is_judged {
        return format!("has {values}; there is no baseline, so whether that is usual is unknown");
    }
    let before = duration_text(look.period.window.seconds());
    let is_before = requests.rows.iter().any(Row::is_from_before);
    let before = format!("in the {before} just before (no baseline of earlier days)");
    match (fails, is_before) {
        (Some(fails), true) => format!("{}, as {before}: {values}", failing(fails)),
        (Some(fails), false) => format!("{}, as usual: {values}", failing(fails)),
        (None, true) => format!("is as {before}: {values}"),
        (None, false) => format!("is as usual: {values}"),
    }
}

/// `fails 11.2 % of requests`.
fn failing(row: &Row) -> String {
    format!("fails {} of requests", amount(row.judged.now.unwrap_or(0.0), "%"))
}

/// What was unusual, and is not any more.
fn over(row: &Row, moved: &Moved, back: usize, fails: Option<&Row>, values: &str) -> String {
    let values = fails.map_or(values.to_owned(), |fails| format!("{values}; it {}", failing(fails)));
    let how = match moved.settled {
        true if row.is_from_before() => "is back to what it was before",
        true => "is back to usual",
        false => "is nearer to what it was, but not back,",
    };
    let since = match moved.since {
        0 | 1 => format!("before {}", time_text(row.moment(moved.since))),
        since => time_text(row.moment(since)),
    };
    let (back, extreme) = (time_text(row.moment(back)), amount(moved.extreme, &row.unit));
    format!("{how} since {back}: {} was {extreme} from {since} on{}; now {values}", row.name, was(row))
}
