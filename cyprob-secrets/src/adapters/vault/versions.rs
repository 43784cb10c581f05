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
    /// Empty, or when it was or will be deleted: a mount may give each version a time to live.
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
    fn lives(&self, at: Timestamp) -> bool {
        let is_deleted = || {
            self.deletion_time
                .parse()
                .is_ok_and(|gone_at| at >= gone_at)
        };
        !self.destroyed && (self.deletion_time.is_empty() || !is_deleted())
    }
}

impl Versions {
    /// The last version, if it can be read at this time.
    pub(super) fn newest(&self, at: Timestamp) -> Option<SecretVersion> {
        let last = self.versions.get(&self.current_version)?;
        SecretVersion::new(self.current_version).filter(|_| last.lives(at))
    }

    /// The versions that can be read at this time, oldest first.
    pub(super) fn live(&self, at: Timestamp) -> Vec<SecretVersion> {
        let live = self.versions.iter().filter(|(_, known)| known.lives(at));
        live.filter_map(|(number, _)| SecretVersion::new(*number))
            .collect()
    }

    /// The versions whose values the engine still has, if only until somebody undoes their deletion.
    pub(super) fn kept(&self) -> impl Iterator<Item = u64> {
        let kept = self.versions.iter().filter(|(_, known)| !known.destroyed);
        kept.map(|(number, _)| *number)
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
