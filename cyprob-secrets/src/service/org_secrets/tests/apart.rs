//! ISO-1 and SEC-4: what one organization does is nothing to another.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::*;
use crate::testkit::strategies;

/// What an organization calls.
#[derive(Clone, Debug)]
enum Call {
    List,
    Read(String),
    Put(String, u8),
    Rotate(String),
    Delete(String),
}

/// Names as both would choose them, and such as hold an organization's id.
fn names() -> impl Strategy<Value = String> {
    let of = |below: &str| [format!("{ACME}/{below}"), format!("{GLOBEX}/{below}")];
    let mut all: Vec<String> = ["a", "b", "a/b"].map(str::to_owned).to_vec();
    all.extend(of("a").into_iter().chain(of("b")));
    all.extend([format!("orgs/{GLOBEX}/a"), format!("orgs/{ACME}/a")]);
    prop::sample::select(all)
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        Just(Call::List),
        names().prop_map(Call::Read),
        (names(), any::<u8>()).prop_map(|(name, value)| Call::Put(name, value)),
        names().prop_map(Call::Rotate),
        names().prop_map(Call::Delete),
    ]
}

/// What the caller sees; what was drawn differs from run to run.
async fn seen(secrets: &OrgSecrets, org: &OrgCtx, call: &Call) -> String {
    let short = |result: Result<OrgSecret, OrgSecretError>| format!("{result:?}");
    match call {
        Call::List => format!("{:?}", secrets.list(org).await),
        Call::Read(of) => match secrets.secret(org, &name(of)).await.unwrap() {
            None => "none".to_owned(),
            Some(served) => {
                let bytes = served.secret().value.expose_secret().to_vec();
                format!(
                    "{:?} {:?}",
                    served.version(),
                    (bytes.len() == 1).then_some(bytes)
                )
            }
        },
        Call::Put(of, byte) => {
            let value = SecretValue::new(vec![*byte]).unwrap();
            short(secrets.put(org, &name(of), &value, None).await)
        }
        Call::Rotate(of) => {
            let drawing = Drawing::default();
            short(secrets.rotate(org, &name(of), drawing, None).await)
        }
        Call::Delete(of) => format!("{:?}", secrets.delete(org, &name(of)).await),
    }
}

/// What `acme` sees of its calls, with and without those of the other between them.
async fn run(calls: &[(bool, Call)], with_other: bool) -> (Vec<String>, usize) {
    let stand = Stand::limited(3, 2);
    let (secrets, acme, globex) = (stand.process(), ctx(ACME), ctx(GLOBEX));
    let mut all = Vec::new();
    for (own, call) in calls {
        if *own {
            all.push(seen(&secrets, &acme, call).await);
        } else if with_other {
            seen(&secrets, &globex, call).await;
        }
    }
    let events = stand.events().await;
    let own = events.iter().filter(|event| event.org == Some(acme.org()));
    (all, own.count())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// ISO-1: what an organization sees of its secrets does not depend on another's.
    #[test]
    fn iso_1(calls in prop::collection::vec((any::<bool>(), call()), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (alone, beside) = runtime.block_on(async {
            (run(&calls, false).await, run(&calls, true).await)
        });
        prop_assert_eq!(alone, beside);
    }
}

/// A text that an organization may write as a name, with ids of others in it.
fn written() -> impl Strategy<Value = String> {
    let id = prop::sample::select(vec![ACME, GLOBEX]);
    let part = "[a-z0-9._/-]{0,8}";
    let long = (id.clone(), "[a-z0-9/]{50,120}");
    prop_oneof![
        2 => (part, id.clone(), part).prop_map(|(a, id, b)| format!("{a}{id}{b}")),
        2 => (part, id.clone(), part).prop_map(|(a, id, b)| format!("{a}/{id}/{b}")),
        1 => (id, part).prop_map(|(id, b)| format!("../{id}/{b}")),
        1 => strategies::hostile(),
        1 => long.prop_map(|(id, rest)| format!("{id}/a{rest}")),
        2 => "[a-z0-9]{1,4}(/[a-z0-9._-]{1,6}){0,3}",
    ]
}

/// SEC-4: of 100,000 names with ids of others in them none touches what another has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_4_of_stored_secrets() {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let written = written().boxed();
    // A store remembers the names that were deleted, so each thousand has its own.
    let mut names = (0..100).map(|_| {
        let names = (0..1_000).map(|_| written.new_tree(&mut runner).unwrap().current());
        names.collect::<Vec<_>>()
    });
    let halves: [Vec<_>; 2] = [names.by_ref().take(50).collect(), names.collect()];
    let mut running = tokio::task::JoinSet::new();
    for half in halves {
        running.spawn(async move {
            let mut outcomes: BTreeMap<&str, u32> = BTreeMap::new();
            for names in half {
                names_beside_another(names, &mut outcomes).await;
            }
            outcomes
        });
    }
    let mut outcomes: BTreeMap<&str, u32> = BTreeMap::new();
    for (outcome, count) in running.join_all().await.into_iter().flatten() {
        *outcomes.entry(outcome).or_default() += count;
    }
    println!("SEC-4: {outcomes:?}");
    assert_eq!(outcomes.values().sum::<u32>(), 100_000);
    assert!(
        outcomes.values().all(|count| *count > 1_000),
        "{outcomes:?}"
    );
}

async fn names_beside_another(names: Vec<String>, outcomes: &mut BTreeMap<&str, u32>) {
    let stand = Stand::new();
    let (secrets, acme, globex) = (stand.process(), ctx(ACME), ctx(GLOBEX));
    for of in ["a", "a/b", ACME, &format!("{ACME}/a")] {
        let (of, value) = (name(of), value("theirs"));
        secrets.put(&globex, &of, &value, None).await.unwrap();
    }
    let theirs = secrets.list(&globex).await.unwrap();
    for text in names {
        let Ok(of) = text.parse::<SecretName>() else {
            *outcomes.entry("no name").or_default() += 1;
            continue;
        };
        // What is there is the organization's own, and was not stored yet.
        match secrets.secret(&acme, &of).await {
            Ok(found) => assert!(found.is_none(), "{text}"),
            Err(OrgSecretError::Name(_)) => {
                *outcomes.entry("too long").or_default() += 1;
                continue;
            }
            Err(error) => panic!("{text}: {error}"),
        }
        secrets.put(&acme, &of, &value("ours"), None).await.unwrap();
        let own = secrets.list(&acme).await.unwrap();
        assert_eq!(own.len(), 1, "{text}");
        assert_eq!(secrets.list(&globex).await.unwrap(), theirs, "{text}");
        secrets.delete(&acme, &of).await.unwrap();
        *outcomes.entry("own").or_default() += 1;
    }
    for secret in theirs {
        let found = secrets.secret(&globex, &secret.name).await.unwrap();
        let found = found.unwrap();
        assert_eq!(found.secret().value.expose_secret(), b"theirs");
    }
    let globex = globex.org();
    let events = stand.events().await;
    let touched = events.iter().filter(|event| event.org == Some(globex));
    assert_eq!(touched.count(), 4);
}
