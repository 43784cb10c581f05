//! Memberships.

use std::sync::Arc;

use super::world::{AT, Done, Store, World, grant, later, race, role, walk};
use crate::domain::audit::{Action, AuditEvent};
use crate::domain::{Epoch, OrgId, PageRequest, Revocation, RevocationEntry, User, UserId};
use crate::ports::store::{GrantOutcome, MemberOutcome, RoleChange, StoreError};

fn change(user: UserId, from: &str, to: Option<&str>) -> RoleChange {
    RoleChange {
        user,
        from: role(from),
        to: to.map(role),
        version: None,
        at: later(2),
        tokens_expire_at: later(300),
    }
}

async fn changed(
    world: &World,
    user: &User,
    from: &str,
    to: Option<&str>,
    events: &[AuditEvent],
) -> Result<MemberOutcome, StoreError> {
    let change = change(user.id, from, to);
    world.store.change_role(&world.ctx(), &change, events).await
}

async fn epoch(world: &World, user: &User, org: OrgId) -> Result<Option<Epoch>, StoreError> {
    let places = world.store.memberships(user.id).await?;
    let place = places.into_iter().find(|place| place.org == org);
    Ok(place.map(|place| place.epoch))
}

/// A new role is in force with a greater epoch, whose revocation is stored and returned.
pub async fn a_new_role_grows_the_epoch_and_is_revoked(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    let (other_org, _) = world.second_org("other").await?;
    world.rejoin(other_org.id, &user, "viewer").await?;
    let elsewhere = epoch(&world, &user, other_org.id).await?;
    let before = epoch(&world, &user, world.org.id).await?;
    let event = world.event(Action::MemberRoleChanged);
    let outcome = changed(
        &world,
        &user,
        "viewer",
        Some("admin"),
        std::slice::from_ref(&event),
    )
    .await?;
    let MemberOutcome::Changed(entry) = outcome else {
        unreachable!("{outcome:?}")
    };
    let after = epoch(&world, &user, world.org.id).await?;
    assert!(after > before, "{before:?} to {after:?}");
    let expected = RevocationEntry {
        what: Revocation::Member(world.org.id, user.id, after.unwrap_or_default()),
        expires_at: later(300),
    };
    assert_eq!(entry, expected);
    assert_eq!(world.store.live_revocations(AT).await?, [entry]);
    let member = world.store.member(&world.ctx(), user.id).await?;
    assert!(member.is_some_and(|member| {
        member.role == role("admin") && member.email == user.email && member.since == later(1)
    }));
    assert_eq!(epoch(&world, &user, other_org.id).await?, elsewhere);
    world.expect_events(&[&event]).await
}

/// A change that was checked against another role, or for no member, changes and records nothing.
pub async fn a_role_checked_against_another_loses(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    let stranger = world.user("stranger");
    let before = epoch(&world, &user, world.org.id).await?;
    let event = [world.event(Action::MemberRoleChanged)];
    for (who, to) in [
        (&user, Some("owner")),
        (&user, None),
        (&stranger, Some("owner")),
    ] {
        let outcome = changed(&world, who, "admin", to, &event).await?;
        assert_eq!(outcome, MemberOutcome::Raced);
    }
    assert_eq!(epoch(&world, &user, world.org.id).await?, before);
    assert!(world.store.live_revocations(AT).await?.is_empty());
    world.expect_events(&[]).await
}

/// The only owner is neither demoted nor removed; with a second one, either goes.
pub async fn the_last_owner_stays(store: Store) -> Done {
    let world = World::new(store).await?;
    world.member(world.org.id, "admin", "admin").await?;
    let (_, elsewhere) = world.second_org("other").await?;
    let founder = world.founder.clone();
    let before = epoch(&world, &founder, world.org.id).await?;
    let event = [world.event(Action::MemberRemoved)];
    for to in [Some("admin"), None] {
        let outcome = changed(&world, &founder, "owner", to, &event).await?;
        assert_eq!(outcome, MemberOutcome::LastOwner);
    }
    assert_eq!(epoch(&world, &founder, world.org.id).await?, before);
    assert!(world.store.live_revocations(AT).await?.is_empty());
    world.expect_events(&[]).await?;
    // An owner who was removed is none any more.
    world.rejoin(world.org.id, &elsewhere, "owner").await?;
    let outcome = changed(&world, &elsewhere, "owner", None, &[]).await?;
    assert!(matches!(outcome, MemberOutcome::Changed(_)));
    let outcome = changed(&world, &founder, "owner", None, &[]).await?;
    assert_eq!(outcome, MemberOutcome::LastOwner);
    let same = changed(&world, &founder, "owner", Some("owner"), &[]).await?;
    assert!(matches!(same, MemberOutcome::Changed(_)));
    Ok(())
}

