//! Accounts.

use std::fmt::Debug;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::audit::AuditEvent;
use crate::domain::{
    Email, Epoch, Membership, PasswordHash, RefreshKeyId, RevocationEntry, SecondFactor, Session,
    SessionId, SessionSeed, Timestamp, User, UserId,
};

/// What a person who signs in is checked against.
#[derive(Clone, Debug)]
pub struct Account {
    /// The person.
    pub user: User,
    /// Their second factor in force.
    pub factor: Option<SecondFactor>,
}

/// A new password and what it does to the sessions.
#[derive(Clone, Debug)]
pub struct PasswordChange {
    /// Whose.
    pub user: UserId,
    /// The epoch at which the old password was checked; another one loses the race.
    pub expected_epoch: Epoch,
    /// The new stored password.
    pub password: PasswordHash,
    /// The session that goes on, re-keyed with this seed and server key; all others end.
    pub keep: Option<(SessionId, SessionSeed, RefreshKeyId)>,
    /// Now.
    pub at: Timestamp,
    /// When the last access token given so far expires.
    pub tokens_expire_at: Timestamp,
}

/// What became of a password change.
#[derive(Clone, Debug)]
pub enum PasswordOutcome {
    /// It is in force.
    Changed {
        /// The session that goes on, if one was to and was live.
        session: Option<Box<Session>>,
        /// What ended with it; already stored, to be published.
        revoked: Vec<RevocationEntry>,
    },
    /// The account moved on meanwhile. Nothing changed.
    Raced,
}

/// Accounts of people.
#[async_trait]
pub trait UserStore: Debug + Send + Sync + 'static {
    /// The account with this address.
    async fn user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError>;

    /// The account with this address and its second factor, both as of one moment: one round trip.
    async fn account_by_email(&self, email: &Email) -> Result<Option<Account>, StoreError>;

    /// The account with this id.
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError>;

    /// The person's organizations, by slug.
    async fn memberships(&self, user: UserId) -> Result<Vec<Membership>, StoreError>;

    /// Stores the same password under new parameters, if the stored form is still `old`. No event: nothing changes for anyone.
    async fn rehash(
        &self,
        user: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), StoreError>;

    /// Stores a new password, grows the person's epoch, ends all sessions but the one kept
    /// (its generation grows by one, it has no previous key) and stores the revocation of the
    /// old epoch, in one step.
    async fn change_password(
        &self,
        change: &PasswordChange,
        events: &[AuditEvent],
    ) -> Result<PasswordOutcome, StoreError>;
}
