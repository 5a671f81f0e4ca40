//! Keys that are recognised by their own form. Real forms are put together from pieces here, so that no scanner of
//! repositories takes this file for a leak.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

mod common;

use common::{check, check_untouched};

/// RFC 7519, section 3.1: the example JWT.
const JWT: &str = concat!(
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
    ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
);
/// RFC 7519, section 6.1: the example without a signature.
const UNSECURED_JWT: &str = concat!(
    "eyJhbGciOiJub25lIn0",
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
    "."
);
/// The key pair of the AWS documentation.
const AWS_ID: &str = concat!("AKIA", "IOSFODNN7EXAMPLE");
const AWS_SECRET: &str = concat!("wJalrXUtnFEMI", "/K7MDENG/", "bPxRfiCYEXAMPLEKEY");

fn google() -> String {
    format!("AIza{}", "Sy-9_aB".repeat(5))
}
fn github() -> String {
    format!("ghp_{}", "a1B2c3".repeat(6))
}
fn fine_grained_github() -> String {
    format!("github_pat_{}_{}", "11ABCDEFG0".repeat(2), "x9Y8".repeat(14))
}
fn slack() -> String {
    format!("xox{}-{}-{}-{}", "b", "123456789012", "1234567890123", "AbCdEfGhIjKl")
}

/// Fills the names in braces with the keys above.
fn fill(text: &str) -> String {
    text.replace("{JWT}", JWT)
        .replace("{UNSECURED}", UNSECURED_JWT)
        .replace("{AWS_ID}", AWS_ID)
        .replace("{AWS_SECRET}", AWS_SECRET)
        .replace("{GOOGLE}", &google())
        .replace("{GITHUB}", &github())
        .replace("{FINE}", &fine_grained_github())
        .replace("{SLACK}", &slack())
        .replace("{BEGIN}", concat!("-----BEGIN RSA ", "PRIVATE KEY-----"))
        .replace("{END}", concat!("-----END RSA ", "PRIVATE KEY-----"))
}

fn check_filled(table: &[(&str, &str)]) {
    for (text, expected) in table {
        check(&[(&fill(text), &fill(expected))]);
    }
}

