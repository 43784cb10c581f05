//! Notices on their way to people.

use std::sync::Arc;

use super::world::{AT, Done, Store, World, later, race};
use crate::domain::audit::{Action, AuditEvent, Resource};
use crate::domain::{Notice, NoticeKind};

fn told(world: &World, action: Action) -> AuditEvent {
    let mut event = world.event(action);
    event.resource = Resource::new("user", world.founder.id);
    event
}

/// An event that people are told of leaves a notice; another one, or a change that is taken back, leaves none.
pub async fn a_notice_is_stored_with_its_event_alone(store: Store) -> Done {
    let world = World::new(store).await?;
    let event = told(&world, Action::PasswordChanged);
    let other = told(&world, Action::UserEnabled);
    let events = [event.clone(), other];
    world.store.record(&events).await?;
    let expected = Notice {
        id: event.id,
        user: world.founder.id,
        kind: NoticeKind::PasswordChanged,
        at: AT,
        due_at: AT,
        attempts: 0,
    };
    assert_eq!(world.store.due_notices(AT, 9).await?, [expected]);
    let fresh = told(&world, Action::PasswordChanged);
    let refused = world.store.record(&[fresh, event]).await;
    assert!(refused.is_err(), "an event's id is unique");
    assert_eq!(world.store.due_notices(later(9), 9).await?, [expected]);
    Ok(())
}

/// Of many who take a notice one gets it; it is not due for its time, and gone when it is dropped.
pub async fn a_notice_is_claimed_once_and_dropped(store: Store) -> Done {
    let world = World::new(store).await?;
    let event = told(&world, Action::UserDisabled);
    world.store.record(&[event]).await?;
    let due = world.store.due_notices(AT, 9).await?;
    let [notice] = due[..] else {
        unreachable!("one notice: {due:?}")
    };
    let claims = race((0..8).map(|_| {
        let store = Arc::clone(&world.store);
        async move { store.claim_notice(&notice, later(60)).await }
    }))
    .await?;
    assert_eq!(claims.iter().filter(|claimed| **claimed).count(), 1);
    assert_eq!(world.store.due_notices(later(59), 9).await?, []);
    let again = world.store.due_notices(later(60), 9).await?;
    assert_eq!(again.first().map(|notice| notice.attempts), Some(1));
    world.store.drop_notice(notice.id).await?;
    world.store.drop_notice(notice.id).await?;
    assert_eq!(world.store.due_notices(later(99), 9).await?, []);
    Ok(())
}
