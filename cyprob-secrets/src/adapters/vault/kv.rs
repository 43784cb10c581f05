//! Reading secrets of a key-value engine.

use std::collections::BTreeMap;

use async_trait::async_trait;
use cyprob_core::domain::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use vaultrs::api::{kv1, kv2};

use super::VaultMount;
use super::connection::Vault;
use super::fault::{Fault, Outage};
use super::reply::Reply;
use crate::adapters::json_field::{self, Held};
use crate::domain::{Scheme, SecretRef, SecretValue, SecretVersion, VaultRef};
use crate::ports::{Refusal, Secret, SecretError, SecretProvider};

/// Which key-value engine a mount has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KvVersion {
    /// Without versions.
    V1,
    /// With versions.
    V2,
}

/// Serves `vault://` references of the mounts that the host lists, and of no other.
///
/// A reference names one field, which must be a string. On an engine without
/// versions, a reference with a version is refused.
#[derive(Clone, Debug)]
pub struct VaultKv {
    vault: Vault,
    mounts: BTreeMap<VaultMount, KvVersion>,
}

/// What an engine answers.
#[derive(Deserialize)]
struct Whole<'a> {
    #[serde(borrow)]
    data: &'a RawValue,
}

/// What an engine with versions has under `data`.
#[derive(Deserialize)]
struct Versioned<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    metadata: Metadata,
}

#[derive(Deserialize)]
pub(super) struct Metadata {
    version: u64,
    created_time: String,
}

impl VaultKv {
    /// Reads through a connection from these mounts.
    #[must_use]
    pub fn new(vault: Vault, mounts: impl IntoIterator<Item = (VaultMount, KvVersion)>) -> Self {
        Self {
            vault,
            mounts: mounts.into_iter().collect(),
        }
    }

    async fn get(&self, reference: &VaultRef) -> Result<Option<Secret>, Failure> {
        let mount = self
            .mounts
            .iter()
            .find(|(mount, _)| mount.as_str() == reference.mount());
        let engine = mount.map(|(_, engine)| *engine);
        if reference.version().is_some_and(is_never_given) && engine == Some(KvVersion::V2) {
            return Ok(None);
        }
        let (mount, path) = (reference.mount().to_owned(), reference.path().to_owned());
        let reply = match (engine, reference.version()) {
            (None, _) => return Err(Refusal::NotAllowed.into()),
            (Some(KvVersion::V1), Some(_)) => return Err(Refusal::Unversioned.into()),
            (Some(KvVersion::V1), None) => {
                let read = kv1::requests::GetSecretRequest { mount, path };
                self.vault.call(read).await
            }
            (Some(KvVersion::V2), version) => {
                let version = version.map(SecretVersion::get);
                let read = kv2::requests::ReadSecretRequest {
                    mount,
                    path,
                    version,
                };
                self.vault.call(read).await
            }
        };
        let reply = match reply {
            Err(Fault::Missing { .. }) => return Ok(None),
            other => other?,
        };
        let (fields, metadata) = match engine {
            Some(KvVersion::V2) => versioned(&reply)?,
            _ => (Some(reply.read::<Whole<'_>>()?.data), None),
        };
        let Some(fields) = fields else {
            return Ok(None);
        };
        match json_field::held(fields.get(), reference.field()) {
            Held::Text(text) => secret(&text, metadata.as_ref()).map(Some),
            Held::Nothing => Ok(None),
            Held::Unfit(refusal) => Err(refusal.into()),
        }
    }
}

/// Whether no secret ever gets so high a version: the server counts in signed numbers, and refuses others.
pub(super) fn is_never_given(version: SecretVersion) -> bool {
    i64::try_from(version.get()).is_err()
}

/// The fields, unless they are gone, and what is known of them.
pub(super) fn versioned(reply: &Reply) -> Result<(Option<&RawValue>, Option<Metadata>), Fault> {
    let whole = reply.read::<Whole<'_>>()?.data;
    let versioned: Versioned<'_> =
        serde_json::from_str(whole.get()).map_err(|_| Outage::Garbled)?;
    Ok((versioned.data, Some(versioned.metadata)))
}

fn secret(text: &str, metadata: Option<&Metadata>) -> Result<Secret, Failure> {
    let value = SecretValue::new(text.as_bytes().to_vec());
    let value = value.map_err(|error| Failure::Refused(error.into()))?;
    let stored_at = metadata.map(Metadata::created_at).transpose()?;
    let version = metadata.map(Metadata::version).transpose()?;
    Ok(Secret {
        value,
        version: version.map(Into::into),
        stored_at,
    })
}

impl Metadata {
    pub(super) fn version(&self) -> Result<SecretVersion, Fault> {
        SecretVersion::new(self.version).ok_or_else(|| Outage::Garbled.into())
    }

    pub(super) fn created_at(&self) -> Result<Timestamp, Fault> {
        self.created_time
            .parse()
            .map_err(|_| Outage::Garbled.into())
    }
}

/// Why a call gave nothing to work with.
pub(super) enum Failure {
    Refused(Refusal),
    Fault(Fault),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Outage> for Failure {
    fn from(outage: Outage) -> Self {
        Self::Fault(outage.into())
    }
}

impl Failure {
    pub(super) fn of(self, reference: &SecretRef) -> SecretError {
        let refusal = match self {
            Self::Refused(refusal) => refusal,
            Self::Fault(Fault::Denied) => Refusal::Denied,
            Self::Fault(Fault::Login(_)) => Refusal::NoLogin,
            Self::Fault(Fault::Rejected(_)) => Refusal::NotTaken,
            Self::Fault(Fault::NoPlace) => Refusal::NoPlace,
            Self::Fault(fault @ (Fault::Outage(_) | Fault::Missing { .. })) => {
                return SecretError::unavailable(fault);
            }
        };
        SecretError::refused(reference, refusal)
    }
}

#[async_trait]
impl SecretProvider for VaultKv {
    fn scheme(&self) -> Scheme {
        Scheme::Vault
    }

    async fn read(&self, reference: &SecretRef) -> Result<Option<Secret>, SecretError> {
        let SecretRef::Vault(vault) = reference else {
            let scheme = reference.scheme();
            return Err(SecretError::Unserved { scheme });
        };
        self.get(vault)
            .await
            .map_err(|failure| failure.of(reference))
    }
}
