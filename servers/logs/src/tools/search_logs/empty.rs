//! Why nothing was found: another service, another window, a filter too many, a field that nothing has.

use contract::{Answer, Cite, Draft, Finding, Next, TimeRange, ToolError, time_text};

use super::Asked;
use crate::{
    model::{Condition, Reply, Role, Search, Total},
    tools::asking::{Absence, Absent, Awaited, Told, Unlevelled},
};

pub(super) async fn answer(
    asked: &Asked<'_>,
    total: &Reply<Total>,
    unlevelled: Option<Unlevelled>,
) -> Result<Answer, ToolError> {
    let mut draft = Draft::new();
    let mut told = Told::new(asked.store);
    let cite = told.cite(&mut draft, total, &asked.search);
    let everything = Search { text: None, conditions: Vec::new(), ..asked.search.clone() };
    let all = asked.store.total(asked.cx, &everything).await?;
    let of_all = told.cite(&mut draft, &all, &everything);
    let verdict = if all.value.number() == 0 {
        let late = outside(asked, &mut draft, of_all).await?;
        let late = late.map_or(String::new(), |late| format!(" {}.", late.told("all")));
        format!("{}{late} {SEE_BELOW}", nothing(asked.search.window))
    } else {
        draft.finding(Finding::new(format!("the window holds {} in all", all.value.records()), of_all));
        let of_service = of_service(asked, &all).await?;
        let verdict = match (of_service.number(), &asked.service) {
            (0, Some(service)) => {
                let absence = Absence::of(asked.cx, asked.store, asked.search.window, service).await;
                absent(asked, &mut draft, &absence)
            }
            _ => unmatched(asked, of_service, total.partial.is_empty() && unlevelled.is_none()),
        };
        written_otherwise(asked, &mut draft, cite);
        filters(asked, &mut draft, &mut told).await?;
        verdict
    };
    told.caveats(&mut draft);
    unlevelled.iter().for_each(|none| draft.caveat(none.not_searched()));
    asked.service.iter().for_each(|service| service.caveat(&mut draft));
    asked.past.caveat("time_range").into_iter().for_each(|cut| draft.caveat(cut));
    draft.next(Next::call("list_log_sources", "which services, fields and times there are"));
    Ok(draft.conclude(verdict))
}

const SEE_BELOW: &str = "This is not a zero of the service: see why below.";

fn nothing(window: TimeRange) -> String {
    format!("No record was found between {} and {}.", time_text(window.start()), time_text(window.end()))
}

/// How many records of the window are of the service; `all` without one.
async fn of_service(asked: &Asked<'_>, all: &Reply<Total>) -> Result<Total, ToolError> {
    let Some(service) = &asked.service else { return Ok(all.value) };
    let only = Search { window: asked.search.window, text: None, conditions: vec![service.condition()] };
    Ok(asked.store.total(asked.cx, &only).await?.value)
}

/// Says when the service was heard of, or which names are near to it.
fn absent(asked: &Asked<'_>, draft: &mut Draft, absence: &Absence) -> String {
    absence.show(draft, asked.store);
    absence.suggest(draft);
    if let Some(meant) = absence.meant() {
        let call = Next::call("search_logs", "the nearest name of a service")
            .with("query", asked.request.query.as_str());
        draft.next(call.with("service", meant).with("time_range", asked.search.window.to_string()));
    }
    let nothing = nothing(asked.search.window);
    let name = absence.name.shown(60);
    match (&absence.found, absence.told()) {
        (Absent::Before(_) | Absent::After(_), Some(told)) => {
            format!("{nothing} {name} logs nothing then: {told}.")
        }
        _ => format!("{nothing} {SEE_BELOW}"),
    }
}

/// Records are there, and the search is for others: a zero, as far as everything could be searched.
fn unmatched(asked: &Asked<'_>, searched: Total, everything: bool) -> String {
    let of = asked.service.as_ref().map_or(String::new(), |of| format!(" of {}", of.name.shown(60)));
    let partly = if everything { "" } else { " It may be no zero: see coverage." };
    format!("{} None of {}{of} matches.{partly}", nothing(asked.search.window), searched.records())
}

