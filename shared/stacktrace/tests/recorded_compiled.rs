//! Traces of real programs of languages that compile to machine code.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod common;

use common::{Expected, check_all, line_of, recorded, shared, type_of};
use stacktrace::{Application, Language, Relation, Trace, extract};

#[test]
fn go() {
    let of = |name, chain, others, elided, top, in_application| Expected {
        name,
        language: Language::Go,
        chain,
        others,
        elided,
        top,
        in_application,
    };
    const NIL: &[(&str, &str)] = &[("runtime error", "invalid memory address or nil pointer dereference")];
    let charge = ("main.(*Cart).Charge", "checkout.go", "return c.total");
    check_all(&[
        of("go-nil", NIL, &[], 0, charge, 4),
        of("go-goroutine", NIL, &[], 0, charge, 4),
        of("go-http", NIL, &["-"], 0, charge, 3),
        of("go-stack", NIL, &["-"], 0, charge, 3),
        of(
            "go-index",
            &[("runtime error", "index out of range [5] with length 3")],
            &[],
            0,
            ("main.(*Pool[...]).Acquire", "checkout.go", "return p.items[i]"),
            2,
        ),
        of("go-custom", &[("main.Odd", "0x777358")], &[], 0, ("main.main", "checkout.go", "panic(Odd{"), 1),
        of(
            "go-rethrow",
            &[("panic", "checkout failed: pool exhausted"), ("panic", "pool exhausted")],
            &[],
            0,
            ("main.rethrow", "checkout.go", "\tpanic(\"pool exhausted\")"),
            2,
        ),
        of(
            "go-deadlock",
            &[("fatal error", "all goroutines are asleep - deadlock!")],
            &[],
            0,
            ("main.wait", "deadlock.go", "group.Wait()"),
            2,
        ),
    ]);
    let overflow = &extract(&recorded("go-overflow"), &Application::default())[0];
    assert_eq!(overflow.root_cause.message, "stack overflow");
    assert!(overflow.elided() > 1_000_000, "the runtime counts what it leaves out");
    assert!(overflow.others.iter().all(|other| other.relation == Relation::Stack));
}

#[test]
fn a_recovered_panic_is_the_same_as_an_uncaught_one() {
    let fingerprint = |name| extract(&recorded(name), &Application::default())[0].fingerprint.clone();
    assert_eq!(fingerprint("go-nil"), fingerprint("go-stack"));
    assert_ne!(fingerprint("go-nil"), fingerprint("go-index"));
}

#[test]
fn rust() {
    let of = |name, chain, top, in_application| Expected {
        name,
        language: Language::Rust,
        chain,
        others: &[],
        elided: 0,
        top,
        in_application,
    };
    const READ: (&str, &str) = ("-", "could not read the amount");
    const DIGIT: (&str, &str) = ("-", "invalid digit found in string");
    let bounds: &[(&str, &str)] = &[("panic", "index out of bounds: the len is 3 but the index is 5")];
    let unwrap: &[(&str, &str)] =
        &[("panic", "called `Result::unwrap()` on an `Err` value: order A-17 failed"), READ, DIGIT];
    let charge = ("checkout::charge", "checkout.rs", "order.parse::<u32>()");
    check_all(&[
        of(
            "rust-index",
            shared(bounds),
            ("checkout::Pool<T>::acquire", "checkout.rs", "self.items[index]"),
            3,
        ),
        of("rust-index-bare", shared(bounds), ("", "checkout.rs", "self.items[index]"), 1),
        of("rust-one", &[READ, DIGIT], charge, 2),
        of("rust-two", &[("-", "order A-19 failed"), READ, DIGIT], charge, 3),
        of("rust-unwrap", shared(unwrap), charge, 3),
        of(
            "rust-thread",
            &[("panic", "first line\nsecond line")],
            ("checkout::main::{{closure}}", "checkout.rs", "panic!(\"first line"),
            1,
        ),
    ]);
    let bare = &extract(&recorded("rust-two-bare"), &Application::default())[0];
    assert_eq!(bare.root_cause.message, DIGIT.1);
}

#[test]
fn c_and_cpp() {
    let trace = |name: &str| extract(&recorded(name), &Application::default()).remove(0);
    let top = |trace: &Trace| trace.top_frame.clone().map(|frame| (frame.function, frame.line)).unwrap();
    let line = |text| Some(line_of("checkout.c", text));
    let null = line("return cart->total");

    let freed = trace("c-asan-use-after-free");
    assert_eq!(type_of(&freed.root_cause), "heap-use-after-free");
    assert_eq!(top(&freed), ("charge".to_owned(), null));
    let others: Vec<&str> = freed.others.iter().map(|other| other.message.as_str()).collect();
    assert_eq!(others, ["freed by thread T0 here", "previously allocated by thread T0 here"]);
    assert_eq!(freed.others[0].frames[1].line, line("        free(cart);"));

    let overflow = trace("c-asan-overflow");
    assert_eq!(type_of(&overflow.root_cause), "heap-buffer-overflow");
    assert_eq!(top(&overflow), ("place".to_owned(), line("memset(cart, 0, 8)")));

    let leak = trace("c-asan-leak");
    assert_eq!(top(&leak), ("place".to_owned(), line("malloc(sizeof *cart)")));

    let both = extract(&recorded("c-asan-null"), &Application::default());
    let types: Vec<&str> = both.iter().map(|trace| type_of(&trace.root_cause)).collect();
    assert_eq!(types, ["runtime error", "SEGV"]);
    assert!(both.iter().all(|trace| top(trace) == ("charge".to_owned(), null)));

    let gdb = trace("c-gdb");
    assert_eq!(
        (type_of(&gdb.root_cause), gdb.root_cause.message.as_str()),
        ("SIGSEGV", "Segmentation fault")
    );
    assert_eq!(top(&gdb), ("charge".to_owned(), null));
    assert_eq!(gdb.root_cause.frames.len(), 3);

    let raw = trace("c-backtrace");
    let functions: Vec<&str> = raw.root_cause.frames.iter().map(|frame| frame.function.as_str()).collect();
    assert_eq!(functions, ["", "place", "main", "", "__libc_start_main", "_start"]);

    let uncaught = trace("cc-terminate");
    let cpp = trace("cc-gdb");
    for trace in [&uncaught, &cpp] {
        assert_eq!(type_of(&trace.root_cause), "std::runtime_error");
        assert_eq!(trace.root_cause.message, "pool exhausted for A-17");
    }
    let thrown = Some(line_of("checkout.cc", "throw std::runtime_error"));
    assert_eq!(top(&cpp), ("shop::Pool<int>::acquire".to_owned(), thrown));
}
