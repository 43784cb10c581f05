//! Keys of service accounts.

use std::sync::Arc;

use super::service_accounts::{deletion, made};
use super::world::{AT, Done, Store, World, later, race, role};
use crate::domain::audit::Action;
use crate::domain::{
    KeyHolder, Revocation, RevocationEntry, ServiceAccount, ServiceKey, Timestamp, TokenDigest,
};
use crate::ports::store::{AccountChange, AccountOutcome, AddKeyOutcome, KeyUse, StoreError};

fn draft(world: &World, account: &ServiceAccount) -> ServiceKey {
    let id = world.id();
    ServiceKey {
        id,
        account: account.id,
        digest: TokenDigest::of(&id.to_string()),
        created_at: AT,
        expires_at: later(60),
        last_used: None,
    }
}

/// Makes a key of an account of the founder's organization, good for a minute.
pub(super) async fn added(
    world: &World,
    account: &ServiceAccount,
) -> Result<ServiceKey, StoreError> {
    let key = draft(world, account);
    let outcome = world
        .store
        .add_service_key(&world.ctx(), &key, account.epoch, &[])
        .await?;
    assert_eq!(outcome, AddKeyOutcome::Added);
    Ok(key)
}

fn a_use(world: &World, account: &ServiceAccount, key: &ServiceKey, at: Timestamp) -> KeyUse {
    KeyUse {
        key: key.id,
        org: world.org.id,
        account: account.id,
        epoch: account.epoch,
        at,
        hour: AT,
    }
}

async fn keys(world: &World, account: &ServiceAccount) -> Result<Vec<ServiceKey>, StoreError> {
    let ctx = world.ctx();
    let view = world.store.service_account(&ctx, account.id).await?;
    Ok(view.map(|view| view.keys).unwrap_or_default())
}

/// Two keys of an account live, each found with its account and organization; a third is refused.
pub async fn two_keys_live_and_a_third_is_refused(store: Store) -> Done {
    let world = World::new(store).await?;
    let account = made(&world, world.org.id, "viewer").await?;
    let first = added(&world, &account).await?;
    let second = added(&world, &account).await?;
    let event = [world.event(Action::ServiceKeyCreated)];
    let third = draft(&world, &account);
    let outcome = world
        .store
        .add_service_key(&world.ctx(), &third, account.epoch, &event)
        .await?;
    assert_eq!(outcome, AddKeyOutcome::Full);
    world.expect_events(&[]).await?;
    let mut expected = vec![first, second];
    expected.sort_by_key(|key| key.id);
    assert_eq!(keys(&world, &account).await?, expected);
    for key in expected {
        let holder = KeyHolder {
            account: account.clone(),
            org: world.org.id,
            slug: world.org.slug.clone(),
            version: None,
            key: key.clone(),
        };
        assert_eq!(world.store.key_holder(key.id).await?, Some(holder));
    }
    assert_eq!(world.store.key_holder(third.id).await?, None);
    Ok(())
}

/// A key whose time has passed does not count, and is gone when a new one is made.
pub async fn a_dead_key_makes_room(store: Store) -> Done {
    let world = World::new(store).await?;
    let account = made(&world, world.org.id, "viewer").await?;
    let dead = added(&world, &account).await?;
    let mut living = draft(&world, &account);
    living.expires_at = later(600);
    let (store, ctx) = (&world.store, world.ctx());
    let outcome = store.add_service_key(&ctx, &living, account.epoch, &[]);
    assert_eq!(outcome.await?, AddKeyOutcome::Added);
    let next = ServiceKey {
        created_at: later(60),
        expires_at: later(600),
        ..draft(&world, &account)
    };
    let outcome = store.add_service_key(&ctx, &next, account.epoch, &[]);
    assert_eq!(outcome.await?, AddKeyOutcome::Added);
    let mut expected = vec![living, next];
    expected.sort_by_key(|key| key.id);
    assert_eq!(keys(&world, &account).await?, expected);
    assert_eq!(store.key_holder(dead.id).await?, None);
    Ok(())
}

