//! Making the place of an organization's secrets.

use std::collections::BTreeMap;

use cyprob_core::domain::OrgId;
use serde::Deserialize;
use vaultrs::api::sys::requests::EnableEngineRequest;

use super::endpoints::{MakeNamespace, UsedMount};
use super::fault::{Complaint, Fault};
use super::kv::Failure;
use super::places::Place;
use super::store::failed;
use super::{VaultNamespace, VaultStore};
use crate::ports::{Refusal, SecretError};

#[derive(Deserialize)]
struct Mounted {
    #[serde(rename = "type")]
    engine: String,
    /// `null` where an engine has none.
    options: Option<BTreeMap<String, String>>,
}

impl VaultStore {
    /// Makes the namespace of an organization and mounts the engine in it, where they are missing.
    ///
    /// The policy must allow `create` and `update` on `sys/namespaces/+` and on
    /// `+/sys/mounts/MOUNT`.
    ///
    /// # Errors
    ///
    /// [`SecretError`]; a second call goes on where the first one failed.
    /// `Refused` with [`Refusal::Unmoved`] if secrets of the organization are
    /// where they were kept before it had a namespace, or with
    /// [`Refusal::Occupied`] if another engine is mounted there.
    pub async fn make_namespace(&self, org: OrgId) -> Result<(), SecretError> {
        let namespace = VaultNamespace::of(org);
        let made = self.made(org, &namespace).await;
        made.map_err(|failure| match (namespace.as_str().parse(), failure) {
            (Ok(name), failure) => failed(&name, failure),
            (Err(error), _) => SecretError::unavailable(error),
        })
    }

    async fn made(&self, org: OrgId, namespace: &VaultNamespace) -> Result<(), Failure> {
        if let Some(before) = self.places.before(org)
            && self.holds_any(before).await?
        {
            return Err(Refusal::Unmoved.into());
        }
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
            Err(Fault::Rejected(Complaint::Mounted)) => self.is_ours(namespace).await,
            other => Ok(other.map(drop)?),
        }
    }

    /// Whether there are values in a folder; of deleted secrets there are names alone.
    async fn holds_any(&self, folder: Place) -> Result<bool, Failure> {
        let mut folders = vec![folder];
        while let Some(folder) = folders.pop() {
            for key in self.keys(&folder).await? {
                let place = Place {
                    namespace: folder.namespace.clone(),
                    rest: format!("{}{key}", folder.rest),
                };
                if key.ends_with('/') {
                    folders.push(place);
                } else if self.looked_up(&place).await?.kept().next().is_some() {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Whether what is mounted there keeps versions of keys and values.
    async fn is_ours(&self, namespace: &VaultNamespace) -> Result<(), Failure> {
        let look = UsedMount {
            mount: self.mount(),
        };
        let reply = self.vault.call_in(Some(namespace), look).await?;
        let Mounted { engine, options } = reply.data()?;
        let version = options.as_ref().and_then(|options| options.get("version"));
        match engine == "kv" && version.is_some_and(|version| version == "2") {
            true => Ok(()),
            false => Err(Refusal::Occupied.into()),
        }
    }
}
