//! Starting a process so that it outlives this program, and stopping it without hitting another one.
//!
//! A process id alone proves nothing: the kernel gives ids out again. A process is ours while the id, the
//! time it started and the program in its command line are all as recorded.

use std::error::Error;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::cache::Running;

/// How long a process may take to end by itself before it is killed.
const GRACE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(50);
/// Makes a session and then replaces itself by the program it is given.
const LAUNCHER: &str = "setsid";

/// Starts `program` in a session of its own, with everything it says going to `log`. When this returns the
/// process can be recognised (or has ended already).
pub(crate) fn start_detached(
    program: &Path,
    arguments: &[String],
    directory: &Path,
    log: &Path,
) -> Result<Child, Box<dyn Error>> {
    let output = File::create(log)?;
    let mut child = Command::new(LAUNCHER)
        .arg(program)
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .stderr(output.try_clone()?)
        .stdout(output)
        .spawn()
        .map_err(|error| format!("start {} through {LAUNCHER}: {error}", program.display()))?;
    // While one program replaces the other, the command line is for a moment empty.
    let started = Instant::now();
    while started.elapsed() < GRACE && child.try_wait()?.is_none() && !has_replaced_launcher(child.id()) {
        thread::sleep(Duration::from_millis(1));
    }
    Ok(child)
}

fn has_replaced_launcher(pid: u32) -> bool {
    let command_line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let name = command_line.split(|byte| *byte == 0).next().unwrap_or_default();
    !name.is_empty() && name != LAUNCHER.as_bytes()
}

/// When the process started, in clock ticks since boot; `None` when there is no such process.
pub(crate) fn started_ticks(pid: u32) -> Option<u64> {
    ticks_if_alive(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The 22nd field of a `stat` line, unless the process has ended and only waits to be collected.
fn ticks_if_alive(stat: &str) -> Option<u64> {
    // The second field is the program's name in parentheses and may itself contain spaces and parentheses.
    let (_, after_name) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let (state, ticks) = (fields.first()?, fields.get(19)?);
    if matches!(*state, "Z" | "X") { None } else { ticks.parse().ok() }
}

/// Whether the recorded process still runs and is the recorded one.
pub(crate) fn is_ours(running: &Running) -> bool {
    started_ticks(running.pid) == Some(running.started_ticks)
        && command_line_names(running.pid, &running.program)
}

fn command_line_names(pid: u32, program: &Path) -> bool {
    let command_line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    command_line.split(|byte| *byte == 0).any(|argument| argument == program.as_os_str().as_encoded_bytes())
}

/// Ends a recorded process, politely first; says what happened.
pub(crate) fn stop(running: &Running) -> Result<&'static str, Box<dyn Error>> {
    if !is_ours(running) {
        return Ok("was not running any more");
    }
    signal(running.pid, "-TERM")?;
    if ended_within(running, GRACE) {
        return Ok("stopped");
    }
    signal(running.pid, "-KILL")?;
    if ended_within(running, GRACE) { Ok("killed") } else { Err(format!("stop pid {}", running.pid).into()) }
}

fn signal(pid: u32, signal: &str) -> Result<(), Box<dyn Error>> {
    // A failure means that the process ended meanwhile, which the caller finds out.
    Command::new("kill").arg(signal).arg(pid.to_string()).stderr(Stdio::null()).status()?;
    Ok(())
}

fn ended_within(running: &Running, patience: Duration) -> bool {
    let asked = Instant::now();
    while asked.elapsed() < patience {
        if !is_ours(running) {
            return true;
        }
        thread::sleep(POLL);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `sleep`, started like a backend; the test must stop it.
    fn sleeper(directory: &Path) -> (Child, Running) {
        let program = Path::new("/bin/sleep").to_path_buf();
        let log = directory.join("log");
        let child = start_detached(&program, &["300".to_owned()], directory, &log).unwrap();
        let running = Running {
            url: "http://127.0.0.1:1".to_owned(),
            pid: child.id(),
            started_ticks: started_ticks(child.id()).unwrap(),
            program,
            log,
            data: directory.to_path_buf(),
            cluster: None,
            ready: "/".to_owned(),
        };
        (child, running)
    }

    #[test]
    fn a_name_with_spaces_and_parentheses_does_not_shift_the_fields_of_a_stat_line() {
        // Field numbers as proc(5) gives them: 3 is the state, 22 the start time.
        let after_the_name: Vec<String> = (4..=52).map(|field| field.to_string()).collect();
        let line = |state: &str| format!("123 (a) S (b c) {state} {}", after_the_name.join(" "));

        assert_eq!(ticks_if_alive(&line("S")), Some(22));
        assert_eq!(ticks_if_alive(&line("Z")), None);
        assert_eq!(ticks_if_alive("garbage"), None);
    }

    #[test]
    fn a_recorded_process_is_stopped_and_is_in_a_session_of_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let (mut child, running) = sleeper(directory.path());

        // Field 6 of proc(5).
        let stat = fs::read_to_string(format!("/proc/{}/stat", running.pid)).unwrap();
        let session = stat.rsplit_once(") ").unwrap().1.split_whitespace().nth(3).unwrap();

        assert_eq!(session, running.pid.to_string());
        assert_eq!(stop(&running).unwrap(), "stopped");
        assert!(!is_ours(&running));
        assert!(!child.wait().unwrap().success());
    }

    #[test]
    fn another_process_that_got_the_same_id_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let (mut child, running) = sleeper(directory.path());
        let later = Running { started_ticks: running.started_ticks + 1, ..running.clone() };
        let other = Running { program: "/usr/bin/other".into(), ..running.clone() };

        assert_eq!(stop(&later).unwrap(), "was not running any more");
        assert_eq!(stop(&other).unwrap(), "was not running any more");
        assert!(is_ours(&running));

        child.kill().unwrap();
        child.wait().unwrap();
    }
}
