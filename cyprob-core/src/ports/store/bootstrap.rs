//! The first administrator.

use std::fmt::Debug;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::audit::AuditEvent;
use crate::domain::{Organization, Timestamp, TokenDigest, User};

/// What comes to be when a deployment gets its first administrator.
#[derive(Clone, Debug)]
pub struct Founding {
    /// The digest of the one-time token that was shown.
    pub token: TokenDigest,
    /// The administrator.
    pub user: User,
    /// The first organization, which the administrator owns.
    pub org: Organization,
    /// Now.
    pub at: Timestamp,
}

/// What became of a bootstrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BootstrapOutcome {
    /// There is an administrator now.
    Done,
    /// There was one already; it never opens again.
    Closed,
    /// The token is not the armed one, or its time has passed. Nothing changed.
    BadToken,
}

/// The one-way door of a deployment's first administrator.
#[async_trait]
pub trait BootstrapStore: Debug + Send + Sync + 'static {
    /// Whether an administrator was ever made.
    async fn is_bootstrapped(&self) -> Result<bool, StoreError>;

    /// Makes this the only token that opens the door, until a time.
    ///
    /// Returns `false`, and changes nothing, once the door is closed.
    async fn arm(&self, token: TokenDigest, expires_at: Timestamp) -> Result<bool, StoreError>;

    /// Makes the administrator, the organization and the owner's membership, and closes the door for ever.
    ///
    /// Of two racers one gets [`BootstrapOutcome::Done`]. The store is empty
    /// of users and organizations while the door is open, so no name can be taken.
    async fn found(
        &self,
        founding: &Founding,
        events: &[AuditEvent],
    ) -> Result<BootstrapOutcome, StoreError>;
}
