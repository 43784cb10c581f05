//! Sessions and grants.

use std::fmt::Debug;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::audit::AuditEvent;
use crate::domain::{
    Access, EndReason, Epoch, Grant, OrgCtx, OrgId, Page, PageRequest, RefreshState,
    RevocationEntry, Session, SessionId, SessionView, Timestamp, User, UserId,
};

/// A session and what of its owner decides whether it goes on.
#[derive(Clone, Debug)]
pub struct StoredSession {
    /// The session.
    pub session: Session,
    /// Its owner's state.
    pub owner: SessionOwner,
}

/// The owner's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionOwner {
    /// The owner's epoch; a session with an older one is over.
    pub epoch: Epoch,
    /// Whether the account is switched off.
    pub disabled: bool,
}

impl StoredSession {
    /// Whether the session's tokens may be renewed.
    #[must_use]
    pub fn is_live(&self, at: Timestamp) -> bool {
        self.session.is_live(at)
            && !self.owner.disabled
            && self.session.credential_epoch == self.owner.epoch
    }
}

/// A session with all that its next tokens are made from, as of one moment.
#[derive(Clone, Debug)]
pub struct Renewal {
    /// The session and its owner's state.
    pub stored: StoredSession,
    /// Its owner.
    pub user: User,
    /// The owner's memberships, by slug, each with what the session has there.
    pub accesses: Vec<Access>,
}

/// One step of a session's refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advance {
    /// The session.
    pub session: SessionId,
    /// The generation it must still have.
    pub from: u32,
    /// The credential epoch it must still have.
    pub credential_epoch: Epoch,
    /// What comes.
    pub to: RefreshState,
    /// Now.
    pub at: Timestamp,
    /// Until when the next refresh is taken.
    pub idle_expires_at: Timestamp,
}

/// The end of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionEnd {
    /// Its owner; another person's session is none.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// Why.
    pub reason: EndReason,
    /// Now.
    pub at: Timestamp,
    /// When the last access token given so far expires.
    pub tokens_expire_at: Timestamp,
}

/// What became of a grant that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GrantOutcome {
    /// It is new; the events were recorded.
    Opened,
    /// It was there; nothing changed and nothing was recorded.
    Existing,
    /// The organization has ended it; it stays ended for this session.
    Ended,
    /// The organization requires a second factor, which the session has not shown. Nothing changed.
    FactorRequired,
}

/// What an access token says of the one who shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The person.
    pub user: UserId,
    /// The person's epoch.
    pub user_epoch: Epoch,
    /// The session.
    pub session: SessionId,
    /// The organization it is for, and the membership's epoch there.
    pub member: Option<(OrgId, Epoch)>,
}

/// Whether what a token says still stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// All of it.
    Stands,
    /// The session or its grant has ended, or an epoch is past.
    Fell,
}

/// Sessions of people and their grants for organizations.
#[async_trait]
pub trait SessionStore: Debug + Send + Sync + 'static {
    /// Stores a new session, and its first grant if there is one.
    ///
    /// Returns `false`, and stores nothing, if the owner's epoch is not the
    /// session's any more or the account is switched off: the credential
    /// was changed between its check and now. Likewise if the grant's organization
    /// requires a second factor that the session has not shown.
    async fn open_session(
        &self,
        session: &Session,
        grant: Option<&Grant>,
        events: &[AuditEvent],
    ) -> Result<bool, StoreError>;

    /// Whether the session, its person's epoch, its grant and its membership's epoch still stand.
    ///
    /// One round trip: it is asked at every request of those who want no revoked
    /// token to work on any node. A token's own times are not asked for here.
    async fn standing(&self, claimed: &Claimed) -> Result<Standing, StoreError>;

    /// One session, live or not.
    async fn session(&self, id: SessionId) -> Result<Option<StoredSession>, StoreError>;

    /// One session, live or not, with all that its next tokens are made from: one round trip.
    async fn renewal(&self, id: SessionId) -> Result<Option<Renewal>, StoreError>;

    /// The person's memberships, by slug, each with what a session has there, be it stored or not: one round trip.
    async fn accesses(&self, user: UserId, session: SessionId) -> Result<Vec<Access>, StoreError>;

    /// Moves a live session one generation on, by compare-and-swap; one round trip where the database can.
    ///
    /// Returns `false`, and changes nothing, if the generation or the
    /// credential epoch is another one by now, the session has ended or
    /// expired, or its owner's state ends it.
    async fn advance(&self, step: &Advance, event: &AuditEvent) -> Result<bool, StoreError>;

    /// Ends a session and stores its revocation; `None` if the person has no such session that is live.
    async fn end_session(
        &self,
        end: &SessionEnd,
        events: &[AuditEvent],
    ) -> Result<Option<RevocationEntry>, StoreError>;

    /// Ends all live sessions of the person but the one named in `end.session`; the events are
    /// recorded even if there are none.
    async fn end_other_sessions(
        &self,
        end: &SessionEnd,
        events: &[AuditEvent],
    ) -> Result<Vec<RevocationEntry>, StoreError>;

    /// The person's live sessions, oldest first (cursor: the id's bytes).
    async fn sessions_of_user(
        &self,
        user: UserId,
        at: Timestamp,
        page: &PageRequest,
    ) -> Result<Page<SessionView>, StoreError>;

    /// The live grants of the caller's organization whose session is live, oldest session first (cursor: the session id's bytes).
    async fn grants_of_org(
        &self,
        org: &OrgCtx,
        at: Timestamp,
        page: &PageRequest,
    ) -> Result<Page<SessionView>, StoreError>;

    /// Makes sure that a session has a grant.
    async fn open_grant(
        &self,
        grant: &Grant,
        events: &[AuditEvent],
    ) -> Result<GrantOutcome, StoreError>;

    /// Ends a grant of the caller's organization and stores its revocation; `None` if there is no live one.
    async fn end_grant(
        &self,
        org: &OrgCtx,
        session: SessionId,
        at: Timestamp,
        tokens_expire_at: Timestamp,
        events: &[AuditEvent],
    ) -> Result<Option<RevocationEntry>, StoreError>;
}
