//! What identity asks of the role catalogue: which role may hand out which.

use cyprob_core::domain::RoleName;
use cyprob_core::ports::RoleRules;

use crate::domain::{Permission, RoleCatalog};

/// Nobody hands out more than they hold, and owners are made by owners only.
impl RoleRules for RoleCatalog {
    fn exists(&self, role: &RoleName) -> bool {
        self.get(role).is_some()
    }

    fn covers(&self, holder: &RoleName, role: &RoleName) -> bool {
        if !self.exists(holder) || !self.exists(role) {
            return false;
        }
        if *holder == RoleName::OWNER {
            return true;
        }
        *role != RoleName::OWNER && self.permissions(holder).is_superset(self.permissions(role))
    }

    fn manages_members(&self, role: &RoleName) -> bool {
        self.permissions(role).contains(Permission::MembersWrite)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_covers_more_than_they_hold() {
        let catalog = RoleCatalog::builtin();
        for holder in catalog.roles() {
            for role in catalog.roles() {
                if catalog.covers(&holder.name, &role.name) {
                    assert!(holder.permissions.is_superset(role.permissions));
                }
            }
        }
        assert!(catalog.covers(&RoleName::OWNER, &RoleName::OWNER));
        assert!(catalog.covers(&RoleName::ADMIN, &RoleName::ADMIN));
        assert!(!catalog.covers(&RoleName::ADMIN, &RoleName::OWNER));
        assert!(!catalog.covers(&RoleName::OPERATOR, &RoleName::AUDITOR));
    }

    #[test]
    fn a_strange_role_covers_nothing() {
        let catalog = RoleCatalog::builtin();
        let strange: RoleName = "stranger".parse().unwrap();
        assert!(!catalog.exists(&strange));
        assert!(!catalog.covers(&strange, &RoleName::VIEWER));
        assert!(!catalog.covers(&RoleName::OWNER, &strange));
        assert!(!catalog.manages_members(&strange));
    }

    #[test]
    fn only_two_roles_write_members() {
        let catalog = RoleCatalog::builtin();
        let managers: Vec<_> = catalog
            .roles()
            .into_iter()
            .filter(|role| catalog.manages_members(&role.name))
            .map(|role| role.name.as_str().to_owned())
            .collect();
        assert_eq!(managers, ["owner", "admin"]);
    }
}
