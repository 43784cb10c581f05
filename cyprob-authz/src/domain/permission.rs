//! The closed catalogue of permissions, and one marker type for each.

use std::fmt;
use std::str::FromStr;

/// The text names no permission of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no permission of the catalogue")]
pub struct UnknownPermission;

pub(crate) mod sealed {
    /// Keeps the markers to the catalogue.
    pub trait Sealed {}
}

/// A marker type that stands for one [`Permission`] in a handler's signature; sealed.
pub trait OrgPermission: sealed::Sealed + Send + Sync + 'static {
    /// The permission.
    const PERMISSION: Permission;
}

/// A marker type that stands for one [`SystemPermission`] in a handler's signature; sealed.
pub trait SystemMarker: sealed::Sealed + Send + Sync + 'static {
    /// The permission.
    const PERMISSION: SystemPermission;
}

macro_rules! catalogue {
    (
        $(#[$type_doc:meta])+ $type:ident, $(#[$module_doc:meta])+ $module:ident, $trait:ident;
        $($(#[$doc:meta])+ $name:ident $text:literal;)+
    ) => {
        $(#[$type_doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $type {
            $($(#[$doc])+ $name,)+
        }

        impl $type {
            /// Every permission of this catalogue, in its order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The name that tokens, roles and documents use.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }

            pub(crate) const fn bit(self) -> u64 {
                1 << (self as u8)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $type {
            type Err = UnknownPermission;

            fn from_str(text: &str) -> Result<Self, UnknownPermission> {
                match text {
                    $($text => Ok(Self::$name),)+
                    _ => Err(UnknownPermission),
                }
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }

        $(#[$module_doc])+
        pub mod $module {
            $(
                $(#[$doc])+
                #[derive(Clone, Copy, Debug)]
                pub enum $name {}

                impl super::sealed::Sealed for $name {}

                impl super::$trait for $name {
                    const PERMISSION: super::$type = super::$type::$name;
                }
            )+
        }
    };
}

catalogue! {
    /// What a role may permit within one organization.
    Permission,
    /// Marker types of the permissions within an organization.
    org, OrgPermission;
    /// See the organization.
    OrgRead "org:read";
    /// Change the organization's name and policy.
    OrgWrite "org:write";
    /// See who belongs to it.
    MembersRead "members:read";
    /// Invite, remove and re-role members, as far as one's own role reaches.
    MembersWrite "members:write";
    /// See the roles and what they permit.
    RolesRead "roles:read";
    /// Define roles.
    RolesWrite "roles:write";
    /// See service accounts.
    ServiceAccountsRead "service_accounts:read";
    /// Make service accounts and their keys.
    ServiceAccountsWrite "service_accounts:write";
    /// See plugins.
    PluginsRead "plugins:read";
    /// Install and remove plugins.
    PluginsWrite "plugins:write";
    /// Enable and disable plugins.
    PluginsApprove "plugins:approve";
    /// Start and cancel runs.
    RunsCreate "runs:create";
    /// See runs and findings.
    RunsRead "runs:read";
    /// See the names and versions of secrets, never a value.
    SecretsRead "secrets:read";
    /// Set, rotate and remove secrets.
    SecretsWrite "secrets:write";
    /// Read and export the audit trail.
    AuditRead "audit:read";
    /// Record and see reviews: of the audit trail, and of who holds which role.
    AuditReview "audit:review";
    /// See who is signed in to the organization.
    SessionsRead "sessions:read";
    /// End sign-ins to the organization.
    SessionsWrite "sessions:write";
}

catalogue! {
    /// What the deployment's administrator may do across organizations; no role permits it.
    SystemPermission,
    /// Marker types of the permissions of the deployment's administrator.
    system, SystemMarker;
    /// List the organizations.
    OrgsRead "system:orgs:read";
    /// Make organizations.
    OrgsWrite "system:orgs:write";
    /// See the routes with their policies.
    RoutesRead "system:routes:read";
    /// Let strangers sign in to an account again.
    SignInsReset "system:sign_ins:reset";
    /// Remove a person's second factor for them.
    FactorsReset "system:factors:reset";
    /// Read the system log.
    AuditRead "system:audit:read";
    /// Look at accounts.
    UsersRead "system:users:read";
    /// Switch accounts off and on.
    UsersWrite "system:users:write";
    /// End the sessions of a person, an organization or everyone.
    SessionsEnd "system:sessions:end";
    /// See the keys that sign tokens, never a private half.
    KeysRead "system:keys:read";
    /// Rotate and revoke the keys that sign tokens.
    KeysWrite "system:keys:write";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_are_distinct() {
        let mut seen = std::collections::BTreeSet::new();
        for permission in Permission::ALL {
            assert_eq!(permission.as_str().parse(), Ok(*permission));
            assert!(seen.insert(permission.as_str()));
        }
        for permission in SystemPermission::ALL {
            assert_eq!(permission.as_str().parse(), Ok(*permission));
            assert!(seen.insert(permission.as_str()));
        }
        assert!("runs:Create".parse::<Permission>().is_err());
        assert!("system:orgs:read".parse::<Permission>().is_err());
        assert_eq!(org::RunsCreate::PERMISSION, Permission::RunsCreate);
    }

    #[test]
    fn the_catalogue_fits_its_bitset() {
        assert!(Permission::ALL.len() <= 64);
        assert!(SystemPermission::ALL.len() <= 64);
    }
}
