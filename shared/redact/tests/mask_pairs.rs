//! Values that are secrets because of what stands beside them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

mod common;

use common::{check, check_untouched, redactor, shape};

#[test]
fn values_of_secret_keys_are_masked_in_every_notation() {
    check(&[
        ("password=hunter2", "password=<secret:#>"),
        ("passwd=hunter2", "passwd=<secret:#>"),
        ("pwd=hunter2", "pwd=<secret:#>"),
        ("secret=hunter2", "secret=<secret:#>"),
        ("token=hunter2", "token=<secret:#>"),
        ("api_key=hunter2", "api_key=<secret:#>"),
        ("apikey=hunter2", "apikey=<secret:#>"),
        ("X-Api-Key: 8f14e45fceea", "X-Api-Key: <secret:#>"),
        ("passphrase=hunter", "passphrase=<secret:#>"),
        ("POSTGRES_PASSWORD=hunter2", "POSTGRES_PASSWORD=<secret:#>"),
        ("spring.datasource.password=hunter2", "spring.datasource.password=<secret:#>"),
        ("clientSecret=hunter2", "clientSecret=<secret:#>"),
        ("client_secret=a&grant_type=b", "client_secret=<secret:#>&grant_type=b"),
        ("AccountKey=Zm9vYmFy+/aa==;EndpointSuffix=core", "AccountKey=<secret:#>;EndpointSuffix=core"),
        ("SharedAccessKey=Zm9vYmFy", "SharedAccessKey=<secret:#>"),
        ("minio secret_key=abc", "minio secret_key=<secret:#>"),
        ("password: hunter2", "password: <secret:#>"),
        ("password: hunter", "password: <secret:#>"),
        ("password : hunter", "password : <secret:#>"),
        ("password:hunter2", "password:<secret:#>"),
        ("password = hunter", "password = <secret:#>"),
        ("password := hunter", "password := <secret:#>"),
        (":password=>\"hunter\"", ":password=>\"<secret:#>\""),
        (r#""password":"hunter2""#, r#""password":"<secret:#>""#),
        (r#"{"password": "two words", "n": 1}"#, r#"{"password": "<secret:#>", "n": 1}"#),
        (r#"{"password":"a\"b","n":1}"#, r#"{"password":"<secret:#>","n":1}"#),
        (r#"{"password":12345,"n":1}"#, r#"{"password":<secret:#>,"n":1}"#),
        (r#"{"n":{"password":12345}}"#, r#"{"n":{"password":<secret:#>}}"#),
        (r#"{\"password\":\"hunter2\",\"n\":1}"#, r#"{\"password\":\"<secret:#>\",\"n\":1}"#),
        (r#"{\"password\":\"a\\\"b c\",\"n\":1}"#, r#"{\"password\":\"<secret:#>\",\"n\":1}"#),
        (r#"{"password":["hunter2"]}"#, r#"{"password":["<secret:#>"]}"#),
        ("{'password': 'hunter2'}", "{'password': '<secret:#>'}"),
        ("user='a' password='it''", "user='a' password='<secret:#>''"),
        ("--password=hunter2 --user=a", "--password=<secret:#> --user=a"),
        ("user[password]=hunter2", "user[password]=<secret:#>"),
        ("\"password\":\"cut off her", "\"password\":\"<secret:#>"),
    ]);
}

#[test]
fn a_value_ends_where_its_notation_says() {
    check(&[
        ("user=a password=b host=c", "user=a password=<secret:#> host=c"),
        ("user=a,password=b,host=c", "user=a,password=<secret:#>,host=c"),
        ("user=a;Password=b;User Id=c", "user=a;Password=<secret:#>;User Id=c"),
        (
            "jdbc:mysql://db/x?user=a&password=b&ssl=true",
            "jdbc:mysql://db/x?user=a&password=<secret:#>&ssl=true",
        ),
        ("password=a,b&c user=d", "password=<secret:#> user=d"),
        ("password=a,b,user=c", "password=<secret:#>,user=c"),
        ("[a](https://h/b.svg?token=a1)](https://h)", "[a](https://h/b.svg?token=<secret:#>)](https://h)"),
        ("{user:a token:b1}", "{user:a token:<secret:#>}"),
        ("token=a,200,GET", "token=<secret:#>,200,GET"),
        ("Login(user=a, password=b)", "Login(user=a, password=<secret:#>)"),
        ("{user:a password:b1}", "{user:a password:<secret:#>}"),
        ("[{password:abc1},{user:x}]", "[{password:<secret:#>},{user:x}]"),
        ("[password=a(b)]", "[password=<secret:#>]"),
        ("(password=a(b)", "(password=<secret:#>"), // an own bracket
        ("password=a\"b`c'd e", "password=<secret:#> e"),
        (
            "say `password=a`, \"password=b\" 'password=c'.",
            "say `password=<secret:#>`, \"password=<secret:#>\" 'password=<secret:#>'.",
        ),
        ("password=a<b<c,d<e f", "password=<secret:#> f"),
        ("password=a<b:c> d", "password=<secret:#> d"),
        ("password=a,AKIAIOSFODNN7EXAMPLE", "password=<secret:#>,<aws-key-id:#>"),
        ("https://token:hunter2@host/a", "https://token:<url-password:#>@host/a"),
        ("https://my-token:8443/a token: hunter2", "https://my-token:8443/a token: <secret:#>"),
        ("password=a\\b", "password=<secret:#>"),
        ("password: hunter role: admin", "password: <secret:#> role: admin"),
        ("password=a\ntoken=b\n", "password=<secret:#>\ntoken=<secret:#>\n"),
        ("pwd=a,pwd=b,pwd=c", "pwd=<secret:#>,pwd=<secret:#>,pwd=<secret:#>"),
        ("password=\"a\" token='b' secret=c", "password=\"<secret:#>\" token='<secret:#>' secret=<secret:#>"),
        ("password=пароль1 x", "password=<secret:#> x"),
        ("password=<b", "password=<secret:#>"),
        ("password=bob@example.com", "password=<secret:#>"),
        ("password=bob@example.com,x", "password=<secret:#>"),
    ]);
}

/// The precise class has seen a part; the whole is still a secret.
#[test]
fn a_token_with_something_beside_it_is_masked_again() {
    let masked = redactor().mask("password=<jwt:12ab>.tail password=head<jwt:12ab> password=<jwt:12ab>");
    assert_eq!(shape(&masked), "password=<secret:#> password=<secret:#><jwt:#> password=<jwt:#>");
}

#[test]
fn placeholders_and_words_are_no_secrets() {
    check_untouched(&[
        "password=",
        "password: ",
        "password=\"\"",
        "password=****",
        "password: ********",
        "password=xxxxx",
        "password=${DB_PASSWORD}",
        "password=$DB_PASSWORD",
        "password=$(cat /run/x)",
        "password={{ .Values.db }}",
        "password=%s",
        "password=%v",
        "password=<redacted>",
        "password=[FILTERED]",
        "password=(hidden)",
        "password=<nil>",
        "token=null",
        "\"token\":null",
        "\"is_secret\": true",
        "\"has_password\":false}",
        "secret: None",
        "token=undefined",
        "password: required",
        "apikey=[REDACTED]",
        "token: EOF",
        "PWD=/home/app",
        "OLDPWD=/srv",
        "pwd: \"/srv/app\"",
        "pwd=C:\\app",
        "pwd=~/app",
    ]);
}

#[test]
fn messages_about_secrets_stay() {
    check_untouched(&[
        "Invalid password: too short",
        "password authentication failed for user \"app\"",
        "invalid token: signature is invalid",
        "unexpected token: '}'",
        "unexpected token: name1",
        "SyntaxError: Unexpected token < in JSON at position 0",
        "failed to refresh token: 401 Unauthorized",
        "cannot fetch token: 503",
        "cannot fetch token: oauth2: server said no",
        "failed to get token: Get \"https://auth.svc/token\": dial tcp 10.0.0.1:443: connect: connection refused",
        "token: rpc error: code = Unavailable",
        "couldn't get secret: not found",
        "secret \"db-credentials\" not found",
        "MountVolume.SetUp failed for volume \"tls\" : secret \"shop/tls\" not found",
        "secret: shop/db-credentials",
        "password: crypto/bcrypt: hashedPassword is not the hash of the given password",
        "tokens=4096",
        "max_tokens: 4096",
        "secrets: 12",
        "password_encryption = scram",
        "token_type: abc123",
        "secretName: my-tls-1",
        "tokenizer=bpe1",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf",
        "passwd: files systemd",
        "apiVersion: v1",
        "secret/db-1 created",
        "password_changed_at: 2024-01-15",
        "[sudo] password for bob: ",
        "password reset requested",
        "access_token_url: https://auth.example/token",
        "secretRef: {name: a1}",
        "kube_secret_info",
        "kube_secret_labels{namespace=\"shop1\"}",
        "rate(token_refresh_total[5m])",
        "next token: timeout",
        "compwd-1",
        "passwords: 3 leaked",
    ]);
}

#[test]
fn only_the_password_of_a_url_is_masked() {
    check(&[
        (
            "postgres://app:hunter2@db.example.com:5432/shop",
            "postgres://app:<url-password:#>@db.example.com:5432/shop",
        ),
        (
            "postgresql://app:p%40ss@db/shop?sslmode=off",
            "postgresql://app:<url-password:#>@db/shop?sslmode=off",
        ),
        ("redis://:hunter2@cache:6379/0", "redis://:<url-password:#>@cache:6379/0"),
        ("amqp://guest:guest@mq", "amqp://guest:<url-password:#>@mq"),
        ("amqp://u:a@m1,amqp://u:b@m2", "amqp://u:<url-password:#>@m1,amqp://u:<url-password:#>@m2"),
        (
            "mongodb+srv://u:p@c.example.net,d.example.net/x",
            "mongodb+srv://u:<url-password:#>@c.example.net,d.example.net/x",
        ),
        ("https://user:pa@ss@host/a@b", "https://user:<url-password:#>@host/a@b"),
        ("mysql://root:p#a?b@db/x", "mysql://root:<url-password:#>@db/x"),
        (
            "parse \"postgres://app:ab/cd+e@db/x\": invalid port \":ab\" after host",
            "parse \"postgres://app:<url-password:#>@db/x\": invalid port \":ab\" after host",
        ),
        ("jdbc:postgresql://a:b@c/d", "jdbc:postgresql://a:<url-password:#>@c/d"),
        ("DATABASE_URL=postgres://a:b@c/d", "DATABASE_URL=postgres://a:<url-password:#>@c/d"),
        ("{\"url\":\"http://a:b@c\"}", "{\"url\":\"http://a:<url-password:#>@c\"}"),
        ("smtp://bob%40example.com:pw1@mail:25", "smtp://<email:#>:<url-password:#>@mail:25"),
        ("https://a:<b@c/", "https://a:<url-password:#>@c/"),
        ("proxy http://a:1234@proxy:3128", "proxy http://a:<url-password:#>@proxy:3128"),
    ]);
}

#[test]
fn urls_without_a_password_stay() {
    check_untouched(&[
        "http://10.0.0.1:9090/metrics",
        "http://host:8080/path?to=a@b",
        "http://host:8080/@me",
        "http://host:8080?to=a@b",
        "http://host:80#x@y",
        "https://user@host/x",
        "ssh://git@github.com:22/a/b",
        "http://[::1]:9090/x@y",
        "http://[fe80::1%25eth0]:80/",
        "http://user:$PASSWORD@host/",
        "http://user:${PASSWORD}@host/",
        "http://user:xxxxx@host/",
        "http://user:***@host/",
        "http://host:9090",
        "tcp://0.0.0.0:4317",
        "unix:///run/x.sock",
        "file:///a:b@c",
        "oci://registry:5000/img@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "docker://alpine:3.20",
        "s3://bucket/key:with@signs",
        "https://a.example/@scope/pkg:1",
        "http://a:80/,http://b:81/@x",
        "kafka://b1:9092,b2:9092/topic",
    ]);
}
