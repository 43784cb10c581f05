//! Codes of second factors: what is shown, and what it uses up.

use secrecy::SecretString;

use super::Identity;
use super::throttle::{Attempt, AttemptError};
use crate::domain::audit::{Action, AuditEvent, Outcome, Resource};
use crate::domain::{
    Caller, FactorCode, FactorUse, FailureKind, RecoveryCode, SealedSecret, SecondFactor,
    Timestamp, TokenDigest, TotpSecret, User, UserCtx, UserId,
};
use crate::ports::store::StoreError;
use crate::ports::{EntropyExt, HashError, PasswordCheck};

/// A right code with the attempt that it was; the store has yet to use it up.
#[must_use]
#[derive(Debug)]
pub(super) struct Proof<'a> {
    /// What it uses up.
    pub(super) uses: FactorUse,
    /// To be ended by what comes of it.
    pub(super) attempt: Attempt<'a>,
}

impl Identity {
    /// Judges the code of a signed-in person; a wrong one is counted and recorded.
    pub(super) async fn prove(
        &self,
        by: &UserCtx,
        factor: &SecondFactor,
        shown: &SecretString,
        at: Timestamp,
    ) -> Result<Option<Proof<'_>>, AttemptError> {
        let kind = FailureKind::SecondFactor;
        let attempt = self.attempt_in(by.session(), kind, by.caller(), at).await?;
        match self.judge_code(factor, shown, at)? {
            Some(uses) => Ok(Some(Proof { uses, attempt })),
            None => {
                self.refuse_proof(by, attempt, at).await?;
                Ok(None)
            }
        }
    }

    /// Counts and records that a signed-in person showed a code that was not taken.
    pub(super) async fn refuse_proof(
        &self,
        by: &UserCtx,
        attempt: Attempt<'_>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        attempt.failed(None, at);
        let on = Resource::new("user", by.user());
        let event = self
            .event(at, by.caller(), Action::FactorRefused, on)
            .with_outcome(Outcome::Denied, "invalid_second_factor");
        self.store().record(&[event]).await
    }

    /// Whether it is the password of a signed-in person; a wrong one is counted.
    pub(super) async fn is_password_of(
        &self,
        by: &UserCtx,
        user: &User,
        password: SecretString,
        at: Timestamp,
    ) -> Result<Result<bool, HashError>, AttemptError> {
        let kind = FailureKind::Password;
        let attempt = self.attempt_in(by.session(), kind, by.caller(), at).await?;
        let check = self
            .parts
            .hasher
            .check_known(password, user.password.clone(), user.id);
        match check.await {
            Ok(PasswordCheck::Right | PasswordCheck::RightRehash(_)) => {
                self.passed(attempt, at).await?;
                Ok(Ok(true))
            }
            Ok(PasswordCheck::Wrong) => {
                attempt.failed(None, at);
                Ok(Ok(false))
            }
            Err(error) => Ok(Err(error)),
        }
    }

    /// What a code that was shown would use up; `None` if it is wrong or used.
    ///
    /// Whether it is unused at that moment, the store decides in the step that it permits.
    pub(super) fn judge_code(
        &self,
        factor: &SecondFactor,
        shown: &SecretString,
        at: Timestamp,
    ) -> Result<Option<FactorUse>, StoreError> {
        let secret = self.open_secret(factor.user, &factor.secret)?;
        let drift = self.parts.policy.second_factor.drift_steps();
        let code = FactorCode::parse(shown).ok();
        Ok(code.and_then(|code| code.uses(factor, &secret, at, drift)))
    }

    pub(super) fn seal_secret(
        &self,
        owner: UserId,
        secret: &TotpSecret,
    ) -> Result<SealedSecret, StoreError> {
        self.parts
            .factor_keys
            .seal(owner, secret, self.parts.entropy.bytes())
            .ok_or_else(|| StoreError::unavailable("a second factor cannot be sealed"))
    }

    pub(super) fn open_secret(
        &self,
        owner: UserId,
        sealed: &SealedSecret,
    ) -> Result<TotpSecret, StoreError> {
        self.parts
            .factor_keys
            .open(owner, sealed)
            .ok_or_else(|| StoreError::unavailable("a second factor does not open with any key"))
    }

    /// New recovery codes, and what is stored of them.
    pub(super) fn draw_recovery_codes(
        &self,
        owner: UserId,
    ) -> (Vec<RecoveryCode>, Vec<TokenDigest>) {
        let draw = |_| RecoveryCode::new(self.parts.entropy.bytes());
        let codes: Vec<RecoveryCode> = (0..self.parts.policy.second_factor.recovery_codes())
            .map(draw)
            .collect();
        let digests = codes.iter().map(|code| code.digest(owner)).collect();
        (codes, digests)
    }

    /// The event of a recovery code that is used up, if it is one.
    pub(super) fn recovery_used(
        &self,
        caller: &Caller,
        user: UserId,
        proof: Option<&FactorUse>,
        at: Timestamp,
    ) -> Option<AuditEvent> {
        matches!(proof, Some(FactorUse::Recovery(_))).then(|| {
            let on = Resource::new("user", user);
            self.event(at, caller, Action::RecoveryCodeUsed, on)
        })
    }
}
