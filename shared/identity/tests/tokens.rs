//! Which tokens are let in, and which configurations are refused. Hashes were computed with
//! `printf %s TOKEN | sha256sum`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail loudly")]

use identity::{IdentityError, PrincipalKind, TokenConfig, Tokens, Unauthorized};
use proptest::prelude::*;

const HORSE: &str = "correct-horse-battery-staple";
const HORSE_SHA256: &str = "87cbebfeebc05f7c54ac9336c4b4bbec831227a641951a4bde7edd56020f8590";
const ODD: &str = "s3cr3t.token~+/=";
const ODD_SHA256: &str = "5c005b1a99ca570ce34fd894a26153cd8789a777531dbf379b24d96864c6dacd";
const NOTHING_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const LINE_FEED_SHA256: &str = "01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b";

fn entry(name: &str, token_sha256: &str, scopes: &[&str]) -> TokenConfig {
    TokenConfig {
        name: name.to_owned(),
        token_sha256: token_sha256.to_owned(),
        scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
        tenant: None,
    }
}

fn two_tokens() -> Tokens {
    let mut bot = entry("bot", &ODD_SHA256.to_uppercase(), &["*:read"]);
    bot.tenant = Some("shop".to_owned());
    Tokens::new(vec![entry("oncall", HORSE_SHA256, &["metrics:read", "alerts:*"]), bot]).unwrap()
}

#[test]
fn a_known_token_becomes_its_principal() {
    let tokens = two_tokens();
    let headers = [
        format!("Bearer {HORSE}"),
        format!("bearer {HORSE}"),
        format!("BEARER {HORSE}"),
        format!("bEaReR   {HORSE}"),
        format!("Bearer\t{HORSE}"),
        format!("  Bearer {HORSE} \t"),
    ];
    for header in headers {
        let principal = tokens.authenticate(Some(&header)).unwrap();
        assert_eq!(principal.name, "oncall", "{header:?}");
        assert_eq!(principal.kind, PrincipalKind::Token);
        assert_eq!(principal.tenant, None);
        assert!(principal.allows("metrics:read") && principal.allows("alerts:acknowledge"));
        assert!(!principal.allows("metrics:write") && !principal.allows("logs:read"));
    }
    let bot = tokens.authenticate(Some(&format!("Bearer {ODD}"))).unwrap();
    assert_eq!((bot.name.as_str(), bot.tenant.as_deref()), ("bot", Some("shop")));
    assert!(bot.allows("logs:read") && !bot.allows("alerts:acknowledge"));
}

#[test]
fn a_missing_token_is_told_from_a_wrong_one() {
    let tokens = two_tokens();
    let basic = format!("Basic {HORSE}");
    let glued = format!("Bearer{HORSE}");
    let missing = [
        None,
        Some(""),
        Some("   "),
        Some("Bearer"),
        Some("Bearer  "),
        Some(HORSE),
        Some(&basic),
        Some(&glued),
    ];
    for header in missing {
        assert_eq!(tokens.authenticate(header), Err(Unauthorized::Missing), "{header:?}");
    }
    let wrong = [
        format!("Bearer {HORSE}x"),
        format!("Bearer {}", HORSE.to_uppercase()),
        format!("Bearer {HORSE} {ODD}"),
        format!("Bearer \"{HORSE}\""),
        format!("Bearer {HORSE_SHA256}"), // the hash is not the token
        format!("Bearer Bearer {HORSE}"),
        "Bearer x".to_owned(),
        "Bearer \u{0}".to_owned(),
        "Bearer ключ".to_owned(),
    ];
    for header in wrong {
        assert_eq!(tokens.authenticate(Some(&header)), Err(Unauthorized::Invalid), "{header:?}");
    }
    // RFC 6750, section 3.1: no error code when nothing was presented
    assert_eq!(Unauthorized::Missing.error_code(), None);
    assert_eq!(Unauthorized::Invalid.error_code(), Some("invalid_token"));
}

#[test]
fn without_tokens_nobody_is_let_in() {
    let none = Tokens::new(Vec::new()).unwrap();
    assert!(none.is_empty());
    assert!(!two_tokens().is_empty());
    assert_eq!(none.authenticate(None), Err(Unauthorized::Missing));
    assert_eq!(none.authenticate(Some(&format!("Bearer {HORSE}"))), Err(Unauthorized::Invalid));
}

#[test]
fn a_malformed_hash_is_refused_without_being_shown() {
    let malformed = [
        String::new(),
        HORSE.to_owned(), // the token instead of its hash: must not be echoed
        HORSE_SHA256.chars().skip(1).collect(),
        format!("{HORSE_SHA256}0"),
        format!("{HORSE_SHA256} "),
        format!("{HORSE_SHA256}  -"), // the whole line that sha256sum prints
        HORSE_SHA256.replace('8', "g"),
        "é".repeat(32),
    ];
    for hash in malformed {
        let error = Tokens::new(vec![entry("ci", &hash, &["*"])]).unwrap_err();
        assert_eq!(error, IdentityError::Hash { entry: 1, name: "ci".to_owned() }, "{hash:?}");
        let told = error.to_string();
        assert!(told.starts_with("use token entry 1 (`ci`)") && told.contains("sha256sum"), "{told}");
        assert!(hash.is_empty() || !told.contains(&hash), "{told}");
    }
}

