//! Looking at what is placed.

use std::error::Error;
use std::sync::Arc;

use cyprob_core::domain::audit::{Action, AuditEvent, Outcome};
use cyprob_core::domain::{EventId, Id, Timestamp};

use super::{Done, Pair, leaf, logs, mixed, of, org, placed};
use crate::domain::{EntryFilter, LogId};
use crate::ports::{LogStore, Look};

/// Every combination of a filter's fields takes what [`EntryFilter::takes`] takes, in this log alone.
pub async fn a_filter_takes_what_it_says((store, outbox): Pair) -> Done {
    let events = mixed(300);
    placed(&(Arc::clone(&store), outbox), &events).await?;
    let at = |n: usize| events.get(n).map(|event| event.at);
    let actor = events.iter().find_map(|event| event.actor.id());
    let nobody = Some("usr_00000000000070008000000000000000".to_owned());
    let actors = [None, actor, nobody];
    let actions = [None, Some(Action::AuditRead), Action::ALL.first().copied()];
    let outcomes = [None, Some(Outcome::Denied), Some(Outcome::Failure)];
    let times = [
        (None, None),
        (at(100), None),
        (None, at(100)),
        (at(50), at(51)),
        (at(9), at(9)),
    ];
    let mut kept = 0;
    for (from, to) in times {
        for actor in &actors {
            for action in actions {
                for outcome in outcomes {
                    let actor = actor.clone();
                    let filter = EntryFilter {
                        from,
                        to,
                        actor,
                        action,
                        outcome,
                    };
                    for log in logs() {
                        let found = walk(store.as_ref(), log, &filter, 7, 1_000).await?;
                        let expected = expected(&of(log, &events), &filter);
                        kept += expected.len();
                        assert_eq!(found, expected, "{log}: {filter:?}");
                    }
                }
            }
        }
    }
    assert!(kept > 500, "the filters took {kept}");
    Ok(())
}

/// A look is over after the entries that it may look at, and the next one goes on there.
pub async fn a_look_is_bounded_and_goes_on((store, outbox): Pair) -> Done {
    let events = mixed(300);
    placed(&(Arc::clone(&store), outbox), &events).await?;
    let rare = EntryFilter {
        actor: events.iter().find_map(|event| event.actor.id()),
        ..EntryFilter::default()
    };
    let log = LogId::Org(org(1));
    for filter in [EntryFilter::default(), rare] {
        for (limit, scan) in [(1, 1), (3, 2), (2, 10), (50, 10), (1_000, 1_000), (4, 0)] {
            let found = walk(store.as_ref(), log, &filter, limit, scan).await?;
            assert_eq!(
                found,
                expected(&of(log, &events), &filter),
                "{limit} {scan}"
            );
        }
    }
    // A log without entries, and looks that begin beside the log.
    let all = EntryFilter::default();
    let look = |before| Look {
        before,
        limit: 5,
        scan: 5,
    };
    let empty = LogId::Org(org(9));
    assert_eq!(
        store.entries(empty, &all, look(None)).await?,
        <_>::default()
    );
    assert_eq!(
        store.entries(log, &all, look(Some(0))).await?,
        <_>::default()
    );
    let high = store.entries(log, &all, look(Some(u64::MAX))).await?;
    assert_eq!(high, store.entries(log, &all, look(None)).await?);
    Ok(())
}

/// What a filter takes, newest first, with the indexes.
fn expected(own: &[AuditEvent], filter: &EntryFilter) -> Vec<(u64, Vec<u8>)> {
    let mut all: Vec<_> = (0..)
        .zip(own)
        .filter(|(_, event)| filter.takes(event))
        .map(|(index, event)| (index, leaf(event)))
        .collect();
    all.reverse();
    all
}

/// Looks until nothing is left; each look must move on and keep its limit.
async fn walk(
    store: &dyn LogStore,
    log: LogId,
    filter: &EntryFilter,
    limit: usize,
    scan: u64,
) -> Result<Vec<(u64, Vec<u8>)>, Box<dyn Error + Send + Sync>> {
    let mut all = Vec::new();
    let mut before = None;
    loop {
        let found = store
            .entries(
                log,
                filter,
                Look {
                    before,
                    limit,
                    scan,
                },
            )
            .await?;
        assert!(found.entries.len() <= limit);
        if let (Some((newest, _)), Some((oldest, _))) =
            (found.entries.first(), found.entries.last())
        {
            assert!(newest - oldest < scan.max(1), "looked at more than {scan}");
        }
        all.extend(found.entries);
        let Some(next) = found.next else {
            return Ok(all);
        };
        assert!(
            before.is_none_or(|before| next < before),
            "does not move on"
        );
        before = Some(next);
    }
}

/// An event has an index in its own log, once it is placed.
pub async fn an_event_is_found_in_its_log_alone((store, outbox): Pair) -> Done {
    let events = mixed(33);
    let (now, later) = events.split_at(30);
    placed(&(Arc::clone(&store), Arc::clone(&outbox)), now).await?;
    outbox.record(later).await?;
    let indexes = |log| (0_u64..).zip(of(log, now));
    for log in logs() {
        for other in logs() {
            for (index, event) in indexes(other) {
                let expected = (log == other).then_some(index);
                assert_eq!(store.index_of(log, event.id).await?, expected);
            }
        }
        for event in later {
            assert_eq!(store.index_of(log, event.id).await?, None);
        }
        let never = EventId::from_random(Timestamp::UNIX_EPOCH, [0; 10]);
        assert_eq!(store.index_of(log, never).await?, None);
    }
    Ok(())
}
