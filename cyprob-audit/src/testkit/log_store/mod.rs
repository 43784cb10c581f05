//! What every store of placed entries must do, one function for each behaviour.
//!
//! [`log_store_conformance!`](crate::log_store_conformance) runs them all, each
//! over a new store and the outbox that it takes its events from.

#![allow(clippy::missing_errors_doc, reason = "what a store fails with")]
#![allow(clippy::missing_panics_doc, reason = "a behaviour that does not hold")]

use std::error::Error;
use std::sync::Arc;

use cyprob_core::domain::audit::{AuditEvent, Outcome};
use cyprob_core::domain::{Id, OrgId, Timestamp};
use cyprob_core::ports::store::Outbox;

use crate::domain::LogId;
use crate::ports::{Batch, LogStore, NewEntry, Placed};

mod placing;
mod reading;

pub use placing::{
    a_head_is_signed_once_and_within_the_entries, a_placement_moves_events,
    of_many_placements_one_is_done, recorded_events_wait, what_does_not_fit_changes_nothing,
};
pub use reading::{
    a_filter_takes_what_it_says, a_look_is_bounded_and_goes_on, an_event_is_found_in_its_log_alone,
};

/// The store and its outbox.
pub type Pair = (Arc<dyn LogStore>, Arc<dyn Outbox>);
/// Done, or what the store failed with.
pub type Done = Result<(), Box<dyn Error + Send + Sync>>;

/// A store and its outbox, of whatever types.
#[must_use]
pub fn pair(store: impl LogStore, outbox: Arc<dyn Outbox>) -> Pair {
    (Arc::new(store), outbox)
}

fn org(number: u8) -> OrgId {
    OrgId::from_random(Timestamp::UNIX_EPOCH, [number; 10])
}

fn logs() -> [LogId; 3] {
    [LogId::System, LogId::Org(org(1)), LogId::Org(org(2))]
}

/// Events of three logs in turn.
fn mixed(count: u64) -> Vec<AuditEvent> {
    let mut events = super::events(count);
    for (event, log) in events.iter_mut().zip(logs().into_iter().cycle()) {
        event.org = log.org();
    }
    events
}

/// A leaf that says which event it is of.
fn leaf(event: &AuditEvent) -> Vec<u8> {
    event.id.to_string().into_bytes()
}

fn batch(log: LogId, first: u64, events: &[AuditEvent]) -> Batch {
    let entry = |event: &AuditEvent| NewEntry {
        event: event.clone(),
        leaf: leaf(event),
        aside: event
            .outcome
            .eq(&Outcome::Denied)
            .then(|| b"large".to_vec()),
    };
    Batch {
        log,
        first,
        entries: events.iter().map(entry).collect(),
    }
}

fn of(log: LogId, events: &[AuditEvent]) -> Vec<AuditEvent> {
    let own = |event: &&AuditEvent| event.org == log.org();
    events.iter().filter(own).cloned().collect()
}

/// Records these events and places each in its log.
async fn placed((store, outbox): &Pair, events: &[AuditEvent]) -> Done {
    outbox.record(events).await?;
    let mut batches = Vec::new();
    for log in logs() {
        batches.push(batch(log, store.size(log).await?, &of(log, events)));
    }
    assert_eq!(store.place(&batches).await?, Placed::Done);
    Ok(())
}

/// Runs every behaviour of a log store, each over what the expression makes.
///
/// The expression is a future of a [`Pair`](crate::testkit::log_store::Pair) and
/// of something that is kept until the test ends, such as a directory.
///
/// ```ignore
/// cyprob_audit::log_store_conformance!(fresh());
/// ```
#[macro_export]
macro_rules! log_store_conformance {
    ($make:expr) => {
        $crate::log_store_conformance! { @all $make;
            recorded_events_wait
            a_placement_moves_events
            what_does_not_fit_changes_nothing
            of_many_placements_one_is_done
            a_filter_takes_what_it_says
            a_look_is_bounded_and_goes_on
            an_event_is_found_in_its_log_alone
            a_head_is_signed_once_and_within_the_entries
        }
    };
    (@all $make:expr; $($behaviour:ident)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $behaviour() {
            let (pair, _alive) = $make.await;
            $crate::testkit::log_store::$behaviour(pair).await.unwrap();
        })*
    };
}
