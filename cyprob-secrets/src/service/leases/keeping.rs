//! The task that keeps what is lent.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cyprob_core::domain::Timestamp;
use cyprob_core::ports::{Clock, Entropy, EntropyExt};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::Wish;
use super::doubts::Doubts;
use crate::domain::{Backoff, Credentials, Lease, LeaseId};
use crate::ports::{DynamicCredentials, LeaseError, LeaseRefusal};

/// How often the time to renew is looked at: a machine may have slept in between.
const LOOK: Duration = Duration::from_secs(15);
/// The shortest term that can be kept.
const LEAST: Duration = Duration::from_secs(1);
/// The shortest pause between two calls.
const SHORTEST: Duration = Duration::from_millis(100);
/// The longest once the credentials are over: those who need them wait.
const OVER: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) source: Arc<dyn DynamicCredentials>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) failure: Mutex<Option<LeaseError>>,
}

impl Shared {
    pub(super) async fn issue(
        &self,
        generation: u64,
        give_back: &mpsc::UnboundedSender<LeaseId>,
    ) -> Result<Arc<Credentials>, LeaseError> {
        let asked_at = self.clock.now();
        let lent = self.source.issue().await?;
        if lent.term < LEAST {
            return Err(LeaseError::Refused(LeaseRefusal::TooShort));
        }
        let give_back = give_back.clone();
        let credentials = Credentials::new(lent, generation, asked_at, move |lease| {
            // Without a keeper it ends by itself.
            let _ = give_back.send(lease.clone());
        });
        Ok(Arc::new(credentials))
    }

    fn failed(&self, failure: Option<LeaseError>) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }
}

pub(super) struct Keeping {
    shared: Arc<Shared>,
    tell: watch::Sender<Arc<Credentials>>,
    give_back: mpsc::UnboundedSender<LeaseId>,
    /// What is lent and was not given back, and when it ends.
    lent: Vec<(LeaseId, Timestamp)>,
    /// The term for which the credentials in use were lent at first.
    term: Duration,
    chance: u16,
    backoff: Backoff,
    doubts: Doubts,
    /// Which credentials were renewed when they were in doubt: another doubt, and they are replaced.
    confirmed: Option<u64>,
}

impl Keeping {
    pub(super) fn new(
        shared: Arc<Shared>,
        tell: watch::Sender<Arc<Credentials>>,
        give_back: mpsc::UnboundedSender<LeaseId>,
    ) -> Self {
        let (term, lent) = {
            let first = tell.borrow();
            (
                first.lease().term(),
                vec![(first.lease_id().clone(), first.ends_at())],
            )
        };
        let chance = u16::from_be_bytes(shared.entropy.bytes());
        Self {
            shared,
            tell,
            give_back,
            lent,
            term,
            chance,
            backoff: Backoff::default(),
            doubts: Doubts::default(),
            confirmed: None,
        }
    }

    pub(super) async fn run(
        mut self,
        mut wishes: mpsc::UnboundedReceiver<Wish>,
        mut given_back: mpsc::UnboundedReceiver<LeaseId>,
    ) {
        let mut wake = self.wake_after(self.until_renewal());
        loop {
            let doubted = self.tell.borrow().doubted(true);
            tokio::select! {
                () = doubted, if !self.doubts.is_heard() => {
                    self.doubts.hear();
                    wake = self.doubts.waits_until().unwrap_or_else(Instant::now).min(wake);
                }
                () = tokio::time::sleep_until(wake) => {
                    let kept = self.keep().await;
                    let pause = self.pause_after(kept);
                    wake = self.wake_after(pause);
                }
                Some(wish) = wishes.recv() => match wish {
                    Wish::Rotate(told) => {
                        let replaced = self.replace().await;
                        let pause = self.pause_after(replaced.clone().map(drop));
                        wake = self.wake_after(pause);
                        let _ = told.send(replaced);
                    }
                    Wish::Close(told) => {
                        let _ = told.send(self.give_all_back().await);
                        return;
                    }
                },
                Some(lease) = given_back.recv() => self.take_back(lease),
                else => return,
            }
        }
    }

    fn current(&self) -> Arc<Credentials> {
        Arc::clone(&self.tell.borrow())
    }

    fn lease(&self) -> Lease {
        self.tell.borrow().lease()
    }

