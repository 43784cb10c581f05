//! Grants: a session's access to an organization.

use std::sync::Arc;

use super::world::{AT, Done, Store, World, grant, later, race, walk};
use crate::domain::audit::Action;
use crate::domain::{
    Aal, EndReason, OrgCtx, PageRequest, Revocation, RevocationEntry, SessionId, SessionView,
};
use crate::ports::store::{
    GrantOutcome, OrgChange, OrgUpdate, PolicyUpdate, SessionEnd, StoreError,
};

async fn listed(world: &World, ctx: &OrgCtx) -> Result<Vec<SessionId>, StoreError> {
    let page = PageRequest::default();
    let page = world.store.grants_of_org(ctx, later(2), &page).await?;
    Ok(page.items.iter().map(|view| view.id).collect())
}

async fn ended(
    world: &World,
    ctx: &OrgCtx,
    session: SessionId,
) -> Result<Option<RevocationEntry>, StoreError> {
    let event = [world.event(Action::GrantEnded)];
    world
        .store
        .end_grant(ctx, session, later(2), later(300), &event)
        .await
}

/// The first asking opens the grant and is recorded; later ones find it and record nothing.
pub async fn a_grant_is_opened_once(store: Store) -> Done {
    let world = World::new(store).await?;
    let session = world.opened(&world.founder).await?;
    let mut first = grant(&session, world.org.id);
    let event = world.event(Action::GrantOpened);
    let opened = world
        .store
        .open_grant(&first, std::slice::from_ref(&event))
        .await?;
    assert_eq!(opened, GrantOutcome::Opened);
    first.created_at = later(9);
    let again = [world.event(Action::GrantOpened)];
    for _ in 0..2 {
        let found = world.store.open_grant(&first, &again).await?;
        assert_eq!(found, GrantOutcome::Existing);
    }
    let page = PageRequest::default();
    let page = world
        .store
        .grants_of_org(&world.ctx(), later(2), &page)
        .await?;
    let times: Vec<_> = page.items.iter().map(|view| view.created_at).collect();
    assert_eq!(times, [later(1)], "the grant's first time");
    world.expect_events(&[&event]).await
}

/// A grant given with the session's opening is there with it.
pub async fn a_session_opens_with_its_first_grant(store: Store) -> Done {
    let world = World::new(store).await?;
    let session = world.granted(&world.founder, world.org.id).await?;
    assert_eq!(listed(&world, &world.ctx()).await?, [session.id]);
    let asked = grant(&session, world.org.id);
    let found = world.store.open_grant(&asked, &[]).await?;
    assert_eq!(found, GrantOutcome::Existing);
    Ok(())
}

/// Of a race for a session's first grant one opens it, and one event is recorded.
pub async fn of_many_first_grants_one_is_new(store: Store) -> Done {
    let world = World::new(store).await?;
    let session = world.opened(&world.founder).await?;
    let outcomes = race((0..16).map(|_| {
        let (store, grant) = (Arc::clone(&world.store), grant(&session, world.org.id));
        let event = world.event(Action::GrantOpened);
        async move { store.open_grant(&grant, &[event]).await }
    }))
    .await?;
    let opened = outcomes.iter().filter(|it| **it == GrantOutcome::Opened);
    assert_eq!(opened.count(), 1, "{outcomes:?}");
    let existing = outcomes.iter().filter(|it| **it == GrantOutcome::Existing);
    assert_eq!(existing.count(), 15, "{outcomes:?}");
    assert_eq!(world.recorded().await?.len(), 1);
    Ok(())
}

/// An ended grant is revoked once and stays ended for the session; a new session gets a new one.
pub async fn an_ended_grant_stays_ended(store: Store) -> Done {
    let world = World::new(store).await?;
    let session = world.granted(&world.founder, world.org.id).await?;
    let ctx = world.ctx();
    let expected = RevocationEntry {
        what: Revocation::Grant(session.id, world.org.id),
        expires_at: later(300),
    };
    assert_eq!(ended(&world, &ctx, session.id).await?, Some(expected));
    assert_eq!(world.store.live_revocations(AT).await?, [expected]);
    assert_eq!(ended(&world, &ctx, session.id).await?, None);
    assert_eq!(ended(&world, &ctx, world.id()).await?, None);
    let event = [world.event(Action::GrantOpened)];
    let asked = grant(&session, world.org.id);
    for _ in 0..2 {
        let found = world.store.open_grant(&asked, &event).await?;
        assert_eq!(found, GrantOutcome::Ended);
    }
    assert_eq!(world.recorded().await?.len(), 1);
    assert_eq!(listed(&world, &ctx).await?, []);
    let next = world.opened(&world.founder).await?;
    let found = world
        .store
        .open_grant(&grant(&next, world.org.id), &[])
        .await?;
    assert_eq!(found, GrantOutcome::Opened);
    Ok(())
}

