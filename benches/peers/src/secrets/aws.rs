//! A secret of AWS Secrets Manager, against Amazon's own caching client.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_secretsmanager::config::{BehaviorVersion, Builder, Credentials, Region};
use aws_secretsmanager_caching::SecretsManagerCachingClient;
use cyprob::core::adapters::system::SystemEntropy;
use cyprob::core::ports::EntropyExt as _;
use cyprob::secrets::adapters::aws::{AwsConfig, AwsCredentials, AwsKeys, AwsProvider};
use cyprob::secrets::domain::SecretRef;
use cyprob::secrets::testkit::fault_proxy::FaultProxy;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::kept;
use crate::measure::{Side, in_turns};
use crate::server;
use crate::table::{Bar, Table};

const ROUNDS: usize = 101;
const READS: u32 = 2_000;
const CACHING: &str = "aws_secretsmanager_caching, hit";
const BARS: [Bar; 1] = [(CACHING, 1.0)];
const CROWD: usize = 1_000;

fn sdk(url: &str) -> Builder {
    Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-central-1"))
        .credentials_provider(Credentials::from_keys("AKIDEXAMPLE", "key", None))
        .endpoint_url(url)
}

async fn caching(url: &str) -> SecretsManagerCachingClient {
    let most = NonZeroUsize::new(1_000).expect("not nought");
    let made =
        SecretsManagerCachingClient::from_builder(sdk(url), most, Duration::from_secs(300), false);
    made.await.expect("a client")
}

fn ours(url: &str) -> Arc<AwsProvider> {
    let keys = AwsKeys::new("AKIDEXAMPLE", "key".to_owned().into());
    let config = AwsConfig::new(
        "eu-central-1".parse().expect("a region"),
        AwsCredentials::Keys(keys),
    );
    let endpoint = url.parse().expect("an endpoint");
    Arc::new(AwsProvider::new(config.with_endpoint(endpoint)))
}

/// Measures hits, and counts what reaches the server while a crowd asks.
pub(crate) fn measure(runtime: &Runtime, table: &mut Table) {
    let url = server("CYPROB_MOTO");
    let name = format!("bench/{:x}", u64::from_be_bytes(SystemEntropy.bytes()));
    let secret: SecretRef = format!("awssm://{name}").parse().expect("a reference");
    runtime.block_on(async {
        let client = aws_sdk_secretsmanager::Client::from_conf(sdk(&url).build());
        let made = client
            .create_secret()
            .name(&name)
            .secret_string("x".repeat(32));
        made.send().await.expect("a secret");
    });
    let reader = kept::reader(ours(&url));
    let peer = runtime.block_on(caching(&url));
    let hit = Side::new("ours", READS, |count| {
        runtime.block_on(async {
            for _ in 0..count {
                let read = reader.read(&secret).await;
                assert!(read.is_ok_and(|read| read.is_some()));
            }
        });
    });
    let theirs = Side::new(CACHING, READS, |count| {
        runtime.block_on(async {
            for _ in 0..count {
                let read = peer.get_secret_value(&name, None, None, false).await;
                assert!(read.is_ok_and(|read| read.secret_string.is_some()));
            }
        });
    });
    table.add(
        "AWS, cached read",
        &in_turns(ROUNDS, hit, vec![theirs]),
        &BARS,
    );

    let (our_calls, their_calls) = runtime.block_on(crowds(&url, &name, &secret));
    let figure = format!(
        "AWS: {CROWD} concurrent reads of a cold secret: {our_calls} upstream; aws_secretsmanager_caching: {their_calls}"
    );
    table.note(figure, Some(our_calls == 1));
}

async fn crowds(url: &str, name: &str, secret: &SecretRef) -> (usize, usize) {
    let socket = url
        .trim_start_matches("http://")
        .parse()
        .expect("an address");
    let proxy = FaultProxy::start(socket).await.expect("a proxy");
    let reader = kept::reader(ours(&proxy.url()));
    let mut crowd = JoinSet::new();
    for _ in 0..CROWD {
        let (reader, secret) = (reader.clone(), secret.clone());
        crowd.spawn(async move { reader.read(&secret).await.is_ok_and(|read| read.is_some()) });
    }
    assert!(crowd.join_all().await.into_iter().all(|read| read));
    let our_calls = proxy.requests();

    let peer = Arc::new(caching(&proxy.url()).await);
    let mut crowd = JoinSet::new();
    for _ in 0..CROWD {
        let (peer, name) = (Arc::clone(&peer), name.to_owned());
        crowd.spawn(async move {
            let read = peer.get_secret_value(&name, None, None, false).await;
            // A crowd is more than the server takes at once: those who were not served count as calls too.
            let _ = read.is_ok();
        });
    }
    crowd.join_all().await;
    (our_calls, proxy.requests() - our_calls)
}
