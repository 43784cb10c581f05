//! Roles that organizations define, as they are given, used and taken away.

use std::sync::Arc;

use super::roles::{defined, deletion, edit, next};
use super::world::{AT, Done, Store, World, later, role};
use crate::domain::audit::{Action, AuditEvent};
use crate::domain::{Inviter, OrgCtx, Revocation, RevocationEntry, RoleUse, RoleVersion, User};
use crate::ports::store::{
    Acceptance, AcceptanceOutcome, CreateAccountOutcome, DeleteRoleOutcome, EditRoleOutcome,
    Invitee, MemberOutcome, RoleChange, RoleDeletion, StoreError,
};

/// A viewer gets a role in this version.
pub(super) fn grant(user: &User, role_name: &str, version: RoleVersion) -> RoleChange {
    RoleChange {
        user: user.id,
        from: role("viewer"),
        to: Some(role(role_name)),
        version: Some(version),
        at: later(2),
        tokens_expire_at: later(300),
    }
}

/// Neither a member nor who accepts an invitation nor a service account gets a role in another version than was checked.
pub async fn a_role_given_in_another_version_is_not_given(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    let made = defined(&world, world.org.id, "triage").await?;
    let wanted = edit(made.version, "org:write");
    world.store.edit_role(&world.ctx(), &wanted, &[]).await?;
    let invitation = world.invited(world.org.id, "guest", "triage").await?;
    let event = [world.event(Action::MemberRoleChanged)];
    let (store, ctx) = (&world.store, world.ctx());

    let stale = grant(&user, "triage", made.version);
    let outcome = store.change_role(&ctx, &stale, &event).await?;
    assert_eq!(outcome, MemberOutcome::Raced);
    let mut acceptance = Acceptance {
        invitation: invitation.id,
        token: invitation.token,
        version: Some(made.version),
        invitee: Invitee::New(Box::new(world.user("guest"))),
        at: later(3),
    };
    let outcome = store.accept(&acceptance, &event).await?;
    assert_eq!(outcome, AcceptanceOutcome::RoleChanged);
    let account = super::service_accounts::draft(&world, "triage");
    let outcome = store
        .create_service_account(&ctx, &account, Some(made.version), &event)
        .await?;
    assert_eq!(outcome, CreateAccountOutcome::Raced);
    world.expect_events(&[]).await?;

    let version = next(made.version);
    let fresh = grant(&user, "triage", version);
    let outcome = store.change_role(&ctx, &fresh, &[]).await?;
    assert!(matches!(outcome, MemberOutcome::Changed(_)), "{outcome:?}");
    acceptance.version = Some(version);
    let outcome = store.accept(&acceptance, &[]).await?;
    assert_eq!(outcome, AcceptanceOutcome::Accepted);
    Ok(())
}

/// Which of two events was recorded first.
async fn order(world: &World, one: &AuditEvent, two: &AuditEvent) -> Result<bool, StoreError> {
    let all = world.recorded().await?;
    let place = |event: &AuditEvent| all.iter().position(|id| *id == event.id);
    Ok(place(one) < place(two))
}

/// A role that is given while it is edited is given before the edit, or not at all.
pub async fn a_grant_never_follows_the_edit_it_was_not_checked_against(store: Store) -> Done {
    let world = World::new(store).await?;
    for round in 0..16 {
        let name = format!("role{round}");
        let user = world
            .member(world.org.id, &format!("user{round}"), "viewer")
            .await?;
        let made = defined(&world, world.org.id, &name).await?;
        let given = world.event(Action::MemberRoleChanged);
        let edited = world.event(Action::RoleEdited);
        let (store, ctx): (_, OrgCtx) = (Arc::clone(&world.store), world.ctx());
        let (change, wide) = (
            grant(&user, &name, made.version),
            edit(made.version, "org:read org:write"),
        );
        let (first, second) = (given.clone(), edited.clone());
        let other = (Arc::clone(&store), ctx.clone());
        let granting = tokio::spawn(async move {
            let outcome = store.change_role(&ctx, &change, &[first]).await;
            outcome.map(|outcome| matches!(outcome, MemberOutcome::Changed(_)))
        });
        let editing = tokio::spawn(async move {
            let outcome = other.0.edit_role(&other.1, &wide, &[second]).await;
            outcome.map(|outcome| matches!(outcome, EditRoleOutcome::Edited(_)))
        });
        let (Ok(granted), Ok(widened)) = (granting.await, editing.await) else {
            unreachable!("a racer panicked")
        };
        assert!(widened?, "nobody else edits");
        if granted? {
            assert!(
                order(&world, &given, &edited).await?,
                "a grant after the edit"
            );
        }
    }
    Ok(())
}

