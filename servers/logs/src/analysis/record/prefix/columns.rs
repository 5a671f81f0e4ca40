//! Lines that name a service and its pod behind time and level: `2026-01-14T14:10:03Z ERROR payment pod-1 refused`. One
//! line does not say so, since any two words may stand there; the lines of a file together do.

use std::collections::BTreeSet;

use super::{Writer, logfmt, of};

/// Lines that must agree.
const FEWEST: usize = 6;
/// Lines of each pod on average, at least: what is another one in every line is an id.
const OF_POD: usize = 2;

/// Whether each of these lines, as far as it has a time, names a service and its pod.
pub(crate) fn has_columns(lines: &[&str]) -> bool {
    let timed: Vec<&str> = lines.iter().copied().filter(|line| behind_time(line).is_some()).collect();
    let named: Vec<(&str, &str)> = timed.iter().filter_map(|line| in_columns(line)).collect();
    let pods: BTreeSet<&(&str, &str)> = named.iter().collect();
    named.len() == timed.len() && named.len() >= FEWEST && named.len() >= OF_POD * pods.len()
}

/// The service and the pod that a line names, if it has such columns.
pub(crate) fn in_columns(line: &str) -> Option<(&str, &str)> {
    let mut words = behind_time(line)?.split([' ', '\t']).filter(|word| !word.is_empty());
    let (service, pod) = (words.next()?, words.next()?);
    let is_name = |text: &str| {
        text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    // Pods of a workload are told apart by a number or a hash with digits.
    let is_pod = is_name(pod) && pod.contains('-') && pod.bytes().any(|byte| byte.is_ascii_digit());
    (is_name(service) && is_pod && words.next().is_some()).then_some((service, pod))
}

/// What follows the time and level that a line begins with.
fn behind_time(line: &str) -> Option<&str> {
    let line = line.lines().next()?;
    let length = of(line, Writer::default()).length;
    line.get(length..).filter(|_| length > 0 && logfmt::prefix(line).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_what_all_lines_agree_on() {
        let lines = [
            "2026-01-14T14:10:03Z ERROR payment pod-1 connection refused",
            "2026-01-14T14:10:04Z INFO  checkout checkout-6d9f8c7b54-x2x4p order placed",
            "2026-01-14T14:10:05Z WARN payment pod-1 slow",
            "2026-01-14T14:10:06Z WARN payment pod-2 slow",
            "2026-01-14T14:10:07Z INFO checkout checkout-6d9f8c7b54-x2x4p order placed",
            "2026-01-14T14:10:08Z WARN payment pod-2 slow",
        ];
        assert!(has_columns(&lines));
        assert_eq!(in_columns(lines[0]), Some(("payment", "pod-1")));
        assert_eq!(in_columns(lines[1]), Some(("checkout", "checkout-6d9f8c7b54-x2x4p")));
        // One sentence in which such words stand by chance, too few lines, no time.
        let with_another = [&lines[..], &["2026-01-14T14:10:06Z INFO order placed now"]].concat();
        assert!(!has_columns(&with_another));
        assert!(!has_columns(&lines[..5]));
        assert!(!has_columns(&["payment pod-1 refused"; 6]));
        // An id that is another one in each line, and pairs.
        let ids: Vec<String> =
            (0..9).map(|id| format!("2026-01-14T14:10:03Z ERROR charge ch-{id} failed")).collect();
        assert!(!has_columns(&ids.iter().map(String::as_str).collect::<Vec<_>>()));
        assert!(!has_columns(&["time=2026-01-14T14:02:03Z level=info msg=\"cart cart-7 loaded\""; 6]));
    }
}
