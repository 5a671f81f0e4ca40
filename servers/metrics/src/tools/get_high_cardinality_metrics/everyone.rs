//! The answer about all services: where it is worst, by what left its usual range there.

use contract::{Answer, Cell, Cite, Draft, Next, Table, ToolError, Untrusted, time_text};

use super::{
    Look,
    gather::{Gathered, gather},
    series::Scopes,
    unusual::{Shown, all_cites, baseline, change, held_against, longer, score, scored, since},
    words::{named, what},
};
use crate::{
    analysis::unusual::{
        moment::Split,
        ranking::{Ranked, UNUSUAL, rank_steadily, service, services},
        signals::Signal,
    },
    config::aliases::Matcher,
    tools::scope::{self, Scope},
};

/// What was read of all services.
pub(super) struct All {
    label: Untrusted,
    scopes: Scopes,
    pub(super) gathered: Gathered,
}

/// Reads all services; `None` where no label tells them apart.
///
/// # Errors
/// When nothing can be read.
pub(super) async fn gathered(look: &Look<'_>, draft: &mut Draft) -> Result<Option<All>, ToolError> {
    let lookup = look.lookup();
    let Some(label) = scope::service_label(&lookup, &[], draft).await? else { return Ok(None) };
    let scopes = Scopes(vec![Scope::new(&lookup, vec![Matcher::regex(label.inside(), ".+")])]);
    let gathered = gather(look, &scopes, Some(label.inside()), draft).await?;
    Ok(Some(All { label, scopes, gathered }))
}

pub(super) async fn answer(look: &Look<'_>, mut draft: Draft) -> Result<Answer, ToolError> {
    let Some(All { label, scopes, gathered }) = gathered(look, &mut draft).await? else {
        draft.next(Next::call("search_metrics", "what is measured at all").with("text", "*"));
        return Ok(draft.conclude(
            "No label here says which service a series is of, so services can't be ranked; nothing was judged.",
        ));
    };
    look.guard.caveats().into_iter().for_each(|caveat| draft.caveat(caveat));
    let Some(cite) = gathered.cites.first().copied() else {
        return Ok(draft.conclude("Nothing was read."));
    };
    let (ranked, split) = rank_steadily(&gathered.signals, split(&gathered));
    let shown = Shown { look, scopes: &scopes, gathered: &gathered, split: &split };
    draft.caveat(format!("services are told apart by the label {}", label.shown(80)));
    draft.caveat("each service is judged as a whole: its label sets and what the cluster says about its containers only with `service`");
    draft.caveat(baseline(&shown));
    let worst = services(&ranked, &gathered.signals);
    let all: std::collections::BTreeSet<&str> = gathered.signals.iter().filter_map(service).collect();
    let Some(first) = worst.first() else {
        if let Some(next) = longer(&shown) {
            draft.next(next);
        }
        return Ok(draft.conclude(format!(
            "None of {} services has a metric that left its usual range ({} signals were judged, none by {UNUSUAL} spreads of \
             {}).",
            all.len(),
            gathered.signals.len(),
            held_against(&shown)
        )));
    };
    if let Some(order) = first_to_move(&shown, &ranked, &worst) {
        draft.finding(all_cites(order, cite, &gathered.cites));
    }
    draft.table(table(&shown, &ranked, &worst, cite));
    let window = gathered.when.window.to_string();
    for name in worst.iter().take(2) {
        if let Some(name) = look.cx.intake.text(name).plain() {
            let next =
                Next::call("get_high_cardinality_metrics", "all of its metrics, apart by their labels");
            draft.next(look.of_source(next.with("service", name).with("time_range", window.as_str())));
        }
    }
    let of_first = of(&shown, &ranked, first);
    let lead = of_first.first().and_then(|lead| Some((*lead, gathered.signals.get(lead.signal)?)));
    let first = look.cx.intake.text(first).shown(80);
    let lead = lead.map_or(String::new(), |(lead, signal)| {
        let name = named(look.cx, &scopes, signal);
        let (since, moved) = (since(&shown, lead), super::words::moved(signal, &lead.verdict));
        format!(": {name} {moved}{since}, score {}", score(lead.verdict.score))
    });
    Ok(draft.conclude(format!(
        "{} of {} services have metrics out of their usual range; worst {first}{lead}.",
        worst.len(),
        all.len()
    )))
}

/// Divided where the services together changed, unless the start is given.
fn split(gathered: &Gathered) -> Split {
    let when = gathered.when;
    let signals: Vec<&Signal> = gathered.signals.iter().collect();
    let inferred = || Split::inferred_among(&signals, when.grid().count(), when.pace().step);
    when.given().unwrap_or_else(inferred)
}

fn of<'r>(shown: &Shown<'_>, ranked: &'r [Ranked], name: &str) -> Vec<&'r Ranked> {
    let is_of = |one: &&Ranked| shown.gathered.signals.get(one.signal).and_then(service) == Some(name);
    ranked.iter().filter(is_of).collect()
}

/// The services in the order in which they began to move; `None` where none of them stayed away.
fn first_to_move(shown: &Shown<'_>, ranked: &[Ranked], worst: &[&str]) -> Option<String> {
    let mut begun: Vec<(usize, &str)> = worst
        .iter()
        .filter_map(|name| Some((of(shown, ranked, name).first()?.verdict.onset?, *name)))
        .collect();
    begun.sort_unstable();
    let told = |(place, name): &(usize, &str)| {
        let at = shown.gathered.when.moment(*place).map_or(String::new(), time_text);
        format!("{} {at}", shown.look.cx.intake.text(name).shown(80))
    };
    let texts: Vec<String> = begun.iter().take(8).map(told).collect();
    (!texts.is_empty())
        .then(|| format!("in the order in which their most telling metrics moved: {}", texts.join(", ")))
}

fn table(shown: &Shown<'_>, ranked: &[Ranked], worst: &[&str], cite: Cite) -> Table {
    let columns = ["service", "unusual", "first metric", "is", "before", "after", "score", "onset", "also"];
    let mut table = Table::new("services", &columns, cite);
    let cx = shown.look.cx;
    for name in worst.iter().take(shown.look.limit) {
        let own = of(shown, ranked, name);
        let Some(first) = own.first() else { continue };
        let Some(signal) = shown.gathered.signals.get(first.signal) else { continue };
        let mut metrics: Vec<&str> = Vec::new();
        for metric in
            own.iter().filter_map(|one| shown.gathered.signals.get(one.signal)).map(|one| one.metric.as_str())
        {
            if !metrics.contains(&metric) {
                metrics.push(metric);
            }
        }
        let also: Vec<String> =
            metrics.iter().skip(1).take(3).map(|metric| cx.intake.text(metric).shown(100)).collect();
        let (before, after) = change(signal, first);
        table.row(vec![
            Cell::Quoted(cx.intake.text(name), 80),
            Cell::Count(metrics.len() as u64),
            Cell::Quoted(cx.intake.text(&signal.metric), 200),
            Cell::text(what(signal)),
            before,
            after,
            Cell::Text(scored(&first.verdict)),
            Cell::time(first.verdict.onset.and_then(|place| shown.gathered.when.moment(place))),
            Cell::text(also.join(", ")),
        ]);
    }
    table.seen(worst.len() as u64);
    table.see_more("a higher limit");
    table
}