/// `level=error`, which Lucene takes for words, is written `level:error`.
fn written_otherwise(asked: &Asked<'_>, draft: &mut Draft, cite: Cite) {
    let text = asked.search.text.as_deref().filter(|_| asked.store.language() == "Lucene");
    let Some((name, value)) = text.and_then(equation) else { return };
    let shown = |separator: char| asked.cx.intake.text(&format!("{name}{separator}{value}")).shown(80);
    let text = format!("{} was looked for as text; a field is asked for as {}", shown('='), shown(':'));
    draft.finding(Finding::new(text, cite));
}

/// The first `word=word` outside quotes.
fn equation(text: &str) -> Option<(&str, &str)> {
    let unquoted = text.split('"').step_by(2);
    let words = unquoted.flat_map(|part| part.split(|one: char| one.is_whitespace() || "()".contains(one)));
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|one| one.is_alphanumeric() || "_.@-".contains(one))
    };
    words.filter_map(|word| word.split_once('=')).find(|(name, value)| is_name(name) && !value.is_empty())
}

/// Nothing at all is there: the window lies before or after the records, or they have not arrived yet.
async fn outside(asked: &Asked<'_>, draft: &mut Draft, cite: Cite) -> Result<Option<Awaited>, ToolError> {
    let sources = asked.store.sources(asked.cx).await?.value;
    let spans = sources.iter().filter_map(|source| source.span);
    let reach = spans.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
    let text = match reach {
        Some((first, last)) => format!(
            "the window holds no record at all: records are from {} to {}",
            time_text(first),
            time_text(last)
        ),
        None if sources.is_empty() => "there is nothing with logs in it that may be read".to_owned(),
        None => "the window holds no record at all, of any service".to_owned(),
    };
    draft.finding(Finding::new(text, cite));
    let last = reach.map(|(_, last)| last).filter(|last| *last < asked.search.window.start());
    let Some(last) = last else { return Ok(None) };
    match Awaited::of(asked.cx, asked.store, last, Vec::new()).await {
        Ok(late) => {
            late.iter().for_each(|late| late.show(draft, asked.store, "all"));
            Ok(late)
        }
        Err(error) => {
            draft.caveat(format!("how late records arrive is not known: {error}"));
            Ok(None)
        }
    }
}

/// How many there would be with one filter fewer.
async fn filters(asked: &Asked<'_>, draft: &mut Draft, told: &mut Told<'_>) -> Result<(), ToolError> {
    let search = &asked.search;
    let mut tried: Vec<(String, Search)> = Vec::new();
    if search.text.is_some() && !search.conditions.is_empty() {
        tried.push(("without the query".to_owned(), Search { text: None, ..search.clone() }));
    }
    let parts = search.conditions.len() + usize::from(search.text.is_some());
    for (place, condition) in search.conditions.iter().enumerate().filter(|_| parts > 1) {
        let mut conditions = search.conditions.clone();
        conditions.remove(place);
        tried.push((format!("without {}", named(asked, condition)), Search { conditions, ..search.clone() }));
    }
    for (what, search) in tried {
        let reply = asked.store.total(asked.cx, &search).await?;
        let cite = told.cite(draft, &reply, &search);
        draft.finding(Finding::new(format!("{what}: {}", reply.value.records()), cite));
    }
    Ok(())
}

fn named(asked: &Asked<'_>, condition: &Condition) -> &'static str {
    match condition {
        of if asked.service.as_ref().is_some_and(|service| service.condition() == *of) => "the service",
        Condition::Is(Role::Trace, _) => "the trace id",
        Condition::AtLeast(_) => "the level",
        _ => "a condition",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_equation_is_a_name_and_a_value_outside_quotes() {
        for (text, expected) in [
            ("level=error", Some(("level", "error"))),
            ("pool AND (http.status=500)", Some(("http.status", "500"))),
            ("\"a=b\" c", None),
            ("a:b", None),
            ("=x", None),
            ("x= y", None),
            ("a:>=5", None),
        ] {
            assert_eq!(equation(text), expected, "{text}");
        }
    }
}
