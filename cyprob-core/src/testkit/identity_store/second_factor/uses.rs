//! What a shown factor uses up.

use std::sync::Arc;

use super::super::world::{Done, Store, World, grant, later, race};
use super::{CONFIRMED, codes_left, recovery, with_factor};
use crate::domain::audit::Action;
use crate::domain::{Aal, Epoch, FactorUse, RefreshKeyId, RefreshState, Session, TotpStep, User};
use crate::ports::store::{Advance, FactorUseOutcome, StoreError};

const fn step(after: i64) -> FactorUse {
    FactorUse::Step(TotpStep::new(CONFIRMED + after))
}

/// A session that has shown two factors, not stored yet.
fn strong(world: &World, user: &User) -> Session {
    Session {
        aal: Aal::Two,
        ..world.session(user)
    }
}

async fn open(
    world: &World,
    user: &User,
    proof: &FactorUse,
) -> Result<FactorUseOutcome, StoreError> {
    let session = strong(world, user);
    let event = [world.event(Action::SessionOpened)];
    let outcome = world
        .store
        .open_session_with_factor(&session, None, proof, &event)
        .await?;
    let stored = world.store.session(session.id).await?;
    assert_eq!(stored.is_some(), outcome == FactorUseOutcome::Done);
    Ok(outcome)
}

/// A later step opens a session; the same one again and every earlier one does not, then or ever.
pub async fn a_step_is_used_once_and_none_before_it(store: Store) -> Done {
    let world = World::new(store).await?;
    let (user, _) = with_factor(&world, &world.founder).await?;
    use FactorUseOutcome::{Done, Used};
    for (after, expected) in [
        (0, Used),
        (-1, Used),
        (2, Done),
        (2, Used),
        (1, Used),
        (3, Done),
        (2, Used),
    ] {
        assert_eq!(
            open(&world, &user, &step(after)).await?,
            expected,
            "{after}"
        );
    }
    let factor = world.store.second_factor(user.id).await?;
    let last = factor.map(|factor| factor.last_step);
    assert_eq!(last, Some(TotpStep::new(CONFIRMED + 3)));
    assert_eq!(codes_left(&world, &user).await?, Some(10));
    assert_eq!(world.recorded().await?.len(), 2, "one event each");
    Ok(())
}

/// Each code opens one session, for its owner, and is counted down.
pub async fn a_recovery_code_is_used_once(store: Store) -> Done {
    let world = World::new(store).await?;
    let bare = world.member(world.org.id, "user", "viewer").await?;
    let (user, _) = with_factor(&world, &world.founder).await?;
    for number in 1..=10 {
        let proof = FactorUse::Recovery(recovery(number));
        let outcome = open(&world, &bare, &proof).await?;
        assert_eq!(outcome, FactorUseOutcome::Used, "another person's");
        let outcome = open(&world, &user, &proof).await?;
        assert_eq!(outcome, FactorUseOutcome::Done);
        let outcome = open(&world, &user, &proof).await?;
        assert_eq!(outcome, FactorUseOutcome::Used);
        assert_eq!(
            codes_left(&world, &user).await?,
            Some(10 - u32::from(number))
        );
    }
    let unknown = FactorUse::Recovery(recovery(11));
    let outcome = open(&world, &user, &unknown).await?;
    assert_eq!(outcome, FactorUseOutcome::Used);
    assert_eq!(world.recorded().await?.len(), 10);
    // The time-based codes are not touched by that.
    assert_eq!(open(&world, &user, &step(1)).await?, FactorUseOutcome::Done);
    Ok(())
}

/// Of a race with one code, between sign-ins and step-ups, one gets through; its event alone is recorded.
pub async fn of_many_uses_of_one_code_one_wins(store: Store) -> Done {
    let world = World::new(store).await?;
    let (user, session) = with_factor(&world, &world.founder).await?;
    for (round, proof) in [step(1), FactorUse::Recovery(recovery(1)), step(2)]
        .into_iter()
        .enumerate()
    {
        let stored = world.store.session(session.id).await?;
        let Some(current) = stored.map(|stored| stored.session) else {
            unreachable!("the session is there")
        };
        let outcomes = race((0..16).map(|n| {
            let store = Arc::clone(&world.store);
            let event = [world.event(Action::SessionOpened)];
            let (fresh, again) = (strong(&world, &user), renewal(&current));
            async move {
                if n % 4 == 0 {
                    store.step_up(&again, Some(&proof), &event).await
                } else {
                    store
                        .open_session_with_factor(&fresh, None, &proof, &event)
                        .await
                }
            }
        }))
        .await?;
        let done = outcomes.iter().filter(|it| **it == FactorUseOutcome::Done);
        assert_eq!(done.count(), 1, "{proof:?}: {outcomes:?}");
        assert_eq!(world.recorded().await?.len(), round + 1);
    }
    assert_eq!(codes_left(&world, &user).await?, Some(9));
    Ok(())
}

