//! Second factors.
//!
//! Rows are locked in one order, so that no two steps wait for each other: the
//! person, the factor with its codes, the sessions.

use async_trait::async_trait;

use super::tx::Write;
use super::{Arg, Backend, Columns, Scope, SqlStore, opening, revocations, sessions, sql};
use crate::domain::audit::AuditEvent;
use crate::domain::{
    Aal, DeploymentCtx, Epoch, FactorEnrolment, FactorUse, Grant, Revocation, RevocationEntry,
    SealedSecret, SecondFactor, Session, SessionId, Timestamp, TokenDigest, TotpStep, UserId,
};
use crate::ports::store::{
    Advance, FactorActivation, FactorOutcome, FactorUseOutcome, Rekeying, SecondFactorStore,
    StoreError,
};

pub(super) fn factor<B: Backend>(row: &B::Row) -> Result<SecondFactor, StoreError> {
    let row = Columns::of(row, "second_factors");
    Ok(SecondFactor {
        user: row.id("user_id")?,
        secret: SealedSecret::from_bytes(row.get("secret")?),
        last_step: TotpStep::new(row.get("last_step")?),
        activated_at: row.time("activated_at")?,
        recovery_codes_left: row.u32("codes_left")?,
    })
}

fn enrolment<B: Backend>(row: &B::Row) -> Result<FactorEnrolment, StoreError> {
    let row = Columns::of(row, "factor_enrolments");
    Ok(FactorEnrolment {
        user: row.id("user_id")?,
        session: row.id("session_id")?,
        secret: SealedSecret::from_bytes(row.get("secret")?),
        expires_at: row.time("expires_at")?,
    })
}

/// Uses a code up; `false` if it was used before or is none of the person's.
async fn use_up<B: Backend>(
    write: &mut Write<B>,
    user: UserId,
    proof: &FactorUse,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let used = match proof {
        FactorUse::Step(step) => {
            let args = [user.into(), step.get().into()];
            write.execute(&sql::USE_STEP, &args).await?
        }
        FactorUse::Recovery(digest) => {
            let args = [user.into(), Arg::bytes(digest.as_bytes()), at.into()];
            write.execute(&sql::USE_RECOVERY_CODE, &args).await?
        }
    };
    Ok(used == 1)
}

async fn has_factor<B: Backend>(write: &mut Write<B>, user: UserId) -> Result<bool, StoreError> {
    let row = write
        .fetch_optional(&sql::HAS_FACTOR, &[user.into()])
        .await?;
    Ok(row.is_some())
}

async fn store_codes<B: Backend>(
    write: &mut Write<B>,
    user: UserId,
    codes: &[TokenDigest],
) -> Result<(), StoreError> {
    write.execute(&sql::DROP_CODES, &[user.into()]).await?;
    for code in codes {
        let args = [user.into(), Arg::bytes(code.as_bytes())];
        write.execute(&sql::INSERT_CODE, &args).await?;
    }
    Ok(())
}

/// Takes out the factor with all that belongs to it.
async fn drop_factor<B: Backend>(write: &mut Write<B>, user: UserId) -> Result<(), StoreError> {
    for statement in [&sql::DROP_CODES, &sql::DROP_ENROLMENTS, &sql::DROP_FACTOR] {
        write.execute(statement, &[user.into()]).await?;
    }
    Ok(())
}

/// Re-keys the session that goes on, ends the others and stores the revocation of the old epoch.
async fn rekey<B: Backend>(
    mut write: Write<B>,
    rekeying: &Rekeying,
    aal: Aal,
    events: &[AuditEvent],
) -> Result<FactorOutcome, StoreError> {
    let epoch = rekeying.expected_epoch.next();
    let (user, at) = (rekeying.user, rekeying.at);
    let keep = rekeying.keep.as_ref();
    let kept = sessions::rekey_and_end_others(&mut write, user, keep, at, epoch).await?;
    let session = match kept {
        Some(mut session) => {
            let args = [session.id.into(), aal.get().into()];
            write.execute(&sql::SET_AAL, &args).await?;
            session.aal = aal;
            Some(Box::new(session))
        }
        None => None,
    };
    let entry = RevocationEntry {
        what: Revocation::User(user, epoch),
        expires_at: rekeying.tokens_expire_at,
    };
    revocations::insert(&mut write, &entry).await?;
    write.record(events).await?;
    write.commit().await?;
    Ok(FactorOutcome::Changed {
        session,
        revoked: vec![entry],
    })
}

