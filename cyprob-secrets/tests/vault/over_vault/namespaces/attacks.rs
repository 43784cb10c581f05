//! SEC-4: what an organization writes names nothing of another.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use cyprob_core::domain::{OrgId, Timestamp};
use cyprob_secrets::domain::{OrgSecretPath, SecretName, SecretRef, SecretValue};
use cyprob_secrets::ports::{Expected, PutOutcome, SecretProvider as _, SecretStore as _};
use cyprob_secrets::testkit::strategies;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use secrecy::ExposeSecret as _;
use tokio::task::JoinSet;

use super::{Tenants, base, own};

impl Tenants {
    /// The name in the store that an organization's text stands for, if it is a name.
    fn stored_name(org: OrgId, written: &str) -> Option<SecretName> {
        let path = OrgSecretPath::parse(org, written).ok()?;
        match path.resolve(&base()).unwrap() {
            SecretRef::Local(local) => Some(local.name().clone()),
            other => panic!("{written:?}: {other}"),
        }
    }

    /// Lists below a text as an organization: how many there are, all of them its own.
    async fn list(&self, org: OrgId, written: &str) -> usize {
        let Some(below) = Self::stored_name(org, written) else {
            return 0;
        };
        let listed = self.store.list(&below).await.unwrap();
        let prefix = format!("orgs/{org}/");
        for listed in &listed {
            assert!(listed.name.as_str().starts_with(&prefix), "{written:?}");
        }
        listed.len()
    }

    /// Stores under a text as an organization, and deletes again; whether it is a name that has a value now.
    ///
    /// What was there is stored again, as its own.
    async fn change(&self, org: OrgId, written: &str, keep: bool) -> Option<SecretName> {
        let name = Self::stored_name(org, written)?;
        let value = SecretValue::new(org.to_string().into_bytes()).unwrap();
        let absent = Expected::Absent;
        let put = || async {
            let put = self
                .store
                .put(&name, &value, absent, Timestamp::UNIX_EPOCH)
                .await;
            matches!(put.unwrap(), PutOutcome::Stored(_))
        };
        let was_there = !put().await;
        if was_there || !keep {
            assert!(self.store.delete(&name).await.unwrap(), "{written:?}");
        }
        if was_there {
            assert!(put().await, "{written:?}");
        }
        (was_there || keep).then_some(name)
    }

    /// All that there is, of whomever.
    async fn held(&self) -> BTreeMap<SecretName, String> {
        let mut held = BTreeMap::new();
        for name in self.store.names().await.unwrap() {
            let reference = format!("local://{name}").parse().unwrap();
            let secret = self.store.read(&reference).await.unwrap().unwrap();
            let value = secret.value.expose_secret().to_vec();
            held.insert(name, String::from_utf8(value).unwrap());
        }
        held
    }

    /// The same in a word, once it is nobody else's.
    async fn outcome(&self, org: OrgId, written: &str) -> &'static str {
        match self.read(org, written).await {
            Ok(Some(value)) => {
                assert_eq!(value, org.to_string().as_bytes(), "{written}");
                "its own"
            }
            Ok(None) => "nothing",
            Err(why) => why,
        }
    }
}

/// What somebody may write who wants another's secret.
fn written(ids: Vec<String>, mount: String) -> impl Strategy<Value = String> {
    let id = prop::sample::select(ids);
    let part = "[a-z0-9._/-]{0,8}";
    prop_oneof![
        3 => (part, id.clone(), part).prop_map(|(a, id, b)| format!("{a}{id}{b}")),
        3 => id.clone().prop_map(|id| format!("orgs/{id}/a")),
        2 => id.clone().prop_map(|id| format!("{id}/a")),
        2 => (id.clone(), Just(mount)).prop_map(|(id, mount)| format!("{id}/{mount}/data/own/a")),
        1 => (id, part).prop_map(|(id, rest)| format!("../../{id}/{rest}a")),
        1 => strategies::hostile(),
        1 => Just("a".to_owned()),
        2 => "[a-z0-9]{1,4}(/[a-z0-9._-]{1,6}){0,3}",
    ]
}

/// What one organization tried.
#[derive(Default)]
struct Tried {
    outcomes: BTreeMap<&'static str, usize>,
    /// How many of its texts were read: what is drawn twice is asked once.
    read: usize,
    /// How many of them that are names were stored and deleted under, and what is there since.
    changed: usize,
    kept: Vec<SecretName>,
    listed: usize,
}

