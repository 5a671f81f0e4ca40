//! Recorded traces (tests/recorded/README.md), and what is expected of them. Expectations were written from the programs'
//! sources; lines are looked up there by their text.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    dead_code,
    reason = "each test file uses its part, and fails loudly"
)]

use stacktrace::{Application, Exception, Language, Trace, extract};

/// The text of a recorded trace.
pub(crate) fn recorded(name: &str) -> String {
    std::fs::read_to_string(format!("{}/tests/recorded/{name}.txt", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The number of the one line of a program that contains this text.
pub(crate) fn line_of(program: &str, text: &str) -> u32 {
    let path = format!("{}/tests/recorded/programs/{program}", env!("CARGO_MANIFEST_DIR"));
    let source = std::fs::read_to_string(path).unwrap();
    let lines: Vec<usize> =
        source.lines().enumerate().filter(|(_, line)| line.contains(text)).map(|(at, _)| at + 1).collect();
    assert_eq!(lines.len(), 1, "{program}: {text:?} stands in lines {lines:?}");
    u32::try_from(lines[0]).unwrap()
}

/// What a recorded trace must say.
pub(crate) struct Expected {
    /// The file.
    pub(crate) name: &'static str,
    /// Of the trace.
    pub(crate) language: Language,
    /// Type and message from the outermost to the root cause.
    pub(crate) chain: &'static [(&'static str, &'static str)],
    /// Types beside the chain.
    pub(crate) others: &'static [&'static str],
    /// Along the chain.
    pub(crate) elided: usize,
    /// The top frame: function, program, and the text of its line.
    pub(crate) top: (&'static str, &'static str, &'static str),
    /// Functions of the application in the root cause.
    pub(crate) in_application: usize,
}

/// The type, `-` where there is none.
pub(crate) fn type_of(exception: &Exception) -> &str {
    exception.type_name.as_deref().unwrap_or("-")
}

fn check(expected: &Expected, trace: &Trace) {
    let name = expected.name;
    assert_eq!(trace.language, Some(expected.language), "{name}");
    let chain: Vec<(&str, &str)> = trace.chain().map(|one| (type_of(one), one.message.as_str())).collect();
    assert_eq!(chain, expected.chain, "{name}");
    let others: Vec<&str> = trace.others.iter().map(type_of).collect();
    assert_eq!(others, expected.others, "{name}");
    assert_eq!(trace.elided(), expected.elided, "{name}");
    let (function, program, text) = expected.top;
    let top = trace.top_frame.clone().unwrap();
    let line = (!text.is_empty()).then(|| line_of(program, text));
    assert_eq!((top.function.as_str(), top.line), (function, line), "{name}");
    let own = trace.root_cause.frames.iter().filter(|frame| frame.in_application).count();
    assert_eq!(own, expected.in_application, "{name}: {:#?}", trace.root_cause.frames);
}

/// Checks the first trace of each text.
pub(crate) fn check_all(table: &[Expected]) {
    for expected in table {
        let traces = extract(&recorded(expected.name), &Application::default());
        assert!(!traces.is_empty(), "{}", expected.name);
        check(expected, &traces[0]);
    }
}

/// A table's rows share their lists.
pub(crate) fn shared<T>(list: &'static [T]) -> &'static [T] {
    list
}
