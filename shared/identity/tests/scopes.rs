//! What a scope grants, and what is not one.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail loudly")]

use identity::{Principal, PrincipalKind, Scope};
use proptest::prelude::*;

#[test]
fn a_scope_grants_what_it_says_and_nothing_else() {
    let cases = [
        ("metrics:read", "metrics:read", true),
        ("metrics:read", "metrics:write", false),
        ("metrics:read", "metrics:rea", false),
        ("metrics:read", "metrics:reads", false),
        ("metrics:read", "logs:read", false),
        ("metrics:*", "metrics:read", true),
        ("metrics:*", "metrics:write", true),
        ("metrics:*", "metrics2:read", false),
        ("metrics:*", "logs:read", false),
        ("*:read", "alerts:read", true),
        ("*:read", "alerts:acknowledge", false),
        ("*", "alerts:acknowledge", true),
        ("*", "metrics:read", true),
        ("*:*", "metrics:read", true),
        // what no tool should ask for is granted to nobody
        ("*", "*", false),
        ("*", "", false),
        ("*", "metrics", false),
        ("metrics:*", "metrics:*", false),
        ("*", "Metrics:read", false),
        ("*", "metrics:read:all", false),
    ];
    for (held, asked, expected) in cases {
        assert_eq!(Scope::parse(held).unwrap().grants(asked), expected, "{held} grants {asked}");
    }
}

#[test]
fn malformed_scopes_are_refused_with_the_way_to_write_one() {
    let malformed = [
        "",
        " ",
        "metrics",
        "Metrics:read",
        "metrics:Read",
        "metrics:",
        ":read",
        ":",
        "**",
        "metrics:re*",
        "metrics:read ",
        "metrics read",
        "metrics:read:all",
        "1metrics:read",
        "métrics:read",
        "metrics:read\n",
    ];
    for text in malformed {
        let error = Scope::parse(text).unwrap_err();
        assert_eq!(error.text, text);
        let told = error.to_string();
        assert!(told.starts_with("read scope `"), "{told}");
        assert!(told.contains("`metrics:read`"), "{told}");
        assert!(!told.contains('\n'), "{told}");
    }
}

#[test]
fn the_local_user_reads_everything_and_writes_nothing() {
    let local = Principal::local("ada");
    assert_eq!(local.name, "ada");
    assert_eq!(local.kind, PrincipalKind::Local);
    assert_eq!(local.tenant, None);
    for server in ["metrics", "logs", "traces", "alerts", "infra"] {
        assert!(local.allows(&format!("{server}:read")));
    }
    assert!(!local.allows("alerts:write"));
    assert!(!local.allows("alerts:acknowledge"));
    assert!(!local.allows("*"));
}

#[test]
fn a_principal_without_scopes_is_allowed_nothing() {
    let mut nobody = Principal::local("nobody");
    nobody.scopes.clear();
    assert!(!nobody.allows("metrics:read"));
}

proptest! {
    #[test]
    fn a_concrete_scope_grants_itself_only(held in "[a-z]{1,3}:[a-z]{1,3}", asked in "[a-z]{1,3}:[a-z]{1,3}") {
        prop_assert_eq!(Scope::parse(&held).unwrap().grants(&asked), held == asked);
    }

    #[test]
    fn adding_a_scope_never_takes_anything_away(
        scopes in prop::collection::vec("([ab]|\\*):([ab]|\\*)", 0..4),
        more in "([ab]|\\*):([ab]|\\*)",
        asked in "[ab]:[ab]",
    ) {
        let mut principal = Principal::local("p");
        principal.scopes = scopes.iter().map(|scope| Scope::parse(scope).unwrap()).collect();
        let before = principal.allows(&asked);
        principal.scopes.insert(Scope::parse(&more).unwrap());
        prop_assert!(!before || principal.allows(&asked));
    }

    #[test]
    fn what_is_read_is_written_the_same(text in "\\PC{0,12}|[a-z*]{1,3}:[a-z*]{1,3}") {
        if let Ok(scope) = Scope::parse(&text) {
            prop_assert_eq!(scope.to_string(), text);
        }
    }
}
