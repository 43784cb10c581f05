//! A backend of one's own: a port implemented, and the port's conformance suite run on it.
//!
//! `cargo test --example custom_store --features testkit` runs every behaviour that the port promises.
#![allow(clippy::print_stdout, reason = "a program for people")]

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use cyprob::core::domain::Timestamp;
use cyprob::secrets::domain::{Scheme, SecretName, SecretRef, SecretValue, SecretVersion};
use cyprob::secrets::ports::{
    Expected, Listed, PutOutcome, Secret, SecretError, SecretProvider, SecretStore,
};

/// Every version ever written, by name and number; a deleted one keeps its number and nothing else.
type Rows = BTreeMap<(SecretName, SecretVersion), Option<(SecretValue, Timestamp)>>;

/// A secret store over a table of rows, as a host might have one in a database.
#[derive(Debug, Default)]
pub struct TableStore(Mutex<Rows>);

impl TableStore {
    fn with<T>(&self, act: impl FnOnce(&mut Rows) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn newest(rows: &Rows, name: &SecretName) -> Option<SecretVersion> {
    let live = rows
        .iter()
        .filter(|((of, _), row)| of == name && row.is_some());
    live.map(|((_, version), _)| *version).next_back()
}

#[async_trait]
impl SecretProvider for TableStore {
    fn scheme(&self) -> Scheme {
        Scheme::Local
    }

    async fn read(&self, reference: &SecretRef) -> Result<Option<Secret>, SecretError> {
        let SecretRef::Local(local) = reference else {
            return Err(SecretError::Unserved {
                scheme: reference.scheme(),
            });
        };
        Ok(self.with(|rows| {
            let version = local.version().or_else(|| newest(rows, local.name()))?;
            let (value, at) = rows.get(&(local.name().clone(), version))?.clone()?;
            Some(Secret {
                value,
                version: Some(version.into()),
                stored_at: Some(at),
            })
        }))
    }
}

#[async_trait]
impl SecretStore for TableStore {
    async fn put(
        &self,
        name: &SecretName,
        value: &SecretValue,
        expected: Expected,
        at: Timestamp,
    ) -> Result<PutOutcome, SecretError> {
        self.with(|rows| {
            let found = newest(rows, name);
            if found != expected.version() {
                return Ok(PutOutcome::Conflict(found));
            }
            let used = rows
                .keys()
                .filter(|(of, _)| of == name)
                .map(|(_, version)| version.get())
                .max();
            let next = SecretVersion::new(used.unwrap_or(0) + 1)
                .ok_or_else(|| SecretError::unavailable("no version number is left"))?;
            rows.insert((name.clone(), next), Some((value.clone(), at)));
            Ok(PutOutcome::Stored(next))
        })
    }

    async fn delete(&self, name: &SecretName) -> Result<bool, SecretError> {
        let rows = |rows: &mut Rows| {
            let own = rows
                .iter_mut()
                .filter(|((of, _), row)| of == name && row.is_some());
            own.map(|(_, row)| *row = None).count()
        };
        Ok(self.with(rows) > 0)
    }

    async fn delete_before(
        &self,
        name: &SecretName,
        version: SecretVersion,
    ) -> Result<(), SecretError> {
        self.with(|rows| {
            let floor = newest(rows, name).map(|newest| newest.min(version));
            let old = rows
                .iter_mut()
                .filter(|((of, version), _)| of == name && Some(*version) < floor);
            old.for_each(|(_, row)| *row = None);
            Ok(())
        })
    }

    async fn list(&self, below: &SecretName) -> Result<Vec<Listed>, SecretError> {
        self.with(|rows| {
            let mut newest = BTreeMap::new();
            for ((name, version), row) in rows.iter().filter(|((name, _), _)| name.is_below(below))
            {
                newest.extend(row.as_ref().map(|(_, at)| (name, (*version, *at))));
            }
            let listed = newest.into_iter().map(|(name, (version, at))| Listed {
                name: name.clone(),
                version,
                stored_at: Some(at),
            });
            Ok(listed.collect())
        })
    }

    async fn taken(&self, below: &SecretName) -> Result<Vec<SecretName>, SecretError> {
        self.with(|rows| {
            let used = rows.keys().map(|(name, _)| name.clone());
            let mut names: Vec<_> = used.filter(|name| name.is_below(below)).collect();
            names.dedup();
            Ok(names)
        })
    }

    async fn names(&self) -> Result<Vec<SecretName>, SecretError> {
        self.with(|rows| {
            let live = rows.iter().filter(|(_, row)| row.is_some());
            let mut names: Vec<_> = live.map(|((name, _), _)| name.clone()).collect();
            names.dedup();
            Ok(names)
        })
    }

    async fn versions(&self, name: &SecretName) -> Result<Vec<SecretVersion>, SecretError> {
        self.with(|rows| {
            let live = rows
                .iter()
                .filter(|((of, _), row)| of == name && row.is_some());
            Ok(live.map(|((_, version), _)| *version).collect())
        })
    }
}

fn main() {
    println!("run the suite: cargo test --example custom_store --features testkit");
}

#[cfg(test)]
mod tests {
    use super::TableStore;

    // Makes a fresh store, and what must outlive it: here nothing.
    cyprob::secrets::secret_store_conformance!(|| (TableStore::default(), ()));
}
