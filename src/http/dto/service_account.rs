//! Service accounts and their keys.

use cyprob_core::domain::{
    DisplayName, KeyId, RoleName, ServiceAccountId, ServiceAccountView, ServiceKey, Timestamp,
    UserId,
};
use cyprob_core::service::{NewServiceKey, ServiceGrant};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::role::Version;
use crate::Holder;

/// A service account with its keys.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServiceAccountAnswer {
    #[schema(value_type = String)]
    id: ServiceAccountId,
    #[schema(value_type = String)]
    name: DisplayName,
    #[schema(value_type = String)]
    role: RoleName,
    #[schema(value_type = String)]
    owner: UserId,
    /// Whether who answers for it is a member no more: name another.
    creator_left: bool,
    created_at: String,
    keys: Vec<KeyAnswer>,
    /// Asked which have a permission: `always`, or the conditions under which the role gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<String>,
}

/// A key, without the secret.
#[derive(Debug, Serialize, ToSchema)]
struct KeyAnswer {
    #[schema(value_type = String)]
    id: KeyId,
    created_at: String,
    expires_at: String,
    /// The hour in which it was last exchanged.
    last_used_at: Option<String>,
}

impl KeyAnswer {
    fn of(key: &ServiceKey) -> Self {
        Self {
            id: key.id,
            created_at: key.created_at.to_string(),
            expires_at: key.expires_at.to_string(),
            last_used_at: key.last_used.map(|hour| hour.to_string()),
        }
    }
}

impl ServiceAccountAnswer {
    pub(crate) fn which_can(holder: Holder<ServiceAccountView>) -> Self {
        let when = Some(holder.when());
        Self {
            when,
            ..Self::of(holder.who)
        }
    }

    pub(crate) fn of(view: ServiceAccountView) -> Self {
        let account = view.account;
        Self {
            id: account.id,
            name: account.name,
            role: account.role,
            owner: account.owner,
            creator_left: view.owner_left,
            created_at: account.created_at.to_string(),
            keys: view.keys.iter().map(KeyAnswer::of).collect(),
            when: None,
        }
    }
}

/// `POST service-accounts`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateServiceAccountRequest {
    #[schema(value_type = String)]
    pub(crate) name: DisplayName,
    #[schema(value_type = String)]
    pub(crate) role: RoleName,
    /// The version of the role that the sender has seen: 409 if it is another one by now.
    #[schema(value_type = Option<String>)]
    pub(crate) role_version: Option<Version>,
}

/// `PUT service-accounts/{id}`; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeServiceAccountRequest {
    #[schema(value_type = Option<String>)]
    pub(crate) role: Option<RoleName>,
    #[schema(value_type = Option<String>)]
    pub(crate) owner: Option<UserId>,
    /// The version of the role that the sender has seen: 409 if it is another one by now.
    #[schema(value_type = Option<String>)]
    pub(crate) role_version: Option<Version>,
}

/// `POST service-accounts/{id}/keys`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateKeyRequest {
    #[schema(value_type = String)]
    pub(crate) expires_at: Rfc3339,
}

/// A time in a request.
#[derive(Debug)]
pub(crate) struct Rfc3339(pub(crate) Timestamp);

impl<'de> Deserialize<'de> for Rfc3339 {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

/// A key just made, with its text.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NewKeyAnswer {
    #[schema(value_type = String)]
    id: KeyId,
    key: String,
    created_at: String,
    expires_at: String,
}

impl NewKeyAnswer {
    pub(crate) fn of(made: &NewServiceKey) -> Self {
        Self {
            id: made.key.id,
            key: made.text.expose_secret().to_owned(),
            created_at: made.key.created_at.to_string(),
            expires_at: made.key.expires_at.to_string(),
        }
    }
}

/// `POST auth/service-token`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceTokenRequest {
    #[schema(value_type = String)]
    pub(crate) key: SecretString,
}

/// The answer to it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServiceTokenAnswer {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
}

impl ServiceTokenAnswer {
    pub(crate) fn new(grant: &ServiceGrant, token: &SecretString) -> Self {
        Self {
            access_token: token.expose_secret().to_owned(),
            token_type: "Bearer",
            expires_in: grant.expires_at.since(grant.at).as_secs(),
        }
    }
}