/// Of many keys that are made in a race, two come to be.
pub async fn of_many_new_keys_two_are_good(store: Store) -> Done {
    let world = World::new(store).await?;
    for _ in 0..8 {
        let account = made(&world, world.org.id, "viewer").await?;
        let drafts = (0..5).map(|_| draft(&world, &account));
        let outcomes = race(drafts.map(|key| {
            let (store, ctx) = (Arc::clone(&world.store), world.ctx());
            let epoch = account.epoch;
            async move { store.add_service_key(&ctx, &key, epoch, &[]).await }
        }));
        let outcomes = outcomes.await?;
        let added = outcomes.iter().filter(|it| **it == AddKeyOutcome::Added);
        assert_eq!(added.count(), 2, "{outcomes:?}");
        assert_eq!(keys(&world, &account).await?.len(), 2);
    }
    Ok(())
}

/// A key is made only for the account as it was checked: not at another epoch, not for one that is gone.
pub async fn a_key_is_made_for_the_account_that_was_checked(store: Store) -> Done {
    let world = World::new(store).await?;
    let account = made(&world, world.org.id, "viewer").await?;
    let event = [world.event(Action::ServiceKeyCreated)];
    let (store, ctx) = (&world.store, world.ctx());
    let key = draft(&world, &account);
    let outcome = store.add_service_key(&ctx, &key, account.epoch.next(), &event);
    assert_eq!(outcome.await?, AddKeyOutcome::Raced);
    store
        .delete_service_account(&ctx, &deletion(&account), &[])
        .await?;
    let outcome = store.add_service_key(&ctx, &key, account.epoch, &event);
    assert_eq!(outcome.await?, AddKeyOutcome::Raced);
    assert_eq!(store.key_holder(key.id).await?, None);
    world.expect_events(&[]).await
}

/// A revoked key is gone and the end of its tokens is stored; a second call, and one for another account, finds none.
pub async fn a_revoked_key_is_gone(store: Store) -> Done {
    let world = World::new(store).await?;
    let account = made(&world, world.org.id, "viewer").await?;
    let other = made(&world, world.org.id, "viewer").await?;
    let (key, stays) = (
        added(&world, &account).await?,
        added(&world, &account).await?,
    );
    let (store, ctx) = (&world.store, world.ctx());
    let event = world.event(Action::ServiceKeyRevoked);
    let events = std::slice::from_ref(&event);
    let wrong = store.revoke_service_key(&ctx, other.id, key.id, later(300), events);
    assert_eq!(wrong.await?, None);
    let revoked = store.revoke_service_key(&ctx, account.id, key.id, later(300), events);
    let entry = RevocationEntry {
        what: Revocation::ServiceKey(world.org.id, key.id),
        expires_at: later(300),
    };
    assert_eq!(revoked.await?, Some(entry));
    assert_eq!(store.live_revocations(AT).await?, [entry]);
    let again = [world.event(Action::ServiceKeyRevoked)];
    let again = store.revoke_service_key(&ctx, account.id, key.id, later(300), &again);
    assert_eq!(again.await?, None);
    assert_eq!(store.key_holder(key.id).await?, None);
    assert_eq!(keys(&world, &account).await?, [stays]);
    world.expect_events(&[&event]).await
}

/// Each use is recorded; of its time the hour is kept, and an earlier hour changes nothing.
pub async fn a_use_is_kept_by_the_hour(store: Store) -> Done {
    let world = World::new(store).await?;
    let account = made(&world, world.org.id, "viewer").await?;
    let key = added(&world, &account).await?;
    let events = [(); 3].map(|()| world.event(Action::ServiceKeyExchanged));
    let hours = [later(3_600), later(3_600), AT];
    for (event, hour) in events.iter().zip(hours) {
        let used = KeyUse {
            hour,
            ..a_use(&world, &account, &key, later(1))
        };
        let events = std::slice::from_ref(event);
        assert!(world.store.use_key(&used, events).await?);
        let last = keys(&world, &account).await?;
        let last: Vec<_> = last.into_iter().map(|key| key.last_used).collect();
        assert_eq!(last, [Some(later(3_600))]);
    }
    world.expect_events(&events.each_ref()).await
}