/// Ending a grant leaves the session, its other grants and other sessions' grants.
pub async fn ending_a_grant_leaves_the_rest(store: Store) -> Done {
    let world = World::new(store).await?;
    let (other, owner) = world.second_org("other").await?;
    world.rejoin(world.org.id, &owner, "viewer").await?;
    let session = world.granted(&owner, world.org.id).await?;
    world
        .store
        .open_grant(&grant(&session, other.id), &[])
        .await?;
    let colleague = world.granted(&world.founder, world.org.id).await?;
    assert!(ended(&world, &world.ctx(), session.id).await?.is_some());
    assert!(world.is_live(&session).await?);
    assert_eq!(listed(&world, &world.ctx()).await?, [colleague.id]);
    let theirs = world.ctx_of(other.id);
    assert_eq!(listed(&world, &theirs).await?, [session.id]);
    Ok(())
}

/// A grant whose session has ended or expired is in no list; one that has ended with its session is not ended again.
pub async fn a_list_shows_live_grants_of_live_sessions(store: Store) -> Done {
    let world = World::new(store).await?;
    let live = world.granted(&world.founder, world.org.id).await?;
    let left = world.granted(&world.founder, world.org.id).await?;
    let mut idle = world.session(&world.founder);
    idle.idle_expires_at = later(2);
    let asked = grant(&idle, world.org.id);
    assert!(world.store.open_session(&idle, Some(&asked), &[]).await?);
    let logout = SessionEnd {
        user: world.founder.id,
        session: left.id,
        reason: EndReason::Logout,
        at: later(1),
        tokens_expire_at: later(300),
    };
    assert!(world.store.end_session(&logout, &[]).await?.is_some());
    assert_eq!(listed(&world, &world.ctx()).await?, [live.id]);
    assert_eq!(ended(&world, &world.ctx(), left.id).await?, None);
    world.expect_events(&[]).await
}

/// The list holds every live grant of the organization once, by session id.
pub async fn grants_come_in_pages(store: Store) -> Done {
    let world = World::new(store).await?;
    let (other, owner) = world.second_org("other").await?;
    let mut expected = Vec::new();
    for _ in 0..7 {
        expected.push(world.granted(&world.founder, world.org.id).await?.id);
    }
    world.granted(&owner, other.id).await?;
    expected.sort_unstable();
    for limit in [1, 3, 6, 7, 8] {
        let ctx = world.ctx();
        let list = async |page: PageRequest| {
            let store = &world.store;
            store.grants_of_org(&ctx, later(2), &page).await
        };
        let found: Vec<SessionView> = walk(limit, list).await?;
        let ids: Vec<_> = found.iter().map(|view| view.id).collect();
        assert_eq!(ids, expected, "pages of {limit}");
        assert!(found.iter().all(|view| {
            view.created_at == later(1)
                && view.email == world.founder.email
                && view.expires_at == later(600)
        }));
    }
    Ok(())
}

/// Neither with its opening nor later; a session that has shown two factors does.
pub async fn a_weak_session_gets_no_grant_where_a_factor_is_required(store: Store) -> Done {
    let world = World::new(store).await?;
    let weak = world.opened(&world.founder).await?;
    let change = OrgChange {
        update: OrgUpdate {
            name: None,
            policy: PolicyUpdate {
                factor_required: Some(true),
                ..PolicyUpdate::default()
            },
        },
        at: later(1),
        tokens_expire_at: later(300),
    };
    world.store.update_org(&world.ctx(), &change, &[]).await?;
    let event = [world.event(Action::GrantOpened)];
    let asked = grant(&weak, world.org.id);
    let outcome = world.store.open_grant(&asked, &event).await?;
    assert_eq!(outcome, GrantOutcome::FactorRequired);
    let fresh = world.session(&world.founder);
    let first = grant(&fresh, world.org.id);
    assert!(
        !world
            .store
            .open_session(&fresh, Some(&first), &event)
            .await?
    );
    assert!(world.store.session(fresh.id).await?.is_none());
    assert!(world.store.open_session(&fresh, None, &[]).await?);
    assert_eq!(listed(&world, &world.ctx()).await?, []);
    world.expect_events(&[]).await?;

    let mut strong = world.session(&world.founder);
    strong.aal = Aal::Two;
    let first = grant(&strong, world.org.id);
    assert!(world.store.open_session(&strong, Some(&first), &[]).await?);
    let mut second = world.session(&world.founder);
    second.aal = Aal::Two;
    assert!(world.store.open_session(&second, None, &[]).await?);
    let asked = grant(&second, world.org.id);
    let outcome = world.store.open_grant(&asked, &[]).await?;
    assert_eq!(outcome, GrantOutcome::Opened);
    Ok(())
}