/// Two owners who demote or remove each other in a race leave exactly one.
pub async fn two_owners_who_demote_each_other_leave_one(store: Store) -> Done {
    let world = World::new(store).await?;
    for round in 0..8 {
        let name = format!("org{round}");
        let (org, one) = world.second_org(&name).await?;
        let two = world
            .member(org.id, &format!("two{round}"), "owner")
            .await?;
        let to = (round % 2 == 0).then_some("viewer");
        let outcomes = race([one.id, two.id].map(|user| {
            let store = Arc::clone(&world.store);
            let (ctx, change) = (world.ctx_of(org.id), change(user, "owner", to));
            async move { store.change_role(&ctx, &change, &[]).await }
        }))
        .await?;
        let refused = outcomes
            .iter()
            .filter(|it| **it == MemberOutcome::LastOwner);
        assert_eq!(refused.count(), 1, "{outcomes:?}");
        let page = PageRequest::default();
        let members = world.store.members(&world.ctx_of(org.id), &page).await?;
        let owners = members.items.iter().filter(|it| it.role == role("owner"));
        assert_eq!(owners.count(), 1);
    }
    Ok(())
}

/// A person who leaves and comes back has a greater epoch each time.
pub async fn an_epoch_outlives_its_membership(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    let mut last = epoch(&world, &user, world.org.id).await?;
    for _ in 0..3 {
        let outcome = changed(&world, &user, "viewer", None, &[]).await?;
        let MemberOutcome::Changed(entry) = outcome else {
            unreachable!("{outcome:?}")
        };
        let Revocation::Member(_, _, revoked) = entry.what else {
            unreachable!("{entry:?}")
        };
        assert!(Some(revoked) > last, "{last:?} then {revoked:?}");
        assert_eq!(epoch(&world, &user, world.org.id).await?, None);
        world.rejoin(world.org.id, &user, "viewer").await?;
        last = epoch(&world, &user, world.org.id).await?;
        assert!(last >= Some(revoked), "{revoked:?} then {last:?}");
    }
    Ok(())
}

/// A removed member is in no list, and the person's grants for the organization have ended.
pub async fn a_removed_member_is_gone_with_the_grants(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    let (other, _) = world.second_org("other").await?;
    world.rejoin(other.id, &user, "viewer").await?;
    let session = world.granted(&user, world.org.id).await?;
    let colleague = world.granted(&world.founder, world.org.id).await?;
    let elsewhere = world
        .store
        .open_grant(&grant(&session, other.id), &[])
        .await?;
    assert_eq!(elsewhere, GrantOutcome::Opened);
    let event = world.event(Action::MemberRemoved);
    let outcome = changed(&world, &user, "viewer", None, std::slice::from_ref(&event)).await?;
    assert!(matches!(outcome, MemberOutcome::Changed(_)));
    let page = PageRequest::default();
    let members = world.store.members(&world.ctx(), &page).await?;
    assert!(members.items.iter().all(|member| member.user != user.id));
    assert!(world.store.member(&world.ctx(), user.id).await?.is_none());
    let ours = world
        .store
        .grants_of_org(&world.ctx(), later(3), &page)
        .await?;
    let ids: Vec<_> = ours.items.iter().map(|view| view.id).collect();
    assert_eq!(ids, [colleague.id]);
    let theirs = world.ctx_of(other.id);
    let theirs = world.store.grants_of_org(&theirs, later(3), &page).await?;
    assert_eq!(theirs.items.len(), 1);
    let again = grant(&session, world.org.id);
    assert_eq!(
        world.store.open_grant(&again, &[]).await?,
        GrantOutcome::Ended
    );
    assert!(
        world.is_live(&session).await?,
        "the session is the person's"
    );
    world.expect_events(&[&event]).await
}

/// The list holds every member once, by account id, whatever the page's size.
pub async fn members_come_in_pages(store: Store) -> Done {
    let world = World::new(store).await?;
    let mut expected = vec![world.founder.id];
    for n in 0..6 {
        let user = world
            .member(world.org.id, &format!("user{n}"), "viewer")
            .await?;
        expected.push(user.id);
    }
    world.second_org("other").await?;
    expected.sort_unstable();
    for limit in [1, 3, 6, 7, 8] {
        let ctx = world.ctx();
        let found = walk(limit, async |page| world.store.members(&ctx, &page).await).await?;
        let ids: Vec<_> = found.iter().map(|member| member.user).collect();
        assert_eq!(ids, expected, "pages of {limit}");
    }
    Ok(())
}
