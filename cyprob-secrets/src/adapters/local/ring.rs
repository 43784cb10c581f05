//! The key ring: a store's data keys, wrapped by the master key.
//!
//! ```text
//! store id   sealed file: the keys   witness: key id  nonce  tag
//!    16       30 + 24 + n·41 + 16                 8     24    16
//! ```
//! The wrapped part is a sealed file of kind 0 under a key derived from the
//! master key and the store's id; its version is the ring's generation, which
//! every change raises. It holds one key, or two while one retires: each its
//! format, id and bytes, the one that seals first. The witness authenticates all
//! bytes before it under that key, so that a process which knows the data keys
//! can tell that they are still the ones, though the master key is another.
//!
//! In format 1 the file was the store's id and an empty sealed file, and the one
//! data key was derived from the master key.

use cyprob_core::domain::Timestamp;
use cyprob_core::ports::{Entropy, EntropyExt};
use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use super::format::{Opened, is_first_format, key_of};
use super::keys::{Form, KeyId, SealKey, StoreId};
use crate::domain::MasterKey;
use crate::ports::{Damage, Sealed, SecretError};

const WITNESS: usize = 48;
const KEPT: usize = 41;
const CONTEXT: &[u8] = b"cyprob-secrets local store v2 witness\0";

/// The data keys of a store.
#[derive(Clone)]
pub(super) struct Ring {
    store: StoreId,
    generation: u64,
    current: SealKey,
    retiring: Option<SealKey>,
}

impl Ring {
    /// The ring of a new store.
    pub(super) fn draw(entropy: &dyn Entropy) -> Result<Self, SecretError> {
        let store = entropy.bytes();
        Ok(Self {
            store,
            generation: 1,
            current: SealKey::draw(&store, entropy)?,
            retiring: None,
        })
    }

    /// Unwraps a ring's file.
    pub(super) fn open(file: &[u8], master: &MasterKey) -> Result<Self, SecretError> {
        let (store, sealed) = file
            .split_first_chunk::<16>()
            .ok_or_else(|| damaged(Damage::Length))?;
        if is_first_format(sealed) {
            let current = SealKey::first(master, store)?;
            // The id stands before the sealed part, which proves it.
            current.open(&Sealed::Store, sealed)?;
            return Ok(Self {
                store: *store,
                generation: 0,
                current,
                retiring: None,
            });
        }
        let (sealed, _) = sealed
            .split_last_chunk::<WITNESS>()
            .ok_or_else(|| damaged(Damage::Length))?;
        let opened = SealKey::wrapping(master, store)?.open(&Sealed::Store, sealed)?;
        let ring = Self::of_kept(*store, &opened)?;
        match ring.witnessed(file) {
            true => Ok(ring),
            false => Err(damaged(Damage::Seal)),
        }
    }

    fn of_kept(store: StoreId, opened: &Opened) -> Result<Self, SecretError> {
        let state = || damaged(Damage::State);
        let mut keys = opened.bytes.chunks_exact(KEPT).map(|kept| {
            let (form, rest) = kept.split_first()?;
            let (id, bytes) = rest.split_first_chunk::<8>()?;
            let form = match form {
                1 => Form::First,
                2 => Form::Second(store),
                _ => return None,
            };
            Some(SealKey::new(form, *id, bytes.try_into().ok()?))
        });
        let current = keys.next().flatten().ok_or_else(state)?;
        let retiring = match keys.next() {
            Some(key) => Some(key.ok_or_else(state)?),
            None => None,
        };
        Ok(Self {
            store,
            generation: opened.version,
            current,
            retiring,
        })
    }

