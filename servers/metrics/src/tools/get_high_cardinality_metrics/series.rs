//! Which series are a service's: its own, and those about its containers and its workload.

use contract::Draft;
use futures_util::future::join_all;

use crate::{
    config::aliases::Matcher,
    model::{MatchOp, selector},
    tools::scope::{self, Lookup, Scope},
};

/// Labels by which kube-state-metrics names a workload.
const WORKLOADS: [&str; 3] = ["deployment", "statefulset", "daemonset"];

/// All ways in which the series of a service are found.
pub(super) struct Scopes(pub(super) Vec<Scope>);

impl Scopes {
    /// Each way, as a selector of the series that also match `others`.
    pub(super) fn selectors(&self, others: &[(&str, MatchOp, &str)]) -> Vec<String> {
        self.0.iter().map(|scope| scope.selector(others)).collect()
    }

    /// All series that also match `others`, each once. What several ways find has the same labels each time.
    pub(super) fn union(&self, others: &[(&str, MatchOp, &str)]) -> String {
        self.selectors(others).join(" or ")
    }

    /// As [`Scopes::union`], each way within a function over a range, such as `last_over_time`.
    pub(super) fn union_over(&self, function: &str, range: &str, others: &[(&str, MatchOp, &str)]) -> String {
        let each = self.selectors(others).into_iter().map(|one| format!("{function}({one}[{range}])"));
        each.collect::<Vec<_>>().join(" or ")
    }

    pub(super) fn is_plain(&self) -> bool {
        self.0.iter().all(Scope::is_plain)
    }

    /// The labels that they compare for equality.
    pub(super) fn labels(&self) -> Vec<String> {
        let equal = self.0.iter().flat_map(Scope::matchers).filter(|(_, op, _)| *op == MatchOp::Equal);
        let mut labels: Vec<String> = equal.map(|(label, _, _)| label.to_owned()).collect();
        labels.sort_unstable();
        labels.dedup();
        labels
    }

    /// As an answer may show them.
    pub(super) fn shown(&self) -> String {
        self.0.iter().map(Scope::shown).collect::<Vec<_>>().join("; ")
    }
}

/// The service's own series, those about its containers, and those about the workload of its name.
pub(super) async fn scopes(lookup: &Lookup<'_>, service: &str, own: Scope, draft: &mut Draft) -> Scopes {
    let containers = scope::containers(lookup, service, &own, draft).await;
    let workloads = workloads(lookup, service).await;
    let mut all = vec![own];
    let others = containers.into_iter().chain(workloads);
    for one in others {
        if !all.iter().any(|known| known.text() == one.text()) {
            all.push(one);
        }
    }
    Scopes(all)
}

/// The workloads that have exactly the service's name. That there are none is nothing to tell.
async fn workloads(lookup: &Lookup<'_>, service: &str) -> Vec<Scope> {
    let selectors = WORKLOADS.map(|label| selector(None, &[(label, MatchOp::Equal, service)]));
    let requests = WORKLOADS.iter().zip(&selectors).map(|(label, selector)| async move {
        let listing = lookup.store.label_values(lookup.cx, label, &[selector], Some(lookup.window), 1).await;
        listing.is_ok_and(|listing| !listing.items.is_empty())
    });
    let found = join_all(requests).await;
    let there = WORKLOADS.iter().zip(found).filter(|(_, is_there)| *is_there);
    there.map(|(label, _)| Scope::new(lookup, vec![Matcher::equal(label, service)])).collect()
}
