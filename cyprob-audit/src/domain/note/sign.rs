//! The keys that sign.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cyprob_core::domain::Timestamp;
use ed25519_dalek::{Signer as _, SigningKey};
use secrecy::{ExposeSecret as _, SecretBox};

use super::{KeyName, SignatureKind, VerifierKey, cosign};

/// The signing key of a log, under the log's origin as its name.
pub struct LogSigner {
    key: SigningKey,
    verifier: VerifierKey,
}

impl LogSigner {
    /// The signer of one log, from the 32-byte Ed25519 seed.
    ///
    /// One seed serves many logs: name and key id tell their signatures
    /// apart, and the signed text begins with the origin.
    #[must_use]
    pub fn from_seed(origin: KeyName, seed: &SecretBox<[u8; 32]>) -> Self {
        let (key, verifier) = keys(origin, SignatureKind::Note, seed);
        Self { key, verifier }
    }

    /// The public half, for those who verify.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Signs a text that ends in a newline: text, blank line, one signature line.
    #[must_use]
    pub(crate) fn sign(&self, text: &str) -> String {
        let signature = self.key.sign(text.as_bytes()).to_bytes();
        format!("{text}\n{}", line(&self.verifier, &signature))
    }
}

/// Shows the public half alone.
impl std::fmt::Debug for LogSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LogSigner({})", self.verifier)
    }
}

/// The signing key of a witness (C2SP tlog-cosignature, `cosignature/v1`).
pub struct WitnessSigner {
    key: SigningKey,
    verifier: VerifierKey,
}

impl WitnessSigner {
    /// A witness, from the 32-byte Ed25519 seed, which nothing else may use.
    #[must_use]
    pub fn from_seed(name: KeyName, seed: &SecretBox<[u8; 32]>) -> Self {
        let (key, verifier) = keys(name, SignatureKind::Cosignature, seed);
        Self { key, verifier }
    }

    /// The public half, for those who verify.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The signature line by which it says that it saw this checkpoint at this time.
    ///
    /// The caller has checked the checkpoint and its consistency with the last
    /// one it cosigned. Times before 1970 are taken as 1970.
    #[must_use]
    pub fn cosign(&self, checkpoint_text: &str, at: Timestamp) -> String {
        let time = u64::try_from(at.as_seconds()).unwrap_or(0);
        let message = cosign::message(time, checkpoint_text);
        let mut signature = time.to_be_bytes().to_vec();
        signature.extend_from_slice(&self.key.sign(message.as_bytes()).to_bytes());
        line(&self.verifier, &signature)
    }
}

/// Shows the public half alone.
impl std::fmt::Debug for WitnessSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WitnessSigner({})", self.verifier)
    }
}

fn keys(
    name: KeyName,
    kind: SignatureKind,
    seed: &SecretBox<[u8; 32]>,
) -> (SigningKey, VerifierKey) {
    let key = SigningKey::from_bytes(seed.expose_secret());
    let verifier = VerifierKey::new(name, kind, key.verifying_key());
    (key, verifier)
}

fn line(verifier: &VerifierKey, signature: &[u8]) -> String {
    let mut bytes = verifier.id().to_vec();
    bytes.extend_from_slice(signature);
    format!("\u{2014} {} {}\n", verifier.name(), STANDARD.encode(bytes))
}
