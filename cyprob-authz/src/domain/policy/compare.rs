//! What two policies differ in.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use cyprob_core::domain::RoleName;

use super::space::Space;
use super::{Circumstances, Rights};
use crate::domain::{Permission, RoleCatalog};

/// One permission of one role that the second policy gives, or takes, under some circumstances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The role.
    pub role: RoleName,
    /// The permission.
    pub permission: Permission,
    /// Circumstances under which the two differ; others may too.
    pub example: Circumstances,
}

/// What a second policy changes, cell by cell of role and permission.
///
/// It is exact: a cell is here if and only if there is a request that the two
/// policies answer differently. One cell may open and close at once, under
/// different circumstances.
///
/// # Examples
///
/// ```
/// use cyprob_authz::domain::policy::Difference;
/// use cyprob_authz::domain::{Permission, PermissionSet, RoleCatalog};
///
/// let before = RoleCatalog::builtin();
/// let reads = PermissionSet::of(&[Permission::RunsRead]);
/// let after = before.clone().with_role("desk".parse()?, reads.into())?;
/// let difference = Difference::between(&before, &after);
/// assert_eq!(difference.opened.len(), 1);
/// assert!(difference.closed.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// What the second policy permits and the first does not.
    pub opened: Vec<Change>,
    /// What the first policy permits and the second does not.
    pub closed: Vec<Change>,
}

impl Difference {
    /// Compares two policies; a role that one of them has not permits nothing there.
    #[must_use]
    pub fn between(first: &RoleCatalog, second: &RoleCatalog) -> Self {
        let names = |catalog: &RoleCatalog| -> BTreeSet<RoleName> {
            let roles = catalog.roles().into_iter();
            roles.map(|role| role.name.clone()).collect()
        };
        let mut difference = Self::default();
        for role in names(first).union(&names(second)) {
            let [before, after] = [first, second].map(|catalog| catalog.rights(role));
            difference.opened.extend(changes(role, before, after));
            difference.closed.extend(changes(role, after, before));
        }
        difference
    }

    /// Whether the policies answer every request alike.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.opened.is_empty() && self.closed.is_empty()
    }
}

fn changes(role: &RoleName, first: &Rights, second: &Rights) -> impl Iterator<Item = Change> {
    let change = |(permission, example)| Change {
        role: role.clone(),
        permission,
        example,
    };
    second.beyond(first).into_iter().map(change)
}

impl Rights {
    /// Whether they permit, under all circumstances, whatever the others permit.
    #[must_use]
    pub fn covers(&self, others: &Self) -> bool {
        others.beyond(self).is_empty()
    }

    /// What these permit and the others do not, with circumstances that show it.
    fn beyond(&self, others: &Self) -> BTreeMap<Permission, Circumstances> {
        let mut shown = BTreeMap::new();
        // What is permitted at most, less what the others always permit: nothing else can be beyond.
        let mut left = self.at_most().minus(others.always());
        if self == others {
            return shown;
        }
        for grant in self.grants() {
            let given = grant.permissions.and(left);
            let against = others.conditional().iter();
            let against = against.filter(|grant| !grant.permissions.and(given).is_empty());
            let space = Space::of(against.map(|grant| &grant.when));
            for now in space.within(&grant.when) {
                let more = given.minus(others.now(&now)).and(left);
                shown.extend(more.iter().map(|permission| (permission, now.clone())));
                left = left.minus(more);
            }
        }
        shown
    }
}

/// One line for each cell, as a review reads it.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (word, changes) in [("opens", &self.opened), ("closes", &self.closed)] {
            for change in changes {
                let (role, permission) = (&change.role, change.permission);
                writeln!(f, "{word} {permission} for {role}: {}", change.example)?;
            }
        }
        Ok(())
    }
}