async fn tried(tenants: &Tenants, org: OrgId, texts: Vec<String>) -> Tried {
    /// Of so many texts one is stored under too, deleted and listed below.
    const CHANGED: usize = 20;
    let mut tried = Tried::default();
    let mut asked: HashMap<String, &str> = HashMap::new();
    for text in texts {
        let outcome = match asked.get(&text) {
            Some(outcome) => outcome,
            None => {
                let outcome = tenants.outcome(org, &text).await;
                if asked.len().is_multiple_of(CHANGED) {
                    let keep = asked.len().is_multiple_of(2 * CHANGED);
                    tried.kept.extend(tenants.change(org, &text, keep).await);
                    tried.listed += tenants.list(org, &text).await;
                    tried.changed += usize::from(Tenants::stored_name(org, &text).is_some());
                }
                outcome
            }
        };
        *tried.outcomes.entry(outcome).or_default() += 1;
        asked.insert(text, outcome);
    }
    tried.read = asked.len();
    tried
}

/// SEC-4: of 100,000 references across organizations and namespaces, the distinct ones asked,
/// none reads another's secret; nor does a sample of them change or list one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_4_across_namespaces() {
    const EACH: usize = 25_000;
    let tenants = Arc::new(Tenants::new().await);
    let mut orgs = Vec::new();
    for _ in 0..4 {
        orgs.push(tenants.tenant().await);
    }
    let ids: Vec<String> = orgs.iter().map(ToString::to_string).collect();
    // Each has what others' attacks would name, and says whose it is.
    let mount = tenants.stand.name.clone();
    for org in &orgs {
        for name in [
            "a".to_owned(),
            format!("{}/a", ids[0]),
            format!("orgs/{}/a", ids[1]),
        ] {
            tenants.put(&own(*org, &name), &org.to_string()).await;
        }
    }
    for name in ["a".to_owned(), format!("{}/a", ids[2])] {
        tenants
            .put(&name.parse().unwrap(), "of the deployment")
            .await;
    }
    let mut expected = tenants.held().await;
    assert_eq!(expected.len(), 4 * 3 + 2);
    let mut trying = JoinSet::new();
    for (n, org) in orgs.iter().copied().enumerate() {
        let seed = [u8::try_from(n).unwrap(); 32];
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let written = written(ids.clone(), mount.clone()).boxed();
        let texts: Vec<String> = (0..EACH)
            .map(|_| written.new_tree(&mut runner).unwrap().current())
            .collect();
        let tenants = Arc::clone(&tenants);
        trying.spawn(async move { (org, tried(&tenants, org, texts).await) });
    }
    let mut all = Tried::default();
    while let Some(done) = trying.join_next().await {
        let (org, tried) = done.unwrap();
        for (outcome, count) in tried.outcomes {
            *all.outcomes.entry(outcome).or_default() += count;
        }
        all.read += tried.read;
        all.changed += tried.changed;
        all.listed += tried.listed;
        let kept = tried.kept.into_iter().map(|name| (name, org.to_string()));
        expected.extend(kept);
    }
    for org in orgs {
        for id in &ids {
            for written in [format!("orgs/{id}"), id.clone(), "orgs".to_owned()] {
                all.listed += tenants.list(org, &written).await;
            }
        }
    }
    let Tried {
        outcomes,
        read,
        changed,
        listed,
        ..
    } = all;
    println!(
        "SEC-4 across 4 organizations and their namespaces: {} references drawn, {read} distinct \
         ones read, {changed} of these stored, deleted and listed ({listed} names): {outcomes:?}",
        4 * EACH
    );
    // Each has what is its own, whatever the others did.
    let held = tenants.held().await;
    assert!(
        held == expected,
        "{:?}",
        held.iter()
            .filter(|(name, value)| expected.get(*name) != Some(*value))
            .chain(
                expected
                    .iter()
                    .filter(|(name, _)| !held.contains_key(*name))
            )
            .collect::<Vec<_>>()
    );
    assert_eq!(outcomes.values().sum::<usize>(), 4 * EACH);
    assert!(
        outcomes["its own"] > 5_000 && outcomes["nothing"] > 20_000,
        "{outcomes:?}"
    );
    assert!(outcomes["no name"] > 5_000, "{outcomes:?}");
    assert!(read > 40_000 && changed > 1_000 && listed > 20, "{listed}");
}
