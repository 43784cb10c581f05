//! Roles.

use cyprob_authz::domain::policy::Grant;
use cyprob_authz::domain::{Permission, PermissionSet, RoleDefinition};
use cyprob_core::domain::{Aal, CustomRole, PermissionNames, RoleChoice, RoleName, RoleVersion};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

/// A role with what it permits.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoleAnswer {
    #[schema(value_type = String)]
    pub(crate) name: RoleName,
    /// What it permits always.
    pub(crate) permissions: Vec<&'static str>,
    /// What it permits besides, under conditions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) conditional: Vec<ConditionalAnswer>,
    /// Whether it ships with the control plane.
    pub(crate) builtin: bool,
    /// Which version this is; with it a request says what its sender has seen. Roles of the deployment have none.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<Version>,
}

/// What a role permits where everything that is named here holds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConditionalAnswer {
    permissions: Vec<&'static str>,
    /// The sign-in is at least this strong.
    #[serde(skip_serializing_if = "Option::is_none")]
    aal: Option<u8>,
    /// The client is in one of these ranges.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    addresses: Vec<String>,
    /// It is one of these times, in UTC.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hours: Vec<String>,
    /// The object is the caller's own.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    own: bool,
    /// The object has one of these tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
}

impl ConditionalAnswer {
    fn of(grant: &Grant) -> Self {
        let hours = grant.when.hours.iter();
        let addresses = grant.when.addresses.iter();
        Self {
            permissions: names(grant.permissions),
            aal: grant.when.aal.map(Aal::get),
            addresses: addresses.map(ToString::to_string).collect(),
            hours: hours
                .flat_map(|hours| hours.windows())
                .map(ToString::to_string)
                .collect(),
            own: grant.when.own,
            tags: grant.when.tags.iter().map(ToString::to_string).collect(),
        }
    }
}

/// In the catalogue's order.
fn names(permissions: PermissionSet) -> Vec<&'static str> {
    permissions.iter().map(Permission::as_str).collect()
}

impl RoleAnswer {
    /// A role of the deployment.
    pub(crate) fn of_deployment(role: &RoleDefinition) -> Self {
        let conditional = role.rights.conditional().iter();
        Self {
            name: role.name.clone(),
            permissions: names(role.rights.always()),
            conditional: conditional.map(ConditionalAnswer::of).collect(),
            builtin: role.builtin,
            version: None,
        }
    }

    /// A role that the organization defined, its permissions in the catalogue's order.
    pub(crate) fn own(role: &CustomRole) -> Self {
        Self {
            name: role.name.clone(),
            permissions: names(PermissionSet::from(&role.permissions)),
            conditional: Vec::new(),
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
