use contract::{CallId, Context, render};
use jiff::Timestamp;

use super::*;

fn rejected(kind: RejectionKind, status: u16, message: &str) -> Error {
    let cx = Context::for_test(Timestamp::UNIX_EPOCH);
    Error::Rejected {
        system: "prometheus \"main\"".to_owned(),
        status,
        kind,
        message: cx.intake.text(message),
        position: position(message),
        retry_after: None,
    }
}

#[test]
fn the_place_of_a_parse_error_is_found() {
    let cases = [
        ("invalid parameter \"query\": 1:34: parse error: unclosed left parenthesis", Some((1, 34))),
        ("invalid parameter \"match[]\": 2:7: parse error: unexpected end of input", Some((2, 7))),
        ("3:1: parse error: x", Some((3, 1))),
        ("invalid parameter \"query\": unknown position: parse error: no expression found in input", None),
        ("found duplicate series for the match group {}", None),
        ("99999999999:1: parse error: x", None),
        ("", None),
    ];
    for (message, expected) in cases {
        assert_eq!(position(message), expected, "{message}");
    }
}

#[test]
fn each_kind_tells_the_caller_what_to_change() {
    use RejectionKind::{
        BadData, Canceled, Execution, Internal, NotAcceptable, NotFound, Timeout, TooLarge, TooManyRequests,
        Unavailable,
    };
    let other = RejectionKind::Other(Context::for_test(Timestamp::UNIX_EPOCH).intake.text("odd"));
    let cases = [
        (BadData, ErrorKind::InvalidArgument, "mend the expression"),
        (Execution, ErrorKind::InvalidArgument, "label matching"),
        (Timeout, ErrorKind::Timeout, "ask for less"),
        (Canceled, ErrorKind::Upstream, "try again"),
        (Unavailable, ErrorKind::Upstream, "try again"),
        (NotFound, ErrorKind::Upstream, "does not offer"),
        (Internal, ErrorKind::Upstream, "could not answer"),
        (TooManyRequests, ErrorKind::Upstream, "wait"),
        (TooLarge, ErrorKind::TooExpensive, "ask for less"),
        (NotAcceptable, ErrorKind::Upstream, "could not answer"),
        (other, ErrorKind::Upstream, "could not answer"),
    ];
    for (kind, expected, remedy) in cases {
        let error: ToolError = rejected(kind.clone(), 400, "it broke").into();
        assert_eq!(error.kind(), expected, "{kind}");
        let text = render::error(&error, &CallId("00000000".to_owned())).text;
        assert!(text.contains(remedy) && text.contains("«it broke»"), "{text}");
    }
}

#[test]
fn what_a_message_says_is_quoted_and_cannot_speak_for_us() {
    let error: ToolError =
        rejected(RejectionKind::Internal, 500, "a » b\u{1b}[31m password=hunter2hunter2").into();
    let text = error.to_string();
    assert!(text.starts_with("prometheus \"main\" refused it (internal, HTTP 500): «a › b"), "{text}");
    assert!(!text.contains("hunter2") && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn the_wait_a_system_asks_for_is_passed_on() {
    let mut error = rejected(RejectionKind::TooManyRequests, 429, "slow down");
    if let Error::Rejected { retry_after, .. } = &mut error {
        *retry_after = Some(Duration::from_secs(7));
    }
    assert_eq!(ToolError::from(error).wait(), Some(Duration::from_secs(7)));
}
