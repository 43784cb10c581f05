//! Showing a credential again.

use secrecy::SecretString;

use super::factor_codes::Proof;
use super::refresh::move_on;
use super::throttle::AttemptError;
use super::{Identity, ScopeError, SignedIn, SlowDown};
use crate::domain::audit::{Action, MetaValue, Outcome, Resource};
use crate::domain::{Aal, Access, OrgId, OrgRef, Session, Timestamp, User, UserCtx};
use crate::ports::HashError;
use crate::ports::store::{FactorUseOutcome, StoreError};

/// Why the sign-in was not renewed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StepUpError {
    /// The session is over.
    #[error("the session is over")]
    InvalidGrant,
    /// The password is wrong.
    #[error("the password is wrong")]
    InvalidCredentials,
    /// The account has a second factor, and no code came that is right and unused.
    #[error("a second factor is required")]
    MfaRequired,
    /// The account has no second factor, so the password is needed.
    #[error("the password is needed")]
    PasswordNeeded,
    /// The session was renewed meanwhile; nothing of this took effect.
    #[error("the session was renewed meanwhile")]
    Raced,
    /// Too many attempts: nothing was checked.
    #[error(transparent)]
    SlowDown(#[from] SlowDown),
    /// No password was hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store failed.
    #[error("the sign-in could not be renewed")]
    Store(#[from] StoreError),
}

impl From<AttemptError> for StepUpError {
    fn from(error: AttemptError) -> Self {
        match error {
            AttemptError::SlowDown(error) => Self::SlowDown(error),
            AttemptError::Store(error) => Self::Store(error),
        }
    }
}

impl Identity {
    /// Renews the time of the sign-in of the session that acts, and its tokens with it.
    ///
    /// A person with a second factor shows it, by a code or a recovery code; a
    /// person without shows the password. What is given beyond that must be
    /// right too. The session moves one generation on, as by a refresh, and the
    /// new access token is for `org`, if that still lets the session in.
    ///
    /// # Errors
    ///
    /// [`StepUpError`]; the session is as it was, and a wrong password or code is recorded.
    #[tracing::instrument(name = "core.session.step_up", skip_all, fields(session.id = %by.session()))]
    pub async fn step_up(
        &self,
        by: &UserCtx,
        org: Option<OrgId>,
        password: Option<SecretString>,
        code: Option<&SecretString>,
    ) -> Result<SignedIn, StepUpError> {
        let at = self.now();
        let stored = self.store().session(by.session()).await?;
        let stored = stored.filter(|it| it.session.user == by.user() && it.is_live(at));
        let user = self.store().user(by.user()).await?;
        let (Some(stored), Some(user)) = (stored, user) else {
            return Err(StepUpError::InvalidGrant);
        };
        let proof = self
            .proof_of_step_up(by, password.is_some(), code, at)
            .await?;
        if let Some(password) = password {
            self.check_password_again(by, &user, password, at).await?;
        }
        let session = self.renew_sign_in(by, stored.session, proof, at).await?;
        let accesses = self.store().accesses(user.id, session.id).await?;
        let scope = self.scope_after(by, &session, &accesses, org, at).await?;
        self.signed_in(user, session, scope, accesses, at)
            .map_err(|_| StepUpError::InvalidGrant)
    }

    async fn proof_of_step_up(
        &self,
        by: &UserCtx,
        has_password: bool,
        code: Option<&SecretString>,
        at: Timestamp,
    ) -> Result<Option<Proof<'_>>, StepUpError> {
        let Some(factor) = self.store().second_factor(by.user()).await? else {
            return if has_password {
                Ok(None)
            } else {
                Err(StepUpError::PasswordNeeded)
            };
        };
        let Some(code) = code else {
            return Err(StepUpError::MfaRequired);
        };
        match self.prove(by, &factor, code, at).await? {
            Some(proof) => Ok(Some(proof)),
            None => Err(StepUpError::MfaRequired),
        }
    }

    async fn check_password_again(
        &self,
        by: &UserCtx,
        user: &User,
        password: SecretString,
        at: Timestamp,
    ) -> Result<(), StepUpError> {
        if self.is_password_of(by, user, password, at).await?? {
            return Ok(());
        }
        let on = Resource::new("session", by.session());
        let event = self
            .event(at, by.caller(), Action::SessionStepUpRefused, on)
            .with_outcome(Outcome::Denied, "invalid_credentials");
        self.store().record(&[event]).await?;
        Err(StepUpError::InvalidCredentials)
    }

    async fn renew_sign_in(
        &self,
        by: &UserCtx,
        mut session: Session,
        proof: Option<Proof<'_>>,
        at: Timestamp,
    ) -> Result<Session, StepUpError> {
        let step = self.step_on(&session, at);
        move_on(&mut session, &step);
        session.auth_time = at;
        if proof.is_some() {
            session.aal = Aal::Two;
        }
        let on = Resource::new("session", session.id);
        let aal = MetaValue::count(session.aal.get().into());
        let stepped = self.event(at, by.caller(), Action::SessionSteppedUp, on);
        let mut events = vec![stepped.with("aal", aal)];
        let uses = proof.as_ref().map(|proof| &proof.uses);
        events.extend(self.recovery_used(by.caller(), by.user(), uses, at));
        let outcome = self.store().step_up(&step, uses, &events).await?;
        let attempt = proof.map(|proof| proof.attempt);
        match (outcome, attempt) {
            (FactorUseOutcome::Done, Some(attempt)) => {
                self.passed(attempt, at).await?;
                Ok(session)
            }
            (FactorUseOutcome::Done, None) => Ok(session),
            (FactorUseOutcome::Used, Some(attempt)) => {
                self.refuse_proof(by, attempt, at).await?;
                Err(StepUpError::MfaRequired)
            }
            (FactorUseOutcome::Used, None) | (FactorUseOutcome::Raced, _) => {
                Err(StepUpError::Raced)
            }
        }
    }

    /// The scope of the organization that the caller's token is for, else of none.
    async fn scope_after(
        &self,
        by: &UserCtx,
        session: &Session,
        accesses: &[Access],
        org: Option<OrgId>,
        at: Timestamp,
    ) -> Result<super::Scope, StepUpError> {
        if let Some(org) = org {
            let named = OrgRef::Id(org);
            let scope = self.scope_of_live(session, accesses, Some(&named), by.caller(), at);
            match scope.await {
                Ok(scope) => return Ok(scope),
                Err(ScopeError::Store(error)) => return Err(error.into()),
                Err(_) => {}
            }
        }
        match self.scope(session, None, at) {
            Ok(scope) => Ok(scope),
            Err(ScopeError::Store(error)) => Err(error.into()),
            Err(_) => Err(StepUpError::InvalidGrant),
        }
    }
}
