//! A process that ends in the middle of a change, and the next one over the same directory.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cyprob::core::adapters::argon2::{Argon2Options, Argon2Pool};
use cyprob::core::adapters::system::SystemEntropy;
use cyprob::core::testkit::ManualClock;
use cyprob::secrets::adapters::local::{KeySource, LocalStore};
use cyprob::secrets::domain::{OrgSecretBase, SecretValue};
use cyprob::secrets::service::{OrgSecret, OrgSecretError};
use cyprob::secrets::testkit::faults::{Fault, FaultyStore};
use cyprob::{ControlPlane, Embedded, OrgSecretStore};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::site::{Owner, ask, ctx, founded, signed_in};

async fn plane(
    embedded: &Embedded,
    clock: &Arc<ManualClock>,
    secrets: Option<OrgSecretStore>,
) -> ControlPlane {
    let pool = Argon2Pool::start(Argon2Options::testing(), Arc::new(SystemEntropy));
    let builder = embedded.builder().clock(Arc::clone(clock) as _);
    let builder = builder.hasher(Arc::new(pool.unwrap()));
    let builder = match secrets {
        Some(secrets) => builder.secrets(secrets),
        None => builder,
    };
    builder.build().await.unwrap()
}

/// The actions upon secrets in the trail, oldest first.
async fn recorded(plane: &ControlPlane, owner: &Owner) -> Vec<String> {
    let (api, _) = cyprob::http::router(plane.clone()).unwrap();
    let path = format!("/api/v1/orgs/{}/audit?limit=100", owner.org);
    let answer = ask(&api, "GET", &path, Some(&owner.token), &Value::Null).await;
    let page = answer.expect(200).json();
    let items = page["items"].as_array().unwrap().iter().rev();
    let of_secrets = items.filter(|item| item["resource"]["type"] == "secret");
    let told = of_secrets.map(|item| format!("{} {}", item["action"], item["metadata"]["version"]));
    told.collect()
}

async fn put(plane: &ControlPlane, owner: &Owner) -> Result<OrgSecret, OrgSecretError> {
    let value = SecretValue::new(vec![7]).unwrap();
    let (ctx, name) = (ctx(owner), "db/password".parse().unwrap());
    let secrets = plane.secrets().unwrap();
    secrets.put(&ctx, &name, &value, None).await
}

/// Stores a secret in a process that ends at a call of what it keeps for organizations; whether it did.
async fn cut_off(home: &Path, clock: &Arc<ManualClock>, call: usize) -> bool {
    let embedded = Embedded::open(home).await.unwrap();
    let key = KeySource::File(home.join("master-key"));
    let local = LocalStore::open(&home.join("secrets"), key, Arc::new(SystemEntropy));
    let faulty = Arc::new(FaultyStore::new(local.unwrap()));
    let store = OrgSecretStore::new(Arc::clone(&faulty) as _, OrgSecretBase::default());
    let cut = plane(&embedded, clock, Some(store)).await;
    let owner = signed_in(&cut, "ada@example.com").await;
    faulty.faults.at(call, Fault::KillAfter);
    tokio::select! {
        put = put(&cut, &owner) => { put.unwrap(); false }
        () = faulty.faults.killed() => true,
    }
}

/// AUD-1 for a directory: an end at any call of the store leaves a change and its event, or neither.
#[tokio::test]
async fn a_change_cut_off_at_any_step_is_finished_after_the_start() {
    let home = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::default());
    let embedded = Embedded::open(home.path()).await.unwrap();
    let first = plane(&embedded, &clock, None).await;
    founded(&first).await;
    let owner = signed_in(&first, "ada@example.com").await;
    put(&first, &owner).await.unwrap();
    drop(first);
    embedded.close().await;
    let mut expected = vec!["\"secret.stored\" 1".to_owned()];
    let mut stored = 1_u64;
    let mut call = 0;
    loop {
        let (path, time) = (home.path().to_owned(), Arc::clone(&clock));
        let process = move || {
            let runtime = Runtime::new().unwrap();
            let ended = runtime.block_on(cut_off(&path, &time, call));
            // What it was doing ends with it.
            runtime.shutdown_timeout(Duration::from_secs(10));
            ended
        };
        let ended = tokio::task::spawn_blocking(process).await.unwrap();

        clock.advance(Duration::from_secs(31));
        let embedded = Embedded::open(home.path()).await.unwrap();
        let next = plane(&embedded, &clock, None).await;
        let owner = signed_in(&next, "ada@example.com").await;
        let ctx = ctx(&owner);
        let background = next.start().await.unwrap();
        let secrets = next.secrets().unwrap();
        let newest = || async {
            secrets
                .list(&ctx)
                .await
                .unwrap()
                .first()
                .map(|s| s.version.get())
        };
        let mut told = recorded(&next, &owner).await;
        // It looks at once; give it the time of a read.
        for _ in 0..100 {
            if newest().await.unwrap_or(0) == last(&told) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            told = recorded(&next, &owner).await;
        }
        let now = newest().await.unwrap_or(0);
        if now > stored {
            expected.push(format!("\"secret.stored\" {now}"));
            stored = now;
        }
        // A change is in it twice at most, where its note outlived its event.
        told.dedup();
        assert_eq!(told, expected, "call {call}");
        background.stop().await.unwrap();
        // The note of a change that was not made may be there yet; the next round begins without.
        for _ in 0..2 {
            clock.advance(Duration::from_secs(31));
            next.secrets().unwrap().settle().await.unwrap();
        }
        drop(next);
        embedded.close().await;
        if !ended {
            break;
        }
        call += 1;
    }
    println!("{call} ends, {stored} changes, all recorded");
    assert!(call >= 5, "{call}");
    assert!(
        (3..=u64::from(call as u32 + 1)).contains(&stored),
        "{stored}"
    );
}

/// The version that the trail says last.
fn last(told: &[String]) -> u64 {
    let version = told.last().and_then(|told| told.rsplit(' ').next());
    version.map_or(0, |version| version.parse().unwrap())
}