    /// The ring's file under a master key.
    pub(super) fn wrap(
        &self,
        master: &MasterKey,
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, SecretError> {
        let mut kept = Zeroizing::new(Vec::with_capacity(2 * KEPT));
        for key in std::iter::once(&self.current).chain(&self.retiring) {
            kept.push(key.form().number());
            kept.extend(key.id());
            kept.extend(key.expose_secret());
        }
        let wrapping = SealKey::wrapping(master, &self.store)?;
        let at = Timestamp::UNIX_EPOCH;
        let sealed = wrapping.seal(&Sealed::Store, self.generation, &kept, at, entropy)?;
        let mut file = [self.store.as_slice(), &sealed].concat();
        let nonce: [u8; 24] = entropy.bytes();
        let aad = [CONTEXT, &file].concat();
        let tag = self.current.encrypt(nonce, &[], &aad)?;
        file.extend(self.current.id());
        file.extend(nonce);
        file.extend(tag);
        Ok(file)
    }

    /// Whether a file is a ring whose sealing key is this ring's.
    fn witnessed(&self, file: &[u8]) -> bool {
        let Some((before, witness)) = file.split_last_chunk::<WITNESS>() else {
            return false;
        };
        let Some((id, rest)) = witness.split_first_chunk::<8>() else {
            return false;
        };
        let Some((nonce, tag)) = rest.split_first_chunk::<24>() else {
            return false;
        };
        let aad = [CONTEXT, before].concat();
        *id == self.current.id() && self.current.decrypt(*nonce, tag, &aad).is_some()
    }

    /// This ring as the generation of a file that another master key wraps, if it
    /// seals with the same key still.
    pub(super) fn followed(&self, file: &[u8]) -> Option<Self> {
        let generation = file.get(30..38)?.try_into().ok()?;
        self.witnessed(file).then(|| Self {
            generation: u64::from_be_bytes(generation),
            ..self.clone()
        })
    }

    /// The next generation with the same keys; of a store in format 1, with a
    /// drawn key, because the old master key alone gives the present one.
    pub(super) fn rewrapped(&self, entropy: &dyn Entropy) -> Result<Self, SecretError> {
        match self.current.form() {
            Form::First => self.renewed(entropy),
            Form::Second(_) => Ok(self.next(self.current.clone(), self.retiring.clone())),
        }
    }

    /// The next generation: a drawn key seals, and the present one retires.
    pub(super) fn renewed(&self, entropy: &dyn Entropy) -> Result<Self, SecretError> {
        let drawn = SealKey::draw(&self.store, entropy)?;
        Ok(self.next(drawn, Some(self.current.clone())))
    }

    /// The next generation, without the key that retired.
    pub(super) fn retired(&self) -> Self {
        self.next(self.current.clone(), None)
    }

    fn next(&self, current: SealKey, retiring: Option<SealKey>) -> Self {
        Self {
            store: self.store,
            generation: self.generation.saturating_add(1),
            current,
            retiring,
        }
    }

    /// Seals bytes as one item.
    pub(super) fn seal(
        &self,
        item: &Sealed,
        bytes: &[u8],
        at: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, SecretError> {
        self.current.seal(item, 0, bytes, at, entropy)
    }

    /// Opens a file that should be this item, under the key that it names.
    pub(super) fn unseal(&self, item: &Sealed, file: &[u8]) -> Result<Opened, SecretError> {
        let named = key_of(item, file)?;
        match &self.retiring {
            Some(retiring) if retiring.id() == named => retiring.open(item, file),
            _ => self.current.open(item, file),
        }
    }

    pub(super) const fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether a file says that it is sealed under the key that seals now.
    pub(super) fn seals(&self, item: &Sealed, file: &[u8]) -> Result<bool, SecretError> {
        Ok(key_of(item, file)? == self.current.id())
    }

    /// The id of the key that seals.
    pub(super) const fn sealing(&self) -> KeyId {
        self.current.id()
    }

    /// Whether files may still be sealed under an earlier key.
    pub(super) const fn retires(&self) -> bool {
        self.retiring.is_some()
    }
}

/// The id of the master key that a ring's file says it is wrapped by.
pub(super) fn wrapped_by(file: &[u8]) -> Option<KeyId> {
    file.get(22..30)?.try_into().ok()
}

fn damaged(damage: Damage) -> SecretError {
    SecretError::Damaged {
        item: Sealed::Store,
        damage,
    }
}
