//! How a factor goes, and what it outlives.

use std::sync::Arc;

use super::super::world::{AT, Done, Store, World, later, password, race};
use super::{CONFIRMED, codes_left, recovery, rekeying, with_factor};
use crate::domain::audit::Action;
use crate::domain::{Aal, Epoch, FactorUse, Revocation, TokenDigest, TotpStep};
use crate::ports::store::{
    FactorOutcome, FactorUseOutcome, OrgChange, OrgUpdate, PasswordChange, PolicyUpdate,
};

const NEXT: FactorUse = FactorUse::Step(TotpStep::new(CONFIRMED + 1));

/// By showing it once more it is gone, with its codes; the kept session has shown one factor then, the others end.
pub async fn a_removed_factor_is_gone_with_its_codes(store: Store) -> Done {
    let world = World::new(store).await?;
    let (user, kept) = with_factor(&world, &world.founder).await?;
    let other = world.opened(&user).await?;
    let store = &world.store;
    let event = world.event(Action::FactorRemoved);
    let recorded = std::slice::from_ref(&event);
    let keep = rekeying(&user, Some(&kept));
    for used in [
        FactorUse::Step(TotpStep::new(CONFIRMED)),
        FactorUse::Recovery(recovery(99)),
    ] {
        let outcome = store.remove_factor(&keep, &used, recorded).await?;
        assert!(matches!(outcome, FactorOutcome::Used), "{outcome:?}");
    }
    let mut stale = keep.clone();
    stale.expected_epoch = Epoch::FIRST;
    let outcome = store.remove_factor(&stale, &NEXT, recorded).await?;
    assert!(matches!(outcome, FactorOutcome::Raced), "{outcome:?}");
    assert_eq!(codes_left(&world, &user).await?, Some(10));
    world.expect_events(&[]).await?;

    let outcome = store.remove_factor(&keep, &NEXT, recorded).await?;
    let FactorOutcome::Changed {
        session: Some(session),
        revoked,
    } = outcome
    else {
        unreachable!("expected a kept session: {outcome:?}")
    };
    assert_eq!(session.aal, Aal::One);
    let what = Revocation::User(user.id, user.epoch.next());
    assert!(
        matches!(revoked[..], [entry] if entry.what == what),
        "{revoked:?}"
    );
    assert_eq!(store.second_factor(user.id).await?, None);
    let stored = store.session(kept.id).await?;
    assert!(stored.is_some_and(|it| it.session.aal == Aal::One && it.is_live(later(2))));
    assert!(!world.is_live(&other).await?);
    let mut again = keep.clone();
    again.expected_epoch = user.epoch.next();
    let outcome = store.remove_factor(&again, &NEXT, recorded).await?;
    assert!(matches!(outcome, FactorOutcome::Raced), "there is none");
    let mut session = world.session(&user);
    session.credential_epoch = user.epoch.next();
    let code = FactorUse::Recovery(recovery(1));
    let outcome = store
        .open_session_with_factor(&session, None, &code, &[])
        .await?;
    assert_eq!(
        outcome,
        FactorUseOutcome::Used,
        "a code outlived its factor"
    );
    world.expect_events(&[&event]).await
}

async fn require(world: &World, required: bool) -> Done {
    let change = OrgChange {
        update: OrgUpdate {
            name: None,
            policy: PolicyUpdate {
                factor_required: Some(required),
                ..PolicyUpdate::default()
            },
        },
        at: later(1),
        tokens_expire_at: later(300),
    };
    let changed = world.store.update_org(&world.ctx(), &change, &[]).await?;
    assert!(changed.is_some_and(|it| it.org.policy.factor_required == required));
    Ok(())
}

/// While an organization of the person's asks for a factor its owner cannot remove it; the administrator can.
pub async fn a_required_factor_stays_and_is_reset(store: Store) -> Done {
    let world = World::new(store).await?;
    let (_, elsewhere) = world.second_org("other").await?;
    let (elsewhere, there) = with_factor(&world, &elsewhere).await?;
    let (user, kept) = with_factor(&world, &world.founder).await?;
    require(&world, true).await?;
    let store = &world.store;
    let event = [world.event(Action::FactorRemoved)];
    let keep = rekeying(&user, Some(&kept));
    let outcome = store.remove_factor(&keep, &NEXT, &event).await?;
    assert!(matches!(outcome, FactorOutcome::Required), "{outcome:?}");
    world.expect_events(&[]).await?;
    let factor = store.second_factor(user.id).await?;
    let last = factor.map(|factor| factor.last_step);
    assert_eq!(last, Some(TotpStep::new(CONFIRMED)), "the code was used up");
    // What one organization asks is nothing to those who are not its members.
    let other = rekeying(&elsewhere, Some(&there));
    let outcome = store.remove_factor(&other, &NEXT, &[]).await?;
    assert!(
        matches!(outcome, FactorOutcome::Changed { .. }),
        "{outcome:?}"
    );
    let reset = store
        .reset_factor(&world.deployment(), &rekeying(&user, None), &[])
        .await?;
    assert!(matches!(reset, FactorOutcome::Changed { .. }), "{reset:?}");
    assert_eq!(store.second_factor(user.id).await?, None);
    Ok(())
}

