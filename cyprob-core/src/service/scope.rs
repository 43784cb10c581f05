//! For which organization an access token is given.

use super::Identity;
use crate::domain::audit::{Action, Actor, Resource};
use crate::domain::{Aal, Caller, Grant, Membership, OrgRef, RoleVersion, Session, Timestamp};
use crate::ports::store::{GrantOutcome, StoreError};

/// What an access token is for, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The organization and the person's place in it; without one the token opens only what belongs to the person.
    pub membership: Option<Membership>,
    /// The version of the person's role, where the organization defined it.
    pub version: Option<RoleVersion>,
    /// When the token expires.
    pub expires_at: Timestamp,
}

/// Why no token is given for an organization.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// The person is no member of such an organization, whether it exists or not.
    #[error("no such organization")]
    NotFound,
    /// The organization wants a new sign-in: it ended this session's access, or its longest session has passed.
    #[error("the organization asks for a new sign-in")]
    SignInRequired,
    /// The organization requires a second factor, which the session has not shown.
    #[error("the organization requires a second factor")]
    FactorRequired,
    /// The store failed.
    #[error("the scope could not be read")]
    Store(#[from] StoreError),
}

impl Identity {
    /// Picks the organization that was named, else the person's only one, else none.
    pub(super) fn pick(
        memberships: &[Membership],
        named: Option<&OrgRef>,
    ) -> Result<Option<Membership>, ScopeError> {
        match (named, memberships) {
            (Some(org), all) => all
                .iter()
                .find(|membership| org.names(membership))
                .cloned()
                .map(Some)
                .ok_or(ScopeError::NotFound),
            (None, [only]) => Ok(Some(only.clone())),
            (None, _) => Ok(None),
        }
    }

    /// When a token of this session for this organization would expire.
    pub(super) async fn scope(
        &self,
        session: &Session,
        membership: Option<Membership>,
        at: Timestamp,
    ) -> Result<Scope, ScopeError> {
        let mut version = None;
        let mut expires_at = self.tokens_expire_at(at).min(session.absolute_expires_at);
        if let Some(membership) = &membership {
            let org = self
                .store()
                .org(membership.org)
                .await?
                .ok_or(ScopeError::NotFound)?;
            if org.policy.factor_required && session.aal < Aal::Two {
                return Err(ScopeError::FactorRequired);
            }
            if let Some(seconds) = org.policy.max_session_seconds {
                let bound = session
                    .auth_time
                    .after(std::time::Duration::from_secs(seconds.into()));
                expires_at = expires_at.min(bound);
            }
            version = self.version_in(membership.org, &membership.role).await?;
        }
        if expires_at <= at {
            return Err(ScopeError::SignInRequired);
        }
        Ok(Scope {
            membership,
            version,
            expires_at,
        })
    }

    /// Makes sure that the session has a grant for the scope's organization.
    pub(super) async fn grant(
        &self,
        session: &Session,
        scope: &Scope,
        caller: &Caller,
        at: Timestamp,
    ) -> Result<(), ScopeError> {
        let Some(membership) = &scope.membership else {
            return Ok(());
        };
        let grant = Grant {
            session: session.id,
            org: membership.org,
            created_at: at,
            ended_at: None,
        };
        let caller = Caller {
            actor: Actor::User {
                id: session.user,
                session: Some(session.id),
                token: None,
            },
            ..caller.clone()
        };
        let event = self
            .event(
                at,
                &caller,
                Action::GrantOpened,
                Resource::new("session", session.id),
            )
            .in_org(membership.org);
        match self.store().open_grant(&grant, &[event]).await? {
            GrantOutcome::Opened | GrantOutcome::Existing => Ok(()),
            GrantOutcome::Ended => Err(ScopeError::SignInRequired),
            GrantOutcome::FactorRequired => Err(ScopeError::FactorRequired),
        }
    }

    /// The scope for a session that goes on: an organization that was only implied is left out
    /// when it wants a new sign-in or a second factor.
    pub(super) async fn scope_of_live(
        &self,
        session: &Session,
        memberships: &[Membership],
        named: Option<&OrgRef>,
        caller: &Caller,
        at: Timestamp,
    ) -> Result<Scope, ScopeError> {
        let picked = Self::pick(memberships, named)?;
        let scope = match self.scope(session, picked, at).await {
            Ok(scope) => self
                .grant(session, &scope, caller, at)
                .await
                .map(|()| scope),
            Err(error) => Err(error),
        };
        match scope {
            Err(ScopeError::SignInRequired | ScopeError::FactorRequired) if named.is_none() => {
                self.scope(session, None, at).await
            }
            other => other,
        }
    }
}
