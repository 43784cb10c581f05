//! A store of secrets of our own in a key-value engine with versions.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use cyprob_core::domain::Timestamp;
use vaultrs::api::kv2::requests::{ReadSecretMetadataRequest, ReadSecretRequest};

use super::VaultMount;
use super::connection::Vault;
use super::fault::Fault;
use super::kv::{self, Failure};
use super::places::{Place, Places};
use super::versions::Versions;
use super::writing::{self, FIELD};
use crate::adapters::json_field::{self, Held};
use crate::domain::{
    LocalRef, OrgSecretBase, Scheme, SecretName, SecretRef, SecretValue, SecretVersion,
};
use crate::ports::{
    Expected, Listed, PutOutcome, Refusal, Secret, SecretError, SecretProvider, SecretStore,
};

/// Keeps secrets of our own below a path of a key-value engine with versions.
///
/// It serves `local://` references, as every store of our own does: where it is
/// kept is the deployment's choice. A secret named `db/password` is the secret
/// `BASE/db/password` of the engine, with one field, `value`, in base64.
///
/// A deleted secret's values are destroyed and its version numbers stay used;
/// the engine's metadata of it remain, and while they do no number is used
/// again: do not delete them. The deletion is a version too, which holds the
/// field `deleted` for the moment until it is destroyed with all before it; where
/// that is cut off the older ones can be read by their numbers until the secret
/// is looked at, written or deleted again. A
/// version that a mount's `delete_version_after` ends is no version any more.
/// Times are those of the server. The engine keeps ten versions unless it is
/// configured otherwise. Its policy must
/// allow `create`, `read` and `update` on `MOUNT/data/BASE/*`, `read` and `list`
/// on `MOUNT/metadata/BASE/*`, and `update` on `MOUNT/destroy/BASE/*`.
#[derive(Clone, Debug)]
pub struct VaultStore {
    pub(super) vault: Vault,
    pub(super) mount: VaultMount,
    pub(super) places: Places,
}

impl VaultStore {
    /// Keeps secrets below a base in the engine at a mount.
    #[must_use]
    pub const fn new(vault: Vault, mount: VaultMount, base: SecretName) -> Self {
        Self {
            vault,
            mount,
            places: Places::new(base),
        }
    }

    /// Keeps each organization's secrets in a namespace of its own, which has the organization's id.
    ///
    /// These are the names below a base and an id, as
    /// [`OrgSecretPath`](crate::domain::OrgSecretPath) resolves to; all others
    /// stay in the namespace of the connection. The namespaces are below that,
    /// and each has an engine at the same mount: [`Self::make_namespace`] makes
    /// them. The paths of the policy get `+/` in front for them, and whoever
    /// lists every name needs `list` on `sys/namespaces`.
    ///
    /// What was stored before is not moved, and no namespace is made for an
    /// organization before that is done.
    #[must_use]
    pub fn namespace_per_organization(mut self, base: OrgSecretBase) -> Self {
        self.places.by_organization(base);
        self
    }

    pub(super) fn mount(&self) -> String {
        self.mount.as_str().to_owned()
    }

    async fn get(
        &self,
        name: &SecretName,
        version: Option<SecretVersion>,
    ) -> Result<Option<Secret>, Failure> {
        if version.is_some_and(kv::is_never_given) {
            return Ok(None);
        }
        let place = self.places.of(name);
        let read = ReadSecretRequest {
            mount: self.mount(),
            path: self.places.path(&place),
            version: version.map(SecretVersion::get),
        };
        let reply = match self.vault.call_in(place.namespace.as_ref(), read).await {
            Err(Fault::Missing { .. }) => return Ok(None),
            other => other?,
        };
        let (Some(fields), Some(metadata)) = kv::versioned(&reply)? else {
            return Ok(None);
        };
        if writing::says_gone(fields.get()) {
            return Ok(None);
        }
        let Held::Text(text) = json_field::held(fields.get(), FIELD) else {
            return Err(Refusal::Foreign.into());
        };
        let bytes = BASE64.decode(text.as_bytes());
        let value = SecretValue::new(bytes.map_err(|_| Refusal::Foreign)?);
        Ok(Some(Secret {
            value: value.map_err(Refusal::from)?,
            version: Some(metadata.version()?.into()),
            stored_at: Some(metadata.created_at()?),
        }))
    }

    /// The versions of what is in a place, those that are gone among them.
    pub(super) async fn looked_up(&self, place: &Place) -> Result<Versions, Fault> {
        let read = ReadSecretMetadataRequest {
            mount: self.mount(),
            path: self.places.path(place),
        };
        match self.vault.call_in(place.namespace.as_ref(), read).await {
            Err(Fault::Missing { .. }) => Ok(Versions::default()),
            other => other?.data(),
        }
    }
}

/// What a failure is to one who has a name and no reference.
pub(super) fn failed(name: &SecretName, failure: Failure) -> SecretError {
    failure.of(&SecretRef::Local(LocalRef::new(name.clone(), None)))
}

#[async_trait]
impl SecretProvider for VaultStore {
    fn scheme(&self) -> Scheme {
        Scheme::Local
    }

    async fn read(&self, reference: &SecretRef) -> Result<Option<Secret>, SecretError> {
        let SecretRef::Local(local) = reference else {
            let scheme = reference.scheme();
            return Err(SecretError::Unserved { scheme });
        };
        let got = self.get(local.name(), local.version()).await;
        got.map_err(|failure| failure.of(reference))
    }
}

#[async_trait]
impl SecretStore for VaultStore {
    async fn put(
        &self,
        name: &SecretName,
        value: &SecretValue,
        expected: Expected,
        _at: Timestamp,
    ) -> Result<PutOutcome, SecretError> {
        let written = self.write(&self.places.of(name), value, expected).await;
        written.map_err(|failure| failed(name, failure))
    }

    async fn delete(&self, name: &SecretName) -> Result<bool, SecretError> {
        let deleted = self.remove(&self.places.of(name)).await;
        deleted.map_err(|failure| failed(name, failure))
    }

    async fn delete_before(
        &self,
        name: &SecretName,
        version: SecretVersion,
    ) -> Result<(), SecretError> {
        let deleted = self.remove_before(&self.places.of(name), version).await;
        deleted.map_err(|fault| failed(name, fault.into()))
    }

    async fn list(&self, below: &SecretName) -> Result<Vec<Listed>, SecretError> {
        let listed = self.listed(Some(below)).await;
        listed.map_err(|failure| failed(below, failure))
    }

    async fn taken(&self, below: &SecretName) -> Result<Vec<SecretName>, SecretError> {
        let taken = self.taken_below(below).await;
        taken.map_err(|failure| failed(below, failure))
    }

    async fn names(&self) -> Result<Vec<SecretName>, SecretError> {
        let listed = self.listed(None).await;
        let listed = listed.map_err(|failure| failed(self.places.base(), failure))?;
        Ok(listed.into_iter().map(|listed| listed.name).collect())
    }

    async fn versions(&self, name: &SecretName) -> Result<Vec<SecretVersion>, SecretError> {
        let live = self.live(&self.places.of(name)).await;
        live.map_err(|failure| failed(name, failure))
    }
}
