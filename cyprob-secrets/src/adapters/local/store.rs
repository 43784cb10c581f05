//! The store's operations, each under the directory's lock.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use cyprob_core::domain::Timestamp;
use cyprob_core::ports::Entropy;

use super::KeySource;
use super::dir::{Dir, Locked};
use super::format::Opened;
use super::held::Held;
use super::ring::Ring;
use crate::domain::{SecretName, SecretRefError, SecretValue, SecretVersion};
use crate::ports::{Damage, Expected, Listed, PutOutcome, Sealed, Secret, SecretError};

/// An opened store.
pub(super) struct Inner {
    dir: Dir,
    held: Held,
    entropy: Arc<dyn Entropy>,
}

/// A store while its lock is held, with the keys of this moment.
pub(super) struct Session<'a> {
    pub(super) dir: &'a Dir,
    pub(super) held: &'a Held,
    pub(super) ring: Arc<Ring>,
    pub(super) entropy: &'a dyn Entropy,
    _lock: Locked,
}

/// The versions of a name: `floor..=last` can be read, none if `floor > last`.
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) floor: u64,
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
        let held = Held::open(&dir, key, entropy.as_ref())?;
        drop(lock);
        Ok(Self { dir, held, entropy })
    }

    /// Waits for the lock: `write` excludes all others, else only writers.
    pub(super) fn session(&self, write: bool) -> Result<Session<'_>, SecretError> {
        let lock = self.dir.lock(write)?;
        Ok(Session {
            dir: &self.dir,
            held: &self.held,
            ring: self.held.ring(&self.dir)?,
            entropy: self.entropy.as_ref(),
            _lock: lock,
        })
    }

    pub(super) fn read(
        &self,
        name: &SecretName,
        version: Option<SecretVersion>,
    ) -> Result<Option<Secret>, SecretError> {
        let session = self.session(false)?;
        let head = session.head(name)?;
        let wanted = version.or(head.newest());
        let Some(version) = wanted.filter(|version| head.has(*version)) else {
            return Ok(None);
        };
        let opened = session.opened(name, version)?;
        let value = SecretValue::new(opened.bytes.to_vec())
            .map_err(|_| damaged(Sealed::Value(name.clone(), version), Damage::State))?;
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
        let session = self.session(true)?;
        let head = session.head(name)?;
        if head.newest() != expected.version() {
            return Ok(PutOutcome::Conflict(head.newest()));
        }
        let version = head.last.checked_add(1).and_then(SecretVersion::new);
        let version =
            version.ok_or_else(|| SecretError::unavailable("no version number is left"))?;
        let item = Sealed::Value(name.clone(), version);
        // From here the value counts, even if the list is not rewritten: see `head`.
        session.write(&item, &value_file(name, version), value.expose_secret(), at)?;
        let last = version.get();
        session.write_head(name, Head { last, ..head }, at)?;
        Ok(PutOutcome::Stored(version))
    }

    pub(super) fn delete(&self, name: &SecretName) -> Result<bool, SecretError> {
        let session = self.session(true)?;
        let head = session.head(name)?;
        if head.newest().is_none() {
            return Ok(false);
        }
        let floor = head.last.saturating_add(1);
        session.raise_floor(name, Head { floor, ..head }, Timestamp::UNIX_EPOCH)?;
        Ok(true)
    }

    pub(super) fn delete_before(
        &self,
        name: &SecretName,
        version: SecretVersion,
    ) -> Result<(), SecretError> {
        let session = self.session(true)?;
        let (head, at) = session.dated_head(name)?;
        let Some(newest) = head.newest() else {
            return Ok(());
        };
        let floor = version.min(newest).get();
        if floor <= head.floor {
            return Ok(());
        }
        let at = session.dated(name, newest, at)?;
        session.raise_floor(name, Head { floor, ..head }, at)
    }

    pub(super) fn list(&self, below: &SecretName) -> Result<Vec<Listed>, SecretError> {
        let session = self.session(false)?;
        let mut listed = Vec::new();
        for name in session.written()? {
            if !name.is_below(below) {
                continue;
            }
            let (head, at) = session.dated_head(&name)?;
            if let Some(version) = head.newest() {
                let stored_at = Some(session.dated(&name, version, at)?);
                listed.push(Listed {
                    name,
                    version,
                    stored_at,
                });
            }
        }
        Ok(listed)
    }

    pub(super) fn taken(&self, below: &SecretName) -> Result<Vec<SecretName>, SecretError> {
        let written = self.session(false)?.written()?;
        let taken = written.into_iter().filter(|name| name.is_below(below));
        Ok(taken.collect())
    }

    pub(super) fn names(&self) -> Result<Vec<SecretName>, SecretError> {
        let session = self.session(false)?;
        let mut live = Vec::new();
        for name in session.written()? {
            if session.head(&name)?.newest().is_some() {
                live.push(name);
            }
        }
        Ok(live)
    }

    pub(super) fn versions(&self, name: &SecretName) -> Result<Vec<SecretVersion>, SecretError> {
        let head = self.session(false)?.head(name)?;
        Ok((head.floor..=head.last)
            .filter_map(SecretVersion::new)
            .collect())
    }
}