/// A use at another epoch, past the key's end, of a revoked key or for another account is none.
pub async fn a_use_of_what_has_changed_is_none(store: Store) -> Done {
    let world = World::new(store).await?;
    let account = made(&world, world.org.id, "viewer").await?;
    let other = made(&world, world.org.id, "viewer").await?;
    let key = added(&world, &account).await?;
    let event = [world.event(Action::ServiceKeyExchanged)];
    let good = a_use(&world, &account, &key, later(59));
    let store = &world.store;
    for bad in [
        KeyUse {
            epoch: account.epoch.next(),
            ..good
        },
        KeyUse {
            at: later(60),
            ..good
        },
        KeyUse {
            account: other.id,
            ..good
        },
        KeyUse {
            org: world.id(),
            ..good
        },
        KeyUse {
            key: world.id(),
            ..good
        },
    ] {
        assert!(!store.use_key(&bad, &event).await?, "{bad:?}");
    }
    assert!(store.use_key(&good, &[]).await?);
    let change = AccountChange {
        account: account.id,
        from: account.epoch,
        role: Some((role("analyst"), None)),
        owner: None,
        tokens_expire_at: later(300),
    };
    store
        .change_service_account(&world.ctx(), &change, &[])
        .await?;
    assert!(!store.use_key(&good, &event).await?, "at the old epoch");
    let good = KeyUse {
        epoch: account.epoch.next(),
        ..good
    };
    assert!(store.use_key(&good, &[]).await?);
    store
        .revoke_service_key(&world.ctx(), account.id, key.id, later(300), &[])
        .await?;
    assert!(!store.use_key(&good, &event).await?, "of a revoked key");
    world.expect_events(&[]).await
}

/// A use and a deletion that race: the use comes before the deletion, or not at all.
pub async fn no_use_follows_a_deletion(store: Store) -> Done {
    let world = World::new(store).await?;
    for _ in 0..16 {
        let account = made(&world, world.org.id, "viewer").await?;
        let key = added(&world, &account).await?;
        let (used, deleted) = (
            world.event(Action::ServiceKeyExchanged),
            world.event(Action::ServiceAccountDeleted),
        );
        let (store, other, ctx) = (
            Arc::clone(&world.store),
            Arc::clone(&world.store),
            world.ctx(),
        );
        let a_use = a_use(&world, &account, &key, later(1));
        let (first, second) = (used.clone(), deleted.clone());
        let using = tokio::spawn(async move { store.use_key(&a_use, &[first]).await });
        let account = account.clone();
        let deleting = tokio::spawn(async move {
            other
                .delete_service_account(&ctx, &deletion(&account), &[second])
                .await
        });
        let (Ok(held), Ok(gone)) = (using.await, deleting.await) else {
            unreachable!("a racer panicked")
        };
        assert!(matches!(gone?, AccountOutcome::Changed(_)));
        let recorded = world.recorded().await?;
        let place = |id| recorded.iter().position(|event| *event == id);
        if held? {
            assert!(place(used.id) < place(deleted.id), "a use after the end");
        } else {
            assert_eq!(place(used.id), None);
        }
    }
    Ok(())
}

/// One organization makes and revokes no key of another's account.
pub async fn another_organization_touches_no_key(store: Store) -> Done {
    let world = World::new(store).await?;
    let (other, _) = world.second_org("other").await?;
    let account = made(&world, world.org.id, "viewer").await?;
    let key = added(&world, &account).await?;
    let (store, theirs) = (&world.store, world.ctx_of(other.id));
    let event = [world.event(Action::ServiceKeyRevoked)];
    let revoked = store.revoke_service_key(&theirs, account.id, key.id, later(300), &event);
    assert_eq!(revoked.await?, None);
    let more = draft(&world, &account);
    let outcome = store.add_service_key(&theirs, &more, account.epoch, &event);
    assert_eq!(outcome.await?, AddKeyOutcome::Raced);
    assert_eq!(keys(&world, &account).await?, [key]);
    assert!(store.live_revocations(AT).await?.is_empty());
    world.expect_events(&[]).await
}
