//! The control plane's side.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use secrecy::SecretString;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::frame::{FrameError, header, length};
use super::message::{JobMessage, ReportMessage};
use crate::domain::Job;
use crate::ports::{Lost, Report, Workers};

/// Most bytes of a report: 16 MiB of findings as JSON texts in JSON.
const MAX_REPORT: u64 = 40 << 20;
/// Most bytes of a worker's standard error that are logged.
const MAX_STDERR: usize = 4 * 1024;
/// How long a worker may take to end once it has closed its side.
const END: Duration = Duration::from_secs(2);
/// How often it is looked whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(5);

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

/// The processes of one worker; killed when this drops, whatever became of the job.
struct Group(Pid);

impl Group {
    /// The group that a child leads, as long as nobody has waited for it.
    fn of(child: &Child) -> Option<Self> {
        let id = i32::try_from(child.id()?).ok()?;
        Pid::from_raw(id).map(Self)
    }

    /// Waits a while for the leader to end, and leaves it to be waited for: its number stays its own.
    async fn ended(&self) -> bool {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        timeout(END, async {
            while matches!(waitid(WaitId::Pid(self.0), look), Ok(None)) {
                sleep(LOOK_EVERY).await;
            }
        })
        .await
        .is_ok()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // There may be none left; that is what is wanted.
        let _ = kill_process_group(self.0, Signal::KILL);
    }
}

async fn send(to: &mut (impl AsyncWrite + Unpin), job: &[u8]) -> std::io::Result<()> {
    let header = header(job).map_err(std::io::Error::other)?;
    to.write_all(&header).await?;
    to.write_all(job).await?;
    to.flush().await
}

/// Reads the frame of a report; what comes after it is not looked at.
async fn receive(from: &mut (impl AsyncRead + Unpin)) -> Result<Report, FrameError> {
    let mut bytes = [0; 4];
    from.read_exact(&mut bytes)
        .await
        .map_err(|_| FrameError::Closed)?;
    let length = length(bytes)?;
    if length > MAX_REPORT {
        return Err(FrameError::TooLarge);
    }
    // It grows with what comes, not with what is claimed.
    let mut bytes = Vec::new();
    let read = from
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
        let (Some(mut stdin), Some(mut stdout), Some(stderr)) = pipes else {
            return Err(Lost("the worker has no pipes".to_owned()));
        };
        let group = Group::of(&child);
        let said = tokio::spawn(beginning(stderr));
        let talk = async move {
            // A worker may well report without having read its whole job: what it says decides.
            let sent = send(&mut stdin, &message).await;
            drop(stdin);
            let report = receive(&mut stdout).await;
            match (report, sent) {
                (Err(FrameError::Closed), Err(error)) => Err(FrameError::Io(error)),
                (report, _) => report,
            }
        };
        let report = timeout(patience, talk).await;
        let by_itself = match (&report, &group) {
            (Ok(Err(_)), Some(group)) => group.ended().await,
            _ => false,
        };
        // Whatever it or its children are doing, they do it no longer.
        drop(group);
        let status = timeout(END, child.wait()).await.ok().and_then(Result::ok);
        if let Ok(Ok(text)) = timeout(END, said).await
            && !text.trim().is_empty()
        {
            tracing::warn!(run.id = %job.run, worker = %text.trim(), "a worker complained");
        }
        match (report, status) {
            (Ok(Ok(report)), _) => Ok(report),
            (Ok(Err(_)), Some(status)) if by_itself && !status.success() => Err(Lost(format!(
                "the worker ended before it reported: {status}"
            ))),
            (Ok(Err(error)), _) => {
                Err(Lost(format!("the worker's report cannot be read: {error}")))
            }
            (Err(_), _) => Err(Lost(format!(
                "the worker took longer than {} s",
                patience.as_secs()
            ))),
        }
    }
}

#[cfg(test)]
mod tests;
