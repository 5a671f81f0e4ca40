//! What holds for every text.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

mod common;

use std::time::Instant;

use common::{check_untouched, redactor};
use proptest::prelude::*;
use redact::{MaskCounts, Redactor, RedactorConfig};

/// `printf %s CLASS VALUE | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102…1f`, the first four digits.
#[test]
fn tokens_are_keyed_hashes_of_class_and_value() {
    let table = [
        ("bob@example.com", "<email:cc5f>"),
        ("jörg@exämple.de", "<email:301b>"),
        ("password=hunter2", "password=<secret:b8ec>"),
        ("pwd: 'hunter2'", "pwd: '<secret:b8ec>'"),
        (concat!("AKIA", "IOSFODNN7EXAMPLE"), "<aws-key-id:8054>"),
        ("4111111111111111", "<card:a73c>"),
        ("http://u:hunter2@h", "http://u:<url-password:05f4>@h"),
    ];
    for (text, expected) in table {
        assert_eq!(redactor().mask(text).text, expected);
    }
    let other_key = Redactor::new(RedactorConfig { key: [0xff; 32], enabled: true });
    assert_eq!(other_key.mask("bob@example.com").text, "<email:2a3e>");
}

#[test]
fn counts_are_by_class_and_add_up() {
    let first = redactor().mask("bob@example.com, eve@example.com password=x1").counts;
    let second = redactor().mask("bob@example.com 4111111111111111").counts;
    assert_eq!(first.per_class().collect::<Vec<_>>(), [("email", 2), ("secret", 1)]);
    assert_eq!((first.total(), first.of("email"), first.of("card")), (3, 2, 0));
    let mut sum = MaskCounts::default();
    assert_eq!((sum.total(), sum.per_class().count()), (0, 0));
    sum += &first;
    sum += second.clone();
    assert_eq!(sum.per_class().collect::<Vec<_>>(), [("card", 1), ("email", 3), ("secret", 1)]);
    assert_eq!(sum, first + second);
}

#[test]
fn a_disabled_redactor_masks_nothing() {
    let disabled = Redactor::new(RedactorConfig { key: [1; 32], enabled: false });
    let masked = disabled.mask("password=hunter2");
    assert_eq!((masked.text.as_ref(), masked.counts.total()), ("password=hunter2", 0));
}

#[test]
fn debug_does_not_print_the_key() {
    let config = RedactorConfig { key: [0xab; 32], enabled: true };
    let printed = format!("{config:?} {config:#?} {:?}", Redactor::new(config.clone()));
    assert!(printed.contains("enabled: true"), "{printed}");
    assert!(!printed.contains("171") && !printed.to_lowercase().contains("ab, ab"), "{printed}");
}

#[test]
fn operational_identifiers_stay() {
    check_untouched(&[
        "",
        "GET",
        "200",
        "payment",
        "payment-7d9f8b6c5-x2x4z",
        "checkout-v2.3.1-rc.1",
        "http_requests_total",
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "00f067aa0ba902b7",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "123e4567-e89b-12d3-a456-426614174000",
        "550e8400-e29b-41d4-a716-446655440000",
        "10.0.0.1",
        "10.0.0.1:9090",
        "2001:db8::8a2e:370:7334",
        "fe80::1",
        "00:1A:2B:3C:4D:5E",
        "d41d8cd98f00b204e9800998ecf8427e",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "registry.example/shop/payment:1.42.0",
        "system:kube-controller-manager",
        "system:serviceaccount:shop:payment",
        "/api/v1/orders/{id}",
        "2024-01-15T10:00:00.000Z",
        "1705312800.123",
        "kubernetes.io/hostname=node-3",
        "job=\"payment\",instance=\"10.0.0.1:9090\"",
        "sum by (le) (rate(http_request_duration_seconds_bucket{job=\"a\"}[5m]))",
        "arn:aws:eks:eu-west-1:123456789012:cluster/shop",
        "projects/shop/instances/db-1",
        "v1.33.1+k3s1",
        "go1.22.4",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
        "01HMZ3Q4R5S6T7V8W9X0Y1Z2A3",
        "cs_live_dashboards",
        "level=error ts=2024-01-15T10:00:00Z caller=main.go:42 msg=\"connection pool exhausted\" pool=8",
    ]);
}

/// Quadratic behaviour would take many minutes on any of these: 100,000 bytes each, made of what makes patterns start again.
#[test]
fn time_is_linear_in_the_length_of_the_text() {
    let redactor = redactor();
    for piece in [
        "a@",
        "a.",
        "a@b.",
        "a@b.co",
        "password=",
        "pwd=a,",
        "pwd='",
        "token=\\",
        "token=\"\\\\",
        "token: a ",
        "secret:",
        "http://a:",
        "http://a:b@",
        "http://a:b/",
        "://:",
        "eyJaaaaaaaa.",
        "-----BEGIN PRIVATE KEY-----",
        "AKIA",
        "4111 ",
        "4111-1111-1111-1111-",
        "1",
        "4",
        "<secret:0000>",
        "<",
        "pwd=a<",
        "pwd=a\"",
        "pwd=a,a",
        "secret=<a:",
        "https://token:",
        "authorization: bearer ",
        "Bearer a1",
        "xoxb-",
        "é",
        "%40",
        "cookie: a=b; ",
        "cookie: a=bcde; b=c; ",
        "jsessionid=",
        "name: a_token value: ",
        "\"name\":\"TOKEN\",\"value\":\"a\",",
        "<password>",
        "<a:secret x",
        "--password ",
        " -u a:b",
        "a:b@",
        "a/bcd@",
        "a:bcd@h:1/",
        "GB29",
        "GB29 NWBK ",
        "AKIAIOSFODNN7EXAMPLE:",
        "accountkey=",
        "aaaaaaaaa",
        "&sig=aaaa",
        "auth\":\"",
        "12345678:AA",
        "next_token=",
        "secret=a-",
        "token a1B2 ",
        "password is ",
        "AUTH a ",
        "mysql -p",
        "login x -p ",
        "\"pass\":\"",
        "identified by '",
        "\"a.password\">",
    ] {
        let text = piece.repeat(100_000 / piece.len());
        let start = Instant::now();
        let masked = redactor.mask(&text);
        assert!(!masked.text.is_empty());
        assert!(start.elapsed().as_secs() < 30, "{piece:?} took {:?}", start.elapsed());
    }
}

