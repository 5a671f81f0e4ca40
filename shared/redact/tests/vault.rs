//! A token given back is resolved inside the process, for the one who saw it, and nowhere shown.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

mod common;

use common::redactor;
use redact::{CustomClass, Memory, Redactor, RedactorConfig, Rules, Unresolved, Vault};

/// The token of the address, as [`common::redactor`] makes it (the digits are checked in `mask_laws.rs`).
const BOB: &str = "<email:cc5f>";

fn as_is(value: &str) -> String {
    value.to_owned()
}

fn seen(vault: &Vault, scope: &str, text: &str) -> String {
    redactor().mask_for(Memory { vault, scope }, text).text.into_owned()
}

#[test]
fn a_token_that_was_seen_is_resolved_wherever_it_stands() {
    let vault = Vault::new();
    assert_eq!(seen(&vault, "ann", "user bob@example.com"), format!("user {BOB}"));
    let resolved =
        vault.resolve("ann", &format!("{{user=\"{BOB}\"}} or {{to=\"{BOB}\"}} <email:0000>"), &as_is);
    assert_eq!(resolved.text, "{user=\"bob@example.com\"} or {to=\"bob@example.com\"} <email:0000>");
    assert_eq!(resolved.replaced, [BOB, BOB]);
    assert_eq!(
        (resolved.left[0].token.as_str(), resolved.left[0].reason),
        ("<email:0000>", Unresolved::Unknown)
    );
}

#[test]
fn the_place_says_how_a_value_is_written() {
    let vault = Vault::new();
    let _ = seen(&vault, "ann", "bob@example.com");
    let escaped = |value: &str| value.replace('.', "\\\\.");
    assert_eq!(vault.resolve("ann", &format!("=~\"{BOB}|x\""), &escaped).text, "=~\"bob@example\\\\.com|x\"");
}

#[test]
fn what_one_caller_saw_says_nothing_to_another() {
    let vault = Vault::new();
    let _ = seen(&vault, "ann", "bob@example.com");
    let resolved = vault.resolve("eve", BOB, &as_is);
    assert_eq!((resolved.text.as_str(), resolved.replaced.len()), (BOB, 0));
}

#[test]
fn credentials_are_never_remembered() {
    let vault = Vault::new();
    for text in [
        "password=hunter2",
        "AKIAIOSFODNN7EXAMPLE",
        "Authorization: Bearer mF_9.B5f-4.1JqM",
        "http://u:hunter2@h",
    ] {
        let masked = seen(&vault, "ann", text);
        let resolved = vault.resolve("ann", &masked, &as_is);
        assert_eq!((resolved.text.as_str(), resolved.left.len()), (masked.as_str(), 1), "{text}");
    }
    let masked = redactor().mask_field_for(Memory { vault: &vault, scope: "ann" }, "password", "letmein");
    assert_eq!(vault.resolve("ann", &masked.text, &as_is).text, masked.text);
}

#[test]
fn an_own_class_is_remembered_and_so_is_a_value_in_a_field() {
    let vault = Vault::new();
    let custom = vec![CustomClass { name: "employee".to_owned(), pattern: "EMP-[0-9]{6}".to_owned() }];
    let rules = Rules { custom, ..Rules::default() };
    let redactor = Redactor::with_rules(RedactorConfig { key: [7; 32], enabled: true }, &rules).unwrap();
    let memory = Memory { vault: &vault, scope: "ann" };
    for masked in
        [redactor.mask_for(memory, "EMP-123456"), redactor.mask_field_for(memory, "to", "eve@example.com")]
    {
        assert_eq!(masked.counts.total(), 1);
        assert_eq!(vault.resolve("ann", &masked.text, &as_is).replaced.len(), 1, "{}", masked.text);
    }
}

/// 65,536 tokens of a class: among 2,000 values, 30 pairs share one on average (n² ÷ 2 ÷ 65,536).
#[test]
fn a_token_of_two_values_is_not_guessed() {
    let vault = Vault::new();
    let (mut ambiguous, mut wrong) = (0, 0);
    let addresses: Vec<String> = (0..2_000).map(|n| format!("user{n}@example.com")).collect();
    let tokens: Vec<String> = addresses.iter().map(|address| seen(&vault, "ann", address)).collect();
    for (address, token) in addresses.iter().zip(&tokens) {
        let resolved = vault.resolve("ann", token, &as_is);
        match resolved.left.first() {
            Some(left) => ambiguous += u32::from(left.reason == Unresolved::Ambiguous),
            None => wrong += u32::from(resolved.text != *address),
        }
    }
    assert_eq!(wrong, 0);
    assert!((20..=120).contains(&ambiguous), "{ambiguous}");
}

#[test]
fn the_memory_is_bounded_and_forgets_what_was_seen_longest_ago() {
    let vault = Vault::new();
    let _ = seen(&vault, "ann", "bob@example.com");
    for n in 0..10_000 {
        let _ = seen(&vault, &format!("caller {n}"), "eve@example.com");
        if n % 1_000 == 0 {
            assert_eq!(vault.resolve("ann", BOB, &as_is).replaced.len(), 1, "used, so kept, after {n}");
        }
    }
    assert_eq!(format!("{vault:?}"), "Vault { tokens: 4096, .. }");
    let eve = seen(&vault, "caller 9999", "eve@example.com");
    assert_eq!(vault.resolve("caller 9998", &eve, &as_is).replaced.len(), 1);
    assert_eq!(vault.resolve("caller 0", &eve, &as_is).left[0].reason, Unresolved::Unknown);
}

#[test]
fn nothing_shows_a_value() {
    let vault = Vault::new();
    let _ = seen(&vault, "ann", "bob@example.com");
    let resolved = vault.resolve("ann", BOB, &as_is);
    assert!(!format!("{vault:?} {resolved:?} {vault:#?} {resolved:#?}").contains("bob"));
}
