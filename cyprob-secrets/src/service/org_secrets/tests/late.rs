//! Changes that the store makes late, and callers that leave.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;

use super::*;
use crate::domain::Scheme;
use crate::ports::{Listed, PutOutcome, Secret, SecretError, SecretProvider};

/// How many names a list looks up at once.
const LOOKED_UP: u32 = 16;

/// A store that is slow, and does what it was told though nobody waits for it any more.
#[derive(Clone, Debug, Default)]
struct Slow {
    inner: Arc<MemoryStore>,
    /// How long each call takes.
    each: Duration,
    /// How long a write or deletion of a secret takes.
    change: Arc<Mutex<Duration>>,
}

impl Slow {
    fn changes_take(&self, seconds: u64) {
        *self.change.lock().unwrap() = Duration::from_secs(seconds);
    }

    async fn run<T: Send + 'static>(
        &self,
        takes: Duration,
        call: impl Future<Output = Result<T, SecretError>> + Send + 'static,
    ) -> Result<T, SecretError> {
        let running = tokio::spawn(async move {
            tokio::time::sleep(takes).await;
            call.await
        });
        running.await.unwrap()
    }

    fn change_of(&self, name: &SecretName) -> Duration {
        let is_note = name.as_str().starts_with("orgs.changes");
        let change = *self.change.lock().unwrap();
        if is_note { self.each } else { change }
    }
}

#[async_trait]
impl SecretProvider for Slow {
    fn scheme(&self) -> Scheme {
        self.inner.scheme()
    }

    async fn read(&self, reference: &SecretRef) -> Result<Option<Secret>, SecretError> {
        let (inner, reference) = (Arc::clone(&self.inner), reference.clone());
        self.run(self.each, async move { inner.read(&reference).await })
            .await
    }
}

#[async_trait]
impl SecretStore for Slow {
    async fn put(
        &self,
        name: &SecretName,
        value: &SecretValue,
        expected: Expected,
        at: Timestamp,
    ) -> Result<PutOutcome, SecretError> {
        let (inner, name, value) = (Arc::clone(&self.inner), name.clone(), value.clone());
        let takes = self.change_of(&name);
        self.run(takes, async move {
            inner.put(&name, &value, expected, at).await
        })
        .await
    }

    async fn delete(&self, name: &SecretName) -> Result<bool, SecretError> {
        let (inner, name) = (Arc::clone(&self.inner), name.clone());
        let takes = self.change_of(&name);
        self.run(takes, async move { inner.delete(&name).await })
            .await
    }

    async fn delete_before(
        &self,
        name: &SecretName,
        version: SecretVersion,
    ) -> Result<(), SecretError> {
        self.inner.delete_before(name, version).await
    }

    async fn list(&self, below: &SecretName) -> Result<Vec<Listed>, SecretError> {
        let listed = self.inner.list(below).await?;
        let names = u32::try_from(listed.len()).unwrap();
        tokio::time::sleep(self.each * names / LOOKED_UP).await;
        Ok(listed)
    }

    async fn taken(&self, below: &SecretName) -> Result<Vec<SecretName>, SecretError> {
        self.inner.taken(below).await
    }

    async fn names(&self) -> Result<Vec<SecretName>, SecretError> {
        self.inner.names().await
    }

    async fn versions(&self, name: &SecretName) -> Result<Vec<SecretVersion>, SecretError> {
        self.inner.versions(name).await
    }
}

struct Late {
    stand: Stand,
    slow: Slow,
    secrets: OrgSecrets,
}

impl Late {
    fn new(slow: Slow) -> Self {
        let stand = Stand::new();
        let secrets = stand.process_over(Arc::new(slow.clone()));
        Self {
            stand,
            slow,
            secrets,
        }
    }

