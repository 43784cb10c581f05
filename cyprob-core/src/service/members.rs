//! Members of an organization.

use super::Identity;
use super::authority::KnownRole;
use crate::domain::audit::{Action, MetaValue, Resource};
use crate::domain::{Member, OrgCtx, Page, PageRequest, RoleChoice, UserId};
use crate::ports::store::{MemberOutcome, RoleChange, StoreError};

/// Why a membership was not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MemberError {
    /// The organization has no such member.
    #[error("no such member")]
    NotFound,
    /// There is no such role.
    #[error("no such role")]
    UnknownRole,
    /// The caller's role does not hold all that the old or the new role permits.
    #[error("the role permits more than the caller's own")]
    Forbidden,
    /// The organization would be left without an owner.
    #[error("the last owner stays")]
    LastOwner,
    /// The membership or the role changed meanwhile; nothing of this took effect.
    #[error("the membership or the role changed meanwhile")]
    Raced,
    /// The store failed.
    #[error("the membership could not be read or stored")]
    Store(#[from] StoreError),
}

impl Identity {
    /// The organization's members.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn members(
        &self,
        org: &OrgCtx,
        page: &PageRequest,
    ) -> Result<Page<Member>, StoreError> {
        self.store().members(org, page).await
    }

    /// Gives a member another role; the member's tokens for the organization stop working at once.
    ///
    /// The caller's role must hold all that the member's old and new role
    /// permit. Giving the role that the member has changes nothing.
    ///
    /// # Errors
    ///
    /// [`MemberError`]; nothing was changed.
    #[tracing::instrument(name = "core.member.set_role", skip_all, fields(org.id = %org.org(), user.id = %user))]
    pub async fn set_role(
        &self,
        org: &OrgCtx,
        user: UserId,
        role: impl Into<RoleChoice> + Send,
    ) -> Result<Member, MemberError> {
        let choice = role.into();
        let member = self
            .store()
            .member(org, user)
            .await?
            .ok_or(MemberError::NotFound)?;
        let given = self.role_named(org, &choice.name).await?;
        let given = given.ok_or(MemberError::UnknownRole)?;
        if !choice.is_current(given.version) {
            return Err(MemberError::Raced);
        }
        self.may_change(org, &member, Some(&given)).await?;
        if member.role == choice.name {
            return Ok(member);
        }
        self.change_role(org, &member, Some(given), Action::MemberRoleChanged)
            .await?;
        Ok(Member {
            role: choice.name,
            ..member
        })
    }

    /// Ends a membership; the person's tokens for the organization stop working at once.
    ///
    /// # Errors
    ///
    /// [`MemberError`]; nothing was changed.
    #[tracing::instrument(name = "core.member.remove", skip_all, fields(org.id = %org.org(), user.id = %user))]
    pub async fn remove_member(&self, org: &OrgCtx, user: UserId) -> Result<(), MemberError> {
        let member = self
            .store()
            .member(org, user)
            .await?
            .ok_or(MemberError::NotFound)?;
        self.may_change(org, &member, None).await?;
        self.change_role(org, &member, None, Action::MemberRemoved)
            .await
    }

    async fn may_change(
        &self,
        org: &OrgCtx,
        member: &Member,
        to: Option<&KnownRole>,
    ) -> Result<(), MemberError> {
        let holder = self.holding(org);
        let from = self.authority_of(org, &member.role).await?;
        if holder.covers(&from) && to.is_none_or(|to| holder.covers(&to.authority)) {
            Ok(())
        } else {
            Err(MemberError::Forbidden)
        }
    }

    async fn change_role(
        &self,
        org: &OrgCtx,
        member: &Member,
        to: Option<KnownRole>,
        action: Action,
    ) -> Result<(), MemberError> {
        let at = self.now();
        let mut event = self
            .event(at, org.caller(), action, Resource::new("user", member.user))
            .in_org(org.org())
            .with("from", MetaValue::public(&member.role));
        let (to, version) = match to {
            Some(to) => (Some(to.authority.role), to.version),
            None => (None, None),
        };
        if let Some(role) = &to {
            event = event.with("to", MetaValue::public(role));
        }
        let change = RoleChange {
            user: member.user,
            from: member.role.clone(),
            to,
            version,
            at,
            tokens_expire_at: self.tokens_expire_at(at),
        };
        match self.store().change_role(org, &change, &[event]).await? {
            MemberOutcome::Changed(entry) => {
                self.publish(&[entry]);
                Ok(())
            }
            MemberOutcome::Raced => Err(MemberError::Raced),
            MemberOutcome::LastOwner => Err(MemberError::LastOwner),
        }
    }
}
