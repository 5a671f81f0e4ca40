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

fn pid(process: &Child) -> Result<u32, Box<dyn Error>> {
    Ok(process.id().ok_or("find a server that still runs")?)
}
