//! What became of a mapping since a review.

use std::collections::BTreeMap;

use super::HeldRole;
use crate::domain::{RoleName, UserId};

/// A member whose role is another by now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleMove {
    /// Whose.
    pub user: UserId,
    /// The role that was reviewed.
    pub from: RoleName,
    /// The role of now.
    pub to: RoleName,
}

/// What changed between a review and another moment, each list by account id.
///
/// Who left and came back is in `removed` and in `added`: it is another membership.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleChanges {
    /// Who became a member.
    pub added: Vec<HeldRole>,
    /// Who is a member no more.
    pub removed: Vec<HeldRole>,
    /// Who has another role.
    pub changed: Vec<RoleMove>,
}

impl RoleChanges {
    /// What leads from one mapping to another.
    #[must_use]
    pub fn between(before: &[HeldRole], after: &[HeldRole]) -> Self {
        let by_membership = |mapping: &'_ [HeldRole]| -> BTreeMap<_, HeldRole> {
            let key = |held: &HeldRole| ((held.user, held.since), held.clone());
            mapping.iter().map(key).collect()
        };
        let mut before = by_membership(before);
        let mut changes = Self::default();
        for (key, held) in by_membership(after) {
            match before.remove(&key) {
                None => changes.added.push(held),
                Some(was) if was.role != held.role => changes.changed.push(RoleMove {
                    user: held.user,
                    from: was.role,
                    to: held.role,
                }),
                Some(_) => {}
            }
        }
        changes.removed = before.into_values().collect();
        changes
    }

    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}
