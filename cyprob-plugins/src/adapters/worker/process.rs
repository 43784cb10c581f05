//! The control plane's side.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::frame::{FrameError, header, length};
use super::message::{JobMessage, ReportMessage};
use crate::domain::Job;
use crate::ports::{Lost, Report, Workers};

/// Most bytes of a report.
const MAX_REPORT: u64 = 64 << 20;
/// Most bytes of a worker's standard error that are logged.
const MAX_STDERR: usize = 4 * 1024;
/// How long a worker may take to end once it has reported.
const END: Duration = Duration::from_secs(2);

/// How a worker is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

/// Starts a process for each job.
#[derive(Clone, Debug)]
pub struct ProcessWorkers {
    command: WorkerCommand,
}

impl ProcessWorkers {
    /// Workers that this command starts.
    #[must_use]
    pub const fn new(command: WorkerCommand) -> Self {
        Self { command }
    }

    fn spawn(&self) -> Result<Child, Lost> {
        let mut command = Command::new(&self.command.program);
        command
            .args(&self.command.arguments)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C is for the control plane, which ends its workers itself.
            .process_group(0)
            .kill_on_drop(true);
        command
            .spawn()
            .map_err(|error| Lost(format!("the worker cannot be started: {error}")))
    }
}

async fn talk(mut to: ChildStdin, mut from: ChildStdout, job: &[u8]) -> Result<Report, FrameError> {
    to.write_all(&header(job)?).await.map_err(FrameError::Io)?;
    to.write_all(job).await.map_err(FrameError::Io)?;
    to.flush().await.map_err(FrameError::Io)?;
    let mut bytes = [0; 4];
    from.read_exact(&mut bytes)
        .await
        .map_err(|_| FrameError::Closed)?;
    let length = length(bytes)?;
    if length > MAX_REPORT {
        return Err(FrameError::TooLarge);
    }
    let mut bytes = Vec::new();
    let read = (&mut from)
        .take(length)
        .read_to_end(&mut bytes)
        .await
        .map_err(FrameError::Io)?;
    if u64::try_from(read).ok() != Some(length) {
        return Err(FrameError::Short);
    }
    ReportMessage::parse(&bytes).map_err(|error| FrameError::Io(std::io::Error::other(error)))
}

/// The beginning of a stream, printable; the rest is read and thrown away.
async fn beginning(mut from: impl AsyncRead + Unpin) -> String {
    let mut kept = Vec::new();
    let mut chunk = [0; 1024];
    while let Ok(read @ 1..) = from.read(&mut chunk).await {
        let room = MAX_STDERR.saturating_sub(kept.len()).min(read);
        kept.extend_from_slice(chunk.get(..room).unwrap_or_default());
    }
    String::from_utf8_lossy(&kept)
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[async_trait]
impl Workers for ProcessWorkers {
    async fn run(
        &self,
        job: &Job,
        token: &SecretString,
        patience: Duration,
    ) -> Result<Report, Lost> {
        let message = JobMessage::encode(job, token);
        let message = message.map_err(|error| Lost(error.to_string()))?;
        let mut child = self.spawn()?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(Lost("the worker has no pipes".to_owned()));
        };
        let said = tokio::spawn(beginning(stderr));
        let report = timeout(patience, talk(stdin, stdout, &message)).await;
        let ended = match report {
            Ok(_) => timeout(END, child.wait()).await.ok().and_then(Result::ok),
            Err(_) => None,
        };
        if ended.is_none() {
            // Whatever it is doing, it does it no longer.
            let _ = child.kill().await;
        }
        if let Ok(Ok(text)) = timeout(END, said).await
            && !text.trim().is_empty()
        {
            tracing::warn!(run.id = %job.run, worker = %text.trim(), "a worker complained");
        }
        match report {
            Ok(Ok(report)) => Ok(report),
            Ok(Err(error)) => Err(Lost(match ended {
                Some(status) if !status.success() => {
                    format!("the worker ended before it reported: {status}")
                }
                _ => format!("the worker's report cannot be read: {error}"),
            })),
            Err(_) => Err(Lost(format!(
                "the worker took longer than {} s",
                patience.as_secs()
            ))),
        }
    }
}
