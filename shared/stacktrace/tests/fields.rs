//! Exceptions in named fields, as the loggers of several platforms ship them.

use stacktrace::{Application, Language, Relation, Trace, from_fields};

fn read(fields: &[(&str, &str)]) -> Vec<Trace> {
    from_fields(fields, &Application::default())
}

fn chain(trace: &Trace) -> Vec<(&str, &str)> {
    trace.chain().map(|one| (one.type_name.as_deref().unwrap_or("-"), one.message.as_str())).collect()
}

const JAVA: &str = "com.acme.PaymentException: order failed\n\tat com.acme.Checkout.place(Checkout.java:30)\n\
    Caused by: java.io.IOException: closed\n\tat com.acme.Pool.acquire(Pool.java:15)\n\t... 1 more\n";

#[test]
fn ecs() {
    let traces = read(&[
        ("message", "POST /orders failed"),
        ("error.type", "com.acme.PaymentException"),
        ("error.message", "order failed"),
        ("error.stack_trace", JAVA),
    ]);
    assert_eq!(traces.len(), 1);
    let trace = &traces[0];
    assert_eq!(
        chain(trace),
        [("com.acme.PaymentException", "order failed"), ("java.io.IOException", "closed")]
    );
    assert_eq!(trace.top_frame.as_ref().and_then(|frame| frame.line), Some(15));
    assert_eq!(trace.fingerprint, stacktrace::extract(JAVA, &Application::default())[0].fingerprint);
}

#[test]
fn open_telemetry_under_any_prefix() {
    for prefix in ["", "attributes.", "LogsAttributes.", "resource.attributes."] {
        let names = ["exception.type", "exception.message", "exception.stacktrace"]
            .map(|name| format!("{prefix}{name}"));
        let stack = "Traceback (most recent call last):\n  File \"/srv/shop/cart.py\", line 12, in total\n    x\nKeyError: 'A'\n";
        let traces = read(&[(&names[0], "KeyError"), (&names[1], "'A'"), (&names[2], stack)]);
        assert_eq!(traces[0].language, Some(Language::Python));
        assert_eq!(chain(&traces[0]), [("KeyError", "'A'")]);
    }
}

/// ECS of .NET and Serilog keep the frames apart from type and message.
#[test]
fn frames_without_a_header_get_type_and_message_from_beside_them() {
    let traces = read(&[
        ("error.type", "System.InvalidOperationException"),
        ("error.message", "pool exhausted"),
        (
            "error.stack_trace",
            "   at Acme.Pool.Acquire(String order) in /src/Pool.cs:line 15\n   at System.Linq.Enumerable.Any()",
        ),
    ]);
    assert_eq!(traces[0].language, Some(Language::DotNet));
    assert_eq!(chain(&traces[0]), [("System.InvalidOperationException", "pool exhausted")]);
    assert_eq!(traces[0].root_cause.frames.len(), 2);
    let other = read(&[
        ("error.type", "System.TimeoutException"),
        (
            "error.stack_trace",
            "   at Acme.Pool.Acquire(String order) in /src/Pool.cs:line 15\n   at System.Linq.Enumerable.Any()",
        ),
    ]);
    assert_ne!(traces[0].fingerprint, other[0].fingerprint, "the type is part of the identity");
}

const OUTER: &str = "   at Acme.Checkout.Place(String order) in /src/Checkout.cs:line 30";
const INNER: &str = "   at Acme.Pool.Acquire(String order) in /src/Pool.cs:line 15";

