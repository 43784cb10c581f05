//! What callers hold and what roles hand out.

use super::Identity;
use crate::domain::{Access, Authority, CustomRole, OrgCtx, OrgId, Reach, RoleName, RoleVersion};
use crate::ports::store::StoreError;

/// A role that there is, as it is at this moment.
pub(super) struct KnownRole {
    pub(super) authority: Authority,
    /// Its version, where the organization defined it.
    pub(super) version: Option<RoleVersion>,
}

impl Identity {
    /// What the caller holds: what the token reaches, where its holder narrowed it.
    pub(super) fn holding(&self, org: &OrgCtx) -> Authority {
        let of_role = || self.parts.roles.of_deployment(org.role());
        Authority {
            role: org.role().clone(),
            reach: org.reach().or_else(of_role).unwrap_or(Reach::NOTHING),
        }
    }

    /// The role of this name in the caller's organization.
    pub(super) async fn role_named(
        &self,
        org: &OrgCtx,
        name: &RoleName,
    ) -> Result<Option<KnownRole>, StoreError> {
        let own = match RoleName::BUILTIN.contains(name) {
            true => None,
            false => self.store().role(org, name).await?,
        };
        Ok(self.known(own, name))
    }

    /// What a role hands out.
    ///
    /// INVARIANT: one that is not there counts for all that a role can be. It may
    /// come back: to a deployment's policy, or on another node. Until then whoever
    /// has it, or a key of who has it, is not for those to touch who hold less.
    pub(super) async fn authority_of(
        &self,
        org: &OrgCtx,
        name: &RoleName,
    ) -> Result<Authority, StoreError> {
        let all = || Authority {
            role: name.clone(),
            reach: self.all(),
        };
        let known = self.role_named(org, name).await?;
        Ok(known.map_or_else(all, |known| known.authority))
    }

    /// The role of this name, for one who has no token for the organization yet.
    pub(super) async fn role_in(
        &self,
        org: OrgId,
        name: &RoleName,
    ) -> Result<Option<KnownRole>, StoreError> {
        let own = match RoleName::BUILTIN.contains(name) {
            true => None,
            false => self.store().role_in(org, name).await?,
        };
        Ok(self.known(own, name))
    }

    /// The version of the role that a new token carries; a built-in role has none, whatever is stored under its name.
    pub(super) fn version_of(&self, access: &Access) -> Option<RoleVersion> {
        let builtin = RoleName::BUILTIN.contains(&access.membership.role);
        access.version.filter(|_| !builtin)
    }

    /// What an organization's own role hands out; permissions that this version does not know are beyond everyone.
    pub(super) fn authority_in(&self, role: &CustomRole) -> Authority {
        let reach = self.parts.roles.reach(&role.permissions);
        Authority {
            role: role.name.clone(),
            reach: reach.unwrap_or(Reach::BEYOND),
        }
    }

    fn all(&self) -> Reach {
        let owner = self.parts.roles.of_deployment(&RoleName::OWNER);
        owner.unwrap_or(Reach::BEYOND)
    }

    /// The organization's own role, else the deployment's of that name.
    ///
    /// INVARIANT: the own one comes first. A deployment that takes up a name which
    /// an organization uses gives nobody there another role than they were given.
    fn known(&self, own: Option<CustomRole>, name: &RoleName) -> Option<KnownRole> {
        if let Some(role) = own {
            return Some(KnownRole {
                authority: self.authority_in(&role),
                version: Some(role.version),
            });
        }
        let reach = self.parts.roles.of_deployment(name)?;
        Some(KnownRole {
            authority: Authority {
                role: name.clone(),
                reach,
            },
            version: None,
        })
    }
}
