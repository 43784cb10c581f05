//! Events on their way to the log.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use super::world::{Done, Draft, Store, World, race};
use crate::domain::EventId;
use crate::domain::audit::{Action, Actor, AuditEvent, MetaValue, Outcome, RequestOrigin};

/// Events come out in the order in which they went in, up to the limit.
pub async fn events_come_in_the_order_of_their_recording(store: Store) -> Done {
    let draft = Draft::new();
    let events: Vec<_> = (0..10).map(|_| draft.event(Action::AuditRead)).collect();
    for batch in events.chunks(3) {
        store.record(batch).await?;
    }
    store.record(&[]).await?;
    assert_eq!(store.pending(100).await?, events);
    assert_eq!(store.pending(usize::MAX).await?, events);
    assert_eq!(store.pending(0).await?, []);
    let first = store.pending(4).await?;
    assert!(first.iter().eq(events.iter().take(4)));
    Ok(())
}

/// Every field of an event is read as it was recorded.
pub async fn an_event_comes_back_as_it_was(store: Store) -> Done {
    let world = World::new(store).await?;
    let nasty = "\u{0}\"'\\\u{202e}\u{1f980}\n".repeat(100);
    let mut events = Vec::new();
    for action in Action::ALL {
        let mut event = world
            .event(*action)
            .in_org(world.org.id)
            .with_outcome(Outcome::Failure, &nasty)
            .with("count", MetaValue::count(i64::MIN))
            .with("text", MetaValue::public(&nasty))
            .with("who", MetaValue::personal(Some(world.founder.id), &nasty))
            .with("", MetaValue::personal(None, ""));
        event.actor = Actor::User {
            id: world.founder.id,
            session: Some(world.id()),
            token: Some(world.id()),
        };
        event.origin = RequestOrigin {
            ip_address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            user_agent: Some(nasty.clone()),
        };
        event.request_id = Some(world.id());
        events.push(event);
    }
    for actor in [Actor::Anonymous, Actor::Operator, Actor::system("x")] {
        let mut event = world.event(Action::AccessDenied);
        event.actor = actor;
        events.push(event);
    }
    world.store.record(&events).await?;
    assert_eq!(world.store.pending(1_000).await?, events);
    Ok(())
}

/// What waits for one log is seen from its newest end, or from an event of it on, and no other's.
pub async fn what_waits_for_a_log_comes_newest_first(store: Store) -> Done {
    let draft = Draft::new();
    let (one, two) = (draft.org("one").id, draft.org("two").id);
    let logs = [None, Some(one), Some(two)];
    let mut events: Vec<_> = (0..30).map(|_| draft.event(Action::AuditRead)).collect();
    for (event, log) in events.iter_mut().zip(logs.iter().cycle()) {
        event.org = *log;
    }
    assert_eq!(store.waiting(Some(one), None, 10).await?, []);
    store.record(&events).await?;
    for log in logs {
        let own: Vec<_> = events.iter().rev().filter(|it| it.org == log).collect();
        assert_eq!(own.len(), 10);
        let found = store.waiting(log, None, usize::MAX).await?;
        assert!(found.iter().eq(own.iter().copied()));
        let found = store.waiting(log, None, 3).await?;
        assert!(found.iter().eq(own.iter().copied().take(3)));
        assert_eq!(store.waiting(log, None, 0).await?, []);
        for (at, event) in own.iter().enumerate() {
            let found = store.waiting(log, Some(event.id), 4).await?;
            assert!(found.iter().eq(own.iter().copied().skip(at).take(4)));
        }
        // An event of another log, one that was never there and one that is gone begin nothing.
        let strange = events.iter().filter(|it| it.org != log).map(|it| it.id);
        for id in strange.chain([draft.event(Action::AuditRead).id]) {
            assert_eq!(store.waiting(log, Some(id), 4).await?, []);
        }
    }
    let gone: Vec<EventId> = events.iter().take(27).map(|it| it.id).collect();
    store.discard(&gone).await?;
    for id in gone {
        assert_eq!(store.waiting(Some(one), Some(id), 4).await?, []);
    }
    assert_eq!(store.waiting(Some(one), None, 4).await?.len(), 1);
    Ok(())
}

/// Named events are taken out, once; unknown ones change nothing.
pub async fn discarding_takes_out_what_is_named(store: Store) -> Done {
    let draft = Draft::new();
    let events: Vec<_> = (0..5).map(|_| draft.event(Action::AuditRead)).collect();
    let stranger = draft.event(Action::AuditRead);
    store.record(&events).await?;
    let named: Vec<EventId> = events.iter().skip(1).step_by(2).map(|it| it.id).collect();
    for _ in 0..2 {
        store.discard(&[stranger.id]).await?;
        store.discard(&named).await?;
        store.discard(&[]).await?;
        let left = store.pending(10).await?;
        assert!(left.iter().eq(events.iter().step_by(2)));
    }
    Ok(())
}

/// Of a race of recorders every batch is there once, whole and in its order.
pub async fn of_many_recorders_no_event_is_lost_or_torn(store: Store) -> Done {
    let draft = Draft::new();
    let batches: Vec<Vec<AuditEvent>> = (0..24)
        .map(|_| (0..4).map(|_| draft.event(Action::AuditRead)).collect())
        .collect();
    race(batches.clone().into_iter().map(|batch| {
        let store = Arc::clone(&store);
        async move { store.record(&batch).await }
    }))
    .await?;
    let found = store.pending(1_000).await?;
    assert_eq!(found.len(), 96);
    for batch in &batches {
        let there = found.iter().filter(|it| batch.contains(it));
        assert!(there.eq(batch), "a torn batch");
    }
    Ok(())
}

/// If an event cannot be recorded, its change did not take place either.
pub async fn a_change_whose_event_fails_is_taken_back(store: Store) -> Done {
    let world = World::new(store).await?;
    let event = world.event(Action::InvitationCreated);
    world.store.record(std::slice::from_ref(&event)).await?;
    let invitation = world.invitation(world.org.id, "guest", "viewer");
    let fresh = world.event(Action::InvitationCreated);
    // The second event has an id that is there already.
    let twice = [fresh, event.clone()];
    let outcome = world.store.invite(&world.ctx(), &invitation, &twice).await;
    assert!(outcome.is_err(), "an event's id came twice");
    let found = world.store.invitation_by_token(&invitation.token).await?;
    assert_eq!(found, None);
    world.expect_events(&[&event]).await
}
