//! Organizations.

use std::sync::Arc;

use super::world::{Done, Store, World, display, grant, later, pages_of, race, slug, walk};
use crate::domain::audit::Action;
use crate::domain::{
    Aal, Cursor, DisplayName, OrgId, PageRequest, Revocation, RevocationEntry, SessionId,
};
use crate::ports::store::{CreateOrgOutcome, OrgChange, OrgUpdate, PolicyUpdate, StoreError};

fn change(name: Option<DisplayName>, policy: PolicyUpdate) -> OrgChange {
    OrgChange {
        update: OrgUpdate { name, policy },
        at: later(2),
        tokens_expire_at: later(300),
    }
}

/// Every field is read as it was stored, by id and by slug, and the owner's invitation with it.
pub async fn an_organization_comes_back_as_it_was(store: Store) -> Done {
    let world = World::new(store).await?;
    let mut org = world.new_org("acme");
    org.policy.max_session_seconds = Some(u32::MAX);
    let owner = world.invitation(org.id, "ada", "owner");
    let event = world.event(Action::OrgCreated).in_org(org.id);
    let outcome = world
        .store
        .create_org(
            &world.deployment(),
            &org,
            &owner,
            std::slice::from_ref(&event),
        )
        .await?;
    assert_eq!(outcome, CreateOrgOutcome::Created);
    assert_eq!(world.store.org(org.id).await?.as_ref(), Some(&org));
    assert_eq!(
        world.store.org_by_slug(&slug("acme")).await?.as_ref(),
        Some(&org)
    );
    let invited = world.store.invitation_by_token(&owner.token).await?;
    assert_eq!(invited, Some(owner));
    assert!(world.store.org(world.id::<OrgId>()).await?.is_none());
    assert!(world.store.org_by_slug(&slug("acme2")).await?.is_none());
    world.expect_events(&[&event]).await
}

/// A second organization with a slug is not made, nor its invitation, nor its event.
pub async fn a_taken_slug_changes_nothing(store: Store) -> Done {
    let world = World::new(store).await?;
    let mut org = world.new_org("acme");
    org.slug = world.org.slug.clone();
    let owner = world.invitation(org.id, "ada", "owner");
    let event = world.event(Action::OrgCreated);
    let outcome = world
        .store
        .create_org(&world.deployment(), &org, &owner, &[event])
        .await?;
    assert_eq!(outcome, CreateOrgOutcome::SlugTaken);
    assert!(world.store.org(org.id).await?.is_none());
    assert!(
        world
            .store
            .invitation_by_token(&owner.token)
            .await?
            .is_none()
    );
    let there = world.store.org_by_slug(&world.org.slug).await?;
    assert_eq!(there.as_ref(), Some(&world.org));
    world.expect_events(&[]).await
}

/// Of a race for one slug one organization is made.
pub async fn of_many_for_one_slug_one_wins(store: Store) -> Done {
    let world = World::new(store).await?;
    let outcomes = race((0..8).map(|_| {
        let store = Arc::clone(&world.store);
        let (org, by) = (world.new_org("acme"), world.deployment());
        let owner = world.invitation(org.id, "ada", "owner");
        let event = world.event(Action::OrgCreated);
        async move { store.create_org(&by, &org, &owner, &[event]).await }
    }))
    .await?;
    let created = outcomes
        .iter()
        .filter(|it| **it == CreateOrgOutcome::Created);
    assert_eq!(created.count(), 1, "{outcomes:?}");
    assert_eq!(world.recorded().await?.len(), 1);
    Ok(())
}

/// An update changes what it names, returns the result, and is recorded; of nothing it is `None`.
pub async fn what_an_update_leaves_out_stays(store: Store) -> Done {
    let world = World::new(store).await?;
    let (other, _) = world.second_org("other").await?;
    let name = Some(display("New name"));
    let policy = |seconds, factor| PolicyUpdate {
        max_session_seconds: seconds,
        factor_required: factor,
    };
    let mut expected = world.org.clone();
    let updates = [
        (name.clone(), policy(None, None)),
        (None, policy(Some(Some(900)), None)),
        (None, policy(None, Some(true))),
        (None, policy(None, None)),
        (None, policy(Some(Some(901)), None)),
        (None, policy(None, Some(false))),
        (Some(display("Last")), policy(Some(None), Some(true))),
    ];
    let mut events = Vec::new();
    for (name, policy) in updates {
        expected.name = name.clone().unwrap_or(expected.name);
        expected.policy = policy.apply(expected.policy);
        let asked = change(name, policy);
        let event = world.event(Action::OrgUpdated);
        let updated = world
            .store
            .update_org(&world.ctx(), &asked, std::slice::from_ref(&event))
            .await?;
        let (org, revoked) = updated.map(|it| (it.org, it.revoked)).unzip();
        assert_eq!(org.as_ref(), Some(&expected));
        assert_eq!(revoked, Some(Vec::new()), "nobody was signed in");
        assert_eq!(
            world.store.org(expected.id).await?.as_ref(),
            Some(&expected)
        );
        events.push(event);
    }
    assert_eq!(world.store.org(other.id).await?.as_ref(), Some(&other));
    let nowhere = world.ctx_of(world.id());
    let asked = change(name, policy(None, Some(true)));
    let event = world.event(Action::OrgUpdated);
    let updated = world.store.update_org(&nowhere, &asked, &[event]).await?;
    assert_eq!(updated, None);
    world
        .expect_events(&events.iter().collect::<Vec<_>>())
        .await
}

