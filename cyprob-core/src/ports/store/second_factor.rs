//! Second factors.

use std::fmt::Debug;

use async_trait::async_trait;

use super::{Advance, StoreError};
use crate::domain::audit::AuditEvent;
use crate::domain::{
    DeploymentCtx, Epoch, FactorEnrolment, FactorUse, Grant, RefreshKeyId, RevocationEntry,
    SealedSecret, SecondFactor, Session, SessionId, SessionSeed, Timestamp, TokenDigest, TotpStep,
    UserId,
};

/// What a changed factor does to the person's sessions: the epoch grows, all end but the one kept.
#[derive(Clone, Debug)]
pub struct Rekeying {
    /// Whose.
    pub user: UserId,
    /// The epoch at which the factor was looked at; another one loses the race.
    pub expected_epoch: Epoch,
    /// The session that goes on, re-keyed with this seed and server key.
    pub keep: Option<(SessionId, SessionSeed, RefreshKeyId)>,
    /// Now.
    pub at: Timestamp,
    /// When the last access token given so far expires.
    pub tokens_expire_at: Timestamp,
}

/// An enrolment that its owner has confirmed.
#[derive(Clone, Debug)]
pub struct FactorActivation {
    /// What it does to the sessions.
    pub rekeying: Rekeying,
    /// The session that began the enrolment and confirms it.
    pub session: SessionId,
    /// The sealed secret that the code was checked against.
    pub secret: SealedSecret,
    /// The step of that code.
    pub step: TotpStep,
    /// The new recovery codes.
    pub recovery: Vec<TokenDigest>,
}

/// What became of a step that shows a factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FactorUseOutcome {
    /// It is done, and the code is used up.
    Done,
    /// The code was used before, or is none of the person's. Nothing changed.
    Used,
    /// The session or its owner's state is another one by now. Nothing changed.
    Raced,
}

/// What became of a changed factor.
#[derive(Clone, Debug)]
pub enum FactorOutcome {
    /// It is in force.
    Changed {
        /// The session that goes on, if one was to and was live.
        session: Option<Box<Session>>,
        /// What ended with it; already stored, to be published.
        revoked: Vec<RevocationEntry>,
    },
    /// The code was used before, or is none of the person's. Nothing changed.
    Used,
    /// An organization of the person's requires a factor. Nothing changed.
    Required,
    /// The account, the factor or the enrolment is another one by now. Nothing changed.
    Raced,
}

/// Second factors of people, and what they use up.
///
/// A [`FactorUse`] is taken at most once: a step only if it comes after the last
/// accepted one, a recovery code only while it is unused, in the same step as
/// the change that it permits.
#[async_trait]
pub trait SecondFactorStore: Debug + Send + Sync + 'static {
    /// The person's factor in force.
    async fn second_factor(&self, user: UserId) -> Result<Option<SecondFactor>, StoreError>;

    /// The enrolment that this session of the person has begun, expired or not.
    async fn factor_enrolment(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Option<FactorEnrolment>, StoreError>;

    /// Stores an enrolment in place of the session's earlier one.
    ///
    /// The session is to be live and the person's. A person with a factor uses
    /// some of it up for that; one without has none to use.
    async fn begin_factor(
        &self,
        enrolment: &FactorEnrolment,
        proof: Option<&FactorUse>,
        at: Timestamp,
        events: &[AuditEvent],
    ) -> Result<FactorUseOutcome, StoreError>;

    /// Puts an enrolment in force, in place of the factor before it and its recovery codes.
    ///
    /// The enrolment is to be this session's, with this secret, and not expired,
    /// and the session live. All enrolments of the person are gone then. The kept
    /// session has shown two factors.
    async fn activate_factor(
        &self,
        activation: &FactorActivation,
        events: &[AuditEvent],
    ) -> Result<FactorOutcome, StoreError>;

    /// Stores new recovery codes in place of all earlier ones; `false`, and nothing changes, if
    /// the epoch is another one or there is no factor.
    async fn replace_recovery_codes(
        &self,
        user: UserId,
        expected_epoch: Epoch,
        codes: &[TokenDigest],
        at: Timestamp,
        events: &[AuditEvent],
    ) -> Result<bool, StoreError>;

    /// Removes the person's factor with its recovery codes and enrolments, by showing it once more.
    ///
    /// The kept session has shown one factor then.
    async fn remove_factor(
        &self,
        rekeying: &Rekeying,
        proof: &FactorUse,
        events: &[AuditEvent],
    ) -> Result<FactorOutcome, StoreError>;

    /// Removes a person's factor without its being shown, even if an organization requires one;
    /// all of the person's sessions end.
    async fn reset_factor(
        &self,
        by: &DeploymentCtx,
        rekeying: &Rekeying,
        events: &[AuditEvent],
    ) -> Result<FactorOutcome, StoreError>;

    /// Opens a session as [`open_session`](super::SessionStore::open_session) does, and uses a code up.
    async fn open_session_with_factor(
        &self,
        session: &Session,
        grant: Option<&Grant>,
        proof: &FactorUse,
        events: &[AuditEvent],
    ) -> Result<FactorUseOutcome, StoreError>;

    /// Moves a live session one generation on as [`advance`](super::SessionStore::advance) does,
    /// with the authentication time of now; with a proof it has shown two factors.
    async fn step_up(
        &self,
        step: &Advance,
        proof: Option<&FactorUse>,
        events: &[AuditEvent],
    ) -> Result<FactorUseOutcome, StoreError>;
}