/// A role stays while a member or a service account has it, or an open invitation offers it; it is told how many do.
pub async fn a_role_that_somebody_has_stays(store: Store) -> Done {
    let world = World::new(store).await?;
    let (ctx, store) = (world.ctx(), &world.store);
    let made = defined(&world, world.org.id, "triage").await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    let change = grant(&user, "triage", made.version);
    store.change_role(&ctx, &change, &[]).await?;
    let mut invitation = world.invitation(world.org.id, "guest", "triage");
    invitation.inviter = Inviter::User(world.founder.id);
    store.invite(&ctx, &invitation, &[]).await?;
    let account = super::service_accounts::draft(&world, "triage");
    store
        .create_service_account(&ctx, &account, Some(made.version), &[])
        .await?;
    let event = [world.event(Action::RoleDeleted)];
    let outcome = store
        .delete_role(&ctx, &deletion(made.version), &event)
        .await?;
    let used = RoleUse {
        members: 1,
        service_accounts: 1,
        invitations: 1,
    };
    assert_eq!(outcome, DeleteRoleOutcome::InUse(used));
    assert!(store.role(&ctx, &made.name).await?.is_some());
    // The invitation's time passes, and then only the two are left.
    let later_on = RoleDeletion {
        at: later(3_600),
        ..deletion(made.version)
    };
    let used = RoleUse {
        invitations: 0,
        ..used
    };
    let outcome = store.delete_role(&ctx, &later_on, &event).await?;
    assert_eq!(outcome, DeleteRoleOutcome::InUse(used));
    world.expect_events(&[]).await
}

/// A role that nobody has any more goes, its tokens end, and its name is free for another one.
pub async fn a_role_that_nobody_has_goes(store: Store) -> Done {
    let world = World::new(store).await?;
    let (ctx, store) = (world.ctx(), &world.store);
    let made = defined(&world, world.org.id, "triage").await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    store
        .change_role(&ctx, &grant(&user, "triage", made.version), &[])
        .await?;
    let back = RoleChange {
        from: role("triage"),
        to: None,
        version: None,
        ..grant(&user, "triage", made.version)
    };
    store.change_role(&ctx, &back, &[]).await?;
    let event = world.event(Action::RoleDeleted);
    let events = std::slice::from_ref(&event);
    let outcome = store
        .delete_role(&ctx, &deletion(made.version), events)
        .await?;
    let expected = RevocationEntry {
        what: Revocation::Role(world.org.id, made.version.id, made.version.epoch.next()),
        expires_at: later(300),
    };
    assert_eq!(outcome, DeleteRoleOutcome::Deleted(expected));
    assert!(store.live_revocations(AT).await?.contains(&expected));
    assert_eq!(store.role(&ctx, &made.name).await?, None);
    assert_eq!(store.role_by_id(&ctx, made.version.id).await?, None);
    let again = store
        .delete_role(&ctx, &deletion(made.version), &[])
        .await?;
    assert_eq!(again, DeleteRoleOutcome::Raced);
    world.expect_events(&[&event]).await?;
    let second = defined(&world, world.org.id, "triage").await?;
    assert_ne!(second.version.id, made.version.id);
    Ok(())
}

/// Of a deletion and a grant that race, one takes effect.
pub async fn of_deletion_and_grant_one_wins(store: Store) -> Done {
    let world = World::new(store).await?;
    for round in 0..16 {
        let name = format!("role{round}");
        let user = world
            .member(world.org.id, &format!("user{round}"), "viewer")
            .await?;
        let made = defined(&world, world.org.id, &name).await?;
        let (store, ctx) = (Arc::clone(&world.store), world.ctx());
        let other = (Arc::clone(&store), ctx.clone());
        let change = grant(&user, &name, made.version);
        let granting = tokio::spawn(async move {
            let outcome = store.change_role(&ctx, &change, &[]).await;
            outcome.map(|outcome| matches!(outcome, MemberOutcome::Changed(_)))
        });
        let deleting = tokio::spawn(async move {
            let outcome = other
                .0
                .delete_role(&other.1, &deletion(made.version), &[])
                .await;
            outcome.map(|outcome| matches!(outcome, DeleteRoleOutcome::Deleted(_)))
        });
        let (Ok(granted), Ok(deleted)) = (granting.await, deleting.await) else {
            unreachable!("a racer panicked")
        };
        assert_ne!(granted?, deleted?, "both or neither");
    }
    Ok(())
}
