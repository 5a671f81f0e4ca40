//! Traces of real programs of languages with a runtime of their own.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod common;

use common::{Expected, check_all, recorded, shared, type_of};
use stacktrace::{Application, Language, Relation, extract};

const POOL: (&str, &str) = ("java.lang.IllegalStateException", "pool exhausted (size=10):\n  waiting=211");
const SUPPRESSED: &[&str] = &["java.io.UncheckedIOException", "java.io.IOException"];
const PAYMENT: &str = "com.acme.shop.Checkout$PaymentException";
const ACQUIRE: (&str, &str, &str) =
    ("com.acme.shop.Checkout$Pool.acquire", "Checkout.java", "throw new IllegalStateException(");

#[test]
fn java() {
    let of = |name, chain, others, elided, top, in_application| Expected {
        name,
        language: Language::Java,
        chain,
        others,
        elided,
        top,
        in_application,
    };
    check_all(&[
        of("java-chain", &[(PAYMENT, "order A-17 failed"), POOL], SUPPRESSED, 3, ACQUIRE, 3),
        of(
            "java-proxy",
            &[
                ("java.lang.RuntimeException", "com.acme.shop.Checkout$PaymentException: order A-18 failed"),
                (PAYMENT, "order A-18 failed"),
                POOL,
            ],
            SUPPRESSED,
            4,
            ACQUIRE,
            3,
        ),
        of("java-logback", &[(PAYMENT, "order A-17 failed"), POOL], SUPPRESSED, 1, ACQUIRE, 3),
        of(
            "java-root-first",
            &[(PAYMENT, "order A-17 failed"), POOL],
            &["java.io.IOException", "java.io.UncheckedIOException"],
            1,
            ACQUIRE,
            3,
        ),
        of(
            "java-circular",
            &[("java.lang.Exception", "a"), ("java.lang.Exception", "b")],
            &[],
            1,
            ("com.acme.shop.Checkout.circular", "Checkout.java", "new Exception(\"b\", a)"),
            1,
        ),
        of(
            "java-overflow",
            &[("java.lang.StackOverflowError", "")],
            &[],
            0,
            ("com.acme.shop.Checkout.overflow", "Checkout.java", "static int overflow("),
            40,
        ),
    ]);
    let circular = extract(&recorded("java-circular"), &Application::default());
    assert!(circular[0].circular);
}

#[test]
fn root_cause_first_is_the_same_trace() {
    let fingerprint = |name| extract(&recorded(name), &Application::default())[0].fingerprint.clone();
    assert_eq!(fingerprint("java-logback"), fingerprint("java-root-first"));
    assert_ne!(fingerprint("java-logback"), fingerprint("java-proxy"));
}

