//! Roles.

use cyprob_authz::domain::{Permission, PermissionSet};
use cyprob_core::domain::{CustomRole, PermissionNames, RoleName};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// A role with what it permits.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoleAnswer {
    #[schema(value_type = String)]
    pub(crate) name: RoleName,
    pub(crate) permissions: Vec<&'static str>,
    pub(crate) builtin: bool,
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
