//! Processes under measurement. Each is killed when its value is dropped, whatever happens before.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{sleep, timeout};

/// Longer than any deadline of the server's own.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that speaks over its standard streams.
pub(super) struct OverStdio {
    process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl OverStdio {
    pub(super) fn start(mut command: Command) -> Result<OverStdio, Box<dyn Error>> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut process = command.spawn()?;
        let input = process.stdin.take().ok_or("open the server's input")?;
        let output = process.stdout.take().ok_or("open the server's output")?;
        Ok(OverStdio { process, input, output: BufReader::new(output).lines() })
    }

    pub(super) fn pid(&self) -> Result<u32, Box<dyn Error>> {
        pid(&self.process)
    }

    /// Sends a request and waits for the line that answers it. Nothing else may come.
    pub(super) async fn ask(&mut self, request: &Value) -> Result<String, Box<dyn Error>> {
        self.input.write_all(format!("{request}\n").as_bytes()).await?;
        let line = timeout(PATIENCE, self.output.next_line())
            .await
            .map_err(|_| "get an answer over stdio in time")??;
        Ok(line.ok_or("get an answer over stdio before the server ended")?)
    }

    /// Sends all requests at once and waits for as many lines.
    pub(super) async fn ask_all(&mut self, requests: &[Value]) -> Result<Vec<String>, Box<dyn Error>> {
        let all: String = requests.iter().map(|request| format!("{request}\n")).collect();
        let (input, output) = (&mut self.input, &mut self.output);
        let reading = async {
            let mut replies = Vec::new();
            while replies.len() < requests.len()
                && let Some(line) = output.next_line().await?
            {
                replies.push(line);
            }
            Ok::<_, std::io::Error>(replies)
        };
        let both = async { tokio::try_join!(input.write_all(all.as_bytes()), reading) };
        let ((), replies) =
            timeout(PATIENCE, both).await.map_err(|_| "get all answers over stdio in time")??;
        Ok(replies)
    }

    /// Closes its input, which tells it to end.
    pub(super) async fn end(mut self) -> Result<(), Box<dyn Error>> {
        drop(self.input);
        timeout(PATIENCE, self.process.wait()).await.map_err(|_| "see the server end with its input")??;
        Ok(())
    }
}

/// A server that listens on loopback.
pub(super) struct OverHttp {
    process: Child,
    pub(super) address: SocketAddr,
}

impl OverHttp {
    /// Starts what `command` makes of a free address, and waits until it listens there.
    pub(super) async fn start(
        command: impl FnOnce(SocketAddr) -> Command,
    ) -> Result<OverHttp, Box<dyn Error>> {
        // The port is free when asked; should another process take it, the bytes of the replies would tell.
        let address = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let mut command = command(address);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let mut process = command.spawn()?;
        let listening = async {
            while TcpStream::connect(address).await.is_err() {
                if let Some(status) = process.try_wait()? {
                    return Err::<(), Box<dyn Error>>(
                        format!("start a server: it ended with {status}").into(),
                    );
                }
                sleep(Duration::from_millis(2)).await;
            }
            Ok(())
        };
        timeout(PATIENCE, listening).await.map_err(|_| "see a server listen")??;
        Ok(OverHttp { process, address })
    }

    pub(super) fn pid(&self) -> Result<u32, Box<dyn Error>> {
        pid(&self.process)
    }

    /// Kills it, and returns when it is gone.
    pub(super) async fn end(mut self) -> Result<(), Box<dyn Error>> {
        Ok(self.process.kill().await?)
    }
}

/// Memory of a process that is no copy of a file, in bytes. The rest of its RSS is its program, as far as the kernel
/// has mapped it, which differs from copy to copy of the same program.
pub(super) fn anonymous_bytes(pid: u32) -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kibibytes = status.lines().find_map(|line| line.strip_prefix("RssAnon:")?.trim().strip_suffix(" kB"));
    Ok(kibibytes.ok_or("read the memory of a server")?.trim().parse::<u64>()? * 1024)
}

/// Processor time that a process has used so far, in seconds. All its threads, in steps of ten milliseconds.
pub(super) fn processor_seconds(pid: u32) -> Result<f64, Box<dyn Error>> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    Ok(ticks(&stat).ok_or("read the processor time of a server")? as f64 / TICKS_PER_SECOND)
}

/// The kernel's `USER_HZ`, which is 100 wherever Linux runs today.
const TICKS_PER_SECOND: f64 = 100.0;

/// User and system time: by proc(5) the fields 14 and 15. The second field is a name in parentheses, which may hold
/// blanks and parentheses of its own.
fn ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

fn pid(process: &Child) -> Result<u32, Box<dyn Error>> {
    Ok(process.id().ok_or("find a server that still runs")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_user_plus_system_time() {
        // Fields 1 to 24 of a line as proc(5) describes it, numbered; 14 and 15 are utime and stime.
        let stat = "1 (a (b) c) S 4 5 6 7 8 9 10 11 12 13 1400 15 16 17 18 19 20 21 22 23 24";
        assert_eq!(ticks(stat), Some(1_415));
        assert_eq!(ticks("1 (cut) S 4 5"), None);
    }
}
