//! Sets of permissions, one word each.

use std::fmt;

use cyprob_core::domain::PermissionNames;

use super::{Permission, SystemPermission};

macro_rules! set {
    ($(#[$doc:meta])+ $name:ident of $item:ident) => {
        $(#[$doc])+
        #[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
        pub struct $name(u64);

        impl $name {
            /// Nothing.
            pub const EMPTY: Self = Self(0);

            /// The whole catalogue.
            #[must_use]
            pub fn all() -> Self {
                $item::ALL.iter().copied().collect()
            }

            /// The set of these permissions.
            #[must_use]
            pub const fn of(items: &[$item]) -> Self {
                let mut bits = 0;
                let mut rest = items;
                while let [first, tail @ ..] = rest {
                    bits |= first.bit();
                    rest = tail;
                }
                Self(bits)
            }

            /// One bit for each permission, by its place in the catalogue.
            #[must_use]
            pub const fn bits(self) -> u64 {
                self.0
            }

            /// Whether the permission is in it.
            #[must_use]
            pub const fn contains(self, item: $item) -> bool {
                self.0 & item.bit() != 0
            }

            /// Whether everything of `other` is in it.
            #[must_use]
            pub const fn is_superset(self, other: Self) -> bool {
                other.0 & !self.0 == 0
            }

            /// What is in both.
            #[must_use]
            pub const fn and(self, other: Self) -> Self {
                Self(self.0 & other.0)
            }

            /// What is in either.
            #[must_use]
            pub const fn or(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// What is in it and not in `other`.
            #[must_use]
            pub const fn minus(self, other: Self) -> Self {
                Self(self.0 & !other.0)
            }

            /// Whether nothing is in it.
            #[must_use]
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// Its permissions in the catalogue's order.
            pub fn iter(self) -> impl Iterator<Item = $item> {
                $item::ALL.iter().copied().filter(move |item| self.contains(*item))
            }
        }

        impl FromIterator<$item> for $name {
            fn from_iter<I: IntoIterator<Item = $item>>(items: I) -> Self {
                Self(items.into_iter().fold(0, |bits, item| bits | item.bit()))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_set().entries(self.iter().map($item::as_str)).finish()
            }
        }
    };
}

set! {
    /// A set of permissions within an organization.
    PermissionSet of Permission
}

set! {
    /// A set of permissions of the deployment's administrator.
    SystemPermissionSet of SystemPermission
}

/// What names permit; one that is not in the catalogue permits nothing.
impl From<&PermissionNames> for PermissionSet {
    fn from(names: &PermissionNames) -> Self {
        names.iter().filter_map(|name| name.parse().ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_behave_as_sets() {
        let some = PermissionSet::of(&[Permission::RunsRead, Permission::OrgRead]);
        assert!(PermissionSet::all().is_superset(some));
        assert!(!some.is_superset(PermissionSet::all()));
        assert_eq!(some.and(PermissionSet::EMPTY), PermissionSet::EMPTY);
        assert_eq!(some.iter().collect::<PermissionSet>(), some);
        assert_eq!(some.iter().count(), 2);
        let rest = PermissionSet::all().minus(some);
        assert_eq!(rest.and(some), PermissionSet::EMPTY);
        assert_eq!(rest.or(some), PermissionSet::all());
        assert!(!some.contains(Permission::RunsCreate));
    }
}
