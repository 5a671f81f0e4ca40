//! What an operator adds: own classes, addresses, exceptions, names of fields.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

mod common;

use common::{redactor, shape};
use redact::{CustomClass, Redactor, RedactorConfig, RuleError, Rules};

fn with(rules: &Rules) -> Result<Redactor, RuleError> {
    Redactor::with_rules(RedactorConfig { key: [7; 32], enabled: true }, rules)
}

fn custom(name: &str, pattern: &str) -> CustomClass {
    CustomClass { name: name.to_owned(), pattern: pattern.to_owned() }
}

fn masked(rules: &Rules, text: &str) -> String {
    let redactor = with(rules).unwrap();
    let once = redactor.mask(text);
    let again = redactor.mask(&once.text);
    assert_eq!((again.text.as_ref(), again.counts.total()), (once.text.as_ref(), 0), "{text:?} twice");
    shape(&once)
}

#[test]
fn an_own_class_masks_its_group_or_its_match_and_is_counted() {
    let rules = Rules {
        custom: vec![custom("employee", r"\bEMP-[0-9]{6}\b"), custom("patient", r"patient=(\w+)")],
        ..Rules::default()
    };
    assert_eq!(masked(&rules, "EMP-123456 saw patient=p77 ok"), "<employee:#> saw patient=<patient:#> ok");
    assert_eq!(masked(&rules, "EMP-1234567 patient= bob@example.com"), "EMP-1234567 patient= <email:#>");
    let counts = with(&rules).unwrap().mask("EMP-123456 EMP-654321 bob@example.com").counts;
    assert_eq!(counts.per_class().collect::<Vec<_>>(), [("email", 1), ("employee", 2)]);
}

#[test]
fn an_own_class_needs_nothing_of_the_built_in_ones_and_comes_before_them() {
    let rules =
        Rules { custom: vec![custom("word", "^hello$"), custom("mail", ".+@corp")], ..Rules::default() };
    assert_eq!(masked(&rules, "hello"), "<word:#>");
    assert_eq!(masked(&rules, "bob@corp.example"), "<mail:#>.example");
    let rules = Rules { custom: vec![custom("all", ".+")], ..Rules::default() };
    assert_eq!(masked(&rules, "x bob@example.com"), "<all:#>");
}

#[test]
fn a_rule_that_cannot_be_used_is_named() {
    let too_long = "a".repeat(1_001);
    let rules = [
        (custom("open", "("), "masking rule `open`: regex parse error"),
        (custom("look", "(?=x)"), "masking rule `look`: regex parse error"),
        (custom("huge", r"\w{500}"), "masking rule `huge`: the pattern takes more than 262144 bytes"),
        (custom("nested", &format!("{}a{}", "(".repeat(60), ")".repeat(60))), "masking rule `nested`: regex"),
        (custom("empty", "x*"), "masking rule `empty`: the pattern matches the empty text"),
        (custom("long", &too_long), "masking rule `long`: the pattern is longer than 1000 bytes"),
        (custom("email", "x"), "masking rule `email`: a built-in class has this name"),
        (custom("Big", "x"), "masking rule `Big`: a name has lower-case letters"),
        (custom("", "x"), "masking rule ``: a name has lower-case letters"),
        (custom("a>b", "x"), "masking rule `a>b`: a name has lower-case letters"),
    ];
    for (class, expected) in rules {
        let name = class.name.clone();
        let error =
            with(&Rules { custom: vec![custom("good", "x1"), class], ..Rules::default() }).unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
        assert_eq!(error.rule(), name);
    }
    let twice = Rules { custom: vec![custom("a", "x"), custom("a", "y")], ..Rules::default() };
    assert_eq!(with(&twice).unwrap_err().to_string(), "masking rule `a`: there are two classes of this name");
    let many = Rules { custom: (0..33).map(|n| custom(&format!("c{n}"), "x")).collect(), ..Rules::default() };
    assert_eq!(with(&many).unwrap_err().to_string(), "masking rule `c32`: there are more than 32 patterns");
    for exception in ["*", "", "ab", "**abc", "a*bcd"] {
        let error = with(&Rules { allow: vec![exception.to_owned()], ..Rules::default() }).unwrap_err();
        assert_eq!(error.rule(), exception);
    }
    assert_eq!(with(&Rules { fields: vec!["--".to_owned()], ..Rules::default() }).unwrap_err().rule(), "--");
}

#[test]
fn an_exception_is_not_masked_and_only_it() {
    let allow = vec!["*@Example.com".to_owned(), "hunter2".to_owned(), "4111*".to_owned()];
    let rules = Rules { allow, ..Rules::default() };
    assert_eq!(masked(&rules, "bob@example.com eve@example.org"), "bob@example.com <email:#>");
    assert_eq!(masked(&rules, "bob@example.com.evil.org"), "<email:#>");
    assert_eq!(masked(&rules, "password=hunter2 password=hunter22"), "password=hunter2 password=<secret:#>");
    assert_eq!(masked(&rules, "4111111111111111 4242424242424242"), "4111111111111111 <card:#>");
}

