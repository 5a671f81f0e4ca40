//! What a line holds. The order of the fields here is their order in the file.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The only version so far.
pub(crate) const VERSION: u32 = 1;

/// One call, whatever became of it. Fields that are `None` are not in the line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Of this format: 1.
    pub version: u32,
    /// Position in the chain, without gaps; in the order in which calls *ended*.
    pub sequence: u64,
    /// When the call began.
    #[serde(with = "milliseconds")]
    pub time: Timestamp,
    /// The id in the answer.
    pub call_id: String,
    /// W3C trace context of the caller.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub traceparent: Option<String>,
    /// Which server answered.
    pub server: String,
    /// Who called, as verified; [`crate::UNIDENTIFIED`] if that was not found out.
    pub principal: String,
    /// What the client calls itself. Nobody verified it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub client: Option<String>,
    /// Whose data, where there are several tenants.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tenant: Option<String>,
    /// How the call came in.
    pub transport: Transport,
    /// The tool as the caller named it.
    pub tool: String,
    /// Whether the call could change anything.
    pub effect: Effect,
    /// Canonical JSON of the masked arguments, cut at [`crate::MAX_ARGUMENT_BYTES`].
    pub arguments: String,
    /// SHA-256 of the canonical JSON of the full arguments, in hexadecimal.
    pub arguments_sha256: String,
    /// Requests to other systems, in the order in which they ended.
    pub upstream: Vec<UpstreamCall>,
    /// Whether the call was let through.
    pub decision: Decision,
    /// Which rule decided so.
    pub rule: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Rows (points, documents, spans, objects) the tool looked at.
    pub rows_seen: u64,
    /// Rows in the answer.
    pub rows_shown: u64,
    /// Size of the answer.
    pub bytes_out: u64,
    /// How many values were masked in the answer.
    pub masked: u64,
    /// How many texts in the answer address an assistant.
    pub suspicious: u64,
    /// From beginning to end by the server's clock, in whole microseconds; never negative.
    pub duration_ms: f64,
    /// Seal over this record and all before it, in hexadecimal.
    pub mac: String,
}

/// One request to another system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpstreamCall {
    /// Which system, by its configured name.
    pub system: String,
    /// Method and path, without values.
    pub endpoint: String,
    /// HTTP status, if there was an answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<u16>,
    /// Bytes read.
    pub bytes: u64,
    /// How long it took, in milliseconds; kept to the microsecond.
    pub ms: f64,
    /// How it ended, in one word.
    pub outcome: String,
}

/// Something that happened to the log itself. It takes a place in the chain like a call does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// Of this format: 1.
    pub version: u32,
    /// Position in the chain.
    pub sequence: u64,
    /// When it happened.
    #[serde(with = "milliseconds")]
    pub time: Timestamp,
    /// What happened.
    pub event: Event,
    /// Which server writes.
    pub server: String,
    /// Where to.
    pub sink: SinkKind,
    /// `rotated`: name of the file before this one, in the same directory.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub previous_file: Option<String>,
    /// `rotated`: mac of its last line.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub previous_mac: Option<String>,
    /// `recovered`: bytes of a torn record that were cut off.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dropped_bytes: Option<u64>,
    /// `recovered`: records lost because the sink did not work for too long.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lost_records: Option<u64>,
    /// Seal over this record and all before it, in hexadecimal.
    pub mac: String,
}

/// What happened to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A process began to write.
    Started,
    /// The file reached its maximum size, and this one goes on.
    Rotated,
    /// Something was lost, and this says how much.
    Recovered,
    /// A process ended in good order.
    Stopped,
}

/// Where a log goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SinkKind {
    /// A file that is read back when the server restarts.
    Directory,
    /// Somewhere that cannot be read back, such as standard output.
    Stream,
}

/// How a call came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// Standard input and output.
    Stdio,
    /// HTTP.
    Http,
    /// The command line.
    Cli,
}

/// Whether a call can change anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It cannot.
    Read,
    /// It can.
    Write,
}

/// Whether a call was let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It was.
    Allow,
    /// It was not.
    Refuse,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// With an answer.
    Ok,
    /// The caller may not do this.
    Refused,
    /// The caller does this too often.
    Limited,
    /// The arguments were wrong.
    Invalid,
    /// Another system failed.
    UpstreamError,
    /// It took too long.
    Timeout,
    /// The caller went away, or no longer wanted it.
    Cancelled,
    /// A defect in the tool.
    Panic,
    /// The server stopped first.
    Aborted,
}

impl Outcome {
    /// As it stands in a record.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Refused => "refused",
            Outcome::Limited => "limited",
            Outcome::Invalid => "invalid",
            Outcome::UpstreamError => "upstream_error",
            Outcome::Timeout => "timeout",
            Outcome::Cancelled => "cancelled",
            Outcome::Panic => "panic",
            Outcome::Aborted => "aborted",
        }
    }
}

/// Milliseconds as a record shows them: whole microseconds, never negative, never infinite.
pub(crate) fn whole_microseconds(milliseconds: f64) -> f64 {
    if milliseconds.is_finite() { (milliseconds.max(0.0) * 1000.0).round() / 1000.0 } else { 0.0 }
}

mod milliseconds {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{time:.3}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
