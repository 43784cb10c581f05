//! Stored hashes in PHC form, read within bounds.

use ::argon2::password_hash::phc::{self, Output, Salt};
use ::argon2::{ARGON2ID_IDENT, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::params::HashParams;
use crate::domain::PasswordHash;

/// Bytes of a new hash's salt.
pub(super) const SALT: usize = 16;
/// Bytes of a new hash's output.
pub(super) const OUTPUT: usize = 32;
/// The longest PHC string within the bounds has 20 + 22 + 86 + 86 bytes or so.
const MAX_TEXT: usize = 256;

/// A stored hash within the bounds.
pub(super) struct Stored {
    pub(super) params: HashParams,
    pub(super) salt: Salt,
    pub(super) output: Output,
}

impl Stored {
    /// Reads a stored hash; `None` if it is broken, of another kind, or asks for too much.
    pub(super) fn read(hash: &PasswordHash) -> Option<Self> {
        let text = hash.expose_phc();
        if text.len() > MAX_TEXT {
            return None;
        }
        let parsed = phc::PasswordHash::new(text).ok()?;
        if parsed.algorithm != ARGON2ID_IDENT || parsed.version != Some(Version::V0x13.into()) {
            return None;
        }
        let params = Params::try_from(&parsed).ok()?;
        if !params.keyid().is_empty() || !params.data().is_empty() {
            return None;
        }
        let params = HashParams::new(params.m_cost(), params.t_cost(), params.p_cost()).ok()?;
        let salt = parsed.salt?;
        let output = parsed.hash?;
        (16..=64).contains(&output.len()).then_some(Self {
            params,
            salt,
            output,
        })
    }

    /// Whether a new hash would look like it.
    pub(super) fn is_todays(&self, today: HashParams) -> bool {
        self.params == today && self.salt.len() >= SALT && self.output.len() == OUTPUT
    }
}

/// Writes a hash.
pub(super) fn write(params: HashParams, salt: &[u8], output: &[u8]) -> PasswordHash {
    PasswordHash::from_phc(format!(
        "$argon2id$v=19$m={},t={},p={}${}${}",
        params.memory_kib(),
        params.passes(),
        params.lanes(),
        STANDARD_NO_PAD.encode(salt),
        STANDARD_NO_PAD.encode(output),
    ))
}