/// A reset needs no code, ends all sessions, and does nothing to who has no factor.
pub async fn a_reset_ends_every_session(store: Store) -> Done {
    let world = World::new(store).await?;
    let bare = world.member(world.org.id, "user", "viewer").await?;
    let plain = world.opened(&bare).await?;
    let (user, kept) = with_factor(&world, &world.founder).await?;
    let other = world.opened(&user).await?;
    let (store, by) = (&world.store, world.deployment());
    let event = world.event(Action::FactorReset);
    let recorded = std::slice::from_ref(&event);
    let mut stale = rekeying(&user, None);
    stale.expected_epoch = Epoch::FIRST;
    let mut nobody = rekeying(&user, None);
    nobody.user = world.id();
    for what in [stale, nobody, rekeying(&bare, None)] {
        let outcome = store.reset_factor(&by, &what, recorded).await?;
        assert!(matches!(outcome, FactorOutcome::Raced), "{outcome:?}");
    }
    assert!(world.is_live(&kept).await? && world.is_live(&plain).await?);
    let outcome = store
        .reset_factor(&by, &rekeying(&user, None), recorded)
        .await?;
    let FactorOutcome::Changed {
        session: None,
        revoked,
    } = outcome
    else {
        unreachable!("expected no session: {outcome:?}")
    };
    assert_eq!(revoked.len(), 1);
    for session in [&kept, &other] {
        assert!(!world.is_live(session).await?);
    }
    assert!(world.is_live(&plain).await?);
    assert_eq!(store.second_factor(user.id).await?, None);
    world.expect_events(&[&event]).await
}

/// The factor and its codes are what they were after a new password.
pub async fn a_new_password_keeps_the_factor(store: Store) -> Done {
    let world = World::new(store).await?;
    let (user, kept) = with_factor(&world, &world.founder).await?;
    let before = world.store.second_factor(user.id).await?;
    let rekeying = rekeying(&user, Some(&kept));
    let change = PasswordChange {
        user: user.id,
        expected_epoch: user.epoch,
        password: password("$argon2id$second"),
        keep: rekeying.keep,
        at: later(2),
        tokens_expire_at: later(300),
    };
    world.store.change_password(&change, &[]).await?;
    assert_eq!(world.store.second_factor(user.id).await?, before);
    let stored = world.store.session(kept.id).await?;
    assert!(stored.is_some_and(|it| it.session.aal == Aal::Two && it.is_live(later(2))));
    Ok(())
}

/// The new codes are good and the old ones void; another epoch, or no factor, changes nothing.
pub async fn new_recovery_codes_replace_the_old(store: Store) -> Done {
    let world = World::new(store).await?;
    let bare = world.member(world.org.id, "user", "viewer").await?;
    let (user, _) = with_factor(&world, &world.founder).await?;
    let store = &world.store;
    let fresh: Vec<TokenDigest> = (31..=40).map(recovery).collect();
    let event = world.event(Action::RecoveryCodesReplaced);
    let recorded = std::slice::from_ref(&event);
    for (person, epoch) in [(&user, Epoch::FIRST), (&bare, bare.epoch)] {
        let replaced = store
            .replace_recovery_codes(person.id, epoch, &fresh, AT, recorded)
            .await?;
        assert!(!replaced);
    }
    world.expect_events(&[]).await?;
    let replaced = store
        .replace_recovery_codes(user.id, user.epoch, &fresh, AT, recorded)
        .await?;
    assert!(replaced);
    assert_eq!(codes_left(&world, &user).await?, Some(10));
    for (number, expected) in [
        (1, FactorUseOutcome::Used),
        (31, FactorUseOutcome::Done),
        (31, FactorUseOutcome::Used),
    ] {
        let code = FactorUse::Recovery(recovery(number));
        let session = world.session(&user);
        let outcome = store
            .open_session_with_factor(&session, None, &code, &[])
            .await?;
        assert_eq!(outcome, expected, "{number}");
    }
    world.expect_events(&[&event]).await
}

/// Of a race of replacements the ten codes of one are left.
pub async fn of_many_new_sets_of_codes_one_is_left(store: Store) -> Done {
    let world = World::new(store).await?;
    let (user, _) = with_factor(&world, &world.founder).await?;
    let replaced = race((0..8_u8).map(|n| {
        let store = Arc::clone(&world.store);
        let event = world.event(Action::RecoveryCodesReplaced);
        let codes: Vec<TokenDigest> = (0..10).map(|m| recovery(100 + n * 10 + m)).collect();
        let (id, epoch) = (user.id, user.epoch);
        async move {
            store
                .replace_recovery_codes(id, epoch, &codes, AT, &[event])
                .await
        }
    }))
    .await?;
    assert!(replaced.iter().all(|done| *done), "{replaced:?}");
    assert_eq!(codes_left(&world, &user).await?, Some(10));
    assert_eq!(world.recorded().await?.len(), 8);
    Ok(())
}

/// New recovery codes beside a reset of the factor: none of them fails, and the reset is the end of it.
pub async fn a_reset_beside_new_recovery_codes_fails_nobody(store: Store) -> Done {
    let world = World::new(store).await?;
    let mut user = world.founder.clone();
    for _ in 0..4 {
        (user, _) = with_factor(&world, &user).await?;
        let done = race((0..8_u8).map(|n| {
            let (store, by) = (Arc::clone(&world.store), world.deployment());
            let codes: Vec<TokenDigest> = (0..10).map(|m| recovery(100 + n * 10 + m)).collect();
            let user = user.clone();
            async move {
                if n == 4 {
                    let reset = rekeying(&user, None);
                    let outcome = store.reset_factor(&by, &reset, &[]).await?;
                    return Ok(matches!(outcome, FactorOutcome::Changed { .. }));
                }
                store
                    .replace_recovery_codes(user.id, user.epoch, &codes, AT, &[])
                    .await
            }
        }))
        .await?;
        assert_eq!(done.get(4), Some(&true), "{done:?}");
        assert_eq!(codes_left(&world, &user).await?, None);
        user.epoch = user.epoch.next();
    }
    Ok(())
}
