//! Counters of failures.

use super::world::{Done, Store, World, later, race};
use crate::domain::audit::{Action, AuditEvent, Resource};
use crate::domain::{Caller, FailureChange, FailureKey, FailureKind, Failures, Subject};
use crate::ports::store::StoreError;

const BOUND: u32 = 10;

fn key(number: u8) -> FailureKey {
    FailureKey {
        subject: Subject::from_bytes([number; 16]),
        kind: FailureKind::Password,
    }
}

fn more(key: FailureKey, more: u32, seconds: i64) -> FailureChange {
    FailureChange {
        key,
        cleared: false,
        more,
        last: later(seconds),
        at_bound: None,
        user: None,
    }
}

fn failures(count: u32, seconds: i64) -> Failures {
    Failures {
        count,
        last: Some(later(seconds)),
    }
}

/// An event of its own for each number.
fn event(number: u8) -> AuditEvent {
    let caller = Caller::system("conformance");
    let on = Resource::new("user", number);
    let id = crate::domain::Id::from_random(later(0), [number; 10]);
    AuditEvent::new(id, later(0), &caller, Action::SignInSwitchedOff, on)
}

async fn recorded(world: &World) -> Result<Vec<AuditEvent>, StoreError> {
    world.store.pending(1_000).await
}

/// Counters of one subject are apart by kind, and what nobody counted is nought.
pub async fn counters_add_up_apart(store: Store) -> Done {
    let world = World::new(store).await?;
    let store = &world.store;
    let other = FailureKey {
        kind: FailureKind::SecondFactor,
        ..key(1)
    };
    assert_eq!(store.failures(&key(1)).await?, Failures::default());
    let both = [more(key(1), 2, 5), more(other, 7, 6)];
    store.add_failures(&both, BOUND).await?;
    store.add_failures(&[more(key(1), 1, 9)], BOUND).await?;
    assert_eq!(store.failures(&key(1)).await?, failures(3, 9));
    assert_eq!(store.failures(&other).await?, failures(7, 6));
    assert_eq!(store.failures(&key(2)).await?, Failures::default());
    // The last one told is the last: a clock that was set back is believed.
    store.add_failures(&[more(key(1), 1, 3)], BOUND).await?;
    assert_eq!(store.failures(&key(1)).await?, failures(4, 3));
    store.add_failures(&[more(key(1), u32::MAX, 3)], 0).await?;
    assert_eq!(store.failures(&key(1)).await?, failures(u32::MAX, 3));
    Ok(())
}

/// A success leaves what was counted after it.
pub async fn a_success_sets_to_nought_what_was_before(store: Store) -> Done {
    let world = World::new(store).await?;
    let store = &world.store;
    let all = [more(key(1), 5, 1), more(key(2), 5, 1)];
    store.add_failures(&all, BOUND).await?;
    let mut changes = [more(key(1), 0, 2), more(key(2), 2, 2)];
    changes.iter_mut().for_each(|change| change.cleared = true);
    store.add_failures(&changes, BOUND).await?;
    assert_eq!(store.failures(&key(1)).await?, Failures::default());
    assert_eq!(store.failures(&key(2)).await?, failures(2, 2));
    Ok(())
}

/// The event of the change that finds a counter at its bound is recorded once, until the counter is cleared.
pub async fn a_counter_at_its_bound_is_recorded_once(store: Store) -> Done {
    let world = World::new(store).await?;
    let store = &world.store;
    let told = |change: FailureChange, number| FailureChange {
        at_bound: Some(event(number)),
        ..change
    };
    let mark = recorded(&world).await?.len();
    let change = told(more(key(1), 9, 1), 1);
    store.add_failures(&[change], BOUND).await?;
    // Without an event nothing is recorded, and the next one is.
    store.add_failures(&[more(key(1), 1, 2)], BOUND).await?;
    assert_eq!(recorded(&world).await?.len(), mark);
    let change = told(more(key(1), 1, 3), 2);
    store.add_failures(&[change], BOUND).await?;
    let change = told(more(key(1), 1, 4), 3);
    store.add_failures(&[change], BOUND).await?;
    let events = recorded(&world).await?;
    assert_eq!(events.get(mark..), Some(&[event(2)][..]));
    let mut cleared = told(more(key(1), 10, 5), 4);
    cleared.cleared = true;
    store.add_failures(&[cleared], BOUND).await?;
    let events = recorded(&world).await?;
    assert_eq!(events.get(mark..), Some(&[event(2), event(4)][..]));
    Ok(())
}

/// Clearing says whether there was anything, and records its events only then.
pub async fn counters_are_cleared_with_their_event(store: Store) -> Done {
    let world = World::new(store).await?;
    let store = &world.store;
    let all = [more(key(1), 5, 1), more(key(2), 5, 1)];
    store.add_failures(&all, BOUND).await?;
    let mark = recorded(&world).await?.len();
    let both = [key(1), key(3)];
    assert!(store.clear_failures(&both, &[event(1)]).await?);
    assert!(!store.clear_failures(&both, &[event(2)]).await?);
    assert_eq!(store.failures(&key(1)).await?, Failures::default());
    assert_eq!(store.failures(&key(2)).await?, failures(5, 1));
    let events = recorded(&world).await?;
    assert_eq!(events.get(mark..), Some(&[event(1)][..]));
    Ok(())
}

/// Sweeping forgets the quiet ones below the bound, then those with the fewest failures, the oldest first.
pub async fn sweeping_forgets_the_quiet_and_the_light(store: Store) -> Done {
    let world = World::new(store).await?;
    let store = &world.store;
    let all = [
        more(key(1), 1, 1),
        more(key(2), BOUND, 1),
        more(key(3), 2, 100),
        more(key(4), 2, 200),
        more(key(5), 3, 100),
    ];
    store.add_failures(&all, BOUND).await?;
    assert_eq!(store.sweep_failures(later(1), BOUND, 5).await?, 0);
    assert_eq!(store.sweep_failures(later(2), BOUND, 5).await?, 1);
    assert_eq!(store.failures(&key(1)).await?, Failures::default());
    assert_eq!(store.sweep_failures(later(2), BOUND, 3).await?, 1);
    assert_eq!(store.failures(&key(3)).await?, Failures::default());
    assert_eq!(store.sweep_failures(later(2), BOUND, 1).await?, 2);
    assert_eq!(store.failures(&key(2)).await?, failures(BOUND, 1));
    Ok(())
}

/// Nodes race: no failure is lost, and one of them records that the bound was reached.
pub async fn of_many_nodes_no_failure_is_lost(store: Store) -> Done {
    let world = World::new(store).await?;
    let mark = recorded(&world).await?.len();
    let nodes = (1..=16_u8).map(|number| {
        let store = world.store.clone();
        async move {
            let mut change = more(key(1), 1, 1);
            change.at_bound = Some(event(number));
            let others = [more(key(number.wrapping_add(1)), 1, 1), change];
            store.add_failures(&others, BOUND).await
        }
    });
    race(nodes).await?;
    assert_eq!(world.store.failures(&key(1)).await?.count, 16);
    assert_eq!(recorded(&world).await?.len(), mark.saturating_add(1));
    Ok(())
}
