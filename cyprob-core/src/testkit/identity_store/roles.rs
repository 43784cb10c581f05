//! Roles that organizations define.

use std::sync::Arc;

use super::role_grants::grant;
use super::world::{AT, Done, Store, World, later, race, role, walk};
use crate::domain::audit::Action;
use crate::domain::{
    CustomRole, Epoch, OrgId, PermissionNames, Revocation, RevocationEntry, RoleVersion,
};
use crate::ports::store::{
    CreateRoleOutcome, DeleteRoleOutcome, EditRoleOutcome, MAX_ROLES, MemberOutcome, RoleDeletion,
    RoleEdit, StoreError,
};

pub(super) fn names(text: &str) -> PermissionNames {
    match text.parse() {
        Ok(names) => names,
        Err(_) => unreachable!("permissions of the suite are refused: {text}"),
    }
}

fn draft(world: &World, name: &str) -> CustomRole {
    CustomRole {
        version: RoleVersion {
            id: world.id(),
            epoch: Epoch::FIRST,
        },
        name: role(name),
        permissions: names("org:read runs:read"),
        created_at: AT,
        updated_at: later(1),
    }
}

/// Defines a role in an organization.
pub(super) async fn defined(
    world: &World,
    org: OrgId,
    name: &str,
) -> Result<CustomRole, StoreError> {
    let role = draft(world, name);
    let outcome = world
        .store
        .create_role(&world.ctx_of(org), &role, &[])
        .await?;
    assert_eq!(outcome, CreateRoleOutcome::Created);
    Ok(role)
}

pub(super) fn edit(from: RoleVersion, to: &str) -> RoleEdit {
    RoleEdit {
        from,
        permissions: names(to),
        at: later(5),
        tokens_expire_at: later(300),
    }
}

pub(super) const fn deletion(from: RoleVersion) -> RoleDeletion {
    RoleDeletion {
        from,
        at: later(5),
        tokens_expire_at: later(300),
    }
}

pub(super) const fn next(version: RoleVersion) -> RoleVersion {
    RoleVersion {
        id: version.id,
        epoch: version.epoch.next(),
    }
}

/// A role is found by its name and by its id as it was defined, with its event.
pub async fn a_role_comes_back_as_it_was(store: Store) -> Done {
    let world = World::new(store).await?;
    let (ctx, made) = (world.ctx(), draft(&world, "triage"));
    let event = world.event(Action::RoleCreated);
    let events = std::slice::from_ref(&event);
    let outcome = world.store.create_role(&ctx, &made, events).await?;
    assert_eq!(outcome, CreateRoleOutcome::Created);
    let store = &world.store;
    assert_eq!(store.role(&ctx, &made.name).await?.as_ref(), Some(&made));
    let by_id = store.role_by_id(&ctx, made.version.id).await?;
    assert_eq!(by_id.as_ref(), Some(&made));
    let before_a_token = store.role_in(world.org.id, &made.name).await?;
    assert_eq!(before_a_token, Some(made));
    assert_eq!(store.role(&ctx, &role("other")).await?, None);
    assert_eq!(store.role_by_id(&ctx, world.id()).await?, None);
    world.expect_events(&[&event]).await
}

/// A name is an organization's own: a second role of it is refused there, and free elsewhere.
pub async fn a_taken_name_changes_nothing(store: Store) -> Done {
    let world = World::new(store).await?;
    let (other, _) = world.second_org("other").await?;
    let first = defined(&world, world.org.id, "triage").await?;
    let mut second = draft(&world, "triage");
    second.permissions = names("org:write");
    let event = [world.event(Action::RoleCreated)];
    let outcome = world.store.create_role(&world.ctx(), &second, &event).await;
    assert_eq!(outcome?, CreateRoleOutcome::NameTaken);
    let stored = world.store.role(&world.ctx(), &first.name).await?;
    assert_eq!(stored.as_ref(), Some(&first));
    world.expect_events(&[]).await?;
    defined(&world, other.id, "triage").await?;
    assert_eq!(world.store.role(&world.ctx(), &first.name).await?, stored);
    Ok(())
}

/// Of many who race for one name, one defines the role.
pub async fn of_many_for_one_name_one_wins(store: Store) -> Done {
    let world = World::new(store).await?;
    for round in 0..4 {
        let drafts = (0..4).map(|_| draft(&world, &format!("role{round}")));
        let outcomes = race(drafts.map(|made| {
            let (store, ctx) = (Arc::clone(&world.store), world.ctx());
            async move { store.create_role(&ctx, &made, &[]).await }
        }));
        let outcomes = outcomes.await?;
        let created = outcomes.iter();
        let created = created.filter(|it| **it == CreateRoleOutcome::Created);
        assert_eq!(created.count(), 1, "{outcomes:?}");
    }
    Ok(())
}

/// An organization's own roles come oldest first.
pub async fn roles_come_in_pages(store: Store) -> Done {
    let world = World::new(store).await?;
    let (other, _) = world.second_org("other").await?;
    defined(&world, other.id, "theirs").await?;
    let mut made = Vec::new();
    for number in 0..7 {
        made.push(defined(&world, world.org.id, &format!("role{number}")).await?);
    }
    made.sort_by_key(|role| role.version.id);
    let ctx = world.ctx();
    for limit in [1, 3, 7, 100] {
        let all = walk(limit, |page| {
            let (store, ctx) = (Arc::clone(&world.store), ctx.clone());
            async move { store.roles(&ctx, &page).await }
        });
        assert_eq!(all.await?, made);
    }
    Ok(())
}

