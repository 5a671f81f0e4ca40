//! What is started, with which arguments, and when it counts as ready.

use std::error::Error;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use super::Backend;
use super::cache::{Cache, Running};
use super::{http, process, programs, search};

const READY_WITHIN: Duration = Duration::from_secs(180);
const POLL: Duration = Duration::from_millis(100);
/// How many of the last lines of a log are shown when a process did not become ready.
const LOG_LINES: usize = 30;

/// Alerts of one queue are silenced, so that live tests meet a silenced alert. The start lies in the past
/// (Alertmanager then takes the present) and the end far ahead, so that no clock is needed here.
const SILENCE: &str = r#"{
    "matchers": [
        {"name": "alertname", "value": "QueueDepthHigh", "isRegex": false, "isEqual": true},
        {"name": "queue", "value": "exports", "isRegex": false, "isEqual": true}
    ],
    "startsAt": "2000-01-01T00:00:00Z",
    "endsAt": "2099-01-01T00:00:00Z",
    "createdBy": "testbed",
    "comment": "exports are migrated this week"
}"#;

/// A process about to be started.
pub(super) struct Plan<'a> {
    pub(super) name: &'a str,
    pub(super) program: PathBuf,
    pub(super) port: u16,
    pub(super) arguments: Vec<String>,
    pub(super) cluster: Option<String>,
    /// The program that a start script ends as; it is no target of Prometheus.
    pub(super) becomes: Option<PathBuf>,
    /// What answers 200 when it is ready.
    pub(super) ready: &'static str,
}

/// Of Prometheus, Alertmanager and the load.
const READY: &str = "/-/ready";

/// Builds or fetches the program of this backend, if that was not done yet.
pub(crate) fn prepare(cache: &Cache, backend: Backend) -> Result<(), Box<dyn Error>> {
    match backend {
        Backend::Load => return Ok(()),
        Backend::Alertmanager => programs::ALERTMANAGER.program(cache),
        Backend::PrometheusOld => programs::debian_prometheus(cache),
        Backend::Prometheus => programs::PROMETHEUS.program(cache),
        Backend::OpenSearch => search::OPENSEARCH.home(cache),
        Backend::Elasticsearch => search::ELASTICSEARCH.home(cache),
        Backend::Elasticsearch7 => search::ELASTICSEARCH_7.home(cache),
        Backend::ElasticsearchSecured => search::ELASTICSEARCH_SECURED.home(cache),
    }?;
    Ok(())
}

/// Starts what is not running of this backend and waits until it is ready.
pub(crate) fn start(cache: &Cache, backend: Backend) -> Result<(), Box<dyn Error>> {
    for name in backend.processes() {
        let recorded = cache.endpoints()?.remove(*name);
        if recorded.as_ref().is_some_and(process::is_ours) {
            continue;
        }
        match backend {
            Backend::Load => start_load(cache, name)?,
            Backend::Alertmanager => start_alertmanager(cache, name)?,
            Backend::PrometheusOld => start_prometheus_old(cache, name)?,
            Backend::Prometheus => start_prometheus(cache, name)?,
            Backend::OpenSearch => search::OPENSEARCH.start(cache)?,
            Backend::Elasticsearch => search::ELASTICSEARCH.start(cache)?,
            Backend::Elasticsearch7 => search::ELASTICSEARCH_7.start(cache)?,
            Backend::ElasticsearchSecured => search::ELASTICSEARCH_SECURED.start(cache)?,
        }
    }
    if backend == Backend::Alertmanager { silence_one_queue(cache) } else { Ok(()) }
}

/// One word: `ready`, `not ready` or `dead`.
pub(crate) fn health(running: &Running) -> &'static str {
    if !process::is_ours(running) {
        "dead"
    } else if is_ready(running) {
        "ready"
    } else {
        "not ready"
    }
}

fn is_ready(running: &Running) -> bool {
    http::get(&running.url, &running.ready).is_ok_and(|reply| reply.status == 200)
}

fn start_load(cache: &Cache, name: &str) -> Result<(), Box<dyn Error>> {
    let directory = fresh_directory(cache, name)?;
    // A copy, so that building this program again does not disturb the one that runs.
    let program = directory.join("load");
    fs::copy(std::env::current_exe()?, &program)?;

    let [port] = free_ports()?;
    let arguments = words(&format!("testbed serve-load --port {port}"));
    launch(cache, Plan { name, program, port, arguments, cluster: None, becomes: None, ready: READY })
}

fn start_alertmanager(cache: &Cache, name: &str) -> Result<(), Box<dyn Error>> {
    let program = programs::ALERTMANAGER.program(cache)?;
    let directory = fresh_directory(cache, name)?;
    copy_config("alertmanager.yml", &directory)?;

    let [port, cluster_port] = free_ports()?;
    let cluster = format!("127.0.0.1:{cluster_port}");
    let mut arguments = words(&format!(
        "--config.file=alertmanager.yml --storage.path=data --web.listen-address=127.0.0.1:{port} \
         --web.external-url=http://127.0.0.1:{port} --cluster.listen-address={cluster} \
         --cluster.advertise-address={cluster}"
    ));
    let others = cache.endpoints()?.into_iter().filter(|(other, _)| other != name);
    for peer in others.filter_map(|(_, other)| other.cluster) {
        arguments.push(format!("--cluster.peer={peer}"));
    }
    launch(
        cache,
        Plan { name, program, port, arguments, cluster: Some(cluster), becomes: None, ready: READY },
    )
}

