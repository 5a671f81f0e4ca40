//! Formats that no program here can write, from the documentation of who writes them.

use stacktrace::{Application, Language, Relation, Trace, extract};

fn only(text: &str) -> Trace {
    let mut traces = extract(text, &Application::default());
    assert_eq!(traces.len(), 1, "{text}");
    traces.remove(0)
}

fn chain(trace: &Trace) -> Vec<(&str, &str)> {
    trace.chain().map(|one| (one.type_name.as_deref().unwrap_or("-"), one.message.as_str())).collect()
}

fn top(trace: &Trace) -> (String, Option<String>, Option<u32>) {
    let frame = trace.top_frame.clone().unwrap_or_default();
    (frame.function, frame.file, frame.line)
}

fn at(function: &str, file: &str, line: u32) -> (String, Option<String>, Option<u32>) {
    (function.to_owned(), Some(file.to_owned()), Some(line))
}

/// .NET Framework: inner exceptions in the first line, state machines by the names the compiler gave them.
#[test]
fn dotnet_framework_with_state_machines() {
    let trace = only(
        "2026-11-27 10:00:00.123 [ERR] POST /orders failed\r\n\
         Acme.PaymentException: order failed ---> System.TimeoutException: The operation has timed out.\r\n\
         \u{20}  at Acme.Gateway.<ChargeAsync>d__5.MoveNext() in C:\\src\\Gateway.cs:line 42\r\n\
         --- End of stack trace from previous location where exception was thrown ---\r\n\
         \u{20}  at System.Runtime.CompilerServices.TaskAwaiter.ThrowForNonSuccess(Task task)\r\n\
         \u{20}  at Acme.Checkout.<>c__DisplayClass3_0.<<Place>b__0>d.MoveNext() in C:\\src\\Checkout.cs:line 30\r\n\
         \u{20}  --- End of inner exception stack trace ---\r\n\
         \u{20}  at Acme.Checkout.Place(String order) in C:\\src\\Checkout.cs:line 33\r\n\
         \u{20}  at lambda_method41(Closure , Object , Object[] )\r\n\
         2026-11-27 10:00:01.000 [INF] next\r\n",
    );
    assert_eq!(trace.language, Some(Language::DotNet));
    let expected = [
        ("Acme.PaymentException", "order failed"),
        ("System.TimeoutException", "The operation has timed out."),
    ];
    assert_eq!(chain(&trace), expected);
    assert_eq!(top(&trace), at("Acme.Gateway.<ChargeAsync>d__5.MoveNext", "C:\\src\\Gateway.cs", 42));
    assert_eq!(trace.wrappers[0].frames.len(), 2);
}

#[test]
fn kotlin_coroutines_and_scala() {
    let trace = only(
        "Exception in thread \"DefaultDispatcher-worker-1\" com.acme.PaymentException: late\n\
         \tat com.acme.CheckoutKt$main$1$invokeSuspend$$inlined$map$1.emit(Checkout.kt:12)\n\
         \tat kotlinx.coroutines.DispatchedTask.run(DispatchedTask.kt:106)\n\
         \tSuppressed: kotlinx.coroutines.internal.DiagnosticCoroutineContextException: [CoroutineId(2)]\n",
    );
    assert_eq!(chain(&trace), [("com.acme.PaymentException", "late")]);
    assert_eq!(trace.others[0].relation, Relation::Suppressed);
    let trace = only(
        "[error] c.a.Shop - java.util.NoSuchElementException: None.get\n\
         \tat scala.None$.get(Option.scala:627)\n\
         \tat com.acme.Shop$.$anonfun$total$3(Shop.scala:17)\n",
    );
    assert_eq!(chain(&trace), [("java.util.NoSuchElementException", "None.get")]);
    assert_eq!(top(&trace), at("com.acme.Shop$.$anonfun$total$3", "Shop.scala", 17));
}

/// An exception with `writableStackTrace = false` has no frames, its cause does.
#[test]
fn java_exception_without_frames() {
    let trace = only(
        "com.acme.Rejected: no\nCaused by: com.acme.Late: too late\n\tat com.acme.Clock.check(Clock.java:7)\nnext line\n",
    );
    assert_eq!(chain(&trace), [("com.acme.Rejected", "no"), ("com.acme.Late", "too late")]);
    assert!(trace.wrappers[0].frames.is_empty());
}

/// Messages of several lines, one of which looks like nothing in particular.
#[test]
fn java_message_over_several_lines() {
    let trace = only(
        "ERROR handler - org.springframework.dao.DataIntegrityViolationException: could not execute statement\n\
         Detail: Key (id)=(17) already exists.\n\
         \n\
         \tat com.acme.Orders.save(Orders.java:9)\n\
         Caused by: org.postgresql.util.PSQLException: ERROR: duplicate key\n  \
         Detail: Key (id)=(17) already exists.\n\
         \tat org.postgresql.core.v3.QueryExecutorImpl.receive(QueryExecutorImpl.java:2713)\n",
    );
    let (type_name, message) = chain(&trace)[1];
    assert_eq!(type_name, "org.postgresql.util.PSQLException");
    assert_eq!(message, "ERROR: duplicate key\n  Detail: Key (id)=(17) already exists.");
    assert_eq!(
        top(&trace),
        at("com.acme.Orders.save", "Orders.java", 9),
        "the root cause has no frame of ours"
    );
}

