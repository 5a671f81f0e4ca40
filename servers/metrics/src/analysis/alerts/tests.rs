use contract::Context;

use super::*;

/// Labels from `name=value,name=value`.
pub(in crate::analysis::alerts) fn labels(text: &str) -> Labels {
    let cx = Context::for_test(Timestamp::UNIX_EPOCH);
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    Labels::new(pairs.map(|(name, value)| (cx.intake.text(name), cx.intake.text(value))))
}

/// A firing alert that neither side says more about, since so many seconds after 1970.
pub(in crate::analysis::alerts) fn one_alert(text: &str, since: Option<i64>) -> OneAlert<'static> {
    let labels = labels(text);
    OneAlert {
        severity: Severity::of(&labels),
        labels,
        standing: Standing::Firing,
        not_in: None,
        since: since.map(|second| Timestamp::from_second(second).unwrap()),
        value: None,
        annotations: Labels::default(),
        active: None,
        rule: None,
        delivered: None,
    }
}

#[test]
fn severities_are_ranked_whatever_they_are_called() {
    for (words, rank) in [
        ("page critical CRITICAL P1", 1),
        ("error high P2", 2),
        ("warning Warning P3", 3),
        ("info P4 low", 4),
        ("ticket urgent-ish", 5),
        ("none", 9),
    ] {
        for word in words.split(' ') {
            assert_eq!(Severity::of(&labels(&format!("severity={word}"))).rank, rank, "{word}");
        }
    }
    assert_eq!(Severity::of(&labels("alertname=A")).rank, 9);
    assert_eq!(Severity::of(&labels("priority=P2")).rank, 2);
}