    async fn pass(&self, seconds: u64) {
        self.stand.clock.advance(Duration::from_secs(seconds));
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    async fn told(&self) -> Vec<Action> {
        let events = self.stand.events().await;
        events.iter().map(|event| event.action).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_that_the_store_makes_late_has_its_event() {
    for is_deletion in [false, true] {
        let late = Late::new(Slow::default());
        let (acme, a) = (ctx(ACME), name("a"));
        late.secrets
            .put(&acme, &a, &value("x"), None)
            .await
            .unwrap();
        let change = async |secrets: &OrgSecrets| match is_deletion {
            true => secrets.delete(&acme, &a).await,
            false => secrets.put(&acme, &a, &value("y"), None).await.map(drop),
        };
        late.slow.changes_take(15);
        let given_up = change(&late.secrets).await;
        assert!(matches!(given_up, Err(OrgSecretError::Secrets(_))));
        // Nobody knows yet what becomes of it: it is not judged, and nothing else is changed.
        assert_eq!(late.secrets.settle().await.unwrap(), 0);
        let other = late.secrets.put(&acme, &name("b"), &value("x"), None).await;
        assert!(matches!(other, Err(OrgSecretError::Busy)), "{other:?}");
        assert_eq!(late.told().await.len(), 1);
        late.pass(6).await;
        late.slow.changes_take(0);
        assert_eq!(late.secrets.settle().await.unwrap(), 1);
        let action = match is_deletion {
            true => Action::SecretDeleted,
            false => Action::SecretStored,
        };
        assert_eq!(late.told().await, [Action::SecretStored, action]);
        late.secrets
            .put(&acme, &name("b"), &value("x"), None)
            .await
            .unwrap();
        assert_eq!(late.told().await.len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_never_made_has_none_and_holds_up_others_for_half_a_minute() {
    let late = Late::new(Slow::default());
    let (acme, a) = (ctx(ACME), name("a"));
    late.slow.changes_take(1_000_000);
    let given_up = late.secrets.put(&acme, &a, &value("x"), None).await;
    assert!(matches!(given_up, Err(OrgSecretError::Secrets(_))));
    late.slow.changes_take(0);
    late.pass(29).await;
    assert_eq!(late.secrets.settle().await.unwrap(), 0);
    late.pass(2).await;
    assert_eq!(late.secrets.settle().await.unwrap(), 1);
    assert_eq!(late.told().await, []);
    late.secrets
        .put(&acme, &a, &value("x"), None)
        .await
        .unwrap();
    assert_eq!(late.told().await, [Action::SecretStored]);
}

#[tokio::test(start_paused = true)]
async fn who_leaves_in_the_middle_interrupts_nothing() {
    let late = Late::new(Slow {
        each: Duration::from_millis(100),
        ..Slow::default()
    });
    let acme = ctx(ACME);
    late.slow.changes_take(1);
    for (n, stays) in [0, 50, 150, 250, 600, 1_250, 2_000].into_iter().enumerate() {
        let a = name(&format!("n{n}"));
        let put = value("x");
        let putting = late.secrets.put(&acme, &a, &put, None);
        let left = tokio::time::timeout(Duration::from_millis(stays), putting).await;
        assert_eq!(left.is_ok(), stays == 2_000, "{stays}");
        late.pass(3).await;
        assert_eq!(late.told().await.len(), n + 1, "{stays}");
        assert_eq!(late.secrets.settle().await.unwrap(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn every_organization_is_settled_however_many_there_are() {
    const ORGS: usize = 2_000;
    let late = Late::new(Slow::default());
    let org = |n: usize| ctx(&format!("org_0193c0ffee007000800000000{n:07x}"));
    for n in 0..ORGS {
        let org = org(n);
        late.secrets
            .put(&org, &name("a"), &value("x"), None)
            .await
            .unwrap();
    }
    let slow = Slow {
        each: Duration::from_millis(200),
        ..late.slow.clone()
    };
    // One that was left, for the last to come.
    let other = late.stand.process_over(Arc::new(late.slow.clone()));
    late.stand
        .outbox
        .faults
        .at(0, crate::testkit::faults::Fault::FailBefore);
    let untold = other.put(&org(0), &name("a"), &value("y"), None).await;
    assert!(matches!(untold, Err(OrgSecretError::Trail(_))));
    late.stand.outbox.faults.none();
    late.pass(31).await;
    let settling = late.stand.process_over(Arc::new(slow));
    assert_eq!(settling.settle().await.unwrap(), 1);
    assert_eq!(late.told().await.len(), ORGS + 1);
}

#[tokio::test]
async fn names_of_deleted_secrets_are_counted_and_may_be_used_again() {
    let mut stand = Stand::new();
    stand.limits.names = 3;
    let (secrets, acme) = (stand.process(), ctx(ACME));
    for of in ["a", "b", "c"] {
        let put = secrets.put(&acme, &name(of), &value("x"), None).await;
        put.unwrap();
        secrets.delete(&acme, &name(of)).await.unwrap();
    }
    let fourth = secrets.put(&acme, &name("d"), &value("x"), None).await;
    assert!(matches!(fourth, Err(OrgSecretError::TooManyNames)));
    for of in ["b", "c"] {
        let put = secrets.put(&acme, &name(of), &value("x"), None).await;
        put.unwrap();
    }
    secrets
        .put(&ctx(GLOBEX), &name("d"), &value("x"), None)
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn another_process_doubts_as_long_what_it_takes_over() {
    let late = Late::new(Slow::default());
    let acme = ctx(ACME);
    late.slow.changes_take(45);
    let given_up = late.secrets.put(&acme, &name("a"), &value("x"), None).await;
    assert!(matches!(given_up, Err(OrgSecretError::Secrets(_))));
    late.slow.changes_take(0);
    let other = late.stand.process_over(Arc::new(late.slow.clone()));
    late.pass(31).await;
    // Taken over, and not made yet.
    assert_eq!(other.settle().await.unwrap(), 0);
    late.pass(6).await;
    assert_eq!(other.settle().await.unwrap(), 1);
    assert_eq!(late.told().await, [Action::SecretStored]);
    // Whoever it was taken from finds nothing to do.
    assert_eq!(late.secrets.settle().await.unwrap(), 0);
    assert_eq!(late.told().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn one_organization_s_line_is_bounded_and_no_other_s() {
    let late = Late::new(Slow::default());
    late.slow.changes_take(1);
    let mut running = tokio::task::JoinSet::new();
    for n in 0..100 {
        let secrets = late.secrets.clone();
        running.spawn(async move {
            let (acme, of, value) = (ctx(ACME), name(&format!("n{n}")), value("x"));
            let put = secrets.put(&acme, &of, &value, None).await;
            matches!(put, Err(OrgSecretError::Busy))
        });
    }
    tokio::task::yield_now().await;
    let begun = tokio::time::Instant::now();
    let put = late
        .secrets
        .put(&ctx(GLOBEX), &name("a"), &value("x"), None)
        .await;
    assert!(put.is_ok(), "{put:?}");
    assert!(begun.elapsed() < Duration::from_secs(3));
    let refused = running.join_all().await.into_iter().filter(|busy| *busy);
    assert!(refused.count() >= 68);
}

#[tokio::test(start_paused = true)]
async fn processes_that_look_in_turn_come_to_an_end() {
    let late = Late::new(Slow::default());
    let (acme, a) = (ctx(ACME), name("a"));
    late.slow.changes_take(1_000_000);
    let given_up = late.secrets.put(&acme, &a, &value("x"), None).await;
    assert!(matches!(given_up, Err(OrgSecretError::Secrets(_))));
    late.slow.changes_take(0);
    let others = [0, 1].map(|_| late.stand.process_over(Arc::new(late.slow.clone())));
    let mut settled = Vec::new();
    for other in &others {
        late.pass(31).await;
        settled.push(other.settle().await.unwrap());
    }
    assert_eq!(settled, [0, 1]);
    assert_eq!(late.told().await, []);
    late.secrets
        .put(&acme, &a, &value("x"), None)
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_was_taken_over_without_an_answer_is_doubted_too() {
    use crate::testkit::faults::Fault;
    let late = Late::new(Slow::default());
    let acme = ctx(ACME);
    late.slow.changes_take(45);
    let given_up = late.secrets.put(&acme, &name("a"), &value("x"), None).await;
    assert!(matches!(given_up, Err(OrgSecretError::Secrets(_))));
    late.slow.changes_take(0);
    let store = Arc::new(FaultyStore::new(late.slow.clone()));
    let other = late.stand.process_over(Arc::clone(&store) as _);
    late.pass(31).await;
    // The list, the look, and the note in other hands.
    store.faults.at(2, Fault::FailAfter);
    let lost = other.settle().await;
    assert!(matches!(lost, Err(OrgSecretError::Secrets(_))), "{lost:?}");
    store.faults.none();
    assert_eq!(other.settle().await.unwrap(), 0);
    late.pass(6).await;
    assert_eq!(other.settle().await.unwrap(), 1);
    assert_eq!(late.told().await, [Action::SecretStored]);
}
