//! Setting up, replacing and removing second factors.

use secrecy::{ExposeSecret, SecretString};

use super::factor_codes::Proof;
use super::throttle::AttemptError;
use super::{Identity, SignedIn, SlowDown};
use crate::domain::audit::{Action, AuditEvent, MetaValue, Outcome, Resource};
use crate::domain::{
    Email, FactorEnrolment, FailureKind, PasswordRole, RecoveryCode, SecondFactor, Timestamp,
    TotpCode, TotpSecret, TotpStep, User, UserCtx, WeakPassword,
};
use crate::ports::store::{FactorActivation, FactorOutcome, FactorUseOutcome, StoreError};
use crate::ports::{BreachListError, EntropyExt, HashError};

/// Why a second factor was not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FactorError {
    /// The account or its session is gone.
    #[error("the session is over")]
    InvalidGrant,
    /// There is a factor, and no code came that is right and unused.
    #[error("a second factor is required")]
    MfaRequired,
    /// The password is wrong.
    #[error("the password is wrong")]
    InvalidCredentials,
    /// The code is not that of the application that is being set up.
    #[error("the code is not right")]
    WrongCode,
    /// This session has begun no enrolment, or its time has passed.
    #[error("no enrolment is under way")]
    NoEnrolment,
    /// The person has no factor.
    #[error("there is no second factor")]
    NoFactor,
    /// An organization of the person's requires a factor.
    #[error("an organization requires a second factor")]
    Required,
    /// The password is too weak to be the only factor.
    #[error("the password is too weak to stand alone")]
    Weak(#[source] WeakPassword),
    /// Nobody can say whether the password was disclosed, so it may not stand alone.
    #[error("the password could not be checked")]
    Unchecked(#[source] BreachListError),
    /// The account changed meanwhile; nothing of this took effect.
    #[error("the account changed meanwhile")]
    Raced,
    /// Too many attempts: nothing was checked.
    #[error(transparent)]
    SlowDown(#[from] SlowDown),
    /// No password was hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store failed.
    #[error("the second factor could not be stored")]
    Store(#[from] StoreError),
}

impl From<AttemptError> for FactorError {
    fn from(error: AttemptError) -> Self {
        match error {
            AttemptError::SlowDown(error) => Self::SlowDown(error),
            AttemptError::Store(error) => Self::Store(error),
        }
    }
}

/// A factor that is being set up; its secret is shown once.
#[derive(Debug)]
pub struct NewFactor {
    /// What the application and the server share.
    pub secret: TotpSecret,
    /// Whose it is, as the application shows it.
    pub account: Email,
    /// Until when it can be confirmed.
    pub expires_at: Timestamp,
}

/// A factor that has come into force.
#[derive(Debug)]
pub struct ActivatedFactor {
    /// The recovery codes; shown once.
    pub recovery_codes: Vec<RecoveryCode>,
    /// The session that goes on, if one was to.
    pub signed_in: Option<SignedIn>,
}

impl Identity {
    /// The caller's second factor.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn second_factor(&self, by: &UserCtx) -> Result<Option<SecondFactor>, StoreError> {
        self.store().second_factor(by.user()).await
    }

    /// Begins to set up a second factor, for the session that acts and for the policy's time.
    ///
    /// Nothing changes before it is confirmed. Who has a factor shows it. A
    /// second call replaces what this session has begun.
    ///
    /// # Errors
    ///
    /// [`FactorError`]; nothing was begun.
    #[tracing::instrument(name = "core.factor.begin", skip_all, fields(user.id = %by.user()))]
    pub async fn begin_factor(
        &self,
        by: &UserCtx,
        code: Option<&SecretString>,
    ) -> Result<NewFactor, FactorError> {
        let at = self.now();
        let user = self.store().user(by.user()).await?;
        let user = user.ok_or(FactorError::InvalidGrant)?;
        let proof = match self.store().second_factor(user.id).await? {
            Some(factor) => Some(self.shown_factor(by, &factor, code, at).await?),
            None => None,
        };
        let secret = TotpSecret::new(self.parts.entropy.bytes());
        let enrolment = FactorEnrolment {
            user: user.id,
            session: by.session(),
            secret: self.seal_secret(user.id, &secret)?,
            expires_at: at.after(self.parts.policy.second_factor.enrolment_ttl()),
        };
        let mut events = vec![self.on_user(by, Action::FactorEnrolmentBegun, at)];
        let uses = proof.as_ref().map(|proof| &proof.uses);
        events.extend(self.recovery_used(by.caller(), user.id, uses, at));
        let begun = self.store().begin_factor(&enrolment, uses, at, &events);
        let outcome = begun.await?;
        self.end_attempt(by, proof, outcome == FactorUseOutcome::Used, at)
            .await?;
        match outcome {
            FactorUseOutcome::Done => Ok(NewFactor {
                secret,
                account: user.email,
                expires_at: enrolment.expires_at,
            }),
            FactorUseOutcome::Used => Err(FactorError::MfaRequired),
            FactorUseOutcome::Raced => Err(FactorError::Raced),
        }
    }

    /// Puts what this session has begun in force, by a code of the new application.
    ///
    /// All of the person's sessions end, as by every changed credential; with
    /// `keep` the one that acts goes on under new keys, with two factors shown.
    ///
    /// # Errors
    ///
    /// [`FactorError`]; nothing was changed.
    #[tracing::instrument(name = "core.factor.confirm", skip_all, fields(user.id = %by.user()))]
    pub async fn confirm_factor(
        &self,
        by: &UserCtx,
        code: &SecretString,
        keep: bool,
    ) -> Result<ActivatedFactor, FactorError> {
        let at = self.now();
        let user = self.store().user(by.user()).await?;
        let user = user.ok_or(FactorError::InvalidGrant)?;
        let enrolment = self
            .store()
            .factor_enrolment(user.id, by.session())
            .await?
            .filter(|enrolment| at < enrolment.expires_at)
            .ok_or(FactorError::NoEnrolment)?;
        let step = self.new_code(by, &enrolment, code, at).await?;
        let (recovery_codes, recovery) = self.draw_recovery_codes(user.id);
        let activation = FactorActivation {
            rekeying: self.rekeying(&user, keep.then(|| by.session()), at),
            session: by.session(),
            secret: enrolment.secret,
            step,
            recovery,
        };
        let replaced = self.store().second_factor(user.id).await?.is_some();
        let event = self
            .on_user(by, Action::FactorActivated, at)
            .with("replaced", MetaValue::public(replaced));
        let outcome = self.store().activate_factor(&activation, &[event]).await?;
        let session = self.changed(outcome)?;
        let signed_in = self.goes_on(by, user, session, at).await?;
        Ok(ActivatedFactor {
            recovery_codes,
            signed_in,
        })
    }

    /// The step of a code of the new application; a wrong one is counted and recorded.
    ///
    /// Who sees no more than the session's token must not guess the code that its owner is about to type.
    async fn new_code(
        &self,
        by: &UserCtx,
        enrolment: &FactorEnrolment,
        code: &SecretString,
        at: Timestamp,
    ) -> Result<TotpStep, FactorError> {
        let kind = FailureKind::SecondFactor;
        let attempt = self.attempt_in(by.session(), kind, by.caller(), at).await?;
        let secret = self.open_secret(enrolment.user, &enrolment.secret)?;
        let drift = self.parts.policy.second_factor.drift_steps();
        let step = TotpCode::parse(code.expose_secret().trim())
            .and_then(|code| secret.step_of(code, at, drift, None));
        let Some(step) = step else {
            self.refuse_proof(by, attempt, at).await?;
            return Err(FactorError::WrongCode);
        };
        self.passed(attempt, at).await?;
        Ok(step)
    }

    /// Gives the caller new recovery codes; the old ones are void.
    ///
    /// # Errors
    ///
    /// [`FactorError`]; the old codes are still good.
    #[tracing::instrument(name = "core.factor.replace_recovery_codes", skip_all, fields(user.id = %by.user()))]
    pub async fn replace_recovery_codes(
        &self,
        by: &UserCtx,
    ) -> Result<Vec<RecoveryCode>, FactorError> {
        let at = self.now();
        let user = self.store().user(by.user()).await?;
        let user = user.ok_or(FactorError::InvalidGrant)?;
        if self.store().second_factor(user.id).await?.is_none() {
            return Err(FactorError::NoFactor);
        }
        let (codes, digests) = self.draw_recovery_codes(user.id);
        let event = self.on_user(by, Action::RecoveryCodesReplaced, at);
        let replaced = self
            .store()
            .replace_recovery_codes(user.id, user.epoch, &digests, at, &[event])
            .await?;
        if replaced {
            Ok(codes)
        } else {
            Err(FactorError::Raced)
        }
    }

    /// Removes the caller's second factor, by showing it and the password once more.
    ///
    /// The password stands alone from then on, so it must be one that may. The
    /// sessions end as by [`confirm_factor`](Self::confirm_factor).
    ///
    /// # Errors
    ///
    /// [`FactorError`]; nothing was changed, but a wrong code or password is recorded.
    #[tracing::instrument(name = "core.factor.remove", skip_all, fields(user.id = %by.user()))]
    pub async fn remove_factor(
        &self,
        by: &UserCtx,
        password: SecretString,
        code: &SecretString,
        keep: bool,
    ) -> Result<Option<SignedIn>, FactorError> {
        let at = self.now();
        let user = self.store().user(by.user()).await?;
        let user = user.ok_or(FactorError::InvalidGrant)?;
        let factor = self.store().second_factor(user.id).await?;
        let factor = factor.ok_or(FactorError::NoFactor)?;
        let proof = self.shown_factor(by, &factor, Some(code), at).await?;
        let words = self.words_about(&user).await?;
        self.accept_password(&password, &words, PasswordRole::Alone)
            .await?;
        self.shown_password(by, &user, password, at).await?;
        let rekeying = self.rekeying(&user, keep.then(|| by.session()), at);
        let mut events = vec![self.on_user(by, Action::FactorRemoved, at)];
        events.extend(self.recovery_used(by.caller(), user.id, Some(&proof.uses), at));
        let outcome = self
            .store()
            .remove_factor(&rekeying, &proof.uses, &events)
            .await?;
        let used = matches!(outcome, FactorOutcome::Used);
        self.end_attempt(by, Some(proof), used, at).await?;
        let session = self.changed(outcome)?;
        self.goes_on(by, user, session, at).await
    }

    pub(super) fn on_user(&self, by: &UserCtx, action: Action, at: Timestamp) -> AuditEvent {
        let on = Resource::new("user", by.user());
        self.event(at, by.caller(), action, on)
    }

    /// The caller's code, to be used up; a wrong one is counted and recorded.
    async fn shown_factor(
        &self,
        by: &UserCtx,
        factor: &SecondFactor,
        code: Option<&SecretString>,
        at: Timestamp,
    ) -> Result<Proof<'_>, FactorError> {
        let Some(code) = code else {
            return Err(FactorError::MfaRequired);
        };
        let proof = self.prove(by, factor, code, at).await?;
        proof.ok_or(FactorError::MfaRequired)
    }

    /// Ends the attempt of a code that the store was given: it was used before, or else it was right.
    async fn end_attempt(
        &self,
        by: &UserCtx,
        proof: Option<Proof<'_>>,
        used: bool,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        match proof {
            Some(proof) if used => self.refuse_proof(by, proof.attempt, at).await,
            Some(proof) => self.passed(proof.attempt, at).await,
            None => Ok(()),
        }
    }

    async fn shown_password(
        &self,
        by: &UserCtx,
        user: &User,
        password: SecretString,
        at: Timestamp,
    ) -> Result<(), FactorError> {
        if self.is_password_of(by, user, password, at).await?? {
            return Ok(());
        }
        let event = self
            .on_user(by, Action::FactorRefused, at)
            .with_outcome(Outcome::Denied, "invalid_credentials");
        self.store().record(&[event]).await?;
        Err(FactorError::InvalidCredentials)
    }
}
