mod doubts;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use cyprob_core::testkit::{ManualClock, SeededEntropy};

use super::*;
use crate::domain::{LeaseId, Lent};
use crate::ports::LeaseRefusal;

const TERM: u64 = 100;

/// A source that lends for a hundred seconds, and does what it is told.
#[derive(Debug, Default)]
struct Lender {
    issued: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    down: bool,
    /// Whether renewals alone fail.
    renews_nothing: bool,
    /// How often it was asked for anything.
    asked: u64,
    /// What renewals grant, in seconds; nothing: the lease is gone.
    grants: Option<u64>,
    renewed: Vec<String>,
    /// What comes of giving a lease back, where it is refused.
    refuses: Option<LeaseRefusal>,
    /// How often a lease was to be given back and was not.
    refused: u64,
    revoked: Vec<String>,
}

impl Lender {
    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap())
    }

    fn reached(&self) -> Result<(), LeaseError> {
        let down = self.with(|state| {
            state.asked += 1;
            state.down
        });
        match down {
            true => Err(LeaseError::unavailable("down")),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl DynamicCredentials for Lender {
    async fn issue(&self) -> Result<Lent, LeaseError> {
        self.reached()?;
        let number = self.issued.fetch_add(1, Ordering::SeqCst) + 1;
        Ok(Lent {
            username: format!("u{number}"),
            password: format!("p{number}").into(),
            lease: LeaseId::new(format!("l{number}")),
            term: Duration::from_secs(TERM),
            renewable: true,
        })
    }

    async fn renew(&self, lease: &LeaseId) -> Result<Duration, LeaseError> {
        self.reached()?;
        if self.with(|state| state.renews_nothing) {
            return Err(LeaseError::unavailable("status 500"));
        }
        self.with(|state| {
            state.renewed.push(lease.to_string());
            state
                .grants
                .map(Duration::from_secs)
                .ok_or(LeaseError::Gone)
        })
    }

    async fn revoke(&self, lease: &LeaseId) -> Result<(), LeaseError> {
        self.reached()?;
        self.with(|state| match state.refuses {
            Some(refusal) => {
                state.refused += 1;
                Err(LeaseError::Refused(refusal))
            }
            None => {
                state.revoked.push(lease.to_string());
                Ok(())
            }
        })
    }
}

struct Stand {
    lender: Arc<Lender>,
    clock: Arc<ManualClock>,
    keeper: LeaseKeeper,
}

async fn stand(grants: Option<u64>) -> Stand {
    let lender = Arc::new(Lender::default());
    lender.with(|state| state.grants = grants);
    let clock = Arc::new(ManualClock::default());
    let entropy = Arc::new(SeededEntropy::new(1));
    let keeper = LeaseKeeper::start(Arc::clone(&lender) as _, Arc::clone(&clock) as _, entropy);
    Stand {
        keeper: keeper.await.unwrap(),
        lender,
        clock,
    }
}

impl Stand {
    /// Lets time pass on the clock and in the runtime, a second at a time.
    async fn pass(&self, seconds: u64) {
        for _ in 0..seconds {
            self.clock.advance(Duration::from_secs(1));
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    fn user(&self) -> String {
        self.keeper.current().username().to_owned()
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_renewed_between_two_thirds_and_three_quarters_of_its_term() {
    let stand = stand(Some(TERM)).await;
    stand.pass(69).await;
    assert!(stand.lender.with(|state| state.renewed.is_empty()));
    stand.pass(20).await;
    assert_eq!(stand.lender.with(|state| state.renewed.clone()), ["l1"]);
    stand.pass(900).await;
    assert_eq!(stand.user(), "u1");
    let renewed = stand.lender.with(|state| state.renewed.len());
    assert!((9..=14).contains(&renewed), "{renewed}");
}

#[tokio::test(start_paused = true)]
async fn what_is_granted_for_less_than_half_is_replaced_and_given_back_by_the_last_who_holds_it() {
    let stand = stand(Some(TERM * 4 / 10)).await;
    let held = stand.keeper.current();
    stand.pass(100).await;
    assert_eq!(stand.user(), "u2");
    assert!(stand.lender.with(|state| state.revoked.is_empty()));
    drop(held);
    stand.pass(1).await;
    assert_eq!(stand.lender.with(|state| state.revoked.clone()), ["l1"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_taken_back_under_us_is_replaced_at_the_next_renewal() {
    let stand = stand(None).await;
    stand.pass(90).await;
    assert_eq!(stand.user(), "u2");
    assert!(stand.keeper.standing().failure.is_none());
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_retried_and_heals_also_past_the_end() {
    let stand = stand(Some(TERM)).await;
    stand.lender.with(|state| state.down = true);
    stand.pass(300).await;
    let standing = stand.keeper.standing();
    assert!(matches!(
        standing.failure,
        Some(LeaseError::Unavailable { .. })
    ));
    assert!(standing.ends_at < stand.clock.now());
    stand.lender.with(|state| state.down = false);
    stand.pass(3).await;
    // what is over is not renewed, whatever the source would say
    assert_eq!(stand.user(), "u2");
    assert!(stand.keeper.standing().failure.is_none());
    assert!(stand.lender.with(|state| state.renewed.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_ahead_is_noticed_within_the_look() {
    let stand = stand(Some(TERM)).await;
    stand.clock.advance(Duration::from_secs(3_600));
    tokio::time::sleep(Duration::from_secs(16)).await;
    assert_eq!(stand.user(), "u2");
}

#[tokio::test(start_paused = true)]
async fn rotating_replaces_and_closing_gives_back() {
    let stand = stand(Some(TERM)).await;
    let mut watch = stand.keeper.watch();
    watch.mark_unchanged();
    let next = stand.keeper.rotate().await.unwrap();
    assert_eq!((next.generation(), next.username()), (2, "u2"));
    assert!(watch.has_changed().unwrap());
    stand.lender.with(|state| state.down = true);
    assert!(stand.keeper.rotate().await.is_err());
    assert_eq!(stand.user(), "u2");
    stand.lender.with(|state| state.down = false);
    tokio::time::sleep(Duration::from_millis(1)).await;
    // what somebody holds yet is given back too
    let held = stand.keeper.current();
    stand.keeper.rotate().await.unwrap();
    stand.keeper.close().await.unwrap();
    drop(held);
    assert_eq!(
        stand.lender.with(|state| state.revoked.clone()),
        ["l1", "l2", "l3"]
    );
}

#[tokio::test(start_paused = true)]
async fn debug_shows_no_password() {
    let stand = stand(Some(TERM)).await;
    let lent = stand.lender.issue().await.unwrap();
    let text = format!("{:?} {:?} {lent:?}", stand.keeper, stand.keeper.current());
    assert!(!text.contains("p1") && !text.contains("p2"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn terms_at_either_end_end_nothing() {
    #[derive(Debug)]
    struct Odd(Duration);

    #[async_trait]
    impl DynamicCredentials for Odd {
        async fn issue(&self) -> Result<Lent, LeaseError> {
            Ok(Lent {
                username: "u".to_owned(),
                password: "p".into(),
                lease: LeaseId::new("l"),
                term: self.0,
                renewable: true,
            })
        }

        async fn renew(&self, _: &LeaseId) -> Result<Duration, LeaseError> {
            Ok(self.0)
        }

        async fn revoke(&self, _: &LeaseId) -> Result<(), LeaseError> {
            Ok(())
        }
    }

    let start = |term| {
        let clock = Arc::new(ManualClock::default());
        LeaseKeeper::start(Arc::new(Odd(term)), clock, Arc::new(SeededEntropy::new(1)))
    };
    for term in [Duration::ZERO, Duration::from_millis(999)] {
        let refused = start(term).await;
        assert!(matches!(
            refused,
            Err(LeaseError::Refused(LeaseRefusal::TooShort))
        ));
    }
    for term in [Duration::from_secs(u64::MAX), Duration::MAX] {
        let keeper = start(term).await.unwrap();
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(keeper.rotate().await.unwrap().generation(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn giving_back_is_tried_until_the_lease_would_be_over_unless_it_is_denied() {
    let rotated = async |refusal| {
        let stand = stand(Some(TERM)).await;
        stand.lender.with(|state| state.refuses = Some(refusal));
        stand.keeper.rotate().await.unwrap();
        stand
    };
    // The database is away for a minute.
    let away = rotated(LeaseRefusal::Rejected).await;
    away.pass(60).await;
    away.lender.with(|state| state.refuses = None);
    away.pass(11).await;
    assert_eq!(away.lender.with(|state| state.revoked.clone()), ["l1"]);

    // It stays away: the lease ends after its own term.
    let gone = rotated(LeaseRefusal::Rejected).await;
    gone.pass(TERM + 11).await;
    let tried = gone.lender.with(|state| state.refused);
    gone.pass(60).await;
    assert_eq!(gone.lender.with(|state| state.refused), tried);

    let denied = rotated(LeaseRefusal::Denied).await;
    denied.pass(60).await;
    assert_eq!(denied.lender.with(|state| state.refused), 1);
}