fn start_prometheus(cache: &Cache, name: &str) -> Result<(), Box<dyn Error>> {
    let program = programs::PROMETHEUS.program(cache)?;
    let features = "exemplar-storage,promql-per-step-stats,promql-experimental-functions";
    let arguments = format!("--config.file=prometheus.yml --enable-feature={features}");
    launch_prometheus(cache, name, program, &arguments)
}

fn start_prometheus_old(cache: &Cache, name: &str) -> Result<(), Box<dyn Error>> {
    let program = programs::debian_prometheus(cache)?;
    let features = "exemplar-storage,promql-per-step-stats,native-histograms";
    let arguments = format!("--config.file=prometheus-old.yml --enable-feature={features}");
    launch_prometheus(cache, name, program, &arguments)
}

fn launch_prometheus(
    cache: &Cache,
    name: &str,
    program: PathBuf,
    arguments: &str,
) -> Result<(), Box<dyn Error>> {
    let directory = fresh_directory(cache, name)?;
    for file in ["prometheus.yml", "prometheus-old.yml", "rules.yml"] {
        copy_config(file, &directory)?;
    }
    let [port] = free_ports()?;
    let mut arguments = words(arguments);
    // With an external URL of our own no link in an answer contains the machine's name.
    arguments.extend(words(&format!(
        "--storage.tsdb.path=data --storage.tsdb.retention.time=1d --web.listen-address=127.0.0.1:{port} \
         --web.external-url=http://127.0.0.1:{port} --web.enable-remote-write-receiver"
    )));
    launch(cache, Plan { name, program, port, arguments, cluster: None, becomes: None, ready: READY })
}

/// Starts the process, records it at once (so that `down` finds it whatever happens next) and waits.
pub(super) fn launch(cache: &Cache, plan: Plan) -> Result<(), Box<dyn Error>> {
    let Plan { name, program, port, arguments, cluster, becomes, ready } = plan;
    let directory = cache.run_dir(name);
    let log = directory.join("log");
    let mut child = process::start_detached(&program, &arguments, &directory, &log)?;
    let pid = child.id();

    let started_ticks = process::started_ticks(pid).ok_or_else(|| format!("start {name}{}", tail(&log)))?;
    let url = format!("http://127.0.0.1:{port}");
    let scraped = becomes.is_none();
    let program = becomes.unwrap_or(program);
    let ready = ready.to_owned();
    let data = directory.join("data");
    let running = Running { url, pid, started_ticks, program, log, data, cluster, ready };
    let mut endpoints = cache.endpoints()?;
    endpoints.insert(name.to_owned(), running.clone());
    cache.write_endpoints(&endpoints)?;

    wait_until_ready(&mut child, &running)
        .map_err(|why| format!("start {name}: {why}{}", tail(&running.log)))?;
    if scraped { cache.write_target(name, &format!("127.0.0.1:{port}")) } else { Ok(()) }
}

fn wait_until_ready(child: &mut Child, running: &Running) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    while started.elapsed() < READY_WITHIN {
        if let Some(status) = child.try_wait()? {
            return Err(format!("it ended with {status}").into());
        }
        if is_ready(running) {
            return Ok(());
        }
        thread::sleep(POLL);
    }
    child.kill()?;
    child.wait()?;
    Err(format!("it was not ready within {} s", READY_WITHIN.as_secs()).into())
}

/// The end of a log, to be shown under an error.
fn tail(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.len().saturating_sub(LOG_LINES);
    let shown = lines.into_iter().skip(last).collect::<Vec<_>>().join("\n");
    format!("\n--- end of {} ---\n{shown}", log.display())
}

fn silence_one_queue(cache: &Cache) -> Result<(), Box<dyn Error>> {
    let endpoints = cache.endpoints()?;
    let alertmanager = endpoints.get("alertmanager").ok_or("find the Alertmanager just started")?;
    if http::get(&alertmanager.url, "/api/v2/silences")?.body.contains("exports are migrated") {
        return Ok(());
    }
    let reply = http::post_json(&alertmanager.url, "/api/v2/silences", SILENCE)?;
    if reply.status == 200 { Ok(()) } else { Err(format!("create a silence: {}", reply.body).into()) }
}

pub(super) fn fresh_directory(cache: &Cache, name: &str) -> Result<PathBuf, Box<dyn Error>> {
    let directory = cache.run_dir(name);
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    fs::create_dir_all(directory.join("data"))?;
    Ok(directory)
}

fn copy_config(file: &str, directory: &Path) -> Result<(), Box<dyn Error>> {
    let from = programs::testbed_dir().join("config").join(file);
    fs::copy(&from, directory.join(file)).map_err(|error| format!("copy {}: {error}", from.display()))?;
    Ok(())
}

/// Ports that nobody listens on; all are held until the last one is chosen, so they differ.
pub(super) fn free_ports<const N: usize>() -> Result<[u16; N], Box<dyn Error>> {
    let mut held = Vec::new();
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}

pub(super) fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_ports_differ_and_can_be_listened_on() {
        let [first, second] = free_ports().unwrap();

        assert_ne!(first, second);
        assert!(TcpListener::bind(("127.0.0.1", first)).is_ok());
    }

    #[test]
    fn only_the_last_lines_of_a_log_are_shown() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        fs::write(&log, (1..=40).map(|line| format!("line {line}\n")).collect::<String>()).unwrap();

        let shown = tail(&log);
        assert!(shown.ends_with("line 39\nline 40") && shown.contains("line 11\n"));
        assert!(!shown.contains("line 10\n"));
    }
}
