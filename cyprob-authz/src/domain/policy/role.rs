//! From what is written of roles to what they permit.

use std::collections::{BTreeMap, BTreeSet};

use cyprob_core::domain::{Position, RoleName};

use super::space::Space;
use super::{Circumstances, Condition, Fault, FaultKind, Grant, PolicyError, Rights};
use crate::domain::{PermissionSet, RoleCatalog};

/// Something, and where it stands in a policy's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed<T> {
    /// Where.
    pub at: Position,
    /// What.
    pub it: T,
}

/// A role as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleSource {
    /// Its name.
    pub name: Placed<RoleName>,
    /// The roles that it has everything of.
    pub includes: Vec<Placed<RoleName>>,
    /// What it permits besides.
    pub grants: Vec<Placed<Grant>>,
}

/// Compiles the roles that are written, beside those that there are.
pub(crate) fn compile(
    known: &RoleCatalog,
    written: &[RoleSource],
) -> Result<BTreeMap<RoleName, Rights>, PolicyError> {
    let mut faults = Vec::new();
    let mut named: BTreeMap<&RoleName, &RoleSource> = BTreeMap::new();
    for role in written {
        let Placed { at, it: name } = &role.name;
        if known.is_taken(name) || named.insert(name, role).is_some() {
            let kind = FaultKind::Taken(name.clone());
            faults.push(Fault { at: *at, kind });
        }
    }
    let mut compiled = BTreeMap::new();
    for role in written {
        let mut walk = Walk::new(known, &named);
        walk.through(role);
        faults.append(&mut walk.faults);
        let Placed { at, it: name } = &role.name;
        let own = role.grants.iter().map(|grant| &grant.it);
        let all: Vec<&Grant> = walk.included.iter().chain(own).collect();
        if let Some(kind) = too_many(name, &all) {
            faults.push(Fault { at: *at, kind });
            continue;
        }
        let rights = Rights::compile(all.into_iter().cloned());
        faults.extend(idle(&role.grants, &walk.included));
        compiled.insert(name.clone(), rights);
    }
    PolicyError::of(faults).map(|()| compiled)
}

/// Whether a role has more than what can be held against each other, told before that is done.
fn too_many(name: &RoleName, grants: &[&Grant]) -> Option<FaultKind> {
    if grants.len() > Rights::MOST_GRANTS {
        return Some(FaultKind::TooManyGrants(name.clone(), grants.len()));
    }
    let mut conditions: Vec<&Condition> = Vec::new();
    for grant in grants.iter().filter(|grant| !grant.when.is_none()) {
        if !conditions.contains(&&grant.when) {
            conditions.push(&grant.when);
        }
    }
    let count = conditions.len();
    let too_many = || FaultKind::TooManyConditions(name.clone(), count);
    (count > Rights::MOST_CONDITIONS).then(too_many)
}

/// Goes through what a role includes.
struct Walk<'a> {
    known: &'a RoleCatalog,
    named: &'a BTreeMap<&'a RoleName, &'a RoleSource>,
    path: Vec<&'a RoleName>,
    seen: BTreeSet<&'a RoleName>,
    /// What the included roles permit.
    included: Vec<Grant>,
    faults: Vec<Fault>,
}

impl<'a> Walk<'a> {
    fn new(known: &'a RoleCatalog, named: &'a BTreeMap<&'a RoleName, &'a RoleSource>) -> Self {
        Self {
            known,
            named,
            path: Vec::new(),
            seen: BTreeSet::new(),
            included: Vec::new(),
            faults: Vec::new(),
        }
    }

    fn through(&mut self, role: &'a RoleSource) {
        self.path.push(&role.name.it);
        for Placed { at, it: name } in &role.includes {
            if self.path.contains(&name) {
                // Told once, by the walk from the first of its names.
                let root = self.path.iter().min() == self.path.first();
                if root && self.path.first() == Some(&name) {
                    let way = self.path.iter().map(|on| (*on).clone());
                    let kind = FaultKind::Cycle(way.collect());
                    self.faults.push(Fault { at: *at, kind });
                }
            } else if !self.seen.insert(name) {
                // It was gone through by another way.
            } else if self.known.get(name).is_some() {
                self.included.extend(self.known.rights(name).grants());
            } else if let Some(next) = self.named.get(name) {
                self.included
                    .extend(next.grants.iter().map(|grant| grant.it.clone()));
                self.through(next);
            } else {
                let kind = FaultKind::UnknownRole(name.clone());
                self.faults.push(Fault { at: *at, kind });
            }
        }
        self.path.pop();
    }
}

/// The role's own grants whose condition never holds, and those that give nothing beside the others.
///
/// Exact, for each is held against every circumstance that the conditions can
/// tell apart. Of two that give the same the later one is named.
fn idle(own: &[Placed<Grant>], included: &[Grant]) -> Vec<Fault> {
    let mut counted: Vec<&Grant> = included.iter().collect();
    counted.extend(own.iter().map(|grant| &grant.it));
    let space = Space::of(counted.iter().map(|grant| &grant.when));
    let all = space.circumstances();
    let mut faults = Vec::new();
    for (number, Placed { at, it: grant }) in own.iter().enumerate().rev() {
        let place = included.len() + number;
        let others = || {
            let others = counted.iter().enumerate();
            others.filter_map(|(other, grant)| (other != place).then_some(*grant))
        };
        let (mut holds, mut adds) = (false, false);
        for now in all.iter().filter(|now| grant.when.holds(now)) {
            holds = true;
            adds |= !permitted(others(), now).is_superset(grant.permissions);
        }
        let kind = match (holds, adds) {
            (false, _) => FaultKind::Contradiction,
            (true, false) => FaultKind::Unreachable,
            (true, true) => continue,
        };
        faults.push(Fault { at: *at, kind });
        counted.remove(place);
    }
    faults
}

fn permitted<'a>(grants: impl Iterator<Item = &'a Grant>, now: &Circumstances) -> PermissionSet {
    let holding = grants.filter(|grant| grant.when.holds(now));
    holding.fold(PermissionSet::EMPTY, |all, grant| all.or(grant.permissions))
}
