//! Changes of addresses.

use std::sync::Arc;
use std::time::Duration;

use super::world::{Done, Store, World, email, later, race};
use crate::domain::audit::Action;
use crate::domain::{EmailChange, EmailChangeId, Id as _, Timestamp, TokenDigest, User};
use crate::ports::store::{AskOutcome, EmailOutcome, EmailStep, NewEmailChange, StoreError};

impl World {
    fn asked(&self, user: &User, to: &str, token: &str, seconds: i64) -> NewEmailChange {
        NewEmailChange {
            change: EmailChange {
                id: self.id(),
                user: user.id,
                from: user.email.clone(),
                to: email(to),
                epoch: user.epoch,
                expires_at: later(seconds + 600),
            },
            token: TokenDigest::of(token),
            at: later(seconds),
            quiet_since: later(seconds - 60),
        }
    }

    /// Asks for a change and confirms it.
    async fn changed(
        &self,
        user: &User,
        to: &str,
        seconds: i64,
    ) -> Result<(EmailChange, User), StoreError> {
        self.change(self.asked(user, to, to, seconds)).await
    }

    /// Asks for this change and confirms it; its token is the new address.
    async fn change(&self, ask: NewEmailChange) -> Result<(EmailChange, User), StoreError> {
        let asked = self.store.ask_email(&ask, &[]).await?;
        assert_eq!(asked, AskOutcome::Asked);
        let confirm = EmailStep {
            change: ask.change.id,
            token: ask.token,
            at: ask.at,
            tokens_expire_at: ask.at.after(Duration::from_secs(300)),
        };
        let outcome = self
            .store
            .confirm_email(&confirm, later(3_600), &[])
            .await?;
        assert!(matches!(outcome, EmailOutcome::Changed(_)), "{outcome:?}");
        let user = self.store.user(ask.change.user).await?;
        Ok((
            ask.change,
            user.unwrap_or_else(|| unreachable!("it is there")),
        ))
    }
}

fn step(change: &EmailChange, token: &str, seconds: i64) -> EmailStep {
    EmailStep {
        change: change.id,
        token: TokenDigest::of(token),
        at: later(seconds),
        tokens_expire_at: later(seconds + 300),
    }
}

/// The account has the address, verified; the one before is free; sessions end; the token is used up.
pub async fn a_confirmed_address_is_the_persons_and_ends_everything(store: Store) -> Done {
    let world = World::new(store).await?;
    let mut user = world.user("user");
    user.email_verified = false;
    let user = world.joined(world.org.id, user, "viewer").await?;
    let session = world.opened(&user).await?;
    let (store, ask) = (&world.store, world.asked(&user, "new", "one", 0));
    let events = [
        world.event(Action::EmailChangeRequested),
        world.event(Action::EmailChanged),
    ];
    let [first, second] = [&events[..1], &events[1..]];
    assert_eq!(store.ask_email(&ask, first).await?, AskOutcome::Asked);
    let token = TokenDigest::of("one");
    let open = store.email_change(&token, later(1)).await?;
    assert_eq!(open.as_ref(), Some(&ask.change));
    assert!(world.is_live(&session).await?);
    let confirm = step(&ask.change, "one", 1);
    let outcome = store.confirm_email(&confirm, later(900), second).await?;
    assert!(matches!(outcome, EmailOutcome::Changed(_)), "{outcome:?}");
    let read = store.user_by_email(&email("new")).await?;
    let read = read.map(|read| (read.id, read.email_verified, read.epoch));
    assert_eq!(read, Some((user.id, true, user.epoch.next())));
    assert!(store.user_by_email(&email("user")).await?.is_none());
    assert!(!world.is_live(&session).await?);
    assert_eq!(store.live_revocations(later(1)).await?.len(), 1);
    let again = store.confirm_email(&confirm, later(900), second).await?;
    assert_eq!(again, EmailOutcome::Gone);
    world.expect_events(&[&events[0], &events[1]]).await
}

/// A change to the address that is there only says that it is verified: sessions go on.
pub async fn an_own_address_is_only_verified(store: Store) -> Done {
    let world = World::new(store).await?;
    let mut user = world.user("user");
    user.email_verified = false;
    let user = world.joined(world.org.id, user, "viewer").await?;
    let session = world.opened(&user).await?;
    let (store, ask) = (&world.store, world.asked(&user, "user", "one", 0));
    assert_eq!(store.ask_email(&ask, &[]).await?, AskOutcome::Asked);
    let confirm = step(&ask.change, "one", 1);
    let outcome = store.confirm_email(&confirm, later(900), &[]).await?;
    assert_eq!(outcome, EmailOutcome::Verified);
    let read = store.user(user.id).await?;
    let read = read.map(|read| (read.email, read.email_verified, read.epoch));
    assert_eq!(read, Some((user.email, true, user.epoch)));
    assert!(world.is_live(&session).await?);
    let again = store.confirm_email(&confirm, later(900), &[]).await?;
    assert_eq!(again, EmailOutcome::Gone);
    Ok(())
}

