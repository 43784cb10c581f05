//! The keys of a store: one that wraps, and those that seal.

use std::sync::Arc;

use cyprob_core::ports::{Entropy, EntropyExt};
use hkdf::Hkdf;
use secrecy::{ExposeSecret, SecretBox};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::domain::MasterKey;
use crate::ports::SecretError;

/// The random id of a store, which keeps stores under one master key apart.
pub(super) type StoreId = [u8; 16];

/// The public id of a key, derived from it.
pub(super) type KeyId = [u8; 8];

/// How a key binds what it seals to its store.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// Format 1: the key is derived from the master key and the store's id.
    First,
    /// Format 2: the store's id is in the associated data.
    Second(StoreId),
}

impl Form {
    pub(super) const NUMBERS: [u8; 2] = [1, 2];

    pub(super) const fn number(&self) -> u8 {
        match self {
            Self::First => 1,
            Self::Second(_) => 2,
        }
    }
}

/// A key that seals files.
#[derive(Clone)]
pub(super) struct SealKey {
    form: Form,
    id: KeyId,
    bytes: Arc<SecretBox<[u8; 32]>>,
}

/// A failure of the cipher itself, which only an impossible length causes.
#[derive(Debug, thiserror::Error)]
#[error("sealing failed")]
struct SealFailed;

/// Tells a failure of the cipher.
pub(super) fn failed<E>(_: E) -> SecretError {
    SecretError::unavailable(SealFailed)
}

/// The id of a master key; the same in every store.
pub(super) fn master_id(master: &MasterKey) -> Result<KeyId, SecretError> {
    // Not bound to the store, so that a damaged id is not taken for a wrong key.
    let id = b"cyprob-secrets local store v1 key id";
    expand(None, master.expose(), id).map(|id| *id)
}

impl SealKey {
    /// What a master key sealed in format 1.
    pub(super) fn first(master: &MasterKey, store: &StoreId) -> Result<Self, SecretError> {
        let info = b"cyprob-secrets local store v1 seal";
        let bytes = expand(Some(store), master.expose(), info)?;
        Ok(Self::new(Form::First, master_id(master)?, &bytes))
    }

    /// What a master key wraps a key ring with.
    pub(super) fn wrapping(master: &MasterKey, store: &StoreId) -> Result<Self, SecretError> {
        let info = b"cyprob-secrets local store v2 wrap";
        let bytes = expand(Some(store), master.expose(), info)?;
        Ok(Self::new(Form::Second(*store), master_id(master)?, &bytes))
    }

    /// Draws a data key.
    pub(super) fn draw(store: &StoreId, entropy: &dyn Entropy) -> Result<Self, SecretError> {
        let bytes = Zeroizing::new(entropy.bytes::<32>());
        let id = expand(None, &bytes, b"cyprob-secrets local store v2 data key id")?;
        Ok(Self::new(Form::Second(*store), *id, &bytes))
    }

    /// A key as it was kept.
    pub(super) fn new(form: Form, id: KeyId, bytes: &[u8; 32]) -> Self {
        let bytes = Arc::new(SecretBox::new(Box::new(*bytes)));
        Self { form, id, bytes }
    }

    pub(super) const fn form(&self) -> &Form {
        &self.form
    }

    pub(super) const fn id(&self) -> KeyId {
        self.id
    }
}

impl ExposeSecret<[u8; 32]> for SealKey {
    fn expose_secret(&self) -> &[u8; 32] {
        self.bytes.expose_secret()
    }
}

/// Derives bytes (HKDF-SHA-256, RFC 5869).
fn expand<const N: usize>(
    salt: Option<&StoreId>,
    key: &[u8; 32],
    info: &[u8],
) -> Result<Zeroizing<[u8; N]>, SecretError> {
    let mut out = Zeroizing::new([0_u8; N]);
    Hkdf::<Sha256>::new(salt.map(StoreId::as_slice), key)
        .expand(info, out.as_mut_slice())
        .map_err(failed)?;
    Ok(out)
}
