//! Tokens that reset passwords.

use std::sync::Arc;

use super::world::{AT, Done, Store, World, later, password, race};
use crate::domain::audit::Action;
use crate::domain::{Revocation, RevocationEntry, TokenDigest, User};
use crate::ports::store::{NewReset, Reset};

fn armed(user: &User, token: &str, seconds: i64) -> NewReset {
    NewReset {
        user: user.id,
        epoch: user.epoch,
        token: TokenDigest::of(token),
        at: later(seconds),
        expires_at: later(seconds + 600),
        quiet_since: later(seconds - 60),
    }
}

fn used(user: &User, token: &str, seconds: i64) -> Reset {
    Reset {
        token: TokenDigest::of(token),
        user: user.id,
        password: password("$argon2id$reset"),
        at: later(seconds),
        tokens_expire_at: later(seconds + 300),
    }
}

/// The password is the new one, the epoch grows, every session ends, and the token is used up.
pub async fn a_token_resets_once_and_ends_everything(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    let session = world.opened(&user).await?;
    let theirs = world.opened(&world.founder).await?;
    let (asked, done) = (
        world.event(Action::PasswordResetRequested),
        world.event(Action::PasswordReset),
    );
    let (store, new) = (&world.store, armed(&user, "one", 1));
    assert!(store.arm_reset(&new, std::slice::from_ref(&asked)).await?);
    let token = TokenDigest::of("one");
    let owner = store.user_by_reset(&token, later(2)).await?;
    assert_eq!(owner.map(|owner| owner.id), Some(user.id));
    let mut wrong = used(&user, "one", 2);
    wrong.user = world.founder.id;
    assert_eq!(store.reset_password(&wrong, &[]).await?, None);
    let reset = used(&user, "one", 2);
    let events = std::slice::from_ref(&done);
    let entry = RevocationEntry {
        what: Revocation::User(user.id, user.epoch.next()),
        expires_at: later(302),
    };
    assert_eq!(store.reset_password(&reset, events).await?, Some(entry));
    assert_eq!(store.live_revocations(AT).await?, [entry]);
    let read = store.user(user.id).await?;
    let read = read.map(|user| {
        (
            user.epoch,
            user.password.map(|it| it.expose_phc().to_owned()),
        )
    });
    let expected = (user.epoch.next(), Some("$argon2id$reset".to_owned()));
    assert_eq!(read, Some(expected));
    assert!(!world.is_live(&session).await?);
    assert!(world.is_live(&theirs).await?);
    assert_eq!(store.reset_password(&reset, events).await?, None);
    assert!(store.user_by_reset(&token, later(2)).await?.is_none());
    world.expect_events(&[&asked, &done]).await
}

/// A token is good while `at < expires_at`, and only at the epoch it was made at.
pub async fn a_token_is_dead_after_its_time_and_at_another_epoch(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    let (store, token) = (&world.store, TokenDigest::of("one"));
    assert!(store.arm_reset(&armed(&user, "one", 0), &[]).await?);
    assert!(store.user_by_reset(&token, later(599)).await?.is_some());
    assert!(store.user_by_reset(&token, later(600)).await?.is_none());
    let late = used(&user, "one", 600);
    assert_eq!(store.reset_password(&late, &[]).await?, None);
    store
        .disable_user(user.id, later(1), later(300), &[])
        .await?;
    assert!(store.user_by_reset(&token, later(2)).await?.is_none());
    store.enable_user(user.id, &[]).await?;
    assert!(store.user_by_reset(&token, later(2)).await?.is_none());
    let reset = used(&user, "one", 2);
    assert_eq!(store.reset_password(&reset, &[]).await?, None);
    Ok(())
}

/// After a token another comes only after the interval; both are good then, and one use ends both.
pub async fn a_new_token_comes_after_the_interval_beside_the_last(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.founder.clone();
    let (store, event) = (&world.store, world.event(Action::PasswordResetRequested));
    assert!(store.arm_reset(&armed(&user, "one", 0), &[]).await?);
    let events = std::slice::from_ref(&event);
    assert!(!store.arm_reset(&armed(&user, "two", 59), events).await?);
    world.expect_events(&[]).await?;
    let (one, two) = (TokenDigest::of("one"), TokenDigest::of("two"));
    assert!(store.user_by_reset(&one, later(60)).await?.is_some());
    assert!(store.arm_reset(&armed(&user, "two", 60), events).await?);
    // A stranger who asks again and again takes nothing from who reads the first mail.
    for token in [&one, &two] {
        assert!(store.user_by_reset(token, later(61)).await?.is_some());
    }
    world.expect_events(&[&event]).await?;
    let reset = used(&user, "one", 61);
    assert!(store.reset_password(&reset, &[]).await?.is_some());
    for token in [&one, &two] {
        assert!(store.user_by_reset(token, later(62)).await?.is_none());
    }
    Ok(())
}

/// No token for an address that was never verified, a disabled account, another epoch or nobody.
pub async fn who_may_not_reset_gets_no_token(store: Store) -> Done {
    let world = World::new(store).await?;
    let mut unverified = world.user("unverified");
    unverified.email_verified = false;
    let unverified = world.joined(world.org.id, unverified, "viewer").await?;
    let disabled = world.member(world.org.id, "disabled", "viewer").await?;
    let store = &world.store;
    store
        .disable_user(disabled.id, later(1), later(300), &[])
        .await?;
    let mut stale = world.founder.clone();
    stale.epoch = stale.epoch.next();
    let mut off = disabled.clone();
    off.epoch = off.epoch.next();
    for user in [unverified, disabled, off, stale, world.user("nobody")] {
        let event = world.event(Action::PasswordResetRequested);
        assert!(!store.arm_reset(&armed(&user, "one", 2), &[event]).await?);
    }
    world.expect_events(&[]).await
}

/// Of a race of uses of one token one wins.
pub async fn of_many_uses_of_one_token_one_wins(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.founder.clone();
    assert!(world.store.arm_reset(&armed(&user, "one", 0), &[]).await?);
    let outcomes = race((0..12).map(|_| {
        let (store, reset) = (Arc::clone(&world.store), used(&user, "one", 1));
        let event = world.event(Action::PasswordReset);
        async move { store.reset_password(&reset, &[event]).await }
    }))
    .await?;
    assert_eq!(outcomes.iter().flatten().count(), 1);
    assert_eq!(world.recorded().await?.len(), 1);
    Ok(())
}

/// Of a race of requests one is given a token.
pub async fn of_many_requests_one_is_given_a_token(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.founder.clone();
    let given = race((0..12).map(|number| {
        let (store, reset) = (
            Arc::clone(&world.store),
            armed(&user, &format!("token {number}"), 1),
        );
        let event = world.event(Action::PasswordResetRequested);
        async move { store.arm_reset(&reset, &[event]).await }
    }))
    .await?;
    assert_eq!(given.iter().filter(|given| **given).count(), 1);
    assert_eq!(world.recorded().await?.len(), 1);
    Ok(())
}