#[test]
fn python() {
    let of = |name, chain, others, elided, top, in_application| Expected {
        name,
        language: Language::Python,
        chain,
        others,
        elided,
        top,
        in_application,
    };
    let acquire = ("acquire", "checkout.py", "return pool[order]");
    check_all(&[
        of(
            "python-cause",
            &[("PaymentError", "order A-17 failed"), ("KeyError", "'A-17'")],
            &[],
            0,
            acquire,
            2,
        ),
        of(
            "python-context",
            &[
                ("ZeroDivisionError", "division by zero"),
                ("PaymentError", "order A-18 failed"),
                ("KeyError", "'A-18'"),
            ],
            &[],
            0,
            acquire,
            2,
        ),
        of(
            "python-group",
            &[
                ("ExceptionGroup", "2 orders failed (3 sub-exceptions)"),
                ("PaymentError", "order A-1 failed"),
                ("KeyError", "'A-1'"),
            ],
            &["PaymentError", "KeyError", "ExceptionGroup", "TimeoutError"],
            0,
            acquire,
            2,
        ),
        of(
            "python-taskgroup",
            &[
                ("ExceptionGroup", "unhandled errors in a TaskGroup (1 sub-exception)"),
                ("PaymentError", "order A-3 failed"),
                ("KeyError", "'A-3'"),
            ],
            &[],
            0,
            acquire,
            2,
        ),
        of(
            "python-notes",
            &[("ValueError", "bad amount\nwhile parsing the cart\ncart 17")],
            &[],
            0,
            ("noted", "checkout.py", "    raise error\n".trim_end_matches('\n')),
            2,
        ),
        of(
            "python-json",
            &[(
                "json.decoder.JSONDecodeError",
                "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
            )],
            &[],
            0,
            ("<lambda>", "checkout.py", "\"json\": lambda"),
            2,
        ),
        of(
            "python-recursion",
            &[("RecursionError", "maximum recursion depth exceeded")],
            &[],
            995,
            ("recurse", "checkout.py", "return recurse("),
            5,
        ),
    ]);
    let syntax = &extract(&recorded("python-syntax"), &Application::default())[0];
    assert_eq!(
        (type_of(&syntax.root_cause), syntax.root_cause.message.as_str()),
        ("SyntaxError", "invalid syntax")
    );
    assert_eq!(syntax.root_cause.frames[0].file.as_deref(), Some("cart.py"));
    let context = &extract(&recorded("python-context"), &Application::default())[0];
    let relations: Vec<Relation> = context.chain().map(|one| one.relation).collect();
    assert_eq!(relations, [Relation::Reported, Relation::Context, Relation::Cause]);
}

#[test]
fn javascript() {
    let of = |name, chain, others, elided, top, in_application| Expected {
        name,
        language: Language::JavaScript,
        chain,
        others,
        elided,
        top,
        in_application,
    };
    const SYNTAX: (&str, &str) = ("SyntaxError", "Expected property name or '}' in JSON at position 1");
    let acquire = ("Pool.acquire", "checkout.js", "acquire(order) { return");
    check_all(&[
        of("node-cause", &[("PaymentError", "order A-17 failed"), SYNTAX], &[], 5, acquire, 4),
        of(
            "node-nested",
            &[("Error", "checkout failed"), ("PaymentError", "order A-3 failed"), SYNTAX],
            &[],
            0,
            acquire,
            4,
        ),
        of(
            "node-logged",
            &[("Error", "checkout failed"), ("PaymentError", "order A-3 failed"), SYNTAX],
            &[],
            0,
            acquire,
            4,
        ),
        of(
            "node-aggregate",
            &[("AggregateError", "All promises were rejected"), ("PaymentError", "order A-1 failed"), SYNTAX],
            &["PaymentError", "SyntaxError"],
            0,
            acquire,
            4,
        ),
        of(
            "node-internal",
            &[("Error", "ENOENT: no such file or directory, open '/nowhere'")],
            &[],
            0,
            ("Object.internal", "checkout.js", "internal: () =>"),
            2,
        ),
        of(
            "node-multiline",
            &[("Error", "first line\nsecond line")],
            &[],
            0,
            ("Object.multiline", "checkout.js", "multiline: () =>"),
            2,
        ),
        of(
            "node-express",
            &[("TypeError", "Cannot read properties of undefined (reading 'amount')")],
            &[],
            0,
            ("charge", "express.js", "return order.total.amount"),
            2,
        ),
    ]);
}

const INVALID: (&str, &str) = ("System.InvalidOperationException", "pool exhausted\nwaiting=211");

