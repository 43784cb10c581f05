//! Sign-in, refresh, bootstrap and passwords.

use std::time::Duration;

use cyprob_core::domain::{DisplayName, Email, OrgSlug, SessionId, Timestamp};
use cyprob_core::service::SignedIn;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{MembershipAnswer, PersonAnswer};
use crate::http::body::Object;

/// `POST auth/login`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginRequest {
    pub(crate) email: String,
    #[schema(value_type = String)]
    pub(crate) password: SecretString,
    pub(crate) org: Option<String>,
    /// That of the last sign-in: a client that shows it is not delayed by failures of others.
    #[schema(value_type = Option<String>)]
    pub(crate) device_token: Option<SecretString>,
    /// Six digits or a recovery code, for an account with a second factor.
    #[schema(value_type = Option<String>)]
    pub(crate) totp: Option<SecretString>,
}

/// `POST auth/refresh`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefreshRequest {
    #[schema(value_type = String)]
    pub(crate) refresh_token: SecretString,
    pub(crate) org: Option<String>,
}

/// `POST auth/step-up`: the password, or the second factor of an account that has one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StepUpRequest {
    #[schema(value_type = Option<String>)]
    pub(crate) password: Option<SecretString>,
    #[schema(value_type = Option<String>)]
    pub(crate) totp: Option<SecretString>,
}

/// `POST me/password`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordRequest {
    #[schema(value_type = String)]
    pub(crate) current: SecretString,
    #[schema(value_type = String)]
    pub(crate) new: SecretString,
}

/// `POST bootstrap`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BootstrapRequest {
    #[schema(value_type = String)]
    pub(crate) token: SecretString,
    #[schema(value_type = String)]
    pub(crate) email: Email,
    #[schema(value_type = String)]
    pub(crate) password: SecretString,
    #[schema(value_type = String)]
    pub(crate) name: DisplayName,
    #[schema(value_type = BootstrapOrg)]
    pub(crate) org: Object<BootstrapOrg>,
}

/// The first organization.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BootstrapOrg {
    #[schema(value_type = String)]
    pub(crate) slug: OrgSlug,
    #[schema(value_type = String)]
    pub(crate) name: DisplayName,
}

/// Whole seconds from one time to another, rounded down.
fn seconds(from: Timestamp, to: Timestamp) -> u64 {
    let left: Duration = to.since(from);
    left.as_secs()
}

/// An access token for an organization.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenAnswer {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    #[schema(value_type = String)]
    session_id: SessionId,
    org: Option<MembershipAnswer>,
}

impl TokenAnswer {
    pub(crate) fn new(
        access_token: &SecretString,
        session_id: SessionId,
        scope: &cyprob_core::service::Scope,
        at: Timestamp,
    ) -> Self {
        Self {
            access_token: access_token.expose_secret().to_owned(),
            token_type: "Bearer",
            expires_in: seconds(at, scope.expires_at),
            session_id,
            org: scope.membership.as_ref().map(MembershipAnswer::of),
        }
    }
}

/// The answer to a sign-in and to a refresh.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenPair {
    #[serde(flatten)]
    access: TokenAnswer,
    refresh_token: String,
    refresh_expires_in: u64,
    /// To be kept beyond the session and shown at the next sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    device_token: Option<String>,
    user: PersonAnswer,
    orgs: Vec<MembershipAnswer>,
}

impl TokenPair {
    pub(crate) fn new(signed_in: &SignedIn, access_token: &SecretString) -> Self {
        let SignedIn {
            user,
            session,
            refresh_token,
            device_token,
            scope,
            memberships,
            at,
            ..
        } = signed_in;
        Self {
            access: TokenAnswer::new(access_token, session.id, scope, *at),
            refresh_token: refresh_token.expose_secret().to_owned(),
            refresh_expires_in: seconds(*at, session.expires_at()),
            device_token: device_token
                .as_ref()
                .map(|token| token.expose_secret().to_owned()),
            user: PersonAnswer::of(user),
            orgs: memberships.iter().map(MembershipAnswer::of).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_never_run_backwards() {
        let at = Timestamp::from_seconds(100);
        assert_eq!(seconds(at, Timestamp::from_seconds(160)), 60);
        assert_eq!(seconds(at, Timestamp::from_seconds(10)), 0);
    }
}
