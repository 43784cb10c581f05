//! Secrets that organizations keep: written, rotated and deleted by them, read by the host.
//!
//! A secret and its event are in two systems, the secret store and the database,
//! and no transaction spans both. So a change goes in steps, each of which is
//! durable before the next:
//!
//! 1. a note in the secret store, beside the secrets: the event to be recorded,
//!    and the newest version before the change;
//! 2. the change;
//! 3. the event, in the outbox of the audit trail;
//! 4. the note is taken away.
//!
//! One note of an organization is there at a time, put by compare-and-set, so
//! its secrets are changed one after the other by whatever process. Whoever
//! finds a note that nobody finishes, at the next change or by
//! [`OrgSecrets::settle`], looks at the newest version: where it moved the
//! change was made and its event is recorded, where it did not there is none.
//! While an event cannot be recorded, its note stays and nothing more of the
//! organization is changed.
//!
//! A change runs in a task of its own, so whoever leaves interrupts none. One of
//! which the store did not say in time what became of it is not judged for half a
//! minute, unless it is seen to be made: until then it may still reach the store.
//! What another process left is taken over after half a minute, and then not
//! judged for as long again. A deletion that is seen to be made is asked for once
//! more, for what it may have left.
//!
//! What this does not do: a process that ends between the third step and the
//! fourth, or whose database records and answers with an error, leaves a change
//! that is recorded twice; the second event names the first as `change`. A
//! process that stands still for half a minute between two steps is taken for
//! ended: if it goes on after that, makes the change, and ends before its event,
//! the change has none. Nor has one that a network holds back for longer than
//! half a minute and then lets through, if nothing else changed the secret
//! before. What an operator changes in the store itself has no event here, and
//! none of it may be done while the organization changes the same secret.

mod changes;
mod draw;
mod error;
mod note;
mod places;
mod settling;
#[cfg(test)]
mod tests;

use std::num::NonZeroU64;
use std::sync::Arc;

use cyprob_core::domain::{OrgCtx, Timestamp};
use cyprob_core::ports::store::Outbox;
use cyprob_core::ports::{Clock, Entropy};

use self::changes::{Change, Shared};
pub use self::error::OrgSecretError;
use super::Served;
use crate::domain::{Drawing, Keeping, OrgSecretBase, SecretName, SecretValue, SecretVersion};
use crate::ports::{Expected, SecretStore};

/// How much an organization may keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrgSecretLimits {
    /// How many secrets.
    pub secrets: usize,
    /// How many names, those of deleted secrets among them: what numbers they used is kept for ever.
    pub names: usize,
    /// How many versions of each can still be read; older ones are removed.
    pub versions: NonZeroU64,
}

/// What the service is made of.
#[derive(Clone, Debug)]
pub struct OrgSecretsParts {
    /// Where the secrets are.
    pub store: Arc<dyn SecretStore>,
    /// Below which name of it.
    pub base: OrgSecretBase,
    /// Where events go.
    pub outbox: Arc<dyn Outbox>,
    /// How long a read value is served; what other processes change is seen after that.
    pub keeping: Keeping,
    /// How much an organization may keep.
    pub limits: OrgSecretLimits,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The random source of drawn values and ids.
    pub entropy: Arc<dyn Entropy>,
}

/// A secret of an organization, without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrgSecret {
    /// Its name within the organization.
    pub name: SecretName,
    /// Its newest version.
    pub version: SecretVersion,
    /// When that was stored, where the store knows.
    pub stored_at: Option<Timestamp>,
}

/// The secrets of organizations over one store. Clones share it.
#[derive(Clone, Debug)]
pub struct OrgSecrets(Arc<Shared>);

impl Default for OrgSecretLimits {
    /// 200 secrets of ten versions, under 2,000 names over time.
    fn default() -> Self {
        Self {
            secrets: 200,
            names: 2_000,
            versions: NonZeroU64::MIN.saturating_add(9),
        }
    }
}

impl OrgSecrets {
    /// The secrets below a base of a store.
    #[must_use]
    pub fn new(parts: OrgSecretsParts) -> Self {
        Self(Arc::new(Shared::new(parts)))
    }

    /// The organization's secrets in order of their names; no value is given out.
    ///
    /// # Errors
    ///
    /// [`OrgSecretError::Secrets`] if the store fails.
    pub async fn list(&self, org: &OrgCtx) -> Result<Vec<OrgSecret>, OrgSecretError> {
        self.0.listed(org.org()).await
    }

    /// Reads a secret for the host, through memory; `None` if there is none.
    ///
    /// The organization's log gets the first read of a version by a caller before
    /// the value is given out, and each minute the number of those that followed.
    /// It must be called within a Tokio runtime.
    ///
    /// # Errors
    ///
    /// [`OrgSecretError::Name`], `Secrets` if the store fails and nothing in
    /// memory is within the bound, or `Trail` if the log does not take the event.
    pub async fn secret(
        &self,
        org: &OrgCtx,
        name: &SecretName,
    ) -> Result<Option<Served>, OrgSecretError> {
        self.0.read(org, name).await
    }

    /// Records how often secrets were read, as before the process ends: what is counted is lost then.
    ///
    /// # Errors
    ///
    /// [`OrgSecretError::Trail`]; what the trail did not take stays counted.
    pub async fn close_reads(&self) -> Result<(), OrgSecretError> {
        self.0.close_reads().await
    }

    /// Stores a value as the next version; with `seen`, only if that is the newest one.
    ///
    /// A second call stores a second version.
    ///
    /// # Errors
    ///
    /// [`OrgSecretError`]; only after `Secrets` and `Trail` may the value be stored.
    pub async fn put(
        &self,
        org: &OrgCtx,
        name: &SecretName,
        value: &SecretValue,
        seen: Option<Expected>,
    ) -> Result<OrgSecret, OrgSecretError> {
        let change = Change::Put(value.clone());
        self.0.change(org, name, change, seen).await
    }

    /// Draws a value and stores it as the next version: nobody saw it before the host reads it.
    ///
    /// A second call draws another one.
    ///
    /// # Errors
    ///
    /// [`OrgSecretError`], `NotFound` if there is no such secret; only after
    /// `Secrets` and `Trail` may a value be stored.
    pub async fn rotate(
        &self,
        org: &OrgCtx,
        name: &SecretName,
        drawing: Drawing,
        seen: Option<Expected>,
    ) -> Result<OrgSecret, OrgSecretError> {
        let change = Change::Rotate(drawing);
        self.0.change(org, name, change, seen).await
    }

    /// Removes a secret with all its versions.
    ///
    /// # Errors
    ///
    /// [`OrgSecretError`], `NotFound` also at a second call; only after
    /// `Secrets` and `Trail` may the secret be gone.
    pub async fn delete(&self, org: &OrgCtx, name: &SecretName) -> Result<(), OrgSecretError> {
        self.0.change(org, name, Change::Delete, None).await?;
        Ok(())
    }

    /// Finishes what was begun and not finished, of every organization: by this process, or
    /// by another one more than half a minute ago. Returns how many changes; none while
    /// another call is at it, and what may yet be made is left to a later one. Who leaves
    /// does not end it.
    ///
    /// # Errors
    ///
    /// The first [`OrgSecretError`]; the other organizations are finished all the same.
    pub async fn settle(&self) -> Result<usize, OrgSecretError> {
        self.0.settle().await
    }
}
