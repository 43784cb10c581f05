//! A PostgreSQL server of a test's own, which it may kill and stop.

use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;

use crate::support::database::block_on;

/// The user that the server runs as where the tests run as root, which it refuses.
const NOBODY: u32 = 65_534;

/// A running server with an empty cluster; it ends with this.
#[derive(Debug)]
pub(crate) struct Postgres {
    child: Child,
    bin: PathBuf,
    directory: TempDir,
    port: u16,
}

/// The newest version that is installed.
fn bin() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed");
    let bins = versions.map(|entry| entry.unwrap().path().join("bin"));
    bins.filter(|bin| bin.join("postgres").exists())
        .max()
        .expect("PostgreSQL is installed")
}

fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    status.lines().any(|line| line.starts_with("Uid:\t0\t"))
}

fn as_user(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"])
        .arg("--inh-caps=-all")
        .arg(program);
    command
}

impl Postgres {
    pub(crate) fn start() -> Self {
        let bin = bin();
        let directory = tempfile::tempdir().unwrap();
        if is_root() {
            chown(directory.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let made = as_user(&bin.join("initdb"))
            .arg("-D")
            .arg(directory.path().join("data"))
            .args(["-U", "cyprob", "--auth=trust", "--no-sync"])
            .args(["--encoding=UTF8", "--locale=C"])
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let child = launch(&bin, directory.path(), port);
        Self {
            child,
            bin,
            directory,
            port,
        }
    }

    /// Its address, without a database.
    pub(crate) fn address(&self) -> String {
        format!("postgres://cyprob@127.0.0.1:{}", self.port)
    }

    /// SIGKILL, at once; its processes notice and end as well.
    pub(crate) fn kill(&mut self) {
        let family = self.family();
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let begun = Instant::now();
        while family.iter().any(|pid| alive(*pid)) {
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "{family:?} live on"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Starts it again, on what was committed.
    pub(crate) fn restart(&mut self) {
        self.child = launch(&self.bin, self.directory.path(), self.port);
    }

    /// Stops every process of it, so that nothing answers and nothing is refused.
    pub(crate) fn hang(&self) {
        self.signal("STOP");
    }

    pub(crate) fn go_on(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        for pid in self.family() {
            // One that ended meanwhile needs none.
            let _ = Command::new("kill")
                .arg(format!("-{name}"))
                .arg(pid.to_string())
                .stderr(Stdio::null())
                .status();
        }
    }

    /// Its process and those that it started.
    fn family(&self) -> Vec<u32> {
        let parent = self.child.id();
        let processes = std::fs::read_dir("/proc").unwrap();
        let numbers = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let children = numbers.filter(|pid: &u32| parent_of(*pid) == Some(parent));
        [parent].into_iter().chain(children).collect()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.go_on();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn alive(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(1)?.parse().ok()
}

/// Starts the server and waits until it takes connections.
fn launch(bin: &Path, directory: &Path, port: u16) -> Child {
    let child = as_user(&bin.join("postgres"))
        .arg("-D")
        .arg(directory.join("data"))
        .args(["-c", "listen_addresses=127.0.0.1"])
        .args(["-c", &format!("port={port}")])
        .args(["-c", "unix_socket_directories=", "-c", "fsync=off"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let url = format!("postgres://cyprob@127.0.0.1:{port}/postgres");
    let begun = Instant::now();
    block_on(async {
        loop {
            match PgConnection::connect(&url).await {
                Ok(connection) => return connection.close().await.unwrap(),
                Err(error) => assert!(begun.elapsed() < Duration::from_secs(30), "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    child
}