/// Grows the epoch of an account that is as it was looked at.
async fn grow_epoch<B: Backend>(
    write: &mut Write<B>,
    rekeying: &Rekeying,
) -> Result<bool, StoreError> {
    let args = [rekeying.user.into(), rekeying.expected_epoch.into()];
    Ok(write.execute(&sql::GROW_EPOCH, &args).await? == 1)
}

/// Whether the session that confirms an enrolment is the person's and live at the old epoch.
async fn confirms<B: Backend>(
    write: &mut Write<B>,
    activation: &FactorActivation,
) -> Result<bool, StoreError> {
    let row = write
        .fetch_optional(&sql::SESSION, &[activation.session.into()])
        .await?;
    let stored = row.as_ref().map(sessions::stored::<B>).transpose()?;
    let rekeying = &activation.rekeying;
    Ok(stored.is_some_and(|stored| {
        stored.session.user == rekeying.user
            && stored.session.is_live(rekeying.at)
            && stored.session.credential_epoch == rekeying.expected_epoch
    }))
}

#[async_trait]
impl<B: Backend> SecondFactorStore for SqlStore<B> {
    async fn second_factor(&self, user: UserId) -> Result<Option<SecondFactor>, StoreError> {
        let row = self
            .fetch_optional(&sql::SECOND_FACTOR, &[user.into()])
            .await?;
        row.as_ref().map(factor::<B>).transpose()
    }

