//! Forgotten passwords, changes of addresses, and the administration of accounts.

use cyprob_core::domain::{DisplayName, Email, OrgId, User, UserId};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST auth/password-reset`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResetRequest {
    #[schema(value_type = String)]
    pub(crate) email: Email,
}

/// `POST auth/password-reset/confirm`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResetConfirmRequest {
    #[schema(value_type = String)]
    pub(crate) token: SecretString,
    #[schema(value_type = String)]
    pub(crate) password: SecretString,
}

/// `POST auth/email-change/confirm` and `object`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenRequest {
    #[schema(value_type = String)]
    pub(crate) token: SecretString,
}

/// `POST me/email`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmailRequest {
    #[schema(value_type = String)]
    pub(crate) email: Email,
    #[schema(value_type = String)]
    pub(crate) password: SecretString,
}

/// Whatever becomes of it, it was taken.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TakenAnswer {
    pub(crate) accepted: bool,
}

/// `POST system/users/{user}/disable`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DisableRequest {
    #[schema(value_type = String)]
    pub(crate) reason: DisplayName,
}

/// `POST system/sessions/end`: one of `user`, `org` and `everyone`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndSessionsRequest {
    #[schema(value_type = Option<String>)]
    pub(crate) user: Option<UserId>,
    #[schema(value_type = Option<String>)]
    pub(crate) org: Option<OrgId>,
    pub(crate) everyone: Option<bool>,
    pub(crate) keep_current: Option<bool>,
    #[schema(value_type = String)]
    pub(crate) reason: DisplayName,
}

/// How many sessions, or grants of an organization, ended.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EndedAnswer {
    pub(crate) ended: u64,
}

/// An account, as the deployment's administrator sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountAnswer {
    #[schema(value_type = String)]
    id: UserId,
    #[schema(value_type = String)]
    email: Email,
    #[schema(value_type = String)]
    name: DisplayName,
    email_verified: bool,
    administrator: bool,
    disabled_at: Option<String>,
    created_at: String,
}

impl AccountAnswer {
    pub(crate) fn of(user: User) -> Self {
        Self {
            id: user.id,
            email: user.email,
            name: user.name,
            email_verified: user.email_verified,
            administrator: user.administrator,
            disabled_at: user.disabled_at.map(|at| at.to_string()),
            created_at: user.created_at.to_string(),
        }
    }
}
