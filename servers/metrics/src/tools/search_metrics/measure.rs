//! How many series the shown metrics have now, and what is in their labels.

use std::{collections::BTreeMap, time::Duration};

use contract::{Cite, Draft, Evidence, Untrusted};

use super::{Look, Scope};
use crate::{
    analysis::search::{
        families::Family,
        labels::{LabelUse, Use, is_machine, labels_of, sum_up},
        words::escape,
    },
    model::{
        Labels, MatchOp, QueryError, QueryOptions,
        RejectionKind::{BadData, Execution, Timeout, TooLarge},
        label_name, selector,
    },
    tools::cost::Moments,
};

/// The most label sets that are read: with 500 bytes each far below the cap of a reply.
const MOST_SETS: usize = 5_000;

/// Time that must be left for asking again for less.
const ENOUGH: Duration = Duration::from_secs(8);

/// The most labels of the shown metrics.
const MOST_LABELS: usize = 200;

/// What the shown metrics have at the moment of the call.
#[derive(Default)]
pub(super) struct Measured {
    /// What it rests on; none where nothing could be counted.
    pub(super) cite: Option<Cite>,
    uses: BTreeMap<String, Use>,
    /// Labels whose values were not looked at.
    unread: Vec<Untrusted>,
    /// Of how many label sets only the first [`MOST_SETS`] were read.
    pub(super) cut: bool,
}

impl Measured {
    /// How many series this name has; none is none at this moment, if anything was counted at all.
    pub(super) fn series(&self, name: &Untrusted) -> Option<u64> {
        self.cite?;
        Some(self.uses.get(name.inside()).map_or(0, |one| one.series))
    }

    /// How many series the metric has in all its parts.
    pub(super) fn total(&self, family: &Family) -> Option<u64> {
        family.members.iter().map(|member| self.series(member)).sum()
    }

    /// The labels of the metric's series, the most telling first.
    pub(super) fn labels(&self, family: &Family) -> Vec<LabelUse> {
        let some = self.total(family).is_some_and(|total| total > 0);
        labels_of(&family.members, &self.uses, if some { &self.unread } else { &[] })
    }
}

/// Counts the series of the metrics at these places, and reads their label sets: one look-up and one query. Where
/// there are too many label sets, or the server can't read the name of a label, two queries more: the counts alone,
/// and the label sets without those labels.
pub(super) async fn measure(
    look: &Look<'_>,
    scopes: &[&Scope],
    families: &[Family],
    shown: &[usize],
    draft: &mut Draft,
) -> Measured {
    let shown: Vec<&Family> = shown.iter().filter_map(|place| families.get(*place)).collect();
    if shown.is_empty() {
        return Measured::default();
    }
    let pattern = pattern(&shown);
    let mut matchers = vec![("__name__", MatchOp::Regex, pattern.as_str())];
    matchers.extend(scopes.iter().flat_map(|scope| scope.matchers()));
    let select = selector(None, &matchers);
    let plain = scopes.iter().all(|scope| scope.is_plain())
        && shown.iter().all(|family| family.name.plain().is_some());
    let counting = Counting { look, select, plain };
    // All that is asked below reads one sample of each series, as this does.
    if let Err(error) = look.guard.admit(&format!("count({})", counting.select), Moments::at(look.at)).await {
        draft.caveat(format!("series were not counted, so labels are not known: {error}"));
        return Measured::default();
    }
    let labels = counting.labels(draft).await;
    match counting.count(&labels, true).await {
        Ok(Counted { rows, query, cut: false, warnings }) => {
            look.warn(&warnings, draft);
            let cite = counting.cite(&query, draft);
            Measured { cite: Some(cite), uses: sum_up(&rows), unread: Vec::new(), cut: false }
        }
        Ok(_) => counting.fewer(labels, is_machine, draft).await,
        Err(error) if is_too_much(&error) && look.cx.remaining() > ENOUGH => {
            counting.fewer(labels, is_machine, draft).await
        }
        Err(QueryError::Rejected { kind: BadData, .. }) if labels.iter().any(|one| is_new(one.inside())) => {
            counting.fewer(labels, is_new, draft).await
        }
        Err(error) => {
            draft.caveat(format!("series could not be counted, so labels are not known: {error}"));
            Measured::default()
        }
    }
}

/// One query of counts, with its reply.
struct Counted {
    rows: Vec<(Labels, f64)>,
    query: String,
    cut: bool,
    warnings: Vec<Untrusted>,
}

/// Counting the series that one selector matches.
struct Counting<'a> {
    look: &'a Look<'a>,
    select: String,
    plain: bool,
}

