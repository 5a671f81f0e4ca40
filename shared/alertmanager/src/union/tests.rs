use contract::{Context, Intake};
use proptest::prelude::*;

use super::*;
use crate::Failed;

/// What a report of an alert is made of: fingerprint, update, state, silences, receivers, annotation.
type Parts = (u8, i64, u8, Vec<u8>, Vec<u8>, u8);

fn report(intake: &Intake, (fingerprint, updated, state, silences, receivers, annotation): &Parts) -> Alert {
    let text = |number: &u8| intake.text(&number.to_string());
    Alert {
        fingerprint: fingerprint.to_string(),
        labels: vec![(intake.text("alertname"), text(fingerprint))],
        annotations: vec![(intake.text("summary"), text(annotation))],
        starts_at: Timestamp::from_second(*updated * 7 % 5).ok(),
        updated_at: Timestamp::from_second(*updated).ok(),
        ends_at: Timestamp::from_second(*updated + 60).ok(),
        status: Status {
            state: [State::Suppressed, State::Unprocessed, State::Active][usize::from(*state % 3)],
            silenced_by: silences.iter().map(ToString::to_string).collect(),
            inhibited_by: Vec::new(),
            muted_by: Vec::new(),
        },
        receivers: receivers.iter().map(text).collect(),
        generator_url: None,
    }
}

fn reports() -> impl Strategy<Value = Vec<Parts>> {
    let few = || prop::collection::vec(0..4u8, 0..3);
    prop::collection::vec((0..4u8, 0..4i64, 0..3u8, few(), few(), 0..3u8), 0..8)
}

fn intake() -> Intake {
    Context::for_test(Timestamp::UNIX_EPOCH).intake
}

fn united(intake: &Intake, replicas: &[Vec<Parts>]) -> Alerts {
    let replies = replicas.iter().enumerate().map(|(index, reports)| {
        let alerts = distinct(reports.iter().map(|parts| report(intake, parts)));
        (index.to_string(), AlertsReply { alerts, tells_mutes: true })
    });
    alerts(replies.collect(), Coverage { answered: Vec::new(), failed: Vec::<Failed>::new() })
}

proptest! {
    #[test]
    fn neither_the_order_of_replicas_nor_that_of_groups_matters(one in reports(), other in reports()) {
        let intake = intake();
        let backwards = |reports: &[Parts]| reports.iter().rev().cloned().collect::<Vec<_>>();
        let forth = united(&intake, &[one.clone(), other.clone()]);
        let back = united(&intake, &[backwards(&other), backwards(&one)]);
        prop_assert_eq!(forth.alerts, back.alerts);
        let about = |all: &[Disagreement]| all.iter().map(|found| found.fingerprint.clone()).collect::<Vec<_>>();
        prop_assert_eq!(about(&forth.disagreements), about(&back.disagreements));
    }

    #[test]
    fn saying_it_twice_changes_nothing_and_is_no_disagreement(reports in reports()) {
        let intake = intake();
        let once = united(&intake, std::slice::from_ref(&reports));
        let twice = united(&intake, &[[reports.clone(), reports.clone()].concat(), reports]);
        prop_assert_eq!(&once.alerts, &twice.alerts);
        prop_assert_eq!(twice.disagreements, vec![]);
    }

    #[test]
    fn nothing_is_lost_and_nothing_made_up(one in reports(), other in reports()) {
        let all = united(&intake(), &[one.clone(), other.clone()]);
        let told: Vec<&Parts> = one.iter().chain(&other).collect();
        let fingerprints: BTreeSet<String> = told.iter().map(|parts| parts.0.to_string()).collect();
        prop_assert_eq!(all.alerts.len(), fingerprints.len());
        for alert in &all.alerts {
            let about: Vec<&&Parts> = told.iter().filter(|parts| parts.0.to_string() == alert.fingerprint).collect();
            let quiet = about.iter().all(|parts| parts.2 == 0);
            prop_assert_eq!(alert.status.state == State::Suppressed, quiet);
            let silences: BTreeSet<String> = about.iter().flat_map(|parts| &parts.3).map(ToString::to_string).collect();
            prop_assert_eq!(&alert.status.silenced_by, &silences.into_iter().collect::<Vec<_>>());
            let latest = about.iter().map(|parts| parts.1).max();
            prop_assert_eq!(alert.updated_at.map(Timestamp::as_second), latest);
            let summary = alert.annotation("summary").map(contract::Untrusted::inside);
            let of_latest = about.iter().filter(|parts| Some(parts.1) == latest).map(|parts| parts.5.to_string());
            prop_assert!(of_latest.into_iter().any(|text| Some(text.as_str()) == summary));
            prop_assert_eq!(alert.starts_at.map(Timestamp::as_second), about.iter().map(|parts| parts.1 * 7 % 5).min());
        }
    }
}

fn view(status: Option<(State, bool, bool)>) -> View {
    let status = status.map(|(state, silenced, inhibited)| Status {
        state,
        silenced_by: if silenced { vec!["s".to_owned()] } else { vec![] },
        inhibited_by: if inhibited { vec!["i".to_owned()] } else { vec![] },
        muted_by: vec![],
    });
    View { replica: "a".to_owned(), status }
}

#[test]
fn replicas_disagree_when_one_lacks_an_alert_or_they_hold_it_back_differently() {
    use State::{Active, Suppressed, Unprocessed};
    for (one, other, expected) in [
        (Some((Active, false, false)), Some((Active, false, false)), false),
        (Some((Active, false, false)), None, true),
        (Some((Active, false, false)), Some((Suppressed, true, false)), true),
        (Some((Suppressed, false, true)), Some((Suppressed, true, false)), true),
        (Some((Unprocessed, false, false)), Some((Suppressed, true, false)), false),
        (Some((Unprocessed, false, false)), None, true),
    ] {
        assert_eq!(disagree(&[view(one), view(other)]), expected, "{one:?} {other:?}");
        assert_eq!(disagree(&[view(other), view(one)]), expected, "{other:?} {one:?}");
    }
}

#[test]
fn another_silence_of_the_same_alert_is_no_disagreement() {
    let mut other = view(Some((State::Suppressed, true, false)));
    other.status.as_mut().unwrap().silenced_by.push("t".to_owned());
    assert!(!disagree(&[view(Some((State::Suppressed, true, false))), other]));
}
