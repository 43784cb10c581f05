//! Changes of addresses.

use std::fmt::Debug;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::audit::AuditEvent;
use crate::domain::{EmailChange, EmailChangeId, RevocationEntry, Timestamp, TokenDigest};

/// A change that is asked for.
#[derive(Clone, Debug)]
pub struct NewEmailChange {
    /// The change.
    pub change: EmailChange,
    /// The digest of its token.
    pub token: TokenDigest,
    /// Now.
    pub at: Timestamp,
    /// An open change made after this stands, and this one is not taken.
    pub quiet_since: Timestamp,
}

/// What became of a change that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AskOutcome {
    /// It is the person's only open one.
    Asked,
    /// The last one is too young. Nothing changed.
    TooSoon,
    /// The account is switched off, or moved on meanwhile. Nothing changed.
    Raced,
}

/// The use of a change's token, or an objection to it.
#[derive(Clone, Copy, Debug)]
pub struct EmailStep {
    /// The change, as it was read.
    pub change: EmailChangeId,
    /// The digest of the token that was shown.
    pub token: TokenDigest,
    /// Now.
    pub at: Timestamp,
    /// When the last access token given so far expires.
    pub tokens_expire_at: Timestamp,
}

/// What became of a confirmation or an objection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailOutcome {
    /// The address is verified, and was the person's already: sessions go on.
    Verified,
    /// The account has the other address; the revocation is stored, to be published.
    Changed(RevocationEntry),
    /// Another account has the address. Nothing changed.
    Taken,
    /// The token is not good any more. Nothing changed.
    Gone,
}

/// Changes of addresses: at most one open one for a person.
#[async_trait]
pub trait EmailStore: Debug + Send + Sync + 'static {
    /// Makes this the person's only open change.
    ///
    /// Whether another account has the address is not asked: nobody learns it from this.
    async fn ask_email(
        &self,
        ask: &NewEmailChange,
        events: &[AuditEvent],
    ) -> Result<AskOutcome, StoreError>;

    /// The open change that a token confirms, while it does: `at < expires_at`, the account is
    /// not switched off, and its epoch is still the change's.
    async fn email_change(
        &self,
        token: &TokenDigest,
        at: Timestamp,
    ) -> Result<Option<EmailChange>, StoreError>;

    /// Uses a change's token up: the account has the address, and it is verified.
    ///
    /// Unless the address stays, this grows the person's epoch, ends all
    /// sessions, stores the revocation of the old epoch, and opens the
    /// change to objection until `object_until`, all in one step.
    async fn confirm_email(
        &self,
        step: &EmailStep,
        object_until: Timestamp,
        events: &[AuditEvent],
    ) -> Result<EmailOutcome, StoreError>;

    /// Gives a confirmed change a token to object with, which replaces the last one; the
    /// change and until when it is open to objection, or `None` if it is not.
    async fn arm_objection(
        &self,
        change: EmailChangeId,
        token: TokenDigest,
        at: Timestamp,
    ) -> Result<Option<(EmailChange, Timestamp)>, StoreError>;

    /// The change that a token objects to, while it does and the account is not switched off.
    async fn email_objection(
        &self,
        token: &TokenDigest,
        at: Timestamp,
    ) -> Result<Option<EmailChange>, StoreError>;

    /// Takes a change back: the account has the address of before, verified, and no password;
    /// its epoch grows, all sessions end, and this change and all later ones of the person are
    /// gone, in one step.
    async fn object_to_email(
        &self,
        step: &EmailStep,
        events: &[AuditEvent],
    ) -> Result<EmailOutcome, StoreError>;

    /// Drops changes that can neither be confirmed nor objected to any more; returns how many.
    async fn sweep_email_changes(&self, at: Timestamp) -> Result<u64, StoreError>;
}
