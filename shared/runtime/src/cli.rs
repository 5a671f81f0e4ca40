//! The command line, the same for all five servers.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal, Write},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use contract::{Clock, FixedClock, SystemClock};
use serde_json::{Map, Value};
use snapshot::Snapshot;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{
    About, Engine, Loaded, Server, ServerConfig, audits, check, confirm, handler, http, load, telemetry,
};

/// Makes a server from what an operator set.
pub type MakeServer<Config> = fn(&Loaded<Config>, Arc<dyn Clock>) -> Result<Server, Failure>;

/// Failures a command reports on stderr.
pub type Failure = Box<dyn std::error::Error>;

#[derive(Debug, Parser)]
#[command(version, disable_help_subcommand = true)]
struct Arguments {
    /// Configuration file (TOML). Every key is also an environment variable: NAME__SECTION__KEY.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Answer from a recorded incident (a directory with a snapshot.toml) instead of the configured sources.
    #[arg(long, global = true, value_name = "DIR")]
    snapshot: Option<PathBuf>,
    /// What services are called elsewhere (TOML); `aliases_file` of the configuration.
    #[arg(long, global = true, value_name = "FILE")]
    aliases: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve over streamable HTTP instead of stdio.
    Serve {
        /// Address to listen on; anything but loopback needs auth.tokens.
        #[arg(long, value_name = "ADDRESS")]
        http: Option<SocketAddr>,
    },
    /// Make one call through the whole guard and print the answer.
    Call {
        /// Name of the tool.
        tool: String,
        /// Arguments as KEY=VALUE; a value that the tool wants as a number, list or boolean is JSON.
        #[arg(value_name = "KEY=VALUE")]
        arguments: Vec<String>,
        /// Print the structured answer instead of text.
        #[arg(long)]
        json: bool,
    },
    /// List the tools.
    Tools {
        /// Print names, descriptions and schemas as clients get them.
        #[arg(long)]
        json: bool,
    },
    /// Try each configured source: what works, what is missing and how to grant it.
    Check,
    /// Let a change be made that waits for a person: shows it, and asks.
    Approve {
        /// The code, as the refused call told it.
        code: String,
    },
    /// Work with audit logs.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Work with recorded incidents.
    Snapshot {
        #[command(subcommand)]
        command: SnapshotCommand,
    },
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Check that no record was changed, removed, inserted or reordered.
    Verify {
        /// The log file.
        file: PathBuf,
        /// File holding the key (64 hex digits); the one servers of this user use when left out.
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
    },
    /// Add up who called what, how it ended, how long it took and how much was told; which tools nobody used.
    Report {
        /// The log file, or the directory of logs.
        file: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
enum SnapshotCommand {
    /// Read everything in the directory and say what each server will find.
    Check {
        /// The directory.
        directory: PathBuf,
    },
}

/// What a server's `main` hands over: its name and texts, and how it is made from its configuration.
pub struct Program<Config> {
    /// Names and texts.
    pub about: About,
    /// Makes the server. An error says which setting can't be used.
    pub server: MakeServer<Config>,
}

/// Runs the command line of a server.
#[must_use]
pub fn main<Config: ServerConfig>(program: &Program<Config>) -> ExitCode {
    let arguments = match parse(program) {
        Ok(arguments) => arguments,
        Err(error) => {
            // clap's own texts: help and version to stdout, mistakes to stderr.
            let failed = error.use_stderr();
            let _ = error.print();
            return if failed { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    match run(program, arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{}: {error}", program.about.name);
            ExitCode::FAILURE
        }
    }
}

fn command<Config: ServerConfig>(program: &Program<Config>) -> clap::Command {
    let name = program.about.name;
    let examples = format!(
        "Examples:\n  {name}                      serve one client over stdio\n  {name} serve --http 127.0.0.1:{}\n  \
         {name} call {}\n  {name} --snapshot DIR      answer from a recorded incident\n  \
         {name} check               try every configured source\n  {name} audit verify FILE\n",
        program.about.port, program.about.example_call
    );
    Arguments::command()
        .mut_subcommand("approve", |approve| approve.hide(!Config::WRITES))
        .name(name)
        .bin_name(name)
        .version(program.about.version)
        .about(program.about.title)
        .after_help(examples)
}

fn parse<Config: ServerConfig>(program: &Program<Config>) -> Result<Arguments, clap::Error> {
    Arguments::from_arg_matches(&command(program).try_get_matches()?)
}

/// `Ok(false)` when the command itself worked and what it found is bad.
fn run<Config: ServerConfig>(program: &Program<Config>, arguments: Arguments) -> Result<bool, Failure> {
    if let Some(Command::Completions { shell }) = &arguments.command {
        let mut command = command(program);
        clap_complete::generate(*shell, &mut command, program.about.name, &mut io::stdout());
        return Ok(true);
    }
    let serving_http = matches!(arguments.command, Some(Command::Serve { .. }));
    telemetry::start(if serving_http { "info" } else { "warn" });
    // A variable that is not UTF-8 is none of ours.
    let environment: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let mut loaded = load::<Config>(program.about.name, arguments.config.as_deref(), &environment)?;
    if arguments.aliases.is_some() {
        loaded.settings.aliases_file.clone_from(&arguments.aliases);
    }
    match arguments.command {
        Some(Command::Audit { command: AuditCommand::Verify { file, key_file } }) => {
            return audits::verify_log(&loaded, &file, key_file, &environment);
        }
        Some(Command::Audit { command: AuditCommand::Report { file, json } }) => {
            let server = (program.server)(&loaded, clock(&loaded))?;
            return audits::report(&server.tool_names(), &file, json);
        }
        _ => {}
    }
    if let Some(Command::Snapshot { command: SnapshotCommand::Check { directory } }) = &arguments.command {
        return check_snapshot(directory, &loaded.config);
    }
    if let Some(directory) = &arguments.snapshot {
        loaded.snapshot = Some(Arc::new(Snapshot::open(directory)?));
    }
    let clock = clock(&loaded);
    let server = (program.server)(&loaded, Arc::clone(&clock))?;
    let engine = Engine::start(server, &loaded.settings, serving_http, clock, &environment)?;
    let user = environment.get("USER").or_else(|| environment.get("LOGNAME")).map_or("local", String::as_str);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(dispatch(&engine, &loaded, arguments.command, user));
    // Reading stdin blocks a thread that nothing can stop: it is left behind.
    runtime.shutdown_background();
    engine.shutdown();
    result
}

/// The machine's clock; over a recorded incident its last moment, so that `1h` means the hour before that.
fn clock<Config>(loaded: &Loaded<Config>) -> Arc<dyn Clock> {
    match &loaded.snapshot {
        Some(snapshot) => Arc::new(FixedClock(snapshot.manifest().now)),
        None => Arc::new(SystemClock),
    }
}

async fn dispatch<Config: ServerConfig>(
    engine: &Engine,
    loaded: &Loaded<Config>,
    command: Option<Command>,
    user: &str,
) -> Result<bool, Failure> {
    let settings = &loaded.settings;
    match command {
        None => {
            let stop = stop_on_signal()?;
            let serving = engine.serve_lines(tokio::io::stdin(), tokio::io::stdout(), user, stop.clone());
            tokio::select! {
                biased;
                result = serving => result?,
                // rmcp's own end after a signal waits for calls; the client is gone or wants us gone.
                () = async { stop.cancelled().await; tokio::time::sleep(Duration::from_secs(3)).await } => {}
            }
            Ok(true)
        }
        Some(Command::Serve { http }) => {
            let address = http.unwrap_or_else(|| settings.http.address(engine.about.port));
            http::serve(engine.clone(), settings, address, user, stop_on_signal()?).await?;
            // A cancelled call has answered before its task has closed its record.
            let _ = tokio::time::timeout(Duration::from_secs(1), engine.guard.metrics.idle()).await;
            Ok(true)
        }
        Some(Command::Call { tool, arguments, json }) => {
            let arguments = call_arguments(engine, &tool, &arguments)?;
            let reply = engine.call(&tool, arguments, user).await;
            print_reply(&reply, json)?;
            Ok(reply.error.is_none())
        }
        Some(Command::Tools { json }) => {
            print_tools(engine, json)?;
            Ok(true)
        }
        Some(Command::Approve { code }) if Config::WRITES => approve(engine, &code, user),
        Some(Command::Approve { .. }) => {
            Err("this server changes nothing: there is nothing to approve".into())
        }
        Some(Command::Check) => Ok(check::run(engine, &settings.upstream, &mut io::stdout()).await?),
        // Handled before an engine was made.
        Some(Command::Audit { .. } | Command::Snapshot { .. } | Command::Completions { .. }) => Ok(true),
    }
}

/// Only where a person sits: a pipe would do for a model that can run commands.
fn approve(engine: &Engine, code: &str, user: &str) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err("approve needs a person at a terminal: it shows the change and asks".into());
    }
    Ok(confirm::approve::run(&engine.guard, code, user, io::stdin().lock(), &mut io::stdout())?)
}

fn stop_on_signal() -> io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let told = stop.clone();
    #[expect(clippy::disallowed_methods, reason = "this is the runtime, and the task ends with the process")]
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        told.cancel();
    });
    Ok(stop)
}

