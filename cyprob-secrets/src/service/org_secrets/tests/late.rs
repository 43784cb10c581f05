//! Changes that the store makes late, and callers that leave.

use std::time::Duration;

use super::staged::Staged;
use super::*;

struct Late {
    stand: Stand,
    slow: Staged,
    secrets: OrgSecrets,
}

impl Late {
    fn new(slow: Staged) -> Self {
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

    /// A change that takes the store so long that its caller gives it up.
    async fn give_up(&self, seconds: u64) {
        self.slow.changes_take(seconds);
        let (acme, a) = (ctx(ACME), name("a"));
        let given_up = self.secrets.put(&acme, &a, &value("x"), None).await;
        assert!(matches!(given_up, Err(OrgSecretError::Secrets(_))));
        self.slow.changes_take(0);
    }

    async fn told(&self) -> Vec<Action> {
        let events = self.stand.events().await;
        events.iter().map(|event| event.action).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_that_the_store_makes_late_has_its_event() {
    for is_deletion in [false, true] {
        let late = Late::new(Staged::default());
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
    let late = Late::new(Staged::default());
    let (acme, a) = (ctx(ACME), name("a"));
    late.give_up(1_000_000).await;
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
    let late = Late::new(Staged::default().slower(Duration::from_millis(100)));
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
    let late = Late::new(Staged::default());
    let org = |n: usize| ctx(&format!("org_0193c0ffee007000800000000{n:07x}"));
    for n in 0..ORGS {
        let org = org(n);
        late.secrets
            .put(&org, &name("a"), &value("x"), None)
            .await
            .unwrap();
    }
    let slow = late.slow.slower(Duration::from_millis(200));
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
    let late = Late::new(Staged::default());
    late.give_up(45).await;
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
    let late = Late::new(Staged::default());
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
    let late = Late::new(Staged::default());
    let (acme, a) = (ctx(ACME), name("a"));
    late.give_up(1_000_000).await;
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
    let late = Late::new(Staged::default());
    late.give_up(45).await;
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
