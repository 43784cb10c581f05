//! The names that a store in a Vault has.

use cyprob_core::domain::Timestamp;
use serde::Deserialize;
use tokio::task::JoinSet;
use vaultrs::api::kv2::requests::ListSecretsRequest;

use super::endpoints::ListNamespaces;
use super::fault::{Fault, Outage};
use super::kv::Failure;
use super::places::Place;
use super::{VaultNamespace, VaultStore};
use crate::domain::SecretName;
use crate::ports::Listed;

/// How many folders and secrets are looked at at once.
const AT_ONCE: usize = 16;

#[derive(Deserialize)]
struct Keys {
    keys: Vec<String>,
}

/// What is still to be looked at.
enum Look {
    Folder(Folder),
    /// The top of a namespace, which is one of ours only if it has our engine.
    Namespace(Folder),
    Secret(SecretName, Place),
}

/// A folder, and how its secrets are named.
struct Folder {
    place: Place,
    /// What stands before the names, and how much of the place they do not repeat.
    prefix: String,
    top: usize,
}

/// What a look found.
enum Found {
    More(Vec<Look>),
    Secret(Listed),
    Nothing,
}

impl Folder {
    fn new(place: Place, prefix: String) -> Self {
        let top = place.rest.len();
        Self { place, prefix, top }
    }
}

impl VaultStore {
    /// The secrets below a name, or all, that have a value, in order of their names.
    pub(super) async fn listed(&self, below: Option<&SecretName>) -> Result<Vec<Listed>, Failure> {
        let mut listed = Vec::new();
        let looks = self.looks(below).await?;
        self.found(looks, |found| match found {
            Found::More(more) => more,
            Found::Secret(secret) => {
                listed.push(secret);
                Vec::new()
            }
            Found::Nothing => Vec::new(),
        })
        .await?;
        listed.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(listed)
    }

    /// The names below a name of which the engine keeps anything, in order.
    pub(super) async fn taken_below(&self, below: &SecretName) -> Result<Vec<SecretName>, Failure> {
        let mut taken = Vec::new();
        let looks = self.looks(Some(below)).await?;
        self.found(looks, |found| {
            let mut folders = Vec::new();
            if let Found::More(more) = found {
                for look in more {
                    match look {
                        Look::Secret(name, _) => taken.push(name),
                        folder => folders.push(folder),
                    }
                }
            }
            folders
        })
        .await?;
        taken.sort_unstable();
        Ok(taken)
    }

    /// Where to begin with what is below a name, or with all.
    async fn looks(&self, below: Option<&SecretName>) -> Result<Vec<Look>, Fault> {
        let (place, prefix) = match below {
            Some(below) => self.places.below(below),
            None => Default::default(),
        };
        let mut looks = vec![Look::Folder(Folder::new(place, prefix))];
        if self.places.spans(below) {
            for namespace in self.namespaces().await? {
                let org = VaultNamespace::org(&namespace);
                let Some((org, prefix)) = org.zip(org.and_then(|org| self.places.prefix(org)))
                else {
                    continue;
                };
                let place = Place {
                    namespace: Some(VaultNamespace::of(org)),
                    rest: String::new(),
                };
                looks.push(Look::Namespace(Folder::new(place, prefix)));
            }
        }
        Ok(looks)
    }

    /// Makes all looks, several of them at once, and those that what they find is answered with.
    async fn found(
        &self,
        mut looks: Vec<Look>,
        mut next: impl FnMut(Found) -> Vec<Look>,
    ) -> Result<(), Failure> {
        let at = self.vault.now();
        let mut looking = JoinSet::new();
        loop {
            while looking.len() < AT_ONCE
                && let Some(look) = looks.pop()
            {
                let store = self.clone();
                looking.spawn(async move { store.look(look, at).await });
            }
            match looking.join_next().await {
                None => return Ok(()),
                // The runtime ends.
                Some(Err(_)) => return Err(Outage::Broken.into()),
                Some(Ok(found)) => looks.extend(next(found?)),
            }
        }
    }

    async fn look(&self, look: Look, at: Timestamp) -> Result<Found, Failure> {
        let (name, place) = match look {
            Look::Folder(folder) => return Ok(Found::More(self.within(folder).await?)),
            Look::Namespace(folder) => {
                return match self.within(folder).await {
                    Err(Fault::NoPlace) => Ok(Found::Nothing),
                    more => Ok(Found::More(more?)),
                };
            }
            Look::Secret(name, place) => (name, place),
        };
        let versions = self.looked_up(&place).await?;
        let Some(version) = versions.newest(at) else {
            return Ok(Found::Nothing);
        };
        // Beside older ones it may be the end of a secret, whose deletion was cut off.
        if versions.kept().count() > 1 && !self.is_there(&place).await? {
            return Ok(Found::Nothing);
        }
        Ok(Found::Secret(Listed {
            name,
            version,
            stored_at: Some(versions.stored_at(version)?),
        }))
    }

    async fn within(&self, folder: Folder) -> Result<Vec<Look>, Fault> {
        let Folder { place, prefix, top } = folder;
        let mut looks = Vec::new();
        for key in self.keys(&place).await? {
            let rest = format!("{}{key}", place.rest);
            let (is_folder, within) = (key.ends_with('/'), rest.get(top..).unwrap_or_default());
            let name = format!("{prefix}{within}").parse::<SecretName>();
            let namespace = place.namespace.clone();
            let place = Place { namespace, rest };
            if is_folder {
                let prefix = prefix.clone();
                looks.push(Look::Folder(Folder { place, prefix, top }));
                continue;
            }
            // What somebody else put there under another grammar is not ours, nor is what a
            // namespace of the organization would hold.
            if let Ok(name) = name
                && self.places.of(&name) == place
            {
                looks.push(Look::Secret(name, place));
            }
        }
        Ok(looks)
    }

    /// What stands in a folder.
    pub(super) async fn keys(&self, folder: &Place) -> Result<Vec<String>, Fault> {
        let list = ListSecretsRequest {
            mount: self.mount(),
            path: self.places.path(folder),
        };
        match self.vault.call_in(folder.namespace.as_ref(), list).await {
            Err(Fault::Missing { .. }) => Ok(Vec::new()),
            other => Ok(other?.data::<Keys>()?.keys),
        }
    }

    async fn namespaces(&self) -> Result<Vec<String>, Fault> {
        match self.vault.call(ListNamespaces {}).await {
            Err(Fault::Missing { .. }) => Ok(Vec::new()),
            other => Ok(other?.data::<Keys>()?.keys),
        }
    }
}
