mod apart;
mod crashes;
mod late;
mod odd;
mod staged;

use cyprob_core::adapters::memory::MemoryStore as Database;
use cyprob_core::adapters::system::SystemEntropy;
use cyprob_core::domain::audit::{Action, AuditEvent, MetaValue};
use cyprob_core::domain::{Caller, CtxIssuer, OrgId, RoleName};
use cyprob_core::testkit::ManualClock;
use secrecy::ExposeSecret as _;

use super::*;
use crate::adapters::memory::MemoryStore;
use crate::domain::{Alphabet, SecretRef};
use crate::ports::SecretProvider as _;
use crate::testkit::canary::shows;
use crate::testkit::faults::{FaultyOutbox, FaultyStore};

const ACME: &str = "org_0193c0ffee007000800000000000abcd";
const GLOBEX: &str = "org_0193c0ffee0070008000000000001234";

/// A store and a database, which outlive the processes over them.
pub(super) struct Stand {
    pub(super) store: Arc<FaultyStore<MemoryStore>>,
    pub(super) outbox: Arc<FaultyOutbox>,
    pub(super) clock: Arc<ManualClock>,
    limits: OrgSecretLimits,
}

impl Stand {
    pub(super) fn new() -> Self {
        Self {
            store: Arc::new(FaultyStore::new(MemoryStore::new())),
            outbox: Arc::new(FaultyOutbox::new(Arc::new(Database::new()))),
            clock: Arc::default(),
            limits: OrgSecretLimits::default(),
        }
    }

    fn limited(secrets: usize, versions: u64) -> Self {
        let versions = NonZeroU64::new(versions).unwrap();
        let limits = OrgSecretLimits {
            secrets,
            versions,
            ..OrgSecretLimits::default()
        };
        Self {
            limits,
            ..Self::new()
        }
    }

    /// One more process.
    pub(super) fn process(&self) -> OrgSecrets {
        self.process_over(Arc::clone(&self.store) as _)
    }

    /// One over another store.
    pub(super) fn process_over(&self, store: Arc<dyn SecretStore>) -> OrgSecrets {
        OrgSecrets::new(OrgSecretsParts {
            store,
            base: "orgs".parse().unwrap(),
            outbox: Arc::clone(&self.outbox) as _,
            keeping: Keeping::DEFAULT,
            limits: self.limits,
            clock: Arc::clone(&self.clock) as _,
            entropy: Arc::new(SystemEntropy),
        })
    }

    /// The events of changes.
    pub(super) async fn events(&self) -> Vec<AuditEvent> {
        self.told(|action| action != Action::SecretRead).await
    }

    async fn told(&self, of: impl Fn(Action) -> bool) -> Vec<AuditEvent> {
        let mut events = self.outbox.pending(1_000_000).await.unwrap();
        events.retain(|event| of(event.action));
        events
    }
}

pub(super) fn ctx(org: &str) -> OrgCtx {
    let org: OrgId = org.parse().unwrap();
    CtxIssuer::for_composition().org(org, RoleName::OWNER, Caller::system("test"))
}

pub(super) fn name(text: &str) -> SecretName {
    text.parse().unwrap()
}

pub(super) fn value(text: &str) -> SecretValue {
    SecretValue::new(text.as_bytes().to_vec()).unwrap()
}

pub(super) fn version(number: u64) -> SecretVersion {
    SecretVersion::new(number).unwrap()
}

fn is(number: u64) -> Option<Expected> {
    Some(SecretVersion::new(number).map_or(Expected::Absent, Expected::Version))
}

pub(super) fn count(event: &AuditEvent) -> i64 {
    match event.metadata["version"] {
        MetaValue::Count { value } => value,
        _ => panic!("{event:?}"),
    }
}

async fn read(secrets: &OrgSecrets, org: &OrgCtx, of: &str) -> Option<Vec<u8>> {
    let served = secrets.secret(org, &name(of)).await.unwrap()?;
    Some(served.secret().value.expose_secret().to_vec())
}

async fn listed(secrets: &OrgSecrets, org: &OrgCtx) -> Vec<(String, u64)> {
    let listed = secrets.list(org).await.unwrap();
    let pair = |secret: OrgSecret| (secret.name.to_string(), secret.version.get());
    listed.into_iter().map(pair).collect()
}

