//! E-mail addresses and payment cards. Card numbers are the published test numbers of payment providers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

mod common;

use common::{check, check_untouched};

#[test]
fn email_addresses_are_masked() {
    check(&[
        ("bob@example.com", "<email:#>"),
        ("Bob.Smith+tag@mail.example.co.uk", "<email:#>"),
        ("user bob@example.com logged in", "user <email:#> logged in"),
        ("<bob@example.com>", "<<email:#>>"),
        ("mailto:bob@example.com", "mailto:<email:#>"),
        ("to=bob@example.com, cc=eve@example.org.", "to=<email:#>, cc=<email:#>."),
        (r#"{"email":"bob@example.com"}"#, r#"{"email":"<email:#>"}"#),
        ("GET /users?email=bob%40example.com&x=1", "GET /users?email=<email:#>&x=1"),
        ("jörg@exämple.de", "<email:#>"),
        ("иван@пример.рф", "<email:#>"),
        ("bob@xn--exmple-cua.xn--p1ai", "<email:#>"),
        ("bob_1%x@example.museum", "<email:#>"),
        ("x@163.com", "<email:#>"),
        ("(bob@example.com)", "(<email:#>)"),
        ("bob@example.com:eve@example.com", "<email:#>:<email:#>"),
        ("550 5.1.1 bob@example.com... User unknown", "550 5.1.1 <email:#>... User unknown"),
        ("联系：bob@example.com。", "联系：<email:#>。"),
        ("https://app.example/u/bob@example.com/edit", "https://app.example/u/<email:#>/edit"),
    ]);
}

#[test]
fn other_things_written_with_an_at_sign_stay() {
    check_untouched(&[
        "@",
        "a@b",
        "bob@localhost",
        "user@10.0.0.1",
        "root@node-3",
        "git@github.com:org/repo.git",
        "getty@tty1.service",
        "user@1000.service",
        "run-user@1000.mount",
        "docker-img@sha256:9f86d081",
        "github.com/x/y@v1.2.3",
        "module@v1.2.3-beta.rc",
        "pkg@1.2.3-alpha.beta",
        "@babel/core@7.0.0",
        "@app.route",
        "icon@2x.png",
        "fn@app.js:10:5",
        "render@https://cdn.example/app.js:1:2",
        "com.foo.Bar@6d06d69c",
        "rabbit@rabbitmq-0.rabbitmq.shop.svc.cluster.local",
        "node@ip-10-0-0-1.ec2.internal",
        "celery@worker-1",
        "2024-01-15T10:00:00Z",
        "a @ b.com",
        "bob@.com",
        "bob@com",
        "sum(rate(x[5m] @ end()))",
        "x{a=\"b\"} @ 1700000000.000",
        "100%@5",
        "ssh admin@bastion",
    ]);
}

#[test]
fn payment_cards_are_masked() {
    check(&[
        ("4111111111111111", "<card:#>"),
        ("4111 1111 1111 1111", "<card:#>"),
        ("4111-1111-1111-1111", "<card:#>"),
        ("4242424242424242", "<card:#>"),
        ("4000056655665556", "<card:#>"),
        ("card 4222222222222", "card <card:#>"),
        ("5555555555554444", "<card:#>"),
        ("5105105105105100", "<card:#>"),
        ("2223003122003222", "<card:#>"),
        ("378282246310005", "<card:#>"),
        ("3782 822463 10005", "<card:#>"),
        ("371449635398431", "<card:#>"),
        ("card 30569309025904", "card <card:#>"),
        ("3056 930902 5904", "<card:#>"),
        ("card 38520000023237", "card <card:#>"),
        ("6011111111111117", "<card:#>"),
        ("6011000990139424", "<card:#>"),
        ("3530111333300000", "<card:#>"),
        ("6200000000000005", "<card:#>"),
        ("6205500000000000004", "<card:#>"),
        ("card 4111 1111 1111 1111 declined", "card <card:#> declined"),
        ("pan=4111111111111111, exp 12/27", "pan=<card:#>, exp 12/27"),
        ("{\"pan\":\"4111111111111111\"}", "{\"pan\":\"<card:#>\"}"),
        ("1234 4111 1111 1111 1111", "1234 <card:#>"),
        ("4111 1111 1111 1111 123", "<card:#> 123"),
        ("4111111111111111.", "<card:#>."),
        ("charged 4111111111111111. Thanks", "charged <card:#>. Thanks"),
        ("/cards/4111111111111111/limit", "/cards/<card:#>/limit"),
    ]);
}

#[test]
fn other_numbers_stay() {
    check_untouched(&[
        "4111111111111112", // wrong check digit
        "4111 1111 1111 1112",
        "4111-1111-1111-1112",
        "1111111111111117", // no issuer
        "9999999999999995",
        "41111111111111",
        "411111111111111111111111",
        "14111111111111111",
        "41111111111111110",
        "a4111111111111111",
        "4111111111111111b",
        "_4111111111111111",
        "0.4111111111111111",
        "4111111111111111.5",
        "4111111111111111e5",
        "job-4111111111111111",
        "4111111111111111-x",
        "4398046511104",
        "4503599627370496",
        "2251799813685248",
        "9007199254740992",
        "9223372036854775807",
        "1700000000000",
        "1700000000000000",
        "1700000000000000000",
        "20240115103000",
        "20240115103000123",
        "5555 5555 5555",
        "4111 11111111 1111",
        "4111  1111  1111  1111",
        "trace_id=4111111111111111",
        "{\"spanId\":\"4111111111111111\"}",
        "traceparent 4111111111111111",
        "00000000-4111-1111-1111-111111111111",
        "4111-1111-1111-1111-1111",
        "le=\"4398046511104\"",
        "0000000000000000",
        // what a card could be, and counters and random numbers more often are
        "4222222222222",
        "30569309025904",
        "node_filesystem_size_bytes 4222222222222",
        "0000 0000 0000 0000",
        "+49 151 23456789",
        "978-3-16-148410-0",
        "192.168.100.200:65535",
    ]);
}
