//! Second factors.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::sessions;
use super::state::State;
use super::store::MemoryStore;
use crate::domain::audit::AuditEvent;
use crate::domain::{
    Aal, DeploymentCtx, Epoch, FactorEnrolment, FactorUse, Grant, Revocation, RevocationEntry,
    SealedSecret, SecondFactor, Session, SessionId, Timestamp, TokenDigest, TotpStep, UserId,
};
use crate::ports::store::{
    Advance, FactorActivation, FactorOutcome, FactorUseOutcome, Rekeying, SecondFactorStore,
    StoreError,
};

/// A factor in force with the recovery codes that are left.
#[derive(Clone)]
pub(super) struct Factor {
    secret: SealedSecret,
    last_step: TotpStep,
    activated_at: Timestamp,
    codes: BTreeSet<[u8; 32]>,
}

fn bytes(codes: &[TokenDigest]) -> BTreeSet<[u8; 32]> {
    codes.iter().map(|code| *code.as_bytes()).collect()
}

impl State {
    /// The person's factor in force.
    pub(super) fn factor(&self, user: UserId) -> Option<SecondFactor> {
        self.factors.get(&user).map(|factor| SecondFactor {
            user,
            secret: factor.secret.clone(),
            last_step: factor.last_step,
            activated_at: factor.activated_at,
            recovery_codes_left: u32::try_from(factor.codes.len()).unwrap_or(u32::MAX),
        })
    }

    /// Whether a code can still be used up.
    fn may_use(&self, user: UserId, proof: &FactorUse) -> bool {
        self.factors.get(&user).is_some_and(|factor| match proof {
            FactorUse::Step(step) => *step > factor.last_step,
            FactorUse::Recovery(digest) => factor.codes.contains(digest.as_bytes()),
        })
    }

    fn use_up(&mut self, user: UserId, proof: &FactorUse) {
        if let Some(factor) = self.factors.get_mut(&user) {
            match proof {
                FactorUse::Step(step) => factor.last_step = *step,
                FactorUse::Recovery(digest) => {
                    factor.codes.remove(digest.as_bytes());
                }
            }
        }
    }

    fn has_epoch(&self, user: UserId, epoch: Epoch) -> bool {
        self.users
            .get(&user)
            .is_some_and(|user| user.epoch == epoch && user.disabled_at.is_none())
    }

    fn is_live_of(&self, user: UserId, session: SessionId, at: Timestamp) -> bool {
        self.stored(session)
            .is_some_and(|stored| stored.session.user == user && stored.is_live(at))
    }

    /// Whether an organization of the person's requires a factor.
    fn requires_factor(&self, user: UserId) -> bool {
        self.orgs
            .values()
            .any(|org| org.policy.factor_required && self.place(org.id, user).is_some())
    }

    /// Grows the epoch, re-keys the session that goes on and ends the others.
    fn rekey(&mut self, rekeying: &Rekeying, aal: Aal) -> FactorOutcome {
        let epoch = rekeying.expected_epoch.next();
        if let Some(user) = self.users.get_mut(&rekeying.user) {
            user.epoch = epoch;
        }
        self.enrolments.retain(|_, it| it.user != rekeying.user);
        let kept = sessions::rekey_and_end_others(
            self,
            rekeying.user,
            rekeying.keep.as_ref(),
            rekeying.at,
            epoch,
        );
        let session = kept.map(|mut session| {
            session.aal = aal;
            self.sessions.insert(session.id, session.clone());
            Box::new(session)
        });
        let entry = RevocationEntry {
            what: Revocation::User(rekeying.user, epoch),
            expires_at: rekeying.tokens_expire_at,
        };
        self.revocations.push(entry);
        FactorOutcome::Changed {
            session,
            revoked: vec![entry],
        }
    }
}

#[async_trait]
impl SecondFactorStore for MemoryStore {
    async fn second_factor(&self, user: UserId) -> Result<Option<SecondFactor>, StoreError> {
        Ok(self.read(|state| state.factor(user)))
    }

