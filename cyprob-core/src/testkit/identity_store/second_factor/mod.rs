//! Second factors.

mod enrolment;
mod removal;
mod uses;

pub use enrolment::{
    a_factor_comes_into_force_by_its_own_session,
    a_new_enrolment_replaces_the_sessions_earlier_one,
    a_new_factor_replaces_the_old_with_its_codes, an_enrolment_begins_in_an_own_live_session_alone,
    an_enrolment_is_confirmed_by_its_own_session_alone, of_many_confirmations_one_wins,
    who_has_a_factor_shows_it_for_another,
};
pub use removal::{
    a_new_password_keeps_the_factor, a_removed_factor_is_gone_with_its_codes,
    a_required_factor_stays_and_is_reset, a_reset_beside_new_recovery_codes_fails_nobody,
    a_reset_ends_every_session, new_recovery_codes_replace_the_old,
    of_many_new_sets_of_codes_one_is_left,
};
pub use uses::{
    a_code_of_a_session_that_is_not_opened_stays_good, a_recovery_code_is_used_once,
    a_step_is_used_once_and_none_before_it, a_step_up_renews_the_sign_in,
    a_step_up_that_does_not_hold_changes_nothing, of_many_uses_of_one_code_one_wins,
};

use super::world::{AT, World, later};
use crate::domain::{
    FactorEnrolment, RefreshKeyId, SealedSecret, Session, SessionSeed, TokenDigest, TotpStep, User,
};
use crate::ports::store::{
    FactorActivation, FactorOutcome, FactorUseOutcome, Rekeying, StoreError,
};

/// The step of the code that the suite's factors are confirmed by.
const CONFIRMED: i64 = 1_000;

fn sealed(byte: u8) -> SealedSecret {
    SealedSecret::from_bytes(vec![byte; 65])
}

/// The recovery code of a number, as stored.
fn recovery(number: u8) -> TokenDigest {
    TokenDigest::from_bytes([number; 32])
}

fn enrolment(user: &User, session: &Session) -> FactorEnrolment {
    FactorEnrolment {
        user: user.id,
        session: session.id,
        secret: sealed(1),
        expires_at: later(100),
    }
}

fn rekeying(user: &User, keep: Option<&Session>) -> Rekeying {
    Rekeying {
        user: user.id,
        expected_epoch: user.epoch,
        keep: keep.map(|session| (session.id, SessionSeed::new([9; 32]), RefreshKeyId::new(8))),
        at: later(2),
        tokens_expire_at: later(300),
    }
}

/// With the recovery codes 1 to 10.
fn activation(user: &User, session: &Session) -> FactorActivation {
    FactorActivation {
        rekeying: rekeying(user, Some(session)),
        session: session.id,
        secret: sealed(1),
        step: TotpStep::new(CONFIRMED),
        recovery: (1..=10).map(recovery).collect(),
    }
}

/// Gives a person a factor; the person as they are then, and the session that went on.
async fn with_factor(world: &World, user: &User) -> Result<(User, Session), StoreError> {
    let session = world.opened(user).await?;
    let begun = world
        .store
        .begin_factor(&enrolment(user, &session), None, AT, &[])
        .await?;
    assert_eq!(begun, FactorUseOutcome::Done);
    let activation = activation(user, &session);
    let outcome = world.store.activate_factor(&activation, &[]).await?;
    let FactorOutcome::Changed {
        session: Some(session),
        ..
    } = outcome
    else {
        unreachable!("a factor did not come into force: {outcome:?}")
    };
    let mut user = user.clone();
    user.epoch = user.epoch.next();
    Ok((user, *session))
}

async fn codes_left(world: &World, user: &User) -> Result<Option<u32>, StoreError> {
    let factor = world.store.second_factor(user.id).await?;
    Ok(factor.map(|factor| factor.recovery_codes_left))
}
