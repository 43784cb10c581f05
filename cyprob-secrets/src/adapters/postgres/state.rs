//! Which credentials a pool works with now.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::domain::Credentials;

/// How near to a moment a connection was made at it.
///
/// Of one that is new and counts as old no harm comes, and one that is old and
/// counts as new is found by the drain, which asks whose it is.
const MARGIN: Duration = Duration::from_millis(10);

/// How many connections that were late are remembered; the drain finds the others.
const MOST_LATE: usize = 256;

#[derive(Debug)]
pub(super) struct State {
    in_use: Mutex<InUse>,
    parked: watch::Sender<bool>,
    /// Whether the server ended a session, and it is not known yet why.
    suspected: watch::Sender<bool>,
    /// Whether somebody feeds the pool.
    fed: AtomicBool,
}

#[derive(Debug)]
struct InUse {
    credentials: Arc<Credentials>,
    /// Nothing for the first credentials, which replaced none.
    since: Option<Instant>,
    /// When connections were made since then that had begun with those before.
    late: Vec<Instant>,
    /// Whether the server said that there is no such user.
    lost: bool,
}

impl State {
    pub(super) fn new(credentials: Arc<Credentials>) -> Self {
        Self {
            in_use: Mutex::new(InUse {
                credentials,
                since: None,
                late: Vec::new(),
                lost: false,
            }),
            parked: watch::Sender::new(false),
            suspected: watch::Sender::new(false),
            fed: AtomicBool::new(true),
        }
    }

    fn in_use(&self) -> MutexGuard<'_, InUse> {
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn credentials(&self) -> Arc<Credentials> {
        Arc::clone(&self.in_use().credentials)
    }

    /// Works with others from now on, and gives those before.
    pub(super) fn replace(&self, next: Arc<Credentials>) -> Arc<Credentials> {
        let mut in_use = self.in_use();
        in_use.since = Some(Instant::now());
        in_use.late.clear();
        in_use.lost = false;
        std::mem::replace(&mut in_use.credentials, next)
    }

    /// Whether a connection of this age may have been made with credentials that were replaced.
    pub(super) fn is_old(&self, age: Duration) -> bool {
        let in_use = self.in_use();
        let Some(made) = Instant::now().checked_sub(age) else {
            return true;
        };
        in_use.since.is_some_and(|since| made < since + MARGIN)
            || in_use
                .late
                .iter()
                .any(|late| made < *late + MARGIN && *late < made + MARGIN)
    }

    /// A connection was made just now, as this user.
    pub(super) fn made_as(&self, name: &str) {
        let mut in_use = self.in_use();
        if in_use.credentials.username() != name {
            if in_use.late.len() >= MOST_LATE {
                in_use.late.remove(0);
            }
            in_use.late.push(Instant::now());
        }
    }

    /// The server says that the user is not there: nobody is given a connection until there is
    /// another, or the credentials hold after all.
    pub(super) fn lost(&self, credentials: &Credentials) {
        let mut in_use = self.in_use();
        let newest = in_use.credentials.generation() == credentials.generation();
        if newest && self.is_fed() {
            in_use.credentials.doubt();
            in_use.lost = true;
            self.park(true);
        }
    }

    /// Whether the user in use is not there, as far as is known: until its credentials are believed.
    pub(super) fn is_lost(&self) -> bool {
        let mut in_use = self.in_use();
        in_use.lost &= in_use.credentials.is_doubted();
        in_use.lost
    }

    pub(super) fn is_fed(&self) -> bool {
        self.fed.load(Ordering::Acquire)
    }

    /// Nobody feeds the pool any more.
    pub(super) fn leave(&self) {
        self.fed.store(false, Ordering::Release);
        self.park(false);
    }

    pub(super) fn is_parked(&self) -> bool {
        *self.parked.borrow()
    }

    /// Parks or not; where nobody feeds the pool, never.
    pub(super) fn park(&self, parked: bool) {
        self.parked.send_if_modified(|now| {
            let parked = parked && self.is_fed();
            std::mem::replace(now, parked) != parked
        });
    }

    pub(super) fn is_suspected(&self) -> bool {
        *self.suspected.borrow()
    }

    pub(super) fn suspect(&self, suspected: bool) {
        self.suspected
            .send_if_modified(|now| std::mem::replace(now, suspected) != suspected);
    }

    /// Waits until there is a suspicion, or none any more.
    pub(super) async fn suspected(&self, suspected: bool) {
        let mut now = self.suspected.subscribe();
        let _ = now.wait_for(|now| *now == suspected).await;
    }

    /// Waits while nobody may sign in.
    pub(super) async fn unparked(&self) {
        // The sender is ours, so it never ends.
        let _ = self.parked.subscribe().wait_for(|parked| !parked).await;
    }
}

#[cfg(test)]
mod tests {
    use cyprob_core::domain::Timestamp;

    use super::*;
    use crate::domain::{LeaseId, Lent};

    fn credentials(generation: u64) -> Arc<Credentials> {
        let lent = Lent {
            username: format!("u{generation}"),
            password: String::from("p").into(),
            lease: LeaseId::new(format!("l{generation}")),
            term: Duration::from_secs(3_600),
            renewable: true,
        };
        let asked_at = Timestamp::from_micros(0);
        Arc::new(Credentials::new(lent, generation, asked_at, |_| {}))
    }

    #[test]
    fn what_is_said_of_credentials_that_were_replaced_says_nothing_of_the_others() {
        let (first, second) = (credentials(1), credentials(2));
        let state = State::new(Arc::clone(&first));
        let replaced = state.replace(Arc::clone(&second));
        assert_eq!(replaced.generation(), 1);
        state.lost(&first);
        assert!(!state.is_lost() && !state.is_parked());
        assert!(!first.is_doubted() && !second.is_doubted());
        // Nor does what was lost before outlive its replacement.
        state.lost(&second);
        assert!(state.is_lost() && state.is_parked() && second.is_doubted());
        state.replace(credentials(3));
        assert!(!state.is_lost());
    }

    #[test]
    fn what_is_lost_is_so_until_it_is_believed_again() {
        let first = credentials(1);
        let state = State::new(Arc::clone(&first));
        state.lost(&first);
        first.believe();
        assert!(!state.is_lost());
        // And not at the next doubt, which may be of less.
        first.doubt();
        assert!(!state.is_lost());
    }

    #[tokio::test]
    async fn nobody_waits_in_a_pool_that_nobody_feeds() {
        let first = credentials(1);
        let state = Arc::new(State::new(Arc::clone(&first)));
        state.park(true);
        let waiting = {
            let state = Arc::clone(&state);
            tokio::spawn(async move { state.unparked().await })
        };
        state.leave();
        waiting.await.unwrap();
        // Whatever comes late.
        state.park(true);
        state.lost(&first);
        assert!(!state.is_parked() && !state.is_lost());
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_old_that_was_begun_before_the_replacement_or_signed_in_as_another() {
        let state = State::new(credentials(1));
        assert!(!state.is_old(Duration::from_secs(60)));
        tokio::time::advance(Duration::from_secs(60)).await;
        state.replace(credentials(2));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(state.is_old(Duration::from_secs(2)));
        assert!(!state.is_old(Duration::from_millis(500)));
        // It had begun with those before, and ends now.
        state.made_as("u1");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(state.is_old(Duration::from_secs(1)));
        assert!(!state.is_old(Duration::from_millis(500)));
        // What is as old as the process may be of any time.
        assert!(state.is_old(Duration::MAX));
    }
}
