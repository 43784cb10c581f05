//! The pool, as the port sees it.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::SecretString;
use sha2::Sha256;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::params::HashParams;
use super::phc;
use super::queue::{self, FairQueue, Pushed};
use super::worker::{self, Job, Shared, State, Work};
use crate::domain::PasswordHash;
use crate::ports::{Entropy, EntropyExt, HashError, PasswordCheck, PasswordHasher};

/// How a pool works.
#[derive(Clone, Debug)]
pub struct Argon2Options {
    /// What a new hash costs.
    pub params: HashParams,
    /// What the stored hashes cost, in the proportions in which accounts have them; an unknown name is
    /// answered at the cost of one of these. Empty stands for `params` alone.
    pub in_use: Vec<HashParams>,
    /// How many threads; as many as there are cores by default.
    pub threads: Option<NonZeroUsize>,
    /// How many jobs wait at most; 64 by default.
    pub queue: NonZeroUsize,
}

impl Default for Argon2Options {
    fn default() -> Self {
        let queue = NonZeroUsize::MIN.saturating_add(63);
        Self {
            params: HashParams::default(),
            in_use: Vec::new(),
            threads: None,
            queue,
        }
    }
}

/// argon2id on threads of its own. Its threads end with it.
pub struct Argon2Pool {
    shared: Arc<Shared>,
    entropy: Arc<dyn Entropy>,
    in_use: Vec<HashParams>,
    dummy_key: Zeroizing<[u8; 32]>,
    threads: usize,
}

impl fmt::Debug for Argon2Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Argon2Pool({} threads)", self.threads)
    }
}

impl Argon2Pool {
    /// Starts the threads.
    ///
    /// # Errors
    ///
    /// What the system says if it gives no threads.
    pub fn start(options: Argon2Options, entropy: Arc<dyn Entropy>) -> std::io::Result<Self> {
        let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let threads = options.threads.map_or_else(cores, NonZeroUsize::get);
        let queue = FairQueue::new(options.queue.get());
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                queue,
                closed: false,
            }),
            wake: Condvar::new(),
            params: options.params,
        });
        let in_use = if options.in_use.is_empty() {
            vec![options.params]
        } else {
            options.in_use
        };
        let dummy_key = Zeroizing::new(entropy.bytes());
        // Made before its threads, so that those that started end if one does not.
        let pool = Self {
            shared,
            entropy,
            in_use,
            dummy_key,
            threads,
        };
        for n in 0..threads {
            let shared = Arc::clone(&pool.shared);
            std::thread::Builder::new()
                .name(format!("argon2-{n}"))
                .spawn(move || worker::run(&shared))?;
        }
        Ok(pool)
    }

    /// What an unknown name's check costs: always the same for one name.
    pub(super) fn dummy(&self, identifier: &str) -> HashParams {
        let draw = Hmac::<Sha256>::new_from_slice(self.dummy_key.as_slice())
            .ok()
            .map(|mut mac| {
                mac.update(identifier.as_bytes());
                let bytes = mac.finalize().into_bytes();
                bytes
                    .iter()
                    .take(8)
                    .fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
            });
        let count = u64::try_from(self.in_use.len()).unwrap_or(1);
        let index = draw.and_then(|draw| usize::try_from(draw % count).ok());
        index
            .and_then(|index| self.in_use.get(index))
            .copied()
            .unwrap_or(self.shared.params)
    }

    fn push(&self, from: Option<IpAddr>, job: Job) {
        let mut state = self
            .shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let pushed = state.queue.push(from.map(queue::prefix), job);
        let busy = HashError::Busy {
            retry_after: self.wait_for(state.queue.len()),
        };
        drop(state);
        match pushed {
            Pushed::Waiting => self.shared.wake.notify_one(),
            Pushed::Displaced(other) => {
                self.shared.wake.notify_one();
                other.refuse(busy);
            }
            Pushed::Full(job) => job.refuse(busy),
        }
    }

    /// About how long a queue of this length takes, in whole seconds.
    fn wait_for(&self, queued: usize) -> Duration {
        let millis = queued.saturating_mul(20) / self.threads.max(1);
        Duration::from_secs(
            u64::try_from(millis / 1_000)
                .unwrap_or(60)
                .saturating_add(1),
        )
    }
}

impl Drop for Argon2Pool {
    fn drop(&mut self) {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .closed = true;
        self.shared.wake.notify_all();
    }
}

#[async_trait]
impl PasswordHasher for Argon2Pool {
    async fn hash(
        &self,
        password: SecretString,
        from: Option<IpAddr>,
    ) -> Result<PasswordHash, HashError> {
        let (reply, answer) = oneshot::channel();
        let salt = self.entropy.bytes();
        self.push(
            from,
            Job {
                password,
                work: Work::Hash { salt, reply },
            },
        );
        answer.await.map_err(|_| HashError::Unavailable)?
    }

    async fn check(
        &self,
        password: SecretString,
        stored: Option<PasswordHash>,
        identifier: &str,
        from: Option<IpAddr>,
    ) -> Result<PasswordCheck, HashError> {
        let (reply, answer) = oneshot::channel();
        let work = Work::Check {
            stored: stored.as_ref().and_then(phc::parse),
            dummy: self.dummy(identifier),
            salt: self.entropy.bytes(),
            reply,
        };
        self.push(from, Job { password, work });
        answer.await.map_err(|_| HashError::Unavailable)?
    }
}
