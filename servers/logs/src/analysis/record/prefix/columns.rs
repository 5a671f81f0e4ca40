//! Lines that name a service and its pod behind time and level: `2026-01-14T14:10:03Z ERROR payment pod-1 refused`. One
//! line does not say so, since any two words may stand there; the lines of a file together do.

use super::{Writer, of};

/// Lines that must agree.
const FEWEST: usize = 3;
/// Different services that a file may have.
const MOST_SERVICES: usize = 50;

/// Whether each of these lines, as far as it has a time, names a service and its pod.
pub(crate) fn has_columns(lines: &[&str]) -> bool {
    let timed: Vec<&str> = lines.iter().copied().filter(|line| behind_time(line).is_some()).collect();
    let mut services: Vec<&str> =
        timed.iter().filter_map(|line| in_columns(line)).map(|(service, _)| service).collect();
    let all = services.len() == timed.len();
    services.sort_unstable();
    services.dedup();
    all && timed.len() >= FEWEST && services.len() <= MOST_SERVICES
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
    line.get(length..).filter(|_| length > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_what_all_lines_agree_on() {
        let lines = [
            "2026-01-14T14:10:03Z ERROR payment pod-1 connection refused",
            "2026-01-14T14:10:04Z INFO  checkout checkout-6d9f8c7b54-x2x4p order placed",
            "2026-01-14T14:10:05Z WARN payment pod-2 slow",
        ];
        assert!(has_columns(&lines));
        assert_eq!(in_columns(lines[0]), Some(("payment", "pod-1")));
        assert_eq!(in_columns(lines[1]), Some(("checkout", "checkout-6d9f8c7b54-x2x4p")));
        // One sentence in which such words stand by chance, too few lines, no time.
        assert!(!has_columns(&[lines[0], lines[1], lines[2], "2026-01-14T14:10:06Z INFO order placed now"]));
        assert!(!has_columns(&lines[..2]));
        assert!(!has_columns(&["payment pod-1 refused"; 5]));
    }
}
