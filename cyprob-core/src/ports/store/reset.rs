//! Passwords that are set anew by a token from a mail.

use std::fmt::Debug;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::audit::AuditEvent;
use crate::domain::{Epoch, PasswordHash, RevocationEntry, Timestamp, TokenDigest, User, UserId};

/// A token that will reset a password.
#[derive(Clone, Copy, Debug)]
pub struct NewReset {
    /// Whose password.
    pub user: UserId,
    /// The person's epoch; the token is dead at any other.
    pub epoch: Epoch,
    /// The token's digest.
    pub token: TokenDigest,
    /// Now.
    pub at: Timestamp,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// A token made after this stands, and this one is not taken.
    pub quiet_since: Timestamp,
}

/// The use of a token.
#[derive(Clone, Debug)]
pub struct Reset {
    /// The digest of the token that was shown.
    pub token: TokenDigest,
    /// Whose password it resets, as it was read.
    pub user: UserId,
    /// The new stored password.
    pub password: PasswordHash,
    /// Now.
    pub at: Timestamp,
    /// When the last access token given so far expires.
    pub tokens_expire_at: Timestamp,
}

/// Tokens that reset passwords; a person has as many as were asked for within their time.
#[async_trait]
pub trait ResetStore: Debug + Send + Sync + 'static {
    /// Gives the person a token; those before it stay good for their time.
    ///
    /// Returns `false`, and changes nothing, if the account is switched off,
    /// its address was never verified, its epoch is another one, or its last
    /// token was made after `quiet_since`.
    async fn arm_reset(&self, reset: &NewReset, events: &[AuditEvent]) -> Result<bool, StoreError>;

    /// The account whose password a token resets, while it does: `at < expires_at`, the
    /// account is not switched off, and its epoch is still the token's.
    async fn user_by_reset(
        &self,
        token: &TokenDigest,
        at: Timestamp,
    ) -> Result<Option<User>, StoreError>;

    /// Uses a token up, and the person's others with it: stores the password, grows the person's epoch, ends all sessions and
    /// stores the revocation of the old epoch, in one step. `None`, and nothing changes, if the
    /// token is not good any more.
    async fn reset_password(
        &self,
        reset: &Reset,
        events: &[AuditEvent],
    ) -> Result<Option<RevocationEntry>, StoreError>;
}
