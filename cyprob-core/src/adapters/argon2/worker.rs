//! What a thread of the pool does.

use std::sync::{Condvar, Mutex, PoisonError};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use tokio::sync::oneshot;
use zeroize::{Zeroize, Zeroizing};

use super::params::HashParams;
use super::phc::{self, Stored};
use super::queue::FairQueue;
use crate::domain::PasswordHash;
use crate::ports::{HashError, PasswordCheck};

/// What is asked for.
pub(super) enum Work {
    /// Make a storable form.
    Hash {
        salt: [u8; phc::SALT],
        reply: oneshot::Sender<Result<PasswordHash, HashError>>,
    },
    /// Check against a stored form, or against one that no password has.
    Check {
        stored: Option<Stored>,
        dummy: HashParams,
        salt: [u8; phc::SALT],
        reply: oneshot::Sender<Result<PasswordCheck, HashError>>,
    },
}

/// One password and what to do with it.
pub(super) struct Job {
    pub(super) password: SecretString,
    pub(super) work: Work,
}

impl Job {
    /// Nobody waits for it any more.
    fn is_abandoned(&self) -> bool {
        match &self.work {
            Work::Hash { reply, .. } => reply.is_closed(),
            Work::Check { reply, .. } => reply.is_closed(),
        }
    }

    /// Answers without having worked.
    pub(super) fn refuse(self, error: HashError) {
        // Whoever stopped waiting needs no answer.
        match self.work {
            Work::Hash { reply, .. } => drop(reply.send(Err(error))),
            Work::Check { reply, .. } => drop(reply.send(Err(error))),
        }
    }
}

/// What the threads share with those who wait.
pub(super) struct Shared {
    pub(super) state: Mutex<State>,
    pub(super) wake: Condvar,
    pub(super) params: HashParams,
}

pub(super) struct State {
    pub(super) queue: FairQueue<Job>,
    pub(super) closed: bool,
}

impl Shared {
    /// The next job somebody waits for; `None` at the end. `idle` runs once before a wait.
    fn next(&self, mut idle: impl FnMut()) -> Option<Job> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            while let Some(job) = state.queue.pop() {
                if !job.is_abandoned() {
                    return Some(job);
                }
            }
            if state.closed {
                return None;
            }
            drop(state);
            idle();
            state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.queue.len() == 0 && !state.closed {
                state = self
                    .wake
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

/// Works until the pool is closed.
pub(super) fn run(shared: &Shared) {
    // Best effort: without it the pool is still bounded, only less polite.
    let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), 19);
    let mut memory = Memory::default();
    while let Some(job) = shared.next(|| memory.forget()) {
        work(job, shared.params, &mut memory);
    }
}

fn work(job: Job, params: HashParams, memory: &mut Memory) {
    let Job { password, work } = job;
    match work {
        Work::Hash { salt, reply } => {
            drop(reply.send(memory.storable(params, &password, &salt)));
        }
        Work::Check {
            stored,
            dummy,
            salt,
            reply,
        } => {
            drop(reply.send(memory.check(&password, stored, dummy, params, &salt)));
        }
    }
}

/// The memory of one thread, used again and again, and wiped when the thread goes idle.
#[derive(Default)]
struct Memory {
    blocks: Vec<Block>,
    used: bool,
}

impl Memory {
    fn forget(&mut self) {
        if std::mem::take(&mut self.used) {
            self.blocks.zeroize();
        }
    }

    fn derive(
        &mut self,
        params: HashParams,
        password: &SecretString,
        salt: &[u8],
        output: &mut [u8],
    ) -> Result<(), HashError> {
        let len = Some(output.len());
        let params = Params::new(params.memory_kib(), params.passes(), params.lanes(), len)
            .map_err(|_| HashError::Unavailable)?;
        if self.blocks.len() < params.block_count() {
            self.blocks.resize(params.block_count(), Block::default());
        }
        self.used = true;
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(
                password.expose_secret().as_bytes(),
                salt,
                output,
                &mut self.blocks,
            )
            .map_err(|_| HashError::Unavailable)
    }

    fn storable(
        &mut self,
        params: HashParams,
        password: &SecretString,
        salt: &[u8],
    ) -> Result<PasswordHash, HashError> {
        let mut output = Zeroizing::new([0; phc::OUTPUT]);
        self.derive(params, password, salt, output.as_mut_slice())?;
        Ok(phc::write(params, salt, output.as_slice()))
    }

    fn check(
        &mut self,
        password: &SecretString,
        stored: Option<Stored>,
        dummy: HashParams,
        today: HashParams,
        salt: &[u8],
    ) -> Result<PasswordCheck, HashError> {
        let Some(stored) = stored else {
            self.storable(dummy, password, salt)?;
            return Ok(PasswordCheck::Wrong);
        };
        let mut output = Zeroizing::new(vec![0; stored.output.len()]);
        self.derive(stored.params, password, &stored.salt, &mut output)?;
        if !bool::from(output.ct_eq(&stored.output)) {
            return Ok(PasswordCheck::Wrong);
        }
        if stored.params == today && stored.output.len() == phc::OUTPUT {
            return Ok(PasswordCheck::Right);
        }
        self.storable(today, password, salt)
            .map(PasswordCheck::RightRehash)
    }
}
