//! Whether an invitation is good at this moment.

use secrecy::{ExposeSecret, SecretString};

use super::{Identity, new_org};
use crate::domain::{
    Authority, Invitation, InvitationState, Inviter, Organization, RoleVersion, Timestamp,
    TokenDigest,
};
use crate::ports::store::StoreError;

/// An invitation that is good at this moment.
pub(super) struct Invited {
    pub(super) invitation: Invitation,
    /// The version of its role, where the organization defined it.
    pub(super) version: Option<RoleVersion>,
    pub(super) org: Organization,
}

impl Identity {
    /// The invitation of a token, if it is open and whoever made it could make it now.
    pub(super) async fn good_invitation(
        &self,
        token: &SecretString,
        at: Timestamp,
    ) -> Result<Option<Invited>, StoreError> {
        if !token
            .expose_secret()
            .starts_with(new_org::INVITATION_PREFIX)
        {
            return Ok(None);
        }
        let digest = TokenDigest::of(token.expose_secret());
        let Some(invitation) = self.store().invitation_by_token(&digest).await? else {
            return Ok(None);
        };
        if invitation.state(at) != InvitationState::Open {
            return Ok(None);
        }
        let Some(given) = self.role_in(invitation.org, &invitation.role).await? else {
            return Ok(None);
        };
        let may = match self.inviting(&invitation).await? {
            Some(holder) => {
                self.parts.roles.manages_members(holder.reach) && holder.covers(&given.authority)
            }
            None => invitation.inviter == Inviter::Deployment,
        };
        if !may {
            return Ok(None);
        }
        let org = self.store().org(invitation.org).await?;
        Ok(org.map(|org| Invited {
            invitation,
            version: given.version,
            org,
        }))
    }

    /// What the inviter holds by now, who may have left.
    async fn inviting(&self, invitation: &Invitation) -> Result<Option<Authority>, StoreError> {
        let role = match invitation.inviter {
            Inviter::Deployment => None,
            Inviter::User(user) => {
                let theirs = self.store().memberships(user).await?;
                let mut theirs = theirs.into_iter();
                theirs
                    .find(|membership| membership.org == invitation.org)
                    .map(|membership| membership.role)
            }
            Inviter::Service(account) => {
                let store = self.store();
                store.role_of_service(invitation.org, account).await?
            }
        };
        let Some(role) = role else {
            return Ok(None);
        };
        let known = self.role_in(invitation.org, &role).await?;
        Ok(known.map(|known| known.authority))
    }
}
