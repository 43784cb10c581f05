//! How a factor comes into force.

use std::sync::Arc;

use super::super::world::{AT, Done, Store, World, later, race};
use super::{CONFIRMED, activation, codes_left, enrolment, recovery, sealed, with_factor};
use crate::domain::audit::Action;
use crate::domain::{Aal, FactorUse, Revocation, RevocationEntry, SecondFactor, TotpStep};
use crate::ports::store::{FactorOutcome, FactorUseOutcome, PasswordChange};

/// The factor is stored as confirmed, the epoch grows, the kept session is re-keyed with two factors shown, the others end.
pub async fn a_factor_comes_into_force_by_its_own_session(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    let (kept, other) = (world.opened(&user).await?, world.opened(&user).await?);
    let stranger = world.opened(&world.founder).await?;
    let store = &world.store;
    assert_eq!(store.factor_enrolment(user.id, kept.id).await?, None);
    let begun = world.event(Action::FactorEnrolmentBegun);
    let asked = enrolment(&user, &kept);
    let outcome = store
        .begin_factor(&asked, None, AT, std::slice::from_ref(&begun))
        .await?;
    assert_eq!(outcome, FactorUseOutcome::Done);
    let found = store.factor_enrolment(user.id, kept.id).await?;
    assert_eq!(found.as_ref(), Some(&asked));
    assert_eq!(store.second_factor(user.id).await?, None, "not yet");
    assert!(world.is_live(&other).await?);

    let confirmed = world.event(Action::FactorActivated);
    let outcome = store
        .activate_factor(&activation(&user, &kept), std::slice::from_ref(&confirmed))
        .await?;
    let FactorOutcome::Changed {
        session: Some(session),
        revoked,
    } = outcome
    else {
        unreachable!("expected a kept session: {outcome:?}")
    };
    let expected = RevocationEntry {
        what: Revocation::User(user.id, user.epoch.next()),
        expires_at: later(300),
    };
    assert_eq!(revoked, [expected]);
    assert_eq!(store.live_revocations(AT).await?, [expected]);
    let read = store.session(kept.id).await?.map(|it| it.session);
    for session in [Some(*session), read].into_iter().flatten() {
        assert_eq!(session.aal, Aal::Two);
        assert_eq!(session.auth_time, kept.auth_time);
        assert_eq!(session.seed.expose_bytes(), &[9; 32]);
        assert_eq!(session.refresh.generation, 1);
        assert_eq!(session.credential_epoch, user.epoch.next());
    }
    let factor = SecondFactor {
        user: user.id,
        secret: sealed(1),
        last_step: TotpStep::new(CONFIRMED),
        activated_at: later(2),
        recovery_codes_left: 10,
    };
    let account = store.account_by_email(&user.email).await?;
    let account = account.map(|account| (account.user.epoch, account.factor));
    assert_eq!(account, Some((user.epoch.next(), Some(factor.clone()))));
    assert_eq!(store.second_factor(user.id).await?, Some(factor));
    assert_eq!(store.second_factor(world.founder.id).await?, None);
    assert_eq!(store.factor_enrolment(user.id, kept.id).await?, None);
    assert!(world.is_live(&kept).await? && world.is_live(&stranger).await?);
    assert!(!world.is_live(&other).await?);
    world.expect_events(&[&begun, &confirmed]).await
}

