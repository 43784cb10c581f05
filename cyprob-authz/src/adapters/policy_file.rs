//! Policies written in YAML.

mod condition;
mod fields;

use cyprob_core::adapters::document::{KeyKind, Limits, Node, guarded_text, read_yaml};
use cyprob_core::domain::{RoleName, excerpt};

use crate::domain::policy::{Fault, FaultKind, Grant, Placed, PolicyError, RoleSource};
use crate::domain::{Permission, PermissionSet, RoleCatalog};
use fields::{Reader, text_fault};

/// The longest policy in bytes.
const MOST_BYTES: usize = 256 << 10;
/// The most roles of one policy.
const MOST_ROLES: usize = 64;
const LIMITS: Limits = Limits {
    depth: 16,
    nodes: 10_000,
    scalar_bytes: 1 << 10,
    directives: 16,
};

/// Reads a deployment's roles and puts them beside those that there are.
///
/// ```yaml
/// version: 1
/// roles:
///   desk:
///     includes: [viewer]
///     grants:
///       - permissions: [runs:create]
///         when:
///           aal: 2                        # signed in with two factors
///           addresses: [10.0.0.0/8]       # and from one of these
///           hours: [mon-fri 08:00-18:00]  # and at one of these times, UTC
///       - permissions: [runs:read]
///         when:
///           own: true                     # of one's own objects
///           tags: [team:web, production]  # that have any of these tags
/// ```
///
/// A grant without `when` always holds. Anchors, aliases, repeated and unknown
/// keys are refused; a policy has at most 64 roles in 256 KiB.
///
/// # Errors
///
/// [`PolicyError`] with every fault and its line and column: what the text
/// should be, unknown permissions and roles, roles that include themselves,
/// grants that give nothing, conditions that never hold.
///
/// # Examples
///
/// ```
/// use cyprob_authz::adapters::read_policy;
/// use cyprob_authz::domain::{Permission, RoleCatalog};
///
/// let text = "version: 1\nroles: {desk: {grants: [{permissions: [runs:create]}]}}";
/// let catalog = read_policy(text.as_bytes(), RoleCatalog::builtin())?;
/// assert_eq!(catalog.who_can(Permission::RunsCreate).len(), 5);
///
/// let refused = read_policy(b"version: 1\nroles: {desk: {grant: []}}", RoleCatalog::builtin());
/// assert!(refused.unwrap_err().to_string().contains("2:16: unknown key `grant`"));
/// # Ok::<(), cyprob_authz::domain::policy::PolicyError>(())
/// ```
pub fn read_policy(bytes: &[u8], known: RoleCatalog) -> Result<RoleCatalog, PolicyError> {
    known.with_policy(&written_roles(bytes)?)
}

/// Reads a deployment's roles as they are written, each thing with its place.
///
/// # Errors
///
/// [`PolicyError`] with every fault of the text; what is wrong between roles
/// [`RoleCatalog::with_policy`] says.
pub fn written_roles(bytes: &[u8]) -> Result<Vec<RoleSource>, PolicyError> {
    let refused = |error: cyprob_core::adapters::document::DocumentError| {
        PolicyError(vec![text_fault(error.at, error.message)])
    };
    let text = guarded_text(bytes, MOST_BYTES).map_err(refused)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let root = read_yaml(text, &LIMITS, |_| KeyKind::Text).map_err(refused)?;
    let mut reader = Reader::default();
    let roles = reader.policy(&root);
    PolicyError::of(reader.faults).map(|()| roles)
}

impl Reader {
    fn policy(&mut self, root: &Node) -> Vec<RoleSource> {
        let Some(fields) = self.map(root, "a policy", &["version", "roles"]) else {
            return Vec::new();
        };
        match self.wanted(&fields, "version") {
            Some(version) if version.text() != Some("1") => {
                self.say(version.at, "write `version: 1`");
            }
            _ => {}
        }
        let Some(roles) = self.wanted(&fields, "roles") else {
            return Vec::new();
        };
        let entries = self.entries(roles, "roles");
        if entries.len() > MOST_ROLES {
            let at = roles.at;
            self.say(at, format!("a policy has at most {MOST_ROLES} roles"));
        }
        let read = |(name, role): &(Node, Node)| self.role(name, role);
        entries.iter().take(MOST_ROLES).filter_map(read).collect()
    }

    fn role(&mut self, name: &Node, role: &Node) -> Option<RoleSource> {
        let name = self.role_name(name);
        let fields = self.map(role, "a role", &["includes", "grants"])?;
        let includes = fields
            .get("includes")
            .map(|node| self.items(node, "includes"));
        let includes = includes.unwrap_or_default().iter();
        let includes = includes.filter_map(|node| self.role_name(node)).collect();
        let grants = fields.get("grants").map(|node| self.items(node, "grants"));
        let grants = grants.unwrap_or_default().iter();
        let grants = grants.filter_map(|node| self.grant(node)).collect();
        if fields.is_empty() {
            self.say(role.at, "a role includes others, has grants, or both");
        }
        Some(RoleSource {
            name: name?,
            includes,
            grants,
        })
    }

    fn role_name(&mut self, node: &Node) -> Option<Placed<RoleName>> {
        let it = self.parsed(
            node,
            "a role's name: 2 to 63 of a-z, 0-9, _ and -, a letter first",
        )?;
        Some(Placed { at: node.at, it })
    }

    fn grant(&mut self, node: &Node) -> Option<Placed<Grant>> {
        let fields = self.map(node, "a grant", &["permissions", "when"])?;
        let names = self.wanted(&fields, "permissions");
        let names = names.map(|node| self.items(node, "permissions"));
        let names = names.unwrap_or_default().iter();
        let permissions: PermissionSet = names.filter_map(|name| self.permission(name)).collect();
        let when = fields.get("when").map(|when| self.condition(when));
        Some(Placed {
            at: node.at,
            it: Grant {
                permissions,
                when: when.unwrap_or_default(),
            },
        })
    }

    fn permission(&mut self, node: &Node) -> Option<Permission> {
        let name = self.text(node, "a permission's name")?;
        let known = name.parse().ok();
        if known.is_none() {
            let kind = FaultKind::UnknownPermission {
                name: excerpt(name),
                meant: nearest(name),
            };
            self.faults.push(Fault { at: node.at, kind });
        }
        known
    }
}

/// The permission whose name is spelled most like a text, if one is much like it.
fn nearest(name: &str) -> Option<&'static str> {
    let all = Permission::ALL.iter().map(|known| known.as_str());
    let near = all.map(|known| (distance(name, known), known));
    let near = near.filter(|(steps, _)| *steps <= 3);
    near.min().map(|(_, known)| known)
}

/// In how many steps one text becomes the other: a character put in, taken out or exchanged (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    // What differs by more in length alone is too far.
    if from.len().abs_diff(to.len()) > 3 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (line, a) in from.chars().enumerate() {
        let mut before = line + 1;
        let mut corner = line;
        for (cell, b) in row.iter_mut().skip(1).zip(to.chars()) {
            let exchanged = corner + usize::from(a != b);
            corner = *cell;
            *cell = exchanged.min(before + 1).min(corner + 1);
            before = *cell;
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests;
