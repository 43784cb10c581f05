//! Service accounts.

use std::sync::Arc;

use super::world::{AT, Done, Store, World, display, later, race, role, walk};
use crate::domain::audit::Action;
use crate::domain::{
    Epoch, OrgId, Revocation, RevocationEntry, ServiceAccount, ServiceAccountView, UserId,
};
use crate::ports::store::{
    AccountChange, AccountDeletion, AccountOutcome, CreateAccountOutcome, RoleChange, StoreError,
};

/// An account that is not stored yet, for which the founder answers.
pub(super) fn draft(world: &World, as_role: &str) -> ServiceAccount {
    ServiceAccount {
        id: world.id(),
        name: display("Pipeline"),
        role: role(as_role),
        owner: world.founder.id,
        epoch: Epoch::FIRST,
        created_at: AT,
    }
}

/// Makes an account in an organization.
pub(super) async fn made(
    world: &World,
    org: OrgId,
    as_role: &str,
) -> Result<ServiceAccount, StoreError> {
    let account = draft(world, as_role);
    let ctx = world.ctx_of(org);
    let outcome = world
        .store
        .create_service_account(&ctx, &account, None, &[])
        .await?;
    assert_eq!(outcome, CreateAccountOutcome::Created);
    Ok(account)
}

fn to_role(account: &ServiceAccount, name: &str) -> AccountChange {
    AccountChange {
        account: account.id,
        from: account.epoch,
        role: Some((role(name), None)),
        owner: None,
        tokens_expire_at: later(300),
    }
}

fn to_owner(account: &ServiceAccount, owner: UserId) -> AccountChange {
    AccountChange {
        role: None,
        owner: Some(owner),
        ..to_role(account, "viewer")
    }
}

/// How an account is deleted that is still as it was made.
pub(super) const fn deletion(account: &ServiceAccount) -> AccountDeletion {
    AccountDeletion {
        account: account.id,
        from: account.epoch,
        at: later(5),
        tokens_expire_at: later(300),
    }
}

const fn revocation(org: OrgId, account: &ServiceAccount) -> RevocationEntry {
    RevocationEntry {
        what: Revocation::Service(org, account.id, account.epoch.next()),
        expires_at: later(300),
    }
}

async fn view(
    world: &World,
    account: &ServiceAccount,
) -> Result<Option<ServiceAccountView>, StoreError> {
    world.store.service_account(&world.ctx(), account.id).await
}

/// An account is found as it was made, without keys, with its event; its role is told to who holds an invitation of it.
pub async fn an_account_comes_back_as_it_was(store: Store) -> Done {
    let world = World::new(store).await?;
    let account = draft(&world, "operator");
    let event = world.event(Action::ServiceAccountCreated);
    let outcome = world
        .store
        .create_service_account(&world.ctx(), &account, None, std::slice::from_ref(&event))
        .await?;
    assert_eq!(outcome, CreateAccountOutcome::Created);
    let expected = ServiceAccountView {
        account: account.clone(),
        owner_left: false,
        keys: Vec::new(),
    };
    assert_eq!(view(&world, &account).await?, Some(expected));
    let store = &world.store;
    let held = store.role_of_service(world.org.id, account.id).await?;
    assert_eq!(held, Some(role("operator")));
    let ghost = store.service_account(&world.ctx(), world.id()).await?;
    assert_eq!(ghost, None);
    let nothing = store.role_of_service(world.org.id, world.id()).await?;
    assert_eq!(nothing, None);
    world.expect_events(&[&event]).await
}

/// An organization's accounts come oldest first.
pub async fn accounts_come_in_pages(store: Store) -> Done {
    let world = World::new(store).await?;
    let (other, _) = world.second_org("other").await?;
    made(&world, other.id, "viewer").await?;
    let mut all = Vec::new();
    for _ in 0..5 {
        all.push(made(&world, world.org.id, "viewer").await?.id);
    }
    all.sort();
    for limit in [1, 2, 5, 100] {
        let listed = walk(limit, |page| {
            let (store, ctx) = (Arc::clone(&world.store), world.ctx());
            async move { store.service_accounts(&ctx, &page).await }
        });
        let listed = listed.await?.into_iter();
        let listed: Vec<_> = listed.map(|view| view.account.id).collect();
        assert_eq!(listed, all);
    }
    Ok(())
}

/// A new role is in force with the next epoch, whose revocation is stored and returned.
pub async fn a_change_grows_the_epoch_and_is_revoked(store: Store) -> Done {
    let world = World::new(store).await?;
    let account = made(&world, world.org.id, "viewer").await?;
    let event = world.event(Action::ServiceAccountChanged);
    let outcome = world
        .store
        .change_service_account(
            &world.ctx(),
            &to_role(&account, "analyst"),
            std::slice::from_ref(&event),
        )
        .await?;
    let entry = revocation(world.org.id, &account);
    assert_eq!(outcome, AccountOutcome::Changed(entry));
    assert_eq!(world.store.live_revocations(AT).await?, [entry]);
    let after = view(&world, &account).await?.map(|view| view.account);
    let expected = ServiceAccount {
        role: role("analyst"),
        epoch: account.epoch.next(),
        ..account
    };
    assert_eq!(after, Some(expected));
    world.expect_events(&[&event]).await
}

