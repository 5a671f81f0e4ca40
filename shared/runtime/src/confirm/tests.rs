#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    sync::{Mutex, PoisonError},
};

use jiff::{Timestamp, ToSpan};
use proptest::prelude::*;

use super::*;

/// A clock that is moved by hand.
struct Moved(Mutex<Timestamp>);

impl Moved {
    fn on(&self, seconds: i64) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now += seconds.seconds();
    }
}

impl Clock for Moved {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn clock() -> Arc<Moved> {
    Arc::new(Moved(Mutex::new("2026-01-14T14:32:00Z".parse().unwrap())))
}

fn with(directory: Option<PathBuf>) -> (Confirmations, Arc<Moved>) {
    let clock = clock();
    (Confirmations::new("fixture-mcp", [7; 32], directory, Arc::clone(&clock) as Arc<dyn Clock>), clock)
}

fn call_of(tool: &str, principal: &str, tenant: Option<&str>, arguments: Value) -> Binding {
    let mut caller = Principal::local(principal);
    caller.tenant = tenant.map(str::to_owned);
    Binding::new("fixture-mcp", "tools/call", tool, &caller, arguments.as_object().unwrap())
}

fn change() -> Binding {
    call_of("change", "ana", None, json!({"id": "INC-7", "note": "seen"}))
}

/// A client that can ask, with this answer to the question.
fn answered(state: &str, response: Value) -> Exchange {
    let asking = Exchange { elicits: true, ..Exchange::default() };
    asking.answering(Some([(QUESTION.to_owned(), response)]), Some(state.to_owned()))
}

fn yes() -> Value {
    json!({"action": "accept", "content": {"confirm": true}})
}

/// Asks about `binding`, and returns the sealed state.
fn asked(confirmations: &Confirmations, binding: &Binding) -> String {
    let client = Exchange { elicits: true, ..Exchange::default() };
    match confirmations.decide(binding, &client, Standing::Unasked, "preview") {
        Verdict::Ask(question) => question.state,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_yes_goes_through_once() {
    let (confirmations, _) = with(None);
    let exchange = answered(&asked(&confirmations, &change()), yes());
    let standing = confirmations.standing(&change(), &exchange);
    assert!(matches!(standing, Standing::Confirmed { .. }), "{standing:?}");
    assert!(matches!(confirmations.decide(&change(), &exchange, standing, "preview"), Verdict::Go(_)));
    assert_eq!(confirmations.standing(&change(), &exchange), Standing::Replayed);
}

#[test]
fn only_the_first_answer_was_paid_for_when_it_was_asked() {
    let directory = tempfile::tempdir().unwrap();
    let (confirmations, _) = with(Some(directory.path().to_owned()));
    let exchange = answered(&asked(&confirmations, &change()), yes());
    assert!(confirmations.answers(&change(), &exchange));
    confirmations.standing(&change(), &exchange);
    assert!(!confirmations.answers(&change(), &exchange), "given again");
    // Another process with the same state directory.
    let (other, _) = with(Some(directory.path().to_owned()));
    assert!(!other.answers(&change(), &exchange), "given again, to another process");
}

#[test]
fn a_no_is_used_up_too_so_that_nobody_turns_it_into_a_yes() {
    let (confirmations, _) = with(None);
    let state = asked(&confirmations, &change());
    let no = answered(&state, json!({"action": "decline"}));
    assert_eq!(confirmations.standing(&change(), &no), Standing::Declined);
    assert_eq!(confirmations.standing(&change(), &answered(&state, yes())), Standing::Replayed);
}

#[test]
fn a_yes_to_another_call_or_of_another_caller_is_foreign() {
    let (confirmations, _) = with(None);
    let state = asked(&confirmations, &change());
    let others = [
        call_of("change", "ana", None, json!({"id": "INC-8", "note": "seen"})),
        call_of("change", "ana", None, json!({"id": "INC-7"})),
        call_of("change", "ana", None, json!({"id": "INC-7", "note": "seen", "extra": null})),
        call_of("change", "eve", None, json!({"id": "INC-7", "note": "seen"})),
        call_of("change", "ana", Some("other"), json!({"id": "INC-7", "note": "seen"})),
        call_of("remove", "ana", None, json!({"id": "INC-7", "note": "seen"})),
    ];
    for other in others {
        assert_eq!(
            confirmations.standing(&other, &answered(&state, yes())),
            Standing::Foreign,
            "{}",
            other.text()
        );
    }
    // The order of arguments says nothing.
    let same = call_of("change", "ana", None, json!({"note": "seen", "id": "INC-7"}));
    assert!(matches!(confirmations.standing(&same, &answered(&state, yes())), Standing::Confirmed { .. }));
}

#[test]
fn an_answer_after_five_minutes_is_too_late() {
    let (confirmations, clock) = with(None);
    let state = asked(&confirmations, &change());
    clock.on(299);
    assert!(confirmations.answers(&change(), &answered(&state, yes())));
    clock.on(1);
    assert_eq!(confirmations.standing(&change(), &answered(&state, yes())), Standing::Expired);
    assert!(!confirmations.answers(&change(), &answered(&state, yes())));
}

#[test]
fn an_answer_that_is_none_uses_nothing_up() {
    let (confirmations, _) = with(None);
    let state = asked(&confirmations, &change());
    for nothing in [json!(12345), json!(null), json!({"action": "accept", "content": {"confirm": "true"}})] {
        let exchange = answered(&state, nothing);
        assert_eq!(confirmations.standing(&change(), &exchange), Standing::Unasked);
        let verdict = confirmations.decide(&change(), &exchange, Standing::Unasked, "preview");
        assert!(matches!(verdict, Verdict::Ask(_)), "asked again: {verdict:?}");
    }
    assert!(matches!(
        confirmations.standing(&change(), &answered(&state, yes())),
        Standing::Confirmed { .. }
    ));
}

#[test]
fn when_what_would_be_done_has_changed_the_person_is_asked_again() {
    let (confirmations, _) = with(None);
    let exchange = answered(&asked(&confirmations, &change()), yes());
    let standing = confirmations.standing(&change(), &exchange);
    match confirmations.decide(&change(), &exchange, standing, "another preview") {
        Verdict::Ask(question) => assert!(question.message.contains("another preview")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_state_is_worth_nothing_from_a_client_that_can_not_ask_a_person() {
    let (confirmations, _) = with(None);
    let state = asked(&confirmations, &change());
    let exchange = Exchange { elicits: false, ..answered(&state, yes()) };
    assert_eq!(confirmations.standing(&change(), &exchange), Standing::Unasked);
    let verdict = confirmations.decide(&change(), &exchange, Standing::Unasked, "preview");
    assert!(matches!(verdict, Verdict::Stop("confirmation impossible", _)), "no directory: {verdict:?}");
}

#[test]
fn an_answer_used_by_one_process_is_used_for_all_that_share_the_directory() {
    let state = tempfile::tempdir().unwrap();
    let (one, _) = with(Some(state.path().to_owned()));
    let (other, clock) = with(Some(state.path().to_owned()));
    let exchange = answered(&asked(&one, &change()), yes());
    assert!(matches!(one.standing(&change(), &exchange), Standing::Confirmed { .. }));
    assert_eq!(other.standing(&change(), &exchange), Standing::Replayed);
    let used = state.path().join("confirmations/fixture-mcp/used");
    assert_eq!(fs::read_dir(&used).unwrap().count(), 1);
    // What has lapsed can't be replayed, so it needs no note any more.
    clock.on(301);
    let next = answered(&asked(&other, &change()), yes());
    assert!(matches!(other.standing(&change(), &next), Standing::Confirmed { .. }));
    assert_eq!(fs::read_dir(&used).unwrap().count(), 1);
}

#[test]
fn what_can_not_be_shown_whole_can_not_be_agreed_to() {
    let (confirmations, _) = with(None);
    let long = call_of("change", "ana", None, json!({"note": "x".repeat(LONGEST)}));
    let client = Exchange { elicits: true, ..Exchange::default() };
    let verdict = confirmations.decide(&long, &client, Standing::Unasked, "preview");
    assert!(matches!(verdict, Verdict::Stop("confirmation impossible", _)), "{verdict:?}");
}

#[test]
fn a_person_sees_no_control_characters_and_is_asked_for_nothing_but_a_yes() {
    let (confirmations, _) = with(None);
    let sly = call_of("change", "ana", None, json!({"note": "a\u{1b}[2Jb\u{202e}c"}));
    let client = Exchange { elicits: true, ..Exchange::default() };
    let Verdict::Ask(question) = confirmations.decide(&sly, &client, Standing::Unasked, "now \u{1b}[8moff")
    else {
        panic!("not asked")
    };
    assert!(!question.message.chars().any(|c| c.is_control() && c != '\n'), "{:?}", question.message);
    assert!(!question.message.contains('\u{202e}'));
    let form = question.form();
    let fields = form["requestedSchema"]["properties"].as_object().unwrap();
    assert_eq!(fields.len(), 1, "no field for a secret");
    assert_eq!(fields["confirm"]["type"], "boolean");
}

/// A call that waits, in a directory of its own.
fn waiting(confirmations: &Confirmations, binding: &Binding) -> Waiting {
    let message = "message".to_owned();
    match confirmations.pending.look(binding, message, "fingerprint").unwrap() {
        Approval::Awaited(waiting) => waiting,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_approval_lets_one_call_through() {
    let state = tempfile::tempdir().unwrap();
    let (confirmations, _) = with(Some(state.path().to_owned()));
    let first = waiting(&confirmations, &change());
    assert_eq!(waiting(&confirmations, &change()), first, "the same call waits under the same code");
    assert!(confirmations.pending.approve(&first, "bob").unwrap());
    assert!(!confirmations.pending.approve(&first, "bob").unwrap(), "once");
    let other = call_of("change", "eve", None, json!({"id": "INC-7", "note": "seen"}));
    assert_ne!(waiting(&confirmations, &other).code, first.code, "another caller waits");
    let look = || confirmations.pending.look(&change(), "message".to_owned(), "fingerprint").unwrap();
    assert_eq!(look(), Approval::Given { by: "bob".to_owned() });
    let again = waiting(&confirmations, &change());
    assert_ne!(again.code, first.code, "the approval is used up");
}

#[test]
fn an_approval_of_what_was_shown_is_none_of_what_was_not() {
    let state = tempfile::tempdir().unwrap();
    let (confirmations, _) = with(Some(state.path().to_owned()));
    let first = waiting(&confirmations, &change());
    assert!(confirmations.pending.approve(&first, "bob").unwrap());
    let changed = confirmations.pending.look(&change(), "another".to_owned(), "another").unwrap();
    assert!(matches!(changed, Approval::Awaited(_)), "{changed:?}");
}

#[test]
fn approvals_lapse_and_leave_no_file() {
    let state = tempfile::tempdir().unwrap();
    let (confirmations, clock) = with(Some(state.path().to_owned()));
    let first = waiting(&confirmations, &change());
    assert!(confirmations.pending.approve(&first, "bob").unwrap());
    clock.on(300);
    let second = waiting(&confirmations, &change());
    assert_ne!(second.code, first.code);
    let files = fs::read_dir(state.path().join("confirmations/fixture-mcp/pending")).unwrap();
    assert_eq!(files.count(), 1);
    assert_eq!(confirmations.pending.find(&first.code).unwrap(), None);
}

#[test]
fn only_who_has_the_key_can_write_an_approval() {
    let state = tempfile::tempdir().unwrap();
    let (confirmations, _) = with(Some(state.path().to_owned()));
    let directory = state.path().join("confirmations/fixture-mcp/pending");
    let forger = Confirmations::new("fixture-mcp", [8; 32], Some(state.path().to_owned()), clock());
    let forged = waiting(&forger, &change());
    assert!(forger.pending.approve(&forged, "nobody").unwrap());
    assert_eq!(confirmations.pending.find(&forged.code).unwrap(), None);
    let real = waiting(&confirmations, &change());
    assert!(!directory.join(&forged.code).exists(), "what is not ours is thrown away");
    // A state that a client may hold is sealed with the same key, for another purpose.
    fs::write(directory.join(&real.code), asked(&confirmations, &change())).unwrap();
    assert_eq!(confirmations.pending.find(&real.code).unwrap(), None);
    // A true approval under another name is none.
    let real = waiting(&confirmations, &change());
    assert!(confirmations.pending.approve(&real, "bob").unwrap());
    fs::rename(directory.join(&real.code), directory.join("2222-3333")).unwrap();
    assert!(matches!(
        confirmations.pending.look(&change(), "message".to_owned(), "fingerprint").unwrap(),
        Approval::Awaited(_)
    ));
}

#[test]
fn files_are_for_their_owner_alone() {
    let state = tempfile::tempdir().unwrap();
    let (confirmations, _) = with(Some(state.path().to_owned()));
    let waiting = waiting(&confirmations, &change());
    let directory = state.path().join("confirmations/fixture-mcp/pending");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&directory), mode(&directory.join(&waiting.code))), (0o700, 0o600));
}

#[test]
fn so_many_may_wait_and_no_more() {
    let state = tempfile::tempdir().unwrap();
    let (confirmations, clock) = with(Some(state.path().to_owned()));
    for n in 0..16 {
        waiting(&confirmations, &call_of("change", "ana", None, json!({"n": n})));
    }
    let more = call_of("change", "ana", None, json!({"n": 16}));
    let look = || confirmations.pending.look(&more, "message".to_owned(), "fingerprint").unwrap();
    assert_eq!(look(), Approval::TooMany);
    clock.on(300);
    assert!(matches!(look(), Approval::Awaited(_)));
}

#[test]
fn a_code_is_no_path() {
    let state = tempfile::tempdir().unwrap();
    let (confirmations, _) = with(Some(state.path().to_owned()));
    let real = waiting(&confirmations, &change());
    assert_eq!(confirmations.pending.find(&format!(" {} ", real.code.to_lowercase())).unwrap(), Some(real));
    for no in ["", "../../x-y", "....-....", "AAAA-AAAA", "2222-333", "2222/3333", "2222-3333-4444"] {
        assert_eq!(confirmations.pending.find(no).unwrap(), None, "{no}");
    }
}

proptest! {
    /// Any change of any byte of a state makes it worthless.
    #[test]
    fn a_state_that_was_touched_is_foreign(place in 0_usize..400, with in "[A-Za-z0-9_.=-]") {
        let (confirmations, _) = with_memory();
        let state = asked(&confirmations, &change());
        let place = place % state.len();
        let touched = format!("{}{with}{}", &state[..place], &state[place + 1..]);
        prop_assume!(touched != state);
        // The last digit of base64 has bits that mean nothing; rmcp refuses them or reads the same bytes.
        let standing = confirmations.standing(&change(), &answered(&touched, yes()));
        prop_assert_eq!(standing, Standing::Foreign);
    }

    /// No text passes for a state.
    #[test]
    fn a_made_up_state_is_foreign(state in ".{0,300}") {
        let (confirmations, _) = with_memory();
        prop_assert_eq!(confirmations.standing(&change(), &answered(&state, yes())), Standing::Foreign);
    }

    /// Two different calls never have one text: no part of one can pass for a part of another.
    #[test]
    fn bindings_differ_where_calls_differ(
        one in ("[ab|\",]{0,4}", "[ab|\",]{0,4}", "[ab|\",]{0,4}"),
        other in ("[ab|\",]{0,4}", "[ab|\",]{0,4}", "[ab|\",]{0,4}"),
    ) {
        let of = |(tool, who, note): &(String, String, String)| call_of(tool, who, None, json!({"note": note})).text();
        prop_assert_eq!(of(&one) == of(&other), one == other);
    }
}

fn with_memory() -> (Confirmations, Arc<Moved>) {
    with(None)
}
