//! What must hold of one table, from what the catalogues say of it.

use super::table::{Kind, Table};

/// The policies as PostgreSQL prints them.
const OWN_ORG: &str =
    "(org_id = (NULLIF(current_setting('cyprob.org'::text, true), ''::text))::uuid)";
const SYSTEM: &str = "(current_setting('cyprob.system'::text, true) = 'on'::text)";
const OWN_USER: &str =
    "(user_id = (NULLIF(current_setting('cyprob.user'::text, true), ''::text))::uuid)";

/// The policy that holds a table to its organizations.
pub(super) const HELD: &str = "held";
/// The policy that shows people their own rows.
pub(super) const OWN: &str = "own";

/// A policy, as the catalogue has it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) name: String,
    /// `*` all, `r` SELECT, `a` INSERT, `w` UPDATE, `d` DELETE.
    pub(super) command: String,
    pub(super) permissive: bool,
    /// Whether it is for every role.
    pub(super) everyone: bool,
    pub(super) using: Option<String>,
    pub(super) check: Option<String>,
}

/// The policies that a table must have, and no others that let anything through.
pub(super) fn expected(table: &Table) -> Vec<Policy> {
    let using = format!("({OWN_ORG} OR {SYSTEM})");
    let check = match table.kind {
        Kind::Mixed => format!("({OWN_ORG} OR {SYSTEM} OR (org_id IS NULL))"),
        Kind::Tenant => using.clone(),
        Kind::Global => return Vec::new(),
    };
    let mut policies = vec![Policy {
        name: HELD.to_owned(),
        command: "*".to_owned(),
        permissive: true,
        everyone: true,
        using: Some(using),
        check: Some(check),
    }];
    if table.own {
        policies.push(Policy {
            name: OWN.to_owned(),
            command: "r".to_owned(),
            permissive: true,
            everyone: true,
            using: Some(OWN_USER.to_owned()),
            check: None,
        });
    }
    policies
}

/// The first version of a server's line without CVE-2025-8713; lines before 15 are too old.
pub(super) const fn needed(version: i32) -> i32 {
    match version / 10_000 {
        16 => 160_010,
        17 => 170_006,
        major if major > 17 => 0,
        _ => 150_014,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_its_first_good_version() {
        for (version, good) in [
            (130_022, false),
            (140_019, false),
            (150_013, false),
            (150_014, true),
            (160_009, false),
            (160_010, true),
            (170_005, false),
            (170_006, true),
            (180_000, true),
            (90_624, false),
        ] {
            assert_eq!(version >= needed(version), good, "{version}");
        }
    }
}