    async fn factor_enrolment(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Option<FactorEnrolment>, StoreError> {
        let row = self
            .fetch_optional(&sql::ENROLMENT, &[session.into(), user.into()])
            .await?;
        row.as_ref().map(enrolment::<B>).transpose()
    }

    async fn begin_factor(
        &self,
        asked: &FactorEnrolment,
        proof: Option<&FactorUse>,
        at: Timestamp,
        events: &[AuditEvent],
    ) -> Result<FactorUseOutcome, StoreError> {
        let mut write = self.writing(Scope::none()).await?;
        write
            .lock(&sql::HOLD_OWNER, &[asked.session.into()])
            .await?;
        let row = write
            .fetch_optional(&sql::SESSION, &[asked.session.into()])
            .await?;
        let stored = row.as_ref().map(sessions::stored::<B>).transpose()?;
        let live = stored.is_some_and(|it| it.session.user == asked.user && it.is_live(at));
        if !live || has_factor(&mut write, asked.user).await? != proof.is_some() {
            return Ok(FactorUseOutcome::Raced);
        }
        if let Some(proof) = proof
            && !use_up(&mut write, asked.user, proof, at).await?
        {
            return Ok(FactorUseOutcome::Used);
        }
        let expired = [asked.user.into(), at.into()];
        write
            .execute(&sql::DROP_EXPIRED_ENROLMENTS, &expired)
            .await?;
        write
            .execute(
                &sql::STORE_ENROLMENT,
                &[
                    asked.session.into(),
                    asked.user.into(),
                    Arg::bytes(asked.secret.as_bytes()),
                    asked.expires_at.into(),
                ],
            )
            .await?;
        write.record(events).await?;
        write.commit().await?;
        Ok(FactorUseOutcome::Done)
    }

    async fn activate_factor(
        &self,
        activation: &FactorActivation,
        events: &[AuditEvent],
    ) -> Result<FactorOutcome, StoreError> {
        let rekeying = &activation.rekeying;
        let user = rekeying.user;
        let secret = || Arg::bytes(activation.secret.as_bytes());
        let mut write = self.writing(Scope::none()).await?;
        if !grow_epoch(&mut write, rekeying).await? || !confirms(&mut write, activation).await? {
            return Ok(FactorOutcome::Raced);
        }
        let enrolled = [
            activation.session.into(),
            user.into(),
            secret(),
            rekeying.at.into(),
        ];
        if write.execute(&sql::TAKE_ENROLMENT, &enrolled).await? == 0 {
            return Ok(FactorOutcome::Raced);
        }
        write.execute(&sql::DROP_ENROLMENTS, &[user.into()]).await?;
        write
            .execute(
                &sql::STORE_FACTOR,
                &[
                    user.into(),
                    secret(),
                    activation.step.get().into(),
                    rekeying.at.into(),
                ],
            )
            .await?;
        store_codes(&mut write, user, &activation.recovery).await?;
        rekey(write, rekeying, Aal::Two, events).await
    }

    async fn replace_recovery_codes(
        &self,
        user: UserId,
        expected_epoch: Epoch,
        codes: &[TokenDigest],
        at: Timestamp,
        events: &[AuditEvent],
    ) -> Result<bool, StoreError> {
        let mut write = self.writing(Scope::none()).await?;
        // The row is held from here, so that of two sets of codes the later one stays alone.
        let args = [user.into(), at.into(), expected_epoch.into()];
        if write.execute(&sql::RENEW_CODES, &args).await? == 0 {
            return Ok(false);
        }
        store_codes(&mut write, user, codes).await?;
        write.record(events).await?;
        write.commit().await?;
        Ok(true)
    }

    async fn remove_factor(
        &self,
        rekeying: &Rekeying,
        proof: &FactorUse,
        events: &[AuditEvent],
    ) -> Result<FactorOutcome, StoreError> {
        let user = rekeying.user;
        let mut write = self.writing(Scope::user(user)).await?;
        if !grow_epoch(&mut write, rekeying).await? || !has_factor(&mut write, user).await? {
            return Ok(FactorOutcome::Raced);
        }
        let required = write
            .fetch_optional(&sql::FACTOR_REQUIRED_OF_USER, &[user.into()])
            .await?;
        if required.is_some() {
            return Ok(FactorOutcome::Required);
        }
        if !use_up(&mut write, user, proof, rekeying.at).await? {
            return Ok(FactorOutcome::Used);
        }
        drop_factor(&mut write, user).await?;
        rekey(write, rekeying, Aal::One, events).await
    }

    async fn reset_factor(
        &self,
        _by: &DeploymentCtx,
        rekeying: &Rekeying,
        events: &[AuditEvent],
    ) -> Result<FactorOutcome, StoreError> {
        let user = rekeying.user;
        let mut write = self.writing(Scope::none()).await?;
        let args = [user.into(), rekeying.expected_epoch.into()];
        let grown = write.execute(&sql::GROW_EPOCH_OF_ANY, &args).await?;
        if grown == 0 || !has_factor(&mut write, user).await? {
            return Ok(FactorOutcome::Raced);
        }
        drop_factor(&mut write, user).await?;
        rekey(write, rekeying, Aal::One, events).await
    }

    async fn open_session_with_factor(
        &self,
        session: &Session,
        grant: Option<&Grant>,
        proof: &FactorUse,
        events: &[AuditEvent],
    ) -> Result<FactorUseOutcome, StoreError> {
        let scope = Scope::user_in(session.user, grant.map(|grant| grant.org));
        let mut write = self.writing(scope).await?;
        if !opening::open(&mut write, session, grant).await? {
            return Ok(FactorUseOutcome::Raced);
        }
        if !use_up(&mut write, session.user, proof, session.created_at).await? {
            return Ok(FactorUseOutcome::Used);
        }
        write.record(events).await?;
        write.commit().await?;
        Ok(FactorUseOutcome::Done)
    }

    async fn step_up(
        &self,
        step: &Advance,
        proof: Option<&FactorUse>,
        events: &[AuditEvent],
    ) -> Result<FactorUseOutcome, StoreError> {
        let mut write = self.writing(Scope::none()).await?;
        write.lock(&sql::HOLD_OWNER, &[step.session.into()]).await?;
        let row = write
            .fetch_optional(&sql::SESSION, &[step.session.into()])
            .await?;
        let stored = row.as_ref().map(sessions::stored::<B>).transpose()?;
        let Some(stored) = stored.filter(|stored| {
            stored.is_live(step.at)
                && stored.session.refresh.generation == step.from
                && stored.session.credential_epoch == step.credential_epoch
        }) else {
            return Ok(FactorUseOutcome::Raced);
        };
        if let Some(proof) = proof
            && !use_up(&mut write, stored.session.user, proof, step.at).await?
        {
            return Ok(FactorUseOutcome::Used);
        }
        if !sessions::advance(&mut write, step).await? {
            return Ok(FactorUseOutcome::Raced);
        }
        let aal = match proof {
            Some(_) => Aal::Two,
            None => stored.session.aal,
        };
        let args = [step.session.into(), step.at.into(), aal.get().into()];
        write.execute(&sql::RENEW_SIGN_IN, &args).await?;
        write.record(events).await?;
        write.commit().await?;
        Ok(FactorUseOutcome::Done)
    }
}
