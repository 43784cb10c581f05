//! For which organization an access token is given.

use super::Identity;
use crate::domain::audit::{Action, Actor, Resource};
use crate::domain::{
    Aal, Access, Caller, Grant, GrantState, Membership, OrgRef, RoleVersion, Session, Timestamp,
};
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
    pub(super) fn pick<'a>(
        accesses: &'a [Access],
        named: Option<&OrgRef>,
    ) -> Result<Option<&'a Access>, ScopeError> {
        match (named, accesses) {
            (Some(org), all) => all
                .iter()
                .find(|access| org.names(&access.membership))
                .map(Some)
                .ok_or(ScopeError::NotFound),
            (None, [only]) => Ok(Some(only)),
            (None, _) => Ok(None),
        }
    }

    /// When a token of this session for this organization would expire.
    pub(super) fn scope(
        &self,
        session: &Session,
        access: Option<&Access>,
        at: Timestamp,
    ) -> Result<Scope, ScopeError> {
        let mut expires_at = self.tokens_expire_at(at).min(session.absolute_expires_at);
        if let Some(Access { policy, .. }) = access {
            if policy.factor_required && session.aal < Aal::Two {
                return Err(ScopeError::FactorRequired);
            }
            if let Some(seconds) = policy.max_session_seconds {
                let bound = session
                    .auth_time
                    .after(std::time::Duration::from_secs(seconds.into()));
                expires_at = expires_at.min(bound);
            }
        }
        if expires_at <= at {
            return Err(ScopeError::SignInRequired);
        }
        Ok(Scope {
            membership: access.map(|access| access.membership.clone()),
            version: access.and_then(|access| self.version_of(access)),
            expires_at,
        })
    }

    /// Makes sure that the session has a grant for the scope's organization.
    pub(super) async fn grant(
        &self,
        session: &Session,
        access: &Access,
        caller: &Caller,
        at: Timestamp,
    ) -> Result<(), ScopeError> {
        match access.grant {
            GrantState::Live => return Ok(()),
            GrantState::Ended => return Err(ScopeError::SignInRequired),
            GrantState::Missing => {}
        }
        let org = access.membership.org;
        let grant = Grant {
            session: session.id,
            org,
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
            .in_org(org);
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
        accesses: &[Access],
        named: Option<&OrgRef>,
        caller: &Caller,
        at: Timestamp,
    ) -> Result<Scope, ScopeError> {
        let picked = Self::pick(accesses, named)?;
        let granted = match (self.scope(session, picked, at), picked) {
            (Ok(scope), Some(access)) => {
                let granted = self.grant(session, access, caller, at).await;
                granted.map(|()| scope)
            }
            (scope, _) => scope,
        };
        match granted {
            Err(ScopeError::SignInRequired | ScopeError::FactorRequired) if named.is_none() => {
                self.scope(session, None, at)
            }
            other => other,
        }
    }
}

/// The memberships alone.
pub(super) fn memberships(accesses: Vec<Access>) -> Vec<Membership> {
    let memberships = accesses.into_iter().map(|access| access.membership);
    memberships.collect()
}