    async fn factor_enrolment(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Option<FactorEnrolment>, StoreError> {
        Ok(self.read(|state| {
            let enrolment = state.enrolments.get(&session);
            enrolment.filter(|it| it.user == user).cloned()
        }))
    }

    async fn begin_factor(
        &self,
        enrolment: &FactorEnrolment,
        proof: Option<&FactorUse>,
        at: Timestamp,
        events: &[AuditEvent],
    ) -> Result<FactorUseOutcome, StoreError> {
        let user = enrolment.user;
        self.write(|state| {
            if !state.is_live_of(user, enrolment.session, at)
                || state.factors.contains_key(&user) != proof.is_some()
            {
                return Ok(FactorUseOutcome::Raced);
            }
            if proof.is_some_and(|proof| !state.may_use(user, proof)) {
                return Ok(FactorUseOutcome::Used);
            }
            state.outbox.admit(events)?;
            if let Some(proof) = proof {
                state.use_up(user, proof);
            }
            state
                .enrolments
                .insert(enrolment.session, enrolment.clone());
            state.outbox.record(events);
            Ok(FactorUseOutcome::Done)
        })
    }

    async fn activate_factor(
        &self,
        activation: &FactorActivation,
        events: &[AuditEvent],
    ) -> Result<FactorOutcome, StoreError> {
        let rekeying = &activation.rekeying;
        let (user, at) = (rekeying.user, rekeying.at);
        self.write(|state| {
            let enrolled = state.enrolments.get(&activation.session).is_some_and(|it| {
                it.user == user && it.secret == activation.secret && at < it.expires_at
            });
            if !enrolled
                || !state.has_epoch(user, rekeying.expected_epoch)
                || !state.is_live_of(user, activation.session, at)
            {
                return Ok(FactorOutcome::Raced);
            }
            state.outbox.admit(events)?;
            let factor = Factor {
                secret: activation.secret.clone(),
                last_step: activation.step,
                activated_at: at,
                codes: bytes(&activation.recovery),
            };
            state.factors.insert(user, factor);
            let outcome = state.rekey(rekeying, Aal::Two);
            state.outbox.record(events);
            Ok(outcome)
        })
    }

    async fn replace_recovery_codes(
        &self,
        user: UserId,
        expected_epoch: Epoch,
        codes: &[TokenDigest],
        _at: Timestamp,
        events: &[AuditEvent],
    ) -> Result<bool, StoreError> {
        self.write(|state| {
            state.outbox.admit(events)?;
            let holds = state.has_epoch(user, expected_epoch);
            let Some(factor) = state.factors.get_mut(&user).filter(|_| holds) else {
                return Ok(false);
            };
            factor.codes = bytes(codes);
            state.outbox.record(events);
            Ok(true)
        })
    }

    async fn remove_factor(
        &self,
        rekeying: &Rekeying,
        proof: &FactorUse,
        events: &[AuditEvent],
    ) -> Result<FactorOutcome, StoreError> {
        let user = rekeying.user;
        self.write(|state| {
            if !state.has_epoch(user, rekeying.expected_epoch) || !state.factors.contains_key(&user)
            {
                return Ok(FactorOutcome::Raced);
            }
            if state.requires_factor(user) {
                return Ok(FactorOutcome::Required);
            }
            if !state.may_use(user, proof) {
                return Ok(FactorOutcome::Used);
            }
            state.outbox.admit(events)?;
            state.factors.remove(&user);
            let outcome = state.rekey(rekeying, Aal::One);
            state.outbox.record(events);
            Ok(outcome)
        })
    }

    async fn reset_factor(
        &self,
        _by: &DeploymentCtx,
        rekeying: &Rekeying,
        events: &[AuditEvent],
    ) -> Result<FactorOutcome, StoreError> {
        let user = rekeying.user;
        self.write(|state| {
            let known = state.users.get(&user).map(|user| user.epoch);
            if known != Some(rekeying.expected_epoch) || !state.factors.contains_key(&user) {
                return Ok(FactorOutcome::Raced);
            }
            state.outbox.admit(events)?;
            state.factors.remove(&user);
            let outcome = state.rekey(rekeying, Aal::One);
            state.outbox.record(events);
            Ok(outcome)
        })
    }

    async fn open_session_with_factor(
        &self,
        session: &Session,
        grant: Option<&Grant>,
        proof: &FactorUse,
        events: &[AuditEvent],
    ) -> Result<FactorUseOutcome, StoreError> {
        self.write(|state| {
            if !state.has_epoch(session.user, session.credential_epoch) {
                return Ok(FactorUseOutcome::Raced);
            }
            if !state.may_use(session.user, proof) {
                return Ok(FactorUseOutcome::Used);
            }
            if !sessions::open(state, session, grant, events)? {
                return Ok(FactorUseOutcome::Raced);
            }
            state.use_up(session.user, proof);
            Ok(FactorUseOutcome::Done)
        })
    }

    async fn step_up(
        &self,
        step: &Advance,
        proof: Option<&FactorUse>,
        events: &[AuditEvent],
    ) -> Result<FactorUseOutcome, StoreError> {
        self.write(|state| {
            let owner = state.sessions.get(&step.session).map(|it| it.user);
            let Some(owner) = owner.filter(|_| sessions::may_advance(state, step)) else {
                return Ok(FactorUseOutcome::Raced);
            };
            if proof.is_some_and(|proof| !state.may_use(owner, proof)) {
                return Ok(FactorUseOutcome::Used);
            }
            state.outbox.admit(events)?;
            if let Some(proof) = proof {
                state.use_up(owner, proof);
            }
            if let Some(session) = state.sessions.get_mut(&step.session) {
                sessions::advance(session, step);
                session.auth_time = step.at;
                if proof.is_some() {
                    session.aal = Aal::Two;
                }
            }
            state.outbox.record(events);
            Ok(FactorUseOutcome::Done)
        })
    }
}
