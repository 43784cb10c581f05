//! How many connections a caller holds open.
//!
//! A request is over in a moment, a connection when its client likes. What
//! bounds requests bounds no connections, so they are counted on their own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cyprob_core::domain::{RunId, ServiceAccountId, SessionId, UserId};

use crate::domain::Claims;

/// How many connections may be open at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Of one session, one service account, or one run's workers.
    pub per_caller: usize,
    /// Of one person, over all their sessions.
    pub per_person: usize,
}

impl Default for ConnectionLimits {
    /// 16 of a caller and 64 of a person.
    fn default() -> Self {
        Self {
            per_caller: 16,
            per_person: 64,
        }
    }
}

/// Who holds connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Holder {
    Session(SessionId),
    Person(UserId),
    Service(ServiceAccountId),
    Run(RunId),
}

type Counts = Arc<Mutex<HashMap<Holder, usize>>>;

/// Counts the open connections of each caller; clones share the counts.
#[derive(Clone, Debug, Default)]
pub struct Connections {
    limits: ConnectionLimits,
    counts: Counts,
}

/// A place among its caller's connections; dropping it frees the place.
#[derive(Debug)]
pub struct ConnectionSlot {
    counts: Counts,
    holders: Vec<Holder>,
}

impl Connections {
    pub(crate) fn new(limits: ConnectionLimits) -> Self {
        Self {
            limits,
            counts: Counts::default(),
        }
    }

    /// Takes a place for a caller; none if the caller, or the person over all sessions, has as many as may be.
    #[must_use]
    pub fn open<'a>(&self, caller: impl Into<Claims<'a>>) -> Option<ConnectionSlot> {
        let ConnectionLimits {
            per_caller,
            per_person,
        } = self.limits;
        match caller.into() {
            Claims::Person(claims) => self.take(&[
                (Holder::Session(claims.session), per_caller),
                (Holder::Person(claims.user), per_person),
            ]),
            Claims::Service(claims) => self.take(&[(Holder::Service(claims.account), per_caller)]),
        }
    }

    /// Takes a place for a worker of a run; none if the run has as many as may be.
    #[must_use]
    pub fn open_for_run(&self, run: RunId) -> Option<ConnectionSlot> {
        self.take(&[(Holder::Run(run), self.limits.per_caller)])
    }

    /// How many callers and people hold a connection; none is left behind by one that closed.
    #[must_use]
    pub fn holders(&self) -> usize {
        locked(&self.counts).len()
    }

    /// All of it or nothing.
    fn take(&self, wanted: &[(Holder, usize)]) -> Option<ConnectionSlot> {
        let mut counts = locked(&self.counts);
        let open = |holder| counts.get(holder).copied().unwrap_or(0);
        if wanted.iter().any(|(holder, most)| open(holder) >= *most) {
            return None;
        }
        for (holder, _) in wanted {
            *counts.entry(*holder).or_insert(0) += 1;
        }
        drop(counts);
        Some(ConnectionSlot {
            counts: Arc::clone(&self.counts),
            holders: wanted.iter().map(|(holder, _)| *holder).collect(),
        })
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut counts = locked(&self.counts);
        for holder in &self.holders {
            if let Some(count) = counts.get_mut(holder) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(holder);
                }
            }
        }
    }
}

fn locked(counts: &Counts) -> MutexGuard<'_, HashMap<Holder, usize>> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}
