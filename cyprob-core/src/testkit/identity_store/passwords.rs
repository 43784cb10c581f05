//! Changing a password.

use std::sync::Arc;

use super::world::{AT, Done, Store, World, later, password, race};
use crate::domain::audit::Action;
use crate::domain::{Epoch, RefreshKeyId, Revocation, RevocationEntry, Session, SessionSeed, User};
use crate::ports::store::{PasswordChange, PasswordOutcome, StoreError};

fn change(user: &User, keep: Option<&Session>) -> PasswordChange {
    PasswordChange {
        user: user.id,
        expected_epoch: user.epoch,
        password: password("$argon2id$second"),
        keep: keep.map(|session| (session.id, SessionSeed::new([9; 32]), RefreshKeyId::new(8))),
        at: later(2),
        tokens_expire_at: later(300),
    }
}

fn revoked(user: &User) -> RevocationEntry {
    RevocationEntry {
        what: Revocation::User(user.id, user.epoch.next()),
        expires_at: later(300),
    }
}

async fn stored_password(world: &World, user: &User) -> Result<(String, Epoch), StoreError> {
    let user = world.store.user(user.id).await?;
    let found = user.and_then(|user| Some((user.password?.expose_phc().to_owned(), user.epoch)));
    Ok(found.unwrap_or_default())
}

/// The password and the epoch change, the kept session is re-keyed, the person's others end, other people's go on.
pub async fn a_new_password_ends_all_but_the_kept_session(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    let (kept, other) = (world.opened(&user).await?, world.opened(&user).await?);
    let stranger = world.opened(&world.founder).await?;
    let event = world.event(Action::PasswordChanged);
    let change = change(&user, Some(&kept));
    let outcome = world
        .store
        .change_password(&change, std::slice::from_ref(&event))
        .await?;
    let PasswordOutcome::Changed {
        session: Some(session),
        revoked: entries,
    } = outcome
    else {
        unreachable!("expected a kept session: {outcome:?}")
    };
    assert_eq!(entries, [revoked(&user)]);
    assert_eq!(world.store.live_revocations(AT).await?, entries);
    let stored = stored_password(&world, &user).await?;
    assert_eq!(stored, ("$argon2id$second".to_owned(), user.epoch.next()));
    let read = world.store.session(kept.id).await?.map(|it| it.session);
    for session in [Some(*session), read].into_iter().flatten() {
        assert_eq!(session.id, kept.id);
        assert_eq!(session.seed.expose_bytes(), &[9; 32]);
        assert_eq!(session.refresh.generation, 1);
        assert_eq!(session.refresh.key, RefreshKeyId::new(8));
        assert_eq!(session.refresh.previous_key, None);
        assert_eq!(session.refresh.rotated_at, later(2));
        assert_eq!(session.credential_epoch, user.epoch.next());
        assert_eq!(session.idle_expires_at, kept.idle_expires_at);
    }
    assert!(world.is_live(&kept).await?);
    assert!(!world.is_live(&other).await?);
    assert!(world.is_live(&stranger).await?);
    world.expect_events(&[&event]).await
}

/// Without a session to keep all of the person's end.
pub async fn a_new_password_without_a_kept_session_ends_all(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    let sessions = [world.opened(&user).await?, world.opened(&user).await?];
    let outcome = world
        .store
        .change_password(&change(&user, None), &[])
        .await?;
    assert!(matches!(
        outcome,
        PasswordOutcome::Changed { session: None, .. }
    ));
    for session in &sessions {
        let stored = world.store.session(session.id).await?;
        assert!(stored.is_some_and(|it| it.session.ended_at.is_some() && !it.is_live(later(2))));
    }
    Ok(())
}

/// Another person's session is not kept and not touched; an ended or expired one of one's own stays over.
pub async fn only_an_own_live_session_can_be_kept(store: Store) -> Done {
    let world = World::new(store).await?;
    let mut user = world.member(world.org.id, "user", "viewer").await?;
    let theirs = world.opened(&world.founder).await?;
    let mut expired = world.session(&user);
    expired.idle_expires_at = later(2);
    assert!(world.store.open_session(&expired, None, &[]).await?);
    for keep in [&theirs, &expired, &world.session(&user)] {
        let outcome = world
            .store
            .change_password(&change(&user, Some(keep)), &[])
            .await?;
        assert!(
            matches!(outcome, PasswordOutcome::Changed { session: None, .. }),
            "{outcome:?}"
        );
        user.epoch = user.epoch.next();
    }
    let stored = world.store.session(theirs.id).await?;
    assert!(stored.is_some_and(|it| {
        it.session.seed.expose_bytes() == theirs.seed.expose_bytes() && it.is_live(later(2))
    }));
    assert!(!world.is_live(&expired).await?);
    Ok(())
}

/// A password checked before the epoch moved on is not replaced; nothing changes, nothing is recorded.
pub async fn a_password_checked_at_another_epoch_loses(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.founder.clone();
    let session = world.opened(&user).await?;
    let event = world.event(Action::PasswordChanged);
    let mut stale = change(&user, None);
    stale.expected_epoch = user.epoch.next();
    let mut nobody = change(&user, None);
    nobody.user = world.id();
    for change in [stale, nobody] {
        let outcome = world
            .store
            .change_password(&change, std::slice::from_ref(&event))
            .await?;
        assert!(matches!(outcome, PasswordOutcome::Raced), "{outcome:?}");
    }
    let stored = stored_password(&world, &user).await?;
    assert_eq!(stored, ("$argon2id$first".to_owned(), user.epoch));
    assert!(world.is_live(&session).await?);
    assert!(world.store.live_revocations(AT).await?.is_empty());
    world.expect_events(&[]).await
}

/// Of a race of changes checked at one epoch one wins.
pub async fn of_many_new_passwords_one_wins(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.founder.clone();
    let outcomes = race((0..16).map(|n| {
        let store = Arc::clone(&world.store);
        let mut change = change(&user, None);
        change.password = password(&format!("$argon2id${n}"));
        let event = world.event(Action::PasswordChanged);
        async move { store.change_password(&change, &[event]).await }
    }))
    .await?;
    let winner = outcomes
        .iter()
        .position(|outcome| matches!(outcome, PasswordOutcome::Changed { .. }));
    let winners = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, PasswordOutcome::Changed { .. }));
    assert_eq!(winners.count(), 1);
    let stored = stored_password(&world, &user).await?;
    let hash = format!("$argon2id${}", winner.unwrap_or_default());
    assert_eq!(stored, (hash, user.epoch.next()));
    assert_eq!(world.recorded().await?.len(), 1);
    assert_eq!(world.store.live_revocations(AT).await?.len(), 1);
    Ok(())
}
