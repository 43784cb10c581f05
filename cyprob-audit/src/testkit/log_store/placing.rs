//! The way of events from the outbox into logs, and signed heads.

use std::error::Error;
use std::sync::Arc;

use cyprob_core::testkit::race;

use super::{Done, Pair, batch, leaf, logs, mixed, of, org, placed};
use crate::domain::{Hash, LogId, RightEdge};
use crate::ports::{Placed, SignedHead};
use crate::testkit::events;

/// Recorded events wait in their order, for all logs and for each.
pub async fn recorded_events_wait((store, outbox): Pair) -> Done {
    assert_eq!(store.pending(10).await?, []);
    let events = mixed(30);
    outbox.record(&events).await?;
    assert_eq!(store.pending(100).await?, events);
    assert_eq!(
        store.pending(7).await?.as_slice(),
        events.get(..7).unwrap_or_default()
    );
    for log in logs() {
        let mut own = of(log, &events);
        own.reverse();
        assert_eq!(store.waiting(log, None, 100).await?, own);
        let from = own.get(4).map(|event| event.id);
        let rest = own.get(4..7).unwrap_or_default();
        assert_eq!(store.waiting(log, from, 3).await?, rest);
        assert_eq!(store.size(log).await?, 0);
        let [foreign, ..] = logs()
            .map(|other| of(other, &events))
            .map(|mut all| all.remove(0).id);
        if log != LogId::System {
            assert_eq!(store.waiting(log, Some(foreign), 3).await?, []);
        }
    }
    assert_eq!(store.logs().await?, []);
    Ok(())
}

/// A placement takes events out of the outbox into their logs, all in one step.
pub async fn a_placement_moves_events((store, outbox): Pair) -> Done {
    let events = mixed(60);
    let (now, later) = events.split_at(30);
    placed(&(Arc::clone(&store), Arc::clone(&outbox)), now).await?;
    outbox.record(later).await?;
    assert_eq!(store.pending(100).await?, later);
    let mut expected = logs().to_vec();
    expected.sort();
    assert_eq!(store.logs().await?, expected);
    for log in logs() {
        assert_eq!(store.size(log).await?, 10);
        let leaves: Vec<_> = of(log, now).iter().map(leaf).collect();
        assert_eq!(store.leaves(log, 0, 100).await?, leaves);
        let part = leaves.get(3..7).unwrap_or_default();
        assert_eq!(store.leaves(log, 3, 4).await?, part);
        let none: [Vec<u8>; 0] = [];
        for first in [10, 11, 1 << 40] {
            assert_eq!(store.leaves(log, first, 4).await?, none);
        }
    }
    Ok(())
}

/// A placement that does not fit the logs or the outbox changes nothing.
pub async fn what_does_not_fit_changes_nothing((store, outbox): Pair) -> Done {
    let mut events = events(10);
    for event in &mut events {
        event.org = None;
    }
    let part = |from: usize, to: usize| events.get(from..to).unwrap_or_default();
    outbox.record(part(0, 6)).await?;
    let [system, other, _] = logs();
    let first = part(0, 1).to_vec();
    let wrong = [
        ("an index too high", vec![batch(system, 1, part(0, 2))]),
        ("one is not recorded", vec![batch(system, 0, part(0, 7))]),
        (
            "one log fits and the other does not",
            vec![batch(system, 0, part(0, 2)), batch(other, 3, part(2, 3))],
        ),
        (
            "one event in two logs",
            vec![batch(system, 0, &first), batch(other, 0, &first)],
        ),
    ];
    for (why, batches) in wrong {
        assert_eq!(store.place(&batches).await?, Placed::Moved, "{why}");
        assert_eq!(store.pending(100).await?, part(0, 6), "{why}");
        for log in [system, other] {
            assert_eq!(store.size(log).await?, 0, "{why}");
        }
    }
    assert_eq!(
        store.place(&[batch(system, 0, part(0, 4))]).await?,
        Placed::Done
    );
    // Nobody places the same ones again.
    assert_eq!(
        store.place(&[batch(system, 4, part(0, 4))]).await?,
        Placed::Moved
    );
    assert_eq!(store.pending(100).await?, part(4, 6));
    Ok(())
}

/// Of many who place the same events at once, one does.
pub async fn of_many_placements_one_is_done((store, outbox): Pair) -> Done {
    let mut events = events(40);
    for event in &mut events {
        event.org = None;
    }
    outbox.record(&events).await?;
    let batches = Arc::new([batch(LogId::System, 0, &events)]);
    let racers = (0..8).map(|_| {
        let (store, batches) = (Arc::clone(&store), Arc::clone(&batches));
        async move { store.place(batches.as_slice()).await }
    });
    let ended = race(racers).await?;
    assert_eq!(ended.iter().filter(|it| **it == Placed::Done).count(), 1);
    assert_eq!(store.size(LogId::System).await?, 40);
    assert_eq!(store.pending(10).await?, []);
    Ok(())
}

/// Heads are signed in growing order, never beyond the entries, each log's apart.
pub async fn a_head_is_signed_once_and_within_the_entries((store, outbox): Pair) -> Done {
    let events = mixed(9);
    placed(&(Arc::clone(&store), outbox), &events).await?;
    let head = |size: u64| -> Result<SignedHead, Box<dyn Error + Send + Sync>> {
        let mut edge = RightEdge::empty();
        for _ in 0..size {
            edge.push(Hash::of_leaf(b"x"), |_, _| {})?;
        }
        Ok(SignedHead {
            checkpoint: size.to_string().into_bytes(),
            edge,
        })
    };
    let [log, other, _] = logs();
    assert_eq!(store.signed(log).await?, None);
    for (size, signs) in [
        (4, false),
        (2, true),
        (2, false),
        (1, false),
        (3, true),
        (3, false),
    ] {
        assert_eq!(store.sign(log, &head(size)?).await?, signs, "{size}");
    }
    assert_eq!(store.signed(log).await?, Some(head(3)?));
    assert_eq!(store.signed(other).await?, None);
    assert!(!store.sign(LogId::Org(org(9)), &head(1)?).await?);
    Ok(())
}
