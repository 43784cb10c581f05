//! Sessions.

use std::sync::Arc;

use super::world::{AT, Done, Store, World, later, password, race, walk};
use crate::domain::audit::Action;
use crate::domain::{
    Aal, EndReason, PageRequest, RefreshKeyId, RefreshState, Revocation, RevocationEntry, Session,
    SessionId, User,
};
use crate::ports::store::{Advance, PasswordChange, SessionEnd};

/// What of a session can be compared.
fn shown(session: &Session) -> impl PartialEq + std::fmt::Debug + use<> {
    (
        (session.id, session.user, *session.seed.expose_bytes()),
        (
            session.refresh.clone(),
            session.credential_epoch,
            session.aal,
        ),
        (session.auth_time, session.created_at, session.last_used_at),
        (
            session.idle_expires_at,
            session.absolute_expires_at,
            session.ended_at,
        ),
        (session.client.clone(), session.ip_address),
    )
}

fn step(session: &Session) -> Advance {
    Advance {
        session: session.id,
        from: session.refresh.generation,
        credential_epoch: session.credential_epoch,
        to: RefreshState {
            generation: session.refresh.generation.saturating_add(1),
            key: RefreshKeyId::new(8),
            previous_key: Some(session.refresh.key),
            rotated_at: later(2),
        },
        at: later(2),
        idle_expires_at: later(602),
    }
}

fn end(user: &User, session: SessionId) -> SessionEnd {
    SessionEnd {
        user: user.id,
        session,
        reason: EndReason::Logout,
        at: later(2),
        tokens_expire_at: later(300),
    }
}

const fn revoked(session: SessionId) -> RevocationEntry {
    RevocationEntry {
        what: Revocation::Session(session),
        expires_at: later(300),
    }
}

/// Every field is read as it was stored, with the owner's state.
pub async fn a_session_comes_back_as_it_was(store: Store) -> Done {
    let world = World::new(store).await?;
    let mut odd = world.session(&world.founder);
    odd.aal = Aal::Two;
    odd.refresh.generation = u32::MAX;
    odd.refresh.key = RefreshKeyId::new(u32::MAX);
    odd.refresh.previous_key = Some(RefreshKeyId::new(0));
    odd.client = None;
    odd.ip_address = None;
    let plain = world.session(&world.founder);
    let event = world.event(Action::SessionOpened);
    let recorded = std::slice::from_ref(&event);
    assert!(world.store.open_session(&odd, None, &[]).await?);
    assert!(world.store.open_session(&plain, None, recorded).await?);
    for session in [&odd, &plain] {
        let stored = world.store.session(session.id).await?;
        assert_eq!(
            stored.as_ref().map(|stored| shown(&stored.session)),
            Some(shown(session))
        );
        assert!(stored.is_some_and(|stored| {
            stored.owner.epoch == world.founder.epoch && !stored.owner.disabled
        }));
    }
    assert!(world.store.session(world.id()).await?.is_none());
    world.expect_events(&[&event]).await
}

/// A step sets generation, keys and times, leaves the rest, and is recorded.
pub async fn a_step_moves_one_generation(store: Store) -> Done {
    let world = World::new(store).await?;
    let session = world.opened(&world.founder).await?;
    let other = world.opened(&world.founder).await?;
    let step = step(&session);
    let event = world.event(Action::SessionRefreshed);
    assert!(world.store.advance(&step, &event).await?);
    let mut expected = session.clone();
    expected.refresh = step.to.clone();
    expected.last_used_at = later(2);
    expected.idle_expires_at = later(602);
    for session in [&expected, &other] {
        let stored = world.store.session(session.id).await?;
        assert_eq!(
            stored.map(|stored| shown(&stored.session)),
            Some(shown(session))
        );
    }
    let again = world.event(Action::SessionRefreshed);
    assert!(!world.store.advance(&step, &again).await?);
    world.expect_events(&[&event]).await
}

/// A step from another generation or epoch, or of a session that is over, changes and records nothing.
pub async fn a_step_that_does_not_hold_changes_nothing(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    let session = world.opened(&world.founder).await?;
    let ended = world.opened(&world.founder).await?;
    let left = end(&world.founder, ended.id);
    assert!(world.store.end_session(&left, &[]).await?.is_some());
    let mut absolute = world.session(&world.founder);
    absolute.absolute_expires_at = later(2);
    assert!(world.store.open_session(&absolute, None, &[]).await?);
    let stale = world.opened(&user).await?;
    let change = PasswordChange {
        user: user.id,
        expected_epoch: user.epoch,
        password: password("$argon2id$second"),
        keep: None,
        at: AT,
        tokens_expire_at: later(300),
    };
    world.store.change_password(&change, &[]).await?;

    let mut generation = step(&session);
    generation.from = 1;
    let mut epoch = step(&session);
    epoch.credential_epoch = session.credential_epoch.next();
    let mut idle = step(&session);
    idle.at = session.idle_expires_at;
    let unknown = step(&world.session(&world.founder));
    let event = world.event(Action::SessionRefreshed);
    let steps = [
        ("generation", generation),
        ("epoch", epoch),
        ("idle", idle),
        ("unknown", unknown),
        ("ended", step(&ended)),
        ("absolute", step(&absolute)),
        ("stale", step(&stale)),
    ];
    for (why, step) in steps {
        assert!(!world.store.advance(&step, &event).await?, "{why}");
    }
    let stored = world.store.session(session.id).await?;
    assert_eq!(
        stored.map(|stored| shown(&stored.session)),
        Some(shown(&session))
    );
    world.expect_events(&[]).await
}

