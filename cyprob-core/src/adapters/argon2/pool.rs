//! The pool: a fair queue and the threads that serve it.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use async_trait::async_trait;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::SecretString;
use sha2::Sha256;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::compute::{Answer, Memory, Work};
use super::options::Argon2Options;
use super::params::HashParams;
use super::phc::Stored;
use super::priority::{self, Ticks};
use super::queue::{Full, Lanes, Prefix};
use crate::domain::{PasswordHash, UserId};
use crate::ports::{Entropy, EntropyExt, HashError, PasswordCheck, PasswordHasher};

/// What a core does in a second, in KiB of memory traffic, rounded down: some 57 default hashes.
const KIB_PER_CORE_SECOND: u64 = 57 * 2 * 19_456;

/// Hashes passwords with argon2id on threads of its own; dropping it ends them.
///
/// A job that has begun is finished even if its caller leaves, so that leaving
/// early buys nobody a second place; one whose caller left before is skipped.
pub struct Argon2Pool {
    pub(super) shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    options: Argon2Options,
    identifier_key: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for Argon2Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Argon2Pool")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

pub(super) struct Job {
    pub(super) work: Work,
    pub(super) password: SecretString,
    pub(super) reply: oneshot::Sender<Result<Answer, HashError>>,
}

pub(super) struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    pub(super) ticks: Ticks,
}

struct State {
    queue: Lanes<Job>,
    /// How many of the threads work for strangers, and how many may.
    strangers: usize,
    most_strangers: usize,
    stopped: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next job whose caller still waits, and whether it is a stranger's; `None` when the pool has stopped.
    ///
    /// Without one the memory is wiped before the thread waits. `after_stranger` says whose job the
    /// thread has just done: one thread after the other would take the next one's turn else.
    fn next(&self, memory: &mut Memory, after_stranger: bool) -> Option<(Job, bool)> {
        let mut state = self.lock();
        state.strangers = state.strangers.saturating_sub(usize::from(after_stranger));
        let mut clean = false;
        loop {
            if state.stopped {
                return None;
            }
            let strangers_may = state.strangers < state.most_strangers;
            match state.queue.pop(strangers_may) {
                Some((job, _)) if job.reply.is_closed() => {}
                Some((job, stranger)) => {
                    state.strangers += usize::from(stranger);
                    if after_stranger && !stranger {
                        // The turn that was given back is another thread's.
                        self.wake.notify_one();
                    }
                    return Some((job, stranger));
                }
                None if clean => {
                    state = self
                        .wake
                        .wait(state)
                        .unwrap_or_else(PoisonError::into_inner);
                }
                None => {
                    drop(state);
                    memory.wipe();
                    clean = true;
                    state = self.lock();
                }
            }
        }
    }
}

impl Argon2Pool {
    /// Starts the pool's threads.
    ///
    /// # Errors
    ///
    /// What the system says if it gives no threads.
    pub fn start(options: Argon2Options, entropy: Arc<dyn Entropy>) -> io::Result<Self> {
        Self::start_with(options, entropy, tick)
    }

    /// The same, with what starts the thread that ticks: hashes are made without it too.
    pub(super) fn start_with(
        options: Argon2Options,
        entropy: Arc<dyn Entropy>,
        tick: impl FnOnce(Arc<Shared>) -> io::Result<JoinHandle<()>>,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                queue: Lanes::new(options.waiting, options.waiting_per_prefix),
                strangers: 0,
                most_strangers: options.threads.div_ceil(2),
                stopped: false,
            }),
            wake: Condvar::new(),
            ticks: Ticks::default(),
        });
        let identifier_key = options
            .identifier_key
            .clone()
            .unwrap_or_else(|| Zeroizing::new(entropy.bytes()));
        let mut pool = Self {
            shared,
            threads: Vec::with_capacity(options.threads + 1),
            options,
            identifier_key,
        };
        for number in 0..pool.options.threads {
            let shared = Arc::clone(&pool.shared);
            let entropy = Arc::clone(&entropy);
            let today = pool.options.params;
            let thread = thread::Builder::new()
                .name(format!("cyprob-hash-{number}"))
                .spawn(move || serve(&shared, today, entropy.as_ref()))?;
            pool.threads.push(thread);
        }
        if cfg!(target_os = "linux") {
            match tick(Arc::clone(&pool.shared)) {
                Ok(thread) => pool.threads.push(thread),
                Err(error) => tracing::warn!(%error, "hashes may delay other work"),
            }
        }
        Ok(pool)
    }

    /// The parameters that a stored hash of this unknown person would have.
    pub(super) fn parameters_of(&self, identifier: &str) -> HashParams {
        let total: u64 = self
            .options
            .live
            .iter()
            .map(|(_, many)| u64::from(*many))
            .sum();
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.identifier_key.as_slice()) else {
            return self.options.params;
        };
        mac.update(identifier.as_bytes());
        let tag = mac.finalize().into_bytes();
        let number = tag
            .first_chunk()
            .map_or(0, |bytes| u64::from_be_bytes(*bytes));
        let mut place = number.checked_rem(total).unwrap_or(0);
        for (params, many) in &self.options.live {
            match place.checked_sub(u64::from(*many)) {
                Some(rest) => place = rest,
                None => return *params,
            }
        }
        self.options.params
    }

    /// When the work that waits now will be done, to the second; at least one, at most a minute.
    fn retry_after(&self, queue: &Lanes<Job>) -> Duration {
        let work: u64 = queue
            .iter()
            .map(|job| match &job.work {
                Work::Hash => self.options.params.work(),
                Work::Check(stored) => stored.params.work(),
                Work::Dummy(params) => params.work(),
            })
            .sum();
        let threads = u64::try_from(self.options.threads).unwrap_or(1).max(1);
        let seconds = work.div_ceil(KIB_PER_CORE_SECOND.saturating_mul(threads));
        Duration::from_secs(seconds.clamp(1, 60))
    }

    pub(super) fn queue(&self, job: Job, prefix: Prefix) -> Result<(), HashError> {
        let mut state = self.shared.lock();
        if state.stopped {
            return Err(HashError::Unavailable);
        }
        let pushed = state.queue.push(prefix, job, |job| job.reply.is_closed());
        let retry_after = self.retry_after(&state.queue);
        drop(state);
        match pushed {
            Err(Full) => Err(HashError::Busy { retry_after }),
            Ok(evicted) => {
                if let Some(evicted) = evicted {
                    // Its caller may have left; then nobody wants the answer.
                    let _ = evicted.reply.send(Err(HashError::Busy { retry_after }));
                }
                self.shared.wake.notify_one();
                Ok(())
            }
        }
    }

    async fn run(
        &self,
        work: Work,
        password: SecretString,
        line: Prefix,
    ) -> Result<Answer, HashError> {
        let (reply, answer) = oneshot::channel();
        let job = Job {
            work,
            password,
            reply,
        };
        self.queue(job, line)?;
        answer.await.unwrap_or(Err(HashError::Unavailable))
    }
}

