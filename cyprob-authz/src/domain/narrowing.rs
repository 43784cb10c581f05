//! How a holder narrowed a token.

use std::net::IpAddr;

use super::{Cidr, Permission, PermissionSet, SystemPermission, SystemPermissionSet};

/// One check by which a holder narrowed a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Narrowing {
    /// `check if permission($p), [..].contains($p)`: only these permissions; names outside the catalogue match nothing.
    Permissions(Vec<String>),
    /// `check if resource($r), [..].contains($r)`: only routes that name one of these in their path.
    Resources(Vec<String>),
    /// `check if time($t), $t < DATE` (or `<=`): only before this second since the Unix epoch.
    Before(u64),
    /// `check if address_prefix($a), [..].contains($a)`: only from these ranges.
    Addresses(Vec<Cidr>),
    /// `check if nonce($n), [..].contains($n)`: once for each of these words, which are 1 to 64
    /// printable ASCII characters, drawn at random.
    OneUse(Vec<String>),
}

/// All narrowings of a token, compiled: each can only take away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Narrowings {
    any: bool,
    permissions: PermissionSet,
    system: SystemPermissionSet,
    before: u64,
    resources: Box<[Vec<String>]>,
    addresses: Box<[Vec<Cidr>]>,
    uses: Option<Box<[String]>>,
}

impl Narrowings {
    /// Compiles what a token's appended blocks say.
    #[must_use]
    pub fn compile(narrowings: Vec<Narrowing>) -> Self {
        let mut all = Self {
            any: !narrowings.is_empty(),
            permissions: PermissionSet::all(),
            system: SystemPermissionSet::all(),
            before: u64::MAX,
            resources: Box::default(),
            addresses: Box::default(),
            uses: None,
        };
        let mut resources = Vec::new();
        let mut addresses = Vec::new();
        let mut uses = None;
        for narrowing in narrowings {
            match narrowing {
                Narrowing::Permissions(names) => {
                    let org = names.iter().filter_map(|n| n.parse::<Permission>().ok());
                    all.permissions = all.permissions.and(org.collect());
                    let system = names
                        .iter()
                        .filter_map(|n| n.parse::<SystemPermission>().ok());
                    all.system = all.system.and(system.collect());
                }
                Narrowing::Resources(list) => resources.push(list),
                Narrowing::Before(second) => all.before = all.before.min(second),
                Narrowing::Addresses(list) => addresses.push(list),
                Narrowing::OneUse(words) => uses = Some(common(uses, words)),
            }
        }
        all.resources = resources.into();
        all.addresses = addresses.into();
        all.uses = uses.map(Into::into);
        all
    }

    /// Whether the holder narrowed the token at all.
    #[must_use]
    pub const fn any(&self) -> bool {
        self.any
    }

    /// The permissions within an organization that are left.
    #[must_use]
    pub const fn permissions(&self) -> PermissionSet {
        self.permissions
    }

    /// The permissions of the deployment's administrator that are left.
    #[must_use]
    pub const fn system(&self) -> SystemPermissionSet {
        self.system
    }

    /// Whether the second since the Unix epoch lies before the holder's own deadline.
    #[must_use]
    pub const fn is_live(&self, second: u64) -> bool {
        second < self.before
    }

    /// Whether a route that names these resources is left.
    #[must_use]
    pub fn names_resource(&self, resources: &[&str]) -> bool {
        self.resources
            .iter()
            .all(|list| resources.iter().any(|r| list.iter().any(|l| l == r)))
    }

    /// Whether a client at this address is left; an unknown address is in no range.
    #[must_use]
    pub fn admits_address(&self, address: Option<IpAddr>) -> bool {
        self.addresses
            .iter()
            .all(|list| address.is_some_and(|at| list.iter().any(|range| range.contains(at))))
    }

    /// The words of the uses that the holder left, each good once; none where their number has no
    /// limit, and an empty list where nothing is left.
    #[must_use]
    pub fn uses(&self) -> Option<&[String]> {
        self.uses.as_deref()
    }

    /// How many bytes it holds, for the cache's bound.
    pub(crate) fn weight(&self) -> usize {
        let resources: usize = self
            .resources
            .iter()
            .flatten()
            .chain(self.uses.iter().flatten())
            .map(|text| text.len() + size_of::<String>())
            .sum();
        let addresses: usize = self
            .addresses
            .iter()
            .map(|list| list.len() * size_of::<Cidr>())
            .sum();
        resources + addresses
    }
}

/// What two lists of words have in common, in the order of the first, each word once.
fn common(before: Option<Vec<String>>, words: Vec<String>) -> Vec<String> {
    let mut left: Vec<String> = Vec::new();
    let kept = match before {
        Some(mut before) => {
            before.retain(|word| words.contains(word));
            before
        }
        None => words,
    };
    for word in kept {
        if !left.contains(&word) {
            left.push(word);
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_narrowing_takes_nothing_away() {
        let none = Narrowings::compile(Vec::new());
        assert!(!none.any());
        assert_eq!(none.permissions(), PermissionSet::all());
        assert!(none.is_live(u64::MAX - 1));
        assert!(none.names_resource(&[]));
        assert!(none.admits_address(None));
    }

    #[test]
    fn two_narrowings_both_hold() {
        let both = Narrowings::compile(vec![
            Narrowing::Permissions(vec!["runs:read".into(), "runs:create".into()]),
            Narrowing::Permissions(vec!["runs:read".into(), "org:read".into()]),
            Narrowing::Before(20),
            Narrowing::Before(10),
            Narrowing::Resources(vec!["a".into(), "b".into()]),
            Narrowing::Resources(vec!["b".into()]),
        ]);
        assert_eq!(
            both.permissions(),
            PermissionSet::of(&[Permission::RunsRead])
        );
        assert!(both.system().is_empty());
        assert!(both.is_live(9) && !both.is_live(10));
        assert!(both.names_resource(&["b"]));
        assert!(both.names_resource(&["a", "b"]));
        assert!(!both.names_resource(&["a"]));
        assert!(!both.names_resource(&[]));
    }

    #[test]
    fn the_uses_left_are_those_that_every_list_names() {
        let left = |lists: &[&[&str]]| {
            let owned = |list: &&[&str]| list.iter().map(|word| (*word).to_owned()).collect();
            let lists = lists.iter().map(owned).map(Narrowing::OneUse);
            let all = Narrowings::compile(lists.collect());
            all.uses().map(|words| words.join(" "))
        };
        assert_eq!(left(&[]), None);
        assert_eq!(left(&[&["c", "a", "c", "b"]]).as_deref(), Some("c a b"));
        let two: [&[&str]; 2] = [&["c", "a", "b"], &["b", "c", "d"]];
        assert_eq!(left(&two).as_deref(), Some("c b"));
        assert_eq!(left(&[&["a"], &["b"]]).as_deref(), Some(""));
        assert_eq!(left(&[&["a"], &["b"], &["a"]]).as_deref(), Some(""));
        assert_eq!(left(&[&[]]).as_deref(), Some(""));
    }
}
