//! Roles.

use cyprob_authz::domain::{Permission, PermissionSet};
use cyprob_core::domain::{CustomRole, PermissionNames, RoleChoice, RoleName, RoleVersion};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

/// A role with what it permits.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoleAnswer {
    #[schema(value_type = String)]
    pub(crate) name: RoleName,
    pub(crate) permissions: Vec<&'static str>,
    pub(crate) builtin: bool,
    /// Which version this is; with it a request says what its sender has seen. Built-in roles have none.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<Version>,
}

impl RoleAnswer {
    /// A role that the organization defined, its permissions in the catalogue's order.
    pub(crate) fn own(role: &CustomRole) -> Self {
        let names = role.permissions.iter();
        let known: PermissionSet = names.filter_map(|name| name.parse().ok()).collect();
        Self {
            name: role.name.clone(),
            permissions: known.iter().map(Permission::as_str).collect(),
            builtin: false,
            version: Some(Version(role.version)),
        }
    }
}

/// `POST roles`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateRoleRequest {
    #[schema(value_type = String)]
    pub(crate) name: RoleName,
    #[schema(value_type = Vec<String>)]
    pub(crate) permissions: Names,
}

/// `PUT roles/{name}`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EditRoleRequest {
    #[schema(value_type = Vec<String>)]
    pub(crate) permissions: Names,
    /// The version that the sender has seen: 409 if it is another one by now.
    #[schema(value_type = Option<String>)]
    pub(crate) version: Option<Version>,
}

/// A version of a role.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Version(RoleVersion);

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

/// A role that a request names, and the version that its sender has seen.
pub(crate) fn choice(name: RoleName, seen: Option<Version>) -> RoleChoice {
    RoleChoice {
        name,
        seen: seen.map(|version| version.0),
    }
}

/// Names of permissions.
#[derive(Debug)]
pub(crate) struct Names(pub(crate) PermissionNames);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(from)?;
        let names = PermissionNames::new(names.iter().map(String::as_str));
        names.map(Self).map_err(serde::de::Error::custom)
    }
}
