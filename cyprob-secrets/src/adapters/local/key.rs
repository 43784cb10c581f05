//! The master key's file.

use std::fmt::Write;
use std::path::Path;

use cyprob_core::ports::Entropy;
use zeroize::Zeroizing;

use super::KeySource;
use super::dir::Dir;
use crate::domain::{MasterKey, SecretValue};
use crate::ports::{Refusal, Sealed, SecretError};

/// Gets the master key; makes the key file only for a store that does not exist yet.
pub(super) fn load(
    source: KeySource,
    store_exists: bool,
    entropy: &dyn Entropy,
) -> Result<MasterKey, SecretError> {
    let path = match source {
        KeySource::Given(key) => return Ok(key),
        KeySource::File(path) => path,
    };
    let file = path.file_name().and_then(|name| name.to_str());
    let file = file.ok_or(unsafe_key(Refusal::WrongKind))?;
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let dir = Dir::open(parent)?;
    if let Some(key) = read(&dir, file)? {
        return Ok(key);
    }
    if store_exists {
        return Err(SecretError::KeyMissing);
    }
    let key = MasterKey::generate(|out| entropy.fill(out));
    let mut digits = Zeroizing::new(String::with_capacity(2 * MasterKey::LEN + 1));
    for byte in key.expose() {
        write!(digits, "{byte:02x}").map_err(SecretError::unavailable)?;
    }
    digits.push('\n');
    if dir.create(file, digits.as_bytes(), entropy)? {
        return Ok(key);
    }
    // Another process made it in between: its key is the one.
    read(&dir, file)?.ok_or(SecretError::KeyMissing)
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
