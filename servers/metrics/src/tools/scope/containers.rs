//! By which labels cAdvisor and kube-state-metrics know the containers of a service.

use contract::{Draft, Untrusted};
use futures_util::future::join_all;

use super::{Lookup, MOST_VALUES, Scope};
use crate::{
    analysis::{search::words::escape, workload},
    config::aliases::Matcher,
    model::{MatchOp, selector},
};

/// Labels that say which container or workload a series is about.
const CONTAINERS: [&str; 7] =
    ["container", "pod", "deployment", "statefulset", "daemonset", "workload", "replicaset"];

/// The most workloads of one service, and the most namespaces.
const MOST_WORKLOADS: usize = 8;

/// Whether these conditions find series about containers, not what a service says about itself.
pub(super) fn is_of_containers(matchers: &[Matcher]) -> bool {
    matchers.iter().any(|matcher| CONTAINERS.contains(&matcher.label.as_str()))
}

/// The series about the containers of a service whose own series are `scope`: by its alias; else by `container`, when
/// that has the service's name; else by the pods that its own series name. `None` where nothing tells.
pub(crate) async fn containers(
    lookup: &Lookup<'_>,
    service: &str,
    scope: &Scope,
    draft: &mut Draft,
) -> Option<Scope> {
    let names_pods =
        |matchers: &[Matcher]| matchers.iter().any(|one| ["container", "pod"].contains(&one.label.as_str()));
    if let Some(matchers) = lookup.aliases.of(service).iter().find(|matchers| names_pods(matchers)) {
        return Some(Scope::new(lookup, matchers.clone()));
    }
    if names_pods(&scope.matchers) {
        return Some(scope.clone());
    }
    let own = scope.selector(&[]);
    let name = selector(None, &[("container", MatchOp::Equal, service)]);
    let pods = selector(None, &[("pod", MatchOp::Regex, &format!("{}-.+", escape(service)))]);
    let asked = [("namespace", &own), ("pod", &own), ("container", &name), ("pod", &pods)];
    let mut found = read(lookup, &asked, draft).await.into_iter();
    let mut next = || found.next().unwrap_or_default();
    let (namespaces, own_pods, containers, alike) = (next(), next(), next(), next());

    let mut matchers = Vec::new();
    matchers.extend(one_of("namespace", &namespaces));
    let pods = if own_pods.is_empty() { &alike } else { &own_pods };
    if !containers.is_empty() {
        matchers.push(Matcher::equal("container", service));
    } else {
        let pattern = workload::pattern(pods.iter().map(Untrusted::inside), MOST_WORKLOADS)?;
        matchers.push(Matcher::regex("pod", &pattern));
    }
    Some(Scope::new(lookup, matchers))
}

/// The values of each label among the series of its selector; none where they can't be read, which is said.
async fn read(lookup: &Lookup<'_>, asked: &[(&str, &String)], draft: &mut Draft) -> Vec<Vec<Untrusted>> {
    let selectors: Vec<[&str; 1]> = asked.iter().map(|(_, selector)| [selector.as_str()]).collect();
    let requests = asked.iter().zip(&selectors).map(|((label, _), selectors)| {
        lookup.store.label_values(lookup.cx, label, selectors, Some(lookup.window), MOST_VALUES)
    });
    let mut all = Vec::new();
    for ((label, _), reply) in asked.iter().zip(join_all(requests).await) {
        all.push(match reply {
            Ok(listing) => {
                lookup.warn(&listing.warnings, draft);
                listing.items
            }
            Err(error) => {
                draft.caveat(format!("the service's containers were not found by {label}: {error}"));
                Vec::new()
            }
        });
    }
    all
}

/// The label has one of these values; no condition for none or too many.
fn one_of(label: &str, values: &[Untrusted]) -> Option<Matcher> {
    match values {
        [] => None,
        [only] => Some(Matcher::equal(label, only.inside())),
        some if some.len() <= MOST_WORKLOADS => {
            let all: Vec<String> = some.iter().map(|value| escape(value.inside())).collect();
            Some(Matcher::regex(label, &all.join("|")))
        }
        _ => None,
    }
}