/// The formatter of Serilog's Elasticsearch sink, in the three ways in which a list is flattened.
#[test]
fn serilog() {
    let indexed = read(&[
        ("exceptions.0.ClassName", "Acme.PaymentException"),
        ("exceptions.0.Message", "order failed"),
        ("exceptions.0.StackTraceString", OUTER),
        ("exceptions.1.ClassName", "System.TimeoutException"),
        ("exceptions.1.Message", "late"),
        ("exceptions.1.StackTraceString", INNER),
    ]);
    let bracketed = read(&[
        ("fields.exceptions[0].ClassName", "Acme.PaymentException"),
        ("fields.exceptions[0].Message", "order failed"),
        ("fields.exceptions[0].StackTraceString", OUTER),
        ("fields.exceptions[1].ClassName", "System.TimeoutException"),
        ("fields.exceptions[1].Message", "late"),
        ("fields.exceptions[1].StackTraceString", INNER),
    ]);
    let repeated = read(&[
        ("exceptions.ClassName", "Acme.PaymentException"),
        ("exceptions.ClassName", "System.TimeoutException"),
        ("exceptions.Message", "order failed"),
        ("exceptions.Message", "late"),
        ("exceptions.StackTraceString", OUTER),
        ("exceptions.StackTraceString", INNER),
    ]);
    assert_eq!(
        chain(&indexed[0]),
        [("Acme.PaymentException", "order failed"), ("System.TimeoutException", "late")]
    );
    assert_eq!(indexed[0].root_cause.relation, Relation::Cause);
    assert_eq!(indexed[0].top_frame.as_ref().map(|frame| frame.function.as_str()), Some("Acme.Pool.Acquire"));
    assert_eq!(indexed, bracketed);
    assert_eq!(indexed, repeated);
}

#[test]
fn log4j2_as_text_and_as_objects() {
    let text = read(&[
        ("thrown.name", "com.acme.PaymentException"),
        ("thrown.message", "order failed"),
        ("thrown.extendedStackTrace", JAVA),
        ("thrown.cause.name", "java.io.IOException"),
        ("thrown.cause.localizedMessage", "closed"),
        ("thrown.commonElementCount", "0"),
    ]);
    let objects = read(&[
        ("thrown.name", "com.acme.PaymentException"),
        ("thrown.message", "order failed"),
        ("thrown.extendedStackTrace.0.class", "com.acme.Checkout"),
        ("thrown.extendedStackTrace.0.method", "place"),
        ("thrown.extendedStackTrace.0.file", "Checkout.java"),
        ("thrown.extendedStackTrace.0.line", "30"),
        ("thrown.cause.name", "java.io.IOException"),
        ("thrown.cause.message", "closed"),
    ]);
    for traces in [&text, &objects] {
        assert_eq!(traces[0].language, Some(Language::Java));
        assert_eq!(
            chain(&traces[0]),
            [("com.acme.PaymentException", "order failed"), ("java.io.IOException", "closed")]
        );
        let top = traces[0].top_frame.clone().unwrap_or_default();
        assert_eq!((top.function.as_str(), top.line), ("com.acme.Checkout.place", Some(30)));
    }
}

#[test]
fn type_and_message_alone_are_a_trace_without_frames() {
    let traces = read(&[("error.type", "java.io.IOException"), ("error.message", "closed")]);
    assert_eq!(traces[0].language, Some(Language::Java));
    assert_eq!(chain(&traces[0]), [("java.io.IOException", "closed")]);
    assert_eq!(traces[0].span, 0..0);
    assert_eq!(read(&[("error.type", "KeyError")])[0].language, None);
}

#[test]
fn without_fields_the_text_is_read() {
    for name in ["message", "body.text", "log", "body"] {
        let traces = read(&[("level", "ERROR"), (name, JAVA)]);
        assert_eq!(traces.len(), 1, "{name}");
        assert_eq!(traces[0].span, 0..JAVA.len() - 1);
    }
    assert!(read(&[("message", "all is well"), ("error.message", "")]).is_empty());
    assert!(read(&[]).is_empty());
}

/// The name of another field that merely contains such a name means nothing.
#[test]
fn names_are_whole() {
    assert!(read(&[("myerror.type", "x"), ("mystack_trace", JAVA)]).is_empty());
}