#[test]
fn webpack_and_pino() {
    let trace = only(
        "TypeError [ERR_INVALID_ARG_TYPE]: The \"path\" argument must be of type string\n    \
         at place (webpack-internal:///./src/cart.ts:12:7)\n    \
         at /srv/node_modules/.pnpm/koa@2/node_modules/koa/lib/application.js:10:5\n\
         caused by: RangeError: too far\n    \
         at async Object.total [as sum] (webpack:///src/total.ts?a1b2:3:9)\n",
    );
    assert_eq!(trace.language, Some(Language::JavaScript));
    assert_eq!(
        chain(&trace),
        [("TypeError", "The \"path\" argument must be of type string"), ("RangeError", "too far")]
    );
    assert_eq!(top(&trace), at("async Object.total [as sum]", "webpack:///src/total.ts?a1b2", 3));
    assert!(!trace.wrappers[0].frames[1].in_application);
}

/// Since Ruby 3.4 methods are qualified and quoted alike on both sides; Rails prints type and message its own way.
#[test]
fn ruby_since_3_4_and_rails() {
    let trace = only(
        "/srv/shop/cart.rb:7:in 'Integer#/': divided by 0 (ZeroDivisionError)\n\
         \tfrom /srv/shop/cart.rb:7:in 'Shop::Cart#total'\n\
         \tfrom /srv/shop/cart.rb:12:in '<main>'\n",
    );
    assert_eq!(chain(&trace), [("ZeroDivisionError", "divided by 0")]);
    assert_eq!(trace.root_cause.frames[1].function, "Shop::Cart#total");
    let trace = only(
        "NoMethodError (undefined method `total' for nil:NilClass):\n  \n\
         app/models/cart.rb:12:in `total'\n\
         /usr/local/bundle/gems/rack-3.0.8/lib/rack/runtime.rb:24:in `call'\n",
    );
    assert_eq!(chain(&trace), [("NoMethodError", "undefined method `total' for nil:NilClass")]);
    assert_eq!(top(&trace), at("total", "app/models/cart.rb", 12));
}

/// Monolog as Laravel sets it up: the outer exception first.
#[test]
fn php_laravel() {
    let trace = only(
        "[2026-11-27 10:00:00] production.ERROR: order failed {\"exception\":\"[object] (Shop\\\\PaymentException(code: 0): \
         order failed at /srv/shop/app/Checkout.php:18)\n\
         [stacktrace]\n\
         #0 /srv/shop/app/Http/Orders.php(23): Shop\\\\Checkout->charge('A-17')\n\
         #1 /srv/shop/vendor/laravel/framework/src/Illuminate/Routing/Controller.php(54): Shop\\\\Orders->store()\n\
         #2 {main}\n\
         \n\
         [previous exception] [object] (PDOException(code: 7): refused at /srv/shop/app/Pool.php:9)\n\
         [stacktrace]\n\
         #0 /srv/shop/app/Pool.php(9): PDO->__construct()\n\
         #1 /srv/shop/app/Checkout.php(16): Shop\\\\Pool->acquire()\n\
         #2 {main}\n\"} \n",
    );
    let expected = [("Shop\\\\PaymentException", "order failed"), ("PDOException", "refused")];
    assert_eq!(chain(&trace), expected);
    assert_eq!(top(&trace), at("Shop\\\\Pool->acquire", "/srv/shop/app/Pool.php", 9));
}

/// `fmt.Printf("%+v", err)` of an error with a stack, and the `stacktrace` field of zap.
#[test]
fn go_stacks_without_goroutine() {
    let stack = "main.(*Cart).total\n\t/srv/shop/cart.go:12\nmain.main\n\t/srv/shop/main.go:7\nruntime.main\n\t/usr/local/go/src/runtime/proc.go:283\n";
    let trace = only(&format!("pool exhausted\n{stack}"));
    assert_eq!(chain(&trace), [("-", "pool exhausted")]);
    assert_eq!(top(&trace), at("main.(*Cart).total", "/srv/shop/cart.go", 12));
    assert_eq!(trace.root_cause.frames.len(), 3);
    assert_eq!(only(stack).fingerprint, trace.fingerprint);
}

