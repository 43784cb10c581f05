//! Verifier keys: `name+hash+base64`.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha256};

use super::KeyName;

/// What a key's signatures are over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignatureKind {
    /// The note's text, Ed25519 (type 0x01): a log's own signature.
    Note,
    /// A checkpoint and the time at which it was seen, Ed25519 (type 0x04): a witness's cosignature.
    Cosignature,
}

impl SignatureKind {
    /// The type's byte in key ids and verifier keys.
    pub(super) const fn byte(self) -> u8 {
        match self {
            Self::Note => 0x01,
            Self::Cosignature => 0x04,
        }
    }
}

/// The text is not a verifier key that we take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifierKeyError {
    /// It is not `name+hash+base64`.
    #[error("not a verifier key of the form name+hash+base64")]
    Form,
    /// The hash is not that of the name and the key.
    #[error("the hash of the verifier key is not that of its name and key")]
    Hash,
    /// The type is neither Ed25519 note signature (1) nor Ed25519 cosignature (4).
    #[error("a verifier key of a type that is not supported")]
    Kind,
    /// The key is no point of the curve, or a weak one.
    #[error("the public key of the verifier key is invalid")]
    PublicKey,
}

/// A public key with its name: what a verifier has to be given (a "vkey").
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: KeyName,
    id: [u8; 4],
    kind: SignatureKind,
    key: VerifyingKey,
}

impl VerifierKey {
    pub(super) fn new(name: KeyName, kind: SignatureKind, key: VerifyingKey) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(name.as_str());
        hasher.update([b'\n', kind.byte()]);
        hasher.update(key.as_bytes());
        let digest: [u8; 32] = hasher.finalize().into();
        let [a, b, c, d, ..] = digest;
        Self {
            name,
            id: [a, b, c, d],
            kind,
            key,
        }
    }

    /// The key's name; of a log's key it is the log's origin.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// What the key's signatures are over.
    #[must_use]
    pub const fn kind(&self) -> SignatureKind {
        self.kind
    }

    /// The key id that stands before each signature.
    #[must_use]
    pub const fn id(&self) -> [u8; 4] {
        self.id
    }

    /// The 32 bytes of the public key (RFC 8032).
    #[must_use]
    pub fn public_key(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// The key of a log whose origin is the key's name or lies below it, as a deployment's logs do.
    ///
    /// A deployment signs all its logs with one key under each log's own name,
    /// so whoever trusts the deployment's key can verify any of them; which one
    /// it was, the origin says.
    #[must_use]
    pub fn for_log(&self, origin: &KeyName) -> Option<Self> {
        let below = origin.as_str().strip_prefix(self.name.as_str())?;
        match below.strip_prefix('/') {
            Some(_) => Some(Self::new(origin.clone(), self.kind, self.key)),
            None => below.is_empty().then(|| self.clone()),
        }
    }

    /// Whether the signature of the message is this key's.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }
}

impl FromStr for VerifierKey {
    type Err = VerifierKeyError;

    fn from_str(text: &str) -> Result<Self, VerifierKeyError> {
        use VerifierKeyError::{Form, Hash, Kind, PublicKey};
        if text.len() > 512 {
            return Err(Form);
        }
        let (name, rest) = text.split_once('+').ok_or(Form)?;
        let (id, key) = rest.split_once('+').ok_or(Form)?;
        let name: KeyName = name.parse().map_err(|_| Form)?;
        if id.len() != 8 || id.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(Form);
        }
        let id = hex::decode(id).map_err(|_| Form)?;
        let key = STANDARD.decode(key).map_err(|_| Form)?;
        let (kind, key) = key.split_first().ok_or(Form)?;
        let kind = match kind {
            0x01 => SignatureKind::Note,
            0x04 => SignatureKind::Cosignature,
            _ => return Err(Kind),
        };
        let key: [u8; 32] = key.try_into().map_err(|_| Form)?;
        let key = VerifyingKey::from_bytes(&key).map_err(|_| PublicKey)?;
        if key.is_weak() {
            return Err(PublicKey);
        }
        let made = Self::new(name, kind, key);
        if made.id.as_slice() == id {
            Ok(made)
        } else {
            Err(Hash)
        }
    }
}

/// The text form, which `FromStr` reads back.
impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![self.kind.byte()];
        key.extend_from_slice(self.key.as_bytes());
        let id = hex::encode(self.id);
        write!(f, "{}+{id}+{}", self.name, STANDARD.encode(key))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
