//! What is odd about a policy, though it can be used.

use cyprob_core::domain::RoleName;

use super::{Placed, RoleSource};
use crate::domain::{PermissionSet, RoleCatalog};

/// What is odd about a policy beside the permissions that routes ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Permissions that routes ask and that no role gives but the two that have everything.
    pub never_granted: PermissionSet,
    /// Permissions that roles give and no route asks.
    pub unused: PermissionSet,
    /// Roles of a deployment's own that permit nothing that another one does not permit too, the two that have everything apart: the narrower and the wider.
    pub subsumed: Vec<(RoleName, RoleName)>,
}

impl Findings {
    /// Looks at a policy beside the permissions that the routes ask.
    #[must_use]
    pub fn of(policy: &RoleCatalog, asked: PermissionSet) -> Self {
        let roles = policy.roles();
        let all = PermissionSet::all();
        let roles: Vec<_> = roles
            .into_iter()
            .filter(|role| role.rights.always() != all)
            .collect();
        let given = roles.iter().fold(PermissionSet::EMPTY, |all, role| {
            all.or(role.rights.at_most())
        });
        let own = roles.iter().filter(|role| !role.builtin);
        let pairs = own.flat_map(|narrow| roles.iter().map(move |wide| (narrow, wide)));
        let subsumed = pairs
            .filter(|(narrow, wide)| narrow.name != wide.name)
            .filter(|(narrow, wide)| wide.rights.covers(&narrow.rights))
            .map(|(narrow, wide)| (narrow.name.clone(), wide.name.clone()));
        Self {
            never_granted: asked.minus(given),
            // The two that have everything give all of it.
            unused: all.minus(asked),
            subsumed: subsumed.collect(),
        }
    }

    /// The grants of some objects alone that never count, and for which permissions: those
    /// that no route of objects asks.
    ///
    /// A route that concerns no object counts no such grant, so what it asks is not opened.
    #[must_use]
    pub fn of_no_object(
        written: &[RoleSource],
        asked_of_objects: PermissionSet,
    ) -> Vec<Placed<PermissionSet>> {
        let grants = written.iter().flat_map(|role| &role.grants);
        let of_some = grants.filter(|grant| grant.it.when.asks_object());
        let idle = of_some.map(|Placed { at, it: grant }| Placed {
            at: *at,
            it: grant.permissions.minus(asked_of_objects),
        });
        idle.filter(|grant| !grant.it.is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use cyprob_core::domain::Position;

    use super::*;
    use crate::domain::Permission;
    use crate::domain::policy::{Condition, Grant};

    const READS: PermissionSet = PermissionSet::of(&[Permission::RunsRead]);
    const RUNS: PermissionSet = PermissionSet::of(&[Permission::RunsRead, Permission::RunsCreate]);

    fn placed<T>(line: usize, it: T) -> Placed<T> {
        let at = Position { line, column: 1 };
        Placed { at, it }
    }

    fn when(own: bool, tags: &[&str], addresses: &[&str]) -> Condition {
        Condition {
            own,
            tags: tags.iter().map(|text| text.parse().unwrap()).collect(),
            addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
            ..Condition::default()
        }
    }

    #[test]
    fn grants_of_objects_that_no_route_opens_are_named() {
        let members = PermissionSet::of(&[Permission::MembersRead]);
        let near = ["10.0.0.0/8"];
        let grants = [
            (RUNS, when(true, &[], &[])),
            (members, when(false, &[], &[])),
            (members, when(false, &[], &near)),
            (RUNS.or(members), when(false, &["a"], &near)),
            (members, when(true, &["a"], &[])),
            (READS, when(false, &[], &[])),
        ];
        let grants = (2..)
            .zip(grants)
            .map(|(line, (permissions, when))| placed(line, Grant { permissions, when }));
        let written = [RoleSource {
            name: placed(1, "desk".parse().unwrap()),
            includes: Vec::new(),
            grants: grants.collect(),
        }];
        let named = |asked| -> Vec<_> {
            let found = Findings::of_no_object(&written, asked);
            let told = found.into_iter().map(|grant| (grant.at.line, grant.it));
            told.collect()
        };
        assert_eq!(named(RUNS), [(5, members), (6, members)]);
        let creates = RUNS.minus(READS);
        assert_eq!(
            named(READS),
            [(2, creates), (5, creates.or(members)), (6, members)]
        );
        assert_eq!(named(RUNS.or(members)), []);
    }
}
