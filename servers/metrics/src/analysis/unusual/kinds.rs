//! What the names of series are, and how few queries find all of a kind.

use std::collections::BTreeMap;

use super::signals::Kind;
use crate::analysis::search::{
    families::{Family, Shape},
    words::escape,
};

/// Endings of names of what only grows.
const COUNTERS: &str = ".+_(?:total|sum|count)";
const BUCKETS: &str = ".+_bucket";
/// Names without values that move, and what is read otherwise.
const OTHERS: &str = "ALERTS|ALERTS_FOR_STATE|.+_(?:total|sum|count|bucket|created|info)";
/// Names that are told apart by no ending; more than these would make queries too long.
const MOST_NAMED: usize = 60;

/// The kind of each name, and the patterns that find them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Kinds {
    by_name: BTreeMap<String, Kind>,
    /// Counters without the ending of one.
    odd: Vec<String>,
    natives: Vec<String>,
    /// What is not read, without an ending that says so.
    hidden: Vec<String>,
    /// How many names no pattern finds.
    pub(crate) left_out: usize,
}

impl Kinds {
    /// Names that are not `fit` to stand in a query are not put into a pattern.
    pub(crate) fn of(families: &[Family], fit: impl Fn(&str) -> bool) -> Kinds {
        let mut kinds = Kinds::default();
        for family in families {
            for member in &family.members {
                let name = member.inside();
                kinds.by_name.insert(name.to_owned(), kind(family, name));
            }
        }
        for (name, kind) in &kinds.by_name {
            let list = match kind {
                Kind::Native => &mut kinds.natives,
                Kind::Counter if !has_counter_ending(name) => &mut kinds.odd,
                Kind::Ignored if !has_ending(name) => &mut kinds.hidden,
                _ => continue,
            };
            if list.len() < MOST_NAMED && fit(name) { list.push(name.clone()) } else { kinds.left_out += 1 }
        }
        kinds
    }

    /// The kind of a name; by its ending where it is not known.
    pub(crate) fn kind(&self, name: &str) -> Kind {
        if let Some(kind) = self.by_name.get(name) {
            return *kind;
        }
        match name {
            name if name.ends_with("_bucket") => Kind::Bucket,
            name if name.ends_with("_sum") => Kind::Sum,
            name if name.ends_with("_count") => Kind::Count,
            name if name.ends_with("_total") => Kind::Counter,
            _ => Kind::Gauge,
        }
    }

    /// A regular expression for the names of counters, `_sum` and `_count` among them.
    pub(crate) fn counters(&self) -> String {
        joined(COUNTERS, &self.odd)
    }

    /// A regular expression for the names that are not read as gauges.
    pub(crate) fn no_gauges(&self) -> String {
        joined(OTHERS, &[self.odd.as_slice(), &self.natives, &self.hidden].concat())
    }

    /// A regular expression for the names of buckets.
    pub(crate) fn buckets(&self) -> &'static str {
        BUCKETS
    }

    /// A regular expression for the names of native histograms; `None` where there is none.
    pub(crate) fn natives(&self) -> Option<String> {
        let (first, rest) = self.natives.split_first()?;
        Some(joined(&escape(first), rest))
    }

    /// Whether some metric has buckets.
    pub(crate) fn has_buckets(&self) -> bool {
        self.by_name.values().any(|kind| *kind == Kind::Bucket)
    }
}

fn joined(first: &str, names: &[String]) -> String {
    let names = names.iter().map(|name| escape(name));
    std::iter::once(first.to_owned()).chain(names).collect::<Vec<_>>().join("|")
}

fn has_counter_ending(name: &str) -> bool {
    ["_total", "_sum", "_count"].iter().any(|ending| name.len() > ending.len() && name.ends_with(ending))
}

/// Whether [`OTHERS`] knows it by its ending.
fn has_ending(name: &str) -> bool {
    name.starts_with("ALERTS")
        || name.ends_with("_created")
        || name.ends_with("_info")
        || name.ends_with("_bucket")
        || has_counter_ending(name)
}

fn kind(family: &Family, name: &str) -> Kind {
    let ending = |ending: &str| name.strip_suffix(ending) == Some(family.key.as_str());
    if name.starts_with("ALERTS") || ending("_created") || ending("_info") {
        return Kind::Ignored;
    }
    match family.shape {
        Shape::Info | Shape::GaugeHistogram => Kind::Ignored,
        Shape::Counter => Kind::Counter,
        Shape::Gauge | Shape::StateSet | Shape::Recorded => Kind::Gauge,
        Shape::ClassicHistogram
        | Shape::BothHistograms
        | Shape::Summary
        | Shape::Totals
        | Shape::NativeHistogram => {
            if ending("_bucket") {
                Kind::Bucket
            } else if ending("_sum") {
                Kind::Sum
            } else if ending("_count") {
                Kind::Count
            } else {
                match family.shape {
                    Shape::NativeHistogram => Kind::Native,
                    // Its buckets tell the same.
                    Shape::BothHistograms => Kind::Ignored,
                    _ => Kind::Gauge,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use contract::{Context, Untrusted};

    use super::*;
    use crate::{
        analysis::search::families::group,
        model::{Metadata, MetricKind},
    };

    fn kinds(names: &[&str], told: &[(&str, MetricKind)]) -> Kinds {
        let cx = Context::for_test(jiff::Timestamp::UNIX_EPOCH);
        let names: Vec<Untrusted> = names.iter().map(|name| cx.intake.text(name)).collect();
        let said = |(metric, kind): &(&str, MetricKind)| Metadata {
            metric: cx.intake.text(metric),
            kind: *kind,
            unit: cx.intake.text(""),
            help: cx.intake.text(""),
        };
        let told: Vec<Metadata> = told.iter().map(said).collect();
        Kinds::of(&group(&names, &told, |name| cx.intake.text(name)), |name| !name.contains(' '))
    }

    #[test]
    fn what_a_target_told_decides_and_endings_do_otherwise() {
        let all = kinds(
            &["d_bucket", "d_sum", "d_count", "clients_count", "jobs_total", "queue", "app_info", "native"],
            &[("clients_count", MetricKind::Gauge), ("native", MetricKind::Histogram)],
        );
        for (name, kind) in [
            ("d_bucket", Kind::Bucket),
            ("d_sum", Kind::Sum),
            ("d_count", Kind::Count),
            ("clients_count", Kind::Gauge),
            ("jobs_total", Kind::Counter),
            ("queue", Kind::Gauge),
            ("app_info", Kind::Ignored),
            ("native", Kind::Native),
            ("never_seen_total", Kind::Counter),
        ] {
            assert_eq!(all.kind(name), kind, "{name}");
        }
        assert_eq!(all.natives().as_deref(), Some("native"));
        assert!(all.has_buckets() && all.no_gauges().ends_with("|native"));
    }

    #[test]
    fn counters_without_an_ending_are_found_by_name_if_it_may_stand_in_a_query() {
        let all = kinds(
            &["served", "two words"],
            &[("served", MetricKind::Counter), ("two words", MetricKind::Counter)],
        );
        assert_eq!(all.counters(), ".+_(?:total|sum|count)|served");
        assert!(all.no_gauges().ends_with("|served"));
        assert_eq!(all.left_out, 1);
    }
}
