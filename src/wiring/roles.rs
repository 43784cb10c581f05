//! Organizations' own roles, out of the identity store.

use std::sync::Arc;

use async_trait::async_trait;
use cyprob_authz::ports::{RoleSource, RoleSourceError};
use cyprob_core::domain::{CustomRole, OrgCtx, RoleId};
use cyprob_core::ports::store::IdentityStore;

/// Reads a role when a version of it is asked for the first time.
#[derive(Debug)]
pub(crate) struct StoredRoles(pub(crate) Arc<dyn IdentityStore>);

#[async_trait]
impl RoleSource for StoredRoles {
    async fn role(&self, org: &OrgCtx, id: RoleId) -> Result<Option<CustomRole>, RoleSourceError> {
        let role = self.0.role_by_id(org, id).await;
        role.map_err(RoleSourceError::new)
    }
}
