//! The contract as a file says it, and what it expects of each cell.

use std::collections::{BTreeMap, BTreeSet};

const CONTRACT: &str = include_str!("contract.txt");

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Caller {
    Anonymous,
    Role(&'static str),
    /// Signed in, in no organization.
    Stranger,
    /// The deployment's administrator, signed in to no organization.
    Administrator,
}

/// Whose organization the path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Own,
    Foreign,
}

/// What the answer must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Allowed,
    Refused(u16),
}

#[derive(Debug)]
pub(crate) struct Contract {
    roles: BTreeMap<String, BTreeSet<String>>,
    pub(crate) routes: Vec<(String, String)>,
}

impl Contract {
    pub(crate) fn read() -> Self {
        let mut contract = Self {
            roles: BTreeMap::new(),
            routes: Vec::new(),
        };
        let mut section = "";
        for line in CONTRACT.lines().map(str::trim) {
            match line {
                "" => {}
                "[roles]" | "[routes]" => section = line,
                _ if line.starts_with('#') => {}
                _ if section == "[roles]" => {
                    let (role, permissions) = line.split_once(':').unwrap();
                    let all = permissions.split_whitespace().map(str::to_owned).collect();
                    contract.roles.insert(role.to_owned(), all);
                }
                _ => {
                    let (route, rule) = line.rsplit_once(' ').unwrap();
                    contract
                        .routes
                        .push((route.trim().to_owned(), rule.to_owned()));
                }
            }
        }
        contract
    }

    fn permits(&self, role: &str, permission: &str) -> bool {
        let held = &self.roles[role];
        held.contains("*") || held.contains(permission)
    }

    pub(crate) fn expects(&self, rule: &str, caller: Caller, place: Place) -> Verdict {
        use Caller::{Administrator, Anonymous, Role, Stranger};
        use Verdict::{Allowed, Refused};
        match (rule, caller) {
            ("public", _) => Allowed,
            ("closed", _) => Refused(404),
            (_, Anonymous) => Refused(401),
            ("authenticated", _) | ("system", Administrator) => Allowed,
            ("system", _) => Refused(403),
            // The administrator is a member of both organizations, signed in to none.
            ("member", Administrator) => Allowed,
            ("member", Role(_)) if place == Place::Own => Allowed,
            ("member", _) => Refused(404),
            (_, Stranger | Administrator) => Refused(404),
            (_, Role(_)) if place == Place::Foreign => Refused(404),
            (permission, Role(role)) if self.permits(role, permission) => Allowed,
            (_, Role(_)) => Refused(403),
        }
    }
}
