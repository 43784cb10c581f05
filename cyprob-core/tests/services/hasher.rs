//! A hasher that costs nothing, counts, and can be held up.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use cyprob_core::domain::{PasswordHash, UserId};
use cyprob_core::ports::{HashError, PasswordCheck, PasswordHasher};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

/// Marks what was hashed under parameters of the past.
pub(crate) const OLD: &str = "old:";

/// Keeps passwords as they are.
#[derive(Debug)]
pub(crate) struct TestHasher {
    checks: AtomicUsize,
    hashes: AtomicUsize,
    arrived: Semaphore,
    gate: Semaphore,
    full: AtomicUsize,
}

impl Default for TestHasher {
    fn default() -> Self {
        Self {
            checks: AtomicUsize::new(0),
            hashes: AtomicUsize::new(0),
            arrived: Semaphore::new(0),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
            full: AtomicUsize::new(0),
        }
    }
}

impl TestHasher {
    /// How often a password was checked and how often one was hashed.
    pub(crate) fn spent(&self) -> (usize, usize) {
        let [checks, hashes] = [&self.checks, &self.hashes].map(|n| n.load(Ordering::SeqCst));
        (checks, hashes)
    }

    /// Lets no call through until [`Self::release`].
    pub(crate) async fn hold(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
        while self
            .arrived
            .try_acquire()
            .map(tokio::sync::SemaphorePermit::forget)
            .is_ok()
        {}
        tokio::task::yield_now().await;
    }

    /// Waits until so many calls stand before the gate.
    pub(crate) async fn arrived(&self, many: u32) {
        let waiting = self.arrived.acquire_many(many);
        let waiting = tokio::time::timeout(Duration::from_secs(20), waiting).await;
        waiting.unwrap().unwrap().forget();
    }

    /// Opens the gate.
    pub(crate) fn release(&self) {
        self.gate.add_permits(1_000);
    }

    /// Answers the next `many` calls that there is no room.
    pub(crate) fn fill(&self, many: usize) {
        self.full.store(many, Ordering::SeqCst);
    }

    async fn pass(&self) {
        self.arrived.add_permits(1);
        self.gate.acquire().await.unwrap().forget();
    }

    fn room(&self) -> Result<(), HashError> {
        let taken = self
            .full
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |many| {
                many.checked_sub(1)
            });
        match taken {
            Ok(_) => Err(HashError::Busy {
                retry_after: Duration::from_secs(2),
            }),
            Err(_) => Ok(()),
        }
    }
}

#[async_trait]
impl PasswordHasher for TestHasher {
    async fn hash(
        &self,
        password: SecretString,
        _: Option<IpAddr>,
    ) -> Result<PasswordHash, HashError> {
        self.room()?;
        self.hashes.fetch_add(1, Ordering::SeqCst);
        self.pass().await;
        Ok(PasswordHash::from_phc(password.expose_secret().to_owned()))
    }

    async fn check(
        &self,
        password: SecretString,
        stored: Option<PasswordHash>,
        _: &str,
        _: Option<IpAddr>,
    ) -> Result<PasswordCheck, HashError> {
        self.room()?;
        self.compare(&password, stored.as_ref()).await
    }

    async fn check_known(
        &self,
        password: SecretString,
        stored: Option<PasswordHash>,
        _: UserId,
    ) -> Result<PasswordCheck, HashError> {
        self.compare(&password, stored.as_ref()).await
    }
}

impl TestHasher {
    async fn compare(
        &self,
        password: &SecretString,
        stored: Option<&PasswordHash>,
    ) -> Result<PasswordCheck, HashError> {
        self.checks.fetch_add(1, Ordering::SeqCst);
        self.pass().await;
        let Some(stored) = stored else {
            return Ok(PasswordCheck::Wrong);
        };
        let password = password.expose_secret();
        Ok(match stored.expose_phc().strip_prefix(OLD) {
            Some(old) if old == password => {
                PasswordCheck::RightRehash(PasswordHash::from_phc(password.to_owned()))
            }
            None if stored.expose_phc() == password => PasswordCheck::Right,
            _ => PasswordCheck::Wrong,
        })
    }
}
