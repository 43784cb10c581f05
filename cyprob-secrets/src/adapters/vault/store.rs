//! A store of secrets of our own in a key-value engine with versions.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use cyprob_core::domain::{OrgId, Timestamp};
use secrecy::ExposeSecret;
use serde_json::json;
use vaultrs::api::kv2::requests::{
    DestroySecretVersionsRequest, ReadSecretMetadataRequest, ReadSecretRequest,
};
use vaultrs::api::sys::requests::EnableEngineRequest;
use zeroize::Zeroizing;

use super::connection::Vault;
use super::endpoints::{MakeNamespace, WriteSecret};
use super::fault::{Complaint, Fault, Outage};
use super::kv::{self, Failure};
use super::places::{Place, Places};
use super::versions::Versions;
use super::{VaultMount, VaultNamespace};
use crate::adapters::json_field::{self, Held};
use crate::domain::{
    LocalRef, OrgSecretBase, Scheme, SecretName, SecretRef, SecretValue, SecretVersion,
};
use crate::ports::{
    Expected, Listed, PutOutcome, Refusal, Secret, SecretError, SecretProvider, SecretStore,
};

/// How often a write is tried again that others were faster than.
const TRIES: usize = 5;
/// The field of a secret that holds its bytes.
const FIELD: &str = "value";

/// Keeps secrets of our own below a path of a key-value engine with versions.
///
/// It serves `local://` references, as every store of our own does: where it is
/// kept is the deployment's choice. A secret named `db/password` is the secret
/// `BASE/db/password` of the engine, with one field, `value`, in base64.
///
/// A deleted secret's values are destroyed and its version numbers stay used;
/// the engine's metadata of it remain. Times are those of the server. The
/// engine keeps ten versions unless it is configured otherwise. Its policy must
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
    /// What was stored before is not moved.
    #[must_use]
    pub fn namespace_per_organization(mut self, base: OrgSecretBase) -> Self {
        self.places.by_organization(base);
        self
    }

    /// Makes the namespace of an organization and mounts the engine in it, where they are missing.
    ///
    /// The policy must allow `create` and `update` on `sys/namespaces/+` and on
    /// `+/sys/mounts/MOUNT`.
    ///
    /// # Errors
    ///
    /// [`SecretError`]; a second call goes on where the first one failed.
    pub async fn make_namespace(&self, org: OrgId) -> Result<(), SecretError> {
        let namespace = VaultNamespace::of(org);
        let made = self.made(&namespace).await;
        made.map_err(|fault| match namespace.as_str().parse() {
            Ok(name) => failed(&name, fault.into()),
            Err(_) => SecretError::unavailable(fault),
        })
    }

    async fn made(&self, namespace: &VaultNamespace) -> Result<(), Fault> {
        let make = MakeNamespace {
            name: namespace.to_string(),
        };
        self.vault.call(make).await?;
        let mount = EnableEngineRequest {
            path: self.mount(),
            engine_type: Some("kv".to_owned()),
            options: Some([("version".to_owned(), "2".to_owned())].into()),
            ..EnableEngineRequest::default()
        };
        match self.vault.call_in(Some(namespace), mount).await {
            Err(Fault::Rejected(Complaint::Mounted)) => Ok(()),
            other => other.map(drop),
        }
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
            Err(Fault::Missing) => return Ok(None),
            other => other?,
        };
        let (Some(fields), Some(metadata)) = kv::versioned(&reply)? else {
            return Ok(None);
        };
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
            Err(Fault::Missing) => Ok(Versions::default()),
            other => other?.data(),
        }
    }

    async fn write(
        &self,
        place: &Place,
        value: &SecretValue,
        expected: Expected,
    ) -> Result<PutOutcome, Failure> {
        let text = Zeroizing::new(BASE64.encode(value.expose_secret()));
        for _ in 0..TRIES {
            let versions = self.looked_up(place).await?;
            let newest = versions.newest();
            if newest != expected.version() {
                return Ok(PutOutcome::Conflict(newest));
            }
            let write = WriteSecret {
                mount: self.mount(),
                path: self.places.path(place),
                data: json!({FIELD: text.as_str()}),
                options: json!({"cas": versions.last()}),
            };
            let reply = match self.vault.call_in(place.namespace.as_ref(), write).await {
                Err(Fault::Rejected(Complaint::Cas)) => continue,
                Err(Fault::Missing) => return Err(Refusal::NoPlace.into()),
                other => other?,
            };
            return Ok(PutOutcome::Stored(Versions::written(&reply)?));
        }
        Err(Outage::Busy.into())
    }

    async fn destroy(&self, place: &Place, versions: Vec<u64>) -> Result<bool, Fault> {
        if versions.is_empty() {
            return Ok(false);
        }
        let destroy = DestroySecretVersionsRequest {
            mount: self.mount(),
            path: self.places.path(place),
            versions,
        };
        let namespace = place.namespace.as_ref();
        self.vault.call_in(namespace, destroy).await?;
        Ok(true)
    }

    async fn destroy_all(&self, place: &Place) -> Result<bool, Fault> {
        let live = self.looked_up(place).await?.live();
        self.destroy(place, live).await
    }

    async fn destroy_before(&self, place: &Place, version: SecretVersion) -> Result<(), Fault> {
        let versions = self.looked_up(place).await?;
        let Some(newest) = versions.newest() else {
            return Ok(());
        };
        let mut older = versions.live();
        older.retain(|live| *live < version.min(newest).get());
        self.destroy(place, older).await.map(drop)
    }
}

/// What a failure is to one who has a name and no reference.
fn failed(name: &SecretName, failure: Failure) -> SecretError {
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
        let deleted = self.destroy_all(&self.places.of(name)).await;
        deleted.map_err(|fault| failed(name, fault.into()))
    }

    async fn delete_before(
        &self,
        name: &SecretName,
        version: SecretVersion,
    ) -> Result<(), SecretError> {
        let deleted = self.destroy_before(&self.places.of(name), version).await;
        deleted.map_err(|fault| failed(name, fault.into()))
    }

    async fn list(&self, below: &SecretName) -> Result<Vec<Listed>, SecretError> {
        let listed = self.listed(Some(below)).await;
        listed.map_err(|fault| failed(below, fault.into()))
    }

    async fn names(&self) -> Result<Vec<SecretName>, SecretError> {
        let listed = self.listed(None).await;
        let listed = listed.map_err(|fault| failed(self.places.base(), fault.into()))?;
        Ok(listed.into_iter().map(|listed| listed.name).collect())
    }

    async fn versions(&self, name: &SecretName) -> Result<Vec<SecretVersion>, SecretError> {
        let versions = self.looked_up(&self.places.of(name)).await;
        let versions = versions.map_err(|fault| failed(name, fault.into()))?;
        let live = versions.live();
        Ok(live.into_iter().filter_map(SecretVersion::new).collect())
    }
}
