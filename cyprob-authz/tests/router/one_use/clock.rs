//! Clocks that are set, and what is remembered of spent uses.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use cyprob_authz::service::RevocationView;
use cyprob_core::adapters::memory::MemorySpent;
use cyprob_core::domain::{RoleName, Timestamp, UseId, UsedToken};
use cyprob_core::ports::store::{SpendOutcome, SpentStore, StoreError};
use cyprob_core::ports::{Clock as _, EntropyExt as _};
use cyprob_core::testkit::{ManualClock, SeededEntropy};

use super::{RUNS, dead, once, reasons};
use crate::support::{Site, allowed};

#[tokio::test]
async fn a_spent_use_is_kept_until_the_token_has_long_ended_everywhere() {
    let site = Site::new();
    let token = once(&site, &site.token(RoleName::OWNER), &["a"]);
    assert_eq!(site.get(RUNS, &token).await, allowed());
    let access = &site.stand.access;
    // The token lives five minutes, another node's clock may be one behind, and a clock may be
    // set by less than fifteen.
    for (seconds, swept) in [(299, 0), (61, 0), (899, 0), (1, 1), (1, 0)] {
        site.stand.clock.advance(Duration::from_secs(seconds));
        assert_eq!(access.sweep_uses().await.unwrap(), swept);
        assert_eq!(site.get(RUNS, &token).await, dead());
    }
}

/// The clock is set forward so far, uses are swept, and it is set back.
async fn step(site: &Site, seconds: u64) -> u64 {
    let now = site.stand.now();
    site.stand.clock.advance(Duration::from_secs(seconds));
    let swept = site.stand.access.sweep_uses().await.unwrap();
    site.stand.clock.set(now);
    swept
}

#[tokio::test]
async fn a_clock_that_goes_forward_and_back_revives_no_use() {
    for seconds in [301, 900, 1_200, 1_259, 1_260, 3_600, 86_400] {
        let site = Site::new();
        let token = once(&site, &site.token(RoleName::OWNER), &["a"]);
        assert_eq!(site.get(RUNS, &token).await, allowed());
        let kept = u64::from(seconds >= 1_260);
        assert_eq!(step(&site, seconds).await, kept, "{seconds}");
        for _ in 0..3 {
            assert_eq!(site.get(RUNS, &token).await, dead(), "{seconds}");
        }
        assert_eq!(site.calls(), 1);
    }
}

/// Many steps of the clock, either way, with requests and sweeps between: no use is had twice.
#[tokio::test]
async fn whatever_the_clock_does_a_use_is_had_once() {
    let mut had = 0;
    for seed in 0..40 {
        let site = Site::new();
        let start = site.stand.now();
        let token = once(&site, &site.token(RoleName::OWNER), &["a"]);
        let entropy = SeededEntropy::new(seed);
        let mut good = 0;
        for _ in 0..40 {
            let [high, low, what] = entropy.bytes();
            let offset = i64::from(u16::from_be_bytes([high, low])) % 3_600 - 600;
            // Half of the time it is right, so that the token would be good.
            let offset = if what % 2 == 0 { 1 } else { offset };
            let now = Timestamp::from_seconds(start.as_seconds() + offset);
            site.stand.clock.set(now);
            if what % 4 < 3 {
                good += usize::from(site.get(RUNS, &token).await == allowed());
            }
            if what % 8 > 3 {
                site.stand.access.sweep_uses().await.unwrap();
            }
        }
        assert!(good <= 1, "{seed}");
        assert_eq!(site.calls(), good);
        had += good;
    }
    assert!(had >= 10, "{had}");
}

/// One node's clock steps and it sweeps; on another, whose clock stands, the use is spent still.
#[tokio::test]
async fn a_clock_that_steps_on_one_node_revives_no_use_on_another() {
    let spent: Arc<dyn SpentStore> = Arc::new(MemorySpent::default());
    let [leader, other] = [(); 2].map(|()| Site::with_spent(Some(Arc::clone(&spent))));
    let token = once(&other, &other.token(RoleName::OWNER), &["a"]);
    assert_eq!(other.get(RUNS, &token).await, allowed());
    assert_eq!(step(&leader, 1_200).await, 0);
    assert_eq!(other.get(RUNS, &token).await, dead());
    assert_eq!(leader.get(RUNS, &token).await, dead());
    assert_eq!(reasons(&other), ["spent"]);
}

/// A use that was taken, but whose token died while the store was asked, lets nobody in.
#[tokio::test]
async fn a_token_that_dies_while_its_use_is_taken_is_dead() {
    #[derive(Debug, Default)]
    struct Stepping(OnceLock<(Arc<RevocationView>, Arc<ManualClock>)>);

    #[async_trait]
    impl SpentStore for Stepping {
        async fn spend(
            &self,
            _: UsedToken,
            uses: &[UseId],
            _: Timestamp,
        ) -> Result<SpendOutcome, StoreError> {
            // Another task sweeps by a clock that is set forward and back, as one that was
            // spent is asked for.
            let (view, clock) = self.0.get().unwrap();
            let now = clock.now();
            clock.advance(Duration::from_secs(3_600));
            view.sweep();
            clock.set(now);
            Ok(SpendOutcome::Taken(uses[0]))
        }

        async fn sweep_spent(&self, _: Timestamp) -> Result<u64, StoreError> {
            Ok(0)
        }
    }

    let store = Arc::new(Stepping::default());
    let site = Site::with_spent(Some(Arc::clone(&store) as _));
    let view = Arc::clone(&site.stand.revocations);
    store.0.set((view, Arc::clone(&site.stand.clock))).unwrap();
    let token = once(&site, &site.token(RoleName::OWNER), &["a"]);
    assert_eq!(site.get(RUNS, &token).await, dead());
    assert_eq!(site.calls(), 0);
}