/// `key=value` pairs; the tool's schema says which values are text.
fn call_arguments(engine: &Engine, tool: &str, pairs: &[String]) -> Result<Map<String, Value>, Failure> {
    let schema = engine.guard.registry.get(tool).map(|entry| Arc::clone(&entry.listed.input_schema));
    let mut arguments = Map::new();
    for pair in pairs {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(format!("`{pair}` is not KEY=VALUE").into());
        };
        let kind =
            schema.as_ref().and_then(|schema| schema.get("properties")?.get(key)?.get("type")?.as_str());
        let value = match kind {
            Some("string") | None => Value::String(value.to_owned()),
            Some(_) => serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned())),
        };
        arguments.insert(key.to_owned(), value);
    }
    Ok(arguments)
}

fn print_reply(reply: &crate::call::Reply, json: bool) -> Result<(), Failure> {
    let mut out = io::stdout();
    if json {
        writeln!(out, "{}", serde_json::to_string_pretty(handler::structured(reply))?)?;
        return Ok(());
    }
    let text = &reply.rendered.text;
    if !out.is_terminal() || std::env::var_os("NO_COLOR").is_some() {
        writeln!(out, "{text}")?;
        return Ok(());
    }
    // On a terminal the verdict stands out: bold, or red where there is none.
    let (verdict, rest) = text.split_once('\n').unwrap_or((text, ""));
    let style = if reply.error.is_some() { "\u{1b}[1;31m" } else { "\u{1b}[1m" };
    writeln!(out, "{style}{verdict}\u{1b}[0m\n{rest}")?;
    Ok(())
}