#[tokio::test]
async fn a_secret_is_stored_read_rotated_and_deleted_with_an_event_each() {
    let stand = Stand::new();
    let (secrets, acme) = (stand.process(), ctx(ACME));
    let db = name("db/password");
    let stored = secrets.put(&acme, &db, &value("one"), None).await.unwrap();
    assert_eq!(stored.version, version(1));
    assert_eq!(read(&secrets, &acme, "db/password").await.unwrap(), b"one");
    secrets.put(&acme, &db, &value("two"), None).await.unwrap();
    // What was in memory is forgotten at once.
    assert_eq!(read(&secrets, &acme, "db/password").await.unwrap(), b"two");
    let drawing = Drawing::new(40, Alphabet::Hex).unwrap();
    let rotated = secrets.rotate(&acme, &db, drawing, None).await.unwrap();
    assert_eq!(rotated.version, version(3));
    let drawn = read(&secrets, &acme, "db/password").await.unwrap();
    assert_eq!(drawn.len(), 40);
    assert!(drawn.iter().all(u8::is_ascii_hexdigit));
    let list = secrets.list(&acme).await.unwrap();
    assert_eq!(list, [rotated]);
    secrets.delete(&acme, &db).await.unwrap();
    assert!(read(&secrets, &acme, "db/password").await.is_none());
    assert!(secrets.list(&acme).await.unwrap().is_empty());
    let again = secrets.delete(&acme, &db).await;
    assert!(matches!(again, Err(OrgSecretError::NotFound)));
    let rotated = secrets.rotate(&acme, &db, drawing, None).await;
    assert!(matches!(rotated, Err(OrgSecretError::NotFound)));

    let events = stand.events().await;
    let told: Vec<_> = events.iter().map(|e| (e.action, count(e))).collect();
    assert_eq!(
        told,
        [
            (Action::SecretStored, 1),
            (Action::SecretStored, 2),
            (Action::SecretRotated, 3),
            (Action::SecretDeleted, 3),
        ]
    );
    for event in &events {
        assert_eq!(event.org, Some(acme.org()));
        assert_eq!(
            (event.resource.kind.as_str(), event.resource.id.as_str()),
            ("secret", "db/password")
        );
    }
    // A number is never used twice.
    let stored = secrets.put(&acme, &db, &value("new"), is(0)).await.unwrap();
    assert_eq!(stored.version, version(4));
}

#[tokio::test]
async fn a_change_of_what_was_not_seen_is_refused() {
    let stand = Stand::new();
    let (secrets, acme) = (stand.process(), ctx(ACME));
    let (a, x) = (name("a"), value("x"));
    let newest = |result: Result<OrgSecret, OrgSecretError>| match result {
        Err(OrgSecretError::Conflict(newest)) => newest.map(SecretVersion::get),
        other => panic!("{other:?}"),
    };
    assert_eq!(newest(secrets.put(&acme, &a, &x, is(1)).await), None);
    secrets.put(&acme, &a, &x, is(0)).await.unwrap();
    assert_eq!(newest(secrets.put(&acme, &a, &x, is(0)).await), Some(1));
    assert_eq!(newest(secrets.put(&acme, &a, &x, is(2)).await), Some(1));
    let drawing = Drawing::default();
    let stale = secrets.rotate(&acme, &a, drawing, is(2)).await;
    assert_eq!(newest(stale), Some(1));
    secrets.rotate(&acme, &a, drawing, is(1)).await.unwrap();
    assert_eq!(listed(&secrets, &acme).await, [("a".to_owned(), 2)]);
    assert_eq!(stand.events().await.len(), 2);
}

