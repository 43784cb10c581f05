//! What a reader of secrets is given.

use std::sync::Arc;
use std::time::Duration;

use cyprob_core::domain::Timestamp;

use crate::domain::SourceVersion;
use crate::ports::{Secret, SecretError};

/// A secret in memory.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) secret: Secret,
    /// When its source was asked.
    pub(super) asked_at: Timestamp,
}

/// A secret that was read, and how old that reading is.
#[derive(Clone, Debug)]
pub struct Served {
    held: Arc<Held>,
    age: Duration,
    outage: Option<Arc<SecretError>>,
}

/// How much a served secret can be relied on.
#[derive(Clone, Debug)]
pub enum Freshness {
    /// Its source said so within the time for which secrets are fresh.
    Fresh,
    /// Its source is out of reach. It was the secret so long ago, which is less than the bound.
    Stale {
        /// The age of the reading.
        age: Duration,
        /// Why the source could not be asked, for the log.
        cause: Arc<SecretError>,
    },
}

impl Served {
    pub(super) const fn fresh(held: Arc<Held>, age: Duration) -> Self {
        Self {
            held,
            age,
            outage: None,
        }
    }

    pub(super) const fn stale(held: Arc<Held>, age: Duration, cause: Arc<SecretError>) -> Self {
        Self {
            held,
            age,
            outage: Some(cause),
        }
    }

    /// The secret.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.held.secret
    }

    /// Its version, where its source has versions.
    #[must_use]
    pub fn version(&self) -> Option<&SourceVersion> {
        self.held.secret.version.as_ref()
    }

    /// How long ago its source was asked.
    #[must_use]
    pub const fn age(&self) -> Duration {
        self.age
    }

    /// When it was served.
    pub(in crate::service) fn at(&self) -> Timestamp {
        self.held.asked_at.after(self.age)
    }

    /// Whether its source was asked within the time for which secrets are fresh.
    #[must_use]
    pub fn freshness(&self) -> Freshness {
        match &self.outage {
            None => Freshness::Fresh,
            Some(cause) => Freshness::Stale {
                age: self.age,
                cause: Arc::clone(cause),
            },
        }
    }
}
