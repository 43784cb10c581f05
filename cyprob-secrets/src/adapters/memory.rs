//! Secrets in this process's memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use cyprob_core::domain::Timestamp;

use crate::domain::{Scheme, SecretName, SecretRef, SecretValue, SecretVersion};
use crate::ports::{
    Expected, Listed, PutOutcome, Secret, SecretError, SecretProvider, SecretStore,
};

/// A store that forgets everything when it drops; it serves `local://` references.
#[derive(Debug, Default)]
pub struct MemoryStore {
    secrets: Mutex<BTreeMap<SecretName, Versions>>,
}

/// The live versions of a name, and the newest number ever given.
#[derive(Debug, Default)]
struct Versions {
    last: u64,
    live: BTreeMap<SecretVersion, (SecretValue, Timestamp)>,
}

impl MemoryStore {
    /// Makes an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn with<T>(&self, act: impl FnOnce(&mut BTreeMap<SecretName, Versions>) -> T) -> T {
        // Every change is one insertion, so a panic elsewhere leaves no half of it.
        act(&mut self.secrets.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl SecretProvider for MemoryStore {
    fn scheme(&self) -> Scheme {
        Scheme::Local
    }

    async fn read(&self, reference: &SecretRef) -> Result<Option<Secret>, SecretError> {
        let SecretRef::Local(local) = reference else {
            let scheme = reference.scheme();
            return Err(SecretError::Unserved { scheme });
        };
        Ok(self.with(|secrets| {
            let live = &secrets.get(local.name())?.live;
            let (version, (value, at)) = match local.version() {
                Some(version) => live.get_key_value(&version)?,
                None => live.last_key_value()?,
            };
            Some(Secret {
                value: value.clone(),
                version: Some((*version).into()),
                stored_at: Some(*at),
            })
        }))
    }
}

#[async_trait]
impl SecretStore for MemoryStore {
    async fn put(
        &self,
        name: &SecretName,
        value: &SecretValue,
        expected: Expected,
        at: Timestamp,
    ) -> Result<PutOutcome, SecretError> {
        self.with(|secrets| {
            let versions = secrets.entry(name.clone()).or_default();
            let newest = versions.live.last_key_value().map(|(version, _)| *version);
            if newest != expected.version() {
                return Ok(PutOutcome::Conflict(newest));
            }
            let next = versions.last.checked_add(1).and_then(SecretVersion::new);
            let next = next.ok_or_else(|| SecretError::unavailable("no version number is left"))?;
            versions.last = next.get();
            versions.live.insert(next, (value.clone(), at));
            Ok(PutOutcome::Stored(next))
        })
    }

    async fn delete(&self, name: &SecretName) -> Result<bool, SecretError> {
        Ok(self.with(|secrets| match secrets.get_mut(name) {
            Some(versions) => !std::mem::take(&mut versions.live).is_empty(),
            None => false,
        }))
    }

    async fn delete_before(
        &self,
        name: &SecretName,
        version: SecretVersion,
    ) -> Result<(), SecretError> {
        self.with(|secrets| {
            if let Some(versions) = secrets.get_mut(name)
                && let Some((newest, _)) = versions.live.last_key_value()
            {
                let floor = version.min(*newest);
                versions.live.retain(|version, _| *version >= floor);
            }
        });
        Ok(())
    }

    async fn list(&self, below: &SecretName) -> Result<Vec<Listed>, SecretError> {
        Ok(self.with(|secrets| {
            let found = secrets.iter().filter(|(name, _)| name.is_below(below));
            let newest = found.filter_map(|(name, versions)| {
                let (version, (_, at)) = versions.live.last_key_value()?;
                Some(Listed {
                    name: name.clone(),
                    version: *version,
                    stored_at: Some(*at),
                })
            });
            newest.collect()
        }))
    }

    async fn taken(&self, below: &SecretName) -> Result<Vec<SecretName>, SecretError> {
        Ok(self.with(|secrets| {
            let taken = secrets.iter().filter(|(name, versions)| {
                let is_used = versions.last > 0;
                is_used && name.is_below(below)
            });
            taken.map(|(name, _)| name.clone()).collect()
        }))
    }

    async fn names(&self) -> Result<Vec<SecretName>, SecretError> {
        Ok(self.with(|secrets| {
            let live = secrets
                .iter()
                .filter(|(_, versions)| !versions.live.is_empty());
            live.map(|(name, _)| name.clone()).collect()
        }))
    }

    async fn versions(&self, name: &SecretName) -> Result<Vec<SecretVersion>, SecretError> {
        Ok(self.with(|secrets| {
            let live = secrets.get(name).map(|versions| versions.live.keys());
            live.into_iter().flatten().copied().collect()
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::secret_store_conformance!(|| (MemoryStore::new(), ()));
}