    fn until_renewal(&self) -> Duration {
        let at = self.shared.clock.now();
        self.lease().renews_at(self.chance).since(at)
    }

    /// When to look again: a clock may jump, and a doubt may come to its turn before.
    fn wake_after(&self, pause: Duration) -> Instant {
        let wake = Instant::now() + pause.clamp(SHORTEST, LOOK);
        self.doubts
            .waits_until()
            .map_or(wake, |turn| turn.min(wake))
    }

    /// How long to wait after what was tried.
    fn pause_after(&mut self, tried: Result<(), LeaseError>) -> Duration {
        let failure = match tried {
            Ok(()) => {
                self.backoff.reset();
                self.shared.failed(None);
                return self.until_renewal();
            }
            Err(failure) => failure,
        };
        tracing::warn!(%failure, "leased credentials not renewed or replaced");
        self.shared.failed(Some(failure));
        let left = self.lease().left(self.shared.clock.now());
        let needed = left.is_zero() || self.doubts.is_heard();
        let longest = if needed { OVER } else { left / 4 };
        self.backoff.next().min(longest)
    }

    /// Renews or replaces the credentials, if it is time or they are in doubt.
    async fn keep(&mut self) -> Result<(), LeaseError> {
        let doubted = self.doubts.is_due();
        if !doubted && !self.until_renewal().is_zero() {
            return Ok(());
        }
        let current = self.current();
        let again = doubted && self.confirmed == Some(current.generation());
        let asked_at = self.shared.clock.now();
        if current.is_renewable() && !again && !self.lease().is_over(asked_at) {
            match self.shared.source.renew(current.lease_id()).await {
                Ok(term) => {
                    current.renewed(asked_at, term);
                    self.lasts_until(current.lease_id(), current.ends_at());
                    // Near the end of all renewing it is granted less and less.
                    if term.saturating_mul(2) > self.term {
                        if doubted {
                            self.confirmed = Some(current.generation());
                            self.doubts.answered();
                            current.believe();
                        }
                        return Ok(());
                    }
                }
                // Of a user that is not there any more a source may fail to say so.
                Err(outage @ LeaseError::Unavailable { .. }) if !doubted => return Err(outage),
                Err(_) => {}
            }
        }
        self.replace().await?;
        if doubted {
            self.doubts.answered();
        }
        Ok(())
    }

    async fn replace(&mut self) -> Result<Arc<Credentials>, LeaseError> {
        let generation = self.tell.borrow().generation().saturating_add(1);
        let next = self.shared.issue(generation, &self.give_back).await?;
        self.lent.push((next.lease_id().clone(), next.ends_at()));
        self.term = next.lease().term();
        self.chance = u16::from_be_bytes(self.shared.entropy.bytes());
        self.doubts.forget();
        self.tell.send_replace(Arc::clone(&next));
        Ok(next)
    }

    /// Takes back at the source whatever is lent, also what somebody still holds.
    async fn give_all_back(&mut self) -> Result<(), LeaseError> {
        let mut given = Ok(());
        for (lease, _) in std::mem::take(&mut self.lent) {
            let revoked = self.shared.source.revoke(&lease).await;
            given = given.and(revoked);
        }
        given
    }

    fn lasts_until(&mut self, lease: &LeaseId, ends_at: Timestamp) {
        for (_, end) in self.lent.iter_mut().filter(|(lent, _)| lent == lease) {
            *end = ends_at;
        }
    }

    /// Takes back at the source what nobody uses any more; it is tried until the lease would be over.
    ///
    /// A source may refuse it while what it lends from is away, so only a denial is the end.
    fn take_back(&mut self, lease: LeaseId) {
        let Some(at) = self.lent.iter().position(|(lent, _)| *lent == lease) else {
            return;
        };
        let (lease, ends_at) = self.lent.swap_remove(at);
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            let mut backoff = Backoff::default();
            while let Err(failure) = shared.source.revoke(&lease).await {
                let denied = matches!(failure, LeaseError::Refused(LeaseRefusal::Denied));
                if denied || shared.clock.now() >= ends_at {
                    tracing::warn!(%lease, %failure, "lease not given back");
                    return;
                }
                tokio::time::sleep(backoff.next()).await;
            }
        });
    }
}
