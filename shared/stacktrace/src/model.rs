//! What a stack trace says, whatever the language.

use std::ops::Range;

/// The family of formats a trace is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// Java, Kotlin, Scala and what else runs on a JVM.
    Java,
    /// Python.
    Python,
    /// Go.
    Go,
    /// JavaScript and TypeScript on V8 (Node.js, Chromium).
    JavaScript,
    /// C#, F# and Visual Basic on .NET, .NET Framework or Mono.
    DotNet,
    /// Rust.
    Rust,
    /// Ruby.
    Ruby,
    /// PHP.
    Php,
    /// C and C++: gdb, sanitizers, glibc.
    Native,
}

impl Language {
    /// Its name, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Java => "Java",
            Self::Python => "Python",
            Self::Go => "Go",
            Self::JavaScript => "JavaScript",
            Self::DotNet => ".NET",
            Self::Rust => "Rust",
            Self::Ruby => "Ruby",
            Self::Php => "PHP",
            Self::Native => "C/C++",
        }
    }
}

/// How an exception came to stand in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// It is the one that was reported.
    Reported,
    /// The exception before it in the chain names it as its cause.
    Cause,
    /// The exception before it in the chain was raised while this one was being handled.
    Context,
    /// It is a member of a group: `AggregateException`, `AggregateError`, `ExceptionGroup`.
    Member,
    /// It was suppressed in favour of another.
    Suppressed,
    /// It is no exception but a further stack: another goroutine or thread, where memory was freed or allocated.
    Stack,
}

/// One call on the stack.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frame {
    /// The function as written, without arguments, qualified if the format qualifies it
    /// (`com.acme.Checkout.place`, `main.(*Cart).Charge`). Empty when the format does not name it.
    pub function: String,
    /// The module, jar, assembly or library, where the format tells it apart from the function.
    pub module: Option<String>,
    /// The source file as written.
    pub file: Option<String>,
    /// The line in that file, from 1.
    pub line: Option<u32>,
    /// Whether it is the application's own code and not a library's or the platform's.
    pub in_application: bool,
}

/// One exception, panic, signal or further stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// Its type as written; `panic`, `fatal error` or the name of the signal where the language has no type.
    pub type_name: Option<String>,
    /// Its message as written, lines separated by line feeds; empty when there is none.
    pub message: String,
    /// How it came to stand here.
    pub relation: Relation,
    /// The innermost call first, at most [`Self::FRAMES`].
    pub frames: Vec<Frame>,
    /// Frames that are not in `frames`: those the text itself leaves out (`... 23 more`) and those beyond the limit.
    pub elided: usize,
}

impl Exception {
    /// How many frames of one exception are kept: the innermost ones.
    pub const FRAMES: usize = 200;
}

/// One stack trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// What it is written in; `None` when only fields without a stack were given and the type is of no known platform.
    pub language: Option<Language>,
    /// The exceptions around the root cause, the outermost (the one that was reported) first. Empty when there is no chain.
    /// A group continues with its first member. At most [`Self::EXCEPTIONS`].
    pub wrappers: Vec<Exception>,
    /// The innermost exception: where it began.
    pub root_cause: Exception,
    /// What hangs beside the chain: suppressed exceptions, further members of groups, further stacks, in the order of the
    /// text. At most [`Self::EXCEPTIONS`].
    pub others: Vec<Exception>,
    /// Exceptions that were left out of `wrappers` and `others`.
    pub exceptions_elided: usize,
    /// The text says that the chain of causes bites its own tail (Java).
    pub circular: bool,
    /// The innermost call in the application's own code: of the root cause, else of the nearest exception around it.
    pub top_frame: Option<Frame>,
    /// 16 hexadecimal digits, equal for traces of the same types through the same functions of the application, whatever
    /// the line numbers, addresses, messages and generated names.
    pub fingerprint: String,
    /// Where it stands, in bytes of the text it was read from (`0..0` when there was none). Begins at the type of the
    /// exception or at what introduces it, ends with its last line.
    pub span: Range<usize>,
}

impl Trace {
    /// How many exceptions each of `wrappers` and `others` keeps.
    pub const EXCEPTIONS: usize = 64;

    /// The exceptions from the outermost to the root cause.
    pub fn chain(&self) -> impl DoubleEndedIterator<Item = &Exception> {
        self.wrappers.iter().chain(std::iter::once(&self.root_cause))
    }

    /// The exception that was reported.
    pub fn outermost(&self) -> &Exception {
        self.wrappers.first().unwrap_or(&self.root_cause)
    }

    /// Frames of the whole chain that are not shown.
    pub fn elided(&self) -> usize {
        self.chain().map(|exception| exception.elided).sum()
    }
}
