//! Refreshing a session, and tokens for another organization.

use secrecy::SecretString;

use super::refusals::RefusalKind;
use super::scope::memberships;
use super::{Identity, Scope, ScopeError, SignedIn, SlowDown};
use crate::domain::audit::{Action, Actor, Outcome, Resource};
use crate::domain::{
    Access, Caller, EndReason, OrgRef, PresentedRefresh, RefreshState, RefreshVerdict, Session,
    Timestamp, User, UserCtx, judge_refresh,
};
use crate::ports::store::{Advance, Renewal, SessionEnd, StoreError};

/// Why a refresh failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RefreshError {
    /// Unknown, forged, used, expired or ended: nobody learns which.
    #[error("the refresh token is not good")]
    InvalidGrant,
    /// The person is no member of the named organization. The token was not used up.
    #[error("no such organization")]
    OrgNotFound,
    /// The named organization asks for a new sign-in. The token was not used up.
    #[error("the organization asks for a new sign-in")]
    SignInRequired,
    /// Too many refresh tokens that were none: nothing was checked.
    #[error(transparent)]
    SlowDown(#[from] SlowDown),
    /// The named organization requires a second factor, which the session has not shown. The token was not used up.
    #[error("the organization requires a second factor")]
    FactorRequired,
    /// The store failed.
    #[error("the refresh could not be stored")]
    Store(#[from] StoreError),
}

impl From<ScopeError> for RefreshError {
    fn from(error: ScopeError) -> Self {
        match error {
            ScopeError::NotFound => Self::OrgNotFound,
            ScopeError::SignInRequired => Self::SignInRequired,
            ScopeError::FactorRequired => Self::FactorRequired,
            ScopeError::Store(error) => Self::Store(error),
        }
    }
}

/// How often a racer looks again; each loss means that another one won.
const MAX_RACES: usize = 16;

/// The session as it is after the step.
pub(super) fn move_on(session: &mut Session, step: &Advance) {
    session.refresh = step.to.clone();
    session.last_used_at = step.at;
    session.idle_expires_at = step.idle_expires_at;
}

impl Identity {
    /// Renews a session's tokens.
    ///
    /// The current refresh token moves the session on; the one before it gets the
    /// same pair within the grace; an older one ends the session; a forged one
    /// changes nothing.
    ///
    /// # Errors
    ///
    /// [`RefreshError`].
    #[tracing::instrument(name = "core.session.refresh", skip_all)]
    pub async fn refresh(
        &self,
        token: &SecretString,
        org: Option<&OrgRef>,
        caller: &Caller,
    ) -> Result<SignedIn, RefreshError> {
        let at = self.now();
        let visit = self.visit_with_token(token, caller, at)?;
        let refreshed = self.refresh_at(token, org, caller, at).await;
        match &refreshed {
            Err(RefreshError::InvalidGrant) => self.throttle.refused(token),
            Err(RefreshError::Store(_)) => {}
            _ => visit.good(),
        }
        refreshed
    }

    async fn refresh_at(
        &self,
        token: &SecretString,
        org: Option<&OrgRef>,
        caller: &Caller,
        at: Timestamp,
    ) -> Result<SignedIn, RefreshError> {
        let Ok(shown) = PresentedRefresh::parse(token) else {
            return Err(self.refuse_refresh(caller, at));
        };
        for _ in 0..MAX_RACES {
            let Some(renewal) = self.store().renewal(shown.session).await? else {
                return Err(self.refuse_refresh(caller, at));
            };
            let Renewal {
                stored,
                user,
                accesses,
            } = renewal;
            let keys = &self.parts.refresh_keys;
            let grace = self.parts.sessions.grace();
            match judge_refresh(keys, &stored.session, &shown, grace, at) {
                RefreshVerdict::Forged | RefreshVerdict::Over => {
                    return Err(self.refuse_refresh(caller, at));
                }
                _ if !stored.is_live(at) => return Err(self.refuse_refresh(caller, at)),
                RefreshVerdict::Theft => {
                    self.end_for_theft(&stored.session, caller, at).await?;
                    return Err(RefreshError::InvalidGrant);
                }
                RefreshVerdict::Repeat => {
                    let scope = self
                        .scope_of_live(&stored.session, &accesses, org, caller, at)
                        .await?;
                    return self.signed_in(user, stored.session, scope, accesses, at);
                }
                RefreshVerdict::Rotate => {
                    let scope = self
                        .scope_of_live(&stored.session, &accesses, org, caller, at)
                        .await?;
                    if let Some(session) = self.rotate(stored.session, caller, at).await? {
                        return self.signed_in(user, session, scope, accesses, at);
                    }
                }
            }
        }
        Err(RefreshError::Store(StoreError::unavailable(
            "a refresh lost every race",
        )))
    }

    /// Gives a session's access token for another organization.
    ///
    /// # Errors
    ///
    /// [`RefreshError::InvalidGrant`] if the session is over, else as for a refresh.
    #[tracing::instrument(name = "core.session.org_token", skip_all, fields(session.id = %by.session()))]
    pub async fn org_token(
        &self,
        by: &UserCtx,
        org: &OrgRef,
    ) -> Result<(User, Session, Scope), RefreshError> {
        let at = self.now();
        let renewal = self.store().renewal(by.session()).await?;
        let live = renewal.filter(|renewal| renewal.stored.is_live(at));
        let Some(renewal) = live else {
            return Err(RefreshError::InvalidGrant);
        };
        let session = renewal.stored.session;
        let scope = self
            .scope_of_live(&session, &renewal.accesses, Some(org), by.caller(), at)
            .await?;
        Ok((renewal.user, session, scope))
    }

    fn refuse_refresh(&self, caller: &Caller, at: Timestamp) -> RefreshError {
        self.refusals()
            .count(RefusalKind::Refresh, caller.origin.ip_address, at);
        RefreshError::InvalidGrant
    }

    pub(super) fn signed_in(
        &self,
        user: User,
        session: Session,
        scope: Scope,
        accesses: Vec<Access>,
        at: Timestamp,
    ) -> Result<SignedIn, RefreshError> {
        let refresh_token = self.refresh_token(&session)?;
        Ok(SignedIn {
            user,
            session,
            refresh_token,
            device_token: None,
            recognised: true,
            scope,
            memberships: memberships(accesses),
            at,
        })
    }

    /// Moves the session on; `None` if another racer did.
    async fn rotate(
        &self,
        mut session: Session,
        caller: &Caller,
        at: Timestamp,
    ) -> Result<Option<Session>, RefreshError> {
        let step = self.step_on(&session, at);
        let caller = Caller {
            actor: Actor::User {
                id: session.user,
                session: Some(session.id),
                token: None,
            },
            ..caller.clone()
        };
        let on = Resource::new("session", session.id);
        let event = self.event(at, &caller, Action::SessionRefreshed, on);
        if !self.store().advance(&step, &event).await? {
            return Ok(None);
        }
        move_on(&mut session, &step);
        Ok(Some(session))
    }

    /// One generation on.
    pub(super) fn step_on(&self, session: &Session, at: Timestamp) -> Advance {
        let from = session.refresh.generation;
        Advance {
            session: session.id,
            from,
            credential_epoch: session.credential_epoch,
            to: RefreshState {
                generation: from.saturating_add(1),
                key: self.parts.refresh_keys.active(),
                previous_key: Some(session.refresh.key),
                rotated_at: at,
            },
            at,
            idle_expires_at: at.after(self.parts.sessions.idle()),
        }
    }

    async fn end_for_theft(
        &self,
        session: &Session,
        caller: &Caller,
        at: Timestamp,
    ) -> Result<(), RefreshError> {
        let end = SessionEnd {
            user: session.user,
            session: session.id,
            reason: EndReason::Theft,
            at,
            tokens_expire_at: self.tokens_expire_at(at),
        };
        let on = Resource::new("session", session.id);
        let event = self
            .event(at, caller, Action::SessionTheftDetected, on)
            .with_outcome(Outcome::Denied, "refresh_token_reused");
        let ended = self.store().end_session(&end, &[event]).await?;
        self.publish(ended.as_slice());
        Ok(())
    }
}
