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
