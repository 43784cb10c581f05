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

/// What one organization writes.
fn drawn(n: u8, count: usize, ids: Vec<String>, mount: String) -> Vec<String> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[n; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let written = written(ids, mount);
    (0..count)
        .map(|_| written.new_tree(&mut runner).unwrap().current())
        .collect()
}

/// What one organization tried.
#[derive(Default)]
struct Tried {
    outcomes: BTreeMap<&'static str, usize>,
    /// How many of its texts were asked for, and how many of these are names: what is drawn twice is asked once.
    asked: usize,
    names: usize,
    /// How many names were stored and deleted under too, and what is there since.
    changed: usize,
    kept: Vec<SecretName>,
    listed: usize,
}

async fn tried(tenants: &Tenants, org: OrgId, texts: Vec<String>) -> Tried {
    /// Of so many names one is stored under too, deleted and listed below.
    const CHANGED: usize = 8;
    let mut tried = Tried::default();
    let mut asked: HashMap<String, &str> = HashMap::new();
    for text in texts {
        let outcome = match asked.get(&text) {
            Some(outcome) => outcome,
            None => tenants.outcome(org, &text).await,
        };
        *tried.outcomes.entry(outcome).or_default() += 1;
        let new = asked.insert(text.clone(), outcome).is_none();
        if !new || Tenants::stored_name(org, &text).is_none() {
            continue;
        }
        if tried.names.is_multiple_of(CHANGED) {
            let keep = tried.changed.is_multiple_of(2);
            tried.kept.extend(tenants.change(org, &text, keep).await);
            tried.listed += tenants.list(org, &text).await;
            tried.changed += 1;
        }
        tried.names += 1;
    }
    tried.asked = asked.len();
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
        let (n, ids, mount) = (u8::try_from(n).unwrap(), ids.clone(), mount.clone());
        let tenants = Arc::clone(&tenants);
        trying.spawn(async move {
            // It takes seconds, in which no thread would look at what the others are answered.
            let texts = tokio::task::spawn_blocking(move || drawn(n, EACH, ids, mount));
            (org, tried(&tenants, org, texts.await.unwrap()).await)
        });
    }
    let mut all = Tried::default();
    while let Some(done) = trying.join_next().await {
        let (org, tried) = done.unwrap();
        for (outcome, count) in tried.outcomes {
            *all.outcomes.entry(outcome).or_default() += count;
        }
        all.asked += tried.asked;
        all.names += tried.names;
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
        asked,
        names,
        changed,
        listed,
        ..
    } = all;
    println!(
        "SEC-4 across 4 organizations and their namespaces: {} references drawn, {asked} distinct \
         ones asked for, {names} of them names, {changed} of these stored under, deleted and listed \
         below ({listed} found): {outcomes:?}",
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
    assert!(asked > 40_000 && names > 15_000, "{asked} {names}");
    assert!(changed > 2_000 && listed > 20, "{changed} {listed}");
}