impl Counting<'_> {
    /// The names of their labels.
    async fn labels(&self, draft: &mut Draft) -> Vec<Untrusted> {
        let look = self.look;
        let asked = look.source.label_names(look.cx, &[&self.select], Some(look.window), MOST_LABELS).await;
        match asked {
            Ok(listing) => {
                look.warn(&listing.warnings, draft);
                if listing.more {
                    draft.caveat(format!(
                        "the metrics have more than {MOST_LABELS} labels; the rest is not shown"
                    ));
                }
                let kept = |label: &Untrusted| !["__name__", "le"].contains(&label.inside());
                listing.items.into_iter().filter(kept).collect()
            }
            Err(error) => {
                draft.caveat(format!("labels of these metrics are not known: {error}"));
                Vec::new()
            }
        }
    }

    /// The number of series by name and by these labels, bounded or not.
    async fn count(&self, labels: &[Untrusted], bounded: bool) -> Result<Counted, QueryError> {
        let by: Vec<String> = labels.iter().map(|label| label_name(label.inside())).collect();
        let query = format!(
            "count by ({}) ({})",
            [&["__name__".to_owned()], by.as_slice()].concat().join(", "),
            self.select
        );
        let limit = MOST_SETS + 1;
        let options =
            QueryOptions { limit: bounded.then(|| u32::try_from(limit).unwrap_or(u32::MAX)), stats: false };
        let reply = self.look.source.instant(self.look.cx, &query, self.look.at, options).await?;
        let warnings = reply.warnings.into_iter().chain(reply.infos).collect();
        let value = |points: &[crate::model::Point]| points.first().map_or(0.0, |point| point.value);
        let rows: Vec<(Labels, f64)> =
            reply.data.into_series().into_iter().map(|one| (one.labels, value(&one.points))).collect();
        Ok(Counted { cut: bounded && rows.len() == limit, rows, query, warnings })
    }

    /// Exact counts, and the values of the other labels.
    async fn fewer(&self, labels: Vec<Untrusted>, without: fn(&str) -> bool, draft: &mut Draft) -> Measured {
        let (unread, labels): (Vec<Untrusted>, Vec<Untrusted>) =
            labels.into_iter().partition(|label| without(label.inside()));
        let counts = match self.count(&[], false).await {
            Ok(counts) => counts,
            Err(error) => {
                draft.caveat(format!("series could not be counted, so labels are not known: {error}"));
                return Measured::default();
            }
        };
        self.look.warn(&counts.warnings, draft);
        let cite = self.cite(&counts.query, draft);
        let mut uses = sum_up(&counts.rows);
        let mut measured = Measured { cite: Some(cite), uses: BTreeMap::new(), unread, cut: false };
        match self.count(&labels, true).await {
            Ok(sets) => {
                self.look.warn(&sets.warnings, draft);
                self.cite(&sets.query, draft);
                measured.cut = sets.cut;
                for (name, mut one) in sum_up(&sets.rows) {
                    one.series = uses.get(&name).map_or(one.series, |exact| exact.series);
                    uses.insert(name, one);
                }
            }
            Err(error) => draft.caveat(format!("values of labels are not known: {error}")),
        }
        measured.uses = uses;
        if measured.cut {
            draft.caveat(format!(
                "labels are from a sample: the first {MOST_SETS} label sets of more; series counts are exact"
            ));
        }
        measured
    }

    fn cite(&self, query: &str, draft: &mut Draft) -> Cite {
        let look = self.look;
        let link = if self.plain { look.source.link(query, None, look.at) } else { None };
        let query = look.guarded(query.to_owned(), self.plain);
        draft.cite(Evidence::new(look.source.system(), query).at(look.at).link(link))
    }
}

/// A regular expression for the names of all series of these metrics, as short as they allow.
fn pattern(families: &[&Family]) -> String {
    let mut choices = Vec::new();
    for family in families {
        let endings: Vec<&str> = family
            .members
            .iter()
            .filter_map(|name| name.inside().strip_prefix(family.key.as_str()))
            .collect();
        let parts: Vec<&str> = endings.iter().filter_map(|ending| ending.strip_prefix('_')).collect();
        if parts.len() < 2 {
            choices.extend(family.members.iter().map(|name| escape(name.inside())));
            continue;
        }
        let rest = endings.iter().filter(|ending| !ending.starts_with('_'));
        choices.extend(rest.map(|ending| escape(&format!("{}{ending}", family.key))));
        let parts: Vec<String> = parts.iter().map(|part| escape(part)).collect();
        choices.push(format!("{}_(?:{})", escape(&family.key), parts.join("|")));
    }
    choices.join("|")
}

/// Whether the label's name needs quotes, which not every system reads.
fn is_new(label: &str) -> bool {
    label_name(label).starts_with('"')
}

/// Whether asking for less may help.
fn is_too_much(error: &QueryError) -> bool {
    match error {
        QueryError::Upstream(upstream::UpstreamError::TooLarge { .. }) => true,
        QueryError::Rejected { kind, .. } => matches!(kind, Execution | Timeout | TooLarge),
        QueryError::Upstream(_) => false,
    }
}
