//! Where roles are found that organizations define.

use std::fmt::Debug;

use async_trait::async_trait;
use cyprob_core::domain::{CustomRole, OrgCtx, RoleId};

/// The roles could not be read.
#[derive(Debug, thiserror::Error)]
#[error("the organization's roles cannot be read")]
pub struct RoleSourceError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl RoleSourceError {
    /// Wraps what the source said.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

/// Gives the roles that organizations define, as they are in force.
#[async_trait]
pub trait RoleSource: Debug + Send + Sync + 'static {
    /// The role of this id in the caller's organization; none if it is gone.
    async fn role(&self, org: &OrgCtx, id: RoleId) -> Result<Option<CustomRole>, RoleSourceError>;
}
