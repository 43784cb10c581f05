//! Making an organization.

use std::time::Duration;

use secrecy::SecretString;

use super::{Identity, secret_token};
use crate::domain::audit::{Action, MetaValue, Resource};
use crate::domain::{
    DeploymentCtx, DisplayName, Email, Invitation, Inviter, OrgId, OrgPolicy, OrgSlug,
    Organization, RoleName, Timestamp,
};
use crate::ports::EntropyExt;
use crate::ports::store::{CreateOrgOutcome, StoreError};

/// How long an invitation can be accepted.
pub(super) const INVITATION_TTL: Duration = Duration::from_secs(72 * 3_600);

/// The prefix of an invitation's token.
pub(super) const INVITATION_PREFIX: &str = "cyi_";

/// Why an organization was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CreateOrgError {
    /// Another organization has the slug.
    #[error("the slug is taken")]
    SlugTaken,
    /// The store failed.
    #[error("the organization could not be stored")]
    Store(#[from] StoreError),
}

/// An organization just made, with the invitation of its owner.
#[derive(Debug)]
pub struct NewOrg {
    /// The organization.
    pub org: Organization,
    /// The owner's invitation.
    pub invitation: Invitation,
    /// Its token; shown once.
    pub token: SecretString,
}

impl Identity {
    /// An organization that does not exist yet.
    pub(super) fn draft_org(
        &self,
        slug: OrgSlug,
        name: DisplayName,
        at: Timestamp,
    ) -> Organization {
        let policy = OrgPolicy::default();
        Organization {
            id: self.parts.entropy.id(at),
            slug,
            name,
            policy,
            created_at: at,
        }
    }

    /// An invitation that is not stored yet, and its token.
    pub(super) fn draft_invitation(
        &self,
        org: OrgId,
        email: Email,
        role: RoleName,
        at: Timestamp,
    ) -> (Invitation, SecretString) {
        let (token, digest) = secret_token::draw(self.parts.entropy.as_ref(), INVITATION_PREFIX);
        let invitation = Invitation {
            id: self.parts.entropy.id(at),
            org,
            email,
            role,
            inviter: Inviter::Deployment,
            token: digest,
            created_at: at,
            expires_at: at.after(INVITATION_TTL),
            accepted_at: None,
            revoked_at: None,
        };
        (invitation, token)
    }

    /// Makes an organization whose owner is whoever accepts the invitation.
    ///
    /// # Errors
    ///
    /// [`CreateOrgError`]; nothing was made.
    #[tracing::instrument(name = "core.org.create", skip_all)]
    pub async fn create_org(
        &self,
        by: &DeploymentCtx,
        slug: OrgSlug,
        name: DisplayName,
        owner: Email,
    ) -> Result<NewOrg, CreateOrgError> {
        let at = self.now();
        let org = self.draft_org(slug, name, at);
        let (invitation, token) = self.draft_invitation(org.id, owner, RoleName::OWNER, at);
        let created = self
            .event(
                at,
                by.caller(),
                Action::OrgCreated,
                Resource::new("org", org.id),
            )
            .in_org(org.id)
            .with("slug", MetaValue::public(&org.slug));
        let invited = self
            .event(
                at,
                by.caller(),
                Action::InvitationCreated,
                Resource::new("invitation", invitation.id),
            )
            .in_org(org.id)
            .with("role", MetaValue::public(&invitation.role))
            .with(
                "email",
                MetaValue::personal(None, invitation.email.as_str()),
            );
        match self
            .store()
            .create_org(by, &org, &invitation, &[created, invited])
            .await?
        {
            CreateOrgOutcome::Created => Ok(NewOrg {
                org,
                invitation,
                token,
            }),
            CreateOrgOutcome::SlugTaken => Err(CreateOrgError::SlugTaken),
        }
    }
}