/// Another session, another person, another secret, a late hour or an older epoch confirms nothing.
pub async fn an_enrolment_is_confirmed_by_its_own_session_alone(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    let own = world.opened(&user).await?;
    let (other, ended) = (world.opened(&user).await?, world.opened(&user).await?);
    let foreign = world.opened(&world.founder).await?;
    let store = &world.store;
    for session in [&own, &ended] {
        let asked = enrolment(&user, session);
        store.begin_factor(&asked, None, AT, &[]).await?;
    }
    let found = store.factor_enrolment(world.founder.id, own.id).await?;
    assert_eq!(found, None, "an enrolment shown to another person");
    let gone = crate::ports::store::SessionEnd {
        user: user.id,
        session: ended.id,
        reason: crate::domain::EndReason::Logout,
        at: later(1),
        tokens_expire_at: later(300),
    };
    assert!(store.end_session(&gone, &[]).await?.is_some());

    let mut secret = activation(&user, &own);
    secret.secret = sealed(2);
    let mut late = activation(&user, &own);
    late.rekeying.at = later(100);
    let mut epoch = activation(&user, &own);
    epoch.rekeying.expected_epoch = user.epoch.next();
    let mut person = activation(&world.founder, &own);
    person.rekeying.keep = None;
    let attempts = [
        ("another session", activation(&user, &other)),
        ("another person's session", activation(&user, &foreign)),
        ("another person", person),
        ("another secret", secret),
        ("too late", late),
        ("another epoch", epoch),
        ("an ended session", activation(&user, &ended)),
    ];
    for (why, activation) in attempts {
        let event = [world.event(Action::FactorActivated)];
        let outcome = store.activate_factor(&activation, &event).await?;
        assert!(
            matches!(outcome, FactorOutcome::Raced),
            "{why}: {outcome:?}"
        );
    }
    for person in [&user, &world.founder] {
        assert_eq!(store.second_factor(person.id).await?, None);
    }
    assert!(world.is_live(&own).await? && world.is_live(&other).await?);
    let outcome = store.activate_factor(&activation(&user, &own), &[]).await?;
    assert!(matches!(outcome, FactorOutcome::Changed { .. }));
    world.expect_events(&[]).await
}

/// The later of two enrolments of a session is the one; that of another session stays beside it.
pub async fn a_new_enrolment_replaces_the_sessions_earlier_one(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.founder.clone();
    let (one, two) = (world.opened(&user).await?, world.opened(&user).await?);
    let store = &world.store;
    for session in [&one, &two] {
        let asked = enrolment(&user, session);
        store.begin_factor(&asked, None, AT, &[]).await?;
    }
    let mut again = enrolment(&user, &one);
    again.secret = sealed(2);
    again.expires_at = later(200);
    let outcome = store.begin_factor(&again, None, AT, &[]).await?;
    assert_eq!(outcome, FactorUseOutcome::Done);
    assert_eq!(store.factor_enrolment(user.id, one.id).await?, Some(again));
    let beside = store.factor_enrolment(user.id, two.id).await?;
    assert_eq!(beside, Some(enrolment(&user, &two)));
    let outcome = store.activate_factor(&activation(&user, &one), &[]).await?;
    assert!(
        matches!(outcome, FactorOutcome::Raced),
        "the earlier secret"
    );
    Ok(())
}

/// A session that is over, another person's or unknown begins nothing; nor does one of a stale epoch.
pub async fn an_enrolment_begins_in_an_own_live_session_alone(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    let foreign = world.opened(&world.founder).await?;
    let mut expired = world.session(&user);
    expired.idle_expires_at = AT;
    assert!(world.store.open_session(&expired, None, &[]).await?);
    let stale = world.opened(&user).await?;
    let change = PasswordChange {
        user: user.id,
        expected_epoch: user.epoch,
        password: super::super::world::password("$argon2id$second"),
        keep: None,
        at: AT,
        tokens_expire_at: later(300),
    };
    world.store.change_password(&change, &[]).await?;
    let event = [world.event(Action::FactorEnrolmentBegun)];
    for session in [&foreign, &expired, &stale, &world.session(&user)] {
        let asked = enrolment(&user, session);
        let outcome = world.store.begin_factor(&asked, None, AT, &event).await?;
        assert_eq!(outcome, FactorUseOutcome::Raced);
        let found = world.store.factor_enrolment(user.id, session.id).await?;
        assert_eq!(found, None);
    }
    world.expect_events(&[]).await
}

