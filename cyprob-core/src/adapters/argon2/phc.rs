//! The stored form: a PHC string, bounded before anything is computed from it.

use argon2::password_hash::phc;
use argon2::{Algorithm, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

use super::params::HashParams;
use crate::domain::PasswordHash;

/// Bytes of a new salt.
pub(super) const SALT: usize = 16;
/// Bytes of a new output.
pub(super) const OUTPUT: usize = 32;

/// A stored password, taken apart.
pub(super) struct Stored {
    pub(super) params: HashParams,
    pub(super) salt: Vec<u8>,
    pub(super) output: Zeroizing<Vec<u8>>,
}

/// Takes a stored password apart; `None` for anything but argon2id version 19 within the bounds.
pub(super) fn parse(hash: &PasswordHash) -> Option<Stored> {
    let text = hash.expose_phc();
    if text.len() > 256 {
        return None;
    }
    let hash = phc::PasswordHash::new(text).ok()?;
    let version = hash
        .version
        .map_or(Ok(Version::V0x13), Version::try_from)
        .ok()?;
    let algorithm = Algorithm::new(hash.algorithm.as_str()).ok()?;
    if algorithm != Algorithm::Argon2id || version != Version::V0x13 {
        return None;
    }
    let found = Params::try_from(&hash).ok()?;
    if !found.keyid().is_empty() || !found.data().is_empty() {
        return None;
    }
    let params = HashParams::stored(found.m_cost(), found.t_cost(), found.p_cost())?;
    let salt = hash.salt?.to_vec();
    let output = Zeroizing::new(hash.hash?.as_bytes().to_vec());
    (8..=64).contains(&salt.len()).then_some(())?;
    (16..=64).contains(&output.len()).then_some(Stored {
        params,
        salt,
        output,
    })
}

/// Writes a password's storable form.
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
