//! Ending and listing sessions.

use super::Identity;
use crate::domain::audit::{Action, Resource};
use crate::domain::{
    EndReason, OrgCtx, Page, PageRequest, SessionId, SessionView, Timestamp, UserCtx,
};
use crate::ports::store::{SessionEnd, StoreError};

impl Identity {
    fn end(
        &self,
        by: &UserCtx,
        session: SessionId,
        reason: EndReason,
        at: Timestamp,
    ) -> SessionEnd {
        let tokens_expire_at = self.tokens_expire_at(at);
        SessionEnd {
            user: by.user(),
            session,
            reason,
            at,
            tokens_expire_at,
        }
    }

    /// Signs out: ends the session that acts; its tokens stop working at once. A second call changes nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; the session may still be live.
    #[tracing::instrument(name = "core.session.sign_out", skip_all, fields(session.id = %by.session()))]
    pub async fn sign_out(&self, by: &UserCtx) -> Result<(), StoreError> {
        let at = self.now();
        let on = Resource::new("session", by.session());
        let event = self.event(at, by.caller(), Action::SessionClosed, on);
        let end = self.end(by, by.session(), EndReason::Logout, at);
        let ended = self.store().end_session(&end, &[event]).await?;
        self.publish(ended.as_slice());
        Ok(())
    }

    /// Ends one of the person's own sessions; `false` if there is no such live one.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; the session may still be live.
    #[tracing::instrument(name = "core.session.revoke", skip_all, fields(session.id = %session))]
    pub async fn revoke_session(
        &self,
        by: &UserCtx,
        session: SessionId,
    ) -> Result<bool, StoreError> {
        let at = self.now();
        let on = Resource::new("session", session);
        let event = self.event(at, by.caller(), Action::SessionRevoked, on);
        let end = self.end(by, session, EndReason::Revoked, at);
        let ended = self.store().end_session(&end, &[event]).await?;
        self.publish(ended.as_slice());
        Ok(ended.is_some())
    }

    /// Ends all of the person's sessions but the one that acts; returns how many.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; the sessions may still be live.
    #[tracing::instrument(name = "core.session.revoke_others", skip_all, fields(session.id = %by.session()))]
    pub async fn revoke_other_sessions(&self, by: &UserCtx) -> Result<usize, StoreError> {
        let at = self.now();
        let on = Resource::new("user", by.user());
        let event = self.event(at, by.caller(), Action::SessionsRevoked, on);
        let end = self.end(by, by.session(), EndReason::Revoked, at);
        let ended = self.store().end_other_sessions(&end, &[event]).await?;
        self.publish(&ended);
        Ok(ended.len())
    }

    /// The person's live sessions.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn sessions(
        &self,
        by: &UserCtx,
        page: &PageRequest,
    ) -> Result<Page<SessionView>, StoreError> {
        self.store()
            .sessions_of_user(by.user(), self.now(), page)
            .await
    }

    /// The sessions that have access to the caller's organization, with nothing of their other organizations.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn org_sessions(
        &self,
        org: &OrgCtx,
        page: &PageRequest,
    ) -> Result<Page<SessionView>, StoreError> {
        self.store().grants_of_org(org, self.now(), page).await
    }

    /// Ends a session's access to the caller's organization and to nothing else; `false` if it has none.
    ///
    /// The session gets no further token for the organization: its owner signs in anew.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; the access may still be live.
    #[tracing::instrument(name = "core.grant.end", skip_all, fields(org.id = %org.org(), session.id = %session))]
    pub async fn end_org_session(
        &self,
        org: &OrgCtx,
        session: SessionId,
    ) -> Result<bool, StoreError> {
        let at = self.now();
        let on = Resource::new("session", session);
        let event = self
            .event(at, org.caller(), Action::GrantEnded, on)
            .in_org(org.org());
        let until = self.tokens_expire_at(at);
        let ended = self
            .store()
            .end_grant(org, session, at, until, &[event])
            .await?;
        self.publish(ended.as_slice());
        Ok(ended.is_some())
    }

    /// Makes the stored revocations known again after a start.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; nothing may be served until it succeeds.
    pub async fn restore_revocations(&self) -> Result<usize, StoreError> {
        let at = self.now();
        let entries = self.store().live_revocations(at).await?;
        self.publish(&entries);
        self.parts.feed.caught_up(at);
        Ok(entries.len())
    }

    /// Drops stored revocations that can end no token any more.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn sweep_revocations(&self) -> Result<u64, StoreError> {
        self.store().sweep_revocations(self.now()).await
    }
}
