//! What roles may do to roles.

use std::fmt::Debug;

use crate::domain::{PermissionNames, Reach, RoleName};

/// The authorization crate's word on roles, as far as membership needs it.
pub trait RoleRules: Debug + Send + Sync + 'static {
    /// How far a role of the deployment reaches, built in or not; none if there is none of this name.
    fn of_deployment(&self, role: &RoleName) -> Option<Reach>;

    /// How far these permissions reach; none if one of them is not in the catalogue.
    fn reach(&self, permissions: &PermissionNames) -> Option<Reach>;

    /// Whether one who reaches this far may manage members at all.
    fn manages_members(&self, reach: Reach) -> bool;
}
