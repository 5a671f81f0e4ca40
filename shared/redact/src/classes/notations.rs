//! Secrets whose key stands apart from them: in the next field, in an XML element, in a command line.

use super::pair::is_placeholder;
use super::{Candidate, Class, Kind, Needs, Verdict, looks_random};

pub(super) const ROWS: &[Class] = &[
    Class {
        // `{"name":"DB_PASSWORD","value":"…"}` of pod specifications, in JSON, quoted JSON, YAML and Go's notation.
        name: "secret",
        kind: Kind::Credential,
        needs: Needs::OneOf(&["value"]),
        pattern: r#"(?x) (?-u:\b) (?i-u: name | key ) ["'\\]{0,4} \x20{0,4} [:=] \x20{0,4} ["'\\]{0,4}
            (?i-u: [A-Z0-9_.-]{0,60}? (?: password | passwd | passphrase | pwd | token | secret | api_?key
                | access_?key | private_?key | credentials? ) )
            ["'\\]{0,4} [\s,]{1,40} ["'\\]{0,4} (?i-u: value ) ["'\\]{0,4} \x20{0,4} [:=] \x20{0,4}
            (?: \\+ " ( [^"\\\n]+ ) | " ( (?: [^"\\\n] | \\. )+ ) | ' ( [^'\n]+ ) | ( [^\s"',;}\\]+ ) )"#,
        judge: Some(judge_value),
    },
    Class {
        // `<password>…</password>`, also with a prefix of a namespace.
        name: "secret",
        kind: Kind::Credential,
        needs: Needs::OneOf(&["</"]),
        pattern: r#"(?x) < (?i-u: [A-Za-z0-9_.:-]{0,40}? (?: password | passwd | passphrase | secret | token | api-?_?key
                | access-?_?key | private-?_?key ) ) (?: \s [^<>]{0,200} )? > ( [^<>\s] [^<>]{0,500} ) </"#,
        judge: Some(judge_value),
    },
    Class {
        // `<property name="hibernate.connection.password">…</property>`
        name: "secret",
        kind: Kind::Credential,
        needs: Needs::OneOf(&["</"]),
        pattern: r#"(?x) ["'] [A-Za-z0-9_.-]{0,60}? (?i-u: password | passwd | passphrase | secret | token | api_?key )
            ["'] [^<>\n]{0,60} > ( [^<>\s] [^<>]{0,500} ) </"#,
        judge: Some(judge_value),
    },
    Class {
        // `{"pass":"…"}`: only quoted, because unquoted it counts tests.
        name: "secret",
        kind: Kind::Credential,
        needs: Needs::OneOf(&["\"pass", "'pass"]),
        pattern: r#"(?x) ["'] (?i-u: pass ) \\{0,4} ["'] \x20? : \x20? \\{0,4} ["'] ( [^"'\\\n]{4,} )"#,
        judge: Some(judge_value),
    },
    Class {
        // `ALTER USER app WITH PASSWORD '…'`, `IDENTIFIED BY '…'`.
        name: "secret",
        kind: Kind::Credential,
        needs: Needs::OneOf(&["with password", "identified"]),
        pattern: r#"(?x) (?i-u: with \x20 password | identified \x20 by (?: \x20 password )? ) \x20{1,2} ["'] ( [^"'\n]+ )"#,
        judge: Some(judge_value),
    },
    Class {
        // `invalid password 'VALUE'`, `client_secret is "VALUE"`, `token VALUE`: words follow as often, so that only
        // what no word looks like is one.
        name: "secret",
        kind: Kind::Credential,
        needs: Needs::OneOf(&[
            "password",
            "passwd",
            "passphrase",
            "secret",
            "token",
            "apikey",
            "api_key",
            "api key",
            "api-key",
        ]),
        pattern: r#"(?x) (?i-u: password | passwd | passphrase | secret | token | api[\x20_-]?key )
            (?: \x20 (?: is | was ) )? [\x20\t]{1,4} ["'`(]? ( [A-Za-z0-9!\#$%^*+/_~.-]{8,} )"#,
        judge: Some(judge_word),
    },
    Class {
        // `AUTH VALUE` of Redis and of mail, `AUTH USER VALUE`.
        name: "secret",
        kind: Kind::Credential,
        needs: Needs::OneOf(&["auth "]),
        pattern: r#"(?x) (?-u:\b) AUTH \x20 (?: [A-Za-z]{2,20} \x20 )? ["']? ( [^\s"']{8,} )"#,
        judge: Some(judge_word),
    },
    Class {
        // `sshpass -p VALUE`, `mysql -pVALUE`, `docker login -p VALUE`.
        name: "secret",
        kind: Kind::Credential,
        needs: Needs::OneOf(&["sshpass", "mysql", "login"]),
        pattern: r#"(?x) (?: sshpass \x20+ -p \x20? | mysql (?: dump | admin )? (?-u:\b) [^\n|;]{0,100}? \x20 -p
            | (?-u:\b) login (?-u:\b) [^\n|;]{0,100}? \x20 -p \x20 ) ["']? ( [^\s"'-][^\s"']{3,} )"#,
        judge: Some(judge_argument),
    },
    Class {
        // `--password VALUE`, as command lines of containers and processes show it.
        name: "secret",
        kind: Kind::Credential,
        needs: Needs::OneOf(&["--"]),
        pattern: r#"(?x) -- (?i-u: [a-z0-9]{0,20} -? [a-z0-9]{0,20} -? (?: password | passwd | passphrase | token | secret
                | api-?key | access-?key | account-?key | secret-?key ) ) (?: \x20{1,2} | ["'],\x20?["'] ) ["']? ( [^\s"',;]{4,} )"#,
        judge: Some(judge_argument),
    },
    Class {
        // `curl -u user:VALUE`.
        name: "secret",
        kind: Kind::Credential,
        needs: Needs::OneOf(&["-u ", "-u=", "--user", "--proxy-user"]),
        pattern: r#"(?x) \s (?: -u | --user | --proxy-user ) [\x20=] ["']? [A-Za-z0-9._@%+-]{1,64} : ( [^\s"']{3,} )"#,
        judge: Some(judge_login),
    },
];

/// Both cases and two digits, or a sign that words do not have; no path, no version, no name of a class.
fn judge_word(candidate: &Candidate<'_>) -> Verdict {
    let value = candidate.value;
    let count = |is_one: fn(&char) -> bool| value.chars().filter(is_one).count();
    let digits = count(char::is_ascii_digit);
    let has_both_cases = count(char::is_ascii_uppercase) > 0 && count(char::is_ascii_lowercase) > 0;
    let is_name = value.contains(['/', '.']) || value.starts_with('-') || is_placeholder(value);
    // `OAuth2AccessToken`: words with a number between them
    let changes = value
        .as_bytes()
        .windows(2)
        .filter(|pair| matches!(pair, [a, b] if a.is_ascii_digit() != b.is_ascii_digit()))
        .count();
    if is_name
        || digits < 2
        || !has_both_cases
        || changes < 2 && !value.contains(['!', '#', '$', '%', '^', '~', '_'])
    {
        return Verdict::Not(value.len());
    }
    Verdict::Secret(value.len())
}

fn judge_value(candidate: &Candidate<'_>) -> Verdict {
    let is_a_name = candidate.value.starts_with('/') || candidate.value.starts_with("map[");
    if is_a_name || is_placeholder(candidate.value) {
        return Verdict::Not(candidate.value.len());
    }
    Verdict::Secret(candidate.value.len())
}

/// `--password is required` is a sentence, `--token --verbose` has no value, `--token /var/run/token` is a file.
fn judge_argument(candidate: &Candidate<'_>) -> Verdict {
    let value = candidate.value;
    let is_file = value.starts_with(['/', '.', '~', '@', '-']);
    let is_random = looks_random(value) || value.contains(['!', '#', '%', '^', '&', '*', '$']);
    if is_file || !is_random || is_placeholder(value) {
        return Verdict::Not(value.len());
    }
    Verdict::Secret(value.len())
}

/// `docker run -u 1000:1000` names a user and a group, `-u host:8080` a place.
fn judge_login(candidate: &Candidate<'_>) -> Verdict {
    let value = candidate.value;
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    if is_number || value.starts_with("//") || is_placeholder(value) {
        return Verdict::Not(value.len());
    }
    Verdict::Secret(value.len())
}
