//! What identity asks of the role catalogue: how far roles and permissions reach.

use cyprob_core::domain::{PermissionNames, Reach, RoleName};
use cyprob_core::ports::RoleRules;

use crate::domain::{Permission, PermissionSet, RoleCatalog};

impl RoleRules for RoleCatalog {
    fn of_deployment(&self, role: &RoleName) -> Option<Reach> {
        let rights = &self.get(role)?.rights;
        let [always, at_most] = [rights.always(), rights.at_most()].map(PermissionSet::bits);
        Some(Reach::within(always, at_most))
    }

    fn reach(&self, permissions: &PermissionNames) -> Option<Reach> {
        let granted = PermissionSet::from(permissions);
        let all_known = granted.iter().count() == permissions.iter().count();
        all_known.then(|| Reach::new(granted.bits()))
    }

    fn manages_members(&self, reach: Reach) -> bool {
        reach.is_superset(Reach::new(Permission::MembersWrite.bit()))
    }
}

#[cfg(test)]
mod tests {
    use cyprob_core::domain::{Aal, Authority};

    use super::*;
    use crate::domain::policy::{Condition, Grant, Rights};

    fn authority(catalog: &RoleCatalog, role: &RoleName) -> Authority {
        Authority {
            role: role.clone(),
            reach: catalog.of_deployment(role).unwrap(),
        }
    }

    #[test]
    fn nobody_covers_more_than_they_hold() {
        let catalog = RoleCatalog::builtin();
        for holder in catalog.roles() {
            for role in catalog.roles() {
                let [of, to] = [holder, role].map(|role| authority(&catalog, &role.name));
                if of.covers(&to) {
                    assert!(holder.rights.covers(&role.rights));
                }
            }
        }
        let covers = |of, to| authority(&catalog, &of).covers(&authority(&catalog, &to));
        assert!(covers(RoleName::OWNER, RoleName::OWNER));
        assert!(covers(RoleName::ADMIN, RoleName::ADMIN));
        assert!(!covers(RoleName::ADMIN, RoleName::OWNER));
        assert!(!covers(RoleName::OPERATOR, RoleName::AUDITOR));
    }

    #[test]
    fn what_is_held_under_a_condition_is_not_handed_on() {
        let when = Condition {
            aal: Some(Aal::Two),
            ..Condition::default()
        };
        let grant = Grant {
            permissions: PermissionSet::all(),
            when,
        };
        let name: RoleName = "vault".parse().unwrap();
        let catalog = RoleCatalog::builtin();
        let catalog = catalog.with_role(name.clone(), Rights::compile([grant]));
        let catalog = catalog.unwrap();
        let vault = authority(&catalog, &name);
        assert!(!vault.covers(&vault));
        assert!(!vault.covers(&authority(&catalog, &RoleName::VIEWER)));
        assert!(!authority(&catalog, &RoleName::OPERATOR).covers(&vault));
        assert!(authority(&catalog, &RoleName::ADMIN).covers(&vault));
        assert!(!catalog.manages_members(vault.reach));
    }

    #[test]
    fn permissions_reach_as_far_as_all_of_them_are_known() {
        let catalog = RoleCatalog::builtin();
        assert_eq!(catalog.of_deployment(&"stranger".parse().unwrap()), None);
        let reach = |text: &str| catalog.reach(&text.parse().unwrap());
        assert_eq!(
            reach("runs:read"),
            Some(Reach::new(Permission::RunsRead.bit()))
        );
        assert_eq!(reach("runs:read of:tomorrow"), None);
        assert_eq!(reach("system:orgs:read"), None);
    }

    #[test]
    fn only_two_roles_write_members() {
        let catalog = RoleCatalog::builtin();
        let managers: Vec<_> = catalog
            .roles()
            .into_iter()
            .filter(|role| catalog.manages_members(catalog.of_deployment(&role.name).unwrap()))
            .map(|role| role.name.as_str().to_owned())
            .collect();
        assert_eq!(managers, ["owner", "admin"]);
    }
}