/// Of a race from one generation one step is taken, in each of several rounds.
pub async fn of_many_steps_one_wins(store: Store) -> Done {
    let world = World::new(store).await?;
    let mut session = world.opened(&world.founder).await?;
    for round in 1..=4 {
        let won = race((0..16).map(|_| {
            let (store, step) = (Arc::clone(&world.store), step(&session));
            let event = world.event(Action::SessionRefreshed);
            async move { store.advance(&step, &event).await }
        }))
        .await?;
        assert_eq!(won.iter().filter(|won| **won).count(), 1, "round {round}");
        let stored = world.store.session(session.id).await?;
        session = stored.map_or(session, |stored| stored.session);
        assert_eq!(session.refresh.generation, round);
    }
    assert_eq!(world.recorded().await?.len(), 4);
    Ok(())
}

/// A live session ends once, by its owner alone, with its revocation stored and returned.
pub async fn a_session_ends_once_and_by_its_owner_alone(store: Store) -> Done {
    let world = World::new(store).await?;
    let stranger = world.member(world.org.id, "stranger", "owner").await?;
    let session = world.opened(&world.founder).await?;
    let event = world.event(Action::SessionClosed);
    let recorded = std::slice::from_ref(&event);
    let store = &world.store;
    let foreign = end(&stranger, session.id);
    assert_eq!(store.end_session(&foreign, recorded).await?, None);
    let unknown = end(&world.founder, world.id());
    assert_eq!(store.end_session(&unknown, recorded).await?, None);
    let mut late = end(&world.founder, session.id);
    late.at = session.idle_expires_at;
    assert_eq!(store.end_session(&late, recorded).await?, None);
    assert!(world.is_live(&session).await?);
    assert!(store.live_revocations(AT).await?.is_empty());
    world.expect_events(&[]).await?;

    let own = end(&world.founder, session.id);
    let entry = store.end_session(&own, recorded).await?;
    assert_eq!(entry, Some(revoked(session.id)));
    assert_eq!(store.live_revocations(AT).await?, [revoked(session.id)]);
    let stored = store.session(session.id).await?;
    let ended_at = stored.and_then(|stored| stored.session.ended_at);
    assert_eq!(ended_at, Some(later(2)));
    let again = [world.event(Action::SessionClosed)];
    assert_eq!(store.end_session(&own, &again).await?, None);
    world.expect_events(&[&event]).await
}

/// All live ones of the person but the named one end; the events are recorded even if there are none.
pub async fn the_others_end_and_the_named_one_stays(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    let named = world.opened(&user).await?;
    let mut expected = vec![world.opened(&user).await?.id, world.opened(&user).await?.id];
    let mut expired = world.session(&user);
    expired.idle_expires_at = later(2);
    assert!(world.store.open_session(&expired, None, &[]).await?);
    let stranger = world.opened(&world.founder).await?;
    let first = world.event(Action::SessionsRevoked);
    let what = end(&user, named.id);
    let ended = world
        .store
        .end_other_sessions(&what, std::slice::from_ref(&first))
        .await?;
    let mut ids: Vec<_> = ended.iter().map(|entry| entry.what).collect();
    expected.sort_unstable();
    ids.sort_unstable_by_key(|what| match what {
        Revocation::Session(id) => Some(*id),
        _ => None,
    });
    let expected: Vec<_> = expected.into_iter().map(Revocation::Session).collect();
    assert_eq!(ids, expected);
    assert_eq!(world.store.live_revocations(AT).await?.len(), 2);
    assert!(world.is_live(&named).await? && world.is_live(&stranger).await?);
    let second = world.event(Action::SessionsRevoked);
    let ended = world
        .store
        .end_other_sessions(&what, std::slice::from_ref(&second))
        .await?;
    assert_eq!(ended, []);
    world.expect_events(&[&first, &second]).await
}

/// The list holds every live session of the person once, by id, as it stands.
pub async fn live_sessions_come_in_pages(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    let mut expected = Vec::new();
    for _ in 0..7 {
        expected.push(world.opened(&user).await?.id);
    }
    let ended = world.opened(&user).await?;
    world.store.end_session(&end(&user, ended.id), &[]).await?;
    let mut idle = world.session(&user);
    idle.idle_expires_at = later(3);
    let mut absolute = world.session(&user);
    absolute.absolute_expires_at = later(3);
    for session in [&idle, &absolute] {
        assert!(world.store.open_session(session, None, &[]).await?);
    }
    world.opened(&world.founder).await?;
    expected.sort_unstable();
    for limit in [1, 3, 6, 7, 8] {
        let list = async |page: PageRequest| {
            let store = &world.store;
            store.sessions_of_user(user.id, later(3), &page).await
        };
        let found = walk(limit, list).await?;
        let ids: Vec<_> = found.iter().map(|view| view.id).collect();
        assert_eq!(ids, expected, "pages of {limit}");
        assert!(found.iter().all(|view| {
            view.user == user.id
                && view.email == user.email
                && view.name == user.name
                && view.expires_at == later(600)
                && view.created_at == AT
                && view.last_used_at == AT
                && view.auth_time == AT
                && view.aal == Aal::One
                && view.client.as_deref() == Some("conformance/1 \u{1f980}")
                && view.ip_address.is_some()
        }));
    }
    Ok(())
}
