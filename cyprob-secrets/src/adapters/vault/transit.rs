//! Keys that sign within a Vault and never leave it.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::IgnoredAny;
use vaultrs::api::transit::KeyType;
use vaultrs::api::transit::requests::{CreateKeyRequest, ReadKeyRequest, SignDataRequest};

use super::connection::Vault;
use super::fault::{Fault, Outage};
use super::{VaultMount, VaultName};
use crate::domain::SecretVersion;
use crate::ports::BoxError;

/// How long a signature is waited for: somebody is signing in.
const PATIENCE: Duration = Duration::from_secs(2);

/// Makes Ed25519 keys in a transit engine, and signs with them there.
///
/// Its policy must allow `read` and `update` on `MOUNT/keys/NAME` and `update` on
/// `MOUNT/sign/NAME`. Give it neither `MOUNT/keys/NAME/config`, with which a key
/// is made exportable, nor `MOUNT/export` or `MOUNT/backup`.
#[derive(Clone, Debug)]
pub struct VaultTransit {
    vault: Vault,
    mount: VaultMount,
}

/// A key of a transit engine: its name, and which of its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransitKey {
    /// The name within the engine.
    pub name: VaultName,
    /// The version; the engine's own rotation makes others, and leaves this one as it is.
    pub version: SecretVersion,
}

/// Why a key was not made, not shown, or did not sign.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransitError {
    /// The engine answers, and says no.
    #[error("{0}")]
    Refused(TransitRefusal),
    /// The engine cannot be reached, failed, or says what it must not.
    #[error("transit engine unavailable")]
    Unavailable {
        /// The cause, for the log.
        #[source]
        source: Arc<dyn Error + Send + Sync + 'static>,
    },
}

/// Why an engine says no; its text names the remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransitRefusal {
    /// Its policy does not allow it.
    #[error(
        "the policy does not let this deployment make, read or use the key; grant update and read on keys/ and update on sign/ of the mount"
    )]
    Denied,
    /// It does not know this deployment any more.
    #[error("the server does not accept this deployment's own login; renew it")]
    NoLogin,
    /// It has no such key, or does not sign with it.
    #[error(
        "the engine does not sign with this key; check the mount, and that the key and its version are there"
    )]
    NoKey,
    /// It is not an Ed25519 key with one pair of halves for each version.
    #[error("the key is no plain Ed25519 key; use another name")]
    OtherKind,
    /// Its private half came from elsewhere, or may be read.
    #[error("the key was imported, or is exportable or in plaintext backups; use another key")]
    Leaves,
}

/// What an engine says of a key.
#[derive(Deserialize)]
struct Described {
    #[serde(rename = "type")]
    kind: String,
    derived: bool,
    exportable: bool,
    allow_plaintext_backup: bool,
    #[serde(default)]
    imported_key: bool,
    keys: BTreeMap<String, Version>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Version {
    Pair {
        public_key: String,
    },
    /// Of a key without a public half: when it was made.
    Other(IgnoredAny),
}

#[derive(Deserialize)]
struct Signed {
    signature: String,
}

impl VaultTransit {
    /// Uses the engine at a mount.
    #[must_use]
    pub const fn new(vault: Vault, mount: VaultMount) -> Self {
        Self { vault, mount }
    }

    /// Makes an Ed25519 key whose private half cannot be read.
    ///
    /// Where there is a key of this name, of whatever kind, nothing changes, and
    /// the engine does not say so: look at it with [`public`](Self::public) first.
    ///
    /// # Errors
    ///
    /// [`TransitError`]; after `Unavailable` the key may have been made.
    pub async fn make(&self, name: &VaultName) -> Result<(), TransitError> {
        let make = CreateKeyRequest {
            mount: self.mount.to_string(),
            name: name.to_string(),
            key_type: Some(KeyType::Ed25519),
            derived: Some(false),
            exportable: Some(false),
            allow_plaintext_backup: Some(false),
            ..CreateKeyRequest::default()
        };
        self.vault.call(make).await.map(drop).map_err(failed)
    }

    /// The public half of a version, the 32 bytes of RFC 8032; nothing if there is no key of this name.
    ///
    /// # Errors
    ///
    /// [`TransitError`]: `NoKey` if the key has no such version, `OtherKind` and
    /// `Leaves` if it is not as [`make`](Self::make) makes it.
    pub async fn public(&self, key: &TransitKey) -> Result<Option<[u8; 32]>, TransitError> {
        let read = ReadKeyRequest {
            mount: self.mount.to_string(),
            name: key.name.to_string(),
        };
        let reply = match self.vault.call(read).await {
            Err(Fault::Missing { .. }) => return Ok(None),
            other => other.map_err(failed)?,
        };
        let described: Described = reply.data().map_err(failed)?;
        described.public(key.version).map(Some)
    }

