//! What a role comes to, compiled.

use std::collections::BTreeSet;

use cyprob_core::domain::ObjectScope;

use super::space::Space;
use super::{Circumstances, Condition};
use crate::domain::{Permission, PermissionSet, Rule};

/// Permissions that count under one condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What is permitted.
    pub permissions: PermissionSet,
    /// When.
    pub when: Condition,
}

/// What a role permits: always, and under conditions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    always: PermissionSet,
    at_most: PermissionSet,
    grants: Vec<Grant>,
}

impl Rights {
    /// Nothing.
    pub(crate) const NOTHING: &'static Self = &Self {
        always: PermissionSet::EMPTY,
        at_most: PermissionSet::EMPTY,
        grants: Vec::new(),
    };

    /// The most conditions of a role, those of what it includes counted: each is looked at on a request.
    pub const MOST_CONDITIONS: usize = 8;

    /// The most grants of a role, those of what it includes counted.
    pub const MOST_GRANTS: usize = 64;

    /// Compiles grants: those of one condition become one, and what is permitted always needs no other.
    ///
    /// What is permitted whatever the circumstances counts as such, however it is
    /// written: two grants for the two halves of the week are one for all of it.
    #[must_use]
    pub fn compile(grants: impl IntoIterator<Item = Grant>) -> Self {
        let mut always = PermissionSet::EMPTY;
        let mut by_condition: Vec<Grant> = Vec::new();
        for Grant { permissions, when } in grants {
            if when.is_none() {
                always = always.or(permissions);
            } else if let Some(same) = by_condition.iter_mut().find(|known| known.when == when) {
                same.permissions = same.permissions.or(permissions);
            } else {
                by_condition.push(Grant { permissions, when });
            }
        }
        let written = Self {
            always,
            at_most: always,
            grants: by_condition.clone(),
        };
        let space = Space::of(by_condition.iter().map(|grant| &grant.when));
        let all = space.circumstances();
        let permitted = all.iter().map(|now| written.now(now));
        // INVARIANT: there is a first one, so nothing is left of "all" that no grant gives
        let always = permitted.fold(PermissionSet::all(), PermissionSet::and);
        for grant in &mut by_condition {
            grant.permissions = grant.permissions.minus(always);
        }
        by_condition.retain(|grant| !grant.permissions.is_empty());
        let at_most = by_condition
            .iter()
            .fold(always, |all, grant| all.or(grant.permissions));
        Self {
            always,
            at_most,
            grants: by_condition,
        }
    }

    /// What is permitted whatever the circumstances: as far as one who holds the role may hand on.
    #[must_use]
    pub const fn always(&self) -> PermissionSet {
        self.always
    }

    /// What is permitted under some circumstances: as far as one must hold who gives the role.
    #[must_use]
    pub const fn at_most(&self) -> PermissionSet {
        self.at_most
    }

    /// What is permitted, of some objects at least, whatever the circumstances.
    #[must_use]
    pub fn always_of_some(&self) -> PermissionSet {
        let of_all = |Grant { permissions, when }: Grant| Grant {
            permissions,
            when: Condition {
                own: false,
                tags: BTreeSet::new(),
                ..when
            },
        };
        Self::compile(self.grants().map(of_all)).always
    }

    /// All grants: first what is permitted always, if anything is.
    pub fn grants(&self) -> impl Iterator<Item = Grant> {
        let always = Grant {
            permissions: self.always,
            when: Condition::default(),
        };
        let always = Some(always).filter(|grant| !grant.permissions.is_empty());
        always.into_iter().chain(self.grants.iter().cloned())
    }

    /// The grants with a condition.
    #[must_use]
    pub fn conditional(&self) -> &[Grant] {
        &self.grants
    }

    /// What is permitted now.
    #[must_use]
    pub fn now(&self, now: &Circumstances) -> PermissionSet {
        let holding = self.grants.iter().filter(|grant| grant.when.holds(now));
        holding.fold(self.always, |all, grant| all.or(grant.permissions))
    }

    /// Which rule refuses a permission now; none if it is permitted.
    ///
    /// Where several conditions could have given it, the first one's is named.
    #[must_use]
    pub fn objection(&self, permission: Permission, now: &Circumstances) -> Option<Rule> {
        self.first_objection(permission, |when| when.objection(now))
    }

    /// Which rule refuses a permission now, whatever the object; none if it is permitted of some.
    #[must_use]
    pub fn objection_to_all(&self, permission: Permission, now: &Circumstances) -> Option<Rule> {
        self.first_objection(permission, |when| when.objection_to_request(now))
    }

    /// Of which objects a permission is given now, whatever the circumstances say of one.
    #[must_use]
    pub fn scope(&self, permission: Permission, now: &Circumstances) -> ObjectScope {
        if self.always.contains(permission) {
            return ObjectScope::ALL;
        }
        let giving = self.grants.iter().filter(|grant| {
            grant.permissions.contains(permission) && grant.when.objection_to_request(now).is_none()
        });
        giving.fold(ObjectScope::NONE, |all, grant| all.join(grant.when.scope()))
    }

    fn first_objection(
        &self,
        permission: Permission,
        objection: impl Fn(&Condition) -> Option<Rule>,
    ) -> Option<Rule> {
        if self.always.contains(permission) {
            return None;
        }
        let mut named = None;
        for grant in &self.grants {
            if grant.permissions.contains(permission) {
                let rule = objection(&grant.when)?;
                named = named.or(Some(rule));
            }
        }
        Some(named.unwrap_or(Rule::RolePermission))
    }
}

/// Permissions without a condition.
impl From<PermissionSet> for Rights {
    fn from(permissions: PermissionSet) -> Self {
        Self {
            always: permissions,
            at_most: permissions,
            grants: Vec::new(),
        }
    }
}