#[test]
fn addresses_are_masked_only_where_an_operator_wants_it() {
    let text = "from 10.0.3.7:9090 and [2001:db8::17]:80 via 127.0.0.1, ::1, 0.0.0.0 mask 255.255.255.0";
    assert_eq!(redactor().mask(text).text, text);
    let rules = Rules { addresses: true, ..Rules::default() };
    assert_eq!(
        masked(&rules, text),
        "from <ip:#>:9090 and [<ip:#>]:80 via 127.0.0.1, ::1, 0.0.0.0 mask 255.255.255.0"
    );
    for stays in [
        "14:03:15",
        "2026-01-14T14:03:15Z",
        "00:1A:2B:3C:4D:5E",
        "version 1.2.3.4",
        "Chrome/120.0.6099.109",
        "1.2.3.4.5",
        "300.1.1.1",
        "a1.2.3.4",
        "std::vec::Vec",
        "sha256:e3b0c44298fc1c14",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ] {
        assert_eq!(masked(&rules, stays), stays);
    }
    assert_eq!(masked(&rules, "http://10.0.3.7/x 10.0.0.0/8."), "http://<ip:#>/x <ip:#>/8.");
}

#[test]
fn a_named_field_is_a_secret_whatever_it_looks_like() {
    let redactor = redactor();
    for (name, value, expected) in [
        ("password", "letmein", "<secret:#>"),
        ("DB_PASSWORD", "two words", "<secret:#>"),
        ("x-api-key", "simple", "<secret:#>"),
        ("access_token", "abc", "<secret:#>"),
        ("Authorization", "Bearer abc", "Bearer <secret:#>"),
        ("authorization", "opaque value", "<secret:#>"),
        ("authorization", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIx.x", "Bearer <jwt:#>"),
        ("Cookie", "a=b; c=d", "<cookie:#>"),
        ("Set-Cookie", "id=1", "<cookie:#>"),
        ("token", "bob@example.com", "<email:#>"),
        ("secret", "letmein", "<secret:#>"),
        ("note", "password=hunter2", "password=<secret:#>"),
        ("customer", "bob@example.com", "<email:#>"),
        ("card_number", "4111111111111111", "<card:#>"),
        // what stays
        ("password", "", ""),
        ("password", "****", "****"),
        ("password", "${PASSWORD}", "${PASSWORD}"),
        ("password", "<redacted>", "<redacted>"),
        ("has_token", "true", "true"),
        ("pwd", "/srv/app", "/srv/app"),
        ("secret", "db-credentials", "db-credentials"),
        ("secretName", "payment-tls", "payment-tls"),
        ("next_page_token", "CAUQAA", "CAUQAA"),
        ("max_tokens", "4096", "4096"),
        ("trace_id", "4111111111111111", "4111111111111111"),
        ("spanId", "4242424242424242", "4242424242424242"),
        ("pod", "payment-7d9f8b6c5-x2x4z", "payment-7d9f8b6c5-x2x4z"),
        ("k8s.pod.uid", "6f1c1d2e-7c0a-4d2e-8b0a-2f6b8c9d0e1f", "6f1c1d2e-7c0a-4d2e-8b0a-2f6b8c9d0e1f"),
        ("le", "4111111111111111", "4111111111111111"),
        ("commit", "da39a3ee5e6b4b0d3255bfef95601890afd80709", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        // a credential in a field of ids is still one
        ("container_id", "password=hunter2", "password=<secret:#>"),
    ] {
        let masked = redactor.mask_field(name, value);
        assert_eq!(shape(&masked), expected, "{name}: {value}");
        assert_eq!(masked.counts.total(), expected.matches(":#>").count() as u64, "{name}: {value}");
        let again = redactor.mask_field(name, &masked.text);
        assert_eq!((again.text.as_ref(), again.counts.total()), (masked.text.as_ref(), 0), "{name} twice");
    }
}

#[test]
fn one_value_has_one_token_as_a_pair_and_as_a_field() {
    let pair = redactor().mask("password=letmein").text.into_owned();
    assert_eq!(pair, format!("password={}", redactor().mask_field("password", "letmein").text));
}

#[test]
fn an_operator_can_name_further_fields() {
    let rules = Rules { fields: vec!["vault_seal".to_owned()], ..Rules::default() };
    let redactor = with(&rules).unwrap();
    assert_eq!(shape(&redactor.mask_field("prod.vaultSeal", "abc")), "<secret:#>");
    assert_eq!(redactor.mask_field("vault_sealed", "abc").text, "abc");
    let off = Redactor::with_rules(RedactorConfig { key: [7; 32], enabled: false }, &rules).unwrap();
    assert_eq!(off.mask_field("password", "abc").text, "abc");
}
