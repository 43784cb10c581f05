//! Accounts under the deployment's administration.

use std::fmt::Debug;
use std::net::IpAddr;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::audit::AuditEvent;
use crate::domain::{
    Page, PageRequest, RevocationEntry, SessionId, Timestamp, User, UserId, Whose,
};

/// What became of the switching off of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisableOutcome {
    /// It is off; the revocation is stored, to be published.
    Disabled(RevocationEntry),
    /// It was off already. Nothing changed.
    Unchanged,
    /// There is no such account.
    NotFound,
    /// The deployment would be left without an administrator. Nothing changed.
    LastAdministrator,
}

/// What became of the switching on of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EnableOutcome {
    /// It is on; the person signs in anew.
    Enabled,
    /// It was on already. Nothing changed.
    Unchanged,
    /// There is no such account.
    NotFound,
}

/// The end of many sessions at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MassEnd {
    /// Of whom.
    pub whose: Whose,
    /// The session that goes on.
    pub keep: Option<SessionId>,
    /// Now.
    pub at: Timestamp,
    /// When the last access token given so far expires.
    pub tokens_expire_at: Timestamp,
}

/// What became of the end of many sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MassEnded {
    /// How many sessions, or grants of an organization, ended with it.
    pub ended: u64,
    /// Already stored, to be published.
    pub entry: RevocationEntry,
}

/// From where a session was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSeen {
    /// What the client called itself.
    pub client: Option<String>,
    /// The peer's address.
    pub ip_address: Option<IpAddr>,
}

/// Accounts under the deployment's administration.
#[async_trait]
pub trait AccountStore: Debug + Send + Sync + 'static {
    /// All accounts, oldest first (cursor: the id's bytes).
    async fn users(&self, page: &PageRequest) -> Result<Page<User>, StoreError>;

    /// Switches an account off, grows its epoch, ends all sessions and stores the revocation of
    /// the old epoch, in one step. Of administrators who switch each other off one stays.
    async fn disable_user(
        &self,
        user: UserId,
        at: Timestamp,
        tokens_expire_at: Timestamp,
        events: &[AuditEvent],
    ) -> Result<DisableOutcome, StoreError>;

    /// Switches an account on again.
    async fn enable_user(
        &self,
        user: UserId,
        events: &[AuditEvent],
    ) -> Result<EnableOutcome, StoreError>;

    /// Ends the live sessions of a person or of everyone, or an organization's grants, and
    /// stores one revocation whose time is now or that of the youngest session that ended,
    /// whichever is later; `None` if there is no such person or organization.
    ///
    /// An organization remembers that time: older sessions get no further grant.
    async fn end_many(
        &self,
        end: &MassEnd,
        events: &[AuditEvent],
    ) -> Result<Option<MassEnded>, StoreError>;

    /// From where the person's last sessions were opened, live or not, the newest first.
    async fn clients_of_user(&self, user: UserId, limit: u8)
    -> Result<Vec<ClientSeen>, StoreError>;
}
