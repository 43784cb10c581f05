//! The versions of a secret, as a key-value engine tells of them.

use std::collections::BTreeMap;

use cyprob_core::domain::Timestamp;
use serde::Deserialize;

use super::fault::{Fault, Outage};
use super::reply::Reply;
use crate::domain::SecretVersion;

/// What is known of a secret without its values.
#[derive(Default, Deserialize)]
pub(super) struct Versions {
    current_version: u64,
    #[serde(default)]
    versions: BTreeMap<u64, Version>,
}

#[derive(Deserialize)]
struct Version {
    created_time: String,
    /// Empty, or when it was or will be deleted.
    #[serde(default)]
    deletion_time: String,
    #[serde(default)]
    destroyed: bool,
}

#[derive(Deserialize)]
struct Written {
    version: u64,
}

impl Version {
    fn lives(&self) -> bool {
        !self.destroyed && self.deletion_time.is_empty()
    }
}

impl Versions {
    /// The number that was given last, whatever became of it; zero if none was.
    pub(super) const fn last(&self) -> u64 {
        self.current_version
    }

    /// The last version, if it can be read.
    pub(super) fn newest(&self) -> Option<SecretVersion> {
        let last = self.versions.get(&self.current_version)?;
        SecretVersion::new(self.current_version).filter(|_| last.lives())
    }

    /// The versions that can be read, oldest first.
    pub(super) fn live(&self) -> Vec<u64> {
        let live = self.versions.iter().filter(|(_, version)| version.lives());
        live.map(|(number, _)| *number).collect()
    }

    /// The version that a write made.
    pub(super) fn written(reply: &Reply) -> Result<SecretVersion, Fault> {
        let Written { version } = reply.data()?;
        SecretVersion::new(version).ok_or_else(|| Outage::Garbled.into())
    }

    pub(super) fn stored_at(&self, version: SecretVersion) -> Result<Timestamp, Fault> {
        let known = self.versions.get(&version.get());
        let at = known.and_then(|known| known.created_time.parse().ok());
        at.ok_or_else(|| Outage::Garbled.into())
    }
}