impl Session<'_> {
    pub(super) fn head(&self, name: &SecretName) -> Result<Head, SecretError> {
        self.dated_head(name).map(|(head, _)| head)
    }

    /// Reads the list of a name with the time of its newest value, and counts in a value that was
    /// written just before the list could be: so an old list put back hides no newer value. Its
    /// time is then in the value alone, and none is given.
    fn dated_head(&self, name: &SecretName) -> Result<(Head, Option<Timestamp>), SecretError> {
        let item = Sealed::Head(name.clone());
        let (mut head, mut at) = match self.dir.read(&head_file(name), &item)? {
            None => (Head { floor: 1, last: 0 }, None),
            Some(file) => {
                let opened = self.ring.unseal(&item, &file)?;
                let numbers = opened.bytes.split_first_chunk::<8>();
                let (floor, last) = numbers
                    .and_then(|(floor, last)| Some((floor, last.try_into().ok()?)))
                    .ok_or_else(|| damaged(item, Damage::State))?;
                let head = Head {
                    floor: u64::from_be_bytes(*floor),
                    last: u64::from_be_bytes(last),
                };
                (head, Some(opened.at))
            }
        };
        while let Some(next) = head.last.checked_add(1).and_then(SecretVersion::new)
            && self.dir.has(&value_file(name, next))?
        {
            (head.last, at) = (next.get(), None);
        }
        Ok((head, at))
    }

    /// The time of the newest value, which its list says, or else the value.
    fn dated(
        &self,
        name: &SecretName,
        newest: SecretVersion,
        listed: Option<Timestamp>,
    ) -> Result<Timestamp, SecretError> {
        match listed {
            Some(at) => Ok(at),
            None => self.opened(name, newest).map(|opened| opened.at),
        }
    }

    /// A version as it was sealed, with its time.
    fn opened(&self, name: &SecretName, version: SecretVersion) -> Result<Opened, SecretError> {
        let item = Sealed::Value(name.clone(), version);
        match self.dir.read(&value_file(name, version), &item)? {
            Some(file) => self.ring.unseal(&item, &file),
            None => Err(damaged(item, Damage::Missing)),
        }
    }

    /// Every name that there is a file of.
    fn written(&self) -> Result<BTreeSet<SecretName>, SecretError> {
        let mut names = BTreeSet::new();
        for file in self.dir.list()? {
            if let Some((encoded, _)) = file.split_once('@')
                && let Ok(name) = decode(encoded)
            {
                names.insert(name);
            }
        }
        Ok(names)
    }

    /// Writes the list, then removes the values below its floor, also what an interrupted earlier deletion left.
    fn raise_floor(&self, name: &SecretName, head: Head, at: Timestamp) -> Result<(), SecretError> {
        self.write_head(name, head, at)?;
        let encoded = encode(name);
        for file in self.dir.list()? {
            if let Some((of, number)) = file.split_once('@')
                && of == encoded
                && number
                    .parse::<u64>()
                    .is_ok_and(|number| number < head.floor)
            {
                self.dir.remove(&file)?;
            }
        }
        self.dir.sync()
    }

    fn write_head(&self, name: &SecretName, head: Head, at: Timestamp) -> Result<(), SecretError> {
        let bytes = [head.floor.to_be_bytes(), head.last.to_be_bytes()].concat();
        let item = Sealed::Head(name.clone());
        self.write(&item, &head_file(name), &bytes, at)
    }

    /// Seals an item under the key of this moment and puts it in its place.
    pub(super) fn write(
        &self,
        item: &Sealed,
        file: &str,
        bytes: &[u8],
        at: Timestamp,
    ) -> Result<(), SecretError> {
        let sealed = self.ring.seal(item, bytes, at, self.entropy)?;
        self.dir.replace(file, &sealed, self.entropy)
    }
}

/// A name as the first part of a file name; `+` and `@` are in no name.
fn encode(name: &SecretName) -> String {
    name.as_str().replace('/', "+")
}

fn decode(encoded: &str) -> Result<SecretName, SecretRefError> {
    encoded.replace('+', "/").parse()
}

fn head_file(name: &SecretName) -> String {
    format!("{}@head", encode(name))
}

fn value_file(name: &SecretName, version: SecretVersion) -> String {
    format!("{}@{version}", encode(name))
}

/// What a file of this name holds; `None` if it is none that this store writes.
pub(super) fn item_of(file: &str) -> Option<Sealed> {
    let (encoded, of) = file.split_once('@')?;
    let name = decode(encoded).ok()?;
    if of == "head" {
        return Some(Sealed::Head(name));
    }
    // Only the canonical digits: another spelling is read by nobody.
    let version = of.parse().ok()?;
    Some(Sealed::Value(name, version))
}

fn damaged(item: Sealed, damage: Damage) -> SecretError {
    SecretError::Damaged { item, damage }
}
