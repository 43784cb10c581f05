//! The names that a store in a Vault has.

use serde::Deserialize;
use vaultrs::api::kv2::requests::ListSecretsRequest;

use super::endpoints::ListNamespaces;
use super::fault::Fault;
use super::places::Place;
use super::{VaultNamespace, VaultStore};
use crate::domain::SecretName;
use crate::ports::Listed;

#[derive(Deserialize)]
struct Keys {
    keys: Vec<String>,
}

impl VaultStore {
    /// The secrets below a name, or all, that have a value, in order of their names.
    pub(super) async fn listed(&self, below: Option<&SecretName>) -> Result<Vec<Listed>, Fault> {
        let (folder, prefix) = match below {
            Some(below) => self.places.below(below),
            None => Default::default(),
        };
        let mut listed = self.tree(folder, &prefix).await?;
        if self.places.spans(below) {
            for namespace in self.namespaces().await? {
                let org = VaultNamespace::org(&namespace);
                let Some((org, prefix)) = org.zip(org.and_then(|org| self.places.prefix(org)))
                else {
                    continue;
                };
                let folder = Place {
                    namespace: Some(VaultNamespace::of(org)),
                    rest: String::new(),
                };
                listed.extend(self.tree(folder, &prefix).await?);
            }
        }
        listed.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(listed)
    }

    /// What is in a folder and in those within it, under names that begin with `prefix`.
    async fn tree(&self, folder: Place, prefix: &str) -> Result<Vec<Listed>, Fault> {
        let Place { namespace, rest } = folder;
        let top = rest.len();
        let mut listed = Vec::new();
        let mut folders = vec![rest];
        while let Some(folder) = folders.pop() {
            for key in self.keys(namespace.as_ref(), &folder).await? {
                let rest = format!("{folder}{key}");
                if key.ends_with('/') {
                    folders.push(rest);
                    continue;
                }
                let within = rest.get(top..).unwrap_or_default();
                // What somebody else put there under another grammar is not ours.
                let Ok(name) = format!("{prefix}{within}").parse::<SecretName>() else {
                    continue;
                };
                let namespace = namespace.clone();
                let place = Place { namespace, rest };
                // Nor is what a namespace of the organization would hold.
                if self.places.of(&name) != place {
                    continue;
                }
                let versions = self.looked_up(&place).await?;
                if let Some(version) = versions.newest() {
                    let stored_at = Some(versions.stored_at(version)?);
                    listed.push(Listed {
                        name,
                        version,
                        stored_at,
                    });
                }
            }
        }
        Ok(listed)
    }

    async fn keys(
        &self,
        namespace: Option<&VaultNamespace>,
        folder: &str,
    ) -> Result<Vec<String>, Fault> {
        let place = Place {
            namespace: namespace.cloned(),
            rest: folder.to_owned(),
        };
        let list = ListSecretsRequest {
            mount: self.mount(),
            path: self.places.path(&place),
        };
        match self.vault.call_in(namespace, list).await {
            Err(Fault::Missing) => Ok(Vec::new()),
            other => Ok(other?.data::<Keys>()?.keys),
        }
    }

    async fn namespaces(&self) -> Result<Vec<String>, Fault> {
        match self.vault.call(ListNamespaces {}).await {
            Err(Fault::Missing) => Ok(Vec::new()),
            other => Ok(other?.data::<Keys>()?.keys),
        }
    }
}
