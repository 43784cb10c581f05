//! Inviting people and accepting.

use secrecy::{ExposeSecret, SecretString};

use super::invited::Invited;
use super::refusals::RefusalKind;
use super::{Identity, SlowDown};
use crate::domain::audit::{Action, Actor, MetaValue, Resource};
use crate::domain::{
    Caller, ContextWords, DisplayName, Email, Epoch, Gate, Invitation, InvitationId, Inviter,
    OrgCtx, Organization, Page, PageRequest, PasswordRole, RoleChoice, RoleName, Timestamp,
    TokenDigest, User, UserCtx, WeakPassword,
};
use crate::ports::store::{Acceptance, AcceptanceOutcome, Invitee, StoreError};
use crate::ports::{BreachListError, EntropyExt, HashError};

/// Why nobody was invited.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InviteError {
    /// There is no such role.
    #[error("no such role")]
    UnknownRole,
    /// The role permits more than the caller's own.
    #[error("the role permits more than the caller's own")]
    Forbidden,
    /// The role is not the one any more that the caller looked at.
    #[error("the role changed meanwhile")]
    RoleChanged,
    /// The store failed.
    #[error("the invitation could not be stored")]
    Store(#[from] StoreError),
}

/// An invitation just made.
#[derive(Debug)]
pub struct NewInvitation {
    /// The invitation.
    pub invitation: Invitation,
    /// Its token; shown once.
    pub token: SecretString,
}

/// The account that an acceptance makes.
#[derive(Debug)]
pub struct NewAccount {
    /// The person's name.
    pub name: DisplayName,
    /// The person's password, exactly as received.
    pub password: SecretString,
}

