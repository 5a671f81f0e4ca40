//! Which workload a pod is of, by its name.

use std::collections::BTreeSet;

use super::search::words::escape;

/// The letters of generated names in Kubernetes (`k8s.io/apimachinery/pkg/util/rand`): no vowels, no 0, 1, 3.
const LETTERS: &str = "bcdfghjklmnpqrstvwxz2456789";

/// How many letters the generated end of a pod's name has.
const END: usize = 5;

/// The most letters of a template's hash.
const LONGEST_HASH: usize = 10;

/// The fewest letters that are taken for a hash.
const SHORTEST_HASH: usize = 4;

/// What generates the names of pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// `checkout-6d9f8b7c5d-x2x4p`.
    Deployment,
    /// `checkout-0`.
    StatefulSet,
    /// `checkout-x2x4p`.
    DaemonSet,
}

impl Kind {
    fn pattern(self) -> String {
        match self {
            Kind::Deployment => {
                format!("-[{LETTERS}]{{{SHORTEST_HASH},{LONGEST_HASH}}}-[{LETTERS}]{{{END}}}")
            }
            Kind::StatefulSet => "-[0-9]+".to_owned(),
            Kind::DaemonSet => format!("-[{LETTERS}]{{{END}}}"),
        }
    }
}

/// A regular expression for the names of these pods and of those that come after them: by their workloads where their
/// names are generated, else the names themselves. `None` without pods, and for more than `most` alternatives.
pub(crate) fn pattern<'p>(pods: impl Iterator<Item = &'p str>, most: usize) -> Option<String> {
    let mut alternatives = BTreeSet::new();
    for pod in pods {
        alternatives.insert(match workload(pod) {
            Some((name, kind)) => format!("{}{}", escape(name), kind.pattern()),
            None => escape(pod),
        });
        if alternatives.len() > most {
            return None;
        }
    }
    let all: Vec<String> = alternatives.into_iter().collect();
    (!all.is_empty()).then(|| all.join("|"))
}

fn workload(pod: &str) -> Option<(&str, Kind)> {
    let (rest, end) = pod.rsplit_once('-')?;
    let is_generated = |text: &str| text.chars().all(|letter| LETTERS.contains(letter));
    if !end.is_empty() && end.len() < END && end.chars().all(|digit| digit.is_ascii_digit()) {
        return (!rest.is_empty()).then_some((rest, Kind::StatefulSet));
    }
    if end.len() != END || !is_generated(end) {
        return None;
    }
    let deployment = rest.rsplit_once('-').filter(|(name, hash)| {
        !name.is_empty() && (SHORTEST_HASH..=LONGEST_HASH).contains(&hash.len()) && is_generated(hash)
    });
    match deployment {
        Some((name, _)) => Some((name, Kind::Deployment)),
        None => (!rest.is_empty()).then_some((rest, Kind::DaemonSet)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_names_are_taken_by_their_workload() {
        for (pod, expected) in [
            ("checkout-6d9f8b7c5d-x2x4p", Some(("checkout", Kind::Deployment))),
            ("checkout-6d9f-x2x4p", Some(("checkout", Kind::Deployment))),
            // `worker` has vowels: it is no hash.
            ("checkout-worker-x2x4p", Some(("checkout-worker", Kind::DaemonSet))),
            ("postgres-0", Some(("postgres", Kind::StatefulSet))),
            ("postgres-12", Some(("postgres", Kind::StatefulSet))),
            ("checkout", None),
            ("checkout-main", None),
            ("-x2x4p", None),
        ] {
            assert_eq!(workload(pod), expected, "{pod}");
        }
    }

    #[test]
    fn pods_of_one_workload_are_one_alternative() {
        let pods = ["cart-6d9f-x2x4p", "cart-6d9f-k8r2m", "cart-7c5d-bbbbb", "db.main-0"];
        let letters = LETTERS;
        assert_eq!(
            pattern(pods.into_iter(), 5).unwrap(),
            format!(r"cart-[{letters}]{{4,10}}-[{letters}]{{5}}|db\.main-[0-9]+")
        );
        assert_eq!(pattern(["a", "b", "c"].into_iter(), 2), None);
        assert_eq!(pattern(std::iter::empty(), 2), None);
    }
}