/// The list holds every organization once, by id, whatever the page's size.
pub async fn organizations_come_in_pages(store: Store) -> Done {
    let world = World::new(store).await?;
    let mut expected = vec![world.org.id];
    for n in 0..6 {
        expected.push(world.second_org(&format!("org{n}")).await?.0.id);
    }
    expected.sort_unstable();
    for limit in [1, 2, 3, 6, 7, 8, 100] {
        let by = world.deployment();
        let found = walk(limit, async |page| world.store.orgs(&by, &page).await).await?;
        let ids: Vec<_> = found.iter().map(|org| org.id).collect();
        assert_eq!(ids, expected, "pages of {limit}");
    }
    Ok(())
}

/// A cursor that no list gave out is answered with a page or none, in every list, and never fails.
pub async fn a_cursor_of_any_bytes_is_answered(store: Store) -> Done {
    let world = World::new(store).await?;
    world.invited(world.org.id, "guest", "viewer").await?;
    world.granted(&world.founder, world.org.id).await?;
    let (ctx, by, user) = (world.ctx(), world.deployment(), world.founder.id);
    let mut keys = vec![Vec::new(), vec![0], vec![0xff]];
    for len in [15, 16, 17, 63, 64, 4_096] {
        keys.extend([vec![0; len], vec![0xff; len], vec![b'\''; len]]);
    }
    for key in keys {
        let low = key.first().copied().unwrap_or(0) == 0;
        let page = pages_of(10, Some(Cursor::new(key.clone())));
        let store = &world.store;
        let counts = [
            store.orgs(&by, &page).await?.items.len(),
            store.members(&ctx, &page).await?.items.len(),
            store.invitations(&ctx, &page).await?.items.len(),
            store
                .sessions_of_user(user, later(2), &page)
                .await?
                .items
                .len(),
            store
                .grants_of_org(&ctx, later(2), &page)
                .await?
                .items
                .len(),
        ];
        // Every id of the suite begins with 01: a cursor of zeros precedes it, the others follow.
        let expected = if low { [1; 5] } else { [0; 5] };
        assert_eq!(counts, expected, "after {key:02x?}");
    }
    Ok(())
}

/// From then on a session that has shown no second factor is out, with its revocation; a strong one stays.
pub async fn asking_for_a_factor_ends_weak_grants(store: Store) -> Done {
    let world = World::new(store).await?;
    let (other, owner) = world.second_org("other").await?;
    world.rejoin(world.org.id, &owner, "viewer").await?;
    let weak = world.granted(&owner, world.org.id).await?;
    let elsewhere = grant(&weak, other.id);
    world.store.open_grant(&elsewhere, &[]).await?;
    let mut strong = world.session(&world.founder);
    strong.aal = Aal::Two;
    let first = grant(&strong, world.org.id);
    assert!(world.store.open_session(&strong, Some(&first), &[]).await?);
    let required = PolicyUpdate {
        factor_required: Some(true),
        ..PolicyUpdate::default()
    };
    let event = world.event(Action::OrgUpdated);
    let changed = world
        .store
        .update_org(
            &world.ctx(),
            &change(None, required),
            std::slice::from_ref(&event),
        )
        .await?;
    let expected = RevocationEntry {
        what: Revocation::Grant(weak.id, world.org.id),
        expires_at: later(300),
    };
    assert_eq!(changed.map(|it| it.revoked), Some(vec![expected]));
    assert_eq!(world.store.live_revocations(later(2)).await?, [expected]);
    let page = PageRequest::default();
    let listed = async |org: OrgId| {
        let ctx = world.ctx_of(org);
        let page = world.store.grants_of_org(&ctx, later(2), &page).await?;
        let ids: Vec<SessionId> = page.items.iter().map(|view| view.id).collect();
        Ok::<_, StoreError>(ids)
    };
    assert_eq!(listed(world.org.id).await?, [strong.id]);
    assert_eq!(listed(other.id).await?, [weak.id], "another organization's");
    let again = change(None, required);
    let changed = world.store.update_org(&world.ctx(), &again, &[]).await?;
    assert_eq!(changed.map(|it| it.revoked), Some(Vec::new()));
    world.expect_events(&[&event]).await
}
