//! What roles may do to roles.

use std::fmt::Debug;

use crate::domain::RoleName;

/// The authorization crate's word on roles, as far as membership needs it.
pub trait RoleRules: Debug + Send + Sync + 'static {
    /// Whether there is such a role.
    fn exists(&self, role: &RoleName) -> bool;

    /// Whether the holder of `holder` may give, take or change membership in `role`: everything that `role` permits, `holder` permits.
    fn covers(&self, holder: &RoleName, role: &RoleName) -> bool;

    /// Whether the role may manage members at all.
    fn manages_members(&self, role: &RoleName) -> bool;
}
