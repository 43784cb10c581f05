//! The store's operations, each under the directory's lock.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use cyprob_core::domain::Timestamp;
use cyprob_core::ports::{Entropy, EntropyExt};

use super::dir::Dir;
use super::format::{Keys, StoreId};
use super::{KeySource, key};
use crate::domain::{SecretName, SecretValue, SecretVersion};
use crate::ports::{Damage, Expected, PutOutcome, Sealed, Secret, SecretError};

const MARKER: &str = "store";

/// An opened store.
pub(super) struct Inner {
    dir: Dir,
    keys: Keys,
    entropy: Arc<dyn Entropy>,
}

/// The versions of a name: `floor..=last` can be read, none if `floor > last`.
#[derive(Clone, Copy)]
struct Head {
    floor: u64,
    last: u64,
}

impl Head {
    fn newest(self) -> Option<SecretVersion> {
        SecretVersion::new(self.last).filter(|_| self.floor <= self.last)
    }

    fn has(self, version: SecretVersion) -> bool {
        (self.floor..=self.last).contains(&version.get())
    }
}

impl Inner {
    pub(super) fn open(
        directory: &Path,
        key: KeySource,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, SecretError> {
        let dir = Dir::open_or_make(directory)?;
        let lock = dir.lock(true)?;
        dir.clean()?;
        let marker = dir.read(MARKER, &Sealed::Store)?;
        if marker.is_none() && dir.list()?.iter().any(|name| name.contains('@')) {
            // Secrets without their marker: making a new store would orphan them.
            return Err(damaged(Sealed::Store, Damage::Missing));
        }
        let master = key::load(key, marker.is_some(), entropy.as_ref())?;
        let keys = match marker {
            Some(file) => {
                // The id stands before the sealed part, which proves it.
                let (id, sealed) = file
                    .split_first_chunk::<16>()
                    .ok_or_else(|| damaged(Sealed::Store, Damage::Length))?;
                let keys = Keys::derive(&master, id)?;
                keys.open(&Sealed::Store, sealed)?;
                keys
            }
            None => {
                let id: StoreId = entropy.bytes();
                let keys = Keys::derive(&master, &id)?;
                let at = Timestamp::UNIX_EPOCH;
                let sealed = keys.seal(&Sealed::Store, &[], at, entropy.as_ref())?;
                let file = [id.as_slice(), &sealed].concat();
                dir.replace(MARKER, &file, entropy.as_ref())?;
                keys
            }
        };
        drop(lock);
        Ok(Self { dir, keys, entropy })
    }

    pub(super) fn read(
        &self,
        name: &SecretName,
        version: Option<SecretVersion>,
    ) -> Result<Option<Secret>, SecretError> {
        let _lock = self.dir.lock(false)?;
        let head = self.head(name)?;
        let wanted = version.or(head.newest());
        let Some(version) = wanted.filter(|version| head.has(*version)) else {
            return Ok(None);
        };
        let item = Sealed::Value(name.clone(), version);
        let Some(file) = self.dir.read(&value_file(name, version), &item)? else {
            return Err(damaged(item, Damage::Missing));
        };
        let opened = self.keys.open(&item, &file)?;
        let value =
            SecretValue::new(opened.bytes.to_vec()).map_err(|_| damaged(item, Damage::State))?;
        Ok(Some(Secret {
            value,
            version: Some(version.into()),
            stored_at: Some(opened.at),
        }))
    }

    pub(super) fn put(
        &self,
        name: &SecretName,
        value: &SecretValue,
        expected: Expected,
        at: Timestamp,
    ) -> Result<PutOutcome, SecretError> {
        use secrecy::ExposeSecret;
        let _lock = self.dir.lock(true)?;
        let head = self.head(name)?;
        if head.newest() != expected.version() {
            return Ok(PutOutcome::Conflict(head.newest()));
        }
        let version = head.last.checked_add(1).and_then(SecretVersion::new);
        let version =
            version.ok_or_else(|| SecretError::unavailable("no version number is left"))?;
        let item = Sealed::Value(name.clone(), version);
        let entropy = self.entropy.as_ref();
        let file = self.keys.seal(&item, value.expose_secret(), at, entropy)?;
        // From here the value counts, even if the list is not rewritten: see `head`.
        self.dir
            .replace(&value_file(name, version), &file, entropy)?;
        let last = version.get();
        self.write_head(name, Head { last, ..head }, at)?;
        Ok(PutOutcome::Stored(version))
    }

    pub(super) fn delete(&self, name: &SecretName) -> Result<bool, SecretError> {
        let _lock = self.dir.lock(true)?;
        let head = self.head(name)?;
        if head.newest().is_none() {
            return Ok(false);
        }
        let floor = head.last.saturating_add(1);
        self.write_head(name, Head { floor, ..head }, Timestamp::UNIX_EPOCH)?;
        // Also what an interrupted earlier deletion left below the floor.
        let encoded = encode(name);
        for file in self.dir.list()? {
            if let Some((of, number)) = file.split_once('@')
                && of == encoded
                && number.parse::<u64>().is_ok_and(|number| number < floor)
            {
                self.dir.remove(&file)?;
            }
        }
        self.dir.sync()?;
        Ok(true)
    }

    pub(super) fn names(&self) -> Result<Vec<SecretName>, SecretError> {
        let _lock = self.dir.lock(false)?;
        let mut names = BTreeSet::new();
        for file in self.dir.list()? {
            if let Some((encoded, _)) = file.split_once('@')
                && let Ok(name) = encoded.replace('+', "/").parse::<SecretName>()
            {
                names.insert(name);
            }
        }
        let mut live = Vec::new();
        for name in names {
            if self.head(&name)?.newest().is_some() {
                live.push(name);
            }
        }
        Ok(live)
    }

    pub(super) fn versions(&self, name: &SecretName) -> Result<Vec<SecretVersion>, SecretError> {
        let _lock = self.dir.lock(false)?;
        let head = self.head(name)?;
        Ok((head.floor..=head.last)
            .filter_map(SecretVersion::new)
            .collect())
    }

    /// Reads the list of a name, and counts in a value that was written just
    /// before the list could be: so an old list put back hides no newer value.
    fn head(&self, name: &SecretName) -> Result<Head, SecretError> {
        let item = Sealed::Head(name.clone());
        let mut head = match self.dir.read(&head_file(name), &item)? {
            None => Head { floor: 1, last: 0 },
            Some(file) => {
                let opened = self.keys.open(&item, &file)?;
                let numbers = opened.bytes.split_first_chunk::<8>();
                let (floor, last) = numbers
                    .and_then(|(floor, last)| Some((floor, last.try_into().ok()?)))
                    .ok_or_else(|| damaged(item, Damage::State))?;
                Head {
                    floor: u64::from_be_bytes(*floor),
                    last: u64::from_be_bytes(last),
                }
            }
        };
        while let Some(next) = head.last.checked_add(1).and_then(SecretVersion::new)
            && self.dir.has(&value_file(name, next))?
        {
            head.last = next.get();
        }
        Ok(head)
    }

    fn write_head(&self, name: &SecretName, head: Head, at: Timestamp) -> Result<(), SecretError> {
        let bytes = [head.floor.to_be_bytes(), head.last.to_be_bytes()].concat();
        let item = Sealed::Head(name.clone());
        let entropy = self.entropy.as_ref();
        let file = self.keys.seal(&item, &bytes, at, entropy)?;
        self.dir.replace(&head_file(name), &file, entropy)
    }
}

/// A name as the first part of a file name; `+` and `@` are in no name.
fn encode(name: &SecretName) -> String {
    name.as_str().replace('/', "+")
}

fn head_file(name: &SecretName) -> String {
    format!("{}@head", encode(name))
}

fn value_file(name: &SecretName, version: SecretVersion) -> String {
    format!("{}@{version}", encode(name))
}

fn damaged(item: Sealed, damage: Damage) -> SecretError {
    SecretError::Damaged { item, damage }
}
