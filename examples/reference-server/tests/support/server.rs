//! `cyprob serve` as a process of its own, on a directory of its own.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::Client;

/// The binary under test.
pub(crate) const CYPROB: &str = env!("CARGO_BIN_EXE_cyprob");

#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    pub(crate) data: PathBuf,
    log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Starts it on a free port and waits until it listens.
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_with(data, "")
    }

    /// The same, with a configuration.
    pub(crate) fn start_with(data: &Path, config: &str) -> Self {
        Self::try_start(data, config).unwrap_or_else(|(status, text)| panic!("{status}: {text}"))
    }

    /// The server, or the status and the words with which it refused to start.
    pub(crate) fn try_start(data: &Path, config: &str) -> Result<Self, (ExitStatus, String)> {
        Self::launch(Command::new(CYPROB), data, config)
    }

    /// The server by a command that runs what follows it; it must become that process.
    pub(crate) fn launch(
        mut command: Command,
        data: &Path,
        config: &str,
    ) -> Result<Self, (ExitStatus, String)> {
        let file = data.with_extension("toml");
        std::fs::write(&file, config).unwrap();
        command
            .arg("serve")
            .arg("--config")
            .arg(&file)
            .arg("--data")
            .arg(data);
        command
            .args(["--listen", "127.0.0.1:0"])
            .env("CYPROB_LOG", "warn");
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = loop {
            match lines.next() {
                Some(line) => {
                    if let Some(url) = line.unwrap().strip_prefix("listening on ") {
                        break url.to_owned();
                    }
                }
                None => {
                    let mut text = String::new();
                    child
                        .stderr
                        .take()
                        .unwrap()
                        .read_to_string(&mut text)
                        .unwrap();
                    return Err((child.wait().unwrap(), text));
                }
            }
        };
        // Both pipes are read to their end, or the server would block on them.
        std::thread::spawn(move || lines.for_each(drop));
        let errors = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&log);
        std::thread::spawn(move || {
            errors.map_while(Result::ok).for_each(|line| {
                eprintln!("server: {line}");
                kept.lock().unwrap().push(line);
            });
        });
        Ok(Self {
            child,
            url,
            data: data.to_owned(),
            log,
        })
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&self.url)
    }

    pub(crate) fn bootstrap_token(&self) -> String {
        std::fs::read_to_string(self.data.join("bootstrap-token"))
            .unwrap()
            .trim()
            .to_owned()
    }

    /// Whether these words are in its log, which has warnings and errors.
    pub(crate) fn said(&self, words: &str) -> bool {
        let log = self.log.lock().unwrap();
        log.iter().any(|line| line.contains(words))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ctrl-C, then waits for its end.
    pub(crate) fn interrupt(mut self) -> ExitStatus {
        self.signal("INT");
        self.wait(Duration::from_secs(30))
            .expect("the server ends when it is asked to")
    }

    /// SIGKILL, at once.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = kill(name, &self.pid().to_string());
        assert!(status.unwrap().success());
    }

    fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        let begun = Instant::now();
        while begun.elapsed() < patience {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    }
}

impl Drop for Server {
    /// Ends it, and the workers it has: one that is no worker of ours does not end by itself.
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        // Stopped, it starts no more of them. Each leads a group of its own.
        let _ = kill("STOP", &self.pid().to_string());
        let workers = children(self.pid());
        let _ = self.child.kill();
        let _ = self.child.wait();
        for worker in workers {
            let _ = kill("KILL", &format!("-{worker}"));
        }
    }
}

/// Sends a signal to a process, or with a minus before its number to a group.
fn kill(signal: &str, to: &str) -> std::io::Result<ExitStatus> {
    let mut command = Command::new("kill");
    command.arg(format!("-{signal}")).arg("--").arg(to);
    // A group may have ended before.
    command.stderr(Stdio::null()).status()
}

/// The processes that a process started and has not waited for.
pub(crate) fn children(of: u32) -> Vec<u32> {
    let all = std::fs::read_dir("/proc").into_iter().flatten();
    let all = all.filter_map(Result::ok);
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| parent(*pid) == Some(of)).collect()
}

fn parent(pid: u32) -> Option<u32> {
    // The name in parentheses can have any text in it; the state and the parent follow.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit(')').next()?.split_whitespace();
    fields.nth(1)?.parse().ok()
}