#[tokio::test]
async fn an_organization_keeps_so_many_secrets_and_so_many_versions() {
    let stand = Stand::limited(3, 2);
    let (secrets, acme, globex) = (stand.process(), ctx(ACME), ctx(GLOBEX));
    for of in ["a", "b", "c"] {
        secrets
            .put(&acme, &name(of), &value("x"), None)
            .await
            .unwrap();
    }
    let more = secrets.put(&acme, &name("d"), &value("x"), None).await;
    assert!(matches!(more, Err(OrgSecretError::TooMany)));
    // What is there can be changed, and others have a bound of their own.
    for _ in 0..4 {
        secrets
            .put(&acme, &name("a"), &value("y"), None)
            .await
            .unwrap();
    }
    secrets
        .put(&globex, &name("d"), &value("x"), None)
        .await
        .unwrap();
    let stored = name(&format!("orgs/{ACME}/a"));
    let versions = stand.store.versions(&stored).await.unwrap();
    assert_eq!(versions, [version(4), version(5)]);
    secrets.delete(&acme, &name("b")).await.unwrap();
    secrets
        .put(&acme, &name("d"), &value("x"), None)
        .await
        .unwrap();
    let longest = name(&"n".repeat(96));
    secrets.delete(&acme, &name("c")).await.unwrap();
    secrets
        .put(&acme, &longest, &value("x"), None)
        .await
        .unwrap();
    let longer = secrets
        .put(&acme, &name(&"n".repeat(97)), &value("x"), None)
        .await;
    assert!(matches!(longer, Err(OrgSecretError::Name(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_those_who_saw_the_same_version_one_changes_it() {
    let stand = Stand::limited(5, 3);
    // Two processes of several tasks each.
    let processes = [stand.process(), stand.process()];
    let put = |n: usize, of: String, seen: Option<Expected>| {
        let secrets = processes[n % 2].clone();
        tokio::spawn(async move {
            let value = value(&format!("of {n}"));
            secrets.put(&ctx(ACME), &name(&of), &value, seen).await
        })
    };
    for round in 0..5 {
        let tasks: Vec<_> = (0..8).map(|n| put(n, "a".to_owned(), is(round))).collect();
        let mut stored = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(secret) => {
                    assert_eq!(secret.version, version(round + 1));
                    stored += 1;
                }
                Err(OrgSecretError::Conflict(_) | OrgSecretError::Busy) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(stored, 1, "round {round}");
    }
    assert_eq!(stand.events().await.len(), 5);
    // The bound holds for those who come at once.
    let tasks: Vec<_> = (0..12).map(|n| put(n, format!("n{n}"), None)).collect();
    let mut stored = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => stored += 1,
            Err(OrgSecretError::TooMany | OrgSecretError::Busy) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!((1..=4).contains(&stored), "{stored}");
    let list = listed(&processes[0], &ctx(ACME)).await;
    assert_eq!(list.len(), 1 + stored);
    assert_eq!(stand.events().await.len(), 5 + stored);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_is_an_outage() {
    use crate::testkit::faults::Fault;
    let stand = Stand::new();
    let (secrets, acme) = (stand.process(), ctx(ACME));
    stand.store.faults.at(0, Fault::KillBefore);
    let hung = secrets.list(&acme).await;
    assert!(matches!(hung, Err(OrgSecretError::Secrets(_))));
}

#[tokio::test]
async fn no_value_is_shown_or_kept_beside_its_secret() {
    let marker = "m4rk3r-0f-4n-0rg4n1z4t10n";
    let stand = Stand::new();
    let (secrets, acme) = (stand.process(), ctx(ACME));
    let stored = secrets.put(&acme, &name("a"), &value(marker), None).await;
    stand
        .outbox
        .faults
        .at(0, crate::testkit::faults::Fault::FailBefore);
    let refused = secrets.put(&acme, &name("a"), &value(marker), None).await;
    let served = secrets.secret(&acme, &name("a")).await.unwrap();
    let events = serde_json::to_string(&stand.events().await).unwrap();
    // The note waits now.
    let note: SecretRef = format!("local://orgs.changes/{ACME}").parse().unwrap();
    let note = stand.store.read(&note).await.unwrap().unwrap();
    let note = String::from_utf8(note.value.expose_secret().to_vec()).unwrap();
    assert!(note.contains("secret.stored"), "{note}");
    let text = format!("{stored:?} {refused:?} {served:?} {secrets:?} {events} {note}");
    assert!(!shows(&text, marker), "a value is shown");
    stand.outbox.faults.none();
    assert_eq!(secrets.settle().await.unwrap(), 1);
    assert_eq!(stand.events().await.len(), 2);
}

#[tokio::test]
async fn who_read_what_is_in_the_organization_s_own_log() {
    let stand = Stand::new();
    let (secrets, acme) = (stand.process(), ctx(ACME));
    let of = name("db/a");
    secrets.put(&acme, &of, &value("x"), None).await.unwrap();
    for _ in 0..5 {
        assert!(secrets.secret(&acme, &of).await.unwrap().is_some());
    }
    secrets.close_reads().await.unwrap();
    let reads = stand.told(|action| action == Action::SecretRead).await;
    assert_eq!(reads.len(), 2);
    for read in &reads {
        assert_eq!(
            (read.org, read.resource.id.as_str()),
            (Some(acme.org()), "db/a")
        );
        assert_eq!(read.metadata["version"], MetaValue::public(1));
    }
    assert_eq!(reads[1].metadata["reads"], MetaValue::count(4));
    // Nobody is given what the log does not take.
    secrets.put(&acme, &of, &value("y"), None).await.unwrap();
    stand
        .outbox
        .faults
        .at(0, crate::testkit::faults::Fault::FailBefore);
    let refused = secrets.secret(&acme, &of).await;
    assert!(
        matches!(refused, Err(OrgSecretError::Trail(_))),
        "{refused:?}"
    );
}