/// An organization defines so many roles and no more; another one still can.
pub async fn an_organization_defines_a_bounded_number(store: Store) -> Done {
    let world = World::new(store).await?;
    let (other, _) = world.second_org("other").await?;
    for number in 0..MAX_ROLES {
        defined(&world, world.org.id, &format!("role{number}")).await?;
    }
    let event = [world.event(Action::RoleCreated)];
    let more = draft(&world, "more");
    let outcome = world.store.create_role(&world.ctx(), &more, &event).await?;
    assert_eq!(outcome, CreateRoleOutcome::TooMany);
    world.expect_events(&[]).await?;
    defined(&world, other.id, "more").await?;
    Ok(())
}

/// An edit is in force with the next version; the end of older tokens is stored and returned.
pub async fn an_edit_makes_the_next_version_and_ends_those_before(store: Store) -> Done {
    let world = World::new(store).await?;
    let made = defined(&world, world.org.id, "triage").await?;
    let event = world.event(Action::RoleEdited);
    let wanted = edit(made.version, "audit:read");
    let events = std::slice::from_ref(&event);
    let outcome = world.store.edit_role(&world.ctx(), &wanted, events).await?;
    let expected = RevocationEntry {
        what: Revocation::Role(world.org.id, made.version.id, made.version.epoch.next()),
        expires_at: later(300),
    };
    assert_eq!(outcome, EditRoleOutcome::Edited(expected));
    assert_eq!(world.store.live_revocations(AT).await?, [expected]);
    let stored = world.store.role(&world.ctx(), &made.name).await?;
    let after = CustomRole {
        version: next(made.version),
        permissions: names("audit:read"),
        updated_at: later(5),
        ..made
    };
    assert_eq!(stored, Some(after));
    world.expect_events(&[&event]).await
}

/// An edit or a deletion that was checked against another version changes and records nothing.
pub async fn an_edit_checked_against_another_version_loses(store: Store) -> Done {
    let world = World::new(store).await?;
    let made = defined(&world, world.org.id, "triage").await?;
    let event = [world.event(Action::RoleEdited)];
    let ghost = RoleVersion {
        id: world.id(),
        ..made.version
    };
    for version in [next(made.version), ghost] {
        let wanted = edit(version, "org:write");
        let outcome = world.store.edit_role(&world.ctx(), &wanted, &event).await?;
        assert_eq!(outcome, EditRoleOutcome::Raced);
        let gone = deletion(version);
        let outcome = world.store.delete_role(&world.ctx(), &gone, &event).await?;
        assert_eq!(outcome, DeleteRoleOutcome::Raced);
    }
    let stored = world.store.role(&world.ctx(), &made.name).await?;
    assert_eq!(stored, Some(made));
    assert!(world.store.live_revocations(AT).await?.is_empty());
    world.expect_events(&[]).await
}

/// Of many edits that were checked against one version, one takes effect.
pub async fn of_many_edits_of_one_version_one_wins(store: Store) -> Done {
    let world = World::new(store).await?;
    let mut made = defined(&world, world.org.id, "triage").await?;
    for _ in 0..8 {
        let racers = ["org:read", "org:write", "runs:read"].map(|to| {
            let (store, ctx) = (Arc::clone(&world.store), world.ctx());
            let wanted = edit(made.version, to);
            async move { store.edit_role(&ctx, &wanted, &[]).await }
        });
        let outcomes = race(racers).await?;
        let edited = outcomes.iter();
        let edited = edited.filter(|it| matches!(it, EditRoleOutcome::Edited(_)));
        assert_eq!(edited.count(), 1, "{outcomes:?}");
        made.version = next(made.version);
        let stored = world.store.role(&world.ctx(), &made.name).await?;
        assert_eq!(stored.map(|role| role.version), Some(made.version));
    }
    Ok(())
}

/// No look-up, edit or deletion of one organization reaches another's role.
pub async fn another_organization_has_none_of_it(store: Store) -> Done {
    let world = World::new(store).await?;
    let (other, _) = world.second_org("other").await?;
    let made = defined(&world, world.org.id, "triage").await?;
    let (theirs, store) = (world.ctx_of(other.id), &world.store);
    assert_eq!(store.role(&theirs, &made.name).await?, None);
    assert_eq!(store.role_by_id(&theirs, made.version.id).await?, None);
    assert_eq!(store.role_in(other.id, &made.name).await?, None);
    let page = store.roles(&theirs, &Default::default()).await?;
    assert!(page.items.is_empty());
    let event = [world.event(Action::RoleEdited)];
    let wanted = edit(made.version, "org:write");
    let outcome = store.edit_role(&theirs, &wanted, &event).await?;
    assert_eq!(outcome, EditRoleOutcome::Raced);
    let gone = deletion(made.version);
    let outcome = store.delete_role(&theirs, &gone, &event).await?;
    assert_eq!(outcome, DeleteRoleOutcome::Raced);
    let user = world.member(other.id, "user", "viewer").await?;
    let change = grant(&user, "triage", made.version);
    let outcome = store.change_role(&theirs, &change, &event).await?;
    assert_eq!(outcome, MemberOutcome::Raced);
    assert_eq!(store.role(&world.ctx(), &made.name).await?, Some(made));
    assert!(store.live_revocations(AT).await?.is_empty());
    world.expect_events(&[]).await
}