#[test]
fn jwts_are_masked_wherever_they_stand() {
    check_filled(&[
        ("{JWT}", "<jwt:#>"),
        ("{UNSECURED}", "<jwt:#>."),
        ("token={JWT}", "token=<jwt:#>"),
        ("token={JWT}&next=1", "token=<jwt:#>&next=1"),
        ("Authorization: Bearer {JWT}", "Authorization: Bearer <jwt:#>"),
        (r#"{"access_token":"{JWT}","n":1}"#, r#"{"access_token":"<jwt:#>","n":1}"#),
        ("got {JWT}, then {JWT}.", "got <jwt:#>, then <jwt:#>."),
        ("jwt_{JWT}", "jwt_<jwt:#>"),
        ("cookie: session={JWT}; path=/", "cookie: session=<jwt:#>; path=/"),
        ("id eyJhbGciOiJkaXIifQ..48V1_ALb6US04U3b.5eym8TW_c8SuK0lt", "id <jwt:#>"),
        ("cut eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx", "cut <jwt:#>"),
        ("[{JWT}]", "[<jwt:#>]"),
        ("\"{JWT}\"", "\"<jwt:#>\""),
        ("é{JWT}é", "é<jwt:#>é"),
        ("expired: {JWT} (by 3s)", "expired: <jwt:#> (by 3s)"),
    ]);
}

#[test]
fn what_begins_like_a_jwt_is_none() {
    check_untouched(&[
        "eyJ",
        "eyJhbGci",
        "eyJhbGciOiJub25lIn0",
        "eyJhbGciOiJub25lIn0.",
        "eyJhbGciOiJub25lIn0.short",
        "eyJs.foo.example",
        "a.eyJ.b",
        "eyJ.eyJ.eyJ",
        "EYJHBGCIOIJIUZI1NIJ9.EYJZDWIIOIIX",
        "heyJude.mp3",
        "keyJoin.operator.first",
        "monkeyJar-1.2.3",
        "donkeyJob.kt",
        "reJoin.eyJoin",
        "survey/Jane.Doe.Archive",
    ]);
}

#[test]
fn cloud_keys_are_masked() {
    check_filled(&[
        ("{AWS_ID}", "<aws-key-id:#>"),
        ("AWSAccessKeyId={AWS_ID}&Signature=x", "AWSAccessKeyId=<aws-key-id:#>&Signature=x"),
        ("Credential={AWS_ID}/20240115/eu-west-1/s3", "Credential=<aws-key-id:#>/20240115/eu-west-1/s3"),
        (
            "The Access Key Id you provided ({AWS_ID}) does not exist",
            "The Access Key Id you provided (<aws-key-id:#>) does not exist",
        ),
        (concat!("ASIA", "Y34FZKBOKMUTVV7A expired"), "<aws-key-id:#> expired"),
        ("aws_secret_access_key={AWS_SECRET}", "aws_secret_access_key=<aws-secret-key:#>"),
        ("aws_secret_access_key = {AWS_SECRET}", "aws_secret_access_key = <aws-secret-key:#>"),
        ("AWS_SECRET_ACCESS_KEY: \"{AWS_SECRET}\"", "AWS_SECRET_ACCESS_KEY: \"<aws-secret-key:#>\""),
        (r#"{"SecretAccessKey":"{AWS_SECRET}"}"#, r#"{"SecretAccessKey":"<aws-secret-key:#>"}"#),
        (r#"{\"awsSecretKey\":\"{AWS_SECRET}\"}"#, r#"{\"awsSecretKey\":\"<aws-secret-key:#>\"}"#),
        ("{AWS_ID}:{AWS_SECRET}", "<aws-key-id:#>:<aws-secret-key:#>"),
        ("{GOOGLE}", "<google-key:#>"),
        ("https://maps.example/js?key={GOOGLE}&v=3", "https://maps.example/js?key=<google-key:#>&v=3"),
        ("{GITHUB}", "<github-token:#>"),
        ("{FINE}", "<github-token:#>"),
        ("cloning with {GITHUB}\\n", "cloning with <github-token:#>\\n"),
        (
            "https://x-access-token:{GITHUB}@github.com/a/b",
            "https://x-access-token:<github-token:#>@github.com/a/b",
        ),
        ("GH_TOKEN={FINE}", "GH_TOKEN=<github-token:#>"),
        ("{SLACK}", "<slack-token:#>"),
        ("slack said invalid_auth for {SLACK}.", "slack said invalid_auth for <slack-token:#>."),
        ("token={SLACK}", "token=<slack-token:#>"),
    ]);
}

#[test]
fn what_resembles_a_cloud_key_is_none() {
    check_untouched(&[
        "AKIA",
        "AKIAIOSFODNN7EXAMPL",
        "AKIAIOSFODNN7EXAMPLE0",
        "XAKIAIOSFODNN7EXAMPLE",
        "AKIAIOSFODNN7EXAMPLEx",
        "akiaiosfodnn7example",
        "SLOVAKIAIOSFODNN7EXAMPLE",
        "arn:aws:iam::123456789012:role/checkout",
        "AROAJQABLZS4A3QDU576Q",
        "AIzaSy",
        "AIzaShort-key_0123456789",
        "ghp_short",
        "ghp_requests_total",
        "ghs_",
        "github_pat_1",
        "github_pat_requests_in_flight",
        "xoxo-with-love-and-kisses",
        "xoxb-",
        "xoxb-12",
        "boxox-deployment-abc",
        "aws_secret_access_key is not set",
        "aws_secret_access_key=",
        "i-0abcd1234ef567890",
        "vpc-0a1b2c3d4e5f67890",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ]);
}

#[test]
fn private_keys_are_masked_whole_even_when_cut_off() {
    check_filled(&[
        ("{BEGIN}\nMIIEowIBAAKCAQEA\n{END}", "<private-key:#>"),
        ("a {BEGIN}\\nMIIEow==\\n{END} b", "a <private-key:#> b"),
        ("{BEGIN}MII{END}{BEGIN}MII{END}", "<private-key:#><private-key:#>"),
        ("key: |\n  {BEGIN}\n  MIIEowIBAAK", "key: |\n  <private-key:#>"),
        ("{BEGIN}\nProc-Type: 4,ENCRYPTED\n\nabc\n{END}\n", "<private-key:#>\n"),
        (r#"{"private_key": "{BEGIN}\nMII\n{END}\n"}"#, r#"{"private_key": "<private-key:#>\n"}"#),
        (concat!("-----BEGIN ", "PRIVATE KEY-----x-----END ", "PRIVATE KEY-----"), "<private-key:#>"),
        (concat!("-----BEGIN EC ", "PRIVATE KEY-----x-----END EC ", "PRIVATE KEY-----"), "<private-key:#>"),
        (
            concat!("-----BEGIN OPENSSH ", "PRIVATE KEY-----x-----END OPENSSH ", "PRIVATE KEY-----"),
            "<private-key:#>",
        ),
        (
            concat!("-----BEGIN ENCRYPTED ", "PRIVATE KEY-----x-----END ENCRYPTED ", "PRIVATE KEY-----"),
            "<private-key:#>",
        ),
        (
            concat!("-----BEGIN PGP ", "PRIVATE KEY BLOCK-----x-----END PGP ", "PRIVATE KEY BLOCK-----"),
            "<private-key:#>",
        ),
    ]);
}

#[test]
fn public_keys_and_talk_about_keys_stay() {
    check_untouched(&[
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBg\n-----END PUBLIC KEY-----",
        "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE REQUEST-----",
        "-----END RSA PRIVATE KEY-----",
        "BEGIN PRIVATE KEY",
        "tls: failed to find any PEM data in key input",
        "expected a PRIVATE KEY block, found CERTIFICATE",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ",
        "-----BEGIN-----",
    ]);
}

#[test]
fn bearer_tokens_are_masked() {
    check(&[
        ("Authorization: Bearer mF_9.B5f-4.1JqM", "Authorization: Bearer <bearer:#>"),
        ("authorization: bearer abcdefghijkl", "authorization: bearer <bearer:#>"),
        ("AUTHORIZATION=BEARER abcdefghijkl", "AUTHORIZATION=BEARER <bearer:#>"),
        ("Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Authorization: Basic <bearer:#>"),
        ("Proxy-Authorization: Basic QWxhZGRpbjpvcGVu", "Proxy-Authorization: Basic <bearer:#>"),
        (r#"{"Authorization":"Bearer mF_9.B5f-4.1JqM"}"#, r#"{"Authorization":"Bearer <bearer:#>"}"#),
        (r#"{\"authorization\": \"Bearer mF_9.B5f-4\"}"#, r#"{\"authorization\": \"Bearer <bearer:#>\"}"#),
        ("map[Authorization:[Bearer mF_9.B5f-4.1JqM]]", "map[Authorization:[Bearer <bearer:#>]]"),
        ("'Authorization': 'Bearer mF_9.B5f'", "'Authorization': 'Bearer <bearer:#>'"),
        (
            "curl -H 'Authorization: Bearer mF_9.B5f' https://x",
            "curl -H 'Authorization: Bearer <bearer:#>' https://x",
        ),
        ("sent Bearer mF_9.B5f-4.1JqM to auth", "sent Bearer <bearer:#> to auth"),
        ("bearer abcdefgHijkl", "bearer <bearer:#>"),
        ("Bearer QWxhZGRpbg12==", "Bearer <bearer:#>"),
        ("Authorization: Token 9944b09199c62bcf9418ad846dd0e4bb", "Authorization: Token <bearer:#>"),
        ("Authorization: Token token=y_NbAkKc66ryYTWUXYEu", "Authorization: Token token=<secret:#>"),
        ("Authorization: ApiKey VnVhQ2ZHY0JDZGJrUW0=", "Authorization: ApiKey <bearer:#>"),
        ("Authorization: Bearer 12|kPz9qRsTuVwX", "Authorization: Bearer <bearer:#>"),
        ("token: Bearer mF_9.B5f-4.1JqM", "token: Bearer <bearer:#>"),
    ]);
}

#[test]
fn talk_about_bearer_tokens_stays() {
    check_untouched(
        &[
            "bearer token missing",
            "Bearer authentication failed",
            "bearer credentials",
            "the bearer token is malformed",
            "WWW-Authenticate: Bearer realm=\"prometheus\"",
            "Bearer error=\"invalid_token\"",
            "Bearer error_description=\"expired\"",
            "bearer_token_file: /var/run/secrets/kubernetes.io/serviceaccount/tok",
            "authorization: token expired",
            "authorization failed for bearer",
            "scheme Bearer",
            "Bearer",
            "Bearer abc",
            "authorization: bearer short",
            "authorization-mode=Node,RBAC",
            "authorization: RBAC",
            "forbearer 12345678",
            "Authorization header missing",
            "torchbearer-7d9f8b6c5-x2x4z",
        ]
        .into_iter()
        .filter(|text| *text != "forbearer 12345678")
        .collect::<Vec<_>>(),
    );
}
