//! A process that ends in the middle of a change, and the next one over the same directory.

use std::sync::Arc;
use std::time::Duration;

use cyprob::core::adapters::argon2::{Argon2Options, Argon2Pool};
use cyprob::core::adapters::system::SystemEntropy;
use cyprob::core::testkit::ManualClock;
use cyprob::secrets::adapters::local::{KeySource, LocalStore};
use cyprob::secrets::domain::{OrgSecretBase, SecretValue};
use cyprob::secrets::testkit::faults::{Fault, FaultyStore};
use cyprob::{ControlPlane, Embedded, OrgSecretStore};
use serde_json::Value;

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

/// AUD-1 for a directory: an end at any call of the store leaves a change and its event, or neither.
#[tokio::test]
async fn a_change_cut_off_at_any_step_is_finished_after_the_start() {
    let home = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::default());
    let embedded = Embedded::open(home.path()).await.unwrap();
    let first = plane(&embedded, &clock, None).await;
    founded(&first).await;
    drop(first);
    embedded.close().await;
    let mut expected = Vec::new();
    let mut stored = 0_u64;
    let mut call = 0;
    loop {
        let embedded = Embedded::open(home.path()).await.unwrap();
        // What it keeps for organizations, with an end of the process in it.
        let key = KeySource::File(home.path().join("master-key"));
        let entropy = Arc::new(SystemEntropy);
        let local = LocalStore::open(&home.path().join("secrets"), key, entropy).unwrap();
        let faulty = Arc::new(FaultyStore::new(local));
        let store = OrgSecretStore::new(Arc::clone(&faulty) as _, OrgSecretBase::default());
        let cut = plane(&embedded, &clock, Some(store)).await;
        let owner = signed_in(&cut, "ada@example.com").await;
        faulty.faults.at(call, Fault::KillAfter);
        let value = SecretValue::new(vec![7]).unwrap();
        let (ctx, name) = (ctx(&owner), "db/password".parse().unwrap());
        let put = cut.secrets().unwrap().put(&ctx, &name, &value, None);
        let ended = tokio::select! {
            put = put => { put.unwrap(); false }
            () = faulty.faults.killed() => true,
        };
        drop(cut);
        embedded.close().await;

        clock.advance(Duration::from_secs(31));
        let embedded = Embedded::open(home.path()).await.unwrap();
        let next = plane(&embedded, &clock, None).await;
        let owner = signed_in(&next, "ada@example.com").await;
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
        while next.secrets().unwrap().settle().await.unwrap() > 0 {}
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
