//! Refresh tokens: their form, their derivation and what becomes of one that is shown.
//!
//! A token is `cyr1_<kid>.<session>.<generation>.<MAC>`. The MAC is
//! HMAC-SHA-256 over version, session, generation and the session's credential
//! epoch, under HKDF-SHA-256 of the server's key and the session's random
//! seed: whoever has the database alone, or the server's key alone, makes none.
//! The successor is derived, not drawn, so every racer gets the same one.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{Session, SessionId, Timestamp};

const PREFIX: &str = "cyr1_";

/// The name of a server key for refresh tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RefreshKeyId(u32);

impl RefreshKeyId {
    /// The key with this number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The key's number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// A server key for refresh tokens: 256 random bits.
#[derive(Clone)]
pub struct RefreshKey(Zeroizing<[u8; 32]>);

impl RefreshKey {
    /// Takes 256 random bits.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl fmt::Debug for RefreshKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshKey(…)")
    }
}

/// The server's keys: one that new tokens are made with, and those still accepted.
#[derive(Clone, Debug)]
pub struct RefreshKeys {
    active: RefreshKeyId,
    active_key: RefreshKey,
    others: BTreeMap<RefreshKeyId, RefreshKey>,
}

impl RefreshKeys {
    /// A ring of one key.
    #[must_use]
    pub const fn new(id: RefreshKeyId, key: RefreshKey) -> Self {
        Self {
            active: id,
            active_key: key,
            others: BTreeMap::new(),
        }
    }

    /// Adds a key that is accepted but makes no new tokens. Adding the active one's id changes nothing.
    #[must_use]
    pub fn with_accepted(mut self, id: RefreshKeyId, key: RefreshKey) -> Self {
        if id != self.active {
            self.others.insert(id, key);
        }
        self
    }

    /// The key that new tokens are made with.
    #[must_use]
    pub const fn active(&self) -> RefreshKeyId {
        self.active
    }

    fn get(&self, id: RefreshKeyId) -> Option<&RefreshKey> {
        if id == self.active {
            Some(&self.active_key)
        } else {
            self.others.get(&id)
        }
    }
}

/// The text is no refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a refresh token")]
pub struct RefreshTokenError;

/// A refresh token as shown, taken apart but not yet believed.
#[derive(Clone)]
pub struct PresentedRefresh {
    /// The server key it names.
    pub key: RefreshKeyId,
    /// The session it names.
    pub session: SessionId,
    /// Its number in the session.
    pub generation: u32,
    mac: [u8; 32],
}

impl fmt::Debug for PresentedRefresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PresentedRefresh({}, {})", self.session, self.generation)
    }
}

/// Reads a number in the one way it is written: no sign, no leading zero.
fn number(text: &str) -> Option<u32> {
    let n = text.parse::<u32>().ok()?;
    (n.to_string() == text).then_some(n)
}

impl PresentedRefresh {
    /// Takes a token apart.
    ///
    /// # Errors
    ///
    /// [`RefreshTokenError`] if it is not of the form; nothing of it was checked against anything.
    pub fn parse(token: &SecretString) -> Result<Self, RefreshTokenError> {
        let text = token.expose_secret();
        if text.len() > 200 {
            return Err(RefreshTokenError);
        }
        let mut parts = text
            .strip_prefix(PREFIX)
            .ok_or(RefreshTokenError)?
            .split('.');
        let (Some(key), Some(session), Some(generation), Some(mac), None) = (
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
        ) else {
            return Err(RefreshTokenError);
        };
        let mac = URL_SAFE_NO_PAD.decode(mac).map_err(|_| RefreshTokenError)?;
        Ok(Self {
            key: RefreshKeyId(number(key).ok_or(RefreshTokenError)?),
            session: session.parse().map_err(|_| RefreshTokenError)?,
            generation: number(generation).ok_or(RefreshTokenError)?,
            mac: mac.try_into().map_err(|_| RefreshTokenError)?,
        })
    }
}

fn mac(key: &RefreshKey, session: &Session, generation: u32) -> Option<Hmac<Sha256>> {
    let mut derived = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(session.seed.expose_bytes()), key.0.as_slice())
        .expand(b"cyprob refresh token v1", derived.as_mut_slice())
        .ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(derived.as_slice()).ok()?;
    mac.update(PREFIX.as_bytes());
    mac.update(session.id.as_bytes());
    mac.update(&generation.to_be_bytes());
    mac.update(&session.credential_epoch.get().to_be_bytes());
    Some(mac)
}

/// Makes the session's current refresh token; the same every time until the session moves on.
///
/// `None` if the ring lacks the key that the session names: it was taken out, which ends the session.
#[must_use]
pub fn mint_refresh_token(keys: &RefreshKeys, session: &Session) -> Option<SecretString> {
    let RefreshKeyId(key_id) = session.refresh.key;
    let generation = session.refresh.generation;
    let mac = mac(keys.get(session.refresh.key)?, session, generation)?
        .finalize()
        .into_bytes();
    let mac = URL_SAFE_NO_PAD.encode(mac);
    Some(format!("{PREFIX}{key_id}.{}.{generation}.{mac}", session.id).into())
}

/// What becomes of a refresh token that was shown. Exhaustive: who adds one must handle it everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefreshVerdict {
    /// It is the current one: the session moves one step on.
    Rotate,
    /// It is the one before, still within the grace: the current pair is given once more.
    Repeat,
    /// It was made by us and used long ago: somebody else has it. The session ends.
    Theft,
    /// It was not made by us for this session. Nothing changes, or anyone who knows a session's id could end it.
    Forged,
    /// The session is over.
    Over,
}

/// Judges a token against the session it names. Pure: the caller carries the verdict out by compare-and-swap.
#[must_use]
pub fn judge_refresh(
    keys: &RefreshKeys,
    session: &Session,
    shown: &PresentedRefresh,
    grace: Duration,
    at: Timestamp,
) -> RefreshVerdict {
    let state = &session.refresh;
    // A key's id is believed where the row remembers it, so that a stranger cannot choose the key.
    let remembered = match state.generation.checked_sub(shown.generation) {
        Some(0) => Some(state.key) == Some(shown.key),
        Some(1) => state.previous_key == Some(shown.key),
        Some(_) => true,
        None => false,
    };
    let genuine = remembered
        && shown.session == session.id
        && keys
            .get(shown.key)
            .and_then(|key| mac(key, session, shown.generation))
            .is_some_and(|mac| mac.verify_slice(&shown.mac).is_ok());
    if !genuine {
        return RefreshVerdict::Forged;
    }
    if !session.is_live(at) {
        return RefreshVerdict::Over;
    }
    match state.generation.saturating_sub(shown.generation) {
        0 => RefreshVerdict::Rotate,
        1 if at < state.rotated_at.after(grace) => RefreshVerdict::Repeat,
        _ => RefreshVerdict::Theft,
    }
}

#[cfg(test)]
mod tests;