/// A change is open while `at < expires_at`, and only at the epoch it was asked for at.
pub async fn a_change_is_dead_after_its_time_and_at_another_epoch(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    let (store, ask) = (&world.store, world.asked(&user, "new", "one", 0));
    let token = TokenDigest::of("one");
    assert_eq!(store.ask_email(&ask, &[]).await?, AskOutcome::Asked);
    assert!(store.email_change(&token, later(599)).await?.is_some());
    assert!(store.email_change(&token, later(600)).await?.is_none());
    let late = step(&ask.change, "one", 600);
    let outcome = store.confirm_email(&late, later(900), &[]).await?;
    assert_eq!(outcome, EmailOutcome::Gone);
    store
        .disable_user(user.id, later(1), later(300), &[])
        .await?;
    store.enable_user(user.id, &[]).await?;
    let confirm = step(&ask.change, "one", 2);
    let outcome = store.confirm_email(&confirm, later(900), &[]).await?;
    assert_eq!(outcome, EmailOutcome::Gone);
    let stale = world.asked(&user, "new", "two", 120);
    assert_eq!(store.ask_email(&stale, &[]).await?, AskOutcome::Raced);
    Ok(())
}

/// A change asked for after `quiet_since` stands; an older one is gone as soon as another is asked for.
pub async fn a_new_change_replaces_the_open_one_after_the_interval(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.founder.clone();
    let store = &world.store;
    let first = world.asked(&user, "one", "one", 0);
    assert_eq!(store.ask_email(&first, &[]).await?, AskOutcome::Asked);
    let young = world.asked(&user, "two", "two", 59);
    assert_eq!(store.ask_email(&young, &[]).await?, AskOutcome::TooSoon);
    let second = world.asked(&user, "two", "two", 60);
    assert_eq!(store.ask_email(&second, &[]).await?, AskOutcome::Asked);
    let (one, two) = (TokenDigest::of("one"), TokenDigest::of("two"));
    assert!(store.email_change(&one, later(61)).await?.is_none());
    assert!(store.email_change(&two, later(61)).await?.is_some());
    Ok(())
}

/// An address that another account has by then is not given away, and the change stays open.
pub async fn an_address_that_is_taken_meanwhile_changes_nothing(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.founder.clone();
    let (store, ask) = (&world.store, world.asked(&user, "new", "one", 0));
    assert_eq!(store.ask_email(&ask, &[]).await?, AskOutcome::Asked);
    let other = world.member(world.org.id, "new", "viewer").await?;
    let confirm = step(&ask.change, "one", 1);
    let event = world.event(Action::EmailChanged);
    let outcome = store.confirm_email(&confirm, later(900), &[event]).await?;
    assert_eq!(outcome, EmailOutcome::Taken);
    let owner = store.user_by_email(&email("new")).await?;
    assert_eq!(owner.map(|owner| owner.id), Some(other.id));
    let read = store.user(user.id).await?;
    assert_eq!(read.map(|read| read.epoch), Some(user.epoch));
    world.expect_events(&[]).await
}

/// Of a race of people for one address one gets it, and the others keep theirs.
pub async fn of_many_for_one_address_one_wins(store: Store) -> Done {
    let world = World::new(store).await?;
    let mut steps = Vec::new();
    for n in 0..8 {
        let user = world
            .member(world.org.id, &format!("user{n}"), "viewer")
            .await?;
        let token = format!("token{n}");
        let ask = world.asked(&user, "wanted", &token, 0);
        assert_eq!(world.store.ask_email(&ask, &[]).await?, AskOutcome::Asked);
        steps.push(step(&ask.change, &token, 1));
    }
    let outcomes = race(steps.into_iter().map(|step| {
        let store = Arc::clone(&world.store);
        async move { store.confirm_email(&step, later(900), &[]).await }
    }))
    .await?;
    let won = |outcome: &&EmailOutcome| matches!(outcome, EmailOutcome::Changed(_));
    assert_eq!(outcomes.iter().filter(won).count(), 1, "{outcomes:?}");
    let lost = |outcome: &&EmailOutcome| **outcome == EmailOutcome::Taken;
    assert_eq!(outcomes.iter().filter(lost).count(), 7, "{outcomes:?}");
    Ok(())
}

