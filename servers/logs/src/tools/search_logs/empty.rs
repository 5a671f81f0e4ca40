//! Why nothing was found: another service, another window, a filter too many, a field that nothing has.

use contract::{Answer, Cite, Draft, Finding, Next, ToolError, time_text};

use super::{Asked, counted};
use crate::{
    model::{Condition, Reply, Role, Search, Total},
    tools::asking::{self, Told},
};

pub(super) async fn answer(asked: &Asked<'_>, total: &Reply<Total>) -> Result<Answer, ToolError> {
    let mut draft = Draft::new();
    let mut told = Told::new(asked.store);
    let cite = told.cite(&mut draft, total, &asked.search);
    let everything = Search { text: None, conditions: Vec::new(), ..asked.search.clone() };
    let all = asked.store.total(asked.cx, &everything).await?;
    let of_all = told.cite(&mut draft, &all, &everything);
    if all.value.number() == 0 {
        outside(asked, &mut draft, of_all).await?;
    } else {
        draft.finding(Finding::new(format!("the window holds {} in all", counted(all.value)), of_all));
        service(asked, &mut draft, cite).await?;
        filters(asked, &mut draft, &mut told).await?;
    }
    told.caveats(&mut draft);
    asked.service.iter().for_each(|service| service.caveat(&mut draft));
    asked.past.caveat("time_range").into_iter().for_each(|cut| draft.caveat(cut));
    draft.next(Next::call("list_log_sources", "which services, fields and times there are"));
    let window = asked.search.window;
    let verdict = format!(
        "No record was found between {} and {}. This is not a zero of the service: see why below.",
        time_text(window.start()),
        time_text(window.end())
    );
    Ok(draft.conclude(verdict))
}

/// Nothing at all is there: the window lies before or after the records.
async fn outside(asked: &Asked<'_>, draft: &mut Draft, cite: Cite) -> Result<(), ToolError> {
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
    Ok(())
}

/// Whether the service is known by another name.
async fn service(asked: &Asked<'_>, draft: &mut Draft, cite: Cite) -> Result<(), ToolError> {
    let Some(service) = &asked.service else { return Ok(()) };
    let only = Search { text: None, conditions: vec![service.condition()], ..asked.search.clone() };
    if asked.store.total(asked.cx, &only).await?.value.number() > 0 {
        return Ok(());
    }
    let near =
        asking::services_near(asked.cx, asked.store, asked.search.window, service.name.inside()).await?;
    let shown: Vec<String> = near.iter().map(|name| name.shown(60)).collect();
    let name = service.name.shown(60);
    let text = match shown.as_slice() {
        [] => format!("no record names {name} as its service, nor any other service"),
        near => format!("no record is of a service {name}; there are: {}", near.join(", ")),
    };
    draft.finding(Finding::new(text, cite));
    if let Some(first) = near.first().and_then(|name| name.plain()) {
        let call = Next::call("search_logs", "the nearest name of a service")
            .with("query", asked.request.query.as_str());
        draft.next(call.with("service", first).with("time_range", asked.search.window.to_string()));
    }
    Ok(())
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
        draft.finding(Finding::new(format!("{what}: {}", counted(reply.value)), cite));
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
