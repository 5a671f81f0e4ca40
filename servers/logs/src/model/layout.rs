//! Which field plays which role. Nobody has to say: it is found out from the mapping and some recent records.

use std::collections::BTreeMap;

/// What a field of a log record is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Role {
    /// When it happened.
    Time,
    /// When it was stored: with the time, the ingest lag.
    Ingested,
    /// What the program said.
    Message,
    /// How bad it is, in words or as OpenTelemetry's number.
    Level,
    /// Who said it.
    Service,
    /// Version of the service.
    Version,
    /// Kubernetes namespace.
    Namespace,
    /// Pod.
    Pod,
    /// Container.
    Container,
    /// Machine.
    Host,
    /// Trace id.
    Trace,
    /// Span id.
    Span,
    /// Type of what was thrown.
    ErrorType,
    /// Message of what was thrown.
    ErrorMessage,
    /// Stack trace of what was thrown.
    ErrorStack,
}

impl Role {
    /// All of them.
    pub(crate) const ALL: [Role; 15] = [
        Role::Time,
        Role::Ingested,
        Role::Message,
        Role::Level,
        Role::Service,
        Role::Version,
        Role::Namespace,
        Role::Pod,
        Role::Container,
        Role::Host,
        Role::Trace,
        Role::Span,
        Role::ErrorType,
        Role::ErrorMessage,
        Role::ErrorStack,
    ];

    /// As answers and the configuration write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Role::Time => "time",
            Role::Ingested => "ingested",
            Role::Message => "message",
            Role::Level => "level",
            Role::Service => "service",
            Role::Version => "version",
            Role::Namespace => "namespace",
            Role::Pod => "pod",
            Role::Container => "container",
            Role::Host => "host",
            Role::Trace => "trace",
            Role::Span => "span",
            Role::ErrorType => "error_type",
            Role::ErrorMessage => "error_message",
            Role::ErrorStack => "error_stack",
        }
    }
}

/// How a field is indexed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldKind {
    /// Compared as a whole.
    Keyword,
    /// Taken apart into words.
    Text,
    /// A moment.
    Date,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// An address.
    Ip,
    /// Anything else; JSON of unknown shape.
    Other,
}

/// One field as a backend describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldInfo {
    /// Dotted name.
    pub(crate) name: String,
    /// How it is indexed; where indices disagree, how most of them do.
    pub(crate) kind: FieldKind,
    /// Whether values can be counted and sorted by.
    pub(crate) countable: bool,
    /// Whether indices disagree about its type.
    pub(crate) conflict: bool,
}

/// A field chosen for a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chosen {
    /// Dotted name.
    pub(crate) name: String,
    /// How it is indexed.
    pub(crate) kind: FieldKind,
    /// The field by which its whole value is compared and counted: itself, or one such as `message.keyword`.
    pub(crate) exact: Option<String>,
    /// Why it was chosen, in a few words: `ECS; in 50 of 50 recent records`.
    pub(crate) why: String,
    /// Whether indices disagree about its type.
    pub(crate) conflict: bool,
}

/// The fields of each role, the preferred first: indices of several shippers differ, and a record has the first that it
/// has a value for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// By role.
    pub(crate) roles: BTreeMap<Role, Vec<Chosen>>,
    /// Text fields whose values are JSON documents themselves (`log` of Fluent Bit).
    pub(crate) nested: Vec<String>,
    /// Conventions found: `ECS`, `OpenTelemetry`, `Kubernetes`, `Serilog`, `Azure Monitor`.
    pub(crate) conventions: Vec<&'static str>,
}

impl Layout {
    /// The fields of a role, the preferred first.
    pub(crate) fn of(&self, role: Role) -> &[Chosen] {
        self.roles.get(&role).map_or(&[], Vec::as_slice)
    }
}
