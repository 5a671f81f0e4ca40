//! A server put together with its guard, ready to be served by a transport.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use audit::{Audit, AuditConfig, AuditError, Key, KeyError, Lines, Transport};
use contract::{Clock, Effect, SystemClock};
use identity::Principal;
use redact::{Redactor, RedactorConfig, RuleError, Vault};
use rmcp::model::CacheScope;
use serde_json::{Map, Value};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use crate::{
    call::{Call, Reply},
    confirm::Confirmations,
    exchange::Exchange,
    fixtures::Staged,
    guard::Guard,
    handler::Handler,
    ids::Ids,
    metrics::Metrics,
    rates::{Places, RateLimits},
    registry::Registry,
    server::{About, Probe, Prompt, Server},
    settings::{OnFailure, Settings},
    state, stdio,
};

/// Why a server can't start.
#[derive(Debug, Error)]
pub enum StartError {
    /// There is nowhere to keep the key and the log.
    #[error(
        "no directory for the audit log and its key: set OBSERVABILITY_MCP_STATE, or audit.directory and \
         audit.key_file"
    )]
    NoState,
    /// The key of the audit chain can't be had.
    #[error("the audit key can't be used: {0}")]
    Key(#[from] KeyError),
    /// A key file can't be read.
    #[error("{setting} ({file}) can't be read: {cause}")]
    KeyFile {
        /// The setting that names it.
        setting: &'static str,
        /// The file.
        file: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// A rule of masking can't be used.
    #[error("{0}")]
    Masking(#[from] RuleError),
    /// The audit log can't be opened.
    #[error("the audit log can't be opened: {0}; mend it, or set audit.on_failure to warn")]
    Audit(#[from] AuditError),
}

/// A running server without a transport.
#[derive(Clone)]
pub struct Engine {
    pub(crate) guard: Arc<Guard>,
    pub(crate) about: About,
    pub(crate) prompts: Arc<[Prompt]>,
    pub(crate) probes: Arc<[Arc<dyn Probe>]>,
    pub(crate) instructions: Arc<str>,
    pub(crate) staged: Option<Arc<Staged>>,
    /// Whether tools that change something are offered.
    writes: bool,
}

impl Engine {
    /// Puts a server together as the operator set it up. No backend is asked.
    ///
    /// # Errors
    /// When there is no audit log to write to, unless reads may go on without one.
    pub fn start(
        server: Server,
        settings: &Settings,
        http: bool,
        clock: Arc<dyn Clock>,
        environment: &BTreeMap<String, String>,
    ) -> Result<Engine, StartError> {
        let state = state::directory(environment);
        let key = audit_key(settings, state.as_deref())?;
        let masking_key = match &settings.masking.key_file {
            Some(file) => read_key("masking.key_file", file)?.derive("masking"),
            None => key.derive("masking"),
        };
        let audit = audit_log(server.about.name, settings, http, &key, state.as_deref())?;
        let redactor = redactor(settings, masking_key)?;
        let confirmations = confirmations(server.about.name, &key, state, &(Arc::new(SystemClock) as _));
        Ok(Engine::assemble(server, settings, clock, confirmations, audit, redactor, Ids::random()))
    }

    /// A server with default settings, an audit log in memory and call ids from a fixed seed.
    ///
    /// # Errors
    /// When the log's writing thread can't be started.
    pub fn in_memory(
        server: Server,
        settings: &Settings,
        clock: Arc<dyn Clock>,
    ) -> Result<(Engine, Lines), StartError> {
        let key = Key::from_hex(&"00".repeat(32))?;
        let (audit, lines) = Audit::in_memory(server.about.name, &key, audit_clock(&clock))?;
        let redactor = redactor(settings, [0; 32])?;
        let confirmations = confirmations(server.about.name, &key, None, &clock);
        let ids = Ids::seeded(7);
        Ok((Engine::assemble(server, settings, clock, confirmations, audit, redactor, ids), lines))
    }

    fn assemble(
        server: Server,
        settings: &Settings,
        clock: Arc<dyn Clock>,
        confirmations: Confirmations,
        audit: Audit,
        redactor: Redactor,
        ids: Ids,
    ) -> Engine {
        let Server { about, mut tools, prompts, probes, note, fixtures } = server;
        let staged = fixtures.map(Staged::new);
        tools.extend(staged.iter().flat_map(Staged::tools));
        let instructions: Vec<&str> =
            [about.instructions, &note].into_iter().filter(|text| !text.is_empty()).collect();
        let instructions = instructions.join(" ").into();
        let guard = Guard {
            registry: Registry::new(tools, |card| {
                settings.tools.offers(card.name) && (card.effect == Effect::Read || settings.tools.writes)
            }),
            audit,
            rates: RateLimits::new(&settings.rates),
            places: Places::new(&settings.limits),
            clock,
            ids,
            redactor,
            vault: Vault::new(),
            metrics: Metrics::new(about.name, about.version),
            confirmations,
            server: about.name,
            deadline: Duration::from_secs(settings.limits.call_deadline_seconds.max(1)),
            reads_go_on_unrecorded: settings.audit.on_failure == OnFailure::Warn,
        };
        let (prompts, probes) = (prompts.into(), probes.into());
        let writes = settings.tools.writes;
        Engine { guard: Arc::new(guard), about, prompts, probes, instructions, staged, writes }
    }

    /// Serves one client over lines of JSON-RPC until its input ends and what is in flight has finished, or until
    /// `stop` is cancelled. The caller is the local user.
    ///
    /// # Errors
    /// When the client's first message is not MCP, or the connection breaks.
    pub async fn serve_lines(
        &self,
        reader: impl AsyncRead + Send + Unpin + 'static,
        writer: impl AsyncWrite + Send + Unpin + 'static,
        user: &str,
        stop: CancellationToken,
    ) -> io::Result<()> {
        let handler = self.handler(Transport::Stdio, Some(self.local(user)), CacheScope::Private);
        stdio::serve(handler, reader, writer, stop).await
    }

    /// One call from the command line, through the whole guard.
    pub(crate) async fn call(&self, tool: &str, arguments: Map<String, Value>, user: &str) -> Reply {
        let call = Call {
            tool: tool.to_owned(),
            arguments,
            principal: self.local(user),
            client: None,
            transport: Transport::Cli,
            traceparent: None,
            cancelled: CancellationToken::new(),
            exchange: Exchange::default(),
        };
        self.guard.serve(call).await
    }

    /// The user of this process; where the operator offers tools that change something, they may use them.
    pub(crate) fn local(&self, user: &str) -> Principal {
        let mut principal = Principal::local(user);
        if self.writes
            && let Ok(scope) = identity::Scope::parse("*:write")
        {
            principal.scopes.insert(scope);
        }
        principal
    }

    pub(crate) fn handler(
        &self,
        transport: Transport,
        local: Option<Principal>,
        cache_scope: CacheScope,
    ) -> Handler {
        Handler {
            guard: Arc::clone(&self.guard),
            about: self.about,
            prompts: Arc::clone(&self.prompts),
            instructions: Arc::clone(&self.instructions),
            staged: self.staged.clone(),
            transport,
            local,
            cache_scope,
        }
    }

    /// Writes what is left of the audit log; no call begins after that.
    pub fn shutdown(&self) {
        if let Err(error) = self.guard.audit.shutdown() {
            tracing::error!(%error, "the last audit records could not be written");
        }
    }
}

fn confirmations(server: &str, key: &Key, state: Option<PathBuf>, clock: &Arc<dyn Clock>) -> Confirmations {
    Confirmations::new(server, key.derive("confirmation"), state, Arc::clone(clock))
}

fn redactor(settings: &Settings, key: [u8; 32]) -> Result<Redactor, RuleError> {
    let config = RedactorConfig { key, enabled: settings.masking.enabled };
    Redactor::with_rules(config, &settings.masking.rules())
}

fn audit_clock(clock: &Arc<dyn Clock>) -> audit::Clock {
    let clock = Arc::clone(clock);
    Arc::new(move || clock.now())
}

pub(crate) fn audit_key(settings: &Settings, state: Option<&Path>) -> Result<Key, StartError> {
    match (&settings.audit.key_file, state) {
        (Some(file), _) => read_key("audit.key_file", file),
        (None, Some(state)) => Ok(Key::load_or_create(state)?),
        (None, None) => Err(StartError::NoState),
    }
}

fn read_key(setting: &'static str, file: &Path) -> Result<Key, StartError> {
    let text = std::fs::read_to_string(file).map_err(|cause| StartError::KeyFile {
        setting,
        file: file.to_owned(),
        cause,
    })?;
    Ok(Key::from_hex(&text)?)
}

fn audit_log(
    name: &str,
    settings: &Settings,
    http: bool,
    key: &Key,
    state: Option<&Path>,
) -> Result<Audit, StartError> {
    // A record tells when a call was really made, also where questions are answered as of a recorded moment.
    let clock = audit_clock(&(Arc::new(SystemClock) as Arc<dyn Clock>));
    let on_failure = match settings.audit.on_failure {
        OnFailure::Refuse => audit::OnFailure::Refuse,
        OnFailure::Warn => audit::OnFailure::Warn,
    };
    let directory = settings.audit.directory.clone().or_else(|| Some(state?.join("audit")));
    let to_stdout = http && (settings.audit.stdout || directory.is_none());
    if to_stdout {
        return Ok(Audit::to_writer(Box::new(io::stdout()), name, key, on_failure, Arc::clone(&clock))?);
    }
    let config = AuditConfig {
        directory: directory.ok_or(StartError::NoState)?,
        server: name.to_owned(),
        key: key.clone(),
        max_file_bytes: settings.audit.max_file_bytes.unwrap_or(AuditConfig::DEFAULT_MAX_FILE_BYTES),
        on_failure,
    };
    match Audit::to_directory(config, Arc::clone(&clock)) {
        Ok(audit) => Ok(audit),
        Err(error) if settings.audit.on_failure == OnFailure::Warn => {
            tracing::error!(%error, "there is no audit log: calls go on unrecorded, as audit.on_failure = warn says");
            Ok(Audit::to_writer(Box::new(Nowhere), name, key, on_failure, Arc::clone(&clock))?)
        }
        Err(error) => Err(error.into()),
    }
}

/// A log that can't be written to: reads go on, writes see the failure and are refused.
struct Nowhere;

impl io::Write for Nowhere {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::Error::other("there is no audit log"))
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::Error::other("there is no audit log"))
    }
}