#[test]
fn dotnet() {
    let of = |name, chain, others, top, in_application| Expected {
        name,
        language: Language::DotNet,
        chain,
        others,
        elided: 0,
        top,
        in_application,
    };
    const AGGREGATE: (&str, &str) =
        ("System.AggregateException", "One or more errors occurred. (order A-1 failed) (order A-2 failed)");
    const FAILED: &str = "Acme.Shop.PaymentException";
    let core = ("Acme.Shop.Pool`1.Acquire", "Checkout.cs", "");
    // Mono inlined `Acquire` into its caller.
    let mono = ("Acme.Shop.Checkout.Charge", "Checkout.cs", "return new Pool<int>()");
    let inner: &[(&str, &str)] =
        &[("System.ApplicationException", "checkout failed"), (FAILED, "order A-17 failed"), INVALID];
    let aggregate: &[(&str, &str)] = &[AGGREGATE, (FAILED, "order A-1 failed"), INVALID];
    let later: &[&str] = &[FAILED, "System.InvalidOperationException"];
    check_all(&[
        of("dotnet-inner", shared(inner), &[], core, 2),
        of("mono-inner", shared(inner), &[], mono, 1),
        of("dotnet-aggregate", shared(aggregate), shared(later), core, 2),
        of("mono-aggregate", shared(aggregate), shared(later), mono, 1),
        of("dotnet-async", &[(FAILED, "order A-18 failed"), INVALID], &[], core, 2),
        of("mono-async", &[(FAILED, "order A-18 failed"), INVALID], &[], mono, 1),
        of("dotnet-lambda", &[(FAILED, "order A-19 failed"), INVALID], &[], core, 2),
    ]);
    let mono = extract(&recorded("mono-inner"), &Application::default());
    assert_eq!(mono.len(), 2, "Mono reports an unhandled exception twice");
    assert_eq!(mono[0].fingerprint, mono[1].fingerprint);
}

#[test]
fn ruby() {
    let of = |name, chain, elided, top, in_application| Expected {
        name,
        language: Language::Ruby,
        chain,
        others: &[],
        elided,
        top,
        in_application,
    };
    check_all(&[
        of(
            "ruby-cause",
            &[
                ("Shop::PaymentError", "order A-17 failed"),
                ("JSON::ParserError", "859: unexpected token at '{A-17'"),
            ],
            0,
            ("acquire", "checkout.rb", "JSON.parse("),
            6,
        ),
        of(
            "ruby-backtrace",
            &[("Shop::PaymentError", "order A-18 failed")],
            0,
            ("rescue in charge", "checkout.rb", "raise PaymentError"),
            6,
        ),
        of(
            "ruby-typo",
            &[(
                "NoMethodError",
                "undefined method `totl' for nil:NilClass\n\n      cart.totl\n          ^^^^^",
            )],
            0,
            ("typo", "checkout.rb", "cart.totl"),
            2,
        ),
        of(
            "ruby-deep",
            &[("SystemStackError", "stack level too deep")],
            10067,
            ("deep", "checkout.rb", "deep(n + 1)"),
            13,
        ),
        of(
            "ruby-multiline",
            &[("RuntimeError", "first line\nsecond line")],
            0,
            ("<main>", "checkout.rb", "when 'multiline'"),
            1,
        ),
    ]);
}

#[test]
fn php() {
    let of = |name, chain, top, in_application| Expected {
        name,
        language: Language::Php,
        chain,
        others: &[],
        elided: 0,
        top,
        in_application,
    };
    let cause: &[(&str, &str)] =
        &[("Shop\\PaymentException", "order A-17 failed"), ("JsonException", "Syntax error")];
    let acquire = ("Shop\\Pool->acquire", "checkout.php", "return json_decode(");
    check_all(&[
        of("php-cause", shared(cause), acquire, 6),
        of("php-displayed", shared(cause), acquire, 6),
        of(
            "php-multiline",
            &[("LogicException", "first line\nsecond line")],
            ("Shop\\kinds", "checkout.php", "'multiline' =>"),
            2,
        ),
        of(
            "php-type",
            &[(
                "ArgumentCountError",
                "Too few arguments to function Shop\\Checkout::charge(), 0 passed in /srv/shop/checkout.php on line 30 \
                 and exactly 1 expected",
            )],
            ("Shop\\Checkout->charge", "checkout.php", "function charge("),
            3,
        ),
    ]);
}
