//! Opening sessions, and what may happen meanwhile.

use std::sync::Arc;

use super::world::{AT, Done, Store, World, grant, later, password, race};
use crate::domain::audit::{Action, MetaValue, Resource};
use crate::domain::{Access, GrantState, NEW_DEVICE, NoticeKind};
use crate::ports::store::{OrgChange, OrgUpdate, PasswordChange, PasswordOutcome, PolicyUpdate};

/// A session, its grant, its events in their order and the notice that one calls for are stored together or not at all.
pub async fn a_session_opens_with_its_grant_its_events_and_its_notice(store: Store) -> Done {
    let world = World::new(store).await?;
    let mut expected = Vec::new();
    for new_device in [false, true] {
        let session = world.session(&world.founder);
        let first = grant(&session, world.org.id);
        let mut opened = world.event(Action::SessionOpened);
        opened.resource = Resource::new("user", world.founder.id);
        if new_device {
            opened = opened.with(NEW_DEVICE, MetaValue::public(true));
        }
        let granted = world.event(Action::GrantOpened).in_org(world.org.id);
        let twice = [opened.clone(), granted.clone(), opened.clone()];
        let failed = world
            .store
            .open_session(&session, Some(&first), &twice)
            .await;
        assert!(failed.is_err(), "an event's id is unique");
        assert!(world.store.session(session.id).await?.is_none());
        let events = [opened, granted];
        assert!(
            world
                .store
                .open_session(&session, Some(&first), &events)
                .await?
        );
        let [access] = &world.store.accesses(session.user, session.id).await?[..] else {
            unreachable!("one organization")
        };
        assert_eq!(access.grant, GrantState::Live);
        let told = world.store.due_notices(AT, 9).await?;
        let told: Vec<_> = told.iter().map(|notice| (notice.id, notice.kind)).collect();
        let notice = (events[0].id, NoticeKind::NewDevice);
        assert_eq!(told, if new_device { vec![notice] } else { vec![] });
        expected.extend(events);
    }
    world
        .expect_events(&expected.iter().collect::<Vec<_>>())
        .await
}

/// A session whose credential was checked before the password changed is not stored.
pub async fn a_session_of_an_older_epoch_is_not_opened(store: Store) -> Done {
    let world = World::new(store).await?;
    let session = world.session(&world.founder);
    let change = PasswordChange {
        user: world.founder.id,
        expected_epoch: world.founder.epoch,
        password: password("$argon2id$second"),
        keep: None,
        at: AT,
        tokens_expire_at: later(300),
    };
    let outcome = world.store.change_password(&change, &[]).await?;
    assert!(matches!(outcome, PasswordOutcome::Changed { .. }));
    let event = [world.event(Action::SessionOpened)];
    let first = grant(&session, world.org.id);
    assert!(
        !world
            .store
            .open_session(&session, Some(&first), &event)
            .await?
    );
    assert!(world.store.session(session.id).await?.is_none());
    let mut ahead = world.session(&world.founder);
    ahead.credential_epoch = world.founder.epoch.next().next();
    assert!(!world.store.open_session(&ahead, None, &event).await?);
    let stranger = world.session(&world.user("stranger"));
    assert!(!world.store.open_session(&stranger, None, &event).await?);
    world.expect_events(&[]).await
}

/// Of sessions that are opened while the password changes, those of before end and those of after are not opened.
pub async fn a_session_that_races_a_new_password_does_not_outlive_it(store: Store) -> Done {
    let world = World::new(store).await?;
    let mut user = world.founder.clone();
    for round in 0..6 {
        let sessions: Vec<_> = (0..8).map(|_| world.session(&user)).collect();
        let change = PasswordChange {
            user: user.id,
            expected_epoch: user.epoch,
            password: password(&format!("$argon2id${round}")),
            keep: None,
            at: AT,
            tokens_expire_at: later(300),
        };
        race(sessions.iter().enumerate().map(|(n, session)| {
            let (store, session) = (Arc::clone(&world.store), session.clone());
            let first = grant(&session, world.org.id);
            let change = change.clone();
            async move {
                if n == 4 {
                    let changed = store.change_password(&change, &[]).await?;
                    return Ok(matches!(changed, PasswordOutcome::Changed { .. }));
                }
                store.open_session(&session, Some(&first), &[]).await
            }
        }))
        .await?;
        for session in &sessions {
            assert!(!world.is_live(session).await?);
        }
        let read = world.store.user(user.id).await?;
        assert_eq!(read.map(|read| read.epoch), Some(user.epoch.next()));
        user.epoch = user.epoch.next();
    }
    Ok(())
}

/// Of sessions that are opened while the organization begins to require a factor, none is left with a grant.
pub async fn a_session_that_races_a_required_factor_gets_no_grant(store: Store) -> Done {
    let world = World::new(store).await?;
    for round in 0..6 {
        let required = OrgChange {
            update: OrgUpdate {
                name: None,
                policy: PolicyUpdate {
                    factor_required: Some(true),
                    max_session_seconds: None,
                },
            },
            at: later(1),
            tokens_expire_at: later(300),
        };
        let sessions: Vec<_> = (0..8).map(|_| world.session(&world.founder)).collect();
        race(sessions.iter().enumerate().map(|(n, session)| {
            let (store, session) = (Arc::clone(&world.store), session.clone());
            let first = grant(&session, world.org.id);
            let (required, by) = (required.clone(), world.ctx());
            async move {
                if n == 4 {
                    return store.update_org(&by, &required, &[]).await.map(|_| true);
                }
                store.open_session(&session, Some(&first), &[]).await
            }
        }))
        .await?;
        for session in &sessions {
            let accesses = world.store.accesses(session.user, session.id).await?;
            let live = |access: &&Access| access.grant == GrantState::Live;
            assert_eq!(accesses.iter().filter(live).count(), 0, "round {round}");
        }
        let mut lifted = required.clone();
        lifted.update.policy.factor_required = Some(false);
        world.store.update_org(&world.ctx(), &lifted, &[]).await?;
    }
    Ok(())
}

/// An account that is switched off gets no session.
pub async fn a_session_of_a_disabled_account_is_not_opened(store: Store) -> Done {
    let world = World::new(store).await?;
    let mut user = world.user("user");
    user.disabled_at = Some(AT);
    let user = world.joined(world.org.id, user, "viewer").await?;
    let session = world.session(&user);
    let event = [world.event(Action::SessionOpened)];
    assert!(!world.store.open_session(&session, None, &event).await?);
    assert!(world.store.session(session.id).await?.is_none());
    world.expect_events(&[]).await
}