/// A change or deletion that was checked at another epoch changes and records nothing.
pub async fn a_change_checked_at_another_epoch_loses(store: Store) -> Done {
    let world = World::new(store).await?;
    let account = made(&world, world.org.id, "viewer").await?;
    let event = [world.event(Action::ServiceAccountChanged)];
    let stale = ServiceAccount {
        epoch: account.epoch.next(),
        ..account.clone()
    };
    let ghost = draft(&world, "viewer");
    for other in [stale, ghost] {
        let change = to_role(&other, "owner");
        let (store, ctx) = (&world.store, world.ctx());
        let outcome = store.change_service_account(&ctx, &change, &event).await?;
        assert_eq!(outcome, AccountOutcome::Raced);
        let outcome = store
            .delete_service_account(&ctx, &deletion(&other), &event)
            .await?;
        assert_eq!(outcome, AccountOutcome::Raced);
    }
    let stored = view(&world, &account).await?.map(|view| view.account);
    assert_eq!(stored, Some(account));
    assert!(world.store.live_revocations(AT).await?.is_empty());
    world.expect_events(&[]).await
}

/// Of many changes that were checked at one epoch, one takes effect.
pub async fn of_many_changes_at_one_epoch_one_wins(store: Store) -> Done {
    let world = World::new(store).await?;
    for _ in 0..8 {
        let account = made(&world, world.org.id, "viewer").await?;
        let racers = ["analyst", "operator", "auditor"].map(|to| {
            let (store, ctx) = (Arc::clone(&world.store), world.ctx());
            let change = to_role(&account, to);
            async move { store.change_service_account(&ctx, &change, &[]).await }
        });
        let outcomes = race(racers).await?;
        let changed = outcomes.iter();
        let changed = changed.filter(|it| matches!(it, AccountOutcome::Changed(_)));
        assert_eq!(changed.count(), 1, "{outcomes:?}");
    }
    Ok(())
}

/// An account outlives its owner's membership and says so; another member can answer for it, and nobody else.
pub async fn an_owner_who_leaves_is_told_and_another_takes_over(store: Store) -> Done {
    let world = World::new(store).await?;
    let (_, stranger) = world.second_org("other").await?;
    let leaver = world.member(world.org.id, "leaver", "viewer").await?;
    let heir = world.member(world.org.id, "heir", "viewer").await?;
    let mut account = made(&world, world.org.id, "viewer").await?;
    let (store, ctx) = (&world.store, world.ctx());
    let change = to_owner(&account, leaver.id);
    let outcome = store.change_service_account(&ctx, &change, &[]).await?;
    assert!(matches!(outcome, AccountOutcome::Changed(_)), "{outcome:?}");
    account.epoch = account.epoch.next();
    let removal = RoleChange {
        user: leaver.id,
        from: role("viewer"),
        to: None,
        version: None,
        at: later(2),
        tokens_expire_at: later(300),
    };
    assert!(
        !view(&world, &account)
            .await?
            .is_some_and(|it| it.owner_left)
    );
    store.change_role(&ctx, &removal, &[]).await?;
    let left = view(&world, &account).await?;
    assert!(left.is_some_and(|it| it.owner_left && it.account.owner == leaver.id));
    let event = [world.event(Action::ServiceAccountChanged)];
    for nobody in [stranger.id, leaver.id] {
        let change = to_owner(&account, nobody);
        let outcome = store.change_service_account(&ctx, &change, &event).await?;
        assert_eq!(outcome, AccountOutcome::Raced);
    }
    world.expect_events(&[]).await?;
    let change = to_owner(&account, heir.id);
    store.change_service_account(&ctx, &change, &[]).await?;
    let kept = view(&world, &account).await?;
    assert!(kept.is_some_and(|it| !it.owner_left && it.account.owner == heir.id));
    Ok(())
}

/// A deleted account is gone with its keys, and the end of its tokens is stored.
pub async fn a_deleted_account_is_gone_with_its_keys(store: Store) -> Done {
    let world = World::new(store).await?;
    let account = made(&world, world.org.id, "viewer").await?;
    let stays = made(&world, world.org.id, "viewer").await?;
    let key = super::service_keys::added(&world, &account).await?;
    let other = super::service_keys::added(&world, &stays).await?;
    let event = world.event(Action::ServiceAccountDeleted);
    let (store, ctx) = (&world.store, world.ctx());
    let events = std::slice::from_ref(&event);
    let outcome = store
        .delete_service_account(&ctx, &deletion(&account), events)
        .await?;
    let entry = revocation(world.org.id, &account);
    assert_eq!(outcome, AccountOutcome::Changed(entry));
    assert_eq!(store.live_revocations(AT).await?, [entry]);
    assert_eq!(view(&world, &account).await?, None);
    assert_eq!(store.key_holder(key.id).await?, None);
    assert!(store.key_holder(other.id).await?.is_some());
    world.expect_events(&[&event]).await
}

/// No look-up, change or deletion of one organization reaches another's account.
pub async fn another_organization_has_none_of_them(store: Store) -> Done {
    let world = World::new(store).await?;
    let (other, _) = world.second_org("other").await?;
    let account = made(&world, world.org.id, "viewer").await?;
    let (store, theirs) = (&world.store, world.ctx_of(other.id));
    assert_eq!(store.service_account(&theirs, account.id).await?, None);
    assert_eq!(store.role_of_service(other.id, account.id).await?, None);
    let page = store.service_accounts(&theirs, &Default::default()).await?;
    assert!(page.items.is_empty());
    let event = [world.event(Action::ServiceAccountChanged)];
    let change = to_role(&account, "admin");
    let outcome = store.change_service_account(&theirs, &change, &event);
    assert_eq!(outcome.await?, AccountOutcome::Raced);
    let gone = deletion(&account);
    let outcome = store.delete_service_account(&theirs, &gone, &event);
    assert_eq!(outcome.await?, AccountOutcome::Raced);
    assert!(view(&world, &account).await?.is_some());
    assert!(store.live_revocations(AT).await?.is_empty());
    world.expect_events(&[]).await
}