/// Pieces that patterns are made of, so that random texts run into them.
fn any_pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[ -~]{0,3}",
        any::<char>().prop_map(String::from),
        prop::sample::select(vec![
            "password",
            "token",
            "secret:",
            "pwd=",
            "=",
            ": ",
            ":",
            ",",
            ";",
            "&",
            "\"",
            "'",
            "\\",
            "\\\"",
            "<",
            ">",
            "(",
            ")",
            "{",
            "}",
            "[",
            "]",
            "@",
            ".",
            "://",
            "/",
            " ",
            "\n",
            "-",
            "a",
            "1",
            "b.com",
            "bob@example.com",
            "%40",
            "hunter2",
            "Bearer ",
            "Authorization: ",
            "eyJhbGciOiJub25lIn0",
            ".eyJzdWIiOiIx",
            "4111111111111111",
            "4111 1111",
            " 1111 1111",
            "AKIAIOSFODNN7EXAMPLE",
            "-----BEGIN PRIVATE KEY-----",
            "-----END PRIVATE KEY-----",
            "xoxb-",
            "1234567890",
            "<email:7f3a>",
            "<secret:0000>",
            "<jwt:12ab>",
            "http://u:",
            "é",
            "x",
            "null",
            "unexpected ",
            "cookie: ",
            "; b=c",
            "--",
            "name: ",
            "value: ",
            "</",
            "GB29",
            "GB29NWBK60161331926819",
            "/",
            "next_",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

/// A secret and a text that holds it once, between a beginning and an end.
fn any_planted() -> impl Strategy<Value = (String, String)> {
    let random = "[A-Za-z0-9]{11}[0-9][a-z]";
    let planted = prop_oneof![
        random.prop_map(|s: String| (s.clone(), format!("password={s}"))),
        random.prop_map(|s: String| (s.clone(), format!("{{\"token\":\"{s}\"}}"))),
        random.prop_map(|s: String| (s.clone(), format!("Authorization: Bearer {s}"))),
        random.prop_map(|s: String| (s.clone(), format!("amqp://app:{s}@mq:5672/"))),
        "[a-z]{8,12}".prop_map(|s: String| (s.clone(), format!("{s}@example.com"))),
        "[A-Z0-9]{16}".prop_map(|s: String| (s.clone(), format!("AKIA{s}"))),
        random.prop_map(|s: String| {
            (s.clone(), format!("-----BEGIN PRIVATE KEY-----\n{s}\n-----END PRIVATE KEY-----"))
        }),
        "[A-Za-z0-9]{20}".prop_map(|s: String| (s.clone(), format!("eyJhbGciOiJub25lIn0.{s}.{s}"))),
        "h7[!-~]{8}9z"
            .prop_filter("these end a bare value", |s: &String| !s
                .contains([',', ';', '&', '"', '\'', '`', '\\']))
            .prop_map(|s: String| (s.clone(), format!("password={s} host=db"))),
        "h7[ !#-\\[\\]-~]{8}9z".prop_map(|s: String| (s.clone(), format!("{{\"password\": \"{s}\"}}"))),
        "h7[!-.0-~]{8}9z"
            .prop_filter("quotes end an address", |s: &String| !s.contains(['"', '\'', '`']))
            .prop_map(|s: String| (s.clone(), format!("postgres://app:{s}@db.example/x"))),
    ];
    let around = "([ -~é\n]{0,20} )?";
    (around, planted, "( [ -~é\n]{0,20})?")
        .prop_map(|(before, (secret, text), after)| (secret, format!("{before}{text}{after}")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn masking_what_is_masked_changes_nothing(text in any_pieces()) {
        let redactor = redactor();
        let once = redactor.mask(&text);
        let twice = redactor.mask(&once.text);
        prop_assert_eq!(&twice.text, &once.text);
        prop_assert_eq!(twice.counts.total(), 0);
    }

    #[test]
    fn a_planted_secret_is_never_left((secret, text) in any_planted()) {
        let masked = redactor().mask(&text);
        let (first_half, second_half) = secret.split_at(secret.len() / 2);
        for part in [&secret, first_half, second_half] {
            let is_elsewhere = text.matches(part).count() > text.matches(&secret).count();
            prop_assert!(is_elsewhere || !masked.text.contains(part), "{part:?} in {:?}", masked.text);
        }
        prop_assert!(masked.counts.total() > 0);
    }

    #[test]
    fn one_value_has_one_token_wherever_it_stands(name in "[a-z]{3,8}", before in "([a-zA-Z0-9 .,;/(){}<>_+-]{0,10} )?") {
        let address = format!("{name}@example.com");
        let alone = redactor().mask(&address).text.into_owned();
        let within = format!("{before}{address} x");
        prop_assert_eq!(redactor().mask(&within).text, format!("{before}{alone} x"));
    }

    #[test]
    fn any_text_is_masked_without_panic_and_counted_exactly(text in any::<String>()) {
        let masked = redactor().mask(&text);
        prop_assert_eq!(masked.counts.total() == 0, masked.text == text);
    }
}