/// Go says the same value once since 1.23.
#[test]
fn go_repanicked() {
    let trace = only(
        "panic: out of stock [recovered, repanicked]\n\ngoroutine 7 [running]:\nmain.serve.func1()\n\t/srv/main.go:9 +0x1d\n\
         panic({0x1?, 0x2?})\n\t/usr/local/go/src/runtime/panic.go:787 +0x132\nmain.serve()\n\t/srv/main.go:12 +0x5\n\
         created by main.main in goroutine 1\n\t/srv/main.go:20 +0x2\nexit status 2\n",
    );
    assert_eq!(chain(&trace), [("panic", "out of stock")]);
    assert_eq!(top(&trace), at("main.serve", "/srv/main.go", 12));
}

/// Rust before 1.73.
#[test]
fn rust_panic_in_one_line() {
    let trace = only(
        "thread 'tokio-runtime-worker' panicked at 'pool exhausted', src/pool.rs:15:9\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n",
    );
    assert_eq!(chain(&trace), [("panic", "pool exhausted")]);
    assert_eq!(top(&trace), at("", "src/pool.rs", 15));
}

/// A core dump with two threads in gdb: the one that failed is number 1 and told last.
#[test]
fn gdb_with_threads() {
    let trace = only(
        "Program terminated with signal SIGSEGV, Segmentation fault.\n\
         \n\
         Thread 2 (Thread 0x7f01 (LWP 12)):\n\
         #0  0x00007f02 in futex_wait () from /lib/x86_64-linux-gnu/libc.so.6\n\
         #1  0x0000560a in worker (pool=0x0) at worker.c:9\n\
         \n\
         Thread 1 (Thread 0x7f00 (LWP 11)):\n\
         #0  0x0000560b in charge (cart=0x0) at cart.c:10\n\
         #1  0x0000560c in main () at main.c:4\n\
         (gdb) quit\n",
    );
    assert_eq!(chain(&trace), [("SIGSEGV", "Segmentation fault")]);
    assert_eq!(top(&trace), at("charge", "cart.c", 10));
    assert_eq!(trace.root_cause.frames.len(), 2);
    assert_eq!(trace.others.len(), 1);
    assert_eq!(trace.others[0].message, "Thread 2 (Thread 0x7f01 (LWP 12))");
    assert_eq!(trace.others[0].frames.len(), 2);
}

#[test]
fn thread_sanitizer_and_core_dump() {
    let trace = only(
        "WARNING: ThreadSanitizer: data race (pid=7)\n  Write of size 4 at 0x7f by thread T1:\n    \
         #0 charge /srv/cart.c:10:3 (shop+0x49)\n\n  Previous read of size 4 at 0x7f by main thread:\n    \
         #0 main /srv/main.c:4:3 (shop+0x50)\n\nSUMMARY: ThreadSanitizer: data race /srv/cart.c:10:3 in charge\n",
    );
    assert_eq!(chain(&trace), [("data race", "(pid=7)")]);
    assert_eq!(top(&trace), at("charge", "/srv/cart.c", 10));
    let trace = only(
        "Process 11 (shop) of user 0 dumped core.\n\nStack trace of thread 11:\n\
         #0  0x000055d0 charge (shop + 0x11c2)\n#1  0x00007f5d __libc_start_main (libc.so.6 + 0x2724a)\n",
    );
    let top = trace.top_frame.unwrap_or_default();
    assert_eq!((top.function.as_str(), top.module.as_deref()), ("charge", Some("shop")));
}

#[test]
fn several_traces_in_a_text_of_several_languages() {
    let text = "ERROR x\njava.io.IOException: a\n\tat com.acme.A.b(A.java:1)\nINFO between\n\
                Traceback (most recent call last):\n  File \"/srv/a.py\", line 1, in b\n    c\nKeyError: 'd'\n\
                INFO between\npanic: e\n\ngoroutine 1 [running]:\nmain.main()\n\t/srv/a.go:1 +0x1\n";
    let traces = extract(text, &Application::default());
    let languages: Vec<_> = traces.iter().filter_map(|trace| trace.language).collect();
    assert_eq!(languages, [Language::Java, Language::Python, Language::Go]);
    let texts: Vec<&str> = traces.iter().map(|trace| &text[trace.span.clone()]).collect();
    assert!(texts[0].starts_with("java.io.IOException: a\n") && texts[0].ends_with("(A.java:1)"));
    assert!(texts[1].starts_with("Traceback") && texts[1].ends_with("KeyError: 'd'"));
    assert!(texts[2].starts_with("panic: e") && texts[2].ends_with("+0x1"));
}

#[test]
fn prose_is_no_trace() {
    for text in [
        "",
        "at noon we met (at the station)",
        "    at 12:30:45 the job ran",
        "look at foo.bar(baz) in the manual",
        "panic: at the disco",
        "Error: something failed",
        "Caused by: bad luck",
        "Stack trace:",
        "#1 in the charts",
        "#0 is the first",
        "goroutine leak suspected",
        "File \"x\", line 1",
    ] {
        assert!(extract(text, &Application::default()).is_empty(), "{text}");
    }
}