/// A session of another epoch or of a person who is not there is not opened, and the code stays good.
pub async fn a_code_of_a_session_that_is_not_opened_stays_good(store: Store) -> Done {
    let world = World::new(store).await?;
    let (user, _) = with_factor(&world, &world.founder).await?;
    let mut stale = user.clone();
    stale.epoch = Epoch::FIRST;
    for proof in [step(1), FactorUse::Recovery(recovery(1))] {
        let outcome = open(&world, &stale, &proof).await?;
        assert_eq!(outcome, FactorUseOutcome::Raced);
        let stranger = open(&world, &world.user("stranger"), &proof).await?;
        assert_eq!(stranger, FactorUseOutcome::Raced);
        let session = strong(&world, &user);
        let first = grant(&session, world.org.id);
        let outcome = world
            .store
            .open_session_with_factor(&session, Some(&first), &proof, &[])
            .await?;
        assert_eq!(outcome, FactorUseOutcome::Done, "its code was used before");
    }
    assert_eq!(world.recorded().await?.len(), 0);
    Ok(())
}

fn renewal(session: &Session) -> Advance {
    Advance {
        session: session.id,
        from: session.refresh.generation,
        credential_epoch: session.credential_epoch,
        to: RefreshState {
            generation: session.refresh.generation + 1,
            key: RefreshKeyId::new(8),
            previous_key: Some(session.refresh.key),
            rotated_at: later(3),
        },
        at: later(3),
        idle_expires_at: later(603),
    }
}

/// The session moves one generation on, was authenticated now, and with a proof has shown two factors.
pub async fn a_step_up_renews_the_sign_in(store: Store) -> Done {
    let world = World::new(store).await?;
    let bare = world.member(world.org.id, "user", "viewer").await?;
    let plain = world.opened(&bare).await?;
    let other = world.opened(&bare).await?;
    let (_, kept) = with_factor(&world, &world.founder).await?;
    for (session, proof, aal) in [(&plain, None, Aal::One), (&kept, Some(step(1)), Aal::Two)] {
        let event = [world.event(Action::SessionSteppedUp)];
        let renewal = renewal(session);
        let outcome = world
            .store
            .step_up(&renewal, proof.as_ref(), &event)
            .await?;
        assert_eq!(outcome, FactorUseOutcome::Done);
        let stored = world.store.session(session.id).await?;
        let Some(now) = stored.map(|stored| stored.session) else {
            unreachable!("the session is there")
        };
        assert_eq!(now.refresh, renewal.to);
        assert_eq!((now.auth_time, now.aal), (later(3), aal));
        assert_eq!(
            (now.last_used_at, now.idle_expires_at),
            (later(3), later(603))
        );
        assert_eq!(now.created_at, session.created_at);
        assert_eq!(now.seed.expose_bytes(), session.seed.expose_bytes());
    }
    let beside = world.store.session(other.id).await?;
    assert!(beside.is_some_and(|it| it.session.auth_time == other.auth_time));
    assert_eq!(world.recorded().await?.len(), 2);
    Ok(())
}

/// From another generation or epoch, of a session that is over, or by a used code: nothing.
pub async fn a_step_up_that_does_not_hold_changes_nothing(store: Store) -> Done {
    let world = World::new(store).await?;
    let (_, session) = with_factor(&world, &world.founder).await?;
    let mut generation = renewal(&session);
    generation.from += 1;
    let mut epoch = renewal(&session);
    epoch.credential_epoch = Epoch::FIRST;
    let mut late = renewal(&session);
    late.at = session.idle_expires_at;
    let mut unknown = renewal(&session);
    unknown.session = world.id();
    let event = [world.event(Action::SessionSteppedUp)];
    for renewal in [&generation, &epoch, &late, &unknown] {
        let outcome = world.store.step_up(renewal, Some(&step(1)), &event).await?;
        assert_eq!(outcome, FactorUseOutcome::Raced);
    }
    for used in [step(0), FactorUse::Recovery(recovery(77))] {
        let renewal = renewal(&session);
        let outcome = world.store.step_up(&renewal, Some(&used), &event).await?;
        assert_eq!(outcome, FactorUseOutcome::Used);
    }
    let stored = world.store.session(session.id).await?;
    assert!(stored.is_some_and(|it| {
        it.session.refresh == session.refresh && it.session.auth_time == session.auth_time
    }));
    world.expect_events(&[]).await?;
    // The code was not used up by what did not hold.
    let renewal = renewal(&session);
    let outcome = world.store.step_up(&renewal, Some(&step(1)), &[]).await?;
    assert_eq!(outcome, FactorUseOutcome::Done);
    Ok(())
}
