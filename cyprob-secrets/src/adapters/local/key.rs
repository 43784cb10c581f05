//! The master key's file, and the keys that lie beside it.
//!
//! A rotation keeps both keys beside the file, each named by its id, before
//! the store changes, and puts the new one into the file afterwards. Whoever
//! finds another key in the file than the store names looks for the named one
//! there: so no instant is without the key, and a store that shares the file,
//! or an older copy of this one, still finds its own.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use cyprob_core::ports::Entropy;
use zeroize::Zeroizing;

use super::dir::Dir;
use super::keys::{KeyId, master_id};
use crate::domain::{MasterKey, SecretValue};
use crate::ports::{Refusal, Sealed, SecretError};

/// The file of a master key, in its opened directory.
pub(super) struct KeyFile<'a> {
    path: &'a Path,
    dir: Dir,
    file: &'a str,
}

impl<'a> KeyFile<'a> {
    /// Opens the directory of the file, which need not be there.
    pub(super) fn at(path: &'a Path) -> Result<Self, SecretError> {
        let file = path.file_name().and_then(|name| name.to_str());
        let file = file.ok_or(unsafe_key(Refusal::WrongKind))?;
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let dir = Dir::open(parent)?.for_file(file);
        Ok(Self { path, dir, file })
    }

    /// Reads the key; `None` if there is no file.
    pub(super) fn read(&self) -> Result<Option<MasterKey>, SecretError> {
        read(&self.dir, self.file)
    }

    /// Reads the key of an id that is kept beside the file.
    pub(super) fn read_kept(&self, id: KeyId) -> Result<Option<MasterKey>, SecretError> {
        read(&self.dir, &self.kept(id))
    }

    /// Gets the key for a store that does not exist yet, and makes the file if it is missing.
    pub(super) fn read_or_make(&self, entropy: &dyn Entropy) -> Result<MasterKey, SecretError> {
        if let Some(key) = self.read()? {
            return Ok(key);
        }
        let key = MasterKey::generate(|out| entropy.fill(out));
        if self
            .dir
            .create(self.file, digits(&key)?.as_bytes(), entropy)?
        {
            return Ok(key);
        }
        // Another process made it in between: its key is the one.
        self.read()?.ok_or(SecretError::KeyMissing)
    }

    /// Removes what an interrupted write left of a key.
    pub(super) fn clean(&self) -> Result<(), SecretError> {
        self.dir.clean()
    }

    /// Keeps a key beside the file, under its id; says where.
    pub(super) fn keep(
        &self,
        key: &MasterKey,
        entropy: &dyn Entropy,
    ) -> Result<PathBuf, SecretError> {
        let id = master_id(key)?;
        let name = self.kept(id);
        if !self.dir.create(&name, digits(key)?.as_bytes(), entropy)? {
            // It must be this key: what it stands for would be lost otherwise.
            let there = read(&self.dir, &name)?.ok_or(SecretError::KeyMissing)?;
            if master_id(&there)? != id {
                return Err(unsafe_key(Refusal::NotAKey));
            }
        }
        Ok(self.path.with_file_name(name))
    }

    /// Puts a key that is kept beside the file into it.
    pub(super) fn take(&self, key: &MasterKey, entropy: &dyn Entropy) -> Result<(), SecretError> {
        self.dir
            .replace(self.file, digits(key)?.as_bytes(), entropy)?;
        self.forget(key)
    }

    /// Removes a kept key.
    pub(super) fn forget(&self, key: &MasterKey) -> Result<(), SecretError> {
        self.dir.remove(&self.kept(master_id(key)?))?;
        self.dir.sync()
    }

    fn kept(&self, id: KeyId) -> String {
        format!("{}.{:016x}", self.file, u64::from_be_bytes(id))
    }
}

fn digits(key: &MasterKey) -> Result<Zeroizing<String>, SecretError> {
    let mut digits = Zeroizing::new(String::with_capacity(2 * MasterKey::LEN + 1));
    for byte in key.expose() {
        write!(digits, "{byte:02x}").map_err(SecretError::unavailable)?;
    }
    digits.push('\n');
    Ok(digits)
}

fn read(dir: &Dir, file: &str) -> Result<Option<MasterKey>, SecretError> {
    let Some(bytes) = dir.read(file, &Sealed::Key)? else {
        return Ok(None);
    };
    let value = SecretValue::new(bytes.to_vec()).map_err(|_| unsafe_key(Refusal::NotAKey))?;
    let key = MasterKey::from_value(&value).map_err(|_| unsafe_key(Refusal::NotAKey))?;
    Ok(Some(key))
}

fn unsafe_key(refusal: Refusal) -> SecretError {
    SecretError::UnsafeStore {
        item: Sealed::Key,
        refusal,
    }
}
