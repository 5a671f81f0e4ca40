//! What an operator may set for any of the five servers.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::NonZeroU32,
    path::PathBuf,
};

use identity::TokenConfig;
use redact::{CustomClass, Rules};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The settings shared by all servers.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The HTTP transport.
    pub http: Http,
    /// Who may call over HTTP.
    pub auth: Auth,
    /// The audit log.
    pub audit: AuditSettings,
    /// How much may be asked at once.
    pub limits: CallLimits,
    /// How often each class of tools may be called.
    pub rates: Rates,
    /// Which tools are offered.
    pub tools: ToolPolicy,
    /// What is masked in everything that leaves the process.
    pub masking: Masking,
    /// Bounds of every exchange with a backend.
    pub upstream: upstream::Limits,
    /// A TOML file that says what services are called elsewhere (`--aliases`), one for all servers: `[checkout]` with
    /// `prometheus = ['service="checkout"', 'namespace="shop",container="checkout"']` (each text one way to find the series) and
    /// `logs = ["checkout-svc", "checkout-worker"]`; further systems are `traces`, `kubernetes` and `pagerduty`. A recorded
    /// incident's own `aliases.toml` takes its place.
    pub aliases_file: Option<PathBuf>,
}

/// The HTTP transport.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Address to listen on, such as `127.0.0.1:8401`. Anything but loopback needs `auth.tokens`.
    #[schemars(with = "Option<String>")]
    pub address: Option<SocketAddr>,
    /// Host names (with or without port) that requests may name; loopback names always may.
    pub allowed_hosts: Vec<String>,
    /// Web origins (`https://host:port`) that may call; the server's own loopback origins always may.
    pub allowed_origins: Vec<String>,
    /// Largest request, in bytes; 262,144 when left out.
    pub max_request_bytes: Option<usize>,
    /// Seconds in which the headers of a request must arrive, from the answer before it on (those of a connection's first
    /// request in 10 at most), and for which a client may take nothing of its answer; then the connection is closed; 60 when
    /// left out.
    pub header_timeout_seconds: Option<NonZeroU32>,
    /// Seconds that calls in flight get to finish after a stop signal; 10 when left out.
    pub shutdown_grace_seconds: Option<u64>,
}

impl Http {
    /// The address to listen on.
    #[must_use]
    pub fn address(&self, default_port: u16) -> SocketAddr {
        self.address.unwrap_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), default_port))
    }
}

/// Who may call over HTTP.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Auth {
    /// Bearer tokens, stored as SHA-256.
    #[schemars(with = "Vec<BTreeMap<String, String>>")]
    pub tokens: Vec<TokenConfig>,
}

/// The audit log.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AuditSettings {
    /// Directory of the log; `audit` in the state directory when left out.
    pub directory: Option<PathBuf>,
    /// Write records to standard output instead (HTTP only; on stdio that is the protocol).
    pub stdout: bool,
    /// What happens to reads when a record can't be written.
    pub on_failure: OnFailure,
    /// File holding the key of the chain (64 hex digits); created in the state directory when left out.
    pub key_file: Option<PathBuf>,
    /// A log file is rotated beyond this size, in bytes; 104,857,600 when left out.
    pub max_file_bytes: Option<u64>,
}

/// What happens to reads when a record can't be written; writes are always refused then.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "a described variant becomes a union in the schema")]
pub enum OnFailure {
    #[default]
    Refuse,
    Warn,
}

/// How much may be asked at once.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CallLimits {
    /// Longest call, in seconds.
    pub call_deadline_seconds: u64,
    /// Calls of one principal at the same time.
    pub max_calls_per_principal: usize,
    /// Calls of all principals at the same time.
    pub max_calls: usize,
    /// How long a call waits for its turn before it is told the server is busy, in milliseconds.
    pub queue_milliseconds: u64,
}

impl Default for CallLimits {
    fn default() -> CallLimits {
        CallLimits {
            call_deadline_seconds: 20,
            max_calls_per_principal: 16,
            max_calls: 64,
            queue_milliseconds: 2_000,
        }
    }
}

/// How often each class of tools may be called, per principal and process.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rates {
    /// One or two small look-ups.
    pub cheap: Rate,
    /// A range of one query.
    pub range: Rate,
    /// Many queries or long ranges.
    pub heavy: Rate,
    /// Any change.
    pub write: Rate,
}

/// One rate.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Calls per minute over time.
    #[schemars(with = "u32")]
    pub per_minute: NonZeroU32,
    /// Calls at once after a quiet time.
    #[schemars(with = "u32")]
    pub burst: NonZeroU32,
}

impl Rate {
    fn new(per_minute: u32, burst: u32) -> Rate {
        let at_least_one = |count| NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
        Rate { per_minute: at_least_one(per_minute), burst: at_least_one(burst) }
    }
}

impl Default for Rates {
    fn default() -> Rates {
        Rates {
            cheap: Rate::new(120, 30),
            range: Rate::new(60, 20),
            heavy: Rate::new(20, 10),
            write: Rate::new(5, 2),
        }
    }
}

/// Which tools are offered.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ToolPolicy {
    /// Only these tools; all when left out.
    pub allow: Option<Vec<String>>,
    /// Never these tools.
    pub deny: Vec<String>,
    /// Offer the tools that change something, too. A person confirms each call of them.
    pub writes: bool,
}

impl ToolPolicy {
    /// Whether the operator offers the tool of this name.
    #[must_use]
    pub fn offers(&self, name: &str) -> bool {
        let allowed = self.allow.as_ref().is_none_or(|allowed| allowed.iter().any(|tool| tool == name));
        allowed && !self.deny.iter().any(|tool| tool == name)
    }
}

/// What is masked in everything that leaves the process.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Masking {
    /// Mask secrets and personal data.
    pub enabled: bool,
    /// File holding the key of the stable tokens (64 hex digits); created in the state directory when left out.
    /// Give the same file to all servers of one installation, so that their tokens agree.
    pub key_file: Option<PathBuf>,
    /// Mask IP addresses too.
    pub addresses: bool,
    /// Own classes of secrets: a name, and a regular expression whose first group (or whole match) is masked.
    #[schemars(with = "Vec<BTreeMap<String, String>>")]
    pub custom: Vec<OwnClass>,
    /// Values that are never masked, in full or with a `*` at the start or end, such as `*@example.com`.
    pub allow: Vec<String>,
    /// Further names of fields and labels whose whole value is a secret.
    pub fields: Vec<String>,
}

/// An operator's own class of secrets.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnClass {
    /// Name in tokens: lower-case letters, digits and `-`.
    pub name: String,
    /// A regular expression without look-around and back-references.
    pub pattern: String,
}

impl Masking {
    /// What the operator adds to the built-in classes.
    pub(crate) fn rules(&self) -> Rules {
        let own = self.custom.iter().cloned();
        let own = own.map(|class| CustomClass { name: class.name, pattern: class.pattern });
        Rules {
            addresses: self.addresses,
            custom: own.collect(),
            allow: self.allow.clone(),
            fields: self.fields.clone(),
        }
    }
}

impl Default for Masking {
    fn default() -> Masking {
        Masking {
            enabled: true,
            key_file: None,
            addresses: false,
            custom: Vec::new(),
            allow: Vec::new(),
            fields: Vec::new(),
        }
    }
}