/// Why an invitation was not accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// Unknown, used, withdrawn or expired, or its inviter may not invite any more: nobody learns which.
    #[error("the invitation is not good")]
    InvalidToken,
    /// Too many tokens that were none: nothing was checked.
    #[error(transparent)]
    SlowDown(#[from] SlowDown),
    /// The invitation's address has an account: its owner signs in first.
    #[error("the address has an account: sign in first")]
    SignInRequired,
    /// The address has no account, so a name and a password are needed to make one.
    #[error("a name and a password are needed")]
    AccountNeeded,
    /// The signed-in person is not the one invited, or never showed that the address is theirs.
    #[error("the invitation is for another person, or the address was never verified")]
    Forbidden,
    /// The person is a member already.
    #[error("already a member")]
    AlreadyMember,
    /// The role was changed meanwhile; the token is still good.
    #[error("the role changed meanwhile")]
    RoleChanged,
    /// The new password is refused.
    #[error("the password is refused")]
    Weak(#[source] WeakPassword),
    /// Nobody can say whether the password was disclosed, so it is not taken.
    #[error("the password could not be checked")]
    Unchecked(#[source] BreachListError),
    /// No password was hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store failed.
    #[error("the acceptance could not be stored")]
    Store(#[from] StoreError),
}

/// A person who has just become a member.
#[derive(Debug)]
pub struct Accepted {
    /// The person.
    pub user: User,
    /// The organization.
    pub org: Organization,
    /// The role in it.
    pub role: RoleName,
}

impl Identity {
    /// Invites the holder of an address into the caller's organization, for 72 hours.
    ///
    /// # Errors
    ///
    /// [`InviteError`]; nobody was invited.
    #[tracing::instrument(name = "core.invitation.create", skip_all, fields(org.id = %org.org()))]
    pub async fn invite(
        &self,
        org: &OrgCtx,
        email: Email,
        role: impl Into<RoleChoice> + Send,
    ) -> Result<NewInvitation, InviteError> {
        let (at, choice) = (self.now(), role.into());
        let given = self.role_named(org, &choice.name).await?;
        let given = given.ok_or(InviteError::UnknownRole)?;
        if !choice.is_current(given.version) {
            return Err(InviteError::RoleChanged);
        }
        let holder = self.holding(org);
        // As it will be asked again when the invitation is accepted.
        if !self.parts.roles.manages_members(holder.reach) || !holder.covers(&given.authority) {
            return Err(InviteError::Forbidden);
        }
        let (mut invitation, token) = self.draft_invitation(org.org(), email, choice.name, at);
        invitation.inviter = match &org.caller().actor {
            Actor::User { id, .. } => Inviter::User(*id),
            Actor::Service { id, .. } => Inviter::Service(*id),
            _ => Inviter::Deployment,
        };
        let on = Resource::new("invitation", invitation.id);
        let event = self
            .event(at, org.caller(), Action::InvitationCreated, on)
            .in_org(org.org())
            .with("role", MetaValue::public(&invitation.role))
            .with(
                "email",
                MetaValue::personal(None, invitation.email.as_str()),
            );
        self.store().invite(org, &invitation, &[event]).await?;
        Ok(NewInvitation { invitation, token })
    }

    /// The organization's invitations, whatever their state.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn invitations(
        &self,
        org: &OrgCtx,
        page: &PageRequest,
    ) -> Result<(Page<Invitation>, Timestamp), StoreError> {
        Ok((self.store().invitations(org, page).await?, self.now()))
    }

    /// Withdraws an open invitation; `false` if there is none such.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; the invitation may still be open.
    #[tracing::instrument(name = "core.invitation.revoke", skip_all, fields(org.id = %org.org()))]
    pub async fn revoke_invitation(
        &self,
        org: &OrgCtx,
        id: InvitationId,
    ) -> Result<bool, StoreError> {
        let at = self.now();
        let on = Resource::new("invitation", id);
        let event = self
            .event(at, org.caller(), Action::InvitationRevoked, on)
            .in_org(org.org());
        self.store().revoke_invitation(org, id, at, &[event]).await
    }

    /// Accepts an invitation as a person without an account, and makes the account.
    ///
    /// The account's address counts as unverified: whoever invited has seen the token.
    ///
    /// # Errors
    ///
    /// [`AcceptError`]; nothing was changed and the token is still good if it was.
    #[tracing::instrument(name = "core.invitation.accept_new", skip_all)]
    pub async fn accept_as_new(
        &self,
        token: &SecretString,
        account: Option<NewAccount>,
        caller: &Caller,
    ) -> Result<Accepted, AcceptError> {
        let at = self.now();
        let visit = self.visit(Gate::Token, caller, at)?;
        let Invited {
            invitation, org, ..
        } = self.open_invitation(token, caller, at).await?;
        visit.good();
        if self
            .store()
            .user_by_email(&invitation.email)
            .await?
            .is_some()
        {
            return Err(AcceptError::SignInRequired);
        }
        let account = account.ok_or(AcceptError::AccountNeeded)?;
        let words = ContextWords::default()
            .with(account.name.as_str())
            .with(invitation.email.as_str())
            .with(org.slug.as_str())
            .with(org.name.as_str());
        self.accept_password(&account.password, &words, PasswordRole::Alone)
            .await?;
        let password = self
            .parts
            .hasher
            .hash(account.password, caller.origin.ip_address)
            .await?;
        // Hashing may have waited for its turn: the inviter's rights are asked again.
        let at = self.now();
        let invited = self.open_invitation(token, caller, at).await?;
        let user = User {
            id: self.parts.entropy.id(at),
            email: invited.invitation.email.clone(),
            email_verified: false,
            name: account.name,
            password: Some(password),
            epoch: Epoch::FIRST,
            administrator: false,
            disabled_at: None,
            created_at: at,
        };
        let invitee = Invitee::New(Box::new(user.clone()));
        self.accept(invited, user, invitee, token, caller, at).await
    }

    /// Accepts an invitation as the signed-in person whose address it names.
    ///
    /// # Errors
    ///
    /// [`AcceptError`]; nothing was changed and the token is still good if it was.
    #[tracing::instrument(name = "core.invitation.accept", skip_all, fields(user.id = %by.user()))]
    pub async fn accept_as_user(
        &self,
        by: &UserCtx,
        token: &SecretString,
    ) -> Result<Accepted, AcceptError> {
        let at = self.now();
        let visit = self.visit(Gate::Token, by.caller(), at)?;
        let invited = self.open_invitation(token, by.caller(), at).await?;
        visit.good();
        let user = self
            .store()
            .user(by.user())
            .await?
            .ok_or(AcceptError::Forbidden)?;
        if user.email != invited.invitation.email || !user.email_verified {
            return Err(AcceptError::Forbidden);
        }
        let invitee = Invitee::Existing(user.id);
        self.accept(invited, user, invitee, token, by.caller(), at)
            .await
    }

    /// The invitation of a token, if it is open and its inviter may still invite into its role.
    async fn open_invitation(
        &self,
        token: &SecretString,
        caller: &Caller,
        at: Timestamp,
    ) -> Result<Invited, AcceptError> {
        let good = self.good_invitation(token, at).await?;
        if good.is_none() {
            self.refusals()
                .count(RefusalKind::Invitation, caller.origin.ip_address, at);
        }
        good.ok_or(AcceptError::InvalidToken)
    }

    async fn accept(
        &self,
        invited: Invited,
        user: User,
        invitee: Invitee,
        token: &SecretString,
        caller: &Caller,
        at: Timestamp,
    ) -> Result<Accepted, AcceptError> {
        let Invited {
            invitation,
            version,
            org,
        } = invited;
        let caller = match &caller.actor {
            Actor::User { .. } => caller.clone(),
            _ => Caller {
                actor: Actor::User {
                    id: user.id,
                    session: None,
                    token: None,
                },
                ..caller.clone()
            },
        };
        let on_user = Resource::new("user", user.id);
        let mut events = Vec::with_capacity(3);
        if matches!(invitee, Invitee::New(_)) {
            events.push(
                self.event(at, &caller, Action::UserCreated, on_user.clone())
                    .with(
                        "email",
                        MetaValue::personal(Some(user.id), user.email.as_str()),
                    ),
            );
        }
        let on = Resource::new("invitation", invitation.id);
        events.push(
            self.event(at, &caller, Action::InvitationAccepted, on)
                .in_org(invitation.org),
        );
        events.push(
            self.event(at, &caller, Action::MemberAdded, on_user)
                .in_org(invitation.org)
                .with("role", MetaValue::public(&invitation.role)),
        );
        let acceptance = Acceptance {
            invitation: invitation.id,
            token: TokenDigest::of(token.expose_secret()),
            version,
            invitee,
            at,
        };
        match self.store().accept(&acceptance, &events).await? {
            AcceptanceOutcome::Accepted => Ok(Accepted {
                user,
                org,
                role: invitation.role,
            }),
            AcceptanceOutcome::Gone => Err(AcceptError::InvalidToken),
            AcceptanceOutcome::EmailTaken => Err(AcceptError::SignInRequired),
            AcceptanceOutcome::AlreadyMember => Err(AcceptError::AlreadyMember),
            AcceptanceOutcome::RoleChanged => Err(AcceptError::RoleChanged),
        }
    }
}