#[test]
fn the_hash_of_an_unset_variable_is_refused() {
    for hash in [NOTHING_SHA256.to_owned(), LINE_FEED_SHA256.to_owned(), NOTHING_SHA256.to_uppercase()] {
        let error = Tokens::new(vec![entry("ci", &hash, &["*"])]).unwrap_err();
        assert_eq!(error, IdentityError::EmptyToken { entry: 1, name: "ci".to_owned() });
    }
}

#[test]
fn entries_that_cannot_be_told_apart_are_refused() {
    let same_name =
        vec![entry("a", HORSE_SHA256, &["*"]), entry("b", ODD_SHA256, &["*"]), entry("a", "", &["*"])];
    assert_eq!(
        Tokens::new(same_name).unwrap_err(),
        IdentityError::DuplicateName { entry: 3, first: 1, name: "a".to_owned() }
    );
    let same_hash = vec![entry("a", HORSE_SHA256, &["*"]), entry("b", &HORSE_SHA256.to_uppercase(), &["*"])];
    let error = Tokens::new(same_hash).unwrap_err();
    assert_eq!(error, IdentityError::DuplicateHash { entry: 2, first: 1, name: "b".to_owned() });
    assert!(!error.to_string().to_lowercase().contains(HORSE_SHA256));
}

#[test]
fn entries_that_grant_nothing_or_something_unreadable_are_refused() {
    let error = Tokens::new(vec![entry("a", HORSE_SHA256, &["*"]), entry("b", ODD_SHA256, &[])]).unwrap_err();
    assert_eq!(error, IdentityError::NoScopes { entry: 2, name: "b".to_owned() });
    let error = Tokens::new(vec![entry("a", HORSE_SHA256, &["metrics:read", "Logs"])]).unwrap_err();
    assert_eq!(error.to_string(), "use token entry 1 (`a`): a scope is malformed");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.starts_with("read scope `Logs`:"), "{source}");
    let mut blank_tenant = entry("a", HORSE_SHA256, &["*"]);
    blank_tenant.tenant = Some(" ".to_owned());
    assert_eq!(
        Tokens::new(vec![blank_tenant]).unwrap_err(),
        IdentityError::Tenant { entry: 1, name: "a".to_owned() }
    );
}

#[test]
fn names_must_be_plain() {
    let too_long = "n".repeat(65);
    for name in ["", " ", "a b", "a\nb", "ключ", "a`b", "a/b", &too_long] {
        let error = Tokens::new(vec![entry(name, HORSE_SHA256, &["*"])]).unwrap_err();
        assert_eq!(error, IdentityError::Name { entry: 1 }, "{name:?}");
    }
    for name in ["a", "oncall-bot", "ada@example.com", "team_7.ci", &"n".repeat(64)] {
        assert!(Tokens::new(vec![entry(name, HORSE_SHA256, &["*"])]).is_ok(), "{name:?}");
    }
}

#[test]
fn the_configuration_is_read_from_toml_and_knows_its_keys() {
    let written =
        format!("name = 'ci'\ntoken_sha256 = '{HORSE_SHA256}'\nscopes = ['metrics:read']\ntenant = 'shop'");
    let config: TokenConfig = toml::from_str(&written).unwrap();
    assert_eq!((config.name.as_str(), config.tenant.as_deref()), ("ci", Some("shop")));
    assert_eq!(config.scopes, ["metrics:read"]);
    let without_tenant = written.replace("tenant = 'shop'", "");
    assert_eq!(toml::from_str::<TokenConfig>(&without_tenant).unwrap().tenant, None);
    let misspelt = written.replace("tenant", "tennant");
    assert!(toml::from_str::<TokenConfig>(&misspelt).unwrap_err().to_string().contains("tennant"));
    let without_scopes = written.replace("scopes = ['metrics:read']", "");
    assert!(toml::from_str::<TokenConfig>(&without_scopes).unwrap_err().to_string().contains("scopes"));
}

#[test]
fn debug_prints_neither_tokens_nor_hashes() {
    let config = entry("ci", HORSE_SHA256, &["*"]);
    let tokens = Tokens::new(vec![config.clone()]).unwrap();
    let principal = tokens.authenticate(Some(&format!("Bearer {HORSE}"))).unwrap();
    let wrong = tokens.authenticate(Some("Bearer guessed-token")).unwrap_err();
    let printed = format!("{config:?} {tokens:?} {principal:?} {wrong:?} {wrong} {tokens:#?}");
    assert!(printed.contains("ci"), "{printed}");
    // 0x87, 0xcb, 0xeb: the first bytes of the hash, as `Debug` of an array would print them
    for secret in [HORSE, "guessed-token", "87cbeb", "135, 203, 235"] {
        assert!(!printed.contains(secret), "{secret}: {printed}");
    }
}

proptest! {
    #[test]
    fn any_other_token_is_invalid_and_never_echoed(token in "[!-~]{12,40}") {
        prop_assume!(token != HORSE && token != ODD);
        let refused = two_tokens().authenticate(Some(&format!("Bearer {token}"))).unwrap_err();
        prop_assert_eq!(refused, Unauthorized::Invalid);
        let told = format!("{refused} {refused:?}");
        prop_assert!(!told.contains(&token));
    }

    #[test]
    fn no_header_makes_it_panic_or_lets_it_in(header in any::<String>()) {
        prop_assert!(two_tokens().authenticate(Some(&header)).is_err());
    }
}