/// With a factor in force an enrolment uses a code of it up; without one there is none to use.
pub async fn who_has_a_factor_shows_it_for_another(store: Store) -> Done {
    let world = World::new(store).await?;
    let bare = world.member(world.org.id, "user", "viewer").await?;
    let plain = world.opened(&bare).await?;
    let (user, session) = with_factor(&world, &world.founder).await?;
    let store = &world.store;
    let step = FactorUse::Step(TotpStep::new(CONFIRMED + 1));
    let used = FactorUse::Step(TotpStep::new(CONFIRMED));
    let event = [world.event(Action::FactorEnrolmentBegun)];
    let asked = enrolment(&user, &session);
    let outcome = store.begin_factor(&asked, None, AT, &event).await?;
    assert_eq!(outcome, FactorUseOutcome::Raced, "without showing it");
    let outcome = store.begin_factor(&asked, Some(&used), AT, &event).await?;
    assert_eq!(outcome, FactorUseOutcome::Used);
    let none = enrolment(&bare, &plain);
    let outcome = store.begin_factor(&none, Some(&step), AT, &event).await?;
    assert_eq!(outcome, FactorUseOutcome::Raced, "there is none to show");
    assert_eq!(store.factor_enrolment(user.id, session.id).await?, None);
    world.expect_events(&[]).await?;
    let outcome = store.begin_factor(&asked, Some(&step), AT, &event).await?;
    assert_eq!(outcome, FactorUseOutcome::Done);
    let outcome = store.begin_factor(&asked, Some(&step), AT, &[]).await?;
    assert_eq!(outcome, FactorUseOutcome::Used, "a second time");
    Ok(())
}

/// The old secret and the old codes are gone, the new ones are in force.
pub async fn a_new_factor_replaces_the_old_with_its_codes(store: Store) -> Done {
    let world = World::new(store).await?;
    let (user, session) = with_factor(&world, &world.founder).await?;
    let store = &world.store;
    let mut asked = enrolment(&user, &session);
    asked.secret = sealed(2);
    let proof = FactorUse::Recovery(recovery(1));
    store.begin_factor(&asked, Some(&proof), AT, &[]).await?;
    assert_eq!(codes_left(&world, &user).await?, Some(9));
    let mut next = activation(&user, &session);
    next.secret = sealed(2);
    next.step = TotpStep::new(5);
    next.recovery = vec![recovery(21), recovery(22)];
    let outcome = store.activate_factor(&next, &[]).await?;
    assert!(matches!(outcome, FactorOutcome::Changed { .. }));
    let factor = store.second_factor(user.id).await?;
    assert!(factor.is_some_and(|factor| {
        factor.secret == sealed(2)
            && factor.last_step == TotpStep::new(5)
            && factor.recovery_codes_left == 2
    }));
    let mut session = world.session(&user);
    session.credential_epoch = user.epoch.next();
    let old = FactorUse::Recovery(recovery(2));
    let outcome = store
        .open_session_with_factor(&session, None, &old, &[])
        .await?;
    assert_eq!(outcome, FactorUseOutcome::Used);
    Ok(())
}

/// Of a race of confirmations, each by its own session, one factor comes into force.
pub async fn of_many_confirmations_one_wins(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.founder.clone();
    let mut sessions = Vec::new();
    for _ in 0..8 {
        let session = world.opened(&user).await?;
        let asked = enrolment(&user, &session);
        world.store.begin_factor(&asked, None, AT, &[]).await?;
        sessions.push(session);
    }
    let outcomes = race(sessions.iter().flat_map(|session| {
        let twice = [activation(&user, session), activation(&user, session)];
        twice.map(|activation| {
            let store = Arc::clone(&world.store);
            let event = world.event(Action::FactorActivated);
            async move { store.activate_factor(&activation, &[event]).await }
        })
    }))
    .await?;
    let won = outcomes
        .iter()
        .filter(|it| matches!(it, FactorOutcome::Changed { .. }));
    assert_eq!(won.count(), 1, "{outcomes:?}");
    assert_eq!(codes_left(&world, &user).await?, Some(10));
    assert_eq!(world.recorded().await?.len(), 1);
    assert_eq!(world.store.live_revocations(AT).await?.len(), 1);
    Ok(())
}
