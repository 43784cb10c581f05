//! A secret that is read from a Vault, against the client library that we make our requests with.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use cyprob::core::adapters::system::{SystemClock, SystemEntropy};
use cyprob::core::ports::EntropyExt as _;
use cyprob::secrets::adapters::vault::{KvVersion, TokenFile, Vault, VaultKv};
use cyprob::secrets::domain::SecretRef;
use cyprob::secrets::ports::SecretProvider as _;
use cyprob::secrets::testkit::fault_proxy::FaultProxy;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use vaultrs::api::sys::requests::EnableEngineRequest;
use vaultrs::api::token::requests::CreateTokenRequest;
use vaultrs::client::{VaultClient, VaultClientSettingsBuilder};

use crate::kept;
use crate::measure::{Side, in_turns};
use crate::server;
use crate::table::{Bar, Table};

const ROUNDS: usize = 31;
const READS: u32 = 300;
const AT_ONCE: u32 = 32;
const RAW: &str = "vaultrs kv2::read";
/// At least nine tenths of its rate.
const BARS: [Bar; 1] = [(RAW, 1.0 / 0.9)];
/// So many ask for one secret at once.
const CROWD: usize = 10_000;

/// A mount with a secret, and both clients with one token that may read it.
struct Site {
    mount: String,
    token: tempfile::NamedTempFile,
    raw: Arc<VaultClient>,
    ours: Arc<VaultKv>,
    secret: SecretRef,
}

fn client(address: &str, token: &str) -> VaultClient {
    let settings = VaultClientSettingsBuilder::default()
        .address(address)
        .token(token)
        .build();
    VaultClient::new(settings.expect("settings")).expect("a client")
}

async fn connect(address: &str, token: &tempfile::NamedTempFile) -> Vault {
    let builder = Vault::builder(address.parse().expect("an address"));
    let builder = builder.login(TokenFile::new(token.path()));
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
    builder.connect(clock, entropy).await.expect("a connection")
}

impl Site {
    async fn new(address: &str) -> Self {
        let root = client(address, &server("CYPROB_VAULT_TOKEN"));
        let mount = format!("bench{:x}", u64::from_be_bytes(SystemEntropy.bytes()));
        let versions = [("version".to_owned(), "2".to_owned())];
        let mut engine = EnableEngineRequest::builder();
        vaultrs::sys::mount::enable(
            &root,
            &mount,
            "kv",
            Some(engine.options(std::collections::HashMap::from(versions))),
        )
        .await
        .expect("a mount");
        let password = json!({"password": "x".repeat(32)});
        let set = vaultrs::kv2::set(&root, &mount, "mail", &password).await;
        set.expect("a secret");
        let policy = format!("path \"{mount}/data/*\" {{ capabilities = [\"read\"] }}");
        let set = vaultrs::sys::policy::set(&root, &mount, &policy).await;
        set.expect("a policy");
        let mut wanted = CreateTokenRequest::builder();
        wanted.policies(vec![mount.clone()]).ttl("1h");
        let made = vaultrs::token::new(&root, Some(&mut wanted)).await;
        let made = made.expect("a token").client_token;
        let mut token = tempfile::NamedTempFile::new().expect("a file");
        token.write_all(made.as_bytes()).expect("written");
        let mode = std::fs::Permissions::from_mode(0o600);
        token.as_file().set_permissions(mode).expect("a mode");
        let vault = connect(address, &token).await;
        let mounts = [(mount.parse().expect("a mount"), KvVersion::V2)];
        Self {
            raw: Arc::new(client(address, &made)),
            ours: Arc::new(VaultKv::new(vault, mounts)),
            secret: format!("vault://{mount}/mail#password")
                .parse()
                .expect("a reference"),
            mount,
            token,
        }
    }

    async fn read_ours(&self, count: u32) {
        for _ in 0..count {
            let read = self.ours.read(&self.secret).await.expect("an answer");
            assert!(read.is_some());
        }
    }

    async fn read_raw(&self, count: u32) {
        for _ in 0..count {
            let read = vaultrs::kv2::read::<Value>(&*self.raw, &self.mount, "mail").await;
            let read = read.expect("an answer");
            assert!(read.get("password").is_some_and(Value::is_string));
        }
    }
}

/// The same work by many at once.
async fn by_many<F>(count: u32, work: impl Fn(u32) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut many = JoinSet::new();
    for _ in 0..AT_ONCE {
        many.spawn(work(count / AT_ONCE));
    }
    many.join_all().await;
}

/// Measures cold reads, and what a crowd costs the server.
pub(crate) fn measure(runtime: &Runtime, table: &mut Table) {
    let address = server("CYPROB_VAULT");
    let site = Arc::new(runtime.block_on(Site::new(&address)));
    let ours = Side::new("ours", READS, |count| {
        runtime.block_on(site.read_ours(count))
    });
    let raw = Side::new(RAW, READS, |count| runtime.block_on(site.read_raw(count)));
    table.add(
        "Vault, cold read",
        &in_turns(ROUNDS, ours, vec![raw]),
        &BARS,
    );

    let share = |site: &Arc<Site>| Arc::clone(site);
    let many = READS * AT_ONCE / 8;
    let ours = Side::new("ours", many, |count| {
        runtime.block_on(by_many(count, |each| {
            let site = share(&site);
            async move { site.read_ours(each).await }
        }));
    });
    let raw = Side::new(RAW, many, |count| {
        runtime.block_on(by_many(count, |each| {
            let site = share(&site);
            async move { site.read_raw(each).await }
        }));
    });
    let found = in_turns(ROUNDS, ours, vec![raw]);
    table.add("Vault, cold reads, 32 at once", &found, &BARS);

    let calls = runtime.block_on(crowd(&address, &site));
    let figure = format!("Vault: {CROWD} concurrent reads of a cold secret: {calls} upstream");
    table.note(figure, Some(calls == 1));
}

/// How many calls reach the server while a crowd asks for one secret that is not in memory.
async fn crowd(address: &str, site: &Site) -> usize {
    let socket = address
        .trim_start_matches("http://")
        .parse()
        .expect("an address");
    let proxy = FaultProxy::start(socket).await.expect("a proxy");
    let vault = connect(&proxy.url(), &site.token).await;
    let mounts = [(site.mount.parse().expect("a mount"), KvVersion::V2)];
    let reader = kept::reader(Arc::new(VaultKv::new(vault, mounts)));
    let before = proxy.requests();
    let mut crowd = JoinSet::new();
    for _ in 0..CROWD {
        let (reader, secret) = (reader.clone(), site.secret.clone());
        crowd.spawn(async move { reader.read(&secret).await.is_ok_and(|read| read.is_some()) });
    }
    assert!(crowd.join_all().await.into_iter().all(|read| read));
    proxy.requests() - before
}
