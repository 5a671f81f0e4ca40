//! What comes near to a service that no label has.

use contract::{Cite, Draft, Evidence, Finding, ToolError, Untrusted, nearest};

use super::{Lookup, labels_of_services, values};
use crate::analysis::search::labels::SERVICES;

/// What a name was compared with, and what comes near to it.
pub(crate) struct Near {
    /// How many names of labels there are.
    labels: usize,
    /// Each label that was looked at, with the number of its values.
    looked: Vec<(String, Cite)>,
    /// Near values, each with its label; the nearest first.
    values: Vec<(Untrusted, Untrusted)>,
}

/// Compares with the values of all labels that name services.
///
/// # Errors
/// When the labels' values can't be read.
pub(super) async fn look(
    lookup: &Lookup<'_>,
    service: &str,
    labels: &[Untrusted],
    draft: &mut Draft,
) -> Result<Near, ToolError> {
    let mut known: Vec<(Untrusted, &Untrusted)> = Vec::new();
    let mut looked = Vec::new();
    for (label, listing) in values(lookup, &labels_of_services(labels), |_| Vec::new()).await {
        let listing = listing?;
        lookup.warn(&listing.warnings, draft);
        let query =
            lookup.guarded(format!("GET /api/v1/label/{}/values", label.inside()), label.plain().is_some());
        let cite = draft.cite(Evidence::new(lookup.store.system(), query).over(lookup.window));
        let more = if listing.more { "+" } else { "" };
        looked.push((format!("{} ({}{more})", label.shown(60), listing.items.len()), cite));
        known.extend(listing.items.into_iter().map(|value| (value, label)));
    }
    let near = nearest(service, known.iter().map(|(value, _)| value.inside()), 5);
    let with_label = |name: &&str| known.iter().find(|(value, _)| value.inside() == *name);
    let values = near.iter().filter_map(with_label);
    let values = values.map(|(value, label)| (value.clone(), (*label).clone())).collect();
    Ok(Near { labels: labels.len(), looked, values })
}

impl Near {
    /// Puts what comes near into the draft and says it in a sentence. `nothing` is what was not done ("nothing was
    /// searched"), `period` the time that was looked through (`24 h`), `instead` what helps where no label names
    /// services ("leave `service` out").
    pub(crate) fn tell(
        &self,
        lookup: &Lookup<'_>,
        service: &str,
        (nothing, period, instead): (&str, &str, &str),
        draft: &mut Draft,
    ) -> String {
        let asked = lookup.echo(service);
        let Some((_, first)) = self.looked.first() else {
            draft.caveat(format!("labels that were looked for: {}", SERVICES.join(", ")));
            return format!(
                "{}: none of the {} labels here says which service a series is of, so {asked} can't be found by it; \
                 {instead}.",
                capitalised(nothing),
                self.labels
            );
        };
        let names: Vec<String> = self
            .values
            .iter()
            .map(|(value, label)| format!("{} ({})", value.shown(60), label.shown(60)))
            .collect();
        let statement = match names.is_empty() {
            true => "no value comes near to it".to_owned(),
            false => format!("nearest: {}", names.join(", ")),
        };
        let rest = self.looked.iter().skip(1).map(|(_, cite)| *cite);
        draft.finding(rest.fold(Finding::new(statement, *first), Finding::and));
        let texts: Vec<&str> = self.looked.iter().map(|(text, _)| text.as_str()).collect();
        format!(
            "No label of the last {period} has a service {asked}, so {nothing}; compared with the values of {}.",
            texts.join(", ")
        )
    }

    /// The nearest service, where it may stand in a suggested call.
    pub(crate) fn nearest(&self) -> Option<&str> {
        self.values.first().and_then(|(value, _)| value.plain())
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
