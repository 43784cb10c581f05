//! Invitations.

use cyprob_core::domain::{DisplayName, Email, Invitation, InvitationId, RoleName, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::role::Version;

/// `POST invitations`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InviteRequest {
    #[schema(value_type = String)]
    pub(crate) email: Email,
    #[schema(value_type = String)]
    pub(crate) role: RoleName,
    /// The version of the role that the sender has seen: 409 if it is another one by now.
    #[schema(value_type = Option<String>)]
    pub(crate) role_version: Option<Version>,
}

/// `POST invitations/accept`: with name and password for a new account, alone for one that exists.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcceptRequest {
    #[schema(value_type = String)]
    pub(crate) token: SecretString,
    #[schema(value_type = Option<String>)]
    pub(crate) name: Option<DisplayName>,
    #[schema(value_type = Option<String>)]
    pub(crate) password: Option<SecretString>,
}

/// An invitation just made, with its token.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NewInvitationAnswer {
    #[schema(value_type = String)]
    id: InvitationId,
    token: String,
    expires_at: String,
}

impl NewInvitationAnswer {
    pub(crate) fn new(invitation: &Invitation, token: &SecretString) -> Self {
        Self {
            id: invitation.id,
            token: token.expose_secret().to_owned(),
            expires_at: invitation.expires_at.to_string(),
        }
    }
}

/// An invitation in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InvitationAnswer {
    #[schema(value_type = String)]
    id: InvitationId,
    #[schema(value_type = String)]
    email: Email,
    #[schema(value_type = String)]
    role: RoleName,
    expires_at: String,
    state: &'static str,
}

impl InvitationAnswer {
    pub(crate) fn of(invitation: Invitation, at: Timestamp) -> Self {
        Self {
            id: invitation.id,
            expires_at: invitation.expires_at.to_string(),
            state: invitation.state(at).as_str(),
            email: invitation.email,
            role: invitation.role,
        }
    }
}