    /// The Ed25519 signature of the message itself, not of a hash of it.
    ///
    /// It is not verified here: that is for whoever has the public half.
    /// There is an answer after 2 s, whatever the server does.
    ///
    /// # Errors
    ///
    /// [`TransitError`].
    pub async fn sign(&self, key: &TransitKey, message: &[u8]) -> Result<[u8; 64], TransitError> {
        let sign = SignDataRequest {
            mount: self.mount.to_string(),
            name: key.name.to_string(),
            key_version: Some(key.version.get()),
            input: STANDARD.encode(message),
            ..SignDataRequest::default()
        };
        let asked = tokio::time::timeout(PATIENCE, self.vault.call(sign)).await;
        let reply = asked.map_err(|_| failed(Outage::Timeout.into()))?;
        let signed: Signed = reply.and_then(|reply| reply.data()).map_err(failed)?;
        signature(&signed.signature, key.version).ok_or_else(garbled)
    }
}

impl Described {
    fn public(&self, version: SecretVersion) -> Result<[u8; 32], TransitError> {
        if self.kind != "ed25519" || self.derived {
            return Err(TransitError::Refused(TransitRefusal::OtherKind));
        }
        if self.exportable || self.allow_plaintext_backup || self.imported_key {
            return Err(TransitError::Refused(TransitRefusal::Leaves));
        }
        match self.keys.get(&version.to_string()) {
            None => Err(TransitError::Refused(TransitRefusal::NoKey)),
            Some(Version::Other(_)) => Err(garbled()),
            Some(Version::Pair { public_key }) => bytes(public_key).ok_or_else(garbled),
        }
    }
}

/// Reads `vault:vVERSION:BASE64`; nothing if it is of another version or length.
fn signature(text: &str, version: SecretVersion) -> Option<[u8; 64]> {
    let (number, encoded) = text.strip_prefix("vault:v")?.split_once(':')?;
    if number == version.to_string() {
        bytes(encoded)
    } else {
        None
    }
}

fn bytes<const N: usize>(encoded: &str) -> Option<[u8; N]> {
    STANDARD.decode(encoded).ok()?.try_into().ok()
}

fn garbled() -> TransitError {
    failed(Outage::Garbled.into())
}

fn failed(fault: Fault) -> TransitError {
    TransitError::Refused(match fault {
        Fault::Denied => TransitRefusal::Denied,
        Fault::Login(_) => TransitRefusal::NoLogin,
        Fault::Missing { .. } | Fault::NoPlace | Fault::Rejected(_) => TransitRefusal::NoKey,
        fault @ Fault::Outage(_) => {
            let source: BoxError = Box::new(fault);
            return TransitError::Unavailable {
                source: source.into(),
            };
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_of_the_version_that_was_asked_for_and_64_bytes() {
        let good = STANDARD.encode([7; 64]);
        let read = |text: &str| signature(text, SecretVersion::FIRST);
        assert_eq!(read(&format!("vault:v1:{good}")), Some([7; 64]));
        for bad in [
            String::new(),
            good.clone(),
            format!("vault:v2:{good}"),
            format!("vault:v01:{good}"),
            format!("vault:v11:{good}"),
            format!("vault:v:{good}"),
            format!("vault:1:{good}"),
            format!("vault:v1:{good}\n"),
            format!("vault:v1:{}", good.trim_end_matches('=')),
            format!("vault:v1:{}", STANDARD.encode([7; 63])),
            format!("vault:v1:{}", STANDARD.encode([7; 65])),
            "vault:v1:".to_owned(),
            "vault:v1:%".to_owned(),
        ] {
            assert_eq!(read(&bad), None, "{bad:?}");
        }
    }

    #[test]
    fn only_a_key_as_it_is_made_here_has_a_public_half() {
        let said = |change: (&str, &str)| {
            let public = STANDARD.encode([9; 32]);
            let text = format!(
                r#"{{"type":"ed25519","derived":false,"exportable":false,"allow_plaintext_backup":false,"imported_key":false,"keys":{{"1":{{"public_key":"{public}"}}}}}}"#
            );
            let text = text.replace(change.0, change.1);
            let described: Described = serde_json::from_str(&text).unwrap();
            described.public(SecretVersion::FIRST)
        };
        assert_eq!(said(("", "")).unwrap(), [9; 32]);
        // some servers do not say it
        assert_eq!(said((r#""imported_key":false,"#, "")).unwrap(), [9; 32]);
        let short = STANDARD.encode([9; 31]);
        let of_32 = STANDARD.encode([9; 32]);
        let whole = format!(r#"{{"public_key":"{of_32}"}}"#);
        for (change, refusal) in [
            (
                ("\"ed25519\"", "\"aes256-gcm96\""),
                Some(TransitRefusal::OtherKind),
            ),
            (
                ("\"derived\":false", "\"derived\":true"),
                Some(TransitRefusal::OtherKind),
            ),
            (
                ("\"exportable\":false", "\"exportable\":true"),
                Some(TransitRefusal::Leaves),
            ),
            (
                ("backup\":false", "backup\":true"),
                Some(TransitRefusal::Leaves),
            ),
            (
                ("imported_key\":false", "imported_key\":true"),
                Some(TransitRefusal::Leaves),
            ),
            (("\"1\":", "\"2\":"), Some(TransitRefusal::NoKey)),
            ((of_32.as_str(), short.as_str()), None),
            ((of_32.as_str(), ""), None),
            ((whole.as_str(), "1795777473"), None),
        ] {
            let is = match said(change).unwrap_err() {
                TransitError::Refused(refusal) => Some(refusal),
                TransitError::Unavailable { .. } => None,
            };
            assert_eq!(is, refusal, "{change:?}");
        }
    }
}
