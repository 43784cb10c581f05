//! Roles: what each permits, and which may manage which.

use std::collections::BTreeMap;
use std::sync::Arc;

use cyprob_core::domain::RoleName;

use super::policy::{PolicyError, Rights, RoleSource, compile};
use super::{Permission, PermissionSet};

/// What a role permits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleDefinition {
    /// The role's name.
    pub name: RoleName,
    /// What it permits, and under which conditions.
    pub rights: Arc<Rights>,
    /// Whether it ships with the control plane and cannot be changed.
    pub builtin: bool,
}

/// The roles could not be put together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RoleCatalogError {
    /// Two definitions have one name, or it is what callers without a role are called.
    #[error("no role can be defined by the name {0}: it is taken")]
    Duplicate(RoleName),
}

/// The roles of a deployment and what they permit.
///
/// The built-in grants:
///
/// | role | may |
/// | --- | --- |
/// | `owner` | everything |
/// | `admin` | everything; but owners are not an admin's to make, change or remove |
/// | `operator` | see the organization, members, roles; install, approve and run plugins; set secrets |
/// | `analyst` | see the organization, members, roles, plugins; run what is enabled |
/// | `auditor` | see everything there is, the audit trail included, and review it; change nothing else |
/// | `viewer` | see the organization, plugins, runs and findings |
///
/// The catalogue stands at the verifier, not in the token: what a role permits
/// can change without a token being minted anew.
#[derive(Clone, Debug)]
pub struct RoleCatalog {
    roles: BTreeMap<RoleName, RoleDefinition>,
}

/// What callers without a role are called where roles are.
const CALLERS: [&str; 5] = [
    "anonymous",
    "no_organization",
    "administrator",
    "service_account",
    "worker",
];
const VIEWER: &[Permission] = &[
    Permission::OrgRead,
    Permission::PluginsRead,
    Permission::RunsRead,
];
const ANALYST: &[Permission] = &[
    Permission::OrgRead,
    Permission::MembersRead,
    Permission::RolesRead,
    Permission::PluginsRead,
    Permission::RunsCreate,
    Permission::RunsRead,
];
const OPERATOR: &[Permission] = &[
    Permission::OrgRead,
    Permission::MembersRead,
    Permission::RolesRead,
    Permission::PluginsRead,
    Permission::PluginsWrite,
    Permission::PluginsApprove,
    Permission::RunsCreate,
    Permission::RunsRead,
    Permission::SecretsRead,
    Permission::SecretsWrite,
];
const AUDITOR: &[Permission] = &[
    Permission::OrgRead,
    Permission::MembersRead,
    Permission::RolesRead,
    Permission::ServiceAccountsRead,
    Permission::PluginsRead,
    Permission::RunsRead,
    Permission::SecretsRead,
    Permission::AuditRead,
    Permission::AuditReview,
    Permission::SessionsRead,
];

impl Default for RoleCatalog {
    fn default() -> Self {
        Self::builtin()
    }
}

impl RoleCatalog {
    /// The roles that ship with the control plane.
    #[must_use]
    pub fn builtin() -> Self {
        let roles = [
            (RoleName::OWNER, PermissionSet::all()),
            (RoleName::ADMIN, PermissionSet::all()),
            (RoleName::OPERATOR, PermissionSet::of(OPERATOR)),
            (RoleName::ANALYST, PermissionSet::of(ANALYST)),
            (RoleName::AUDITOR, PermissionSet::of(AUDITOR)),
            (RoleName::VIEWER, PermissionSet::of(VIEWER)),
        ];
        let define = |(name, permissions): (RoleName, PermissionSet)| {
            let role = RoleDefinition {
                name: name.clone(),
                rights: Arc::new(permissions.into()),
                builtin: true,
            };
            (name, role)
        };
        Self {
            roles: roles.into_iter().map(define).collect(),
        }
    }

    /// The same roles and one more, which a deployment defines for all organizations.
    ///
    /// # Errors
    ///
    /// [`RoleCatalogError::Duplicate`] if the name is taken; a built-in role cannot be redefined.
    pub fn with_role(mut self, name: RoleName, rights: Rights) -> Result<Self, RoleCatalogError> {
        if self.is_taken(&name) {
            return Err(RoleCatalogError::Duplicate(name));
        }
        self.define(name, rights);
        Ok(self)
    }

    /// The same roles and those of a policy, which may include each other and those that there are.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] with everything that is wrong with the policy, and where.
    pub fn with_policy(mut self, roles: &[RoleSource]) -> Result<Self, PolicyError> {
        for (name, rights) in compile(&self, roles)? {
            self.define(name, rights);
        }
        Ok(self)
    }

    /// Whether no role can be defined by this name: there is one, or the matrix calls other callers by it.
    pub(crate) fn is_taken(&self, name: &RoleName) -> bool {
        self.roles.contains_key(name) || CALLERS.contains(&name.as_str())
    }

    fn define(&mut self, name: RoleName, rights: Rights) {
        let role = RoleDefinition {
            name: name.clone(),
            rights: Arc::new(rights),
            builtin: false,
        };
        self.roles.insert(name, role);
    }

    /// What a role permits; a role that is not in the catalogue permits nothing.
    #[must_use]
    pub fn rights(&self, role: &RoleName) -> &Rights {
        match self.roles.get(role) {
            Some(role) => &role.rights,
            None => Rights::NOTHING,
        }
    }

    /// The role of this name.
    #[must_use]
    pub fn get(&self, role: &RoleName) -> Option<&RoleDefinition> {
        self.roles.get(role)
    }

    /// All roles: the built-in ones from the widest to the narrowest, then the others by name.
    #[must_use]
    pub fn roles(&self) -> Vec<&RoleDefinition> {
        let rank = |name: &RoleName| {
            [
                RoleName::OWNER,
                RoleName::ADMIN,
                RoleName::OPERATOR,
                RoleName::ANALYST,
                RoleName::AUDITOR,
                RoleName::VIEWER,
            ]
            .iter()
            .position(|builtin| builtin == name)
            .unwrap_or(usize::MAX)
        };
        let mut all: Vec<_> = self.roles.values().collect();
        all.sort_by_key(|role| rank(&role.name));
        all
    }

    /// The roles that permit it, under some circumstances at least.
    #[must_use]
    pub fn who_can(&self, permission: Permission) -> Vec<&RoleDefinition> {
        self.roles()
            .into_iter()
            .filter(|role| role.rights.at_most().contains(permission))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strange_role_holds_nothing() {
        let catalog = RoleCatalog::builtin();
        let strange: RoleName = "stranger".parse().unwrap();
        assert!(catalog.rights(&strange).at_most().is_empty());
        assert!(catalog.get(&strange).is_none());
    }

    #[test]
    fn a_builtin_role_cannot_be_redefined() {
        let taken = RoleCatalog::builtin().with_role(RoleName::VIEWER, PermissionSet::all().into());
        assert!(matches!(taken, Err(RoleCatalogError::Duplicate(_))));
        let name: RoleName = "triage".parse().unwrap();
        let catalog = RoleCatalog::builtin()
            .with_role(
                name.clone(),
                PermissionSet::of(&[Permission::RunsRead]).into(),
            )
            .unwrap();
        assert!(catalog.get(&name).is_some());
        assert_eq!(catalog.roles().len(), 7);
        assert!(
            catalog
                .who_can(Permission::RunsRead)
                .iter()
                .any(|r| r.name == name)
        );
    }
}
