//! Device tokens: what a client that signed in shows the next time.
//!
//! A token is `cyd1_<kid>.<user>.<epoch>.<expiry>.<device>.<MAC>`. The MAC is
//! HMAC-SHA-256 over all of these and the sign-in name that it was given for,
//! under a key of the deployment. It opens nothing: it only says that this
//! client signed in under this name before (OWASP, "device cookies").

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

use super::SignInName;
use crate::domain::{Epoch, Timestamp, User, UserId};

const PREFIX: &str = "cyd1_";
/// The longest text that is looked at.
const MAX_BYTES: usize = 256;

/// One client of one person: 128 random bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeviceId([u8; 16]);

impl DeviceId {
    /// Takes 128 random bits.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bits.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceId(…)")
    }
}

/// A client that signed in before, as its token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    /// Which one.
    pub id: DeviceId,
    /// Whose.
    pub user: UserId,
    /// The credential epoch in which it signed in.
    pub epoch: Epoch,
    /// Until when it is recognised.
    pub expires_at: Timestamp,
}

impl Device {
    /// Whether it is still a device of this account: no credential was changed since.
    #[must_use]
    pub fn is_of(&self, user: &User) -> bool {
        self.user == user.id && self.epoch == user.epoch
    }
}

/// The two keys that a server key stands for.
#[derive(Clone)]
struct Derived {
    mac: Zeroizing<[u8; 32]>,
    hash: Zeroizing<[u8; 32]>,
}

/// The server's keys for device tokens: one that new tokens are made with, and those still accepted.
///
/// The active one also keys the hashes that stand for names in counters, so
/// another active key begins other counters.
#[derive(Clone)]
pub struct DeviceKeys {
    active: u32,
    active_key: Derived,
    others: BTreeMap<u32, Derived>,
}

impl fmt::Debug for DeviceKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceKeys({}, …)", self.active)
    }
}

fn derive(key: [u8; 32]) -> Derived {
    let key = Zeroizing::new(key);
    let kdf = Hkdf::<Sha256>::new(None, key.as_slice());
    let mut derived = Derived {
        mac: Zeroizing::new([0; 32]),
        hash: Zeroizing::new([0; 32]),
    };
    for (label, out) in [
        (b"cyprob device token v1".as_slice(), &mut derived.mac),
        (b"cyprob failure counter v1".as_slice(), &mut derived.hash),
    ] {
        let filled = kdf.expand(label, out.as_mut_slice());
        debug_assert!(filled.is_ok(), "32 bytes are within what HKDF gives");
    }
    derived
}

impl DeviceKeys {
    /// A ring of one key: its number and 256 random bits.
    #[must_use]
    pub fn new(id: u32, key: [u8; 32]) -> Self {
        Self {
            active: id,
            active_key: derive(key),
            others: BTreeMap::new(),
        }
    }

    /// Adds a key that is accepted but makes no new tokens. Adding the active one's number changes nothing.
    #[must_use]
    pub fn with_accepted(mut self, id: u32, key: [u8; 32]) -> Self {
        if id != self.active {
            self.others.insert(id, derive(key));
        }
        self
    }

    fn get(&self, id: u32) -> Option<&Derived> {
        if id == self.active {
            Some(&self.active_key)
        } else {
            self.others.get(&id)
        }
    }

    /// A keyed hash within a namespace.
    pub(super) fn hash(&self, space: &str, what: &[u8]) -> [u8; 16] {
        let mut out = [0; 16];
        // INVARIANT: HMAC takes a key of any length
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.active_key.hash.as_slice()) {
            mac.update(space.as_bytes());
            mac.update(&[0]);
            mac.update(what);
            for (to, from) in out.iter_mut().zip(mac.finalize().into_bytes()) {
                *to = from;
            }
        }
        out
    }

    /// Makes the token of a device for the name that it signs in under.
    #[must_use]
    pub fn mint(&self, device: &Device, name: &SignInName) -> SecretString {
        let body = body(self.active, device);
        let mac = mac(&self.active_key, &body, name)
            .map(|mac| URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
            .unwrap_or_default();
        format!("{body}.{mac}").into()
    }

    /// The device of a token that this deployment gave out for this name, and that is still good.
    ///
    /// `None` for any other text, without saying which. A token that would live
    /// for longer than `lifetime` is none: a clock that ran ahead gave it out.
    /// Whether it is the account's present epoch is asked with [`Device::is_of`].
    #[must_use]
    pub fn recognise(
        &self,
        token: &SecretString,
        name: &SignInName,
        lifetime: Duration,
        at: Timestamp,
    ) -> Option<Device> {
        let text = token.expose_secret();
        if text.len() > MAX_BYTES {
            return None;
        }
        let (shown, tag) = text.rsplit_once('.')?;
        let (key, device) = parse(shown)?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        let genuine = mac(self.get(key)?, shown, name)?.verify_slice(&tag).is_ok();
        let lives = at < device.expires_at && device.expires_at <= at.after(lifetime);
        (genuine && lives).then_some(device)
    }
}

fn body(key: u32, device: &Device) -> String {
    format!(
        "{PREFIX}{key}.{}.{}.{}.{}",
        device.user,
        device.epoch.get(),
        device.expires_at.as_micros(),
        hex::encode(device.id.0)
    )
}

/// Reads what [`body`] writes, and nothing else.
fn parse(shown: &str) -> Option<(u32, Device)> {
    let mut parts = shown.strip_prefix(PREFIX)?.split('.');
    let mut part = || parts.next();
    let (key, user, epoch, expiry, id) = (part()?, part()?, part()?, part()?, part()?);
    let key = key.parse().ok()?;
    let mut bytes = [0; 16];
    hex::decode_to_slice(id, &mut bytes).ok()?;
    let device = Device {
        id: DeviceId(bytes),
        user: user.parse().ok()?,
        epoch: Epoch::new(epoch.parse().ok()?),
        expires_at: Timestamp::from_micros(expiry.parse().ok()?),
    };
    (parts.next().is_none() && body(key, &device) == shown).then_some((key, device))
}

fn mac(key: &Derived, body: &str, name: &SignInName) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.mac.as_slice()).ok()?;
    mac.update(body.as_bytes());
    // No body has a line feed, so no name can pass for a part of it.
    mac.update(b"\n");
    mac.update(name.as_str().as_bytes());
    Some(mac)
}

#[cfg(test)]
mod tests;