/// An objection restores the address, voids the password, ends sessions, and what was changed since is gone.
pub async fn an_objection_takes_the_change_and_all_later_ones_back(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    let (first, moved) = world.changed(&user, "second", 0).await?;
    // Later by the account's epoch, whatever a node's clock made of the id.
    let mut ask = world.asked(&moved, "third", "third", 100);
    ask.change.id = EmailChangeId::from_random(Timestamp::UNIX_EPOCH, [0; 10]);
    let (later_one, moved) = world.change(ask).await?;
    let session = world.opened(&moved).await?;
    let store = &world.store;
    for (change, token) in [(&first, "objection"), (&later_one, "another")] {
        let armed = store
            .arm_objection(change.id, TokenDigest::of(token), later(200))
            .await?;
        assert_eq!(armed, Some((change.clone(), later(3_600))));
    }
    let token = TokenDigest::of("objection");
    let found = store.email_objection(&token, later(200)).await?;
    assert_eq!(found.as_ref(), Some(&first));
    let event = world.event(Action::EmailChangeObjected);
    let object = step(&first, "objection", 200);
    let events = std::slice::from_ref(&event);
    let outcome = store.object_to_email(&object, events).await?;
    assert!(matches!(outcome, EmailOutcome::Changed(_)), "{outcome:?}");
    let read = store.user(user.id).await?;
    let read = read.map(|it| (it.email, it.email_verified, it.password.is_none(), it.epoch));
    let expected = (user.email.clone(), true, true, moved.epoch.next());
    assert_eq!(read, Some(expected));
    assert!(!world.is_live(&session).await?);
    for (change, token) in [(&first, "objection"), (&later_one, "another")] {
        let outcome = store
            .object_to_email(&step(change, token, 201), &[])
            .await?;
        assert_eq!(outcome, EmailOutcome::Gone);
    }
    world.expect_events(&[&event]).await
}

/// While a change may be objected to, nobody else gets the address: neither by a change nor with a new account.
pub async fn an_address_is_kept_while_its_person_may_object(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    world.changed(&user, "second", 0).await?;
    let store = &world.store;
    let other = world.member(world.org.id, "other", "viewer").await?;
    let ask = world.asked(&other, "user", "one", 3_000);
    assert_eq!(store.ask_email(&ask, &[]).await?, AskOutcome::Asked);
    let outcome = store
        .confirm_email(&step(&ask.change, "one", 3_599), later(9_999), &[])
        .await?;
    assert_eq!(outcome, EmailOutcome::Taken);
    // Its own person may take it back.
    let read = store.user(user.id).await?;
    let moved = read.unwrap_or_else(|| unreachable!("it is there"));
    let (_, back) = world.changed(&moved, "user", 100).await?;
    assert_eq!(back.email, user.email);
    Ok(())
}

/// Of an address that nobody verified no change is open to objection: whose it is is not known.
pub async fn nobody_objects_from_an_unverified_address(store: Store) -> Done {
    let world = World::new(store).await?;
    let mut user = world.user("user");
    user.email_verified = false;
    let user = world.joined(world.org.id, user, "viewer").await?;
    let (change, _) = world.changed(&user, "second", 0).await?;
    let token = TokenDigest::of("objection");
    let store = &world.store;
    assert_eq!(store.arm_objection(change.id, token, later(1)).await?, None);
    assert!(store.email_objection(&token, later(1)).await?.is_none());
    Ok(())
}

/// A change is open to objection while `at < object_until`; a new token for it replaces the last.
pub async fn an_objection_is_open_for_its_time(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    let store = &world.store;
    let ask = world.asked(&user, "new", "one", 0);
    assert_eq!(store.ask_email(&ask, &[]).await?, AskOutcome::Asked);
    let (one, two) = (TokenDigest::of("first"), TokenDigest::of("second"));
    let open = store.arm_objection(ask.change.id, one, later(1)).await?;
    assert_eq!(open, None, "not confirmed yet");
    let confirm = step(&ask.change, "one", 1);
    store.confirm_email(&confirm, later(900), &[]).await?;
    for token in [one, two] {
        let armed = store.arm_objection(ask.change.id, token, later(2)).await?;
        assert!(armed.is_some());
    }
    assert!(store.email_objection(&one, later(3)).await?.is_none());
    assert!(store.email_objection(&two, later(899)).await?.is_some());
    assert!(store.email_objection(&two, later(900)).await?.is_none());
    let late = step(&ask.change, "second", 900);
    let outcome = store.object_to_email(&late, &[]).await?;
    assert_eq!(outcome, EmailOutcome::Gone);
    let late = store.arm_objection(ask.change.id, one, later(900)).await?;
    assert_eq!(late, None);
    Ok(())
}

/// Sweeping drops what can neither be confirmed nor objected to, and counts it.
pub async fn sweeping_drops_changes_that_are_over(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    world.changed(&user, "new", 0).await?;
    let open = world.asked(&world.founder, "other", "other", 0);
    assert_eq!(world.store.ask_email(&open, &[]).await?, AskOutcome::Asked);
    assert_eq!(world.store.sweep_email_changes(later(599)).await?, 0);
    assert_eq!(world.store.sweep_email_changes(later(600)).await?, 1);
    assert_eq!(world.store.sweep_email_changes(later(3_600)).await?, 1);
    assert_eq!(world.store.sweep_email_changes(later(9_999)).await?, 0);
    Ok(())
}
