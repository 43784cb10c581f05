//! The hash itself, in memory that is used again.

use ::argon2::{Algorithm, Argon2, Block, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use super::params::HashParams;
use super::phc::{self, OUTPUT, SALT, Stored};
use crate::domain::PasswordHash;
use crate::ports::{Entropy, EntropyExt, HashError, PasswordCheck};

/// What is asked of the pool.
pub(super) enum Work {
    /// Hash a new password.
    Hash,
    /// Check a password against a stored hash.
    Check(Box<Stored>),
    /// Work as if for a stored hash of these parameters; the answer is no.
    Dummy(HashParams),
}

/// What comes back.
pub(super) enum Answer {
    Hashed(PasswordHash),
    Checked(PasswordCheck),
}

/// One thread's memory.
#[derive(Default)]
pub(super) struct Memory {
    blocks: Vec<Block>,
}

impl Memory {
    /// Does one piece of work under today's parameters.
    pub(super) fn run(
        &mut self,
        work: &Work,
        password: &SecretString,
        today: HashParams,
        entropy: &dyn Entropy,
    ) -> Result<Answer, HashError> {
        match work {
            Work::Hash => self
                .hash(password, today, today, entropy)
                .map(Answer::Hashed),
            Work::Dummy(params) => {
                let salt: [u8; SALT] = entropy.bytes();
                let mut out = Zeroizing::new([0; OUTPUT]);
                self.fill(password, &salt, *params, today, out.as_mut_slice())?;
                std::hint::black_box(&out);
                Ok(Answer::Checked(PasswordCheck::Wrong))
            }
            Work::Check(stored) => {
                let mut buffer = Zeroizing::new([0; 64]);
                let expected = stored.output.as_bytes();
                let Some(out) = buffer.get_mut(..expected.len()) else {
                    return Err(HashError::Unavailable);
                };
                self.fill(password, &stored.salt, stored.params, today, out)?;
                let right: bool = out.ct_eq(expected).into();
                let check = if !right {
                    PasswordCheck::Wrong
                } else if stored.is_todays(today) {
                    PasswordCheck::Right
                } else {
                    PasswordCheck::RightRehash(self.hash(password, today, today, entropy)?)
                };
                Ok(Answer::Checked(check))
            }
        }
    }

    fn hash(
        &mut self,
        password: &SecretString,
        params: HashParams,
        today: HashParams,
        entropy: &dyn Entropy,
    ) -> Result<PasswordHash, HashError> {
        let salt: [u8; SALT] = entropy.bytes();
        let mut out = Zeroizing::new([0; OUTPUT]);
        self.fill(password, &salt, params, today, out.as_mut_slice())?;
        Ok(phc::write(params, &salt, out.as_slice()))
    }

    /// Computes into `out`; the memory is zero again afterwards, and no larger than today's hashes need.
    fn fill(
        &mut self,
        password: &SecretString,
        salt: &[u8],
        params: HashParams,
        today: HashParams,
        out: &mut [u8],
    ) -> Result<(), HashError> {
        let (memory, passes, lanes) = (params.memory_kib(), params.passes(), params.lanes());
        let raw = Params::new(memory, passes, lanes, Some(out.len()))
            .map_err(|_| HashError::Unavailable)?;
        let needed = raw.block_count();
        if let Some(more) = needed.checked_sub(self.blocks.len()) {
            self.blocks
                .try_reserve_exact(more)
                .map_err(|_| HashError::Unavailable)?;
            self.blocks.resize(needed, Block::new());
        }
        let blocks = self
            .blocks
            .get_mut(..needed)
            .ok_or(HashError::Unavailable)?;
        let filled = Argon2::new(Algorithm::Argon2id, Version::V0x13, raw)
            .hash_password_into_with_memory(
                password.expose_secret().as_bytes(),
                salt,
                out,
                &mut *blocks,
            );
        blocks.iter_mut().for_each(Zeroize::zeroize);
        let kept = usize::try_from(today.memory_kib()).unwrap_or(usize::MAX);
        if self.blocks.len() > kept {
            self.blocks.truncate(kept);
            self.blocks.shrink_to_fit();
        }
        filled.map_err(|_| HashError::Unavailable)
    }
}
