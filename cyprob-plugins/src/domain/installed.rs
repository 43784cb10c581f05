//! Plugins that an organization has installed.

use cyprob_core::domain::Timestamp;

use super::{Digest, PluginId};

/// An installed plugin as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledPlugin {
    /// The id, stated in the file or derived from its name.
    pub id: PluginId,
    /// The name; empty when the file has none.
    pub name: String,
    /// The version as written; empty when the file has none.
    pub version: String,
    /// The digest of the exact bytes.
    pub digest: Digest,
    /// Whether runs that name no plugins take it.
    pub enabled: bool,
    /// When this version was installed.
    pub installed_at: Timestamp,
}

/// One plugin file, as it was uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginFile {
    /// The name it was uploaded under; an id may derive from it.
    pub name: String,
    /// The digest of the bytes.
    pub digest: Digest,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl PluginFile {
    /// A file with the digest of its bytes.
    #[must_use]
    pub fn new(name: &str, bytes: Vec<u8>) -> Self {
        Self {
            name: name.to_owned(),
            digest: Digest::of(&bytes),
            bytes,
        }
    }

    /// Whether the bytes are those of the digest.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        Digest::of(&self.bytes) == self.digest
    }
}