impl Argon2Pool {
    /// Checks against a stored form, or does the same work for nothing.
    async fn compare(
        &self,
        password: SecretString,
        stored: Option<&PasswordHash>,
        without: HashParams,
        line: Prefix,
    ) -> Result<PasswordCheck, HashError> {
        let work = stored
            .and_then(Stored::read)
            .map_or(Work::Dummy(without), |stored| Work::Check(Box::new(stored)));
        match self.run(work, password, line).await? {
            Answer::Checked(check) => Ok(check),
            Answer::Hashed(_) => Err(HashError::Unavailable),
        }
    }
}

impl Drop for Argon2Pool {
    /// Answers all that wait with [`HashError::Unavailable`] and waits for the hashes that have begun.
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.stopped = true;
        state.queue.clear();
        drop(state);
        self.shared.wake.notify_all();
        self.shared.ticks.stop();
        for thread in self.threads.drain(..) {
            // A thread that panicked has nothing more to end.
            let _ = thread.join();
        }
    }
}

fn tick(shared: Arc<Shared>) -> io::Result<JoinHandle<()>> {
    let thread = thread::Builder::new().name("cyprob-ticks".to_owned());
    thread.spawn(move || shared.ticks.serve())
}

/// One thread: takes jobs until the pool stops.
fn serve(shared: &Shared, today: HashParams, entropy: &dyn Entropy) {
    priority::lower();
    let mut memory = Memory::default();
    let mut after_stranger = false;
    while let Some((job, stranger)) = shared.next(&mut memory, after_stranger) {
        let run = || memory.run(&job.work, &job.password, today, entropy);
        // Only under a flood: ticks move a hash about, which a single sign-in's time would show.
        let waiting = shared.lock().queue.iter().next().is_some();
        let running = shared.ticks.during(waiting);
        let answer = panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
            tracing::error!("a password hash panicked");
            Err(HashError::Unavailable)
        });
        drop(running);
        after_stranger = stranger;
        // Its caller may have left meanwhile; the work is spent either way.
        let _ = job.reply.send(answer);
    }
    memory.wipe();
}

#[async_trait]
impl PasswordHasher for Argon2Pool {
    async fn hash(
        &self,
        password: SecretString,
        from: Option<IpAddr>,
    ) -> Result<PasswordHash, HashError> {
        match self.run(Work::Hash, password, Prefix::of(from)).await? {
            Answer::Hashed(hash) => Ok(hash),
            Answer::Checked(_) => Err(HashError::Unavailable),
        }
    }

    async fn check(
        &self,
        password: SecretString,
        stored: Option<PasswordHash>,
        identifier: &str,
        from: Option<IpAddr>,
    ) -> Result<PasswordCheck, HashError> {
        let drawn = self.parameters_of(identifier);
        self.compare(password, stored.as_ref(), drawn, Prefix::of(from))
            .await
    }

    async fn check_known(
        &self,
        password: SecretString,
        stored: Option<PasswordHash>,
        person: UserId,
    ) -> Result<PasswordCheck, HashError> {
        let line = Prefix::Person(*person.as_bytes());
        let today = self.options.params;
        self.compare(password, stored.as_ref(), today, line).await
    }
}
