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
    /// How many of them, from the first, may hold what a hash left.
    used: usize,
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

    /// Makes the memory zero again.
    ///
    /// A hash overwrites what the one before it left, so this is only for when none follows at once.
    pub(super) fn wipe(&mut self) {
        let used = self.blocks.iter_mut().take(self.used);
        used.for_each(Zeroize::zeroize);
        self.used = 0;
    }

    /// Computes into `out`; the memory is afterwards no larger than today's hashes need.
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
        let more = needed.saturating_sub(self.blocks.len());
        if more > 0 {
            // Growing may move it and leave what was there behind.
            self.wipe();
            self.blocks
                .try_reserve_exact(more)
                .map_err(|_| HashError::Unavailable)?;
            self.blocks.resize(needed, Block::new());
        }
        self.used = self.used.max(needed);
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
        let kept = usize::try_from(today.memory_kib()).unwrap_or(usize::MAX);
        if self.blocks.len() > kept {
            self.wipe();
            self.blocks.truncate(kept);
            self.blocks.shrink_to_fit();
        }
        filled.map_err(|_| HashError::Unavailable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::SeededEntropy;

    fn left(memory: &Memory) -> usize {
        let words = memory.blocks.iter().flat_map(|block| block.as_ref());
        words.filter(|word: &&u64| **word != 0).count()
    }

    #[test]
    fn a_wipe_leaves_nothing_of_any_hash() {
        let entropy = SeededEntropy::new(3);
        let large = HashParams::new(256, 1, 1).unwrap();
        let mut memory = Memory::default();
        // A large one before a small one: what only the large one reached is wiped too.
        for params in [large, HashParams::TESTING] {
            let work = Work::Dummy(params);
            memory
                .run(&work, &"a password".into(), large, &entropy)
                .unwrap();
        }
        assert!(left(&memory) > 128 * 200, "{}", left(&memory));
        memory.wipe();
        assert_eq!(left(&memory), 0);
        assert_eq!(memory.blocks.len(), 256);
        // What is larger than today's hashes need is given back.
        memory
            .run(
                &Work::Dummy(large),
                &"a".into(),
                HashParams::TESTING,
                &entropy,
            )
            .unwrap();
        assert_eq!(memory.blocks.len(), 8);
    }
}
