//! A server of a test's own, which can be sealed, killed and started again with its data, and its standby.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use cyprob_core::adapters::system::SystemEntropy;
use cyprob_core::ports::EntropyExt as _;
use serde_json::json;
use tempfile::TempDir;

use crate::stand::{Admin, until, variable};

/// Who it runs as where the tests run as root: nobody.
const NOBODY: u32 = 65_534;

/// It is killed when it drops.
pub(crate) struct OwnServer {
    bao: PathBuf,
    place: TempDir,
    port: u16,
    unseal_key: String,
    root_token: String,
    process: Child,
}

/// A port that is free for it, and the one behind it for its cluster.
///
/// They are none of those that the system gives to whoever asks for any, so
/// that a server that was killed finds them free again, and no two of one run.
pub(crate) fn two_ports() -> u16 {
    static DRAWN: OnceLock<AtomicU16> = OnceLock::new();
    let drawn = DRAWN.get_or_init(|| u16::from_be_bytes(SystemEntropy.bytes()).into());
    let free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
    loop {
        let port = 20_000 + drawn.fetch_add(1, Ordering::Relaxed) % 5_000 * 2;
        if free(port) && free(port + 1) {
            return port;
        }
    }
}

/// Whether a standby reads for who asks it, or leaves it to the active node.
#[derive(Clone, Copy)]
pub(crate) enum Reads {
    Itself,
    Active,
}

impl OwnServer {
    pub(crate) async fn start() -> Self {
        let mut server = Self::launched("", Reads::Itself);
        server.answers(&[501]).await;
        let shares = json!({"secret_shares": 1, "secret_threshold": 1});
        let made = server.admin().make("POST", "sys/init", shares);
        server.unseal_key = made["keys"][0].as_str().unwrap().to_owned();
        server.root_token = made["root_token"].as_str().unwrap().to_owned();
        server.unseal().await;
        server.answers(&[200]).await;
        server
    }

    /// Another node of its cluster, which stands by and has a vote.
    pub(crate) async fn standby(&self, reads: Reads) -> Self {
        // A node has a vote once it was well for so long.
        let soon = json!({"server_stabilization_time": "1s"});
        let admin = self.admin();
        admin.make("POST", "sys/storage/raft/autopilot/configuration", soon);
        let join = format!(
            "retry_join {{\n  leader_api_addr = \"{}\"\n}}\n",
            admin.url()
        );
        let mut node = Self::launched(&join, reads);
        node.unseal_key.clone_from(&self.unseal_key);
        node.root_token.clone_from(&self.root_token);
        // It takes the key once it has joined.
        until("it stands by", || async {
            let key = json!({"key": node.unseal_key});
            let said = node.admin().try_ask("POST", "sys/unseal", Some(key));
            said.is_some_and(|(_, said)| said["sealed"] == false)
        })
        .await;
        node.answers(&[429]).await;
        until("it has a vote", || async {
            let (_, all) = admin.ask("GET", "sys/storage/raft/configuration", None);
            let nodes = all["data"]["config"]["servers"].as_array();
            nodes.is_some_and(|all| all.iter().filter(|n| n["voter"] == true).count() == 2)
        })
        .await;
        node
    }

    fn launched(join: &str, reads: Reads) -> Self {
        let bao: PathBuf = variable("CYPROB_BAO").into();
        let place = tempfile::tempdir().unwrap();
        let port = two_ports();
        let data = place.path().join("data");
        fs::create_dir(&data).unwrap();
        let configuration = format!(
            "storage \"raft\" {{\n  path = \"{}\"\n  node_id = \"{port}\"\n  \
             performance_multiplier = 1\n{join}}}\n\
             listener \"tcp\" {{\n  address = \"127.0.0.1:{port}\"\n  \
             cluster_address = \"127.0.0.1:{next}\"\n  tls_disable = true\n}}\n\
             api_addr = \"http://127.0.0.1:{port}\"\ncluster_addr = \"http://127.0.0.1:{next}\"\n\
             disable_standby_reads = {disabled}\n",
            data.display(),
            next = port + 1,
            disabled = matches!(reads, Reads::Active),
        );
        let file = place.path().join("server.hcl");
        fs::write(&file, configuration).unwrap();
        if rustix::process::geteuid().is_root() {
            for path in [place.path(), &data, &file] {
                chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        let process = run(&bao, &place);
        Self {
            bao,
            place,
            port,
            unseal_key: String::new(),
            root_token: String::new(),
            process,
        }
    }

    /// Its administrator.
    pub(crate) fn admin(&self) -> Admin {
        let url = format!("http://127.0.0.1:{}", self.port);
        Admin::of(url, self.root_token.clone())
    }

    /// Whether its health has one of these statuses: 501 is not initialized, 503 sealed, 429 stands by, 200 active.
    fn is(&self, statuses: &[u16]) -> bool {
        let health = self.admin().try_ask("GET", "sys/health", None);
        health.is_some_and(|(found, _)| statuses.contains(&found))
    }

    async fn answers(&self, statuses: &[u16]) {
        until("the server is there", || async { self.is(statuses) }).await;
    }

    /// Waits until a standby has all that its active node has now.
    pub(crate) async fn has_caught_up_with(&self, active: &Self) {
        let index = |server: &Self, which: &str| {
            let (_, said) = server.admin().ask("GET", "sys/leader", None);
            said[which].as_u64().unwrap()
        };
        let all = index(active, "raft_committed_index");
        until("the standby has caught up", || async {
            index(self, "raft_applied_index") >= all
        })
        .await;
    }

    pub(crate) fn is_active(&self) -> bool {
        self.is(&[200])
    }

    pub(crate) fn step_down(&self) {
        self.admin().make("PUT", "sys/step-down", json!({}));
    }

    pub(crate) fn seal(&self) {
        self.admin().make("POST", "sys/seal", json!({}));
    }

    pub(crate) async fn unseal(&self) {
        let key = json!({"key": self.unseal_key});
        self.admin().make("POST", "sys/unseal", key);
        self.answers(&[200, 429]).await;
    }

    pub(crate) fn kill(&mut self) {
        // SIGKILL, to its own process.
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub(crate) async fn start_again(&mut self) {
        self.process = run(&self.bao, &self.place);
        self.answers(&[503]).await;
        self.unseal().await;
    }
}

fn run(bao: &PathBuf, place: &TempDir) -> Child {
    let mut server = Command::new(bao);
    server
        .arg("server")
        .arg("-config")
        .arg(place.path().join("server.hcl"));
    server.env_clear().env("HOME", place.path());
    server
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if rustix::process::geteuid().is_root() {
        server.uid(NOBODY).gid(NOBODY);
    }
    server.spawn().unwrap()
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        // The directory goes once nobody writes to it.
        std::thread::sleep(Duration::from_millis(10));
    }
}
