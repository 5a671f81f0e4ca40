//! Changing a query by its tokens, so that everything else in it stays as it was written.

use contract::duration_text;

use super::{
    Reading,
    lex::{Kind, Token, tokens},
};
use crate::model::{MatchOp, selector};

/// Replaces parts of a text, given as byte ranges in ascending order.
fn replaced(text: &str, parts: &[(usize, usize, String)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut last = 0;
    for (from, to, with) in parts {
        out.push_str(text.get(last..*from).unwrap_or_default());
        out.push_str(with);
        last = *to;
    }
    out.push_str(text.get(last..).unwrap_or_default());
    out
}

/// The query with the metric `from` called `to`; `None` when it does not stand there as a bare name.
pub(crate) fn rename_metric(query: &str, from: &str, to: &str) -> Option<String> {
    let tokens = tokens(query);
    let mut parts = Vec::new();
    for (place, token) in tokens.iter().enumerate() {
        let followed_by = tokens.get(place + 1).map(|next| next.text);
        let is_metric = token.kind == Kind::Name && token.text == from && !is_label_place(&tokens, place);
        if is_metric && followed_by != Some("(") {
            parts.push((token.at, token.end(), selector(Some(to), &[])));
        }
    }
    (!parts.is_empty()).then(|| replaced(query, &parts))
}

/// Whether the token stands inside braces, or in the list after `by`, `on` and their like.
fn is_label_place(tokens: &[Token<'_>], place: usize) -> bool {
    let mut open = Vec::new();
    for (at, token) in tokens.iter().enumerate().take(place) {
        match token.kind {
            Kind::Open => open.push((token.text, at)),
            Kind::Close => drop(open.pop()),
            _ => {}
        }
    }
    let Some((bracket, at)) = open.last() else { return false };
    let before = at.checked_sub(1).and_then(|before| tokens.get(before)).map_or("", |token| token.text);
    let groups = ["by", "without", "on", "ignoring", "group_left", "group_right"];
    *bracket == "{" || (*bracket == "(" && groups.contains(&before))
}

/// The query with the value of `label="from"` replaced by `to`; `None` when it does not stand there like that.
pub(crate) fn replace_value(query: &str, label: &str, from: &str, to: &str) -> Option<String> {
    let tokens = tokens(query);
    let mut parts = Vec::new();
    for three in tokens.windows(3) {
        if let [name, equals, value] = three
            && name.text == label
            && equals.text == "="
            && value.unquoted() == Some(from)
        {
            let whole = selector(None, &[(label, MatchOp::Equal, to)]);
            let quoted = whole.split_once('=').map(|(_, quoted)| quoted.trim_end_matches('}').to_owned());
            parts.push((value.at, value.end(), quoted?));
        }
    }
    (!parts.is_empty()).then(|| replaced(query, &parts))
}

/// The query with `label="value"` read as a regular expression; `None` when it does not stand there like that.
pub(crate) fn as_regex(query: &str, label: &str, value: &str) -> Option<String> {
    let tokens = tokens(query);
    let is_it = |three: &&[Token<'_>]| match three {
        [name, equals, text] => name.text == label && equals.text == "=" && text.unquoted() == Some(value),
        _ => false,
    };
    let parts: Vec<(usize, usize, String)> = tokens
        .windows(3)
        .filter(is_it)
        .filter_map(|three| three.get(1))
        .map(|equals| (equals.at, equals.end(), "=~".to_owned()))
        .collect();
    (!parts.is_empty()).then(|| replaced(query, &parts))
}

/// The query with one more matcher on the only selector in it; `None` when there is not exactly one bare metric
/// name, or when labels are rewritten on the way.
pub(crate) fn narrow(reading: &Reading<'_>, metric: &str, label: &str, value: &str) -> Option<String> {
    let rewrites = ["label_replace", "label_join", "group_left", "group_right", "count_values", "info"];
    if reading.tokens.iter().any(|token| token.kind == Kind::Name && rewrites.contains(&token.text)) {
        return None;
    }
    let mut places = (0..reading.tokens.len()).filter(|&place| {
        let token = reading.tokens.get(place);
        token.is_some_and(|token| token.kind == Kind::Name && token.text == metric)
            && !is_label_place(&reading.tokens, place)
    });
    let place = places.next()?;
    if places.next().is_some() {
        return None;
    }
    let added = selector(None, &[(label, MatchOp::Equal, value)]);
    let next = reading.tokens.get(place + 1);
    if let Some(brace) = next.filter(|token| token.text == "{") {
        let is_empty = reading.tokens.get(place + 2).is_some_and(|token| token.text == "}");
        let inside = added.trim_start_matches('{').trim_end_matches('}');
        let with = if is_empty { inside.to_owned() } else { format!("{inside}, ") };
        return Some(replaced(reading.text, &[(brace.end(), brace.end(), with)]));
    }
    let end = reading.tokens.get(place)?.end();
    Some(replaced(reading.text, &[(end, end, added)]))
}

/// The query with `[5m]` where `function(…)` at `at` (bytes) or before holds a plain selector without a range.
pub(crate) fn add_range(reading: &Reading<'_>, function: &str, at: usize) -> Option<String> {
    let place = reading.tokens.iter().rposition(|token| token.text == function && token.at <= at)?;
    let inside = reading.tokens.get(place + 2..)?;
    let mut depth = 0_usize;
    let mut end = None;
    for token in inside {
        match token.text {
            ")" if depth == 0 => break,
            // Only a selector may have a range.
            "(" | "[" | "," if depth == 0 => return None,
            _ => {}
        }
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        end = Some(token.end());
    }
    let end = end?;
    Some(replaced(reading.text, &[(end, end, "[5m]".to_owned())]))
}

/// The query with every range longer than `longest` seconds cut to it; `None` when there is none.
pub(crate) fn shorten(reading: &Reading<'_>, longest: f64) -> Option<String> {
    let too_long = |text: &str| {
        let length = super::lex::duration(text);
        length.is_some_and(|length| length.as_secs_f64() > longest)
    };
    let mut parts = Vec::new();
    for pair in reading.tokens.windows(2) {
        if let [open, number] = pair
            && open.text == "["
            && too_long(number.text)
        {
            parts.push((number.at, number.end(), duration_text(longest)));
        }
    }
    (!parts.is_empty()).then(|| replaced(reading.text, &parts))
}

/// The dashboard variables in a query, each once, in the order written: `$__rate_interval`, `$service`, `${env}`.
/// A `$` within a string is left alone unless it is one of the dashboard's own (`$__…`, `${…}`): it ends regular
/// expressions.
pub(crate) fn variables<'q>(reading: &Reading<'q>) -> Vec<&'q str> {
    let mut found: Vec<&str> = Vec::new();
    for (at, _) in reading.text.match_indices('$') {
        let rest = reading.text.get(at..).unwrap_or_default();
        let name = variable(rest);
        let inside =
            reading.tokens.iter().any(|token| token.kind == Kind::Text && token.at < at && at < token.end());
        let is_sure = !inside || name.starts_with("$__") || name.starts_with("${");
        let is_comment = !inside && !reading.tokens.iter().any(|token| token.at == at);
        if name.len() > 1 && is_sure && !is_comment && !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// The variable that `rest` begins with; `$` alone when it is none.
fn variable(rest: &str) -> &str {
    let name = |from: &str| from.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(from.len());
    let after = rest.get(1..).unwrap_or_default();
    let length = match after.strip_prefix('{') {
        Some(braced) => match braced.find('}') {
            Some(end) if end > 0 && braced.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') => {
                end + 3
            }
            _ => 1,
        },
        None if after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') => 1 + name(after),
        None => 1,
    };
    rest.get(..length).unwrap_or("$")
}

/// The query with every variable replaced, and those that only a dashboard knows.
pub(crate) fn substitute<'q>(reading: &Reading<'q>, step: f64, range: f64) -> (String, Vec<&'q str>) {
    let variables = variables(reading);
    let mut text = reading.text.to_owned();
    let mut unknown = Vec::new();
    // Longer names first: `$__range` begins `$__range_s`.
    let mut longest_first = variables.clone();
    longest_first.sort_by_key(|name| std::cmp::Reverse(name.len()));
    for name in longest_first {
        match value(name, step, range) {
            Some(value) => text = text.replace(name, &value),
            None => unknown.push(name),
        }
    }
    unknown.sort_by_key(|name| variables.iter().position(|other| other == name));
    (text, unknown)
}

/// What Grafana would put in: for `$__rate_interval` four scrapes of 15 s, or a step and one scrape.
fn value(name: &str, step: f64, range: f64) -> Option<String> {
    let bare = name.trim_start_matches('$').trim_start_matches('{').trim_end_matches('}');
    let milliseconds = |seconds: f64| format!("{:.0}", seconds * 1000.0);
    Some(match bare {
        "__rate_interval" => duration_text((step + super::SCRAPE).max(4.0 * super::SCRAPE)),
        "__interval" => duration_text(step),
        "__interval_ms" => milliseconds(step),
        "__range" => duration_text(range),
        "__range_s" => format!("{range:.0}"),
        "__range_ms" => milliseconds(range),
        _ => return None,
    })
}