fn print_tools(engine: &Engine, json: bool) -> Result<(), Failure> {
    let mut out = io::stdout();
    let entries: Vec<_> = engine.guard.registry.iter().collect();
    if json {
        let listed: Vec<_> = entries.iter().map(|entry| &entry.listed).collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&serde_json::json!({ "tools": listed }))?)?;
        return Ok(());
    }
    for entry in entries {
        let card = entry.card;
        writeln!(
            out,
            "{} ({}, {})\n  {}",
            card.name,
            card.effect.name(),
            card.cost.name(),
            card.description
        )?;
        let properties = entry.listed.input_schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            let about = property.get("description").and_then(Value::as_str).unwrap_or_default();
            writeln!(out, "    {name}: {about}")?;
        }
    }
    Ok(())
}

/// What is in a recorded incident, or the first fault of each file.
fn check_snapshot(directory: &std::path::Path, config: &impl ServerConfig) -> Result<bool, Failure> {
    let snapshot = Snapshot::open(directory)?;
    let mut out = io::stdout();
    let manifest = snapshot.manifest();
    writeln!(out, "{}: {}\nnow {}", manifest.id, manifest.title, manifest.now)?;
    let mut sound = true;
    for line in snapshot.check(&config.times_of_logs(&manifest.id)) {
        sound &= line.sound;
        writeln!(out, "{} {}: {}", if line.sound { "ok     " } else { "FAILED " }, line.part, line.found)?;
    }
    Ok(sound)
}
